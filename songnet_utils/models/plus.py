"""SongNet made as strong as we could on some hundred real songs, still live.

Three things differ from `songnet_utils.models.paper.songnet`.

*How little it has to learn.* It has one block of convolutions, a quarter as wide: so few songs
hardly tell which of three blocks' 800,000 weights are right.

*What a step knows.* SongNet judges by less than two seconds at a time, and only the mean of its
answers sees more. Here each step also sees how the features have been for a while: their mean
and their largest value over the last steps. What people call texture, how dense, how steady,
how often a sound comes back, is in such summaries, as it is in the hand-crafted statistics of the
baselines. Before the song there is silence: its steps count as zeros, so the first answer is
even earlier than SongNet's, and nothing looks ahead.

*How it is trained.* Its recipe stands in the registry: crops in other keys, weight decay, averaged
weights, a schedule that ends. Each can be left out by name (``songnet-plus~keys``), so that you
can see what it is worth; what was tried besides can be added (``songnet-plus+mixup``).
"""

from __future__ import annotations

from collections.abc import Sequence

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import Draw, begin, conv_blocks, end, keras, layers


def songnet_plus(
    sound: Sound,
    genres: Sequence[str],
    *,
    blocks: int = 1,
    filters: int = 64,
    summary: int = 24,
    dropout: float = 0.5,
    seed: int = 0,
) -> keras.Model:
    """Build our strongest network from scratch.

    Parameters
    ----------
    sound, genres, filters, seed
        As in `songnet_utils.models.paper.songnet`.
    blocks : int
        Convolution blocks, at most 3.
    summary : int
        Over how many of the last steps the features are summed up; 0: not at all, as in SongNet.
    dropout : float
        Share of what a step knows dropped in training.

    Returns
    -------
    keras.Model
        As `songnet` returns it.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = conv_blocks(x, draw, dropout=0.0, filters=filters, count=blocks)
    # A step as often as SongNet's.
    x = layers.AveragePooling1D(8 // 2**blocks, name="step")(x)
    if summary:
        so_far = layers.ZeroPadding1D((summary - 1, 0), name="silence_before")(x)
        mean = layers.AveragePooling1D(summary, 1, name="mean_so_far")(so_far)
        largest = layers.MaxPooling1D(summary, 1, name="largest_so_far")(so_far)
        x = layers.Concatenate(name="now_and_so_far")([x, mean, largest])
    # What is large in one feature is small in another.
    x = layers.BatchNormalization(momentum=0.9, name="batch_norm_4")(x)
    x = layers.Dropout(dropout, seed=seed + 4, name="dropout_4")(x)
    return end(frames, x, genres, draw, "songnet_plus")
