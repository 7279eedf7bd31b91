"""Seven statistics of what changes over a clip, as in the FMA data set's ``features.csv``."""

from __future__ import annotations

import numpy as np

#: In the order of FMA's file.
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")


def seven_statistics(values: np.ndarray) -> np.ndarray:
    """Return seven statistics over time.

    Kurtosis is Fisher's (0 for a normal distribution) and, like skewness, not corrected for
    bias; both are 0 for a value that never changes.

    Parameters
    ----------
    values : np.ndarray, shape (values, frames)
        For instance the coefficients of each frame.

    Returns
    -------
    np.ndarray, shape (7, values), float64
        In the order of `STATISTICS`.
    """
    values = values.astype(np.float64)
    mean = values.mean(axis=1)
    centred = values - mean[:, None]
    squares = centred**2
    variance = squares.mean(axis=1)
    # What rounding leaves of a constant is no shape to measure.
    constant = variance <= (1e-6 * np.maximum(1, np.abs(mean))) ** 2
    spread = np.where(constant, 1, variance)
    third = (squares * centred).mean(axis=1) / spread**1.5
    fourth = (squares * squares).mean(axis=1) / spread**2 - 3
    found = {
        "kurtosis": np.where(constant, 0, fourth),
        "max": values.max(axis=1),
        "mean": mean,
        "median": np.median(values, axis=1),
        "min": values.min(axis=1),
        "skew": np.where(constant, 0, third),
        "std": np.sqrt(variance),
    }
    return np.stack([found[name] for name in STATISTICS])


def statistics_names(feature: str, values: int) -> tuple[tuple[str, str, str], ...]:
    """Return (feature, statistic, number) of each value of `seven_statistics`, row by row."""
    return tuple(
        (feature, statistic, f"{number:02d}")
        for statistic in STATISTICS
        for number in range(1, values + 1)
    )
