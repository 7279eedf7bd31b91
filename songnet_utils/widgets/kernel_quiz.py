"""Guess the kernel: a listening quiz."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from songnet_utils.kernels import Question, score
from songnet_utils.plots.players import Player
from songnet_utils.widgets.quiz import Quiz, listed


class KernelQuiz(Quiz):
    """Listen to a kernel's clips, guess, and see whether you do better than chance.

    Parameters
    ----------
    questions : sequence of Question
        As `songnet_utils.kernels.genre_questions` or ``song_questions`` make them.

    Raises
    ------
    SongNetError
        When there is no question.
    """

    def __init__(self, questions: Sequence[Question], **widget: Any) -> None:
        self.questions = list(questions)
        super().__init__(len(self.questions), **widget)

    def _asked(self, number: int) -> dict[str, Any]:
        question, answered = self.questions[number], number + 1
        asked = "Which one excites it, too?" if question.sounds else "Which genre does it vote for?"
        right = [its.right for its in self.questions[:answered]]
        scores = [
            str(score(self.questions, right[:count] + [-1] * (answered - count)))
            for count in range(answered + 1)
        ]
        players = [
            Player(its.audio, its.rate, its.label)._repr_html_()
            for its in (question.clip, *question.sounds)
        ]
        return {
            "asks": f"Listen to the excerpts that excite a kernel most. {asked}",
            "sounds": "".join(players),
            "choices": list(question.choices),
            "right": question.right,
            "was": f"It was kernel {question.kernel} of {question.layer}.",
            "credits": listed(f"{its.label}: {'; '.join(its.credits)}" for its in question.sounds),
            "scores": scores,
        }
