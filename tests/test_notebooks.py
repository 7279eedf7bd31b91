"""Each lesson runs alone, from top to bottom, and their site opens offline."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from offline import Page, faults

import songnet_utils
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.running import GAP, both, failure_of, find_lessons, run_lesson

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = find_lessons(ROOT / "notebooks")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_runs_alone_with_gaps_and_with_solutions(path, ran):
    lesson = ran(path)
    assert failure_of(lesson) is None
    said = [o for cell in lesson.cells for o in cell.get("outputs", []) if "name" in o]
    assert [o.text for o in said if o.name == "stderr" and "%|" not in o.text] == []
    gaps, solved = map(verdicts, both(lesson))
    assert {says[:17] for says in gaps} == {"Not answered yet."}, gaps
    assert {says[:6] for says in solved} == {"Right."}, solved
    assert len(gaps) == len(solved)


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


def verdicts(lesson: Any) -> list[str]:
    """Return what the check of each exercise says, in words."""
    found = []
    for cell in lesson.cells:
        if cell.cell_type == "code" and (is_tagged(cell, EXERCISE) or is_tagged(cell, GAP)):
            (said,) = cell.outputs
            assert 'role="status"' in said.data["text/html"]
            found.append(said.data["text/plain"])
    return found


@pytest.fixture(params=["real music", "sound files that say nothing"])
def other_corpus(request, tmp_path) -> Path:
    """A folder of real clips, or of short noises in genres without artists or metadata."""
    if request.param == "real music":
        return request.getfixturevalue("shared_fma")
    for number in range(15):
        file = tmp_path / "songs" / f"genre {number % 3}" / f"{number}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, np.random.default_rng(number).normal(0, 0.1, 16_000), 8_000)
    return tmp_path / "songs"


def test_lesson_1_runs_on_other_corpora_as_well(other_corpus, tmp_path):
    environment = {"SONGNET_DATA": str(tmp_path), "SONGNET_CORPUS": str(other_corpus)}
    lesson, _ = run_lesson(NOTEBOOKS[0], environment)
    assert failure_of(lesson) is None
    _, solved = both(lesson)
    assert {says[:6] for says in verdicts(solved)} == {"Right."}, verdicts(solved)
    shown = {cell.id: str(cell.outputs) for cell in solved.cells if cell.get("outputs")}
    assert f"{other_corpus.name}: " in shown["open"]
    nothing = "names no artist who has two clips" in shown["same-artist"]
    assert nothing == (other_corpus.name == "songs")
