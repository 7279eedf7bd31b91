"""The live song: what Python hands to the page, what it takes, and what a static page needs."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import stand_in
from toys import RATE, html_of, tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import Corpus, own_songs
from songnet_utils.corpora import open_corpus as opened
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import load_songnet
from songnet_utils.training.train import train
from songnet_utils.widgets import LiveSong, page
from songnet_utils.widgets.page import medley

pytestmark = pytest.mark.usefixtures("data")

BRIEF = Recipe(epochs=1, crop_seconds=2.0, batch=8)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    return opened(tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", clips=5))


@pytest.fixture(scope="module")
def run(tones) -> Path:
    return train(tones, recipe=BRIEF, progress=False)


class Browser(stand_in.Page):
    def asset(self, name: str) -> bytes:
        """Ask for an asset as the page does, and put its pieces together."""
        self.says("asset", name=name)
        self.wait()
        pieces = [(c, b) for c, b in self.told if (c["kind"], c.get("name")) == ("piece", name)]
        assert [content["at"] for content, _ in pieces] == list(range(pieces[0][0]["of"]))
        assert all(content["gzip"] and len(buffers[0]) <= 1e6 for content, buffers in pieces)
        return gzip.decompress(b"".join(buffers[0] for _, buffers in pieces))

    def keeps(self, content: bytes, key: str = "7", size: int = 2**20, **told: str) -> dict:
        told = {"name": "x.flac", "genre": "Folk", "title": "Tune", "artist": "", **told}
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        for at, piece in enumerate(pieces):
            self.says("keep", piece, id=key, at=at, of=len(pieces), **told)
        self.wait()
        (answer,) = (content for content, _ in self.told if content.get("id") == key)
        return answer


def tune(seconds: float = 4.0) -> bytes:
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))
    soundfile.write(file, samples.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def name_in(content: bytes) -> str:
    properties = onnx.load_from_string(content).metadata_props
    return {entry.key: entry.value for entry in properties}["name"]


# --- In a notebook --------------------------------------------------------------------------------


def test_the_page_is_told_what_there_is_and_gets_it_in_pieces(tones, run, monkeypatch):
    browser = Browser(LiveSong(tones, [run]), monkeypatch)
    browser.says("hello")
    told = browser.last("manifest")
    assert told["keep"] is True
    assert [network["name"] for network in told["networks"]] == ["songnet-random-0", "musicnn"]
    assert told["networks"][0]["title"] == "SongNet (songnet-random-0)"
    first, *clips = told["clips"]
    assert [change["genre"] for change in first["medley"]] == list(medley.GENRES)
    assert len(clips) == len(tones.clips)
    assert clips[0] == {
        **{"asset": "clips/1.wav", "file": "00.wav", "title": "00", "artist": ""},
        **{"genre": "High", "credit": "“00” (tones/High/00.wav), licence unknown"},
    }
    assert browser.asset("clips/1.wav") == Path(tones.clips.file[0]).read_bytes()
    network = browser.asset(told["networks"][0]["asset"])
    assert network == (run / "model.onnx").read_bytes()
    assert len(browser.asset("ort.wasm")) > 5e6


def test_what_is_not_there_is_told_under_its_name(tones, tmp_path, monkeypatch):
    gone = dataclasses.replace(tones, clips=tones.clips.assign(file=str(tmp_path / "gone.wav")))
    browser = Browser(LiveSong(gone), monkeypatch)
    for name, said in (("clips/1.wav", "cannot be read"), ("../x", "there is no such asset")):
        browser.says("asset", name=name)
        browser.wait()
        error = browser.last("error")
        assert error["name"] == name
        assert said in error["text"]


def test_a_song_is_only_kept_when_somebody_presses_keep(monkeypatch, tmp_path):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    browser = Browser(LiveSong(None), monkeypatch)
    browser.says("hello")
    assert not own_songs().folder.exists()
    answer = browser.keeps(tune(), size=10_000, artist="The Sines")
    assert answer["kind"] == "kept"
    (file,) = (own_songs().folder / "Folk").iterdir()
    assert answer["text"] == f"“Tune” by The Sines is saved as {file}"
    assert file.read_bytes() == tune()
    again = browser.keeps(tune(), key="8")
    assert again["kind"] == "error"
    assert "is there already" in again["text"]
    # A page names the error by the song, and never by a file's name.
    assert "name" not in again


def test_a_song_too_large_is_refused_once(monkeypatch, tmp_path):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    monkeypatch.setattr("songnet_utils.corpora.own.MOST_BYTES", 50_000)
    monkeypatch.setattr("songnet_utils.widgets.live.MOST_BYTES", 50_000)
    browser = Browser(LiveSong(None), monkeypatch)
    answer = browser.keeps(bytes(200_000), size=10_000)
    assert answer == {"kind": "error", "id": "7", "text": answer["text"]}
    assert "at most 50 kB are allowed" in answer["text"]
    assert not own_songs().folder.exists()


def test_where_there_is_no_kernel_stands_the_page_of_the_site():
    assert html_of(LiveSong(None)) == (
        '<div class="songnet-page" data-base="../_static/songnet/"></div>'
    )
    assert LiveSong._esm.endswith("\nexport default SongNetPage.widget;")


# --- Networks and clips ---------------------------------------------------------------------------


def names(*networks: object) -> list[str]:
    return [network["name"] for network in page.contents(list(networks)).networks]


def test_networks_are_runs_objects_files_or_musicnn(run, tmp_path, monkeypatch):
    net = load_songnet(run)
    file = tmp_path / "other.onnx"
    file.write_bytes((run / "model.onnx").read_bytes())
    assert names(run, net, file, "musicnn") == [
        *("songnet-random-0", "SongNet", "other", "musicnn"),
    ]
    assert names(run, run) == ["songnet-random-0", "songnet-random-0 (2)", "musicnn"]
    shown = page.contents([net])
    content = gzip.decompress(shown.packed(shown.networks[0]["asset"]))
    assert name_in(content) == "SongNet"
    # By default those that come with the project, and the newest run.
    newest = [network["name"] for network in page.contents().networks]
    assert newest == ["songnet-mini", "songnet-random-0", "musicnn"]
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    assert [network["name"] for network in page.contents().networks] == ["songnet-mini", "musicnn"]


def test_a_stream_beside_a_run_is_offered(run, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("model.onnx", "record.json"):
        (folder / name).write_bytes((run / name).read_bytes())
    stream = onnx.load(run / "model.onnx")
    field = next(one for one in stream.metadata_props if one.key == "receptive_field")
    field.value = '{"size": 8, "stride": 8, "past": 4}'
    onnx.save(stream, folder / "stream.onnx")
    shown = page.contents([folder])
    [network, _] = shown.networks
    assert gzip.decompress(shown.packed(network["asset"])) == stream.SerializeToString()
    # The page is told of the file that it asks for.
    assert network["field"] == {"size": 8, "stride": 8, "past": 4}


def test_a_network_that_a_page_cannot_use_is_said(tones, run, tmp_path):
    chance = train(tones, "chance", out=tmp_path / "chance", progress=False)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no network")
    told = tmp_path / "told.onnx"
    model = onnx.load(run / "model.onnx")
    known = onnx.helper.make_tensor_value_info("metadata", onnx.TensorProto.FLOAT, ["clips", 3])
    model.graph.input.append(known)
    onnx.save(model, told)
    for network, said in (
        (chance, "chance, answers only for whole clips, so it has no genre over time"),
        (damaged, "is not an ONNX file, or is damaged"),
        (told, "needs a song's metadata"),
        (tmp_path / "none.onnx", "there is no such file"),
        (tmp_path / "none", "there is no such folder"),
    ):
        with pytest.raises(SongNetError, match=said):
            page.contents([network])


def test_a_page_lists_some_clips_of_each_genre(tones, monkeypatch):
    monkeypatch.setattr(page, "MOST_OF_GENRE", 2)
    clips = page.clips_of(tones)
    assert [clip.facts["genre"] for clip in clips] == ["High"] * 2 + ["Low"] * 2 + ["Noise"] * 2


def test_clips_of_mini_are_those_of_the_corpus(tmp_path):
    listed = page.clips_of(opened("mini", tmp_path, progress=False))
    for mine, its in zip(page.clips_of_mini(tmp_path), listed, strict=True):
        assert mine.facts == its.facts
    assert not list(tmp_path.rglob("*.flac"))
    assert mine.content() == its.content()


def test_the_medley_is_composed_once_and_has_all_genres(monkeypatch, tmp_path):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    assert set(medley.GENRES) == set(GENRES)
    content = medley.mp3()
    audio = load_audio(content, RATE)
    assert len(audio) / RATE == pytest.approx(medley.STARTS[-1][0] + medley.SECONDS, abs=0.1)
    for start, _ in medley.STARTS:
        piece = audio[round((start + 0.5) * RATE) : round((start + 4) * RATE)]
        assert 0.02 < np.sqrt(np.mean(piece**2)) < 0.3
    monkeypatch.setattr(medley, "compose_mp3", None)
    assert medley.mp3() == content


# --- Pages without Python -------------------------------------------------------------------------


def test_a_static_page_gets_everything_as_scripts(tones, tmp_path):
    clips = [page.as_mp3(clip) for clip in page.clips_of(tones)[::5]]
    page.write_page(tmp_path / "songnet", clips)
    files = {
        path.relative_to(tmp_path / "songnet").as_posix(): path.read_text("utf-8")
        for path in (tmp_path / "songnet").rglob("*")
        if path.is_file()
    }
    manifest = re.fullmatch(r"SongNetPage\.assets\.manifest\((.*)\);\n", files.pop("manifest.js"))
    told = json.loads(manifest[1])
    assert told["keep"] is None
    assert files.pop("songnet.js") == page.script()
    assert files.pop("LICENSES.txt")
    assert sum(map(len, files.values())) < 25e6
    wanted = [*told["networks"], *told["clips"], {"asset": "ort.wasm"}]
    for entry in wanted:
        text = files.pop(f"assets/{entry['asset']}.js")
        call = re.fullmatch(r'SongNetPage\.assets\.add\("([^"]+)", "([\w+/=]+)"\);\n', text)
        assert call[1] == entry["asset"]
        content = gzip.decompress(base64.b64decode(call[2]))
        if entry["asset"].startswith("clips/"):
            assert entry["file"].endswith(".mp3")
            assert len(load_audio(content, RATE)) == pytest.approx(3 * RATE, abs=3_000)
    assert all(name.startswith("assets/networks/") for name in files)
