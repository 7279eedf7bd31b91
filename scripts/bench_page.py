"""Measure the listening page in a real browser, and print delays, frame rates and memory.

A static web server serves the page from a folder with the two networks that come with the project;
``songnet app`` is measured as a separate program.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from lab import FLAGS, find_chromium
from random_user import served_page

RATE = 44_100
NETWORKS = ("songnet-mini", "musicnn")
APP_RUNS = 5

_LISTEN = """async ([network, isWhole]) => {
  const file = document.querySelector("#bench").files[0];
  await songnet.engine.load(network);
  const began = performance.now();
  const stopping = new AbortController();
  let first = null;
  const listening = songnet.engine.listen(file, network, {
    signal: stopping.signal,
    onFrames() {},
    onSteps() {
      first ??= performance.now() - began;
      if (!isWhole) stopping.abort();
    },
  });
  await (isWhole ? listening : listening.catch(() => {}));
  return {first: first / 1000, whole: (performance.now() - began) / 1000};
}"""

_FRAMES = """async (seconds) => {
  songnet.seek(0);
  songnet.play();
  while (songnet.now().time === 0) await new Promise(requestAnimationFrame);
  const began = performance.now();
  let last = began, longest = 0, painted = 0, time = songnet.now().time;
  while (performance.now() - began < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    if (songnet.now().time === time) continue;
    time = songnet.now().time;
    painted += 1;
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  songnet.pause();
  return [painted / ((last - began) / 1000), longest];
}"""

_MICROPHONE = """async ([network, seconds]) => {
  let heard = 0;
  const delays = [];
  const ear = await songnet.engine.microphone(network, {
    onLevel(level, seconds) { heard = seconds; },
    onSteps({steps}) { delays.push(heard - steps.at(-1).end); },
  });
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  await ear.stop();
  return delays;
}"""


def music(seconds: float) -> Iterator[np.ndarray]:
    """Yield stereo pieces of ten seconds: notes over noise, which change every quarter second."""
    dice = np.random.default_rng(0)
    moments = np.arange(10 * RATE) / RATE
    for _ in range(round(seconds / 10)):
        note = (moments * 4).astype(int)
        pitch = 55 * 2 ** (dice.integers(0, 60, note.max() + 1) / 12)
        tone = 0.3 * np.sin(2 * np.pi * pitch[note] * moments)
        hiss = dice.uniform(0, 0.1, note.max() + 1)[note] * dice.standard_normal(len(moments))
        yield np.stack([tone + hiss, tone - hiss], axis=1).astype(np.float32)


def write_mp3(file: Path, seconds: float) -> Path:
    """Write an mp3 of this duration, and return its path."""
    with soundfile.SoundFile(file, "w", RATE, 2, format="MP3", bitrate_mode="VARIABLE") as writer:
        for piece in music(seconds):
            writer.write(piece)
    return file


_READY = """async () => {
  while (!window.songnet) await new Promise(requestAnimationFrame);
  await window.songnet.ready;
}"""


def ready(page: Page, address: str) -> float:
    """Open the page, and return the seconds until it can answer a dropped song."""
    began = time.monotonic()
    # The medley, which the app's very first start composes, may come later.
    page.goto(address, wait_until="domcontentloaded")
    # In a function of its own: the page's policy forbids what `wait_for_function` evaluates.
    page.evaluate(_READY)
    took = time.monotonic() - began
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input type=file id=bench>')")
    return took


def memory() -> float:
    """Return the memory of all child processes, in MB, counting shared parts once."""
    used = 0
    for process in psutil.Process().children(recursive=True):
        try:
            used += process.memory_full_info().pss
        except psutil.Error:
            continue
    return used / 1e6


class Watch(threading.Thread):
    """Watches the browser's memory inside a ``with`` block; `most` is the maximum, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._left = 0.0, threading.Event()

    def run(self) -> None:
        """Measure twice per second."""
        while not self._left.wait(0.5):
            self.most = max(self.most, memory())

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self.join()


def listen(page: Page, file: Path, network: str, *, whole: bool = True) -> dict[str, Any]:
    """Process a file in the page; return the seconds until the first and the last answer."""
    page.set_input_files("#bench", file)
    took: dict[str, Any] = page.evaluate(_LISTEN, [network, whole])
    return took


def listening(place: Path) -> None:
    """Print the cost of files of several lengths, of playback, and of the microphone."""
    files = {
        "a 30-s clip": write_mp3(place / "clip.mp3", 30),
        "a 4-minute song": write_mp3(place / "song.mp3", 240),
        "an hour of mp3": write_mp3(place / "hour.mp3", 3600),
    }
    heard = place / "heard.wav"
    soundfile.write(heard, np.concatenate(list(music(30))), RATE)
    flags = (*FLAGS, f"--use-file-for-fake-audio-capture={heard}")
    with sync_playwright() as playwright, served_page(place) as address:
        total = sum(file.stat().st_size for file in place.rglob("songnet/**/*") if file.is_file())
        print(f"the page adds {total / 1e6:.1f} MB to a site (the site's clips come on top)")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(flags))
        page = browser.new_context().new_page()
        page.set_default_timeout(600_000)
        first = ready(page, address)
        warm = sorted(ready(page, address) for _ in range(5))
        print(
            f"ready {first:.2f} s after it was opened, {warm[2]:.2f} s from a warm cache "
            f"(median of 5, {warm[-1]:.2f} s at most)"
        )
        for network in NETWORKS:
            listen(page, files["a 30-s clip"], network)  # once before: it wakes the network
            for what, file in files.items():
                # musicnn takes minutes for an hour of music: its first answer is enough.
                whole = network == "songnet-mini" or what != "an hour of mp3"
                with Watch() as watch:
                    took = listen(page, file, network, whole=whole)
                said = f"{network}, {what}: first answer {took['first']:.2f} s"
                if whole:
                    said += f", whole {took['whole']:.2f} s, browser at most {watch.most:.0f} MB"
                print(said)
        for network in NETWORKS:
            delays = page.evaluate(_MICROPHONE, [network, 20])
            print(
                f"{network}, microphone: answers come {np.median(delays):.3f} s after the end of "
                f"their sound (median of {len(delays)}, {max(delays):.3f} s at most)"
            )
        painted, longest = page.evaluate(_FRAMES, 10)
        print(f"playing: {painted:.0f} frames per second, {longest:.0f} ms at most between two")
        browser.close()


def app(place: Path) -> None:
    """Print the time until the page of ``songnet app`` is ready, and its server's memory."""
    songnet = Path(sys.executable).with_name("songnet")
    took, used = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for _ in range(APP_RUNS):
            page = browser.new_context().new_page()
            began = time.monotonic()
            server = subprocess.Popen(
                [str(songnet), "app", "--port", "0", "--no-browser"],
                stdout=subprocess.PIPE,
                text=True,
                cwd=place,
            )
            assert server.stdout is not None
            ready(page, server.stdout.readline().strip())
            took.append(time.monotonic() - began)
            used.append(psutil.Process(server.pid).memory_info().rss / 1e6)
            server.terminate()
            server.wait()
            page.context.close()
        browser.close()
    print(
        f"make demo: page ready {took[0]:.2f} s after the command the first time, later "
        f"{np.median(took[1:]):.2f} s ({max(took[1:]):.2f} s at most of {APP_RUNS - 1}); "
        f"server {max(used):.0f} MB"
    )


def main() -> None:
    """Print one line per measurement."""
    with tempfile.TemporaryDirectory() as folder:
        listening(Path(folder))
        app(Path(folder))


if __name__ == "__main__":
    main()
