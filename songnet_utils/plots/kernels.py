"""Pictures of convolution kernels: what they answer to, what they vote for, whether it is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.sound import band_ticks
from songnet_utils.plots.style import (
    ACCENT,
    INK,
    axes_for,
    colour_bar,
    describe,
    legend_outside,
    styled,
)

# More than usual is purple, less is orange; both stay apart for all kinds of colour vision.
_DIVERGING = "PuOr"
_DECIBELS = 10 / np.log(10)


def kernel_pictures(
    triggered: np.ndarray,
    kernels: Sequence[int],
    sound: Sound,
    *,
    titles: Sequence[str] | None = None,
    title: str = "What kernels answer to",
) -> Axes:
    """Draw what some kernels of a layer want more and less of than is usual.

    Parameters
    ----------
    triggered
        Shape (kernels, size, n_mels): as `songnet_utils.kernels.LayerSurvey.triggered`.
    kernels
        Which to draw, at most 12.
    sound
        The description of sound, for the axes.
    titles
        What stands above each; "kernel 7" by default.
    title
        Above all.
    """
    columns = min(4, len(kernels))
    rows = -(-len(kernels) // columns)
    with styled():
        figure, axes = plt.subplots(
            rows, columns, figsize=(2.6 * columns, 2.3 * rows + 0.5), squeeze=False,
            sharex=True, sharey=True, layout="constrained",
        )  # fmt: skip
    names = titles or [f"kernel {kernel}" for kernel in kernels]
    seconds = triggered.shape[1] * sound.hop / sound.sample_rate
    shown = _DECIBELS * triggered[list(kernels)]
    most = max(float(np.quantile(np.abs(shown), 0.995)), 1e-6)
    spoken = []
    for ax, picture, name in zip(axes.flat, shown, names, strict=False):
        image = ax.imshow(
            picture.T, origin="lower", aspect="auto", cmap=_DIVERGING, vmin=-most, vmax=most,
            extent=(0, seconds, -0.5, picture.shape[1] - 0.5), interpolation="nearest",
        )  # fmt: skip
        band_ticks(ax, sound)
        ax.set_title(name)
        band = int(picture.mean(axis=0).argmax())
        spoken.append(f"{name}: most above usual in mel band {band} of {picture.shape[1]}")
    for ax in axes.flat[len(kernels) :]:
        ax.remove()
    for ax in axes.flat[: len(kernels)][-columns:]:
        ax.set_xlabel("seconds")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("Hz")
    figure.suptitle(title)
    drawn = list(axes.flat[: len(kernels)])
    figure.colorbar(image, ax=drawn, pad=0.01, label="dB above usual")
    return describe(
        axes[0, 0],
        f"{title}, {len(kernels)} small pictures of {seconds:.2f} s by frequency; purple is more "
        f"than usual, orange less. {'; '.join(spoken)}.",
    )


def kernel_votes(votes: pd.DataFrame, *, title: str = "What kernels vote for") -> Axes:
    """Draw the votes of a layer's kernels, sorted by the genre that each votes for most.

    Parameters
    ----------
    votes
        One row a kernel, one column a genre, as ``songnet_utils.kernels.votes(...).loc[layer]``.
    title
        Above it.
    """
    best = votes.to_numpy().argmax(axis=1)
    strength = votes.to_numpy().max(axis=1)
    order = np.lexsort((-strength, best))
    ax = axes_for(None, 7, 5)
    # A few loud voices would leave all others white.
    most = float(np.quantile(np.abs(votes.to_numpy()), 0.99)) or 1.0
    image = ax.imshow(
        votes.to_numpy()[order], aspect="auto", cmap=_DIVERGING, vmin=-most, vmax=most,
        interpolation="nearest",
    )  # fmt: skip
    ax.set_xticks(range(votes.shape[1]), votes.columns, rotation=30, ha="right")
    ax.set(title=title, xlabel="genre", ylabel="kernels, by the genre they vote for")
    colour_bar(image, ax, "change of the logit")
    counts = np.bincount(best, minlength=votes.shape[1])
    return describe(
        ax,
        f"{title}: {len(votes)} kernels by {votes.shape[1]} genres. Most voted for: "
        + ", ".join(f"{genre} {count}" for genre, count in zip(votes.columns, counts, strict=True))
        + " kernels.",
    )


def kernel_purity(
    tables: Mapping[str, pd.DataFrame], *, title: str = "How pure the found clips are"
) -> Axes:
    """Draw the purity of each layer's found clips for several networks, beside luck.

    Parameters
    ----------
    tables
        By the network's name, as `songnet_utils.kernels.purity_by_layer` gives them.
    title
        Above it.
    """
    ax = axes_for(None, 10, 4)
    words = []
    colours = [INK, ACCENT]
    for place, ((name, table), colour) in enumerate(zip(tables.items(), colours, strict=False)):
        x = np.arange(len(table)) + 0.12 * (place - (len(tables) - 1) / 2)
        ax.plot(x, table.purity, "os^"[place], color=colour, label=name, markersize=9)
        middle = (table.low + table.high) / 2
        ax.errorbar(
            x, middle, (table.high - table.low) / 2, fmt="none", color=colour, capsize=5,
            alpha=0.7, label=f"{name}, genres dealt out anew (95 %)",
        )  # fmt: skip
        words += [
            f"{name}, {row.layer} {row.purity:.0%} (luck {row.low:.0%} to {row.high:.0%})"
            for row in table.itertuples()
        ]
    ax.set_xticks(range(len(table)), table.layer)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set(title=title, xlabel="layer", ylabel="pieces of the most frequent genre")
    ax.set_xlim(-0.5, len(table) - 0.5)
    legend_outside(ax)
    return describe(ax, f"{title}: {'; '.join(words)}.")


def dreams(table: pd.DataFrame, *, title: str = "Dreams of all kernels") -> Axes:
    """Draw how good dreams are, how near to music, and what is left of them as sound.

    Parameters
    ----------
    table
        As `songnet_utils.kernels.dream_table` gives it, of one or more layers.
    title
        Above it.
    """
    told = pd.DataFrame(
        {
            "layer": table.index.get_level_values("layer"),
            "activation, divided by the best piece's": (table.dreamed / table.found).to_numpy(),
            "distance from the mean frame,\ndivided by the corpus's own": table.distance.to_numpy(),
            "activation left as sound": table.left.to_numpy(),
        }
    )
    with styled():
        figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
    words = []
    for ax, column in zip(axes, told.columns[1:], strict=True):
        sns.stripplot(
            told, x="layer", y=column, ax=ax, color=ACCENT, size=2.5, alpha=0.6, jitter=0.3
        )
        ax.axhline(1, color=INK, linewidth=0.8, linestyle=":")
        ax.set_ylim(0, None)
        sns.despine(ax=ax)
        middle = told.groupby("layer")[column].median()
        words.append(
            f"{' '.join(column.split())}, medians "
            + ", ".join(f"{layer} {value:.2f}" for layer, value in middle.items())
        )
    figure.suptitle(title)
    return describe(axes[0], f"{title}, {len(table)} dots in each of three. {'; '.join(words)}.")
