"""The three splits at fma_small's full size: who is where, and how many artists in two sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from songnet_utils.corpora import fma_extract, table
from songnet_utils.corpora.splits import SETS, artist_overlap, artists, every_split, folds, split

# Clips of fma_small that are short or have no sound; all of them are training clips.
UNUSABLE = ("098565", "098567", "098569", "099134", "108925", "133297")


@pytest.fixture(scope="module")
def fma_small() -> pd.DataFrame:
    """All clips of fma_small that can be used, without their sound."""
    clips = fma_extract().small
    assert len(clips) == 8000
    assert tuple(clips.id[clips.stated.notna()]) == UNUSABLE
    return clips[clips.stated.isna()]


@pytest.fixture(scope="module")
def invented() -> pd.DataFrame:
    """Eight genres of 1,000 clips, artists with a long tail, some unknown, an official split."""
    random = np.random.default_rng(2)
    genre = np.repeat([f"genre {n}" for n in range(8)], 1000)
    number = np.minimum(random.zipf(1.3, len(genre)), 300)
    artist = pd.Series(genre) + " artist " + pd.Series(number).astype(str)
    subset = artist.map(dict(zip(artist.unique(), random.choice(3, artist.nunique()), strict=True)))
    clips = table(
        {
            "id": f"{n:06d}",
            "file": "/a.mp3",
            "genre": genre[n],
            "artist": None if n % 83 == 0 else artist[n],
            "split": ("training", "validation", "test")[subset[n]],
        }
        for n in range(len(genre))
    )
    return clips


def report(clips: pd.DataFrame) -> dict[str, int]:
    """Print sizes, genres a set and artists in two sets; return the last."""
    sets, reasons = every_split(clips)
    assert reasons == {}
    overlap = {kind: artist_overlap(clips, subset) for kind, subset in sets.items()}
    for kind, subset in sets.items():
        counts = pd.crosstab(clips.genre, subset)[list(SETS)]
        print(f"\n{kind}: {counts.sum().to_dict()}, artists in two sets: {overlap[kind]}")
        print(counts.to_string())
    return overlap


def test_the_official_split_of_fma_small_less_what_cannot_be_used(fma_small) -> None:
    assert len(fma_small) == 7994
    sets = split(fma_small, "official")
    assert sets.value_counts().to_dict() == {"train": 6394, "validation": 800, "test": 800}
    assert artist_overlap(fma_small, sets) == 0


def test_artists_in_two_sets_of_fma_small(fma_small) -> None:
    overlap = report(fma_small)
    assert overlap["official"] == overlap["artist"] == 0
    assert overlap["random"] > 500
    # No split can keep artists apart that are not known.
    assert fma_small.artist.isna().sum() == 90


def test_every_genre_is_cut_in_proportion_at_full_size(fma_small) -> None:
    sets, _ = every_split(fma_small)
    for kind, fractions in (
        ("random", (0.7, 0.2, 0.1)),
        ("artist", (0.7, 0.2, 0.1)),
        ("official", (0.8, 0.1, 0.1)),
    ):
        counts = pd.crosstab(fma_small.genre, sets[kind], normalize="index")[list(SETS)]
        assert np.abs(counts.to_numpy() - fractions).max() < 0.01, kind


def test_the_same_holds_without_fma(invented) -> None:
    overlap = report(invented)
    assert overlap["official"] == overlap["artist"] == 0
    assert overlap["random"] > 100
    assert artist_overlap(invented, folds(invented, "artist", 5)) == 0
    # By another road: no known artist's clips in two sets.
    known = invented[invented.artist.notna()]
    for subset in (split(invented, "artist"), folds(invented, "artist", 5)):
        assert (subset[known.index].groupby(known.artist).nunique() == 1).all()
    assert artists(invented).nunique() == known.artist.nunique() + invented.artist.isna().sum()


def test_a_corpus_without_an_official_split_says_so(invented) -> None:
    sets, reasons = every_split(invented.assign(split=pd.Series(None, invented.index, "str")))
    assert set(sets) == {"random", "artist"}
    assert reasons == {"official": "the corpus has no official split."}
