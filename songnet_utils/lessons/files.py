"""The lessons and their records, beside this package's source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError

#: The folder of the lessons that came with this package's source.
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

#: The folder of the lessons with solutions, inside that of the lessons.
SOLUTIONS = "solutions"

#: The folder of their records.
RECORDS = NOTEBOOKS / "records"


def find_lessons(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks with solutions in a folder of lessons, in the order of their names.

    Raises
    ------
    SongNetError
        When there is none.
    """
    paths = sorted((folder / SOLUTIONS).glob("*.ipynb"))
    if not paths:
        raise SongNetError(
            f"{folder / SOLUTIONS}: has no lessons (*.ipynb). They come with the project's "
            "source: clone it, or name their folder."
        )
    return paths


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
