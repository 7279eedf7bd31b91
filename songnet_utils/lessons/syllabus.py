"""What a teacher wants to know about the lessons, read from the lessons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from songnet_utils.lessons.costs import LessonCost
from songnet_utils.lessons.gaps import EXERCISE, is_tagged
from songnet_utils.lessons.running import title_of


def cost_table(titles: Mapping[str, str], costs: Mapping[str, LessonCost | str]) -> str:
    """Return a table of the lessons and what each costs the first time, in Markdown.

    Parameters
    ----------
    titles
        The titles of the lessons, by their file names without the suffix, in order.
    costs
        What `songnet_utils.lessons.costs.cost_of` returned for each.
    """
    rows, sources = [], []
    for name, title in titles.items():
        cost, link = costs[name], f"[{title}](lessons/{name}.ipynb)"
        if isinstance(cost, LessonCost):
            machine = cost.table.loc["the first time"].rename({"time": "machine's time"})
            rows.append({"lesson": link, "your time": f"{cost.minutes} minutes", **machine})
            sources.append(cost.source)
        else:
            rows.append({"lesson": link, "machine's time": "not measured yet"})
    source = sources[0] if sources else ""
    table = as_markdown(pd.DataFrame(rows).fillna(""))
    said = (
        "Your time is an estimate for reading and exercises; allow more for listening and talking. "
        "The rest is what a lesson costs when it first runs."
    )
    return f"{table}\n\n{said} {source}"


def syllabus(notebook: Any, cost: LessonCost | str) -> str:
    """Return what a lesson teaches, and its exercises, in Markdown."""
    goals = "\n".join(f"- {goal}" for goal in learning_goals(notebook))
    asked = "\n".join(f"1. {exercise}" for exercise in exercises(notebook))
    parts = [
        f"### {title_of(notebook)}",
        cost.reading if isinstance(cost, LessonCost) else cost,
        *(("What you learn:", goals) if goals else ()),
        *(("Exercises:", asked) if asked else ()),
    ]
    return "\n\n".join(parts)


def learning_goals(notebook: Any) -> list[str]:
    """Return what a lesson says you will learn."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = re.search(r"\*\*What you will learn\*\*\s*\n((?:\s*- .+\n?)+)", text)
    items = re.split(r"^\s*-\s+", found[1], flags=re.M)[1:] if found else []
    return [" ".join(item.split()) for item in items]


def exercises(notebook: Any) -> list[str]:
    """Return the title of each exercise."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and is_tagged(cell, EXERCISE):
            heading = cell.source.strip().partition("\n")[0]
            found.append(re.sub(r"^#+\s*(Exercise \d+ · )?", "", heading))
    return found


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
