"""Small networks of many kinds, with weights that are not those of a fresh network."""

from __future__ import annotations

from typing import Any

import numpy as np

from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.timeline import ReceptiveField

BANDS = 12
SOUND = Sound(sample_rate=8_000, n_fft=128, hop=48, n_mels=BANDS)
GENRES = ("Folk", "Pop", "Rock")


def used(model: Any, seed: int = 0) -> Any:
    """Give a network's averages and biases values as if it had been trained."""
    from keras import layers

    random = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            continue
        for variable in layer.weights:
            if variable.name in ("bias", "beta", "moving_mean"):
                variable.assign(random.normal(0, 0.3, variable.shape))
            elif variable.name in ("gamma", "moving_variance"):
                variable.assign(random.uniform(0.5, 2, variable.shape))
    return model


def network(kind: str, bands: int = BANDS, units: int = 10, genres: int = 3) -> Any:
    """Return an untrained network: dense, lstm, crnn-2d, residual or metadata."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    frames = keras.Input((None, bands), name="log_mel")
    inputs = frames
    x = layers.Normalization(mean=[-5.0] * bands, variance=[4.0] * bands)(frames)
    match kind:
        case "dense" | "lstm" | "metadata":
            for _ in range(3):
                x = layers.Conv1D(units, 5)(x)
                x = layers.BatchNormalization()(x)
                x = layers.ReLU()(x)
                x = layers.MaxPooling1D(2)(x)
                x = layers.Dropout(0.3)(x)
            if kind == "lstm":
                x = layers.LSTM(units, return_sequences=True)(x)
            if kind == "metadata":
                metadata = keras.Input((4,), name="metadata")
                inputs = [frames, metadata]
                facts = layers.Dense(6, activation="relu")(metadata)
                gate = layers.Dense(units, activation="sigmoid")(facts)
                x = layers.Multiply()([x, layers.Reshape((1, units))(gate)])
                x = layers.Add()([x, layers.Dense(units)(facts)])
        case "crnn-2d":
            x = layers.Reshape((-1, bands, 1))(x)
            for _ in range(2):
                x = layers.ZeroPadding2D(((0, 0), (1, 1)))(x)
                x = layers.Conv2D(4, 3)(x)
                x = layers.BatchNormalization()(x)
                x = layers.Activation("elu")(x)
                x = layers.MaxPooling2D((2, 2))(x)
                x = layers.SpatialDropout2D(0.1)(x)
            x = layers.AveragePooling2D((1, bands // 4))(x)
            x = layers.Reshape((-1, 4))(x)
            x = layers.GRU(units, return_sequences=True)(x)
        case "residual":
            x = layers.Conv1D(units, 4, strides=2)(x)
            for dilation in (1, 2):
                y = layers.BatchNormalization()(x)
                y = layers.Conv1D(
                    units, 3, padding="causal", dilation_rate=dilation, activation="elu"
                )(y)
                # What acts in training only.
                y = layers.ActivityRegularization(l2=0.1)(layers.GaussianNoise(0.1)(y))
                x = layers.Add()([x, y])
            y = layers.Conv1D(units, 3, activation="tanh")(x)
            x = layers.Concatenate()([y, layers.Cropping1D((2, 0))(x)])
            x = layers.AveragePooling1D(3)(layers.ZeroPadding1D((2, 0))(x))
        case _:
            raise ValueError(kind)
    over_time = layers.Dense(genres, activation="softmax", name="genre_over_time")(x)
    mean = layers.GlobalAveragePooling1D(name="genre")(over_time)
    return used(keras.Model(inputs, {"genre_over_time": over_time, "genre": mean}))


KINDS = ("dense", "lstm", "crnn-2d", "residual", "metadata")


def asked_in_pieces(session: Any, field: ReceptiveField, frames: np.ndarray, count: Any) -> Any:
    """Ask an ONNX network for its steps as the page does: `count()` at a time, then the next.

    Each time it gets the frames of these steps alone, from as many steps before as `past` needs,
    and the state that it gave the time before.
    """
    before = -min(0, -int(field.past) // field.stride)
    states = {
        value.name: np.zeros(value.shape, np.float32)
        for value in session.get_inputs()
        if value.name.startswith("state_")
    }
    steps = [np.empty((0, len(GENRES)), np.float32)]
    done, total = 0, field.outputs_of_inputs(len(frames))
    while done < total:
        asked, further = min(count(), total - done), min(before, done)
        window = frames[
            field.stride * (done - further) : field.stride * (done + asked - 1) + field.size
        ]
        found = session.run(
            ["genre_over_time", *(f"{name}_next" for name in states)],
            {"log_mel": window[None], **states},
        )
        assert found[0].shape[1] == further + asked
        steps.append(found[0][0, further:])
        states = dict(zip(states, found[1:], strict=True))
        done += asked
    return np.concatenate(steps)
