"""Somebody who uses the listening page at random, and what must not come of it."""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from pages_for_tests import drop, served, write_site
from playwright.sync_api import Browser, ConsoleMessage, Page

RATE = 22_050

# Files are dropped as a person drops them: on whatever lies there.
PLACES = ("html", "body", "h1", "p", ".sp-page", ".sp-stage", ".sp-answers", ".sp-list")


@contextmanager
def served_page(folder: Path) -> Iterator[str]:
    """Write a static listening page into a folder, serve it here, and yield its address."""
    with served(write_site(folder).parent) as address:
        yield f"{address}/"


def music(seconds: float, kind: str, seed: int) -> bytes:
    """Return noise that changes four times a second, as a file of this kind."""
    dice = np.random.default_rng(seed)
    loud = np.repeat(dice.uniform(0.02, 0.4, int(4 * seconds) + 1), RATE // 4)
    noise = dice.standard_normal(round(seconds * RATE))
    file = io.BytesIO()
    soundfile.write(file, (0.3 * noise * loud[: len(noise)]).clip(-1, 1), RATE, format=kind)
    return file.getvalue()


def files() -> dict[str, bytes]:
    """Return songs, and files that are none, by name."""
    mp3 = music(20, "MP3", 1)
    return {
        "one.mp3": mp3,
        "two minutes.flac": music(95, "FLAC", 2),
        "three.ogg": music(8, "OGG", 3),
        "four.wav": music(5, "WAV", 5),
        "empty.mp3": b"",
        "text.mp3": b"Once upon a time " * 400,
        "torn.mp3": mp3[:9_000],
        "torn.flac": music(9, "FLAC", 6)[:40_000],
        "short.wav": music(0.3, "WAV", 7),
    }


class RandomUser:
    """Acts at random on the page at an address, and keeps what happened.

    Parameters
    ----------
    browser
        In which the page is opened.
    address : str
        Of the page.
    folder : Path
        For the files that are opened.
    seed : int
        Of the dice.

    Attributes
    ----------
    did : Counter
        How often each thing was done.
    complaints : list of str
        Errors of the page and of its console.
    megabytes : list of float
        Memory of the page's JavaScript, always at rest with an empty list of songs.
    """

    def __init__(self, browser: Browser, address: str, folder: Path, seed: int) -> None:
        self._dice = random.Random(seed)
        self._address = address
        self._files = files()
        self._folder = folder / "songs"
        self._folder.mkdir(parents=True)
        for name, content in self._files.items():
            (self._folder / name).write_bytes(content)
        self._context = browser.new_context(viewport={"width": 1100, "height": 900})
        self.did: Counter[str] = Counter()
        self.complaints: list[str] = []
        self.megabytes: list[float] = []
        self._page = self._open()

    def __str__(self) -> str:
        did = ", ".join(f"{many} {what}" for what, many in self.did.most_common())
        used = " ".join(f"{mb:.1f}" for mb in self.megabytes)
        return (
            f"{self.did.total()} actions: {did}\n"
            f"memory of the page at rest, MB: {used}\n"
            f"errors: {self.complaints or 'none'}"
        )

    def act(self, seconds: float, checkpoints: int = 4) -> None:
        """Do things at random for so long; measure the memory now and then."""
        for _ in range(checkpoints):
            until = time.monotonic() + seconds / checkpoints
            while time.monotonic() < until:
                self._once()
            self._measure()

    def _open(self) -> Page:
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.goto(self._address)
        self._wait(page)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _wait(self, page: Page) -> None:
        page.wait_for_function("window.songnet !== undefined")
        page.evaluate("songnet.ready")

    def _once(self) -> None:
        page, dice = self._page, self._dice
        what = dice.choices(
            ("click", "drop", "open", "seek", "key", "choose", "tab", "reload", "look", "wait"),
            (30, 12, 6, 14, 14, 10, 3, 3, 2, 6),
        )[0]
        self.did[what] += 1
        match what:
            case "click":
                # In one go: a moment later the button may be gone.
                page.evaluate(
                    """(share) => {
                      const all = document.querySelectorAll(".sp-page button, .sp-page summary");
                      const shown = [...all].filter((it) => it.checkVisibility());
                      shown[Math.floor(share * shown.length)]?.click();
                    }""",
                    dice.random(),
                )
            case "drop":
                name = dice.choice(list(self._files))
                drop(page, [self._folder / name], dice.choice(PLACES))
            case "open":
                names = dice.sample(list(self._files), dice.randint(1, 3))
                page.locator(".sp-page input[type=file]").first.set_input_files(
                    [self._folder / name for name in names]
                )
            case "seek":
                page.evaluate("songnet.seek", dice.uniform(-2, 40))
            case "key":
                page.locator(".sp-stage").focus()
                page.keyboard.press(
                    dice.choice(["ArrowLeft", "ArrowRight", "Space", "Home", "End"])
                )
            case "choose":
                page.evaluate(
                    """([share, which]) => {
                      const all = document.querySelectorAll(".sp-page select");
                      const shown = [...all].filter((it) => it.checkVisibility());
                      const it = shown[Math.floor(share * shown.length)];
                      it.selectedIndex = Math.floor(which * it.options.length);
                      it.dispatchEvent(new Event("change", {bubbles: true}));
                    }""",
                    [dice.random(), dice.random()],
                )
            case "tab":
                other = self._open()
                self._page, before = other, page
                before.close()
            case "reload":
                page.reload()
                self._wait(page)
            case "look":
                page.set_viewport_size(
                    dice.choice([{"width": 390, "height": 800}, {"width": 1100, "height": 900}])
                )
            case "wait":
                page.wait_for_timeout(dice.uniform(100, 2_000))
        self._page.wait_for_timeout(dice.uniform(0, 150))

    def _measure(self) -> None:
        """Empty the list, let everything come to rest, and read what JavaScript keeps."""
        page = self._page
        page.evaluate("songnet.pause()")
        for button in page.get_by_role("button", name="Stop listening").all():
            button.click()
        page.wait_for_timeout(1_000)
        page.evaluate("document.querySelectorAll('.sp-song .sp-quiet').forEach((it) => it.click())")
        page.locator(".sp-page select").first.select_option(index=1)
        page.wait_for_timeout(2_000)
        session = self._context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(500)
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
        self.megabytes.append((used["usedSize"] + used.get("backingStorageSize", 0)) / 1e6)
        session.detach()
