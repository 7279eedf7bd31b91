"""The networks of the paper's related work, for comparisons on the same clips.

Each keeps its authors' main idea. Two changes are common to all: they answer at every step and
never look ahead, so their convolutions are "valid" in time where the authors pad; and they are
about as large as SongNet, so that you can train them on a laptop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import Draw, begin, end, grus, keras, layers, picture_blocks

# The MFCCs per frame.
_COEFFICIENTS = 13


def crnn_2d(
    sound: Sound, genres: Sequence[str], *, recurrent: int = 2, seed: int = 0
) -> keras.Model:
    """Build a convolutional recurrent network on pictures, after Choi et al.

    Four layers of 3 × 3 kernels slide over time *and* frequency; max pooling reduces all bands to
    one; two layers of GRU summarise the song over time. Batch norm, ELU and dropout .1 are theirs.
    With our frames, their pooling over time (by 2, 3, 4 and 4, for frames of 21 ms) would give one
    step every 4.5 s. Here it is by 2, 2 and 2, so steps are as frequent as SongNet's.

    Parameters
    ----------
    sound, genres, seed
        As in `songnet_utils.models.paper.songnet`. At least 64 mel bands.
    recurrent : int
        The number of GRU layers.

    References
    ----------
    K. Choi, G. Fazekas, M. Sandler and K. Cho, "Convolutional recurrent neural networks for music
    classification", 2016. https://arxiv.org/abs/1609.04243
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    blocks = [(16, (2, 2)), (32, (2, 4)), (48, (2, 4)), (64, (1, 4))]
    x = picture_blocks(x, draw, blocks, activation="elu", dropout=0.1)
    x = grus(x, draw, recurrent)
    x = layers.Dropout(0.3, seed=seed + 5, name="dropout_5")(x)
    return end(frames, x, genres, draw, "crnn_2d")


def cnn_2d(
    sound: Sound,
    genres: Sequence[str],
    *,
    dropout: float = 0.3,
    batch_norm: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Build a network that treats the spectrogram as a picture, after Wyse.

    Square kernels slide over time and frequency as over the picture of a cat. Wyse compares this
    with frequency as channels, which is SongNet's way. This network has blocks like SongNet's, in
    two dimensions.

    Parameters
    ----------
    sound, genres, seed, dropout, batch_norm
        As in `songnet_utils.models.paper.songnet`. At least 32 mel bands.

    References
    ----------
    L. Wyse, "Audio spectrogram representations for processing with convolutional neural
    networks", 2017. https://arxiv.org/abs/1706.09559
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = layers.Reshape((-1, sound.n_mels, 1), name="picture")(x)
    # Kernels, their size, and pooling over (time, frequency).
    blocks = [(16, 5, (2, 4)), (32, 3, (2, 4)), (64, 3, (2, 2))]
    for number, (kernels, size, pool) in enumerate(blocks, start=1):
        x = layers.Conv2D(kernels, size, kernel_initializer=draw(), name=f"conv_{number}")(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        x = layers.MaxPooling2D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(dropout, seed=seed + number, name=f"dropout_{number}")(x)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="rows")(x)
    return end(frames, x, genres, draw, "cnn_2d")


def cnn_mfcc(sound: Sound, genres: Sequence[str], *, seed: int = 0) -> keras.Model:
    """Build a convolutional network on MFCCs, after Li et al.

    A fixed layer computes the MFCCs: the first 13 coefficients of the cosine transform of each
    frame, after the centring layer (so they describe a frame's deviation from the mean frame).
    The kernels after it cover all coefficients. The first are 10 frames wide with a stride of 4,
    as theirs; two layers of width 5 follow, the first with a stride of 2, so that steps are as
    frequent as SongNet's.

    Parameters
    ----------
    sound, genres, seed
        As in `songnet_utils.models.paper.songnet`. At least 13 mel bands.

    References
    ----------
    T. Li, A. Chan and A. Chun, "Automatic musical pattern feature extraction using convolutional
    neural network", Proc. IMECS, 2010.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = layers.Dense(_COEFFICIENTS, use_bias=False, trainable=False, name="mfcc")(x)
    # Coefficients differ in size by a factor of ten.
    x = layers.BatchNormalization(momentum=0.9, name="batch_norm_0")(x)
    # Kernels, their widths in frames, and their strides.
    blocks = [(64, 10, 4), (128, 5, 2), (256, 5, 1)]
    for number, (kernels, wide, stride) in enumerate(blocks, start=1):
        x = layers.Conv1D(
            kernels, wide, strides=stride, kernel_initializer=draw(), name=f"conv_{number}"
        )(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        x = layers.Dropout(0.3, seed=seed + number, name=f"dropout_{number}")(x)
    model = end(frames, x, genres, draw, "cnn_mfcc")
    transform = scipy.fft.dct(np.eye(sound.n_mels), norm="ortho", axis=0)[:_COEFFICIENTS]
    model.get_layer("mfcc").set_weights([transform.T.astype(np.float32)])
    return model
