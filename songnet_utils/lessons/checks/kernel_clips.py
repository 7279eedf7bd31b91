"""Checks of lesson 6, kernel clips: exact pieces, luck, triggered averages, votes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels import Kernels, Survey
from songnet_utils.kernels.purity import purity
from songnet_utils.lessons.checks.questions import (
    Choice,
    Function,
    Mistake,
    Number,
    Question,
    exercise,
)
from songnet_utils.metrics.accuracy import Interval, wilson_interval
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet

# Deals of pieces whose mean purity is taken: the mean is then sure to about a thousandth.
_DEALS = 40_000


@exercise
def samples_of_fourth_layer(net: SongNet) -> Question:
    """Ask how many samples a kernel of a fourth block would see: a whole number.

    Parameters
    ----------
    net : SongNet
        A SongNet with three blocks.
    """
    sound = net.sound
    four = Kernels(SongNet(songnet(sound, list(net.genres), blocks=4), sound, net.genres))
    third, fourth = four.layers[-2:]
    return Number(
        truth=fourth.samples,
        tolerance=0.5,
        mistakes=[
            Mistake(fourth.size, "Those are frames. How many samples are they?"),
            Mistake(
                fourth.size * sound.hop,
                "The frames are right. But n frames are n − 1 hops, and then one whole window.",
            ),
            Mistake(
                (fourth.size - 1) * sound.hop,
                "The frames are right, and the hops between them. The last frame has a window, "
                "too.",
            ),
            Mistake(fourth.size * sound.n_fft, "The frames overlap: they begin a hop apart."),
            Mistake(fourth.seconds, "Those are seconds. How many samples are they?"),
            Mistake(third.samples, "So many sees a kernel of the *third* block."),
            Mistake(
                (2 * third.size - 1) * sound.hop + sound.n_fft,
                "The pooling doubles what the third block sees: that is there. The new "
                "convolution is not.",
            ),
            Mistake(
                (third.size + 4 - 1) * sound.hop + sound.n_fft,
                "A kernel of 5 adds 4 of *its* inputs, and these lie further apart than frames: "
                "there are three poolings below.",
            ),
        ],
        praise=f"{fourth.size} frames, {fourth.seconds:.2f} s; the third block sees "
        f"{third.seconds:.2f} s. Each block more than doubles it.",
        hint="Go down from its 5 inputs: a pooling doubles them, a convolution adds 4, until you "
        "are at the frames. Then frames to samples, as above.",
    )


@exercise
def luck_purity(pieces: int, genres: int) -> Question:
    """Ask for the mean purity of pieces that are dealt out at random: a share.

    Parameters
    ----------
    pieces : int
        How many pieces a kernel has.
    genres : int
        How many genres there are, all equally likely.
    """

    def by_luck(pieces: int) -> float:
        dealt = np.random.default_rng(0).integers(0, genres, (_DEALS, pieces))
        return float(purity(dealt).mean())

    return Number(
        truth=by_luck(pieces),
        share=True,
        tolerance=0.006,
        mistakes=[
            Mistake(
                1 / genres,
                "So likely is *one* genre that was named beforehand. Purity takes the one that "
                "happens to be the most frequent.",
            ),
            Mistake(
                1 / pieces,
                "So it is when all pieces are of different genres. Often two of them are of one.",
            ),
            Mistake(
                2 / pieces,
                "Two of a kind is what happens most often. Take the mean over all deals, those "
                "with one of each kind and with three of a kind as well.",
            ),
            Mistake(
                by_luck(2 * pieces),
                f"That is for {2 * pieces} pieces.",
            ),
        ],
        praise=f"With {2 * pieces} pieces it is {by_luck(2 * pieces):.3f}: the fewer pieces, the "
        "purer they look. So purity is compared only between equally many pieces, and with luck.",
        hint="Deal out so many genres at random, take the share of the most frequent one, and do "
        "it ten thousand times: `np.random.default_rng().integers(...)`.",
    )


@exercise
def triggered_average() -> Question:
    """Ask for the triggered average: a function of pieces and activations."""
    random = np.random.default_rng(0)
    pieces = random.normal(2.0, 1.0, (12, 3, 4))
    activations = np.maximum(random.normal(0.2, 1.0, 12), 0)

    def weighted(pieces: np.ndarray, activations: np.ndarray) -> np.ndarray:
        return np.average(pieces, axis=0, weights=activations)

    return Function(
        inputs=[(pieces, activations), (pieces[:5], activations[:5] + 1)],
        truth=lambda pieces, activations: weighted(pieces, activations) - pieces.mean(axis=0),
        mistakes=[
            Mistake(
                weighted,
                "That is the weighted mean. What is in *all* pieces is still in it: take the mean "
                "of all pieces away.",
            ),
            Mistake(
                lambda pieces, activations: (
                    (pieces * activations[:, None, None]).mean(axis=0) - pieces.mean(axis=0)
                ),
                "The weighted sum is divided by the number of pieces there. Divide it by the sum "
                "of the weights, or all is too small or too large.",
            ),
            Mistake(
                lambda pieces, activations: (
                    pieces[activations > 0].mean(axis=0) - pieces.mean(axis=0)
                ),
                "All pieces that fire count the same there. Weigh each by how much it excites the "
                "kernel.",
            ),
            Mistake(
                lambda pieces, activations: pieces[activations.argmax()] - pieces.mean(axis=0),
                "That is the single best piece. What do all of them have in common?",
            ),
            Mistake(
                lambda pieces, activations: pieces.mean(axis=0) - weighted(pieces, activations),
                "The sign is turned round: positive is what the kernel wants *more* of.",
            ),
        ],
        tolerance=1e-4,
        praise="`survey` gathers the same over all pieces of the corpus, without keeping them.",
        hint="Weigh each piece by its activation, divide by the sum of the weights, and take the "
        "mean of all pieces away: one value for each frame and band is left.",
    )


@exercise
def votes_for(votes: pd.DataFrame, survey: Survey, layer: str, kernel: int) -> Question:
    """Ask which genre a kernel votes for: its name.

    Parameters
    ----------
    votes : pandas.DataFrame
        As `songnet_utils.kernels.votes` returns them.
    survey : Survey
        What a corpus tells of the kernels.
    layer, kernel
        Which kernel.

    Raises
    ------
    SongNetError
        When the kernel is dead.
    """
    its = votes.loc[(layer, kernel)]
    pieces = survey.found(layer, kernel).genre.mode()
    active = survey.table().loc[(layer, kernel), "genre"]
    truth = its.idxmax()
    return Choice(
        options=sorted({*votes.columns, active, *pieces}),
        truth=truth,
        mistakes=[
            Mistake(its.idxmin(), "That is the genre that it speaks *against* most."),
            Mistake(
                active,
                "In that genre it is most active. Whether it speaks for it is another matter: a "
                "kernel that is heard everywhere in a genre may still speak against it.",
            ),
            *(
                Mistake(
                    genre,
                    "Most of its best pieces are of that genre. What it makes of them is in "
                    "`votes`.",
                )
                for genre in pieces
            ),
        ],
        praise=f"By {its.max():+.2f}, beside the mean of all genres. It is most active in "
        f"{active}" + ("." if active == truth else ", which is not the same question."),
        hint="`votes` has a row for each layer and kernel, and a column for each genre. Which "
        "column is the largest in that row?",
    )


@exercise
def questions_needed(one: float, other: float) -> Question:
    """Ask how many questions a quiz needs to tell two scores apart: a whole number.

    Parameters
    ----------
    one, other : float
        The shares of right answers, the smaller one first.

    Raises
    ------
    SongNetError
        When the first one is not the smaller one.
    """
    if not 0 <= one < other <= 1:
        raise SongNetError(f"two shares are needed, the smaller one first. Got {one} and {other}")

    def first(told: Callable[[Interval, Interval], bool], confidence: float = 0.95) -> int:
        for count in itertools.count(5, 5):
            low, high = (
                wilson_interval(round(share * count), count, confidence) for share in (one, other)
            )
            if told(low, high):
                break
        return count

    truth = first(lambda low, high: low[1] < high[0])
    return Number(
        truth=truth,
        tolerance=5.5,
        mistakes=[
            Mistake(
                first(lambda low, high: low[1] < other),
                "Then the interval of one score leaves the other *score* out. But that one has an "
                "interval, too, and the two still overlap.",
            ),
            Mistake(
                first(lambda low, high: low[1] < high[0], 0.68),
                "That is with intervals that hold the truth two times in three. These should hold "
                "it 95 times in a hundred.",
            ),
            Mistake(
                10,
                "So many had the quiz above. How wide are the two intervals there?",
            ),
        ],
        praise="Ten questions tell a good ear from luck only when it is very good. (Two intervals "
        "that do not meet are a strict test: an interval of the difference needs somewhat fewer.)",
        hint="For larger and larger numbers of questions: the `wilson_interval` of both scores. "
        "When do they no longer overlap? (In steps of five both scores are whole numbers.)",
    )
