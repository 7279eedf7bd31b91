"""What every lesson owes its readers: one shape, short steps, exercises, and ways on."""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path

import nbformat
import pytest
from costs import contents

from songnet_utils.lessons import checks
from songnet_utils.lessons.checks.questions import Exercise
from songnet_utils.lessons.costs import LessonCost, cost_of
from songnet_utils.lessons.files import SOLUTIONS
from songnet_utils.lessons.gaps import EXERCISE, SOLUTION, is_tagged

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SOURCES = sorted((FOLDER / SOLUTIONS).glob("*.ipynb"))
LESSONS = [pytest.param(path, id=path.stem) for path in NOTEBOOKS]
SOLVED = [pytest.param(path, id=path.stem) for path in SOURCES]


def cells(path: Path, kind: str, tag: str | None = None) -> list[nbformat.NotebookNode]:
    found = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]
    return [cell for cell in found if tag is None or is_tagged(cell, tag)]


def texts(path: Path) -> list[str]:
    return [cell.source for cell in cells(path, "markdown")]


# --- The shape ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_says_what_one_will_learn_and_what_one_has_learnt(path):
    top = "\n".join(texts(path)[:2])
    assert re.match(r"# \d · ", top)
    for part in ("**What you will learn**", "**What you need**", "**Where this leads**"):
        assert part in top
    assert "## What you have learnt" in "\n".join(texts(path)[-2:])


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_says_what_it_costs_and_where_to_go_on(path):
    last = texts(path)[-1]
    costs = [cell for cell in cells(path, "code") if "cost_of(" in cell.source]
    assert [cell.source.endswith(f'cost_of("{path.stem}")') for cell in costs] == [True]
    for part in ("## Questions to test yourself", "## Where to read more", "**Exercises solved**"):
        assert part in last
    number = NOTEBOOKS.index(path)
    if number:
        assert f"**Back**: [{number} · " in last
    if path != NOTEBOOKS[-1]:
        assert f"**Next**: [{number + 2} · " in last


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_opens_with_something_to_hear_or_to_see(path):
    title, first = nbformat.read(path, 4).cells[:2]
    assert len(title.source.split()) <= 70
    assert first.cell_type == "code"
    assert len(first.source.splitlines()) <= 8


@pytest.mark.parametrize("path", [*NOTEBOOKS, *SOURCES])
def test_a_lesson_and_its_cells_and_lines_are_short(path):
    assert len(nbformat.read(path, 4).cells) <= 50
    code = {cell.id: cell.source.splitlines() for cell in cells(path, "code")}
    assert [key for key, lines in code.items() if len(lines) > 15] == []
    assert [line for lines in code.values() for line in lines if len(line) > 72] == []


def test_lessons_are_in_order():
    numbers = [re.match(r"# (\d) · ", texts(path)[0])[1] for path in NOTEBOOKS]
    assert [f"0{number}" for number in numbers] == [path.name[:2] for path in NOTEBOOKS]


# --- Pictures -----------------------------------------------------------------------------------


def shown_nowhere(source: str) -> list[int]:
    """Return the lines whose picture is made and not shown: only a cell's last value is."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    shown = [tree.body[-1].value] if isinstance(tree.body[-1], ast.Expr) else []
    for call in calls:
        # An `update` of a display shows a picture in place of the last one.
        if ast.unparse(call.func) in ("display", "picture.update"):
            shown += call.args
    return [
        call.lineno
        for call in calls
        if ast.unparse(call.func) == "plots.show" and not any(call is one for one in shown)
    ]


def test_a_picture_in_the_middle_of_a_cell_is_seen():
    assert shown_nowhere("plots.show(ax)\nprint(1)") == [1]
    assert shown_nowhere("plots.show(ax)\nplots.show(ax)") == [1]
    assert shown_nowhere("display(plots.show(ax))\nprint(1)") == []
    assert shown_nowhere("print(1)\nplots.show(ax)") == []


@pytest.mark.parametrize("path", SOLVED)
def test_every_picture_is_shown(path):
    assert {c.id: lines for c in cells(path, "code") if (lines := shown_nowhere(c.source))} == {}


# --- Links --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*LESSONS, *SOLVED])
def test_links_between_lessons_lead_somewhere(path):
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(texts(path)))
    lessons = [link for link in links if not link.startswith("https://")]
    assert lessons
    for link in lessons:
        target = (path.parent / link).resolve()
        assert target in {one.resolve() for one in (*NOTEBOOKS, *SOURCES)}, link


@pytest.mark.parametrize("path", SOLVED)
def test_a_lesson_with_solutions_leads_back_to_the_one_with_gaps(path):
    (solved,) = [cell for cell in cells(path, "markdown", SOLUTION) if cell.id == "solved"]
    assert f"](../{path.name})" in solved.source
    # From there on to the lessons, and not from solution to solution.
    links = re.findall(r"\]\((?!https://)([^)]+)\)", "\n".join(texts(path)))
    assert {link for link in links if not link.startswith("../")} == {path.name}


# --- The exercises ------------------------------------------------------------------------------


def check_of(path: Path, cell: nbformat.NotebookNode) -> str:
    """Return the name of the check that an exercise's cell ends with."""
    last = ast.parse(cell.source).body[-1]
    assert isinstance(last, ast.Expr)
    assert isinstance(last.value, ast.Call)
    return ast.unparse(last.value.func)


def module_of(path: Path) -> str:
    """Return the module of a lesson's checks."""
    return path.stem[3:].replace("-", "_")


@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_has_three_to_five_exercises_each_asked_and_checked(path):
    asked, answered = (cells(path, kind, EXERCISE) for kind in ("markdown", "code"))
    assert 3 <= len(asked) <= 5
    for number, (ask, answer) in enumerate(zip(asked, answered, strict=True), 1):
        assert re.match(rf"### Exercise {number} · ", ask.source), ask.id
        assert (ask.id, answer.id) == (f"exercise-{number}", f"exercise-{number}-answer")
        assert re.search(r"^\w+ = \.\.\.$|^    \.\.\.$", answer.source, re.MULTILINE), answer.id


@pytest.mark.parametrize("path", LESSONS)
def test_all_checks_of_a_lesson_are_used_once_and_nowhere_else(path):
    module = importlib.import_module(f"{checks.__name__}.{module_of(path)}")
    there = {f"check.{name}" for name, value in vars(module).items() if isinstance(value, Exercise)}
    used = [check_of(path, cell) for cell in cells(path, "code", EXERCISE)]
    assert sorted(used) == sorted(there)
    brought = [cell for cell in cells(path, "code") if "import" in cell.source]
    assert any(
        f"from {checks.__name__} import {module_of(path)} as check" in cell.source
        for cell in brought
    )


@pytest.mark.parametrize("path", SOLVED)
def test_only_text_explains_a_solution(path):
    """Code that only the notebook with solutions has would not be run with the other one."""
    assert cells(path, "code", SOLUTION) == []


@pytest.mark.parametrize("lesson", [path.stem for path in NOTEBOOKS])
def test_every_lesson_has_its_source_with_solutions(lesson):
    assert (FOLDER / SOLUTIONS / f"{lesson}.ipynb").is_file()


# --- The costs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LESSONS)
def test_every_lesson_has_its_measured_cost(path):
    assert isinstance(cost_of(path.stem), LessonCost)
    kept = json.loads((FOLDER / "records" / "costs.json").read_text("utf-8"))["lessons"][path.stem]
    for its in (kept["first"], kept["again"]):
        assert its["seconds"] > 1
        assert its["memory"] > 1e8
    now = contents(nbformat.read(path, 4))
    assert kept["exercises"] == now["exercises"], "make costs"
    assert kept["words"] == pytest.approx(now["words"], rel=0.1), "make costs"
