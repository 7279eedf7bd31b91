"""A stack of layers that takes a song in pieces and looks at each frame once.

Each layer keeps just the inputs that its next output still needs: ``kernel − stride`` rows or so
for a convolution or a pooling, nothing for the others. Fed in pieces of any size, the stack gives
the rows that the whole network gives for the whole song, up to float32 rounding, and memory does
not grow.

The layers are read from a Keras model; the arithmetic is numpy, because a call into TensorFlow
costs more than the sums of one step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils.errors import SongNetError

if TYPE_CHECKING:
    import keras


class Incremental(Protocol):
    """A layer fed in pieces."""

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Take rows (time, channels), return the output rows that are now decided."""


class Windows:
    """Cuts rows that come in pieces into overlapping windows of `kernel` rows, every `stride`."""

    def __init__(self, kernel: int, stride: int) -> None:
        self._kernel, self._stride = kernel, stride
        self._kept: np.ndarray | None = None
        # Rows still to pass over before the next window starts (strides wider than the kernel).
        self._skip = 0

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Return the windows that are now complete, shape (windows, kernel, channels)."""
        if self._kept is not None and len(self._kept):
            rows = np.concatenate([self._kept, rows])
        skipped = min(self._skip, len(rows))
        rows = rows[skipped:]
        self._skip -= skipped
        count = max(0, (len(rows) - self._kernel) // self._stride + 1)
        used = count * self._stride
        self._skip += max(0, used - len(rows))
        # A copy, so that a long piece is not kept alive by its tail.
        self._kept = rows[used:].copy()
        if not count:
            return np.empty((0, self._kernel, rows.shape[1]), np.float32)
        windows = sliding_window_view(rows, self._kernel, axis=0)[:: self._stride][:count]
        return windows.transpose(0, 2, 1)


class _Convolution:
    def __init__(self, layer: Any) -> None:
        kernel, *bias = layer.get_weights()
        self._windows = Windows(kernel.shape[0], layer.strides[0])
        self._kernel = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
        self._bias = bias[0] if bias else np.float32(0)

    def push(self, rows: np.ndarray) -> np.ndarray:
        windows = self._windows.push(rows)
        flat = np.ascontiguousarray(windows).reshape(-1, len(self._kernel))
        return flat @ self._kernel + self._bias


class _MaxPooling:
    def __init__(self, layer: Any) -> None:
        self._windows = Windows(layer.pool_size[0], layer.strides[0])

    def push(self, rows: np.ndarray) -> np.ndarray:
        return self._windows.push(rows).max(axis=1)


class _Rowwise:
    """A layer without memory: each row by itself."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._function = function

    def push(self, rows: np.ndarray) -> np.ndarray:
        return self._function(rows)


class Stack:
    """The layers of a Keras model up to its genre over time, fed with frames in pieces.

    Parameters
    ----------
    model : keras.Model
        A chain of layers over time without padding.
    last : str
        The name of the layer whose output rows are wanted.

    Raises
    ------
    SongNetError
        When a layer cannot be fed in pieces: it pads, or is of a kind not known here.
    """

    def __init__(self, model: keras.Model, last: str) -> None:
        self._layers: list[Incremental] = []
        for layer in model.layers:
            self._layers += _read_layer(layer)
            if layer.name == last:
                return
        raise SongNetError(
            f"the network has no layer named {last!r}. It has {[x.name for x in model.layers]}"
        )

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Take frames (frames, n_mels), return the steps now decided (steps, genres)."""
        for layer in self._layers:
            rows = layer.push(rows)
        return rows


def _relu(rows: np.ndarray) -> np.ndarray:
    return np.maximum(rows, 0)


def _softmax(rows: np.ndarray) -> np.ndarray:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=-1, keepdims=True)


_ACTIVATIONS = {"linear": None, "relu": _relu, "softmax": _softmax}


def _read_layer(layer: Any) -> list[Incremental]:
    """Return what does the work of one Keras layer, in order."""
    from keras import layers

    match layer:
        case layers.InputLayer() | layers.Dropout():
            return []
        case layers.TimeDistributed():
            return _read_layer(layer.layer)
        case layers.Normalization():
            mean = np.asarray(layer.mean, np.float32).reshape(-1)
            spread = np.sqrt(np.asarray(layer.variance, np.float32)).reshape(-1)
            spread = np.maximum(spread, np.float32(1e-7))  # keras.backend.epsilon()
            return [_Rowwise(lambda rows: (rows - mean) / spread)]
        case layers.BatchNormalization():
            scale = np.asarray(layer.gamma) / np.sqrt(layer.moving_variance + layer.epsilon)
            offset = np.asarray(layer.beta) - np.asarray(layer.moving_mean) * scale
            return [_Rowwise(lambda rows: rows * scale + offset)]
        case layers.Conv1D() if layer.padding == "valid" and layer.dilation_rate == (1,):
            return [_Convolution(layer), *_read_activation(layer)]
        case layers.MaxPooling1D() if layer.padding == "valid":
            return [_MaxPooling(layer)]
        case layers.Dense():
            kernel, *bias = layer.get_weights()
            shift = bias[0] if bias else np.float32(0)
            return [_Rowwise(lambda rows: rows @ kernel + shift), *_read_activation(layer)]
        case layers.Activation() | layers.ReLU() | layers.Softmax():
            return _read_activation(layer)
    raise SongNetError(
        f"layer {layer.name!r} ({type(layer).__name__}) cannot be fed a song in pieces: known are "
        "Conv1D and MaxPooling1D with 'valid' padding, Dense, Normalization, Dropout and the "
        f"activations {sorted(_ACTIVATIONS)}"
    )


def _read_activation(layer: Any) -> list[Incremental]:
    kind = type(layer).__name__.lower()
    name = kind if kind in _ACTIVATIONS else layer.activation.__name__
    if name not in _ACTIVATIONS:
        raise SongNetError(
            f"layer {layer.name!r} has the activation {name!r}; known are {sorted(_ACTIVATIONS)}"
        )
    function = _ACTIVATIONS[name]
    return [_Rowwise(function)] if function else []
