"""A network that hears patches, fed with a song in pieces: what patches share is computed once.

The layers before a `songnet_utils.streaming.patches.Patches` treat the song as a whole; their rows
are the same numbers in each patch that they are in. `PatchStream` computes each such row once,
from the frames that it sees, and keeps it as long as a coming patch needs it. Only what lies
behind, the patch's ends among it, is computed for each patch.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.streaming.graph import Node, graph_to
from songnet_utils.streaming.patches import Patches

with quiet_stderr():
    import keras
    import tensorflow as tf

# Patches heard at once; what they need in between is about 3 MB a patch.
_BLOCK = 16


class PatchStream:
    """Turns frames that come in pieces into what a network makes of each patch.

    Parameters
    ----------
    model : keras.Model
        (clips, frames, bands) → (clips·steps, units). It cuts the patches itself, with `Patches`.
    patch, stride : int
        Frames in a patch, and from one patch to the next.

    Raises
    ------
    SongNetError
        When a patch cannot be made from its own frames.
    """

    def __init__(self, model: keras.Model, patch: int, stride: int) -> None:
        self._parts = _parts_of(model, patch)
        self._patch, self._stride = patch, stride
        # Frames from the `_first`-th of the song on, and the kept rows of each tensor that is cut,
        # up to the `_stops`-th.
        self._frames = np.empty((0, model.input_shape[-1]), np.float32)
        self._first = 0
        self._rows = [tf.zeros((1, 0, *shape)) for shape in self._parts.shapes]
        self._stops = [0] * len(self._rows)
        self._steps = 0

    def push(self, frames: np.ndarray, /) -> np.ndarray:
        """Take frames (frames, bands), return what is made of the patches that are now complete.

        Returns
        -------
        np.ndarray, shape (patches, units), float32
        """
        self._frames = np.concatenate([self._frames, frames])
        heard = self._first + len(self._frames)
        steps = max(0, (heard - self._patch) // self._stride + 1)
        made = [np.empty((0, self._parts.units), np.float32)]
        while self._steps < steps:
            made.append(self._hear(min(steps, self._steps + _BLOCK)))
        return np.concatenate(made)

    def _hear(self, steps: int) -> np.ndarray:
        """Hear the patches up to the `steps`-th."""
        first, last = self._stride * self._steps, self._stride * (steps - 1)
        pieces = []
        for number, (size, width) in enumerate(self._parts.sizes):
            # Strides may be wider than patches.
            start, stop = max(first, self._stops[number]), last + size
            piece = self._frames[start - self._first : stop + width - 1 - self._first]
            pieces.append(tf.constant(piece[None]))
            self._stops[number] = stop
        done = self._stride * steps
        made, self._rows = self._parts.hear(pieces, self._rows, done - first)
        self._steps = steps
        used = min(max(done, stop) for stop in self._stops) - self._first
        used = min(used, len(self._frames))
        # A copy, so that a long piece is not kept alive by its tail.
        self._frames = self._frames[used:].copy()
        self._first += used
        return made.numpy()


class _Parts:
    """A network in two parts: what its `Patches` cut, and what it makes of the patches.

    Parameters
    ----------
    model, patch
        As for `PatchStream`.
    """

    def __init__(self, model: keras.Model, patch: int) -> None:
        graph = graph_to(model, [model.output])
        sizes: dict[int, int] = {}
        behind: set[int] = set()
        self._behind = []
        for node in graph.nodes:
            if isinstance(node.layer, Patches):
                sizes[node.inputs[0]] = node.layer.patch
            elif behind.isdisjoint(node.inputs):
                continue
            behind.add(node.output)
            self._behind.append(node)
        self._cut, self._wanted = tuple(sizes), graph.wanted[0]
        tensors = [graph.tensors[tensor] for tensor in self._cut]
        self._before = [graph_to(model, [tensor]) for tensor in tensors]
        self.units = model.output_shape[-1]
        self.shapes = [tensor.shape[2:] for tensor in tensors]
        # Rows of a patch, and the frames that each row sees.
        self.sizes = []
        for tensor, size in zip(tensors, sizes.values(), strict=True):
            before = keras.Model(model.input, tensor)
            rows = before.compute_output_shape((1, patch, model.input_shape[-1]))[1]
            if rows != size:
                raise SongNetError(
                    f"{model.name}: cuts patches of {size} rows where the {patch} frames of a "
                    f"patch give {rows}. Each row must be heard from frames of its own patch."
                )
            self.sizes.append((size, patch - rows + 1))
        bands = model.input_shape[-1]
        signature = [
            [tf.TensorSpec((1, None, bands), tf.float32)] * len(self.sizes),
            [tf.TensorSpec((1, None, *shape), tf.float32) for shape in self.shapes],
            tf.TensorSpec((), tf.int32),
        ]
        self.hear = tf.function(self._hear, input_signature=signature)

    def _hear(self, frames: list[Any], kept: list[Any], done: Any) -> tuple[Any, list[Any]]:
        rows = [
            tf.concat([old, _computed(before.nodes, {before.frames: new})[tensor]], axis=1)
            for tensor, old, before, new in zip(self._cut, kept, self._before, frames, strict=True)
        ]
        values = _computed(self._behind, dict(zip(self._cut, rows, strict=True)))
        return values[self._wanted], [each[:, done:] for each in rows]


def _computed(nodes: list[Node], values: dict[int, Any]) -> dict[int, Any]:
    """Return all tensors that layers make of those that are there."""
    for node in nodes:
        inputs = [values[tensor] for tensor in node.inputs]
        values[node.output] = node.layer(inputs if len(inputs) > 1 else inputs[0])
    return values


_MADE: weakref.WeakKeyDictionary[keras.Model, _Parts] = weakref.WeakKeyDictionary()


def _parts_of(model: keras.Model, patch: int) -> _Parts:
    """Return a network's parts; they are made once, because tracing them takes a second."""
    if model not in _MADE:
        _MADE[model] = _Parts(model, patch)
    return _MADE[model]
