"""FMA's 518 features: eleven families, with seven statistics of each over the clip.

The families, their parameters, the statistics and the names are those of the FMA data set's
``features.csv`` (Defferrard et al. 2017); librosa computes them. All use frames of 2,048
samples every 512:

================== ======= ====================================================================
family             values  what it is
================== ======= ====================================================================
chroma_stft        12      power of each pitch class, from the Fourier transform
chroma_cqt         12      magnitude of each pitch class, from the constant-Q transform
chroma_cens        12      the same, quantised and smoothed over 41 frames
tonnetz            6       the smoothed chroma as a point among fifths and thirds
mfcc               20      mel-frequency cepstral coefficients, as in `songnet_utils.features.mfcc`
rmse               1       root of the mean square of the samples
zcr                1       sign changes per sample
spectral_centroid  1       Hz; mean frequency, weighted by magnitude
spectral_bandwidth 1       Hz; spread about the centroid
spectral_contrast  7       dB between peaks and valleys in each of seven octaves
spectral_rolloff   1       Hz; below it lie 85 % of the magnitudes
================== ======= ====================================================================

They differ from the numbers in FMA's own file in two ways:

- FMA analysed each file at its own rate (mostly 44.1 kHz); here it is the network's. FMA's code
  gave librosa no rate for the four spectral families and chroma_stft, so librosa assumed 22,050 Hz.
  For a clip at 44.1 kHz, the file therefore has half the true Hz, and its chroma_stft weights each
  octave as if it were the one below.
- FMA's librosa of 2017 padded clips with their mirror image; today's pads with zeros.

All families share one transform, which also gives the estimate of the tuning.
"""

from __future__ import annotations

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import check_samples
from songnet_utils.features.mfcc import COEFFICIENTS, mfcc, seven_statistics, statistics_names

#: The number of values per frame of each family, in the order of FMA's file.
FAMILIES = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": COEFFICIENTS,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}

#: (feature, statistic, number) of each of the 518 values, in the order of FMA's file.
FMA_NAMES = tuple(
    name for family, values in FAMILIES.items() for name in statistics_names(family, values)
)

_WINDOW, _HOP, _OCTAVES = 2048, 512, 7
# The highest octave of the spectral contrast starts at 6,400 Hz.
_LEAST_RATE = 16_000
# The filters of the lowest octave are one second long.
_LEAST_SECONDS = 1.5


def fma_families(audio: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """Return FMA's eleven families of features, frame by frame.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second, at least 16,000.

    Returns
    -------
    dict of str to np.ndarray, shape (values, 1 + samples // 512)
        In the order of `FAMILIES`.
    """
    import librosa
    from librosa import feature

    audio = check_samples(audio)
    if rate < _LEAST_RATE:
        raise SongNetError(
            f"FMA's features need at least {_LEAST_RATE:,} samples per second. Got {rate:,}. "
            "Resample the sound, or use the MFCC statistics."
        )
    frames = 1 + len(audio) // _HOP
    # Zeros after the end change nothing before it, and make room for the longest filters.
    padded = np.pad(audio, (0, max(0, int(_LEAST_SECONDS * rate) - len(audio))))
    magnitude = np.abs(librosa.stft(padded, n_fft=_WINDOW, hop_length=_HOP))[:, :frames]
    power = magnitude**2
    pitches = librosa.cqt(
        padded, sr=rate, hop_length=_HOP, n_bins=12 * _OCTAVES, tuning=_tuning(magnitude, rate)
    )
    # Add up the octaves here, because the rounding of librosa's products (BLAS) depends on the
    # number of threads.
    octaves = np.abs(pitches)[:, :frames].reshape(_OCTAVES, 12, -1)
    classes = {"C": octaves.sum(axis=0), "bins_per_octave": 12, "n_octaves": 1}
    cens = feature.chroma_cens(**classes)
    filters = librosa.filters.chroma(sr=rate, n_fft=_WINDOW, tuning=_tuning(power, rate))
    centroid = feature.spectral_centroid(S=magnitude, sr=rate)
    return {
        "chroma_cens": cens,
        "chroma_cqt": feature.chroma_cqt(**classes),
        "chroma_stft": librosa.util.normalize(np.einsum("cf,ft->ct", filters, power), axis=0),
        "mfcc": mfcc(audio, rate).T,
        "rmse": feature.rms(S=magnitude, frame_length=_WINDOW),
        "spectral_bandwidth": feature.spectral_bandwidth(S=magnitude, sr=rate, centroid=centroid),
        "spectral_centroid": centroid,
        "spectral_contrast": feature.spectral_contrast(S=magnitude, sr=rate),
        "spectral_rolloff": feature.spectral_rolloff(S=magnitude, sr=rate),
        "tonnetz": feature.tonnetz(chroma=cens),
        "zcr": feature.zero_crossing_rate(audio, frame_length=_WINDOW, hop_length=_HOP),
    }


def fma_statistics(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 518 statistics of mono audio, in the order of `FMA_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second, at least 16,000.

    Returns
    -------
    np.ndarray, shape (518,), float32
    """
    families = fma_families(audio, rate).values()
    values = np.concatenate([seven_statistics(family).ravel() for family in families])
    return values.astype(np.float32)


def _tuning(spectrum: np.ndarray, rate: int) -> float:
    """Return the deviation of a spectrum from 440 Hz, in semitones; 0 if nothing has a pitch."""
    import librosa

    # Call librosa.estimate_tuning in two parts, because it warns if there is no pitch, and warnings
    # can be silenced only for all threads at once.
    pitches, strengths = librosa.piptrack(S=spectrum, sr=rate, n_fft=_WINDOW)
    voiced = pitches > 0
    if not voiced.any():
        return 0.0
    loud = strengths >= np.median(strengths[voiced])
    return float(librosa.pitch_tuning(pitches[loud & voiced], resolution=0.01, bins_per_octave=12))
