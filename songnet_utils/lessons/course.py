"""The whole course on one machine: the music, the networks, every lesson, and the site.

Each part stays in the data folder or in ``build``, so that a course that was interrupted goes on
where it was, and one that is run again only runs its lessons.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder
from songnet_utils.corpora import chosen_corpus, open_corpus
from songnet_utils.features.store import log_mels
from songnet_utils.lessons.files import NOTEBOOKS, find_lessons
from songnet_utils.lessons.running import failure_of, is_current, run_lesson
from songnet_utils.lessons.site import write_site
from songnet_utils.lessons.syllabus import as_markdown
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import train
from songnet_utils.widgets.recording import VARIABLE as RECORD

#: What the table of results compares, and on which splits.
MODELS = {
    "chance": "Guessing, each genre as often as in training",
    "svm": "SVM on MFCCs, the paper's best baseline",
    "songnet": "SongNet, the paper's network",
}
SPLITS = {"random": "random split", "artist": "artist split"}
SEED = 0

_NOTE = (
    "The share of the test clips of {name} that each model gets right, and in brackets the 95 % "
    "interval over artists. On the random split, songs by one artist may be in both the training "
    "and the test set, and a model can recognise the artist. On the artist split, every test "
    "artist is new to the model."
)
_MINI = " mini is music composed by rules, for teaching: no figure here is about real music."


def course(notebooks: Path = NOTEBOOKS) -> Path:
    """Make everything ready, run the notebooks in order, and leave the site of the course.

    All of it is about one corpus: mini, or the one that ``$SONGNET_CORPUS`` chooses.

    Parameters
    ----------
    notebooks
        The folder of the lessons. The site goes to ``build/course`` beside it, and the lessons
        with their outputs to ``build/ran``.

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
    find_lessons(notebooks)  # known before half an hour of work, not after
    bars = sys.stderr.isatty()
    chosen, name = _chosen()
    with _timed(f"{name}: its clips and their log-mels"):
        corpus = open_corpus(chosen, progress=bars)
        log_mels(corpus, progress=bars)
    for run, split, model in _runs(name):
        if not (run / "record.json").exists():
            with _timed(f"Training {model} on the {split} split"):
                train(corpus, model, split=split, seed=SEED, progress=bars)
    return site(notebooks, anew=True)


def site(notebooks: Path = NOTEBOOKS, anew: bool = False) -> Path:
    """Leave the site of the course, running only lessons that were not run as they are now.

    Parameters
    ----------
    notebooks
        As for `course`.
    anew
        Whether to run all lessons.

    Returns
    -------
    pathlib.Path
        The first page of the site.

    Raises
    ------
    SongNetError
        As `course`.
    """
    chosen, name = _chosen()
    build = notebooks.resolve().parent / "build"
    data = str(data_folder().resolve())
    environment = {"SONGNET_DATA": data, "SONGNET_CORPUS": chosen, RECORD: "1"}
    ran, failed = [], []
    for source in find_lessons(notebooks):
        file = build / "ran" / name / source.name
        if anew or not is_current(source, file):
            with _timed(f"Lesson {source.stem}"), atomic_write(file) as temporary:
                nbformat.write(run_lesson(source, environment)[0], temporary)
        ran.append(file)
        if failure := failure_of(nbformat.read(file, as_version=4)):
            failed.append(f"{source.name}, {failure}")
            print(f"    stopped in {failure}")
    records = [read_record(run) for run, *_ in _runs(name) if (run / "record.json").is_file()]
    results = results_table(records)
    note = _NOTE.format(name=name) + (_MINI if name == "mini" else "")
    missing = "Not measured on this machine yet: `make course` trains and tests the networks."
    with _timed("The site"):
        text = f"{as_markdown(results)}\n\n{note}" if records else missing
        index = write_site(ran, build / "course", text)
    if records:
        print(f"\n{results.to_string(index=False)}\n{note}")
    print(f"Pages: {index}")
    if failed:
        raise SongNetError(
            f"{len(failed)} of {len(ran)} lessons did not run to their end: {'; '.join(failed)}. "
            "Their pages show the whole message."
        )
    return index


def results_table(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the accuracies that runs' records state: a row for each model, a column per split."""
    cells: dict[str, dict[str, str]] = {}
    for record in records:
        low, high = record["test"]["confidence_interval"]
        cells.setdefault(SPLITS[record["split"]], {})[MODELS[record["model"]]] = (
            f"{record['test']['accuracy']:.0%} ({low:.0%}–{high:.0%})"
        )
    return pd.DataFrame(cells).fillna("").rename_axis("model").reset_index()


def _chosen() -> tuple[str, str]:
    """Return the corpus that is chosen, as lessons find it from their own folder, and its name."""
    chosen = chosen_corpus()
    path = os.path.abspath(chosen)
    return path if os.sep in chosen else chosen, Path(path).name


def _runs(corpus: str) -> list[tuple[Path, str, str]]:
    """Return the folder, the split and the model of each run in the table of results."""
    runs = data_folder() / "runs" / corpus
    return [
        (runs / f"{model}-{split}-{SEED}", split, model) for split in SPLITS for model in MODELS
    ]


@contextmanager
def _timed(what: str) -> Iterator[None]:
    """Say what is being done where someone watches, and what it took when it is done."""
    if sys.stderr.isatty():
        print(f"{what} …")
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:6.0f} s  {what}")
