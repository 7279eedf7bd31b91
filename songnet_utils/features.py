"""The 140 MFCC statistics: what a classifier heard before networks learnt their own features.

Twenty mel-frequency cepstral coefficients of each frame, and over the clip's frames seven
statistics of each. The recipe and the names are those of the FMA data set's ``features.csv``
(Defferrard et al. 2017), on which the paper's baselines most likely rest: Hann windows of 2,048
samples every 512, 128 mel bands, power in dB no more than 80 dB below the clip's loudest band,
orthonormal DCT-II. One thing differs: FMA analysed each file at its own rate (mostly 44.1 kHz);
here it is the network's, so that both hear the same band and files of different rates compare.

Unlike the network's frames these statistics look at the whole clip; they cannot be streamed.
"""

from __future__ import annotations

import numpy as np
import scipy.fft

from songnet_utils.audio import log_mel
from songnet_utils.timeline import Sound

COEFFICIENTS = 20
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")

#: (feature, statistic, number) of each of the 140 values, in the order of FMA's ``features.csv``.
FEATURE_NAMES = tuple(
    ("mfcc", statistic, f"{number:02d}")
    for statistic in STATISTICS
    for number in range(1, COEFFICIENTS + 1)
)

# librosa.power_to_db: decibels of max(power, 1e-10), clipped 80 dB below the loudest.
_FLOOR, _RANGE = 1e-10, 80.0


def mfcc(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the mel-frequency cepstral coefficients of mono audio.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples a second.

    Returns
    -------
    np.ndarray, shape (1 + samples // 512, 20), float32
    """
    sound = Sound(sample_rate=rate, n_fft=2048, hop=512, n_mels=128, floor=_FLOOR)
    decibels = log_mel(audio, sound) * np.float32(10 / np.log(10))
    np.maximum(decibels, decibels.max() - np.float32(_RANGE), out=decibels)
    return scipy.fft.dct(decibels, axis=1, norm="ortho")[:, :COEFFICIENTS]


def mfcc_statistics(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 140 MFCC statistics of mono audio, in the order of `FEATURE_NAMES`.

    Kurtosis is Fisher's (0 for a normal distribution) and, like skewness, not corrected for
    bias; both are 0 for a coefficient that never changes.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples a second.

    Returns
    -------
    np.ndarray, shape (140,), float32
    """
    values = mfcc(audio, rate).T.astype(np.float64)
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
    return np.concatenate([found[name] for name in STATISTICS]).astype(np.float32)
