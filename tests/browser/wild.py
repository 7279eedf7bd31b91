"""Somebody who clicks, seeks and uploads at random, and what must not come of it."""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import soundfile
from playwright.sync_api import Page

RATE = 22_050

# A corpus is there, two networks, and where their kernel is.
CELL = """
import os
from toy import Toy
from songnet_utils import open_corpus
from songnet_utils.widgets import LiveSong
live = LiveSong(open_corpus({folder!r}), [Toy(), Toy("Other", tilt=0.3)])
print("kernel", os.getpid())
live
"""


def music(seconds: float, kind: str, seed: int) -> bytes:
    """Return noise that changes four times a second, as a file of this kind."""
    dice = np.random.default_rng(seed)
    loud = np.repeat(dice.uniform(0.02, 0.4, int(4 * seconds) + 1), RATE // 4)
    noise = dice.standard_normal(round(seconds * RATE))
    samples = (0.3 * noise * loud[: len(noise)]).clip(-1, 1)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=kind)
    return file.getvalue()


def write_clips(folder: Path) -> Path:
    """Write a corpus of two genres into a folder that is not there yet, and return it."""
    for genre in ("Folk", "Rock"):
        (folder / genre).mkdir(parents=True)
        for number in range(2):
            (folder / genre / f"{genre} {number}.flac").write_bytes(music(8, "FLAC", number))
    return folder


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("song.mp3", b"no song")
    return file.getvalue()


def files() -> dict[str, tuple[bytes, bool]]:
    """Return files by name, each with whether it is a song."""
    mp3, flac = music(20, "MP3", 1), music(95, "FLAC", 2)
    return {
        "one.mp3": (mp3, True),
        "two minutes.flac": (flac, True),
        "three.ogg": (music(8, "OGG", 3), True),
        "four.aiff": (music(6, "AIFF", 4), True),
        "../../five.wav": (music(5, "WAV", 5), True),
        "empty.mp3": (b"", False),
        "text.mp3": (b"Once upon a time " * 400, False),
        "torn.mp3": (mp3[:9_000], False),
        "torn.flac": (music(9, "FLAC", 6)[:40_000], False),
        "archive.mp3": (_zip(), False),
        "silence.flac": (_silence(), False),
        "short.wav": (music(0.3, "WAV", 7), False),
    }


def _silence() -> bytes:
    """Return ten hours of it, in a few kilobytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8_000, 1, format="FLAC") as writer:
        for _ in range(600):
            writer.write(np.zeros(60 * 8_000, np.int16))
    return file.getvalue()


@dataclass
class Wild:
    """What happened."""

    did: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    kernel_mb: list[float] = field(default_factory=list)
    page_mb: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        did = ", ".join(f"{many} {what}" for what, many in self.did.most_common())
        said = ", ".join(f"{many} × “{what}”" for what, many in self.said.most_common())
        kernel = " ".join(f"{mb:.0f}" for mb in self.kernel_mb)
        page = " ".join(f"{mb:.1f}" for mb in self.page_mb)
        return (
            f"{self.did.total()} actions: {did}\nwords for files that are no songs: {said}\n"
            f"memory of the kernel, MB: {kernel}\nmemory of the page, MB: {page}"
        )


def go_wild(page: Page, seconds: float, seed: int = 0, checkpoints: int = 6) -> Wild:
    """Do things at random for so long; measure memory now and then, at rest, on the same clip.

    Parameters
    ----------
    page
        With a live song in it, and the output of `CELL`.
    seconds : float
        How long.
    seed : int
        Of the dice.
    checkpoints : int
        How often memory is measured.
    """
    dice, wild, brought = random.Random(seed), Wild(), files()
    root = page.locator(".sn-live").first
    stage, overview = root.locator(".sn-stage"), root.locator(".sn-overview")
    printed = page.locator(".jp-OutputArea-output", has_text="kernel ").first.inner_text()
    kernel = psutil.Process(int(printed.split()[1]))
    devtools = page.context.new_cdp_session(page)

    def click_somewhere(where: object) -> None:
        box = where.bounding_box()
        page.mouse.click(
            box["x"] + dice.uniform(1, box["width"] - 1),
            box["y"] + dice.uniform(1, box["height"] - 1),
        )

    def choose(label: str) -> None:
        select = root.get_by_label(label, exact=True)
        if select.is_visible() and select.is_enabled():
            values = select.locator("option").evaluate_all("all => all.map((one) => one.value)")
            select.select_option(dice.choice(values))

    def upload() -> None:
        names = dice.sample(sorted(brought), dice.choice([1, 1, 1, 2, 5]))
        payload = [
            {"name": name, "mimeType": "application/octet-stream", "buffer": brought[name][0]}
            for name in names
        ]
        root.locator("input[type=file]").set_input_files(payload)

    def press() -> None:
        keys = ("Space", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", "Tab")
        stage.focus()
        page.keyboard.press(dice.choice(keys))

    def seek() -> None:
        root.evaluate("(root, part) => root.song.seek(part * root.song.seconds)", dice.random())

    def drag() -> None:
        box = stage.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + dice.uniform(1, box["width"]), y)
        page.mouse.down()
        page.mouse.move(box["x"] + dice.uniform(1, box["width"]), y, steps=4)
        page.mouse.up()

    def listen() -> None:
        root.get_by_role("button", name="Microphone").or_(
            root.get_by_role("button", name="Stop listening")
        ).click()

    actions: list[tuple[str, int, Callable[[], None]]] = [
        ("clicks into the picture", 6, lambda: click_somewhere(stage)),
        ("clicks into the overview", 4, lambda: click_somewhere(overview)),
        ("seeks", 6, seek),
        ("drags", 2, drag),
        ("keys", 6, press),
        ("plays and pauses", 6, lambda: root.locator(".sn-play").click()),
        ("uploads", 4, upload),
        ("speeds", 2, lambda: choose("Speed")),
        ("loops", 1, lambda: root.get_by_role("button", name="Loop").click()),
        ("clips", 3, lambda: choose("Clip")),
        ("genres", 1, lambda: choose("Genre of the clips")),
        ("networks", 2, lambda: choose("Network that answers")),
        ("songs again", 2, lambda: choose("Opened songs")),
        ("microphones", 1, listen),
    ]
    weights = [weight for _, weight, _ in actions]
    began, measured = time.monotonic(), 0
    while (spent := time.monotonic() - began) < seconds:
        if spent >= seconds * measured / checkpoints:
            measured += 1
            _rest(page, root)
            devtools.send("HeapProfiler.collectGarbage")
            used = page.evaluate("performance.memory.usedJSHeapSize")
            wild.page_mb.append(used / 1e6)
            wild.kernel_mb.append(kernel.memory_info().rss / 1e6)
        name, _, act = dice.choices(actions, weights)[0]
        if name in ("speeds", "loops") and root.evaluate("root => !!root.song.opened"):
            continue
        act()
        wild.did[name] += 1
        page.wait_for_timeout(dice.choice([0, 20, 100, 400]))
        words = root.evaluate("root => root.song.error")
        if words:
            wild.said[words[:120]] += 1
            # Not as a person clicks: another song may take the words away at any moment.
            root.evaluate("root => root.querySelector('.sn-error button').click()")
    _rest(page, root)
    return wild


def _rest(page: Page, root: object) -> None:
    """Come back to a clip of the corpus, heard to its end."""
    first = "Object.values(root.song.clips)[0].clips[0][0]"
    root.evaluate(
        f"""root => {{
          root.song.stopListening();
          root.song.cancelUpload();
          root.song.pause();
          root.song.tell('choose', {{clip: {first}}});
        }}"""
    )
    page.wait_for_function(
        f"""() => {{
          const root = document.querySelector('.sn-live');
          const {{facts, finished}} = root.song;
          return facts.clip === {first} && finished && root.audio.readyState >= 2;
        }}"""
    )
    root.evaluate("root => { root.song.error = ''; root.song.changed('error'); }")
