"""Lessons run in pairs, what they train is kept, and what they cost is measured."""

from __future__ import annotations

import json
import subprocess
import sys

import nbformat
import pytest
from costs import make_cost_record
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import open_corpus
from songnet_utils.lessons import trained
from songnet_utils.lessons.costs import cost_of
from songnet_utils.lessons.files import SOLUTIONS
from songnet_utils.lessons.running import (
    both,
    failure_of,
    is_current,
    measured,
    run_lesson,
    title_of,
)
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import Run, train

CHECK = (
    "from songnet_utils.lessons.checks.questions import Number, exercise\n"
    "texts = {'right': 'Two.', 'hint': 'More.'}\n"
    "two = exercise(lambda: Number(2, {}, feedback=texts))\n"
    "ran = []"
)


@pytest.fixture
def source(tmp_path):
    """A lesson with an exercise, and a cell that says where it runs."""
    new = nbformat.v4
    exercise = {"tags": ["exercise"]}
    where = "import os\nprint(os.environ['SONGNET_DATA'], os.getcwd())\nran.append('costly'); ran"
    cells = [
        new.new_markdown_cell("# 1 · *First*\n\n[Next](../02-second.ipynb)", id="title"),
        new.new_code_cell(CHECK, id="check"),
        new.new_code_cell(where, id="costly"),
        new.new_markdown_cell("### Exercise 1", id="e", metadata=exercise),
        new.new_code_cell("n = 2\ntwo(n)", id="answer", metadata=exercise),
        new.new_markdown_cell("Because.", id="why", metadata={"tags": ["solution"]}),
        new.new_markdown_cell("[Solved](01-first.ipynb#why)", id="links"),
        new.new_code_cell("ran", id="end"),
    ]
    path = tmp_path / "notebooks" / SOLUTIONS / "01-first.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new.new_notebook(cells=cells), path)
    return path


def said(notebook, cell: str) -> str:
    (its,) = (one for one in notebook.cells if one.id == cell)
    return its.outputs[-1].data["text/plain"]


# --- With gaps and with solutions ---------------------------------------------------------------


def test_one_kernel_runs_both_and_computes_what_is_costly_once(source, tmp_path):
    before = source.read_bytes()
    ran, cost = run_lesson(source, {"SONGNET_DATA": str(tmp_path / "data")})
    gaps, solved = both(ran)
    assert source.read_bytes() == before
    assert failure_of(ran) is None
    assert title_of(ran) == "1 · First"
    assert said(gaps, "gap-answer").startswith("Not answered yet.")
    assert said(solved, "answer") == "Right. Two."
    assert said(gaps, "end") == said(solved, "end") == "['costly']"
    assert solved.cells[2].outputs[0].text.strip() == f"{tmp_path / 'data'} {source.parent}"
    assert [cell.id for cell in gaps.cells] == [
        *("title", "check", "costly", "e", "gap-answer", "links", "end")
    ]
    assert [cell.id for cell in solved.cells][5:] == ["why", "links", "end"]
    assert "](02-second.ipynb)" in gaps.cells[0].source
    assert cost["memory"] > 3e7
    # It counts as run until it is written anew.
    kept = tmp_path / "ran.ipynb"
    assert not is_current(source, kept)
    nbformat.write(ran, kept)
    assert is_current(source, kept)
    source.write_text(source.read_text("utf-8").replace("Because", "For"), "utf-8")
    assert not is_current(source, kept)


def test_a_file_that_is_no_notebook_is_told(tmp_path):
    path = tmp_path / "odd.ipynb"
    path.write_text("# no notebook")
    with pytest.raises(SongNetError, match=r"odd\.ipynb: is not a readable notebook"):
        run_lesson(path, {})


# --- What it costs ------------------------------------------------------------------------------


def test_a_meter_sees_time_memory_and_disk(tmp_path):
    (tmp_path / "before").write_bytes(bytes(1000))
    code = "x = bytearray(80_000_000); import time; time.sleep(2)"
    # A process that starts another one, which holds the memory.
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    with measured(tmp_path) as cost:
        subprocess.run([sys.executable, "-c", nested], check=True)
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "after").write_bytes(bytes(5000))
    assert 80e6 < cost["memory"] < 400e6
    assert cost["disk"] == 5000
    assert cost["seconds"] >= 2


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", clips=6)


def test_costs_are_measured_lesson_by_lesson_and_shown(source, tmp_path, tones, capsys):
    # It leaves a file, and the second run finds it.
    code = (
        "import os, pathlib\nruns = pathlib.Path(os.environ['SONGNET_DATA'], 'runs')\n"
        "runs.mkdir(exist_ok=True)\n(runs / 'kept').write_bytes(bytes(3_000_000))"
    )
    text = "# 1\n\nWhere [a link](https://a.b/leads) is not read."
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    path = make_cost_record(tmp_path / "data", tmp_path, source.parents[1], str(tones))
    record = json.loads(path.read_text("utf-8"))
    its = record["lessons"]["01-first"]
    assert (its["first"]["disk"], its["again"]["disk"]) == (3_000_000, 0)
    assert (its["words"], its["exercises"]) == (5, 0)
    assert its["first"]["memory"] > 3e7
    assert record["music"]["disk"] > 1e5
    cost = cost_of("01-first", tmp_path)
    assert cost.table["on disk"].tolist() == ["3 MB", "none"]
    for shown in (cost._repr_html_(), capsys.readouterr().out):
        for words in (*cost.table.loc["again"], cost.reading, cost.source, "make costs"):
            assert words in shown


def test_a_lesson_that_was_not_measured_says_so_and_runs_all_the_same(tmp_path):
    (tmp_path / "costs.json").write_text('{"lessons": {}}')
    assert "make costs" in cost_of("08-new", tmp_path)
    with pytest.raises(SongNetError, match="make costs"):
        cost_of("01-data", tmp_path / "nowhere")


def test_words_for_time_and_size(tmp_path):
    first = {"seconds": 96, "memory": 2.04e9, "disk": 1.25e9}
    again = {"seconds": 1.2, "memory": 4e8, "disk": 12.6e6}
    record = {
        **{"command": "make costs", "corpus": "mini", "processors": 2},
        **{"machine": "x86_64", "load": 3.0},
        "versions": {"python": "3.11.7", "tensorflow": "2.21.0"},
        "music": first,
        "lessons": {"a": {"first": first, "again": again, "words": 1500, "exercises": 5}},
    }
    (tmp_path / "costs.json").write_text(json.dumps(record))
    cost = cost_of("a", tmp_path)
    assert cost.table.to_numpy().tolist() == [
        ["1.6 minutes", "2.0 GB", "1.2 GB"],
        ["5 s", "0.4 GB", "13 MB"],
    ]
    assert "takes less time alone" in cost.source
    # 10 minutes of reading and 30 of exercises.
    assert cost.minutes == 40
    assert cost.reading.startswith("Reading and exercises: about 40 minutes (1,500 words")


# --- What is trained ----------------------------------------------------------------------------


def test_what_a_lesson_trains_is_trained_once(data, tones, monkeypatch):
    corpus = open_corpus(tones)
    made = []
    make = Run.make
    monkeypatch.setattr(Run, "make", lambda self, *a, **b: made.append(self) or make(self, *a, **b))
    one = trained.short_run(corpus, "songnet", 1, batch=4)
    assert len(read_record(one)["epochs"]) == 1
    assert trained.short_run(corpus, "songnet", 1, batch=4) == one
    assert len(made) == 1

    short = trained.run_of(corpus, "songnet", epochs=1)
    assert short != one
    assert len(made) == 2
    assert data in short.parents
    assert trained.run_of(corpus, "songnet", epochs=1) == short
    train(corpus, "songnet", "artist", seed=3, epochs=1, progress=False)
    assert trained.run_of(corpus, "songnet", epochs=1) == short
    full = train(corpus, "songnet", "artist", seed=0, epochs=1, progress=False)
    assert trained.run_of(corpus, "songnet") == full
    assert len(made) == 4
