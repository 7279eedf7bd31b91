"""A column that names the artist is found out; one that is about the genre is not accused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.table import table
from songnet_utils.evaluation.leakage import column_leakage

GENRES = ("Folk", "Pop", "Rock")


def clips(**columns) -> pd.DataFrame:
    """Return 10 artists a genre with 4 clips each."""
    rows = [
        {"id": f"{g}{a}{c}", "file": f"/{g}{a}{c}", "genre": genre, "artist": f"{genre} {a}"}
        for g, genre in enumerate(GENRES)
        for a in range(10)
        for c in range(4)
    ]
    return table(pd.DataFrame(rows).assign(seconds=30.0, **columns))


def test_a_column_is_told_from_the_artists_name_by_the_split():
    artist = np.repeat(np.arange(30), 4)
    random = np.random.default_rng(0)
    found = column_leakage(
        clips(
            # The genre itself; a number that each artist has alone; and nothing at all.
            year=2000 + artist // 10,
            listens=random.permutation(30)[artist],
            favorites=random.integers(0, 1000, 120),
        )
    )
    assert found.loc["year", ["random", "artist", "gain"]].tolist() == [1, 1, 0]
    for named in ("artist", "listens"):
        assert found.loc[named, "random"] == 1
        assert found.loc[named, "artist"] < 0.6
        assert found.loc[named, "low"] > 0.2
        assert found.loc[named, "one_artist"] == 1
    assert abs(found.loc["favorites", "gain"]) < 0.2
    assert found.loc["year", "one_artist"] == 0
    # Most owed to artists first.
    assert found.gain.is_monotonic_decreasing


def test_what_nobody_knows_is_not_asked():
    found = column_leakage(clips(year=[None, 1999] * 60))
    assert set(found.index) == {"artist", "year"}
    assert found.loc["year", "known"] == 0.5
    bare = clips().assign(artist=pd.Series([None] * 120, dtype="str"))
    with pytest.raises(SongNetError, match="no metadata"):
        column_leakage(bare)
