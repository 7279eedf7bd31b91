"""Plots of answers: accuracy, comparisons of models, calibration, and time until right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from songnet_utils.plots.style import (
    INK,
    SPLIT_LOOKS,
    as_percent,
    axes_for,
    describe,
    description,
    figure_of,
    legend_outside,
    panels,
    whole_numbers,
)

# Okabe and Ito's colours, for lines that everyone can distinguish.
_BLUE, _ORANGE, _VERMILION = "#0072B2", "#E69F00", "#D55E00"
_GREY = "#8A8F98"


def confusion_matrix(
    counts: np.ndarray,
    genres: Sequence[str],
    *,
    title: str = "Confusion matrix",
    ax: Axes | None = None,
) -> Axes:
    """Draw a confusion matrix (the paper's figure 3).

    Parameters
    ----------
    counts
        Shape (genres, genres): numbers of clips; rows are true genres, columns predictions.
    genres
        The genres, in that order.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    counts = np.asarray(counts)
    ax = axes_for(2.4 + 0.62 * len(genres), 1.9 + 0.5 * len(genres), ax)
    totals = counts.sum(axis=1, keepdims=True)
    shares = pd.DataFrame(counts / np.maximum(totals, 1), genres, genres)
    look = {"cmap": "Blues", "vmin": 0, "vmax": 1, "linewidths": 0.5, "fmt": "d"}
    bar = {"label": "Share of the genre's clips", "format": PercentFormatter(1)}
    sns.heatmap(shares, annot=counts, cbar_kws=bar, ax=ax, **look)
    plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    plt.setp(ax.get_yticklabels(), rotation=0)
    ax.set(xlabel="Answer", ylabel="True genre", title=title)
    words = []
    for row, genre in enumerate(genres):
        line = f"{genre} {counts[row, row]} of {totals[row, 0]} right"
        wrong = np.where(np.arange(len(genres)) == row, 0, counts[row])
        if wrong.max():
            line += f", most often taken for {genres[int(wrong.argmax())]} ({wrong.max()})"
        words.append(line)
    return describe(
        ax, f"{title}, true genres in rows, predictions in columns: {'; '.join(words)}."
    )


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
    rows = math.ceil(len(counts) / 2)
    size = 3.4 + 0.95 * len(genres), 0.6 + rows * (1.2 + 0.42 * len(genres))
    axes = panels(rows, 2, *size, sharex=True, sharey=True).ravel()
    for ax, (model, table) in zip(axes, counts.items(), strict=False):
        confusion_matrix(table, genres, title=model, ax=ax)
        ax.collections[0].colorbar.remove()
        ax.label_outer()
        if ax is axes[0]:
            describe(ax, f"{title}. {description(ax)}")
    for ax in axes[len(counts) :]:
        ax.remove()
    figure = figure_of(axes[0])
    bar = figure.colorbar(axes[0].collections[0], ax=axes[: len(counts)], pad=0.01, shrink=0.6)
    bar.set_label("Share of the genre's clips")
    as_percent(bar.ax.yaxis)
    figure.suptitle(title)
    return axes[0]


def sizes_that_fit(fitting: pd.Series, *, of: int, marked: Mapping[int, str]) -> Axes:
    """Draw how many printed accuracies each size of a test set can explain.

    Parameters
    ----------
    fitting
        By number of clips n: the number of accuracies that are k/n for a whole number k.
    of
        The number of accuracies.
    marked
        Sizes to mark, and their names.
    """
    ax = axes_for(9.5, 3.4)
    every = fitting == of
    ax.plot(fitting.index[~every], fitting[~every], "|", color=_GREY, markersize=7)
    ax.plot(fitting.index[every], fitting[every], "o", color=INK, markersize=5)
    arrow = {"arrowstyle": "->", "color": "#333333"}
    look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "arrowprops": arrow}
    for size, name in marked.items():
        place = 0, 16 if fitting[size] == of else -22
        ax.annotate(f"{size:,}: {name}", (size, fitting[size]), place, **look)
    ax.set_ylim(-0.7, of + 0.9)
    whole_numbers(ax.yaxis)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    title = "Which sizes of a test set fit the printed accuracies?"
    ax.set(xlabel="Clips in the test set", ylabel=f"Accuracies that fit (of {of})", title=title)
    first = ", ".join(f"{size:,}" for size in fitting.index[every][:8])
    pointed = "; ".join(f"{size:,} ({name}) {fitting[size]}" for size, name in marked.items())
    return describe(
        ax,
        f"{title} For each number of clips from {fitting.index[0]:,} to {fitting.index[-1]:,}, how "
        f"many of the {of} accuracies are a whole number of right answers. All fit at "
        f"{int(every.sum())} sizes, the first {first}. {pointed}.",
    )


def results(rows: Sequence[Mapping[str, Any]], *, title: str = "Results") -> Axes:
    """Draw accuracies with their intervals, by model and split.

    Parameters
    ----------
    rows
        Mappings with ``model``, ``split``, ``accuracy`` and ``confidence_interval`` (low, high;
        None if unknown), as ``songnet compare --json`` writes them.
    title
        Above it.
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    splits = [look for look in SPLIT_LOOKS if look[0] in {row["split"] for row in rows}]
    ax = axes_for(8.5, 1.4 + 0.3 * len(models) * (1 + 0.5 * len(splits)))
    words = []
    for place, (split, look, colour) in enumerate(splits):
        label = split
        for row in (row for row in rows if row["split"] == split):
            height = models.index(row["model"]) + 0.5 * ((place + 0.5) / len(splits) - 0.5)
            share, interval = row["accuracy"], row.get("confidence_interval")
            low, high = interval or (share, share)
            ax.plot([low, high], [height, height], color=colour, linewidth=2)
            ax.plot(share, height, look, color=colour, label=label)
            ax.text(high + 0.02, height, f"{share:.1%}", va="center", size=10)
            label = "_"
            between = f" ({low:.1%} to {high:.1%})" if interval else ""
            words.append(f"{row['model']} on the {split} split {share:.1%}{between}")
    _one_line_each(ax, models)
    ax.set_xlim(0, 1.08)
    as_percent(ax.xaxis)
    only = f" on the {splits[0][0]} split" if len(splits) == 1 else ""
    ax.set(xlabel=f"Accuracy{only} (line: 95 % interval)", title=title)
    if not only:
        legend_outside(ax, title="split")
    return describe(ax, f"{title}: accuracy and 95 % interval. {'; '.join(words)}.")


def differences(rows: Sequence[Mapping[str, Any]], *, title: str = "Differences") -> Axes:
    """Draw differences of accuracies with their intervals, one line each.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``difference`` and ``confidence_interval`` (low, high), as shares.
    title
        Above it.
    """
    ax = axes_for(8.5, 1.3 + 0.34 * len(rows))
    words = []
    for height, row in enumerate(rows):
        low, high = (100 * bound for bound in row["confidence_interval"])
        middle = 100 * row["difference"]
        excludes_0 = low > 0 or high < 0
        ax.plot([low, high], [height, height], color=INK, linewidth=2)
        ax.plot(middle, height, "o", color=INK, markerfacecolor=INK if excludes_0 else "white")
        words.append(f"{row['name']} {middle:+.1f} ({low:+.1f} to {high:+.1f})")
    ax.axvline(0, color="#333333", linewidth=1)
    _one_line_each(ax, [row["name"] for row in rows])
    ax.set(xlabel="Difference in points (line: 95 % interval; filled: it excludes 0)", title=title)
    return describe(ax, f"{title}: difference in points and 95 % interval. {'; '.join(words)}.")


def _one_line_each(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)


def reliability_diagram(bins: Mapping[str, pd.DataFrame]) -> Axes:
    """Draw accuracy over confidence in bins, with a panel for each set of answers.

    Parameters
    ----------
    bins
        By name, from `songnet_utils.metrics.calibration.reliability`; for instance, before and
        after temperature scaling.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first panel.
    """
    # Leave space between the panels, so that the ticks of neighbours do not touch.
    space = {"wspace": 0.06}
    axes = panels(1, len(bins), 0.6 + 4.2 * len(bins), 4.6, sharey=True, gridspec_kw=space)[0]
    words = []
    for ax, (name, table) in zip(axes, bins.items(), strict=True):
        full = table[table.clips > 0]
        ax.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1.2, label="perfect calibration")
        look = {"align": "edge", "color": "#9DB7E4", "edgecolor": "white", "label": "accuracy"}
        ax.bar(full.low, full.accuracy, full.high - full.low, **look)
        # Draw the gaps, whose mean is the calibration error.
        ends = full.confidence, full.accuracy, full.confidence
        ax.vlines(*ends, color="#C2185B", linewidth=2.5, label="gap")
        ax.plot(full.confidence, full.confidence, "o", color="#C2185B", label="mean confidence")
        for row in full.itertuples():
            high = max(row.accuracy, row.confidence)
            ax.text((row.low + row.high) / 2, high + 0.025, f"{row.clips}", ha="center", size=9)
        error = np.average((full.accuracy - full.confidence).abs(), weights=full.clips)
        ax.set(xlabel="Confidence", title=f"{name}: calibration error {error:.3f}")
        ax.set(xlim=(0, 1), ylim=(0, 1.1), yticks=np.linspace(0, 1, 6))
        as_percent(ax.xaxis, ax.yaxis)
        cells = ", ".join(
            f"{row.accuracy:.0%} right of {row.clips} at {row.confidence:.0%} confidence"
            for row in full.itertuples()
        )
        words.append(f"{name}, calibration error {error:.3f}: {cells}.")
    axes[0].set_ylabel("Accuracy (above each bar: its clips)")
    figure, title = figure_of(axes[0]), "Does confidence match accuracy?"
    handles = axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2 * len(bins), frameon=False)
    figure.suptitle(title)
    return describe(axes[0], f"{title} Accuracy over confidence in bins. {' '.join(words)}")


def selective_accuracy(
    table: pd.DataFrame, here: pd.Series, interval: tuple[float, float] | None
) -> Axes:
    """Draw accuracy and coverage over the threshold, and mark one threshold.

    Parameters
    ----------
    table
        From `songnet_utils.metrics.accuracy.selective_accuracy`, with rising thresholds.
    here
        The row to mark.
    interval
        The interval of the accuracy there, or None.
    """
    ax = axes_for(7.4, 4.0)
    ax.axvline(here.threshold, color=_GREY, linewidth=1, zorder=0)
    for name, label, colour, line, mark in (
        ("coverage", "answered clips", _ORANGE, "--", "s"),
        ("accuracy", "right answers among these", _BLUE, "-", "o"),
    ):
        ax.plot(table.threshold, table[name], line, color=colour, linewidth=2, label=label)
        ax.plot(here.threshold, here[name], mark, color=colour, markersize=10, clip_on=False)
    words = f"clips answered: {here.answered:.0f}, {here.coverage:.0%} of all"
    if here.answered:
        words += f"; {here.accuracy:.0%} of these are right"
    if interval is not None:
        ax.vlines(here.threshold, *interval, color=_BLUE, linewidth=4, alpha=0.5, label="95 %")
        words += f" (95 % interval {interval[0]:.0%} to {interval[1]:.0%})"
    title = "Answer only above a confidence threshold"
    ax.set(xlabel="Threshold: least confidence of an answer", ylabel="Share of clips", title=title)
    ax.set(xlim=(0, 1), ylim=(0, 1.03))
    as_percent(ax.xaxis, ax.yaxis)
    legend_outside(ax)
    return describe(
        ax,
        f"{title}: two curves over the threshold, the share of clips that are answered, which "
        f"falls, and the share of these that are right. At {here.threshold:.0%}: {words}.",
    )


def over_temperatures(table: pd.DataFrame, here: pd.Series, fitted: float | None) -> Axes:
    """Draw calibration error and negative log-likelihood over the temperature.

    Parameters
    ----------
    table
        From `songnet_utils.metrics.calibration.over_temperatures`, with rising temperatures.
    here
        The row to mark.
    fitted
        The fitted temperature, or None.

    Returns
    -------
    matplotlib.axes.Axes
        Of the upper panel.
    """
    axes = panels(2, 1, 5.4, 4.6, sharex=True)[:, 0]
    mark = ""
    for ax, name, label, colour in (
        (axes[0], "error", "Calibration error", _BLUE),
        (axes[1], "log_loss", "Negative log-\nlikelihood (nats)", _VERMILION),
    ):
        ax.plot(table.temperature, table[name], color=colour, linewidth=2)
        ax.plot(here.temperature, here[name], "o", color=colour, markersize=10, clip_on=False)
        if fitted is not None:
            ax.axvline(fitted, color="#5A5F68", linestyle=":", linewidth=2, zorder=0)
        ax.set_ylabel(label)
        ax.set_ylim(0)
    axes[0].set_xscale("log", base=2)
    axes[1].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[1].set_xlabel("Temperature (logarithmic scale; more confident on the left)")
    title = "Calibration over the temperature"
    figure_of(axes[0]).suptitle(title)
    if fitted is not None:
        place = axes[0].get_xaxis_transform()
        axes[0].text(fitted, 1.0, f" fitted: {fitted:.2f}", transform=place, va="top")
        mark = f" The fitted temperature, {fitted:.2f}, is marked."
    least = [table.temperature[table[name].idxmin()] for name in ("error", "log_loss")]
    return describe(
        axes[0],
        f"{title}: two curves over the temperature. At {here.temperature:.2f} the calibration "
        f"error is {here.error:.3f} and the negative log-likelihood {here.log_loss:.3f} nats. "
        f"On the curves the error is least at {least[0]:.2f}, the negative log-likelihood at "
        f"{least[1]:.2f}.{mark}",
    )


def until_right(moments: pd.DataFrame) -> Axes:
    """Draw the share of right answers over time while clips play.

    Parameters
    ----------
    moments
        From `songnet_utils.evaluation.report.UntilRight.as_table`.
    """
    ax = axes_for(9.5, 4.0)
    first, last = moments.seconds.iloc[0], moments.seconds.iloc[-1]
    # Each answer is valid until the next step ends, and the last one to the end of the plot.
    end = math.ceil(last)
    drawn = pd.concat([moments, moments.iloc[[-1]].assign(seconds=end)])
    words = []
    for name, label, colour, dashes in (
        ("accuracy", "right", INK, "-"),
        ("settled", "right, and stays right", "#B36F00", "--"),
    ):
        low, high = drawn[f"{name}_low"], drawn[f"{name}_high"]
        if name == "accuracy":
            ax.fill_between(drawn.seconds, low, high, step="post", color=colour, alpha=0.15, lw=0)
        else:
            # Avoid a third colour where two bands overlap.
            for bound in (low, high):
                ax.step(drawn.seconds, bound, ":", where="post", color=colour, lw=1)
        ax.step(drawn.seconds, drawn[name], dashes, where="post", color=colour, lw=2, label=label)
        said = (
            f"{row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}) "
            f"after {row.seconds:.1f} s"
            for _, row in moments.iloc[[0, -1]].iterrows()
        )
        words.append(f"{label}: {', '.join(said)}")
    ax.axvline(first, color=_GREY, linestyle=":", linewidth=1.2)
    ax.text(first, 1.0, " first answer", va="top", size=10, color="#555555")
    ax.set(xlim=(0, end), ylim=(0, 1))
    as_percent(ax.yaxis)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    title = "How soon is the network right?"
    ax.set(xlabel="Time into the clip (s)", title=title)
    ax.set_ylabel("Share of clips (band, dots: 95 % interval)")
    return describe(
        ax,
        f"{title} Two step lines with 95 % intervals over {last:.3g} seconds. {'; '.join(words)}.",
    )
