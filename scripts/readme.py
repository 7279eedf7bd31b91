"""Put results and pictures into README: ``python scripts/readme.py``.

The results are those of the records in ``notebooks/records``. The live song is `songnet app`
after fifteen seconds of its medley.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from lab import FLAGS, ROOT, find_chromium

from songnet_utils._utils.files import atomic_write
from songnet_utils.lessons import readme

LIVE = "docs/_static/live.png"

WORDS = "Description"  # where a PNG says what it shows

# The page opens with a medley; what is shown is its fifteenth second.
AT_FIFTEEN_SECONDS = "async () => { await songnet.ready; songnet.seek(15); }"
ANSWERED = "() => songnet.now().time > 14 && songnet.now().step >= 0"


def save(png: bytes, file: Path, words: str) -> None:
    """Write a picture with as few colours as it needs, and what it shows in words."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(128)
    information = PngInfo()
    information.add_itxt(WORDS, words)
    with atomic_write(file) as temporary:
        picture.save(temporary, "png", optimize=True, pnginfo=information)


def live_song() -> bytes:
    """Return a picture of the page that listens."""
    app = subprocess.Popen(
        [sys.executable, "-m", "songnet_utils.cli", "app", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
            page = browser.new_page(viewport={"width": 1060, "height": 800})
            page.goto(app.stdout.readline().strip())
            page.wait_for_function("window.songnet !== undefined")
            page.evaluate(AT_FIFTEEN_SECONDS)
            page.wait_for_function(ANSWERED)
            page.wait_for_timeout(3000)
            png = page.locator(".songnet-page").screenshot()
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
    save(results.content, ROOT / readme.PICTURE, results.alt)
    (words,) = re.findall(rf"!\[([^\]]+)\]\({re.escape(LIVE)}\)", text)
    save(live_song(), ROOT / LIVE, words)


if __name__ == "__main__":
    main()
