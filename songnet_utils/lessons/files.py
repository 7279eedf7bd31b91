"""The lessons and their records, beside this package's source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError

#: The folder of the lessons that came with this package's source.
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

#: The folder of their records.
RECORDS = NOTEBOOKS / "records"


def read_content(name: str, folder: Path = RECORDS, command: str = "make records") -> Any:
    """Return the content of a record of the course.

    Parameters
    ----------
    name : str
        What the record is called.
    folder : pathlib.Path
        Where it is.
    command : str
        What makes it.

    Raises
    ------
    SongNetError
        When it is not there or not whole.
    """
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SongNetError(
            f"{path}: there is no whole record ({type(error).__name__}). Make it: {command}"
        ) from error
