"""The distribution of a corpus's frames, which keeps maximised clips close to music."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from songnet_utils.audio.sound import Sound

# The share of frames below and above a band's range, and the resolution of the range (in natural
# logarithms of power).
_RARE = 0.005
_BIN = 0.05


@dataclass(frozen=True)
class FrameStatistics:
    """The distribution of a corpus's frames.

    Parameters
    ----------
    mean : np.ndarray, shape (n_mels,)
        The mean of each band.
    covariance : np.ndarray, shape (n_mels, n_mels)
        The covariance of the bands.
    low, high : np.ndarray, shape (n_mels,)
        The range of each band: one frame in 200 is below it, and one in 200 above it.
    change : float
        The mean square of a band's change between neighbouring frames.
    tilt : float
        The mean square of the change between neighbouring bands in a frame.
    """

    mean: np.ndarray
    covariance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    change: float
    tilt: float

    def whitening(self) -> tuple[np.ndarray, float]:
        """Return a whitening matrix, for Mahalanobis distances.

        Returns
        -------
        whitening : np.ndarray, shape (n_mels, n_mels)
            The sum of ``((frame − mean) @ whitening)²`` is a frame's squared distance.
        usual : float
            The mean squared distance of the corpus's own frames.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        # Limit the narrowness of directions, because the distance along a constant one is infinite.
        variance = np.maximum(values, 1e-3 * values.max())
        return vectors / np.sqrt(variance), float((values / variance).sum())


class FrameCounts:
    """Collects the distribution of frames, clip by clip, in constant memory."""

    def __init__(self, sound: Sound) -> None:
        bands = sound.n_mels
        self._floor = float(np.log(sound.floor))
        # Go well above the power of a full-scale sine in one band.
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
        """Return the result."""
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
