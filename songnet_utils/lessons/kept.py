"""What is kept with the course, beside this package's source: its lessons and its records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from songnet_utils._utils.errors import SongNetError

_Kept = TypeVar("_Kept")

_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def lessons_folder() -> Path:
    """Return the folder of the lessons that came with this package's source.

    Raises
    ------
    SongNetError
        When the package stands alone.
    """
    if not _NOTEBOOKS.is_dir():
        raise SongNetError(
            f"{_NOTEBOOKS}: is not there. The lessons come with the project's source: "
            "clone it and run `make course`, or name their folder."
        )
    return _NOTEBOOKS


def records_folder() -> Path:
    """Return where records are kept: beside the lessons of this package's source."""
    return _NOTEBOOKS / "records"


def read_kept(
    name: str,
    kind: Callable[[dict[str, Any]], _Kept],
    folder: Path | None = None,
    command: str = "make records",
) -> _Kept:
    """Return what is kept under a name, as `kind` makes it of the file's content.

    Parameters
    ----------
    name : str
        What the record is called.
    kind : callable
        Makes what is returned of the file's content.
    folder : pathlib.Path, optional
        Where it is kept; `records_folder` by default.
    command : str
        What makes it.

    Raises
    ------
    SongNetError
        When it is not there or not whole.
    """
    path = (folder or records_folder()) / f"{name}.json"
    try:
        return kind(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise SongNetError(
            f"{path}: there is no whole record ({type(error).__name__}). Make it: {command}"
        ) from error
