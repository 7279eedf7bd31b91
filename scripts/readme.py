"""Put results and pictures into README: ``python scripts/readme.py``.

The results come from the records in ``notebooks/records``. The live song shows `songnet app` after
fifteen seconds of its medley.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from lab import FLAGS, ROOT, find_chromium

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.lessons.files import RECORDS
from songnet_utils.lessons.records import Record, read_course_record
from songnet_utils.lessons.syllabus import as_markdown

#: The models to show, and their descriptions.
SHOWN = {
    "chance": "guessing, each genre as often as in training",
    "svm": "a baseline of the paper: SVM on MFCCs",
    "lr-518": "logistic regression on 518 statistics",
    "songnet": "the paper's network",
    "songnet-lstm": "its first try, with an LSTM",
    "crnn-2d": "what it builds on: Choi et al. 2016",
    "songnet-plus": "ours, from scratch",
    "songnet-transfer": "a last layer on a pretrained network",
}

#: The path of the picture, relative to README.
PICTURE = "docs/_static/results.png"

BEGIN, END = "<!-- results: make readme -->", "<!-- end of results -->"

LIVE = "docs/_static/live.png"

WORDS = "Description"  # where a PNG says what it shows

# The page opens with a medley; the picture shows its fifteenth second.
AT_FIFTEEN_SECONDS = "async () => { await songnet.ready; songnet.seek(15); }"
ANSWERED = "() => songnet.now().time > 14 && songnet.now().step >= 0"


def picture(folder: Path = RECORDS) -> plots.Picture:
    """Return a picture of the results on mini.

    Parameters
    ----------
    folder : pathlib.Path
        Where the records are.
    """
    record = read_course_record("all-models", folder)
    rows = [record.result(model) for model in SHOWN]
    title = f"On {record.content['command'].split()[2]}, artists that are new to every model"
    return plots.show(plots.results(rows, title=title))


def section(folder: Path = RECORDS) -> str:
    """Return the picture and the table of results in Markdown, with their marks.

    Parameters
    ----------
    folder : pathlib.Path
        Where the records are.
    """
    composed, real = (read_course_record(name, folder) for name in ("all-models", "real-music"))
    clips, songs = _songs(composed), _songs(real)
    tested = {result["model"] for result in real.results}
    table = pd.DataFrame(
        {
            "model": f"`{model}`",
            "what it is": what,
            f"mini, {clips} clips": _cell(composed, model),
            f"real, {songs} songs": _cell(real, model) if model in tested else "",
        }
        for model, what in SHOWN.items()
    )
    one = real.result("chance")
    genres = real.content["command"].partition("--genres ")[2].split()[0].replace(",", ", ")
    return "\n\n".join(
        [
            BEGIN,
            f"![{picture(folder).alt}]({PICTURE})",
            as_markdown(table),
            "Accuracy in per cent and its 95 % interval, on songs by artists that are new to "
            "the model (artist split). `mini` is composed by rules, for teaching. The real songs "
            f"are a small folder of the Free Music Archive, by few artists ({genres}), in "
            f"{one['folds']} folds with {one['seeds']} seeds. The intervals are wide: of the pairs "
            f"of models in the table, {_not_told_apart(composed)} cannot be told apart on `mini`, "
            f"and {_not_told_apart(real)} on the real songs.",
            END,
        ]
    )


def with_section(readme: str, folder: Path = RECORDS) -> str:
    """Return README with a new section of results from the records.

    Raises
    ------
    SongNetError
        When its marks are missing, repeated or out of order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise SongNetError(f"README.md: needs the marks {BEGIN} and {END}, once each, in order.")
    return f"{before}{section(folder)}{after}"


def _songs(record: Record) -> int:
    """Return the number of tested songs, which the record counts once per seed."""
    result = record.result("chance")
    return int(result["clips"]) // int(result["seeds"] if result["folds"] else 1)


def _not_told_apart(record: Record) -> str:
    """Return the number of pairs of shown models whose difference has an interval with 0."""
    shown = [model for model in SHOWN if model in {result["model"] for result in record.results}]
    pairs = list(combinations(shown, 2))
    bounds = [record.difference(*pair)["confidence_interval"] for pair in pairs]
    return f"{sum(low <= 0 <= high for low, high in bounds)} of {len(pairs)}"


def _cell(record: Record, model: str) -> str:
    result: dict[str, Any] = record.result(model)
    low, high = result["confidence_interval"]
    return f"{100 * result['accuracy']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def save(png: bytes, file: Path, words: str) -> None:
    """Write a picture with as few colours as it needs, and with a description in words."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(128)
    information = PngInfo()
    information.add_itxt(WORDS, words)
    with atomic_write(file) as temporary:
        picture.save(temporary, "png", optimize=True, pnginfo=information)


def live_song() -> bytes:
    """Return a picture of the listening page."""
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
    text = with_section(file.read_text("utf-8"))
    with atomic_write(file) as temporary:
        temporary.write_text(text, "utf-8")
    results = picture()
    save(results.content, ROOT / PICTURE, results.alt)
    (words,) = re.findall(rf"!\[([^\]]+)\]\({re.escape(LIVE)}\)", text)
    save(live_song(), ROOT / LIVE, words)


if __name__ == "__main__":
    main()
