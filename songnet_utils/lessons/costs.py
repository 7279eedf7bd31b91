"""What each lesson costs, for its last cell, from the record that ``make costs`` makes."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.files import size_text
from songnet_utils.lessons.files import RECORDS, read_content

#: The name of the record, and the command that makes it.
NAME, COMMAND = "costs", "make costs"

# Assumptions about a reader, stated beside the figures that follow from them.
_WORDS_A_MINUTE = 150
_MINUTES_AN_EXERCISE = 6


class LessonCost:
    """What one lesson costs; in a notebook, end a cell with it.

    Parameters
    ----------
    lesson : str
        The lesson's file name without its suffix.
    content : dict
        The record of all lessons.

    Attributes
    ----------
    table : pandas.DataFrame
        Time, memory and disk in words: a row for the first run, and one for later ones.
    minutes : int
        How long a reader takes, including the exercises.
    """

    def __init__(self, lesson: str, content: Mapping[str, Any]) -> None:
        its = content["lessons"][lesson]
        rows = {"the first time": its["first"], "again": its["again"]}
        self.table = pd.DataFrame({when: _in_words(cost) for when, cost in rows.items()}).T
        words, exercises = its["words"], its["exercises"]
        minutes = words / _WORDS_A_MINUTE + exercises * _MINUTES_AN_EXERCISE
        self.minutes = max(5, 5 * round(minutes / 5))
        music, versions = _in_words(content["music"]), content["versions"]
        # If other programs keep the processors busy, the times are too long.
        busy = "; other programs were running too, so a lesson takes less time alone"
        self.reading = (
            f"Reading and exercises: about {self.minutes} minutes ({words:,} "
            f"words at {_WORDS_A_MINUTE} per minute, {exercises} exercises at "
            f"{_MINUTES_AN_EXERCISE} minutes)."
        )
        self.source = (
            f"Measured on {content['corpus']} by {content['command']}, with "
            f"{content['processors']} processors ({content['machine']}, Python "
            f"{versions['python']}, TensorFlow {versions['tensorflow']}"
            f"{busy if content['load'] > 0.5 else ''}). Making the music before the first lesson "
            f"took {music['time']} and {music['on disk']} of disk."
        )

    def _repr_html_(self) -> str:
        notes = html.escape(f"{self.reading} {self.source}")
        return f"<p>What it costs to run this lesson:</p>{self.table.to_html()}<p>{notes}</p>"


def cost_of(lesson: str, folder: Path = RECORDS) -> LessonCost | str:
    """Return what a lesson costs.

    Parameters
    ----------
    lesson : str
        The lesson's file name without its suffix, such as ``"01-data"``.
    folder : pathlib.Path, optional
        Where the record is; with the lessons by default.

    Returns
    -------
    LessonCost or str
        A note, if the lesson is newer than the record.

    Raises
    ------
    SongNetError
        When the record is missing or incomplete.
    """
    content = read_content(NAME, folder, COMMAND)
    if lesson not in content["lessons"]:
        return f"The cost of {lesson} has not been measured yet. Measure it: {COMMAND}"
    return LessonCost(lesson, content)


def _in_words(cost: Mapping[str, float]) -> dict[str, str]:
    seconds = cost["seconds"]
    short = f"{max(5, 5 * round(seconds / 5))} s"
    return {
        "time": short if seconds < 95 else f"{seconds / 60:.1f} minutes",
        "memory": f"{cost['memory'] / 1e9:.1f} GB",
        "on disk": "none" if cost["disk"] < 1e6 else size_text(cost["disk"]),
    }
