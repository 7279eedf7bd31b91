"""The whole course on one machine: the music, the networks, every lesson, and the site.

Each part stays in the data folder or in ``build``. If you interrupt the course, the next run goes
on from there. If you run it again, it only runs the lessons. Two networks train, or two lessons
run, at the same time, because one alone leaves a processor idle for much of the time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder
from songnet_utils.corpora import chosen_corpus, open_corpus
from songnet_utils.features.extraction import do_here
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
    "Each figure is the share of the test clips of {name} that a model gets right, with its 95 % "
    "interval over artists. On the random split, songs by one artist may be in both the training "
    "and the test set, and a model can recognise the artist. On the artist split, every test "
    "artist is new to the model."
)
_MINI = " mini is music composed by rules for teaching: no figure here is about real music."


def course(notebooks: Path = NOTEBOOKS) -> Path:
    """Prepare everything, run the notebooks, and build the site of the course.

    Everything uses one corpus: mini, or the one that ``$SONGNET_CORPUS`` chooses.

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
        When there are no lessons, when a cell fails (the other lessons still run, and the page of
        the failed one shows where), or when the site has a fault.
    """
    find_lessons(notebooks)  # an error should come before half an hour of work
    chosen, name = _chosen()
    bars = sys.stderr.isatty()
    print(f"{name}: its clips and their log-mels …", flush=True)
    corpus = open_corpus(chosen, progress=bars)
    log_mels(corpus, progress=bars)
    once = partial(train, corpus, seed=SEED, progress=False)
    _do(
        {
            f"Training {model} on the {split} split": partial(once, model, split)
            for run, split, model in _runs(name)
            if not (run / "record.json").exists()
        }
    )
    return site(notebooks, anew=True)


def site(notebooks: Path = NOTEBOOKS, anew: bool = False) -> Path:
    """Build the site of the course, and run only the lessons that changed since they last ran.

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
        As for `course`.
    """
    chosen, name = _chosen()
    build = notebooks.resolve().parent / "build"
    data = str(data_folder().resolve())
    environment = {"SONGNET_DATA": data, "SONGNET_CORPUS": chosen, RECORD: "1"}
    files = {source: build / "ran" / name / source.name for source in find_lessons(notebooks)}
    _do(
        {
            f"Lesson {source.stem}": partial(_run, source, environment, file)
            for source, file in files.items()
            if anew or not is_current(source, file)
        }
    )
    failed = []
    for file in files.values():
        if failure := failure_of(nbformat.read(file, as_version=4)):
            failed.append(f"{file.name}, {failure}")
            print(f"{file.stem} stopped in {failure}")
    records = [read_record(run) for run, *_ in _runs(name) if (run / "record.json").is_file()]
    results = results_table(records)
    note = _NOTE.format(name=name) + (_MINI if name == "mini" else "")
    missing = "There are no results yet: `make course` trains and tests the networks."
    text = f"{as_markdown(results)}\n\n{note}" if records else missing
    index = write_site([*files.values()], build / "course", text)
    if records:
        print(f"\n{results.to_string(index=False)}\n{note}")
    print(f"Pages: {index}")
    if failed:
        raise SongNetError(
            f"{len(failed)} of {len(files)} lessons did not run to the end: {'; '.join(failed)}. "
            "Their pages show the whole message."
        )
    return index


def results_table(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the accuracies in the records of runs: one row per model, one column per split."""
    cells: dict[str, dict[str, str]] = {}
    for record in records:
        low, high = record["test"]["confidence_interval"]
        cells.setdefault(SPLITS[record["split"]], {})[MODELS[record["model"]]] = (
            f"{record['test']['accuracy']:.0%} ({low:.0%}–{high:.0%})"
        )
    return pd.DataFrame(cells).fillna("").rename_axis("model").reset_index()


def _chosen() -> tuple[str, str]:
    """Return the chosen corpus, as lessons find it from their own folder, and its name."""
    chosen = chosen_corpus()
    path = os.path.abspath(chosen)
    return path if os.sep in chosen else chosen, Path(path).name


def _runs(corpus: str) -> list[tuple[Path, str, str]]:
    """Return the folder, the split and the model of each run in the table of results."""
    runs = data_folder() / "runs" / corpus
    return [
        (runs / f"{model}-{split}-{SEED}", split, model) for split in SPLITS for model in MODELS
    ]


def _run(source: Path, environment: Mapping[str, str], file: Path) -> None:
    with atomic_write(file) as temporary:
        nbformat.write(run_lesson(source, environment)[0], temporary)


def _do(jobs: Mapping[str, Callable[[], Any]]) -> None:
    """Do jobs, two at a time in processes of their own, and print how long each took."""
    # Each needs up to two gigabytes of memory, so even a large machine does only two.
    done = do_here(_seconds_of, [*jobs.items()], 2, threads=False)
    bar = tqdm(done, total=len(jobs), unit="job", leave=False, disable=not sys.stderr.isatty())
    for what, seconds in bar:
        bar.write(f"{seconds:6.0f} s  {what}")


def _seconds_of(job: tuple[str, Callable[[], Any]]) -> tuple[str, float]:
    what, do = job
    start = time.perf_counter()
    do()
    return what, time.perf_counter() - start
