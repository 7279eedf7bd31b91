"""Writing files so that nobody ever meets half of one, and tables whose texts stay texts."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils.errors import SongNetError

# Asking for the mask means setting it, for all threads.
_MASK = threading.Lock()


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the place of `path` when the block ends well.

    Parameters
    ----------
    path
        The file to write. Its folder is made if it is not there.

    Yields
    ------
    pathlib.Path
        Where to write. It has the same suffix as `path`.

    Raises
    ------
    SongNetError
        When the disk is full or refuses the file; nothing half-written is left and an older
        file at `path` stays as it was.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem}-", suffix=f".part{target.suffix}"
        )
    except OSError as error:
        raise _cannot_write(target, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files for their owner alone; give the file the usual permissions.
        with _MASK:
            mask = os.umask(0)
            os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write `content` as a JSON file for people and programs to read, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def write_csv(path: str | os.PathLike[str], table: pd.DataFrame) -> None:
    """Write a table, without its index, as a CSV file that `read_csv` reads back as it was."""
    with atomic_write(path) as temporary:
        # Without quotation marks pandas takes a carriage return in a name for the end of a line.
        table.to_csv(
            temporary,
            index=False,
            quoting=csv.QUOTE_NONNUMERIC,
            lineterminator="\n",
            encoding="utf-8",
        )


def read_csv(path: str | os.PathLike[str], **options: Any) -> pd.DataFrame:
    """Return a CSV file's table as texts, missing where a cell is empty.

    pandas would guess the kind of each column: an artist called ``NA`` or ``null`` would be
    missing, a genre called ``80`` or ``true`` no text. Columns of numbers are for the caller to
    convert, who knows them.

    Parameters
    ----------
    path
        The file, in UTF-8.
    **options
        Further arguments of `pandas.read_csv`.
    """
    return pd.read_csv(
        path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8", **options
    )


def _cannot_write(target: Path, error: OSError) -> SongNetError:
    return SongNetError(
        f"{target}: could not be written ({error.strerror or error}). "
        "Make room on the disk or choose another folder; what was there before is unchanged."
    )
