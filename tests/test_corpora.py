"""Corpora: folders and FMA as one typed table, and nothing lost without a word."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import mutagen
import numpy as np
import pandas as pd
import pytest
import soundfile

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import Corpus, list_corpora, open_corpus, table
from songnet_utils.corpora.files import named_files
from songnet_utils.corpora.table import COLUMNS, check_table

HEADER = """\
,album,album,artist,artist,set,set,track,track,track,track,track,track,track,track,track
,date_released,title,id,name,split,subset,bit_rate,date_recorded,duration,favorites,genre_top,\
genres_all,license,listens,title
track_id,,,,,,,,,,,,,,,
"""


def sound_file(file: Path, seconds: float = 1.0, rate: int = 8000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * rate)) / rate
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    return file


def fma_folder(root: Path, rows: list[str], tracks: list[int], audio: str = "fma_small") -> Path:
    (root / "fma_metadata").mkdir(parents=True)
    (root / "fma_metadata" / "tracks.csv").write_text(HEADER + "\n".join(rows) + "\n", "utf-8")
    (root / "fma_metadata" / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n12,3,0,Rock,12\n25,2,12,Punk,12\n", "utf-8"
    )
    (root / audio).mkdir()
    for track in tracks:
        sound_file(root / audio / f"{track // 1000:03d}" / f"{track:06d}.mp3", rate=16000)
    return root


def track(
    number: int,
    genre: str = "Rock",
    artist: str = "1",
    name: str = "AWOL",
    subset: str = "small",
    released: str = "2009-01-05",
    recorded: str = "2008-11-26",
) -> str:
    return (
        f"{number},{released},Album,{artist},{name},training,{subset},256000,{recorded},168,2,"
        f'{genre},"[12, 25]",CC BY,1293,Title {number}'
    )


def reason_of(corpus: Corpus, clip: str) -> str:
    return corpus.unusable.set_index("id").reason[clip]


# --- any folder -------------------------------------------------------------------------------


def test_a_folder_is_read_as_genre_and_clip(tmp_path: Path) -> None:
    sound_file(tmp_path / "Rock" / "b.wav", seconds=2)
    sound_file(tmp_path / "Rock" / "album" / "a.flac")
    sound_file(tmp_path / "Pop" / "c.ogg")
    corpus = open_corpus(tmp_path)
    assert corpus.name == tmp_path.name
    assert corpus.genres == ["Pop", "Rock"]
    clips = corpus.clips.set_index("id")
    assert list(clips.index) == ["Pop/c.ogg", "Rock/album/a.flac", "Rock/b.wav"]
    assert list(clips.genre) == ["Pop", "Rock", "Rock"]
    assert clips.title["Rock/b.wav"] == "b"
    assert clips.artist.isna().all()
    assert clips.seconds.tolist() == pytest.approx([1, 1, 2])
    assert all(Path(file).is_absolute() and Path(file).is_file() for file in clips.file)
    assert corpus.unusable.empty


@pytest.mark.parametrize("ending", ["mp3", "flac", "ogg", "wav", "aiff"])
def test_tags_give_artist_title_album_and_year(tmp_path: Path, ending: str) -> None:
    file = sound_file(tmp_path / "Rock" / f"x.{ending}", rate=16000)
    tags = mutagen.File(file)
    if tags.tags is None:
        tags.add_tags()
    wanted = {"title": "Song", "artist": "Someone", "album": "Record", "date": "1999-05-01"}
    frames = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "date": "TDRC"}
    for name, text in wanted.items():
        if ending in ("mp3", "wav", "aiff"):
            kind = getattr(mutagen.id3, frames[name])
            tags.tags.add(kind(encoding=3, text=[text]))
        else:
            tags[name] = text
    tags.save()
    clip = open_corpus(tmp_path).clips.iloc[0]
    assert (clip.title, clip.artist, clip.album, clip.year) == ("Song", "Someone", "Record", 1999)


def test_hidden_files_and_pictures_are_no_clips_and_others_are_listed(tmp_path: Path) -> None:
    sound_file(tmp_path / "Rock" / "a.wav")
    for hidden in ("Rock/._a.wav", "Rock/.DS_Store", ".cache/b.wav"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"x")
    sound_file(tmp_path / "lost.wav")
    (tmp_path / "Rock" / "cover.jpg").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    (tmp_path / "Rock" / "score.mid").write_bytes(b"x")
    (tmp_path / "Pop").mkdir()
    corpus = open_corpus(tmp_path)
    assert list(corpus.clips.id) == ["Rock/a.wav"]
    assert set(corpus.unusable.id) == {"lost.wav", "Rock/score.mid", "Pop"}
    assert "not in a genre's folder" in reason_of(corpus, "lost.wav")
    assert ".mid" in reason_of(corpus, "Rock/score.mid")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_utf8_is_listed(tmp_path: Path) -> None:
    sound_file(tmp_path / "Rock" / "a.wav")
    sound_file(tmp_path / "Rock" / "b.wav").rename(tmp_path / "Rock" / "caf\udce9.wav")
    corpus = open_corpus(tmp_path)
    assert list(corpus.clips.id) == ["Rock/a.wav"]
    assert "UTF-8" in reason_of(corpus, r"Rock/caf\udce9.wav")


def test_links_that_lead_back_up_are_not_followed(tmp_path: Path) -> None:
    sound_file(tmp_path / "Rock" / "a.wav")
    (tmp_path / "Rock" / "loop").symlink_to(tmp_path)
    assert list(open_corpus(tmp_path).clips.id) == ["Rock/a.wav"]


def test_files_that_cannot_be_decoded_are_still_listed_as_clips(tmp_path: Path) -> None:
    # Whether a file decodes is found out when it is decoded, where the reason is known.
    (tmp_path / "Rock").mkdir()
    (tmp_path / "Rock" / "empty.mp3").write_bytes(b"")
    (tmp_path / "Rock" / "text.mp3").write_text("no music here " * 100)
    clips = open_corpus(tmp_path).clips
    assert list(clips.id) == ["Rock/empty.mp3", "Rock/text.mp3"]
    assert clips.seconds.isna().all()


def test_one_genre_opens(tmp_path: Path) -> None:
    sound_file(tmp_path / "Rock" / "a.wav")
    assert open_corpus(tmp_path).genres == ["Rock"]


def test_a_path_with_dots_names_the_folder_it_leads_to(tmp_path: Path) -> None:
    sound_file(tmp_path / "music" / "Rock" / "a.wav")
    assert open_corpus(tmp_path / "music" / "Rock" / "..").name == "music"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "is not a corpus. There is no folder with that path"),
        (lambda folder: folder.mkdir(), "has no sound files"),
        (lambda folder: (folder / "Rock").mkdir(parents=True), "has no sound files"),
        (lambda folder: folder.write_bytes(b"RIFF"), "There is no folder with that path"),
        (lambda folder: sound_file(folder / "a.wav"), "has no sound files"),
        (lambda folder: (folder / "fma_metadata").mkdir(parents=True), "no clips"),
    ],
    ids=["missing", "empty", "empty genre", "file", "no genres", "FMA without clips"],
)
def test_what_is_no_corpus_is_an_error_that_says_what_one_is(tmp_path, make, words) -> None:
    make(tmp_path / "corpus")
    with pytest.raises(SongNetError, match=words) as caught:
        open_corpus(tmp_path / "corpus")
    assert "corpus" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(SongNetError, match="an empty name"):
        open_corpus("")


def clips_at(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        # No two alike: a copy under another genre is said.
        sound_file(folder / name, seconds=0.1 + number / 1000)
    return folder


@pytest.mark.parametrize(
    ("files", "give"),
    [
        (["train/rock/a.wav", "train/jazz/b.wav", "test/rock/c.wav", "test/jazz/d.wav"], "test"),
        (["train_set/rock/a.wav", "Test Set/jazz/b.wav"], "Test Set"),
        (["genres_original/blues/a.wav", "genres_original/rock/b.wav"], "genres_original"),
        (["Data/genres/blues/a.wav", "Data/genres/rock/artist/b.wav"], "Data/genres"),
        (["gtzan/train/rock/a.wav", "gtzan/test/rock/b.wav"], "gtzan/test"),
    ],
)
def test_genres_that_lie_deeper_are_said_with_the_folder_to_give(tmp_path, files, give) -> None:
    folder = clips_at(tmp_path / "corpus", *files)
    for beside in ("images_original/blues/a.png", "features_30_sec.csv"):
        (folder / beside).parent.mkdir(parents=True, exist_ok=True)
        (folder / beside).write_bytes(b"x")
    with pytest.raises(SongNetError, match=r"seem to be|look like") as caught:
        open_corpus(folder)
    words = str(caught.value)
    assert open_corpus(folder / give).genres
    assert f"({folder / give})" in words or words.endswith(f"Give {folder / give}")
    assert "\n" not in words


@pytest.mark.parametrize(
    "files",
    [
        ["Rock/AWOL/Live/a.wav", "Rock/Solo/b.wav", "Jazz/Miles/c.wav"],
        ["Rock/CD 1/a.wav", "Rock/CD 2/b.wav", "Jazz/CD 1/c.wav", "Jazz/1999/d.wav"],
        ["Rock/a.wav", "Jazz/Miles/Live/b.wav"],
        ["Rock/train/a.wav", "Rock/test/b.wav", "Jazz/train/c.wav", "Jazz/test/d.wav"],
        ["Rock/train/a.wav", "Rock/test/b.wav"],
    ],
)
def test_folders_in_a_genres_folder_are_of_that_genre(tmp_path, files) -> None:
    corpus = open_corpus(clips_at(tmp_path, *files))
    assert dict(zip(corpus.clips.id, corpus.clips.genre, strict=True)) == {
        file: file.split("/")[0] for file in files
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere some of these are one folder")
def test_a_genre_is_one_however_its_name_is_written(tmp_path: Path) -> None:
    names = ["Rock", "rock", "Rock ", "Caf\xe9", "Cafe\u0301", "Hip Hop", "hiphop", "Pop"]
    corpus = open_corpus(clips_at(tmp_path, *(f"{name}/a.wav" for name in names)))
    assert len(corpus.clips) == len(names)
    assert corpus.genres == ["Caf\xe9", "Hip Hop", "Pop", "Rock"]
    assert [genre for (genre,) in corpus.clips.genres] == corpus.clips.genre.tolist()
    assert len(corpus.notes) == 3
    assert any(all(repr(name) in note for name in names[:3]) for note in corpus.notes)


def test_files_are_named_by_folder_or_pattern_as_in_a_shell(tmp_path, monkeypatch) -> None:
    clips_at(tmp_path, "a.wav", "b.flac", "[live] c.wav", "live/d.wav", "live/.hidden/e.wav")
    (tmp_path / "live" / "cover.jpg").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert named_files("a.wav") == (["a.wav"], 0)
    assert named_files("missing.wav") == (["missing.wav"], 0)
    assert named_files("*.wav") == (["[live] c.wav", "a.wav"], 0)
    assert named_files("[ab].*") == (["a.wav", "b.flac"], 0)
    # What is there under that very name is no pattern.
    assert named_files("[live] c.wav") == (["[live] c.wav"], 0)
    assert named_files("live") == (["live/d.wav"], 1)
    assert named_files("**/*.wav") == (["[live] c.wav", "a.wav", "live/d.wav"], 0)
    assert named_files("*")[0] == ["[live] c.wav", "a.wav", "b.flac", "live/d.wav"]
    (tmp_path / "empty").mkdir()
    for name, words in (("*.ogg", "matches this pattern"), ("empty", "in this folder")):
        with pytest.raises(SongNetError, match=words):
            named_files(name)


# --- the Free Music Archive -------------------------------------------------------------------


def test_an_fma_folder_is_read_with_its_metadata(tmp_path: Path) -> None:
    root = fma_folder(
        tmp_path / "slice", [track(2), track(1005, name="Other", artist="9")], [2, 1005]
    )
    corpus = open_corpus(root)
    assert corpus.name == "slice"
    assert list(corpus.clips.id) == ["000002", "001005"]
    first = corpus.clips.iloc[0]
    assert first.file == str(root / "fma_small" / "000" / "000002.mp3")
    assert (first.genre, first.artist, first.title, first.split) == (
        "Rock",
        "AWOL",
        "Title 2",
        "training",
    )
    assert first.genres == ["Rock", "Punk"]
    assert (first.year, first.listens, first.favorites) == (2009, 1293, 2)
    assert (first.duration, first.bit_rate) == (168, 256000)
    assert first.date_recorded == pd.Timestamp("2008-11-26")
    assert first.seconds == pytest.approx(1, abs=0.1)
    # The folder of clips itself may be given too.
    assert open_corpus(root / "fma_small").clips.equals(corpus.clips)
    assert open_corpus(root / "fma_small").name == "fma_small"


def test_the_year_is_of_release_or_else_of_recording(tmp_path: Path) -> None:
    rows = [track(2, released=""), track(3, released="", recorded=""), track(4, released="x")]
    clips = open_corpus(fma_folder(tmp_path / "f", rows, [2, 3, 4])).clips
    assert clips.year[0] == 2008
    assert pd.isna(clips.year[1])
    assert clips.year[2] == 2008


def test_metadata_without_clip_and_clip_without_metadata_are_listed(tmp_path: Path) -> None:
    rows = [track(2), track(3), track(4, subset="medium"), track(5, genre=""), track(6)]
    root = fma_folder(tmp_path / "f", rows, [2, 5, 7])
    (root / "fma_small" / "000" / "notes.txt").write_text("x")
    (root / "fma_small" / "000" / "._000002.mp3").write_text("x")
    corpus = open_corpus(root)
    assert list(corpus.clips.id) == ["000002"]
    # Track 4 belongs to the medium set, so nobody misses it here.
    assert set(corpus.unusable.id) == {"000003", "000005", "000006", "000007", "notes"}
    assert "no such file" in reason_of(corpus, "000003")
    assert "no top genre" in reason_of(corpus, "000005")
    assert "does not list" in reason_of(corpus, "000007")
    assert "not a track's id" in reason_of(corpus, "notes")


def test_artists_are_told_apart_by_id(tmp_path: Path) -> None:
    rows = [
        track(2, artist="1", name="AWOL"),
        track(3, artist="2", name="AWOL"),
        track(4, artist="3", name="Solo"),
        track(5, artist="3", name="Solo & Band"),
        track(6, artist="4", name=""),
        track(7, artist="", name=""),
    ]
    artist = open_corpus(fma_folder(tmp_path / "f", rows, [2, 3, 4, 5, 6, 7])).clips.artist
    assert artist[0] != artist[1]
    assert artist[0].startswith("AWOL")
    assert artist[2] == artist[3] == "Solo"
    assert artist[4] == "artist 4"
    assert pd.isna(artist[5])


def test_named_sets_lie_in_the_data_folder(tmp_path: Path) -> None:
    with pytest.raises(SongNetError, match=r"fma_small\.zip and fma_metadata\.zip"):
        open_corpus("fma_small", tmp_path)
    fma_folder(tmp_path / "fma", [track(2)], [2])
    corpus = open_corpus("fma_small", tmp_path)
    assert (corpus.name, list(corpus.clips.id)) == ("fma_small", ["000002"])


def test_several_sets_in_a_folder_are_not_mixed(tmp_path: Path) -> None:
    root = fma_folder(tmp_path / "f", [track(2)], [2])
    (root / "fma_medium").mkdir()
    with pytest.raises(SongNetError, match="Open one"):
        open_corpus(root)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "as FMA's tracks.csv"),
        (b"track_id,genre\n2,Rock\n", "header lacks track title"),
        (b"\xff\xfe\x00\x01" * 50, "utf-8"),
        ((HEADER + track(2).replace("2,", "two,", 1)).encode(), "'two'"),
        ((HEADER + track(10**20)).encode(), "too large"),
        ((HEADER + track(2) + "\n" + track(2)).encode(), "twice"),
        (HEADER.encode(), "describes none of the clips there"),
    ],
    ids=["empty", "another table", "binary", "no number", "too large", "a track twice", "no rows"],
)
def test_a_wrong_tracks_csv_is_an_error_that_names_it(tmp_path, text, words) -> None:
    root = fma_folder(tmp_path / "f", [track(2)], [2])
    (root / "fma_metadata" / "tracks.csv").write_bytes(text)
    with pytest.raises(SongNetError, match=words) as caught:
        open_corpus(root)
    assert "tracks.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["tracks.csv", "genres.csv"])
@pytest.mark.parametrize(
    "save",
    [
        (lambda text: text.replace(",", ";").encode()),
        (lambda text: text.encode("utf-16")),
        (lambda text: text.replace("o", "\xf6").encode("cp1252")),
    ],
)
def test_metadata_that_a_spreadsheet_has_saved_is_named(tmp_path, name, save) -> None:
    root = fma_folder(tmp_path / "f", [track(2)], [2])
    file = root / "fma_metadata" / name
    file.write_bytes(save(file.read_text("utf-8")))
    with pytest.raises(SongNetError, match=f"{name}: .*spreadsheet") as caught:
        open_corpus(root)
    assert "\n" not in str(caught.value)


def test_numbers_too_large_to_hold_are_said_wherever_they_are(tmp_path: Path) -> None:
    row = track(2, artist=str(10**20)).replace("1293", str(10**20))
    root = fma_folder(tmp_path / "f", [row], [2])
    corpus = open_corpus(root)
    assert corpus.clips[["listens", "artist_id"]].isna().all(axis=None)
    for name in ("listens", "artist_id"):
        assert f"Impossible values of {name}, left missing: 1." in corpus.notes
    genres = root / "fma_metadata" / "genres.csv"
    genres.write_text(genres.read_text().replace("25,2,12", f"{10**20},2,12"))
    with pytest.raises(SongNetError, match=r"genres\.csv"):
        open_corpus(root)


def test_fmas_texts_are_texts(tmp_path: Path) -> None:
    names = ["NA", "null", "None", "nan", "007", "1e5", "true"]
    rows = [
        track(number, genre=name, artist=str(number), name=name).replace("Title ", f"{name},")
        for number, name in enumerate(names, start=2)
    ]
    rows = [row.rsplit(",", 1)[0] for row in rows]
    root = fma_folder(tmp_path / "f", rows, list(range(2, 9)))
    (root / "fma_metadata" / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n12,3,0,null,12\n25,2,12,007,12\n", "utf-8"
    )
    clips = open_corpus(root).clips
    assert clips.genre.tolist() == clips.artist.tolist() == clips.title.tolist() == names
    assert clips.genres[0] == ["null", "007"]


def test_one_file_a_track_is_taken_and_the_others_are_listed(tmp_path: Path) -> None:
    root = fma_folder(tmp_path / "f", [track(2), track(3)], [2])
    for name in ("000002.wav", "000002.flac", "000003.wav", "000003.ogg"):
        sound_file(root / "fma_small" / "000" / name)
    corpus = open_corpus(root)
    assert [Path(file).name for file in corpus.clips.file] == ["000002.mp3", "000003.ogg"]
    assert set(corpus.unusable.id) == {"000002.wav", "000002.flac", "000003.wav"}
    assert "the same track as 000002.mp3" in reason_of(corpus, "000002.wav")


def test_a_missing_tracks_csv_is_an_error_that_says_where_it_belongs(tmp_path: Path) -> None:
    root = fma_folder(tmp_path / "f", [track(2)], [2])
    (root / "fma_metadata" / "tracks.csv").unlink()
    with pytest.raises(SongNetError, match="is missing") as caught:
        open_corpus(root)
    assert str(root / "fma_metadata" / "tracks.csv") in str(caught.value)


def test_the_real_slice_is_read_whole(shared_fma: Path) -> None:
    corpus = open_corpus(shared_fma)
    assert corpus.name == "fma"
    assert len(corpus.clips) == 122
    assert corpus.unusable.empty
    # What the slice's README says of it.
    assert corpus.clips.genre.value_counts().to_dict() == {
        "Folk": 39,
        "Experimental": 25,
        "Rock": 22,
        "International": 20,
        "Pop": 10,
        "Hip-Hop": 5,
        "Electronic": 1,
    }
    assert corpus.clips.split.value_counts().to_dict() == {
        "training": 100,
        "test": 15,
        "validation": 7,
    }
    assert corpus.clips.artist.nunique() == 61
    assert corpus.clips.licence.isna().sum() == 39
    assert corpus.clips.seconds.between(29.9, 30.1).all()


# --- the table --------------------------------------------------------------------------------

GOOD = {"id": "a", "file": "/a.wav", "genre": "Rock", "genres": ["Rock"], "split": "test"}


def test_every_column_is_there_and_typed() -> None:
    clips = table([GOOD, {**GOOD, "id": "b", "listens": 3, "mood": "glad"}])
    check_table(clips)
    assert list(clips)[: len(COLUMNS)] == list(COLUMNS)
    assert clips.mood[1] == "glad"
    assert clips.listens.dtype == "Int64"
    assert clips.artist.isna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"genre": None}, "no genre"),
        ({"file": "a.wav"}, "relative path"),
        ({"seconds": -1}, "0 seconds"),
        ({"split": "train"}, "official split"),
        ({"artist": ""}, "empty name"),
        ({"id": "b"}, "unique"),
    ],
)
def test_a_table_that_breaks_a_rule_is_refused(change, words) -> None:
    with pytest.raises(SongNetError, match=words):
        Corpus("x", table([{**GOOD, **change}, {**GOOD, "id": "b"}]))


def test_a_table_of_the_wrong_kind_is_refused() -> None:
    clips = table([GOOD])
    with pytest.raises(SongNetError, match="listens"):
        check_table(clips.assign(listens=1.5))
    with pytest.raises(SongNetError, match="artist"):
        check_table(clips.drop(columns="artist"))


def test_the_list_says_what_is_on_disk(tmp_path: Path) -> None:
    before = list_corpora(tmp_path).set_index("name")
    assert {"mini", "fma_small", "fma_full", "fma_sample"} <= set(before.index)
    assert not before.on_disk.any()
    root = fma_folder(tmp_path / "fma", [track(2)], [2, 3])
    now = list_corpora(tmp_path).set_index("name").loc["fma_small"]
    assert now.on_disk
    assert now.clips == 2
    assert now.bytes == sum(file.stat().st_size for file in (root / "fma_small").rglob("*.mp3"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_genres_folder_is_listed_and_nothing_waits_for_it(tmp_path) -> None:
    for name in ("Rock/a.wav", "Pop/b.wav"):
        (tmp_path / name).parent.mkdir()
        soundfile.write(tmp_path / name, np.ones(100), 8_000)
    os.mkfifo(tmp_path / "Rock" / "pipe.wav")
    corpus = open_corpus(tmp_path)
    assert list(corpus.clips.id) == ["Pop/b.wav", "Rock/a.wav"]
    assert corpus.unusable.reason[0].startswith("is a pipe or a device")
