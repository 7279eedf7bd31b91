"""What commands print to may be closed, full or unable to show what is printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from toys import tone_corpus
from tqdm.auto import tqdm

from songnet_utils import cli
from songnet_utils._utils.errors import SongNetError

ROOT = Path(__file__).resolve().parents[1]
JAZZ = "ジャズ"


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """A corpus whose genres hardly any old encoding has."""
    folder = tone_corpus(tmp_path_factory.mktemp("songs") / "…", genres=["High", "Low"], clips=3)
    (folder / "High").rename(folder / JAZZ)
    (folder / "Low").rename(folder / "Été 🎵")
    return folder


@pytest.fixture
def shell(tmp_path, data) -> Callable[..., tuple[int, bytes, bytes]]:
    """Run a command with redirections of a shell; return (exit code, stdout, stderr)."""

    def run(*arguments: object, redirected: str = "", **environment: str):
        program = [sys.executable, "-m", "songnet_utils.cli", *map(str, arguments)]
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirected}', "sh", *program],
            cwd=ROOT,
            env={**os.environ, "SONGNET_DATA": str(data), **environment},
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.mark.parametrize("arguments", [["corpora"], ["--help"], ["train", "--help"]])
@pytest.mark.parametrize("redirected", [">&-", pytest.param(">/dev/full", marks=full)])
def test_what_could_not_be_printed_is_an_error_in_one_line(shell, arguments, redirected):
    code, _, error = shell(*arguments, redirected=redirected)
    assert code == 1
    (line,) = error.decode().splitlines()
    assert line.startswith("songnet: standard output: ")


@pytest.mark.parametrize("redirected", ["2>&-", pytest.param("2>/dev/full", marks=full), "<&-"])
def test_answers_are_whole_without_the_other_streams(shell, redirected):
    code, out, error = shell("corpora", redirected=redirected)
    assert (code, error) == (0, b"")
    assert b"fma_full" in out
    # An error that nobody can read is no answer.
    code, out, error = shell("corpora", "nowhere", redirected=redirected)
    assert (code, out) == (1, b"")


def test_no_stream_at_all_ends_in_an_exit_code(shell):
    assert shell("corpora", redirected="<&- >&- 2>&-") == (1, b"", b"")


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path):
    """The system gives a new file the lowest free number; C code prints to number 1 and 2."""
    program = """if True:
        import os, sys
        from songnet_utils import cli

        def work(options):
            with open(sys.argv[1], "wb") as file:
                for number in (1, 2):
                    try:
                        os.write(number, b"stray")
                    except OSError:
                        pass
            return 0

        cli._corpora = work
        cli.main(["corpora"])
    """
    file = tmp_path / "file"
    command = [sys.executable, "-c", program, str(file)]
    subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], cwd=ROOT, check=False)
    assert file.read_bytes() == b""


def test_a_reader_who_has_gone_is_no_news(shell):
    _, _, error = shell("corpora", redirected="| true")
    assert error == b""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_replaced(shell, songs, encoding):
    for arguments in (["corpora", songs], ["train", "--help"], ["corpora", songs / JAZZ]):
        code, out, error = shell(*arguments, PYTHONIOENCODING=encoding)
        assert b"Traceback" not in error
        assert code == (1 if arguments[-1] == songs / JAZZ else 0)
        said = (out + error).decode(encoding)
        assert (JAZZ in said) == (encoding == "utf-8" and arguments[-1] != "--help")


# --- Progress bars -----------------------------------------------------------------------------


def shown(printed: str) -> list[str]:
    """Return the lines that a terminal shows in the end."""
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\n|\r|\x1b\[A)", printed):
        if part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row == len(lines))
        elif part == "\r":
            column = 0
        elif part == "\x1b[A":
            row -= 1
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + part + line[column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("end", [SongNetError("it failed."), KeyboardInterrupt()])
def test_an_error_has_a_line_of_its_own_whatever_bars_are_shown(monkeypatch, capfd, end):
    def work(options):
        with tqdm(total=3, desc="outer", leave=False):
            for _ in tqdm(range(3), desc="a bar of a loop", leave=False):
                cli._note("a note.")
                raise end

    monkeypatch.setattr(cli, "_corpora", work)
    assert cli.main(["corpora"]) != 0
    printed = capfd.readouterr().err
    lines = [line for line in shown(printed) if line]
    assert lines[0] == "songnet: a note."
    assert lines[1].startswith("songnet: ")
    assert len(lines) == 2
    # Nothing is drawn after it.
    assert printed.endswith(lines[1] + "\n")
