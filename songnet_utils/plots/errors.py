"""Pictures of what a network gets wrong, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from songnet_utils.plots.style import (
    ACCENT,
    INK,
    SPLIT_COLOURS,
    axes_for,
    describe,
    genre_colours,
    legend_outside,
)
from songnet_utils.streaming.timeline import Timeline

if TYPE_CHECKING:
    pass


def embedding_map(
    places: pd.DataFrame,
    trust: float | None = None,
    *,
    title: str = "The embedding, laid out on a plane",
    ax: Axes | None = None,
) -> Axes:
    """Draw where clips lie in a network's embedding: training clips as dots, test clips larger.

    Parameters
    ----------
    places
        ``x``, ``y``, ``set``, ``genre`` and ``answer``, as
        `songnet_utils.evaluation.error_analysis.embedding_map` gives them. Right test clips are
        ringed circles, wrong ones crosses in the colour of the truth.
    trust
        How far neighbours here are neighbours there, to be said below the title.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 9.6, 7)
    colours = genre_colours(sorted(places["genre"].unique()))
    tested = places["answer"].notna()
    right = tested & (places["answer"] == places["genre"])
    kinds: tuple[tuple[pd.Series, str, dict[str, Any]], ...] = (
        (~tested, "o", {"s": 11, "alpha": 0.5, "linewidths": 0}),
        (right, "o", {"s": 62, "edgecolors": "black", "linewidths": 1.1}),
        (tested & ~right, "X", {"s": 84, "edgecolors": "black", "linewidths": 0.8}),
    )
    for genre, colour in colours.items():
        for chosen, marker, look in kinds:
            there = places[chosen & (places["genre"] == genre)]
            ax.scatter(there["x"], there["y"], color=colour, marker=marker, **look)
    for genre, colour in colours.items():
        ax.scatter([], [], s=50, color=colour, label=genre)
    for (_, marker, look), label in zip(
        kinds, ("training clip", "test clip, right", "test clip, wrong"), strict=True
    ):
        ax.scatter([], [], color="white" if "edgecolors" in look else "grey", marker=marker,
                   label=label, **look)  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    heading = title if trust is None else f"{title} (trustworthiness {trust:.2f})"
    ax.set(xlabel="No unit: only who is near to whom", ylabel="", title=heading)
    legend_outside(ax)
    words = "; ".join(
        f"{genre} {int((right & of).sum())} of {int((tested & of).sum())} right"
        for genre in colours
        if (of := places["genre"] == genre).any()
    )
    return describe(
        ax,
        f"{heading}. Dots are {int((~tested).sum())} training clips, circles with a rim test clips "
        f"that are right, crosses those that are wrong, coloured by their true genre: {words}.",
    )


def step_contributions(
    shares: np.ndarray,
    deciding: Sequence[int],
    timeline: Timeline,
    *,
    answer: str,
    rival: str,
    title: str = "What each step adds",
    ax: Axes | None = None,
) -> Axes:
    """Draw what each step adds to the difference between two genres of a song.

    Parameters
    ----------
    shares
        Shape (steps,), as `songnet_utils.evaluation.error_analysis.contributions` gives them.
    deciding
        The steps to mark.
    timeline
        The network's timeline; a step stands from the moment that decides it.
    answer, rival
        The genres that positive and negative steps speak for.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 10, 2.8)
    ends = np.array([timeline.step_span(step)[1] for step in range(len(shares))])
    colours = genre_colours([answer, rival])
    points = 100 * np.asarray(shares)
    for genre, chosen in ((answer, points > 0), (rival, points <= 0)):
        ax.bar(
            ends[chosen],
            points[chosen],
            width=0.9 * timeline.step_seconds,
            align="edge",
            color=colours[genre],
            label=f"for {genre}" if chosen.any() else None,
        )
    ax.axhline(0, color="#333333", linewidth=1)
    if len(deciding):
        top = 1.12 * max(float(points.max()), 1e-9)
        middles = ends[list(deciding)] + timeline.step_seconds / 2
        ax.plot(middles, np.full(len(middles), top), "v", color="#333333", ms=4, label="decided")
    ax.set(xlabel="Time heard (s)", ylabel="Points of the lead", title=title)
    ax.set_xlim(0, float(ends[-1] + timeline.step_seconds))
    legend_outside(ax)
    return describe(
        ax,
        f"{title}: bars, one a step. {int((points > 0).sum())} of {len(points)} steps speak for "
        f"{answer}, the others for {rival}. Their sum is {points.sum():+.1f} points; "
        f"{len(deciding)} steps are marked as deciding.",
    )


def errors_per_artist(
    artists: pd.DataFrame,
    *,
    most: int = 30,
    title: str = "Mistakes by artist",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many test clips of each artist are wrong.

    Parameters
    ----------
    artists
        ``clips`` and ``wrong`` by artist, in the order to draw, as
        `songnet_utils.evaluation.error_analysis.mistakes_by_artist` gives them.
    most
        Draw so many artists, the first ones.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    shown = artists.head(most)
    ax = axes_for(ax, 8, 1.1 + 0.24 * len(shown))
    names = [str(name) for name in shown.index]
    heights = np.arange(len(shown))
    ax.barh(heights, shown["clips"], color="#D9DDE4", label="right")
    ax.barh(heights, shown["wrong"], color=SPLIT_COLOURS["test"], label="wrong")
    ax.set_yticks(heights, names)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="Test clips", ylabel="", title=title)
    legend_outside(ax)
    every = int((artists["wrong"] == artists["clips"]).sum())
    none = int((artists["wrong"] == 0).sum())
    first = ", ".join(
        f"{name} {row.wrong} of {row.clips}"
        for name, row in zip(names[:5], shown.head(5).itertuples(), strict=True)
    )
    return describe(
        ax,
        f"{title}: bars of the test clips of {len(shown)} of {len(artists)} artists, the wrong "
        f"ones in red. All clips of {every} artists are wrong, none of {none}. First: {first}.",
    )


def mended_and_broken(
    by_genre: pd.DataFrame, *, title: str = "Mended and broken", ax: Axes | None = None
) -> Axes:
    """Draw how many clips of each genre another model gets right that were wrong, and the reverse.

    Parameters
    ----------
    by_genre
        ``mended`` and ``broken`` by genre, as
        `songnet_utils.evaluation.error_analysis.Changes.by_genre` gives them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 8, 1.1 + 0.42 * len(by_genre))
    heights = np.arange(len(by_genre))
    ax.barh(heights, by_genre["mended"], color=INK, label="mended")
    ax.barh(heights, -by_genre["broken"], color=ACCENT, label="broken")
    ax.axvline(0, color="#333333", linewidth=1)
    ax.set_yticks(heights, list(by_genre.index))
    ax.set_ylim(len(by_genre) - 0.5, -0.5)
    reach = 1.15 * max(1, by_genre[["mended", "broken"]].to_numpy().max())
    ax.set_xlim(-reach, reach)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    ax.set(xlabel="Clips: broken to the left, mended to the right", ylabel="", title=title)
    legend_outside(ax)
    words = "; ".join(
        f"{genre} {row.mended} mended, {row.broken} broken"
        for genre, row in zip(by_genre.index, by_genre.itertuples(), strict=True)
    )
    return describe(ax, f"{title}, as bars: {words}.")
