"""Checks of lesson 5, what it gets wrong: matrices, steps, neighbours, and tests of luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.stats

from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.error_analysis import Heard, deciding_steps, nearest
from songnet_utils.lessons.checks.questions import Function, Mistake, Number, Question, exercise
from songnet_utils.metrics.accuracy import mcnemar_exact


@exercise
def precision(counts: np.ndarray, genre: str, genres: Sequence[str]) -> Question:
    """Ask what share of the clips that were taken for a genre is of that genre.

    Parameters
    ----------
    counts : np.ndarray, shape (genres, genres)
        The confusion matrix: rows are the truth, columns the answer.
    genre : str
        The genre.
    genres : sequence of str
        The order of rows and columns.
    """
    place = list(genres).index(genre)
    right, answered, support = counts[place, place], counts[:, place].sum(), counts[place].sum()
    if not answered:
        raise SongNetError(f"No clip was taken for {genre}. Choose another genre.")
    return Number(
        truth=right / answered,
        share=True,
        tolerance=0.005,
        mistakes=[
            Mistake(
                right / support,
                f"That is the share of the {genre} clips that were found: along the *row*. Asked "
                f"is how far one may trust the answer “{genre}”: along the column.",
            ),
            Mistake(
                right / counts.sum(),
                "That divides by all test clips. Divide by those that were taken for it.",
            ),
            Mistake(
                1 - right / answered,
                f"That is the share of the others among the clips that were taken for {genre}.",
            ),
            Mistake(right, "So many clips. What share is that of those that were taken for it?"),
        ],
        praise=f"It is called the *precision*: of {answered} clips that were taken for {genre}, "
        f"{right} are. The share along the row, {right / support:.0%}, is the *recall*. A network "
        "that says one genre all the time has a fine recall there, and a poor precision.",
        hint=f"The column of {genre} holds all clips that were taken for it. Which of them are "
        "right?",
    )


@exercise
def lead_without_deciding_steps(heard: Heard, clip: str) -> Question:
    """Ask how far the answer is ahead of its rival in the steps that did not decide: a number.

    Parameters
    ----------
    heard : Heard
        What the network made of the clips.
    clip : str
        A test clip's id.

    Raises
    ------
    SongNetError
        When every step decided, so that nothing is left.
    """
    shares = heard.contributions(clip)
    decided = deciding_steps(shares)
    # Each step's share is its lead, divided by the number of all steps.
    leads = shares * len(shares)
    others = np.delete(leads, decided)
    if not len(others):
        raise SongNetError(f"clip {clip}: every step decided, none is left. Choose another clip.")
    answer, rival = heard.answers.loc[clip, "answer"], heard.rival(clip)
    left = heard.steps_of(clip)[np.delete(np.arange(len(leads)), decided)]
    winner = heard.genres[int(left.mean(axis=0, dtype=np.float64).argmax())]
    return Number(
        truth=float(others.mean()),
        tolerance=0.0005,
        mistakes=[
            Mistake(
                leads.mean(),
                "That is the lead with all steps, as it was printed above. Take those that "
                "decided out first.",
            ),
            Mistake(
                leads[decided].mean() if len(decided) else leads.mean(),
                "That is the lead within the steps that decided. Asked is about the *others*.",
            ),
            Mistake(
                np.delete(shares, decided).sum(),
                "That adds up the shares of the others. A share is a lead divided by the number "
                "of *all* steps; the mean of the others divides by how many others there are.",
            ),
            Mistake(
                -others.mean(),
                f"The sign is turned round: asked is p({answer}) − p({rival}), which is negative "
                "where the answer has fallen behind.",
            ),
        ],
        praise=f"Without {len(decided)} of the {len(leads)} steps {answer} is no longer ahead of "
        f"{rival}. Of all genres, the others would say {winner}"
        + (": a third one was waiting." if winner not in (answer, rival) else "."),
        hint=f"Take the rows of the steps that decided out of the genre over time (`np.delete`), "
        f"take the mean of the other rows, and subtract: p({answer}) − p({rival}).",
    )


@exercise
def by_nearest_clip(heard: Heard) -> Question:
    """Ask what share of the test clips has the genre of the nearest training clip.

    Parameters
    ----------
    heard : Heard
        What the network made of the clips.
    """
    found = nearest(heard, k=1).set_index("id").genre
    answers = heard.answers
    own = answers.right.mean()
    by_neighbours = found.loc[answers.index] == answers.genre
    truth = by_neighbours.mean()
    same = ""
    if truth == own and not (by_neighbours == answers.right).all():
        same = ", by chance as many, but not all the same clips"
    return Number(
        truth=truth,
        share=True,
        tolerance=0.0005,
        mistakes=[
            Mistake(
                own,
                "That is the share that the network's own answers get right. Ask the nearest "
                "training clip instead.",
            ),
            Mistake(
                (found.loc[answers.index] == answers.answer).mean(),
                "So often the nearest clip agrees with the network's *answer*. How often is it "
                "right, compared with the clip's own genre?",
            ),
            Mistake(
                1 - truth,
                "That is the share that it gets wrong.",
            ),
        ],
        praise=f"The network itself: {own:.1%}{same}. A nearest neighbour needs no last layer: "
        "what the network knows of genres is in its embedding.",
        hint="`mistakes.nearest(heard, k=1)` has a row for each test clip, in which `genre` is "
        "the neighbour's. Compare it with `heard.answers.genre`, clip by clip (mind the index).",
    )


def _exact(mended: int, broken: int) -> float:
    before = np.repeat([False, True], [mended, broken])
    return mcnemar_exact(before, ~before)


@exercise
def mcnemar() -> Question:
    """Ask for the p of McNemar's exact test: a function of the clips mended and broken."""

    def chi_squared(mended: int, broken: int) -> float:
        return float(scipy.stats.chi2.sf((mended - broken) ** 2 / (mended + broken), 1))

    def one_sided(mended: int, broken: int) -> float:
        of = mended + broken
        return float(scipy.stats.binom.sf(max(mended, broken) - 1, of, 0.5))

    one_direction = (
        "That asks how often luck divides them so unevenly *in this direction*. Before one looked, "
        "either model might have been the better one: both directions count."
    )

    return Function(
        inputs=[(8, 2), (2, 8), (12, 5), (0, 6), (7, 7)],
        truth=_exact,
        tolerance=1e-4,
        mistakes=[
            Mistake(one_sided, one_direction),
            Mistake(
                lambda mended, broken: float(
                    scipy.stats.binom.sf(mended - 1, mended + broken, 0.5)
                ),
                one_direction,
            ),
            Mistake(
                lambda mended, broken: float(scipy.stats.binom.cdf(mended, mended + broken, 0.5)),
                one_direction,
            ),
            Mistake(
                lambda mended, broken: 2 * one_sided(mended, broken),
                "Nearly: where both are equally many, the two directions overlap, and your p is "
                "above 1.",
            ),
            Mistake(
                chi_squared,
                "That is the approximation by chi-squared. With so few clips it is too sure of "
                "itself; the exact test counts coins (`scipy.stats.binomtest`).",
            ),
            Mistake(
                lambda mended, broken: float(scipy.stats.binom.pmf(mended, mended + broken, 0.5)),
                "That is how often luck divides them *exactly* so. A p-value counts everything "
                "that is at least as uneven.",
            ),
        ],
        praise="Clips that both get right, or both wrong, do not enter: they say nothing about the "
        "difference.",
        hint="Were both models equally good, each clip that only one of them gets right would be a "
        "fair coin. How often would so many coins fall at least as unevenly? "
        "(`scipy.stats.binomtest`)",
    )


@exercise
def found_by_luck(tried: int, confidence: float) -> Question:
    """Ask how often one of several intervals leaves zero out by luck alone: a share.

    Parameters
    ----------
    tried : int
        How many properties were tried, independent of each other.
    confidence : float
        How often each interval holds the truth.
    """
    outside = 1 - confidence
    return Number(
        # None is outside: the binomial distribution's first term.
        truth=float(scipy.stats.binom.sf(0, tried, outside)),
        share=True,
        tolerance=0.003,
        mistakes=[
            Mistake(outside, "So often a *single* one does. Several were tried."),
            Mistake(
                tried * outside,
                "Nearly. Added up like this, the cases in which two leave it out at once are "
                "counted twice (and for many properties it would be more than always).",
            ),
            Mistake(confidence**tried, "So often *none* does."),
            Mistake(outside**tried, "So often *all* of them do at once. Asked is: at least one."),
        ],
        praise="That is why the intervals above are made wider. Who looks for a cause in many "
        "places finds one.",
        hint="How often does none of them leave it out? They are independent.",
    )
