"""No sentence states a number that nobody can find again.

What was measured is shown by a cell, which reads a record or computes it. What is left in the prose
is listed here with where it is from; what the code decides is compared with the code.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import nbformat
import pytest

from songnet_utils.audio.sound import Sound
from songnet_utils.features.fma import FMA_NAMES
from songnet_utils.kernels.purity import SHUFFLES
from songnet_utils.models.paper import songnet
from songnet_utils.models.transfer import load_musicnn
from songnet_utils.streaming.receptive_field import timeline_of

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

SOUND = Sound()
NETWORK = songnet(SOUND, ["a", "b"])
KERNELS = [layer.filters for layer in NETWORK.layers if layer.__class__.__name__ == "Conv1D"]
TIMES = timeline_of(NETWORK, SOUND)

# What the code decides.
BY_THE_CODE = {
    "22,050": SOUND.sample_rate,
    "1,024": SOUND.hop,
    "2,048": SOUND.n_fft,
    "128": SOUND.n_mels,
    "256": KERNELS[0],
    "768": sum(KERNELS),
    "518": len(FMA_NAMES),
    "200 times": SHUFFLES,
    "3 s": round(load_musicnn().timeline.seconds_needed),
    "1.7 seconds": round(TIMES.step_span(0)[1] - TIMES.step_span(0)[0], 1),
}

PAPER = "the paper, section"
TASK = "the lesson sets it"
TERM = "how the interval or the licence is called"
ARITHMETIC = "worked out beside it"
DEFFERRARD = "Defferrard et al. 2017, and the data set's page"

# Everything else: where it is from, by document.
SAID = {
    "01-data": {
        "30 seconds": DEFFERRARD,
        "70": f"{PAPER} 3.1",
        "20": f"{PAPER} 3.1",
        "10 percent": f"{PAPER} 3.1",
        "4.0": TERM,
        **dict.fromkeys(("80", "10"), DEFFERRARD),
        "200,000": "Pons and Serra 2019",
        "8,000": DEFFERRARD,
        "682": "songnet_utils/corpora/fma_extract/README.md",
        "15 seconds": ARITHMETIC,
    },
    "02-features": {
        "10": "what a decibel is",
        **dict.fromkeys(("100", "200", "8000", "8100"), "Slaney 1998; the cells beside it"),
        **dict.fromkeys(("1000", "27", "6400"), "Slaney 1998"),
        "60": ARITHMETIC,
        "80": "librosa's documentation: top_db",
        "140": f"{PAPER} 5.1",
        "20": ARITHMETIC,
        **dict.fromkeys(
            ("32", "440", "8,192", "82.41", "87.31", "100,000", "10 s", "12", "55"), TASK
        ),
    },
    "03-baselines": {
        "140": f"{PAPER} 5.1",
        "41%": f"{PAPER} 5.1",
        **dict.fromkeys(("70%", "20%", "10%", "70", "20", "10"), f"{PAPER} 3.1"),
        **dict.fromkeys((".4638", ".6523"), f"{PAPER} 5.1"),
        "98.97 %": "Dao Thi Le Thuy et al. 2023",
        **dict.fromkeys(("6,400", "800", "8,000"), DEFFERRARD),
        **dict.fromkeys(("1,599", "18.9"), ARITHMETIC),
        "46.38 %": "Defferrard et al. 2017, the repository's baselines",
        **dict.fromkeys((".5385", "1,000"), TASK),
    },
    "04-crnn": {
        "0.001": f"{PAPER} 4.2",
        **dict.fromkeys(("0.65", "0.01", "4 s"), TASK),
        "200,000": "Pons and Serra 2019",
    },
    "05-error-analysis": {"90 %": "an example", "60": TASK},
    "06-kernel-clips": {"0.95": TASK},
    "07-live-demo": {
        "41%": f"{PAPER} 5.1",
        "7.2 GB": DEFFERRARD,
        **dict.fromkeys(("441", "0.01", "48"), TASK),
        "80": "librosa's documentation: top_db",
        "200,000": "Pons and Serra 2019, musicnn's training songs (models/networks/README.md)",
    },
    "README": {
        **dict.fromkeys(("3.11", "3.12", "3.13"), "pyproject.toml (test_repository)"),
        "15 seconds": "scripts/readme.py",
        "50": "the command below it",
        "370 MB": "50 of 1,000 clips of each genre, of 7.2 GB",
        "7.2 GB": DEFFERRARD,
        "4.0": TERM,
    },
    "index": dict.fromkeys(("3.11", "3.12", "3.13"), "pyproject.toml (test_repository)"),
    "teachers": {"4.0": TERM},
    "commands": {"8,000": DEFFERRARD, "14": "TensorFlow's wheels"},
}


# A single digit counts things; with one of these, or as a decimal, it may have been measured.
UNIT = r"%|per ?cent|points?|times|hours?|minutes?|seconds?|m?s|[kMG]i?B"
NUMBER = re.compile(
    rf"(?<![\w.,])(?:(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?|\.\d+)(?:\s?(?:{UNIT})(?!\w))?"
)


def numbers(text: str) -> set[str]:
    """Return the numbers that a text states: of two digits and more, decimals, or with a unit."""
    for silent in (
        r"(?s)<!-- results.*?<!-- end of results",  # written by a script from records
        r"(?s)```.*?```",
        r"(?s)\$\$.*?\$\$",
        r"(?m)(?<=\n\n)(?: {4}.*\n?)+",
        r"(?m)^\| 0\d ",  # a lesson's number
        r"\]\([^)]*\)",
        r"https?://\S+",
        r"(?s)## Where to read more.*",  # volumes and chapters
        r"\b[Ss]ections? \d(\.\d)?",
        r"\b(19|20)\d\d(-\d+)?\b(?!\s?(?:" + UNIT + r")\b)",
        r"\b95 %\s(?:confidence\s)?intervals?\b",
    ):
        text = re.sub(silent, " ", text)
    # Names and formulas are no figures; a number alone between their marks is one.
    text = re.sub(r"([`$])(.*?)\1", _unless_number, text, flags=re.DOTALL)
    found = {" ".join(number.split()) for number in NUMBER.findall(text)}
    return {number for number in found if not re.fullmatch(r"0?\d", number)}


def _unless_number(match: re.Match[str]) -> str:
    return " " if re.search(r"[A-Za-z\\]", match[2]) else f" {match[2]} "


def sentences(code: str) -> list[str]:
    """Return what a cell says to people: its comments, and texts of more than one word."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return comments + [text for text in texts if isinstance(text, str) and " " in text.strip()]


def prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    parts = []
    for cell in nbformat.read(path, 4).cells:
        parts += [cell.source] if cell.cell_type == "markdown" else sentences(cell.source)
    return "\n\n".join(parts)


@pytest.mark.parametrize("path", [*SOURCES, *PAGES], ids=lambda path: path.stem)
def test_every_number_in_prose_is_known(path):
    unknown = numbers(prose(path)) - set(BY_THE_CODE) - set(SAID.get(path.stem, {}))
    assert unknown == set(), "let a cell compute it, or say in SAID where it is from"


def test_what_the_code_decides_is_said_right():
    assert {said: float(said.split()[0].replace(",", "")) for said in BY_THE_CODE} == BY_THE_CODE


def test_the_list_holds_nothing_that_is_no_longer_said():
    documents = {path.stem: numbers(prose(path)) for path in (*SOURCES, *PAGES)}
    assert set(SAID) <= set(documents)
    gone = {name: set(said) - documents[name] for name, said in SAID.items()}
    assert not any(gone.values()), gone
    assert set(BY_THE_CODE) <= set().union(*documents.values())


@pytest.mark.parametrize(
    "planted",
    [
        "SongNet gets 71.3 % of them right.",
        "An accuracy of 0.713 is reached.",
        "It takes 23 seconds, and 1,234 MB.",
        "It is right in 9 per cent of the cases.",
        "It is right for 95 % of them.",
        "An accuracy of .713 is reached, or `0.713`, or $0.713$.",
        "It takes 23s.",
        "A step costs 6 ms, an epoch 9 minutes.",
        "- On the test set:\n    - 71.3 % are right.",
        "It is 2018 times as fast.",
    ],
)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_made_up_figure_is_seen(path, planted):
    there = prose(path)
    before, after = there.split("## What you have learnt")
    new = numbers(f"{before}\n\n{planted}\n\n## What you have learnt{after}") - numbers(there)
    assert new, planted
    assert not new & (set(BY_THE_CODE) | set(SAID[path.stem]))


@pytest.mark.parametrize(
    "code",
    [
        'print("SongNet gets 71.3 % of them right.")',
        'print(f"SongNet gets 71.3 % of {len(clips)} clips right.")',
        "net  # right for 71.3 % of them",
    ],
)
def test_a_figure_that_a_cell_only_says_is_seen(code):
    assert numbers("\n".join(sentences(code))) == {"71.3 %"}


def test_a_figure_that_a_cell_computes_is_none_of_ours():
    assert (
        numbers("\n".join(sentences('print(f"{100 * share:10.1f} % of {12_000} clips")'))) == set()
    )
