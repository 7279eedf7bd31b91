"""A confusion matrix to press and hear: behind each number are clips."""

from __future__ import annotations

import html
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ipywidgets
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from sklearn.metrics import confusion_matrix

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.evaluation.error_analysis import Heard
from songnet_utils.plots.players import Player, excerpt
from songnet_utils.widgets.numbers import Numbers
from songnet_utils.widgets.recording import WithRecording, smaller

#: Of each clip so much is played, in seconds.
SECONDS = 12.0

#: So many clips get a player at a time.
AT_ONCE = 4


class ConfusionButtons(WithRecording, ipywidgets.VBox):
    """A number for each pair of truth and answer; pressing it plays its clips.

    Rows are the truth, columns the answers; the colour is the share of the row, as in
    `songnet_utils.plots.confusion_matrix`. The first clip plays at once, the others wait.

    Parameters
    ----------
    heard : Heard
        What the network made of the test clips.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._known = heard.prepared.corpus.clips.set_index("id", drop=False)
        self._counts = confusion_matrix(
            heard.answers.genre, heard.answers.answer, labels=heard.genres
        )
        #: The test clips of the cell that was pressed last, the most confident first.
        self.clips: list[str] = []
        #: The numbers to press, rows and columns in the order of the network's genres.
        self.numbers = self._numbers()
        self._about = ipywidgets.HTML("<p role='status'>Nothing is pressed yet.</p>")
        self._sounds = ipywidgets.VBox()
        self._more = ipywidgets.Button(description="More of them", layout={"display": "none"})
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
        coming = self.clips[there : there + AT_ONCE]
        # Only what was asked for plays by itself: of what comes, the first.
        new = [self._sound(clip, place == 0) for place, clip in enumerate(coming)]
        self._sounds.children = (*self._sounds.children, *map(ipywidgets.HTML, new))
        left = len(self.clips) - len(self._sounds.children)
        self._more.description = f"Next {min(left, AT_ONCE)} of {left} more"
        self._more.layout.display = "" if left else "none"

    def _clips_of(self, truth: str, answer: str) -> list[str]:
        answers = self._heard.answers
        of_cell = answers[(answers.genre == truth) & (answers.answer == answer)]
        return of_cell.sort_values("confidence", ascending=False).index.tolist()

    def _sound(self, clip: str, autoplay: bool) -> str:
        rate = self._heard.net.sound.sample_rate
        # From the corpus: in what was heard, unknown artists have names of their own.
        row: Any = self._known.loc[clip]
        sure = self._heard.answers.confidence[clip]
        label = f"{sure:.0%} sure: {credit(row, self._heard.prepared.corpus.name)}"
        try:
            piece = excerpt(load_audio(row.file, rate), rate, 0, SECONDS)
            return Player(piece, rate, label, autoplay=autoplay)._repr_html_()
        except SongNetError as error:
            return f"<p>{html.escape(f'{label}: {error}')}</p>"

    def _says(self, truth: str, answer: str) -> str:
        row = self._counts[self._heard.genres.index(truth)]
        what = "answered right" if truth == answer else f"taken for {answer}"
        return f"{truth} {what}: {row[self._heard.genres.index(answer)]} of {row.sum()} clips"

    def _numbers(self) -> Numbers:
        genres = self._heard.genres
        shares = self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1)
        colours = mpl.colormaps["Blues"](shares)
        return Numbers(
            "Truth in rows, answers in columns; press a number to hear its clips",
            genres,
            self._counts,
            [[self._says(truth, answer) for answer in genres] for truth in genres],
            [[(to_hex(colour), ink_on(colour)) for colour in row] for row in colours],
            lambda row, column: self.choose(genres[row], genres[column]),
        )

    def _still_html(self) -> str:
        return plots.show(
            plots.confusion_matrix(self._counts, self._heard.genres, title="Behind each number")
        )._repr_html_()

    def recording(self) -> dict[str, Any]:
        """Return the numbers, and the first clips behind each."""
        genres = self._heard.genres
        first = {
            (truth, answer): self._clips_of(truth, answer)[:AT_ONCE]
            for truth in genres
            for answer in genres
        }
        with smaller(), ThreadPoolExecutor(os.cpu_count()) as pool:
            players = [
                "".join(pool.map(self._sound, its, [place == 0 for place in range(len(its))]))
                for its in first.values()
            ]
        said = [
            {"says": self._says(*pair), "players": its}
            for pair, its in zip(first, players, strict=True)
        ]
        cells = [said[at : at + len(genres)] for at in range(0, len(said), len(genres))]
        names = ("caption", "heads", "counts", "names", "looks")
        numbers = {name: getattr(self.numbers, name) for name in names}
        return {
            "widget": "confusion",
            "note": f"This page holds up to {AT_ONCE} clips behind each number. The notebook plays "
            "all of them: run make lab and open this lesson.",
            "traits": {"numbers": numbers, "cells": cells},
        }


def ink_on(colour: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever is easier to read on a colour (WCAG 2.2, 1.4.3)."""
    linear = pd.Series(colour[:3]).map(
        lambda part: part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    )
    luminance = float((linear * [0.2126, 0.7152, 0.0722]).sum())
    # Where black (L + 0.05) / 0.05 and white 1.05 / (L + 0.05) have the same contrast.
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"
