"""A network in the ONNX format, written layer by layer with ONNX's own operators.

Made from the list of layers (`songnet_utils.streaming.graph`) and not from TensorFlow's graph, in
which a recurrent layer is a loop over lists of tensors: here it is the one operator ``LSTM`` or
``GRU`` that ONNX has for it, which is what makes it fast.

Keras keeps channels last. ONNX convolves with channels first and its recurrent layers want time
first; tensors are turned only where the next layer needs it.

A network inside a network is written in its place, layer by layer as well. Patches of frames are
cut by index, whatever the number of clips and frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.models.onnx_description import describe
from songnet_utils.streaming.graph import Graph, Node, graph_to, graph_to_layer, is_for_training
from songnet_utils.streaming.receptive_field import along_time, receptive_fields
from songnet_utils.streaming.stateful import activation_of, batch_norm_numbers
from songnet_utils.streaming.timeline import ReceptiveField

if TYPE_CHECKING:
    import keras

    from songnet_utils.streaming.network import Network

#: The version of ONNX's operators: the first with LayerNormalization.
OPSET = 17

#: The orders that a tensor's axes can be in, by how they are made of (clips, time, …, channels).
#: Channels last is Keras's own.
_LAST, _FIRST, _TIME = "channels last", "channels first", "time first"

#: Keras's padding → ONNX's. "Same" occurs inside a patch only: what pads a song's end is no network
#: of the course (`songnet_utils.streaming.receptive_field`).
_AUTO_PAD = {"valid": "VALID", "same": "SAME_UPPER"}


def save_onnx(net: Network, path: str | Path) -> None:
    """Write the network in the ONNX format (`onnx_of`), whole or not at all.

    Its description is in the file's metadata (`songnet_utils.models.onnx_description`).

    Parameters
    ----------
    net : Network
        A `songnet_utils.models.SongNet` or the pretrained listener.
    path
        The file to write.

    Raises
    ------
    SongNetError
        When the network has a layer that is not known here.
    """
    _save(onnx_of(net.keras_model), net, net.timeline.field, path)


def save_stream(net: Network, path: str | Path) -> None:
    """Write a recurrent network in the ONNX format with its state as inputs and outputs.

    Such a network is asked for each step once, in order; the frames overlap from one call to the
    next as far as the layers before the recurrent ones need, which is the receptive field in this
    file's metadata. What a layer called NAME remembers goes in as ``state_NAME``, zeros at the
    beginning of a song, and comes out as ``state_NAME_next`` (an LSTM's as ``state_NAME_hidden``
    and ``state_NAME_cell``), each (1, 1, units). Besides, inputs and outputs are those of
    `onnx_of`, for one clip; ``genre`` is the mean over the steps that were asked.

    Nothing is written for a network without a recurrent layer, or with other layers that look back
    beyond the frames of a step, as causal padding does: their state is not carried.
    """
    graph = graph_to_layer(net.keras_model, "genre_over_time")
    if (field := _field_without_state(graph)) is not None:
        _save(onnx_of(net.keras_model, stream=True), net, field, path)


def _field_without_state(graph: Graph) -> ReceptiveField | None:
    """Return what a step sees apart from what recurrent layers remember; None if that is not all.

    Where a step takes frames from before its own, or a layer behind a recurrent one takes several
    of its rows, calls would have to overlap behind the state.
    """
    from keras import layers

    found = receptive_fields(graph)
    step = found[graph.wanted[0]]
    recurrent = [
        found[node.output]
        for node in graph.nodes
        if isinstance(node.layer, layers.LSTM | layers.GRU)
    ]
    if not recurrent or step.first < 0:
        return None
    if any((rows.stop, rows.stride) != (step.stop, step.stride) for rows in recurrent):
        return None
    return ReceptiveField(step.stop, step.stride, -step.first)


def _save(proto: Any, net: Network, field: ReceptiveField, path: str | Path) -> None:
    describe(proto, net.description(), field)
    with atomic_write(path) as temporary:
        temporary.write_bytes(proto.SerializeToString())


def onnx_of(model: keras.Model, *, stream: bool = False) -> Any:
    """Return a network in the ONNX format, an ``onnx.ModelProto``.

    Input ``log_mel`` (clips, frames, n_mels), and ``metadata`` (clips, columns) where the network
    takes it; outputs ``genre_over_time`` and ``genre``, and the listener's ``embedding``.

    Parameters
    ----------
    model : keras.Model
        As `songnet_utils.streaming.network.Network.keras_model`.
    stream : bool
        For one clip, and with the state of recurrent layers; see `save_stream`.

    Raises
    ------
    SongNetError
        When the network has a layer that is not known here.
    """
    with quiet_stderr():
        import onnx

    names = tuple(model.output)
    graph = graph_to(model, [model.output[name] for name in names])
    proto = _Writer(graph, stream).model(names)
    onnx.checker.check_model(proto)
    return proto


class _Writer:
    """Turns the layers of a graph into ONNX's nodes."""

    def __init__(self, graph: Graph, stream: bool) -> None:
        import onnx

        self._onnx = onnx
        self._graph = graph
        self._clips: str | int = 1 if stream else "clips"
        # What goes in, and comes out, besides: the state of recurrent layers. None: there is none.
        self._states: tuple[list[Any], list[Any]] | None = ([], []) if stream else None
        self._nodes: list[Any] = []
        # Name by what they are: kind, shape and bytes.
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        # Each tensor under each order of axes in which it has been needed.
        self._names: dict[int, dict[str, str]] = {}
        self._count = 0

    def model(self, outputs: Sequence[str]) -> Any:
        """Return the whole network; the tensors wanted get the names `outputs`."""
        helper, graph = self._onnx.helper, self._graph
        inputs = {tensor: name for name, tensor in graph.others.items()}
        inputs = {graph.frames: "log_mel", **inputs}
        for tensor, name in inputs.items():
            self._names[tensor] = {_LAST: name}
        self._write_all()
        for tensor, name in zip(graph.wanted, outputs, strict=True):
            self._nodes.append(helper.make_node("Identity", [self._as(tensor, _LAST)], [name]))
        values = [
            [self._value(tensor, name, time) for tensor, name in chosen]
            for chosen, time in (
                (inputs.items(), "frames"),
                (zip(graph.wanted, outputs, strict=True), "steps"),
            )
        ]
        for chosen, states in zip(values, self._states or ([], []), strict=True):
            chosen += states
        constants = [
            self._onnx.numpy_helper.from_array(np.frombuffer(data, kind).reshape(shape), name)
            for (kind, shape, data), name in self._constants.items()
        ]
        proto = helper.make_model(
            helper.make_graph(self._nodes, "songnet", *values, constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="songnet",
        )
        # What ONNX's version 17 came with; newer files are refused by older readers.
        proto.ir_version = 8
        return proto

    def _write_all(self) -> None:
        for node in self._graph.nodes:
            order, name = self._write(node)
            self._names[node.output] = {order: name}

    def _value(self, tensor: int, name: str, time: str) -> Any:
        shape = self._graph.shape(tensor)
        return self._float(name, [self._clips, *(time if size is None else size for size in shape)])

    def _float(self, name: str, axes: Sequence[str | int]) -> Any:
        kind = self._onnx.TensorProto.FLOAT
        return self._onnx.helper.make_tensor_value_info(name, kind, axes)

    def _rank(self, tensor: int) -> int:
        return 1 + len(self._graph.shape(tensor))

    def _as(self, tensor: int, order: str) -> str:
        """Return the name of a tensor with its axes in this order."""
        names = self._names[tensor]
        if order not in names:
            # One way is as good as another: most have just one.
            own, name = next(iter(names.items()))
            rank = self._rank(tensor)
            to = _axes(order, rank)
            names[order] = self._add(
                "Transpose", [name], perm=[_axes(own, rank).index(axis) for axis in to]
            )
        return names[order]

    def _some(self, tensor: int) -> tuple[str, str]:
        """Return an order that a tensor has been computed in, and its name."""
        return next(iter(self._names[tensor].items()))

    def _add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node, return the name of what it gives."""
        self._count += 1
        output = f"{kind}_{self._count}"
        self._nodes.append(
            self._onnx.helper.make_node(kind, inputs, [output], output, **attributes)
        )
        return output

    def _constant(self, value: Any, kind: Any = np.float32) -> str:
        array = np.array(value, kind, order="C")
        # A layer that is used in several places has its weights once.
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._count += 1
            self._constants[key] = f"constant_{self._count}"
        return self._constants[key]

    def _by_channel(self, value: Any, order: str, rank: int) -> str:
        """Return a constant that goes with each channel, or with all of them."""
        array = np.asarray(value, np.float32)
        if order == _FIRST and array.ndim:
            array = array.reshape(-1, *[1] * (rank - 2))
        return self._constant(array)

    def _write(self, node: Node) -> tuple[str, str]:
        """Write a layer; return the order of axes and the name of what it gives."""
        from keras import layers

        from songnet_utils.streaming.patches import Listening, Patches

        layer, tensor = node.layer, node.inputs[0]
        if isinstance(layer, layers.TimeDistributed):
            layer = layer.layer
        match layer:
            case layers.Add() | layers.Subtract() | layers.Multiply() | layers.Maximum():
                return self._meeting(node)
            case layers.Concatenate():
                names = [self._as(one, _LAST) for one in node.inputs]
                return _LAST, self._add("Concat", names, axis=layer.axis)
            case layers.Conv1D() | layers.Conv2D():
                weights = np.moveaxis(layer.kernel.numpy(), [-1, -2], [0, 1])
                return self._activated(layer, _FIRST, self._convolution(layer, tensor, weights))
            case layers.SeparableConv1D() | layers.DepthwiseConv1D():
                return self._activated(layer, _FIRST, self._depthwise(layer, tensor))
            case layers.MaxPooling1D() | layers.MaxPooling2D():
                return _FIRST, self._pooling("MaxPool", layer, tensor)
            case layers.AveragePooling1D() | layers.AveragePooling2D():
                return _FIRST, self._pooling("AveragePool", layer, tensor)
            case layers.GlobalAveragePooling1D() | layers.GlobalMaxPooling1D():
                kind = "Max" if isinstance(layer, layers.GlobalMaxPooling1D) else "Mean"
                name = self._as(tensor, _LAST)
                return _LAST, self._add(f"Reduce{kind}", [name], axes=[1], keepdims=0)
            case layers.ZeroPadding1D() | layers.ZeroPadding2D():
                return self._padding(layer, tensor)
            case layers.Cropping1D() | layers.Cropping2D():
                return self._cropping(layer, tensor)
            case layers.Reshape() | layers.Flatten():
                shape = [0, *getattr(layer, "target_shape", [-1])]
                name = self._as(tensor, _LAST)
                return _LAST, self._add("Reshape", [name, self._constant(shape, np.int64)])
            case layers.Permute():
                name = self._as(tensor, _LAST)
                return _LAST, self._add("Transpose", [name], perm=[0, *layer.dims])
            case layers.LSTM():
                return self._recurrent("LSTM", layer, tensor, [0, 3, 1, 2])
            case layers.GRU():
                return self._recurrent("GRU", layer, tensor, [0, 1, 2], linear_before_reset=1)
            case layers.Dense():
                # The order in which time comes first has channels last, too.
                order, name = self._some(tensor)
                if order == _FIRST:
                    order, name = _LAST, self._as(tensor, _LAST)
                name = self._add("MatMul", [name, self._constant(layer.kernel.numpy())])
                if layer.use_bias:
                    name = self._add("Add", [name, self._constant(layer.bias.numpy())])
                return self._activated(layer, order, name)
            case layers.Normalization():
                name = self._as(tensor, _LAST)
                mean = layer.mean.numpy()
                spread = np.maximum(np.sqrt(layer.variance.numpy()), np.float32(1e-7))
                centred = self._add("Sub", [name, self._constant(mean)])
                return _LAST, self._add("Div", [centred, self._constant(spread)])
            case layers.BatchNormalization():
                return self._scaled(tensor, *batch_norm_numbers(layer))
            case layers.Rescaling():
                return self._scaled(tensor, np.float32(layer.scale), np.float32(layer.offset))
            case layers.LayerNormalization():
                channels = self._graph.shape(tensor)[-1]
                scale = layer.gamma.numpy() if layer.scale else np.ones(channels)
                offset = layer.beta.numpy() if layer.center else np.zeros(channels)
                names = [self._as(tensor, _LAST), self._constant(scale), self._constant(offset)]
                return _LAST, self._add("LayerNormalization", names, axis=-1, epsilon=layer.epsilon)
            case layers.LeakyReLU():
                order, name = self._some(tensor)
                return order, self._add("LeakyRelu", [name], alpha=float(layer.negative_slope))
            case layers.Activation() | layers.ReLU() | layers.Softmax():
                order, name = self._some(tensor)
                return self._activated(layer, order, name, self._rank(tensor))
            case Patches():
                return _LAST, self._patches(layer, self._as(tensor, _LAST))
            case Listening():
                return _LAST, self._listening(layer, self._as(tensor, _LAST))
            case _ if is_for_training(layer):
                return self._some(tensor)
        raise SongNetError(
            f"Layer {layer.name} ({type(layer).__name__}): how it is written in ONNX is not known "
            "here. Say so in songnet_utils/onnx_export.py."
        )

    def _activated(self, layer: Any, order: str, name: str, rank: int = 0) -> tuple[str, str]:
        activation = activation_of(layer)
        match activation:
            case "linear":
                pass
            case "softmax":
                axis = 1 if order == _FIRST else -1
                name = self._add("Softmax", [name], axis=axis)
            case "silu":
                name = self._add("Mul", [name, self._add("Sigmoid", [name])])
            case "gelu":
                part = self._add("Erf", [self._add("Mul", [name, self._constant(0.5**0.5)])])
                part = self._add("Add", [part, self._constant(1.0)])
                name = self._add("Mul", [self._add("Mul", [name, part]), self._constant(0.5)])
            case _:
                name = self._add(activation.capitalize(), [name])
        return order, name

    def _convolution(self, layer: Any, tensor: int, weights: np.ndarray, groups: int = 1) -> str:
        inputs = [self._as(tensor, _FIRST), self._constant(weights)]
        if layer.use_bias and groups == 1:
            inputs.append(self._constant(layer.bias.numpy()))
        wider = [
            (kernel - 1) * dilation
            for kernel, dilation in zip(layer.kernel_size, layer.dilation_rate, strict=True)
        ]
        padding: dict[str, Any] = {"auto_pad": _AUTO_PAD.get(layer.padding, "NOTSET")}
        if layer.padding == "causal":
            padding["pads"] = [*wider, 0]
        elif layer.padding == "same" and max(layer.dilation_rate) > 1:
            # ONNX Runtime leaves the sum to us here. Keras has no strides with dilation.
            before = [rows // 2 for rows in wider]
            after = np.subtract(wider, before).tolist()
            padding = {"pads": [*before, *after]}
        return self._add(
            "Conv",
            inputs,
            kernel_shape=layer.kernel_size,
            strides=layer.strides,
            dilations=layer.dilation_rate,
            group=groups,
            **padding,
        )

    def _depthwise(self, layer: Any, tensor: int) -> str:
        separable = hasattr(layer, "pointwise_kernel")
        kernel = (layer.depthwise_kernel if separable else layer.kernel).numpy()
        taps, channels, multiplier = kernel.shape
        weights = kernel.transpose(1, 2, 0).reshape(channels * multiplier, 1, taps)
        name = self._convolution(layer, tensor, weights, channels)
        bias = [self._constant(layer.bias.numpy())] if layer.use_bias else []
        if separable:
            mixing = self._constant(layer.pointwise_kernel.numpy().transpose(2, 1, 0))
            return self._add("Conv", [name, mixing, *bias])
        if bias:
            self._nodes[-1].input.extend(bias)
        return name

    def _pooling(self, kind: str, layer: Any, tensor: int) -> str:
        name = self._as(tensor, _FIRST)
        return self._add(
            kind,
            [name],
            kernel_shape=layer.pool_size,
            strides=layer.strides,
            auto_pad=_AUTO_PAD[layer.padding],
        )

    def _padding(self, layer: Any, tensor: int) -> tuple[str, str]:
        order, name = self._some(tensor)
        before, after = self._sides(layer.padding, order, tensor)
        return order, self._add("Pad", [name, self._constant([*before, *after], np.int64)])

    def _cropping(self, layer: Any, tensor: int) -> tuple[str, str]:
        order, name = self._some(tensor)
        before, after = self._sides(layer.cropping, order, tensor)
        # A negative end counts from the end; none of them names the end itself.
        ends = [-rows if rows else np.iinfo(np.int64).max for rows in after]
        bounds: list[Iterable[int]] = [before, ends, range(len(ends))]
        return order, self._add(
            "Slice", [name, *(self._constant(bound, np.int64) for bound in bounds)]
        )

    def _sides(self, sizes: Any, order: str, tensor: int) -> tuple[list[int], list[int]]:
        """Return what a layer adds or takes before and after, for each axis in this order."""
        by_axis = {1: along_time(sizes)}
        if isinstance(sizes[1], list | tuple):
            by_axis[2] = tuple(sizes[1])
        sides = [by_axis.get(axis, (0, 0)) for axis in _axes(order, self._rank(tensor))]
        return [before for before, _ in sides], [after for _, after in sides]

    def _scaled(self, tensor: int, scale: Any, offset: Any) -> tuple[str, str]:
        order, name = self._some(tensor)
        rank = self._rank(tensor)
        name = self._add("Mul", [name, self._by_channel(scale, order, rank)])
        return order, self._add("Add", [name, self._by_channel(offset, order, rank)])

    def _meeting(self, node: Node) -> tuple[str, str]:
        kind = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Maximum": "Max"}[
            type(node.layer).__name__
        ]
        rank = self._rank(node.output)
        ranks = {self._rank(tensor) for tensor in node.inputs}
        order = self._some(node.inputs[0])[0] if len(ranks) == 1 else _LAST
        names = []
        for tensor in node.inputs:
            name = self._as(tensor, order)
            if missing := rank - self._rank(tensor):
                # As Keras does: what has no time is the same at all times.
                axes = self._constant(range(1, 1 + missing), np.int64)
                name = self._add("Unsqueeze", [name, axes])
            names.append(name)
        name = names[0]
        for other in names[1:]:
            name = self._add(kind, [name, other])
        return order, name

    def _recurrent(
        self, kind: str, layer: Any, tensor: int, gates: Sequence[int], **attributes: int
    ) -> tuple[str, str]:
        """Write a recurrent layer; `gates` are Keras's gates in ONNX's order."""

        def in_order(columns: np.ndarray) -> np.ndarray:
            parts = np.split(columns, len(gates), axis=-1)
            return np.concatenate([parts[gate] for gate in gates], axis=-1)

        kernel, recurrent, *bias = layer.get_weights()
        inputs = [
            self._as(tensor, _TIME),
            self._constant(in_order(kernel).T[None]),
            self._constant(in_order(recurrent).T[None]),
        ]
        if bias:
            # The GRU has a bias for the inputs and one for its state, the LSTM one for both.
            own, state = bias[0] if bias[0].ndim == 2 else (bias[0], np.zeros_like(bias[0]))
            both = np.concatenate([in_order(own), in_order(state)])
            inputs.append(self._constant(both[None]))
        name = self._add(kind, inputs, hidden_size=layer.units, **attributes)
        if self._states is not None:
            self._carry_state(layer, self._nodes[-1])
        # (time, directions, clips, units)
        return _TIME, self._add("Squeeze", [name, self._constant([1], np.int64)])

    def _carry_state(self, layer: Any, node: Any) -> None:
        """Make a recurrent node begin with a state that is put in, and give that at its end."""
        assert self._states is not None
        parts = ("_hidden", "_cell") if node.op_type == "LSTM" else ("",)
        names = [f"state_{layer.name}{part}" for part in parts]
        # No bias where the layer has none, and no lengths of clips.
        node.input.extend([""] * (5 - len(node.input)) + names)
        node.output.extend(f"{name}_next" for name in names)
        for values, suffix in zip(self._states, ("", "_next"), strict=True):
            values += [self._float(name + suffix, [1, 1, layer.units]) for name in names]

    def _patches(self, layer: Any, frames: str) -> str:
        """Write what cuts patches, of any number of clips and frames; return their name."""
        count = self._add("Shape", [frames], start=1, end=2)
        ends = [self._constant([n], np.int64) for n in (0, 1 - layer.patch, layer.stride)]
        ends[1] = self._add("Add", [count, ends[1]])
        # A range is made from numbers, not from lists of one.
        starts = self._add("Range", [self._add("Squeeze", [end]) for end in ends])
        starts = self._add("Unsqueeze", [starts, self._constant([1], np.int64)])
        places = self._add("Add", [starts, self._constant(range(layer.patch), np.int64)])
        # (clips, steps, patch, …), and all patches of all clips one after the other.
        cut = self._add("Gather", [frames, places], axis=1)
        rest = self._add("Shape", [frames], start=2)
        ahead = self._constant([-1, layer.patch], np.int64)
        return self._add("Reshape", [cut, self._add("Concat", [ahead, rest], axis=0)])

    def _listening(self, layer: Any, frames: str) -> str:
        """Write the network that hears patches; return the name of its steps, clip by clip."""
        outer, states = self._graph, self._states
        # A patch is heard anew each time.
        self._states = None
        self._graph = graph_to(layer.model, [layer.model.output])
        self._names[self._graph.frames] = {_LAST: frames}
        self._write_all()
        made = self._as(self._graph.wanted[0], _LAST)
        self._graph, self._states = outer, states

        clips = self._add("Shape", [frames], start=0, end=1)
        steps_units = self._constant([-1, layer.model.output_shape[1]], np.int64)
        return self._add("Reshape", [made, self._add("Concat", [clips, steps_units], axis=0)])


def _axes(order: str, rank: int) -> list[int]:
    """Return which of Keras's axes (clips, time, …, channels) come in which place."""
    axes: Iterable[int] = range(rank)
    if order == _FIRST:
        axes = [0, rank - 1, *range(1, rank - 1)]
    elif order == _TIME:
        axes = [1, 0, *range(2, rank)]
    return list(axes)
