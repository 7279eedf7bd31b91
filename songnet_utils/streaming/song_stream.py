"""Classify a song as it plays: push samples in pieces of any size, and get steps immediately.

`SongStream` carries the state of every stage (resampler, frames, the network's layers), so it
reads each sample once and uses constant memory. Its steps equal those of ``net.genre_over_time``
for the whole song, to float32 rounding. Only the resampler looks ahead, by a bounded amount that
`Step.end` includes. So the song after a step's `end` cannot change the step.

Latency is computed, not measured. The last frame of step ``k`` is centred on sample
``hop·(stride·k + size − 1)`` at the network's rate, and its window extends half of n_fft further:
there the step ends (`Timeline.step_samples`). If the song has another rate, the resampler's
look-ahead (`songnet_utils.audio.look_ahead`) is added. So the first answer comes after
`SongStream.first_answer` seconds of song, and further ones every `Timeline.step_seconds`, which
is ``stride·hop`` samples. ``make bench`` prints the time that the computation adds, a fraction of
a millisecond per step.

Times are seconds from the song's first sample, at any rate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import decode, look_ahead, name_of, warn
from songnet_utils.audio.frame_stream import FrameStream
from songnet_utils.streaming.network import Network

if TYPE_CHECKING:
    from songnet_utils.streaming.timeline import Timeline

# Samples to process at once; with more, the frames would need much memory and save no time.
_MOST = 2**18


@dataclass(frozen=True)
class Step:
    """One answer of the network, and the stretch of song behind it.

    Parameters
    ----------
    start : float
        The time, in seconds, of the first sample that the step sees. It is negative if the step
        sees the zeros before the song, as every step of a recurrent network does.
    end : float
        The time, in seconds, after which the song cannot change the step, including the
        resampler's look-ahead. The step is complete when this much has played.
    probabilities : np.ndarray, shape (genres,), float32
        In the order of ``net.genres``; they sum to 1.
    """

    start: float
    end: float
    probabilities: np.ndarray


def step_span(timeline: Timeline, rate: int, step: int) -> tuple[float, float]:
    """Return `Step.start` and `Step.end` of a step in a song of `rate` samples per second."""
    start, stop = timeline.step_samples(step)
    own = timeline.sound.sample_rate
    # The interval is half-open: samples from `stop` on, at the network's rate, change nothing.
    last = (stop - 1) / own + look_ahead(rate, own) / rate if rate != own else stop / own
    return start / own, last


def classify_song(net: Network, source: str | os.PathLike[str] | bytes) -> tuple[list[Step], float]:
    """Return the steps of a whole song with their times, and the song's duration in seconds.

    This is what ``songnet classify`` prints. The song is decoded once and processed whole, which
    is faster than streaming when nobody is waiting for the first step.

    Raises
    ------
    SongNetError
        When the song cannot be decoded or is too short for one step.
    """
    name = name_of(source)
    song = decode(source, net.sound.sample_rate, name=name)
    warn(song.notes)
    try:
        answers = net.genre_over_time(song.audio)
    except SongNetError as error:
        raise SongNetError(f"{name}: {error}") from error
    steps = []
    for number, probabilities in enumerate(answers):
        # In a file with several sample rates, the largest look-ahead counts.
        spans = [step_span(net.timeline, rate, number) for rate in set(song.rates)]
        start, end = max(spans)
        steps.append(Step(start, min(end, song.seconds), probabilities))
    return steps, song.seconds


def classify_songs(
    net: Network, sources: Sequence[str | os.PathLike[str]]
) -> Iterator[tuple[list[Step], float] | SongNetError]:
    """Classify many songs, with one thread per core.

    Decoding, log-mels and the network release Python's lock, so threads keep all cores busy.

    Parameters
    ----------
    net : Network
        The network.
    sources
        Sound files.

    Yields
    ------
    (list of Step, float) or SongNetError
        The result or the error of `classify_song` for each song, in order.
    """

    def answer(source: str | os.PathLike[str]) -> tuple[list[Step], float] | SongNetError:
        try:
            return classify_song(net, source)
        except SongNetError as error:
            return error

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield from pool.map(answer, sources)
    finally:
        pool.shutdown(cancel_futures=True)


class SongStream:
    """Turns a song that comes in pieces into steps, each as soon as it is complete.

    Parameters
    ----------
    net : Network
        A trained SongNet or musicnn.
    rate : int, optional
        The pieces' samples per second; the network's own by default.
    channels : int
        The pieces' channels, which are mixed down with equal weight.

    Raises
    ------
    SongNetError
        When the network cannot take a song in pieces, or the rate or the channels are not valid.

    Examples
    --------
    >>> stream = SongStream(net, rate=44_100, channels=2)        # doctest: +SKIP
    >>> for samples in microphone:                                # doctest: +SKIP
    ...     for step in stream.push(samples):
    ...         print(step.start, step.end, step.probabilities)
    >>> stream.finish()                                           # doctest: +SKIP
    """

    def __init__(self, net: Network, rate: int | None = None, channels: int = 1) -> None:
        if not isinstance(net, Network):
            raise SongNetError(f"SongStream needs what load_songnet returns. Got {net!r}")
        self.net = net
        self._frames = FrameStream(net.sound, rate, channels)
        self.rate, self.channels = self._frames.rate, channels
        self._stepper = net.stepper()
        self._steps = 0
        self._next = step_span(net.timeline, self.rate, 0)

    @property
    def seconds(self) -> float:
        """Seconds of the song pushed so far."""
        return self._frames.seconds

    @property
    def first_answer(self) -> float:
        """Seconds of song until the first step; others follow every `Timeline.step_seconds`."""
        return step_span(self.net.timeline, self.rate, 0)[1]

    def push(self, samples: np.ndarray) -> list[Step]:
        """Take a piece of the song.

        Parameters
        ----------
        samples
            Shape (n,) or (n, channels), floating point with full scale ±1, n ≥ 1.

        Returns
        -------
        list of Step
            The steps that this piece completes, in order; often none.

        Raises
        ------
        AudioError
            When the shape or the type is wrong, or a sample is not a number. The stream stays as
            it was.
        """
        if np.size(samples) <= _MOST:
            return self._take(samples)
        # Process a long piece in parts, so that memory does not hold it twice.
        samples = self._frames.check(samples)
        steps = []
        for first in range(0, len(samples), _MOST):
            steps += self._take(samples[first : first + _MOST])
        return steps

    def finish(self) -> list[Step]:
        """End the song and return its last steps, which include zeros after the last sample.

        A song that is too short for a single step has none.
        """
        self._frames.end()
        # After the song's end there are only zeros, so steps end with the song at the latest.
        return [
            Step(step.start, min(step.end, self.seconds), step.probabilities)
            for step in self._answer(math.inf)
        ]

    def _take(self, samples: np.ndarray) -> list[Step]:
        self._frames.feed(samples)
        # Collect samples until a step ends, because resampling and framing many samples at once
        # costs much less than a few at a time. The tolerance for rounding, a billionth of a second,
        # is much less than a sample.
        played = self.seconds + 1e-9
        return self._answer(played) if self._next[1] <= played else []

    def _answer(self, played: float) -> list[Step]:
        """Return the steps that end within this many seconds of the song."""
        timeline = self.net.timeline
        decided = timeline.steps_of_frames(self._frames.decided)
        spans = []
        # The resampler may release the last frame of a later step slightly early.
        while self._steps < decided and self._next[1] <= played:
            spans.append(self._next)
            self._steps += 1
            self._next = step_span(timeline, self.rate, self._steps)
        if not spans:
            return []
        frames = self._frames.take(timeline.step_frames(self._steps - 1)[1] - self._frames.taken)
        answers = self._stepper.push(frames)
        return [Step(*span, answer) for span, answer in zip(spans, answers, strict=True)]
