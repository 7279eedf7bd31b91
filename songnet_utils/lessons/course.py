"""The whole course on one machine: the music, the networks, every lesson, and the site.

Each part is kept in the data folder, so that a course that was interrupted goes on where it was,
and one that is run again only runs its lessons.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, data_folder, open_corpus
from songnet_utils.features.store import LogMelStore
from songnet_utils.lessons.gaps import SOLUTIONS
from songnet_utils.lessons.kept import lessons_folder, records_folder
from songnet_utils.lessons.pages import failure_of, is_kept, keep
from songnet_utils.lessons.pairs import run_lesson
from songnet_utils.lessons.site import check_free, results_in_markdown, write_site
from songnet_utils.models.musicnn_fetch import fetch_musicnn
from songnet_utils.training.runs import read_record, runs_folder
from songnet_utils.training.train import train
from songnet_utils.widgets.recording import VARIABLE as RECORD

#: What the table of results compares, and on which splits.
MODELS = ("chance", "svm", "songnet")
SPLITS = ("random", "artist")
SEED = 0

NOTE = (
    "Accuracy on the test clips of mini, a corpus composed by rules for teaching, with its 95 % "
    "interval: it says nothing about real music. On the random split an artist's clips may be on "
    "both sets; on the artist split none is."
)


def course(
    notebooks: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Make everything ready, run the notebooks in order, and leave the site of the course.

    Parameters
    ----------
    notebooks
        The folder of the lessons; by default the one that came with this package's source.
    out
        Where the site goes; ``build/course`` beside the lessons by default. The lessons with
        their outputs are kept beside it, in ``ran``.
    say
        Takes each line of progress, and the results.

    Returns
    -------
    pathlib.Path
        The first page of the site.

    Raises
    ------
    SongNetError
        When there are no lessons, when a cell of one failed (the other lessons were run, and the
        page of the failed one shows where), or when the site has a fault.
    """
    paths, pages = _places(notebooks, out)
    bars = sys.stderr.isatty()
    with _timed("mini: music composed and rendered on this machine", say, bars):
        corpus = open_corpus("mini", progress=bars)
        LogMelStore(sound=Sound()).prepare(corpus, progress=bars)
    with _timed("The pretrained listener", say, bars):
        try:
            fetch_musicnn(progress=bars)
        except SongNetError as error:
            say(f"    The course goes on without it: {error}")
    runs = train_all(corpus, say, bars)
    _run_lessons(paths, pages, say, bars)
    return _publish(paths, pages, runs, say, bars)


def site(
    notebooks: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Leave the site of the course, running only lessons that were not run as they are now.

    Parameters
    ----------
    notebooks, out, say
        As for `course`.

    Returns
    -------
    pathlib.Path
        The first page of the site.

    Raises
    ------
    SongNetError
        As `course`.
    """
    paths, pages = _places(notebooks, out)
    bars = sys.stderr.isatty()
    kept = _kept_at(pages)
    solved = [path.parent / SOLUTIONS / path.name for path in paths]
    missing = [
        path
        for path, other in zip(paths, solved, strict=True)
        if not is_kept(path, kept) or (other.exists() and not is_kept(other, kept / SOLUTIONS))
    ]
    _run_lessons(missing, pages, say, bars)
    mini = data_folder() / "runs" / "mini"
    folders = [mini / f"{model}-{split}-{SEED}" for split in SPLITS for model in MODELS]
    runs = [read_record(folder) for folder in folders if (folder / "record.json").is_file()]
    return _publish(paths, pages, runs, say, bars)


def _places(
    notebooks: str | os.PathLike[str] | None, out: str | os.PathLike[str] | None
) -> tuple[list[Path], Path]:
    """Return the lessons and the folder of the site, before anything is made."""
    folder = Path(notebooks) if notebooks else lessons_folder()
    paths = find_lessons(folder)
    pages = Path(out) if out else folder.resolve().parent / "build" / "course"
    # Said before half an hour of work, not after.
    check_free(pages)
    return paths, pages


def _kept_at(pages: Path) -> Path:
    return pages.parent / "ran"


def _run_lessons(
    paths: Sequence[Path], pages: Path, say: Callable[[str], None], bars: bool
) -> None:
    environment = {"SONGNET_DATA": str(data_folder().resolve()), RECORD: "1"}
    for path in paths:
        with _timed(f"Lesson {path.stem}", say, bars):
            lesson, *solved = run_lesson(path, environment)
            keep(lesson, _kept_at(pages))
            for other in solved:
                keep(other, _kept_at(pages) / SOLUTIONS)
        if lesson.failure:
            say(f"    stopped in {lesson.failure}")


def _publish(
    paths: Sequence[Path],
    pages: Path,
    runs: Sequence[dict[str, Any]],
    say: Callable[[str], None],
    bars: bool,
) -> Path:
    """Make the site of lessons that were run; say what was measured, and where the site is."""
    ran = [_kept_at(pages) / path.name for path in paths]
    results = results_table(runs)
    with _timed("The site", say, bars):
        markdown = results_in_markdown(results, NOTE)
        index = write_site(ran, pages, markdown, records_folder())
    say("")
    if results:
        for line in as_text(results):
            say(line)
        say(NOTE)
    say(f"Pages: {index}")
    failed = [
        f"{path.name}, {failure}"
        for path in ran
        if (failure := failure_of(nbformat.read(path, as_version=4)))
    ]
    if failed:
        raise SongNetError(
            f"{len(failed)} of {len(ran)} lessons did not run to their end: {'; '.join(failed)}. "
            "Their pages show the whole message."
        )
    return index


def find_lessons(folder: Path) -> list[Path]:
    """Return the notebooks in a folder, in the order of their names.

    Raises
    ------
    SongNetError
        When there is none.
    """
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise SongNetError(f"{folder}: has no lessons (*.ipynb). Name the folder that has them.")
    return paths


def train_all(corpus: Corpus, say: Callable[[str], None], bars: bool) -> list[dict[str, Any]]:
    """Train what the table of results compares, unless it was before; return the records."""
    records = []
    for split in SPLITS:
        for model in MODELS:
            run = runs_folder(corpus) / f"{model}-{split}-{SEED}"
            if not (run / "record.json").exists():
                with _timed(f"Training {model} on the {split} split", say, bars):
                    train(corpus, model, split=split, seed=SEED, progress=bars)
            records.append(read_record(run))
    return records


def results_table(records: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the table of results: one row a run, from its record."""
    rows = []
    for record in records:
        test = record["test"]
        low, high = test["confidence_interval"]
        rows.append(
            {
                "corpus": record["corpus"],
                "split": record["split"],
                "model": record["model"],
                "test clips": str(test["clips"]),
                "artists": "–" if test["artists"] is None else str(test["artists"]),
                "accuracy": f"{test['accuracy']:.3f}",
                "95 % interval": f"{low:.3f}–{high:.3f}",
            }
        )
    return rows


def as_text(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return a table as lines of text, its columns aligned."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


@contextmanager
def _timed(what: str, say: Callable[[str], None], bars: bool) -> Iterator[None]:
    """Say what is being done where someone watches, and what it took when it is done."""
    if bars:
        say(f"{what} …")
    start = time.perf_counter()
    yield
    say(f"{time.perf_counter() - start:6.0f} s  {what}")
