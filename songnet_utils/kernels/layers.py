"""The convolution kernels of a network: their receptive fields and activations.

A *kernel* is one output channel of a convolution over time. Its *activation* is the input of the
pooling after it: the convolution's output, with batch norm if the network has it, after the
activation function (ReLU in the paper). In a network on pictures, a kernel has an output at every
height of the picture, and its activation is the largest of these.

Activation ``p`` of a layer sees ``size`` frames, which start ``stride`` frames before those of
activation ``p + 1``. So it sees exactly the samples from the first frame's start to the last
frame's end. Frame ``i`` is centred on sample ``hop·i`` and starts ``n_fft/2`` before it. If you cut
out these samples at the network's rate and analyse them *without* centring (`frames_of_piece`),
they give the same frames, and so the same activation, as in the song.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import AudioError, check_samples, log_mel_of_windows
from songnet_utils.audio.sound import Sound
from songnet_utils.kernels.tensorflow import tf
from songnet_utils.models.building import keras, layers
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.graph import Graph, Node, graph_to_layer
from songnet_utils.streaming.receptive_field import receptive_fields
from songnet_utils.streaming.timeline import ReceptiveField

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D)
_ACTIVATING = (layers.ReLU, layers.Activation)


@dataclass(frozen=True)
class KernelLayer:
    """One convolution of a network, with its kernels.

    Parameters
    ----------
    name : str
        The convolution's name.
    number : int
        The convolution's number, from 1.
    kernels : int
        The number of kernels.
    first, size, stride : int
        Activation ``p`` sees the frames ``[stride·p + first, stride·p + first + size)``.
    sound : Sound
        The network's description of sound.
    """

    name: str
    number: int
    kernels: int
    first: int
    size: int
    stride: int
    sound: Sound

    @property
    def samples(self) -> int:
        """The samples that an activation sees."""
        return self.sound.hop * (self.size - 1) + self.sound.n_fft

    @property
    def seconds(self) -> float:
        """The seconds that an activation sees."""
        return self.sound.seconds_of_samples(self.samples)

    @property
    def rate(self) -> float:
        """The activations per second."""
        return self.sound.sample_rate / (self.sound.hop * self.stride)

    @property
    def alone(self) -> int:
        """The number of a piece's activation when you analyse the piece alone.

        It is 0, unless the network pads with zeros before the song: rows that see them come first.
        """
        return -self.first // self.stride

    def frames_of(self, position: int) -> tuple[int, int]:
        """Return the frames ``[start, stop)`` that an activation sees."""
        start = self.stride * position + self.first
        return start, start + self.size

    def samples_of(self, position: int) -> tuple[int, int]:
        """Return the samples ``[start, stop)`` that an activation sees."""
        start, stop = self.frames_of(position)
        return self.sound.frame_samples(start)[0], self.sound.frame_samples(stop - 1)[1]

    def inside(self, frames: int) -> range:
        """Return the activations that lie inside a song of `frames` frames.

        Only their pieces can be cut out of the song, because others see zeros around it.
        """
        # A song of this many frames has at least hop·(frames − 1) samples.
        half = math.ceil(self.sound.n_fft / 2 / self.sound.hop)
        lowest = math.ceil((half - self.first) / self.stride)
        highest = (frames - 1 - half - (self.first + self.size - 1)) // self.stride
        return range(max(0, lowest), max(0, lowest, highest + 1))

    def windows(self, frames: np.ndarray) -> np.ndarray:
        """Return a view of the frames of the activations `inside`, (positions, size, n_mels)."""
        positions = self.inside(len(frames))
        first, last = self.frames_of(positions[0])[0], self.frames_of(positions[-1])[1]
        view = sliding_window_view(frames[first:last], self.size, axis=0)[:: self.stride]
        return view.transpose(0, 2, 1)

    def check(self, kernel: int) -> int:
        """Return the kernel's number.

        Raises
        ------
        SongNetError
            When the layer has no such kernel.
        """
        if isinstance(kernel, bool) or kernel != int(kernel) or not 0 <= kernel < self.kernels:
            raise SongNetError(
                f"{self.name} has the kernels 0 to {self.kernels - 1}. Got {kernel!r}"
            )
        return int(kernel)


class Kernels:
    """All kernels of a network, and their activations.

    Parameters
    ----------
    net : SongNet
        A network whose convolutions run over log-mel frames.

    Raises
    ------
    SongNetError
        When it has no such convolution.
    """

    def __init__(self, net: SongNet) -> None:
        self.net, self.sound = net, net.sound
        graph = graph_to_layer(net.keras_model, "genre_over_time")
        before, after = [], []
        self.layers: list[KernelLayer] = []
        for node, field in _convolutions(graph):
            linear, active = _around_activation(graph, node)
            before.append(graph.tensors[linear])
            after.append(graph.tensors[active])
            self.layers.append(
                KernelLayer(
                    node.layer.name,
                    len(self.layers) + 1,
                    graph.shape(node.output)[-1],
                    -int(field.past),
                    field.size + int(field.past),
                    field.stride,
                    net.sound,
                )
            )
        if not self.layers:
            raise SongNetError(
                f"{net.name}: has no convolution over log-mel frames, so it has no kernels to "
                "listen to. Choose a network with such kernels, for example songnet."
            )
        frames = graph.tensors[graph.frames]
        self._before = [keras.Model(frames, tensor) for tensor in before]
        self._after = [keras.Model(frames, tensor) for tensor in after]
        #: The activations of each layer, as tensors of the network.
        self.tensors = after
        every = keras.Model(frames, after)
        self._active = tf.function(
            lambda x: [_over_bands(values) for values in keras.tree.flatten(every(x))],
            input_signature=[tf.TensorSpec((None, None, net.sound.n_mels), tf.float32)],
        )

    @property
    def names(self) -> list[str]:
        """The names of the layers, from the first."""
        return [layer.name for layer in self.layers]

    def layer(self, which: str | int) -> KernelLayer:
        """Return a layer by its name, or by its number from 1.

        Raises
        ------
        SongNetError
            When there is no such layer.
        """
        for layer in self.layers:
            if which in (layer.name, layer.number) and not isinstance(which, bool):
                return layer
        raise SongNetError(
            f"The layer must be one of {', '.join(self.names)} "
            f"(or 1 to {len(self.layers)}). Got {which!r}"
        )

    def activations(self, frames: np.ndarray) -> list[np.ndarray]:
        """Return all activations of a song.

        Parameters
        ----------
        frames : np.ndarray, shape (frames, n_mels), float32
            Log-mel frames.

        Returns
        -------
        list of np.ndarray, shape (positions, kernels), float32
            One array per layer. A song that is too short for a layer's receptive field has no
            position in it.

        Raises
        ------
        SongNetError
            When the frames have another width, or are too few for the first layer.
        """
        frames = np.asarray(frames, np.float32)
        if frames.ndim != 2 or frames.shape[1] != self.sound.n_mels:
            raise SongNetError(
                f"Kernels need frames of shape (frames, {self.sound.n_mels}). "
                f"Got shape {frames.shape}"
            )
        short = len(frames)
        needed = max(layer.size for layer in self.layers)
        # The whole network runs only on enough frames for all layers.
        frames = np.pad(frames, ((0, max(0, needed - short)), (0, 0)), mode="edge")
        return [
            values.numpy()[0, : max(0, (short - layer.first - layer.size) // layer.stride + 1)]
            for values, layer in zip(self._active(frames[None]), self.layers, strict=True)
        ]

    def active(self, frames: tf.Tensor, layer: KernelLayer) -> tf.Tensor:
        """Return a layer's activations, (songs, positions, kernels), for gradients."""
        return _over_bands(self._after[layer.number - 1](frames))

    def linear(self, frames: tf.Tensor, layer: KernelLayer) -> tf.Tensor:
        """Return a layer's activations before the activation function, (songs, positions, kernels).

        Use it for gradients, because an inactive kernel has none after a ReLU.
        """
        return _over_bands(self._before[layer.number - 1](frames))


def frames_of_piece(piece: np.ndarray, sound: Sound) -> np.ndarray:
    """Return the log-mel frames of a piece cut out of a song, analysed without centring.

    Parameters
    ----------
    piece : np.ndarray, shape (samples,), float32
        ``hop·(frames − 1) + n_fft`` samples; further samples are ignored.
    sound : Sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (frames, n_mels), float32

    Raises
    ------
    AudioError
        When it is not mono audio, or shorter than one frame.
    """
    piece = check_samples(piece)
    if len(piece) < sound.n_fft:
        raise AudioError(f"A piece needs {sound.n_fft} samples or more. Got {len(piece)}")
    windows = sliding_window_view(piece, sound.n_fft)[:: sound.hop]
    return log_mel_of_windows(windows, sound)


def untrained(net: SongNet) -> SongNet:
    """Return the same network before its training, as a control.

    The weights are the initial ones from its seed. Only the centring, which is computed and not
    trained, stays the same.
    """
    fresh = keras.models.clone_model(net.keras_model)
    fresh.get_layer("centring").set_weights(net.keras_model.get_layer("centring").get_weights())
    fresh.get_layer("centring").finalize_state()
    return SongNet(
        fresh,
        net.sound,
        net.genres,
        name=f"{net.name}, untrained",
        training_music="nothing",
        encoder=net.encoder,
    )


def _convolutions(graph: Graph) -> Iterator[tuple[Node, ReceptiveField]]:
    """Yield the convolutions over frames whose activations have a finite receptive field."""
    fields = receptive_fields(graph)
    for node in graph.nodes:
        field = fields.get(node.output)
        if isinstance(node.layer, _CONVOLUTIONS) and field and not math.isinf(field.past):
            yield node, field


def _around_activation(graph: Graph, node: Node) -> tuple[int, int]:
    """Return the tensors before and after a convolution's activation function."""
    linear = node.output
    while True:
        users = [other for other in graph.nodes if linear in other.inputs]
        layer = users[0].layer if len(users) == 1 else None
        if isinstance(layer, _ACTIVATING):
            return linear, users[0].output
        if not isinstance(layer, layers.BatchNormalization):
            return linear, linear
        linear = users[0].output


def _over_bands(values: tf.Tensor) -> tf.Tensor:
    """Return activations with one value per position and kernel, the largest over the bands."""
    return tf.reduce_max(values, axis=2) if len(values.shape) == 4 else values
