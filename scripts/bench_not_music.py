"""Measure in a real browser how well the listening page recognises speech, silence and noise.

``espeak-ng`` (a Debian package of that name) makes speech, and this script makes silence and noise.
The songs are Emotify's in ``$SONGNET_SHARED/emotify`` (``../shared/emotify`` by default). The
script names everything that it has to leave out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from lab import FLAGS, find_chromium  # noqa: E402

from songnet_utils.widgets.page import write_page  # noqa: E402

RATE = 44_100
SECONDS = 15
FILES, SONGS = 20, 100
VOICES = (
    *("en-us", "en-gb", "en-gb-scotland", "de", "fr", "es", "it", "nl", "pl", "pt", "ru", "sv"),
    *("en-us+f2", "en-us+f4", "en-gb+f3", "en-us+m3", "en-us+m7", "en+croak", "en+whisper", "hi"),
)
TEXT = (
    "When the sunlight strikes raindrops in the air, they act as a prism and form a rainbow. The "
    "rainbow is a division of white light into many beautiful colours. These take the shape of a "
    "long round arch, with its path high above, and its two ends beyond the horizon."
)

_HTML = (
    '<!doctype html><meta charset="utf-8"><title>Bench</title><input type="file" id="song">'
    '<div class="songnet-page" data-base=""></div><script src="songnet.js"></script>'
)

# The page's last answer for a file; it rejects a file without any sound as silence.
_KIND = """async () => {
  const file = document.querySelector("#song").files[0];
  let last = "";
  try {
    await songnet.engine.listen(file, songnet.engine.host.networks[0].name, {
      onKind: ({ kind }) => (last = kind),
    });
  } catch (error) {
    if (!error.message.includes("only silence")) throw error;
    last = "silence";
  }
  return last;
}"""


def speech(folder: Path) -> list[Path]:
    """Write speech in several voices; return an empty list without ``espeak-ng``."""
    program = shutil.which("espeak-ng")
    if program is None:
        print("speech: left out, because espeak-ng is not installed")
        return []
    files = [folder / f"speech {voice}.wav" for voice in VOICES[:FILES]]
    for number, (voice, file) in enumerate(zip(VOICES, files, strict=False)):
        speed = str(130 + 3 * number)
        subprocess.run([program, "-v", voice, "-s", speed, "-w", str(file), TEXT], check=True)
    return files


def silence(folder: Path) -> list[Path]:
    """Write three kinds of silence: no sound at all, faint hiss, faint hum."""
    dice = np.random.default_rng(1)
    moments = np.arange(SECONDS * RATE) / RATE
    sounds = {
        "nothing": lambda: np.zeros_like(moments),
        "hiss": lambda: 10 ** dice.uniform(-5, -3.5) * dice.standard_normal(len(moments)),
        "hum": lambda: 5e-4 * np.sin(2 * np.pi * dice.choice([50, 60]) * moments),
        "rumble": lambda: 10 ** dice.uniform(-5, -3.5) * coloured(dice, len(moments), -1),
    }
    return write(folder, "silence", sounds)


def noise(folder: Path) -> list[Path]:
    """Write noise of several colours, steady and in gusts."""
    dice = np.random.default_rng(2)
    count = SECONDS * RATE
    gusts = np.interp(np.arange(count), np.arange(0, count, RATE), dice.random(SECONDS))
    sounds = {
        "white": lambda: coloured(dice, count, 0),
        "pink": lambda: coloured(dice, count, -0.5),
        "brown": lambda: coloured(dice, count, -1),
        "blue": lambda: coloured(dice, count, 0.5),
        "gusts": lambda: coloured(dice, count, -0.5) * gusts,
    }
    return write(folder, "noise", sounds, lambda: dice.uniform(0.02, 0.25))


def coloured(dice: np.random.Generator, count: int, slope: float) -> np.ndarray:
    """Return noise with an amplitude proportional to frequency ** ``slope`` and an RMS of 1."""
    spectrum = np.fft.rfft(dice.standard_normal(count))
    sound = np.fft.irfft(spectrum * np.arange(1.0, len(spectrum) + 1) ** slope, count)
    return sound / np.sqrt(np.mean(sound**2))


def write(folder: Path, what: str, sounds: dict, gain=lambda: 1.0) -> list[Path]:
    """Write `FILES` files, each kind of sound in turn."""
    files = []
    for number in range(FILES):
        name = list(sounds)[number % len(sounds)]
        files.append(folder / f"{what} {name} {number}.wav")
        soundfile.write(files[-1], np.clip(gain() * sounds[name](), -1, 1), RATE)
    return files


def songs() -> list[Path]:
    """Return real songs, the same number of each genre."""
    folder = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "emotify"
    genres = sorted(path for path in folder.glob("*") if path.is_dir())
    if not genres:
        print(f"songs: left out, because there are none at {folder}")
        return []
    each = SONGS // len(genres)
    return [file for genre in genres for file in sorted(genre.glob("*.mp3"))[:each]]


def not_music() -> None:
    """Print the page's answers for speech, silence, noise and songs."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_page(folder / "page", [])
        (folder / "page" / "index.html").write_text(_HTML)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_context().new_page()
        page.goto((folder / "page" / "index.html").as_uri())
        page.wait_for_function("window.songnet")
        page.set_default_timeout(120_000)
        asked = {"speech": speech(folder), "silence": silence(folder), "noise": noise(folder)}
        for what, files in {**asked, "songs": songs()}.items():
            told = {}
            for file in files:
                page.set_input_files("#song", file)
                told[file] = page.evaluate(_KIND)
            counts = Counter(told.values())
            music = counts["music"]
            kinds = ", ".join(f"{kind} {count}" for kind, count in counts.most_common())
            print(f"{what}: {len(files) - music} of {len(files)} called not music ({kinds})")
            right = {"songs": "music"}.get(what, what)
            wrong = [f"{file.name} ({kind})" for file, kind in told.items() if kind != right]
            if wrong:
                print(f"  otherwise: {', '.join(wrong)}")
        browser.close()


if __name__ == "__main__":
    not_music()
