"""The page that `songnet app` serves, in a real browser: ready, and allowed what it needs."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import ROOT
from playwright.sync_api import Browser, Page
from test_app import tune

# Opens a song from the machine, as a page may that knows only its bytes.
OPEN = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const {steps, genre} = await songnet.open(new File([bytes], "tune.flac"));
  return {steps: steps.length, genre};
}"""
KEEP = """async ([text, address]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const answer = await fetch(address, {method: "POST", body: new Blob([bytes])});
  return [answer.status, await answer.text()];
}"""
# In the place of the machine's.
MICROPHONE = """() => {
  const stand = new AudioContext().createMediaStreamDestination();
  navigator.mediaDevices.getUserMedia = async () => stand.stream;
}"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, medley) -> Path:
    folder = tmp_path_factory.mktemp("data")
    medley(folder)
    return folder


@pytest.fixture
def served(browser: Browser, data: Path) -> Iterator[tuple[Page, str]]:
    """A page that is ready, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "songnet_utils.cli", "app", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SONGNET_DATA": str(data), "PYTHONPATH": str(ROOT)},
    )
    page = browser.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda asked: page.complaints.append(asked.url) if away(asked.url) else None)
    address = process.stdout.readline().strip()
    page.goto(address)
    page.wait_for_function("window.songnet !== undefined")
    page.evaluate("songnet.ready")
    yield page, address
    page.close()
    process.terminate()
    process.wait(30)


def away(url: str) -> bool:
    return not re.match(r"http://127\.0\.0\.1:|blob:|data:", url)


def test_the_page_is_ready_with_the_networks_of_the_project(served):
    page, _ = served
    ready = page.evaluate("songnet.ready")
    assert ready["network"] == "songnet-mini"
    assert ready["networks"] == ["songnet-mini", "musicnn"]


def test_it_answers_and_keeps_a_song_and_nothing_is_forbidden_that_it_needs(served, data):
    page, address = served
    song = base64.b64encode(tune(6.0)).decode()
    heard = page.evaluate(OPEN, song)
    assert heard["steps"] > 1
    keep = address.replace("/?", "/keep?") + "&genre=Folk&title=Tune"
    status, text = page.evaluate(KEEP, [song, keep])
    assert (status, text.startswith("“Tune” is saved as ")) == (200, True)
    assert len(list((data / "my-songs" / "Folk").iterdir())) == 1
    page.evaluate(MICROPHONE)
    page.get_by_role("button", name="Microphone").click()
    page.get_by_role("button", name="Stop listening").wait_for()
    assert page.complaints == []
