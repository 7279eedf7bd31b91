"""Pictures of convolution kernels: what excites them, what they vote for, whether it is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.sound import band_ticks
from songnet_utils.plots.style import (
    ACCENT,
    INK,
    as_percent,
    axes_for,
    colour_bar,
    describe,
    figure_of,
    legend_outside,
    panels,
)

# More than usual is purple, less is orange; both stay apart for all kinds of colour vision.
_LOOK: dict[str, Any] = {"cmap": "PuOr", "interpolation": "nearest", "aspect": "auto"}
_DECIBELS = 10 / np.log(10)


def kernel_pictures(
    triggered: np.ndarray,
    kernels: Sequence[int],
    sound: Sound,
    *,
    title: str = "What excites kernels",
) -> Axes:
    """Draw where some kernels of a layer want more and less power than is usual.

    Parameters
    ----------
    triggered
        Shape (kernels, size, n_mels): as `songnet_utils.kernels.LayerSurvey.triggered`.
    kernels
        Which to draw, at most 12.
    sound
        The description of sound, for the axes.
    title
        Above all.
    """
    columns = min(4, len(kernels))
    rows = -(-len(kernels) // columns)
    axes = panels(rows, columns, 2.6 * columns, 2.3 * rows + 0.5, sharex=True, sharey=True)
    drawn = axes.ravel()[: len(kernels)]
    seconds = triggered.shape[1] * sound.hop / sound.sample_rate
    shown = _DECIBELS * triggered[list(kernels)]
    most = max(float(np.quantile(np.abs(shown), 0.995)), 1e-6)
    extent = (0, seconds, -0.5, shown.shape[2] - 0.5)
    words = []
    for ax, picture, kernel in zip(drawn, shown, kernels, strict=True):
        image = ax.imshow(picture.T, **_LOOK, vmin=-most, vmax=most, origin="lower", extent=extent)
        band_ticks(ax, sound)
        ax.set_title(f"kernel {kernel}")
        band = int(picture.mean(axis=0).argmax())
        words.append(f"kernel {kernel}: most above usual in mel band {band} of {len(picture.T)}")
    for ax in axes.ravel()[len(kernels) :]:
        ax.remove()
    for ax in drawn[-columns:]:
        ax.set_xlabel("Time (s)")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("Frequency (Hz)")
    figure = figure_of(drawn[0])
    figure.suptitle(title)
    figure.colorbar(image, ax=drawn.tolist(), pad=0.01, label="dB above usual")
    return describe(
        drawn[0],
        f"{title}, {len(kernels)} small pictures of {seconds:.2f} s by frequency; purple is more "
        f"than usual, orange less. {'; '.join(words)}.",
    )


def kernel_votes(votes: pd.DataFrame, *, title: str = "What kernels vote for") -> Axes:
    """Draw the votes of a layer's kernels, sorted by the genre that each votes for most.

    Parameters
    ----------
    votes
        A row for each kernel, a column for each genre, as
        ``songnet_utils.kernels.votes(...).loc[layer]``.
    title
        Above it.
    """
    values = votes.to_numpy()
    best = values.argmax(axis=1)
    order = np.lexsort((-values.max(axis=1), best))
    ax = axes_for(7, 5)
    # The few strongest votes would leave all others white.
    most = float(np.quantile(np.abs(values), 0.99)) or 1.0
    image = ax.imshow(values[order], **_LOOK, vmin=-most, vmax=most)
    ax.set_xticks(range(votes.shape[1]), votes.columns, rotation=30, ha="right")
    ax.set(title=title, xlabel="Genre", ylabel="Kernels, by the genre they vote for")
    colour_bar(image, ax, "Change of the logit")
    counts = np.bincount(best, minlength=votes.shape[1])
    words = ", ".join(f"{name} {count}" for name, count in zip(votes.columns, counts, strict=True))
    text = f"{len(votes)} kernels by {votes.shape[1]} genres. Most voted for: {words} kernels."
    return describe(ax, f"{title}: {text}")


def kernel_purity(
    tables: Mapping[str, pd.DataFrame], *, title: str = "How pure the found clips are"
) -> Axes:
    """Draw the purity of each layer's found clips for two networks, beside chance.

    Parameters
    ----------
    tables
        By the network's name, as `songnet_utils.kernels.purity_by_layer` gives them.
    title
        Above it.
    """
    ax = axes_for(10, 4)
    words = []
    for place, ((name, table), colour) in enumerate(
        zip(tables.items(), (INK, ACCENT), strict=True)
    ):
        x = np.arange(len(table)) + 0.12 * (place - 0.5)
        ax.plot(x, table.purity, "os"[place], color=colour, label=name, markersize=9)
        middle, half = (table.low + table.high) / 2, (table.high - table.low) / 2
        label = f"{name}, genres shuffled (95 %)"
        ax.errorbar(x, middle, half, fmt="none", color=colour, capsize=5, alpha=0.7, label=label)
        words += [
            f"{name}, {row.layer} {row.purity:.0%} (chance {row.low:.0%} to {row.high:.0%})"
            for row in table.itertuples()
        ]
    ax.set_xticks(range(len(table)), table.layer)
    as_percent(ax.yaxis)
    ax.set(title=title, xlabel="Layer", ylabel="Pieces of the most frequent genre")
    ax.set_xlim(-0.5, len(table) - 0.5)
    legend_outside(ax)
    return describe(ax, f"{title}: {'; '.join(words)}.")


def maximisation(table: pd.DataFrame) -> Axes:
    """Draw how good maximised activations are, how near to music, and what is left as sound.

    Parameters
    ----------
    table
        As `songnet_utils.kernels.maximisation_table` gives it, of one or more layers.
    """
    ratios = pd.DataFrame(
        {
            "layer": table.index.get_level_values("layer"),
            "activation, divided by the best piece's": (table.maximised / table.found).to_numpy(),
            "distance from the mean frame,\ndivided by the corpus's own": table.distance.to_numpy(),
            "activation left as sound": table.left.to_numpy(),
        }
    )
    axes = panels(1, 3, 11, 3.8)[0]
    words = []
    for ax, column in zip(axes, ratios.columns[1:], strict=True):
        look = {"color": ACCENT, "size": 2.5, "alpha": 0.6, "jitter": 0.3}
        sns.stripplot(ratios, x="layer", y=column, ax=ax, **look)
        ax.axhline(1, color=INK, linewidth=0.8, linestyle=":")
        ax.set_ylim(0, None)
        middle = ratios.groupby("layer")[column].median()
        values = ", ".join(f"{layer} {value:.2f}" for layer, value in middle.items())
        words.append(f"{' '.join(column.split())}, medians {values}")
    title = "Activation maximisation of all kernels"
    figure_of(axes[0]).suptitle(title)
    return describe(axes[0], f"{title}, {len(table)} dots in each of three. {'; '.join(words)}.")
