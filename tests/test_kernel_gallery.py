"""The kernel gallery without a browser: messages, words for what goes wrong, pages on disk."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import stand_in

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from kernel_toy import DEAD, GENRES, TWINS, surveyed
from recordings import read_recording

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels import KernelClip, found_clip
from songnet_utils.plots import genre_colours
from songnet_utils.widgets import KernelGallery
from songnet_utils.widgets import kernels as module

DYING = {"layer": 2, "kernel": DEAD[1]}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return surveyed(tmp_path_factory.mktemp("sweeps"), filters=8)


class Page(stand_in.Page):
    """Waits for the answer to what it says."""

    def hears(self, content: Any) -> tuple[dict[str, Any], list[Any]]:
        """Say something and return the one answer to it."""
        before = len(self.told)
        self.sends(content)
        self.wait()
        (answer,) = self.told[before:]
        return answer


@pytest.fixture
def page(toy, monkeypatch) -> Page:
    return Page(KernelGallery(*toy), monkeypatch)


def decoded(mp3: bytes) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(mp3), dtype="float32")


def test_a_page_is_told_of_all_kernels_at_once_and_of_no_sound(page, toy):
    survey, votes = toy
    welcome, (pictures, said_votes) = page.hears({"kind": "hello"})
    assert welcome["kind"] == "welcome"
    json.dumps(welcome, allow_nan=False)
    assert [layer["name"] for layer in welcome["layers"]] == survey.kernels.names
    assert welcome["genres"] == list(GENRES)
    assert welcome["colours"] == list(genre_colours(GENRES).values())
    table = survey.table()
    at = 0
    for its, layer in zip(survey.layers, welcome["layers"], strict=True):
        of = table.loc[its.layer.name]
        assert layer["dead"] == of.dead.tolist()
        assert layer["fires"] == pytest.approx(of.fires.tolist(), rel=1e-3)
        assert layer["genre"] == [
            None if dead else g for g, dead in zip(of.genre, of.dead, strict=True)
        ]
        shape = (layer["kernels"], layer["columns"], layer["bands"])
        # Four mel bands are one band of a picture.
        triggered = its.triggered.reshape(*shape, 4).mean(axis=3)
        picture = np.frombuffer(pictures, np.int8, np.prod(shape), at).reshape(shape)
        at += picture.size
        # What is furthest from the usual is 127, above or below; the rest is in proportion.
        most = np.abs(triggered).max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(picture * most / 127, triggered, atol=most.max() / 250)
        decibels = most[:, 0, 0] * 10 / np.log(10)
        assert layer["decibels"] == pytest.approx(decibels.tolist(), rel=1e-3)
    assert at == len(pictures)
    np.testing.assert_allclose(
        np.frombuffer(said_votes, np.float32).reshape(-1, len(GENRES)), votes, rtol=1e-6
    )
    assert welcome["layers"][1]["dead"][DEAD[1]]
    assert welcome["layers"][0]["twin"][TWINS[1]] == TWINS[2]
    assert welcome["dead"] == int(table.dead.sum())
    assert welcome["twins"] >= 1


def test_one_song_of_each_genre_is_offered(toy, monkeypatch):
    welcome, _ = Page(KernelGallery(*toy), monkeypatch).hears({"kind": "hello"})
    assert sorted(song["genre"] for song in welcome["songs"]) == sorted(GENRES)
    song = next(song for song in welcome["songs"] if song["genre"] == "Folk")
    assert "(sweeps/s" in song["credit"]
    assert "CC BY 4.0" in song["credit"]


def test_a_chosen_kernel_has_the_credits_of_its_pieces(page, toy):
    card, _ = page.hears({"kind": "card", "what": "card", "layer": 3, "kernel": 2})
    found = toy[0].found(3, 2)
    assert (card["layer"], card["kernel"], card["what"]) == (3, 2, "card")
    assert [piece["at"] for piece in card["pieces"]] == found.seconds.tolist()
    assert [piece["genre"] for piece in card["pieces"]] == found.genre.tolist()
    for piece, row in zip(card["pieces"], found.itertuples(), strict=True):
        assert f"by {row.artist} (sweeps/{row.id}), CC BY 4.0" in piece["credit"]


@pytest.mark.parametrize(("layer", "kernel"), [(1, 0), (3, 2)])
def test_the_sound_that_is_asked_for_is_the_kernels_own(page, toy, layer, kernel):
    wish = {"kind": "sound", "what": "found", "layer": layer, "kernel": kernel}
    content, _ = page.hears(wish)
    mp3 = stand_in.sound_in(content)
    assert {**wish, **content} == content
    clip = found_clip(toy[0], layer, kernel)
    assert content["starts"] == list(clip.starts)
    heard, rate = decoded(mp3)
    assert rate == clip.rate
    length = min(len(heard), len(clip.audio))
    assert np.corrcoef(heard[:length], clip.audio[:length])[0, 1] > 0.9


def test_a_maximised_clip_and_a_song_are_made_on_demand_in_a_thread(page, toy, monkeypatch):
    made = []

    def maximised(survey: Any, layer: int, kernel: int) -> KernelClip:
        made.append((layer, kernel))
        return KernelClip(np.zeros(22_050, np.float32), 22_050, "a sound", (), (0.0, 0.5))

    monkeypatch.setattr(module, "maximised_clip", maximised)
    with page.widget._turn:
        # While another one is made, messages are answered nevertheless.
        page.sends({"kind": "sound", "what": "maximised", "layer": 1, "kernel": 4})
        page.sends({"kind": "card", "layer": 1, "kernel": 4})
        assert [content["kind"] for content, _ in page.told] == ["card"]
    page.wait()
    assert made == [(1, 4)]
    assert page.told[-1][0]["starts"] == [0.0, 0.5]
    wish = {"kind": "sound", "what": "song", "layer": 1, "kernel": 0, "song": 1}
    content, _ = page.hears(wish)
    assert content["song"] == 1
    heard, rate = decoded(stand_in.sound_in(content))
    assert len(heard) / rate == pytest.approx(6, abs=0.1)


def test_a_dead_kernel_says_so_in_words(page):
    for kind in ("card", "sound"):
        content, _ = page.hears({"kind": kind, "what": "found", **DYING})
        assert content["kind"] == "error"
        assert (content["layer"], content["kernel"]) == (2, DEAD[1])
        assert "Kernel 3 of conv_2 is dead" in content["text"]
    content, _ = page.hears({"kind": "sound", "what": "song", **DYING, "song": 0})
    assert "never fires in it" in content["text"]


def test_a_file_that_is_gone_is_said_and_the_card_stays(toy, monkeypatch, tmp_path):
    survey, votes = toy
    moved = survey.clips.assign(file=str(tmp_path / "gone.wav"))
    page = Page(KernelGallery(dataclasses.replace(survey, clips=moved), votes), monkeypatch)
    content, _ = page.hears({"kind": "sound", "what": "found", "layer": 1, "kernel": 0})
    assert content["kind"] == "error"
    assert "gone.wav: cannot be read" in content["text"]
    assert page.hears({"kind": "card", "layer": 1, "kernel": 0})[0]["pieces"]
    with pytest.raises(SongNetError, match=r"gone\.wav: cannot be read"):
        page.widget.save(tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_the_votes_is_of_no_account(toy, page, monkeypatch):
    survey, votes = toy
    turned = Page(KernelGallery(survey, votes.iloc[::-1]), monkeypatch)
    assert turned.hears({"kind": "hello"}) == page.hears({"kind": "hello"})


def test_a_fine_picture_is_averaged(toy, monkeypatch):
    monkeypatch.setattr(module, "_FINEST", (3, 7))
    for its, (small, most) in zip(toy[0].layers, module._pictures(toy[0].layers), strict=True):
        assert small.shape == (its.layer.kernels, min(3, its.triggered.shape[1]), 7)
        # Neighbours, whatever does not divide evenly.
        corner = its.triggered[:, : -(-its.triggered.shape[1] // 3), :19].mean(axis=(1, 2))
        np.testing.assert_allclose(small[:, 0, 0] * most / 127, corner, atol=most.max() / 200)


def test_a_saved_page_has_a_sound_for_each_kernel_that_lives(toy, tmp_path):
    survey, _ = toy
    gallery = KernelGallery(*toy)
    page = gallery.save(tmp_path / "deep" / "page")
    assert page == tmp_path / "deep" / "page" / "index.html"
    assert sorted(file.name for file in page.parent.iterdir()) == ["index.html", "media"]
    recording = read_recording(page)
    answers = recording["answers"]
    living = {
        f"sound found {its.layer.number} {kernel}"
        for its in survey.layers
        for kernel in np.flatnonzero(~its.dead)
    }
    assert {key for key in answers if key.startswith("sound")} == living
    addresses = {answers[key][0]["address"] for key in living}
    sounds = {file.name for file in (page.parent / "media").glob("*.mp3")}
    assert {address.removeprefix("media:") for address in addresses} == sounds
    content, _ = answers["sound found 3 2"]
    sound = page.parent / content["address"].replace("media:", "media/")
    heard, _ = decoded(sound.read_bytes())
    clip = found_clip(survey, 3, 2)
    assert content["starts"] == list(clip.starts[: len(content["starts"])])
    # Wherever an mp3 of few bytes begins.
    piece = clip.audio[: round(clip.rate * content["starts"][1])]
    alike = np.correlate(heard[: len(piece) + 2_500], piece).max()
    assert alike > 0.8 * np.vdot(piece, piece)
    # What needs Python is not offered.
    welcome, _ = answers["hello"]
    assert welcome["sounds"] == ["found"]
    assert len([key for key in answers if key.startswith("card")]) == 24
    assert "is dead" in answers[f"card card 2 {DEAD[1]}"][0]["text"]
    # Names are text, whatever is in them; and nothing is fetched from elsewhere.
    text = page.read_text("utf-8")
    assert "<i>Sweep" not in text
    assert not re.search(r"""(src|href)=["']https?:""", text)
    assert str(tmp_path) not in text
    # Saved again, the new page takes the old one's place, and nothing else is left there.
    (page.parent / "media" / f"{'0' * 20}.mp3").write_bytes(b"old")
    gallery.save(page.parent)
    assert {file.name for file in (page.parent / "media").glob("*.mp3")} == sounds
    assert [file.name for file in page.parent.parent.iterdir()] == ["page"]


def test_another_page_is_never_overwritten(toy, tmp_path):
    gallery = KernelGallery(*toy)
    mine = tmp_path / "index.html"
    mine.write_text("<p>My own page.</p>")
    for folder, said in ((tmp_path, r"has another index\.html"), (mine, "is a file")):
        with pytest.raises(SongNetError, match=said):
            gallery.save(folder)
    assert mine.read_text() == "<p>My own page.</p>"
