"""Whether a network is as sure as it is right: calibration, and how to mend it.

Of all clips that are answered with 80 % confidence, 80 % should be answered right. A network that
was trained until it fits its training clips is usually surer than that.

Conventions: `probabilities` has shape (clips, genres), each row sums to 1; `truth` holds each
clip's genre as the number of its column; the *answer* is the column with the highest probability
and the *confidence* is that probability. Logarithms are natural.

Bins are of **equal width** over the confidence, as in Guo et al., not of equal count: a bin then
means the same before and after temperature scaling, for every network and in every draw of the
bootstrap, and bins with few clips weigh little. What that costs: with few clips each bin's
accuracy is noisy, and noise only ever adds to the calibration error. `calibration_of_luck` says how
much of it luck alone would give.

References
----------
Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks", ICML.
Brier (1950), "Verification of forecasts expressed in terms of probability", Monthly Weather
Review 78.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.optimize
import scipy.special

from songnet_utils._utils.errors import SongNetError
from songnet_utils.metrics.accuracy import Interval, draw_clusters, quantiles

#: Bins over the confidence. Guo et al. use 15 for ten thousand pictures; we have hundreds of clips.
BINS = 10

#: What `never_zero` takes a probability to be at least.
LEAST_PROBABILITY = 1e-7

# How far a row's sum may be from 1: float32 means of softmaxes are within a tenth of it.
_TOLERANCE = 1e-4


def reliability(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray, bins: int = BINS
) -> pd.DataFrame:
    """Return confidence against accuracy in bins of equal width.

    Parameters
    ----------
    probabilities : np.ndarray, shape (clips, genres)
        Each row sums to 1.
    truth : (clips,) int
        The column of each clip's genre.
    bins : int
        How many; bin ``m`` holds the confidences in ``(m/bins, (m + 1)/bins]``.

    Returns
    -------
    pandas.DataFrame
        One row a bin: ``low``, ``high``, ``clips``, ``confidence`` (their mean) and ``accuracy``;
        both nan in a bin without clips.

    Raises
    ------
    SongNetError
        When a row does not sum to 1, or a label is not the number of a column.
    """
    confidence, right = _confidence(*_checked(probabilities, truth))
    edges = _edges(bins)
    place = _bin_of(confidence, edges)
    clips = np.bincount(place, minlength=bins)

    def mean(values: np.ndarray) -> np.ndarray:
        sums = np.bincount(place, weights=values, minlength=bins)
        return np.divide(sums, clips, out=np.full(bins, np.nan), where=clips > 0)

    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "clips": clips,
            "confidence": mean(confidence),
            "accuracy": mean(right.astype(float)),
        }
    )


def expected_calibration_error(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray, bins: int = BINS
) -> float:
    """Return how far confidence and accuracy are apart, 0 to 1 (ECE; Guo et al. 2017, eq. 3).

    The mean over bins, weighted by their clips, of ``|accuracy − confidence|``.

    Parameters
    ----------
    probabilities, truth, bins
        As in `reliability`.
    """
    confidence, right = _confidence(*_checked(probabilities, truth))
    place = _bin_of(confidence, _edges(bins))
    return float(np.abs(np.bincount(place, weights=right - confidence)).sum() / len(right))


def calibration_interval(
    probabilities: np.ndarray,
    truth: Sequence[int] | np.ndarray,
    artists: Sequence[str] | np.ndarray,
    *,
    bins: int = BINS,
    confidence: float = 0.95,
    draws: int = 2_000,
    seed: int = 0,
) -> Interval:
    """Return an interval for the expected calibration error, over artists.

    Whole artists are drawn anew (the cluster bootstrap; Field & Welsh 2007, "Bootstrapping
    clustered data", JRSS B 69): the error is a sum of absolute values over bins, for which there
    is no simple formula as for an accuracy. With few artists it covers the truth less often than
    it says. The errors of the
    draws lie higher than the error itself, because drawing adds noise to each bin; so the
    interval is the basic one (Davison & Hinkley 1997, section 5.2), *2·error − quantiles*, cut off
    at 0 and 1, which takes that shift back instead of adding it once more. Near 0, where every bit
    of noise adds to the error, this is not enough: the interval also begins at 0 whenever noise
    alone (each bin's differences from its own mean, drawn in the same way) often gives an error as
    large.

    Parameters
    ----------
    probabilities, truth, bins
        As in `reliability`.
    artists : (clips,) str
        Whose clip it is; at least two.
    confidence : float
        How often such intervals hold the true error, between 0 and 1.
    draws : int
        How often all artists are drawn anew.
    seed : int
        The same seed gives the same interval.

    Raises
    ------
    SongNetError
        As in `reliability`, and when there is only one artist.
    """
    probabilities, truth = _checked(probabilities, truth)
    sure, right = _confidence(probabilities, truth)
    names = np.asarray(artists).astype(str)
    if names.shape != right.shape:
        raise SongNetError(
            f"artists must name one artist a clip. Got shape {names.shape} for {len(right)} clips"
        )
    everyone, whose = np.unique(names, return_inverse=True)
    if len(everyone) < 2:
        raise SongNetError(
            f"An interval over artists needs at least two artists. Got only {everyone[0]!r}"
        )
    # Of each artist: right answers less confidences in each bin, and clips.
    sums = np.zeros((len(everyone), bins + 1))
    np.add.at(sums, (whose, _bin_of(sure, _edges(bins))), right - sure)
    sums[:, bins] = np.bincount(whose)
    drawn = draw_clusters(sums, draws, seed)
    low, high = quantiles(np.abs(drawn[:, :bins]).sum(axis=1) / drawn[:, bins], confidence)
    error = expected_calibration_error(probabilities, truth, bins)
    noise = drawn[:, :bins] / drawn[:, bins:] - sums[:, :bins].sum(axis=0) / len(right)
    _, by_noise = quantiles(np.abs(noise).sum(axis=1), confidence)
    least = 2 * error - high if error > by_noise else 0.0
    return min(max(least, 0.0), 1.0), min(max(2 * error - low, 0.0), 1.0)


def calibration_of_luck(
    probabilities: np.ndarray, bins: int = BINS, *, draws: int = 2_000, seed: int = 0
) -> float:
    """Return the calibration error to expect of a network whose confidences are all true.

    With few clips even that one is not 0: of three clips at 80 % never 2.4 are right. An error
    below or near this figure is no evidence of bad calibration.

    Parameters
    ----------
    probabilities, bins
        As in `reliability`.
    draws : int
        How often each clip's answer is right with its confidence for a chance.
    seed : int
        The same seed gives the same figure.
    """
    probabilities = _rows(probabilities)
    confidence = probabilities.max(axis=1)
    place = np.eye(bins)[_bin_of(confidence, _edges(bins))]
    random = np.random.default_rng(seed)
    errors = [
        np.abs(((random.random(len(confidence)) < confidence) - confidence) @ place).sum()
        for _ in range(draws)
    ]
    return float(np.mean(errors) / len(confidence))


def negative_log_likelihood(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Return the mean of ``−log p(truth)``, in nats: 0 is perfect.

    Raises
    ------
    SongNetError
        As in `reliability`, and when a clip's genre was given a probability of 0.
    """
    probabilities, truth = _checked(probabilities, truth)
    given = probabilities[np.arange(len(truth)), truth]
    if not given.all():
        raise SongNetError(
            f"clip {int(given.argmin())}: its genre was given a probability of 0, whose logarithm "
            "is infinite. Use never_zero(probabilities) if that is a matter of rounding."
        )
    return float(-np.log(given).mean())


def brier_score(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Return the mean squared distance from the truth, summed over genres: 0 to 2 (Brier 1950).

    A clip scores ``Σ (p − y)²`` over the genres, y being 1 for its genre and 0 for others.
    """
    probabilities, truth = _checked(probabilities, truth)
    return float(((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1).mean())


def never_zero(probabilities: np.ndarray, least: float = LEAST_PROBABILITY) -> np.ndarray:
    """Return probabilities of at least about `least`, each row again summing to 1.

    A softmax in float32 rounds what is too small for it to 0, which it never is.
    """
    raised = np.maximum(_rows(probabilities), least)
    return raised / raised.sum(axis=1, keepdims=True)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return ``softmax(log p / T)``: less sure for a temperature T > 1, surer for T < 1.

    Guo et al. divide the logits by T. A song's answer here is a mean of its steps' softmaxes, which
    has no logits; ``log p`` takes their place, which for a single softmax is the same thing. The
    order of the genres, and so the answer, stays what it was.

    Parameters
    ----------
    probabilities : np.ndarray, shape (clips, genres)
        Each row sums to 1.
    temperature : float
        Positive.

    Returns
    -------
    np.ndarray, shape (clips, genres), float64
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise SongNetError(f"A temperature must be a positive number. Got {temperature!r}")
    with np.errstate(divide="ignore"):
        logarithms = np.log(_rows(probabilities))
    return scipy.special.softmax(logarithms / temperature, axis=1)


def over_temperatures(
    probabilities: np.ndarray,
    truth: Sequence[int] | np.ndarray,
    temperatures: Sequence[float] | np.ndarray,
) -> pd.DataFrame:
    """Return what becomes of the calibration as the temperature changes.

    Parameters
    ----------
    probabilities, truth
        As in `fit_temperature`, without probabilities of 0.
    temperatures : sequence of float
        Each positive.

    Returns
    -------
    pandas.DataFrame
        A row a temperature: ``temperature``; ``error``, the expected calibration error, 0 to 1;
        ``log_loss``, the negative log-likelihood in nats.

    Raises
    ------
    SongNetError
        As in `apply_temperature` and `negative_log_likelihood`.
    """
    rows = []
    for temperature in temperatures:
        at = apply_temperature(probabilities, temperature)
        rows.append(
            {
                "temperature": float(temperature),
                "error": expected_calibration_error(at, truth),
                "log_loss": negative_log_likelihood(at, truth),
            }
        )
    return pd.DataFrame(rows)


def fit_temperature(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Return the temperature with the least negative log-likelihood.

    Fit it on validation clips: fitted on training clips it learns that the network is always
    right, and fitted on test clips it has seen what it is tested on.

    Parameters
    ----------
    probabilities : np.ndarray, shape (clips, genres)
        Each row sums to 1; at least two clips.
    truth : (clips,) int
        The column of each clip's genre.

    Raises
    ------
    SongNetError
        As in `reliability`; when there are fewer than two clips or probabilities of 0; when every
        clip is answered right (the colder the better, without end) or the answers are no better
        than guesses (the warmer the better).
    """
    probabilities, truth = _checked(probabilities, truth)
    if len(truth) < 2:
        raise SongNetError("A temperature is fitted on at least two clips. Got 1 clip.")
    if not probabilities.all():
        raise SongNetError(
            "No temperature moves a probability of 0. Use never_zero(probabilities) if that is a "
            "matter of rounding."
        )
    logarithms = np.log(probabilities)
    given = logarithms[np.arange(len(truth)), truth]
    if (given == logarithms.max(axis=1)).all():
        raise SongNetError(
            f"All {len(truth)} clips are answered right: the colder, the better, and no "
            "temperature is best. Fit it on more clips, some of them answered wrong."
        )

    def slope(coldness: float) -> float:
        """Return the derivative of the negative log-likelihood by 1/T, which only ever rises."""
        heated = scipy.special.softmax(coldness * logarithms, axis=1)
        return float(((heated * logarithms).sum(axis=1) - given).mean())

    if slope(0.0) >= 0:
        raise SongNetError(
            "The answers for these clips are no better than guesses: the warmer, the better, and "
            "no temperature is best. Train the network longer, or fit it on more clips."
        )
    cold = 1.0
    while slope(cold) <= 0:
        cold *= 2
    return 1 / scipy.optimize.brentq(slope, 0.0, cold, xtol=1e-12, rtol=1e-12)


def _checked(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    probabilities, truth = _rows(probabilities), np.asarray(truth)
    clips, genres = probabilities.shape
    if truth.shape != (clips,) or not np.issubdtype(truth.dtype, np.integer):
        raise SongNetError(
            f"truth must be one whole number a clip, the column of its genre. Got shape "
            f"{truth.shape} of {truth.dtype} for {clips} clips"
        )
    outside = truth[(truth < 0) | (truth >= genres)]
    if len(outside):
        raise SongNetError(
            f"truth must be from 0 to {genres - 1}, the columns of the {genres} genres. "
            f"Got {outside[0]}"
        )
    return probabilities, truth


def _rows(probabilities: np.ndarray) -> np.ndarray:
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 2 or not len(probabilities) or probabilities.shape[1] < 2:
        raise SongNetError(
            "probabilities must have a row a clip, at least one, and a column a genre, at least "
            f"two. Got shape {probabilities.shape}"
        )
    sums = probabilities.sum(axis=1)
    # Written so that a sum that is not a number is wrong, too.
    wrong = ~((np.abs(sums - 1) <= _TOLERANCE) & (probabilities >= 0).all(axis=1))
    if wrong.any():
        first = int(wrong.argmax())
        raise SongNetError(
            f"probabilities must not be negative and each row must sum to 1: give what softmax "
            f"returns, not logits. Row {first} sums to {sums[first]:.6g}, its least is "
            f"{probabilities[first].min():.6g}"
        )
    return probabilities


def _confidence(probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each clip's confidence, and whether its answer is right."""
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == truth


def _edges(bins: int) -> np.ndarray:
    if isinstance(bins, bool) or bins < 1:
        raise SongNetError(f"bins must be a whole number of at least 1. Got {bins!r}")
    return np.linspace(0, 1, bins + 1)


def _bin_of(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    # A confidence may exceed 1 by rounding.
    return np.minimum(np.searchsorted(edges, confidence, side="left"), len(edges) - 1) - 1
