"""Leakage: how much each column of metadata tells about the genre, and how much about the artist.

A column that is constant for each artist and differs between artists, such as the artist's place,
identifies the artist. If the training set has other songs by the artist, it gives the genre away;
if no artist is in two sets, it does not. So each column is tested alone, on both kinds of folds,
and the difference in accuracy is due to artists.
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
    """Predict the genre from each column of metadata alone, on random and on artist folds.

    A random forest is fitted to the column on the clips of the other folds. A forest can use a
    number like a name, because it distinguishes 2,003 from 2,004.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips. Genres that are too small for the folds are left out.
    k : int
        The number of folds.
    seed : int
        The seed for the folds and the forests.

    Returns
    -------
    pandas.DataFrame
        A row for each column of `songnet_utils.features.metadata.COLUMNS` with any values, the
        largest gain first: ``random`` and ``artist``, the accuracies, 0 to 1; ``gain``, the first
        minus the second, with its 95 % interval over artists, ``low`` and ``high``;
        ``one_artist``, the share of clips whose value no other artist has; ``known``, the share of
        clips with a value.

    Raises
    ------
    SongNetError
        When no clip has any metadata.
    """
    for kind in ("random", "artist"):
        clips, _ = keep_genres(clips, kind=kind, k=k)
    known = metadata(clips).reset_index(drop=True)
    there = known.notna() & (known != "")
    asked = [name for name in COLUMNS if there[name].any()]
    if not asked:
        raise SongNetError("the corpus has no metadata, so there is no column to test.")
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
    """Return the prediction for each clip by a forest that was fitted without the clip's fold."""
    encoder: SimpleImputer | OneHotEncoder = OneHotEncoder(handle_unknown="ignore")
    if known.columns[0] in NUMBERS:
        encoder = SimpleImputer(strategy="median", add_indicator=True)
    model = make_pipeline(encoder, RandomForestClassifier(_TREES, random_state=seed))
    return cross_val_predict(model, known, genres, cv=PredefinedSplit(part))
