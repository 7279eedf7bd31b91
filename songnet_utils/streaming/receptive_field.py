"""How far a network's answers reach in time, worked out from its layers.

Row ``k`` of a tensor depends on the frames ``[stride·k + first, stride·k + stop)``. Each layer
changes the three numbers in its own way: a convolution or a pooling looks further on, zeros put
before the song (causal padding) look further back, cropping shifts, a recurrent layer remembers
the song from its beginning. Branches that meet must be in step: the same rows, at any time.
Whatever would look at the end of the song (padding there, "same" padding) is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.graph import Graph, Node, graph_to_layer, is_for_training
from songnet_utils.streaming.timeline import Layer, ReceptiveField, Timeline

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Reach:
    """The frames that the rows of a tensor depend on.

    Parameters
    ----------
    first, stop : int
        Row ``k`` depends on the frames ``[stride·k + first, stride·k + stop)``.
    stride : int
        Frames between neighbouring rows.
    zeros : int
        So many rows at the beginning depend on no frame: they are there before the song.
    remembers : bool
        A recurrent layer lies before: row ``k`` depends on all earlier frames as well.
    """

    first: int = 0
    stop: int = 1
    stride: int = 1
    zeros: int = 0
    remembers: bool = False

    def shifted(self, rows: int) -> Reach:
        """Return the reach when row ``k`` is what was row ``k + rows``; zeros come in before 0."""
        frames = rows * self.stride
        zeros = max(0, self.zeros - rows)
        return replace(self, first=self.first + frames, stop=self.stop + frames, zeros=zeros)

    def windowed(self, kernel: int, stride: int, dilation: int = 1) -> Reach:
        """Return the reach of windows of `kernel` rows, `dilation` apart, every `stride` rows."""
        wider = (kernel - 1) * dilation
        return replace(
            self,
            stop=self.stop + wider * self.stride,
            stride=self.stride * stride,
            zeros=max(0, (self.zeros - wider - 1) // stride + 1),
        )


def timeline_of(model: keras.Model, sound: Sound) -> Timeline:
    """Return when the network's steps are, computed from its layers.

    Raises
    ------
    SongNetError
        When the network has no layer called ``genre_over_time``, when a layer pads at the end of
        the song or is of a kind whose reach in time is not known, when branches that meet are not
        in step, or when steps would depend on nothing but padding.
    """
    graph = graph_to_layer(model, "genre_over_time")
    reach = receptive_fields(graph)[graph.wanted[0]]
    if reach.zeros:
        raise SongNetError(
            f"The network's first {reach.zeros} steps hear nothing but the zeros before the song. "
            "Pad with fewer zeros, at most kernel − 1 before a convolution."
        )
    past = math.inf if reach.remembers else -reach.first
    return Timeline(sound, ReceptiveField(reach.stop, reach.stride, past))


def receptive_fields(graph: Graph) -> dict[int, Reach]:
    """Return the reach of each tensor that depends on the frames.

    Raises
    ------
    SongNetError
        As `timeline_of`.
    """
    found = {graph.frames: Reach()}
    for node in graph.nodes:
        if node.output not in graph.timeless:
            found[node.output] = _reach(graph, node, found)
    return found


def _reach(graph: Graph, node: Node, found: dict[int, Reach]) -> Reach:
    from keras import layers

    layer = node.layer
    if isinstance(layer, _merging()):
        return _meeting(graph, node, found)
    if isinstance(layer, _of_the_whole_song()):
        raise SongNetError(
            f"Layer {layer.name} ({type(layer).__name__}) looks at the whole song: what comes "
            "later would change its answers. To sum up what has been so far, pool over the last n "
            "rows: ZeroPadding1D((n - 1, 0)) and a pooling of size n with strides=1, or an LSTM."
        )
    if len(node.inputs) != 1:
        raise _unknown(layer)
    before, shape = found[node.inputs[0]], graph.shape(node.inputs[0])
    if isinstance(layer, layers.TimeDistributed):
        layer = layer.layer
        # Only what treats rows one by one anyway; a convolution would be one inside a row.
        rowwise = layers.Dense | layers.Activation | layers.ReLU | layers.Softmax
        if not (isinstance(layer, rowwise) or is_for_training(layer)):
            raise _unknown(node.layer)
    # A layer of our own may say itself what a row sees.
    if isinstance(own := getattr(layer, "reach", None), Layer):
        return before.windowed(own.kernel, own.stride, own.dilation)
    match layer:
        case (
            layers.Conv1D() | layers.Conv2D() | layers.DepthwiseConv1D() | layers.SeparableConv1D()
        ):
            if getattr(layer, "groups", 1) != 1 or layer.data_format != "channels_last":
                raise _unknown(layer)
            kernel, dilation = layer.kernel_size[0], layer.dilation_rate[0]
            if layer.padding == "causal":
                before = before.shifted(-(kernel - 1) * dilation)
            elif layer.padding != "valid":
                raise _pads(layer)
            return before.windowed(kernel, layer.strides[0], dilation)
        case (
            layers.MaxPooling1D()
            | layers.AveragePooling1D()
            | layers.MaxPooling2D()
            | layers.AveragePooling2D()
        ):
            if layer.data_format != "channels_last":
                raise _unknown(layer)
            if layer.padding != "valid":
                raise _pads(layer)
            return before.windowed(layer.pool_size[0], layer.strides[0])
        case layers.ZeroPadding1D() | layers.ZeroPadding2D():
            if layer.data_format != "channels_last":
                raise _unknown(layer)
            left, right = along_time(layer.padding)
            if right:
                raise _pads(layer)
            return before.shifted(-left)
        case layers.Cropping1D():
            left, right = layer.cropping
            if right:
                raise SongNetError(
                    f"Layer {layer.name} crops the end of the song: its rows would wait for what "
                    "they do not hear. Crop the beginning only: Cropping1D((n, 0))."
                )
            return before.shifted(left)
        case layers.Reshape():
            after = graph.shape(node.output)
            if layer.target_shape[0] != -1 or math.prod(shape[1:]) != math.prod(after[1:]):
                raise SongNetError(
                    f"Layer {layer.name} mixes time with the other axes. "
                    "Keep the time axis first: Reshape((-1, …))."
                )
            return before
        case layers.LSTM() | layers.GRU():
            if not _plain_recurrent(layer):
                raise SongNetError(
                    f"Layer {layer.name} is not a recurrent layer that runs forward and answers at "
                    "each step with Keras's own activations. Build it with return_sequences=True "
                    "and leave the rest as it is."
                )
            return replace(before, remembers=True)
        case layers.BatchNormalization() | layers.LayerNormalization() | layers.Normalization():
            axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
            last = len(shape)
            plain = not getattr(layer, "rms_scaling", False) and not getattr(layer, "invert", False)
            if plain and all(axis in (-1, last, None) for axis in axes):
                return before
        case layers.Softmax():
            if layer.axis in (-1, len(shape)):
                return before
        case layers.ReLU():
            if layer.max_value is None and not layer.negative_slope and not layer.threshold:
                return before
        case layers.Dense() | layers.Activation() | layers.LeakyReLU() | layers.Rescaling():
            return before
        case _ if is_for_training(layer):
            return before
    raise _unknown(node.layer)


def _meeting(graph: Graph, node: Node, found: dict[int, Reach]) -> Reach:
    """Return the reach of a layer in which branches meet."""
    from keras import layers

    layer, rank = node.layer, len(graph.shape(node.output))
    for tensor in node.inputs:
        shape = graph.shape(tensor)
        if tensor not in graph.timeless:
            # Keras fills up shorter shapes behind the clips, which is where time is.
            fits = len(shape) == rank
        else:
            fits = (len(shape) < rank or shape[0] == 1) and not isinstance(
                layer, layers.Concatenate
            )
        if not fits:
            raise SongNetError(
                f"Layer {layer.name}: a branch of shape {shape} cannot meet the steps there. "
                "Bring what has no time to shape (1, channels) and add or multiply it."
            )
    if isinstance(layer, layers.Concatenate) and layer.axis in (0, 1, -rank, -rank - 1):
        raise SongNetError(f"Layer {layer.name} puts songs one after the other: use axis=-1.")
    branches = [found[tensor] for tensor in node.inputs if tensor not in graph.timeless]
    if len({(branch.stop, branch.stride, branch.zeros) for branch in branches}) > 1:
        told = " and ".join(
            f"row k after frame {branch.stride}·k + {branch.stop}" for branch in branches
        )
        raise SongNetError(
            f"Layer {layer.name}: the branches that meet there are not in step ({told}). "
            "Crop the quicker one at the beginning, Cropping1D((n, 0)), or pad the slower one "
            "there."
        )
    return replace(
        branches[0],
        first=min(branch.first for branch in branches),
        remembers=any(branch.remembers for branch in branches),
    )


def _merging() -> tuple[type, ...]:
    from keras import layers

    return (layers.Add, layers.Subtract, layers.Multiply, layers.Maximum, layers.Concatenate)


def _of_the_whole_song() -> tuple[Any, ...]:
    from keras import layers

    return (
        layers.Bidirectional,
        *(layers.GlobalAveragePooling1D, layers.GlobalMaxPooling1D),
        *(layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D),
        *(layers.MultiHeadAttention, layers.Attention, layers.AdditiveAttention),
    )


def along_time(padding: Any) -> tuple[int, int]:
    """Return a Keras layer's padding before and after, along time, whatever its form."""
    first = padding[0]
    return tuple(first) if isinstance(first, list | tuple) else tuple(padding)


def _plain_recurrent(layer: Any) -> bool:
    from keras import activations

    return (
        layer.return_sequences
        and not layer.return_state
        and not layer.go_backwards
        and not layer.stateful
        and layer.activation is activations.tanh
        and layer.recurrent_activation is activations.sigmoid
        and getattr(layer, "reset_after", True)
    )


def _pads(layer: Any) -> SongNetError:
    how = layer.padding
    return SongNetError(
        f"Layer {layer.name} pads its input ({how}): its answers would depend on where a song "
        'ends. Build it with padding="valid", or with zeros before the song only.'
    )


def _unknown(layer: Any) -> SongNetError:
    return SongNetError(
        f"Layer {layer.name} ({type(layer).__name__}): how far it sees in time is not known here, "
        "or not with these arguments. Say so in songnet_utils/reach.py."
    )
