"""musicnn's embedding under a small layer of one's own: trained in seconds.

musicnn (`songnet_utils.models.musicnn`) was trained on some 200,000 songs. What it computes for
each patch of 3 s just before it names tags, 200 numbers, tells genres apart that it has no tag for.
So its weights stay as they are, and only a dense softmax over the genres is trained on those
numbers: a few thousand weights, for which a handful of songs is enough.

The finished network has musicnn inside. It loads without musicnn's own files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import Draw, check_genres, end, keras, layers
from songnet_utils.models.musicnn import EMBEDDING, PATCH, SOUND, STRIDE
from songnet_utils.streaming.patches import PerPatch


def songnet_transfer(
    sound: Sound, genres: Sequence[str], *, dropout: float = 0.5, seed: int = 0
) -> keras.Model:
    """Build the part that is trained: from the embedding's 200 numbers a step to genres.

    Parameters
    ----------
    sound : Sound
        musicnn's.
    genres, dropout, seed
        As in `songnet_utils.models.paper.songnet`.

    Returns
    -------
    keras.Model
        Input ``embedding``, shape (clips, steps, 200); outputs as those of `songnet`.
    """
    check_genres(genres)
    draw = Draw(seed)
    embedding = keras.Input((None, EMBEDDING), name="embedding")
    x = layers.Normalization(axis=-1, name="centring")(embedding)
    x = layers.Dropout(dropout, seed=seed + 1, name="dropout_1")(x)
    return end(embedding, x, genres, draw, "songnet_transfer")


def head_weights(whole: keras.Model, head: keras.Model) -> list[np.ndarray]:
    """Return copies of what a network has learnt, for the part of it that is trained.

    Parameters
    ----------
    whole : keras.Model
        A trained network.
    head : keras.Model
        What was trained of it, built anew: all of it, or what `with_musicnn` put musicnn under.

    Returns
    -------
    list of np.ndarray
        In the order of `songnet_utils.models.trained.weights_of` of `head`.
    """
    return [
        np.array(variable.numpy())
        for layer in head.layers
        if layer.weights
        for variable in whole.get_layer(layer.name).weights
    ]


def with_musicnn(head: keras.Model, embedding: keras.Model) -> keras.Model:
    """Return the whole network: from ``log_mel`` through musicnn to what `head` gives.

    Parameters
    ----------
    head : keras.Model
        What `songnet_transfer` built, trained.
    embedding : keras.Model
        (clips, frames, 96) → (clips·steps, 200), as `load_embedding_model` returns it.
    """
    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    x = PerPatch(embedding, PATCH, STRIDE, name="embedding")(frames)
    # The head's layers anew: one chain from the frames on, like the other networks.
    outputs = {}
    for layer in head.layers[1:]:
        copy = type(layer).from_config(layer.get_config())
        x = copy(x)
        copy.set_weights(layer.get_weights())
        outputs[layer.name] = x
    whole = keras.Model(
        frames, {name: outputs[name] for name in ("genre_over_time", "genre")}, name=head.name
    )
    # The centring layer computes with copies of its weights.
    whole.get_layer("centring").finalize_state()
    return whole
