"""Error cards: listen to the clips that a network got wrong, and to similar training clips.

The gallery shows the confusion matrix; choose a cell, or use two lists, to select cards.
A card has the clip's sound, its log-mel, the genre over time with the decisive steps, and the
nearest training clips in the network's embedding, with their sounds.

Python sends the list of cards at once, a card when you open it, and a sound when you play it.
You hear the sound that the network gets: mono, at its own rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.evaluation.error_analysis import ErrorAnalysis, deciding_steps, nearest
from songnet_utils.plots import genre_colours
from songnet_utils.plots.players import Player
from songnet_utils.widgets.messages import COMMON, Message, Messages, joined
from songnet_utils.widgets.recording import WithRecording, address_of, packed

#: The most cards on a page without a kernel.
MOST_ON_PAGE = 12

#: The number of nearest training clips on a card.
NEIGHBOURS = 3


class ErrorCards(WithRecording, Messages):
    """A gallery with a card for each test clip; filter it by true genre and prediction.

    The most confident errors come first and the correct predictions last.

    Parameters
    ----------
    analysis : ErrorAnalysis
        The network's answers for the clips.

    Notes
    -----
    Messages from the page: ``hello`` (a page has opened), ``card`` (open a card), ``sound``
    (play a clip). Messages to the page: ``welcome``, ``card``, ``sound``,
    ``error`` (with its clip).
    """

    _esm = joined(*COMMON, "cards.js")
    _css = joined("common.css", "cards.css")
    _subject = ("clip",)
    _slow = ("sound",)

    def __init__(self, analysis: ErrorAnalysis, **widget: Any) -> None:
        right = analysis.answers[analysis.answers.right].sort_values("confidence", ascending=False)
        self._clips = [*analysis.wrong.index, *right.index]
        self._analysis = analysis
        self._nearest = nearest(analysis, self._clips, k=NEIGHBOURS)
        self._known = analysis.prepared.corpus.clips.set_index("id", drop=False)
        super().__init__(**widget)

    # ---- Messages ------------------------------------------------------------------------------

    def _on_hello(self, content: dict[str, Any], buffers: Any) -> Message:
        return self._welcome(self._clips), []

    def _welcome(self, clips: Sequence[str]) -> dict[str, Any]:
        """Return the matrix of all clips, and the list of some cards."""
        answers, genres = self._analysis.answers, list(self._analysis.genres)
        counts = pd.crosstab(answers.genre, answers.answer)
        counts = counts.reindex(index=genres, columns=genres, fill_value=0)
        return {
            "kind": "welcome",
            "genres": genres,
            "colours": list(genre_colours(genres).values()),
            "counts": counts.to_numpy(int).tolist(),
            "cards": [self._summary(clip) for clip in clips],
        }

    def _on_sound(self, content: dict[str, Any], buffers: Any) -> Message:
        clip = content["clip"]
        return {"kind": "sound", "clip": clip, "address": address_of(self.sound_of(clip))}, []

    # ---- The contents of a card ----------------------------------------------------------------

    def _on_card(self, content: dict[str, Any], buffers: Any) -> Message:
        clip, analysis = content["clip"], self._analysis
        frames, steps = analysis.prepared.frames(clip), analysis.steps_of(clip)
        shares = analysis.contributions(clip)
        timeline = analysis.net.timeline
        spans = np.array([timeline.step_span(step) for step in range(len(steps))])
        card = {
            **{"kind": "card", "clip": clip, "columns": len(frames), "bands": frames.shape[1]},
            "frame_seconds": analysis.net.sound.seconds_of_frame(1),
            "step_seconds": timeline.step_seconds,
            "rival": analysis.rival(clip),
            "deciding": deciding_steps(shares).tolist(),
            "difference": float(shares.sum()),
            "neighbours": [
                {**self._about_clip(row.neighbour), "distance": row.distance, "genre": row.genre}
                for row in self._neighbours(clip).itertuples()
            ],
        }
        return card, [
            _grey(frames).tobytes(),
            np.ascontiguousarray(steps, np.float32).tobytes(),
            spans.tobytes(),
            shares.astype(np.float32).tobytes(),
        ]

    def sound_of(self, clip: str) -> bytes:
        """Return a clip as the network gets it, mono and at its rate, as an mp3.

        Raises
        ------
        SongNetError
            When the clip is not in this run, or its file can no longer be read.
        """
        rate = self._analysis.net.sound.sample_rate
        return Player(load_audio(self._analysis.clip(clip).file, rate), rate, clip).mp3

    def _neighbours(self, clip: str) -> pd.DataFrame:
        return self._nearest[self._nearest.id == clip]

    def _about_clip(self, clip: str) -> dict[str, str]:
        # Look it up in the corpus, because the analysis gives unknown artists made-up names.
        row = self._known.loc[clip]
        title = row.title if isinstance(row.title, str) and row.title else clip
        artist = row.artist if isinstance(row.artist, str) else "an unknown artist"
        source = self._analysis.prepared.corpus.name
        return {"clip": clip, "title": title, "artist": artist, "credit": credit(row, source)}

    def _summary(self, clip: str) -> dict[str, Any]:
        row = self._analysis.answers.loc[clip]
        labels = self._analysis.clips.genres.loc[clip]
        return {
            **self._about_clip(clip),
            "truth": row.genre,
            "answer": row.answer,
            "confidence": float(row.confidence),
            "labels": [str(label) for label in labels] if isinstance(labels, list) else [],
        }

    def recording(self) -> dict[str, Any]:
        """Return the first cards with their sounds, and those of their neighbours."""
        clips = self._clips[:MOST_ON_PAGE]
        near = [row.neighbour for clip in clips for row in self._neighbours(clip).itertuples()]
        answers = self._answers(
            {"kind": kind, "clip": clip}
            for kind, those in (("card", clips), ("sound", dict.fromkeys([*clips, *near])))
            for clip in those
        )
        answers["hello"] = packed(self._welcome(clips))
        whole = len(clips) == len(self._clips)
        note = f"This page has {len(clips)} of {len(self._clips)} cards; pale numbers have none."
        return {"widget": "cards", "note": "" if whole else note, "answers": answers}


def _grey(frames: np.ndarray) -> np.ndarray:
    """Return log-mel frames as 8-bit greys, the loudest white; for pictures only."""
    high = float(frames.max())
    low = high - 18  # about 78 dB
    return np.clip((frames - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
