"""A network that looks at patches of frames, moved along a song.

`Patches` cuts overlapping patches out of the frames. `PerPatch` applies a network to each of them,
as Keras's ``TimeDistributed`` applies a layer to each frame. `PatchStream` does the same to a song
that comes in pieces. Keras knows both layers by name, so networks with them load with nothing but
this package.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.streaming.timeline import Layer

with quiet_stderr():
    import keras
    import tensorflow as tf

# Patches computed at once: they share most of their rows, and need about 3 MB each in between.
_BLOCK = 16


@keras.saving.register_keras_serializable(package="songnet_utils")
class Patches(keras.layers.Layer):
    """Cuts frames into patches: (clips, frames, …) → (clips·steps, patch, …), clip by clip.

    Parameters
    ----------
    patch, stride : int
        Frames in a patch, and from one patch to the next.
    """

    def __init__(self, patch: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch, self.stride = patch, stride

    def call(self, frames: keras.KerasTensor) -> keras.KerasTensor:
        """Return the patches."""
        ops = keras.ops
        starts = ops.arange(0, ops.shape(frames)[1] - self.patch + 1, self.stride)
        places = ops.reshape(starts, (-1, 1)) + ops.arange(self.patch)
        cut = ops.take(frames, places, axis=1)
        return ops.reshape(cut, (-1, self.patch, *frames.shape[2:]))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (patches, patch, …), however many patches there are."""
        return None, self.patch, *shape[2:]

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        return {**super().get_config(), "patch": self.patch, "stride": self.stride}


@keras.saving.register_keras_serializable(package="songnet_utils")
class PerPatch(keras.layers.Layer):
    """A frozen network applied to each patch of the frames.

    Input (clips, frames, bands), output (clips, steps, units): step k is what `model` makes of the
    frames ``[stride·k, stride·k + patch)``.

    Parameters
    ----------
    model : keras.Model
        (clips, frames, bands) → (clips·steps, units); it cuts the patches itself, with `Patches`.
    patch, stride : int
        Frames in a patch, and from one patch to the next; `stride` is at most `patch`.
    """

    def __init__(self, model: keras.Model, patch: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.patch, self.stride = model, patch, stride
        self.trainable = False

    @property
    def window(self) -> Layer:
        """What a step sees of the frames."""
        return Layer(self.patch, self.stride)

    @functools.cached_property
    def compiled(self) -> Any:
        """The network as one graph for any number of clips and frames."""
        frames = tf.TensorSpec((None, None, self.model.input_shape[-1]), tf.float32)
        return tf.function(
            lambda frames: self.model(frames, training=False), input_signature=[frames]
        )

    def of_song(self, frames: np.ndarray) -> np.ndarray:
        """Return the steps of one song, (frames, bands) → (steps, units), some at a time."""
        ends = range(self.patch, len(frames) + 1, self.stride)
        blocks = [ends[first : first + _BLOCK] for first in range(0, len(ends), _BLOCK)]
        steps = [np.empty((0, self.model.output_shape[-1]), np.float32)]
        for block in blocks:
            steps.append(self.compiled(frames[None, block[0] - self.patch : block[-1]]).numpy())
        return np.concatenate(steps)

    def call(self, frames: keras.KerasTensor) -> keras.KerasTensor:
        """Return what the network makes of each patch."""
        ops = keras.ops
        rows = self.model(frames, training=False)
        steps = (ops.shape(frames)[1] - self.patch) // self.stride + 1
        return ops.reshape(rows, (-1, steps, rows.shape[1]))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (clips, steps, units), the steps unknown unless the frames are known."""
        frames = shape[1]
        steps = None if frames is None else max(0, (frames - self.patch) // self.stride + 1)
        return shape[0], steps, self.model.output_shape[1]

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to build the layer again."""
        model = keras.saving.serialize_keras_object(self.model)
        sizes = {"patch": self.patch, "stride": self.stride}
        return {**super().get_config(), "model": model, **sizes}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PerPatch:
        """Build the layer again."""
        model = keras.saving.deserialize_keras_object(config.pop("model"))
        return cls(model, **config)


class PatchStream:
    """Applies a `PerPatch` layer to a song that comes in pieces.

    Parameters
    ----------
    layer : PerPatch
        The network; only the frames of patches that are not complete yet are stored.
    """

    def __init__(self, layer: PerPatch) -> None:
        self._layer = layer
        self._frames = np.empty((0, layer.model.input_shape[-1]), np.float32)

    def push(self, frames: np.ndarray, /) -> np.ndarray:
        """Take frames (frames, bands), return the steps that are now complete, (steps, units)."""
        frames = np.concatenate([self._frames, frames])
        steps = self._layer.of_song(frames)
        # A copy, so that a long piece is not kept alive by its tail.
        self._frames = frames[len(steps) * self._layer.stride :].copy()
        return steps
