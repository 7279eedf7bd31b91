"""Networks once they are built: their weights, how they are saved and how they answer.

`SongNet` puts a network, its genres and its description of sound together. ``model.keras`` holds
all of that in one file that plain Keras reads, too; ``model.onnx`` runs without TensorFlow.
"""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.audio.sound import Sound
from songnet_utils.features.metadata import (
    encode,
    encoder_from_bytes,
    encoder_to_bytes,
    metadata,
    unknown,
)
from songnet_utils.models.building import check_genres, keras, tf
from songnet_utils.streaming.network import Network, Stepper
from songnet_utils.streaming.patches import PerPatch
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.stateful import Stack

#: The least standard deviation that a mel band is divided by, in natural logarithms of power
#: (4.3 dB). A band that is empty in all training clips, as above an mp3's cut-off, would
#: otherwise turn another song's faintest sound there into a thunderclap.
LEAST_DEVIATION = 1.0

#: What the description, and the encoder of metadata, are called inside ``model.keras``, which is a
#: zip archive.
_DESCRIPTION = "songnet.json"
_ENCODER = "metadata.skops"


def centre(
    model: keras.Model, mean: np.ndarray, deviation: np.ndarray, least: float = LEAST_DEVIATION
) -> None:
    """Set what the network's first layer subtracts and divides by.

    Parameters
    ----------
    model : keras.Model
        As `songnet` makes it.
    mean, deviation : np.ndarray, shape (n_mels,)
        Mean and standard deviation of each mel band over the training frames.
    least : float
        A smaller deviation counts as this.
    """
    layer = model.get_layer("centring")
    layer.adapt_mean.assign(np.asarray(mean, np.float32))
    layer.adapt_variance.assign(np.maximum(deviation, least).astype(np.float32) ** 2)
    layer.finalize_state()


def given_to(model: keras.Model, inputs: Mapping[str, Any]) -> Any:
    """Return named inputs as the network takes them: one by itself, several in its order."""
    ordered = [inputs[tensor.name] for tensor in model.inputs]
    return ordered if len(ordered) > 1 else ordered[0]


def weights_of(model: keras.Model) -> list[np.ndarray]:
    """Return copies of what the network has learnt, in the order of its layers.

    Where the random numbers of dropout stand is no part of it.
    """
    return [np.array(variable.numpy()) for variable in variables_of(model)]


def set_weights(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Put back what `weights_of` returned."""
    for variable, value in zip(variables_of(model), weights, strict=True):
        variable.assign(value)
    # The centring layer computes with copies of its weights.
    model.get_layer("centring").finalize_state()


def variables_of(model: keras.Model) -> list[keras.Variable]:
    """Return what is learnt or measured in training, in the order of `weights_of`."""
    return [variable for layer in model.layers for variable in layer.weights]


class SongNet(Network):
    """A trained network with everything needed to classify a song.

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
    encoder : sklearn.compose.ColumnTransformer, optional
        Turns what is known of a song into the numbers that the network's second input,
        ``metadata``, takes (`songnet_utils.features.metadata.fit_encoder`).
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
        encoder: ColumnTransformer | None = None,
    ) -> None:
        check_genres(genres)
        bands = model.get_layer("log_mel").batch_shape[-1]
        answers = model.get_layer("genre_over_time").units
        if (bands, answers) != (sound.n_mels, len(genres)):
            raise SongNetError(
                f"The network takes {bands} mel bands and knows {answers} genres; its description "
                f"says {sound.n_mels} and {len(genres)}: they do not belong together."
            )
        self.keras_model = model
        self.timeline = timeline_of(model, sound)
        self.genres = tuple(genres)
        self.name, self.training_music, self.caution = name, training_music, caution
        self.encoder = encoder
        self._patches = any(isinstance(layer, PerPatch) for layer in model.layers)
        # What it knows of a song unless `with_metadata` says more: nothing.
        self._known = None if encoder is None else encode(encoder, unknown())

        # Traced once for any number of frames: model.predict costs far more a song.
        last = model.get_layer("genre_over_time")
        both = keras.Model(model.input, {"genres": last.output, "embedding": last.input})
        signature = {tensor.name: tf.TensorSpec(tensor.shape, tf.float32) for tensor in both.inputs}
        self._answer = tf.function(
            lambda inputs: both(given_to(both, inputs), training=False),
            input_signature=[signature],
        )

    def with_metadata(self, clip: pd.DataFrame) -> SongNet:
        """Return the same network with what is known of a song.

        Parameters
        ----------
        clip : pandas.DataFrame, one row
            Of the table of clips. A network without metadata returns itself.
        """
        if self.encoder is None:
            return self
        other = copy.copy(self)
        other._known = encode(self.encoder, metadata(clip))
        return other

    def inputs(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Return a song's frames, and what is known of it, as the network takes them, by name."""
        inputs = {"log_mel": self._enough(frames)[None]}
        if self._known is not None:
            inputs["metadata"] = self._known
        return inputs

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the genre over time of log-mel frames, (frames, n_mels) → (steps, genres)."""
        return self._rows(frames, "genres")

    def embedding_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return what the network computes from frames just before it names genres.

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
        return self._rows(frames, "embedding")

    def _rows(self, frames: np.ndarray, what: str) -> np.ndarray:
        frames = np.asarray(frames, np.float32)
        if frames.ndim != 2 or frames.shape[1] != self.sound.n_mels:
            raise SongNetError(
                f"{self.name} takes log-mel frames of shape (frames, {self.sound.n_mels}). "
                f"Got shape {frames.shape}"
            )
        inputs = self.inputs(frames)
        if not self._patches:
            return self._answer(inputs)[what].numpy()[0]
        # Patches of a whole song at once would take too much memory.
        last = self.keras_model.get_layer("genre_over_time")
        if what == "embedding":
            last = last.input._keras_history[0]
        return Stack(self.keras_model, last.name).push(frames)

    def genre_over_time_of_frames(self, frames: np.ndarray, sound: Sound) -> np.ndarray:
        """Return the genre over time of frames that say how they were made.

        Raises
        ------
        SongNetError
            When they were made from another description of sound than the network's.
        """
        own, given = self.sound.to_dict(), sound.to_dict()
        differing = [
            f"{key} {given[key]} where {value} is needed"
            for key, value in own.items()
            if given[key] != value
        ]
        if differing:
            raise SongNetError(
                f"{self.name}: the frames were made from another description of sound "
                f"({', '.join(differing)}). Make them anew with log_mel(audio, network.sound)."
            )
        return self.genre_of_frames(frames)

    def stepper(self) -> Stepper:
        """Return a `Stepper` at the beginning of a song."""
        known = None if self._known is None else {"metadata": self._known[0]}
        return Stack(self.keras_model, "genre_over_time", known)


def save_keras(net: SongNet, path: str | Path) -> None:
    """Write the network and its description into one ``.keras`` file, whole or not at all.

    Plain Keras reads it too (``keras.models.load_model``); the description is one more member
    of the archive.
    """
    with atomic_write(path) as temporary:
        net.keras_model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_DESCRIPTION, json.dumps(net.description(), indent=1))
            if net.encoder is not None:
                archive.writestr(_ENCODER, encoder_to_bytes(net.encoder))


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
            has_encoder = _ENCODER in archive.namelist()
            encoder = encoder_from_bytes(archive.read(_ENCODER)) if has_encoder else None
        model = keras.models.load_model(path, compile=False)
    except KeyError as error:
        raise SongNetError(
            f"{path}: is a network without its description of sound. "
            "Only networks made by songnet train can be used."
        ) from error
    except (zipfile.BadZipFile, json.JSONDecodeError, OSError, TypeError, ValueError) as error:
        raise SongNetError(
            f"{path}: is no network, or is damaged ({type(error).__name__}). Train it again."
        ) from error
    sound = Sound.from_dict(description.pop("sound"))
    return SongNet(model, sound, encoder=encoder, **description)
