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
from songnet_utils.lessons.site import BEGIN, END
from songnet_utils.lessons.syllabus import as_markdown

#: Which models of the records are shown, and what they are.
SHOWN = {
    "chance": "random guesses, each genre as often as in training",
    "svm": "one of the paper's baselines: an SVM on MFCCs",
    "lr-518": "logistic regression on 518 statistics",
    "songnet": "the paper's network",
    "songnet-lstm": "the paper's first try, with an LSTM",
    "crnn-2d": "what the paper builds on: Choi et al. 2016",
    "songnet-plus": "our network, trained from scratch",
    "songnet-transfer": "a last layer on a pretrained network",
}

#: The records that are shown, and what their collections are called.
COLUMNS = {"emotify": "Emotify", "real-music": "FMA", "all-models": "`mini`"}

#: The path of the picture, relative to README.
PICTURE = "docs/_static/results.png"

LIVE = "docs/_static/live.png"

WORDS = "Description"  # where a PNG says what it shows

# The page opens with a medley; what is shown is its fifteenth second.
AT_FIFTEEN_SECONDS = "async () => { await songnet.ready; songnet.seek(15); }"
ANSWERED = "() => songnet.now().time > 14 && songnet.now().step >= 0"


def picture(folder: Path = RECORDS) -> plots.Picture:
    """Return a picture of the results on real songs by artists on whom nothing was chosen.

    Parameters
    ----------
    folder : pathlib.Path
        Where the records are.
    """
    record = read_course_record("emotify", folder)
    title = f"Emotify: {_songs(record)} real songs by artists who are new to every model"
    rows = [record.result(model) for model in _shown(record)]
    return plots.show(plots.results(rows, title=title))


def section(folder: Path = RECORDS) -> str:
    """Return the picture and the table of results in Markdown, with their marks.

    Parameters
    ----------
    folder : pathlib.Path
        Where the records are.
    """
    named = {name: read_course_record(key, folder) for key, name in COLUMNS.items()}
    heads = {f"{name}, {_songs(record)} songs": record for name, record in named.items()}
    table = pd.DataFrame(
        {
            "model": f"`{model}`",
            "what it is": what,
            **{head: _cell(record, model) for head, record in heads.items()},
        }
        for model, what in SHOWN.items()
    )
    one = named["Emotify"].result("chance")
    return "\n\n".join(
        [
            BEGIN,
            _in_short(named["Emotify"]),
            f"![{picture(folder).alt}]({PICTURE})",
            as_markdown(table),
            "The table shows accuracy in per cent and its 95 % interval, on songs by artists "
            "who are new to the model (artist split). The Emotify songs here (classical, "
            "electronic, pop, rock) are by two thirds of Emotify's artists; we made every choice "
            "on songs by the others. The FMA songs come from a small folder with four genres "
            f"({_genres(named['FMA'])}) and few artists. We tested both in {one['folds']} folds "
            f"with {one['seeds']} seeds. `mini` is composed by rules, for teaching. The "
            "intervals are wide. (–: not tested.)",
            "On Emotify, "
            + named["Emotify"].findings("songnet-plus", ["songnet", "svm", "lr-518"]),
            "On FMA, " + named["FMA"].findings("songnet-plus", ["songnet", "svm"]),
            END,
        ]
    )


def with_section(readme: str, folder: Path = RECORDS) -> str:
    """Return README with the section of results as the records have it.

    Raises
    ------
    SongNetError
        When its marks are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise SongNetError(f"README.md: needs the marks {BEGIN} and {END}, once each, in order.")
    return f"{before}{section(folder)}{after}"


def _songs(record: Record) -> int:
    """Return how many songs were tested: the record counts each of them once a seed."""
    result = record.result("chance")
    return int(result["clips"]) // int(result["seeds"] if result["folds"] else 1)


def _shown(record: Record) -> list[str]:
    """Return the models shown that a record has."""
    tested = {result["model"] for result in record.results}
    return [model for model in SHOWN if model in tested]


def _genres(record: Record) -> str:
    """Return the genres that a record's command names."""
    return record.content["command"].partition("--genres ")[2].split()[0].replace(",", ", ")


def _in_short(record: Record) -> str:
    """Say what the record shows of the paper's network, ours and a pretrained one."""

    def verdict(model: str, other: str) -> str:
        return f"is {record.verdict(model, other)} than"

    return (
        f"In short: on Emotify's real songs, the paper's network {verdict('songnet', 'chance')} "
        f"guessing. It {verdict('songnet', 'svm')} an SVM on MFCCs, one of the paper's baselines. "
        f"Our own network, `songnet-plus`, {verdict('songnet-plus', 'svm')} that SVM. A last layer "
        f"on a pretrained network {verdict('songnet-transfer', 'svm')} that SVM."
    )


def _cell(record: Record, model: str) -> str:
    if model not in _shown(record):
        return "–"
    result: dict[str, Any] = record.result(model)
    low, high = result["confidence_interval"]
    return f"{100 * result['accuracy']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


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
    text = with_section(file.read_text("utf-8"))
    with atomic_write(file) as temporary:
        temporary.write_text(text, "utf-8")
    results = picture()
    save(results.content, ROOT / PICTURE, results.alt)
    (words,) = re.findall(rf"!\[([^\]]+)\]\({re.escape(LIVE)}\)", text)
    save(live_song(), ROOT / LIVE, words)


if __name__ == "__main__":
    main()
