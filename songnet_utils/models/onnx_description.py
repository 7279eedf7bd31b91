"""What an ONNX file says of the network in it: read without TensorFlow.

The description is in the file's metadata, each entry a text: ``name``, ``training_music`` and
``caution`` as in `songnet_utils.streaming.network.Network`, ``genres`` (a list, in JSON),
``sound`` (as `songnet_utils.audio.sound.Sound.to_dict` gives it) and ``receptive_field``
(``size``, ``stride`` and ``past`` as in `songnet_utils.streaming.timeline.ReceptiveField`;
``past`` is null for a network that remembers the song from its beginning).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

#: The folder of the networks that come with the project.
BUILT_IN = Path(__file__).parent / "networks"


@dataclass(frozen=True)
class Description:
    """What has to be known of a network before it is used.

    Parameters
    ----------
    name, training_music, caution, genres, timeline
        As in `songnet_utils.streaming.network.Network`.
    """

    name: str
    training_music: str
    caution: str
    genres: tuple[str, ...]
    timeline: Timeline


def describe(proto: Any, description: Mapping[str, Any], field: ReceptiveField) -> None:
    """Put a description into an ``onnx.ModelProto``.

    Parameters
    ----------
    proto : onnx.ModelProto
        The network.
    description : mapping of str to str, list or dict
        As `songnet_utils.streaming.network.Network.description` gives it.
    field : ReceptiveField
        The network's, in frames.
    """
    past = None if math.isinf(field.past) else field.past
    frames = {"size": field.size, "stride": field.stride, "past": past}
    for key, value in {**description, "receptive_field": frames}.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)


def read_description(path: str | Path) -> Description:
    """Return what an ONNX file says of the network in it.

    Raises
    ------
    SongNetError
        When there is no such file, it is damaged, or it is a network without a description.
    """
    import onnx

    path = Path(path)
    try:
        proto = onnx.load(path, load_external_data=False)
    except FileNotFoundError as error:
        raise SongNetError(f"{path}: there is no such file. Train a network first.") from error
    # What protobuf raises for damaged bytes has no name in onnx.
    except Exception as error:
        raise SongNetError(
            f"{path}: is no ONNX file, or is damaged ({type(error).__name__}). Export it again."
        ) from error
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    try:
        frames = json.loads(entries["receptive_field"])
        past = math.inf if frames["past"] is None else frames["past"]
        field = ReceptiveField(frames["size"], frames["stride"], past)
        return Description(
            name=entries["name"],
            training_music=entries["training_music"],
            caution=entries["caution"],
            genres=tuple(json.loads(entries["genres"])),
            timeline=Timeline(Sound.from_dict(json.loads(entries["sound"])), field),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SongNetError(
            f"{path}: does not say what is to be known of the network: its genres, its "
            f"description of sound and its receptive field ({type(error).__name__}: {error}). "
            "Only networks exported by songnet train can be used."
        ) from error
