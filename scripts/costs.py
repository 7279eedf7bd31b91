"""Measure the costs of the lessons, and save the record with them: ``python scripts/costs.py``.

It takes twice as long as the course: it runs each lesson alone, in a data folder with only the
music, and then again in the folder that the first run left. Run nothing else at the same time; the
record has the load of other programs.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import psutil

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import write_json
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.features.store import LogMelStore
from songnet_utils.lessons.costs import COMMAND, NAME, LessonCost
from songnet_utils.lessons.files import NOTEBOOKS, RECORDS, find_lessons
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.running import both, failure_of, measured, run_lesson
from songnet_utils.training.train import versions

DATA = Path(__file__).resolve().parents[1] / "build" / "costs"


def make_cost_record(
    data: Path, folder: Path = RECORDS, notebooks: Path = NOTEBOOKS, corpus: str = "mini"
) -> Path:
    """Run every lesson alone, twice, in an empty data folder; print and save its costs."""
    # The number of processors that other programs use.
    load = (psutil.cpu_count() or 1) * psutil.cpu_percent(interval=3.0) / 100
    shutil.rmtree(data, ignore_errors=True)
    with measured(data) as cost_of_music:
        music = open_corpus(corpus, data, progress=False)
        LogMelStore(data, Sound()).prepare(music, progress=False)
    content: dict[str, Any] = {
        "command": COMMAND,
        "corpus": corpus,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "load": round(load, 1),
        "versions": versions(),
        "music": cost_of_music,
        "lessons": {},
    }
    before = _folders(data)
    environment = {"SONGNET_DATA": str(data.resolve()), "SONGNET_CORPUS": corpus}
    for lesson in find_lessons(notebooks):
        for left in _folders(data) - before:
            shutil.rmtree(left, ignore_errors=True)
        (ran, first), (_, again) = (run_lesson(lesson, environment) for _ in range(2))
        if failure := failure_of(ran):
            raise SongNetError(f"{lesson}: failed: {failure}")
        its = {"first": first, "again": again, **contents(both(ran)[0])}
        content["lessons"][lesson.stem] = its
        cost = LessonCost(lesson.stem, content)
        print(f"{lesson.stem}:\n{cost.table.to_string()}\n{cost.reading} {cost.source}")
    path = folder / f"{NAME}.json"
    write_json(path, content)
    return path


def contents(notebook: Any) -> dict[str, int]:
    """Return the numbers of words and of exercises in a notebook with gaps."""
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    text = re.sub(r"\]\([^)]*\)", "]", "\n".join(cell.source for cell in texts))
    return {
        "words": len(re.findall(r"[^\W\d_]{2,}", text)),
        "exercises": sum(is_tagged(cell, EXERCISE) for cell in texts),
    }


def _folders(data: Path) -> set[Path]:
    """Return the folders of corpora, of features, of runs and the like."""
    return {path for path in [*data.glob("*/"), *data.glob("features/*/")] if path.is_dir()}


def main() -> None:
    """Run all lessons, and print the costs of each."""
    try:
        print(make_cost_record(DATA))
    except SongNetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
