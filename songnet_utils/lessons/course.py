"""The whole course on one machine: the music, the networks, every lesson, and pages to read.

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

from songnet_utils.corpora import Corpus, data_folder, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.fetch import fetch_musicnn
from songnet_utils.lessons.gaps import SOLUTIONS
from songnet_utils.lessons.kept import lessons_folder
from songnet_utils.lessons.pages import Lesson, write_index, write_page
from songnet_utils.lessons.pairs import run_lesson
from songnet_utils.store import LogMelStore
from songnet_utils.timeline import Sound
from songnet_utils.training import read_record, runs_folder, train

#: What the table of results compares, and on which splits.
MODELS = ("chance", "svm", "songnet")
SPLITS = ("random", "artist")
SEED = 0

NOTE = (
    "Accuracy on the test clips of mini, a corpus composed by rules for teaching, with its 95 % "
    "interval: it says nothing about real music. On the random split an artist's clips may be on "
    "both sides; on the artist split none is."
)


def course(
    notebooks: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Make everything ready, run the notebooks in order, and leave readable pages.

    Parameters
    ----------
    notebooks
        The folder of the lessons; by default the one that came with this package's source.
    out
        Where the pages go; ``build/course`` beside the lessons by default.
    say
        Takes each line of progress, and the results.

    Returns
    -------
    pathlib.Path
        The index of the pages.

    Raises
    ------
    SongNetError
        When there are no lessons, or when a cell of one failed: the other lessons were run, and
        the page of the failed one shows where.
    """
    folder = Path(notebooks) if notebooks else lessons_folder()
    paths = find_lessons(folder)
    pages = Path(out) if out else folder.resolve().parent / "build" / "course"
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

    lessons = []
    environment = {"SONGNET_DATA": str(data_folder().resolve())}
    for path in paths:
        with _timed(f"Lesson {path.stem}", say, bars):
            lesson, *solved = run_lesson(path, environment)
            write_page(lesson, pages, paths)
            for other in solved:
                write_page(other, pages / SOLUTIONS, paths)
        if lesson.failure:
            say(f"    stopped in {lesson.failure}")
        lessons.append(lesson)

    results = results_table(runs)
    index = write_index(pages, lessons, results, NOTE)
    say("")
    for line in as_text(results):
        say(line)
    say(NOTE)
    say(f"Pages: {index}")
    _check_lessons(lessons)
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


def _check_lessons(lessons: Sequence[Lesson]) -> None:
    failed = [f"{lesson.path.name}, {lesson.failure}" for lesson in lessons if lesson.failure]
    if failed:
        raise SongNetError(
            f"{len(failed)} of {len(lessons)} lessons did not run to their end: "
            f"{'; '.join(failed)}. Their pages show the whole message."
        )


@contextmanager
def _timed(what: str, say: Callable[[str], None], bars: bool) -> Iterator[None]:
    """Say what is being done where someone watches, and what it took when it is done."""
    if bars:
        say(f"{what} …")
    start = time.perf_counter()
    yield
    say(f"{time.perf_counter() - start:6.0f} s  {what}")
