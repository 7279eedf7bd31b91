"""The folder for data, and functions that write files whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError

if TYPE_CHECKING:
    import pandas as pd

# The names of temporary files; no other files have such names.
_PREFIX = ".songnet-"
_TEMPORARY = re.compile(r"\.songnet-[0-9a-f]{8}\.part(\..*)?", re.DOTALL)

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` when the block succeeds.

    Parameters
    ----------
    path
        The file to write. Its folder is created if it does not exist.

    Yields
    ------
    pathlib.Path
        The path to write to. It has the suffix of `path`, and a name that `sweep` recognises.

    Raises
    ------
    SongNetError
        When the disk is full or refuses the file. No incomplete file remains, and an older file
        at `path` is unchanged.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = _make_temporary(target.parent, target.suffix)
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        yield temporary
        # Windows only syncs files that are open for writing.
        with temporary.open("r+b") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write `content` as a readable JSON file, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def write_csv(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table, without its index, as a CSV file that `read_csv` restores exactly."""
    with atomic_write(path) as temporary:
        # Without quotation marks, pandas takes a carriage return in a name for the end of a line.
        table.to_csv(
            temporary,
            index=False,
            quoting=csv.QUOTE_NONNUMERIC,
            lineterminator="\n",
            encoding="utf-8",
        )


def read_csv(path: str | os.PathLike[str], **options: Any) -> pd.DataFrame:
    """Return a CSV file's table as strings; empty cells are missing values.

    pandas would guess the type of each column: an artist called ``NA`` or ``null`` would become a
    missing value, and a genre called ``80`` or ``true`` would not be a string. The caller converts
    columns of numbers.

    Parameters
    ----------
    path
        The file, in UTF-8.
    **options
        Further arguments of `pandas.read_csv`.
    """
    import pandas as pd

    return pd.read_csv(
        path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8", **options
    )


def check_writable(path: str | os.PathLike[str], *endings: str) -> None:
    """Raise SongNetError unless a file can be written at `path`; call it before long work.

    The check creates neither the file nor a folder for it. If there are `endings`, such as
    ``.json``, the name must have one of them: a slip must not overwrite a song.
    """
    target = Path(path).absolute()
    if endings and target.suffix.lower() not in endings:
        raise SongNetError(
            f"{path}: must end in {' or '.join(endings)}, so that no other file is overwritten."
        )
    try:
        with contextlib.suppress(FileNotFoundError):
            target.stat()
            if not target.is_file():
                raise SongNetError(f"{path}: is not a regular file. Give the name of a file.")
            if not os.access(target, os.W_OK):
                raise SongNetError(
                    f"{path}: is read-only. Choose another name, or change its permissions."
                )
        folder = next(folder for folder in target.parents if os.path.lexists(folder))
        _make_temporary(folder).unlink()
    except OSError as error:
        raise cannot_write(Path(path), error) from error


def cannot_write(target: Path, error: OSError) -> SongNetError:
    """Return the error for a file that could not be written, with a remedy for its cause."""
    if error.errno in _NO_ROOM:
        way_out = "Make room on the disk or choose another folder"
    elif error.errno in _NOT_ALLOWED:
        way_out = (
            f"You may not write to the folder {target.parent}. Choose another, change its "
            "permissions, or close the file in other programs"
        )
    else:
        way_out = "Check what is at that path, or choose another"
    return SongNetError(
        f"{target}: could not be written ({error.strerror or error}). {way_out}. An older file "
        "there is unchanged."
    )


def sweep(folder: Path, abandoned_seconds: float = 0.0) -> None:
    """Remove the incomplete files of killed processes from a folder and its subfolders.

    Parameters
    ----------
    folder : pathlib.Path
        The folder. Only temporary files of `atomic_write` are removed.
    abandoned_seconds : float ≥ 0
        More recent files stay, because a process may still be writing them.
    """
    for part in folder.rglob(f"{_PREFIX}*"):
        # Another process may remove it first.
        with contextlib.suppress(OSError):
            age = time.time() - part.stat().st_mtime
            is_abandoned = not abandoned_seconds or age > abandoned_seconds
            if is_abandoned and _TEMPORARY.fullmatch(part.name):
                part.unlink()


def size_text(size: float) -> str:
    """Return a number of bytes in a readable unit.

    Examples
    --------
    >>> [size_text(size) for size in (0, 12, 45_678, 370e6, 7.2e9)]
    ['0 B', '12 B', '46 kB', '370 MB', '7.2 GB']
    """
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    for unit, each in (("MB", 1e6), ("kB", 1e3)):
        if size >= each:
            return f"{size / each:,.0f} {unit}"
    return f"{size:.0f} B"


def check_working_folder() -> None:
    """Raise SongNetError if the current folder no longer exists."""
    try:
        os.getcwd()
    except OSError as error:
        raise SongNetError(
            "The current folder has been deleted or moved. Change to one that exists (cd), then "
            "run the command again."
        ) from error


def data_folder(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of corpora, stores and runs: `data_dir`, ``$SONGNET_DATA`` or ``data``.

    JupyterLab runs a notebook in the notebook's own folder. In ``notebooks`` and in
    ``notebooks/solutions``, this function returns a ``data`` beside ``notebooks``, if there is one,
    so that lessons and command line share their data.
    """
    if chosen := data_dir or os.environ.get("SONGNET_DATA"):
        return Path(chosen).absolute()
    check_working_folder()
    project = above_lessons()
    beside = project / "data" if project else None
    return beside if beside and beside.is_dir() else Path.cwd() / "data"


def newest_run() -> Path | None:
    """Return the folder of the newest finished run of a network in the data folder, if any."""
    # Only runs of networks have a model.onnx.
    models = (data_folder() / "runs").glob("*/*/model.onnx")
    records = [model.with_name("record.json") for model in models]
    finished = [record for record in records if record.is_file()]
    newest = max(finished, key=lambda record: record.stat().st_mtime, default=None)
    return newest.parent if newest else None


def above_lessons() -> Path | None:
    """Return the folder above ``notebooks`` if you are in it or in its ``solutions``, else None."""
    here = Path.cwd()
    lessons = here.parent if here.name == "solutions" else here
    return lessons.parent if lessons.name == "notebooks" else None


def _make_temporary(folder: Path, suffix: str = "") -> Path:
    temporary = folder / f"{_PREFIX}{secrets.token_hex(4)}.part{suffix}"
    temporary.touch(exist_ok=False)
    return temporary
