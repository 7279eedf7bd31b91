"""The pretrained listener: musicnn's tags of a real song, read as genres.

A network trained on composed music cannot name the genre of a real song. This one was trained by
others on about 200,000 songs [1]_ to give 50 tags that listeners use; seven of fma_small's eight
genres are among those tags under the same name. International is not, so the listener never
answers it.

The network is built here from its paper [2]_ and its published checkpoint is read into it; the
tests hold it equal to the graph that was stored with the checkpoint. It hears 3 s at a time: 187
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.features.extraction import Extraction
from songnet_utils.models.musicnn_fetch import musicnn_folder, musicnn_is_whole
from songnet_utils.streaming.network import Network
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

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

#: Genre → centre of its tag's logit. Learnt by `learn_centres` on 122 clips of fma_small (its
#: folders 000 and 001; 61 artists; 39 Folk, 25 Experimental, 22 Rock, 20 International, 10 Pop,
#: 5 Hip-Hop, 1 Electronic), each genre with the same weight. When clips of these folders are
#: scored, centres must be learnt again without them: `answers_without_artist`.
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

#: Numbers that the listener makes of a patch just before it names tags.
EMBEDDING = 200

SOUND = Sound(sample_rate=16_000, n_fft=512, hop=256, n_mels=96, floor=1e-10)

# Patches heard at once: the more, the more they share; the largest intermediate results take some
# 3 MB a patch.
_BLOCK = 16

# The batch norm after the last hidden layer.
_EMBEDDING_LAYER = "batch_normalization_10"


class Listener(Network):
    """musicnn as a network that hears genres; `load_musicnn` makes one.

    Parameters
    ----------
    model : keras.Model
        (clips, frames, 96) log-mel frames → (clips·steps, 50) tag logits, as `build_musicnn`.
    centres : mapping of genre to float
        Subtracted from the logits of the genres' tags.
    """

    name = "musicnn (Pons & Serra, 2019)"
    training_music = "about 200,000 songs of the Million Song Dataset, with listeners' tags"
    caution = "It has no tag for International, so it never answers that."
    timeline = Timeline(SOUND, ReceptiveField(PATCH, STRIDE))

    def __init__(self, model: keras.Model, centres: Mapping[str, float] = CENTRES) -> None:
        self.genres = tuple(TAG_OF_GENRE)
        self.centres = dict(centres)
        self._model, self._logits = model, _traced(model)
        self.keras_model = _whole(model, self.centres)

    def tags_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the logits of `TAGS` over time: (frames, 96) → (steps, 50), float32."""
        return _in_blocks(self._logits, self._enough(frames))

    def tags_over_time(self, audio: np.ndarray) -> np.ndarray:
        """Return the logits of `TAGS` over a whole song, shape (steps, 50).

        ``1 / (1 + np.exp(-logit))`` is the network's probability that a listener would give the
        song that tag.

        Parameters
        ----------
        audio : np.ndarray, shape (samples,), float32
            At 16 kHz.
        """
        return self.tags_of_frames(log_mel(audio, self.sound))

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the genre over time of log-mel frames: (frames, 96) → (steps, 7)."""
        return genre_of_tags(self.tags_of_frames(frames), self.centres)

    def stepper(self) -> _Stepper:
        """Return the listener at the beginning of a song, to be fed with frames."""
        return _Stepper(self._model, self.centres)

    def tags_of_patches(self, patches: np.ndarray) -> np.ndarray:
        """Return the logits of `TAGS` for patches: (n, 187, 96) → (n, 50), float32, n ≥ 0."""
        logits = np.empty((len(patches), len(TAGS)), np.float32)
        for first in range(0, len(patches), _BLOCK):
            block = slice(first, first + _BLOCK)
            # As songs of one step.
            logits[block] = self._logits(np.ascontiguousarray(patches[block])).numpy()
        return logits


def embedding_extraction(data_dir: str | None = None) -> Extraction:
    """Return the extraction of what the listener makes of each patch, before it names tags.

    Parameters
    ----------
    data_dir : str, optional
        The data folder with the listener's files; see `load_listener`.
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
        listen = _embedding(data_dir)
    frames = log_mel(audio, SOUND)
    if len(frames) < PATCH:
        raise SongNetError(
            f"lasts less than the {PATCH * SOUND.hop / SOUND.sample_rate:.1f} s that the "
            "listener hears at a time. Use a longer clip."
        )
    return {"embedding": _in_blocks(listen, frames)}


_LOADING = threading.Lock()


@functools.lru_cache(maxsize=1)
def _embedding(data_dir: str | None) -> Callable[[np.ndarray], tf.Tensor]:
    return _traced(load_embedding_model(data_dir))


def _traced(model: keras.Model) -> Callable[[np.ndarray], tf.Tensor]:
    """Return the network as one graph for any number of clips and frames."""
    with quiet_stderr():
        import tensorflow as tf

    return tf.function(
        lambda frames: model(frames, training=False),
        input_signature=[tf.TensorSpec((None, None, SOUND.n_mels), tf.float32)],
    )


def _in_blocks(listen: Callable[[np.ndarray], tf.Tensor], frames: np.ndarray) -> np.ndarray:
    """Return what a network makes of each patch of a song, some patches at a time."""
    ends = range(PATCH, len(frames) + 1, STRIDE)
    blocks = [ends[first : first + _BLOCK] for first in range(0, len(ends), _BLOCK)]
    parts = [frames[block[0] - PATCH : block[-1]] for block in blocks]
    return np.concatenate([listen(part[None]).numpy() for part in parts])


def load_embedding_model(data_dir: str | os.PathLike[str] | None = None) -> keras.Model:
    """Return the listener up to what it makes of a patch: (clips, frames, 96) → (clips·steps, 200).

    Raises
    ------
    SongNetError
        When its files are missing or damaged.
    """
    return _up_to_embedding(_load_musicnn(data_dir))


def _up_to_embedding(model: keras.Model) -> keras.Model:
    with quiet_stderr():
        import keras

    return keras.Model(
        model.input, model.get_layer(_EMBEDDING_LAYER).output, name="musicnn_embedding"
    )


def _whole(model: keras.Model, centres: Mapping[str, float]) -> keras.Model:
    """Return the listener as one network, from frames to genres, with its embedding beside them.

    `genre_of_tags` as a layer: the dense layer of the genres' tags, the centres in its bias.
    """
    with quiet_stderr():
        import keras
        from keras import layers

        from songnet_utils.streaming.patches import Listening

    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    embedding = Listening(_up_to_embedding(model), PATCH, STRIDE, name="embedding")(frames)
    genre = layers.Dense(len(TAG_OF_GENRE), activation="softmax", name="genre_over_time")
    outputs = {"genre_over_time": genre(embedding)}
    outputs["genre"] = layers.GlobalAveragePooling1D(name="genre")(outputs["genre_over_time"])
    kernel, bias = (
        weights[..., _TAG_COLUMNS] for weights in model.get_layer("dense_1").get_weights()
    )
    genre.set_weights([kernel, bias - np.array([centres[genre] for genre in TAG_OF_GENRE])])
    return keras.Model(frames, {**outputs, "embedding": embedding}, name="musicnn")


class _Stepper:
    """Turns frames that come in pieces into genres."""

    def __init__(self, model: keras.Model, centres: Mapping[str, float]) -> None:
        from songnet_utils.streaming.patch_stream import PatchStream

        self._tags, self._centres = PatchStream(model, PATCH, STRIDE), centres

    def push(self, frames: np.ndarray, /) -> np.ndarray:
        return genre_of_tags(self._tags.push(frames), self._centres)


def load_musicnn(data_dir: str | os.PathLike[str] | None = None) -> Listener:
    """Return the pretrained listener.

    Parameters
    ----------
    data_dir
        The data folder; ``$SONGNET_DATA`` or ``data`` by default.

    Raises
    ------
    SongNetError
        When its files are missing or damaged.
    """
    return Listener(_load_musicnn(data_dir))


def _load_musicnn(data_dir: str | os.PathLike[str] | None) -> keras.Model:
    folder = musicnn_folder(data_dir)
    if not musicnn_is_whole(data_dir):
        state = "is not whole" if folder.exists() else "is not there"
        raise SongNetError(
            f"{folder}: the pretrained listener {state}. Run `songnet fetch musicnn` first."
        )
    model = build_musicnn()
    read_checkpoint(model, folder)
    return model


def build_musicnn() -> keras.Model:
    """Return the network of the paper, with random weights.

    Returns
    -------
    keras.Model
        Input (clips, frames, 96): natural-logarithmic mel frames of `SOUND`. Output
        (clips·steps, 50): logits of `TAGS` for each patch of 187 frames, every 31, clip by clip.
        Layers with weights bear the names of the checkpoint.

    Notes
    -----
    The published network hears a patch with zeros around it, so that the convolutions over the
    frames give 187 rows again. Most of these rows see no zeros and are the same numbers in each of
    the patches they are in: they are computed once for all frames. Only the rows at a patch's ends
    are computed for each patch.
    """
    with quiet_stderr():
        import keras
        from keras import layers

        from songnet_utils.streaming.patches import Patches

    def batch_norm(number: int) -> keras.Layer:
        return layers.BatchNormalization(
            epsilon=1e-3, name=_numbered("batch_normalization", number)
        )

    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    # ln(mel) → log10(1 + 10000·mel)
    x = layers.Rescaling(1.0, offset=math.log(10_000))(frames)
    x = layers.Activation("softplus")(x)
    x = layers.Rescaling(1 / math.log(10))(x)
    x = batch_norm(0)(layers.Reshape((-1, SOUND.n_mels, 1))(x))
    patches = Patches(PATCH, STRIDE)(x)

    # The musical front-end. Timbre: kernels 7 frames wide over 0.4 and 0.7 of the mel bands, slid
    # along both; the loudest position over the bands makes them blind to pitch. Rhythm: kernels
    # one band high and 32 to 128 frames (0.5 to 2 s) wide.
    parts = []
    for number, (filters, (width, bands)) in enumerate(
        [(204, (7, 38)), (204, (7, 67)), (51, (128, 1)), (51, (64, 1)), (51, (32, 1))]
    ):
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
            batch_norm(number + 1),
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
            functools.reduce(lambda rows, layer: layer(rows), work, rows)
            for rows in (first, x, last)
        )
        shared = Patches(inside, STRIDE)(shared)
        parts.append(layers.Concatenate(axis=1)([first, shared, last]))
    features = layers.Concatenate()(parts)

    # The mid-end: three convolutions over time, the second and third with a way around.
    levels = [features]
    for number in (5, 6, 7):
        y = layers.Conv1D(
            64, 7, padding="same", activation="relu", name=_numbered("conv2d", number)
        )(levels[-1])
        y = batch_norm(number + 1)(y)
        levels.append(y if number == 5 else layers.Add()([y, levels[-1]]))
    levels = layers.Concatenate()(levels)

    # The back-end: each feature's largest and mean value over the patch, side by side.
    pooled = [layers.GlobalMaxPooling1D()(levels), layers.GlobalAveragePooling1D()(levels)]
    pooled = [layers.Reshape((levels.shape[2], 1))(each) for each in pooled]
    x = batch_norm(9)(layers.Flatten()(layers.Concatenate()(pooled)))
    x = batch_norm(10)(layers.Dense(200, activation="relu", name="dense")(x))
    return keras.Model(frames, layers.Dense(len(TAGS), name="dense_1")(x), name="musicnn")


def read_checkpoint(model: keras.Model, folder: Path) -> None:
    """Read the published weights in `folder` into what `build_musicnn` gave."""
    with quiet_stderr():
        import tensorflow as tf

    # The checkpoint was saved under a prefix that ends in "/", which only this reader accepts.
    reader = tf.compat.v1.train.NewCheckpointReader(str(folder / "MSD_musicnn") + "/")
    for layer in model.layers:
        values = [
            # The mid-end's kernels are stored as (7, features, 1, filters), those of rhythm as
            # (width, 1, 1, filters).
            reader.get_tensor(f"{layer.name}/{weight.name}").reshape(weight.shape)
            for weight in layer.weights
        ]
        layer.set_weights(values)


def genre_of_tags(logits: np.ndarray, centres: Mapping[str, float]) -> np.ndarray:
    """Return the genre over time: (steps, 50) tag logits → (steps, genres), float32.

    The softmax, over the genres of `TAG_OF_GENRE`, of each tag's logit less its centre.
    """
    above = logits[:, _TAG_COLUMNS] - np.array([centres[genre] for genre in TAG_OF_GENRE])
    exponentials = np.exp(above - above.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def learn_centres(logits: Sequence[np.ndarray], genres: Sequence[str]) -> dict[str, float]:
    """Return the centres that clips give: genre → mean logit of its tag.

    Every genre among the clips has the same weight, as in fma_small itself, where each has 1,000
    clips: so few clips in hand may be uneven, the centre is an estimate of fma_small's mean.

    Parameters
    ----------
    logits : sequence of np.ndarray, each of shape (steps, 50)
        `Listener.tags_over_time` of each clip.
    genres : sequence of str
        The genre of each clip; also those without a tag.
    """
    if not len(logits) or len(logits) != len(genres):
        raise SongNetError(
            "centres need clips, each with its genre. "
            f"Got {len(logits)} clips and {len(genres)} genres"
        )
    clips = np.array([each[:, _TAG_COLUMNS].mean(axis=0) for each in logits], np.float64)
    labels = np.array(genres)
    means = [clips[labels == genre].mean(axis=0) for genre in sorted(set(genres))]
    return dict(zip(TAG_OF_GENRE, np.mean(means, axis=0).tolist(), strict=True))


def answers_without_artist(
    logits: Sequence[np.ndarray], genres: Sequence[str], artists: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Answer each clip with centres learnt on the clips of all other artists.

    Parameters
    ----------
    logits, genres
        As in `learn_centres`.
    artists : sequence of str
        The artist of each clip; one whose artist is not known needs a name of its own.

    Yields
    ------
    genre, answer, artist : str
        Of each clip whose genre has a tag, in order. Clips without (International) only help to
        learn the centres.
    """
    for clip, genre, artist in zip(logits, genres, artists, strict=True):
        if genre in TAG_OF_GENRE:
            others = [i for i, other in enumerate(artists) if other != artist]
            centres = learn_centres([logits[i] for i in others], [genres[i] for i in others])
            song = genre_of_tags(clip, centres).mean(axis=0)
            yield genre, tuple(TAG_OF_GENRE)[int(song.argmax())], artist


_TAG_COLUMNS = [TAGS.index(tag) for tag in TAG_OF_GENRE.values()]


def _numbered(name: str, number: int) -> str:
    """Return TensorFlow 1's name of the `number`-th layer of a kind."""
    return f"{name}_{number}" if number else name
