"""The two networks that come with the listening page are what their README says they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import songnet_utils
from songnet_utils.audio.sound import Sound
from songnet_utils.models.onnx_network import read_description

FOLDER = Path(songnet_utils.__file__).parent / "models" / "networks"
SONGNET, MUSICNN = FOLDER / "songnet-mini.onnx", FOLDER / "musicnn.onnx"


@pytest.fixture(scope="module")
def record():
    return json.loads((FOLDER / "songnet-mini.record.json").read_text())


def test_together_they_take_at_most_8_mb():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 8_000_000
    assert {path.name for path in FOLDER.glob("*.onnx")} == {SONGNET.name, MUSICNN.name, "aed.onnx"}


def test_songnet_is_the_one_of_the_record(record):
    told = read_description(SONGNET)
    assert list(told.genres) == record["genres"]
    assert told.timeline.sound == Sound.from_dict(record["sound"])
    assert {"name": told.name, "training_music": told.training_music}.items() <= record[
        "network"
    ].items()
    assert "a real song means little" in told.caution
    # Trained on nothing but the composed corpus.
    names = ("corpus", "corpus_folder", "model", "split", "seed")
    assert [record[name] for name in names] == ["mini", None, "songnet", "artist", 0]
    assert record["artists_in_two_sets"] == 0
    assert SONGNET.stat().st_size == pytest.approx(4 * record["network"]["weights"], rel=0.01)


def test_songnet_gets_the_test_clips_right_that_its_record_says(record, mini_data):
    from songnet_utils.corpora import open_corpus
    from songnet_utils.corpora.splits import split
    from songnet_utils.features.store import LogMelStore

    corpus = open_corpus("mini", mini_data, progress=False)
    sets = split(corpus.clips, "artist", seed=0)
    tested = corpus.clips[(sets == "test").to_numpy()]
    frames = LogMelStore(mini_data, Sound()).prepare(corpus, progress=False).frames
    session, genres = onnxruntime.InferenceSession(SONGNET), read_description(SONGNET).genres
    right = [
        genres[session.run(["genre"], {"log_mel": frames(clip)[None]})[0].argmax()] == genre
        for clip, genre in zip(tested.id, tested.genre, strict=True)
    ]
    assert len(right) == record["test"]["clips"]
    assert np.mean(right) == pytest.approx(record["test"]["accuracy"], abs=0.02)


def test_readme_says_the_figures_of_the_record(record):
    text = " ".join((FOLDER / "README.md").read_text("utf-8").split())
    test = record["test"]
    low, high = test["confidence_interval"]
    assert f"{test['clips']} clips it gets {test['accuracy']:.1%} right" in text
    assert f"interval {low:.1%} to {high:.1%}; {test['artists']} artists" in text
    # Credit and licence travel with the weights.
    assert "Universitat Pompeu Fabra" in text
    assert "this permission notice appear in all copies" in text.replace("> ", "")
    for path in (SONGNET, MUSICNN):
        assert re.search(rf"{path.name} .{path.stat().st_size / 1e6:.1f} MB", text)
