"""Copies: what has the same content is found, stays together, and is said where it cannot."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import tone_corpus

from songnet_utils.cli import main
from songnet_utils.corpora import contradictions, fma_extract, open_corpus, table
from songnet_utils.corpora.contents import contents_of
from songnet_utils.corpora.fma import CITATION
from songnet_utils.corpora.splits import (
    artist_overlap,
    artists,
    copies_in_two_sets,
    fold_sets,
    folds,
    keep_genres,
    split,
)
from songnet_utils.evaluation.compare import compare
from songnet_utils.features.store import LogMelStore
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")


def sha256(file: str | Path) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Two genres of ten clips that name no artist, each of them copied once."""
    folder = tone_corpus(tmp_path / "copied", ["High", "Low"], clips=10, seconds=2.5)
    for file in list(folder.rglob("*.wav")):
        shutil.copy(file, file.with_name(f"copy of {file.name}"))
    return folder


@st.composite
def clips_with_copies(draw: st.DrawFn) -> pd.DataFrame:
    """Three genres of artists, some unknown; some clips share a content, across artists too."""
    rows = []
    for genre in ("Folk", "Pop", "Rock"):
        for artist in range(draw(st.integers(6, 14))):
            name = draw(st.sampled_from([None, f"{genre} {artist}", f"{genre} {artist}"]))
            for clip in range(draw(st.integers(1, 4))):
                rows.append(
                    {
                        "id": f"{genre}-{artist}-{clip}",
                        "file": "/a.wav",
                        "genre": genre,
                        "artist": name,
                        # Copies of a genre's first artists: enough others remain to be dealt.
                        "content": f"{genre}{draw(st.integers(0, 2))}" if artist < 4 else None,
                    }
                )
    return table(rows)


@settings(max_examples=20)
@given(clips=clips_with_copies(), seed=st.integers(0, 99))
def test_no_split_parts_copies_and_no_artist_split_parts_artists(clips, seed) -> None:
    for kind in ("random", "artist"):
        kept = keep_genres(clips, kind=kind, k=3)[0]
        for parts in (
            split(kept, kind, seed),
            folds(kept, kind, 3, seed),
            *fold_sets(kept, kind, seed, 3),
        ):
            # By another road than the one that counts copies.
            for _, same in parts[kept.content.notna()].groupby(kept.content):
                assert same.nunique() == 1
            assert copies_in_two_sets(kept, parts) == 0
            if kind == "artist":
                assert artist_overlap(kept, parts) == 0


def test_whoever_is_linked_by_copies_stays_together() -> None:
    # a shares x with b, b shares y with c: a and c are linked although they share nothing.
    linked = [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y"), (None, "y"), ("c", None)]
    rows = [{"artist": artist, "content": content} for artist, content in linked]
    rows += [{"artist": f"other {n}", "content": None} for n in range(12)]
    clips = table(
        {**row, "id": f"{n:02d}", "file": "/a.wav", "genre": ("Pop", "Rock")[n % 2]}
        for n, row in enumerate(rows)
    )
    for seed in range(20):
        assert split(clips, "artist", seed)[: len(linked)].nunique() == 1
        assert folds(clips, "artist", 3, seed)[: len(linked)].nunique() == 1


def test_copies_without_an_artist_are_by_one_unknown_artist() -> None:
    clips = table(
        {"id": name, "file": "/a.wav", "genre": "Pop", "content": content}
        for name, content in (("a", "x"), ("b", "x"), ("c", "y"), ("d", None), ("e", None))
    )
    assert list(artists(clips)) == [
        f"unknown artist of {first}" for first in ("a", "a", "c", "d", "e")
    ]


def test_without_copies_a_hash_changes_no_split() -> None:
    # A corpus that has just been opened and one that has been read are dealt alike.
    clips = table(
        {
            "id": f"{n}",
            "file": "/a.wav",
            "genre": ("Pop", "Rock")[n % 2],
            "artist": None if n % 7 == 0 else f"artist {n // 4}",
        }
        for n in range(80)
    )
    hashed = clips.assign(content=[hashlib.sha256(name.encode()).hexdigest() for name in clips.id])
    for kind in ("random", "artist"):
        pd.testing.assert_series_equal(split(clips, kind, 3), split(hashed, kind, 3))


def test_a_genre_of_copies_is_as_small_as_what_differs_in_it() -> None:
    rows = [("Pop", f"p{n}", "same" if n else "other") for n in range(6)]
    rows += [("Rock", f"r{n}", None) for n in range(6)]
    rows += [("Folk", f"f{n}", None) for n in range(6)]
    clips = table(
        {"id": name, "file": "/a.wav", "genre": genre, "artist": name, "content": content}
        for genre, name, content in rows
    )
    assert keep_genres(clips, kind="random")[1] == [
        {
            "genre": "Pop",
            "reason": "2 clips (copies count as one), but 3 sets (train, validation, test) need at "
            "least 3",
        }
    ]
    (entry,) = keep_genres(clips, kind="artist", k=4)[1]
    assert entry["reason"] == (
        "2 artists (those who share a clip count as one), but 4 folds need at least 4"
    )


# --- finding them -------------------------------------------------------------------------------


def test_opening_a_folder_finds_copies_of_every_kind(copied: Path) -> None:
    one = copied / "High" / "00.wav"
    os.link(one, copied / "High" / "a link.wav")
    (copied / "High" / "a symbolic link.wav").symlink_to(one)
    shutil.copy(one, copied / "High" / "another ending.flac")
    # As long as another, and the same but for the last byte.
    content = one.read_bytes()
    (copied / "High" / "nearly the same.wav").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    clips = open_corpus(copied, progress=False).clips.set_index("id")
    for name, content in clips.content.dropna().items():
        assert content == sha256(clips.file[name])
    for genre in ("High", "Low"):
        for n in range(10):
            same = clips.index[clips.content == clips.content[f"{genre}/{n:02d}.wav"]]
            assert len(same) == (5 if (genre, n) == ("High", 0) else 2)
    assert (clips.content == clips.content["High/nearly the same.wav"]).sum() <= 1


def test_only_what_may_be_a_copy_is_read_and_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    names = ("a", "copy of a", "other size", "same size", "empty", "empty too", "pipe", "pipe 2")
    files = {name: tmp_path / name for name in names}
    files["a"].write_bytes(b"sound" * 9000)
    files["copy of a"].write_bytes(b"sound" * 9000)
    files["other size"].write_bytes(b"sound" * 9001)
    files["same size"].write_bytes(b"SOUND" * 9000)
    for name in ("empty", "empty too"):
        files[name].touch()
    for name in ("pipe", "pipe 2"):
        os.mkfifo(files[name])
    paths = [str(file) for file in files.values()] + [str(tmp_path / "gone")]
    same = sha256(files["a"])
    assert contents_of(paths, progress=False) == [same, same, *[None] * 7]


def test_reading_the_sound_fills_in_every_content(copied: Path) -> None:
    opened = open_corpus(copied, progress=False)
    # A list of somebody's own, which says nothing of contents, or what is no longer true.
    for said in (None, "f" * 64):
        corpus = dataclasses.replace(
            opened, clips=opened.clips.assign(content=pd.Series(said, opened.clips.index, "str"))
        )
        clips = LogMelStore().prepare(corpus, progress=False).clips
        assert list(clips.content) == [sha256(file) for file in clips.file]


def test_twenty_copied_files_are_not_tested_on_what_was_trained_on(copied: Path) -> None:
    corpus = open_corpus(copied, progress=False)
    for kind in ("random", "artist"):
        sets = split(corpus.clips, kind, 0)
        by_bytes = corpus.clips.file.map(sha256)
        assert (sets.groupby(by_bytes).nunique() == 1).all()
    record = read_record(train(corpus, "chance", "artist", progress=False))
    assert (record["artists_in_two_sets"], record["copies_in_two_sets"]) == (None, 0)
    assert record["notes"] == []


# --- saying them --------------------------------------------------------------------------------


def test_copies_that_the_official_split_parts_are_counted_and_said(copied: Path) -> None:
    corpus = open_corpus(copied, progress=False)
    # By name: "00.wav" is trained on, "copy of 00.wav" is tested.
    clips = corpus.clips.assign(split="training", artist=corpus.clips.id)
    clips.loc[clips.id.str.contains("copy"), "split"] = "test"
    clips.loc[clips.id.str.contains("09"), "split"] = "validation"
    corpus = dataclasses.replace(corpus, clips=clips)
    record = read_record(train(corpus, "chance", "official", progress=False))
    assert (record["artists_in_two_sets"], record["copies_in_two_sets"]) == (0, 18)
    found = compare(corpus, ["chance"], ["official", "random"], progress=False)
    official, random = found.results
    assert (official["copies_in_two_sets"], random["copies_in_two_sets"]) == (18, 0)
    first, second = found.as_text().split("\n\n")[:2]
    assert "copies in two sets: 18" in first
    assert "copies" not in second


def test_a_copy_under_two_genres_contradicts_itself_and_is_said(
    copied: Path, tmp_path: Path, capsys
) -> None:
    assert open_corpus(copied, progress=False).notes == ()
    shutil.copy(copied / "High" / "03.wav", copied / "Low" / "x.wav")
    shutil.copy(copied / "Low" / "05.wav", copied / "High" / "y.wav")
    corpus = open_corpus(copied, progress=False)
    (note,) = corpus.notes
    assert note.startswith("Copies of a clip under another genre: 2. The first: High/03.wav")
    assert "Low/x.wav" in note
    sets = split(corpus.clips, "random", 0)
    assert copies_in_two_sets(corpus.clips, sets) == 0
    assert len(sets) == 42
    run = tmp_path / "run"
    for command in (
        ["features", str(copied)],
        ["train", str(copied), "--model", "chance", "--split", "artist", "--out", str(run)],
        ["compare", str(copied), "--models", "chance", "--splits", "artist"],
    ):
        assert main(command) == 0
        assert capsys.readouterr().err.count("under another genre") == 1
    assert read_record(run)["notes"] == [note]
    # Where only one of the genres takes part, nothing contradicts itself.
    assert contradictions(corpus.clips[corpus.clips.genre == "High"]) == []


def test_what_was_decided_about_folders_is_said_once_wherever_clips_are_used(
    tmp_path: Path, capsys
) -> None:
    music, run = tone_corpus(tmp_path / "music"), tmp_path / "run"
    # One genre under two names.
    (music / "low ").mkdir()
    (music / "Low" / "00.wav").rename(music / "low " / "00.wav")
    shutil.copy(music / "Low" / "01.wav", music / "Noise" / "x.wav")
    notes = list(open_corpus(music, progress=False).notes)
    assert len(notes) == 2
    train_it = ["train", str(music), "--model", "chance", "--out", str(run)]
    compare_it = ["compare", str(music), "--models", "chance", "--splits", "random"]
    for command in (["features", str(music)], train_it, compare_it):
        assert main(command) == 0
        told = " ".join(capsys.readouterr().err.split())
        assert [told.count(note) for note in notes] == [1, 1], command
    assert read_record(run)["notes"] == notes
    # A contradiction concerns the clips that take part.
    assert main([*train_it, "--genres", "High,Low", "--force"]) == 0
    assert read_record(run)["notes"] == notes[:1]


def test_the_list_of_what_was_put_right_in_fma_is_not_said_again(tmp_path: Path) -> None:
    corpus = open_corpus(tone_corpus(tmp_path / "music"), progress=False)
    prepared = LogMelStore().prepare(
        dataclasses.replace(corpus, citation=CITATION, notes=("2 dates: put right.",)),
        progress=False,
    )
    assert prepared.notes(prepared.clips) == []
    clips = prepared.clips.assign(content="same")
    (note,) = prepared.notes(clips)
    assert contradictions(clips) == [note]


# --- at full size -------------------------------------------------------------------------------


def test_all_of_fma_small_has_no_copies() -> None:
    clips = fma_extract().small
    assert clips.content.is_unique
    sets = split(clips, "official")
    assert copies_in_two_sets(clips, sets) == 0
    # Each official test clip again as a training clip.
    again = clips[sets == "test"].assign(split="training")
    again["id"] += "-again"
    both = pd.concat([clips, again], ignore_index=True)
    assert copies_in_two_sets(both, split(both, "official")) == 800
    for kind in ("random", "artist"):
        assert copies_in_two_sets(both, split(both, kind)) == 0


def test_as_many_clips_as_fma_full_are_dealt_with_their_copies() -> None:
    random = np.random.default_rng(4)
    size = 106_574
    number = np.arange(size)
    clips = table(
        pd.DataFrame(
            {
                "id": [f"{n:06d}" for n in number],
                "file": "/a.mp3",
                "genre": [f"genre {n}" for n in random.integers(0, 16, size)],
                "artist": [f"artist {n}" for n in random.zipf(1.3, size) % 16_000],
                "content": [f"{n:064x}" for n in np.where(random.random(size) < 0.001, 7, number)],
            }
        )
    )
    for kind in ("random", "artist"):
        assert copies_in_two_sets(clips, split(clips, kind)) == 0
