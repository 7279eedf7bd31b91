"""Whether a network is as sure as it is right: calibration, and how to mend it.

Of all clips that are answered with 80 % confidence, 80 % should be answered right. A network that
was trained until it fits its training clips is usually surer than that.

Conventions: `probabilities` has shape (clips, genres), each row sums to 1; `truth` holds each
clip's genre as the number of its column; the *answer* is the column with the highest probability
and the *confidence* is that probability. Logarithms are natural.

Bins are of **equal width** over the confidence, as in Guo et al., not of equal count: a bin then
means the same before and after temperature scaling and for every network, and bins with few clips
weigh little. What that costs: with few clips each bin's accuracy is noisy, and noise only ever
adds to the calibration error. `calibration_error_by_chance` says how much of it chance alone
would give.

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
from sklearn.metrics import brier_score_loss, log_loss

from songnet_utils._utils.errors import SongNetError

#: Bins over the confidence. Guo et al. use 15 for ten thousand pictures; we have hundreds of clips.
BINS = 10

#: What `never_zero` takes a probability to be at least.
LEAST_PROBABILITY = 1e-7

# How far a row's sum may be from 1: float32 means of softmaxes are within a tenth of it.
_TOLERANCE = 1e-4

# The warmest and the coldest temperature that are tried, as logarithms.
_WARMEST = np.log(100)


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
        One row per bin: ``low``, ``high``, ``clips``, ``confidence`` (their mean) and ``accuracy``;
        both nan in a bin without clips.

    Raises
    ------
    SongNetError
        When a row does not sum to 1, or a label is not the number of a column.
    """
    place, confidence, right = _binned(probabilities, truth, bins)
    clips = pd.DataFrame({"confidence": confidence, "accuracy": right})
    edges = np.linspace(0, 1, bins + 1)
    count = np.bincount(place, minlength=bins)
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "clips": count})
    return table.join(clips.groupby(place).mean())


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
    place, confidence, right = _binned(probabilities, truth, bins)
    return float(np.abs(np.bincount(place, weights=right - confidence)).sum() / len(right))


def calibration_error_by_chance(probabilities: np.ndarray, *, draws: int = 2_000) -> float:
    """Return the calibration error to expect of a network whose confidences are all true.

    With few clips even that one is not 0: of three clips at 80 % never 2.4 are right. An error
    below or near this figure is no evidence of bad calibration.

    Parameters
    ----------
    probabilities
        As in `reliability`.
    draws : int
        How often each clip's answer is right with its confidence for a chance.
    """
    place, confidence, _ = _binned(probabilities, np.argmax(probabilities, axis=1), BINS)
    right = np.random.default_rng(0).random((draws, len(confidence))) < confidence
    errors = np.abs((right - confidence) @ np.eye(BINS)[place]).sum(axis=1)
    return float(errors.mean() / len(confidence))


def negative_log_likelihood(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Return the mean of ``−log p(truth)``, in nats: 0 is perfect (scikit-learn's `log_loss`).

    Raises
    ------
    SongNetError
        As in `reliability`.
    """
    probabilities, truth = _checked(probabilities, truth)
    genres = range(probabilities.shape[1])
    return float(log_loss(truth, probabilities, labels=genres))


def brier_score(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    """Return the mean squared distance from the truth, summed over genres: 0 to 2 (Brier 1950).

    A clip scores ``Σ (p − y)²`` over the genres, y being 1 for its genre and 0 for others.
    """
    probabilities, truth = _checked(probabilities, truth)
    genres = range(probabilities.shape[1])
    return float(brier_score_loss(truth, probabilities, labels=genres, scale_by_half=False))


def never_zero(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities of at least about `LEAST_PROBABILITY`, each row again summing to 1.

    A softmax in float32 rounds what is too small for it to 0, which it never is.
    """
    raised = np.maximum(np.asarray(probabilities, np.float64), LEAST_PROBABILITY)
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
        logarithms = np.log(np.asarray(probabilities, np.float64))
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
        at = apply_temperature(probabilities, float(temperature))
        figures = expected_calibration_error(at, truth), negative_log_likelihood(at, truth)
        rows.append((temperature, *figures))
    return pd.DataFrame(rows, columns=["temperature", "error", "log_loss"])


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
        As in `reliability`; when every clip is answered right (the colder the better, without
        end) or the answers are no better than guesses (the warmer the better).
    """
    probabilities, truth = _checked(probabilities, truth)
    if (probabilities.argmax(axis=1) == truth).all():
        raise SongNetError(
            f"All {len(truth)} clips are answered right: the colder, the better, and no "
            "temperature is best. Fit it on more clips, some of them answered wrong."
        )

    def loss(logarithm: float) -> float:
        heated = apply_temperature(probabilities, np.exp(logarithm))
        return negative_log_likelihood(heated, truth)

    found = scipy.optimize.minimize_scalar(loss, bounds=(-_WARMEST, _WARMEST), method="bounded")
    if found.x > 0.99 * _WARMEST:
        raise SongNetError(
            "The answers for these clips are no better than guesses: the warmer, the better, and "
            "no temperature is best. Train the network longer, or fit it on more clips."
        )
    return float(np.exp(found.x))


def _checked(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays; raise SongNetError unless they are what `reliability` asks for."""
    probabilities, truth = np.asarray(probabilities, np.float64), np.asarray(truth)
    if (
        probabilities.ndim == 2
        and len(probabilities) > 0
        and truth.shape == probabilities.shape[:1]
        and np.isin(truth, np.arange(probabilities.shape[1])).all()
        and probabilities.min() >= 0
        and np.abs(probabilities.sum(axis=1) - 1).max() <= _TOLERANCE
    ):
        return probabilities, truth
    raise SongNetError(
        "Give a row of probabilities for each clip that sums to 1 (what softmax returns, not "
        f"logits), and its genre as the number of a column. Got {probabilities} and {truth}"
    )


def _binned(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each clip's bin and confidence, and whether its answer is right."""
    probabilities, truth = _checked(probabilities, truth)
    # A confidence may exceed 1 by rounding.
    confidence = np.minimum(probabilities.max(axis=1), 1)
    place = np.searchsorted(np.linspace(0, 1, bins + 1), confidence) - 1
    return place, confidence, probabilities.argmax(axis=1) == truth
