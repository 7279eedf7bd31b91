"""Running the lessons, and measuring what this costs.

The notebook with gaps and the one with solutions differ only in the cells of their exercises, and
the rest of a lesson uses nothing that an exercise makes (a test checks this). So one kernel runs
both, with each exercise's gap in a cell before its solution, and `both` splits the result in two.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import data_folder
from songnet_utils.lessons.gaps import EXERCISE, gap, is_tagged, without_solutions

#: The tag of the cells with gaps.
GAP = "gap"


@contextlib.contextmanager
def measured(folder: Path) -> Iterator[dict[str, float]]:
    """Measure what the processes started in a ``with`` block cost.

    Memory is the most that they hold at once, plus the growth of this process (the sum of resident
    sets, so shared memory counts more than once). Disk is the growth of the data folder.

    Parameters
    ----------
    folder : pathlib.Path
        The data folder, which need not exist yet.

    Yields
    ------
    dict
        Filled at the end of the block: ``seconds``, and ``memory`` and ``disk`` in bytes.
    """
    cost: dict[str, float] = {"memory": 0}
    own = psutil.Process()
    before, others = own.memory_info().rss, set(own.children(recursive=True))
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            held = max(0, own.memory_info().rss - before)
            for child in set(own.children(recursive=True)) - others:
                with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended by now
                    held += child.memory_info().rss
            cost["memory"] = max(cost["memory"], held)

    watch = threading.Thread(target=look, daemon=True)
    start, disk = time.perf_counter(), _size(folder)
    watch.start()
    try:
        yield cost
    finally:
        over.set()
        watch.join()
        cost["seconds"] = round(time.perf_counter() - start, 1)
        cost["disk"] = max(0, _size(folder) - disk)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run_lesson(source: Path, environment: Mapping[str, str]) -> tuple[Any, dict[str, float]]:
    """Run a lesson from top to bottom in a fresh kernel, in its own folder.

    Parameters
    ----------
    source
        The notebook with solutions; the file is not changed.
    environment
        Variables to set for it, in addition to those of this process.

    Returns
    -------
    notebook : nbformat.NotebookNode
        The notebook with its outputs, and with a gap before each exercise's cell (see `both`). If
        a cell failed, the cells after it did not run (see `failure_of`).
    cost : dict
        What it cost (see `measured`).

    Raises
    ------
    SongNetError
        When it is not a notebook, a cell tagged as an exercise is not one, or the kernel died.
    """
    notebook = _read(source)
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_tagged(cell, EXERCISE):
            cells.append(copy.deepcopy(cell))
            cells[-1].update(id=f"{GAP}-{cell.id}", source=gap(cell.source))
            cells[-1].metadata.tags = [GAP]
        cells.append(cell)
    notebook.cells = cells
    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        # A kernel's messages about its connection do not belong in a lesson.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(source.parent)}},
    )
    with measured(data_folder(environment.get("SONGNET_DATA"))) as cost:
        try:
            client.execute(env={**os.environ, **environment})
        except CellExecutionError:
            pass  # the outputs show it
        except DeadKernelError as error:
            raise SongNetError(
                f"{source}: its kernel died. Is there enough memory? Close other programs."
            ) from error
    return notebook, cost


def failure_of(notebook: Any) -> str | None:
    """Return one line about the cell that failed and its error, or None if no cell failed."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {cell.id}: {output.ename}: {output.evalue}".splitlines()[0]
    return None


def both(ran: Any) -> tuple[Any, Any]:
    """Split a lesson that was run into the notebook with gaps and the one with solutions."""
    solved = copy.deepcopy(ran)
    solved.cells = [cell for cell in solved.cells if not is_tagged(cell, GAP)]
    gaps = without_solutions(ran)
    gaps.cells = [
        cell for cell in gaps.cells if cell.cell_type == "markdown" or not is_tagged(cell, EXERCISE)
    ]
    return gaps, solved


def is_current(source: Path, ran: Path) -> bool:
    """Return whether a file holds a run of the lesson as it is now."""
    if not ran.is_file():
        return False
    _, solved = both(_read(ran))
    return [cell.source for cell in solved.cells] == [cell.source for cell in _read(source).cells]


def title_of(notebook: Any) -> str:
    """Return a notebook's first heading as plain text, or "" if it has none."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    heading = re.search(r"^#\s+(.+)$", "\n".join(texts), re.MULTILINE)
    return re.sub(r"[*_`]", "", heading[1]).strip() if heading else ""


def _read(path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise SongNetError(f"{path}: is not a readable notebook ({error}).") from error
