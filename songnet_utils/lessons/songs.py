"""Songs of the course: the one that all lessons follow, and ten for the genre quiz.

Nothing here starts TensorFlow, so the first lesson begins without a wait.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder
from songnet_utils.corpora import Corpus
from songnet_utils.corpora.splits import keep_genres, split
from songnet_utils.features.store import MINIMUM_SECONDS
from songnet_utils.streaming.network import Network
from songnet_utils.training.runs import load_songnet
from songnet_utils.widgets import GenreQuiz

#: The split of the networks that lessons train.
SPLIT = "artist"

#: How many clips the quiz has.
COUNT = 10


def course_song(corpus: Corpus) -> pd.Series[Any]:
    """Return the song that all lessons follow: the middle clip of a test set.

    It is the test set of the artist split with seed 0. The lessons' networks never train on it.

    Parameters
    ----------
    corpus : Corpus
        Any corpus; if it is too small for a split, the song is its middle clip.

    Returns
    -------
    pandas.Series
        A row of ``corpus.clips``.
    """
    tested = tested_clips(corpus)
    return tested.iloc[len(tested) // 2]


def tested_clips(corpus: Corpus) -> pd.DataFrame:
    """Return the test set of the artist split with seed 0, or all clips if they are too few."""
    clips = corpus.clips[~(corpus.clips.seconds < MINIMUM_SECONDS)]
    try:
        kept, _ = keep_genres(clips, kind=SPLIT)
        return kept[split(kept, SPLIT, seed=0) == "test"]
    except SongNetError:
        return corpus.clips


def genre_quiz(corpus: Corpus, net: Network | None = None) -> GenreQuiz:
    """Return a quiz about clips that the lessons' networks are tested on; it saves the guesses.

    Parameters
    ----------
    corpus : Corpus
        The corpus whose clips the quiz asks about.
    net : Network, optional
        The network you play against; by default, the one that comes with the project.
    """
    others = tested_clips(corpus).drop(index=course_song(corpus).name)
    clips = others.sample(min(COUNT, len(others)), random_state=0)
    quiz = GenreQuiz(clips, corpus.genres, net or load_songnet("songnet-mini"))

    def keep(change: dict[str, list[int]]) -> None:
        guessed = [quiz.genres[choice] for choice in change["new"]]
        file = cache_folder(corpus) / "guesses.json"
        with atomic_write(file) as temporary:
            temporary.write_text(json.dumps(dict(zip(clips.id, guessed, strict=False))), "utf-8")

    quiz.observe(keep, "answers")
    return quiz


def read_guesses(corpus: Corpus) -> pd.Series[str]:
    """Return the last guesses by the clips' ids; empty if there are none."""
    file = cache_folder(corpus) / "guesses.json"
    kept = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return pd.Series(kept, name="you", dtype=object).rename_axis("id")


def cache_folder(corpus: Corpus) -> Path:
    """Return the folder for what lessons make from a corpus."""
    return data_folder() / "lessons" / corpus.name
