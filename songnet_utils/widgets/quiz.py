"""Guess the kernel: a listening quiz in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels import Question, score
from songnet_utils.plots.players import Player
from songnet_utils.widgets.recording import WithRecording, smaller


class KernelQuiz(WithRecording, ipywidgets.VBox):
    """Hear what a kernel found, guess, and see whether that is better than chance.

    Parameters
    ----------
    questions : sequence of Question
        As `songnet_utils.kernels.genre_questions` or ``song_questions`` make them.

    Raises
    ------
    SongNetError
        When there is no question.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        if not questions:
            raise SongNetError("A quiz has at least one question.")
        self.questions = list(questions)
        #: The number of the choice for each question answered so far.
        self.answers: list[int] = []
        self._title, self._verdict = ipywidgets.HTML(), ipywidgets.HTML()
        self._sounds = ipywidgets.VBox()
        self._choices = ipywidgets.HBox(layout={"flex_flow": "row wrap"})
        self._next = ipywidgets.Button(description="Next question", button_style="primary")
        self._next.on_click(lambda _: self._ask())
        super().__init__([self._title, self._sounds, self._choices, self._verdict, self._next])
        self._ask()

    def answer(self, choice: int) -> None:
        """Answer the question that is asked with one of its choices; once only."""
        if not self._next.disabled or len(self.answers) == len(self.questions):
            return
        question = self.questions[len(self.answers)]
        self.answers.append(choice)
        right = question.choices[question.right]
        verdict = "Right" if choice == question.right else f"No: {right}"
        for number, button in enumerate(self._choices.children):
            button.disabled = True
            # Not by colour alone: the verdict stands in words below.
            button.button_style = {question.right: "success", choice: "warning"}.get(number, "")
        self._verdict.value = (
            f"<p role='status'><b>{html.escape(verdict)}.</b> {html.escape(_was(question))} "
            f"{score(self.questions, self.answers)}</p>{_credits(question)}"
        )
        self._next.disabled = len(self.answers) == len(self.questions)

    def _ask(self) -> None:
        question = self.questions[len(self.answers)]
        self._next.disabled = True
        self._title.value, self._verdict.value = self._asks(len(self.answers)), ""
        self._sounds.children = [ipywidgets.HTML(_players(question))]
        self._choices.children = [
            ipywidgets.Button(description=choice) for choice in question.choices
        ]
        for number, button in enumerate(self._choices.children):
            button.on_click(lambda _, number=number: self.answer(number))

    def _asks(self, number: int) -> str:
        is_song = bool(self.questions[number].sounds)
        asked = "Which piece excites it, too?" if is_song else "Which genre does it vote for?"
        return (
            f"<p><b>Question {number + 1} of {len(self.questions)}.</b> "
            f"Hear what a kernel found. {asked}</p>"
        )

    def _still_html(self) -> str:
        first = self.questions[0]
        choices = "".join(f"<li>{html.escape(choice)}</li>" for choice in first.choices)
        return f"{self._asks(0)}{_players(first)}<ul>{choices}</ul>"

    def recording(self) -> dict[str, Any]:
        """Return the questions, their answers, and every possible score.

        The scores are what is said after so many answers (from 1), of which so many (from 0) are
        right.
        """
        with smaller():
            questions = [
                {
                    **{"title": self._asks(number), "sounds": _players(question)},
                    **{"choices": list(question.choices), "right": question.right},
                    **{"was": _was(question), "credits": _credits(question)},
                }
                for number, question in enumerate(self.questions)
            ]
        right = [question.right for question in self.questions]
        scores = [
            [
                str(score(self.questions, right[:count] + [-1] * (answered - count)))
                for count in range(answered + 1)
            ]
            for answered in range(1, len(right) + 1)
        ]
        return {"widget": "quiz", "traits": {"questions": questions, "scores": scores}}


def _players(question: Question) -> str:
    sounds = (question.clip, *question.sounds)
    return "".join(Player(its.audio, its.rate, its.label)._repr_html_() for its in sounds)


def _was(question: Question) -> str:
    return f"It was kernel {question.kernel} of {question.layer}."


def _credits(question: Question) -> str:
    lines = [f"{sound.label}: {'; '.join(sound.credits)}" for sound in question.sounds]
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
