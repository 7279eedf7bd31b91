"""The site of the course: its lessons as they ran, the page for teachers and the API reference.

Sphinx builds it, with MyST-NB and a theme that are complete Python packages, so nothing has to be
downloaded to build or read the site. A widget needs a kernel, which a page does not have. The page
shows the widget's recording instead, or else the output of its cell, or else how to get the widget.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import data_folder, size_text
from songnet_utils.corpora import open_corpus
from songnet_utils.lessons.costs import cost_of
from songnet_utils.lessons.files import NOTEBOOKS, RECORDS
from songnet_utils.lessons.running import both, failure_of, title_of
from songnet_utils.lessons.songs import course_song
from songnet_utils.lessons.syllabus import cost_table, syllabus
from songnet_utils.widgets import page, recording

#: The pages around the lessons, which come with this package's source.
DOCS = Path(__file__).resolve().parents[2] / "docs"

#: The marks around README's section of results, which `make readme` writes.
BEGIN, END = "<!-- results: make readme -->", "<!-- end of results -->"

_WIDGET = "application/vnd.jupyter.widget-view+json"


def write_site(ran: Sequence[Path], out: Path, records: Path = RECORDS) -> Path:
    """Build the site, and replace the previous one.

    Parameters
    ----------
    ran
        The lessons as `songnet_utils.lessons.running.run_lesson` returned them, in order.
    out
        The folder of the site; everything in it is replaced.
    records
        The folder of the records that come with the course.

    Returns
    -------
    pathlib.Path
        The first page.

    Raises
    ------
    SongNetError
        When the package is installed without its source, or when Sphinx finds a fault, such as a
        broken link. A site with a fault is there all the same, and the error says what is wrong.
    """
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in ran}
    costs = {name: cost_of(name, records) for name in notebooks}
    titles = {name: title_of(notebook) or name for name, notebook in notebooks.items()}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as folder:
        source, new = Path(folder) / "source", Path(folder) / "site"
        shutil.copytree(DOCS, source)
        _write_live(source / "_static")
        start = _pack_project(source / "extra")
        _write_lessons(notebooks, source)
        generated = {
            "start": start,
            "stopped": _stopped(notebooks),
            "costs": cost_table(titles, costs),
            "syllabus": "\n\n".join(syllabus(notebooks[name], costs[name]) for name in notebooks),
            "results": _results(),
        }
        (source / "generated").mkdir()
        for name, text in generated.items():
            (source / "generated" / f"{name}.md").write_text(f"{text}\n", encoding="utf-8")
        faults = _sphinx(source, new, Path(folder) / "doctrees")
        if not (new / "index.html").is_file():
            raise SongNetError(f"The site could not be built. Sphinx says: {faults}")
        if out.exists():
            shutil.rmtree(out)
        new.replace(out)
    if faults:
        raise SongNetError(f"{out}: the site was built, but Sphinx found faults: {faults}")
    return out / "index.html"


def for_page(notebook: Any, media: Path, found_at: str) -> Any:
    """Return a copy of a notebook that was run, as a page without a kernel can show it.

    Parameters
    ----------
    notebook
        With its outputs.
    media
        A folder for the pictures, sounds and recordings, which are taken out of the outputs to keep
        the page itself small.
    found_at
        Where the page finds that folder.

    Returns
    -------
    nbformat.NotebookNode
        Without progress bars, and with a note in place of each widget that has no recording.
    """
    made = copy.deepcopy(notebook)
    made.metadata.pop("widgets", None)
    # The page needs this to colour code; a notebook lacks it until a program has opened it.
    made.metadata.setdefault("language_info", {"name": "python"})
    for cell in made.cells:
        outputs: list[Any] = []
        for output in cell.get("outputs", []):
            last: Any = outputs[-1] if outputs else {}
            if output.output_type == "stream" and last.get("name") == output.name:
                last.text += output.text
                continue
            data = output.get("data", {})
            if data.pop(_WIDGET, None) is not None:
                if re.search(r"\d%\|", data.get("text/plain", "")):
                    continue
                data.setdefault("text/html", recording.STILL)
            if "text/html" in data:
                data["text/html"] = recording.take_out(data["text/html"], media, f"{found_at}/")
            if its := data.pop(recording.MIME, None):
                name = recording.in_files(its, media)
                data["text/html"] = recording.place(name, f"{found_at}/", data["text/html"])
            outputs.append(output)
        if cell.cell_type == "code":
            cell.outputs = outputs
    return made


def _write_lessons(notebooks: Mapping[str, Any], source: Path) -> None:
    media = source / "extra" / "media"
    solutions = source / "lessons" / "solutions"
    for folder in (media, solutions):
        folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        gaps, solved = both(notebook)
        nbformat.write(for_page(gaps, media, "../media"), solutions.parent / f"{name}.ipynb")
        # Its lesson links to it; neither the list of lessons nor the search shows it.
        solved.metadata.update(orphan=True, nosearch=True)
        nbformat.write(for_page(solved, media, "../../media"), solutions / f"{name}.ipynb")


def _write_live(static: Path) -> None:
    """Write what makes widgets and the listening page live (``_static/site.js`` loads it)."""
    (static / recording.SCRIPT).write_text(recording.script(), encoding="utf-8")
    # After the medley comes one clip per genre, among them the course's song.
    data = data_folder()
    mini = page.clips_of_mini(data) if (data / "mini").is_dir() else []
    song = course_song(open_corpus("mini", data)).id if mini else ""
    mini.sort(key=lambda clip: song in clip.facts["credit"])
    some = {clip.facts["genre"]: clip for clip in mini}
    clips = [page.medley_clip(), *map(page.as_mp3, some.values())]
    page.write_page(static / "songnet", clips)


def _pack_project(folder: Path) -> str:
    """Pack the last commit of the project; return text that tells a reader how to get it."""
    folder.mkdir(exist_ok=True)
    command = ["git", "archive", "--format=zip", "--prefix=songnet/", "HEAD"]
    try:
        packed = subprocess.run(command, cwd=DOCS.parent, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "Ask the person who made this site for the project's folder."
    (folder / "songnet.zip").write_bytes(packed)
    return (
        f"<a href='songnet.zip'>Download the project</a> ({size_text(len(packed))}) and unpack it."
    )


def _results() -> str:
    """Return README's section of results, in Markdown."""
    readme = (NOTEBOOKS.parent / "README.md").read_text("utf-8")
    return readme.partition(BEGIN)[2].partition(END)[0].replace("docs/", "")


def _stopped(notebooks: Mapping[str, Any]) -> str:
    stopped = [
        f"- [{title_of(notebook)}](lessons/{name}.ipynb) stopped in `{failure}`"
        for name, notebook in notebooks.items()
        if (failure := failure_of(notebook))
    ]
    lines = [":::{warning}", "Some lessons did not run to the end.", "", *stopped, ":::"]
    return "\n".join(lines) if stopped else ""


def _sphinx(source: Path, out: Path, doctrees: Path) -> str:
    """Run Sphinx in its own process, away from our settings, and return its warnings."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "--no-color"]
    done = subprocess.run(
        [*command, "--jobs", "2", "-d", str(doctrees), str(source), str(out)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stderr.strip().replace(str(source), "docs") or "nothing"
    return said if done.returncode else ""
