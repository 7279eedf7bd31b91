"""Teaching genres in a real browser: the layer, songs held out, and what the browser keeps.

What is built of ``src/teach`` runs with a network in place of musicnn whose embedding of a song is
known. Where the real songs of Emotify lie beside the project, musicnn's are used, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "songnet_utils" / "widgets" / "page"
SITE = "https://songnet.test"
GENRES = ("Electronic", "Folk", "Rock")

# `engine` answers a file as its bytes say; `songs` are the page's list.
PAGE = """
<!doctype html><meta charset="utf-8"><title>Teach</title>
<body><script src="/vendor/songnet.js"></script>
<script>
const { Answers, layer, teachPanel, trial } = SongNetPage.teaching;
const genres = GENRES;
const numbers = (bytes) => Float32Array.from({ length: 600 }, (_, i) =>
  Math.sin(i * (bytes[1] + 1) + (i % 200) * bytes[2]));
const engine = {
  async listen(file, network, { onSteps }) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const probabilities = Float32Array.from([0.5, 0.3, 0.2]);
    onSteps({ steps: Array(3).fill({ probabilities }), embeddings: numbers(bytes) });
  },
};
const kept = [];
const host = { keep: async (file, told) => (kept.push({ size: file.size, ...told }), "Kept.") };
const songs = [];
const song = (name, bytes) => ({ name, title: name.split(".")[0], artist: "Artist of " + name,
  load: async () => new File([Uint8Array.from(bytes)], name) });
const said = [];
const base = { genres };
const teach = teachPanel({ engine, host, base, list: () => songs,
  announce: (text) => said.push(text),
  changed: () => {} });
document.body.append(teach.element);
window.teaching = { Answers, layer, trial, teach, songs, song, said, kept, numbers,
  answers: () => teach.networks.map(({ genres, answer }) => [genres,
    [1, 2, 3, 40, 50].map((i) => [...answer(numbers([0, i, i]).subarray(0, 200))])]) };
</script>
""".replace("GENRES", json.dumps(GENRES))


def serve(route: Route) -> None:
    path = route.request.url.removeprefix(SITE)
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=FOLDER / path[1:])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.route(f"{SITE}/**", serve)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(SITE)
    page.wait_for_function("window.teaching")
    yield page
    context.close()
    assert errors == []


# ---- The layer -------------------------------------------------------------------------------

# What a layer says of the mean of each song's embeddings, and what the page says after its steps.
ANSWER = """([mean, genre, asked]) => {
  const { fit, answer, meanOf } = teaching.layer;
  const layer = fit(mean.map((one, i) => ({ mean: Float64Array.from(one), genre: genre[i] })));
  const ofMean = asked.map((one) => [...answer(layer, meanOf(Float32Array.from(one.flat()), 200))]);
  const shown = asked.map((one) => {
    const answers = new teaching.Answers({ answer });
    answers.add(one.map((step) => ({ probabilities: answer(layer, Float32Array.from(step)) })));
    return answers.mean();
  });
  return [ofMean, shown];
}"""


def logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(tol=1e-10, max_iter=20_000))


@pytest.mark.parametrize(("songs", "genres"), [(12, 2), (40, 4), (90, 9)])
def test_the_layer_is_scikit_learns_logistic_regression(page: Page, songs: int, genres: int):
    random = np.random.default_rng(songs)
    genre = np.arange(songs) % genres
    mean = random.normal(size=(songs, 200)) * random.uniform(0.1, 10, 200)
    mean += random.normal(size=(genres, 200))[genre]
    # One number never changes.
    mean[:, 5] = 3.0
    asked = np.float32(random.normal(size=(20, 1, 200)) * 3)
    names = [f"genre {number}" for number in genre]
    expected = logistic_regression().fit(mean, names).predict_proba(asked[:, 0].astype(float))
    for answers in page.evaluate(ANSWER, [mean.tolist(), names, asked.tolist()]):
        np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_real_songs_by_other_artists_are_answered_as_by_scikit_learn(page: Page):
    from songnet_utils.corpora import open_corpus
    from songnet_utils.training.runs import load_songnet

    shared = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "emotify"
    if not shared.is_dir():
        pytest.skip(f"no real songs at {shared} (set SONGNET_SHARED to their parent folder)")
    clips = open_corpus(shared).clips.sample(frac=1, random_state=1)
    learnt, tested = [], []
    for _, some in clips.groupby("genre"):
        # Ten artists to learn from, ten others to be tested on.
        first = some.drop_duplicates("artist").head(20)
        learnt.append(first.head(10))
        tested.append(first.tail(len(first) - 10))
    seen = {clip.artist for part in learnt for clip in part.itertuples()}
    examples = [clip for part in learnt for clip in part.itertuples()]
    others = [c for part in tested for c in part.itertuples() if c.artist not in seen]
    musicnn = load_songnet("musicnn")
    embeddings = {clip.id: embedding(musicnn, clip.file) for clip in (*examples, *others)}
    mean = [embeddings[clip.id].mean(0).tolist() for clip in examples]
    genre = [clip.genre for clip in examples]
    reference = logistic_regression().fit(mean, genre)
    asked = [embeddings[clip.id].tolist() for clip in others]
    means = [np.mean(one, axis=0) for one in asked]
    theirs = reference.predict(means)
    for answers in page.evaluate(ANSWER, [mean, genre, asked]):
        np.testing.assert_allclose(answers, reference.predict_proba(means), atol=1e-4)
        ours = reference.classes_[np.argmax(answers, axis=1)]
        assert ours.tolist() == theirs.tolist()
    assert len(others) >= 30
    assert np.mean(theirs == [clip.genre for clip in others]) > 0.4


def embedding(net: Any, file: str) -> np.ndarray:
    """Return a network's embedding of each step of a song's first seconds."""
    from songnet_utils.audio import load_audio, log_mel

    audio = load_audio(file, net.sound.sample_rate)[: 5 * net.sound.sample_rate]
    return net.embedding_of_frames(log_mel(audio, net.sound))


# ---- Songs held out --------------------------------------------------------------------------

# Songs with copies under other artists' names; who is connected to whom is found here by walking.
HOLD_OUT = """async (seed) => {
  let state = seed;
  const random = (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  const songs = Array.from({ length: 6 + random(20) }, (_, i) => {
    const mean = Float64Array.from({ length: 3 }, () => random(1000) / 500);
    return { sha256: `hash ${i}`, artist: ["", " ", "A", "a ", "B", "C", "D", "E"][random(8)],
      genre: "XYZ"[random(3)], mean, embeddings: Float32Array.from(mean),
      before: { genre: "X", probability: 1 } };
  });
  for (let copies = random(6); copies--; ) {
    const original = songs[random(songs.length)];
    songs.push({ ...original, artist: ["F", "B", "", "G"][random(4)] });
  }
  const name = ({ artist }) => artist.trim().toLowerCase();
  const isSame = (a, b) => a.sha256 === b.sha256 || (name(a) && name(a) === name(b));
  const connected = (song) => {
    const found = new Set([song]);
    for (const one of found) for (const other of songs) if (isSame(one, other)) found.add(other);
    return found;
  };
  const wrong = [];
  const tested = [];
  const trial = await teaching.trial.holdOut(songs, (learnt, asked) => {
    for (const song of asked) {
      tested.push(song);
      const near = connected(song);
      if (learnt.some((one) => near.has(one))) wrong.push([song.sha256, song.artist]);
    }
  });
  const once = new Set(tested).size === tested.length;
  return { wrong, once, tested: trial.tested.length, untested: trial.untested.length,
    songs: songs.length, told: tested.length };
}"""


def test_songs_called_not_heard_were_not_learnt_from(page: Page):
    tested = 0
    for seed in range(60):
        told = page.evaluate(HOLD_OUT, seed)
        assert told["wrong"] == [], seed
        assert told["once"]
        assert told["tested"] == told["told"]
        assert told["tested"] + told["untested"] == told["songs"]
        tested += told["tested"]
    assert tested > 300


def test_before_and_after_are_told_with_counts_and_an_interval(page: Page):
    from scipy.stats import binomtest

    for right, of in ((0, 9), (7, 9), (90, 100)):
        interval = page.evaluate("([right, of]) => teaching.trial.wilson(right, of)", [right, of])
        expected = binomtest(right, of).proportion_ci(method="wilson")
        assert interval == pytest.approx([expected.low, expected.high], abs=1e-6)
    words = """(count) => teaching.trial.inWords({
      tested: Array.from({ length: count }, (_, i) => ({ song: { genre: i % 2 ? "Rock" : "Polka" },
        before: "Rock", after: i ? "Rock" : "Polka" })),
      untested: [{}], genres: ["Polka", "Rock"] }, ["Rock", "Folk", "Pop"]).join(" ")"""
    told = page.evaluate(words, 20)
    assert "musicnn gets 10 of 10 right (100 %, 95 % interval 72 to 100 %)" in told
    assert "does not know, your layer gets 1 of 10 right (10 %" in told
    assert "among 2 genres, musicnn among 3" in told
    assert "no other artist: 1" in told
    assert page.evaluate(words, 5).startswith("A fair test needs")


# ---- What the browser keeps ------------------------------------------------------------------


def song_bytes(number: int) -> list[int]:
    """Return a song whose first numbers say how it sounds."""
    return [number, number, number % 3, *hashlib.sha256(bytes([number])).digest()[3:]]


def teach(page: Page, number: int, genre: str, name: str | None = None) -> None:
    """Label a song by hand."""
    page.evaluate(
        "([name, bytes]) => (teaching.songs.splice(0, 9, teaching.song(name, bytes)), "
        "teaching.teach.refresh())",
        [name or f"song {number}.mp3", song_bytes(number)],
    )
    page.get_by_label("Genre (existing or new)").fill(genre)
    page.keyboard.press("Enter")
    page.wait_for_function("teaching.said.at(-1)?.startsWith('Labelled')")
    page.evaluate("teaching.said.length = 0")


def marked(page: Page, number: int, name: str) -> str:
    page.evaluate(
        "([name, bytes]) => void (window.asked = teaching.song(name, bytes))",
        [name, song_bytes(number)],
    )
    page.evaluate("teaching.teach.mark(asked)")
    page.wait_for_timeout(100)
    return page.evaluate("teaching.teach.mark(asked)")


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_function("window.teaching?.teach.networks.length")


def same(page: Page, answers: Any) -> None:
    (genres, rows), (expected_genres, expected) = page.evaluate("teaching.answers()")[0], answers[0]
    assert genres == expected_genres
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_reload_undo_export_and_import_give_the_same_answers(page: Page, tmp_path: Path):
    teach(page, 1, "rock")
    assert page.evaluate("teaching.teach.networks") == []
    teach(page, 2, "Polka")
    teach(page, 3, "Folk")
    answers = page.evaluate("teaching.answers()")
    assert answers[0][0] == ["Folk", "Polka", "Rock"]
    assert np.allclose(np.sum(answers[0][1], axis=1), 1)
    reload(page)
    same(page, answers)

    # Another label, another song, a song removed; each can be undone, after a reload as well.
    teach(page, 2, "polka ", "the same under another name.mp3")
    teach(page, 4, "Rock")
    page.get_by_role("button", name="Remove song 1").click()
    page.wait_for_function("teaching.said.at(-1)?.includes('Removed')")
    assert page.evaluate("teaching.answers()") != answers
    reload(page)
    for _ in range(3):
        page.evaluate("teaching.said.length = 0")
        page.get_by_role("button", name="Undo").click()
        page.wait_for_function("teaching.said.at(-1)?.includes('undone')")
    same(page, answers)

    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / "mine.json"
    download.value.save_as(file)
    page.get_by_role("button", name="Forget everything").click()
    assert page.evaluate("teaching.teach.networks.length") == 1
    page.get_by_role("button", name="Really forget everything").click()
    page.wait_for_function("!teaching.teach.networks.length")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.set_input_files("input[type=file]", file)
    page.wait_for_function("teaching.teach.networks.length")
    same(page, answers)
    reload(page)
    same(page, answers)
    assert "Rock" in marked(page, 1, "song 1.mp3")

    # Files that are not whole change nothing, and say what is wrong.
    content = json.loads(file.read_text())
    bad = {
        "cut.json": file.read_text()[:-40],
        "other.json": "[1, 2]",
        "new.json": json.dumps({**content, "version": 2}),
        "none.json": json.dumps({**content, "songs": []}),
    }
    for key in content["songs"][0]:
        songs = [content["songs"][0], {**content["songs"][1], key: "?" if key != "genre" else " "}]
        if key not in ("name", "title", "artist"):
            bad[f"{key}.json"] = json.dumps({**content, "songs": songs})
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
        page.set_input_files("input[type=file]", tmp_path / name)
        expect(page.get_by_role("alert")).to_have_text(
            re.compile(rf"{re.escape(name)}: .* Nothing has changed\. Choose a file")
        )
    same(page, answers)


def test_songs_that_were_learnt_from_are_marked_under_every_name(page: Page):
    teach(page, 1, "Rock")
    teach(page, 2, "Folk")
    for _ in range(2):
        assert "was trained on this song (Rock)" in marked(page, 1, "song 1.mp3")
        assert "(Folk)" in marked(page, 2, "a copy of something.wav")
        assert marked(page, 3, "song 1.mp3") == ""
        reload(page)
    expect(page.get_by_role("heading", level=4)).to_have_count(3)
    page.get_by_role("button", name="Keep song 1").click()
    page.wait_for_function("teaching.said.at(-1) === 'Kept.'")
    told = {"size": 32, "name": "song 1.mp3", "genre": "Rock", "title": "song 1"}
    assert page.evaluate("teaching.kept") == [{**told, "artist": "Artist of song 1.mp3"}]
    # Another tab shows the same.
    other = page.context.new_page()
    other.goto(SITE)
    other.wait_for_function("window.teaching?.teach.networks.length")
    teach(other, 5, "Polka")
    page.wait_for_function("teaching.teach.networks[0]?.genres.includes('Polka')")


# ---- Not music -------------------------------------------------------------------------------


def test_silence_and_noise_are_said_to_be_that(browser: Browser, tmp_path: Path):
    import soundfile

    from songnet_utils.widgets.page import write_page

    write_page(tmp_path, [])
    (tmp_path / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>A place</title><input type="file" id="song">'
        '<div class="songnet-page" data-base=""></div><script src="songnet.js"></script>'
    )
    page = browser.new_context().new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_function("window.songnet")
    hiss = np.random.default_rng(0).standard_normal(4 * 44_100)
    for kind, loudness in (("noise", 0.1), ("silence", 1e-4)):
        soundfile.write(tmp_path / "hiss.wav", loudness * hiss, 44_100, subtype="FLOAT")
        page.set_input_files("#song", tmp_path / "hiss.wav")
        told = page.evaluate("""async () => {
          const told = [];
          const [file] = document.querySelector("#song").files;
          await songnet.engine.listen(file, songnet.engine.host.networks[0].name,
            { onKind: (kind) => told.push(kind) });
          return told;
        }""")
        assert [one["kind"] for one in told] == [kind]
        assert kind in told[0]["text"]
    page.context.close()
