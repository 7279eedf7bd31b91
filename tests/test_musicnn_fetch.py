"""Fetching musicnn: whole or not at all, and errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.models import musicnn_fetch
from songnet_utils.models.musicnn_fetch import fetch_musicnn, musicnn_is_whole

BROUGHT = """
import zipfile
target = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1]) / 'musicnn-0.1.0-py3-none-any.whl'
"""


def pip_that(monkeypatch, tmp_path: Path, body: str) -> None:
    """Let the module run a little program of ours in place of ``python -m pip``."""
    program = tmp_path / "bin" / "pip.py"
    program.parent.mkdir()
    program.write_text("import pathlib, sys\n" + body, encoding="utf-8")
    real = subprocess.run

    def run(command, **keywords):
        assert command[:3] == [sys.executable, "-m", "pip"]
        return real([sys.executable, str(program), *command[3:]], **keywords)

    monkeypatch.setattr(musicnn_fetch.subprocess, "run", run)


def leftovers(data: Path) -> list[str]:
    return sorted(path.name for path in data.iterdir()) if data.exists() else []


def test_what_pip_brings_is_whole_and_holds_the_licence(musicnn_data):
    folder = musicnn_data / "musicnn"
    assert musicnn_is_whole(musicnn_data)
    assert "Universitat Pompeu Fabra" in (folder / "LICENSE.md").read_text(encoding="utf-8")
    assert not list(folder.rglob("*.whl"))


def test_a_second_fetch_asks_nothing_of_the_network(musicnn_data, monkeypatch, tmp_path):
    pip_that(monkeypatch, tmp_path, "sys.exit('asked again')")
    assert fetch_musicnn(musicnn_data, progress=False) == (musicnn_data / "musicnn").absolute()


def test_damaged_files_are_replaced(musicnn_data, monkeypatch, tmp_path):
    wheel = tmp_path / "source" / "musicnn-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in musicnn_fetch._FILES:
            archive.write(musicnn_data / "musicnn" / name, musicnn_fetch.member(name))
    pip_that(
        monkeypatch,
        tmp_path,
        f"{BROUGHT}target.write_bytes(pathlib.Path({str(wheel)!r}).read_bytes())",
    )
    data = tmp_path / "data"
    fetch_musicnn(data, progress=False)
    damaged = data / "musicnn" / "MSD_musicnn" / ".index"
    damaged.write_bytes(b"half")
    assert not musicnn_is_whole(data)
    fetch_musicnn(data, progress=False)
    assert musicnn_is_whole(data)
    assert leftovers(data) == ["musicnn"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('/usr/bin/python3: No module named pip')", "python -m ensurepip"),
        (
            "sys.exit('WARNING: Retrying\\nERROR: No matching distribution found for musicnn')",
            r"\(No matching distribution found for musicnn\)\. Check the network",
        ),
        ("sys.exit(1)", "pip gave no reason"),
        (f"{BROUGHT}target.write_bytes(b'<html>Not found</html>')", "is not what was published"),
        (
            f"{BROUGHT}with zipfile.ZipFile(target, 'w') as archive:\n"
            "    archive.writestr('musicnn/MSD_musicnn/.data-00000-of-00001', b'other')",
            "is not what was published",
        ),
    ],
    ids=["no pip", "offline", "silent", "no wheel", "another"],
)
def test_a_fetch_that_fails_leaves_nothing_and_says_why(monkeypatch, tmp_path, body, said):
    pip_that(monkeypatch, tmp_path, body)
    data = tmp_path / "data"
    with pytest.raises(SongNetError, match=said) as caught:
        fetch_musicnn(data, progress=False)
    assert "\n" not in str(caught.value)
    assert leftovers(data) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file")
    with pytest.raises(SongNetError, match=r"data/musicnn: could not be written .*--dir"):
        fetch_musicnn(in_the_way, progress=False)
