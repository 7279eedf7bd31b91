"""Guess the kernel: a listening quiz in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets

from songnet_utils.errors import SongNetError
from songnet_utils.kernels import KernelClip, Question, score
from songnet_utils.players import Player


class KernelQuiz(ipywidgets.VBox):
    """Hear what a kernel found, guess, and see whether that is more than luck.

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
        self._question, self._answered = self.questions[0], False
        self._title = ipywidgets.HTML()
        self._sounds = ipywidgets.VBox()
        self._choices = ipywidgets.HBox(layout={"flex_flow": "row wrap"})
        self._verdict = ipywidgets.HTML()
        self._next = ipywidgets.Button(description="Next question", button_style="primary")
        self._next.on_click(lambda _: self._ask())
        super().__init__([self._title, self._sounds, self._choices, self._verdict, self._next])
        self._ask()

    def answer(self, choice: int) -> None:
        """Answer the question that is asked with one of its choices; once only."""
        if self._answered:
            return
        question = self._question
        self.answers.append(choice)
        self._answered = True
        right = question.choices[question.right]
        verdict = "Right" if choice == question.right else f"No: {right}"
        for number, button in enumerate(self._choices.children):
            button.disabled = True
            # Not by colour alone: the verdict stands in words below.
            button.button_style = {question.right: "success", choice: "warning"}.get(number, "")
        whose = "".join(
            f"<li>{html.escape(sound.label)}: {html.escape('; '.join(sound.credits))}</li>"
            for sound in question.sounds
        )
        self._say(
            f"<p role='status'><b>{html.escape(verdict)}.</b> It was kernel {question.kernel} of "
            f"{html.escape(question.layer)}. {score(self.questions, self.answers)}</p>"
            + (f"<ul>{whose}</ul>" if whose else "")
        )
        self._next.disabled = len(self.answers) == len(self.questions)

    def _ask(self) -> None:
        self._question = question = self.questions[len(self.answers)]
        self._answered = False
        self._next.disabled = True
        what = (
            "Which piece excites it, too?" if question.sounds else "Which genre does it vote for?"
        )
        self._title.value = (
            f"<p><b>Question {len(self.answers) + 1} of {len(self.questions)}.</b> "
            f"Hear what a kernel found. {what}</p>"
        )
        self._sounds.children = [_player(sound) for sound in (question.heard, *question.sounds)]
        buttons = []
        for number, choice in enumerate(question.choices):
            button = ipywidgets.Button(description=choice)
            button.on_click(lambda _, number=number: self.answer(number))
            buttons.append(button)
        self._choices.children = buttons
        self._say("")

    def _say(self, words: str) -> None:
        self._verdict.value = words


def _player(clip: KernelClip) -> ipywidgets.HTML:
    return ipywidgets.HTML(Player(clip.audio, clip.rate, clip.label)._repr_html_())
