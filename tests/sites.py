"""A site of three small lessons, made as the course's is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from widget_lesson import write_widget_lesson

from songnet_utils.lessons import site
from songnet_utils.lessons.files import SOLUTIONS
from songnet_utils.lessons.running import run_lesson

ROOT = Path(__file__).resolve().parents[1]

#: A word that only the second lesson has, and what search makes of it.
RARE_WORD, RARE_STEM = "theremins", "theremin"

# Everything that lessons show: words, a formula, a picture, a sound, a table, a widget, a bar that
# shows progress, and an exercise with its check.
FIRST = [
    "# 1 · The *first*\n\n**What you will learn**\n- to hear;\n- to see.\n\n"
    "**What you need**: nothing.\n\nThen [2 · The second](../02-second.ipynb#wheels).",
    "from songnet_utils.lessons.costs import cost_of\ncost_of('01-first')",
    "## Formulas\n\nMel is $2595 \\log_{10}(1 + f/700)$ and\n\n"
    "$$\\sum_i x_i^2 \\text{ a\\_b}$$\n\nin all.",
    "import numpy as np\nfrom songnet_utils.plots.players import Player\n"
    "tone = 0.3 * np.sin(2 * np.pi * 440 / 22050 * np.arange(22050))\n"
    "Player(tone.astype('float32'), 22050, 'A tone of one second')",
    "from songnet_utils import plots\nplots.show(plots.waveform(tone, 22050))",
    "import pandas as pd\npd.DataFrame({'genre': ['Folk'], 'clips': [3]})",
    "import ipywidgets\nipywidgets.IntSlider(description='Touch')",
    "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)): pass",
    "from songnet_utils.lessons.checks.questions import Number, exercise\n"
    "texts = {'right': 'Two.', 'hint': 'Count.'}\n"
    "two = exercise(lambda: Number(2, {}, feedback=texts))",
]
EXERCISE = ("### Exercise 1 · Count\n\nHow many ears?\n\nTake your time.", "n = 2\ntwo(n)")
SECOND = [
    f"# 2 · The second\n\n## Wheels\n\nAll {RARE_WORD} have none. Back to [1](../01-first.ipynb).",
    "1 + 1",
]


def cell(text: str, **metadata: object):
    """Return a cell; text that begins as Markdown does is Markdown."""
    kind = nbformat.v4.new_markdown_cell if text.startswith("#") else nbformat.v4.new_code_cell
    return kind(text, metadata=metadata)


def write_lessons(folder: Path) -> list[Path]:
    """Write two lessons with solutions into a folder; return their files."""
    first = nbformat.v4.new_notebook(cells=[cell(text) for text in FIRST])
    first.cells += [cell(text, tags=["exercise"]) for text in EXERCISE]
    second = nbformat.v4.new_notebook(cells=[cell(text) for text in SECOND])
    (folder / SOLUTIONS).mkdir(parents=True)
    paths = [folder / SOLUTIONS / f"{name}.ipynb" for name in ("01-first", "02-second")]
    for path, notebook in zip(paths, (first, second), strict=True):
        nbformat.write(notebook, path)
    return paths


def run_into(folder: Path, source: Path, environment: dict[str, str]) -> Path:
    """Run a lesson, and write it with its outputs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(run_lesson(source, environment)[0], folder / source.name)
    return folder / source.name


def short_docs(folder: Path) -> Path:
    """Copy the pages around the lessons; the API reference is that of one small module."""
    shutil.copytree(ROOT / "docs", folder)
    api = (folder / "api.md").read_text("utf-8")
    (folder / "api.md").write_text(
        api.replace("   songnet_utils\n", "   songnet_utils.plots.players\n")
    )
    return folder


def no_network(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let no Python that is started from now on reach beyond itself."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import socket\n"
        "def refuse(*_, **__): raise OSError('a test allows no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
    )
    patch.setenv("PYTHONPATH", str(folder))


def write_toy_site(folder: Path, data: Path) -> Path:
    """Run two lessons, write one with all widgets; make the site in ``folder/site``, offline."""
    ran, records = folder / "ran", folder / "records"
    environment = {"SONGNET_DATA": str(data)}
    files = [run_into(ran, path, environment) for path in write_lessons(folder / "notebooks")]
    records.mkdir()
    (records / "costs.json").write_text(json.dumps(COSTS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(data))
        patch.setattr(site, "DOCS", short_docs(folder / "docs"))
        no_network(folder / "no-network", patch)
        files.append(write_widget_lesson(ran, data))
        site.write_site(files, folder / "site", records)
    return folder / "site"


_COST = {"seconds": 61.0, "memory": 1_500_000_000, "disk": 2_000_000}
COSTS = {
    "command": "make costs",
    "corpus": "mini",
    "processors": 2,
    "machine": "a toy",
    "load": 0.0,
    "versions": {"python": "3.12.1", "tensorflow": "2.21.0"},
    "music": _COST | {"seconds": 240.0, "disk": 400_000_000},
    "lessons": {
        "01-first": {"first": _COST, "again": _COST, "words": 1500, "exercises": 1},
    },
}
