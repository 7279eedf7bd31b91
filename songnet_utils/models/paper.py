"""SongNet, the paper's network, and its predecessor.

Three blocks of convolution over time, ReLU, max pooling and dropout lead from the frames to the
genre over time (Zhang, Zhang & Chen 2018, "SongNet: Real-time Music Classification", figure 1).
The authors first used an LSTM after the blocks (`songnet_lstm`), and found that the
time-distributed layer "worked better".

*Batch norm.* Each convolution's output is normalised over the batch, as in the network's direct
ancestor (deepsound-project/genre-recognition, 2018). The paper does not mention it. We chose it on
validation clips of mini; ``batch_norm=False`` leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import Draw, begin, conv_blocks, end, grus, keras, layers


def songnet(
    sound: Sound,
    genres: Sequence[str],
    *,
    filters: int = 256,
    kernel: int = 5,
    pool: int = 2,
    blocks: int = 3,
    dropout: float = 0.3,
    batch_norm: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Build the paper's network with fresh weights.

    Parameters
    ----------
    sound : Sound
        The description of sound; the network depends only on its number of mel bands.
    genres : sequence of str
        At least two, in the order of the outputs.
    filters : int
        Convolution kernels in each block.
    kernel : int
        Inputs in time that a kernel sees.
    pool : int
        Inputs in time that max pooling turns into one.
    blocks : int
        Convolution blocks.
    dropout : float
        Share of each block's outputs dropped in training, 0 to below 1.
    batch_norm : bool
        Normalise each convolution's output over the batch.
    seed : int
        The same seed gives the same weights.

    Returns
    -------
    keras.Model
        Input ``log_mel``, shape (clips, frames, n_mels), any number of frames; outputs
        ``{"genre_over_time": (clips, steps, genres), "genre": (clips, genres)}``.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = conv_blocks(
        x,
        draw,
        dropout=dropout,
        batch_norm=batch_norm,
        filters=filters,
        kernel=kernel,
        pool=pool,
        count=blocks,
    )
    return end(frames, x, genres, draw, "songnet")


def songnet_lstm(
    sound: Sound,
    genres: Sequence[str],
    *,
    gru: int = 0,
    filters: int = 256,
    dropout: float = 0.3,
    batch_norm: bool = True,
    seed: int = 0,
) -> keras.Model:
    """Build the paper's first network: the same three blocks, then an LSTM.

    It has 256 units, as in the network's 2016 ancestor (deepsound-project/genre-recognition).

    Parameters
    ----------
    sound, genres, filters, dropout, batch_norm, seed
        As in `songnet`.
    gru : int
        The number of GRU layers, as in `crnn_2d`, that replace the LSTM; 0 keeps the LSTM.

    Returns
    -------
    keras.Model
        As from `songnet`. A step depends on the whole song up to its end.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = conv_blocks(x, draw, dropout=dropout, batch_norm=batch_norm, filters=filters)
    if gru:
        x = grus(x, draw, gru)
    else:
        x = layers.LSTM(
            256,
            return_sequences=True,
            kernel_initializer=draw(),
            recurrent_initializer=draw.orthogonal(),
            name="lstm",
        )(x)
    x = layers.Dropout(dropout, seed=seed + 4, name="dropout_4")(x)
    return end(frames, x, genres, draw, "songnet_lstm")
