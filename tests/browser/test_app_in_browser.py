"""The page of `songnet app` in a real browser, from a program of its own.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from axe import serious
from lab import FAKE_MICROPHONE, FLAGS
from playwright.sync_api import Browser, Page, expect
from toys import RATE

from songnet_utils.corpora import OwnSongs
from songnet_utils.models import load_songnet
from songnet_utils.streaming import hear_song

ROOT = Path(__file__).resolve().parents[2]

# TensorFlow has to start first; on a busy machine that takes a while.
expect.set_options(timeout=60_000)


def tune(seconds: float, seed: int = 0) -> bytes:
    """High, low and noise in turns: a network that was trained on these changes its mind."""
    dice = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    turn = dice.integers(0, 3, int(seconds / 1.5) + 1)[(at / 1.5).astype(int)]
    tone = 0.3 * np.sin(2 * np.pi * np.where(turn == 0, 200, 2_000) * at)
    noise = dice.normal(0, 0.05, len(at))
    sound = np.where(turn == 2, noise, tone + 0.02 * noise)
    file = io.BytesIO()
    soundfile.write(file, sound.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


@dataclass
class Running:
    """A `songnet app` of its own."""

    address: str
    process: subprocess.Popen
    data: Path
    browser: Browser

    def open(self, width: int = 1280, theme: str = "light", **context: object) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": 1000}, color_scheme=theme, **context
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.complaints = []
        page.on(
            "console",
            lambda message: (
                page.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: page.complaints.append(f"pageerror: {error}"))
        page.on("request", lambda request: self._check(page, request.url))
        page.on("websocket", lambda socket: self._check(page, socket.url))
        page.goto(self.address)
        wait_until(page, "document.body.dataset.ready === 'true'")
        return page

    def _check(self, page: Page, url: str) -> None:
        own = (self.address, self.address.replace("http", "ws"), f"blob:{self.address}", "data:")
        if not url.startswith(own):
            page.complaints.append(f"asked elsewhere: {url}")


def start(browser: Browser, data: Path, *arguments: object) -> Running:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "songnet_utils", "app", "--no-browser", "--port", "0"),
            *map(str, arguments),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SONGNET_DATA": str(data)},
    )
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), "it did not start"
    return Running(address, process, data, browser)


@pytest.fixture(scope="module")
def app(
    browser: Browser, tones: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    running = start(
        *(browser, tmp_path_factory.mktemp("data")),
        *("--corpus", tones, "--run", trained),
    )
    yield running
    running.process.terminate()
    running.process.wait(30)


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def wait_until(page: Page, what: str) -> None:
    """Wait until `what` (of `root`, `audio`, `song`) holds.

    Playwright's own waiting would have the page evaluate a text, which the page forbids.
    """
    until = time.monotonic() + 60
    while not page.evaluate(
        "(() => { const root = document.querySelector('.sn-live');"
        f" const {{audio, song}} = root ?? {{}}; return {what}; }})()"
    ):
        assert time.monotonic() < until, what
        page.wait_for_timeout(50)


def upload(page: Page, name: str, content: bytes) -> None:
    before = page.locator(".sn-live").evaluate("root => root.dataset.song")
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator(".sn-live input[type=file]").set_input_files([file])
    wait_until(
        page,
        f"root.dataset.song !== {before!r} && root.dataset.finished === 'true'"
        " && audio.readyState >= 2",
    )


LOOK = """async ([target, playing]) => {
  const root = document.querySelector('.sn-live');
  const {audio} = root;
  if (playing) await audio.play(); else audio.pause();
  await new Promise((done) => {
    audio.addEventListener('seeked', done, {once: true});
    audio.currentTime = target;
  });
  await new Promise((done) => setTimeout(done, playing ? 300 : 0));
  // The second picture from now on: it was painted after everything that has happened so far.
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  return {...root.dataset, now: audio.currentTime, paused: audio.paused};
}"""


def test_a_song_plays_and_what_is_shown_belongs_to_what_is_heard(app, trained):
    page = app.open()
    expect(page).to_have_title("SongNet: the genre of a song while it plays")
    # A clip of the corpus is there; its own is brought.
    expect(page.locator(".sn-title")).to_have_text("00")
    content = tune(20)
    upload(page, "../../tune.flac", content)
    net = load_songnet(trained)
    steps, seconds = hear_song(net, content)
    assert len({int(step.probabilities.argmax()) for step in steps}) > 1, "a dull song"
    page.get_by_role("button", name="Play").click()
    wait_until(page, "!audio.paused && audio.currentTime > 0.5")
    dice = random.Random(3)
    for moment in range(50):
        target, playing = dice.uniform(0, seconds - 1.5), moment % 2 == 0
        seen = page.evaluate(LOOK, [target, playing])
        assert seen["paused"] is not playing
        shown = float(seen["playhead"])
        assert target - 0.05 <= shown <= seen["now"]
        k = sum(step.end <= shown for step in steps) - 1
        assert int(seen["step"]) == k
        if k >= 0:
            probabilities = np.array(seen["probabilities"].split(), float)
            np.testing.assert_allclose(probabilities, steps[k].probabilities, atol=1e-5)
    assert page.complaints == []
    page.context.close()


def test_a_microphone_is_heard_as_its_file_is(app, chromium, trained, tmp_path):
    """Chromium's own stand-in for a microphone plays a file, again and again."""
    spoken, thrice = tmp_path / "spoken.wav", tmp_path / "thrice.wav"
    samples, _ = soundfile.read(io.BytesIO(tune(6, seed=5)))
    soundfile.write(spoken, samples, RATE)
    soundfile.write(thrice, np.tile(samples, 3), RATE)
    flags = (*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={spoken}")
    browser = app.browser.browser_type.launch(executable_path=chromium, args=[*FLAGS, *flags])
    page = replace(app, browser=browser).open()
    wait_until(page, "root.dataset.finished === 'true'")
    page.get_by_role("button", name="Microphone").click()
    # The file, twice and a bit: where in it listening began then hardly matters.
    wait_until(page, "root.dataset.state === 'listening' && +root.dataset.steps > 30")
    assert page.evaluate("+document.querySelector('.sn-live').dataset.delay") >= 0
    page.get_by_role("button", name="Stop listening").click()
    wait_until(page, "root.dataset.finished === 'true' && audio.readyState >= 2")
    heard = page.evaluate("[...document.querySelector('.sn-live').song.whole]")
    steps, _ = hear_song(load_songnet(trained), thrice)
    truth = np.mean([step.probabilities for step in steps], axis=0)
    np.testing.assert_allclose(heard, truth, atol=0.1)
    assert int(np.argmax(heard)) == int(truth.argmax())
    assert page.complaints == []
    browser.close()


def test_a_large_upload_arrives_whole(app):
    page = app.open()
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (60 * 44_100, 2))
    soundfile.write(file, noise, 44_100, format="WAV")
    content = file.getvalue()
    assert len(content) > 10_000_000
    upload(page, "minute.wav", content)
    assert page.evaluate("document.querySelector('.sn-live').audio.duration") == pytest.approx(60)
    assert page.complaints == []
    page.context.close()


def test_a_bad_upload_is_told_in_words_and_a_good_one_is_kept_when_labelled(app):
    page = app.open()
    wait_until(page, "root.dataset.finished === 'true'")
    text = {"name": "text.mp3", "mimeType": "audio/mpeg", "buffer": b"This is no song. " * 99}
    page.locator(".sn-live input[type=file]").set_input_files([text])
    alert = page.locator(".sn-live").get_by_role("alert")
    expect(alert).to_contain_text("text.mp3: is not a sound file")
    content = tune(8, seed=5)
    upload(page, "mine.flac", content)
    grow = page.get_by_role("group", name="Grow the data")
    grow.get_by_role("radio", name="Low").check()
    grow.get_by_role("button", name="Save").click()
    expect(grow).to_contain_text("Saved: “mine” is Low.")
    own = OwnSongs(app.data / "my-songs")
    (song,) = own.songs()
    assert own.file_of(song).read_bytes() == content
    # It is there when the page is loaded again, and on a second page.
    page.reload()
    expect(grow.get_by_role("listitem")).to_contain_text("mine")
    other = app.open()
    theirs = other.get_by_role("group", name="Grow the data")
    expect(theirs.get_by_role("listitem")).to_contain_text("mine")
    expect(theirs.locator(".sg-said")).to_contain_text("SongNet: ")
    theirs.get_by_role("button", name="Remove “mine”", exact=True).click()
    theirs.get_by_role("button", name="Remove “mine” and its file").click()
    expect(theirs.get_by_role("listitem")).to_have_count(0)
    assert page.complaints == other.complaints == []
    other.context.close()
    page.context.close()


@pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "dark"), (360, "light")], ids=str
)
def test_it_fits_every_page(app, width, theme):
    page = app.open(width, theme, reduced_motion="reduce" if width < 400 else "no-preference")
    upload(page, "a song with quite a long name, which goes on and on and on.flac", tune(12))
    page.evaluate("document.querySelector('.sn-live').audio.currentTime = 7")
    wait_until(page, "root.dataset.playhead >= 6.9")
    expect(page.get_by_role("group", name="Grow the data")).to_contain_text("The network above")
    screenshot(page, f"app-{width}-{theme}")
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    assert serious(page) == []
    paper, text = page.evaluate(
        """() => [document.body, document.querySelector('header p')].map((e, i) => {
          const style = getComputedStyle(e);
          return (i ? style.color : style.backgroundColor).match(/[0-9]+/g).map(Number);
        })"""
    )
    dark = theme == "dark"
    assert (sum(paper) < 150) is dark
    assert (sum(text) > 600) is dark
    assert page.complaints == []
    page.context.close()


@pytest.mark.skipif(os.name == "nt", reason="a child cannot be sent Ctrl-C alone there")
def test_without_a_network_it_says_what_to_do_and_when_it_ends_it_says_so(browser, tmp_path):
    running = start(browser, tmp_path)
    page = running.open(width=390)
    expect(page.locator("#notice")).to_contain_text("songnet fetch musicnn")
    expect(page.locator("#notice")).to_contain_text("songnet train mini")
    expect(page.get_by_role("button", name="Choose songs")).to_be_visible()
    screenshot(page, "app-no-network")
    running.process.send_signal(signal.SIGINT)
    expect(page.locator("#end")).to_contain_text("songnet app was stopped.")
    expect(page.locator("#end").get_by_role("button", name="Load again")).to_be_visible()
    assert running.process.wait(60) == 0
    assert page.complaints == []
    page.context.close()
