"""Checks of lesson 3, the baselines: scaling, digits, differences, and what a name is worth."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from songnet_utils.corpora.splits import artists, folds
from songnet_utils.lessons.checks.questions import Function, Number, Question, exercise
from songnet_utils.metrics.intervals import right_answers, wilson_interval


@exercise
def share_of_distance(features: pd.DataFrame, number: str) -> Question:
    """Ask what share of a squared distance between clips is due to one coefficient.

    Parameters
    ----------
    features : pandas.DataFrame
        The statistics, unscaled, one row per clip.
    number : str
        The coefficient's number, such as ``"01"``, as in the last level of the columns.
    """
    variance, size = features.var(), features.abs().mean()
    deviation = np.sqrt(variance)
    its = variance.index.get_level_values(-1) == number
    return Number(
        variance[its].sum() / variance.sum(),
        wrong=dict(
            share_of_columns=its.mean(),
            deviations=deviation[its].sum() / deviation.sum(),
            one_column=variance[its].max() / variance.sum(),
            sizes=size[its].sum() / size.sum(),
        ),
        share=True,
        tolerance=0.005,
        facts=dict(its=its.sum(), columns=len(its)),
    )


@exercise
def scaled() -> Question:
    """Ask to scale test clips as training clips are scaled: a function of two tables."""
    random = np.random.default_rng(0)
    deviation, mean = np.array([100.0, 1.0, 0.1]), np.array([-200.0, 0.0, 3.0])
    train = mean + deviation * random.normal(size=(300, 3))
    test = mean + deviation * (0.8 + 0.6 * random.normal(size=(40, 3)))
    both = np.concatenate([train, test])
    return Function(
        lambda train, test: StandardScaler().fit(train).transform(test),
        wrong=dict(
            by_test=lambda train, test: StandardScaler().fit(test).transform(test),
            by_both=lambda train, test: StandardScaler().fit(both).transform(test),
            training_clips=lambda train, test: StandardScaler().fit_transform(train),
            only_mean=lambda train, test: test - train.mean(axis=0),
            whole_table=lambda train, test: (test - train.mean()) / train.std(),
        ),
        inputs=[(train, test)],
        tolerance=0.02,
    )


@exercise
def smallest_size(figure: str) -> Question:
    """Ask for the smallest number of clips that fits a printed accuracy: a whole number.

    Parameters
    ----------
    figure : str
        An accuracy as it was printed, such as ``".6523"``.
    """
    truth = next(size for size in itertools.count(1) if right_answers(figure, size) is not None)
    exact, correct = Fraction(figure), right_answers(figure, truth)
    return Number(
        truth,
        wrong=dict(
            digits=10 ** len(figure.partition(".")[2]),
            exact_fraction=exact.denominator,
            correct=correct,
        ),
        tolerance=0.1,
        facts=dict(truth=truth, exact=exact, correct=correct),
    )


@exercise
def difference_of(figure: str, size: int, other: str, other_size: int) -> Question:
    """Ask for the 95 % interval of a difference of accuracies: two shares, the lower one first.

    Parameters
    ----------
    figure, other : str
        Two accuracies on different clips, as they were printed.
    size, other_size : int
        How many clips each was measured on.
    """

    def with_interval(figure: str, size: int) -> tuple[float, float, float]:
        correct = right_answers(figure, size) or round(float(figure) * size)
        return (correct / size, *wilson_interval(correct, size))

    a, a_low, a_high = with_interval(figure, size)
    b, b_low, b_high = with_interval(other, other_size)
    arms = np.hypot(a - a_low, b_high - b), np.hypot(a_high - a, b - b_low)
    low, high = a - b - arms[0], a - b + arms[1]
    return Number(
        (low, high),
        wrong=dict(
            turned=(high, low),
            extremes=(a_low - b_high, a_high - b_low),
            ends=(a_low - b_low, a_high - b_high),
            first=(a_low, a_high),
        ),
        share=True,
        tolerance=0.002,
        facts=dict(
            points=100 * (a - b),
            decided="excludes" if low > 0 or high < 0 else "contains",
        ),
    )


@exercise
def by_name_on_artists(clips: pd.DataFrame, k: int) -> Question:
    """Ask for the artist-split accuracy of a classifier that knows artists' names: a share.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    k : int
        How many folds.
    """

    def accuracy(kind: str) -> float:
        part, artist = folds(clips, kind, k, seed=0), artists(clips)
        correct = 0
        for fold in range(k):
            tested = part == fold
            genre = clips[~tested].groupby(artist).genre.agg(lambda of: of.mode()[0])
            correct += int((artist[tested].map(genre) == clips.genre[tested]).sum())
        return correct / len(clips)

    on_random = accuracy("random")
    return Number(
        accuracy("artist"),
        wrong=dict(guessing=1 / clips.genre.nunique(), random_split=on_random, half=0.5),
        share=True,
        tolerance=0.005,
        facts=dict(random=on_random),
    )
