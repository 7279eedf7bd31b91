"""A song heard as it plays: samples in, in pieces of any size, steps out as soon as decided.

`SongStream` carries the state of every stage (resampler, frames, the network's layers), so each
sample is looked at once and memory does not grow with the song. Its steps are those that
``net.genre_over_time`` gives for the whole song, to float32 rounding; and because nothing looks
ahead but the resampler, by a bounded amount that `Step.end` includes, what is heard after a
step's `end` cannot change it.

Times are seconds from the song's first sample, at whatever rate it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils.audio import (
    RESAMPLER,
    AudioError,
    as_heard,
    check_samples,
    log_mel_of_windows,
    look_ahead,
    mix_down,
    name_of,
    read_audio,
)
from songnet_utils.errors import SongNetError

if TYPE_CHECKING:
    import os

    from songnet_utils.network import Network
    from songnet_utils.timeline import Timeline


@dataclass(frozen=True)
class Step:
    """One answer of the network and the stretch of song that it is about.

    Parameters
    ----------
    start : float
        Seconds of the first sample the step sees; negative where it sees the zeros before the
        song, as every step does of a network that remembers the song from its beginning.
    end : float
        Seconds up to which the song can change the step, the resampler's look-ahead included:
        it is decided once this much has been heard.
    probabilities : np.ndarray, shape (genres,), float32
        In the order of ``net.genres``; they sum to 1.
    """

    start: float
    end: float
    probabilities: np.ndarray


def step_span(timeline: Timeline, rate: int, step: int) -> tuple[float, float]:
    """Return `Step.start` and `Step.end` of a step in a song of `rate` samples a second."""
    start, stop = timeline.step_samples(step)
    own = timeline.sound.sample_rate
    # Half-open: what comes from sample `stop` on at the network's own rate changes nothing.
    last = (stop - 1) / own + look_ahead(rate, own) / rate if rate != own else stop / own
    return start / own, last


def hear_song(
    net: Network, source: str | os.PathLike[str] | bytes, *, name: str | None = None
) -> tuple[list[Step], float]:
    """Return the whole-song answer with its times, and the seconds the song lasts.

    This is what ``songnet classify`` prints. The song is decoded once and answered whole, which
    is quicker than streaming when nobody is waiting for the first step.

    Raises
    ------
    SongNetError
        When the song cannot be decoded or is too short for one step.
    """
    name = name or name_of(source)
    samples, rate = read_audio(source, name=name)
    seconds = len(samples) / rate
    audio = as_heard(samples, rate, net.sound.sample_rate, name=name)
    try:
        answers = net.genre_over_time(audio)
    except SongNetError as error:
        raise SongNetError(f"{name}: {error}") from error
    steps = []
    for number, probabilities in enumerate(answers):
        start, end = step_span(net.timeline, rate, number)
        steps.append(Step(start, min(end, seconds), probabilities))
    return steps, seconds


class SongStream:
    """Turns a song that comes in pieces into steps, each as soon as it is decided.

    Parameters
    ----------
    net : Network
        What answers: a trained SongNet or the pretrained listener.
    rate : int, optional
        Samples a second of what will be pushed; the network's own by default.
    channels : int
        Channels of what will be pushed; they are mixed down with equal weight.

    Examples
    --------
    >>> stream = SongStream(net, rate=44_100, channels=2)        # doctest: +SKIP
    >>> for samples in microphone:                                # doctest: +SKIP
    ...     for step in stream.push(samples):
    ...         print(step.start, step.end, step.probabilities)
    >>> stream.finish()                                           # doctest: +SKIP
    """

    def __init__(self, net: Network, rate: int | None = None, channels: int = 1) -> None:
        own = net.sound.sample_rate
        rate = own if rate is None else rate
        for what, value in (("rate", rate), ("channels", channels)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SongNetError(f"{what} must be a whole number of at least 1. Got {value!r}")
        self.net, self.rate, self.channels = net, rate, channels
        self._resampler = (
            soxr.ResampleStream(rate, own, 1, dtype="float32", quality=RESAMPLER)
            if rate != own
            else None
        )
        self._stepper = net.stepper()
        # Samples at the network's rate that coming frames still need. Frame 0 is centred on the
        # first sample, so half a window of zeros comes before it.
        self._waiting = np.zeros(net.sound.n_fft // 2, np.float32)
        self._pushed = 0
        self._heard = 0
        self._frames = 0
        self._steps = 0
        self._finished = False

    @property
    def seconds(self) -> float:
        """Seconds of the song pushed so far."""
        return self._pushed / self.rate

    @property
    def first_answer(self) -> float:
        """Seconds of song before the first step; the others follow every ``step_seconds``."""
        return step_span(self.net.timeline, self.rate, 0)[1]

    def push(self, samples: np.ndarray) -> list[Step]:
        """Hear a piece of the song.

        Parameters
        ----------
        samples
            Shape (n,) or (n, channels), floating point with full scale ±1, n ≥ 1.

        Returns
        -------
        list of Step
            Those that this piece decides, in order; often none.

        Raises
        ------
        AudioError
            When the shape or the type is wrong or a sample is not a number; the stream is then
            as it was before.
        """
        if self._finished:
            raise SongNetError("this stream is finished: make a new SongStream for a new song")
        mono = mix_down(self._checked(samples))
        self._pushed += len(mono)
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        return self._hear(mono)

    def finish(self) -> list[Step]:
        """End the song: return the steps that see its last samples and the zeros after them.

        A song too short for a single step has none.
        """
        if self._finished:
            raise SongNetError("this stream is finished: make a new SongStream for a new song")
        self._finished = True
        steps: list[Step] = []
        if self._resampler is not None and self._pushed:
            rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
            steps += self._hear(rest)
        if self._heard:
            sound = self.net.sound
            missing = sound.frames_of_samples(self._heard) - self._frames
            if missing:
                needed = (missing - 1) * sound.hop + sound.n_fft - len(self._waiting)
                steps += self._frame(np.zeros(max(0, needed), np.float32))
        # What lies after the song's end are zeros: only the song itself can change a step.
        return [Step(s.start, min(s.end, self.seconds), s.probabilities) for s in steps]

    def _checked(self, samples: np.ndarray) -> np.ndarray:
        array = np.asarray(samples)
        if array.ndim == 1 and self.channels == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != self.channels or not len(array):
            shape = "(n,) or (n, 1)" if self.channels == 1 else f"(n, {self.channels})"
            raise AudioError(
                f"samples must have shape {shape} with n of at least 1 for this stream of "
                f"{self.channels} channel(s). Got shape {np.shape(samples)}"
            )
        flat = check_samples(array.reshape(-1))
        return flat.reshape(array.shape)

    def _hear(self, samples: np.ndarray) -> list[Step]:
        """Take samples of the song at the network's rate."""
        self._heard += len(samples)
        return self._frame(samples)

    def _frame(self, samples: np.ndarray) -> list[Step]:
        sound, timeline = self.net.sound, self.net.timeline
        waiting = self._waiting = np.concatenate([self._waiting, samples])
        frames = self._frames + max(0, (len(waiting) - sound.n_fft) // sound.hop + 1)
        decided = timeline.steps_of_frames(frames)
        if decided == self._steps:
            return []
        # Frames are looked at once a step needs them, so that the sums of a step's frames are
        # done together: they cost much less than one by one.
        count = timeline.step_frames(decided - 1)[1] - self._frames
        self._frames += count
        self._waiting = waiting[count * sound.hop :].copy()
        windows = sliding_window_view(waiting, sound.n_fft)[:: sound.hop][:count]
        steps = []
        for probabilities in self._stepper.push(log_mel_of_windows(windows, sound)):
            start, end = step_span(timeline, self.rate, self._steps)
            steps.append(Step(start, end, probabilities))
            self._steps += 1
        return steps
