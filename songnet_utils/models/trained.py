"""Trained networks: their weights, their files and their answers.

`SongNet` combines a network, its genres and its description of sound. A run's ``model.onnx`` has
all of these and gives the answers, so answers do not wait for TensorFlow. Its ``model.keras``,
which plain Keras can read, too, has the layers; Keras starts only when you use them.
"""

from __future__ import annotations

import copy
import functools
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.audio.sound import Sound
from songnet_utils.models.onnx_network import (
    BUILT_IN,
    Description,
    OnnxNetwork,
    description_of,
    open_session,
    read_description,
)
from songnet_utils.streaming.network import Stepper
from songnet_utils.streaming.receptive_field import timeline_of

if TYPE_CHECKING:
    import keras
    import onnxruntime
    import pandas as pd
    from sklearn.compose import ColumnTransformer

#: The smallest divisor of a mel band, in natural logarithms of power (4.3 dB). Otherwise, if a band
#: is empty in all training clips, as above an mp3's cut-off, another song's faintest sound there
#: would become a thunderclap.
LEAST_DEVIATION = 1.0

#: The name of the encoder of metadata inside ``model.keras``, which is a zip archive.
_ENCODER = "metadata.skops"


def centre(
    model: keras.Model, mean: np.ndarray, deviation: np.ndarray, least: float = LEAST_DEVIATION
) -> None:
    """Set the mean and the deviation of the network's first layer.

    Parameters
    ----------
    model : keras.Model
        As from `songnet`.
    mean, deviation : np.ndarray, shape (n_mels,)
        Mean and standard deviation of each mel band over the training frames.
    least : float
        The smallest deviation; smaller ones are raised to it.
    """
    layer = model.get_layer("centring")
    layer.adapt_mean.assign(np.asarray(mean, np.float32))
    layer.adapt_variance.assign(np.maximum(deviation, least).astype(np.float32) ** 2)
    layer.finalize_state()


def given_to(model: keras.Model, inputs: Mapping[str, Any]) -> Any:
    """Return named inputs in the network's form: one by itself, several in its order."""
    ordered = [inputs[tensor.name] for tensor in model.inputs]
    return ordered if len(ordered) > 1 else ordered[0]


def set_weights(model: keras.Model, weights: list[np.ndarray]) -> None:
    """Restore the weights from ``model.get_weights()``."""
    model.set_weights(weights)
    # The centring layer computes with copies of its weights.
    model.get_layer("centring").finalize_state()


class SongNet(OnnxNetwork):
    """A trained network with everything needed to classify a song.

    Parameters
    ----------
    model : keras.Model
        With the outputs of `songnet`; see `keras_model`. A network whose input is ``embedding``
        works on musicnn.
    sound : Sound
        The description of sound that it was trained on.
    genres : sequence of str
        In the order of its outputs.
    name, training_music, caution : str
        As in `Network`.
    encoder : sklearn.compose.ColumnTransformer, optional
        Turns a song's metadata into the numbers of the network's second input, ``metadata``
        (`songnet_utils.features.metadata.fit_encoder`).
    """

    # The path of its model.keras, until the layers are needed.
    _path: Path

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
        from songnet_utils.models.building import check_genres

        check_genres(genres)
        self._is_on_musicnn = model.inputs[0].name == "embedding"
        if self._is_on_musicnn:
            timeline = read_description(BUILT_IN / "musicnn.onnx").timeline
            bands = timeline.sound.n_mels
        else:
            timeline = timeline_of(model, sound)
            bands = model.inputs[0].shape[-1]
        answers = model.get_layer("genre_over_time").units
        if (bands, answers) != (sound.n_mels, len(genres)):
            raise SongNetError(
                f"The network has {bands} mel bands and {answers} genres, but its description "
                f"has {sound.n_mels} and {len(genres)}. They do not match."
            )
        described = Description(name, training_music, caution, tuple(genres), timeline)
        vars(self).update(vars(described))
        self.keras_model, self.encoder = model, encoder

    @functools.cached_property
    def _known(self) -> np.ndarray | None:
        """The metadata of an unknown song, which `with_metadata` replaces."""
        if self.encoder is None:
            return None
        from songnet_utils.features.metadata import encode, unknown

        return encode(self.encoder, unknown())

    @classmethod
    def of_run(cls, folder: Path) -> SongNet:
        """Return the network of a run's folder without starting Keras; see `load_songnet`."""
        session = open_session(folder / "model.onnx")
        net = cls.__new__(cls)
        net._path = folder / "model.keras"
        vars(net).update(vars(description_of(session, folder / "model.onnx")))
        takes_metadata = len(session.get_inputs()) > 1
        net.encoder = _read_encoder(net._path) if takes_metadata else None
        net.session = session
        net._is_on_musicnn = bool(net.shared_rows)
        return net

    @functools.cached_property
    def keras_model(self) -> keras.Model:
        """The layers and their weights, which are read at the first use."""
        from songnet_utils.models.building import keras

        try:
            return keras.models.load_model(self._path, compile=False)
        except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as error:
            raise _damaged(self._path, error) from error

    @functools.cached_property
    def session(self) -> onnxruntime.InferenceSession:
        """The network in ONNX Runtime, from its file or exported from the layers."""
        from songnet_utils.models.onnx_export import onnx_of

        return open_session(onnx_of(self.keras_model).SerializeToString())

    def with_metadata(self, clip: pd.DataFrame) -> SongNet:
        """Return the same network with a song's metadata.

        Parameters
        ----------
        clip : pandas.DataFrame, one row
            A row of the table of clips. A network without metadata returns itself.
        """
        if self.encoder is None:
            return self
        from songnet_utils.features.metadata import encode, metadata

        # What answers is the same for both.
        self.session  # noqa: B018
        other = copy.copy(self)
        other._known = encode(self.encoder, metadata(clip))
        return other

    def inputs(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's inputs, a song's frames and its metadata, by name."""
        known = {} if self._known is None else {"metadata": self._known}
        return {**super().inputs(frames), **known}

    def genre_over_time_of_frames(self, frames: np.ndarray, sound: Sound) -> np.ndarray:
        """Return the genre over time of frames with a description of sound.

        Raises
        ------
        SongNetError
            When it is not the network's description of sound.
        """
        if sound != self.sound:
            raise SongNetError(
                f"{self.name}: the frames were made with {sound}, but the network needs "
                f"{self.sound}. Compute them again with log_mel(audio, network.sound)."
            )
        return self.genre_of_frames(frames)

    def stepper(self) -> Stepper:
        """Return a `Stepper` at the beginning of a song."""
        if self._is_on_musicnn:
            return super().stepper()
        from songnet_utils.streaming.stateful import Stack

        known = None if self._known is None else {"metadata": self._known[0]}
        return Stack(self.keras_model, "genre_over_time", known)


def save_keras(net: SongNet, path: str | Path) -> None:
    """Write the network's layers into a ``.keras`` file, whole or not at all.

    The encoder of metadata, if there is one, is an extra member of the archive, which plain Keras
    ignores.
    """
    with atomic_write(path) as temporary:
        net.keras_model.save(temporary)
        if net.encoder is not None:
            from songnet_utils.features.metadata import encoder_to_bytes

            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(_ENCODER, encoder_to_bytes(net.encoder))


def _read_encoder(path: Path) -> ColumnTransformer:
    from songnet_utils.features.metadata import encoder_from_bytes

    try:
        with zipfile.ZipFile(path) as archive:
            return encoder_from_bytes(archive.read(_ENCODER))
    except (zipfile.BadZipFile, OSError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> SongNetError:
    return SongNetError(
        f"{path}: is not a network, or is damaged ({type(error).__name__}). Train it again."
    )
