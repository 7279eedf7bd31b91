"""The pretrained listener's ears under a small layer of one's own: learnt in seconds.

The listener (`songnet_utils.listener`) heard some 200,000 songs before. What it makes of each
patch of 3 s just before it names tags, 200 numbers, tells genres apart that it never had a name
for. So its weights stay as they are, and only a dense softmax over the genres is trained on those
numbers: a few thousand weights, which a handful of songs can settle.

The finished network has the listener inside. It loads without the listener's own files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from songnet_utils.listener import EMBEDDING, PATCH, SOUND, STRIDE
from songnet_utils.models.building import Draw, check_genres, end, keras, layers
from songnet_utils.timeline import Layer, Sound


@keras.saving.register_keras_serializable(package="songnet_utils")
class Patches(layers.Layer):
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
class Listening(layers.Layer):
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


def songnet_transfer(
    sound: Sound, genres: Sequence[str], *, dropout: float = 0.5, seed: int = 0
) -> keras.Model:
    """Build the part that is trained: from the listener's 200 numbers a step to genres.

    Parameters
    ----------
    sound : Sound
        The listener's.
    genres, dropout, seed
        As in `songnet_utils.models.paper.songnet`.

    Returns
    -------
    keras.Model
        Input ``embedding``, shape (clips, steps, 200); outputs as those of `songnet`.
    """
    check_genres(genres)
    draw = Draw(seed)
    embedding = keras.Input((None, EMBEDDING), name="embedding")
    x = layers.Normalization(axis=-1, name="centring")(embedding)
    x = layers.Dropout(dropout, seed=seed + 1, name="dropout_1")(x)
    return end(embedding, x, genres, draw, "songnet_transfer")


def with_listener(head: keras.Model, listener: keras.Model) -> keras.Model:
    """Return the whole network: from ``log_mel`` through the listener to what `head` gives.

    Parameters
    ----------
    head : keras.Model
        What `songnet_transfer` built, trained.
    listener : keras.Model
        (clips, frames, 96) → (clips·steps, 200), with its published weights.
    """
    frames = keras.Input((None, SOUND.n_mels), name="log_mel")
    x = Listening(listener, PATCH, STRIDE, name="listening")(frames)
    # The head's layers anew: one chain from the frames on, like the other networks.
    outputs = {}
    for layer in head.layers[1:]:
        copy = type(layer).from_config(layer.get_config())
        x = copy(x)
        copy.set_weights(layer.get_weights())
        outputs[layer.name] = x
    whole = keras.Model(
        frames, {name: outputs[name] for name in ("genre_over_time", "genre")}, name=head.name
    )
    # The centring layer computes with copies of its weights.
    whole.get_layer("centring").finalize_state()
    return whole
