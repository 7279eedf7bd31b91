"""Listening quizzes: guess what a kernel votes for, or the genre of clips."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import traitlets

from songnet_utils import kernels
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.plots.players import Player, excerpt
from songnet_utils.streaming.network import Network
from songnet_utils.widgets.messages import COMMON, Message, Messages, joined
from songnet_utils.widgets.recording import WithRecording


class Quiz(WithRecording, Messages):
    """Hear something, choose an answer, and see how well you do.

    Notes
    -----
    Message from the page: ``question`` (its number). Message to the page: ``question`` with its
    text, sounds and choices, and the reply to each choice.
    """

    _esm = joined(*COMMON, "quiz.js")
    _css = joined("common.css", "explorer.css")
    # The number of the choice for each question so far.
    answers: traitlets.List[int] = traitlets.List().tag(sync=True)

    def __init__(self, count: int, **widget: Any) -> None:
        if not count:
            raise SongNetError("A quiz has at least one question.")
        self._count = count
        super().__init__(**widget)

    def _asked(self, number: int) -> dict[str, Any]:
        """Return a question; ``scores`` has the verdict for each number of right answers so far."""
        raise NotImplementedError

    def _on_question(self, content: dict[str, Any], buffers: Any) -> Message:
        number = content["number"]
        told = {
            "kind": "question",
            "number": number,
            "title": f"Question {number + 1} of {self._count}.",
            "last": number + 1 == self._count,
        }
        return told | self._asked(number), []

    def recording(self) -> dict[str, Any]:
        """Return all questions."""
        numbers = range(self._count)
        answers = self._answers({"kind": "question", "number": number} for number in numbers)
        return {"widget": "quiz", "answers": answers}


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

    def __init__(self, questions: Sequence[kernels.Question], **widget: Any) -> None:
        self.questions = list(questions)
        super().__init__(len(self.questions), **widget)

    def _asked(self, number: int) -> dict[str, Any]:
        question, answered = self.questions[number], number + 1
        asked = "Which one excites it, too?" if question.sounds else "Which genre does it vote for?"
        right = [its.right for its in self.questions[:answered]]
        scores = [
            str(kernels.score(self.questions, right[:count] + [-1] * (answered - count)))
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


class GenreQuiz(Quiz):
    """Guess the genre of clips, against a network that gets the same ten seconds of each.

    Parameters
    ----------
    clips : pandas.DataFrame
        The clips to ask about, rows of a corpus's table.
    genres : sequence of str
        The genres to choose from.
    net : Network
        Your opponent; if it does not know all `genres`, you play against chance.

    Raises
    ------
    SongNetError
        When there are no clips.
    """

    def __init__(
        self, clips: pd.DataFrame, genres: Sequence[str], net: Network, **widget: Any
    ) -> None:
        self.clips, self.genres, self.net = clips, list(genres), net
        self._heard = functools.cache(self._hear)
        super().__init__(len(clips), **widget)

    def _hear(self, number: int) -> tuple[str, str]:
        """Return a clip's player, and the network's answer: "" if it has other genres."""
        rate = self.net.sound.sample_rate
        audio = load_audio(self.clips.file.iloc[number], rate)
        piece = excerpt(audio, rate, max(0.0, min(5.0, len(audio) / rate - 10)), 10)
        player = Player(piece, rate, f"Clip {number + 1}")._repr_html_()
        knows = set(self.genres) <= set(self.net.genres)
        return player, self.net.genres[self.net.classify(piece).argmax()] if knows else ""

    def _asked(self, number: int) -> dict[str, Any]:
        clip, (player, said) = self.clips.iloc[number], self._heard(number)
        answered = number + 1
        hits = [self._heard(one)[1] for one in range(answered)] == self.clips.genre[:answered]
        network = f" {self.net.name} has {hits.sum()}." if said else ""
        chance = f"Guessing blindly gives {answered / len(self.genres):.1f} on average."
        return {
            "asks": "Which genre is it?",
            "sounds": player,
            "choices": self.genres,
            "right": self.genres.index(clip.genre),
            "was": f"{self.net.name} says {said}." if said else "",
            "credits": listed([credit(clip)]),
            "scores": [
                f"You have {count} of {answered} right.{network} {chance}"
                for count in range(answered + 1)
            ],
        }


def listed(lines: Iterable[str]) -> str:
    """Return lines as an HTML list; "" if there are none."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""
