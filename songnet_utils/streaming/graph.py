"""A Keras network as a list of layers, each with its input and output tensors.

The timeline, the stream and the ONNX file all come from this list. It has only the layers behind
the wanted tensors, in an order in which you can compute them. Tensors are numbered; a *timeless*
tensor depends on the network's other inputs (metadata) and not on the frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError

if TYPE_CHECKING:
    import keras

#: The name of the input for frames, if a network has several inputs.
FRAMES = "log_mel"


@dataclass(frozen=True)
class Node:
    """A layer at one place in the network.

    Parameters
    ----------
    layer : keras.layers.Layer
        The layer; for a time-distributed Dense layer, the Dense layer.
    inputs : tuple of int
        Its input tensors.
    output : int
        Its output tensor.
    """

    layer: Any
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Graph:
    """The layers that lead to some tensors of a network.

    Parameters
    ----------
    nodes : list of Node
        The layers, each after those that give its inputs.
    tensors : dict of int to KerasTensor
        All tensors, by number.
    frames : int
        The tensor of the frames.
    others : dict of str to int
        The network's other inputs, by name.
    wanted : tuple of int
        The requested tensors.
    timeless : frozenset of int
        The tensors that do not depend on the frames.
    """

    nodes: list[Node]
    tensors: dict[int, Any]
    frames: int
    others: dict[str, int]
    wanted: tuple[int, ...]
    timeless: frozenset[int]

    def shape(self, tensor: int) -> tuple[Any, ...]:
        """Return a tensor's shape for one clip; None for time."""
        return tuple(self.tensors[tensor].shape[1:])


def is_for_training(layer: Any) -> bool:
    """Tell whether a layer changes its input only in training: dropout, noise, a penalty."""
    from keras import layers

    # Keras derives its spatial dropouts from Dropout.
    kinds = layers.Dropout | layers.GaussianNoise | layers.GaussianDropout | layers.AlphaDropout
    return isinstance(layer, kinds | layers.ActivityRegularization)


def activation_name(layer: Any) -> str:
    """Return the name of a layer's activation function; a ReLU or a Softmax is its own."""
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", type(layer).__name__.lower())


def graph_to_layer(model: keras.Model, last: str) -> Graph:
    """Return the layers between the inputs of `model` and the output of the layer `last`.

    Raises
    ------
    SongNetError
        When there is no such layer, or the network is not a graph of layers.
    """
    names = [layer.name for layer in model.layers]
    if last not in names:
        raise SongNetError(f"the network has no layer {last!r}. It has {names}")
    return graph_to(model, [model.get_layer(last).output])


def graph_to(model: keras.Model, wanted: list[Any]) -> Graph:
    """Return the layers between the inputs of `model` and the tensors `wanted`.

    Raises
    ------
    SongNetError
        When the network is not a graph of layers, or its input for frames is ambiguous.
    """
    from keras import layers

    given = {id(tensor): tensor for tensor in model.inputs}
    tensors = dict(given)
    nodes: list[Node] = []

    def visit(tensor: Any) -> int:
        if id(tensor) not in tensors:
            layer, place = tensor._keras_history[:2]
            node = layer._inbound_nodes[place]
            if len(node.output_tensors) != 1 or not node.input_tensors:
                raise SongNetError(
                    f"Layer {layer.name} ({type(layer).__name__}) gives "
                    f"{len(node.output_tensors)} tensors, but every layer here must give one."
                )
            inputs = tuple(visit(before) for before in node.input_tensors)
            if isinstance(layer, layers.TimeDistributed) and (
                # Unwrap only layers that treat each row by itself.
                isinstance(layer.layer, layers.Dense) or is_for_training(layer.layer)
            ):
                layer = layer.layer
            tensors[id(tensor)] = tensor
            nodes.append(Node(layer, inputs, id(tensor)))
        return id(tensor)

    last = tuple(visit(tensor) for tensor in wanted)
    names = {tensor._keras_history[0].name: number for number, tensor in given.items()}
    if len(names) == 1:
        (frames,) = names.values()
    elif FRAMES in names:
        frames = names[FRAMES]
    else:
        raise SongNetError(
            f"The network has the inputs {list(names)}. Name the input for frames {FRAMES!r}."
        )
    others = {name: tensor for name, tensor in names.items() if tensor != frames}
    timeless = set(others.values())
    for one in nodes:
        if timeless.issuperset(one.inputs):
            timeless.add(one.output)
    return Graph(nodes, tensors, frames, others, last, frozenset(timeless))
