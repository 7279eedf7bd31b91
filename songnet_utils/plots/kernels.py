"""Plots of convolution kernels: the sounds that excite them, their votes, and their purity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.sound import band_ticks
from songnet_utils.plots.style import (
    ACCENT,
    INK,
    SOUND_MAP,
    as_percent,
    axes_for,
    colour_bar,
    describe,
    figure_of,
    legend_outside,
    panels,
)

# More than average is purple, less is orange; all kinds of colour vision can distinguish them.
_LOOK: dict[str, Any] = {"cmap": "PuOr", "interpolation": "nearest", "aspect": "auto"}
_DECIBELS = 10 / np.log(10)


def kernel_pictures(
    triggered: np.ndarray,
    kernels: Sequence[int],
    sound: Sound,
    *,
    title: str = "What excites kernels",
) -> Axes:
    """Draw where some kernels of a layer prefer more or less power than average.

    Parameters
    ----------
    triggered
        Shape (kernels, size, n_mels), from `songnet_utils.kernels.LayerSurvey.triggered`.
    kernels
        The kernels to draw, at most 12.
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
        words.append(f"kernel {kernel}: most above average in mel band {band} of {len(picture.T)}")
    for ax in axes.ravel()[len(kernels) :]:
        ax.remove()
    for ax in drawn[-columns:]:
        ax.set_xlabel("Time (s)")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("Frequency (Hz)")
    figure = figure_of(drawn[0])
    figure.suptitle(title)
    figure.colorbar(image, ax=drawn.tolist(), pad=0.01, label="dB above average")
    return describe(
        drawn[0],
        f"{title}: {len(kernels)} small pictures of {seconds:.2f} s by frequency; purple is more "
        f"than average, orange less. {'; '.join(words)}.",
    )


def kernel_at_work(
    frames: np.ndarray,
    weights: np.ndarray,
    activation: np.ndarray,
    votes: pd.DataFrame,
    sound: Sound,
    *,
    title: str = "A kernel at work",
) -> Axes:
    """Draw a kernel of the first layer, a log-mel, and below it what the kernel makes of it.

    Parameters
    ----------
    frames
        Shape (frames, n_mels): the log-mel.
    weights
        Shape (size, n_mels): the kernel's.
    activation
        Shape (frames − size + 1,): its output at each place.
    votes
        A row for each step, its index the second that decides it; a column for each genre.
    sound
        The description of sound, for the axes.
    title
        Above it.
    """
    grid = {"width_ratios": [1, 12], "height_ratios": [3, 1, 1.6]}
    axes = panels(3, 2, 10, 6, sharex="col", gridspec_kw=grid)
    for ax in axes[1:, 0]:
        ax.remove()
    kernel, (top, middle, low) = axes[0, 0], axes[:, 1]
    hop, end = sound.seconds_of_frame(1), sound.seconds_of_frame(len(frames))
    rows = -0.5, weights.shape[1] - 0.5
    for ax, picture, width, look in (
        (kernel, weights, len(weights) * hop, {"norm": CenteredNorm(), "cmap": "PuOr"}),
        (top, frames, end, {"cmap": SOUND_MAP}),
    ):
        ax.imshow(picture.T, aspect="auto", origin="lower", extent=(0, width, *rows), **look)
        band_ticks(ax, sound)
    kernel.set(title="weights", ylabel="Frequency (Hz)")
    top.set(title=title, yticks=[], xlim=(0, end))
    # A frame is whole half a window after its centre; the last of a kernel's decides.
    first = sound.frame_samples(len(weights) - 1)[1] / sound.sample_rate
    middle.step(first + hop * np.arange(len(activation)), activation, where="post", color=INK)
    middle.set(ylabel="activation", ylim=(0, None))
    edges = [*votes.index, 2 * votes.index[-1] - votes.index[-2]]
    image = low.pcolormesh(
        edges, range(len(votes.columns) + 1), 100 * votes.T, cmap="PuOr", norm=CenteredNorm()
    )
    low.set(yticks=np.arange(len(votes.columns)) + 0.5, yticklabels=votes.columns)
    low.set(xlabel="Time (s)", ylabel="votes", ylim=(len(votes.columns), 0))
    colour_bar(image, low, "points")
    most, least = votes.mean().idxmax(), votes.mean().idxmin()
    return describe(
        top,
        f"{title}: the kernel's weights, {len(weights)} frames by {weights.shape[1]} bands, beside "
        f"a log-mel of {end:.3g} seconds. Below, over time, the kernel's activation, up to "
        f"{activation.max():.2g}, and how it changes each genre's probability: on average most "
        f"for {most} ({100 * votes[most].mean():+.1f} points) and most against {least} "
        f"({100 * votes[least].mean():+.1f}).",
    )


def kernel_votes(votes: pd.DataFrame, *, title: str = "What kernels vote for") -> Axes:
    """Draw the votes of a layer's kernels, sorted by the genre of the strongest vote.

    Parameters
    ----------
    votes
        A row per kernel and a column per genre, from
        ``songnet_utils.kernels.votes(...).loc[layer]``.
    title
        Above it.
    """
    values = votes.to_numpy()
    best = values.argmax(axis=1)
    order = np.lexsort((-values.max(axis=1), best))
    ax = axes_for(7, 5)
    # Clip the colours, because the few strongest votes would leave all others white.
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
        By the network's name, from `songnet_utils.kernels.purity_by_layer`.
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
    ax.set(xlim=(-0.5, len(table) - 0.5), ylim=(0, None))
    legend_outside(ax)
    return describe(ax, f"{title}: {'; '.join(words)}.")


def maximisation(table: pd.DataFrame) -> Axes:
    """Draw the quality of maximised activations: activation, distance from music, and as sound.

    Parameters
    ----------
    table
        From `songnet_utils.kernels.maximisation_table`, for one or more layers.
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
    return describe(axes[0], f"{title}: {len(table)} dots in three panels. {'; '.join(words)}.")
