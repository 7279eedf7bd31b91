"""Checks of lesson 5, what it gets wrong: matrices, steps, neighbours, and tests of chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom, chi2

from songnet_utils.evaluation.error_analysis import ErrorAnalysis, nearest
from songnet_utils.lessons.checks.questions import Function, Number, Question, exercise
from songnet_utils.metrics.intervals import mcnemar_exact


@exercise
def precision(counts: np.ndarray, genre: str, genres: Sequence[str]) -> Question:
    """Ask what share of the clips that were taken for a genre is of that genre.

    Parameters
    ----------
    counts : np.ndarray, shape (genres, genres)
        The confusion matrix: rows are the truth, columns the prediction.
    genre : str
        A genre for which at least one clip was taken.
    genres : sequence of str
        The order of rows and columns.
    """
    place = list(genres).index(genre)
    correct, predicted, clips = counts[place, place], counts[:, place].sum(), counts[place].sum()
    return Number(
        correct / predicted,
        wrong=dict(
            recall=correct / clips,
            of_all=correct / counts.sum(),
            others=1 - correct / predicted,
            clips=correct,
        ),
        share=True,
        tolerance=0.005,
        facts=dict(genre=genre, predicted=predicted, correct=correct, recall=correct / clips),
    )


@exercise
def lead_without_deciding_steps() -> Question:
    """Ask how far the answer is ahead in the steps that did not decide: a function."""
    steps = np.array([[0.1, 0.2, 0.7], [0.3, 0.5, 0.2], [0.2, 0.1, 0.7], [0.6, 0.2, 0.2]])

    def lead(steps: np.ndarray, answer: int, rival: int, *_: object) -> float:
        return float((steps[:, answer] - steps[:, rival]).mean())

    def others(steps: np.ndarray, answer: int, rival: int, decided: np.ndarray) -> float:
        return lead(np.delete(steps, decided, axis=0), answer, rival)

    return Function(
        others,
        wrong=dict(
            all_steps=lead,
            deciding_steps=lambda s, answer, rival, decided: lead(s[decided], answer, rival),
            sum_of_shares=lambda s, *at: others(s, *at) * (1 - len(at[-1]) / len(s)),
            sign=lambda *at: -others(*at),
        ),
        inputs=[(steps, 2, 0, np.array([0])), (steps, 2, 1, np.array([0, 2]))],
    )


@exercise
def by_nearest_clip(analysis: ErrorAnalysis) -> Question:
    """Ask what share of the test clips has the genre of the nearest training clip.

    Parameters
    ----------
    analysis : ErrorAnalysis
        The network's predictions for the clips.
    """
    answers = analysis.answers
    found = nearest(analysis, k=1).set_index("id").genre.loc[answers.index]
    truth, own = (found == answers.genre).mean(), answers.right.mean()
    return Number(
        truth,
        wrong=dict(own=own, agreement=(found == answers.answer).mean(), errors=1 - truth),
        share=True,
        tolerance=0.0005,
        facts=dict(own=own),
    )


@exercise
def mcnemar() -> Question:
    """Ask for the p-value of McNemar's exact test: a function of the clips mended and broken."""

    def exact(mended: int, broken: int) -> float:
        before = np.repeat([False, True], [mended, broken])
        return mcnemar_exact(before, ~before)

    def larger(mended: int, broken: int) -> float:
        return float(binom.sf(max(mended, broken) - 1, mended + broken, 0.5))

    return Function(
        exact,
        wrong=dict(
            larger=larger,
            mended=lambda mended, broken: binom.sf(mended - 1, mended + broken, 0.5),
            broken=lambda mended, broken: binom.cdf(mended, mended + broken, 0.5),
            doubled=lambda mended, broken: 2 * larger(mended, broken),
            chi_squared=lambda mended, broken: chi2.sf(
                (mended - broken) ** 2 / (mended + broken), 1
            ),
            exactly_so=lambda mended, broken: binom.pmf(mended, mended + broken, 0.5),
        ),
        inputs=[(8, 2), (2, 8), (12, 5), (0, 6), (7, 7)],
        tolerance=1e-4,
    )


@exercise
def found_by_chance(tried: int, confidence: float) -> Question:
    """Ask how often at least one of several intervals excludes zero by chance alone: a share.

    Parameters
    ----------
    tried : int
        How many independent properties were tried.
    confidence : float
        How often each interval contains the truth.
    """
    outside = 1 - confidence
    return Number(
        1 - confidence**tried,
        wrong=dict(
            single=outside, added_up=tried * outside, none=confidence**tried, all=outside**tried
        ),
        share=True,
        tolerance=0.003,
    )
