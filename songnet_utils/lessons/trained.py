"""Networks for lessons: one that is there already, or a short training, once.

What a lesson trains stays in ``lessons`` in the data folder, apart from the runs of ``songnet
train``: opened again, and in the notebook with solutions, it is only read.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from songnet_utils.corpora import Corpus, data_folder
from songnet_utils.corpora.splits import keep_genres, split
from songnet_utils.features.store import log_mels
from songnet_utils.training.recipe import recipe_of
from songnet_utils.training.runs import read_record, runs_folder
from songnet_utils.training.train import Run, train

_SPLIT = "artist"


def run_of(corpus: Corpus, model: str, seed: int | None = None, *, epochs: int = 8) -> Path:
    """Return a finished run of a network on the artist split: the newest, else a short one.

    Parameters
    ----------
    corpus : Corpus
        What it has learnt from.
    model : str
        The network's name.
    seed : int, optional
        The run's seed; any by default, and 0 where one has to be made.
    epochs : int
        How long the short training is, where there is no finished run yet.

    Returns
    -------
    pathlib.Path
        The run's folder.
    """
    pattern = f"{model}-{_SPLIT}-{'*' if seed is None else seed}/record.json"
    finished = sorted(runs_folder(corpus).glob(pattern), key=lambda file: file.stat().st_mtime)
    if finished:
        return finished[-1].parent
    short = cache_folder(corpus) / f"{model}-{_SPLIT}-{seed or 0}"
    if not (short / "record.json").is_file():
        train(corpus, model, _SPLIT, seed=seed or 0, epochs=epochs, out=short)
    return short


def short_run(corpus: Corpus, model: str, epochs: int, **changes: Any) -> list[dict[str, Any]]:
    """Train a network for a few epochs on the artist split, and return how it went.

    Parameters
    ----------
    corpus : Corpus
        What it learns from.
    model : str
        The network's name.
    epochs : int
        How many.
    **changes
        What differs from the network's own recipe (`songnet_utils.training.recipe.Recipe`).

    Returns
    -------
    list of dict
        The figures of each epoch, as a run's record has them.
    """
    prepared = log_mels(corpus, progress=False)
    clips, left_out = keep_genres(prepared.clips, kind=_SPLIT)
    run = Run(
        log_mels=prepared,
        clips=clips,
        sets=split(clips, _SPLIT, seed=0),
        left_out=left_out,
        model=model,
        split=_SPLIT,
        seed=0,
        recipe=dataclasses.replace(recipe_of(model), epochs=epochs, **changes),
    )
    folder = cache_folder(corpus) / "short" / f"{model}-{run.fingerprint}"
    if not run.is_finished(folder):
        run.make(folder, progress=False)
    return read_record(folder)["epochs"]


def cache_folder(corpus: Corpus) -> Path:
    """Return the folder of what lessons have made of a corpus."""
    return data_folder() / "lessons" / corpus.name
