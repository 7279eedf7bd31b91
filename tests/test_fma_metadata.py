"""FMA's metadata: every column typed, and what is wrong put right or left out, and counted."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import (
    Corpus,
    chosen_corpus,
    credit,
    fma_extract,
    licence_family,
    licence_table,
    list_corpora,
    open_corpus,
    table,
)
from songnet_utils.corpora.fma_metadata import read_features, read_genres, read_tracks, typed
from songnet_utils.corpora.table import COLUMNS

GOOD = {
    ("album", "comments"): "0",
    ("album", "date_created"): "2008-11-26 01:44:45",
    ("album", "date_released"): "2009-01-05 00:00:00",
    ("album", "favorites"): "4",
    ("album", "id"): "1",
    ("album", "information"): "<p>Recorded, mixed</p>",
    ("album", "listens"): "6073",
    ("album", "tags"): "[]",
    ("album", "title"): "A Way Of Life",
    ("album", "tracks"): "7",
    ("album", "type"): "Album",
    ("artist", "active_year_begin"): "2006-01-01 00:00:00",
    ("artist", "active_year_end"): "",
    ("artist", "comments"): "0",
    ("artist", "favorites"): "9",
    ("artist", "id"): "1",
    ("artist", "latitude"): "40.0583238",
    ("artist", "location"): "New Jersey",
    ("artist", "longitude"): "-74.4056612",
    ("artist", "members"): "Sajje Morocco,Brownbum",
    ("artist", "name"): "AWOL",
    ("artist", "tags"): "['awol', 'new jersey']",
    ("set", "split"): "training",
    ("set", "subset"): "small",
    ("track", "bit_rate"): "256000",
    ("track", "comments"): "0",
    ("track", "composer"): "Kurt Vile",
    ("track", "date_created"): "2008-11-26 01:48:12",
    ("track", "date_recorded"): "2008-11-26 00:00:00",
    ("track", "duration"): "168",
    ("track", "favorites"): "2",
    ("track", "genre_top"): "Rock",
    ("track", "genres"): "[25]",
    ("track", "genres_all"): "[25, 12]",
    ("track", "interest"): "4656",
    ("track", "language_code"): "en",
    ("track", "license"): "Attribution-ShareAlike",
    ("track", "listens"): "1293",
    ("track", "lyricist"): "",
    ("track", "number"): "3",
    ("track", "publisher"): "",
    ("track", "tags"): "[]",
    ("track", "title"): "Food",
}
GENRES = "genre_id,#tracks,parent,title,top_level\n12,3,0,Rock,12\n25,2,12,Punk,12\n"


def fma(
    root: Path,
    tracks: dict[int, dict[tuple[str, str], Any]],
    on_disk: list[int] | None = None,
    audio: str = "fma_small",
    genres: str | None = GENRES,
    listed: list[int] = (),
) -> Path:
    """Write an FMA folder; `tracks` says in what each track differs from `GOOD`."""
    metadata = root / "fma_metadata"
    metadata.mkdir(parents=True)
    with (metadata / "tracks.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for level in (0, 1):
            writer.writerow(["", *(name[level] for name in GOOD)])
        writer.writerow(["track_id", *("" for _ in GOOD)])
        for number, changes in tracks.items():
            writer.writerow([number, *(GOOD | changes).values()])
    if genres is not None:
        (metadata / "genres.csv").write_text(genres, "utf-8")
    for number in tracks if on_disk is None else on_disk:
        file = root / audio / f"{number // 1000:03d}" / f"{number:06d}.mp3"
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, 0.1 * np.sin(np.arange(16000) / 10), 16000)
    if listed:
        names = (f"{number // 1000:03d}/{number:06d}.mp3" for number in listed)
        text = "".join(f"{'0f' * 20}  {name}\n" for name in names)
        (root / audio / "checksums").write_text(text, "utf-8")
    return root


def reasons(corpus: Corpus) -> dict[str, str]:
    return dict(zip(corpus.unusable.id, corpus.unusable.reason, strict=True))


# --- Columns ----------------------------------------------------------------------------------


def test_fmas_own_columns_follow_the_tables_and_are_typed(tmp_path: Path) -> None:
    corpus = open_corpus(fma(tmp_path / "f", {2: {}}))
    clips = corpus.clips
    assert list(clips)[: len(COLUMNS)] == list(COLUMNS)
    assert corpus.notes == ()
    clip = clips.iloc[0]
    assert clip.genres == ["Punk", "Rock"]
    assert clip.album_date_released == pd.Timestamp("2009-01-05")
    # What only FMA has is kept as it is written.
    assert (clip.artist_location, clip.artist_latitude) == ("New Jersey", "40.0583238")
    assert (clip.artist_tags, clip.interest) == ("['awol', 'new jersey']", "4656")
    assert pd.isna(clip.lyricist)
    assert not [name for name in clips if "information" in name or "bio" in name]


# --- What is wrong in the metadata ------------------------------------------------------------


def test_what_cannot_be_true_is_left_missing_and_counted(tmp_path: Path) -> None:
    track, artist, album = "track", "artist", "album"
    tracks = {
        2: {(album, "date_released"): "2101-01-01", (artist, "id"): "-1"},
        3: {
            (album, "date_released"): "1077-01-01 00:00:00",
            (track, "date_recorded"): "1500-01-01",
        },
        6: {(track, "listens"): "<p>many</p>", (track, "duration"): "0"},
        7: {(artist, "location"): " , ", (track, "genres_all"): "['half"},
        8: {(album, "date_released"): "1925-06-01"},
    }
    corpus = open_corpus(fma(tmp_path / "f", tracks))
    clips = corpus.clips.set_index(corpus.clips.id.astype(int))
    assert clips.year[2] == 2008
    assert pd.isna(clips.artist_id[2])
    assert pd.isna(clips.year[3])
    assert pd.isna(clips.listens[6])
    assert pd.isna(clips.duration[6])
    assert pd.isna(clips.artist_location[7])
    assert clips.genres[7] is None
    # Old music is no error.
    assert clips.year[8] == 1925
    assert set(corpus.notes) == {
        f"Impossible values of {name}, left missing: {count}."
        for name, count in {
            "album_date_released": 2,
            "date_recorded": 1,
            "artist_id": 1,
            "duration": 1,
            "listens": 1,
            "genres": 1,
        }.items()
    }


def test_texts_written_for_html_are_put_right(tmp_path: Path) -> None:
    tracks = {2: {("track", "title"): "Rock &amp; Roll", ("artist", "name"): "A &amp; B"}}
    corpus = open_corpus(fma(tmp_path / "f", tracks))
    assert (corpus.clips.title[0], corpus.clips.artist[0]) == ("Rock & Roll", "A & B")
    assert corpus.notes == ("Texts with HTML entities (&amp; for &), corrected: 2.",)


def test_clips_that_were_cut_wrong_are_known_without_decoding_them(tmp_path: Path) -> None:
    wrong = {("track", "duration"): "600"}
    tracks = {2: {}, 133297: wrong, 98565: {("track", "duration"): "158"}}
    small = open_corpus(fma(tmp_path / "s", tracks))
    assert list(small.clips.id) == ["000002"]
    assert reasons(small)["133297"].startswith("known erratum: ")
    assert "113.58 s" in reasons(small)["133297"]
    assert small.notes == ("Clips with a known erratum of FMA, left out: 2.",)
    # The songs themselves are whole; only how long they are was wrong.
    full = open_corpus(fma(tmp_path / "f", tracks, audio="fma_full"))
    assert list(full.clips.id) == ["000002", "098565", "133297"]
    assert list(full.clips.duration) == [168, 65.31, 113.58]
    assert full.notes == ("Known wrong durations, replaced by measured ones: 2.",)


def test_clips_without_a_top_genre_are_said(tmp_path: Path) -> None:
    corpus = open_corpus(fma(tmp_path / "f", {2: {}, 3: {("track", "genre_top"): ""}}))
    assert "no top genre" in reasons(corpus)["000003"]
    (note,) = corpus.notes
    assert note.startswith("Clips without a top genre")


def test_names_of_artists_are_said(tmp_path: Path) -> None:
    name, number = ("artist", "name"), ("artist", "id")
    tracks = {
        2: {},
        3: {name: "AWOL & Band"},
        4: {number: "7"},
        5: {number: "", name: " "},
    }
    corpus = open_corpus(fma(tmp_path / "f", tracks))
    assert corpus.clips.artist.nunique() == 2
    assert corpus.notes == (
        "Clips without an artist, each counted as one of its own: 1.",
        "Artists with several names, of which the first is used: 1.",
        "Names that several artists share, distinguished by FMA's number: 1.",
    )


# --- Which clips should be there --------------------------------------------------------------


def test_checksums_say_which_clips_should_be_there(tmp_path: Path) -> None:
    tracks = {2: {}, 3: {}, 5: {}}
    folder = tmp_path / "fma"
    fma(folder, tracks, on_disk=[2], audio="fma_sample", listed=[2, 3])
    corpus = open_corpus("fma_sample", tmp_path)
    assert corpus.name == "fma_sample"
    assert list(corpus.clips.id) == ["000002"]
    # Track 5 is of fma_small, but not of the sample.
    assert list(reasons(corpus)) == ["000003"]
    listed = list_corpora(tmp_path).set_index("name").loc["fma_sample"]
    assert (listed.on_disk, listed.clips) == (True, 1)
    assert "ISMIR" in listed.citation
    assert open_corpus(folder).clips.equals(corpus.clips)
    assert open_corpus(folder / "fma_sample").clips.equals(corpus.clips)


def test_a_part_of_a_set_is_said_in_one_sentence(tmp_path: Path) -> None:
    corpus = open_corpus(fma(tmp_path / "f", {2: {}}, listed=[2, *range(10, 500)]))
    assert corpus.unusable.empty
    (note,) = corpus.notes
    assert note.startswith("Clips in checksums")
    assert note.endswith(": 490.")


def test_a_missing_sample_says_what_brings_it(tmp_path: Path) -> None:
    with pytest.raises(SongNetError, match="songnet fetch fma_small --sample"):
        open_corpus("fma_sample", tmp_path)


def test_the_real_slice_says_what_it_knows(shared_fma: Path) -> None:
    corpus = open_corpus(shared_fma)
    assert [note.split(": ")[-1] for note in corpus.notes] == ["7,878.", "1."]
    clips = corpus.clips.set_index("id")
    assert clips.artist_location["000002"] == "New Jersey"
    assert corpus.features_csv is None
    assert (licence_table(clips.licence).clips == [73, 10, 39]).all()


# --- What comes with the project ---------------------------------------------------------------


def test_the_extract_is_fmas_own(shared_fma: Path) -> None:
    extract = fma_extract()
    small = pd.read_csv(shared_fma / "fma_small_tracks.csv", dtype="str")
    for ours, theirs in {"content": "sha1", "genre": "genre", "split": "split"}.items():
        assert extract.small[ours].tolist() == small[theirs].tolist()
    assert extract.small.artist.isna().tolist() == small.artist_id.isna().tolist()
    assert len(extract.first_tracks) == 682
    tracks, _ = typed(read_tracks(shared_fma / "fma_metadata" / "tracks.csv"))
    for column in ("title", "genre", "licence", "listens", "duration", "album", "split"):
        same = extract.first_tracks[column].equals(table(tracks[:682])[column])
        assert same, column
    assert extract.hierarchy.equals(read_genres(shared_fma / "fma_metadata" / "genres.csv"))


def test_the_extract_says_what_is_missing_and_wrong() -> None:
    extract = fma_extract()
    assert extract.small.artist.isna().sum() == 96
    assert extract.small.groupby("genre").size().eq(1000).all()
    assert extract.first_tracks.genre.isna().sum() == 51
    assert (extract.first_tracks.year <= 2017).all()
    known = extract.hierarchy.title
    assert extract.first_tracks.genres.explode().dropna().isin(known).all()


# --- Genres -----------------------------------------------------------------------------------


def test_the_hierarchy_is_followed_to_the_top(tmp_path: Path) -> None:
    text = GENRES + "26,1,25,Post-Punk,12\n"
    corpus = open_corpus(fma(tmp_path / "f", {2: {}}, genres=text))
    assert corpus.hierarchy is not None
    assert corpus.hierarchy.equals(read_genres(tmp_path / "f" / "fma_metadata" / "genres.csv"))
    rows = corpus.hierarchy.set_index("title")
    assert list(rows.depth) == [0, 1, 2]
    assert list(rows.parent.fillna("-")) == ["-", "Rock", "Punk"]
    assert set(rows.top) == {"Rock"}
    assert rows.tracks["Rock"] == 3


def test_all_of_fmas_genres(shared_fma: Path) -> None:
    hierarchy = read_genres(shared_fma / "fma_metadata" / "genres.csv")
    given = pd.read_csv(shared_fma / "fma_metadata" / "genres.csv").sort_values("genre_id")
    titles = given.set_index("genre_id").title
    assert len(hierarchy) == 163
    assert (hierarchy.depth == 0).sum() == 16
    assert list(hierarchy.top) == [titles[top] for top in given.top_level]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("genre_id,title\n12,Rock\n", "cannot be read"),
        ("", "cannot be read"),
        (GENRES.replace("25,2,12", "25,x,12"), "cannot be read"),
        (GENRES.replace("25,2,12", "25,2,13"), "cannot be read"),
        (GENRES.replace("12,3,0", "12,3,25"), "circle"),
    ],
)
def test_a_wrong_genres_csv_is_an_error_that_names_it(tmp_path: Path, text, words) -> None:
    with pytest.raises(SongNetError, match=words) as caught:
        open_corpus(fma(tmp_path / "f", {2: {}}, genres=text))
    assert "genres.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_genres_csv_genres_are_numbers(tmp_path: Path) -> None:
    corpus = open_corpus(fma(tmp_path / "f", {2: {}}, genres=None))
    assert corpus.clips.genres[0] == ["25", "12"]
    assert corpus.hierarchy is None
    assert "genres.csv is missing" in corpus.notes[0]


# --- features.csv -----------------------------------------------------------------------------


def features_csv(file: Path, rows: int, columns: int = 6) -> np.ndarray:
    numbers = np.random.default_rng(1).normal(size=(rows, columns)).astype("float32")
    head = ["feature", "statistics", "number", "track_id"]
    levels = [
        ["mfcc"] * columns,
        ["mean", "std"] * (columns // 2),
        [f"{n:02d}" for n in range(columns)],
    ]
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        for name, texts in zip(head, [*levels, [""] * columns], strict=True):
            writer.writerow([name, *texts])
        for number, row in enumerate(numbers):
            writer.writerow([10 * number + 2, *row])
    return numbers


def test_features_are_read_for_the_tracks_asked_for(tmp_path: Path) -> None:
    numbers = features_csv(tmp_path / "features.csv", 2500)
    wanted = [2, 22, 24, 24_992, *range(102, 20_000, 10)]
    found = read_features(tmp_path / "features.csv", wanted)
    # Track 24 is not there.
    assert set(found.index) == set(wanted) - {24}
    assert found.index.name == "track_id"
    assert found.columns.names == ["feature", "statistics", "number"]
    assert found.columns[1] == ("mfcc", "std", "01")
    assert (found.dtypes == "float32").all()
    np.testing.assert_allclose(found.loc[22], numbers[2], rtol=1e-6)
    none = read_features(tmp_path / "features.csv", [])
    assert none.shape == (0, 6)
    assert none.columns.equals(found.columns)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No columns"),
        (",echonest,echonest\n,audio,audio\n,a,b\ntrack_id,,\n2,1,2\n", "its header begins with"),
        ("feature,a,b\nstatistics,a,b\nnumber,1,2\ntrack_id,,\n2,one,2\n", "cannot be read"),
        ("feature,a,b\nstatistics,a,b\nnumber,1,2\ntrack_id,,\n2,1\n", "cannot be read"),
        ("feature,a,b\nstatistics,a,b\nnumber,1,2\ntrack_id,,\n2,1,1\n2,1,1\n", "twice"),
    ],
)
def test_a_wrong_features_csv_is_an_error_that_names_it(tmp_path: Path, text, words) -> None:
    (tmp_path / "features.csv").write_text(text, "utf-8")
    with pytest.raises(SongNetError, match=words) as caught:
        read_features(tmp_path / "features.csv", [2])
    assert "features.csv" in str(caught.value)
    with pytest.raises(SongNetError, match="is missing"):
        read_features(tmp_path / "nowhere.csv", [2])


def test_a_corpus_knows_its_features_csv(tmp_path: Path) -> None:
    root = fma(tmp_path / "f", {2: {}})
    features_csv(root / "fma_metadata" / "features.csv", 1)
    corpus = open_corpus(root)
    assert corpus.features_csv == root / "fma_metadata" / "features.csv"


# --- Licences and credits ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("licence", "family"),
    [
        ("Attribution", "CC BY"),
        ("CC BY 4.0", "CC BY"),
        ("Creative Commons Attribution", "CC BY"),
        ("Attribution-Share Alike 3.0 Germany", "CC BY-SA"),
        ("CC BY-NC-SA 4.0", "CC BY-NC-SA"),
        ("cc-by-nc", "CC BY-NC"),
        ("by-nc-nd", "CC BY-NC-ND"),
        ("Attribution-Noncommercial-No Derivative Works 2.0 UK: England", "CC BY-NC-ND"),
        ("Attribution-NonCommercial-NoDerivs 3.0 France", "CC BY-NC-ND"),
        ("Attribution-NoDerivatives 4.0 International", "CC BY-ND"),
        ("ID3 TCOP: http://creativecommons.org/licenses/by-nc-sa/3.0/us/", "CC BY-NC-SA"),
        ("Music Sharing", "CC BY-NC-ND"),
        ("CC0 1.0 Universal", "CC0 or public domain"),
        ("Public Domain Mark 1.0", "CC0 or public domain"),
        ("Noncommercial Sampling Plus", "other"),
        ("Written by Needham, all rights reserved", "other"),
        ("FMA-Limited: Download Only", "other"),
        ("", "unknown"),
        (None, "unknown"),
        (np.nan, "unknown"),
    ],
)
def test_a_licence_is_known_whatever_its_words(licence, family) -> None:
    assert licence_family(licence) == family


def test_licences_are_counted_with_what_they_allow() -> None:
    licences = pd.Series(["Attribution", None, "CC BY", "CC BY-ND", "CC BY-NC-SA"], dtype="str")
    found = licence_table(licences)
    assert list(found.index) == ["CC BY", "CC BY-ND", "CC BY-NC-SA", "unknown"]
    assert list(found.clips) == [2, 1, 1, 1]
    assert list(found.loc["CC BY-NC-SA"]) == [1, "no", "yes", "yes"]
    assert list(found.loc["CC BY-ND"])[1:] == ["yes", "no", "–"]
    assert set(found.loc["unknown"][1:]) == {"read it"}


def test_every_clip_can_be_credited() -> None:
    rows = [
        {"id": "000002", "title": "Food", "artist": "AWOL", "licence": "CC BY 4.0"},
        {"id": "Rock/a.wav"},
    ]
    clips = table(rows)
    known = "“Food” by AWOL (fma_small/000002), CC BY 4.0"
    assert credit(clips.loc[0], "fma_small") == known
    assert credit(next(clips.itertuples()), "fma_small") == known
    assert credit(clips.loc[1]) == "untitled by an unknown artist (Rock/a.wav), licence unknown"


# --- One setting ------------------------------------------------------------------------------


def test_the_corpus_is_chosen_by_one_setting(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("SONGNET_CORPUS", raising=False)
    assert chosen_corpus() == "mini"
    monkeypatch.setenv("SONGNET_CORPUS", "fma_sample")
    assert chosen_corpus() == "fma_sample"
    # A lesson runs in notebooks, and the path was typed one folder above.
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "music").mkdir()
    monkeypatch.setenv("SONGNET_CORPUS", "../music")
    monkeypatch.chdir(tmp_path / "project")
    assert chosen_corpus() == "../music"
    monkeypatch.chdir(tmp_path / "project" / "notebooks")
    assert Path(chosen_corpus()).resolve() == tmp_path / "music"
    (tmp_path / "project" / "notebooks" / "solutions").mkdir()
    monkeypatch.chdir(tmp_path / "project" / "notebooks" / "solutions")
    assert Path(chosen_corpus()).resolve() == tmp_path / "music"
    monkeypatch.chdir(tmp_path / "project" / "notebooks")
    monkeypatch.setenv("SONGNET_CORPUS", "../../music")
    assert chosen_corpus() == "../../music"
