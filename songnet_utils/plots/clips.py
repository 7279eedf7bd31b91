"""Pictures of a corpus: its clips, artists, splits, genres and statistics."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from songnet_utils.plots.style import (
    SPLIT_COLOURS,
    axes_for,
    describe,
    genre_colours,
    legend_outside,
    styled,
)

if TYPE_CHECKING:
    pass


def clips_per_genre(clips: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many clips and how many artists each genre has.

    Parameters
    ----------
    clips
        The table of clips: columns ``genre`` and ``artist``.
    ax
        Where to draw; a new figure by default.
    """
    counts = clips.groupby("genre", observed=True)["artist"].agg(["size", "nunique"])
    ax = axes_for(ax, 8, 0.9 + 0.42 * len(counts))
    colours = genre_colours(counts.index)
    ax.barh(counts.index, counts["size"], color=[colours[genre] for genre in counts.index])
    for place, (clips_there, artists) in enumerate(counts.itertuples(index=False)):
        ax.text(clips_there, place, f" {clips_there} clips, {artists} artists", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.35 * counts["size"].max())
    ax.set(xlabel="Clips", ylabel="", title="Clips and artists in each genre")
    words = "; ".join(
        f"{genre} {clips_there} clips by {artists} artists"
        for genre, clips_there, artists in counts.itertuples()
    )
    return describe(ax, f"Bars of clips in each genre: {words}.")


def split_sizes(clips: pd.DataFrame, sets: pd.Series, *, ax: Axes | None = None) -> Axes:
    """Draw how each genre's clips are divided among training, validation and test.

    Parameters
    ----------
    clips
        The table of clips.
    sets
        Index like `clips`: "train", "validation" or "test".
    ax
        Where to draw; a new figure by default.
    """
    table = pd.crosstab(clips["genre"], sets).reindex(columns=list(SPLIT_COLOURS), fill_value=0)
    ax = axes_for(ax, 8, 0.9 + 0.42 * len(table))
    left = np.zeros(len(table))
    for subset, colour in SPLIT_COLOURS.items():
        ax.barh(table.index, table[subset], left=left, color=colour, label=subset)
        left += table[subset].to_numpy()
    ax.invert_yaxis()
    ax.set(xlabel="Clips", ylabel="", title="Clips of each genre on each side of the split")
    legend_outside(ax)
    words = "; ".join(
        f"{genre} {', '.join(f'{count} {subset}' for subset, count in row.items())}"
        for genre, row in table.iterrows()
    )
    return describe(ax, f"Stacked bars of each genre's clips: {words}.")


def artist_leakage(shares: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw how much of each split's test set is by artists who are also trained on.

    Parameters
    ----------
    shares
        By the split's name, the share of test clips (0 to 1) whose artist has clips on the
        training or the validation set.
    ax
        Where to draw; a new figure by default.
    """
    ax = axes_for(ax, 7, 0.9 + 0.5 * len(shares))
    ax.barh(list(shares), list(shares.values()), color=SPLIT_COLOURS["test"])
    for place, share in enumerate(shares.values()):
        ax.text(share, place, f" {share:.0%}", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    title = "Test clips whose artist was already heard"
    ax.set(xlabel="Share of the test clips", ylabel="", title=title)
    words = ", ".join(f"{split} split {share:.0%}" for split, share in shares.items())
    return describe(ax, f"{title}, as bars: {words}.")


def artists_per_set(
    clips: pd.DataFrame, splits: Mapping[str, pd.Series], *, most: int = 40
) -> Axes:
    """Draw in which sets of each split the clips of single artists are.

    Parameters
    ----------
    clips
        The table of clips: clips of unknown artists are left out.
    splits
        By the split's name, "train", "validation" or "test", with an index of clips like that of
        `clips`, or of some of them.
    most
        Draw so many artists, those with the most clips.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first split.
    """
    counts = clips["artist"].value_counts()
    # In the order of names where counts are the same: a picture is the same every time.
    drawn = counts.sort_index().sort_values(ascending=False, kind="stable").index[:most]
    with styled():
        figure, axes = plt.subplots(
            len(splits),
            1,
            figsize=(10, 0.6 + 1.9 * len(splits)),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
    column = axes[:, 0]
    for ax, (name, sets) in zip(column, splits.items(), strict=True):
        table = pd.crosstab(clips["artist"].loc[sets.index], sets)
        several = int(((table > 0).sum(axis=1) > 1).sum())
        shown = table.reindex(index=drawn, columns=list(SPLIT_COLOURS), fill_value=0)
        bottom = np.zeros(len(drawn))
        for subset, colour in SPLIT_COLOURS.items():
            ax.bar(range(len(drawn)), shown[subset], bottom=bottom, color=colour, label=subset)
            bottom += shown[subset].to_numpy()
        title = f"{name} split: {several:,} of {len(table):,} artists in more than one set"
        ax.set(ylabel="Clips", title=title)
        ax.set_xlim(-0.7, max(len(drawn), 1) - 0.3)
        ax.set_ylim(0, 1.06 * max(counts.max(), 1) if len(counts) else 1)
        ax.set_xticks([])
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        both = int(((shown > 0).sum(axis=1) > 1).sum())
        describe(
            ax,
            f"{title}. Stacked bars of the clips of the {len(drawn)} artists with the most, one "
            f"bar an artist, coloured by set: {both} of these bars have more than one colour.",
        )
    column[-1].set_xlabel(f"The {len(drawn)} artists with the most clips, one bar each")
    handles, labels = column[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    return column[0]


def genre_tree(hierarchy: pd.DataFrame, genres: Iterable[str] = (), *, columns: int = 4) -> Axes:
    """Draw a hierarchy of genres as an indented list, with how many songs have each.

    Parameters
    ----------
    hierarchy
        ``title``, ``parent``, ``top``, ``depth`` and ``tracks`` of each genre, as
        `songnet_utils.corpora.read_genres` gives them.
    genres
        Titles to write in bold: the genres that occur in a corpus, say.
    columns
        How many columns the list has.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first column.
    """
    rows = _in_order(hierarchy)
    bold = set(genres)
    colours = genre_colours(sorted(hierarchy["top"].unique()))
    height = -(-len(rows) // columns)
    with styled():
        _, axes = plt.subplots(
            1,
            columns,
            figsize=(11, 1.1 + 0.17 * height),
            layout="constrained",
            sharex=True,
            squeeze=False,
        )
    widest = float(hierarchy["tracks"].max())
    for number, ax in enumerate(axes[0]):
        part = rows[number * height : (number + 1) * height]
        for place, row in enumerate(part):
            ax.barh(place, row.tracks, height=0.9, color=colours[row.top], alpha=0.45)
            ax.text(
                0.02 * widest + 0.06 * widest * row.depth,
                place,
                row.title,
                va="center",
                size=8,
                weight="bold" if row.title in bold else "normal",
                style="normal" if row.depth else "italic",
            )
        ax.set_ylim(height - 0.4, -0.6)
        ax.set_yticks([])
        ax.set_xlim(0, widest)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda tracks, _: f"{tracks:,.0f}"))
        ax.tick_params(labelsize=8)
        ax.set_xlabel("Songs", size=9)
        sns.despine(ax=ax, left=True)
    tops = [row for row in rows if not row.depth]
    title = f"{len(rows)} genres under {len(tops)}, and how many songs have each"
    axes[0][0].set_title(title, x=0, ha="left")
    below = hierarchy["top"].value_counts() - 1
    words = "; ".join(
        f"{top.title} ({top.tracks:,} songs): {below[top.title]} below" for top in tops
    )
    named = f" In bold: {', '.join(row.title for row in rows if row.title in bold)}." * bool(bold)
    return describe(
        axes[0][0],
        f"{title}, as an indented list with bars behind the names. {words}.{named}",
    )


def _in_order(hierarchy: pd.DataFrame) -> list[Any]:
    """Return the genres as they stand in a list: each above its own, both by alphabet."""
    below: dict[str, list[Any]] = {}
    for row in hierarchy.sort_values(
        "title", key=lambda titles: titles.str.casefold()
    ).itertuples():
        below.setdefault(row.parent if row.depth else "", []).append(row)
    found: list[Any] = []
    waiting = list(reversed(below.get("", [])))
    while waiting:
        found.append(waiting.pop())
        waiting += reversed(below.get(found[-1].title, []))
    return found


def statistics_map(
    values: pd.Series,
    *,
    unit: str = "value",
    title: str = "The MFCC statistics of a clip",
    ax: Axes | None = None,
) -> Axes:
    """Draw the MFCC statistics of a clip: a row for each statistic, a column a coefficient.

    Parameters
    ----------
    values
        A row of `songnet_utils.features.store.LogMels.features`, or one made of it by scaling.
    unit
        What the colours stand for.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    table = values.unstack("number").droplevel("feature")
    ax = axes_for(ax, 9.5, 3.6)
    most = max(1.0, float(np.abs(table.to_numpy()).max()))
    # Small and large values are told apart alike: up to 1 in proportion, then by the logarithm.
    sns.heatmap(
        table,
        cmap="vlag",
        norm=SymLogNorm(1, vmin=-most, vmax=most, base=10),
        linewidths=0.5,
        cbar_kws={"label": unit, "pad": 0.02},
        ax=ax,
    )
    plt.setp(ax.get_yticklabels(), rotation=0)
    plt.setp(ax.get_xticklabels(), rotation=0)
    ax.set(xlabel="MFCC (number)", ylabel="Statistic over the clip", title=title)
    words = "; ".join(
        f"{name} from {row.min():.3g} to {row.max():.3g}" for name, row in table.iterrows()
    )
    return describe(
        ax,
        f"{title}: a grid of coloured squares, {table.shape[0]} statistics by {table.shape[1]} "
        f"coefficients, {unit}. {words}.",
    )


def feature_scatter(
    features: pd.DataFrame,
    genres: pd.Series,
    *,
    title: str = "Clips by two of their features",
    ax: Axes | None = None,
) -> Axes:
    """Draw clips as points: two features along the axes, genres by colour and shape.

    Parameters
    ----------
    features
        Two columns, named as the axes shall be.
    genres
        The genre of each row.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    across, up = features.columns
    ax = axes_for(ax, 8.5, 5)
    colours = genre_colours(genres)
    shapes = itertools.cycle("osD^vPX*")
    centres = []
    for (genre, colour), shape in zip(colours.items(), shapes, strict=False):
        of_genre = features[(genres == genre).to_numpy()]
        if of_genre.empty:
            continue
        ax.plot(
            of_genre[across],
            of_genre[up],
            shape,
            color=colour,
            markersize=5,
            alpha=0.75,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=genre,
        )
        centres.append(f"{genre} {of_genre[across].median():.3g} and {of_genre[up].median():.3g}")
    ax.set(xlabel=across, ylabel=up, title=title)
    legend_outside(ax, title="genre")
    return describe(
        ax,
        f"{title}: {len(features)} points, {across} to the right, {up} upwards. Medians: "
        f"{'; '.join(centres)}.",
    )
