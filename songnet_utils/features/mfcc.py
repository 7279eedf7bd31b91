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
from songnet_utils.audio.sound import Sound
from songnet_utils.features.statistics import seven_statistics, statistics_names

COEFFICIENTS = 20

#: (feature, statistic, number) of each of the 140 values, in the order of FMA's ``features.csv``.
FEATURE_NAMES = statistics_names("mfcc", COEFFICIENTS)

# librosa.power_to_db: decibels of max(power, 1e-10), clipped 80 dB below the loudest.
_FLOOR, RANGE = 1e-10, 80.0


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
    return scipy.fft.dct(decibels(audio, rate), axis=1, norm="ortho")[:, :COEFFICIENTS]


def decibels(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the mel spectrogram that the coefficients come from, no more than 80 dB deep.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples a second.

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
        Samples a second.

    Returns
    -------
    np.ndarray, shape (140,), float32
    """
    return seven_statistics(mfcc(audio, rate).T).ravel().astype(np.float32)
