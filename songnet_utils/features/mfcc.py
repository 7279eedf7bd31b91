"""The 140 MFCC statistics: the input of classifiers before networks learnt their own features.

Each frame has twenty mel-frequency cepstral coefficients, and each coefficient has seven statistics
over the clip's frames. The recipe and the names are those of the FMA data set's ``features.csv``
(Defferrard et al. 2017), which the paper's baselines most likely use: Hann windows of 2,048
samples every 512, 128 mel bands, power in dB no more than 80 dB below the clip's loudest band,
orthonormal DCT-II. One thing differs: FMA analysed each file at its own rate (mostly 44.1 kHz);
here it is the network's, so that files with different rates are comparable.

Mandel & Ellis also use the distribution of the MFCCs (Michael Mandel and Daniel Ellis, "Song-Level
Features and Support Vector Machines for Music Classification", ISMIR 2005): a song is one point,
the mean and the covariance of its MFCCs, with each pair once.

Unlike the network's frames, these statistics describe the whole clip, so they cannot be streamed.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound

COEFFICIENTS = 20
_PAIRS = np.triu_indices(COEFFICIENTS)

#: In the order of FMA's file.
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")


def seven_statistics(values: np.ndarray) -> np.ndarray:
    """Return seven statistics over time.

    Kurtosis is Fisher's (0 for a normal distribution). It and skewness are not corrected for
    bias; both are 0 for a constant value.

    Parameters
    ----------
    values : np.ndarray, shape (values, frames)
        For instance, the coefficients of each frame.

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
    # The rounding errors of a constant have no meaningful shape.
    constant = variance <= (1e-6 * np.maximum(1, np.abs(mean))) ** 2
    power = np.where(constant, 1, variance)
    third = (squares * centred).mean(axis=1) / power**1.5
    fourth = (squares * squares).mean(axis=1) / power**2 - 3
    kurtosis, skew = np.where(constant, 0, fourth), np.where(constant, 0, third)
    most, least = values.max(axis=1), values.min(axis=1)
    median, deviation = np.median(values, axis=1), np.sqrt(variance)
    return np.stack([kurtosis, most, mean, median, least, skew, deviation])


def statistics_names(feature: str, values: int) -> tuple[tuple[str, str, str], ...]:
    """Return (feature, statistic, number) of each value of `seven_statistics`, row by row."""
    return tuple(
        (feature, statistic, f"{number:02d}")
        for statistic in STATISTICS
        for number in range(1, values + 1)
    )


#: (feature, statistic, number) of each of the 140 values, in the order of FMA's ``features.csv``.
FEATURE_NAMES = statistics_names("mfcc", COEFFICIENTS)

#: (feature, statistic, number) of each of the 230 values: means, then the covariance's upper
#: triangle, row by row.
MANDEL_ELLIS_NAMES = (
    *(("mfcc", "mean", f"{number:02d}") for number in range(1, COEFFICIENTS + 1)),
    *(
        ("mfcc", "covariance", f"{row + 1:02d}-{column + 1:02d}")
        for row, column in zip(*_PAIRS, strict=True)
    ),
)

# librosa.power_to_db: decibels of max(power, 1e-10), clipped 80 dB below the loudest.
_FLOOR, RANGE = 1e-10, 80.0


def mfcc(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the mel-frequency cepstral coefficients of mono audio.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (1 + samples // 512, 20), float32
    """
    return scipy.fft.dct(decibels(audio, rate), axis=1, norm="ortho")[:, :COEFFICIENTS]


def decibels(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the mel spectrogram behind the coefficients, with a range of at most 80 dB.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (1 + samples // 512, 128), float32
        Decibels of power.
    """
    sound = Sound(sample_rate=rate, n_fft=2048, hop=512, n_mels=128, floor=_FLOOR)
    found = log_mel(audio, sound) * np.float32(10 / np.log(10))
    return np.maximum(found, found.max() - np.float32(RANGE))


def mfcc_statistics(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 140 MFCC statistics of mono audio, in the order of `FEATURE_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (140,), float32
    """
    return seven_statistics(mfcc(audio, rate).T).ravel().astype(np.float32)


def mandel_ellis_features(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return mean and covariance of the MFCCs of mono audio, in the order of `MANDEL_ELLIS_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

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
    # Sum in a fixed order, unlike a matrix product (BLAS).
    covariance = np.einsum("ti,tj->ij", centred, centred) / len(values)
    return np.concatenate([mean, covariance[_PAIRS]])
