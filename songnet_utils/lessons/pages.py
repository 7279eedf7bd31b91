"""Running a notebook from top to bottom, keeping what came out, and making it ready for a page.

A page has no kernel, which a widget needs: so a page shows what the widget recorded for such
places, else what its cell left for them, else it says how to come to the widget.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.corpora import data_folder
from songnet_utils.lessons.meter import Cost, Meter
from songnet_utils.widgets import recording

#: A cell that takes longer than this many seconds is taken to hang.
CELL_SECONDS = 3600

_WIDGET = "application/vnd.jupyter.widget-view+json"

# Where a kept notebook says what became of it.
_OURS = "songnet"

_TO_TOUCH = (
    '<p class="widget-here">Here is something to touch: run <code>make lab</code> and open this '
    "lesson.</p>"
)


@dataclass(frozen=True)
class Lesson:
    """A notebook that was run.

    Attributes
    ----------
    path : Path
        The notebook's file; it is left as it is.
    title : str
        Its first heading.
    notebook : nbformat.NotebookNode
        It with its outputs.
    cost : Cost
        What it took.
    failure : str or None
        In one line, which cell failed and how; None where all of them ran.
    """

    path: Path
    title: str
    notebook: Any
    cost: Cost
    failure: str | None


def run_notebook(path: str | os.PathLike[str], environment: Mapping[str, str]) -> Lesson:
    """Run a notebook alone, from top to bottom, in a fresh kernel.

    Parameters
    ----------
    path
        The notebook. It runs in the folder it stands in, and its file is not changed.
    environment
        Variables to set for it, beside those of this process.

    Returns
    -------
    Lesson
        With its ``failure`` where a cell failed.

    Raises
    ------
    SongNetError
        When there is no such notebook, or the file is none.
    """
    path = Path(path)
    return run_cells(path, _read(path), environment)


def run_cells(path: Path, notebook: Any, environment: Mapping[str, str]) -> Lesson:
    """Run a notebook that was read, in the folder of its file; see `run_notebook`."""
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        # A kernel's own remarks on its connection are no part of a lesson.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    failure = None
    with _environment(environment):
        meter = Meter(data_folder())
        client.on_notebook_start = lambda **_: meter.watch(client.km.provisioner.pid)
        try:
            client.execute()
        except CellExecutionError as error:
            failure = f"cell {_cells_run(notebook)}: {error.ename}: {_first_line(error.evalue)}"
        except CellTimeoutError:
            failure = f"cell {_cells_run(notebook)}: took longer than {CELL_SECONDS} s"
        except DeadKernelError:
            failure = f"cell {_cells_run(notebook)}: the kernel died (was there enough memory?)"
        cost = meter.read()
    return Lesson(path, title_of(notebook, path.stem), notebook, cost, failure)


def title_of(notebook: Any, otherwise: str) -> str:
    """Return a notebook's first heading as plain text, or `otherwise` where it has none."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^#\s+(.+)$", cell.source, re.MULTILINE)
            if heading:
                return re.sub(r"[*_`]", "", heading[1]).strip()
    return otherwise


def keep(lesson: Lesson, folder: Path) -> Path:
    """Keep a notebook with its outputs, so that pages can be made of it later, too.

    Parameters
    ----------
    lesson
        A notebook that was run.
    folder
        Where to keep it, under its own name.

    Returns
    -------
    Path
        The file.
    """
    made = copy.deepcopy(lesson.notebook)
    made.metadata[_OURS] = {"failure": lesson.failure}
    file = folder / lesson.path.name
    with atomic_write(file) as temporary:
        nbformat.write(made, temporary)
    return file


def is_kept(path: Path, folder: Path) -> bool:
    """Return whether a notebook was run and kept in a folder as it is written now.

    Parameters
    ----------
    path
        The notebook.
    folder
        Where notebooks with their outputs are kept.
    """
    file = folder / path.name
    return file.is_file() and _written(file) == _written(path)


def failure_of(notebook: Any) -> str | None:
    """Return in one line which cell of a kept notebook failed and how; None where none did."""
    failure: str | None = notebook.metadata.get(_OURS, {}).get("failure")
    return failure


def for_page(notebook: Any, media: Path, found_at: str) -> Any:
    """Return a copy of a notebook that was run, as a page without a kernel can show it.

    Parameters
    ----------
    notebook
        With its outputs.
    media
        A folder. Pictures, sounds and recordings are taken out of the outputs and written there,
        so that the page itself is small.
    found_at
        Where the page finds that folder.

    Returns
    -------
    nbformat.NotebookNode
        Without progress bars, and with words in the place of each widget that has none.
    """
    made = copy.deepcopy(notebook)
    made.metadata.pop("widgets", None)
    # What colours the code of cells; a notebook that no program has opened yet lacks it.
    made.metadata.setdefault("language_info", {"name": "python"})
    for cell in made.cells:
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            data = output.get("data", {})
            if data.pop(_WIDGET, None) is not None:
                if re.search(r"\d%\|", data.get("text/plain", "")):
                    continue
                data.setdefault("text/html", _TO_TOUCH)
            if "text/html" in data:
                data["text/html"] = recording.take_out(data["text/html"], media, f"{found_at}/")
            if its := data.pop(recording.MIME, None):
                name = recording.in_files(its, media)
                data["text/html"] = recording.place(name, f"{found_at}/", data["text/html"])
            outputs.append(output)
        cell.outputs = outputs
    return made


def _written(path: Path) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in _read(path).cells]


def _read(path: Path) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise SongNetError(
            f"{path}: is not a notebook that can be read ({error}). Bring it back with git, "
            "or save it again from JupyterLab."
        ) from error


def _cells_run(notebook: Any) -> int:
    """Return the number of the cell that ran last, counted as JupyterLab shows it: [n]."""
    counts = [c.execution_count or 0 for c in notebook.cells if c.cell_type == "code"]
    return max(counts, default=0)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
