"""The receptive field of every tensor of a network, computed from its layers.

Row ``k`` of a tensor depends on the frames ``[stride·k − past, stride·k + size)``. Each layer
changes these three numbers in its own way: a convolution or a pooling sees more frames, causal
padding (zeros before the song) adds earlier frames, cropping shifts them, and a recurrent layer
remembers the song from its beginning. Branches that meet must be in step, with the same rows at any
time. A layer that would look at the end of the song (with "same" padding, say) is an error.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.graph import Graph, Node, graph_to_layer, is_for_training
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

if TYPE_CHECKING:
    import keras

#: The values that arguments of layers must have.
_NEEDED = {
    "data_format": "channels_last",
    "groups": 1,
    "return_sequences": True,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "reset_after": True,
    "recurrent_activation": "sigmoid",
    "max_value": None,
    "negative_slope": 0,
    "threshold": 0,
    "invert": False,
}


def timeline_of(model: keras.Model, sound: Sound) -> Timeline:
    """Return the timeline of the network's steps, computed from its layers.

    Raises
    ------
    SongNetError
        When the network has no layer ``genre_over_time``, when a layer pads at the end of the song
        or its receptive field is not known, when branches that meet are not in step, or when steps
        would depend only on padding.
    """
    graph = graph_to_layer(model, "genre_over_time")
    field = receptive_fields(graph)[graph.wanted[0]]
    if field.size < 1:
        raise SongNetError(
            "The network's first steps see only the zeros before the song. "
            "Pad with fewer zeros, at most kernel − 1 before a convolution."
        )
    return Timeline(sound, field)


def receptive_fields(graph: Graph, *, memory: bool = True) -> dict[int, ReceptiveField]:
    """Return the receptive field of each tensor that depends on the frames.

    Parameters
    ----------
    graph : Graph
        The network's layers.
    memory : bool
        Whether to include the memory of recurrent layers in `past`.

    Raises
    ------
    SongNetError
        As for `timeline_of`.
    """
    found = {graph.frames: ReceptiveField(1, 1)}
    for node in graph.nodes:
        if node.output not in graph.timeless:
            found[node.output] = _field(graph, node, found, memory)
    return found


def _field(
    graph: Graph, node: Node, found: dict[int, ReceptiveField], memory: bool
) -> ReceptiveField:
    from keras import layers

    if isinstance(node.layer, layers.Add | layers.Multiply | layers.Concatenate):
        return _merged(graph, node, found)
    if len(node.inputs) != 1:
        raise _unknown(node.layer)
    before, shape = found[node.inputs[0]], graph.shape(node.inputs[0])
    layer = node.layer
    _check_arguments(layer, len(shape))
    match layer:
        case layers.Conv1D() | layers.Conv2D():
            kernel, dilation = layer.kernel_size[0], layer.dilation_rate[0]
            if layer.padding == "causal":
                before = before.shifted(-(kernel - 1) * dilation)
            return before.windowed(kernel, layer.strides[0], dilation)
        case (
            layers.MaxPooling1D()
            | layers.AveragePooling1D()
            | layers.MaxPooling2D()
            | layers.AveragePooling2D()
        ):
            return before.windowed(layer.pool_size[0], layer.strides[0])
        case layers.ZeroPadding1D() | layers.ZeroPadding2D():
            return before.shifted(-along_time(layer.padding)[0])
        case layers.Cropping1D():
            return before.shifted(layer.cropping[0])
        case layers.Reshape():
            after = graph.shape(node.output)
            if layer.target_shape[0] == -1 and math.prod(shape[1:]) == math.prod(after[1:]):
                return before
            raise SongNetError(
                f"Layer {layer.name} mixes time with the other axes. "
                "Keep the time axis first: Reshape((-1, …))."
            )
        case layers.LSTM() | layers.GRU():
            return replace(before, past=math.inf) if memory else before
        case layers.BatchNormalization() | layers.Normalization() | layers.Softmax():
            return before
        case layers.Dense() | layers.Activation() | layers.ReLU():
            return before
        case _ if is_for_training(layer):
            return before
        case layers.Bidirectional() | layers.GlobalAveragePooling1D() | layers.GlobalMaxPooling1D():
            raise SongNetError(
                f"Layer {layer.name} ({type(layer).__name__}) looks at the whole song: what comes "
                "later would change its answers. To summarise the song so far, pool over the last "
                "n rows with ZeroPadding1D((n - 1, 0)) and a pooling of size n with strides=1, or "
                "use an LSTM."
            )
    raise _unknown(layer)


def _check_arguments(layer: Any, last: int) -> None:
    """Raise SongNetError if a layer has arguments that do not work in a stream."""
    padding = getattr(layer, "padding", "valid")
    if padding == "same" or (not isinstance(padding, str) and along_time(padding)[1]):
        raise SongNetError(
            f"Layer {layer.name} pads its input ({padding}), so its answers would depend on the "
            'end of a song. Build it with padding="valid", or with zeros before the song only.'
        )
    values = {name: getattr(layer, name, needed) for name, needed in _NEEDED.items()}
    wrong = {
        name for name, value in values.items() if getattr(value, "__name__", value) != _NEEDED[name]
    }
    axis = getattr(layer, "axis", -1)
    if not set(axis if isinstance(axis, list | tuple) else [axis]) <= {-1, last, None}:
        wrong.add("axis")
    if max(getattr(layer, "dilation_rate", (1,))[1:], default=1) > 1:
        wrong.add("dilation_rate")
    if getattr(layer, "cropping", (0, 0))[1]:
        wrong.add("cropping")
    if hasattr(layer, "recurrent_activation") and layer.activation.__name__ != "tanh":
        wrong.add("activation")
    if wrong:
        raise SongNetError(
            f"Layer {layer.name} ({type(layer).__name__}) cannot process a song in pieces with "
            f"this {', '.join(sorted(wrong))}. Layers must run forward and treat all channels "
            "alike; a recurrent one needs return_sequences=True and Keras's default activations."
        )


def _merged(graph: Graph, node: Node, found: dict[int, ReceptiveField]) -> ReceptiveField:
    """Return the receptive field of a layer in which branches meet."""
    from keras import layers

    layer, rank = node.layer, len(graph.shape(node.output))
    joins = isinstance(layer, layers.Concatenate)
    for tensor in node.inputs:
        shape = graph.shape(tensor)
        # Keras extends shorter shapes after the axis of clips, at the axis of time.
        without_time = not joins and (len(shape) < rank or shape[0] == 1)
        if not (without_time if tensor in graph.timeless else len(shape) == rank):
            raise SongNetError(
                f"Layer {layer.name}: a branch of shape {shape} cannot meet the steps there. "
                "Reshape a branch without time to (1, channels), and add or multiply it."
            )
    if joins and layer.axis in (0, 1, -rank, -rank - 1):
        raise SongNetError(f"Layer {layer.name} concatenates songs along time. Use axis=-1.")
    branches = [found[tensor] for tensor in node.inputs if tensor not in graph.timeless]
    if len({(branch.size, branch.stride) for branch in branches}) > 1:
        rows = " and ".join(
            f"row k after frame {branch.stride}·k + {branch.size}" for branch in branches
        )
        raise SongNetError(
            f"Layer {layer.name}: the branches that meet there are not in step ({rows}). Crop the "
            "faster branch at the beginning with Cropping1D((n, 0)), or pad the slower one there."
        )
    return replace(branches[0], past=max(branch.past for branch in branches))


def along_time(padding: Any) -> tuple[int, int]:
    """Return a Keras layer's padding along time, before and after, from any of its forms."""
    first = padding[0]
    return tuple(first) if isinstance(first, list | tuple) else tuple(padding)


def _unknown(layer: Any) -> SongNetError:
    return SongNetError(
        f"Layer {layer.name} ({type(layer).__name__}) is not one of those that can process a song "
        "in pieces: Conv1D, Conv2D, their poolings, LSTM, GRU, Dense, BatchNormalization "
        "and activations. To add another, start with streaming/receptive_field.py."
    )
