"""Our strongest network for a few hundred real songs, which still runs live.

It differs from `songnet_utils.models.paper.songnet` in three ways.

*Pictures.* SongNet's kernels hold one weight for each band, so a pattern that moves up by a
semitone is a new pattern. Here small square kernels slide over time and frequency, so a kernel
finds its pattern at any height. This takes an eighth of SongNet's weights.

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
from songnet_utils.models.building import (
    Draw,
    begin,
    conv_blocks,
    end,
    keras,
    layers,
    picture_blocks,
)


def songnet_plus(
    sound: Sound,
    genres: Sequence[str],
    *,
    pictures: bool = True,
    summary: int = 24,
    dropout: float = 0.5,
    seed: int = 0,
) -> keras.Model:
    """Build our strongest network from scratch.

    Parameters
    ----------
    sound, genres, seed
        As in `songnet_utils.models.paper.songnet`. At least 64 mel bands.
    pictures : bool
        Whether three layers of kernels slide over time and frequency. Otherwise, one of SongNet's
        blocks with 64 kernels, which slide over time alone.
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
    # Steps are as frequent as SongNet's.
    if pictures:
        blocks = [(kernels, (2, 4)) for kernels in (32, 64, 128)]
        x = picture_blocks(x, draw, blocks, activation="relu", dropout=0.0)
    else:
        x = conv_blocks(x, draw, dropout=0.0, filters=64, count=1)
        x = layers.AveragePooling1D(4, name="step")(x)
    if summary:
        so_far = layers.ZeroPadding1D((summary - 1, 0), name="silence_before")(x)
        mean = layers.AveragePooling1D(summary, 1, name="mean_so_far")(so_far)
        largest = layers.MaxPooling1D(summary, 1, name="largest_so_far")(so_far)
        x = layers.Concatenate(name="now_and_so_far")([x, mean, largest])
    # Features differ in size.
    x = layers.BatchNormalization(momentum=0.9, name="batch_norm_4")(x)
    x = layers.Dropout(dropout, seed=seed + 4, name="dropout_4")(x)
    return end(frames, x, genres, draw, "songnet_plus")
