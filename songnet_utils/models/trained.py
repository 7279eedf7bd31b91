"""Networks once they are built: their weights, how they are saved and how they answer.

`SongNet` puts a network, its genres and its description of sound together. A run's ``model.onnx``
holds all of that and is what answers, so nobody who only asks waits for TensorFlow. Its
``model.keras``, which plain Keras reads, too, holds the layers: Keras starts when they are looked
into.
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

#: The least standard deviation that a mel band is divided by, in natural logarithms of power
#: (4.3 dB). A band that is empty in all training clips, as above an mp3's cut-off, would
#: otherwise turn another song's faintest sound there into a thunderclap.
LEAST_DEVIATION = 1.0

#: What the encoder of metadata is called inside ``model.keras``, which is a zip archive.
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


def set_weights(model: keras.Model, weights: list[np.ndarray]) -> None:
    """Put back what ``model.get_weights()`` returned."""
    model.set_weights(weights)
    # The centring layer computes with copies of its weights.
    model.get_layer("centring").finalize_state()


class SongNet(OnnxNetwork):
    """A trained network with everything needed to classify a song.

    Parameters
    ----------
    model : keras.Model
        With the outputs of `songnet`; free to look inside as `keras_model`. A network whose input
        is ``embedding`` stands on musicnn.
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

    # Where its model.keras lies, until somebody asks for it.
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
                f"The network takes {bands} mel bands and knows {answers} genres; its description "
                f"says {sound.n_mels} and {len(genres)}: they do not belong together."
            )
        described = Description(name, training_music, caution, tuple(genres), timeline)
        vars(self).update(vars(described))
        self.keras_model, self.encoder = model, encoder

    @functools.cached_property
    def _known(self) -> np.ndarray | None:
        """What it knows of a song unless `with_metadata` says more: nothing."""
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
        """The layers and their weights, read when somebody asks for them."""
        from songnet_utils.models.building import keras

        try:
            return keras.models.load_model(self._path, compile=False)
        except (zipfile.BadZipFile, OSError, KeyError, TypeError, ValueError) as error:
            raise _damaged(self._path, error) from error

    @functools.cached_property
    def session(self) -> onnxruntime.InferenceSession:
        """What answers, written from the layers where it is not read from a file."""
        from songnet_utils.models.onnx_export import onnx_of

        return open_session(onnx_of(self.keras_model).SerializeToString())

    def with_metadata(self, clip: pd.DataFrame) -> SongNet:
        """Return the same network with what is known of a song.

        Parameters
        ----------
        clip : pandas.DataFrame, one row
            Of the table of clips. A network without metadata returns itself.
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
        """Return a song's frames, and what is known of it, as the network takes them, by name."""
        known = {} if self._known is None else {"metadata": self._known}
        return {**super().inputs(frames), **known}

    def genre_over_time_of_frames(self, frames: np.ndarray, sound: Sound) -> np.ndarray:
        """Return the genre over time of frames that say how they were made.

        Raises
        ------
        SongNetError
            When they were made from another description of sound than the network's.
        """
        if sound != self.sound:
            raise SongNetError(
                f"{self.name}: the frames were made from {sound}, and {self.sound} is needed. "
                "Make them anew with log_mel(audio, network.sound)."
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

    The encoder of metadata, where there is one, is one more member of the archive, which plain
    Keras does not look at.
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
        f"{path}: is no network, or is damaged ({type(error).__name__}). Train it again."
    )
