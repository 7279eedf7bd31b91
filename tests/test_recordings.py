"""What widgets record for pages without Python is what they answer in a notebook."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from toys import html_of, tone_corpus

from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.kernels import KernelClip, Question
from songnet_utils.lessons import course_song, genre_quiz, read_guesses
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
    # Those that lesson 2 asks for are there, too.
    assert {values[0] for values in states} == {8, 128, 256}
    assert tuple(control["value"] for control in traits["controls"]) in states
    assert all(band < bands for bands, _, _, band in states)
    explorer.bands.value, explorer.band.value = 8, 3
    line, picture, sounds = states[8, 0, 11_025, 3]
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
    assert "Which one excites it, too?" in second["asks"]
    assert (first["choices"], first["right"]) == (["Folk", "Rock", "Pop"], 1)
    assert (first["sounds"].count("<audio"), second["sounds"].count("<audio")) == (1, 3)
    assert first["was"] == "It was kernel 3 of conv_1."
    assert "&lt;2&gt; by somebody" in second["credits"]
    # One more score than there were questions.
    for question in (first, second):
        for right, text in enumerate(question["scores"]):
            assert f"{right} of {question['number'] + 1} right" in text
    assert [first["last"], second["last"]] == [False, True]


@pytest.mark.parametrize("genres", [("High", "Low", "Noise"), ("Pop", "Rock", "Noise")])
def test_a_quiz_of_genres_counts_for_you_and_for_the_network_and_keeps_the_guesses(
    tmp_path, data, genres
):
    corpus = open_corpus(tone_corpus(tmp_path / "tones"))
    # It names the first of its genres, whatever it hears.
    net = SimpleNamespace(
        **{"name": "First", "genres": genres, "sound": Sound()},
        classify=lambda audio: np.array([0.8, 0.1, 0.1]),
    )
    quiz = genre_quiz(corpus, net)
    assert course_song(corpus).id not in set(quiz.clips.id)
    assert read_guesses(corpus).empty
    last = len(quiz.clips) - 1
    told, _ = quiz.answer({"kind": "question", "number": last})
    assert told["last"]
    assert told["choices"][told["right"]] == quiz.clips.genre.iloc[last]
    # A network that does not know the genres does not play.
    knows = "High" in genres
    highs = (quiz.clips.genre == "High").sum()
    assert (f"First has {highs}." in told["scores"][1]) == knows
    assert (told["was"] == "First says High.") == knows
    assert told["scores"][1].startswith(f"You have 1 of {last + 1} right.")
    quiz.answers = [0, 2]
    assert read_guesses(corpus).to_dict() == dict(
        zip(quiz.clips.id[:2], ["High", "Noise"], strict=True)
    )
    (data / "lessons" / "tones" / "guesses.json").unlink()


def test_the_script_of_pages_is_no_module():
    text = script()
    assert "export default" not in text
    assert not re.search(r"^import ", text, re.MULTILINE)
