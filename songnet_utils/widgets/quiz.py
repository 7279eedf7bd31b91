"""Guess the kernel: a listening quiz."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels import Question, score
from songnet_utils.plots.players import Player
from songnet_utils.widgets.messages import COMMON, Message, Messages, joined
from songnet_utils.widgets.recording import WithRecording


class KernelQuiz(WithRecording, Messages):
    """Hear what a kernel found, guess, and see whether that is better than chance.

    Parameters
    ----------
    questions : sequence of Question
        As `songnet_utils.kernels.genre_questions` or ``song_questions`` make them.

    Raises
    ------
    SongNetError
        When there is no question.

    Notes
    -----
    Message from the page: ``question`` (its number). To the page: ``question`` with what is asked,
    its sounds and choices, and what is said to each of them.
    """

    _esm = joined(*COMMON, "quiz.js")
    _css = joined("common.css", "explorer.css")

    def __init__(self, questions: Sequence[Question], **widget: Any) -> None:
        if not questions:
            raise SongNetError("A quiz has at least one question.")
        self.questions = list(questions)
        super().__init__(**widget)

    def _on_question(self, content: dict[str, Any], buffers: Any) -> Message:
        # ``scores`` is what is said after it, by how many answers (from 0) were right.
        number = content["number"]
        question, answered = self.questions[number], number + 1
        asked = (
            "Which piece excites it, too?" if question.sounds else "Which genre does it vote for?"
        )
        right = [its.right for its in self.questions[:answered]]
        scores = [
            str(score(self.questions, right[:count] + [-1] * (answered - count)))
            for count in range(answered + 1)
        ]
        lines = [f"{its.label}: {'; '.join(its.credits)}" for its in question.sounds]
        items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
        players = [
            Player(its.audio, its.rate, its.label)._repr_html_()
            for its in (question.clip, *question.sounds)
        ]
        told = {
            "kind": "question",
            "number": number,
            "title": f"Question {answered} of {len(self.questions)}.",
            "asks": f"Hear what a kernel found. {asked}",
            "sounds": "".join(players),
            "choices": list(question.choices),
            "right": question.right,
            "was": f"It was kernel {question.kernel} of {question.layer}.",
            "credits": f"<ul>{items}</ul>" if items else "",
            "scores": scores,
            "last": answered == len(self.questions),
        }
        return told, []

    def recording(self) -> dict[str, Any]:
        """Return all questions."""
        numbers = range(len(self.questions))
        answers = self._answers({"kind": "question", "number": number} for number in numbers)
        return {"widget": "quiz", "answers": answers}
