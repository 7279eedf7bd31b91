"""A network in an ONNX file: its description, and its answers without TensorFlow.

The description is in the file's metadata, with strings as entries: ``name``, ``training_music`` and
``caution`` as in `songnet_utils.streaming.network.Network`, ``genres`` (a list, in JSON),
``sound`` (from `songnet_utils.audio.sound.Sound.to_dict`) and ``receptive_field``
(``size``, ``stride`` and ``past`` as in `songnet_utils.streaming.timeline.ReceptiveField`;
``past`` is null for a network that remembers the song from its beginning).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.network import Network, Stepper
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

if TYPE_CHECKING:
    import onnxruntime

#: The folder of the networks that come with the project.
BUILT_IN = Path(__file__).parent / "networks"
BUILT_IN_NAMES = ("musicnn", "songnet-mini")

# Frames to process at once; more would need memory and save no time.
_BLOCK = 512


@dataclass(frozen=True)
class Description:
    """The facts about a network that you need before you use it.

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
        From `songnet_utils.streaming.network.Network.description`.
    field : ReceptiveField
        The network's receptive field, in frames.
    """
    past = None if math.isinf(field.past) else field.past
    frames = {"size": field.size, "stride": field.stride, "past": past}
    for key, value in {**description, "receptive_field": frames}.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value)


def open_session(source: str | Path | bytes) -> onnxruntime.InferenceSession:
    """Return an ONNX file, or its content, ready to run.

    Raises
    ------
    SongNetError
        When there is no such file, or ONNX Runtime cannot run it.
    """
    # Set before the import, this stops ONNX Runtime from reporting to its makers.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    # On Windows, only this call does.
    onnxruntime.disable_telemetry_events()
    if not isinstance(source, bytes) and not Path(source).is_file():
        raise SongNetError(f"{source}: there is no such file. Check the name.")
    options = onnxruntime.SessionOptions()
    # Several songs run at once, and a single step is too small to divide between threads.
    options.intra_op_num_threads = 1
    # Log errors only, because the runtime warns about inputs with a default.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(source, options)
    # What ONNX Runtime raises has no base class of its own.
    except Exception as error:
        raise SongNetError(
            f"{source!s:.200}: is not an ONNX file, or is damaged ({type(error).__name__}). "
            "Export it again."
        ) from error


def read_description(path: str | Path) -> Description:
    """Return the description of the network in an ONNX file.

    Raises
    ------
    SongNetError
        When there is no such file, it is damaged, or its network has no description.
    """
    return description_of(open_session(path), path)


def description_of(session: onnxruntime.InferenceSession, path: str | Path) -> Description:
    """Return the description of the network in an open ONNX file; see `read_description`."""
    entries = session.get_modelmeta().custom_metadata_map
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
            f"{path}: has no description of the network (genres, description of sound and "
            f"receptive field; {type(error).__name__}: {error}). Choose a network that songnet "
            f"train exported, or describe a tagger in {Path(path).stem}.json beside it."
        ) from error


class OnnxNetwork(Network):
    """A network that runs in ONNX Runtime.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Its input is ``log_mel``, (clips, frames, n_mels); its outputs are ``genre_over_time``,
        (clips, steps, genres), and ``embedding``, (clips, steps, channels). Rows that overlapping
        windows share are an input with a default, ``rows_…``, and an output ``rows_…_next``; see
        `WindowStepper`.
    described : Description
        Its description.
    """

    session: onnxruntime.InferenceSession

    def __init__(self, session: onnxruntime.InferenceSession, described: Description) -> None:
        self.session = session
        vars(self).update(vars(described))

    @classmethod
    def load(cls, path: str | Path) -> OnnxNetwork:
        """Return the network in a file that describes itself; see `read_description`."""
        session = open_session(path)
        return cls(session, description_of(session, path))

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the genre over time of log-mel frames, (frames, n_mels) → (steps, genres)."""
        return self._rows(frames, "genre_over_time")

    def embedding_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the network's embedding of frames, the input of its last layer.

        Parameters
        ----------
        frames : np.ndarray, shape (frames, n_mels), float32
            As for `genre_of_frames`.

        Returns
        -------
        np.ndarray, shape (steps, channels), float32
            The input of the last dense layer at each step. Songs are similar to the network if
            their means over the steps are close.
        """
        return self._rows(frames, "embedding")

    def stepper(self) -> Stepper:
        """Return a `Stepper` at the beginning of a song."""
        return WindowStepper(self, "genre_over_time")

    @property
    def shared_rows(self) -> Sequence[str]:
        """The names of the inputs for rows that overlapping windows share."""
        given = (value.name for value in self.session.get_overridable_initializers())
        return [name for name in given if name.startswith("rows_")]

    @property
    def steps_at_once(self) -> int:
        """The best number of steps to compute at once."""
        return max(1, _BLOCK // self.timeline.field.stride)

    def inputs(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """Return the network's inputs for a song's frames, by name."""
        return {"log_mel": frames[None]}

    def ask(
        self, frames: np.ndarray, outputs: Sequence[str], rows: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """Return outputs for a song's frames, each with an axis for the single clip."""
        return self.session.run(outputs, {**self.inputs(frames), **rows})

    def _rows(self, frames: np.ndarray, output: str) -> np.ndarray:
        frames = np.asarray(frames, np.float32)
        if frames.ndim != 2 or frames.shape[1] != self.sound.n_mels:
            raise SongNetError(
                f"{self.name} needs log-mel frames of shape (frames, {self.sound.n_mels}). "
                f"Got shape {frames.shape}"
            )
        self._enough(frames)
        if self.timeline.field.past > 0:
            return self.ask(frames, [output], {})[0][0]
        return WindowStepper(self, output).push(frames)


class WindowStepper:
    """Runs a network whose steps see a window of frames, and stores the frames of later windows.

    If the network outputs them, rows that overlapping windows share pass from one call to the next.
    They depend on frames alone, with one row per frame from the first window's start.

    Parameters
    ----------
    net : OnnxNetwork
        The network.
    output : str
        The name of the output.
    """

    def __init__(self, net: OnnxNetwork, output: str) -> None:
        self._net, self._outputs = net, [output]
        self._frames = np.empty((0, net.sound.n_mels), np.float32)
        self._shared = net.shared_rows
        self._outputs += [f"{name}_next" for name in self._shared]
        self._rows: dict[str, np.ndarray] = {}

    def push(self, frames: np.ndarray, /) -> np.ndarray:
        """Take frames (n, n_mels), and return the steps that they complete."""
        field = self._net.timeline.field
        frames = np.concatenate([self._frames, frames])
        steps = field.outputs_of_inputs(len(frames))
        answers = []
        while steps:
            count = min(self._net.steps_at_once, steps)
            part = frames[: field.stride * (count - 1) + field.size]
            answer, *rows = self._net.ask(part, self._outputs, self._rows)
            answers.append(answer[0])
            gone = field.stride * count
            self._rows = {
                name: row[..., gone:] for name, row in zip(self._shared, rows, strict=True)
            }
            frames, steps = frames[gone:], steps - count
        # Copy the tail, so that it does not keep a long piece in memory.
        self._frames = frames.copy()
        if not answers:
            return np.empty((0, len(self._net.genres)), np.float32)
        return np.concatenate(answers)
