"""Writing files: whole or not at all, with the cause and the way out, and nobody else's harmed."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import (
    atomic_write,
    check_writable,
    data_folder,
    size_text,
    sweep,
    write_json,
)


class Killed(BaseException):
    """What stops a program in the middle, in place of a signal."""


def test_only_files_that_are_open_for_writing_are_synced(tmp_path, monkeypatch):
    """Windows refuses to sync a file that is open for reading."""
    fcntl = pytest.importorskip("fcntl")
    sync, synced = os.fsync, []

    def as_on_windows(handle):
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        synced.append(handle)
        sync(handle)

    monkeypatch.setattr(os, "fsync", as_on_windows)
    write_json(tmp_path / "a.json", [1])
    assert (tmp_path / "a.json").read_text() == "[\n 1\n]\n"
    assert synced


@pytest.mark.parametrize("name", ["a.json", "answers.csv", "no suffix", "x" * 250, "ジャズ.npz"])
def test_what_a_killed_program_was_writing_is_swept_and_nothing_else(tmp_path, monkeypatch, name):
    inside = tmp_path / "below"
    inside.mkdir()
    others = [
        *(".draft.part.txt", ".draft-abcdefgh.part.txt", ".000001-x.part.flac", ".songnet-part"),
        *(".songnet-notes.part.txt", "songnet-abcdefgh.part.txt", ".songnet-abcdefgh.parts"),
    ]
    for other in others:
        (inside / other).write_text("mine")

    def write_until_killed():
        with atomic_write(inside / name) as part:
            part.write_text("half of i")
            raise Killed

    with monkeypatch.context() as patch:
        # Killed: nobody cleans up.
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            write_until_killed()
    (part,) = set(inside.iterdir()) - {inside / other for other in others}
    assert part.suffix == Path(name).suffix or not Path(name).suffix
    sweep(tmp_path, 3600)
    assert part.exists(), "another process may be writing it"
    sweep(tmp_path)
    assert sorted(path.name for path in inside.iterdir()) == sorted(others)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "Make room on the disk"),
        (errno.EACCES, "You may not write to the folder"),
        (errno.ENAMETOOLONG, "or choose another"),
    ],
)
def test_each_cause_has_its_own_way_out(tmp_path, monkeypatch, number, words):
    file = tmp_path / "a.json"
    file.write_text("before")

    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SongNetError, match=words) as caught:
        write_json(file, {})
    assert os.strerror(number) in str(caught.value)
    assert ("Make room" in str(caught.value)) == (words == "Make room on the disk")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_text() == "before"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_places_that_cannot_be_written_are_known_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all")
    os.mkfifo(tmp_path / "pipe")
    for place, words in {
        "": "is not a regular file. Give the name of a file",
        "file/a.json": "Not a directory",
        "dangling/a.json": "No such file or directory",
        "pipe": "is not a regular file",
        "x" * 300: "File name too long",
    }.items():
        with pytest.raises(SongNetError, match=words):
            check_writable(tmp_path / place)
    before = set(tmp_path.rglob("*"))
    check_writable(tmp_path / "file")
    check_writable(tmp_path / "new" / "newer" / "a.json")
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="no folder is read-only to root"
)
def test_a_read_only_folder_is_called_that(tmp_path):
    tmp_path.chmod(0o555)
    try:
        for write in (check_writable, lambda file: write_json(file, 1)):
            with pytest.raises(SongNetError, match=f"You may not write to the folder {tmp_path}"):
                write(tmp_path / "a.json")
    finally:
        tmp_path.chmod(0o755)
    file = tmp_path / "a.json"
    file.write_text("protected")
    file.chmod(0o444)
    with pytest.raises(SongNetError, match=r"a\.json: is read-only"):
        check_writable(file)


def test_a_working_folder_that_is_gone_is_said(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.delenv("SONGNET_DATA", raising=False)
    with pytest.raises(SongNetError, match="has been deleted or moved"):
        data_folder()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "2 kB"),
        (400_000, "400 kB"),
        (29e6, "29 MB"),
        (7.2e9, "7.2 GB"),
        (879 * 2**30, "943.8 GB"),
    ],
)
def test_sizes_are_in_the_unit_that_shows_something(size, text):
    assert size_text(size) == text
