"""What widgets record for pages without Python is what they answer in a notebook."""

from __future__ import annotations

import re

import numpy as np
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
    assert MIME not in quiz._repr_mimebundle_()[0]
    monkeypatch.setenv(VARIABLE, "1")
    assert quiz._repr_mimebundle_()[0][MIME]["widget"] == "quiz"
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


def test_a_quiz_asks_and_counts():
    first, second = (
        KernelQuiz(QUESTIONS).answer({"kind": "question", "number": number})[0] for number in (0, 1)
    )
    assert first["title"] == "Question 1 of 2."
    assert "Which genre does it vote for?" in first["asks"]
    assert "Which piece excites it, too?" in second["asks"]
    assert (first["choices"], first["right"]) == (["Folk", "Rock", "Pop"], 1)
    assert (first["sounds"].count("<audio"), second["sounds"].count("<audio")) == (1, 3)
    assert first["was"] == "It was kernel 3 of conv_1."
    assert "&lt;2&gt; by somebody" in second["credits"]
    # One more score than there were questions.
    for question in (first, second):
        for right, text in enumerate(question["scores"]):
            assert f"{right} of {question['number'] + 1} right" in text
    assert [first["last"], second["last"]] == [False, True]


def test_the_script_of_pages_is_no_module():
    text = script()
    assert "export default" not in text
    assert not re.search(r"^import ", text, re.MULTILINE)
