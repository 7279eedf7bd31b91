"""Checks of lesson 7, the live song: changes, first answers, what is kept, joins, the future."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from songnet_utils.audio import log_mel, resample
from songnet_utils.kernels import Kernels
from songnet_utils.lessons.checks.questions import (
    Choice,
    Function,
    Mistake,
    Number,
    Question,
    exercise,
)
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.song_stream import SongStream

# What hears a song: samples in, (steps, genres) out.
_Hear = Callable[[np.ndarray], np.ndarray]


@exercise
def largest_change(whole: np.ndarray, net: SongNet) -> Question:
    """Ask when the belief has changed most from one step to the next: seconds of the song.

    Parameters
    ----------
    whole : np.ndarray, shape (steps, genres)
        The genre over time of a song, two steps at least.
    net : SongNet
        The network that says so.
    """
    change = np.diff(whole, axis=0)
    moves = np.abs(change).sum(axis=1)
    row = int(moves.argmax())
    rises, falls = int(change[row].argmax()), int(change[row].argmin())

    def end(step: int) -> float:
        return net.timeline.step_span(step)[1]

    return Number(
        truth=end(row + 1),
        tolerance=0.02,
        mistakes=[
            Mistake(
                end(row),
                "That is the end of the step *before* the change. Row k of the differences lies "
                "between the steps k and k + 1, and nothing has changed until the later one is "
                "there.",
            ),
            Mistake(
                net.timeline.step_span(row + 1)[0],
                "There the right step *begins* to listen. When can its answer be shown?",
            ),
            Mistake(
                row + 1,
                "That is the number of the right step. At which second does it end?",
            ),
            Mistake(
                row,
                "That is the number of a row of the differences. Which step does it lead to, and "
                "when does that one end?",
            ),
            Mistake(
                (row + 1) * net.timeline.step_seconds,
                "That counts as if the first answer stood there when the song begins. It has to "
                "listen first: `net.timeline.step_span` knows.",
            ),
            Mistake(
                end(int(np.abs(change).max(axis=1).argmax()) + 1),
                "There a *single* genre moves most. Add up how far all of them move.",
            ),
            Mistake(
                end(int(change.sum(axis=1).argmax()) + 1),
                "What one genre wins the others lose: added up with their signs, the differences "
                "come to nothing but rounding. How far does each of them move, whichever way?",
            ),
        ],
        praise=f"{net.genres[rises]} wins {change[row, rises]:.2f} there, {net.genres[falls]} "
        f"loses {-change[row, falls]:.2f}. Go there in the live song at the end of this lesson: "
        "what happens in the music, in the seconds that end there?",
        hint="`np.abs(np.diff(whole, axis=0))` has a row for each pair of neighbouring steps. Add "
        "each row up, take the largest, and ask for the end of the step that it leads to.",
    )


@exercise
def first_answer(net: SongNet) -> Question:
    """Ask when the first answer would come without the last pooling: seconds of the song.

    Parameters
    ----------
    net : SongNet
        A SongNet, with all its poolings.
    """
    last = Kernels(net).layers[-1]
    sound = net.sound
    _, stop = last.samples_of(0)
    truth, now = sound.seconds_of_samples(stop), net.timeline.step_span(0)[1]
    return Number(
        truth=truth,
        tolerance=0.005,
        mistakes=[
            Mistake(now, "That is with the pooling. Without it a step sees fewer frames."),
            Mistake(now - truth, "It would come that much *earlier*. When is that?"),
            Mistake(
                last.seconds,
                "That is how long the step lasts. But the first step begins before the song does: "
                "the left half of its first window lies there.",
            ),
            Mistake(
                sound.seconds_of_frame(last.size - 1),
                "At that moment the last frame that it sees is *centred*. The frame is complete "
                "only when the right half of its window has come, too.",
            ),
            Mistake(
                now / 2,
                "A pooling halves how *often* answers come. How much of the song does it add to "
                "what one answer sees?",
            ),
            Mistake(
                last.size, "Those are the frames that the step sees. When is the last one there?"
            ),
            Mistake(stop, "Those are samples. How many seconds are they?"),
        ],
        praise=f"Only {now - truth:.2f} s earlier; and then an answer every {1 / last.rate:.2f} s "
        f"instead of every {net.timeline.step_seconds:.2f} s, which is twice the work. Nearly all "
        "of the waiting is for the convolutions.",
        hint="`receptive_field` of the blocks without their last layer says how many frames a "
        "step sees. Which is the last of them, counted from zero, and where does its window end "
        "(`net.sound.frame_samples`)?",
    )


def _both(output: tuple[np.ndarray, np.ndarray], *_: object) -> np.ndarray:
    """Lay the outputs and what is kept end to end, with how many there are of each."""
    outputs, kept = (np.asarray(one, np.float64).reshape(-1) for one in output)
    return np.concatenate([[len(outputs), len(kept)], outputs, kept])


def _dots(inputs: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the dot product of the kernel with each stretch of inputs that is as wide as it."""
    count = max(0, len(inputs) - len(kernel) + 1)
    return np.array([inputs[place : place + len(kernel)] @ kernel for place in range(count)])


@exercise
def push() -> Question:
    """Ask for a convolution that hears in pieces: a function of what was kept, piece and kernel."""
    random = np.random.default_rng(0)
    three, five = np.array([1.0, -2.0, 0.5]), random.normal(size=5)

    def trial(kept: int, piece: int, kernel: np.ndarray) -> tuple[np.ndarray, ...]:
        return random.normal(size=kept), random.normal(size=piece), kernel

    def joined(kept: np.ndarray, piece: np.ndarray) -> np.ndarray:
        return np.concatenate([kept, piece])

    def tail(inputs: np.ndarray, most: int) -> np.ndarray:
        return inputs[max(0, len(inputs) - most) :]

    def right(kept: np.ndarray, piece: np.ndarray, kernel: np.ndarray) -> tuple[np.ndarray, ...]:
        inputs = joined(kept, piece)
        return _dots(inputs, kernel), tail(inputs, len(kernel) - 1)

    return Function(
        inputs=[
            *(trial(0, 8, three), trial(2, 5, three), trial(2, 1, three), trial(0, 1, three)),
            *(trial(4, 2, five), trial(4, 9, five), trial(3, 3, five)),
        ],
        view=_both,
        truth=right,
        mistakes=[
            Mistake(
                lambda kept, piece, kernel: (_dots(piece, kernel), tail(piece, len(kernel) - 1)),
                "That treats each piece as if nothing had come before it, and leaves out all that "
                "stretches over the edge of two pieces. Put what was kept before the piece.",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    _dots(joined(kept, piece), kernel),
                    tail(piece, len(kernel) - 1),
                ),
                "The outputs are right. But what is kept is the end of the *piece*, and a piece "
                "may be shorter than the kernel, down to one sample. Then some of what was kept "
                "before is still needed.",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    _dots(joined(kept, piece), kernel),
                    tail(joined(kept, piece), len(kernel)),
                ),
                "One input too many is kept: with it alone the kernel fits once more, and the last "
                "output would come twice.",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    _dots(joined(kept, piece), kernel),
                    joined(kept, piece),
                ),
                "All inputs are kept there. The same outputs would come again and again, and "
                "memory would grow with the song.",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    _dots(joined(kept, piece), kernel[::-1]),
                    right(kept, piece, kernel)[1],
                ),
                "What is kept is right. But `np.convolve` turns the kernel round; networks do not, "
                "and neither does `np.correlate`.",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    np.correlate(joined(kept, piece), kernel, "valid"),
                    right(kept, piece, kernel)[1],
                ),
                "Nearly. Where there are fewer inputs than the kernel is wide there is no output "
                "yet. (`np.correlate` then changes the two round, and returns something.)",
            ),
            Mistake(
                lambda kept, piece, kernel: (
                    np.correlate(joined(kept, piece), kernel, "same"),
                    right(kept, piece, kernel)[1],
                ),
                "That puts zeros around each piece, which makes music up. Only stretches that are "
                "complete have an output.",
            ),
        ],
        praise="It was tried with pieces down to one sample. Every convolution and every pooling "
        "of `SongStream` does this, each with the outputs of the layer below.",
        hint="Put what was kept before the piece. The outputs are those of all stretches in it "
        "that are as wide as the kernel; what is kept are the inputs at the end that the next "
        "output will need again: fewer than the kernel is wide.",
    )


@exercise
def joins(tone: np.ndarray, original: int, rate: int) -> Question:
    """Ask where a tone that was resampled in tenths of a second differs: a choice.

    Parameters
    ----------
    tone : np.ndarray, shape (samples,), float32
        The tone, a whole number of tenths of a second.
    original, rate : int
        Samples a second before and after.
    """
    whole = resample(tone, original, rate)
    pieces = [
        resample(piece, original, rate)
        for piece in np.split(tone, round(10 * len(tone) / original))
    ]
    off = np.abs(np.concatenate(pieces) - whole)
    differs = np.flatnonzero(off > 0.01)
    edges = np.cumsum([len(piece) for piece in pieces[:-1]])
    # From the middle between two samples: the last one of a piece is as near as the first.
    away = np.abs(differs[:, None] - (edges - 0.5)).min(axis=1)
    options = ("nowhere", "near the joins", "everywhere")
    if not len(differs):
        truth = options[0]
    else:
        truth = options[1] if away.max() < len(pieces[0]) / 4 else options[2]
    return Choice(
        options=options,
        truth=truth,
        mistakes=[
            Mistake(
                "nowhere",
                "As many samples come out, and most of them are the same. But to compute a sample "
                "at a new rate, the resampler needs its neighbours on both sides. Which has none?",
            ),
            Mistake(
                "everywhere",
                "The resampler needs some neighbours of each sample, and no more: in the middle "
                "of a piece all of them are there.",
            ),
        ],
        praise=f"{len(differs) / len(whole):.1%} of the samples are off by more than 0.01, none of "
        f"them more than {np.ceil(away.max(initial=0)):.0f} samples from a join, by up to "
        f"{off.max():.2f} where the tone's peak is {np.abs(tone).max():.2f}. Each join is a click, "
        "ten a second. `SongStream` keeps the resampler's state from piece to piece.",
        hint="Resample the tone whole, and its pieces one by one; join the pieces, and look where "
        "the two are more than 0.01 apart.",
    )


def _windowed(reach: int, memory: bool = False) -> _Hear:
    """Return what hears how loud each hundred samples are, and `reach` samples from after them."""

    def hear(audio: np.ndarray) -> np.ndarray:
        power = np.asarray(audio, np.float64) ** 2
        loud = np.array(
            [
                power[(0 if memory else end - 100) : end + reach].mean()
                for end in range(100, len(audio) + 1, 100)
            ]
        )
        return np.stack([1 / (1 + loud), loud / (1 + loud)], axis=1)

    return hear


def _scaled(how: Callable[[float], float]) -> _Hear:
    """Return what hears how loud a song is, scaled by its loudest moment in some way."""
    plain = _windowed(0)

    def hear(audio: np.ndarray) -> np.ndarray:
        return plain(audio) * how(float(np.abs(audio).max()))

    return hear


def _test(
    loudness: float = 1.0, same: Callable[..., bool] = np.array_equal
) -> Callable[[_Hear, np.ndarray, np.ndarray, int], bool]:
    """Return a causality test: so loud is what comes after the moment, and so answers compare."""

    def test(hear: _Hear, audio: np.ndarray, ends: np.ndarray, moment: int) -> bool:
        other = audio.copy()
        other[moment:] = np.random.default_rng(0).normal(0, loudness, len(other) - moment)
        before = ends <= moment
        return not same(hear(audio)[before], hear(other)[before])

    return test


@exercise
def peeks(net: SongNet, audio: np.ndarray) -> Question:
    """Ask for the causality test: a function that says whether something peeks into the future.

    Parameters
    ----------
    net : SongNet
        It is tried, too: as it hears live, and with frames relative to the loudest moment.
    audio : np.ndarray, shape (samples,), float32
        A song at the network's rate.
    """
    toy = np.random.default_rng(1).uniform(-0.1, 0.1, 4_000).astype(np.float32)
    toy[150] = 0.2  # Its loudest moment comes early.
    toy_ends = np.arange(100, 4_001, 100)
    song = audio[: 12 * net.sound.sample_rate]
    steps = range(net.timeline.steps_of_samples(len(song)))
    song_ends = np.array([net.timeline.step_samples(step)[1] for step in steps])
    half = len(song) // 2

    def live(audio: np.ndarray) -> np.ndarray:
        stream = SongStream(net)
        return np.stack([s.probabilities for s in [*stream.push(audio), *stream.finish()]])

    def relative(audio: np.ndarray) -> np.ndarray:
        frames = log_mel(audio, net.sound)
        return net.genre_of_frames(frames - frames.max())

    loud = song.copy()
    loud[half:] = np.random.default_rng(0).normal(0, 1, len(song) - half)
    changed = np.any(relative(song) != relative(loud), axis=1)
    caught = net.sound.seconds_of_samples(int(song_ends[changed.argmax()]))
    right = _test()
    lives = right(live, song, song_ends, half)
    return Function(
        inputs=[
            # Two that are causal, three that peek: at all of the song, at all of it but hardly,
            # and just past their end.
            *(
                (hear, toy, toy_ends, 2_050)
                for hear in (
                    _windowed(0),
                    _windowed(0, memory=True),
                    _scaled(lambda loudest: 1 / loudest),
                    _scaled(lambda loudest: 1 + 1e-12 * loudest),
                    _windowed(150),
                )
            ),
            (live, song, song_ends, half),
            (relative, song, song_ends, half),
        ],
        view=lambda says, *_: np.squeeze(np.asarray(says, np.float64)),
        truth=right,
        mistakes=[
            Mistake(
                lambda hear, audio, ends, moment: True,
                "By your test every listener peeks, even one that uses nothing but the past. Steps "
                "that end *after* the change may differ, and should: compare those that end by "
                "then. (Or is it the past that you change?)",
            ),
            Mistake(
                lambda hear, audio, ends, moment: False,
                "By your test no listener ever peeks. Is the second song really another one, and "
                "louder? (`other = audio` is a second name of the same samples; `audio.copy()` is "
                "a copy.)",
            ),
            Mistake(
                lambda *case: not right(*case),
                "It is the other way round: True is for what peeks.",
            ),
            Mistake(
                _test(same=np.allclose),
                "One of the listeners peeks only a very little, and your test lets it pass. "
                "Compare bit for bit (`np.array_equal`): the past either depends on the future or "
                "does not.",
            ),
            Mistake(
                _test(loudness=0.0),
                "You put silence where the future was. A listener that looks at the loudest moment "
                "does not notice that if the moment came earlier. Put something loud there.",
            ),
        ],
        praise="It was tried on five small listeners, and on this lesson's network. As a stream, "
        f"the network {'peeks' if lives else 'does not peek'}; on frames relative to the loudest "
        f"moment it {'does' if changed.any() else 'does not'}"
        + (f", and its answer at second {caught:.2f} gives it away." if changed.any() else "."),
        hint="Call `hear` with the song, and with a copy in which everything from `moment` on is "
        "something else, and loud. In both answers, take the rows of the steps with `ends <= "
        "moment`. Does any bit of them differ?",
    )
