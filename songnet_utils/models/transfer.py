"""Transfer learning: a small layer on musicnn's embedding, which trains in seconds.

musicnn, which comes with the project, was trained on about 200,000 songs. Its embedding, the 200
numbers for each window of 3 s from which it computes tags, also separates genres for which it has
no tag. So its weights stay fixed, and you train only a dense softmax over the genres on these
numbers. It has a few thousand weights, for which a handful of songs is enough.

A run's ``model.keras`` has this layer; its ``model.onnx`` also has musicnn below it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.features.extraction import Extraction
from songnet_utils.models.building import Draw, check_genres, end, keras, layers
from songnet_utils.models.onnx_network import BUILT_IN, OnnxNetwork

#: The length of musicnn's embedding of a window.
EMBEDDING = 200

#: musicnn's description of sound.
SOUND = Sound(sample_rate=16_000, n_fft=512, hop=256, n_mels=96, floor=1e-10)


@functools.cache
def load_musicnn() -> OnnxNetwork:
    """Return musicnn, which comes with the project."""
    return OnnxNetwork.load(BUILT_IN / "musicnn.onnx")


def embedding_extraction() -> Extraction:
    """Return the extraction of musicnn's ``embedding`` of a clip, (steps, 200)."""
    description = {"network": "MSD_musicnn 0.1.0", "sound": SOUND.to_dict(), "version": 2}
    return Extraction(
        "musicnn-embedding", SOUND.sample_rate, description, ("embedding",), _embedding
    )


def _embedding(audio: np.ndarray) -> dict[str, np.ndarray]:
    try:
        return {"embedding": load_musicnn().embedding_of_frames(log_mel(audio, SOUND))}
    except SongNetError as error:
        raise SongNetError(f"is too short: {error}") from error


def songnet_transfer(
    sound: Sound, genres: Sequence[str], *, dropout: float = 0.5, seed: int = 0
) -> keras.Model:
    """Build the trainable part: from the embedding's 200 numbers per step to genres.

    Parameters
    ----------
    sound : Sound
        musicnn's description of sound.
    genres, dropout, seed
        As in `songnet_utils.models.paper.songnet`.

    Returns
    -------
    keras.Model
        Its input is ``embedding``, shape (clips, steps, 200); its outputs are those of `songnet`.
    """
    check_genres(genres)
    draw = Draw(seed)
    embedding = keras.Input((None, EMBEDDING), name="embedding")
    x = layers.Normalization(axis=-1, name="centring")(embedding)
    x = layers.Dropout(dropout, seed=seed + 1, name="dropout_1")(x)
    return end(embedding, x, genres, draw, "songnet_transfer")
