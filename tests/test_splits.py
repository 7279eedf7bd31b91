"""Splits: properties of every split, and the truth on all of fma_small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils._utils.errors import MOST_SEED, SongNetError
from songnet_utils.corpora import Corpus, open_corpus, table
from songnet_utils.corpora.artist_parts import part_of_artists
from songnet_utils.corpora.splits import (
    SETS,
    artist_overlap,
    artists,
    chosen_genres,
    fold_sets,
    folds,
    keep_genres,
    split,
)
from songnet_utils.lessons.songs import course_song

FRACTIONS = {"train": 0.7, "validation": 0.2, "test": 0.1}


def corpus(sizes: dict[str, list[int]], split: str | None = None) -> pd.DataFrame:
    """Clips of artists that each play one genre, as many as `sizes` says."""
    return table(
        {
            "id": f"{genre}-{artist}-{clip}",
            "file": "/a.wav",
            "genre": genre,
            "artist": f"{genre} {artist}",
            "split": split,
        }
        for genre, counts in sizes.items()
        for artist, count in enumerate(counts)
        for clip in range(count)
    )


@st.composite
def corpora(draw: st.DrawFn, artists_at_least: int = 3) -> pd.DataFrame:
    """Two to four genres of artists with 1 to 9 clips; some artists not known."""
    sizes = st.lists(st.integers(1, 9), min_size=artists_at_least, max_size=25)
    clips = corpus(
        {genre: draw(sizes) for genre in ("Folk", "Pop", "Rap", "Rock")[: draw(st.integers(2, 4))]}
    )
    unknown = draw(st.sets(st.sampled_from(sorted(clips.artist.unique())), max_size=3))
    clips.loc[clips.artist.isin(unknown), "artist"] = None
    return clips


@given(clips=corpora(), kind=st.sampled_from(["random", "artist"]), seed=st.integers(0, MOST_SEED))
def test_every_clip_is_in_one_set_and_every_genre_in_all(clips, kind, seed) -> None:
    sets = split(clips, kind, seed)
    assert sets.index.equals(clips.index)
    for genre in clips.genre.unique():
        assert set(sets[clips.genre == genre]) == set(SETS)


@given(clips=corpora(), seed=st.integers(0, MOST_SEED))
def test_the_artist_split_parts_no_artist(clips, seed) -> None:
    for parts in (split(clips, "artist", seed), folds(clips, "artist", 3, seed)):
        assert artist_overlap(clips, parts) == 0
        known = clips.artist.notna()
        assert (parts[known].groupby(clips.artist[known]).nunique() == 1).all()


@given(clips=corpora(artists_at_least=1))
def test_no_network_of_the_lessons_trains_on_the_courses_song(clips) -> None:
    song = course_song(Corpus("toys", clips))
    try:
        kept, _ = keep_genres(clips, kind="artist")
    except SongNetError:
        assert song.id == clips.id[len(clips) // 2]
    else:
        assert split(kept, "artist", 0)[song.name] == "test"
        assert clips.loc[song.name].id == song.id


@given(clips=corpora(), seed=st.integers(0, MOST_SEED))
def test_the_random_split_is_cut_to_the_clip(clips, seed) -> None:
    sets = split(clips, "random", seed)
    for genre, counts in pd.crosstab(clips.genre, sets).iterrows():
        total = counts.sum()
        for subset, fraction in FRACTIONS.items():
            # A subset that must have one clip may have it although less than half is its due.
            slack = 1 if total >= 10 else 2
            assert abs(counts[subset] - fraction * total) < slack, (genre, dict(counts))


@given(clips=corpora(), seed=st.integers(0, MOST_SEED))
def test_the_artist_split_is_off_by_no_more_than_its_largest_artist(clips, seed) -> None:
    sets = split(clips, "artist", seed)
    largest = clips.groupby(["genre", artists(clips)]).size().groupby("genre").max()
    for genre, counts in pd.crosstab(clips.genre, sets).iterrows():
        for subset, fraction in FRACTIONS.items():
            assert abs(counts[subset] - fraction * counts.sum()) <= 2 * largest[genre]


@given(
    clips=corpora(artists_at_least=6),
    kind=st.sampled_from(["random", "artist"]),
    k=st.integers(2, 6),
    seed=st.integers(0, MOST_SEED),
)
def test_folds_hold_every_clip_once_and_are_alike(clips, kind, k, seed) -> None:
    parts = folds(clips, kind, k, seed)
    assert parts.index.equals(clips.index)
    counts = pd.crosstab(clips.genre, parts)
    assert list(counts.columns) == list(range(k))
    assert (counts > 0).all(axis=None)
    if kind == "random":
        assert ((counts.max(axis=1) - counts.min(axis=1)) <= 1).all()


@given(
    clips=corpora(),
    kind=st.sampled_from(["random", "artist"]),
    seed=st.integers(0, MOST_SEED),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_has_no_say(clips, kind, seed, order) -> None:
    rows = list(clips.index)
    order.shuffle(rows)
    shuffled = clips.loc[rows]
    assert split(clips, kind, seed).sort_index().equals(split(shuffled, kind, seed).sort_index())


def test_another_seed_is_another_split() -> None:
    clips = corpus({"Pop": [4] * 24, "Rock": [4] * 24})
    for kind in ("random", "artist"):
        assert split(clips, kind, 1).equals(split(clips, kind, 1))
        assert not split(clips, kind, 1).equals(split(clips, kind, 2))


def test_every_artist_may_be_tested() -> None:
    # Large artists must not always land in the large part: what is tested would not be like
    # what is trained on.
    clips = corpus({"Pop": [12] + [1] * 288, "Rock": [1] * 300})
    large = clips.artist == "Pop 0"
    landed = {split(clips, "artist", seed)[large].iloc[0] for seed in range(40)}
    assert landed == set(SETS)


def test_artists_of_several_genres_stay_whole() -> None:
    clips = corpus({"Pop": [3] * 12, "Rock": [3] * 12})
    clips["artist"] = clips.artist.str.removeprefix("Pop ").str.removeprefix("Rock ")
    parts = folds(clips, "artist", 4, 0)
    assert artist_overlap(clips, parts) == 0
    assert (pd.crosstab(clips.genre, parts) == 9).all(axis=None)


@given(clips=corpora(), order=st.randoms(use_true_random=False))
def test_a_third_of_the_artists_is_drawn_whatever_the_order_of_the_rows(clips, order) -> None:
    development, test = (part_of_artists(clips, part)[0] for part in ("development", "test"))
    assert sorted([*development.index, *test.index]) == list(clips.index)
    names = sorted(artists(clips).unique())
    drawn = np.random.default_rng(0).permutation(names)[: len(names) // 3]
    assert set(artists(clips)[development.index]) == set(drawn)
    rows = list(clips.index)
    order.shuffle(rows)
    assert set(part_of_artists(clips.loc[rows], "test")[0].id) == set(test.id)


def test_artists_who_share_a_content_are_in_one_part() -> None:
    clips = corpus({"Pop": [1] * 9}).assign(content=list("abcdefgha"))
    for part in ("development", "test"):
        assert len({0, 8} & set(part_of_artists(clips, part)[0].index)) in (0, 2)


def test_overlap_counts_artists_in_several_sets() -> None:
    clips = corpus({"Pop": [2, 2], "Rock": [3, 1]})
    parts = pd.Series(["train", "test", "train", "train", "a", "b", "c", "test"], clips.index)
    assert artist_overlap(clips, parts) == 2
    # Clips without an artist are artists of their own.
    clips["artist"] = None
    assert artist_overlap(table(clips), parts) == 0
    assert artists(table(clips)).is_unique


def test_the_official_split_is_the_corpuss() -> None:
    clips = corpus({"Pop": [3], "Rock": [3]})
    clips["split"] = ["training", "validation", "test"] * 2
    assert list(split(clips, "official")) == ["train", "validation", "test"] * 2
    clips.loc[0, "split"] = None
    with pytest.raises(SongNetError, match="1 of 6 clips have no official split"):
        split(clips, "official")


# --- folds with training and validation --------------------------------------------------------


any_folds = given(
    clips=corpora(artists_at_least=6),
    kind=st.sampled_from(["random", "artist"]),
    k=st.integers(2, 6),
    seed=st.integers(0, 99),
)


@settings(max_examples=30)
@any_folds
def test_folds_test_every_clip_once_and_have_every_genre_in_all_sets(clips, kind, k, seed) -> None:
    dealt = fold_sets(clips, kind, seed, k)
    assert len(dealt) == k
    assert (sum((sets == "test").astype(int) for sets in dealt) == 1).all()
    for sets in dealt:
        assert (pd.crosstab(clips.genre, sets)[list(SETS)] > 0).all(axis=None)
        assert kind == "random" or artist_overlap(clips, sets) == 0
    assert all(map(pd.Series.equals, dealt, fold_sets(clips, kind, seed, k)))


@settings(max_examples=30)
@any_folds
def test_validation_is_an_eighth_as_nearly_as_whole_artists_allow(clips, kind, k, seed) -> None:
    groups = artists(clips) if kind == "artist" else clips.id
    for sets in fold_sets(clips, kind, seed, k):
        for genre in clips.genre.unique():
            sizes = {
                subset: groups[(clips.genre == genre) & (sets == subset)].value_counts()
                for subset in ("train", "validation")
            }
            wanted = (sizes["train"].sum() + sizes["validation"].sum()) / 8
            over = sizes["validation"].sum() - wanted
            # No artist could change sets and bring it nearer, unless a set would lose its last.
            giving = sizes["validation" if over > 0 else "train"]
            assert len(giving) == 1 or abs(over) <= giving.min() / 2


def validation_shares(clips: pd.DataFrame, kind: str, k: int) -> list[float]:
    """What part of the clips that are not tested is for validation, in each fold of 3 seeds."""
    return [
        float((sets[sets != "test"] == "validation").mean())
        for seed in range(3)
        for sets in fold_sets(clips, kind, seed, k)
    ]


@pytest.mark.parametrize("kind", ["random", "artist"])
def test_validation_is_an_eighth_of_real_folders(shared_fma: Path, kind: str) -> None:
    fma = open_corpus(shared_fma / "fma_small").clips
    four = keep_genres(fma, ["Folk", "Experimental", "Rock", "International"], kind=kind, k=5)[0]
    assert four.genre.nunique() == 4
    # 106 clips; International has five artists, of 10, 6, 2, 1 and 1 clips.
    shares = validation_shares(four, kind, 5)
    assert np.mean(shares) == pytest.approx(1 / 8, abs=0.015)
    assert all(share == pytest.approx(1 / 8, abs=0.03) for share in shares)
    emotify = shared_fma.parent / "emotify"
    if not emotify.is_dir():
        pytest.skip(f"no Emotify at {emotify}")
    shares = validation_shares(open_corpus(emotify).clips, kind, 5)
    assert all(share == pytest.approx(1 / 8, abs=0.01) for share in shares)


def test_a_small_genre_takes_no_training_clips_from_the_others() -> None:
    clips = corpus({"Pop": [2] * 40, "Rap": [2] * 3, "Rock": [30] + [1] * 30})
    for sets in fold_sets(clips, "artist", 0, 3):
        counts = pd.crosstab(clips.genre, sets)
        untested = counts.train + counts.validation
        # Of Rap's two artists outside a fold, one is for validation.
        assert counts.validation["Rap"] == 2
        for genre in ("Pop", "Rock"):
            assert abs(counts.validation[genre] - untested[genre] / 8) <= 1


def test_two_folds_need_four_artists_so_that_each_half_is_trained_on_and_validated() -> None:
    clips = corpus({"Folk": [1, 1, 1], "Pop": [9, 1, 1, 1], "Rock": [1, 2, 3, 4, 5]})
    kept, left_out = keep_genres(clips, kind="artist", k=2)
    (folk,) = left_out
    assert folk["genre"] == "Folk"
    assert folk["reason"].startswith("3 artists ")
    assert folk["reason"].endswith("2 folds need at least 4")
    for seed in range(20):
        for sets in fold_sets(kept, "artist", seed, 2):
            assert (pd.crosstab(kept.genre, sets)[list(SETS)] > 0).all(axis=None)


# --- genres that are too small ----------------------------------------------------------------


def test_small_genres_are_left_out_and_named() -> None:
    clips = corpus({"Folk": [5, 1], "Pop": [1, 1, 1], "Rap": [1], "Rock": [2] * 9})
    kept, left_out = keep_genres(clips, kind="artist")
    assert set(kept.genre) == {"Pop", "Rock"}
    assert {entry["genre"]: entry["reason"].split(" (")[0] for entry in left_out} == {
        "Folk": "2 artists",
        "Rap": "1 artist",
    }
    kept, left_out = keep_genres(clips, kind="random")
    assert [entry["genre"] for entry in left_out] == ["Rap"]
    kept, left_out = keep_genres(clips, kind="random", k=6)
    assert set(kept.genre) == {"Folk", "Rock"}
    assert split(keep_genres(clips, kind="artist")[0], "artist").notna().all()


def test_only_genres_that_were_asked_for_are_kept_or_left_out() -> None:
    clips = corpus({"Folk": [1] * 5, "Pop": [1] * 5, "Rap": [1], "Rock": [1] * 5})
    kept, left_out = keep_genres(clips, ["Rock", "Folk"])
    assert set(kept.genre) == {"Folk", "Rock"}
    assert left_out == []
    with pytest.raises(SongNetError, match=r"Jazz.*Folk, Pop, Rap, Rock"):
        keep_genres(clips, ["Rock", "Jazz"])


def test_genres_missing_from_a_side_of_the_official_split_are_left_out() -> None:
    clips = corpus({"Folk": [3], "Pop": [3], "Rock": [3]})
    clips["split"] = ["training", "validation", "test"] * 2 + ["training"] * 3
    kept, left_out = keep_genres(clips, kind="official")
    assert set(kept.genre) == {"Folk", "Pop"}
    assert "no test and no validation" in left_out[0]["reason"]


@pytest.mark.parametrize("kind", ["random", "artist"])
def test_one_genre_is_not_enough(kind: str) -> None:
    with pytest.raises(SongNetError, match="at least two"):
        keep_genres(corpus({"Rock": [3] * 9}), kind=kind)
    with pytest.raises(SongNetError, match=r"Pop: 1 .* need at least 3"):
        keep_genres(corpus({"Pop": [1], "Rock": [3] * 9}), kind=kind)


def test_too_small_a_genre_is_an_error_of_the_split_itself() -> None:
    with pytest.raises(SongNetError, match="genre Pop"):
        split(corpus({"Pop": [9, 9], "Rock": [3] * 9}), "artist")


@pytest.mark.parametrize(
    "call",
    [
        lambda clips: split(clips, "artists"),
        lambda clips: split(clips, fractions=(0.7, 0.2, 0.2)),
        lambda clips: split(clips, fractions=(1, 0, 0)),
        lambda clips: folds(clips, k=1),
        lambda clips: folds(clips, "official", 3),
        lambda clips: keep_genres(clips, k=0),
        lambda clips: fold_sets(clips, "official", 0, 3),
        lambda clips: fold_sets(clips, "random", 0, 1),
    ],
)
def test_what_cannot_be_asked_is_refused(call) -> None:
    with pytest.raises(SongNetError, match="Got"):
        call(corpus({"Pop": [1] * 9, "Rock": [1] * 9}))


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ('"Soul, R&B",Rock', ["Rock", "Soul, R&B"]),
        ("Soul,Rock", ["Rock", "Soul"]),
        ("Rock, rock", ["Rock"]),
        (["Soul, R&B", "Soul"], ["Soul", "Soul, R&B"]),
        (["Soul", "ROCK"], ["Rock", "Soul"]),
        ("cafe\u0301", ["Caf\xe9"]),
        ('7" singles', ['7" singles']),
    ],
)
def test_genres_are_chosen_by_name_whatever_is_in_it(chosen, found) -> None:
    there = ['7" singles', "Caf\xe9", "Rock", "Soul", "Soul, R&B"]
    assert chosen_genres(chosen, there) == found


def test_a_misspelt_genre_gets_the_nearest_one_and_the_list_to_choose_from() -> None:
    for chosen in ("Rok,Pop", ["Rok", "Pop"]):
        with pytest.raises(SongNetError, match=r"Rok\. Did you mean Rock\? .*: A, B, Pop, Rock$"):
            chosen_genres(chosen, ["A, B", "Pop", "Rock"])
    with pytest.raises(SongNetError, match="an empty name"):
        chosen_genres("", ["Pop", "Rock"])
