"""The site of the course: its lessons as they ran, the page for teachers and the API reference.

Sphinx makes it, with MyST-NB and a theme that come whole as Python packages: nothing is fetched
while the site is made, and nothing while it is read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import check_writable, data_folder
from songnet_utils.lessons.gaps import SOLUTIONS
from songnet_utils.lessons.pages import failure_of, for_page, title_of
from songnet_utils.lessons.syllabus import as_markdown, cost_table, measured, syllabus
from songnet_utils.widgets import page, recording

# What a site of ours is known by: it is replaced as a whole.
_MARK = ".songnet-site"


def write_site(
    ran: Sequence[Path],
    out: Path,
    results: str,
    records: Path,
) -> Path:
    """Make the site, and put it in the place of the one before.

    Parameters
    ----------
    ran
        The lessons with their outputs, in order. Those with solutions are in ``solutions`` beside
        them, under the same names.
    out
        The folder of the site.
    results
        What the course measured, in Markdown.
    records
        The folder of the records that are kept with the course.

    Returns
    -------
    pathlib.Path
        The first page.

    Raises
    ------
    SongNetError
        When this package stands without its source, when something else is in the folder, or
        when Sphinx finds a fault, such as a link that leads nowhere: the site is there, then, and
        the error says what is wrong with it.
    """
    check_free(out)
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in ran}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as folder:
        source, new = Path(folder) / "source", Path(folder) / "site"
        shutil.copytree(docs_folder(), source)
        extra = source / "extra"
        media = extra / "media"
        media.mkdir(parents=True)
        _write_live(source / "_static")
        (source / "lessons" / SOLUTIONS).mkdir(parents=True)
        for path in ran:
            shown = for_page(notebooks[path.stem], media, "../media")
            nbformat.write(shown, source / "lessons" / path.name)
            solved = path.parent / SOLUTIONS / path.name
            if solved.exists():
                shown = for_page(nbformat.read(solved, as_version=4), media, "../../media")
                # Its lesson leads to it; it is neither in the list of lessons nor found by search.
                shown.metadata.update(orphan=True, nosearch=True)
                nbformat.write(shown, source / "lessons" / SOLUTIONS / path.name)
        costs = measured(list(notebooks), records)
        for name, text in {
            "stopped": _stopped(notebooks),
            "costs": cost_table(notebooks, costs),
            "syllabus": syllabus(notebooks, costs),
            "results": results,
        }.items():
            file = source / "generated" / f"{name}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{text}\n", encoding="utf-8")
        faults = _sphinx(source, new, Path(folder))
        if not (new / "index.html").is_file():
            raise SongNetError(f"The site could not be made. Sphinx says: {faults}")
        (new / _MARK).touch()
        if out.exists():
            shutil.rmtree(out)
        new.replace(out)
    if faults:
        raise SongNetError(f"{out}: the site is there, with faults that Sphinx found: {faults}")
    return out / "index.html"


def _write_live(static: Path) -> None:
    """Write what makes widgets and the listening page live (``_static/site.js`` loads it)."""
    (static / recording.SCRIPT).write_text(recording.script(), encoding="utf-8")
    # After the medley, one clip of each genre.
    some = {clip.facts["genre"]: clip for clip in page.clips_of_mini(data_folder())}
    clips = [page.medley_clip(), *map(page.as_mp3, some.values())]
    page.write_page(static / "songnet", clips=clips)


def docs_folder() -> Path:
    """Return the folder of the pages around the lessons, which came with this package's source.

    Raises
    ------
    SongNetError
        When the package stands alone.
    """
    folder = Path(__file__).resolve().parents[2] / "docs"
    if not folder.is_dir():
        raise SongNetError(
            f"{folder}: is not there. The pages around the lessons come with the project's "
            "source: clone it and run `make site` there."
        )
    return folder


def check_free(out: Path) -> None:
    """Raise SongNetError unless a site can be put there and would replace only one of ours."""
    if out.exists() and not (out / _MARK).exists() and (not out.is_dir() or any(out.iterdir())):
        raise SongNetError(
            f"{out}: holds something that is no site of the course. Move it away, or choose "
            "another folder with --out."
        )
    # It is put in its place as a whole.
    check_writable(out.with_name(f".{out.name}") if out.exists() else out)


def results_in_markdown(rows: Sequence[Mapping[str, str]], note: str) -> str:
    """Return the table of results as Markdown, or that there are none."""
    if not rows:
        return "Not measured on this machine yet: `make course` trains and tests the networks."
    return f"{as_markdown(list(rows[0]), [list(row.values()) for row in rows])}\n\n{note}"


def _stopped(notebooks: Mapping[str, Any]) -> str:
    stopped = [
        f"- [{title_of(notebook, name)}](lessons/{name}.ipynb) stopped in `{failure}`"
        for name, notebook in notebooks.items()
        if (failure := failure_of(notebook))
    ]
    if not stopped:
        return ""
    return "\n".join([":::{warning}", "Not every lesson ran to its end.", "", *stopped, ":::"])


def _sphinx(source: Path, out: Path, scratch: Path) -> str:
    """Run Sphinx in a process of its own, where its settings are not ours; return its warnings."""
    warnings = scratch / "warnings.txt"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "--no-color"),
            *("--jobs", "2", "--warning-file", str(warnings), "-d", str(scratch / "doctrees")),
            *(str(source), str(out)),
        ],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = warnings.read_text("utf-8") if warnings.is_file() else ""
    if done.returncode == 0:
        return ""
    return (said or done.stderr).strip().replace(str(source), "docs") or "nothing"
