"""Plots of a network's errors and their causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from songnet_utils.plots.style import (
    ACCENT,
    INK,
    SPLIT_COLOURS,
    axes_for,
    describe,
    genre_colours,
    legend_outside,
    stacked_bars,
)
from songnet_utils.streaming.timeline import Timeline

#: The most artists to draw.
MOST_ARTISTS = 30


def embedding_map(
    places: pd.DataFrame, trust: float, *, title: str = "A map of the embedding"
) -> Axes:
    """Draw a map of a network's embedding, with training clips as dots and larger test clips.

    Parameters
    ----------
    places
        ``x``, ``y``, ``genre`` and ``answer`` (missing for training clips), from
        `songnet_utils.evaluation.error_analysis.embedding_map`. Right test clips are ringed
        circles, wrong ones crosses in the colour of the true genre.
    trust
        The trustworthiness of the map, 0 to 1: how well it preserves neighbours.
    title
        Above it.
    """
    ax = axes_for(9.6, 7)
    colours = genre_colours(sorted(places["genre"].unique()))
    tested = places["answer"].notna()
    right = tested & (places["answer"] == places["genre"])
    kinds: tuple[tuple[str, pd.Series, str, dict[str, Any]], ...] = (
        ("training clip", ~tested, "o", {"s": 22, "alpha": 0.6, "linewidths": 0}),
        ("test clip, right", right, "o", {"s": 62, "edgecolors": "black", "linewidths": 1.1}),
        ("test clip, wrong", tested & ~right, "X", {"s": 84, "edgecolors": "black"}),
    )
    for genre, colour in colours.items():
        ax.scatter([], [], s=50, color=colour, label=genre)
    for label, chosen, marker, look in kinds:
        there = places[chosen]
        ax.scatter(there["x"], there["y"], c=there["genre"].map(colours), marker=marker, **look)
        empty = "white" if "edgecolors" in look else "grey"
        ax.scatter([], [], color=empty, marker=marker, label=label, **look)
    heading = f"{title} (trustworthiness {trust:.2f})"
    ax.set(xlabel="No unit: only neighbourhoods matter", title=heading, xticks=[], yticks=[])
    legend_outside(ax)
    counts = pd.DataFrame({"right": right, "tested": tested}).groupby(places["genre"]).sum()
    words = "; ".join(
        f"{row.Index} {row.right} of {row.tested} right" for row in counts.itertuples()
    )
    return describe(
        ax,
        f"{heading}. Dots are {int((~tested).sum())} training clips, circles with a rim are right "
        f"test clips, and crosses are wrong ones, coloured by their true genre: {words}.",
    )


def step_contributions(
    shares: np.ndarray, deciding: Sequence[int], timeline: Timeline, *, answer: str, rival: str
) -> Axes:
    """Draw the contribution of each step to the difference between two genres of a song.

    Parameters
    ----------
    shares
        Shape (steps,), from `songnet_utils.evaluation.error_analysis.contributions`.
    deciding
        The steps to mark.
    timeline
        The network's timeline; a step's bar starts at the step's end.
    answer, rival
        The genres that positive and negative steps support.
    """
    ax = axes_for(10, 2.8)
    ends = np.array([timeline.step_span(step)[1] for step in range(len(shares))])
    colours = genre_colours([answer, rival])
    points, width = 100 * np.asarray(shares), timeline.step_seconds
    for genre, chosen in ((answer, points > 0), (rival, points <= 0)):
        label = f"for {genre}" if chosen.any() else None
        x, y = ends[chosen], points[chosen]
        ax.bar(x, y, 0.9 * width, align="edge", color=colours[genre], label=label)
    ax.axhline(0, color="#333333", linewidth=1)
    if len(deciding):
        top = 1.12 * max(float(points.max()), 1e-9)
        middles = ends[list(deciding)] + width / 2
        ax.plot(middles, np.full(len(middles), top), "v", color="#333333", ms=4, label="decided")
    title = "Contribution of each step"
    ax.set(xlabel="Time (s)", ylabel="Contribution (points)", title=title)
    ax.set_xlim(0, float(ends[-1] + width))
    legend_outside(ax)
    return describe(
        ax,
        f"{title}: one bar per step. {int((points > 0).sum())} of {len(points)} steps support "
        f"{answer}, the others {rival}. Their sum is {points.sum():+.1f} points; "
        f"{len(deciding)} steps are marked as decisive.",
    )


def errors_per_artist(artists: pd.DataFrame, *, title: str = "Errors by artist") -> Axes:
    """Draw the number of wrong test clips by each artist.

    Parameters
    ----------
    artists
        ``clips`` and ``wrong`` by artist, in the order to draw, from
        `songnet_utils.evaluation.error_causes.errors_by_artist`. The first 30 are drawn.
    title
        Above it.
    """
    shown = artists.head(MOST_ARTISTS)
    table = pd.DataFrame({"wrong": shown["wrong"], "right": shown["clips"] - shown["wrong"]})
    colours = {"wrong": SPLIT_COLOURS["test"], "right": "#D9DDE4"}
    ax = stacked_bars(table, colours, row_height=0.24)
    ax.set(xlabel="Test clips", title=title)
    every = int((artists["wrong"] == artists["clips"]).sum())
    none = int((artists["wrong"] == 0).sum())
    first = ", ".join(
        f"{row.Index} {row.wrong} of {row.clips}" for row in shown.head(5).itertuples()
    )
    return describe(
        ax,
        f"{title}: bars of the test clips by {len(shown)} of {len(artists)} artists, wrong ones "
        f"in red. {every} artists have only wrong clips, and {none} have none. First: {first}.",
    )


def mended_and_broken(by_genre: pd.DataFrame, *, title: str = "Mended and broken") -> Axes:
    """Draw the numbers of clips per genre that another model corrects, and of new errors.

    Parameters
    ----------
    by_genre
        ``mended`` and ``broken`` by genre, from
        `songnet_utils.evaluation.error_analysis.Changes.by_genre`.
    title
        Above it.
    """
    table = pd.DataFrame({"mended": by_genre["mended"], "broken": -by_genre["broken"]})
    ax = stacked_bars(table, {"mended": INK, "broken": ACCENT})
    ax.axvline(0, color="#333333", linewidth=1)
    widest = 1.15 * max(1, table.abs().to_numpy().max())
    ax.set_xlim(-widest, widest)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    ax.set(xlabel="Clips: broken to the left, mended to the right", title=title)
    words = "; ".join(
        f"{row.Index} {row.mended} mended, {row.broken} broken" for row in by_genre.itertuples()
    )
    return describe(ax, f"{title}, as bars: {words}.")
