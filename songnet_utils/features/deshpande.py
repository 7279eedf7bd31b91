"""The texture of the spectrogram as a picture, after Deshpande et al. (2001).

Hrishikesh Deshpande, Unjung Nam and Rohit Singh, "Classification of Music Signals in the Visual
Domain", DAFx 2001, describe spectrograms with the texture features that De Bonet and Viola made
for image retrieval. A picture goes through a bank of filters, and each result is rectified and
halved in size. The results go through the bank again, three times in all, and the mean of each
final picture is a feature. Such features respond to textures of textures: how regularly do short
sounds repeat on a large scale?

Here the picture is the mel spectrogram in grey, from 80 dB below the clip's loudest band (0) to
the loudest band (1), so it does not depend on loudness. Our bank is much smaller than De Bonet
and Viola's: bars along time, along pitch, rising and falling, and a spot, which give 5³ = 125
features.
"""

from __future__ import annotations

import itertools

import numpy as np
import scipy.ndimage

from songnet_utils.features.mfcc import RANGE, decibels

#: The filters by name. In a picture, time runs to the right and pitch upwards.
FILTERS = ("sustained", "onset", "rising", "falling", "spot")
_LEVELS = 3
# The width of the Gaussian, in pixels.
_SIGMA = 0.8

#: (feature, statistic, number) of each of the 125 values; a feature's name lists the filters in
#: their order.
DESHPANDE_NAMES = tuple(
    ("-".join(three), "mean", "01") for three in itertools.product(FILTERS, repeat=3)
)


def deshpande_features(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 125 texture features of mono audio, in the order of `DESHPANDE_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (125,), float32
    """
    levels = decibels(audio, rate).T.astype(np.float64)
    return texture(1 + (levels - levels.max()) / RANGE).astype(np.float32)


def texture(picture: np.ndarray) -> np.ndarray:
    """Return the texture features of a grey picture.

    Parameters
    ----------
    picture : np.ndarray, shape (rows, columns)
        Grey values in any range.

    Returns
    -------
    np.ndarray, shape (125,), float64
        In the order of `DESHPANDE_NAMES`, at least 0.
    """
    # Each dimension is halved three times. A smaller picture is padded with its last values.
    least = 2**_LEVELS
    margins = [(0, max(0, least - size)) for size in picture.shape]
    pictures = np.pad(picture, margins, mode="edge")[None]
    for _ in range(_LEVELS):
        pictures = np.concatenate([_halved(np.abs(_answers(one))) for one in pictures])
    return pictures.mean(axis=(1, 2))


def _answers(picture: np.ndarray) -> np.ndarray:
    """Return a picture after each filter."""
    of = [scipy.ndimage.correlate(picture, kernel, mode="nearest") for kernel in _KERNELS]
    return np.stack(of)


def _halved(pictures: np.ndarray) -> np.ndarray:
    """Return pictures of half the size, each pixel the mean of four, without an odd last row."""
    rows, columns = (size // 2 for size in pictures.shape[1:])
    return (
        pictures[:, : 2 * rows, : 2 * columns]
        .reshape(len(pictures), rows, 2, columns, 2)
        .mean(axis=(2, 4))
    )


def _bank() -> list[np.ndarray]:
    """Return the kernels of `FILTERS`: 5 × 5, with sum 0 and absolute values with sum 1."""
    row, column = np.meshgrid(*2 * [np.arange(-2, 3) / _SIGMA], indexing="ij")
    envelope = np.exp(-(row**2 + column**2) / 2)
    # A bar is a Gaussian's second derivative across it. Higher rows have a higher pitch.
    angles = np.deg2rad([0, 90, 45, 135])
    distances = [row * np.cos(angle) - column * np.sin(angle) for angle in angles]
    kernels = [(1 - distance**2) * envelope for distance in distances]
    kernels.append((2 - row**2 - column**2) * envelope)
    # The cut-off kernels no longer sum to exactly 0.
    centred = [kernel - envelope * (kernel.sum() / envelope.sum()) for kernel in kernels]
    return [kernel / np.abs(kernel).sum() for kernel in centred]


_KERNELS = _bank()
