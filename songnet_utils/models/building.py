"""The common parts of all networks: first and last layers, and initial weights.

Every network takes ``log_mel``, shape (clips, frames, n_mels), with any number of frames, and gives
``{"genre_over_time": (clips, steps, genres), "genre": (clips, genres)}``. It begins with the
centring layer (see `songnet_utils.models.trained.centre`) and ends with a dense softmax at every
step, whose mean over time is the song's genre. In between, nothing looks ahead: layers over time
are "valid", or padded with zeros before the song only.

Two points are not in the paper:

- *Centring.* Log-mel with a fixed floor has a mean near −5, and another deviation in each band. The
  first layer subtracts each band's mean and divides by its standard deviation, both computed from
  the training frames and saved with the weights. It treats each frame by itself.
- *TimeDistributed.* A Keras ``Dense`` layer already treats every step alike, so it *is* the
  time-distributed layer of the paper. Wrapping it in ``TimeDistributed`` gives the same numbers
  in twice the time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.quiet import quiet_stderr

with quiet_stderr():
    import keras

# TensorFlow warns about functions that Keras calls, which we cannot change.
logging.getLogger("tensorflow").setLevel("ERROR")

layers = keras.layers

# The number of kernels, and the pooling over (time, frequency).
Block = tuple[int, tuple[int, int]]

#: Whether networks are compiled with XLA, which makes TensorFlow four times as slow on a processor.
JIT = keras.backend.backend() != "tensorflow"


class Draw:
    """Draws the initial weights of all layers from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._random = keras.random.SeedGenerator(seed)

    def _next(self) -> int:
        return int(keras.random.randint((), 0, 2**31 - 1, seed=self._random))

    def __call__(self) -> keras.initializers.Initializer:
        """Return Glorot's uniform distribution with a seed of its own.

        So layers of the same shape start with different weights.
        """
        return keras.initializers.GlorotUniform(seed=self._next())

    def orthogonal(self) -> keras.initializers.Initializer:
        """Return random rotations with a seed of their own, for recurrent weights."""
        return keras.initializers.Orthogonal(seed=self._next())


def check_genres(genres: Sequence[str]) -> None:
    """Raise SongNetError unless there are at least two different genres."""
    if isinstance(genres, str) or len(genres) < 2 or len(set(genres)) < len(genres):
        raise SongNetError(f"A network needs at least two different genres. Got {genres!r}")


def begin(bands: int, genres: Sequence[str]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the input frames, and the output of the centring layer."""
    check_genres(genres)
    frames = keras.Input((None, bands), name="log_mel")
    return frames, layers.Normalization(axis=-1, name="centring")(frames)


def end(
    inputs: keras.KerasTensor | Sequence[keras.KerasTensor],
    x: keras.KerasTensor,
    genres: Sequence[str],
    draw: Draw,
    name: str,
) -> keras.Model:
    """Return the network: a softmax over the genres at each step of `x`, and their mean."""
    over_time = layers.Dense(
        len(genres), activation="softmax", kernel_initializer=draw(), name="genre_over_time"
    )(x)
    mean = layers.GlobalAveragePooling1D(name="genre")(over_time)
    return keras.Model(inputs, {"genre_over_time": over_time, "genre": mean}, name=name)


def conv_blocks(
    x: keras.KerasTensor,
    draw: Draw,
    *,
    dropout: float,
    batch_norm: bool = True,
    filters: int = 256,
    kernel: int = 5,
    pool: int = 2,
    count: int = 3,
) -> keras.KerasTensor:
    """Return the output of the paper's blocks: each a convolution, ReLU, max pooling and dropout.

    Parameters
    ----------
    x : keras.KerasTensor, shape (clips, time, channels)
        The input of the first block.
    draw : Draw
        Draws the weights.
    dropout, batch_norm, filters, kernel, pool
        As in `songnet_utils.models.paper.songnet`.
    count : int
        The number of blocks; the names of the first block's layers end in ``_1``.
    """
    for number in range(1, count + 1):
        x = layers.Conv1D(filters, kernel, kernel_initializer=draw(), name=f"conv_{number}")(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        x = layers.MaxPooling1D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(dropout, seed=draw.seed + number, name=f"dropout_{number}")(x)
    return x


def picture_blocks(
    x: keras.KerasTensor, draw: Draw, blocks: Sequence[Block], *, activation: str, dropout: float
) -> keras.KerasTensor:
    """Return the output of blocks whose 3 × 3 kernels slide over time and frequency.

    Each is a convolution, batch norm, activation, max pooling and dropout. Bands are padded with
    zeros, but time is not.

    Parameters
    ----------
    x : keras.KerasTensor, shape (clips, frames, bands)
        The input of the first block.
    draw : Draw
        Draws the weights.
    blocks : sequence of (int, (int, int))
        For each block, the number of kernels, and the pooling over (time, frequency).
    activation : str
        The name of Keras's activation function.
    dropout : float
        Share of the values dropped after each block.

    Returns
    -------
    keras.KerasTensor, shape (clips, steps, channels)
        At each step, the values of all kernels in all remaining bands.
    """
    x = layers.Reshape((-1, x.shape[2], 1), name="picture")(x)
    for number, (kernels, pool) in enumerate(blocks, start=1):
        x = layers.ZeroPadding2D(((0, 0), (1, 1)), name=f"bands_{number}")(x)
        x = layers.Conv2D(kernels, 3, kernel_initializer=draw(), name=f"conv_{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(x)
        x = layers.Activation(activation, name=f"{activation}_{number}")(x)
        x = layers.MaxPooling2D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(dropout, seed=draw.seed + number, name=f"dropout_{number}")(x)
    return layers.Reshape((-1, x.shape[2] * x.shape[3]), name="rows")(x)


def grus(x: keras.KerasTensor, draw: Draw, count: int) -> keras.KerasTensor:
    """Return the output of `count` stacked layers of GRU at each step."""
    for number in range(1, 1 + count):
        x = layers.GRU(
            64,
            return_sequences=True,
            kernel_initializer=draw(),
            recurrent_initializer=draw.orthogonal(),
            name=f"gru_{number}",
        )(x)
    return x
