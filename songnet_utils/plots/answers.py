"""Pictures of answers: how many are right, of which model, how sure they are, and how soon."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from songnet_utils._utils.errors import SongNetError
from songnet_utils.plots.style import (
    INK,
    SPLIT_LOOKS,
    axes_for,
    describe,
    description,
    genre_colours,
    legend_outside,
    styled,
)

if TYPE_CHECKING:
    pass

# Okabe and Ito's: lines that are told apart by everyone.
_BLUE, _ORANGE, _VERMILION = "#0072B2", "#E69F00", "#D55E00"


def confusion_matrix(
    counts: np.ndarray,
    genres: Sequence[str],
    *,
    title: str = "Confusion matrix",
    ax: Axes | None = None,
) -> Axes:
    """Draw what clips of each genre were taken for (the paper's figure 3).

    Parameters
    ----------
    counts
        Shape (genres, genres): clips, rows are the truth, columns the answers.
    genres
        The genres, in that order.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    counts = np.asarray(counts)
    ax = axes_for(ax, 2.4 + 0.62 * len(genres), 1.9 + 0.5 * len(genres))
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    sns.heatmap(
        shares,
        annot=counts,
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=1,
        linewidths=0.5,
        xticklabels=list(genres),
        yticklabels=list(genres),
        cbar_kws={"label": "Share of the genre's clips", "format": PercentFormatter(1)},
        ax=ax,
    )
    plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    plt.setp(ax.get_yticklabels(), rotation=0)
    ax.set(xlabel="Answer", ylabel="True genre", title=title)
    words = []
    for row, genre in enumerate(genres):
        line = f"{genre} {counts[row, row]} of {totals[row, 0]} right"
        wrong = counts[row].copy()
        wrong[row] = 0
        if wrong.max():
            line += f", most often taken for {genres[int(wrong.argmax())]} ({wrong.max()})"
        words.append(line)
    return describe(ax, f"{title}, truth in rows, answers in columns: {'; '.join(words)}.")


def confusion_matrices(
    counts: Mapping[str, np.ndarray], genres: Sequence[str], *, title: str = "Confusion matrices"
) -> Axes:
    """Draw the confusion matrices of several models, two side by side.

    Parameters
    ----------
    counts
        By model, as `confusion_matrix` takes them.
    genres
        The genres, in that order.
    title
        Above all of them.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first model.
    """
    high = math.ceil(len(counts) / 2)
    with styled():
        figure, axes = plt.subplots(
            high,
            2,
            figsize=(3.4 + 0.95 * len(genres), 0.6 + high * (1.2 + 0.42 * len(genres))),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
    words = []
    for ax, (model, table) in zip(axes.flat, counts.items(), strict=False):
        confusion_matrix(table, genres, title=model, ax=ax)
        ax.collections[0].colorbar.remove()
        ax.label_outer()
        words.append(description(ax))
    for ax in list(axes.flat)[len(counts) :]:
        ax.remove()
    bar = figure.colorbar(
        axes[0, 0].collections[0], ax=list(axes.flat)[: len(counts)], pad=0.01, shrink=0.6
    )
    bar.set_label("Share of the genre's clips")
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
    bar.outline.set_visible(False)
    figure.suptitle(title)
    return describe(axes[0, 0], f"{title}. {' '.join(words)}")


def sizes_that_fit(
    fitting: pd.Series, *, of: int, marked: Mapping[int, str], ax: Axes | None = None
) -> Axes:
    """Draw how many printed figures each size of a test set can explain.

    Parameters
    ----------
    fitting
        By number of clips: how many of the figures are k out of so many clips.
    of
        How many figures there are.
    marked
        Sizes to point at, and what to call them.
    ax
        Where to draw; a new figure by default.
    """
    ax = axes_for(ax, 9.5, 3.4)
    every = fitting == of
    ax.plot(fitting.index[~every], fitting[~every], "|", color="#8A8F98", markersize=7)
    ax.plot(fitting.index[every], fitting[every], "o", color=INK, markersize=5)
    for size, name in marked.items():
        ax.annotate(
            f"{size:,}: {name}",
            (size, fitting[size]),
            xytext=(0, 16 if fitting[size] == of else -22),
            textcoords="offset points",
            ha="center",
            arrowprops={"arrowstyle": "->", "color": "#333333"},
        )
    ax.set_ylim(-0.7, of + 0.9)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    title = "Which sizes of a test set fit the printed figures?"
    ax.set(xlabel="Clips in the test set", ylabel=f"Figures that fit, of {of}", title=title)
    first = ", ".join(f"{size:,}" for size in fitting.index[every][:8])
    pointed = "; ".join(f"{size:,} ({name}) {fitting[size]}" for size, name in marked.items())
    return describe(
        ax,
        f"{title} For each number of clips from {fitting.index[0]:,} to {fitting.index[-1]:,}, how "
        f"many of the {of} figures are a whole number of right answers. All fit at "
        f"{int(every.sum())} sizes, the first {first}. {pointed}.",
    )


def results(
    rows: Sequence[Mapping[str, Any]], *, title: str = "Results", ax: Axes | None = None
) -> Axes:
    """Draw accuracies with their intervals, by model and split.

    Parameters
    ----------
    rows
        Mappings with ``model``, ``split``, ``accuracy`` and ``confidence_interval`` (low, high;
        None where it is not known), as ``songnet compare --json`` writes them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    looks = {split: (look, colour) for split, look, colour in SPLIT_LOOKS}
    splits = sorted({row["split"] for row in rows}, key=lambda name: list(looks).index(name))
    ax = axes_for(ax, 8.5, 1.4 + 0.3 * len(models) * (1 + 0.5 * len(splits)))
    words = []
    for split in splits:
        look, colour = looks[split]
        label = split
        for row in (row for row in rows if row["split"] == split):
            shift = (splits.index(split) + 0.5) / len(splits) - 0.5
            height = models.index(row["model"]) + 0.5 * shift
            share, interval = row["accuracy"], row.get("confidence_interval")
            low, high = interval or (share, share)
            ax.plot([low, high], [height, height], color=colour, linewidth=2)
            ax.plot(share, height, look, color=colour, label=label)
            ax.text(high + 0.02, height, f"{share:.3f}", va="center", size=10)
            label = "_"
            between = f" ({low:.3f} to {high:.3f})" if interval else ""
            words.append(f"{row['model']} on the {split} split {share:.3f}{between}")
    ax.set_yticks(range(len(models)), models)
    ax.set_ylim(len(models) - 0.5, -0.5)
    ax.set_xlim(0, 1.08)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="Accuracy (line: 95 % interval)", ylabel="", title=title)
    legend_outside(ax, title="split")
    return describe(ax, f"{title}: accuracy and 95 % interval. {'; '.join(words)}.")


def differences(
    rows: Sequence[Mapping[str, Any]], *, title: str = "Differences", ax: Axes | None = None
) -> Axes:
    """Draw differences of accuracies with their intervals, one line each.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``difference`` and ``confidence_interval`` (low, high), as shares.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 8.5, 1.3 + 0.34 * len(rows))
    words = []
    for height, row in enumerate(rows):
        low, high = (100 * bound for bound in row["confidence_interval"])
        middle = 100 * row["difference"]
        # Filled where the interval leaves 0 out.
        sure = low > 0 or high < 0
        ax.plot([low, high], [height, height], color=INK, linewidth=2)
        ax.plot(middle, height, "o", color=INK, markerfacecolor=INK if sure else "white")
        words.append(f"{row['name']} {middle:+.1f} ({low:+.1f} to {high:+.1f})")
    ax.axvline(0, color="#333333", linewidth=1)
    ax.set_yticks(range(len(rows)), [row["name"] for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set(
        xlabel="Difference in points (line: 95 % interval; filled: it leaves 0 out)",
        ylabel="",
        title=title,
    )
    return describe(ax, f"{title}: difference in points and 95 % interval. {'; '.join(words)}.")


def genre_scores(
    scores: pd.DataFrame, *, title: str = "Precision and recall", ax: Axes | None = None
) -> Axes:
    """Draw precision and recall of each genre as bars, with their intervals.

    Parameters
    ----------
    scores
        As `songnet_utils.metrics.accuracy.genre_scores` returns it. Where a score is not defined
        (nothing was answered, nothing was true) there is a dash in place of its bar.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 9.5, 1.4 + 0.55 * len(scores))
    colours = list(genre_colours(scores.index).values())
    middle = np.arange(len(scores))
    looks = (("recall", -0.2, None), ("precision", 0.2, "////"))
    for name, shift, hatch in looks:
        drawn = scores[name].fillna(0)
        # Thin white lines: the genre's colour stays what it is in every other picture.
        ax.barh(middle + shift, drawn, 0.36, color=colours, hatch=hatch, edgecolor="white", lw=0)
        low, high = scores[f"{name}_low"], scores[f"{name}_high"]
        # With a white rim, to be seen on dark bars too.
        ax.hlines(middle + shift, low, high, color="white", linewidth=3.5)
        ax.hlines(middle + shift, low, high, color="#333333", linewidth=1.5)
        for place, (value, end) in enumerate(zip(scores[name], high, strict=True)):
            text, at = ("–", 0.0) if np.isnan(value) else (f"{value:.0%}", end)
            ax.text(at + 0.012, place + shift, text, va="center", size=10)
    ax.set_yticks(
        middle,
        [f"{genre} ({clips:.0f})" for genre, clips in scores.support.items()],
    )
    ax.set_ylim(len(scores) - 0.45, -0.55)
    ax.set_xlim(0, 1.1)
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(
        handles=[
            Rectangle((0, 0), 1, 1, facecolor="#6A6F78", edgecolor="white", hatch=hatch, label=name)
            for name, _, hatch in looks
        ],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
    )
    ax.set(xlabel="Share of clips (line: 95 % interval)", title=title)
    ax.set_ylabel("Genre (its clips)")
    words = []
    for genre, row in scores.iterrows():
        said = (
            f"{name} not defined"
            if np.isnan(row[name])
            else f"{name} {row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"
            for name, _, _ in looks
        )
        words.append(f"{genre}, {row.support:.0f} clips: {', '.join(said)}")
    return describe(ax, f"{title} with 95 % intervals, as bars. {'; '.join(words)}.")


def reliability_diagram(
    bins: Mapping[str, pd.DataFrame], *, title: str = "As sure as it is right?"
) -> Axes:
    """Draw accuracy over confidence in bins, as many panels as there are networks to compare.

    Parameters
    ----------
    bins
        By name, as `songnet_utils.metrics.calibration.reliability` returns them; for instance
        before and after temperature scaling.
    title
        Above all of them.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first panel.
    """
    with styled():
        figure, axes = plt.subplots(
            1,
            len(bins),
            figsize=(0.6 + 4.2 * len(bins), 4.6),
            layout="constrained",
            # The last mark of a panel and the first of the next are not to touch.
            gridspec_kw={"wspace": 0.06},
            sharey=True,
            squeeze=False,
        )
    words = []
    for ax, (name, table) in zip(axes[0], bins.items(), strict=True):
        sns.despine(ax=ax)
        full = table[table.clips > 0]
        ax.plot([0, 1], [0, 1], "--", color="#8A8F98", linewidth=1.2, label="as sure as right")
        ax.bar(
            full.low,
            full.accuracy,
            full.high - full.low,
            align="edge",
            color="#9DB7E4",
            edgecolor="white",
            label="accuracy",
        )
        # From what it is to what it should be: the gaps whose mean is the calibration error.
        ax.vlines(full.confidence, full.accuracy, full.confidence, color="#C2185B", linewidth=2.5)
        ax.plot(full.confidence, full.confidence, "o", color="#C2185B", label="mean confidence")
        for row in full.itertuples():
            high = max(row.accuracy, row.confidence)
            ax.text((row.low + row.high) / 2, high + 0.025, f"{row.clips}", ha="center", size=9)
        error = float((full.clips * (full.accuracy - full.confidence).abs()).sum())
        error /= float(full.clips.sum())
        ax.set(xlabel="Confidence", title=f"{name}: calibration error {error:.3f}")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.1)
        ax.set_yticks(np.linspace(0, 1, 6))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        cells = ", ".join(
            f"{row.accuracy:.0%} right of {row.clips} answered at {row.confidence:.0%}"
            for row in full.itertuples()
        )
        words.append(f"{name}, calibration error {error:.3f}: {cells}.")
    axes[0, 0].set_ylabel("Accuracy (above each bar: its clips)")
    # Under the panels: inside, it would stand on the bars of answers that are hardly sure.
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    figure.suptitle(title)
    return describe(axes[0, 0], f"{title} Accuracy over confidence in bins. {' '.join(words)}")


def selective_accuracy(
    table: pd.DataFrame,
    threshold: float,
    interval: tuple[float, float] | None = None,
    *,
    title: str = "Answer only when sure",
) -> Axes:
    """Draw accuracy and coverage over the threshold, and where on them one threshold stands.

    Parameters
    ----------
    table
        As `songnet_utils.metrics.accuracy.selective_accuracy` returns it, the thresholds rising.
    threshold
        One of them.
    interval
        Of the accuracy there; None where there is none.
    title
        Its title.

    Raises
    ------
    SongNetError
        When `threshold` is not in the table.
    """
    at = table[np.isclose(table.threshold, threshold)]
    if at.empty:
        raise SongNetError(f"threshold must be one of those in the table. Got {threshold}")
    here = at.iloc[0]
    ax = axes_for(None, 7.4, 4.0)
    ax.axvline(here.threshold, color="#8A8F98", linewidth=1, zorder=0)
    for name, label, colour, line, mark in (
        ("coverage", "clips that are answered", _ORANGE, "--", "s"),
        ("accuracy", "of these right", _BLUE, "-", "o"),
    ):
        ax.plot(table.threshold, table[name], line, color=colour, linewidth=2, label=label)
        ax.plot(here.threshold, here[name], mark, color=colour, markersize=10, clip_on=False)
    if interval is not None:
        ax.vlines(here.threshold, *interval, color=_BLUE, linewidth=4, alpha=0.5, label="95 %")
    ax.set(xlabel="Threshold: least confidence of an answer", ylabel="Share of clips", title=title)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.03)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    legend_outside(ax)
    words = f"clips answered: {here.answered:.0f}, {here.coverage:.0%} of all"
    if here.answered:
        words += f"; {here.accuracy:.0%} of these are right"
    if interval is not None:
        words += f" (95 % interval {interval[0]:.0%} to {interval[1]:.0%})"
    return describe(
        ax,
        f"{title}: two curves over the threshold, the share of clips that are answered, which "
        f"falls, and the share of these that are right. At {here.threshold:.0%}: {words}.",
    )


def over_temperatures(
    table: pd.DataFrame,
    here: pd.Series,
    fitted: float | None = None,
    *,
    title: str = "What the temperature changes",
) -> Axes:
    """Draw calibration error and negative log-likelihood over the temperature.

    Parameters
    ----------
    table
        As `songnet_utils.metrics.calibration.over_temperatures` returns it, the temperatures
        rising.
    here
        One of its rows, which is marked.
    fitted
        The temperature that was fitted; None where there is none.
    title
        Its title.

    Returns
    -------
    matplotlib.axes.Axes
        Of the upper panel.
    """
    with styled():
        figure, axes = plt.subplots(
            2, 1, figsize=(5.4, 4.6), layout="constrained", sharex=True, squeeze=True
        )
    for ax, name, label, colour in (
        (axes[0], "error", "Calibration error", _BLUE),
        (axes[1], "log_loss", "Negative log-\nlikelihood (nats)", _VERMILION),
    ):
        sns.despine(ax=ax)
        ax.plot(table.temperature, table[name], color=colour, linewidth=2)
        ax.plot(here.temperature, here[name], "o", color=colour, markersize=10, clip_on=False)
        if fitted is not None:
            ax.axvline(fitted, color="#5A5F68", linestyle=":", linewidth=2, zorder=0)
        ax.set(ylabel=label)
        ax.set_ylim(0)
    axes[0].set_xscale("log")
    lowest, highest = table.temperature.iloc[0], table.temperature.iloc[-1]
    ticks = [tick for tick in (0.25, 0.5, 1, 2, 4) if lowest <= tick <= highest]
    axes[1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1].minorticks_off()
    axes[1].set_xlabel("Temperature (logarithmic scale; surer on the left)")
    if fitted is not None:
        axes[0].text(
            *(fitted, 1.0, f" fitted: {fitted:.2f}"),
            transform=axes[0].get_xaxis_transform(),
            va="top",
        )
    figure.suptitle(title)
    mark = "" if fitted is None else f" The temperature that was fitted, {fitted:.2f}, is marked."
    return describe(
        axes[0],
        f"{title}: two curves over the temperature. At {here.temperature:.2f} the calibration "
        f"error is {here.error:.3f} and the negative log-likelihood {here.log_loss:.3f} nats. "
        "On the curves the error is least at "
        f"{table.temperature[table.error.idxmin()]:.2f}, the negative log-likelihood at "
        f"{table.temperature[table.log_loss.idxmin()]:.2f}.{mark}",
    )


def until_right(
    moments: pd.DataFrame, *, title: str = "How many seconds until it is right?"
) -> Axes:
    """Draw how the share of right answers grows while clips play.

    Parameters
    ----------
    moments
        As `songnet_utils.evaluation.report.UntilRight.as_table` returns it.
    title
        Its title.
    """
    ax = axes_for(None, 9.5, 4.0)
    first, last = moments.seconds.iloc[0], moments.seconds.iloc[-1]
    # Each answer holds until the next step is decided, the last one to the end of the picture.
    end = math.ceil(last)
    held = pd.concat([moments, moments.iloc[[-1]].assign(seconds=end)])
    words = []
    for name, label, colour, dashes in (
        ("accuracy", "right", INK, "-"),
        ("settled", "right from then on", "#B36F00", "--"),
    ):
        low, high = held[f"{name}_low"], held[f"{name}_high"]
        if name == "accuracy":
            ax.fill_between(held.seconds, low, high, step="post", color=colour, alpha=0.15, lw=0)
        else:
            # Two bands on top of each other would be a third colour.
            for bound in (low, high):
                ax.step(held.seconds, bound, ":", where="post", color=colour, lw=1)
        ax.step(held.seconds, held[name], dashes, where="post", color=colour, lw=2, label=label)
        ends = moments.iloc[[0, -1]]
        said = (
            f"{row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}) "
            f"after {row.seconds:.1f} s"
            for _, row in ends.iterrows()
        )
        words.append(f"{label}: {', '.join(said)}")
    ax.axvline(first, color="#8A8F98", linestyle=":", linewidth=1.2)
    ax.text(first, 1.0, " first answer", va="top", size=10, color="#555555")
    ax.set_xlim(0, end)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    ax.set(
        xlabel="Music heard (s)",
        ylabel="Share of clips (band, dots: 95 % interval)",
        title=title,
    )
    return describe(
        ax,
        f"{title} Two step lines with 95 % intervals over {last:.3g} seconds. {'; '.join(words)}.",
    )
