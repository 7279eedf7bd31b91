"""Checks of lesson 6, kernel clips: exact pieces, chance, triggered averages, votes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from songnet_utils.kernels import Kernels, Survey
from songnet_utils.kernels.purity import purity
from songnet_utils.lessons.checks.questions import Choice, Function, Number, Question, exercise
from songnet_utils.metrics.intervals import Interval, difference_interval, wilson_interval
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet

# How many random draws of pieces give the mean purity to about a thousandth.
_DRAWS = 40_000


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

    def samples(frames: int) -> int:
        return (frames - 1) * sound.hop + sound.n_fft

    return Number(
        fourth.samples,
        wrong=dict(
            frames=fourth.size,
            hops=fourth.size * sound.hop,
            no_window=(fourth.size - 1) * sound.hop,
            no_overlap=fourth.size * sound.n_fft,
            seconds=fourth.seconds,
            third=third.samples,
            no_convolution=samples(2 * third.size),
            no_pooling=samples(third.size + 4),
        ),
        tolerance=0.5,
        facts=dict(third=third, fourth=fourth),
    )


@exercise
def purity_by_chance(pieces: int, genres: int) -> Question:
    """Ask for the mean purity of pieces that are drawn at random: a share.

    Parameters
    ----------
    pieces : int
        How many pieces a kernel has.
    genres : int
        How many genres there are, all equally likely.
    """

    def by_chance(pieces: int) -> float:
        drawn = np.random.default_rng(0).integers(0, genres, (_DRAWS, pieces))
        return float(purity(drawn).mean())

    double = by_chance(2 * pieces)
    return Number(
        by_chance(pieces),
        wrong=dict(one_genre=1 / genres, all_differ=1 / pieces, pair=2 / pieces, double=double),
        share=True,
        tolerance=0.006,
        facts=dict(pieces=2 * pieces, double=double),
    )


@exercise
def triggered_average() -> Question:
    """Ask for the triggered average: a function of pieces and activations."""
    random = np.random.default_rng(0)
    pieces = random.normal(2.0, 1.0, (12, 3, 4))
    activations = np.maximum(random.normal(0.2, 1.0, 12), 0)

    def weighted(pieces: np.ndarray, activations: np.ndarray) -> np.ndarray:
        return np.average(pieces, axis=0, weights=activations)

    def less_mean(
        average: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        return lambda pieces, activations: average(pieces, activations) - pieces.mean(axis=0)

    return Function(
        less_mean(weighted),
        wrong=dict(
            mean_left_in=weighted,
            divided_by_number=less_mean(lambda p, a: (p * a[:, None, None]).mean(axis=0)),
            unweighted=less_mean(lambda p, a: p[a > 0].mean(axis=0)),
            single_best=less_mean(lambda p, a: p[a.argmax()]),
            sign=lambda pieces, activations: -less_mean(weighted)(pieces, activations),
        ),
        inputs=[(pieces, activations), (pieces[:5], activations[:5] + 1)],
        tolerance=1e-4,
    )


@exercise
def votes_for(votes: pd.DataFrame, survey: Survey, layer: str, kernel: int) -> Question:
    """Ask which genre a kernel votes for: its name.

    Parameters
    ----------
    votes : pandas.DataFrame
        As `songnet_utils.kernels.votes` returns them.
    survey : Survey
        What a corpus tells us about the kernels.
    layer, kernel
        Which kernel.

    Raises
    ------
    SongNetError
        When the kernel is dead.
    """
    its = votes.loc[(layer, kernel)]
    active = survey.table().loc[(layer, kernel), "genre"]
    pieces = survey.found(layer, kernel).genre.mode()[0]
    return Choice(
        its.idxmax(),
        wrong=dict(lowest=its.idxmin(), active=active, pieces=pieces),
        options=sorted({*votes.columns, active, pieces}),
        facts=dict(vote=its.max(), active=active),
    )


@exercise
def questions_needed(one: float, other: float) -> Question:
    """Ask how many questions a quiz needs to tell two scores apart: a whole number.

    Parameters
    ----------
    one, other : float
        The shares of right answers, the smaller one first.
    """

    def first(shown: Callable[[int], bool]) -> int:
        return next(count for count in range(5, 100_000, 5) if shown(count))

    def differ(count: int, confidence: float = 0.95) -> bool:
        better, worse = (np.arange(count) < round(share * count) for share in (other, one))
        names = np.arange(2 * count).reshape(2, count)
        return difference_interval(better, worse, *names, confidence=confidence)[0] > 0

    def alone(share: float, count: int) -> Interval:
        return wilson_interval(round(share * count), count)

    return Number(
        first(differ),
        wrong=dict(
            no_overlap=first(lambda count: alone(one, count)[1] < alone(other, count)[0]),
            one_interval=first(lambda count: alone(one, count)[1] < other),
            one_standard_error=first(lambda count: differ(count, 0.68)),
            as_above=10,
        ),
        tolerance=2.5,
    )
