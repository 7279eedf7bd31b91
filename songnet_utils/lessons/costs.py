"""What the lessons cost, as it was measured when all of them were run: for their first cells.

The record is made by ``make costs``: each lesson is run alone, in a data folder that holds the
music and nothing else, and then its notebook with solutions in the folder that the first one left.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from songnet_utils._utils.files import size_text
from songnet_utils.lessons.kept import read_kept
from songnet_utils.lessons.meter import Cost

#: What the record is called.
NAME = "costs"

#: What makes it.
COMMAND = "make costs"

# What is assumed of a reader, and said beside what follows from it.
_WORDS_A_MINUTE = 150
_MINUTES_AN_EXERCISE = 6

# Processors that others kept busy: more than this, and times are too long.
_BUSY = 0.5

_MEGA, _GIGA = 1e6, 1e9


class LessonCost:
    """What one lesson costs; in a notebook, end a cell with it.

    Parameters
    ----------
    lesson : str
        The lesson's file name without its suffix.
    content : dict
        The record of all lessons.
    """

    def __init__(self, lesson: str, content: Mapping[str, Any]) -> None:
        its = content["lessons"][lesson]
        self.lesson = lesson
        self.first, self.again = Cost(**its["first"]), Cost(**its["again"])
        self.music = Cost(**content["music"])
        self._words, self._exercises = its["words"], its["exercises"]
        self._machine = (
            f"{content['command']}, on {content['processors']} processors "
            f"({content['machine']}, Python {content['versions']['python']}, "
            f"TensorFlow {content['versions']['tensorflow']})"
        )
        self._busy = content["load"] > _BUSY

    def rows(self) -> dict[str, dict[str, str]]:
        """Return what is shown: a row for the first time and one for later, in words."""
        return {
            "the first time": _in_words(self.first),
            "again": _in_words(self.again),
        }

    def says_of_reading(self) -> str:
        """Say how long it takes to read the lesson and to do its exercises."""
        minutes = self._words / _WORDS_A_MINUTE + self._exercises * _MINUTES_AN_EXERCISE
        return (
            f"To read and do: about {max(5, 5 * round(minutes / 5))} minutes "
            f"({self._words:,} words at {_WORDS_A_MINUTE} a minute, {self._exercises} exercises "
            f"at {_MINUTES_AN_EXERCISE} minutes)."
        )

    def says_of_music(self) -> str:
        """Say what making the music costs, once for all lessons."""
        its = _in_words(self.music)
        return (
            f"Before the first lesson the music is made, once for all: {its['time']}, "
            f"{its['on disk']}."
        )

    def source(self) -> str:
        """Say where the figures are from."""
        busy = (
            " Other programs kept the machine busy: alone it takes less time." if self._busy else ""
        )
        return f"Measured by {self._machine}.{busy}"

    def __repr__(self) -> str:
        lines = [
            f"What {self.lesson} costs, {when}: "
            + ", ".join(f"{what} {value}" for what, value in its.items())
            for when, its in self.rows().items()
        ]
        return "\n".join([*lines, self.says_of_reading(), self.says_of_music(), self.source()])

    def _repr_html_(self) -> str:
        rows = self.rows()
        head = "".join(f'<th scope="col">{what}</th>' for what in rows["again"])
        body = "".join(
            f'<tr><th scope="row" style="text-align: left">{when}</th>'
            + "".join(f"<td>{html.escape(value)}</td>" for value in its.values())
            + "</tr>"
            for when, its in rows.items()
        )
        notes = " ".join([self.says_of_reading(), self.says_of_music(), self.source()])
        return (
            '<table class="lesson-cost"><caption style="text-align: left">What this lesson '
            f'costs</caption><thead><tr><th scope="col">run from top to bottom</th>{head}</tr>'
            f"</thead><tbody>{body}</tbody></table><p>{html.escape(notes)}</p>"
        )


class Unmeasured:
    """Says that a lesson's costs are not known; it stands where they would.

    Parameters
    ----------
    lesson : str
        The lesson's file name without its suffix.
    """

    def __init__(self, lesson: str) -> None:
        self.lesson = lesson

    def __repr__(self) -> str:
        return f"What {self.lesson} costs has not been measured yet: {COMMAND}"


def cost_of(lesson: str, folder: Path | None = None) -> LessonCost | Unmeasured:
    """Return what a lesson costs.

    Parameters
    ----------
    lesson : str
        The lesson's file name without its suffix, such as ``"01-data"``.
    folder : pathlib.Path, optional
        Where the record is kept; with the lessons by default.

    Returns
    -------
    LessonCost or Unmeasured
        The second for a lesson that is newer than the record, so that it runs all the same.

    Raises
    ------
    SongNetError
        When there is no record, or it is not whole.
    """
    content = read_kept(NAME, dict, folder, COMMAND)
    if lesson not in content.get("lessons", {}):
        return Unmeasured(lesson)
    return LessonCost(lesson, content)


def _in_words(cost: Cost) -> dict[str, str]:
    return {
        "time": _time(cost.seconds),
        "memory": f"{cost.memory / _GIGA:.1f} GB",
        "on disk": _size(cost.disk),
        "download": _size(cost.download),
    }


def _time(seconds: float) -> str:
    if seconds < 95:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{seconds / 60:.1f} minutes"


def _size(size: float) -> str:
    return "none" if size < _MEGA else size_text(size)
