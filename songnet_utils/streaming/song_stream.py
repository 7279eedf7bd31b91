"""A song classified as it plays: samples in, in pieces of any size, steps out as soon as decided.

`SongStream` carries the state of every stage (resampler, frames, the network's layers), so each
sample is looked at once and memory does not grow with the song. Its steps are those that
``net.genre_over_time`` gives for the whole song, to float32 rounding; and because nothing looks
ahead but the resampler, by a bounded amount that `Step.end` includes, what the song does
after a step's `end` cannot change it.

Latency is computed, not measured. The last frame that step ``k`` sees is centred on sample
``hop·(stride·k + size − 1)`` of the network's rate, and its window reaches half of n_fft further:
there the step ends (`Timeline.step_samples`). If the song comes at another rate, the resampler's
look-ahead (`songnet_utils.audio.look_ahead`) is added. So the first answer stands after
`SongStream.first_answer` seconds of song, and another one every `Timeline.step_seconds`, which
is ``stride·hop`` samples. What computing adds to that, a fraction of a millisecond a step, is
printed by ``make bench``.

Times are seconds from the song's first sample, at whatever rate it comes.
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

# Samples to take at once: the frames of more than these take more memory than they save time.
_MOST = 2**18


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
        it is decided once this much has played.
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
    # Half-open: what comes from sample `stop` on at the network's own rate changes nothing.
    last = (stop - 1) / own + look_ahead(rate, own) / rate if rate != own else stop / own
    return start / own, last


def classify_song(net: Network, source: str | os.PathLike[str] | bytes) -> tuple[list[Step], float]:
    """Return the whole-song answer with its times, and the seconds the song lasts.

    This is what ``songnet classify`` prints. The song is decoded once and answered whole, which
    is quicker than streaming when nobody is waiting for the first step.

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
        # Of a file with several sample rates, the resampler that looks furthest ahead counts.
        spans = [step_span(net.timeline, rate, number) for rate in set(song.rates)]
        start, end = max(spans)
        steps.append(Step(start, min(end, song.seconds), probabilities))
    return steps, song.seconds


def classify_songs(
    net: Network, sources: Sequence[str | os.PathLike[str]]
) -> Iterator[tuple[list[Step], float] | SongNetError]:
    """Classify many songs, as many at a time as there are cores.

    Decoding, log-mels and the network's sums leave Python to itself: threads keep all cores busy.

    Parameters
    ----------
    net : Network
        What answers.
    sources
        Sound files.

    Yields
    ------
    (list of Step, float) or SongNetError
        What `classify_song` returns or raises for each song, in order.
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
    """Turns a song that comes in pieces into steps, each as soon as it is decided.

    Parameters
    ----------
    net : Network
        What answers: a trained SongNet or musicnn.
    rate : int, optional
        Samples per second of what will be pushed; the network's own by default.
    channels : int
        Channels of what will be pushed; they are mixed down with equal weight.

    Raises
    ------
    SongNetError
        When the network cannot take a song in pieces, or the rate or the channels are no numbers
        of samples and channels.

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
        """Seconds of song before the first step; others follow every `Timeline.step_seconds`."""
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
            Those that this piece decides, in order; often none.

        Raises
        ------
        AudioError
            When the shape or the type is wrong or a sample is not a number; the stream is then
            as it was before.
        """
        if np.size(samples) <= _MOST:
            return self._take(samples)
        # A whole song at once: its parts one by one, so that it is not there twice.
        samples = self._frames.check(samples)
        steps = []
        for first in range(0, len(samples), _MOST):
            steps += self._take(samples[first : first + _MOST])
        return steps

    def finish(self) -> list[Step]:
        """End the song: return the steps that see its last samples and the zeros after them.

        A song too short for a single step has none.
        """
        self._frames.end()
        # What lies after the song's end are zeros: only the song itself can change a step.
        return [
            Step(step.start, min(step.end, self.seconds), step.probabilities)
            for step in self._answer(math.inf)
        ]

    def _take(self, samples: np.ndarray) -> list[Step]:
        self._frames.feed(samples)
        # Samples are put by until a step ends. The work on many at once (resampling, the frames of
        # a step) costs much less than on few at a time. Quotients round: a billionth of a second is
        # much less than a sample.
        played = self.seconds + 1e-9
        return self._answer(played) if self._next[1] <= played else []

    def _answer(self, played: float) -> list[Step]:
        """Return the steps that end within so many seconds of the song."""
        timeline = self.net.timeline
        decided = timeline.steps_of_frames(self._frames.decided)
        spans = []
        # Of a later one, the resampler may have let out the last frame a little early.
        while self._steps < decided and self._next[1] <= played:
            spans.append(self._next)
            self._steps += 1
            self._next = step_span(timeline, self.rate, self._steps)
        if not spans:
            return []
        frames = self._frames.take(timeline.step_frames(self._steps - 1)[1] - self._frames.taken)
        answers = self._stepper.push(frames)
        return [Step(*span, answer) for span, answer in zip(spans, answers, strict=True)]
