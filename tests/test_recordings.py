"""What widgets record for pages without Python is what they answer in a notebook."""

from __future__ import annotations

import re

import numpy as np
import pytest
from toys import html_of

from songnet_utils.audio.sound import Sound
from songnet_utils.kernels import KernelClip, Question
from songnet_utils.plots import Picture
from songnet_utils.plots.players import Player
from songnet_utils.widgets import FilterBankExplorer, KernelQuiz
from songnet_utils.widgets.recording import MIME, VARIABLE, script

RATE = 22_050
TONE = (np.sin(2 * np.pi * 440 / RATE * np.arange(RATE // 2)) / 4).astype(np.float32)


def test_a_recording_is_left_only_where_a_page_is_made(monkeypatch):
    quiz = KernelQuiz(QUESTIONS)
    assert MIME not in quiz._repr_mimebundle_()
    monkeypatch.setenv(VARIABLE, "1")
    assert quiz._repr_mimebundle_()[MIME]["widget"] == "quiz"
    assert "make lab" in html_of(quiz)


def test_an_explorer_records_what_its_controls_make_and_stays_as_it_was():
    explorer = FilterBankExplorer(TONE, Sound())
    before = html_of(explorer)
    usual = Player.compression, Picture.saved_as
    traits = explorer.recording()["traits"]
    assert html_of(explorer) == before
    assert (Player.compression, Picture.saved_as) == usual
    states = {tuple(state["values"]): state["parts"] for state in traits["states"]}
    # Every setting stands: there is no band 32 of 8, and the one it begins with is among them.
    assert tuple(control["value"] for control in traits["controls"]) in states
    assert all(band < bands for bands, _, _, band in states)
    explorer.bands.value, explorer.low.value = 8, 1000
    explorer.high.value, explorer.band.value = 4000, 4
    line, picture, sounds = states[8, 1000, 4000, 4]
    assert line == explorer.line.value
    assert re.findall('alt="(.*?)"', picture) == re.findall('alt="(.*?)"', explorer.picture.value)
    labels = re.findall('aria-label="(.*?)"', explorer.sounds.value)
    assert re.findall('aria-label="(.*?)"', sounds) == labels
    assert len(sounds) < len(explorer.sounds.value)


def clip(label: str) -> KernelClip:
    return KernelClip(TONE, RATE, label, (f"<{label}> by somebody",))


QUESTIONS = [
    Question("conv_1", 3, clip("found"), ("Folk", "Rock", "Pop"), (), 1),
    Question("conv_1", 5, clip("found"), ("Piece 1", "Piece 2"), (clip("1"), clip("2")), 0),
]


@pytest.mark.parametrize("choices", [(1, 0), (1, 1), (0, 0), (2, 1)])
def test_a_quiz_records_what_it_says_to_every_answer(choices):
    quiz = KernelQuiz(QUESTIONS)
    traits = quiz.recording()["traits"]
    right = 0
    for number, (question, choice) in enumerate(zip(QUESTIONS, choices, strict=True)):
        its = traits["questions"][number]
        assert its["title"] == quiz._title.value
        quiz.answer(choice)
        right += choice == its["right"] == question.right
        said = quiz._verdict.value
        assert f"{its['was']} {traits['scores'][number][right]}</p>{its['credits']}" in said
        if number == 0:
            quiz._next.click()


def test_the_script_of_pages_is_no_module():
    text = script()
    assert "export default" not in text
    assert not re.search(r"^import ", text, re.MULTILINE)
