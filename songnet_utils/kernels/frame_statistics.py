"""How the frames of a corpus are distributed: what keeps maximised clips near music."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from songnet_utils.audio.sound import Sound

# The share of frames below and above what counts as a band's range, and how finely it is measured
# (in natural logarithms of power).
_RARE = 0.005
_BIN = 0.05


@dataclass(frozen=True)
class FrameStatistics:
    """How the frames of a corpus are distributed.

    Parameters
    ----------
    mean : np.ndarray, shape (n_mels,)
        Of each band.
    covariance : np.ndarray, shape (n_mels, n_mels)
        Of the bands.
    low, high : np.ndarray, shape (n_mels,)
        The range of each band: one frame in 200 is below, one in 200 above.
    change : float
        The mean square of a band's change from one frame to the next.
    tilt : float
        The mean square of the change from one band to the next, in a frame.
    """

    mean: np.ndarray
    covariance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    change: float
    tilt: float

    def whitening(self) -> tuple[np.ndarray, float]:
        """Return what makes the covariance that of independent bands, for Mahalanobis distances.

        Returns
        -------
        whitening : np.ndarray, shape (n_mels, n_mels)
            ``((frame − mean) @ whitening)²``, summed up, is a frame's squared distance.
        usual : float
            The mean squared distance of the corpus's own frames.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        # No direction counts as narrower than this, or what never varies would be infinitely far.
        variance = np.maximum(values, 1e-3 * values.max())
        return vectors / np.sqrt(variance), float((values / variance).sum())


class FrameCounts:
    """Gathers how frames are distributed, clip by clip, in memory that does not grow."""

    def __init__(self, sound: Sound) -> None:
        bands = sound.n_mels
        self._floor = float(np.log(sound.floor))
        # Up to the power of a full-scale sine in one band, and well above it.
        self._bins = int((np.log(float(sound.n_fft) ** 2) - self._floor) / _BIN) + 1
        self._counts = np.zeros((bands, self._bins), np.int64)
        self._total = np.zeros(bands)
        self._products = np.zeros((bands, bands))
        self._frames = 0
        self._change, self._changes = 0.0, 0
        self._tilt = 0.0

    def add(self, frames: np.ndarray) -> None:
        """Add the frames of a clip, shape (frames, n_mels)."""
        frames = np.asarray(frames, np.float64)
        bands = frames.shape[1]
        place = np.clip(((frames - self._floor) / _BIN).astype(np.int64), 0, self._bins - 1)
        place += self._bins * np.arange(bands)
        self._counts += np.bincount(place.ravel(), minlength=bands * self._bins).reshape(
            bands, self._bins
        )
        self._total += frames.sum(axis=0)
        self._products += frames.T @ frames
        self._frames += len(frames)
        self._change += float((np.diff(frames, axis=0) ** 2).sum())
        self._changes += (len(frames) - 1) * bands
        self._tilt += float((np.diff(frames, axis=1) ** 2).mean(axis=1).sum())

    def result(self) -> FrameStatistics:
        """Return what was gathered."""
        mean = self._total / self._frames
        share = np.cumsum(self._counts, axis=1) / self._frames
        low = self._floor + _BIN * (share <= _RARE).sum(axis=1)
        high = self._floor + _BIN * ((share < 1 - _RARE).sum(axis=1) + 1)
        return FrameStatistics(
            mean=mean,
            covariance=self._products / self._frames - np.outer(mean, mean),
            low=low,
            high=high,
            change=self._change / max(1, self._changes),
            tilt=self._tilt / self._frames,
        )
