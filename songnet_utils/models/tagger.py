"""Your own tagger: ``TAGGER.onnx``, with its description in ``TAGGER.json`` beside it.

::

    {"name": "My tagger", "training_music": "10,000 songs of my own", "caution": "",
     "rate": 16000, "window": 48000, "hop": 8000,
     "input": "waveform",
     "output": "sigmoid", "labels": ["rock music", "folk music", "speech"],
     "genres": {"rock music": "Rock", "folk music": "Folk"}}

``rate`` is in samples per second; ``window`` (the sound for one answer) and ``hop`` (from window
to window) are in samples. ``input`` is ``"waveform"``, full scale ±1, or describes log-mel frames:
``{"n_fft": 512, "hop": 256, "n_mels": 96, "gain": 10000, "offset": 1, "factor": 0.4343}`` with
``factor · ln(gain · mel power + offset) + bias`` in each band (by default 1, 1, 0 and 0);
``window`` and ``hop`` are then whole numbers of frames. ``labels`` lists all outputs in order;
``genres`` maps some of them to genres. ``output`` is the kind of the network's outputs:
``"logits"``, ``"sigmoid"`` (each label's own probability) or ``"softmax"`` (with sum 1).

From labels to genres: take each label's logit, minus its entry in ``centres`` if there are any (the
logits of an average clip; without them, labels that are rare in the training music would hardly
ever win), then the largest of each genre's labels, and the softmax of these.

The network has one input, (windows, samples) or (windows, frames, n_mels), and gets one window at a
time; one of its outputs is (windows, labels).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import logit, softmax

from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils.audio.sound import Sound, Waveform
from songnet_utils.models.onnx_network import Description, OnnxNetwork, open_session
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

_NEEDED = {
    **{"name": str, "training_music": str, "rate": int, "window": int, "hop": int},
    **{"input": (str, dict), "output": str, "labels": list, "genres": dict},
}
_OPTIONAL = {"caution": str, "centres": dict}
_FRAMES = {"n_fft": int, "hop": int, "n_mels": int}
_SCALE = {"gain": 1.0, "offset": 0.0, "factor": 1.0, "bias": 0.0}

# The functions from a network's outputs to logits.
_LOGITS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "logits": lambda given: given,
    "sigmoid": lambda given: logit(np.clip(given, 1e-12, 1 - 1e-6)),
    "softmax": lambda given: np.log(np.maximum(given, 1e-12)),
}


def load_onnx(path: str | Path) -> OnnxNetwork:
    """Return the network in an ONNX file with a description, in the file or beside it.

    Raises
    ------
    SongNetError
        When it cannot be read or run, or its description is incomplete.
    """
    beside = Path(path).with_suffix(".json")
    return Tagger(path, beside) if beside.is_file() else OnnxNetwork.load(path)


class Tagger(OnnxNetwork):
    """A network that labels windows of sound, used as genre over time.

    Parameters
    ----------
    path : path
        The ONNX file.
    description : path
        The JSON file.

    Raises
    ------
    SongNetError
        When one of them cannot be read, or they do not match.
    """

    steps_at_once = 16
    shared_rows = ()

    def __init__(self, path: str | Path, description: str | Path) -> None:
        self._path = Path(description)
        told = self._read()
        super().__init__(open_session(path), self._describe(told))
        (self._input, *others) = self.session.get_inputs()
        if others:
            raise SongNetError(f"{path}: has {1 + len(others)} inputs, but a tagger has one.")
        self._labels = len(told["labels"])
        self._logits = _LOGITS[told["output"]]
        # For each genre, the columns of its labels and their centres.
        self._columns = [
            [told["labels"].index(label) for label, of in told["genres"].items() if of == genre]
            for genre in self.genres
        ]
        self._centres = np.zeros(self._labels, np.float32)
        for label, centre in told.get("centres", {}).items():
            self._centres[told["labels"].index(label)] = centre
        self._scale = None
        if isinstance(told["input"], dict):
            self._scale = [np.float32(told["input"].get(key, _SCALE[key])) for key in _SCALE]
        # A first answer, for silence, shows whether file and description match.
        shape = (self.timeline.field.size, self.sound.n_mels)
        level = 0 if self._scale is None else np.log(self.sound.floor)
        self.ask(np.full(shape, level, np.float32), [], {})

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise self._wrong(f"cannot be read ({error})") from error
        self._check(told, _NEEDED, _OPTIONAL)
        if isinstance(told["input"], dict):
            self._check(told["input"], _FRAMES, dict.fromkeys(_SCALE, (int, float)), "input: ")
        elif told["input"] != "waveform":
            raise self._wrong('"input" must be "waveform" or the description of log-mel frames')
        if told["output"] not in _LOGITS:
            raise self._wrong(f'"output" must be one of {", ".join(_LOGITS)}')
        for key in ("genres", "centres"):
            for label in told.get(key, {}):
                if label not in told["labels"]:
                    guess = did_you_mean(label, told["labels"])
                    raise self._wrong(f'"{key}" names {label!r}, which is not a label.{guess}')
        if len(set(told["genres"].values())) < 2:
            raise self._wrong('"genres" must name at least two different genres')
        return told

    def _check(
        self, told: Any, needed: Mapping[str, Any], optional: Mapping[str, Any], where: str = ""
    ) -> None:
        kinds = {**needed, **optional}
        if not isinstance(told, dict):
            raise self._wrong(f"{where}is not a JSON object")
        if missing := [key for key in needed if key not in told]:
            raise self._wrong(f"{where}lacks {', '.join(missing)}")
        for key, value in told.items():
            if key not in kinds:
                raise self._wrong(f"{where}{key!r} is not an entry.{did_you_mean(key, kinds)}")
            if not isinstance(value, kinds[key]) or (kinds[key] is int and value < 1):
                raise self._wrong(f"{where}{key!r} cannot be {value!r}")

    def _describe(self, told: Mapping[str, Any]) -> Description:
        size, stride = told["window"], told["hop"]
        sound: Sound = Waveform(sample_rate=told["rate"])
        if isinstance(told["input"], dict):
            frames = {key: told["input"][key] for key in _FRAMES}
            sound = Sound(sample_rate=told["rate"], floor=1e-10, **frames)
            if size % sound.hop or stride % sound.hop:
                raise self._wrong(
                    f'"window" and "hop" must be whole numbers of frames, multiples of {sound.hop}'
                )
            size, stride = size // sound.hop, stride // sound.hop
        if stride > size:
            raise self._wrong('"hop" must be at most "window", so that every sample is in one')
        return Description(
            told["name"],
            told["training_music"],
            told.get("caution", ""),
            tuple(sorted(set(told["genres"].values()))),
            Timeline(sound, ReceptiveField(size, stride)),
        )

    def _wrong(self, why: str) -> SongNetError:
        return SongNetError(
            f"{self._path}: {why}. See the description of a tagger in docs/commands.md."
        )

    def ask(
        self, frames: np.ndarray, outputs: Sequence[str], rows: Mapping[str, np.ndarray]
    ) -> list[np.ndarray]:
        """Return the genres of each window, (1, windows, genres), in a list."""
        field = self.timeline.field
        windows = sliding_window_view(frames, field.size, axis=0)[:: field.stride].swapaxes(1, 2)
        if self._scale is None:
            windows = windows[..., 0]
        else:
            gain, offset, factor, bias = self._scale
            windows = factor * np.log(gain * np.exp(windows) + offset) + bias
        windows = np.ascontiguousarray(windows, np.float32)
        given = np.concatenate([self._labels_of(window[None]) for window in windows])
        above = self._logits(given) - self._centres
        genres = np.stack([above[:, columns].max(axis=1) for columns in self._columns], axis=1)
        return [softmax(genres, axis=1)[None]]

    def _labels_of(self, window: np.ndarray) -> np.ndarray:
        """Return the network's output for one window, (1, labels)."""
        try:
            found = self.session.run(None, {self._input.name: window})
        # What ONNX Runtime raises has no base class of its own.
        except Exception as error:
            raise self._wrong(
                f"the network takes {self._input.shape}, but a window is {window.shape}"
            ) from error
        for output in found:
            if output.shape == (1, self._labels):
                return output
        shapes = " and ".join(str(output.shape) for output in found)
        raise self._wrong(f'"labels" are {self._labels}, but the network gives {shapes}')
