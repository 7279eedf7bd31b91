"""Each lesson runs alone, from top to bottom, and its page opens offline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from offline import external

from songnet_utils.lessons.gaps import EXERCISE, SOLUTIONS, is_tagged
from songnet_utils.lessons.pages import Lesson, write_page
from songnet_utils.lessons.pairs import run_lesson

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_runs_alone_and_its_page_opens_offline(path, mini_data, tmp_path):
    environment = {"SONGNET_DATA": str(mini_data), "SONGNET_CORPUS": "mini"}
    lesson, *others = run_lesson(path, environment)
    check_run(lesson, tmp_path)
    assert {says[:17] for says in verdicts(lesson)} <= {"Not answered yet."}, verdicts(lesson)
    assert bool(others) == bool(verdicts(lesson)), "a lesson with exercises has solutions"
    for solved in others:
        check_run(solved, tmp_path / SOLUTIONS)
        assert {says[:6] for says in verdicts(solved)} == {"Right."}, verdicts(solved)


def check_run(lesson: Lesson, folder: Path) -> None:
    """A lesson ran to its end, said nothing on the side, and its page is for everybody."""
    assert lesson.failure is None
    said = [o for c in lesson.notebook.cells for o in c.get("outputs", []) if "name" in o]
    assert [o.text for o in said if o.name == "stderr" and "%|" not in o.text] == []
    page = write_page(lesson, folder, NOTEBOOKS).read_text("utf-8")
    assert external(page) == []
    # A command that the converter does not know would stand there as it was written.
    formulas = re.findall(r"<math.*?</math>", page, re.DOTALL)
    assert [formula for formula in formulas if "\\" in formula] == []
    for seen in re.findall(r"<img\b[^>]*>", page):
        alt = re.search(r'\balt="([^"]*)"', seen)
        # nbconvert's own words for a picture that nobody described.
        words = alt[1] if alt else ""
        assert len(words) > 40, seen[:200]
        assert "No description" not in words
    for heard in re.findall(r"<audio\b[^>]*>", page):
        assert re.search(r'\baria-label="[^"]+"', heard), heard[:200]


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
