"""Guess the kernel: a test of how easy kernels are to understand.

You hear a kernel's found clip and guess either the genre that it votes for (`genre_questions`) or
which of three further pieces also excites it (`song_questions`). With n choices, a random guess is
right once in n questions; only a better result supports the paper (`score`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.kernels.clips import KernelClip, join, pieces_of
from songnet_utils.kernels.surveys import Survey
from songnet_utils.metrics.intervals import wilson_interval

#: The number of choices: genres, and pieces.
GENRES_OFFERED, PIECES_OFFERED = 4, 3

# Kernels with fewer pieces are left out, because there would be too little to hear.
_FEWEST = 3


@dataclass(frozen=True)
class Question:
    """One question of the quiz.

    Parameters
    ----------
    layer : str
        The layer of the kernel.
    kernel : int
        Its number.
    clip : KernelClip
        Its found clip, which is played first.
    choices : tuple of str
        The possible answers.
    sounds : tuple of KernelClip
        A sound for each choice; empty if the choices are genres.
    right : int
        The number of the right choice.
    """

    layer: str
    kernel: int
    clip: KernelClip
    choices: tuple[str, ...]
    sounds: tuple[KernelClip, ...]
    right: int


@dataclass(frozen=True)
class Score:
    """A score in the quiz, compared with chance.

    Parameters
    ----------
    right, asked : int
        The numbers of right answers and of questions.
    chance : float
        The expected share of right answers for random guesses.
    interval : tuple of float
        The 95 % interval of the share of right answers (Wilson).
    p : float
        The probability that random guesses do as well or better (exact binomial test).
    """

    right: int
    asked: int
    chance: float
    interval: tuple[float, float]
    p: float

    def __str__(self) -> str:
        """Return the score in a sentence or two, without claims beyond the evidence."""
        low, high = self.interval
        verdict = (
            "That is better than chance."
            if self.p < 0.05
            else "Chance often does as well, so this does not show that kernels mean anything."
        )
        return (
            f"{self.right} of {self.asked} right ({low:.0%} to {high:.0%}). Random guesses get "
            f"{self.chance:.0%} right and do as well or better {self.p:.1%} of the time. {verdict}"
        )


def genre_questions(
    survey: Survey, votes: pd.DataFrame, layer: str | int, *, count: int = 10
) -> list[Question]:
    """Return questions of the kind "which genre does this kernel vote for?".

    Parameters
    ----------
    survey : Survey
        The survey of the kernels.
    votes : pandas.DataFrame
        From `songnet_utils.kernels.votes`.
    layer : str or int
        A layer's name, or its number from 1.
    count : int
        The number of questions, each about another kernel.

    Raises
    ------
    SongNetError
        When there are too few kernels with enough pieces.
    """
    random = np.random.default_rng(0)
    name = survey.kernels.layer(layer).name
    genres = list(votes.columns)
    questions = []
    for kernel in _drawn(survey, name, count, random):
        best = str(votes.loc[(name, kernel)].idxmax())
        others = [genre for genre in genres if genre != best]
        offered = min(GENRES_OFFERED - 1, len(others))
        choices = [best, *map(str, random.choice(others, offered, replace=False))]
        random.shuffle(choices)
        clip = _clip_of(survey, name, list(pieces_of(survey, name, kernel)))
        questions.append(Question(name, kernel, clip, tuple(choices), (), choices.index(best)))
    return questions


def song_questions(survey: Survey, layer: str | int, *, count: int = 10) -> list[Question]:
    """Return questions of the kind "which of these pieces excites the kernel, too?".

    The right one is the last of its found pieces, which the first clip leaves out. The others are
    random pieces of the same length, from clips by artists without a found piece.

    Parameters
    ----------
    survey, layer, count
        As in `genre_questions`.

    Raises
    ------
    SongNetError
        When there are too few kernels with enough pieces, or too few artists.
    """
    random = np.random.default_rng(0)
    its = survey.kernels.layer(layer)
    rate = its.sound.sample_rate
    known = survey.log_mels.corpus.clips.set_index("id", drop=False)
    source = survey.log_mels.corpus.name
    questions = []
    for kernel in _drawn(survey, its.name, count, random):
        found = survey.found(its.name, kernel)
        *first, last = pieces_of(survey, its.name, kernel)
        strangers = survey.clips[~survey.clips.artist.isin(found.artist)]
        if len(strangers) < PIECES_OFFERED - 1:
            raise SongNetError(
                f"{source}: has too few artists for this quiz: kernel {kernel} of {its.name} "
                f"has pieces by all but {len(strangers)}. Use questions about genres instead."
            )
        options = [(last, found.id.iloc[-1])]
        for place in random.choice(len(strangers), PIECES_OFFERED - 1, replace=False):
            other = strangers.iloc[place]
            inside = its.inside(len(survey.log_mels.frames(other.id)))
            start, stop = its.samples_of(int(random.integers(inside.start, inside.stop)))
            options.append((load_audio(other.file, rate)[start:stop], other.id))
        order = random.permutation(len(options))
        sounds = []
        for number, place in enumerate(order, start=1):
            piece, song = options[place]
            credits = (credit(known.loc[song], source),)
            sounds.append(KernelClip(join([piece], rate)[0], rate, f"Piece {number}", credits))
        choices = tuple(sound.label for sound in sounds)
        clip, right = _clip_of(survey, its.name, first), int(np.flatnonzero(order == 0)[0])
        questions.append(Question(its.name, kernel, clip, choices, tuple(sounds), right))
    return questions


def score(questions: Sequence[Question], answers: Sequence[int]) -> Score:
    """Return the score for the first questions.

    Parameters
    ----------
    questions : sequence of Question
        The questions.
    answers : sequence of int
        The number of the choice for each of the first questions; at least one.

    Raises
    ------
    SongNetError
        When there are no answers, or more answers than questions.
    """
    if not 1 <= len(answers) <= len(questions):
        raise SongNetError(
            f"Answer at least one of the {len(questions)} questions. Got {len(answers)} answers"
        )
    asked = questions[: len(answers)]
    right = sum(one.right == answer for one, answer in zip(asked, answers, strict=True))
    # If questions have different numbers of choices, use the mean probability.
    chance = float(np.mean([1 / len(question.choices) for question in asked]))
    p = float(binomtest(right, len(asked), chance, alternative="greater").pvalue)
    return Score(right, len(asked), chance, wilson_interval(right, len(asked)), p)


def _drawn(survey: Survey, layer: str, count: int, random: np.random.Generator) -> list[int]:
    """Return the kernels for the questions."""
    its = survey.of(layer)
    enough = np.flatnonzero((its.best > 0).sum(axis=1) >= _FEWEST)
    if not 1 <= count <= len(enough):
        raise SongNetError(
            f"{layer}: {len(enough)} kernels have at least {_FEWEST} pieces, so there can be 1 "
            f"to {len(enough)} questions. Got {count}"
        )
    return [int(kernel) for kernel in random.choice(enough, count, replace=False)]


def _clip_of(survey: Survey, layer: str, pieces: list[np.ndarray]) -> KernelClip:
    """Return the clip that is played first; its label reveals neither kernel nor artists."""
    rate = survey.kernels.sound.sample_rate
    audio, starts = join(pieces, rate)
    return KernelClip(audio, rate, f"Found by a kernel of {layer}", (), starts)
