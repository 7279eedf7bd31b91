"""A confusion matrix to press and hear: behind each number are clips."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anywidget
import ipywidgets
import matplotlib as mpl
import numpy as np
import traitlets
from matplotlib.colors import to_hex
from sklearn.metrics import confusion_matrix

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.evaluation.error_analysis import ErrorAnalysis
from songnet_utils.plots.players import Player, excerpt
from songnet_utils.widgets.messages import COMMON, joined
from songnet_utils.widgets.recording import WithRecording, smaller

#: How much of each clip is played, in seconds.
SECONDS = 12.0

#: How many clips get a player at a time.
AT_ONCE = 4


class Numbers(anywidget.AnyWidget):
    """A table of numbers to press, each with a name that a screen reader says.

    The Tab key stops at it once; arrows move inside.

    Parameters
    ----------
    pressed : callable
        Called with row and column of the number that was pressed.
    table : dict
        ``caption``; ``heads``, of rows and columns alike; ``counts``, ``names`` and ``looks`` (the
        colour behind a number and its own), each a list of rows.
    """

    _esm = joined(*COMMON, "numbers.js")
    _css = joined("common.css", "numbers.css")
    table: traitlets.Dict = traitlets.Dict().tag(sync=True)

    def __init__(self, pressed: Callable[[int, int], None], table: dict[str, Any]) -> None:
        super().__init__(table=table)
        self.press = pressed
        self.on_msg(lambda _, content, __: self.press(content["row"], content["column"]))


class ConfusionButtons(WithRecording, ipywidgets.VBox):
    """A number for each pair of truth and answer; pressing it plays its clips.

    Rows are the truth, columns the answers; the colour is the share of the row, as in
    `songnet_utils.plots.confusion_matrix`. The first clip plays at once, the others wait.

    Parameters
    ----------
    analysis : ErrorAnalysis
        What the network made of the test clips.
    """

    def __init__(self, analysis: ErrorAnalysis) -> None:
        self._analysis, genres = analysis, analysis.genres
        self._known = analysis.prepared.corpus.clips.set_index("id", drop=False)
        self._counts = confusion_matrix(
            analysis.answers.genre, analysis.answers.answer, labels=genres
        )
        #: The test clips of the cell that was pressed last, the most confident first.
        self.clips: list[str] = []
        shares = self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1)
        colours = mpl.colormaps["Blues"](shares)
        #: The numbers to press, rows and columns in the order of the network's genres.
        self.numbers = Numbers(
            lambda row, column: self.choose(genres[row], genres[column]),
            {
                "caption": "Truth in rows, answers in columns; press a number to hear its clips",
                "heads": list(genres),
                "counts": self._counts.tolist(),
                "names": [[self._says(truth, answer) for answer in genres] for truth in genres],
                "looks": [[(to_hex(its), ink_on(its)) for its in row] for row in colours],
            },
        )
        self._about = ipywidgets.HTML("<p role='status'>Nothing is pressed yet.</p>")
        self._sounds = ipywidgets.VBox()
        self._more = ipywidgets.Button(layout={"display": "none"})
        self._more.on_click(lambda _: self._play_more())
        super().__init__([self.numbers, self._about, self._sounds, self._more])

    def __repr__(self) -> str:
        """Say what stands in the widget's place where there is no kernel."""
        return f"Confusion matrix of {self._counts.sum()} clips, to press and hear."

    def choose(self, truth: str, answer: str) -> None:
        """Show and play the clips of one cell, as a press of its number does."""
        self._about.value = f"<p role='status'><b>{html.escape(self._says(truth, answer))}</b></p>"
        self.clips = self._clips_of(truth, answer)
        self._sounds.children = []
        self._play_more()

    def _play_more(self) -> None:
        there = len(self._sounds.children)
        new = self._sounds_of(self.clips[there : there + AT_ONCE])
        self._sounds.children = (*self._sounds.children, *map(ipywidgets.HTML, new))
        left = len(self.clips) - len(self._sounds.children)
        self._more.description = f"Next {min(left, AT_ONCE)} of {left} more"
        self._more.layout.display = "" if left else "none"

    def _clips_of(self, truth: str, answer: str) -> list[str]:
        answers = self._analysis.answers
        of_cell = answers[(answers.genre == truth) & (answers.answer == answer)]
        return of_cell.sort_values("confidence", ascending=False).index.tolist()

    def _sounds_of(self, clips: list[str]) -> list[str]:
        # Only the first of them plays by itself.
        return [self._sound(clip, not place) for place, clip in enumerate(clips)]

    def _sound(self, clip: str, autoplay: bool) -> str:
        rate = self._analysis.net.sound.sample_rate
        # From the corpus: in the answers, unknown artists have names of their own.
        row: Any = self._known.loc[clip]
        confidence = self._analysis.answers.confidence[clip]
        label = f"{confidence:.0%} sure: {credit(row, self._analysis.prepared.corpus.name)}"
        try:
            piece = excerpt(load_audio(row.file, rate), rate, 0, SECONDS)
            return Player(piece, rate, label, autoplay=autoplay)._repr_html_()
        except SongNetError as error:
            return f"<p>{html.escape(f'{label}: {error}')}</p>"

    def _says(self, truth: str, answer: str) -> str:
        row = self._counts[self._analysis.genres.index(truth)]
        what = "answered right" if truth == answer else f"taken for {answer}"
        return f"{truth} {what}: {row[self._analysis.genres.index(answer)]} of {row.sum()} clips"

    def _still_html(self) -> str:
        title = "Behind each number"
        matrix = plots.confusion_matrix(self._counts, self._analysis.genres, title=title)
        return plots.show(matrix)._repr_html_()

    def recording(self) -> dict[str, Any]:
        """Return the numbers, and the first clips behind each."""
        genres = self._analysis.genres

        def cell(pair: tuple[str, str]) -> dict[str, str]:
            sounds = self._sounds_of(self._clips_of(*pair)[:AT_ONCE])
            return {"says": self._says(*pair), "players": "".join(sounds)}

        pairs = [(truth, answer) for truth in genres for answer in genres]
        with smaller(), ThreadPoolExecutor(os.cpu_count()) as pool:
            said = list(pool.map(cell, pairs))
        cells = [said[at : at + len(genres)] for at in range(0, len(said), len(genres))]
        return {
            "widget": "confusion",
            "note": f"This page holds up to {AT_ONCE} clips behind each number. The notebook plays "
            "all of them: run make lab and open this lesson.",
            "traits": {"table": self.numbers.table, "cells": cells},
        }


def ink_on(colour: np.ndarray) -> str:
    """Return black or white, whichever is easier to read on a colour (WCAG 2.2, 1.4.3)."""
    parts = np.asarray(colour[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # Where black (L + 0.05) / 0.05 and white 1.05 / (L + 0.05) have the same contrast.
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"
