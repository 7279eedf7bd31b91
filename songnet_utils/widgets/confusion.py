"""A confusion matrix whose numbers you press to hear their clips."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import traitlets
from sklearn.metrics import confusion_matrix

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.evaluation.error_analysis import ErrorAnalysis
from songnet_utils.plots.players import Player, excerpt
from songnet_utils.widgets.messages import COMMON, Message, Messages, joined
from songnet_utils.widgets.recording import WithRecording

#: The seconds of each clip to play.
SECONDS = 12.0

#: The number of players to add at a time.
AT_ONCE = 4


class ConfusionButtons(WithRecording, Messages):
    """A number for each pair of true genre and prediction; press it to play its clips.

    Rows are true genres and columns predictions; the colour is the share of the row, as in
    `songnet_utils.plots.confusion_matrix`. The first clip plays at once. Each number has a name
    for screen readers; the Tab key stops once at the table, and the arrow keys move inside it.

    Parameters
    ----------
    analysis : ErrorAnalysis
        The network's answers for the test clips.

    Notes
    -----
    Message from the page: ``press`` (row and column of a number, and how many of its clips have a
    player). Message to the page: ``players`` (the next ones as HTML, and how many are left).
    """

    _esm = joined(*COMMON, "confusion.js")
    _css = joined("common.css", "numbers.css")
    _subject = ("row", "column", "start")
    _slow = ("press",)
    #: ``caption``; ``heads`` of rows and columns; ``counts``, ``names`` and ``shares`` of the row,
    #: each a list of rows.
    table: traitlets.Dict = traitlets.Dict().tag(sync=True)

    def __init__(self, analysis: ErrorAnalysis, **widget: Any) -> None:
        self._analysis, genres = analysis, analysis.genres
        self._known = analysis.prepared.corpus.clips.set_index("id", drop=False)
        self._counts = confusion_matrix(
            analysis.answers.genre, analysis.answers.answer, labels=genres
        )
        shares = self._counts / np.maximum(self._counts.sum(axis=1, keepdims=True), 1)
        table = {
            "caption": "Rows: true genre; columns: prediction. Press a number to hear its clips",
            "heads": list(genres),
            "counts": self._counts.tolist(),
            "names": [[self._name(truth, answer) for answer in genres] for truth in genres],
            "shares": shares.tolist(),
        }
        super().__init__(table=table, **widget)

    def _on_press(self, content: dict[str, Any], buffers: Any) -> Message:
        about = self._about(content)
        return {"kind": "players", **about, **self.players(**about)}, []

    def players(self, row: int, column: int, start: int = 0) -> dict[str, Any]:
        """Return players for a number's clips from the one at `start` on, as HTML."""
        clips = self.clips(self._analysis.genres[row], self._analysis.genres[column])[start:]
        # Only the first player starts by itself.
        sounds = [self._sound(clip, not place) for place, clip in enumerate(clips[:AT_ONCE])]
        return {"players": "".join(sounds), "left": len(clips) - len(sounds)}

    def clips(self, truth: str, answer: str) -> list[str]:
        """Return the test clips behind a number, the most confident first."""
        answers = self._analysis.answers
        of_cell = answers[(answers.genre == truth) & (answers.answer == answer)]
        return of_cell.sort_values("confidence", ascending=False).index.tolist()

    def _sound(self, clip: str, autoplay: bool) -> str:
        rate = self._analysis.net.sound.sample_rate
        # Look it up in the corpus, because the answers give unknown artists made-up names.
        row: Any = self._known.loc[clip]
        confidence = self._analysis.answers.confidence[clip]
        label = f"{confidence:.0%} sure: {credit(row, self._analysis.prepared.corpus.name)}"
        try:
            piece = excerpt(load_audio(row.file, rate), rate, 0, SECONDS)
            return Player(piece, rate, label, autoplay=autoplay)._repr_html_()
        except SongNetError as error:
            return f"<p>{html.escape(f'{label}: {error}')}</p>"

    def _name(self, truth: str, answer: str) -> str:
        row = self._counts[self._analysis.genres.index(truth)]
        what = "predicted correctly" if truth == answer else f"taken for {answer}"
        return f"{truth} {what}: {row[self._analysis.genres.index(answer)]} of {row.sum()} clips"

    def recording(self) -> dict[str, Any]:
        """Return the numbers, and the first clips behind each."""
        places = range(len(self._analysis.genres))
        answers = self._answers(
            {"kind": "press", "row": row, "column": column, "start": 0}
            for row in places
            for column in places
        )
        note = f"This page has up to {AT_ONCE} clips for each number."
        traits = {"table": self.table}
        return {"widget": "confusion", "note": note, "traits": traits, "answers": answers}
