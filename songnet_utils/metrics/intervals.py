"""How sure one can be of an accuracy: confidence intervals and McNemar's test.

Conventions: `correct` is boolean, one entry per clip; an accuracy is a share, 0 to 1; an interval
is ``(low, high)`` and holds 95 % unless another confidence is asked for. A difference is *a − b*:
positive where a is better.

Clips by one artist share the voice, the instruments and the studio, so they are not independent
evidence. Accuracies of tested clips and differences between them therefore have one kind of
interval everywhere, over artists: `artist_interval` and `difference_interval`. `wilson_interval`
is for shares of things that are independent, such as the questions of a quiz, or where nothing but
two counts is known, such as a figure in a paper or a genre's precision and recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
import scipy.stats

from songnet_utils._utils.errors import SongNetError

Interval = tuple[float, float]

#: From how many artists on `artist_interval` covers what it says; see `few_artists`.
FEWEST_ARTISTS = 6


def wilson_interval(correct: int, clips: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval for an accuracy of `correct` out of `clips`.

    It stays inside 0 to 1 and makes sense for few clips and for accuracies of 0 and 1, where the
    schoolbook interval collapses. It takes clips as independent: see `artist_interval`.

    Parameters
    ----------
    correct : int
        Clips answered correctly, 0 to `clips`.
    clips : int
        Clips tested, at least 1.
    confidence : float
        How often such intervals hold the true accuracy, between 0 and 1.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22.
    """
    if clips < 1 or not 0 <= correct <= clips:
        raise SongNetError(f"correct must be from 0 to clips, clips ≥ 1. Got {correct} of {clips}")
    interval = scipy.stats.binomtest(correct, clips).proportion_ci(confidence, "wilson")
    return float(interval.low), float(interval.high)


def artist_interval(
    correct: Sequence | np.ndarray,
    artists: Sequence | np.ndarray,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Return an interval for an accuracy that takes artists, not clips, as independent.

    It is Wilson's interval on the effective number of clips, ``n / (1 + excess)``, where the
    excess (the *design effect*) grows with how alike the answers for one artist are and with how
    unequally the clips are spread over artists:

    - The correlation of two answers for one artist is estimated from the artists' totals, without
      bias, in two ways: with all pairs of clips alike, and with each artist's pairs in proportion
      to its clips. The larger estimate counts, and never less than 0.
    - Few errors say little of the correlation: one observation of a correlation of 1 is added,
      weighed against the effective number of errors (or of right answers, if there are fewer).
    - The quantile is Student's, with the geometric mean of *G − 1* and *E − 1* degrees of freedom
      (*G* artists, of whom unequal numbers of clips leave the effective number
      ``E = n² / Σ clips²``), but the interval is never wider than with a correlation of 1 and
      *E − 1* artists.

    Where every clip has an artist of its own this is Wilson's interval for one clip fewer, and so
    it is for a corpus that knows no artist. With one artist it is 0 to 1: nothing is known of
    others.

    Parameters
    ----------
    correct : (clips,) bool
        Was the clip answered correctly? A clip that was tested several times (several seeds)
        appears several times.
    artists : (clips,)
        Whose clip it is; a clip whose artist is not known needs a name of its own.
    confidence : float
        How often such intervals hold the true accuracy, between 0 and 1. In simulations with 6 to
        200 artists, of equal and very unequal numbers of clips, and correlations from 0 to .5, an
        interval of 95 % covers at least 93 % of the time; see `few_artists`.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22. Korn & Graubard (1998), "Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data", Survey Methodology 24.
    """
    correct, artists = _pair(correct, artists)
    share = float(correct.mean())
    rarer = min(share, 1 - share)
    variance = share * (1 - share)
    return _wilson(share, _ratio(*_totals(artists, correct), variance, rarer, confidence))


def few_artists(artists: int | None) -> str:
    """Return a sentence of caution about intervals over so few artists; "" from 6 on.

    Parameters
    ----------
    artists : int or None
        How many were tested; None where the corpus knows none.
    """
    if artists is None or artists >= FEWEST_ARTISTS:
        return ""
    if artists == 1:
        return "Only 1 artist: nothing is known of others, so the interval says nothing."
    return (
        f"Only {artists} artists: so few may not be like others, and the interval may hold the "
        f"truth less often than it says. It needs at least {FEWEST_ARTISTS}."
    )


def difference_interval(
    correct_a: Sequence | np.ndarray,
    correct_b: Sequence | np.ndarray,
    artists_a: Sequence | np.ndarray,
    artists_b: Sequence | np.ndarray | None = None,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Return an interval for ``accuracy(a) − accuracy(b)``, over artists, within −1 to 1.

    For the same clips it is a score interval for a paired difference (after Tango) on the
    effective number of clips of `artist_interval`, with one more clip that only a or only b got
    right: what makes a clip hard for both cancels, and where a and b always agree there is still
    an interval, of about ± 4 / clips for independent clips.

    For other clips, the intervals of the two accuracies are combined as those of independent
    accuracies are (square-and-add; Newcombe), which is on the safe side for artists tested by
    both.

    Parameters
    ----------
    correct_a, correct_b : (clips,) bool
        Was the clip answered correctly?
    artists_a, artists_b : (clips,)
        Whose clips they are. Without `artists_b`, rows of a and b are about the same clips.
    confidence
        As in `artist_interval`.

    References
    ----------
    Tango (1998), "Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design", Statistics in Medicine 17. Newcombe (1998), "Interval
    estimation for the difference between independent proportions", Statistics in Medicine 17.
    """
    if artists_b is not None:
        difference = float(np.mean(correct_a) - np.mean(correct_b))
        below_a, above_a = _arms(correct_a, artists_a, confidence)
        below_b, above_b = _arms(correct_b, artists_b, confidence)
        low, high = difference - np.hypot(below_a, above_b), difference + np.hypot(above_a, below_b)
        return max(float(low), -1.0), min(float(high), 1.0)
    correct_a, correct_b = _pair(correct_a, correct_b)
    gain, artists_a = _pair(correct_a.astype(int) - correct_b, artists_a)
    return _gain_interval(gain, artists_a, confidence)


def mean_difference_interval(
    values_a: Sequence | np.ndarray,
    values_b: Sequence | np.ndarray,
    artists_a: Sequence | np.ndarray,
    artists_b: Sequence | np.ndarray,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Return an interval for ``mean(a) − mean(b)`` of any figures, over artists.

    Student's interval with the jackknife's standard error: each artist is left out in turn, and
    of G artists there are *G − 1* degrees of freedom. It is infinitely wide where one artist has
    all clips of a or of b.

    Parameters
    ----------
    values_a, values_b : (clips,) float
        Such as the loudness of clips answered wrongly and rightly.
    artists_a, artists_b, confidence
        As in `difference_interval`.
    """
    moved = _moves(values_a, artists_a).sub(_moves(values_b, artists_b), fill_value=0)
    if not np.isfinite(moved).all():
        return -np.inf, np.inf
    freedom = len(moved) - 1
    error = np.sqrt(freedom / len(moved) * ((moved - moved.mean()) ** 2).sum())
    difference = float(np.mean(values_a) - np.mean(values_b))
    half = float(_quantile(confidence, freedom) * error)
    return difference - half, difference + half


def _moves(values: Sequence | np.ndarray, artists: Sequence | np.ndarray) -> pd.Series:
    """Return by how much the mean of all values moves without each artist, but for the sign."""
    of = pd.Series(np.asarray(values) - np.mean(values)).groupby(np.asarray(artists, str))
    return of.sum() / (len(values) - of.size())


def mcnemar_exact(correct_a: Sequence | np.ndarray, correct_b: Sequence | np.ndarray) -> float:
    """Return the two-sided p-value of McNemar's exact test that a and b are equally good.

    Only clips that exactly one of the two got right count; were they equally good, each such clip
    would be a fair coin. It takes clips as independent.

    References
    ----------
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions
    or percentages", Psychometrika 12.
    """
    correct_a, correct_b = _pair(correct_a, correct_b)
    different = correct_a != correct_b
    if not different.any():
        return 1.0
    only_a = int((correct_a & different).sum())
    return float(scipy.stats.binomtest(only_a, int(different.sum())).pvalue)


def right_answers(figure: str, clips: int) -> int | None:
    """Return how many right answers out of `clips` a printed accuracy stands for.

    Parameters
    ----------
    figure : str
        The accuracy as it was printed, such as ``".6523"``: its digits say how it was rounded.
    clips : int
        How many clips it may have been measured on, at least 1.

    Returns
    -------
    int or None
        The whole number k for which k / `clips` rounds to `figure` (a tie may go either way);
        the nearest if there are several; None if there is none.
    """
    printed, digits = Fraction(figure), len(figure.partition(".")[2])
    nearest = round(printed * clips)
    return nearest if abs(Fraction(nearest, clips) - printed) * 2 * 10**digits <= 1 else None


def _pair(
    first: Sequence | np.ndarray, second: Sequence | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays; raise SongNetError unless each has an entry for each clip."""
    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise SongNetError(
            "Give one entry for each clip, such as its artist, and at least one clip. "
            f"Got shapes {first.shape} and {second.shape}"
        )
    return first, second


def _totals(artists: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the values and the number of clips of each artist."""
    whose, _ = pd.factorize(artists, use_na_sentinel=False)
    return np.bincount(whose, weights=values), np.bincount(whose).astype(float)


def _arms(
    correct: Sequence | np.ndarray, artists: Sequence | np.ndarray, confidence: float
) -> Interval:
    """Return how far the interval of an accuracy reaches below and above it."""
    share = float(np.mean(correct))
    low, high = artist_interval(correct, artists, confidence=confidence)
    return share - low, high - share


def _gain_interval(gain: np.ndarray, artists: np.ndarray, confidence: float) -> Interval:
    """Return the interval of a paired difference.

    It holds every d with ``(mean − d)² ≤ ratio · (changed − d²)``, where at least |d| of the
    clips must have changed.
    """
    mean, changed = float(gain.mean()), float(np.abs(gain).mean())
    ratio = _ratio(*_totals(artists, gain), changed - mean * mean, changed, confidence)
    if np.isinf(ratio):
        return -1.0, 1.0
    effective = _quantile(confidence) ** 2 / ratio
    changed = (changed * effective + 1) / (effective + 1)

    def highest(mean: float) -> float:
        high = mean + np.sqrt(ratio * max(changed * (1 + ratio) - mean * mean, 0))
        high /= 1 + ratio
        if high > changed:
            # The same with |d| for the share of changed clips.
            both = 2 * mean + ratio
            root = np.sqrt(max(both * both - 4 * (1 + ratio) * mean * mean, 0))
            high = max(high, (both + root) / (2 * (1 + ratio)))
        return float(min(max(high, mean), 1.0))

    return -highest(-mean), highest(mean)


def _ratio(
    sums: np.ndarray,
    clips: np.ndarray,
    variance: float,
    informative: float,
    confidence: float,
) -> float:
    """Return the squared quantile over the effective number of clips; infinite for one artist.

    Parameters
    ----------
    sums, clips : (artists,)
        Of each artist, the sum of what is averaged and its clips.
    variance : float
        Of what is averaged, over clips.
    informative : float
        The share of clips that say something of the correlation, such as errors.
    confidence : float
        Between 0 and 1.
    """
    normal = _quantile(confidence)
    if len(clips) == 1:
        return np.inf
    total, squares = clips.sum(), (clips * clips).sum()
    # Ordered pairs of an artist's clips; how many equal artists would be worth as much.
    pairs, effective = squares - total, total * total / squares
    correlation = 0.0
    if pairs:
        correlation = max(
            _correlation(sums, clips, variance, np.ones_like(clips)),
            _correlation(sums, clips, variance, (clips > 1) / clips),
        )
    seen = informative * total * total / (total + correlation * pairs)
    correlation = (1 + seen * correlation) / (1 + seen)
    freedom = np.sqrt((len(clips) - 1) * (effective - 1))
    estimated = _quantile(confidence, freedom) ** 2 * (total + correlation * pairs) / total**2
    return float(min(estimated, normal**2 / (effective - 1)))


def _correlation(
    sums: np.ndarray, clips: np.ndarray, variance: float, weights: np.ndarray
) -> float:
    """Return the correlation of two clips of one artist, 0 to 1, by the method of moments.

    With correlation c, ``Σ weights · (sums − mean · clips)²`` is expected to be
    ``σ² · (alone + c · together)``, and `variance` to be ``σ² · (1 − 1/n − c · Σ pairs / n²)``,
    from which σ² is eliminated.
    """
    if variance <= 0:
        return 1.0
    total, pairs = clips.sum(), clips * (clips - 1)
    part = clips / total
    found = (weights * (sums - sums.sum() / total * clips) ** 2).sum()
    alone = (weights * (clips * (1 - 2 * part) + part * part * total)).sum()
    together = (weights * (pairs * (1 - 2 * part) + part * part * pairs.sum())).sum()
    above = found * (1 - 1 / total) - variance * alone
    below = variance * together + found * pairs.sum() / total**2
    return float(min(max(above / below, 0.0), 1.0))


def _wilson(share: float, ratio: float) -> Interval:
    """Return Wilson's interval, given the squared quantile over the number of clips."""
    if np.isinf(ratio):
        return 0.0, 1.0
    centre = (share + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * share * (1 - share) + ratio * ratio / 4) / (1 + ratio)
    # At 0 and 1 the formula gives exactly that bound, up to rounding.
    low = max(0.0, float(centre - half)) if share > 0 else 0.0
    high = min(1.0, float(centre + half)) if share < 1 else 1.0
    return low, high


def _quantile(confidence: float, freedom: float = np.inf) -> float:
    """Return the two-sided quantile of Student's distribution, of the normal one without end."""
    return float(scipy.stats.t.ppf((1 + confidence) / 2, freedom))
