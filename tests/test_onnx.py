"""The ONNX file answers as Keras does, whatever the network is made of."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from networks import BANDS, GENRES, KINDS, SOUND, network, used

from songnet_utils.errors import SongNetError
from songnet_utils.onnx_export import save_onnx
from songnet_utils.patches import Listening, Patches
from songnet_utils.timeline import Sound


def described(model: Any) -> Any:
    """What save_onnx needs of a SongNet."""
    description = {"sound": SOUND.to_dict(), "genres": list(GENRES), "name": "toy"}
    return SimpleNamespace(keras_model=model, description=lambda: description)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_answers_as_keras(kind, tmp_path):
    import onnxruntime

    model = network(kind)
    save_onnx(described(model), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    random = np.random.default_rng(0)
    for clips, frames in ((1, 60), (3, 201)):
        given = {"log_mel": random.normal(-5, 2.5, (clips, frames, BANDS)).astype(np.float32)}
        if kind == "metadata":
            given["metadata"] = random.normal(size=(clips, 4)).astype(np.float32)
        expected = model(list(given.values()) if len(given) > 1 else given["log_mel"])
        over_time, genre = session.run(["genre_over_time", "genre"], given)
        np.testing.assert_allclose(over_time, expected["genre_over_time"], atol=1e-5)
        np.testing.assert_allclose(genre, expected["genre"], atol=1e-5)
    # What was asked does make a difference.
    assert np.ptp(over_time, axis=1).min() > 1e-4
    assert [value.name for value in session.get_inputs()] == list(given)
    told = session.get_modelmeta().custom_metadata_map
    assert Sound.from_dict(json.loads(told["sound"])) == SOUND
    assert (json.loads(told["genres"]), told["name"]) == (list(GENRES), "toy")


@pytest.mark.parametrize("kind", ["lstm", "crnn-2d"])
def test_a_recurrent_layer_is_one_operator(kind, tmp_path):
    import onnx

    save_onnx(described(network(kind)), tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds.count({"lstm": "LSTM", "crnn-2d": "GRU"}[kind]) == 1
    assert not {"Loop", "Scan", "If"} & set(kinds)


def patched() -> Any:
    """A network inside a network, of what the listener is made of: patches of 20 every 6."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    heard = keras.Input((None, BANDS), name="heard")
    x = layers.Activation("softplus")(layers.Rescaling(0.5, offset=2.0)(heard))
    x = layers.BatchNormalization()(layers.Reshape((-1, BANDS, 1))(x))
    patches = Patches(20, 6)(x)
    convolve = layers.Conv2D(5, (5, 8), activation="relu")
    first = layers.ZeroPadding2D(((2, 0), (0, 0)))(layers.Cropping2D(((0, 16), (1, 0)))(patches))
    last = layers.ZeroPadding2D(((0, 2), (1, 0)))(layers.Cropping2D(((16, 0), (0, 2)))(patches))
    y = layers.Concatenate(axis=1)(
        [
            layers.MaxPooling2D((1, part.shape[2]))(part)
            for part in (convolve(first), Patches(16, 6)(convolve(x)), convolve(last))
        ]
    )
    turned = layers.Permute((2, 1, 3))(patches)
    z = layers.Conv2D(3, (1, 8), padding="same", activation="relu")(turned)
    z = layers.MaxPooling2D((BANDS, 1))(layers.BatchNormalization()(z))
    x = layers.Concatenate()([layers.Reshape((20, part.shape[-1]))(part) for part in (y, z)])
    x = layers.Add()([x, layers.Conv1D(8, 4, padding="same", dilation_rate=3)(x)])
    x = layers.AveragePooling1D(3, strides=2, padding="same")(x)
    x = layers.Conv1D(8, 3, strides=2, padding="same")(x)
    pools = [layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]
    x = layers.Flatten()(layers.Concatenate()([layers.Reshape((8, 1))(pool) for pool in pools]))
    inner = used(keras.Model(heard, layers.Dense(7, activation="tanh")(x)))

    frames = keras.Input((None, BANDS), name="log_mel")
    over_time = layers.Dense(len(GENRES), activation="softmax", name="genre_over_time")(
        Listening(inner, 20, 6)(frames)
    )
    mean = layers.GlobalAveragePooling1D(name="genre")(over_time)
    return keras.Model(frames, {"genre_over_time": over_time, "genre": mean})


def test_a_network_inside_a_network_hears_each_patch_of_each_clip(tmp_path):
    """Any number of clips and of frames; what is behind the last whole patch is not heard."""
    import onnxruntime

    model = patched()
    save_onnx(described(model), tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    random = np.random.default_rng(0)
    for clips, frames, steps in ((1, 20, 1), (3, 25, 1), (2, 26, 2), (4, 61, 7)):
        given = random.normal(-5, 2.5, (clips, frames, BANDS)).astype(np.float32)
        over_time, genre = session.run(["genre_over_time", "genre"], {"log_mel": given})
        assert over_time.shape == (clips, steps, len(GENRES))
        expected = model(given)
        np.testing.assert_allclose(over_time, expected["genre_over_time"], atol=1e-5)
        np.testing.assert_allclose(genre, expected["genre"], atol=1e-5)
        # Each clip and each patch has its own answer, the one that it has alone.
        assert len(np.unique(over_time.reshape(-1, 3).round(4), axis=0)) == clips * steps
        (alone,) = session.run(
            ["genre_over_time"], {"log_mel": given[-1:, 6 * (steps - 1) : 6 * (steps - 1) + 20]}
        )
        np.testing.assert_allclose(over_time[-1, -1], alone[0, 0], atol=1e-6)


def test_a_layer_without_an_operator_is_named(tmp_path):
    import keras

    frames = keras.Input((None, BANDS), name="log_mel")
    x = keras.layers.UnitNormalization(name="strange")(frames)
    x = keras.layers.Dense(3, name="genre_over_time")(x)
    model = keras.Model(frames, {"genre_over_time": x, "genre": x})
    with pytest.raises(SongNetError, match=r"Layer strange .UnitNormalization.: how it is written"):
        save_onnx(described(model), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
