"""What each column of metadata says of the genre, and what only of the artist.

A column that says the same of all songs of an artist, and something else of everybody else's, is
the artist's name under another title: where the artist lives, say. Where the artist's other songs
were trained on it gives the genre away; where no artist is in two sets it does not. So each
column is asked alone, on both kinds of folds, and the difference is what it owes to artists.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.splits import artists, folds, keep_genres
from songnet_utils.features.metadata import COLUMNS, NUMBERS, metadata
from songnet_utils.metrics.intervals import difference_interval

_TREES = 50


def column_leakage(clips: pd.DataFrame, k: int = 5, seed: int = 0) -> pd.DataFrame:
    """Ask each column of metadata alone for the genre, on random folds and on artist folds.

    A random forest is fitted to the one column on the clips of the other folds, so that a number
    may be a name as well: it can tell 2,003 from 2,004.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips. Genres that are too small for the folds are left out.
    k : int
        Folds.
    seed : int
        Of the folds and the forests.

    Returns
    -------
    pandas.DataFrame
        A row for each column of `songnet_utils.features.metadata.COLUMNS` of which something is
        known, the one that owes most to artists first: ``random`` and ``artist``, the accuracies,
        0 to 1; ``gain``, the first minus the second, with its 95 % interval over artists, ``low``
        and ``high``; ``one_artist``, the share of clips whose value no other artist has;
        ``known``, the share of clips of which it is known.

    Raises
    ------
    SongNetError
        When nothing is known of any clip.
    """
    for kind in ("random", "artist"):
        clips, _ = keep_genres(clips, kind=kind, k=k)
    known = metadata(clips).reset_index(drop=True)
    there = known.notna() & (known != "")
    asked = [name for name in COLUMNS if there[name].any()]
    if not asked:
        raise SongNetError("the corpus has no metadata: there is no column to ask.")
    genres, names = clips.genre.to_numpy(), artists(clips).to_numpy()
    dealt = {kind: folds(clips, kind, k, seed).to_numpy() for kind in ("random", "artist")}
    rows = {}
    for name in asked:
        right = {
            kind: _answers(known[[name]], genres, part, seed) == genres
            for kind, part in dealt.items()
        }
        low, high = difference_interval(right["random"], right["artist"], names)
        by = pd.DataFrame({"value": known[name], "artist": names})[there[name]]
        rows[name] = {
            "random": right["random"].mean(),
            "artist": right["artist"].mean(),
            "gain": right["random"].mean() - right["artist"].mean(),
            "low": low,
            "high": high,
            "one_artist": (by.groupby("value").artist.transform("nunique") == 1).mean(),
            "known": there[name].mean(),
        }
    return pd.DataFrame(rows).T.sort_values("gain", ascending=False)


def _answers(known: pd.DataFrame, genres: np.ndarray, part: np.ndarray, seed: int) -> np.ndarray:
    """Return the answer for each clip of a forest that was fitted without its fold."""
    encoder: SimpleImputer | OneHotEncoder = OneHotEncoder(handle_unknown="ignore")
    if known.columns[0] in NUMBERS:
        encoder = SimpleImputer(strategy="median", add_indicator=True)
    model = make_pipeline(encoder, RandomForestClassifier(_TREES, random_state=seed))
    return cross_val_predict(model, known, genres, cv=PredefinedSplit(part))
