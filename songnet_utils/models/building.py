"""What the networks of the lab have in common: how they begin, how they end, how they start.

Every network takes ``log_mel``, shape (clips, frames, n_mels), any number of frames, and gives
``{"genre_over_time": (clips, steps, genres), "genre": (clips, genres)}``. It begins with the
centring layer (see `songnet_utils.models.trained.centre`) and ends with one dense softmax for
every step, whose mean over time is the song's genre. In between nothing looks ahead: layers over
time are "valid", or padded with zeros before the song only.

Two of these need a word, because the paper does not say them:

- *Centring.* Log-mel with a fixed floor has a mean near −5 and another deviation in each band. The
  first layer subtracts each band's mean and divides by its standard deviation, both measured on
  the training frames and saved with the weights. It looks at no other frame than its own.
- *TimeDistributed.* A Keras ``Dense`` layer treats every step alike by itself, so it *is* the
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

# TensorFlow warns of functions that Keras calls; nobody here can change them.
logging.getLogger("tensorflow").setLevel("ERROR")

layers = keras.layers

#: Whether networks are compiled with XLA, which makes TensorFlow four times as slow on a processor.
JIT = keras.backend.backend() != "tensorflow"


class Draw:
    """Draws the weights that layers start with, one after the other, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._random = keras.random.SeedGenerator(seed)

    def _next(self) -> int:
        return int(keras.random.randint((), 0, 2**31 - 1, seed=self._random))

    def __call__(self) -> keras.initializers.Initializer:
        """Return Glorot's uniform distribution with a seed of its own.

        Layers of one shape so start differently.
        """
        return keras.initializers.GlorotUniform(seed=self._next())

    def orthogonal(self) -> keras.initializers.Initializer:
        """Return random rotations with a seed of their own, for what is fed back to itself."""
        return keras.initializers.Orthogonal(seed=self._next())


def check_genres(genres: Sequence[str]) -> None:
    """Raise SongNetError unless there are at least two genres, each named once."""
    if isinstance(genres, str) or len(genres) < 2 or len(set(genres)) < len(genres):
        raise SongNetError(f"A network tells at least two different genres apart. Got {genres!r}")


def begin(bands: int, genres: Sequence[str]) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the input frames, and the same after the centring layer."""
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
    """Return the paper's blocks on `x`: each a convolution, ReLU, max pooling and dropout.

    Parameters
    ----------
    x : keras.KerasTensor, shape (clips, time, channels)
        What the first block sees.
    draw : Draw
        Draws the weights.
    dropout, batch_norm, filters, kernel, pool
        As in `songnet_utils.models.paper.songnet`.
    count : int
        How many blocks; the layers of the first end in ``_1``.
    """
    for number in range(1, count + 1):
        x = layers.Conv1D(filters, kernel, kernel_initializer=draw(), name=f"conv_{number}")(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        x = layers.MaxPooling1D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(dropout, seed=draw.seed + number, name=f"dropout_{number}")(x)
    return x


def grus(x: keras.KerasTensor, draw: Draw, count: int) -> keras.KerasTensor:
    """Return what `count` layers of GRU, one on the other, remember of `x` at each step."""
    for number in range(1, 1 + count):
        x = layers.GRU(
            64,
            return_sequences=True,
            kernel_initializer=draw(),
            recurrent_initializer=draw.orthogonal(),
            name=f"gru_{number}",
        )(x)
    return x
