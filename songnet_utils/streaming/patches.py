"""A network that hears patches, moved along a song: two Keras layers.

Patches overlap: `Patches` cuts them out of the frames, and `Listening` hears each of them with a
network inside. Both are known to Keras by name, so that networks with them load without anything
but this package.
"""

from __future__ import annotations

from typing import Any

from songnet_utils._utils.quiet import quiet_stderr
from songnet_utils.streaming.timeline import Layer

with quiet_stderr():
    import keras


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
class Listening(keras.layers.Layer):
    """A frozen network that hears patches, moved along the frames.

    Input (clips, frames, bands), output (clips, steps, units): step k is what `model` makes of the
    frames ``[stride·k, stride·k + patch)``.

    Parameters
    ----------
    model : keras.Model
        (clips, frames, bands) → (clips·steps, units); it cuts the patches itself, with `Patches`.
    patch, stride : int
        Frames in a patch, and from one patch to the next.
    """

    def __init__(self, model: keras.Model, patch: int, stride: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model, self.patch, self.stride = model, patch, stride
        self.trainable = False

    @property
    def reach(self) -> Layer:
        """What a step sees of the frames."""
        return Layer(self.patch, self.stride)

    def call(self, frames: keras.KerasTensor) -> keras.KerasTensor:
        """Return what is made of each patch."""
        ops = keras.ops
        made = self.model(frames, training=False)
        steps = (ops.shape(frames)[1] - self.patch) // self.stride + 1
        return ops.reshape(made, (-1, steps, made.shape[1]))

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
    def from_config(cls, config: dict[str, Any]) -> Listening:
        """Build the layer again."""
        model = keras.saving.deserialize_keras_object(config.pop("model"))
        return cls(model, **config)
