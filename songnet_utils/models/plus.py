"""Our strongest network for a few hundred real songs, which still runs live.

It differs from `songnet_utils.models.paper.songnet` in three ways.

*Fewer weights.* It has one block of convolutions, a quarter as wide, because a few hundred songs
cannot determine the 800,000 weights of three blocks.

*More context per step.* A step of SongNet sees less than two seconds; only the mean over its steps
sees more. Here each step also sees the mean and the maximum of the features over the last steps.
Such summaries capture texture (how dense, how steady, how repetitive a sound is), as the
hand-crafted statistics of the baselines do. Before the song, the features count as zeros, so the
first answer comes even earlier than SongNet's, and nothing looks ahead.

*Another recipe.* The registry has its recipe: crops in other keys, weight decay, averaged weights,
a schedule that ends. You can leave out each part by name (``songnet-plus~keys``) to see its effect,
and add other ideas that we tried (``songnet-plus+mixup``).
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
        The number of last steps in the summary of the features; 0 for no summary, as in SongNet.
    dropout : float
        Share of a step's features dropped in training.

    Returns
    -------
    keras.Model
        As `songnet` returns it.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = conv_blocks(x, draw, dropout=0.0, filters=filters, count=blocks)
    # Steps are as frequent as SongNet's.
    x = layers.AveragePooling1D(8 // 2**blocks, name="step")(x)
    if summary:
        so_far = layers.ZeroPadding1D((summary - 1, 0), name="silence_before")(x)
        mean = layers.AveragePooling1D(summary, 1, name="mean_so_far")(so_far)
        largest = layers.MaxPooling1D(summary, 1, name="largest_so_far")(so_far)
        x = layers.Concatenate(name="now_and_so_far")([x, mean, largest])
    # Features differ in size.
    x = layers.BatchNormalization(momentum=0.9, name="batch_norm_4")(x)
    x = layers.Dropout(dropout, seed=seed + 4, name="dropout_4")(x)
    return end(frames, x, genres, draw, "songnet_plus")
