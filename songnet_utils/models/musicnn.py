"""musicnn, a pretrained network: its tags of a real song, read as genres.

A network trained on composed music cannot name the genre of a real song. This one was trained by
others on about 200,000 songs [1]_ to give 50 tags that listeners use; seven of fma_small's eight
genres are among those tags under the same name. International is not, so musicnn never answers it.

The network is built here from its paper [2]_ and its published checkpoint is read into it; the
tests compare it with the graph that was stored with the checkpoint. It sees 3 s at a time: 187
frames of 96 mel bands, each ``log10(1 + 10000 · mel power)``. Our frames are ``ln(mel power)``, so
that is ``softplus(frame + ln 10000) / ln 10``, exactly, and the network begins with it. (The
published program also rounds mel power to half precision first; that is left out.)

From tags to genres: a tag's logit is compared with its *centre*, what an average clip gets, and
the softmax of what is above the centre is the genre. Without the centres, tags that are rare in
the training songs would hardly ever win: nearly everything is more "rock" than "experimental".

References
----------
.. [1] J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music audio
   tagging", Late-breaking/demo session of ISMIR, 2019. https://arxiv.org/abs/1909.06654
.. [2] J. Pons et al., "End-to-end learning for music audio tagging at scale", ISMIR, 2018.
"""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Mapping

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.features.extraction import Extraction
from songnet_utils.models.building import keras, layers, tf
from songnet_utils.models.musicnn_fetch import musicnn_folder, musicnn_is_whole
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.patches import Patches, PerPatch

#: The 50 tags, in the order of the network's outputs, as their listeners spelt them.
TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists"),
    *("classic rock", "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s"),
    *("chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic"),
    *("experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country"),
    *("easy listening", "sexy", "catchy", "funk", "electro", "heavy metal", "Progressive rock"),
    *("60s", "rnb", "indie pop", "sad", "House", "happy"),
)

#: Genre → the tag of the same name. International has none.
TAG_OF_GENRE = {
    "Electronic": "electronic",
    "Experimental": "experimental",
    "Folk": "folk",
    "Hip-Hop": "Hip-Hop",
    "Instrumental": "instrumental",
    "Pop": "pop",
    "Rock": "rock",
}

#: Genre → centre of its tag's logit: the mean over 122 clips of fma_small (its folders 000 and
#: 001; 61 artists; 39 Folk, 25 Experimental, 22 Rock, 20 International, 10 Pop, 5 Hip-Hop,
#: 1 Electronic), each genre with the same weight. The tests measure musicnn on these clips with
#: centres of the other artists' clips.
CENTRES = {
    "Electronic": -2.351,
    "Experimental": -2.943,
    "Folk": -3.825,
    "Hip-Hop": -4.065,
    "Instrumental": -3.654,
    "Pop": -3.456,
    "Rock": -2.299,
}

#: Frames in a patch (3 s), and from one patch to the next (0.5 s).
PATCH, STRIDE = 187, 31

#: Numbers that musicnn computes for a patch just before it names tags.
EMBEDDING = 200

SOUND = Sound(sample_rate=16_000, n_fft=512, hop=256, n_mels=96, floor=1e-10)

# The batch norm after the last hidden layer.
_EMBEDDING_LAYER = "batch_normalization_10"


def load_musicnn(data_dir: str | os.PathLike[str] | None = None) -> SongNet:
    """Return musicnn as a network that gives genres over time.

    Parameters
    ----------
    data_dir
        The data folder; ``$SONGNET_DATA`` or ``data`` by default.

    Raises
    ------
    SongNetError
        When its files are missing or damaged.
    """
    return with_genres(load_tag_model(data_dir))


def load_tag_model(data_dir: str | os.PathLike[str] | None = None) -> keras.Model:
    """Return musicnn as it was published: (clips, frames, 96) → (clips·steps, 50) tag logits.

    Raises
    ------
    SongNetError
        When its files are missing or damaged.
    """
    folder = musicnn_folder(data_dir)
    if not musicnn_is_whole(data_dir):
        state = "damaged" if folder.exists() else "not there"
        raise SongNetError(f"{folder}: musicnn is {state}. Run `songnet fetch musicnn` first.")
    model = build_musicnn()
    # The checkpoint was saved under a prefix that ends in "/", which only this reader accepts.
    reader = tf.compat.v1.train.NewCheckpointReader(str(folder / "MSD_musicnn") + "/")
    for layer in model.layers:
        # The mid-end's kernels are stored as (7, features, 1, filters), those of rhythm as
        # (width, 1, 1, filters).
        layer.set_weights(
            [
                reader.get_tensor(f"{layer.name}/{weight.name}").reshape(weight.shape)
                for weight in layer.weights
            ]
        )
    return model


def load_embedding_model(data_dir: str | os.PathLike[str] | None = None) -> keras.Model:
    """Return musicnn up to its embedding: (clips, frames, 96) → (clips·steps, 200).

    Raises
    ------
    SongNetError
        When its files are missing or damaged.
    """
    return embedding_model(load_tag_model(data_dir))


def embedding_model(model: keras.Model) -> keras.Model:
    """Return the layers of `build_musicnn`'s network up to the embedding, with its weights."""
    return keras.Model(
        model.input, model.get_layer(_EMBEDDING_LAYER).output, name="musicnn_embedding"
    )


def with_genres(model: keras.Model, centres: Mapping[str, float] = CENTRES) -> SongNet:
    """Return musicnn with genres over time in the place of tags.

    The dense layer of the genres' tags follows the embedding, with the centres in its bias.

    Parameters
    ----------
    model : keras.Model
        (clips, frames, 96) log-mel frames → (clips·steps, 50) tag logits, as `build_musicnn`.
    centres : mapping of genre to float
        Subtracted from the logits of the genres' tags.

    Returns
    -------
    SongNet
        Its ``keras_model`` has the output ``embedding``, (clips, steps, 200), besides.
    """
    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    embedding = PerPatch(embedding_model(model), PATCH, STRIDE, name="embedding")(frames)
    genre = layers.Dense(len(TAG_OF_GENRE), activation="softmax", name="genre_over_time")
    outputs = {"genre_over_time": genre(embedding)}
    outputs["genre"] = layers.GlobalAveragePooling1D(name="genre")(outputs["genre_over_time"])
    columns = [TAGS.index(tag) for tag in TAG_OF_GENRE.values()]
    kernel, bias = (weights[..., columns] for weights in model.get_layer("dense_1").get_weights())
    genre.set_weights([kernel, bias - np.array([centres[genre] for genre in TAG_OF_GENRE])])
    return SongNet(
        keras.Model(frames, {**outputs, "embedding": embedding}, name="musicnn"),
        SOUND,
        tuple(TAG_OF_GENRE),
        name="musicnn (Pons & Serra, 2019)",
        training_music="about 200,000 songs of the Million Song Dataset, with listeners' tags",
        caution="It has no tag for International, so it never answers that.",
    )


def embedding_extraction(data_dir: str | None = None) -> Extraction:
    """Return the extraction of what musicnn computes for each patch, before it names tags.

    Parameters
    ----------
    data_dir : str, optional
        The data folder with musicnn's files; see `load_musicnn`.
    """
    description = {
        "network": "MSD_musicnn 0.1.0",
        "layer": _EMBEDDING_LAYER,
        "sound": SOUND.to_dict(),
        "patch": PATCH,
        "stride": STRIDE,
        "version": 1,
    }
    # Its sums are TensorFlow's, which has threads of its own.
    compute = functools.partial(_embeddings, data_dir)
    return Extraction("musicnn-embedding", SOUND.sample_rate, description, ("embedding",), compute)


def _embeddings(data_dir: str | None, audio: np.ndarray) -> dict[str, np.ndarray]:
    """Return ``embedding``, (steps, 200)."""
    with _LOADING:
        network = _embedding(data_dir)
    embedding = network.of_song(log_mel(audio, SOUND))
    if not len(embedding):
        raise SongNetError(
            f"lasts less than the {PATCH * SOUND.hop / SOUND.sample_rate:.1f} s that "
            "musicnn sees at a time. Use a longer clip."
        )
    return {"embedding": embedding}


_LOADING = threading.Lock()


@functools.lru_cache(maxsize=1)
def _embedding(data_dir: str | None) -> PerPatch:
    return PerPatch(load_embedding_model(data_dir), PATCH, STRIDE)


def build_musicnn() -> keras.Model:
    """Return the network of the paper, with random weights.

    Returns
    -------
    keras.Model
        Input (clips, frames, 96): natural-logarithmic mel frames of `SOUND`. Output
        (clips·steps, 50): logits of `TAGS` for each patch of 187 frames, every 31, clip by clip.
        Layers with weights bear the names of the checkpoint.
    """
    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    # ln(mel) → log10(1 + 10000·mel)
    x = layers.Rescaling(1.0, offset=math.log(10_000))(frames)
    x = layers.Activation("softplus")(x)
    x = layers.Rescaling(1 / math.log(10))(x)
    x = _batch_norm(0)(layers.Reshape((-1, SOUND.n_mels, 1))(x))
    patches = Patches(PATCH, STRIDE)(x)

    # The musical front-end. Timbre: kernels 7 frames wide over 0.4 and 0.7 of the mel bands, slid
    # along both; the loudest position over the bands makes them blind to pitch. Rhythm: kernels
    # one band high and 32 to 128 frames (0.5 to 2 s) wide.
    kernels = [(204, 7, 38), (204, 7, 67), (51, 128, 1), (51, 64, 1), (51, 32, 1)]
    features = layers.Concatenate()(
        [_front_end(x, patches, number, *kernel) for number, kernel in enumerate(kernels)]
    )

    # The mid-end: three convolutions over time, the second and third with a way around.
    levels = [features]
    for number in (5, 6, 7):
        y = layers.Conv1D(
            64, 7, padding="same", activation="relu", name=_numbered("conv2d", number)
        )(levels[-1])
        y = _batch_norm(number + 1)(y)
        levels.append(y if number == 5 else layers.Add()([y, levels[-1]]))
    levels = layers.Concatenate()(levels)

    # The back-end: each feature's largest and mean value over the patch, one after the other.
    pooled = [layers.GlobalMaxPooling1D()(levels), layers.GlobalAveragePooling1D()(levels)]
    pooled = [layers.Reshape((levels.shape[2], 1))(each) for each in pooled]
    x = _batch_norm(9)(layers.Flatten()(layers.Concatenate()(pooled)))
    x = _batch_norm(10)(layers.Dense(EMBEDDING, activation="relu", name="dense")(x))
    return keras.Model(frames, layers.Dense(len(TAGS), name="dense_1")(x), name="musicnn")


def _front_end(
    x: keras.KerasTensor,
    patches: keras.KerasTensor,
    number: int,
    filters: int,
    width: int,
    bands: int,
) -> keras.KerasTensor:
    """Return what one kind of kernel finds in each patch: (patches, 187, filters).

    The published network pads each patch with zeros, so that the convolution over its frames gives
    187 rows again. Most of these rows see no zeros and are the same numbers in each of the patches
    they are in: they are computed once for all frames. Only the rows at a patch's two ends are
    computed for each patch.
    """
    # A kernel that is long in one direction is several times as fast along the last axis.
    turned = bands == 1
    kernel, rest = (width, bands), (1, SOUND.n_mels - bands + 1)
    work = [
        *([layers.Permute((2, 1, 3))] if turned else []),
        layers.Conv2D(
            filters,
            kernel[::-1] if turned else kernel,
            activation="relu",
            name=_numbered("conv2d", number),
        ),
        _batch_norm(number + 1),
        layers.MaxPooling2D(rest[::-1] if turned else rest),
        layers.Reshape((-1, filters)),
    ]
    before, after = (width - 1) // 2, width // 2
    inside = PATCH - before - after
    first = layers.Cropping2D(((0, inside), (0, 0)))(patches)
    first = layers.ZeroPadding2D(((before, 0), (0, 0)))(first)
    last = layers.Cropping2D(((inside, 0), (0, 0)))(patches)
    last = layers.ZeroPadding2D(((0, after), (0, 0)))(last)
    first, shared, last = (
        functools.reduce(lambda rows, layer: layer(rows), work, rows) for rows in (first, x, last)
    )
    shared = Patches(inside, STRIDE)(shared)
    return layers.Concatenate(axis=1)([first, shared, last])


def _batch_norm(number: int) -> keras.Layer:
    name = _numbered("batch_normalization", number)
    return layers.BatchNormalization(epsilon=1e-3, name=name)


def _numbered(name: str, number: int) -> str:
    """Return TensorFlow 1's name of the `number`-th layer of a kind."""
    return f"{name}_{number}" if number else name
