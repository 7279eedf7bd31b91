"""The lessons and their records, beside this package's source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError

#: The folder of the lessons that came with this package's source.
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

#: The folder of the lessons with solutions, inside the folder of the lessons.
SOLUTIONS = "solutions"

#: The folder of their records.
RECORDS = NOTEBOOKS / "records"


def find_lessons(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks with solutions in a folder of lessons, sorted by name.

    Raises
    ------
    SongNetError
        When there are none.
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
        The name of the record.
    folder : pathlib.Path
        Where it is.
    command : str
        The command that makes it.

    Raises
    ------
    SongNetError
        When it is missing or incomplete.
    """
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SongNetError(
            f"{path}: the record is missing or damaged ({type(error).__name__}). Make it: {command}"
        ) from error
