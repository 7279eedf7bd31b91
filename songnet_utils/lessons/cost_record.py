"""Measuring what the lessons cost, and keeping it with the course (`songnet_utils.lessons.costs`).

It takes as long as the course, twice. Nothing else should run meanwhile: what other programs do on
the machine is measured, too. How busy it was before is kept with the figures, and said with them.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import write_json
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.features.store import LogMelStore
from songnet_utils.lessons.costs import COMMAND, NAME, LessonCost
from songnet_utils.lessons.gaps import EXERCISE, SOLUTIONS, is_tagged
from songnet_utils.lessons.kept import lessons_folder, records_folder
from songnet_utils.lessons.meter import Cost, Meter
from songnet_utils.lessons.pages import run_notebook
from songnet_utils.training.train import versions


def make_cost_record(
    data: Path,
    folder: Path | None = None,
    notebooks: Path | None = None,
    corpus: str = "mini",
    say: Callable[[str], None] = print,
) -> Path:
    """Run every lesson alone, twice, and keep what it cost.

    Parameters
    ----------
    data : pathlib.Path
        A data folder to do it in; what is in it is thrown away.
    folder : pathlib.Path, optional
        Where to keep the record; with the lessons by default.
    notebooks : pathlib.Path, optional
        The folder of the lessons; the course's by default.
    corpus : str
        What they are run on.
    say
        Takes what each of them costs, in words.

    Returns
    -------
    pathlib.Path
        The record.

    Raises
    ------
    SongNetError
        When a lesson did not run to its end: which, and where.
    """
    notebooks = notebooks or lessons_folder()
    # How many processors others keep busy. (The system's load average still holds what ended a
    # minute ago.)
    load = (psutil.cpu_count() or 1) * psutil.cpu_percent(interval=3.0) / 100
    shutil.rmtree(data, ignore_errors=True)
    meter = Meter(data)
    meter.watch(os.getpid())
    LogMelStore(data, Sound()).prepare(open_corpus(corpus, data, progress=False), progress=False)
    music = meter.read()
    before = _folders(data)
    environment = {"SONGNET_DATA": str(data.resolve()), "SONGNET_CORPUS": corpus}
    content: dict[str, Any] = {
        "command": COMMAND,
        "corpus": corpus,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "load": round(load, 1),
        "versions": versions(),
        "music": music.to_dict(),
        "lessons": {},
    }
    path = (folder or records_folder()) / f"{NAME}.json"
    for lesson in sorted(notebooks.glob("*.ipynb")):
        for left in _folders(data) - before:
            shutil.rmtree(left, ignore_errors=True)
        solved = notebooks / SOLUTIONS / lesson.name
        first = _cost_of_run(lesson, environment)
        again = _cost_of_run(solved if solved.exists() else lesson, environment)
        content["lessons"][lesson.stem] = {
            "first": first.to_dict(),
            "again": again.to_dict(),
            **contents(nbformat.read(lesson, as_version=4)),
        }
        say(repr(LessonCost(lesson.stem, content)))
    write_json(path, content)
    return path


def _folders(data: Path) -> set[Path]:
    """Return the folders of corpora, of features, of runs and the like."""
    return {path for path in [*data.glob("*/"), *data.glob("features/*/")] if path.is_dir()}


def _cost_of_run(notebook: Path, environment: dict[str, str]) -> Cost:
    lesson = run_notebook(notebook, environment)
    if lesson.failure:
        raise SongNetError(f"{notebook}: did not run to its end: {lesson.failure}")
    return lesson.cost


def contents(notebook: Any) -> dict[str, int]:
    """Return how many words there are to read in a notebook, and how many exercises."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return {
        "words": len(re.findall(r"[^\W\d_]{2,}", text)),
        "exercises": sum(
            cell.cell_type == "code" and is_tagged(cell, EXERCISE) for cell in notebook.cells
        ),
    }
