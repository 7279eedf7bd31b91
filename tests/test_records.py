"""What lessons say of long experiments is what their records hold."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import nbformat
import pytest
from records import make_record
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.compare import model_names
from songnet_utils.lessons import records
from songnet_utils.lessons.records import (
    EXPERIMENTS,
    Record,
    read_course_record,
)

ROOT = Path(__file__).resolve().parents[1]


def a_record(low: float = 0.01, high: float = 0.2, difference: float = 0.1) -> dict:
    """Return a record of two models, the second so much better than the first."""
    common = {
        "split": "artist",
        "clips": 200,
        "seeds": 2,
        "folds": None,
        "set": "test",
        "seconds": 3600,
    }
    entry = {
        "model": "old",
        "split": "artist",
        "difference": difference,
        "confidence_interval": [low, high],
        "mcnemar_p": 0.02,
    }
    old = {"model": "old", "accuracy": 0.5, "confidence_interval": [0.4, 0.6], "differences": []}
    new = {
        "model": "new",
        "accuracy": 0.5 + difference,
        "confidence_interval": [0.5, 0.7],
        "differences": [entry],
    }
    return {
        "experiment": "made up",
        "command": "songnet compare mini",
        "processors": 2,
        "versions": {"tensorflow": "2.21.0"},
        "results": [common | old, common | new],
    }


def test_a_finding_says_better_only_where_the_interval_does():
    assert Record(a_record()).findings("new", ["old"]).endswith("]: `new` is better.")
    assert Record(a_record()).findings("old", ["new"]).endswith("]: `old` is worse.")
    unsure = Record(a_record(low=-0.01))
    for one, other in (("new", "old"), ("old", "new")):
        said = unsure.findings(one, [other])
        assert said.endswith(f"]: `{one}` is not shown to be better or worse.")


def test_a_finding_gives_the_figures_of_the_record():
    said = Record(a_record()).findings("new", ["old"])
    assert said.startswith("`new` gets 60.0% of 200 test clips right (artist split, 2 seeds).")
    assert "- `old` (50.0%) is +10.0 points [+1.0 to +20.0]: " in said
    folded = a_record()
    folded["results"][1]["folds"] = 5
    said = Record(folded).findings("new", [])
    assert " of 100 test clips right (artist split, 5 folds, 2 seeds)." in said
    turned = Record(a_record()).findings("old", ["new", "new"])
    assert turned.count("\n- `new` (60.0%) is -10.0 points [-20.0 to -1.0]: ") == 2


def test_another_record_is_another_sentence():
    """A text that is not made from the record would not notice."""
    content = a_record()
    before = Record(copy.deepcopy(content)).findings("new", ["old"])
    content["results"][1]["accuracy"] = 0.61
    assert Record(content).findings("new", ["old"]) != before


def test_a_record_says_how_it_was_made_and_what_it_cost():
    assert Record(a_record()).source().startswith("Made by `songnet compare mini`: 4 runs, 120 min")


def test_a_model_that_was_not_compared_is_named():
    with pytest.raises(SongNetError, match="made up: has no svm"):
        Record(a_record()).findings("svm", ["old"])
    with pytest.raises(SongNetError, match="nothing to compare"):
        Record(a_record()).difference("old", "old")


def test_an_experiment_leaves_its_record_and_command(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    command = "songnet compare FOLDER --models chance,knn --splits artist --seeds 1 --folds 2"
    monkeypatch.setitem(records.EXPERIMENTS, "small", command)
    path = make_record("small", tmp_path, tone_corpus(tmp_path / "tones"))
    assert json.loads(path.read_text("utf-8"))["command"] == command
    record = read_course_record("small", tmp_path)
    assert record.findings("knn", ["chance"]).endswith("]: `knn` is better.")
    # Whoever made it, no folder of theirs is in it.
    assert str(tmp_path) not in path.read_text("utf-8")


def test_what_is_not_there_is_said_with_the_way_out(tmp_path):
    with pytest.raises(SongNetError, match=r"the record is missing .* make records"):
        read_course_record("real-music", tmp_path)
    (tmp_path / "real-music.json").write_text('{"experiment": ')
    with pytest.raises(SongNetError, match=r"the record is missing .* make records"):
        read_course_record("real-music", tmp_path)
    with pytest.raises(SongNetError, match=r"the experiment must be one of .* Got 'hearsay'"):
        make_record("hearsay")
    with pytest.raises(SongNetError, match="needs a folder"):
        make_record("real-music", tmp_path)


# --- The records kept with the course ---------------------------------------------------------


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_kept_record_is_of_the_experiment_as_it_stands(name):
    """Whoever changes an experiment, or a model's name, makes its record again."""
    record, command = read_course_record(name), EXPERIMENTS[name].split()
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert record.content["command"] == EXPERIMENTS[name]
    models = [result["model"] for result in record.results]
    assert models == model_names(options["--models"].split(","))
    seeds, folds = (int(options.get(key, 0)) or None for key in ("--seeds", "--folds"))
    for result in record.results:
        low, high = result["confidence_interval"]
        assert low <= result["accuracy"] <= high
        assert (result["seeds"], result["folds"]) == (seeds, folds)
        assert result["set"] == options.get("--set", "test")
        # The accuracy is the mean of those of its seeds, whatever else was written beside it.
        assert result["accuracy"] == pytest.approx(
            sum(result["accuracies"]) / len(result["accuracies"]), abs=0.02
        )
        for entry in result["differences"]:
            other = record.result(entry["model"])
            difference = result["accuracy"] - other["accuracy"]
            assert entry["difference"] == pytest.approx(difference, abs=1e-9)


#: A share or a difference of shares in the words of a lesson: its figures are for code to say.
_FIGURE = re.compile(r"\d+(\.\d+)?\s*(%|percent|points)")
#: What is quoted from the paper, or is a convention, and no result of ours.
_QUOTED = ("with 90 %", "95 % interval", "**95 % interval**", "by 41%")


@pytest.mark.parametrize("lesson", ["04-crnn", "05-error-analysis", "06-kernel-clips"])
def test_no_lesson_states_a_result_in_words_of_its_own(lesson):
    notebook = nbformat.read(ROOT / "notebooks" / "solutions" / f"{lesson}.ipynb", 4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source
            for quoted in _QUOTED:
                text = text.replace(quoted, "")
            assert _FIGURE.search(text) is None, f"{cell.id}: {_FIGURE.search(text)}"


def test_every_finding_that_a_lesson_asks_for_is_in_a_record():
    """A lesson that names a model its record has not would only fail when it is run."""
    source = (ROOT / "notebooks" / "04-crnn.ipynb").read_text("utf-8")
    assert {*re.findall(r'read_course_record\(\\"([a-z-]+)\\"\)', source)} <= set(EXPERIMENTS)
