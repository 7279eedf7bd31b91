"""How a song's MFCCs lie: their mean and covariance, after Mandel & Ellis (2005).

Michael Mandel and Daniel Ellis, "Song-Level Features and Support Vector Machines for Music
Classification", ISMIR 2005. A song is one point: the mean of its MFCCs and their covariance, each
pair once. Here they are those of `songnet_utils.features.mfcc`: 20, of which the first is
loudness.
"""

from __future__ import annotations

import numpy as np

from songnet_utils.features.mfcc import COEFFICIENTS, mfcc

_PAIRS = np.triu_indices(COEFFICIENTS)

#: (feature, statistic, number) of each of the 230 values: means, then the covariance's upper
#: triangle, row by row.
MANDEL_ELLIS_NAMES = (
    *(("mfcc", "mean", f"{number:02d}") for number in range(1, COEFFICIENTS + 1)),
    *(
        ("mfcc", "covariance", f"{row + 1:02d}-{column + 1:02d}")
        for row, column in zip(*_PAIRS, strict=True)
    ),
)


def mandel_ellis_features(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return mean and covariance of the MFCCs of mono audio, in the order of `MANDEL_ELLIS_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples a second.

    Returns
    -------
    np.ndarray, shape (230,), float32
    """
    return mean_and_covariance(mfcc(audio, rate)).astype(np.float32)


def mean_and_covariance(values: np.ndarray) -> np.ndarray:
    """Return the mean of 20 values over time, and their covariance (not corrected for bias).

    Parameters
    ----------
    values : np.ndarray, shape (frames, 20)
        MFCCs, or any others.

    Returns
    -------
    np.ndarray, shape (230,), float64
    """
    values = values.astype(np.float64)
    mean = values.mean(axis=0)
    centred = values - mean
    # A sum in one fixed order, which a matrix product (BLAS) is not.
    covariance = np.einsum("ti,tj->ij", centred, centred) / len(values)
    return np.concatenate([mean, covariance[_PAIRS]])
