"""Each lesson runs alone, from top to bottom, and their site opens offline."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest
from offline import Page, faults

import songnet_utils
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.pages import Lesson
from songnet_utils.lessons.pairs import run_lesson

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_runs_alone_with_gaps_and_with_solutions(path, ran):
    lesson, *others = ran(path)
    check_run(lesson)
    assert {says[:17] for says in verdicts(lesson)} <= {"Not answered yet."}, verdicts(lesson)
    assert bool(others) == bool(verdicts(lesson)), "a lesson with exercises has solutions"
    for solved in others:
        check_run(solved)
        assert {says[:6] for says in verdicts(solved)} == {"Right."}, verdicts(solved)


def check_run(lesson: Lesson) -> None:
    """A lesson ran to its end, and said nothing on the side."""
    assert lesson.failure is None
    said = [o for c in lesson.notebook.cells for o in c.get("outputs", []) if "name" in o]
    assert [o.text for o in said if o.name == "stderr" and "%|" not in o.text] == []


def test_the_site_of_the_lessons_is_whole_and_opens_offline(real_site):
    assert faults(real_site) == []
    pages = [*real_site.glob("lessons/*.html"), *real_site.glob("lessons/solutions/*.html")]
    assert {page.stem for page in pages} == {path.stem for path in NOTEBOOKS}
    for page in pages:
        read = Page(page.read_text("utf-8"))
        # Long enough to describe a figure.
        assert [image for image in read.images if len(image["alt"]) <= 40] == [], page
        # A command that the converter does not know would stand there as it was written.
        formulas = re.findall(r"<math.*?</math>", page.read_text("utf-8"), re.DOTALL)
        assert [formula for formula in formulas if "\\" in formula] == [], page


def test_every_public_module_is_in_the_api_reference(real_site):
    modules = [
        module.name
        for module in pkgutil.walk_packages(songnet_utils.__path__, "songnet_utils.")
        if not re.search(r"\._", module.name)
    ]
    assert len(modules) > 50
    pages = {page.stem for page in real_site.glob("api/*.html")}
    assert set(modules) <= pages


def verdicts(lesson: Lesson) -> list[str]:
    """Return what the check of each exercise says, in words."""
    found = []
    for cell in lesson.notebook.cells:
        if cell.cell_type == "code" and is_tagged(cell, EXERCISE):
            (said,) = cell.outputs
            assert 'role="status"' in said.data["text/html"]
            found.append(said.data["text/plain"])
    return found


def test_lesson_1_runs_on_real_music_as_well(shared_fma, tmp_path):
    environment = {"SONGNET_DATA": str(tmp_path), "SONGNET_CORPUS": str(shared_fma)}
    lesson, solved = run_lesson(ROOT / "notebooks" / "01-data.ipynb", environment)
    assert lesson.failure is None
    assert {says[:6] for says in verdicts(solved)} == {"Right."}, verdicts(solved)
    shown = {
        cell.id: str(cell.outputs)
        for cell in lesson.notebook.cells
        if cell.cell_type == "code" and cell.outputs
    }
    assert "122 clips" in shown["open"]
    assert "Post-Punk" in shown["genre-tree"]
    assert "official split: 0 of" in shown["leak-artists"]
    assert "CC BY-NC-SA" in shown["licence"]
