"""SongNet, the paper's network, in Keras: build it, keep it, listen with it.

Frames go in, two named outputs come out: ``genre_over_time``, a row of genre probabilities every
eighth frame, and ``genre``, their mean over the song, which is what training compares with the
label. Three blocks of convolution over time, ReLU, max pooling and dropout lead there (Zhang,
Zhang & Chen 2018, "SongNet: Real-time Music Classification", figure 1).

Four things the paper does not say, and how they are done here:

- *Centring.* Log-mel with a fixed floor has a mean near −5 and another spread in each band. The
  first layer subtracts each band's mean and divides by its standard deviation, both measured on
  the training frames and kept with the weights. It is no part of the paper, and it looks at no
  other frame than its own.
- *Batch norm.* Each convolution's output is normalised over the batch, as in the network's direct
  ancestor (deepsound-project/genre-recognition, 2018); ``batch_norm=False`` leaves it out. It was
  chosen on validation clips of mini.
- *Padding.* All layers are "valid": padding would let zeros, or the song's end, into answers.
- *TimeDistributed.* A Keras ``Dense`` layer treats every step alike by itself, so it *is* the
  time-distributed layer of the paper. Wrapping it in ``TimeDistributed`` gives the same numbers
  in twice the time.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write
from songnet_utils.incremental import Stack
from songnet_utils.network import Network, Stepper
from songnet_utils.onnx_export import save_onnx as save_onnx
from songnet_utils.quiet import quiet_stderr
from songnet_utils.reach import timeline_of
from songnet_utils.timeline import Sound

with quiet_stderr():
    import keras
    import tensorflow as tf

# Its Python side warns of functions that Keras calls; nobody here can change them.
tf.get_logger().setLevel("ERROR")

#: The least standard deviation that a mel band is divided by, in natural logarithms of power
#: (4.3 dB). A band that is empty in all training clips, as above an mp3's cut-off, would
#: otherwise turn another song's faintest sound there into a thunderclap.
LEAST_SPREAD = 1.0

#: What the description is called inside ``model.keras``, which is a zip archive.
_DESCRIPTION = "songnet.json"


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
        The description of sound; only its number of mel bands shapes the network.
    genres : sequence of str
        At least two, in the order of the outputs.
    filters : int
        Convolution kernels in each block.
    kernel : int
        Inputs in time that a kernel sees.
    pool : int
        Inputs in time that become one by max pooling.
    blocks : int
        Convolution blocks.
    dropout : float
        Share of each block's outputs dropped in training, 0 to below 1.
    batch_norm : bool
        Normalise each convolution's output over the batch, as the network's ancestor
        (deepsound-project/genre-recognition, 2018) does. The paper does not say.
    seed : int
        The same seed gives the same weights.

    Returns
    -------
    keras.Model
        Input ``log_mel``, shape (clips, frames, n_mels), any number of frames; outputs
        ``{"genre_over_time": (clips, steps, genres), "genre": (clips, genres)}``.
    """
    check_genres(genres)
    layers = keras.layers
    random = keras.random.SeedGenerator(seed)

    def weights() -> keras.initializers.Initializer:
        # One number for each layer, drawn from the seed: layers of one shape start differently.
        return keras.initializers.GlorotUniform(
            seed=int(keras.random.randint((), 0, 2**31 - 1, seed=random))
        )

    frames = x = keras.Input((None, sound.n_mels), name="log_mel")
    x = layers.Normalization(axis=-1, name="centring")(x)
    for block in range(1, blocks + 1):
        x = layers.Conv1D(filters, kernel, kernel_initializer=weights(), name=f"conv_{block}")(x)
        if batch_norm:
            x = layers.BatchNormalization(momentum=0.9, name=f"batch_norm_{block}")(x)
        x = layers.ReLU(name=f"relu_{block}")(x)
        x = layers.MaxPooling1D(pool, name=f"pool_{block}")(x)
        x = layers.Dropout(dropout, seed=seed + block, name=f"dropout_{block}")(x)
    over_time = layers.Dense(
        len(genres), activation="softmax", kernel_initializer=weights(), name="genre_over_time"
    )(x)
    mean = layers.GlobalAveragePooling1D(name="genre")(over_time)
    return keras.Model(frames, {"genre_over_time": over_time, "genre": mean}, name="songnet")


def check_genres(genres: Sequence[str]) -> None:
    """Raise SongNetError unless there are at least two genres, each named once."""
    if isinstance(genres, str) or len(genres) < 2 or len(set(genres)) < len(genres):
        raise SongNetError(f"A network tells at least two different genres apart. Got {genres!r}")


def centre(model: keras.Model, mean: np.ndarray, spread: np.ndarray) -> None:
    """Set what the network's first layer subtracts and divides by.

    Parameters
    ----------
    model : keras.Model
        As `songnet` makes it.
    mean, spread : np.ndarray, shape (n_mels,)
        Mean and standard deviation of each mel band over the training frames. A spread below
        `LEAST_SPREAD` counts as `LEAST_SPREAD`.
    """
    layer = model.get_layer("centring")
    layer.adapt_mean.assign(np.asarray(mean, np.float32))
    layer.adapt_variance.assign(np.maximum(spread, LEAST_SPREAD).astype(np.float32) ** 2)
    layer.finalize_state()


def weights_of(model: keras.Model) -> list[np.ndarray]:
    """Return copies of what the network has learnt, in the order of its layers.

    Where the random numbers of dropout stand is no part of it.
    """
    return [np.array(variable.numpy()) for variable in _learnt(model)]


def set_weights(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Put back what `weights_of` returned."""
    for variable, value in zip(_learnt(model), weights, strict=True):
        variable.assign(value)
    # The centring layer computes with copies of its weights.
    model.get_layer("centring").finalize_state()


def _learnt(model: keras.Model) -> Iterator[keras.Variable]:
    for layer in model.layers:
        yield from layer.weights


def layers_over_time(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers from the frames to ``genre_over_time``, in order, without the input.

    Raises
    ------
    SongNetError
        When the network is not one chain of layers.
    """
    chain = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        chain.append(layer)
        if layer.name == "genre_over_time":
            return chain
    raise SongNetError("The network has no layer called genre_over_time: it is no SongNet.")


class SongNet(Network):
    """A trained network with everything needed to listen with it.

    Parameters
    ----------
    model : keras.Model
        With the outputs of `songnet`; free to look inside as `keras_model`.
    sound : Sound
        The description of sound it was trained on.
    genres : sequence of str
        In the order of its outputs.
    name, training_music, caution : str
        As in `Network`.
    """

    def __init__(
        self,
        model: keras.Model,
        sound: Sound,
        genres: Sequence[str],
        *,
        name: str = "SongNet",
        training_music: str = "",
        caution: str = "",
    ) -> None:
        check_genres(genres)
        bands, answers = model.input_shape[-1], model.get_layer("genre_over_time").units
        if (bands, answers) != (sound.n_mels, len(genres)):
            raise SongNetError(
                f"The network takes {bands} mel bands and knows {answers} genres; its description "
                f"says {sound.n_mels} and {len(genres)}: they do not belong together."
            )
        self.keras_model = model
        self.timeline = timeline_of(model, sound)
        self.genres = tuple(genres)
        self.name, self.training_music, self.caution = name, training_music, caution
        # What the genres are read from, step by step.
        self._hidden = tf.function(
            keras.Model(model.inputs, model.get_layer("genre_over_time").input),
            input_signature=[tf.TensorSpec((None, None, sound.n_mels), tf.float32)],
        )
        # Traced once for any number of frames: model.predict costs far more a song.
        self._answer = tf.function(
            lambda frames: model(frames, training=False)["genre_over_time"],
            input_signature=[tf.TensorSpec((None, None, sound.n_mels), tf.float32)],
        )

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the genre over time of log-mel frames, (frames, n_mels) → (steps, genres)."""
        frames = np.asarray(frames, np.float32)
        if frames.ndim != 2 or frames.shape[1] != self.sound.n_mels:
            raise SongNetError(
                f"{self.name} takes log-mel frames of shape (frames, {self.sound.n_mels}). "
                f"Got shape {frames.shape}"
            )
        return self._answer(self._enough(frames)[None]).numpy()[0]

    def embedding_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return what the network makes of frames just before it names genres.

        Parameters
        ----------
        frames : np.ndarray, shape (frames, n_mels), float32
            As for `genre_of_frames`.

        Returns
        -------
        np.ndarray, shape (steps, channels), float32
            What the last dense layer is given at each step. Songs whose means over the steps lie
            close together are alike to the network.
        """
        return self._hidden(self._enough(frames)[None]).numpy()[0]

    def genre_over_time_of_frames(self, frames: np.ndarray, sound: Sound) -> np.ndarray:
        """Return the genre over time of frames that say how they were made.

        Raises
        ------
        SongNetError
            When they were made from another description of sound than the network's.
        """
        check_sound(self.name, self.sound, sound)
        return self.genre_of_frames(frames)

    def stepper(self) -> Stepper:
        """Return a `Stepper` at the beginning of a song."""
        return Stack(self.keras_model, "genre_over_time")

    def description(self) -> dict[str, Any]:
        """Return what travels with the weights, fit for JSON."""
        return {
            "sound": self.sound.to_dict(),
            "genres": list(self.genres),
            "name": self.name,
            "training_music": self.training_music,
            "caution": self.caution,
        }


def check_sound(name: str, own: Sound, given: Sound) -> None:
    """Raise SongNetError unless frames of `given` are what `name` was trained on."""
    if own != given:
        mine, theirs = own.to_dict(), given.to_dict()
        differing = [
            f"{key} {theirs[key]} where {value} is needed"
            for key, value in mine.items()
            if theirs[key] != value
        ]
        raise SongNetError(
            f"{name}: the frames were made from another description of sound "
            f"({', '.join(differing)}). Make them anew with log_mel(audio, network.sound)."
        )


def save_keras(net: SongNet, path: str | Path) -> None:
    """Write the network and its description into one ``.keras`` file, whole or not at all.

    Plain Keras reads it too (``keras.models.load_model``); the description is one more member
    of the archive.
    """
    with atomic_write(path) as temporary:
        net.keras_model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_DESCRIPTION, json.dumps(net.description(), indent=1))


def load_keras(path: str | Path) -> SongNet:
    """Read what `save_keras` wrote.

    Raises
    ------
    SongNetError
        When there is no such file, it is damaged, or it is a network without a description.
    """
    path = Path(path)
    if not path.is_file():
        raise SongNetError(f"{path}: there is no such file. Train a network first: songnet train")
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read(_DESCRIPTION))
        model = keras.models.load_model(path, compile=False)
    except KeyError as error:
        raise SongNetError(
            f"{path}: is a network without its description of sound. "
            "Only networks made by songnet train can be used."
        ) from error
    except (zipfile.BadZipFile, json.JSONDecodeError, OSError, ValueError) as error:
        raise SongNetError(
            f"{path}: is no network, or is damaged ({type(error).__name__}). Train it again."
        ) from error
    return SongNet(
        model,
        Sound.from_dict(description["sound"]),
        description["genres"],
        name=description["name"],
        training_music=description["training_music"],
        caution=description["caution"],
    )


def load_songnet(run: str | Path) -> Network:
    """Return a network to listen with.

    Parameters
    ----------
    run
        The folder of a finished training run, a ``model.keras`` file, or ``"musicnn"`` for the
        pretrained listener.

    Raises
    ------
    SongNetError
        When there is no finished network there; it says how to get one.
    """
    if run == "musicnn":
        # Next door on the same floor, and not needed by those who trained their own.
        from songnet_utils.listener import load_listener

        return load_listener()
    path = Path(run)
    if path.suffix == ".keras":
        return load_keras(path)
    if not path.is_dir():
        raise SongNetError(f"{path}: there is no such folder. Train a network first: songnet train")
    record = path / "record.json"
    if not record.is_file():
        raise SongNetError(
            f"{path}: is not a finished run (it has no record.json). "
            "Start the same songnet train again: it goes on where it stopped."
        )
    if not (path / "model.keras").is_file():
        model = json.loads(record.read_text(encoding="utf-8")).get("model")
        raise SongNetError(
            f"{path}: its model, {model}, answers for whole clips and hears nothing over time. "
            "Choose the run of a network (model.keras)."
        )
    return load_keras(path / "model.keras")
