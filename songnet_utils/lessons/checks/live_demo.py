"""Checks of lesson 7, the live song: changes, first answers, state, joins, the future."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from songnet_utils.audio import log_mel, resample
from songnet_utils.kernels import Kernels
from songnet_utils.lessons.checks.questions import Choice, Function, Number, Question, exercise
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.song_stream import SongStream

# A model that turns a song's samples into probabilities, (steps, genres).
_Classify = Callable[[np.ndarray], np.ndarray]

_Arrays = tuple[np.ndarray, ...]


@exercise
def largest_change(whole: np.ndarray, net: SongNet) -> Question:
    """Ask when the answer changes most, in seconds: a function of the genre over time.

    Parameters
    ----------
    whole : np.ndarray, shape (steps, genres)
        The genre over time of a song, with at least two steps.
    net : SongNet
        The network that it comes from.
    """

    def later(whole: np.ndarray, how: Callable[[np.ndarray], np.ndarray]) -> int:
        """Return the later step of the largest change, where `how` measures a change."""
        return int(how(np.diff(whole, axis=0)).argmax()) + 1

    def end(step: int) -> float:
        return net.timeline.step_span(step)[1]

    def moved(change: np.ndarray) -> np.ndarray:
        return np.abs(change).sum(axis=1)

    step = later(whole, moved)
    change = whole[step] - whole[step - 1]
    rises, falls = int(change.argmax()), int(change.argmin())
    # On one song, a wrong measure may find the same step, but not on all of these. With two or
    # three genres, one always moves as far as all the others together.
    columns = np.ones(max(8, len(net.genres)))
    random = np.random.default_rng(0).dirichlet(columns, (5, 30))
    return Function(
        lambda whole: end(later(whole, moved)),
        wrong=dict(
            step_before=lambda whole: end(later(whole, moved) - 1),
            start=lambda whole: net.timeline.step_span(later(whole, moved))[0],
            step=lambda whole: later(whole, moved),
            no_wait=lambda whole: later(whole, moved) * net.timeline.step_seconds,
            single_genre=lambda whole: end(later(whole, lambda c: np.abs(c).max(axis=1))),
            signed=lambda whole: end(later(whole, lambda c: c.sum(axis=1))),
        ),
        inputs=[(whole,), *((one,) for one in random)],
        tolerance=0.02,
        facts=dict(
            rises=net.genres[rises],
            gain=change[rises],
            falls=net.genres[falls],
            loss=-change[falls],
            at=end(step),
        ),
    )


@exercise
def first_answer(net: SongNet) -> Question:
    """Ask when the first answer would come without the last pooling: seconds of the song.

    Parameters
    ----------
    net : SongNet
        A SongNet, with all its poolings.
    """
    last, sound = Kernels(net).layers[-1], net.sound
    _, stop = last.samples_of(0)
    truth, now = sound.seconds_of_samples(stop), net.timeline.step_span(0)[1]
    return Number(
        truth,
        wrong=dict(
            now=now,
            field=last.seconds,
            centre=sound.seconds_of_frame(last.size - 1),
            half=now / 2,
            samples=stop,
        ),
        tolerance=0.005,
        facts=dict(earlier=now - truth, every=1 / last.rate, now=net.timeline.step_seconds),
    )


def _both(output: tuple[np.ndarray, np.ndarray], *_: object) -> np.ndarray:
    """Return how many outputs and kept inputs there are, then the outputs and the inputs."""
    outputs, kept = (np.asarray(one, np.float64).reshape(-1) for one in output)
    return np.concatenate([[len(outputs), len(kept)], outputs, kept])


def _convolve(inputs: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the dot product of the kernel with each stretch of inputs that is as wide as it."""
    fits = len(inputs) >= len(kernel)
    return np.correlate(inputs, kernel, "valid") if fits else np.array([])


@exercise
def push() -> Question:
    """Ask for a convolution in pieces: a function of the kept inputs, piece and kernel."""
    random = np.random.default_rng(0)
    three, five = np.array([1.0, -2.0, 0.5]), random.normal(size=5)

    def trial(kept: int, piece: int, kernel: np.ndarray) -> _Arrays:
        return random.normal(size=kept), random.normal(size=piece), kernel

    def right(kept: np.ndarray, piece: np.ndarray, kernel: np.ndarray) -> _Arrays:
        inputs = np.concatenate([kept, piece])
        return _convolve(inputs, kernel), inputs[max(0, len(inputs) - len(kernel) + 1) :]

    def keeping(what: Callable[..., np.ndarray]) -> Callable[..., _Arrays]:
        """Return the right outputs, but keep something else."""
        return lambda kept, *rest: (right(kept, *rest)[0], what(np.append(kept, rest[0]), *rest))

    def putting_out(what: Callable[..., np.ndarray]) -> Callable[..., _Arrays]:
        """Keep the right inputs, but return something else."""
        return lambda kept, *rest: (what(np.append(kept, rest[0]), rest[1]), right(kept, *rest)[1])

    return Function(
        right,
        wrong=dict(
            forgetful=lambda kept, piece, kernel: right(kept[:0], piece, kernel),
            end_of_piece=keeping(
                lambda _, piece, kernel: piece[max(0, 1 + len(piece) - len(kernel)) :]
            ),
            one_too_many=keeping(lambda inputs, _, kernel: inputs[-len(kernel) :]),
            everything=keeping(lambda inputs, *_: inputs),
            turned=putting_out(lambda inputs, kernel: _convolve(inputs, kernel[::-1])),
            too_short=putting_out(lambda inputs, kernel: np.correlate(inputs, kernel, "valid")),
            zeros_around=putting_out(lambda inputs, kernel: np.correlate(inputs, kernel, "same")),
        ),
        inputs=[
            *(trial(0, 8, three), trial(2, 5, three), trial(2, 1, three), trial(0, 1, three)),
            *(trial(4, 2, five), trial(4, 9, five), trial(3, 3, five)),
        ],
        view=_both,
    )


@exercise
def joins(tone: np.ndarray, original: int, rate: int) -> Question:
    """Ask where a tone that was resampled in tenths of a second differs: a choice.

    Parameters
    ----------
    tone : np.ndarray, shape (samples,), float32
        The tone, a whole number of tenths of a second.
    original, rate : int
        Samples per second before and after.
    """
    whole = resample(tone, original, rate)
    tenths = np.split(tone, round(10 * len(tone) / original))
    pieces = [resample(piece, original, rate) for piece in tenths]
    off = np.abs(np.concatenate(pieces) - whole)
    share = float((off > 0.01).mean())
    nowhere, near, everywhere = options = ("nowhere", "near the joins", "everywhere")
    return Choice(
        nowhere if share == 0 else near if share < 0.5 else everywhere,
        wrong=dict(nowhere=nowhere, everywhere=everywhere),
        options=options,
        facts=dict(share=share, off=off.max(), peak=np.abs(tone).max()),
    )


def _loudness(after: int = 0, memory: bool = False) -> _Classify:
    """Return a model of loudness in each hundred samples, with `after` more or all before."""

    def classify(audio: np.ndarray) -> np.ndarray:
        power = np.asarray(audio, np.float64) ** 2
        ends = range(100, len(audio) + 1, 100)
        loud = [power[(0 if memory else end - 100) : end + after].mean() for end in ends]
        return np.array([(1 / (1 + one), one / (1 + one)) for one in loud])

    return classify


def _scaled(how: Callable[[float], float]) -> _Classify:
    """Return a model of a song's loudness, scaled by its loudest moment in some way."""
    return lambda audio: _loudness()(audio) * how(float(np.abs(audio).max()))


def _test(loudness: float = 1.0, same: Callable[..., bool] = np.array_equal) -> Callable[..., bool]:
    """Return a causality test with this loudness after the moment and this comparison."""

    def test(hear: _Classify, audio: np.ndarray, ends: np.ndarray, moment: int) -> bool:
        other = audio.copy()
        other[moment:] = np.random.default_rng(0).normal(0, loudness, len(other) - moment)
        before = ends <= moment
        return not same(hear(audio)[before], hear(other)[before])

    return test


@exercise
def peeks(net: SongNet, audio: np.ndarray) -> Question:
    """Ask for the causality test: a function that says whether a model peeks into the future.

    Parameters
    ----------
    net : SongNet
        The test is also tried on it: live, and with frames relative to the loudest moment.
    audio : np.ndarray, shape (samples,), float32
        A song at the network's rate.
    """
    toy = np.random.default_rng(1).uniform(-0.1, 0.1, 4_000).astype(np.float32)
    toy[150] = 0.2  # Its loudest moment comes early.
    toys: list[_Classify] = [
        # Two are causal. Three peek: at the whole song, at the whole song but hardly, and just
        # past the end of each step.
        *(_loudness(), _loudness(memory=True), _scaled(lambda loudest: 1 / loudest)),
        *(_scaled(lambda loudest: 1 + 1e-12 * loudest), _loudness(150)),
    ]
    song = audio[: 12 * net.sound.sample_rate]
    steps = range(net.timeline.steps_of_samples(len(song)))
    ends = np.array([net.timeline.step_samples(step)[1] for step in steps])

    def live(audio: np.ndarray) -> np.ndarray:
        stream = SongStream(net)
        return np.stack([s.probabilities for s in [*stream.push(audio), *stream.finish()]])

    def relative(audio: np.ndarray) -> np.ndarray:
        frames = log_mel(audio, net.sound)
        return net.genre_of_frames(frames - frames.max())

    right = _test()
    on_song: list[tuple[Any, ...]] = [(h, song, ends, len(song) // 2) for h in (live, relative)]
    says = ["peeks" if right(*case) else "does not peek" for case in on_song]
    return Function(
        right,
        wrong=dict(
            always=lambda *case: True,
            never=lambda *case: False,
            turned=lambda *case: not right(*case),
            nearly_equal=_test(same=np.allclose),
            silence=_test(loudness=0.0),
        ),
        inputs=[*((hear, toy, np.arange(100, 4_001, 100), 2_050) for hear in toys), *on_song],
        view=lambda says, *_: np.squeeze(np.asarray(says, np.float64)),
        facts=dict(live=says[0], relative=says[1]),
    )
