"""How good answers are, and how sure one can be of it.

Conventions: `truth` and `predicted` are labels of the same kind, one a clip; `correct` is boolean,
one a clip; an accuracy is a share, 0 to 1; an interval is ``(low, high)`` and holds 95 % unless
told otherwise. A difference is *a − b*: positive where a is better.

Two clips of one artist are no two independent pieces of evidence: they share the voice, the
instruments, the studio. Intervals over artists therefore draw whole artists, not clips (the
cluster bootstrap; Field & Welsh 2007, "Bootstrapping clustered data", JRSS B 69).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
import scipy.stats

from songnet_utils.errors import SongNetError

Interval = tuple[float, float]


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
    z = _normal_quantile(confidence)
    share, spread = correct / clips, z * z / clips
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / clips + spread / (4 * clips))
    # At 0 and 1 the formula gives exactly that bound, up to rounding.
    low = 0.0 if correct == 0 else max(0.0, float(centre - half))
    high = 1.0 if correct == clips else min(1.0, float(centre + half))
    return low, high


def artist_interval(
    correct: Sequence | np.ndarray,
    artists: Sequence | np.ndarray,
    *,
    confidence: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return an interval for an accuracy that takes artists, not clips, as independent.

    Parameters
    ----------
    correct : (clips,) bool
        Was the clip answered correctly? A clip that was tested several times (several seeds)
        appears several times.
    artists : (clips,)
        Whose clip it is; a clip whose artist is not known needs a name of its own.
    confidence : float
        Between 0 and 1.
    draws : int
        How often all artists are drawn anew, with replacement.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    tuple of float
        The percentile interval of the accuracy over the draws.
    """
    correct, artists = _pair(correct, artists, "correct", "artists")
    everyone, place = np.unique(artists.astype(str), return_inverse=True)
    drawn = draw_clusters(_counts(place, correct, len(everyone)), draws, seed)
    return quantiles(drawn[:, 0] / drawn[:, 1], confidence)


def difference_interval(
    correct_a: Sequence | np.ndarray,
    correct_b: Sequence | np.ndarray,
    artists_a: Sequence | np.ndarray,
    artists_b: Sequence | np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Return an interval for ``accuracy(a) − accuracy(b)``, over artists.

    Artists are drawn once for both, so what makes an artist hard for both cancels: where a and b
    answered the same clips this is the paired interval, narrower than that of two accuracies
    apart.

    Parameters
    ----------
    correct_a, correct_b : (clips,) bool
        Was the clip answered correctly?
    artists_a, artists_b : (clips,)
        Whose clips they are. Without `artists_b`, rows of a and b are about the same clips.
    confidence, draws, seed
        As in `artist_interval`.
    """
    correct_a, artists_a = _pair(correct_a, artists_a, "correct_a", "artists_a")
    correct_b, artists_b = _pair(
        correct_b, artists_a if artists_b is None else artists_b, "correct_b", "artists_b"
    )
    everyone, place = np.unique(
        np.concatenate([artists_a.astype(str), artists_b.astype(str)]), return_inverse=True
    )
    counts = [
        _counts(places, correct, len(everyone))
        for places, correct in zip(
            np.split(place, [len(artists_a)]), (correct_a, correct_b), strict=True
        )
    ]
    drawn = draw_clusters(np.hstack(counts), draws, seed)
    # Not a number where none of the clips was drawn.
    with np.errstate(invalid="ignore"):
        differences = drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3]
    return quantiles(differences, confidence)


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


def _counts(place: np.ndarray, correct: np.ndarray, artists: int) -> np.ndarray:
    """Return the right answers and the clips of each artist, (artists, 2)."""
    right = np.bincount(place, weights=correct.astype(float), minlength=artists)
    return np.stack([right, np.bincount(place, minlength=artists)], axis=1)


def draw_clusters(counts: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Return the sums over as many artists as there are, drawn anew with replacement in each draw.

    Artists with the same counts are alike, so what is drawn is how many there are of each kind:
    the same distribution, and with thousands of artists there are still only dozens of kinds.

    Parameters
    ----------
    counts : (artists, n)
        What is added up.
    draws, seed
        As in `artist_interval`.

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


def _normal_quantile(confidence: float) -> float:
    return float(scipy.stats.norm.ppf(1 - _outside(confidence) / 2))


def _outside(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise SongNetError(f"confidence must lie between 0 and 1. Got {confidence!r}")
    return 1 - confidence
