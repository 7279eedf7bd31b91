"""Export a network to ONNX, layer by layer, with ONNX's own operators.

The export uses the list of layers (`songnet_utils.streaming.graph`) and not TensorFlow's graph, in
which a recurrent layer is a loop over lists of tensors. Here it is ONNX's operator ``LSTM`` or
``GRU``, which makes it fast.

Keras has channels last. ONNX convolves with channels first, and its recurrent layers have time
first, so these layers have a transposition before and after them. ONNX Runtime removes
transpositions that cancel each other.

A network on musicnn's embedding follows the nodes of musicnn's own file.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.models.onnx_network import BUILT_IN, describe
from songnet_utils.streaming.graph import (
    Graph,
    Node,
    activation_name,
    graph_to,
    graph_to_layer,
    is_for_training,
)
from songnet_utils.streaming.receptive_field import along_time, receptive_fields
from songnet_utils.streaming.stateful import batch_norm_numbers
from songnet_utils.streaming.timeline import ReceptiveField

if TYPE_CHECKING:
    import keras

#: The version of ONNX's operators: the first with LayerNormalization.
OPSET = 17

#: The operators by the names of Keras's activations.
_ACTIVATIONS = {
    "relu": "Relu",
    "elu": "Elu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
}


def save_onnx(net: Any, path: str | Path) -> None:
    """Write the network in the ONNX format (`onnx_of`), whole or not at all.

    Its description is in the file's metadata (`songnet_utils.models.onnx_network`).

    Parameters
    ----------
    net : SongNet
        A trained network.
    path
        The file to write.

    Raises
    ------
    SongNetError
        When the network has a layer that is not known here.
    """
    _save(onnx_of(net.keras_model), net, net.timeline.field, path)


def save_stream(net: Any, path: str | Path) -> None:
    """Write a recurrent network in the ONNX format with its state as inputs and outputs.

    You run such a network once for each step, in order. The frames of successive calls overlap by
    the receptive field of the layers before the recurrent ones, which is in this file's metadata.
    The state of a layer NAME is the input ``state_NAME``, zeros at the beginning of a song, and the
    output ``state_NAME_next`` (for an LSTM, ``state_NAME_hidden`` and ``state_NAME_cell``), each
    (1, 1, units). The other inputs and outputs are those of `onnx_of`, for one clip; ``genre`` is
    the mean over the steps of the call.

    No file is written for a network without a recurrent layer, or with other layers that look back
    beyond the frames of a step, as causal padding does, because the file does not carry their
    state.
    """
    graph = graph_to_layer(net.keras_model, "genre_over_time")
    if (field := _field_without_state(graph)) is not None:
        _save(onnx_of(net.keras_model, stream=True), net, field, path)


def _field_without_state(graph: Graph) -> ReceptiveField | None:
    """Return a step's receptive field without recurrent memory, or None if this is impossible.

    It is impossible if a step sees frames from before its own, or if a layer after a recurrent one
    sees several of its rows, because calls would have to overlap after the state.
    """
    from keras import layers

    found = receptive_fields(graph, memory=False)
    step = found[graph.wanted[0]]
    recurrent = [
        found[node.output]
        for node in graph.nodes
        if isinstance(node.layer, layers.LSTM | layers.GRU)
    ]
    same = all((rows.size, rows.stride) == (step.size, step.stride) for rows in recurrent)
    return step if recurrent and same and step.past <= 0 else None


def _save(proto: Any, net: Any, field: ReceptiveField, path: str | Path) -> None:
    describe(proto, net.description(), field)
    with atomic_write(path) as temporary:
        temporary.write_bytes(proto.SerializeToString())


def onnx_of(model: keras.Model, *, stream: bool = False) -> Any:
    """Return a network in the ONNX format, an ``onnx.ModelProto``.

    Its input is ``log_mel`` (clips, frames, n_mels), and also ``metadata`` (clips, columns) if the
    network takes it. Its outputs are ``genre_over_time``, ``genre`` and, except for a stream,
    ``embedding``.

    Parameters
    ----------
    model : keras.Model
        Its input is ``log_mel``, or ``embedding`` for a network on musicnn.
    stream : bool
        Whether to export it for one clip, with the state of recurrent layers; see `save_stream`.

    Raises
    ------
    SongNetError
        When a layer of the network is not supported.
    """
    with quiet_stderr():
        import onnx

    outputs = dict(model.output)
    if not stream:
        outputs["embedding"] = model.get_layer("genre_over_time").input
    proto = _Writer(stream).model(graph_to(model, [*outputs.values()]), [*outputs])
    onnx.checker.check_model(proto)
    return proto


class _Writer:
    """Turns the layers of a graph into ONNX's nodes."""

    def __init__(self, stream: bool) -> None:
        import onnx

        self._onnx = onnx
        self._clips: str | int = 1 if stream else "clips"
        # The further inputs and outputs for the state of recurrent layers; None if there is none.
        self._states: tuple[list[Any], list[Any]] | None = ([], []) if stream else None
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._names: dict[int, str] = {}

    def model(self, graph: Graph, outputs: Sequence[str]) -> Any:
        """Return the whole network; its wanted tensors get the names `outputs`."""
        helper = self._onnx.helper
        self._names = {graph.frames: "log_mel"}
        self._names |= {tensor: name for name, tensor in graph.others.items()}
        inputs = [self._value(graph, *item, "frames") for item in self._names.items()]
        wanted = dict(zip(outputs, graph.wanted, strict=True))
        values = [self._value(graph, tensor, name, "steps") for name, tensor in wanted.items()]
        constants: list[Any] = []
        if graph.tensors[graph.frames].name == "embedding":
            inputs, rows, constants = self._musicnn()
            values += rows
            # The network's input is musicnn's output.
            self._names[graph.frames] = "embedding"
            del wanted["embedding"]
        for node in graph.nodes:
            self._names[node.output] = self._write(graph, node)
        for name, tensor in wanted.items():
            self._nodes.append(helper.make_node("Identity", [self._names[tensor]], [name]))
        states = self._states or ([], [])
        constants += self._constants
        proto = helper.make_model(
            helper.make_graph(
                self._nodes, "songnet", inputs + states[0], values + states[1], constants
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="songnet",
        )
        # The file version of ONNX's operators 17; older readers reject newer files.
        proto.ir_version = 8
        return proto

    def _musicnn(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Start with musicnn's nodes up to its embedding; return inputs, rows and constants."""
        graph = self._onnx.load(BUILT_IN / "musicnn.onnx").graph
        last = next(at for at, node in enumerate(graph.node) if "embedding" in node.output)
        self._nodes += graph.node[: last + 1]
        used = {name for node in self._nodes for name in node.input}
        rows = [value for value in graph.output if value.name.startswith("rows_")]
        return [*graph.input], rows, [each for each in graph.initializer if each.name in used]

    def _value(self, graph: Graph, tensor: int, name: str, time: str) -> Any:
        axes = [time if size is None else size for size in graph.shape(tensor)]
        return self._float(name, [self._clips, *axes])

    def _float(self, name: str, axes: Sequence[str | int]) -> Any:
        kind = self._onnx.TensorProto.FLOAT
        return self._onnx.helper.make_tensor_value_info(name, kind, axes)

    def _add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        output = f"{kind}_{len(self._nodes)}"
        self._nodes.append(
            self._onnx.helper.make_node(kind, inputs, [output], output, **attributes)
        )
        return output

    def _constant(self, value: Any, kind: Any = np.float32) -> str:
        name = f"constant_{len(self._constants)}"
        array = np.array(value, kind, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def _whole(self, numbers: Any) -> str:
        return self._constant(numbers, np.int64)

    def _write(self, graph: Graph, node: Node) -> str:
        """Write a layer, and return the name of its output."""
        from keras import layers

        layer, x = node.layer, self._names[node.inputs[0]]
        rank = 1 + len(graph.shape(node.inputs[0]))
        match layer:
            case layers.Add() | layers.Multiply():
                return self._merged(graph, node)
            case layers.Concatenate():
                return self._add(
                    "Concat", *[self._names[one] for one in node.inputs], axis=layer.axis
                )
            case layers.Conv1D() | layers.Conv2D():
                return self._activated(layer, self._convolution(layer, x, rank))
            case layers.MaxPooling1D() | layers.MaxPooling2D():
                return self._pooling("MaxPool", layer, x, rank)
            case layers.AveragePooling1D() | layers.AveragePooling2D():
                return self._pooling("AveragePool", layer, x, rank)
            case layers.GlobalAveragePooling1D():
                return self._add("ReduceMean", x, axes=[1], keepdims=0)
            case layers.ZeroPadding1D() | layers.ZeroPadding2D():
                before, after = _by_axis(layer.padding, rank)
                return self._add("Pad", x, self._whole([*before, *after]))
            case layers.Cropping1D():
                # Cropping is at the beginning only.
                bounds = ([layer.cropping[0]], [np.iinfo(np.int64).max], [1])
                return self._add("Slice", x, *map(self._whole, bounds))
            case layers.Reshape():
                return self._add("Reshape", x, self._whole([0, *layer.target_shape]))
            case layers.LSTM():
                return self._recurrent("LSTM", layer, x, [0, 3, 1, 2])
            case layers.GRU():
                return self._recurrent("GRU", layer, x, [0, 1, 2], linear_before_reset=1)
            case layers.Dense():
                x = self._add("MatMul", x, self._constant(layer.kernel.numpy()))
                if layer.use_bias:
                    x = self._add("Add", x, self._constant(layer.bias.numpy()))
                return self._activated(layer, x)
            case layers.Normalization():
                deviation = np.maximum(np.sqrt(np.asarray(layer.variance)), np.float32(1e-7))
                centred = self._add("Sub", x, self._constant(np.asarray(layer.mean)))
                return self._add("Div", centred, self._constant(deviation))
            case layers.BatchNormalization():
                scale, offset = map(self._constant, batch_norm_numbers(layer))
                return self._add("Add", self._add("Mul", x, scale), offset)
            case layers.Activation() | layers.ReLU() | layers.Softmax():
                return self._activated(layer, x)
            case _ if is_for_training(layer):
                return x
        raise SongNetError(
            f"Layer {layer.name} ({type(layer).__name__}) cannot be exported to ONNX yet. Add it "
            "to songnet_utils/models/onnx_export.py."
        )

    def _activated(self, layer: Any, x: str) -> str:
        name = activation_name(layer)
        if name == "linear":
            return x
        if name not in _ACTIVATIONS:
            raise SongNetError(
                f"Layer {layer.name} has the activation {name!r}, not one of {[*_ACTIVATIONS]}."
            )
        return self._add(_ACTIVATIONS[name], x)

    def _channels_first(
        self, kind: str, rank: int, x: str, *weights: str, **attributes: Any
    ) -> str:
        """Add a node that needs channels after clips; its result has them last again."""
        x = self._add("Transpose", x, perm=[0, rank - 1, *range(1, rank - 1)])
        x = self._add(kind, x, *weights, **attributes)
        return self._add("Transpose", x, perm=[0, *range(2, rank), 1])

    def _convolution(self, layer: Any, x: str, rank: int) -> str:
        weights = [np.moveaxis(layer.kernel.numpy(), [-1, -2], [0, 1])]
        if layer.use_bias:
            weights.append(layer.bias.numpy())
        padding: dict[str, Any] = {}
        if layer.padding == "causal":
            padding["pads"] = [(layer.kernel_size[0] - 1) * layer.dilation_rate[0], 0]
        return self._channels_first(
            "Conv",
            rank,
            x,
            *map(self._constant, weights),
            kernel_shape=layer.kernel_size,
            strides=layer.strides,
            dilations=layer.dilation_rate,
            **padding,
        )

    def _pooling(self, kind: str, layer: Any, x: str, rank: int) -> str:
        return self._channels_first(
            kind, rank, x, kernel_shape=layer.pool_size, strides=layer.strides
        )

    def _merged(self, graph: Graph, node: Node) -> str:
        kind = {"Add": "Add", "Multiply": "Mul"}[type(node.layer).__name__]
        rank = len(graph.shape(node.output))
        names = []
        for tensor in node.inputs:
            name = self._names[tensor]
            if missing := rank - len(graph.shape(tensor)):
                # As in Keras, a tensor without time is the same at all times.
                name = self._add("Unsqueeze", name, self._whole(range(1, 1 + missing)))
            names.append(name)
        return functools.reduce(lambda one, other: self._add(kind, one, other), names)

    def _recurrent(
        self, kind: str, layer: Any, x: str, gates: Sequence[int], **attributes: int
    ) -> str:
        """Write a recurrent layer; `gates` are Keras's gates in ONNX's order."""

        def in_order(columns: np.ndarray) -> np.ndarray:
            parts = np.split(columns, len(gates), axis=-1)
            return np.concatenate([parts[gate] for gate in gates], axis=-1)

        kernel, recurrent, *bias = layer.get_weights()
        weights = [in_order(kernel).T[None], in_order(recurrent).T[None]]
        if bias:
            # The GRU has a bias for the inputs and one for its state, the LSTM one for both.
            own, state = bias[0] if bias[0].ndim == 2 else (bias[0], np.zeros_like(bias[0]))
            weights.append(np.concatenate([in_order(own), in_order(state)])[None])
        x = self._add("Transpose", x, perm=[1, 0, 2])
        x = self._add(kind, x, *map(self._constant, weights), hidden_size=layer.units, **attributes)
        if self._states is not None:
            self._carry_state(layer, self._nodes[-1])
        # (time, directions, clips, units)
        x = self._add("Squeeze", x, self._whole([1]))
        return self._add("Transpose", x, perm=[1, 0, 2])

    def _carry_state(self, layer: Any, node: Any) -> None:
        """Make a recurrent node start with an input state, and output its final state."""
        assert self._states is not None
        parts = ("_hidden", "_cell") if node.op_type == "LSTM" else ("",)
        names = [f"state_{layer.name}{part}" for part in parts]
        # Leave out the bias if the layer has none, and the lengths of clips.
        node.input.extend([""] * (5 - len(node.input)) + names)
        node.output.extend(f"{name}_next" for name in names)
        for values, suffix in zip(self._states, ("", "_next"), strict=True):
            values += [self._float(name + suffix, [1, 1, layer.units]) for name in names]


def _by_axis(sizes: Any, rank: int) -> tuple[list[int], list[int]]:
    """Return the sizes that a layer adds or removes before and after, for each axis."""
    bands = [sizes[1]] if rank == 4 else []
    both = [(0, 0), along_time(sizes), *bands, (0, 0)]
    return [before for before, _ in both], [after for _, after in both]
