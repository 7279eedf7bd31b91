"""Somebody's own tagger: its labels read as genres, whole and as a song plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy.special import softmax

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.models.tagger import Tagger, load_onnx
from songnet_utils.streaming.song_stream import SongStream
from songnet_utils.training.runs import load_songnet

RATE, WINDOW, HOP = 8_000, 1_600, 700
LABELS = ["rock", "folk", "speech", "hard rock"]
KERNEL = np.random.default_rng(0).normal(0, 0.3, (WINDOW, 4)).astype(np.float32)
CENTRES = {"rock": -0.5, "folk": 0.25}

TOLD = {
    "name": "toy",
    "training_music": "noise",
    "rate": RATE,
    "window": WINDOW,
    "hop": HOP,
    "input": "waveform",
    "output": "sigmoid",
    "labels": LABELS,
    "genres": {"rock": "Rock", "hard rock": "Rock", "folk": "Folk"},
    "centres": CENTRES,
}


def write(
    folder: Path,
    kernel: np.ndarray = KERNEL,
    shape: Any = ("n", WINDOW),
    kind: str = "Sigmoid",
    **changes: Any,
) -> Path:
    """Write a tagger with one dense layer that takes windows of a shape, and its description."""
    axes = [-1, len(kernel)]
    out = ["n", kernel.shape[1]]
    nodes = [
        helper.make_node("Reshape", ["given", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel"], ["logits"]),
        helper.make_node(kind, ["logits"], ["labels"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(axes), "axes"),
        numpy_helper.from_array(kernel, "kernel"),
    ]
    given = helper.make_tensor_value_info("given", TensorProto.FLOAT, shape)
    labels = helper.make_tensor_value_info("labels", TensorProto.FLOAT, out)
    graph = helper.make_graph(nodes, "tagger", [given], [labels], constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    proto.ir_version = 8
    folder.mkdir(exist_ok=True)
    onnx.save(proto, folder / "tagger.onnx")
    told = {key: value for key, value in {**TOLD, **changes}.items() if value is not None}
    (folder / "tagger.json").write_text(json.dumps(told))
    return folder / "tagger.onnx"


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.1, int(seconds * rate)).astype(np.float32)


def by_hand(logits: np.ndarray) -> np.ndarray:
    """Return Folk and Rock from the logits of all labels."""
    rock = np.maximum(logits[:, 0] + 0.5, logits[:, 3])
    return softmax(np.stack([logits[:, 1] - 0.25, rock], axis=1), axis=1)


def test_a_waveform_tagger_names_the_genres_of_its_labels(tmp_path):
    net = load_songnet(write(tmp_path))
    assert net.genres == ("Folk", "Rock")
    audio = noise(1)
    starts = range(0, len(audio) - WINDOW + 1, HOP)
    logits = np.stack([audio[start : start + WINDOW] for start in starts]) @ KERNEL
    np.testing.assert_allclose(net.genre_over_time(audio), by_hand(logits), atol=1e-5)
    assert net.timeline.step_span(2) == (2 * HOP / RATE, (2 * HOP + WINDOW) / RATE)
    with pytest.raises(SongNetError, match=r"toy needs at least 0\.2. s"):
        net.genre_over_time(audio[: WINDOW - 1])
    assert len(net.genre_over_time(audio[:WINDOW])) == 1


@pytest.mark.parametrize(
    ("output", "kind"), [("logits", "Identity"), ("softmax", "Softmax"), ("sigmoid", "Sigmoid")]
)
def test_what_it_gives_is_read_back_as_logits(tmp_path, output, kind):
    net = load_onnx(write(tmp_path, kind=kind, output=output))
    audio = noise(0.3)
    logits = np.stack([audio[:WINDOW], audio[HOP : HOP + WINDOW]]) @ KERNEL
    np.testing.assert_allclose(net.genre_over_time(audio), by_hand(logits), atol=1e-4)


@pytest.mark.parametrize("shape", [("n", None), (1, WINDOW)], ids=str)
def test_a_network_may_take_any_number_of_windows_or_one(tmp_path, shape):
    audio = noise(5)
    expected = Tagger(write(tmp_path), tmp_path / "tagger.json").genre_over_time(audio)
    found = load_onnx(write(tmp_path / "other", shape=shape)).genre_over_time(audio)
    np.testing.assert_allclose(found, expected, atol=1e-6)


FRAMES = {"n_fft": 256, "hop": 100, "n_mels": 20}


def test_a_log_mel_tagger_gets_its_own_description_of_sound(tmp_path):
    """Here musicnn's: log10(1 + 10000 · mel power)."""
    scale = {"gain": 10_000, "offset": 1, "factor": 1 / np.log(10)}
    kernel = np.random.default_rng(1).normal(size=(160, 4)).astype(np.float32)
    path = write(
        *(tmp_path, kernel, ("n", 8, 20), "Identity"),
        **{"input": {**FRAMES, **scale}, "output": "logits", "window": 800, "hop": 200},
    )
    net, audio = load_onnx(path), noise(0.6)
    mel = np.log10(1 + 10_000 * np.exp(log_mel(audio, net.sound).astype(float)))
    windows = [mel[2 * step : 2 * step + 8] for step in range((len(mel) - 8) // 2 + 1)]
    logits = np.stack([window.reshape(-1) for window in windows]) @ kernel
    np.testing.assert_allclose(net.genre_over_time(audio), by_hand(logits), atol=1e-4)
    assert net.timeline.step_samples(1) == (200 - 128, 200 + 700 + 128)


@pytest.mark.parametrize("rate", [RATE, 11_025])
def test_heard_in_pieces_it_answers_the_same_and_nothing_looks_ahead(tmp_path, rate):
    net, song = load_onnx(write(tmp_path)), noise(4, rate)

    def streamed(samples: np.ndarray, size: int) -> list[Any]:
        stream = SongStream(net, rate)
        steps = []
        for first in range(0, len(samples), size):
            steps += stream.push(samples[first : first + size])
            assert all(step.end <= stream.seconds + 1e-9 for step in steps)
        return steps + stream.finish()

    whole = streamed(song, len(song))
    assert len(whole) == len(net.genre_over_time(noise(4)))
    if rate == RATE:
        answers = [step.probabilities for step in whole]
        np.testing.assert_allclose(answers, net.genre_over_time(song), atol=1e-6)
    for size in (999, 7_001):
        for one, other in zip(whole, streamed(song, size), strict=True):
            assert (one.start, one.end) == (other.start, other.end)
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
    changed = song.copy()
    changed[2 * rate :] = 0.3
    pairs = list(zip(streamed(song, 999), streamed(changed, 999), strict=True))
    same = [one.probabilities.tobytes() == other.probabilities.tobytes() for one, other in pairs]
    decided = [one.end <= 2 for one, _ in pairs]
    assert any(decided)
    assert not all(same)
    assert all(is_same for is_same, is_decided in zip(same, decided, strict=True) if is_decided)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": None, "labels": None}, "lacks rate, labels"),
        ({"lables": []}, r"'lables' is not an entry. Did you mean labels\?"),
        ({"window": "3 s"}, "'window' cannot be '3 s'"),
        ({"hop": 0}, "'hop' cannot be 0"),
        ({"hop": WINDOW + 1}, '"hop" must be at most "window"'),
        ({"input": "sound"}, '"input" must be "waveform" or'),
        ({"input": {"n_fft": 256, "hop": 100}}, "input: lacks n_mels"),
        ({"input": FRAMES, "hop": 650}, "multiples of 100"),
        ({"output": "percent"}, '"output" must be one of logits'),
        ({"genres": {"rok": "Rock"}}, r"'rok', which is not a label. Did you mean rock\?"),
        ({"genres": {"rock": "Rock"}}, "at least two different genres"),
        ({"window": 1_500}, r"takes \['n', 1600\], but a window is \(1, 1500\)"),
        ({"labels": [*LABELS, "more"]}, r'"labels" are 5, but the network gives \(1, 4\)'),
    ],
)
def test_a_description_that_is_wrong_is_named_with_the_rule(tmp_path, changes, said):
    path = write(tmp_path, **changes)
    with pytest.raises(SongNetError, match=rf"tagger\.json: .*{said}.*docs/commands\.md"):
        load_onnx(path)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(SongNetError, match=r"tagger\.onnx: there is no such file"):
        load_songnet(tmp_path / "tagger.onnx")
    path = write(tmp_path)
    (tmp_path / "tagger.json").unlink()
    with pytest.raises(SongNetError, match=r"describe a tagger in tagger\.json beside it"):
        load_songnet(path)
    (tmp_path / "tagger.json").write_text("{")
    with pytest.raises(SongNetError, match=r"tagger\.json: cannot be read"):
        load_songnet(path)
    path.write_bytes(b"no network")
    (tmp_path / "tagger.json").write_text(json.dumps(TOLD))
    with pytest.raises(SongNetError, match=r"tagger\.onnx: is not an ONNX file, or is damaged"):
        load_songnet(path)


def test_certain_answers_stay_numbers(tmp_path):
    """A sigmoid of 1 or 0 in single precision has no finite logit."""
    net = load_onnx(write(tmp_path, kernel=1_000 * KERNEL))
    over_time = net.genre_over_time(noise(2))
    np.testing.assert_allclose(over_time.sum(axis=1), 1, atol=1e-6)
