"""Genres written into files' tags: nothing else changes, and all of it can be undone."""

from __future__ import annotations

from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3, TALB, TCON, TIT2, TYER

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import read_audio
from songnet_utils.corpora import tags
from songnet_utils.corpora.playlist import write_playlist
from songnet_utils.corpora.tags import undo_genres, write_genre

RATE = 22_050
KINDS = ["mp3", "flac", "ogg", "m4a", "wav"]


def sound_file(path: Path) -> Path:
    """A second of noise in the format of the path's ending."""
    audio = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    if path.suffix != ".m4a":
        soundfile.write(path, audio, RATE)
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(audio[None], "fltp", "mono")
        frame.rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def with_title(path: Path) -> Path:
    """The same, with a title, an album and two genres."""
    tagged = mutagen.File(path)
    if tagged.tags is None:
        tagged.add_tags()
    if isinstance(tagged.tags, ID3):
        for frame in (TIT2(3, ["Été"]), TALB(3, ["Album"]), TCON(3, ["(17)Jazz", "Own"])):
            tagged.tags.add(frame)
    else:
        names = ("title", "album", "genre")
        if path.suffix == ".m4a":
            names = ("\xa9nam", "\xa9alb", "\xa9gen")
        values = (["Été"], ["Album"], ["Jazz", "Own"])
        tagged.update(dict(zip(names, values, strict=True)))
    tagged.save()
    return path


def tags_of(path: Path) -> dict:
    return {key: str(value) for key, value in (mutagen.File(path).tags or {}).items()}


def undone(changes: Path) -> None:
    assert [error for _, error in undo_genres(changes) if error] == []


@pytest.mark.parametrize("titled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_genre_is_written_and_undone(kind, titled, tmp_path):
    file = sound_file(tmp_path / f"song.{kind}")
    if titled:
        with_title(file)
    before, content = tags_of(file), file.read_bytes()
    audio, _ = read_audio(file)
    file.chmod(0o640)
    write_genre(file, "Hip-Hop", tmp_path / "list.jsonl")
    now = tags_of(file)
    (changed,) = [value for key, value in now.items() if before.get(key) != value]
    assert "Hip-Hop" in changed
    assert before.keys() <= now.keys()
    assert np.array_equal(read_audio(file)[0], audio)
    undone(tmp_path / "list.jsonl")
    assert tags_of(file) == before
    assert np.array_equal(read_audio(file)[0], audio)
    assert file.stat().st_mode & 0o777 == 0o640
    if kind == "mp3" and not titled:
        assert file.read_bytes() == content
    # Once more, all is as it was.
    undone(tmp_path / "list.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.jsonl", file.name]


def test_a_tag_keeps_its_version(tmp_path):
    file = sound_file(tmp_path / "song.mp3")
    old = ID3()
    old.add(TIT2(1, ["Title"]))
    old.add(TYER(0, ["1999"]))
    old.save(file, v2_version=3)
    frames = dict(ID3(file, translate=False))
    write_genre(file, "Rock", tmp_path / "list")
    now = ID3(file, translate=False)
    assert now.version == (2, 3, 0)
    assert now.pop("TCON").text == ["Rock"]
    assert dict(now) == frames


def test_a_file_that_has_the_genre_is_left_alone(tmp_path):
    file = sound_file(tmp_path / "song.flac")
    write_genre(file, "Rock", tmp_path / "list")
    content, listed = file.read_bytes(), (tmp_path / "list").read_text()
    write_genre(file, "Rock", tmp_path / "list")
    assert (file.read_bytes(), (tmp_path / "list").read_text()) == (content, listed)


def test_several_changes_of_one_file_are_undone_one_after_the_other(tmp_path):
    file = with_title(sound_file(tmp_path / "song.ogg"))
    before = tags_of(file)
    for genre in ("Rock", "Pop", "Folk"):
        write_genre(file, genre, tmp_path / "list")
    undone(tmp_path / "list")
    assert tags_of(file) == before


def test_what_was_changed_since_is_left_alone(tmp_path):
    file, other = (sound_file(tmp_path / name) for name in ("a.mp3", "b.mp3"))
    write_genre(file, "Rock", tmp_path / "list")
    write_genre(other, "Rock", tmp_path / "list")
    write_genre(file, "Own", tmp_path / "other list")
    found = dict(undo_genres(tmp_path / "list"))
    assert found[str(other)] is None
    assert "changed since, to Own" in str(found[str(file)])
    assert tags_of(file) == {"TCON": "Own"}


@pytest.mark.parametrize("moment", ["save", "replace"])
def test_a_crash_loses_nothing(moment, tmp_path, monkeypatch):
    file = sound_file(tmp_path / "song.mp3")
    content = file.read_bytes()

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if moment == "save":
            patched.setattr("mutagen.id3.ID3.save", crash)
        else:
            patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            write_genre(file, "Rock", tmp_path / "list")
    assert file.read_bytes() == content
    # It is on the list already, and half of another line does no harm.
    with (tmp_path / "list").open("a") as listed:
        listed.write('{"file": "x')
    undone(tmp_path / "list")
    assert file.read_bytes() == content


def test_what_cannot_be_changed_is_said(tmp_path):
    locked = sound_file(tmp_path / "locked.mp3")
    locked.chmod(0o444)
    with pytest.raises(SongNetError, match=r"locked\.mp3: is read-only"):
        write_genre(locked, "Rock", tmp_path / "list")
    assert tags_of(locked) == {}
    text = tmp_path / "text.mp3"
    text.write_text("la la la")
    au = sound_file(tmp_path / "song.au")
    for file in (text, au, tmp_path / "missing.mp3"):
        with pytest.raises(SongNetError, match=file.name):
            write_genre(file, "Rock", tmp_path / "list")
    assert text.read_text() == "la la la"


@pytest.mark.parametrize("content", ["la la la\n", "[]\n", '{"file": 1}\n', None])
def test_what_is_no_list_is_an_error(content, tmp_path):
    if content:
        (tmp_path / "list").write_text(content)
    with pytest.raises(SongNetError, match="list: "):
        list(undo_genres(tmp_path / "list"))


def test_lists_are_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    assert tags.list_of_changes().parent == tmp_path / "tags"


def test_a_playlist_names_its_songs_from_its_own_folder(tmp_path):
    playlist = tmp_path / "lists" / "all.m3u8"
    songs = [tmp_path / "music" / "#1 Été.mp3", tmp_path / "lists" / "b.ogg"]
    rows = [
        (str(songs[0]), 29.6, "Folk"),
        (str(songs[1]), 61, "Rock"),
    ]
    write_playlist(playlist, rows)
    lines = playlist.read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[1] == "#EXTINF:30,#1 Été"
    assert "#EXTGRP:Rock" in lines
    named = [line for line in lines if not line.startswith("#")]
    assert [(playlist.parent / name).resolve() for name in named] == songs
