"""Running a notebook from top to bottom, and making a page of it that opens anywhere.

A page is one HTML file with everything in it: pictures, players, formulas as MathML. It loads
nothing from elsewhere. A widget needs a running notebook, so a page says where one would be.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import latex2mathml.converter
import nbformat
from jinja2 import pass_context
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from songnet_utils.corpora import data_folder
from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write
from songnet_utils.lessons.meter import Cost, Meter

#: A cell that takes longer than this many seconds is taken to hang.
CELL_SECONDS = 3600

_WIDGET = "application/vnd.jupyter.widget-view+json"
_HERE = Path(__file__).resolve().parent


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

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"{self.path.stem}.html"


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
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise SongNetError(
            f"{path}: is not a notebook that can be read ({error}). Bring it back with git, "
            "or save it again from JupyterLab."
        ) from error
    return run_cells(path, notebook, environment)


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


def write_page(lesson: Lesson, folder: Path, lessons: Sequence[Path]) -> Path:
    """Write the page of a lesson into a folder, with links to the lessons before and after it.

    Parameters
    ----------
    lesson
        A notebook that was run.
    folder
        Where the pages are. The page is called like the notebook.
    lessons
        The notebooks of the course, in order.

    Returns
    -------
    Path
        The page.
    """
    exporter = _PageExporter(template_name="page", extra_template_basedirs=[str(_HERE)])
    resources = {
        "metadata": {"name": lesson.title, "path": str(lesson.path.parent)},
        "lesson_links": _links(lesson.path, lessons),
    }
    body, _ = exporter.from_notebook_node(_without_widgets(lesson.notebook), resources)
    names = "|".join(re.escape(path.name.removesuffix(".ipynb")) for path in lessons)
    within = r"(?:\.\./|solutions/)?"
    body = re.sub(
        rf'href="(?:\./)?({within}(?:{names}))\.ipynb(#[^"]*)?"', r'href="\1.html\2"', body
    )
    page = folder / lesson.page
    with atomic_write(page) as temporary:
        temporary.write_text(body, encoding="utf-8")
    return page


def write_index(
    folder: Path, lessons: Sequence[Lesson], results: Sequence[Mapping[str, str]], note: str
) -> Path:
    """Write ``index.html``: the lessons, and the table of results.

    Parameters
    ----------
    folder
        Where the pages are.
    lessons
        In order.
    results
        Rows of the table, all with the same columns.
    note
        What must be known to read the table.
    """
    items = "\n".join(
        f'<li><a href="{html.escape(lesson.page)}">{html.escape(lesson.title)}</a>'
        + (f" (stopped: {html.escape(lesson.failure)})" if lesson.failure else "")
        + "</li>"
        for lesson in lessons
    )
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in results[0])
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(value)}</td>" for value in row.values()) + "</tr>"
        for row in results
    )
    page = folder / "index.html"
    with atomic_write(page) as temporary:
        temporary.write_text(_INDEX.format(items=items, head=head, rows=rows, note=note), "utf-8")
    return page


_INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SongNet, the course</title>
<style>
  body {{ font: 1rem/1.5 sans-serif; max-width: 45rem; margin: 0 auto; padding: 1rem; }}
  table {{ border-collapse: collapse; }}
  th, td {{ text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #bbb; }}
</style>
</head>
<body>
<main>
<h1>SongNet, the course</h1>
<p>The lessons as they ran on this machine. To change them and touch their widgets, run
<code>make lab</code>.</p>
<ul>
{items}
</ul>
<h2>Results</h2>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>{note}</p>
</main>
</body>
</html>
"""


class _Renderer(IPythonRenderer):  # type: ignore[misc]
    """Markdown to HTML, with formulas as MathML, which browsers draw without a script."""

    def block_math(self, body: str) -> str:
        return f"<p>{_mathml(body, 'block')}</p>"

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


def _mathml(latex: str, display: str) -> str:
    # latex2mathml leaves the backslash of an underscore inside a text where it is.
    return latex2mathml.converter.convert(latex.strip(), display=display).replace(r"\_", "_")


class _PageExporter(HTMLExporter):  # type: ignore[misc]
    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = _Renderer(escape=False, attachments=attachments, embed_images=True, path=path)
        return MarkdownWithMath(renderer=renderer).render(source)


def _without_widgets(notebook: Any) -> Any:
    """Return a copy with a note in the place of each widget, and without progress bars."""
    copy = nbformat.from_dict(notebook)
    copy.metadata.pop("widgets", None)
    for cell in copy.cells:
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            data = output.get("data", {})
            if data.pop(_WIDGET, None) is not None:
                if re.search(r"\d%\|", data.get("text/plain", "")):
                    continue
                data.setdefault(
                    "text/html",
                    '<p class="widget-here">Here is something to touch: run <code>make lab</code> '
                    "and open this lesson.</p>",
                )
            outputs.append(output)
        cell.outputs = outputs
    return copy


def _links(path: Path, lessons: Sequence[Path]) -> str:
    links = ['<a href="index.html">All lessons</a>']
    here = [lesson.name for lesson in lessons].index(path.name)
    if here > 0:
        links.insert(0, f'<a href="{lessons[here - 1].stem}.html">← {lessons[here - 1].stem}</a>')
    if here + 1 < len(lessons):
        links.append(f'<a href="{lessons[here + 1].stem}.html">{lessons[here + 1].stem} →</a>')
    return f'<nav class="lessons">{"".join(links)}</nav>'


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
