"""What every lesson owes its readers: a beginning, an end, ways on, and short steps."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
LESSONS = [pytest.param(nbformat.read(path, 4), id=path.stem) for path in NOTEBOOKS]


def texts(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("notebook", LESSONS)
def test_a_lesson_opens_with_what_one_will_learn_and_ends_with_what_one_has_learnt(notebook):
    first, last = texts(notebook)[0], texts(notebook)[-1]
    assert re.match(r"# \d · ", first)
    for part in ("**What you will learn**", "**What you need**"):
        assert part in first
    for part in ("## What you have learnt", "## Exercises", "## Questions"):
        assert part in last


@pytest.mark.parametrize("notebook", LESSONS)
def test_links_between_lessons_lead_somewhere(notebook):
    links = re.findall(r"\]\(([^)]+)\)", "\n".join(texts(notebook)))
    lessons = [link for link in links if not link.startswith("https://")]
    assert lessons
    assert set(lessons) <= {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("notebook", LESSONS)
def test_cells_are_short(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if len(cell.source.splitlines()) > 25] == []


def test_lessons_are_in_order():
    numbers = [re.match(r"# (\d) · ", texts(lesson.values[0])[0])[1] for lesson in LESSONS]
    assert [f"0{number}" for number in numbers] == [path.name[:2] for path in NOTEBOOKS]
