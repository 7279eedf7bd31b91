"""Put results and pictures into README: ``python scripts/readme.py``.

The results are those of the records in ``notebooks/records``. The live song is `songnet app` with
the newest run on mini, after fifteen seconds of a clip.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from lab import FLAGS, ROOT, find_chromium

from songnet_utils.files import atomic_write
from songnet_utils.lessons import readme

LIVE = "docs/_static/live.png"

WORDS = "Description"  # where a PNG says what it shows

# A page that forbids itself to evaluate texts can still be asked by functions.
AT_FIFTEEN_SECONDS = """async () => {
  const {audio} = document.querySelector('.sn-live');
  await new Promise((done) => {
    audio.addEventListener('seeked', done, {once: true});
    audio.currentTime = 15;
  });
}"""
FINISHED = "() => document.querySelector('.sn-live')?.dataset.finished === 'true'"


def save(png: bytes, file: Path, words: str) -> None:
    """Write a picture with as few colours as it needs, and what it shows in words."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(128)
    information = PngInfo()
    information.add_itxt(WORDS, words)
    with atomic_write(file) as temporary:
        picture.save(temporary, "png", optimize=True, pnginfo=information)


def live_song() -> bytes:
    """Return a picture of the live song, as a page shows it."""
    app = subprocess.Popen(
        [
            *(sys.executable, "-m", "songnet_utils", "app"),
            *("--no-browser", "--port", "0", "--corpus", "mini"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
            page = browser.new_page(viewport={"width": 1060, "height": 800})
            page.goto(app.stdout.readline().strip())
            song = page.locator(".sn-live")
            song.wait_for()
            until = time.monotonic() + 120
            while not page.evaluate(FINISHED):
                if time.monotonic() > until:
                    sys.exit("The live song did not hear its clip within two minutes.")
                page.wait_for_timeout(200)
            page.evaluate(AT_FIFTEEN_SECONDS)
            page.wait_for_timeout(1000)
            png = song.screenshot()
            browser.close()
    finally:
        app.terminate()
        app.wait(30)
    return png


def main() -> None:
    """Write the section, and the two pictures."""
    file = ROOT / "README.md"
    text = readme.with_section(file.read_text("utf-8"))
    with atomic_write(file) as temporary:
        temporary.write_text(text, "utf-8")
    results = readme.picture()
    save(results.png, ROOT / readme.PICTURE, results.alt)
    (words,) = re.findall(rf"!\[([^\]]+)\]\({re.escape(LIVE)}\)", text)
    save(live_song(), ROOT / LIVE, words)


if __name__ == "__main__":
    main()
