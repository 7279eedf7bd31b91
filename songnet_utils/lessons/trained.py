"""Networks for lessons: a finished one if there is one, or else one from a short training run.

What a lesson trains stays in ``lessons`` in the data folder, apart from the runs of ``songnet
train``. Later runs of the lesson, with gaps or with solutions, only read it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import filelock

from songnet_utils.corpora import Corpus
from songnet_utils.corpora.splits import keep_genres, split
from songnet_utils.features.store import log_mels
from songnet_utils.lessons.songs import SPLIT, cache_folder
from songnet_utils.training.recipe import recipe_of
from songnet_utils.training.runs import runs_folder
from songnet_utils.training.train import Run


def run_of(corpus: Corpus, model: str, *, epochs: int = 8) -> Path:
    """Return a network's finished run on the artist split with seed 0, or else a short one.

    Another seed would test other clips, and the course's song might be a training clip.

    Parameters
    ----------
    corpus : Corpus
        What the network is trained on.
    model : str
        The network's name.
    epochs : int
        How many epochs the short run has, if there is no finished run yet.

    Returns
    -------
    pathlib.Path
        The run's folder.
    """
    full = runs_folder(corpus) / f"{model}-{SPLIT}-0"
    return full if (full / "record.json").is_file() else short_run(corpus, model, epochs)


def short_run(corpus: Corpus, model: str, epochs: int, **changes: Any) -> Path:
    """Train a network for a few epochs on the artist split with seed 0, if that is not done yet.

    Parameters
    ----------
    corpus : Corpus
        What the network is trained on.
    model : str
        The network's name.
    epochs : int
        How many epochs.
    **changes
        Changes to the network's own recipe (`songnet_utils.training.recipe.Recipe`).

    Returns
    -------
    pathlib.Path
        The run's folder.
    """
    prepared = log_mels(corpus)
    clips, left_out = keep_genres(prepared.clips, kind=SPLIT)
    run = Run(
        log_mels=prepared,
        clips=clips,
        sets=split(clips, SPLIT, seed=0),
        left_out=left_out,
        model=model,
        split=SPLIT,
        seed=0,
        recipe=dataclasses.replace(recipe_of(model), epochs=epochs, **changes),
    )
    folder = cache_folder(corpus) / f"{model}-{run.fingerprint}"
    # Two lessons that run at once may need the same network.
    with filelock.FileLock(f"{folder}.lock"):
        if not run.is_finished(folder):
            run.make(folder, progress=False)
    return folder
