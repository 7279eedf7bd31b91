"""What CONTRIBUTING shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from toys import tone_corpus

from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.splits import split
from songnet_utils.lessons.checks.verdicts import State
from songnet_utils.lessons.gaps import gap
from songnet_utils.models.registry import NETWORKS
from songnet_utils.streaming.song_stream import SongStream, classify_song
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import load_songnet
from songnet_utils.training.train import train

ROOT = Path(__file__).resolve().parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def shown(heading: str) -> list[str]:
    """Return the blocks of Python under a heading."""
    part = CONTRIBUTING.split(f"\n### {heading}\n")[1]
    part = re.split(r"\n##+ ", part)[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tone_corpus(tmp_path_factory.mktemp("tones"))


@pytest.fixture(scope="module")
def listed(tones: Path) -> Corpus:
    """The tones, two by each artist, opened by the list that is written for them."""
    clips = open_corpus(tones).clips
    files = [Path(file).relative_to(tones).as_posix() for file in clips.file]
    lines = [
        f"{file},{genre},{genre} {place // 2}"
        for place, (file, genre) in enumerate(zip(files, clips.genre, strict=True))
    ]
    (tones / "list.csv").write_text("\n".join(["file,genre,artist", *lines]), encoding="utf-8")
    (code,) = shown("A corpus")
    return run(code)["open_listed"](tones)


def test_the_corpus_opens_and_can_be_split(listed, tones):
    clips = open_corpus(tones).clips
    assert set(listed.clips.file) == set(clips.file)
    assert listed.clips.seconds.isna().all()
    assert listed.genres == open_corpus(tones).genres
    assert set(split(listed.clips, "artist", seed=0)) == {"train", "validation", "test"}


def test_the_network_learns_and_its_stream_is_its_whole_answer(listed, tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    before = dict(NETWORKS)
    try:
        (code,) = shown("A network")
        run(code)
        assert set(NETWORKS) - set(before) == {"smallest"}
        recipe = Recipe(epochs=2, crop_seconds=2.0, batch=8)
        net = load_songnet(train(listed, "smallest", recipe=recipe, progress=False))
    finally:
        NETWORKS.clear()
        NETWORKS.update(before)
    song = listed.clips.file[0]
    whole, _ = classify_song(net, song)
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    stream = SongStream(net, rate=rate)
    steps = [step for piece in np.array_split(samples, 7) for step in stream.push(piece)]
    steps += stream.finish()
    assert len(steps) == len(whole) > 1
    for ours, theirs in zip(steps, whole, strict=True):
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-5)


def test_the_check_judges_and_the_gap_is_what_is_said():
    checks, cell = shown("A lesson")
    hops_in = run(checks)["hops_in"]
    arguments = (30, 22_050, 1_024)
    assert hops_in(..., *arguments).state is State.OPEN
    said = {hops_in(wrong, *arguments).because for wrong in (30 * 22_050, 21, 5)}
    assert len(said) == 3
    assert all(hops_in(wrong, *arguments).state is State.WRONG for wrong in (30 * 22_050, 21, 5))
    names = {"check": SimpleNamespace(hops_in=hops_in)}
    *_, last = cell.strip().splitlines()
    exec(cell, names)
    assert eval(last, names).state is State.RIGHT
    assert gap(cell.strip()) == f"# Whole hops:\nhops = ...\n{last}"
