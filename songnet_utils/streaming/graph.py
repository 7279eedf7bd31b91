"""A Keras network read as a list of layers, each with the tensors it takes and gives.

The timeline, the stream and the ONNX file are all made from this list. It holds only what a wanted
tensor needs, in an order in which it can be computed. A tensor is known by a number; a *timeless*
one depends on the network's other inputs (metadata), and not on the frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError

if TYPE_CHECKING:
    import keras

#: The name of the input that takes frames, where a network has others besides.
FRAMES = "log_mel"


@dataclass(frozen=True)
class Node:
    """A layer at one place in the network.

    Parameters
    ----------
    layer : keras.layers.Layer
        What computes; of a time-distributed Dense layer, the Dense layer.
    inputs : tuple of int
        The tensors that it takes.
    output : int
        The tensor that it gives.
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
        Each after those whose outputs it takes.
    tensors : dict of int to KerasTensor
        All that occur.
    frames : int
        The tensor that frames are put into.
    others : dict of str to int
        The network's other inputs, by name.
    wanted : tuple of int
        The tensors asked for.
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
    """Tell whether a layer gives what it takes, except in training: dropout, noise, a penalty."""
    from keras import layers

    # Keras derives its spatial dropouts from Dropout.
    kinds = layers.Dropout | layers.GaussianNoise | layers.GaussianDropout | layers.AlphaDropout
    return isinstance(layer, kinds | layers.ActivityRegularization)


def activation_name(layer: Any) -> str:
    """Return the name of a layer's activation function; of a ReLU or a Softmax, its own."""
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", type(layer).__name__.lower())


def graph_to_layer(model: keras.Model, last: str) -> Graph:
    """Return what leads from the inputs of `model` to the output of the layer called `last`.

    Raises
    ------
    SongNetError
        When there is no such layer, or the network is not a graph of layers.
    """
    names = [layer.name for layer in model.layers]
    if last not in names:
        raise SongNetError(f"the network has no layer called {last!r}. It has {names}")
    return graph_to(model, [model.get_layer(last).output])


def graph_to(model: keras.Model, wanted: list[Any]) -> Graph:
    """Return what leads from the inputs of `model` to the tensors `wanted`.

    Raises
    ------
    SongNetError
        When the network is not a graph of layers, or it is not plain where frames go in.
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
                    f"{len(node.output_tensors)} tensors: here every layer gives one."
                )
            inputs = tuple(visit(before) for before in node.input_tensors)
            if isinstance(layer, layers.TimeDistributed) and (
                # Only what treats rows one by one anyway.
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
            f"The network has the inputs {list(names)}: name the one for frames {FRAMES!r}."
        )
    others = {name: tensor for name, tensor in names.items() if tensor != frames}
    timeless = set(others.values())
    for one in nodes:
        if timeless.issuperset(one.inputs):
            timeless.add(one.output)
    return Graph(nodes, tensors, frames, others, last, frozenset(timeless))
