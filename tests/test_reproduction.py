"""The official protocol on a small folder with FMA's layout: it runs, resumes and prints."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from faulty_server import GENRES_CSV, Track, track_path, tracks_csv
from toys import tone_corpus

from songnet_utils import cli
from songnet_utils.evaluation.reproduction import cost_text, expected_text
from songnet_utils.training.train import Run

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture(scope="module")
def fma(tmp_path_factory) -> Path:
    """Two genres of twelve clips by as many artists, a third of them in each official set."""
    root = tmp_path_factory.mktemp("fma")
    sounds = sorted(tone_corpus(root / "tones", ["High", "Low"], clips=12).rglob("*.wav"))
    tracks = []
    for number, sound in enumerate(sounds, 1):
        subset = ("training", "validation", "test")[number % 3]
        tracks.append(Track(number, sound.parent.name, split=subset, artist=number))
        clip = root / "own" / "fma_small" / track_path(number)
        clip.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(clip, *soundfile.read(sound))
    (root / "own" / "fma_metadata").mkdir()
    (root / "own" / "fma_metadata" / "tracks.csv").write_bytes(tracks_csv(tracks))
    (root / "own" / "fma_metadata" / "genres.csv").write_bytes(GENRES_CSV)
    return root / "own"


def test_it_says_the_cost_compares_on_both_splits_and_goes_on(fma, data, capsys, monkeypatch):
    command = ["reproduce", "--corpus", str(fma), "--models", "chance,svm"]
    assert cli.main([*command, "--cost"]) == 0
    cost = capsys.readouterr().out
    assert cost.startswith("24 clips, 2 models, each trained 2 times.")
    assert not (data / "runs").exists()
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith(cost)
    assert "random split" in out
    assert "official split" in out
    (line,) = [line for line in out.splitlines() if line.startswith("FMA's authors")]
    theirs, model, ours = line.split()[-6:-3]
    assert (theirs, model) == ("46.4%", "svm")
    assert ["svm", ours] in [
        row.split()[:2] for row in out.split("official split:")[1].splitlines()
    ]

    def never(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(Run, "make", never)
    assert cli.main(command) == 0
    assert capsys.readouterr().out.split("Cost:")[0] == out.split("Cost:")[0]


def test_what_is_not_here_has_a_cost_too(capsys):
    assert cli.main(["reproduce", "--models", "chance"]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("8,000 clips, 1 models")
    assert "7.2 GiB" in printed.err
    assert "songnet fetch fma_small" in printed.err


def test_a_network_is_timed_and_no_figure_of_ours_is_made_up():
    assert "hours for songnet" in " ".join(cost_text(["songnet"], 100, 2, epochs=1).split())
    ours = {"model": "songnet", "split": "official", "accuracy": 0.5}
    table = expected_text([ours | {"confidence_interval": [0.4, 0.6]}]).splitlines()
    assert [line.split()[-4:] for line in table if "50.0%" in line] == [
        ["50.0%", "40.0%", "to", "60.0%"]
    ] * 2
    assert len(table) == 1 + 1 + 6
