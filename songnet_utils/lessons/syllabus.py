"""What someone who teaches the course wants to know of its lessons, read from the lessons.

What is learnt and what each exercise asks stand in the notebooks; what a lesson costs stands in
the record of costs. Nothing is typed twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from songnet_utils.lessons.costs import LessonCost, cost_of
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.pages import title_of


def measured(names: Sequence[str], records: Path) -> dict[str, LessonCost]:
    """Return what lessons cost; without those that were not measured.

    Parameters
    ----------
    names
        Of lessons: their file names without the suffix.
    records
        The folder of the records that are kept with the course.

    Raises
    ------
    SongNetError
        When there is no record of costs, or it is not whole.
    """
    costs = {name: cost_of(name, records) for name in names}
    return {name: cost for name, cost in costs.items() if isinstance(cost, LessonCost)}


def cost_table(notebooks: Mapping[str, Any], costs: Mapping[str, LessonCost]) -> str:
    """Return the lessons and what each costs in Markdown, or that it was not measured.

    Parameters
    ----------
    notebooks
        The lessons, by their file names without the suffix, in order.
    costs
        What `measured` returned.
    """
    links = {name: _link(name, notebook) for name, notebook in notebooks.items()}
    if not costs:
        listed = "\n".join(f"- {link}" for link in links.values())
        return f"{listed}\n\nWhat they cost was not measured yet."
    one = next(iter(costs.values()))
    head, when = ["Lesson", *one.rows()["again"]], "the first time"
    rows = [
        [link, *(costs[name].rows()[when].values() if name in costs else ["not measured yet"])]
        for name, link in links.items()
    ]
    table = as_markdown([word.capitalize() for word in head], rows)
    return (
        f"{table}\n\nEach lesson run alone from top to bottom, {when}. {one.says_of_music()} "
        f"{one.source()}"
    )


def syllabus(notebooks: Mapping[str, Any], costs: Mapping[str, LessonCost]) -> str:
    """Return what each lesson teaches and what each of its exercises trains, in Markdown.

    Parameters
    ----------
    notebooks
        The lessons, by their file names without the suffix, in order.
    costs
        What `measured` returned.
    """
    parts = []
    for name, notebook in notebooks.items():
        parts.append(f"### {_link(name, notebook)}")
        if name in costs:
            parts.append(costs[name].says_of_reading())
        for title, items, mark in (
            ("What is learnt:", learning_goals(notebook), "-"),
            ("What the exercises train:", exercises(notebook), "1."),
        ):
            if items:
                parts += [title, "\n".join(f"{mark} {item}" for item in items)]
    return "\n\n".join(parts)


def learning_goals(notebook: Any) -> list[str]:
    """Return what a lesson says one will learn, from its first cell."""
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    found = re.search(r"\*\*What you will learn\*\*\s*\n((?:\s*- .+\n?)+)", first)
    if not found:
        return []
    # Each item on one line.
    return [" ".join(item.split()) for item in re.split(r"^\s*-\s+", found[1], flags=re.M)[1:]]


def exercises(notebook: Any) -> list[str]:
    """Return what each exercise of a lesson asks, in Markdown.

    An exercise is a Markdown cell with its tag: its title and its first paragraph are taken.
    """
    texts = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return [_beginning(cell.source) for cell in texts if is_tagged(cell, EXERCISE)]


def as_markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in x) + " |" for x in lines
    )


def _beginning(text: str) -> str:
    """Return an exercise's title in bold and its first paragraph, on one line."""
    heading, _, rest = text.strip().partition("\n")
    title = re.sub(r"^#+\s*(Exercise \d+ · )?", "", heading)
    paragraph = rest.strip().split("\n\n")[0]
    return " ".join(f"**{title}** {paragraph}".split())


def _link(name: str, notebook: Any) -> str:
    return f"[{title_of(notebook, name)}](lessons/{name}.ipynb)"
