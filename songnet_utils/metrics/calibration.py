"""Calibration: whether a network's confidence matches its accuracy, and temperature scaling.

Of all answers with 80 % confidence, 80 % should be right. A network that was trained until it fits
its training clips is usually more confident than that.

Conventions: `probabilities` has shape (clips, genres), and each row sums to 1; `truth` has each
clip's genre as the number of its column; the *answer* is the column with the highest probability,
and the *confidence* is that probability. Logarithms are natural.

Bins have **equal width** over the confidence, as in Guo et al., not equal counts. So a bin means
the same before and after temperature scaling and for every network, and bins with few clips have
little weight. The price: with few clips, each bin's accuracy is noisy, and noise can only increase
the calibration error. `calibration_error_by_chance` returns the error that chance alone would give.

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

#: The number of bins. Guo et al. use 15 for ten thousand pictures; we have hundreds of clips.
BINS = 10

#: The smallest probability after `never_zero`.
LEAST_PROBABILITY = 1e-7

# The tolerance for a row's sum; float32 means of softmaxes are within a tenth of it.
_TOLERANCE = 1e-4

# The range of temperatures for the fit, as logarithms.
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
        The number of bins; bin ``m`` has the confidences in ``(m/bins, (m + 1)/bins]``.

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
    """Return the expected calibration error, 0 to 1 (ECE; Guo et al. 2017, eq. 3).

    It is the mean of ``|accuracy − confidence|`` over bins, weighted by their clips.

    Parameters
    ----------
    probabilities, truth, bins
        As in `reliability`.
    """
    place, confidence, right = _binned(probabilities, truth, bins)
    return float(np.abs(np.bincount(place, weights=right - confidence)).sum() / len(right))


def calibration_error_by_chance(probabilities: np.ndarray, *, draws: int = 2_000) -> float:
    """Return the expected calibration error of a perfectly calibrated network.

    With few clips, even this error is not 0, because 2.4 of three clips at 80 % cannot be right.
    An error near or below this number is no evidence of bad calibration.

    Parameters
    ----------
    probabilities
        As in `reliability`.
    draws : int
        The number of simulations, in which each answer is right with its confidence.
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

    A clip's score is ``Σ (p − y)²`` over the genres, with y = 1 for its genre and 0 for others.
    """
    probabilities, truth = _checked(probabilities, truth)
    genres = range(probabilities.shape[1])
    return float(brier_score_loss(truth, probabilities, labels=genres, scale_by_half=False))


def never_zero(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities of at least about `LEAST_PROBABILITY`, with rows that sum to 1.

    A float32 softmax rounds very small probabilities to 0, although they never are 0.
    """
    raised = np.maximum(np.asarray(probabilities, np.float64), LEAST_PROBABILITY)
    return raised / raised.sum(axis=1, keepdims=True)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return ``softmax(log p / T)``: less confident for a temperature T > 1, more for T < 1.

    Guo et al. divide the logits by T. Here, a song's answer is a mean of its steps' softmaxes and
    has no logits. ``log p`` replaces them, which is equivalent for a single softmax. The order of
    the genres, and so the answer, stays the same.

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
    """Return the calibration at each of some temperatures.

    Parameters
    ----------
    probabilities, truth
        As in `fit_temperature`, without probabilities of 0.
    temperatures : sequence of float
        Each positive.

    Returns
    -------
    pandas.DataFrame
        A row per temperature: ``temperature``; ``error``, the expected calibration error, 0 to 1;
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
    """Return the temperature with the smallest negative log-likelihood.

    Fit it on validation clips. On training clips, the network is nearly always right, and a fit on
    test clips has seen the test data.

    Parameters
    ----------
    probabilities : np.ndarray, shape (clips, genres)
        Each row sums to 1; at least two clips.
    truth : (clips,) int
        The column of each clip's genre.

    Raises
    ------
    SongNetError
        As in `reliability`; and when no temperature is best, because every answer is right (colder
        is always better) or the answers are no better than guesses (warmer is always better).
    """
    probabilities, truth = _checked(probabilities, truth)
    if (probabilities.argmax(axis=1) == truth).all():
        raise SongNetError(
            f"All {len(truth)} answers are right, so a lower temperature is always better. Fit it "
            "on more clips, with some wrong answers."
        )

    def loss(logarithm: float) -> float:
        heated = apply_temperature(probabilities, np.exp(logarithm))
        return negative_log_likelihood(heated, truth)

    found = scipy.optimize.minimize_scalar(loss, bounds=(-_WARMEST, _WARMEST), method="bounded")
    if found.x > 0.99 * _WARMEST:
        raise SongNetError(
            "The answers for these clips are no better than guesses, so a higher temperature is "
            "always better. Train the network longer, or fit the temperature on more clips."
        )
    return float(np.exp(found.x))


def _checked(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays; raise SongNetError unless they are valid for `reliability`."""
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
        "Give a row of probabilities for each clip that sums to 1 (from softmax, not logits), "
        f"and its genre as the number of a column. Got {probabilities} and {truth}"
    )


def _binned(
    probabilities: np.ndarray, truth: Sequence[int] | np.ndarray, bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each clip's bin and confidence, and whether its answer is right."""
    probabilities, truth = _checked(probabilities, truth)
    # Rounding may raise a confidence above 1.
    confidence = np.minimum(probabilities.max(axis=1), 1)
    place = np.searchsorted(np.linspace(0, 1, bins + 1), confidence) - 1
    return place, confidence, probabilities.argmax(axis=1) == truth
