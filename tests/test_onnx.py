"""The ONNX file answers as Keras does, whatever the network is made of."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from networks import BANDS, GENRES, KINDS, SOUND, network

from songnet_utils.errors import SongNetError
from songnet_utils.onnx_export import save_onnx
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


def test_a_layer_without_an_operator_is_named(tmp_path):
    import keras

    frames = keras.Input((None, BANDS), name="log_mel")
    x = keras.layers.UnitNormalization(name="strange")(frames)
    x = keras.layers.Dense(3, name="genre_over_time")(x)
    model = keras.Model(frames, {"genre_over_time": x, "genre": x})
    with pytest.raises(SongNetError, match=r"Layer strange .UnitNormalization.: how it is written"):
        save_onnx(described(model), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
