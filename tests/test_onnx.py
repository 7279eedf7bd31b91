"""The ONNX file answers as Keras does, whatever the network is made of."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from networks import BANDS, GENRES, KINDS, SOUND, asked_in_pieces, network

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.models.onnx_export import save_onnx, save_stream
from songnet_utils.models.onnx_network import Description, read_description
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

TOLD = {"name": "toy", "training_music": "noise of 3 genres", "caution": "Tells nothing – at all."}


def described(model: Any, timeline: Timeline | None = None) -> Any:
    """What save_onnx needs of a SongNet."""
    description = {"sound": SOUND.to_dict(), "genres": list(GENRES), **TOLD}
    return SimpleNamespace(
        keras_model=model,
        timeline=timeline or timeline_of(model, SOUND),
        description=lambda: description,
    )


def opened(path: Path) -> tuple[Any, Description]:
    import onnxruntime

    return onnxruntime.InferenceSession(path), read_description(path)


def some_frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-5, 2.5, (count, BANDS)).astype(np.float32)


RECURRENT = ("lstm", "crnn-2d")


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
    assert json.loads(told["genres"]) == list(GENRES)
    field = timeline_of(model, SOUND).field
    past = None if math.isinf(field.past) else field.past
    assert (past is None) == (kind in RECURRENT)
    assert json.loads(told["receptive_field"]) == {
        "size": field.size,
        "stride": field.stride,
        "past": past,
    }
    assert {key: told[key] for key in TOLD} == TOLD
    assert read_description(tmp_path / "model.onnx") == Description(
        **TOLD, genres=GENRES, timeline=Timeline(SOUND, field)
    )


@pytest.mark.parametrize("kind", ["dense", "residual"])
def test_steps_asked_in_pieces_are_those_of_the_whole_song(kind, tmp_path):
    """The metadata say how many earlier frames count, where zeros are put before the song."""
    model = network(kind)
    save_onnx(described(model), tmp_path / "model.onnx")
    session, told = opened(tmp_path / "model.onnx")
    frames, random = some_frames(230), np.random.default_rng(1)
    whole = model(frames[None])["genre_over_time"][0]
    for count in (lambda: 1, lambda: int(random.integers(1, 9))):
        found = asked_in_pieces(session, told.timeline.field, frames, count)
        np.testing.assert_allclose(found, whole, atol=1e-5)


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_recurrent_network_goes_on_from_its_state(kind, tmp_path):
    model = network(kind)
    save_stream(described(model), tmp_path / "stream.onnx")
    session, told = opened(tmp_path / "stream.onnx")
    layer = model.layers[-3].name
    states = [f"state_{layer}_hidden", f"state_{layer}_cell"] if kind == "lstm" else []
    states = states or [f"state_{layer}"]
    assert [(value.name, value.shape) for value in session.get_inputs()] == [
        ("log_mel", [1, "frames", BANDS]),
        *((name, [1, 1, 10]) for name in states),
    ]
    names = [value.name for value in session.get_outputs()]
    assert sorted(names) == sorted(
        ["genre_over_time", "genre", *(f"{name}_next" for name in states)]
    )
    field = timeline_of(model, SOUND).field
    assert told.timeline.field == ReceptiveField(field.size, field.stride, 0)
    frames, random = some_frames(330), np.random.default_rng(1)
    whole = model(frames[None])["genre_over_time"][0]
    for count in (lambda: 1, lambda: int(random.integers(1, 9)), lambda: 99):
        found = asked_in_pieces(session, told.timeline.field, frames, count)
        np.testing.assert_allclose(found, whole, atol=1e-5)


def recurrent(before: Any = None, between: Any = None, behind: Any = None) -> Any:
    """Two layers of GRU with other layers around them."""
    import keras

    keras.utils.set_random_seed(3)
    x = frames = keras.Input((None, BANDS), name="log_mel")
    gru = [keras.layers.GRU(4, return_sequences=True) for _ in range(2)]
    for layer in (before, gru[0], between, gru[1], behind):
        x = x if layer is None else layer(x)
    over_time = keras.layers.Dense(3, activation="softmax", name="genre_over_time")(x)
    mean = keras.layers.GlobalAveragePooling1D(name="genre")(over_time)
    return keras.Model(frames, {"genre_over_time": over_time, "genre": mean})


def test_only_what_a_recurrent_layer_remembers_is_carried(tmp_path):
    """Frames overlap from call to call; what else looks back behind them has no place to do so."""
    import keras

    path = tmp_path / "stream.onnx"
    causal, valid = {"padding": "causal"}, {"padding": "valid"}
    for place in ("before", "between", "behind"):
        for padding in (causal, valid):
            model = recurrent(**{place: keras.layers.Conv1D(5, 3, **padding)})
            save_stream(described(model), path)
            assert path.exists() == (place == "before" and padding is valid)
            path.unlink(missing_ok=True)
    for kind in ("dense", "residual"):
        save_stream(described(network(kind)), path)
        assert not path.exists()


def test_a_description_is_read_without_tensorflow(tmp_path):
    save_onnx(described(network("dense")), tmp_path / "model.onnx")
    program = (
        "import sys; from songnet_utils.models.onnx_network import read_description as read; "
        f"print(read({str(tmp_path / 'model.onnx')!r}).name, {{'keras', 'tensorflow'}} & "
        "set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert told.stdout.decode().split() == ["toy", "set()"]


def test_a_file_without_a_description_is_refused(tmp_path):
    import onnx

    path = tmp_path / "model.onnx"
    with pytest.raises(SongNetError, match=r"model\.onnx: there is no such file"):
        read_description(path)
    save_onnx(described(network("dense")), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(SongNetError, match=r"model\.onnx: is not an ONNX file, or is damaged"):
        read_description(path)
    proto = onnx.load_from_string(whole)
    del proto.metadata_props[:]
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(SongNetError, match=r"model\.onnx: has no description of the network"):
        read_description(path)


@pytest.mark.parametrize("kind", RECURRENT)
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
    with pytest.raises(SongNetError, match=r"Layer strange .UnitNormalization. cannot be exported"):
        save_onnx(described(model, Timeline(SOUND, ReceptiveField(1, 1))), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_nothing_is_reported_to_the_makers_of_onnx_runtime(tmp_path):
    # What it reports, it first keeps in the home folder and beside temporary files.
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    asks = "from songnet_utils.training.runs import load_songnet as load; load('musicnn')"
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "CI"))}
    subprocess.run([sys.executable, "-c", asks], env={**own, **home}, check=True)
    assert not list(tmp_path.rglob("*"))
