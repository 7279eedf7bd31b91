"""A network that takes a song in pieces and looks at each frame once.

Each layer keeps just what its next output still needs: ``kernel − stride`` rows or so for a
convolution or a pooling, its state for a recurrent layer, nothing for the others. Fed in pieces of
any size, the network gives the rows that it gives for the whole song, up to float32 rounding, and
memory does not grow. Branches that meet have the same rows at any time;
`songnet_utils.streaming.receptive_field` refuses networks where they have not.

The layers are read from a Keras model; the arithmetic is numpy, because a call into TensorFlow
costs more than the sums of one step. (Not so a step of the pretrained listener: see
`songnet_utils.streaming.patch_stream`.) Rows are (time, channels), or (time, frequency, channels)
between layers of two dimensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.special import erf, expit

from songnet_utils._utils.errors import SongNetError
from songnet_utils.streaming.graph import Graph, Node, graph_to_layer, is_for_training
from songnet_utils.streaming.receptive_field import along_time, receptive_fields

if TYPE_CHECKING:
    import keras


class Incremental(Protocol):
    """A layer fed in pieces."""

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Take rows (time, …), return the output rows that are now decided."""


class Windows:
    """Cuts rows that come in pieces into overlapping windows of `kernel` rows, every `stride`.

    Parameters
    ----------
    kernel, stride : int
        Rows in a window, and between the beginnings of neighbouring windows.
    before : int
        So many rows of zeros come before the first.
    """

    def __init__(self, kernel: int, stride: int, before: int = 0) -> None:
        self._kernel, self._stride, self._before = kernel, stride, before
        self._kept: np.ndarray | None = None
        # Rows still to pass over before the next window starts (strides wider than the kernel).
        self._skip = 0

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Return the windows that are now complete, shape (windows, kernel, …)."""
        if self._kept is None and self._before:
            self._kept = np.zeros((self._before, *rows.shape[1:]), np.float32)
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
            return np.empty((0, self._kernel, *rows.shape[1:]), np.float32)
        if self._kernel == self._stride:
            return rows[:used].reshape(count, self._kernel, *rows.shape[1:])
        return overlapping(rows, 0, self._kernel, self._stride)


def overlapping(rows: np.ndarray, axis: int, kernel: int, stride: int = 1) -> np.ndarray:
    """Return windows of `kernel` neighbours along an axis, every `stride`, as a read-only view.

    Where `axis` was are the windows; their neighbours are on a new axis behind it.
    """
    # numpy's sliding_window_view takes longer than the sums of a small layer.
    shape, strides = rows.shape, rows.strides
    return as_strided(
        rows,
        (*shape[:axis], (shape[axis] - kernel) // stride + 1, kernel, *shape[axis + 1 :]),
        (*strides[:axis], strides[axis] * stride, strides[axis], *strides[axis + 1 :]),
        writeable=False,
    )


# Up to so many products of numbers, OpenBLAS multiplies two matrices as they lie in memory, on
# processors that have AVX-512. Else it copies both first, which takes as long as a step's sums.
_SMALL = 1_000_000


class _Convolution:
    _kernel: np.ndarray
    _bias: np.ndarray

    def _sums(self, windows: np.ndarray) -> np.ndarray:
        """Multiply windows, (windows, numbers), with the kernels."""
        numbers, kernels = self._kernel.shape
        half = kernels // 2
        if _SMALL < len(windows) * numbers * kernels <= 2 * _SMALL:
            sums = np.empty((len(windows), kernels), np.float32)
            np.matmul(windows, self._kernel[:, :half], out=sums[:, :half])
            np.matmul(windows, self._kernel[:, half:], out=sums[:, half:])
        else:
            sums = windows @ self._kernel
        sums += self._bias
        return sums

    def scale(self, factor: np.ndarray, offset: np.ndarray) -> None:
        """Take in a batch normalisation that follows."""
        self._kernel = self._kernel * factor
        self._bias = self._bias * factor + offset


class _Convolution1D(_Convolution):
    def __init__(self, layer: Any) -> None:
        kernel, *bias = layer.get_weights()
        dilation = layer.dilation_rate[0]
        wider = (kernel.shape[0] - 1) * dilation
        before = wider if layer.padding == "causal" else 0
        self._windows = Windows(wider + 1, layer.strides[0], before)
        self._dilation = dilation
        self._kernel = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
        self._bias = bias[0] if bias else np.zeros(kernel.shape[-1], np.float32)

    def push(self, rows: np.ndarray) -> np.ndarray:
        windows = self._windows.push(rows)[:, :: self._dilation]
        flat = np.ascontiguousarray(windows).reshape(-1, len(self._kernel))
        return self._sums(flat)


class _Convolution2D(_Convolution):
    def __init__(self, layer: Any) -> None:
        kernel, *bias = layer.get_weights()
        (long, wide), self._dilation = kernel.shape[:2], layer.dilation_rate
        self._reach = (wide - 1) * self._dilation[1] + 1
        self._stride = layer.strides[1]
        self._windows = Windows((long - 1) * self._dilation[0] + 1, layer.strides[0])
        self._kernel = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
        self._bias = bias[0] if bias else np.zeros(kernel.shape[-1], np.float32)

    def push(self, rows: np.ndarray) -> np.ndarray:
        windows = self._windows.push(rows)[:, :: self._dilation[0]]
        patches = overlapping(windows, 2, self._reach, self._stride)
        # One after the other along time and frequency; within: time, frequency, channels.
        patches = patches[:, :, :, :: self._dilation[1]].swapaxes(1, 2)
        flat = np.ascontiguousarray(patches).reshape(-1, len(self._kernel))
        sums = self._sums(flat)
        return sums.reshape(*patches.shape[:2], sums.shape[1])


class _Depthwise:
    def __init__(self, layer: Any) -> None:
        kernel, *rest = layer.get_weights()
        self._dilation = layer.dilation_rate[0]
        self._windows = Windows((len(kernel) - 1) * self._dilation + 1, layer.strides[0])
        self._kernel = kernel
        # A separable convolution mixes the channels afterwards.
        separable = hasattr(layer, "pointwise_kernel")
        self._mix = rest.pop(0)[0] if separable else None
        self._bias = rest[0] if rest else np.float32(0)

    def push(self, rows: np.ndarray) -> np.ndarray:
        windows = self._windows.push(rows)[:, :: self._dilation]
        sums = windows[:, 0, :, None] * self._kernel[0]
        for tap in range(1, len(self._kernel)):
            sums += windows[:, tap, :, None] * self._kernel[tap]
        flat = sums.reshape(len(sums), sums.shape[1] * sums.shape[2])
        if self._mix is not None:
            flat = flat @ self._mix
        return flat + self._bias


class _Pooling:
    def __init__(self, layer: Any, pairwise: np.ufunc, share: float = 1) -> None:
        self._pairwise, self._share = pairwise, np.float32(share)
        self._windows = Windows(layer.pool_size[0], layer.strides[0])
        self._wide = [*layer.pool_size[1:], *layer.strides[1:]]

    def push(self, rows: np.ndarray) -> np.ndarray:
        # Tap by tap: numpy reduces short axes slowly.
        rows = reduce(self._pairwise, self._windows.push(rows).swapaxes(0, 1))
        if self._wide:
            pool, stride = self._wide
            last = rows.shape[1] - pool + 1
            taps = (rows[:, tap : tap + last : stride] for tap in range(pool))
            rows = reduce(self._pairwise, taps)
        return rows if self._share == 1 else rows * self._share


class _ZerosBefore:
    def __init__(self, count: int) -> None:
        self._count = count

    def push(self, rows: np.ndarray) -> np.ndarray:
        if self._count:
            zeros = np.zeros((self._count, *rows.shape[1:]), np.float32)
            rows, self._count = np.concatenate([zeros, rows]), 0
        return rows


class _Cropping:
    def __init__(self, count: int) -> None:
        self._count = count

    def push(self, rows: np.ndarray) -> np.ndarray:
        cropped = min(self._count, len(rows))
        self._count -= cropped
        return rows[cropped:]


class _LSTM:
    def __init__(self, layer: Any) -> None:
        self._kernel, self._recurrent, *bias = layer.get_weights()
        self._bias = bias[0] if bias else np.float32(0)
        self._carry = np.zeros(layer.units, np.float32)
        self._state = np.zeros(layer.units, np.float32)

    def push(self, rows: np.ndarray) -> np.ndarray:
        units = len(self._state)
        inputs = rows @ self._kernel + self._bias
        states = np.empty((len(rows), units), np.float32)
        for row, gates in enumerate(inputs):
            gates += self._state @ self._recurrent
            # In Keras's order: input, forget, candidate, output.
            candidate = np.tanh(gates[2 * units : 3 * units])
            open_ = expit(gates)
            self._carry = open_[units : 2 * units] * self._carry + open_[:units] * candidate
            self._state = open_[3 * units :] * np.tanh(self._carry)
            states[row] = self._state
        return states


class _GRU:
    def __init__(self, layer: Any) -> None:
        self._kernel, self._recurrent, *bias = layer.get_weights()
        self._bias, self._recurrent_bias = bias[0] if bias else np.zeros(2, np.float32)
        self._state = np.zeros(layer.units, np.float32)

    def push(self, rows: np.ndarray) -> np.ndarray:
        units = len(self._state)
        inputs = rows @ self._kernel + self._bias
        states = np.empty((len(rows), units), np.float32)
        for row, gates in enumerate(inputs):
            own = self._state @ self._recurrent + self._recurrent_bias
            # In Keras's order: update, reset, candidate.
            open_ = expit(gates[: 2 * units] + own[: 2 * units])
            candidate = np.tanh(gates[2 * units :] + open_[units:] * own[2 * units :])
            self._state = open_[:units] * self._state + (1 - open_[:units]) * candidate
            states[row] = self._state
        return states


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
        A graph of layers over time, as `songnet_utils.streaming.receptive_field` knows them.
    last : str
        The name of the layer whose output rows are wanted.
    known : mapping of str to np.ndarray, optional
        What the network's other inputs are for this song, each of shape (columns,). What depends
        only on them is computed once.

    Raises
    ------
    SongNetError
        When a layer cannot be fed in pieces: it pads, or is of a kind not known here; or when the
        value of an input is missing.
    """

    def __init__(
        self, model: keras.Model, last: str, known: Mapping[str, np.ndarray] | None = None
    ) -> None:
        graph = graph_to_layer(model, last)
        # What cannot be fed in pieces is refused there.
        receptive_fields(graph)
        # The tensors of a moment, by place: the frames, what is known, then what layers give.
        places = {graph.frames: 0}
        self._values: list[Any] = [None]
        for tensor, value in _timeless_values(graph, known or {}).items():
            places[tensor] = len(self._values)
            self._values.append(value)
        self._work: list[tuple[tuple[int, ...], int, Callable[..., np.ndarray]]] = []
        takers = Counter(tensor for node in graph.nodes for tensor in node.inputs)
        convolutions: dict[int, _Convolution] = {}
        for node in graph.nodes:
            if node.output in graph.timeless:
                continue
            inputs = tuple(places[tensor] for tensor in node.inputs)
            convolution = convolutions.get(node.inputs[0])
            if len(inputs) > 1:
                parts = [_meeting(node.layer)]
            elif convolution and _is_batch_norm(node.layer) and takers[node.inputs[0]] == 1:
                convolution.scale(*batch_norm_numbers(node.layer))
                parts = []
            else:
                read = _read_layer(graph, node)
                if len(read) == 1 and isinstance(read[0], _Convolution):
                    convolutions[node.output] = read[0]
                parts = [part.push for part in read]
            place = inputs[0]
            for part in parts:
                place = len(self._values)
                self._values.append(None)
                self._work.append((inputs, place, part))
                inputs = (place,)
            places[node.output] = place
        self._last = places[graph.wanted[0]]

    def push(self, rows: np.ndarray) -> np.ndarray:
        """Take frames (frames, n_mels), return the steps now decided (steps, genres)."""
        values = self._values.copy()
        values[0] = rows
        for inputs, output, work in self._work:
            values[output] = (
                work(values[inputs[0]])
                if len(inputs) == 1
                else work(*[values[place] for place in inputs])
            )
        return values[self._last]


def _is_batch_norm(layer: Any) -> bool:
    from keras import layers

    return isinstance(layer, layers.BatchNormalization)


def _timeless_values(graph: Graph, known: Mapping[str, np.ndarray]) -> dict[int, np.ndarray]:
    """Return the tensors that layers over time take from what does not depend on time."""
    import keras

    if set(known) != set(graph.others):
        raise SongNetError(
            f"The network takes the inputs {sorted(graph.others)} besides the frames. "
            f"Got {sorted(known)}"
        )
    needed = {
        tensor
        for node in graph.nodes
        if node.output not in graph.timeless
        for tensor in node.inputs
        if tensor in graph.timeless
    }
    if not needed:
        return {}
    outputs = [graph.tensors[tensor] for tensor in needed]
    part = keras.Model([graph.tensors[tensor] for tensor in graph.others.values()], outputs)
    values = part([np.asarray(known[name], np.float32)[None] for name in graph.others])
    if not isinstance(values, list):
        values = [values]
    return {tensor: np.asarray(value)[0] for tensor, value in zip(needed, values, strict=True)}


def _meeting(layer: Any) -> Callable[..., np.ndarray]:
    from keras import layers

    match layer:
        case layers.Concatenate():
            # Keras counts the clips; here rows come first.
            axis = layer.axis if layer.axis < 0 else layer.axis - 1
            return lambda *branches: np.concatenate(branches, axis=axis)
        case layers.Subtract():
            pairwise: np.ufunc = np.subtract
        case layers.Multiply():
            pairwise = np.multiply
        case layers.Maximum():
            pairwise = np.maximum
        case _:
            pairwise = np.add

    def meet(first: np.ndarray, *others: np.ndarray) -> np.ndarray:
        for other in others:
            first = pairwise(first, other)
        return first

    return meet


def _relu(rows: np.ndarray) -> np.ndarray:
    return np.maximum(rows, 0)


def _softmax(rows: np.ndarray) -> np.ndarray:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=-1, keepdims=True)


def _elu(rows: np.ndarray) -> np.ndarray:
    # expm1 is ten times as slow, and more exact only where it is next to nothing.
    return np.maximum(rows, np.exp(np.minimum(rows, 0)) - 1)


def _gelu(rows: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * rows * (1 + erf(rows * np.float32(0.5**0.5)))


def _silu(rows: np.ndarray) -> np.ndarray:
    return rows * expit(rows)


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray] | None] = {
    "linear": None,
    "relu": _relu,
    "elu": _elu,
    "gelu": _gelu,
    "silu": _silu,
    "tanh": np.tanh,
    "sigmoid": expit,
    "softplus": lambda rows: np.logaddexp(rows, 0),
    "softmax": _softmax,
}


def _read_layer(graph: Graph, node: Node) -> list[Incremental]:
    """Return what does the work of one Keras layer, in order."""
    from keras import layers

    from songnet_utils.streaming.patch_stream import PatchStream
    from songnet_utils.streaming.patches import Listening

    layer = node.layer
    if isinstance(layer, layers.TimeDistributed):
        layer = layer.layer
    match layer:
        case _ if is_for_training(layer):
            return []
        case layers.Normalization():
            mean = np.asarray(layer.mean, np.float32)
            spread = np.sqrt(np.asarray(layer.variance, np.float32))
            spread = np.maximum(spread, np.float32(1e-7))  # keras.backend.epsilon()
            if mean.ndim:
                # Over the clips and the rows they are the same.
                mean, spread = mean.reshape(-1), spread.reshape(-1)
            return [_Rowwise(lambda rows: (rows - mean) / spread)]
        case layers.BatchNormalization():
            scale, offset = batch_norm_numbers(layer)
            return [_Rowwise(lambda rows: rows * scale + offset)]
        case layers.LayerNormalization():
            return [_Rowwise(_layer_norm(layer))]
        case layers.Conv1D():
            return [_Convolution1D(layer), *_read_activation(layer)]
        case layers.Conv2D():
            return [_Convolution2D(layer), *_read_activation(layer)]
        case layers.DepthwiseConv1D() | layers.SeparableConv1D():
            return [_Depthwise(layer), *_read_activation(layer)]
        case layers.MaxPooling1D() | layers.MaxPooling2D():
            return [_Pooling(layer, np.maximum)]
        case layers.AveragePooling1D() | layers.AveragePooling2D():
            return [_Pooling(layer, np.add, 1 / np.prod(layer.pool_size))]
        case layers.ZeroPadding1D():
            return [_ZerosBefore(along_time(layer.padding)[0])]
        case layers.ZeroPadding2D():
            before = _ZerosBefore(along_time(layer.padding)[0])
            return [before, _Rowwise(_padded_across(*layer.padding[1]))]
        case layers.Cropping1D():
            return [_Cropping(layer.cropping[0])]
        case layers.Reshape():
            shape = graph.shape(node.output)[1:]
            return [_Rowwise(lambda rows: rows.reshape(len(rows), *shape))]
        case layers.LSTM():
            return [_LSTM(layer)]
        case layers.GRU():
            return [_GRU(layer)]
        case layers.Dense():
            kernel, *bias = layer.get_weights()
            shift = bias[0] if bias else np.float32(0)
            return [_Rowwise(lambda rows: rows @ kernel + shift), *_read_activation(layer)]
        case Listening():
            return [PatchStream(layer.model, layer.patch, layer.stride)]
        case layers.Rescaling():
            factor, shift = np.float32(layer.scale), np.float32(layer.offset)
            return [_Rowwise(lambda rows: rows * factor + shift)]
        case layers.LeakyReLU():
            slope = np.float32(layer.negative_slope)
            return [_Rowwise(lambda rows: np.where(rows > 0, rows, slope * rows))]
        case layers.Activation() | layers.ReLU() | layers.Softmax():
            return _read_activation(layer)
    raise SongNetError(
        f"layer {layer.name!r} ({type(layer).__name__}) cannot be fed a song in pieces. "
        "Say how in songnet_utils/incremental.py."
    )


def batch_norm_numbers(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and the offset that a trained batch normalisation comes to."""
    scale: Any = 1 / np.sqrt(np.asarray(layer.moving_variance) + np.float32(layer.epsilon))
    if layer.scale:
        scale = np.asarray(layer.gamma) * scale
    offset: Any = -np.asarray(layer.moving_mean) * scale
    if layer.center:
        offset = np.asarray(layer.beta) + offset
    return scale, offset


def _padded_across(before: int, after: int) -> Callable[[np.ndarray], np.ndarray]:
    def pad(rows: np.ndarray) -> np.ndarray:
        count, bands, channels = rows.shape
        padded = np.zeros((count, before + bands + after, channels), np.float32)
        padded[:, before : before + bands] = rows
        return padded

    return pad


def _layer_norm(layer: Any) -> Callable[[np.ndarray], np.ndarray]:
    epsilon = np.float32(layer.epsilon)
    scale = np.asarray(layer.gamma) if layer.scale else np.float32(1)
    offset = np.asarray(layer.beta) if layer.center else np.float32(0)

    def norm(rows: np.ndarray) -> np.ndarray:
        rows = rows - rows.mean(axis=-1, keepdims=True)
        variance = np.square(rows).mean(axis=-1, keepdims=True)
        return rows / np.sqrt(variance + epsilon) * scale + offset

    return norm


def activation_of(layer: Any) -> str:
    """Return the name of a layer's activation.

    Raises
    ------
    SongNetError
        When it is none of those known to the stream.
    """
    kind = type(layer).__name__.lower()
    name = kind if kind in _ACTIVATIONS else getattr(layer.activation, "__name__", "?")
    if name not in _ACTIVATIONS:
        raise SongNetError(
            f"layer {layer.name!r} has the activation {name!r}; known are {sorted(_ACTIVATIONS)}"
        )
    return name


def _read_activation(layer: Any) -> list[Incremental]:
    function = _ACTIVATIONS[activation_of(layer)]
    return [_Rowwise(function)] if function else []
