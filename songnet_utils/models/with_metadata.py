"""SongNet with metadata, the first item of the paper's future work."""

from __future__ import annotations

from collections.abc import Sequence

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import Draw, begin, conv_blocks, end, keras, layers


def songnet_meta(
    sound: Sound,
    genres: Sequence[str],
    *,
    columns: int,
    dropout: float = 0.3,
    metadata_dropout: float = 0.5,
    seed: int = 0,
) -> keras.Model:
    """Build SongNet with a second input, ``metadata``, shape (clips, columns).

    The song's metadata goes through a small layer of its own and is added to the sound's features,
    equally at every step, just before the last layer. Because the last layer is linear up to its
    softmax, sound and metadata both contribute, and neither can silence the other.

    Parameters
    ----------
    sound, genres, dropout, seed
        As in `songnet_utils.models.paper.songnet`.
    columns : int
        The number of metadata columns; see `songnet_utils.features.metadata.fit_encoder`.
    metadata_dropout : float
        Share of the metadata dropped in training.
    """
    frames, x = begin(sound.n_mels, genres)
    draw = Draw(seed)
    x = conv_blocks(x, draw, dropout=dropout)
    known = keras.Input((columns,), name="metadata")
    y = layers.Dense(32, activation="relu", kernel_initializer=draw(), name="knowledge")(known)
    y = layers.Dropout(metadata_dropout, seed=seed + 4, name="dropout_knowledge")(y)
    y = layers.Dense(x.shape[2], kernel_initializer=draw(), name="as_sound")(y)
    y = layers.Reshape((1, x.shape[2]), name="at_every_step")(y)
    x = layers.Add(name="sound_and_metadata")([x, y])
    return end([frames, known], x, genres, draw, "songnet_meta")
