"""Each lesson runs alone, from top to bottom, on mini and on other corpora."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from toys import tone_corpus

from songnet_utils.lessons.files import find_lessons
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.running import GAP, both, failure_of, run_lesson

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


def verdicts(lesson: Any) -> list[str]:
    """Return what the check of each exercise says, in words."""
    found = []
    for cell in lesson.cells:
        if cell.cell_type == "code" and (is_tagged(cell, EXERCISE) or is_tagged(cell, GAP)):
            (said,) = cell.outputs
            assert 'role="status"' in said.data["text/html"]
            found.append(said.data["text/plain"])
    return found


def run_on(corpus: Path, data: Path, number: int) -> dict[str, str]:
    """Run a lesson on a corpus; return what each cell of the solved one shows."""
    environment = {"SONGNET_DATA": str(data), "SONGNET_CORPUS": str(corpus)}
    lesson, _ = run_lesson(NOTEBOOKS[number - 1], environment)
    assert failure_of(lesson) is None
    _, solved = both(lesson)
    assert {says[:6] for says in verdicts(solved)} == {"Right."}, verdicts(solved)
    return {cell.id: str(cell.outputs) for cell in solved.cells if cell.get("outputs")}


def test_lesson_1_runs_on_real_music_as_well(shared_fma, tmp_path):
    shown = run_on(shared_fma, tmp_path, 1)
    assert "**fma**" in shown["open"]
    assert "names no artist" not in shown["same-artist"]


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> tuple[Path, Path]:
    """A folder of short tones, of which nothing is known but the genre, and a data folder."""
    folder = tmp_path_factory.mktemp("tones")
    return tone_corpus(folder / "tones", clips=6, seconds=5), folder / "data"


#: What a lesson cannot show on such a folder, and says so.
MISSING = {
    1: {
        "same-artist": "tones names no artist with two clips",
        "split-explorer": "tones names no artists",
    },
    2: {},
    3: {"open": "tones names no artists", "compare": "tones has no official split"},
    4: {"start": "tones names no artists"},
    5: {"run": "tones names no artists", "artists": "no test clips share a known artist"},
    6: {"run": "tones names no artists", "quiz": "tones: has too few artists for this quiz"},
    7: {},
}


@pytest.mark.parametrize("number", MISSING)
def test_a_lesson_runs_on_a_folder_without_artists(number, tones):
    shown = run_on(*tones, number)
    assert "tones" in "".join(shown.values())
    for cell, says in MISSING[number].items():
        assert says in shown[cell]


def test_lesson_3_runs_on_songs_with_artists_in_their_tags(tmp_path):
    emotify = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "emotify"
    if not emotify.is_dir():
        pytest.skip(f"no real songs at {emotify} (set SONGNET_SHARED to their parent folder)")
    some = tmp_path / "some-songs"
    for genre in ("classical", "rock"):
        (some / genre).mkdir(parents=True)
        for song in sorted((emotify / genre).glob("*.mp3"))[::12]:
            shutil.copy(song, some / genre)
    shown = run_on(some, tmp_path / "data", 3)
    assert "names no artists" not in shown["open"]
    assert "2 genres" in shown["open"]
