"""The whole course on one machine: the music, every lesson, and the site.

The music and the networks that lessons train stay in the data folder, so the next run needs less
time. Two lessons run at the same time, because one alone leaves a processor idle for much of the
time.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import nbformat
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder
from songnet_utils.corpora import chosen_corpus, open_corpus
from songnet_utils.features.extraction import do_here
from songnet_utils.features.store import log_mels
from songnet_utils.lessons.files import NOTEBOOKS, find_lessons
from songnet_utils.lessons.running import failure_of, is_current, run_lesson
from songnet_utils.lessons.site import write_site
from songnet_utils.widgets.recording import VARIABLE as RECORD


def course(notebooks: Path = NOTEBOOKS, *, anew: bool = True) -> Path:
    """Run the lessons, and build the site of the course.

    Everything uses one corpus: mini, or the one that ``$SONGNET_CORPUS`` chooses.

    Parameters
    ----------
    notebooks
        The folder of the lessons. The site goes to ``build/course`` beside it, and the lessons
        with their outputs to ``build/ran``.
    anew
        Whether to run all lessons, or only those that changed since they last ran.

    Returns
    -------
    pathlib.Path
        The first page of the site.

    Raises
    ------
    SongNetError
        When there are no lessons, when a cell fails (the other lessons still run, and the page of
        the failed one shows where), or when the site has a fault.
    """
    lessons = find_lessons(notebooks)
    bars = sys.stderr.isatty()
    chosen, name = _chosen()
    build = notebooks.resolve().parent / "build"
    data = str(data_folder().resolve())
    files = {source: build / "ran" / name / source.name for source in lessons}
    wanted = [pair for pair in files.items() if anew or not is_current(*pair)]
    if wanted:
        # All processors make the clips, so that no lesson has to.
        log_mels(open_corpus(chosen, progress=bars), progress=bars)
    run = partial(_run, {"SONGNET_DATA": data, "SONGNET_CORPUS": chosen, RECORD: "1"})
    # Each needs up to two gigabytes of memory, so there are not more of them on a large machine.
    done = do_here(run, wanted, 2, threads=False)
    bar = tqdm(done, total=len(wanted), unit="lesson", leave=False, disable=not bars)
    for lesson, seconds in bar:
        bar.write(f"{seconds:6.0f} s  Lesson {lesson}")
    failed = []
    for file in files.values():
        if failure := failure_of(nbformat.read(file, as_version=4)):
            failed.append(f"{file.name}, {failure}")
            print(f"{file.stem} stopped in {failure}")
    index = write_site([*files.values()], build / "course")
    print(f"Pages: {index}")
    if failed:
        raise SongNetError(
            f"{len(failed)} of {len(files)} lessons did not run to the end: {'; '.join(failed)}. "
            "Their pages show the whole message."
        )
    return index


def _run(environment: dict[str, str], lesson: tuple[Path, Path]) -> tuple[str, float]:
    """Run a lesson into a file; return its name and how many seconds it took."""
    start = time.perf_counter()
    source, file = lesson
    with atomic_write(file) as temporary:
        nbformat.write(run_lesson(source, environment)[0], temporary)
    return source.stem, time.perf_counter() - start


def _chosen() -> tuple[str, str]:
    """Return the chosen corpus, as lessons find it from their own folder, and its name."""
    chosen = chosen_corpus()
    path = os.path.abspath(chosen)
    return path if os.sep in chosen else chosen, Path(path).name
