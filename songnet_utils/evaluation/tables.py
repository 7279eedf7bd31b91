"""Tables and sentences of `compare` and `evaluate` for the terminal."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: The width of lines in the terminal.
WIDTH = 100


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of text, with names to the left and numbers to the right.

    Rows may end early.
    """
    columns = list(itertools.zip_longest(*rows, fillvalue=""))
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]


def wrapped(*sentences: str) -> list[str]:
    """Return sentences as lines of at most `WIDTH` columns, each starting a new line."""
    return [line for sentence in sentences for line in textwrap.wrap(sentence, WIDTH)]


def percent(share: float) -> str:
    """Return a share as ``"65.2%"``, or ``"–"`` if it is not a number."""
    return "–" if np.isnan(share) else f"{share:.1%}"


def between(interval: Sequence[float], digits: int = 1) -> str:
    """Return an interval of shares as ``"61.0% to 69.3%"``, or ``""`` if there is none."""
    low, high = interval
    return "" if np.isnan(low) else f"{low:.{digits}%} to {high:.{digits}%}"


def points(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return a ``difference`` of accuracies and its ``confidence_interval`` in points."""
    low, high = (100 * bound for bound in entry["confidence_interval"])
    return f"{100 * entry['difference']:+z.1f}", f"{low:+z.1f} to {high:+z.1f}"
