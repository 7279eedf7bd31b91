"""Plots of a corpus: its clips, artists, splits, genres and statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from songnet_utils.plots.style import (
    SPLIT_COLOURS,
    as_percent,
    axes_for,
    bars,
    describe,
    figure_of,
    genre_colours,
    legend_outside,
    panels,
)

#: The number of artists to draw, those with the most clips.
MOST_ARTISTS = 40


def clips_per_genre(clips: pd.DataFrame) -> Axes:
    """Draw the numbers of clips and of artists in each genre.

    Parameters
    ----------
    clips
        The table of clips: columns ``genre`` and ``artist``.
    """
    counts = clips.groupby("genre", observed=True)["artist"].agg(["size", "nunique"])
    said = [
        f"{row.size} clips, {row.nunique} artist{'s' * (row.nunique != 1)}"
        for row in counts.itertuples()
    ]
    ax = bars(counts["size"], genre_colours(counts.index).values(), said)
    ax.set_xlim(0, 1.35 * counts["size"].max())
    ax.set(xlabel="Clips", title="Clips and artists in each genre")
    words = "; ".join(f"{genre} {text}" for genre, text in zip(counts.index, said, strict=True))
    return describe(ax, f"Bars show the number of clips in each genre: {words}.")


def artist_leakage(shares: Mapping[str, float]) -> Axes:
    """Draw the share of each split's test set by artists who are also in another set.

    Parameters
    ----------
    shares
        By the split's name, the share of test clips (0 to 1) whose artist has clips in the
        training or the validation set.
    """
    said = [f"{share:.0%}" for share in shares.values()]
    ax = bars(pd.Series(shares), [SPLIT_COLOURS["test"]], said)
    ax.set_xlim(0, 1.12)
    as_percent(ax.xaxis)
    title = "Test clips whose artist is in another set, too"
    ax.set(xlabel="Share of the test clips", title=title)
    words = ", ".join(f"{split} split {share:.0%}" for split, share in shares.items())
    return describe(ax, f"{title}, as bars: {words}.")


def artists_per_set(clips: pd.DataFrame, splits: Mapping[str, pd.Series]) -> Axes:
    """Draw the sets of each artist's clips, for each split.

    Parameters
    ----------
    clips
        The table of clips; clips by unknown artists are left out.
    splits
        By the split's name, "train", "validation" or "test", with an index of clips like that of
        `clips`, or of some of them.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first split.
    """
    counts = clips["artist"].value_counts()
    # Sort by name where counts are equal, so that the plot is always the same.
    drawn = counts.sort_index().sort_values(ascending=False, kind="stable").index[:MOST_ARTISTS]
    size = 10, 0.6 + 1.9 * len(splits)
    axes = panels(len(splits), 1, *size, sharex=True, sharey=True)[:, 0]
    for ax, (name, sets) in zip(axes, splits.items(), strict=True):
        table = pd.crosstab(clips["artist"].loc[sets.index], sets)
        shown = table.reindex(index=drawn, columns=list(SPLIT_COLOURS), fill_value=0)
        # pandas cannot draw an empty table, and there may be no known artist.
        bottom = np.zeros(len(drawn))
        for one, colour in SPLIT_COLOURS.items():
            ax.bar(range(len(drawn)), shown[one], bottom=bottom, color=colour, label=one)
            bottom += shown[one].to_numpy()
        several, both = (int(((part > 0).sum(axis=1) > 1).sum()) for part in (table, shown))
        title = f"{name} split: {several:,} of {len(table):,} artists in more than one set"
        ax.set(ylabel="Clips", title=title, xticks=[])
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        describe(
            ax,
            f"{title}. Stacked bars of the clips by the {len(drawn)} artists with the most, one "
            f"bar per artist, coloured by set. {both} of these bars have more than one colour.",
        )
    axes[-1].set_xlabel(f"The {len(drawn)} artists with the most clips, one bar per artist")
    handles = axes[0].get_legend_handles_labels()
    figure_of(axes[0]).legend(*handles, loc="outside right upper", frameon=False)
    return axes[0]


def genre_tree(hierarchy: pd.DataFrame, genres: Iterable[str] = ()) -> Axes:
    """Draw a hierarchy of genres as an indented list, with the number of songs of each.

    Parameters
    ----------
    hierarchy
        ``title``, ``parent``, ``top``, ``depth`` and ``tracks`` of each genre, from
        `songnet_utils.corpora.fma_metadata.read_genres`.
    genres
        Titles to write in bold, for example those of a corpus.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first of three columns.
    """
    rows = _in_order(hierarchy)
    bold = set(genres)
    colours = genre_colours(sorted(hierarchy["top"].unique()))
    height = -(-len(rows) // 3)
    axes = panels(1, 3, 8.5, 1.2 + 0.175 * height, sharex=True, sharey=True)[0]
    widest = float(hierarchy["tracks"].max())
    for number, ax in enumerate(axes):
        column = rows[number * height : (number + 1) * height]
        if column and column[0].depth:
            again = f"{column[0].top}, continued"
            ax.text(0.02 * widest, -1, again, va="center", size=9, style="italic")
        for place, row in enumerate(column):
            ax.barh(place, row.tracks, height=0.9, color=colours[row.top], alpha=0.45)
            weight = "bold" if row.title in bold else "normal"
            style = "normal" if row.depth else "italic"
            indent = widest * (0.02 + 0.06 * row.depth)
            ax.text(indent, place, row.title, va="center", size=9, weight=weight, style=style)
        ax.set(ylim=(height - 0.4, -1.6), yticks=[], xlim=(0, widest))
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.tick_params(labelsize=8)
        ax.set_xlabel("Songs", size=9)
        sns.despine(ax=ax, left=True)
    tops = [row for row in rows if not row.depth]
    title = f"{len(rows)} genres under {len(tops)}, with the number of songs of each"
    axes[0].set_title(title, x=0, ha="left")
    below = hierarchy["top"].value_counts() - 1
    words = "; ".join(
        f"{top.title} ({top.tracks:,} songs): {below[top.title]} below" for top in tops
    )
    named = f" In bold: {', '.join(row.title for row in rows if row.title in bold)}." * bool(bold)
    text = f"{title}, as an indented list with bars behind the names. {words}.{named}"
    return describe(axes[0], text)


def _in_order(hierarchy: pd.DataFrame, parent: str | None = None) -> list[Any]:
    """Return the genres in the order of the list: alphabetical, with each above its subgenres."""
    is_here = hierarchy["parent"] == parent if parent else hierarchy["depth"] == 0
    found: list[Any] = []
    for row in hierarchy[is_here].sort_values("title", key=lambda t: t.str.casefold()).itertuples():
        found += [row, *_in_order(hierarchy[hierarchy["depth"] > 0], row.title)]
    return found


def statistics_map(
    values: pd.Series, *, unit: str = "value", title: str = "The MFCC statistics of a clip"
) -> Axes:
    """Draw the MFCC statistics of a clip, with a row per statistic and a column per coefficient.

    Parameters
    ----------
    values
        A row of `songnet_utils.features.store.LogMels.features`, possibly scaled.
    unit
        The unit of the colours.
    title
        Above it.
    """
    table = values.unstack("number").droplevel("feature")
    ax = axes_for(9.5, 3.6)
    most = max(1.0, float(np.abs(table.to_numpy()).max()))
    # Linear up to 1, then logarithmic, so that differences of small and large values are visible.
    norm, bar = SymLogNorm(1, vmin=-most, vmax=most, base=10), {"label": unit, "pad": 0.02}
    sns.heatmap(table, cmap="vlag", norm=norm, linewidths=0.5, cbar_kws=bar, ax=ax)
    ax.tick_params(labelrotation=0)
    ax.set(xlabel="MFCC (number)", ylabel="Statistic over the clip", title=title)
    words = "; ".join(
        f"{name} from {row.min():.3g} to {row.max():.3g}" for name, row in table.iterrows()
    )
    return describe(
        ax,
        f"{title}: a grid of coloured squares, {table.shape[0]} statistics by {table.shape[1]} "
        f"coefficients, {unit}. {words}.",
    )


def feature_scatter(features: pd.DataFrame, genres: pd.Series) -> Axes:
    """Draw clips as points, with two features as axes and genres by colour and shape.

    Parameters
    ----------
    features
        Two columns, whose names are the labels of the axes.
    genres
        The genre of each row.
    """
    across, up = features.columns
    table = features.assign(genre=genres.to_numpy())
    colours = genre_colours(table["genre"].unique())
    ax = axes_for(8.5, 5)
    look = {"x": across, "y": up, "hue": "genre", "style": "genre", "palette": colours, "ax": ax}
    sns.scatterplot(table, alpha=0.5, s=30, **look)
    title = "Clips by two of their features"
    ax.set_title(title)
    legend_outside(ax, title="genre")
    middles = table.groupby("genre", sort=False).median()
    sns.scatterplot(middles, s=260, edgecolor="black", linewidth=1.5, legend=False, **look)
    centres = "; ".join(
        f"{genre} {middle[across]:.3g} and {middle[up]:.3g}" for genre, middle in middles.iterrows()
    )
    text = f"{title}: {len(table)} points, {across} to the right, {up} upwards"
    return describe(ax, f"{text}, and large marks for the medians: {centres}.")
