"""A network that takes a song in pieces and reads each frame once.

Each layer stores only what its next output needs: about ``kernel − stride`` rows for a convolution
or a pooling, its state for a recurrent layer, nothing for other layers. For pieces of any size, the
network gives the rows of the whole song, up to float32 rounding, in constant memory. Branches that
meet have the same rows at any time; `songnet_utils.streaming.receptive_field` rejects other
networks.

The layers come from a Keras model; the arithmetic is numpy, because a call into TensorFlow costs
more than the arithmetic of a step. Rows are (time, channels), or (time, frequency, channels)
between layers of two dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.special import expit

from songnet_utils._utils.errors import SongNetError
from songnet_utils.streaming.graph import (
    Graph,
    Node,
    activation_name,
    graph_to_layer,
    is_for_training,
)
from songnet_utils.streaming.receptive_field import along_time, receptive_fields

if TYPE_CHECKING:
    import keras

#: A function that takes rows (time, …) and returns the output rows that they complete.
Push: TypeAlias = Callable[..., np.ndarray]


class Windows:
    """Cuts rows that come in pieces into overlapping windows of `kernel` rows, every `stride`.

    Parameters
    ----------
    kernel, stride : int
        Rows in a window, and between the starts of neighbouring windows.
    before : int
        Rows of zeros before the first row.
    skip : int
        Rows to skip at the beginning.
    """

    def __init__(self, kernel: int, stride: int, before: int = 0, skip: int = 0) -> None:
        self._kernel, self._stride, self._before = kernel, stride, before
        self._stored: np.ndarray | None = None
        # Rows to skip before the next window starts, for strides wider than the kernel.
        self._skip = skip

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Return the windows that are now complete, shape (windows, kernel, …)."""
        if self._stored is None:
            self._stored = np.zeros((self._before, *rows.shape[1:]), np.float32)
        if len(self._stored):
            rows = np.concatenate([self._stored, rows])
        skipped = min(self._skip, len(rows))
        rows = rows[skipped:]
        self._skip -= skipped
        count = max(0, (len(rows) - self._kernel) // self._stride + 1)
        used = count * self._stride
        self._skip += max(0, used - len(rows))
        # Copy the tail, so that it does not keep a long piece in memory.
        self._stored = rows[used:].copy()
        if not count:
            return np.empty((0, self._kernel, *rows.shape[1:]), np.float32)
        return overlapping(rows, 0, self._kernel, self._stride)


def overlapping(rows: np.ndarray, axis: int, kernel: int, stride: int = 1) -> np.ndarray:
    """Return windows of `kernel` neighbours along an axis, every `stride`, as a read-only view.

    The windows are on `axis`, and their contents on a new axis after it.
    """
    # numpy's sliding_window_view takes longer than the arithmetic of a small layer.
    shape, strides = rows.shape, rows.strides
    return as_strided(
        rows,
        (*shape[:axis], (shape[axis] - kernel) // stride + 1, kernel, *shape[axis + 1 :]),
        (*strides[:axis], strides[axis] * stride, strides[axis], *strides[axis + 1 :]),
        writeable=False,
    )


class _Convolution:
    """A convolution over time, or over time and frequency."""

    def __init__(self, layer: Any) -> None:
        kernel, *bias = layer.get_weights()
        self._dilation = layer.dilation_rate[0]
        wider = (kernel.shape[0] - 1) * self._dilation
        before = wider if layer.padding == "causal" else 0
        self._windows = Windows(wider + 1, layer.strides[0], before)
        # Along frequency: the extent of a kernel, and its stride.
        self._bands = (kernel.shape[1], layer.strides[1]) if kernel.ndim == 4 else None
        self._kernel = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
        self._bias = bias[0] if bias else np.float32(0)

    def push(self, rows: np.ndarray) -> np.ndarray:
        windows = self._windows.push(rows)[:, :: self._dilation]
        places: tuple[int, ...] = windows.shape[:1]
        if self._bands:
            # Windows along time and frequency; within each: time, frequency, channels.
            windows = overlapping(windows, 2, *self._bands).swapaxes(1, 2)
            places = windows.shape[:2]
        flat = np.ascontiguousarray(windows).reshape(-1, len(self._kernel))
        sums = flat @ self._kernel
        sums += self._bias
        return sums.reshape(*places, sums.shape[1])


class _Pooling:
    def __init__(self, layer: Any, pairwise: np.ufunc, share: float = 1) -> None:
        self._pairwise, self._share = pairwise, np.float32(share)
        self._windows = Windows(layer.pool_size[0], layer.strides[0])
        self._bands = [*layer.pool_size[1:], *layer.strides[1:]]

    def push(self, rows: np.ndarray) -> np.ndarray:
        # Go tap by tap, because numpy is slow at reducing short axes.
        rows = reduce(self._pairwise, self._windows.push(rows).swapaxes(0, 1))
        if self._bands:
            pool, stride = self._bands
            last = rows.shape[1] - pool + 1
            taps = (rows[:, tap : tap + last : stride] for tap in range(pool))
            rows = reduce(self._pairwise, taps)
        return rows if self._share == 1 else rows * self._share


class _Recurrent:
    def __init__(self, layer: Any) -> None:
        self._kernel, self._recurrent, *bias = layer.get_weights()
        # The GRU has a bias for its inputs and one for its state, the LSTM one for both.
        both = np.atleast_2d(bias[0]) if bias else np.zeros((2, 1), np.float32)
        self._bias, self._own_bias = both[0], both[-1]
        self._state = np.zeros(layer.units, np.float32)

    def push(self, rows: np.ndarray) -> np.ndarray:
        inputs = rows @ self._kernel + self._bias
        states = np.empty((len(rows), len(self._state)), np.float32)
        for row, gates in enumerate(inputs):
            self._state = states[row] = self._step(gates)
        return states

    def _step(self, gates: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class _LSTM(_Recurrent):
    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        self._carry = np.zeros_like(self._state)

    def _step(self, gates: np.ndarray) -> np.ndarray:
        gates = (gates + self._state @ self._recurrent).reshape(4, -1)
        # In Keras's order: input, forget, candidate, output.
        opened, candidate = expit(gates), np.tanh(gates[2])
        self._carry = opened[1] * self._carry + opened[0] * candidate
        return opened[3] * np.tanh(self._carry)


class _GRU(_Recurrent):
    def _step(self, gates: np.ndarray) -> np.ndarray:
        gates = gates.reshape(3, -1)
        own = (self._state @ self._recurrent + self._own_bias).reshape(3, -1)
        # In Keras's order: update, reset, candidate.
        update, reset = expit(gates[:2] + own[:2])
        candidate = np.tanh(gates[2] + reset * own[2])
        return update * self._state + (1 - update) * candidate


class Stack:
    """The layers of a Keras model up to its genre over time, for frames in pieces.

    Parameters
    ----------
    model : keras.Model
        A graph of layers that `songnet_utils.streaming.receptive_field` supports.
    last : str
        The name of the last layer.
    known : mapping of str to np.ndarray, optional
        The network's other inputs for this song, each of shape (columns,). Layers that depend only
        on them are computed once.

    Raises
    ------
    SongNetError
        When a layer cannot take pieces, because it pads or its kind is not supported, or when the
        value of an input is missing.
    """

    def __init__(
        self, model: keras.Model, last: str, known: Mapping[str, np.ndarray] | None = None
    ) -> None:
        graph = graph_to_layer(model, last)
        # This rejects layers that cannot take pieces.
        receptive_fields(graph)
        self._frames, self._last = graph.frames, graph.wanted[0]
        self._timeless = _timeless_values(graph, known or {})
        self._work = [
            (node.inputs, node.output, _read_layer(graph, node))
            for node in graph.nodes
            if node.output not in graph.timeless
        ]

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Take frames (frames, n_mels), return the steps that they complete (steps, genres)."""
        values = {**self._timeless, self._frames: rows}
        for inputs, output, (first, *others) in self._work:
            result = first(*[values[tensor] for tensor in inputs])
            for function in others:
                result = function(result)
            values[output] = result
        return values[self._last]


def _timeless_values(graph: Graph, known: Mapping[str, np.ndarray]) -> dict[int, np.ndarray]:
    """Return the timeless tensors that layers over time need."""
    import keras

    if set(known) != set(graph.others):
        raise SongNetError(
            f"The network needs the inputs {sorted(graph.others)} besides the frames. "
            f"Got {sorted(known)}"
        )
    over_time = [node for node in graph.nodes if node.output not in graph.timeless]
    needed = graph.timeless.intersection(tensor for node in over_time for tensor in node.inputs)
    if not needed:
        return {}
    inputs = {name: graph.tensors[tensor] for name, tensor in graph.others.items()}
    part = keras.Model(inputs, {str(tensor): graph.tensors[tensor] for tensor in needed})
    values = part({name: np.asarray(known[name], np.float32)[None] for name in inputs})
    return {tensor: np.asarray(values[str(tensor)])[0] for tensor in needed}


def _softmax(rows: np.ndarray) -> np.ndarray:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=-1, keepdims=True)


def _elu(rows: np.ndarray) -> np.ndarray:
    # expm1 is ten times as slow, and more exact only near zero.
    return np.maximum(rows, np.exp(np.minimum(rows, 0)) - 1)


_ACTIVATIONS: dict[str, Push] = {
    "linear": lambda rows: rows,
    "relu": lambda rows: np.maximum(rows, 0),
    "elu": _elu,
    "tanh": np.tanh,
    "sigmoid": expit,
    "softmax": _softmax,
}


def _read_layer(graph: Graph, node: Node) -> list[Push]:
    """Return the functions that, one after the other, compute a Keras layer."""
    from keras import layers

    layer = node.layer
    match layer:
        case layers.Add():
            return [lambda *branches: reduce(np.add, branches)]
        case layers.Multiply():
            return [lambda *branches: reduce(np.multiply, branches)]
        case layers.Concatenate():
            # Keras's first axis is clips; here, the first axis is rows.
            axis = layer.axis if layer.axis < 0 else layer.axis - 1
            return [lambda *branches: np.concatenate(branches, axis=axis)]
        case layers.Normalization():
            mean = np.asarray(layer.mean, np.float32).reshape(-1)
            deviation = np.sqrt(np.asarray(layer.variance, np.float32)).reshape(-1)
            deviation = np.maximum(deviation, np.float32(1e-7))  # keras.backend.epsilon()
            return [lambda rows: (rows - mean) / deviation]
        case layers.BatchNormalization():
            scale, offset = batch_norm_numbers(layer)
            return [lambda rows: rows * scale + offset]
        case layers.Conv1D() | layers.Conv2D():
            return [_Convolution(layer).push, _activation(layer)]
        case layers.Dense():
            kernel, *bias = layer.get_weights()
            shift = bias[0] if bias else np.float32(0)
            return [lambda rows: rows @ kernel + shift, _activation(layer)]
        case layers.MaxPooling1D() | layers.MaxPooling2D():
            return [_Pooling(layer, np.maximum).push]
        case layers.AveragePooling1D() | layers.AveragePooling2D():
            return [_Pooling(layer, np.add, 1 / np.prod(layer.pool_size)).push]
        case layers.ZeroPadding1D() | layers.ZeroPadding2D():
            before = Windows(1, 1, before=along_time(layer.padding)[0]).push
            bands = [layer.padding[1]] if isinstance(layer, layers.ZeroPadding2D) else []
            widths = [(0, 0), *bands, (0, 0)]
            return [before, lambda windows: np.pad(windows[:, 0], widths)]
        case layers.Cropping1D():
            return [Windows(1, 1, skip=layer.cropping[0]).push, lambda windows: windows[:, 0]]
        case layers.Reshape():
            shape = graph.shape(node.output)[1:]
            return [lambda rows: rows.reshape(len(rows), *shape)]
        case layers.LSTM():
            return [_LSTM(layer).push]
        case layers.GRU():
            return [_GRU(layer).push]
        case layers.Activation() | layers.ReLU() | layers.Softmax():
            return [_activation(layer)]
        case _ if is_for_training(layer):
            return [_ACTIVATIONS["linear"]]
    raise SongNetError(
        f"Layer {layer.name} ({type(layer).__name__}) cannot process a song in pieces yet. "
        "Add it to songnet_utils/streaming/stateful.py."
    )


def batch_norm_numbers(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and the offset of a trained batch normalisation."""
    scale: Any = 1 / np.sqrt(np.asarray(layer.moving_variance) + np.float32(layer.epsilon))
    if layer.scale:
        scale = np.asarray(layer.gamma) * scale
    offset: Any = -np.asarray(layer.moving_mean) * scale
    if layer.center:
        offset = np.asarray(layer.beta) + offset
    return scale, offset


def _activation(layer: Any) -> Push:
    name = activation_name(layer)
    if name not in _ACTIVATIONS:
        raise SongNetError(
            f"Layer {layer.name} has the activation {name!r}, not one of {', '.join(_ACTIVATIONS)}."
        )
    return _ACTIVATIONS[name]
