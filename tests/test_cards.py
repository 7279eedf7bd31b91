"""Error cards without a browser: messages in, messages out, whatever they hold."""

from __future__ import annotations

import dataclasses
import io
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import stand_in

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from toy import Toy
from tunes import TUNES, analysed

from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.evaluation.error_analysis import ErrorAnalysis, analyse, deciding_steps, nearest
from songnet_utils.features.store import LogMelStore
from songnet_utils.widgets import ErrorCards

HERTZ = {clip: hertz for clip, _, _, hertz in TUNES}


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> ErrorAnalysis:
    return analysed(tmp_path_factory.mktemp("tunes"))


class Page(stand_in.Page):
    """Waits for what it is told."""

    def hears(self, kind: str, seconds: float = 60) -> tuple[dict[str, Any], list[Any]]:
        """Wait for the newest message of a kind."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for content, buffers in reversed(self.told):
                if content["kind"] == kind:
                    return content, buffers
            time.sleep(0.01)
        raise AssertionError(f"no {kind} came")


def test_a_page_is_told_the_list_and_no_sound(tunes, monkeypatch):
    page = Page(ErrorCards(tunes), monkeypatch)
    page.sends({"kind": "hello"})
    assert [content["kind"] for content, _ in page.told] == ["welcome"]
    welcome, _ = page.told[0]
    cards = {card["clip"]: card for card in welcome["cards"]}
    assert sorted(cards) == ["x1", "x2", "x3", "x4", "x5"]
    for clip, card in cards.items():
        assert card["truth"] == tunes.answers.genre[clip]
        assert card["answer"] == tunes.answers.answer[clip]
        assert card["labels"] == [card["truth"], "Tones"]
        assert f"({tunes.prepared.corpus.name}/{clip}), CC BY 4.0" in card["credit"]
    counts = np.array(welcome["counts"])
    for clip in cards:
        row, column = (
            tunes.genres.index(tunes.answers[kind][clip]) for kind in ("genre", "answer")
        )
        assert counts[row, column] >= 1
    assert counts.sum() == 5
    # Mistakes come first, the most confident at the head.
    wrong = [card["truth"] != card["answer"] for card in welcome["cards"]]
    assert wrong == sorted(wrong, reverse=True)


def test_an_opened_card_has_what_the_network_heard_and_its_neighbours(tunes, monkeypatch):
    page = Page(ErrorCards(tunes), monkeypatch)
    page.sends({"kind": "card", "clip": "x2"})
    card, (mel, steps, spans, shares) = page.hears("card")
    own = tunes.steps_of("x2")
    np.testing.assert_array_equal(np.frombuffer(steps, np.float32).reshape(own.shape), own)
    spans = np.frombuffer(spans, np.float64).reshape(-1, 2)
    assert tuple(spans[3]) == tunes.net.timeline.step_span(3)
    shares = np.frombuffer(shares, np.float32)
    mean = own.mean(axis=0, dtype=np.float64)
    places = [tunes.genres.index(name) for name in (tunes.answers.answer["x2"], card["rival"])]
    assert shares.sum() == pytest.approx(mean[places[0]] - mean[places[1]], abs=1e-5)
    assert card["deciding"] == deciding_steps(tunes.contributions("x2")).tolist()
    grey = np.frombuffer(mel, np.uint8).reshape(card["columns"], card["bands"])
    frames = tunes.prepared.frames("x2")
    assert grey.shape == frames.shape
    assert grey[50].argmax() == frames[50].argmax()
    near = nearest(tunes, ["x2"])
    assert [one["clip"] for one in card["neighbours"]] == near.neighbour.tolist()
    assert card["neighbours"][0]["genre"] == near.genre.iloc[0]


def pitch(mp3: bytes) -> float:
    samples, rate = soundfile.read(io.BytesIO(mp3))
    middle = samples[rate : 3 * rate]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(spectrum.argmax() * rate / len(middle))


@pytest.mark.parametrize("clip", ["x1", "t3"])
def test_the_sound_that_is_asked_for_is_the_clips_own(tunes, monkeypatch, clip):
    page = Page(ErrorCards(tunes), monkeypatch)
    page.sends({"kind": "sound", "clip": clip})
    content, _ = page.hears("sound")
    assert content["clip"] == clip
    assert pitch(stand_in.sound_in(content)) == pytest.approx(HERTZ[clip], abs=2)


def test_what_cannot_be_played_is_said_on_its_card(tunes, monkeypatch, tmp_path):
    page = Page(ErrorCards(tunes), monkeypatch)
    page.sends({"kind": "sound", "clip": "../secret"})
    content, _ = page.hears("error")
    assert content["clip"] == "../secret"
    assert "is not one of these" in content["text"]
    moved = tunes.clips.assign(file=str(tmp_path / "gone.wav"))
    page = Page(ErrorCards(dataclasses.replace(tunes, clips=moved)), monkeypatch)
    page.sends({"kind": "sound", "clip": "x1"})
    content, _ = page.hears("error")
    assert "gone.wav: cannot be read" in content["text"]


def test_a_page_without_python_has_the_first_cards_and_their_sounds(tunes, monkeypatch):
    monkeypatch.setattr("songnet_utils.widgets.cards.MOST_ON_PAGE", 2)
    recording = ErrorCards(tunes).recording()
    answers = recording["answers"]
    shown = [card["clip"] for card in answers["hello"][0]["cards"]]
    assert len(shown) == 2
    near = [one["clip"] for clip in shown for one in answers[f"card {clip}"][0]["neighbours"]]
    for clip in {*shown, *near}:
        sound = stand_in.sound_in(answers[f"sound {clip}"][0])
        assert pitch(sound) == pytest.approx(HERTZ[clip], abs=2)
    assert "2 of 5 cards" in recording["note"]


def test_real_clips_are_credited(shared_fma, tmp_path, monkeypatch):
    corpus = open_corpus(shared_fma)
    few = corpus.clips.groupby("genre").head(2)
    small = Corpus("fma", few.reset_index(drop=True), hierarchy=corpus.hierarchy)
    prepared = LogMelStore(tmp_path).prepare(small, progress=False)
    sets = prepared.clips.groupby("genre").cumcount().map({0: "train", 1: "test"})
    found = analyse(Toy(), prepared, prepared.clips, sets, progress=False)
    page = Page(ErrorCards(found), monkeypatch)
    page.sends({"kind": "hello"})
    for card in page.hears("welcome")[0]["cards"]:
        row = few.set_index("id").loc[card["clip"]]
        assert row.artist in card["credit"]
        assert row.title in card["credit"]
        assert row.licence in card["credit"]
