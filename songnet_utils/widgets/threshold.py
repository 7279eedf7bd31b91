"""A slider for the confidence threshold below which a network gives no answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from songnet_utils import plots
from songnet_utils.evaluation.report import probabilities_of
from songnet_utils.metrics.accuracy import selective_accuracy
from songnet_utils.metrics.intervals import Interval, artist_interval, few_artists
from songnet_utils.widgets.explorer import Explorer
from songnet_utils.widgets.slider import Slider

# The stops of the slider, rounded, so that 0.29 is exactly 0.29.
_THRESHOLDS = np.round(np.linspace(0, 1, 101), 2).tolist()


class ThresholdSlider(Explorer):
    """Move the threshold; see how many answers are left and how many of them are right.

    Parameters
    ----------
    answers : pandas.DataFrame
        A network's answers, from `songnet_utils.training.runs.read_answers`; test clips count.
    genres : sequence of str
        All genres of the network.

    Raises
    ------
    SongNetError
        When the answers have no probabilities, or no test clip.
    """

    def __init__(self, answers: pd.DataFrame, genres: Sequence[str]) -> None:
        given, truth, self._artists = probabilities_of(answers, genres, "test")
        self._correct = given.argmax(axis=1) == truth
        self._confidence = given.max(axis=1)
        self._table = selective_accuracy(self._correct, self._confidence, _THRESHOLDS)
        self.slider = Slider("Threshold", _THRESHOLDS, 0.5)
        super().__init__([self.slider])

    @property
    def at(self) -> pd.Series:
        """The row of `songnet_utils.metrics.accuracy.selective_accuracy` at the slider."""
        return self._table.iloc[self.slider.place]

    def interval(self) -> Interval | None:
        """Return the 95 % interval of the accuracy at the slider; None if there are no answers.

        It is an interval over artists, like all intervals of accuracies here.
        """
        given = self._confidence >= self.at.threshold
        return artist_interval(self._correct[given], self._artists[given]) if given.any() else None

    def _make(self) -> None:
        row, interval = self.at, self.interval()
        words = f"Answered: {row.answered:.0f} of {len(self._correct)} clips ({row.coverage:.0%})."
        if interval is not None:
            artists = len(set(self._artists[self._confidence >= row.threshold]))
            words += (
                f" Of these, {row.right:.0f} are right: <b>{row.accuracy:.1%}</b> (95 % interval "
                f"{interval[0]:.1%} to {interval[1]:.1%}). {few_artists(artists)}"
            )
        self._show(words, [plots.selective_accuracy(self._table, row, interval)])

    def _recorded(self) -> list[Sequence[float]]:
        return [_THRESHOLDS[::10]]
