"""What someone who teaches the course wants to know of its lessons, read from the lessons.

What is learnt and what each exercise asks stand in the notebooks; what a lesson costs stands in
the record of costs. Nothing is typed twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from songnet_utils.lessons.pages import title_of

#: The tag of the cells that belong to an exercise.
EXERCISE = "exercise"


def costs_of_lessons(records: Path) -> dict[str, Any]:
    """Return the record of what the lessons cost; empty where they were not measured.

    Parameters
    ----------
    records
        The folder of the records that are kept with the course.
    """
    file = records / "costs.json"
    content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return content


def cost_table(notebooks: Mapping[str, Any], costs: Mapping[str, Any]) -> str:
    """Return the lessons and what each costs in Markdown, or that it was not measured.

    Parameters
    ----------
    notebooks
        The lessons, by their file names without the suffix, in order.
    costs
        What `costs_of_lessons` returned.
    """
    measured = costs.get("lessons", {})
    if not measured:
        links = "\n".join(f"- {_link(name, notebook)}" for name, notebook in notebooks.items())
        return f"{links}\n\nWhat they cost was not measured yet."
    rows = [
        [_link(name, notebook), *_in_words(measured.get(name, {}).get("first"))]
        for name, notebook in notebooks.items()
    ]
    table = as_markdown(["Lesson", "Time", "Memory", "On disk", "Download"], rows)
    return (
        f"{table}\n\nMeasured by `{costs['command']}` on {costs['processors']} processors, each "
        "lesson run from top to bottom for the first time, once the music is there. To make the "
        f"music takes {_seconds(costs['music']['seconds'])} and "
        f"{_size(costs['music']['disk'])} on disk."
    )


def syllabus(notebooks: Mapping[str, Any]) -> str:
    """Return what each lesson teaches and what each of its exercises trains, in Markdown.

    Parameters
    ----------
    notebooks
        The lessons, by their file names without the suffix, in order.
    """
    parts = []
    for name, notebook in notebooks.items():
        parts.append(f"### {_link(name, notebook)}")
        learnt = learning_goals(notebook)
        if learnt:
            parts += ["Afterwards one can say, do or hear:", "\n".join(f"- {g}" for g in learnt)]
        asked = exercises(notebook)
        if asked:
            listed = "\n".join(f"{number}. {text}" for number, text in enumerate(asked, 1))
            parts += ["What the exercises train:", listed]
    return "\n\n".join(parts)


def learning_goals(notebook: Any) -> list[str]:
    """Return what a lesson says one will learn, from its first cell."""
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    found = re.search(r"\*\*What you will learn\*\*\s*\n((?:\s*- .+\n?)+)", first)
    return _items(found[1], "-") if found else []


def exercises(notebook: Any) -> list[str]:
    """Return what each exercise of a lesson asks, in Markdown.

    An exercise is a Markdown cell with the tag ``exercise``: its heading and its first paragraph
    are taken. In a lesson without such cells, the exercises are the numbered list under the
    heading of that name.
    """
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    asked = [cell.source for cell in texts if EXERCISE in cell.metadata.get("tags", [])]
    if asked:
        return [_beginning(text) for text in asked]
    whole = "\n\n".join(cell.source for cell in texts)
    found = re.search(r"^## Exercises\s*\n(.*?)(?=^## |\Z)", whole, re.MULTILINE | re.DOTALL)
    return _items(found[1], r"\d+\.") if found else []


def as_markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in x) + " |" for x in lines
    )


def _beginning(text: str) -> str:
    """Return an exercise's heading in bold and its first paragraph, on one line."""
    heading, _, rest = text.strip().partition("\n")
    if not heading.startswith("#"):
        heading, rest = "", text.strip()
    first = rest.strip().split("\n\n")[0]
    bold = f"**{heading.lstrip('# ')}** " if heading else ""
    return " ".join(f"{bold}{first}".split())


def _items(text: str, mark: str) -> list[str]:
    """Return the items of a list in Markdown, each on one line."""
    return [" ".join(item.split()) for item in re.split(rf"^\s*{mark}\s+", text, flags=re.M)[1:]]


def _link(name: str, notebook: Any) -> str:
    return f"[{title_of(notebook, name)}](lessons/{name}.ipynb)"


def _in_words(its: Mapping[str, float] | None) -> list[str]:
    if its is None:
        return ["not measured yet", "", "", ""]
    return [_seconds(its["seconds"]), *(_size(its[what]) for what in ("memory", "disk", "download"))]


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 95 else f"{seconds / 60:.1f} min"


def _size(size: float) -> str:
    if size < 1e6:
        return "none"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
