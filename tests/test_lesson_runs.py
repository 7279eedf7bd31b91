"""Lessons run in pairs, what they train is kept, and what they cost is measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time

import nbformat
import pytest
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import open_corpus
from songnet_utils.lessons import trained
from songnet_utils.lessons.cost_record import contents, make_cost_record
from songnet_utils.lessons.costs import Unmeasured, cost_of
from songnet_utils.lessons.gaps import SOLUTIONS
from songnet_utils.lessons.meter import Meter
from songnet_utils.lessons.pairs import run_lesson
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import Run, train

CHECK = (
    "from songnet_utils.lessons.checks.questions import Number, exercise\n"
    "texts = {'right': 'Two.', 'hint': 'More.'}\n"
    "two = exercise(lambda: Number(2, {}, feedback=texts))\n"
    "ran = []"
)


@pytest.fixture
def lessons(tmp_path):
    """A folder of two lessons: the first has an exercise, the second has no solutions."""
    new = nbformat.v4
    first = new.new_notebook(
        cells=[
            new.new_markdown_cell("# 1 · First\n\n[Next](../02-second.ipynb)", id="title"),
            new.new_code_cell(CHECK, id="check"),
            new.new_code_cell("ran.append('costly'); ran", id="costly"),
            new.new_markdown_cell("### Exercise 1", id="e", metadata={"tags": ["exercise"]}),
            new.new_code_cell("n = 2\ntwo(n)", id="answer", metadata={"tags": ["exercise"]}),
            new.new_markdown_cell(
                "Because. [Gaps](../01-first.ipynb)", id="why", metadata={"tags": ["solution"]}
            ),
            new.new_markdown_cell("[Solved](01-first.ipynb#why)", id="links"),
            new.new_code_cell("ran", id="end"),
        ]
    )
    second = new.new_notebook(
        cells=[new.new_markdown_cell("# 2 · Second"), new.new_code_cell("1 + 1", id="sum")]
    )
    folder = tmp_path / "notebooks"
    (folder / SOLUTIONS).mkdir(parents=True)
    nbformat.write(first, folder / SOLUTIONS / "01-first.ipynb")
    nbformat.write(first, folder / "01-first.ipynb")  # as it is in git does not matter here
    nbformat.write(second, folder / "02-second.ipynb")
    return folder


def said(lesson, cell: str) -> str:
    (its,) = (one for one in lesson.notebook.cells if one.id == cell)
    return its.outputs[-1].data["text/plain"]


# --- In pairs -----------------------------------------------------------------------------------


def test_one_kernel_runs_both_and_computes_what_is_costly_once(lessons, tmp_path):
    environment = {"SONGNET_DATA": str(tmp_path / "data")}
    gaps, solved = run_lesson(lessons / "01-first.ipynb", environment)
    assert gaps.failure is None
    assert said(gaps, "answer").startswith("Not answered yet.")
    assert said(solved, "answer") == "Right. Two."
    assert said(gaps, "end") == said(solved, "end") == "['costly']"
    assert [cell.id for cell in gaps.notebook.cells] == [
        *("title", "check", "costly", "e", "answer", "links", "end")
    ]
    assert [cell.id for cell in solved.notebook.cells][5:] == ["why", "links", "end"]
    assert gaps.path == lessons / "01-first.ipynb"
    assert solved.path == lessons / SOLUTIONS / "01-first.ipynb"
    counts = [cell.execution_count for cell in gaps.notebook.cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4]


def test_a_lesson_without_solutions_runs_alone(lessons, tmp_path):
    (alone,) = run_lesson(lessons / "02-second.ipynb", {"SONGNET_DATA": str(tmp_path / "data")})
    assert said(alone, "sum") == "2"


def test_a_solution_that_fails_is_seen(lessons, tmp_path):
    source = lessons / SOLUTIONS / "01-first.ipynb"
    broken = nbformat.read(source, 4)
    broken.cells[4].source = "n = 1 / 0\ntwo(n)"
    nbformat.write(broken, source)
    gaps, solved = run_lesson(lessons / "01-first.ipynb", {"SONGNET_DATA": str(tmp_path / "data")})
    assert "ZeroDivisionError" in solved.failure
    assert said(gaps, "answer").startswith("Not answered yet.")


# --- What it costs ------------------------------------------------------------------------------


def test_a_meter_sees_time_memory_and_disk(tmp_path):
    (tmp_path / "before").write_bytes(bytes(1000))
    meter = Meter(tmp_path)
    code = "x = bytearray(80_000_000); import time; time.sleep(2)"
    # A process that starts another one, which holds the memory.
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    with subprocess.Popen([sys.executable, "-c", nested]) as process:
        meter.watch(process.pid)
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "after").write_bytes(bytes(5000))
    cost = meter.read()
    assert 80e6 < cost.memory < 400e6
    assert cost.disk == 5000
    assert cost.seconds >= 2
    assert cost.download >= 0
    assert cost.to_dict() == {
        **{"seconds": round(cost.seconds, 1), "memory": cost.memory},
        **{"disk": 5000, "download": cost.download},
    }


def test_a_meter_of_a_process_that_is_gone_reads_nothing(tmp_path):
    meter = Meter(tmp_path / "no such folder")
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                             capture_output=True, check=True)  # fmt: skip
    meter.watch(int(process.stdout))
    time.sleep(0.1)
    assert (meter.read().memory, meter.read().disk) == (0, 0)


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", clips=6)


def test_costs_are_measured_lesson_by_lesson_and_shown(lessons, tmp_path, tones):
    runs = "import os, pathlib\nruns = pathlib.Path(os.environ['SONGNET_DATA'], 'runs')\n"
    source = nbformat.read(lessons / SOLUTIONS / "01-first.ipynb", 4)
    source.cells[2].source = f"{runs}(runs.parent / 'of-lesson-1').mkdir(exist_ok=True)"
    nbformat.write(source, lessons / SOLUTIONS / "01-first.ipynb")
    # It leaves a file, and finds nothing that the lesson before has left.
    second = nbformat.read(lessons / "02-second.ipynb", 4)
    second.cells[1].source = (
        f"{runs}assert not (runs.parent / 'of-lesson-1').exists()\n"
        "runs.mkdir(exist_ok=True)\n(runs / 'kept').write_bytes(bytes(3_000_000))"
    )
    nbformat.write(second, lessons / "02-second.ipynb")
    lines: list[str] = []
    path = make_cost_record(tmp_path / "data", tmp_path, lessons, str(tones), lines.append)
    record = json.loads(path.read_text("utf-8"))
    assert set(record["lessons"]) == {"01-first", "02-second"}
    its = record["lessons"]["02-second"]
    assert (its["first"]["disk"], its["again"]["disk"]) == (3_000_000, 0)
    assert its["first"]["memory"] > 3e7
    assert record["music"]["disk"] > 1e5
    cost = cost_of("02-second", tmp_path)
    assert cost.rows()["the first time"]["on disk"] == "3 MB"
    assert cost.rows()["again"]["on disk"] == "none"
    shown = cost._repr_html_()
    for words in [*cost.rows()["again"].values(), "<caption", 'scope="row"', "make costs"]:
        assert words in shown
    for words in (*cost.rows()["again"].values(), cost.says_of_reading(), cost.source()):
        assert words in repr(cost)
    assert repr(cost) in lines


def test_no_costs_are_kept_of_a_lesson_that_fails(lessons, tmp_path, tones):
    (lessons / "01-first.ipynb").unlink()
    second = nbformat.read(lessons / "02-second.ipynb", 4)
    second.cells[1].source = "no_such_name"
    nbformat.write(second, lessons / "02-second.ipynb")
    with pytest.raises(SongNetError, match=r"02-second\.ipynb: did not run to its end: cell 1"):
        make_cost_record(tmp_path / "data", tmp_path, lessons, str(tones))
    assert not (tmp_path / "costs.json").exists()


def test_a_lesson_that_was_not_measured_says_so_and_runs_all_the_same(tmp_path):
    (tmp_path / "costs.json").write_text('{"lessons": {}}')
    cost = cost_of("08-new", tmp_path)
    assert isinstance(cost, Unmeasured)
    assert "make costs" in repr(cost)
    with pytest.raises(SongNetError, match="make costs"):
        cost_of("01-data", tmp_path / "nowhere")


def test_what_there_is_to_read_is_counted(lessons):
    notebook = nbformat.read(lessons / SOLUTIONS / "01-first.ipynb", 4)
    # First, Next; Exercise; Because, Gaps; Solved. Where a link leads is not read.
    assert contents(notebook) == {"words": 6, "exercises": 1}


def test_words_for_time_and_size(tmp_path):
    first = {"seconds": 96, "memory": 2.04e9, "disk": 1.25e9, "download": 12}
    again = {"seconds": 1.2, "memory": 4e8, "disk": 12.6e6, "download": 1.4e6}
    record = {
        **{"command": "make costs", "processors": 2, "machine": "x86_64", "load": 0.1},
        "versions": {"python": "3.11.7", "tensorflow": "2.21.0"},
        "music": first,
        "lessons": {"a": {"first": first, "again": again, "words": 1500, "exercises": 5}},
    }
    (tmp_path / "costs.json").write_text(json.dumps(record))
    cost = cost_of("a", tmp_path)
    assert list(cost.rows()["the first time"].values()) == [
        *("1.6 minutes", "2.0 GB", "1.2 GB", "none")
    ]
    assert list(cost.rows()["again"].values()) == ["5 s", "0.4 GB", "13 MB", "1 MB"]
    assert "busy" not in cost.source()
    (tmp_path / "costs.json").write_text(json.dumps(record | {"load": 3.0}))
    assert "alone it takes less time" in cost_of("a", tmp_path).source()
    # 10 minutes of reading and 30 of exercises.
    assert re.match(r"To read and do: about 40 minutes \(1,500 words", cost.says_of_reading())


# --- What is trained ----------------------------------------------------------------------------


def test_what_a_lesson_trains_is_trained_once(data, tones, monkeypatch):
    corpus = open_corpus(tones)
    made = []
    make = Run.make
    monkeypatch.setattr(Run, "make", lambda self, *a, **b: made.append(self) or make(self, *a, **b))
    one = trained.short_run(corpus, "songnet", 1, batch=4)
    assert len(one) == 1
    assert trained.short_run(corpus, "songnet", 1, batch=4) == one
    assert len(made) == 1
    assert trained.short_run(corpus, "songnet", 1, batch=8) != one
    assert len(made) == 2

    short = trained.run_of(corpus, "songnet", epochs=1)
    assert len(made) == 3
    assert data in short.parents
    assert trained.run_of(corpus, "songnet", epochs=1) == short
    assert len(read_record(short)["epochs"]) == 1
    full = train(corpus, "songnet", "artist", seed=3, epochs=1, progress=False)
    assert trained.run_of(corpus, "songnet") == full
    assert trained.run_of(corpus, "songnet", seed=0) == short
    assert len(made) == 4
