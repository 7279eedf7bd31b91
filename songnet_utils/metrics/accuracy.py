"""How good answers are, and how sure one can be of it.

Conventions: `truth` and `predicted` are labels of the same kind, one a clip; `correct` is boolean,
one a clip; an accuracy is a share, 0 to 1; an interval is ``(low, high)`` and holds 95 % unless
told otherwise. A difference is *a − b*: positive where a is better.

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
import scipy.special
import scipy.stats

from songnet_utils._utils.errors import SongNetError

Interval = tuple[float, float]

#: From how many artists on `artist_interval` covers what it says; see `few_artists`.
FEWEST_ARTISTS = 6


def accuracy(truth: Sequence | np.ndarray, predicted: Sequence | np.ndarray) -> float:
    """Return the share of clips answered correctly, 0 to 1.

    Raises
    ------
    SongNetError
        When there are no clips, or not one answer for each.
    """
    truth, predicted = _pair(truth, predicted, "truth", "predicted")
    return float(np.mean(truth == predicted))


def confusion(
    truth: Sequence | np.ndarray, predicted: Sequence | np.ndarray, genres: Sequence[str]
) -> np.ndarray:
    """Count the clips of each genre that were given each genre.

    Parameters
    ----------
    truth, predicted
        Genre names, one a clip.
    genres
        The order of rows and columns.

    Returns
    -------
    np.ndarray, shape (genres, genres), int
        Rows are the truth, columns the answers.

    Raises
    ------
    SongNetError
        When a clip's genre or answer is not among `genres`.
    """
    truth, predicted = _pair(truth, predicted, "truth", "predicted")
    place = {genre: index for index, genre in enumerate(genres)}
    strangers = sorted({*map(str, truth), *map(str, predicted)} - set(place))
    if strangers:
        raise SongNetError(f"Every genre must be one of {list(genres)}. Got also {strangers}")
    table = np.zeros((len(place), len(place)), dtype=int)
    for row, column in zip(truth, predicted, strict=True):
        table[place[row], place[column]] += 1
    return table


def genre_scores(
    truth: Sequence | np.ndarray,
    predicted: Sequence | np.ndarray,
    genres: Sequence[str],
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return precision, recall and F1 of each genre, with Wilson's intervals.

    These take clips as independent. A genre's clips are by few artists, so that they are rather
    too narrow: look at them before believing in an order of genres, and at `artist_interval` for
    how good the answers are as a whole.

    Parameters
    ----------
    truth, predicted, genres
        As in `confusion`.
    confidence : float
        How often such intervals hold the true share, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        The index is `genres`. ``support`` (clips of the genre), ``answered`` (clips that were
        given it), ``right`` (both); ``precision``, the share of the answered that are right,
        ``recall``, the share of the support that is right, each with ``_low`` and ``_high``; and
        ``f1``, their harmonic mean ``2·right / (support + answered)``. nan where nothing was
        answered (precision), true (recall), or either (f1).

    Raises
    ------
    SongNetError
        As in `confusion`.
    """
    table = confusion(truth, predicted, genres)
    rows = []
    for place in range(len(genres)):
        right, support = int(table[place, place]), int(table[place].sum())
        answered = int(table[:, place].sum())
        row: dict[str, float] = {"support": support, "answered": answered, "right": right}
        for name, of in (("precision", answered), ("recall", support)):
            low, high = wilson_interval(right, of, confidence) if of else (np.nan, np.nan)
            row |= {name: right / of if of else np.nan, f"{name}_low": low, f"{name}_high": high}
        row["f1"] = 2 * right / (support + answered) if support + answered else np.nan
        rows.append(row)
    return pd.DataFrame(rows, index=pd.Index(genres, name="genre"))


def macro_average(scores: pd.DataFrame) -> dict[str, float]:
    """Return the mean over genres of ``precision``, ``recall`` and ``f1`` of `genre_scores`.

    Every genre weighs the same, however many clips it has. A genre for which a score is not
    defined does not count in that score's mean: a network that never answers a genre loses recall
    and F1 by it, not precision.
    """
    return {name: float(scores[name].mean()) for name in ("precision", "recall", "f1")}


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
    return _wilson(correct / clips, _quantile(confidence) ** 2 / clips)


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
    correct, artists = _pair(correct, artists, "correct", "artists")
    whose, names = pd.factorize(artists, use_na_sentinel=False)
    return _share_interval(*_totals(whose, correct, len(names)), confidence)


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

    For other clips, the intervals of the two accuracies are combined with the correlation that
    artists tested by both give them (square-and-add; Newcombe).

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
    the paired-sample design", Statistics in Medicine 17. Newcombe (1998), "Improved confidence
    intervals for the difference between binomial proportions based on paired data", Statistics
    in Medicine 17.
    """
    correct_a, artists_a = _pair(correct_a, artists_a, "correct_a", "artists_a")
    if artists_b is None:
        correct_a, correct_b = _pair(correct_a, correct_b, "correct_a", "correct_b")
        whose, names = pd.factorize(artists_a, use_na_sentinel=False)
        gain = correct_a.astype(int) - correct_b
        return _gain_interval(gain, *_totals(whose, gain, len(names)), confidence)
    correct_b, artists_b = _pair(correct_b, artists_b, "correct_b", "artists_b")
    whose, names = pd.factorize(
        np.concatenate([artists_a.astype(object), artists_b.astype(object)]),
        use_na_sentinel=False,
    )
    a, b = (
        _totals(places, correct, len(names))
        for places, correct in zip(
            np.split(whose, [len(artists_a)]), (correct_a, correct_b), strict=True
        )
    )
    return _square_and_add(a, b, confidence)


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
    values_a, artists_a = _pair(values_a, artists_a, "values_a", "artists_a")
    values_b, artists_b = _pair(values_b, artists_b, "values_b", "artists_b")
    everyone = np.union1d(artists_a.astype(str), artists_b.astype(str))
    difference = float(np.mean(values_a) - np.mean(values_b))
    moved = np.zeros(len(everyone))
    for sign, values, artists in ((1, values_a, artists_a), (-1, values_b, artists_b)):
        place = np.searchsorted(everyone, artists.astype(str))
        clips = np.bincount(place, minlength=len(everyone))
        if clips.max() == len(values):
            return -np.inf, np.inf
        apart = np.bincount(place, weights=values - np.mean(values), minlength=len(everyone))
        moved += sign * apart / (len(values) - clips)
    freedom = len(everyone) - 1
    error = np.sqrt(freedom / len(everyone) * np.sum((moved - moved.mean()) ** 2))
    half = float(_quantile(confidence, freedom) * error)
    return difference - half, difference + half


def mcnemar_exact(correct_a: Sequence | np.ndarray, correct_b: Sequence | np.ndarray) -> float:
    """Return the two-sided p-value of McNemar's exact test that a and b are equally good.

    Only clips that exactly one of the two got right count; were they equally good, each such clip
    would be a fair coin. It takes clips as independent.

    References
    ----------
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions
    or percentages", Psychometrika 12.
    """
    correct_a, correct_b = _pair(correct_a, correct_b, "correct_a", "correct_b")
    only_a = int(np.sum(correct_a.astype(bool) & ~correct_b.astype(bool)))
    only_b = int(np.sum(~correct_a.astype(bool) & correct_b.astype(bool)))
    if not only_a + only_b:
        return 1.0
    return float(scipy.stats.binomtest(only_a, only_a + only_b, 0.5).pvalue)


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
    try:
        printed = Fraction(figure)
        digits = len(figure.partition(".")[2])
    except ValueError as error:
        raise SongNetError(f"figure must be a decimal such as '.6523'. Got {figure!r}") from error
    if clips < 1 or not 0 <= printed <= 1:
        raise SongNetError(f"figure must be from 0 to 1, clips ≥ 1. Got {figure} of {clips}")
    nearest = round(printed * clips)
    return nearest if abs(Fraction(nearest, clips) - printed) * 2 * 10**digits <= 1 else None


def selective_accuracy(
    correct: Sequence | np.ndarray,
    confidence: Sequence | np.ndarray,
    thresholds: Sequence[float] | np.ndarray,
) -> pd.DataFrame:
    """Return how good the answers are that are given with at least so much confidence.

    To answer only when sure is *selective classification*: what is gained in accuracy is paid for
    in *coverage*, the share of clips that are answered at all.

    Parameters
    ----------
    correct : (clips,) bool
        Would the clip be answered correctly?
    confidence : (clips,) float
        How sure the answer is, 0 to 1.
    thresholds : sequence of float
        The least confidence with which an answer is given, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        A row a threshold: ``threshold``; ``answered`` and ``right`` (clips); ``coverage``, the
        share of all clips that are answered; ``accuracy``, the share of the answered that are
        right, nan where none is answered.

    Raises
    ------
    SongNetError
        When there are no clips, not one confidence for each, or a confidence or threshold lies
        outside 0 to 1.

    References
    ----------
    El-Yaniv & Wiener (2010), "On the foundations of noise-free selective classification",
    JMLR 11.
    """
    correct, confidence = _pair(correct, confidence, "correct", "confidence")
    for name, values in (("confidence", confidence), ("threshold", np.asarray(thresholds))):
        # Not a number is not inside, either.
        outside = values[~((values >= 0) & (values <= 1))]
        if len(outside):
            raise SongNetError(f"Each {name} must be from 0 to 1. Got {outside[0]}")
    rows = []
    for threshold in thresholds:
        given = confidence >= threshold
        answered, right = int(given.sum()), int(correct[given].sum())
        rows.append(
            {
                "threshold": float(threshold),
                "answered": answered,
                "right": right,
                "coverage": answered / len(given),
                "accuracy": right / answered if answered else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _pair(
    first: Sequence | np.ndarray, second: Sequence | np.ndarray, first_name: str, second_name: str
) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(first), np.asarray(second)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise SongNetError(
            f"{first_name} and {second_name} must have one entry a clip and at least one clip. "
            f"Got shapes {first.shape} and {second.shape}"
        )
    return first, second


def _totals(whose: np.ndarray, values: np.ndarray, artists: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the values and the number of clips of each artist."""
    sums = np.bincount(whose, weights=values, minlength=artists)
    return sums, np.bincount(whose, minlength=artists).astype(float)


def _share_interval(right: np.ndarray, clips: np.ndarray, confidence: float) -> Interval:
    """Return the interval of an accuracy from each artist's right answers and clips."""
    share = float(right.sum() / clips.sum())
    fewer = min(share, 1 - share)
    spread = _spread(right, clips, share * (1 - share), fewer, confidence)
    return _wilson(share, spread)


def _gain_interval(
    gain: np.ndarray, sums: np.ndarray, clips: np.ndarray, confidence: float
) -> Interval:
    """Return the interval of a paired difference.

    It holds every d with ``(mean − d)² ≤ spread · (changed − d²)``, where at least |d| of the
    clips must have changed.
    """
    mean, changed = float(gain.mean()), float(np.abs(gain).mean())
    spread = _spread(sums, clips, changed - mean * mean, changed, confidence)
    if np.isinf(spread):
        return -1.0, 1.0
    effective = _quantile(confidence) ** 2 / spread
    changed = (changed * effective + 1) / (effective + 1)

    def highest(mean: float) -> float:
        high = mean + np.sqrt(spread * max(changed * (1 + spread) - mean * mean, 0))
        high /= 1 + spread
        if high > changed:
            # The same with |d| for the share of changed clips.
            both = 2 * mean + spread
            root = np.sqrt(max(both * both - 4 * (1 + spread) * mean * mean, 0))
            high = max(high, (both + root) / (2 * (1 + spread)))
        return float(min(max(high, mean), 1.0))

    return -highest(-mean), highest(mean)


def _square_and_add(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], confidence: float
) -> Interval:
    """Return the interval of the difference of two accuracies of different clips."""
    shares, bounds, apart = [], [], []
    for right, clips in (a, b):
        there = clips > 0
        shares.append(float(right.sum() / clips.sum()))
        bounds.append(_share_interval(right[there], clips[there], confidence))
        apart.append(right - shares[-1] * clips)
    both = int(((a[1] > 0) & (b[1] > 0)).sum())
    size = float(np.sqrt((apart[0] ** 2).sum() * (apart[1] ** 2).sum()))
    correlation = float((apart[0] * apart[1]).sum()) / size if size and both > 2 else 0.0
    # What few artists say of the correlation is little.
    correlation *= max(0.0, 1 - 2 / max(both, 1))
    (low_a, high_a), (low_b, high_b) = bounds
    below = shares[0] - low_a, high_b - shares[1]
    above = high_a - shares[0], shares[1] - low_b

    def reach(one: float, other: float) -> float:
        return float(np.sqrt(max(one * one + other * other - 2 * correlation * one * other, 0)))

    difference = shares[0] - shares[1]
    return max(difference - reach(*below), -1.0), min(difference + reach(*above), 1.0)


def _spread(
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


def _wilson(share: float, spread: float) -> Interval:
    """Return Wilson's interval, given the squared quantile over the number of clips."""
    if np.isinf(spread):
        return 0.0, 1.0
    centre = (share + spread / 2) / (1 + spread)
    half = np.sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    # At 0 and 1 the formula gives exactly that bound, up to rounding.
    low = max(0.0, float(centre - half)) if share > 0 else 0.0
    high = min(1.0, float(centre + half)) if share < 1 else 1.0
    return low, high


def draw_clusters(counts: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the sums over as many artists as there are, drawn anew with replacement in each draw.

    Artists with the same counts are alike, so what is drawn is how many there are of each kind:
    the same distribution, and with thousands of artists there are still only dozens of kinds.

    Parameters
    ----------
    counts : (artists, n)
        What is added up.
    draws : int
        How often all artists are drawn.
    seed : int
        The same seed gives the same sums.

    Returns
    -------
    np.ndarray, shape (draws, n)
    """
    kinds, alike = np.unique(counts, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    return generator.multinomial(len(counts), alike / len(counts), size=draws) @ kinds


def quantiles(values: np.ndarray, confidence: float = 0.95) -> Interval:
    """Return the bounds that leave the same share of `values` outside on either side.

    Values that are not a number do not count.
    """
    outside = _outside(confidence)
    low, high = np.nanquantile(values, [outside / 2, 1 - outside / 2])
    return float(low), float(high)


def _quantile(confidence: float, freedom: float = np.inf) -> float:
    """Return the two-sided quantile of Student's distribution, of the normal one without end."""
    inside = 1 - _outside(confidence) / 2
    if np.isinf(freedom):
        return float(scipy.special.ndtri(inside))
    return float(scipy.special.stdtrit(freedom, inside))


def _outside(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise SongNetError(f"confidence must lie between 0 and 1. Got {confidence!r}")
    return 1 - confidence
