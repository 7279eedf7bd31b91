"""Running a lesson with gaps and the same with solutions, in the time that one of them takes.

The two differ only in the cells of their exercises, and nothing that an exercise makes is used
elsewhere in the lesson (a test says so). So one kernel runs both: all cells in order, and at each
exercise first the gap and then the solution. What is costly is computed once for the two.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from songnet_utils.lessons.gaps import EXERCISE, SOLUTIONS, is_tagged, with_gaps
from songnet_utils.lessons.pages import Lesson, run_cells, run_notebook

# What the name of a gap's cell begins with while both are in one notebook.
_GAP = "gap-"


def run_lesson(path: Path, environment: Mapping[str, str]) -> list[Lesson]:
    """Run a lesson, and the same with solutions where there are some.

    Parameters
    ----------
    path
        The lesson with gaps. Where there are solutions, they are in ``solutions`` beside it, under
        the same name.
    environment
        As in `songnet_utils.lessons.pages.run_notebook`.

    Returns
    -------
    list of Lesson
        The lesson with gaps, then the one with solutions, if any.

    Raises
    ------
    SongNetError
        When a notebook cannot be read, or a cell that is tagged as an exercise is none.
    """
    source = path.parent / SOLUTIONS / path.name
    return (
        [*run_both(source, environment)] if source.exists() else [run_notebook(path, environment)]
    )


def run_both(source: Path, environment: Mapping[str, str]) -> tuple[Lesson, Lesson]:
    """Run a lesson with gaps and with solutions.

    Parameters
    ----------
    source
        The notebook with solutions; its file is not changed.
    environment
        As in `songnet_utils.lessons.pages.run_notebook`.

    Returns
    -------
    gaps, solutions : Lesson
        Both with their outputs; what it cost is that of both together, and so is the failure.

    Raises
    ------
    SongNetError
        When a cell that is tagged as an exercise is none.
    """
    solved = nbformat.read(source, as_version=4)
    gaps = with_gaps(solved)
    open_cells = {cell.id: cell for cell in gaps.cells}
    both = copy.deepcopy(solved)
    both.cells = []
    for cell in solved.cells:
        if cell.cell_type == "code" and is_tagged(cell, EXERCISE):
            gap = copy.deepcopy(open_cells[cell.id])
            gap.id = f"{_GAP}{cell.id}"
            both.cells.append(gap)
        both.cells.append(copy.deepcopy(cell))
    ran = run_cells(source, both, environment)
    done = {cell.id: cell for cell in ran.notebook.cells}
    _take(solved, done)
    _take(
        gaps, {**done, **{cell: done[f"{_GAP}{cell}"] for cell in done if f"{_GAP}{cell}" in done}}
    )
    lesson = source.parent.parent / source.name
    return (
        dataclasses.replace(ran, path=lesson, notebook=gaps),
        dataclasses.replace(ran, notebook=solved),
    )


def _take(notebook: Any, done: Mapping[str, Any]) -> None:
    """Give the cells of a notebook what came out of them, and count those that were run."""
    counted = itertools.count(1)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = done[cell.id].outputs
            if done[cell.id].execution_count is not None:
                cell.execution_count = next(counted)
