"""Plots of networks: their layers, their training, and their answers over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.style import (
    INK,
    SPLIT_COLOURS,
    as_percent,
    axes_for,
    describe,
    genre_colours,
    legend_outside,
    panels,
    whole_numbers,
)
from songnet_utils.streaming.timeline import Layer, Timeline, receptive_field

if TYPE_CHECKING:
    import keras


def architecture(model: keras.Model, sound: Sound, *, seconds: float = 30.0) -> Axes:
    """Draw a network as the sizes of its layers' outputs (the paper's figure 1).

    Each bar is the output of one or more layers. Its width is the number of steps in time, and its
    height the number of channels (on a scale that keeps 8 visible beside 256).

    Parameters
    ----------
    model
        A chain of layers from log-mel frames to the song's genre.
    sound
        The network's description of sound.
    seconds
        The duration of the song.
    """
    stages = _stages(model, sound.frames_of_samples(sound.samples_of_seconds(seconds)))
    ax = axes_for(9.5, 1.1 + 0.9 * len(stages))
    heights = [0.08 + 0.03 * shape[-1] ** 0.5 for _, shape, _, _ in stages]
    widest, words = stages[0][1][0], []
    for place, (name, shape, arrow, colour) in enumerate(stages):
        width = max(shape[0] / widest, 0.006) if len(shape) == 2 else 0.006
        ax.barh(place, width, heights[place], -width / 2, color=colour, edgecolor="black")
        units = ["frames", "bands"] if not place else ["steps", "channels"]
        if "Genre" in name:
            units[1] = "genres"
        sizes = zip(shape, units[-len(shape) :], strict=True)
        size = " × ".join(f"{number} {unit}" for number, unit in sizes)
        ax.text(-0.54, place, name, ha="right", va="center")
        ax.text(0.54, place, size, ha="left", va="center")
        words.append(f"{' '.join(name.split())}: {size}")
        if place:
            ends = place - 1 + heights[place - 1] / 2, place - heights[place] / 2
            look = {"arrowstyle": "-|>", "color": "black"}
            ax.annotate("", (0, ends[1]), (0, ends[0]), arrowprops=look)
            ax.text(0.02, sum(ends) / 2, arrow, va="center", size=10, style="italic")
    ax.set(xlim=(-0.98, 1.02), ylim=(len(stages) - 0.55, -0.55))
    ax.set_title(f"{model.name}: a {seconds:g}-second song passes through the network")
    ax.axis("off")
    text = f"Drawing of the network {model.name}, from the song downwards. {'; '.join(words)}."
    return describe(ax, text)


def _stages(model: keras.Model, frames: int) -> list[tuple[str, tuple[int, ...], str, str]]:
    """Return the name, shape, description and colour of each layer's output."""
    shape: tuple[int, ...] = (frames, int(model.inputs[0].shape[-1]))
    stages = [("Log-mel frames", shape, "", "#A8D5D8")]
    for layer in model.layers[1:]:
        kind = type(layer).__name__
        inner = getattr(layer, "layer", layer)
        activation = getattr(getattr(inner, "activation", None), "__name__", "linear")
        follows = "" if activation == "linear" else f", then {activation}"
        before, shape = shape, tuple(layer.compute_output_shape((None, *shape))[1:])
        if kind == "Conv1D":
            arrow = f"{layer.filters} kernels over {layer.kernel_size[0]} steps{follows}"
            stages.append(("Convolution", shape, arrow, "#9DB7E4"))
        elif kind == "MaxPooling1D":
            arrow = f"the largest of every {layer.pool_size[0]} steps"
            stages.append(("Max pooling", shape, arrow, "#C9D8F2"))
        elif type(inner).__name__ == "Dense":
            arrow = f"the same dense layer at every step{follows}"
            stages.append(("Genre over time", shape, arrow, "#FBD48B"))
        elif shape != before:
            is_mean = "Average" in kind
            name, arrow = ("Genre of the song", "mean over time") if is_mean else (kind, "")
            stages.append((name, shape, arrow, "#F5A58F"))
        else:
            # A layer that keeps the shape belongs to the bar above.
            name = activation if kind == "Activation" else kind.replace("BatchN", "Batch n")
            stages[-1] = (f"{stages[-1][0]}\n+ {name.lower()}", *stages[-1][1:])
    return stages


def receptive_field_tree(layers: Sequence[tuple[str, Layer]], sound: Sound) -> Axes:
    """Draw the frames that one step of a network sees, layer by layer.

    Parameters
    ----------
    layers
        Names and layers, from the frames upwards.
    sound
        The description of sound, for the time axis.
    """
    ax = axes_for(10, 1.2 + 0.55 * len(layers))
    fields = [receptive_field([layer for _, layer in layers[:n]]) for n in range(len(layers) + 1)]
    needed = [1]
    for _, layer in reversed(layers):
        needed.append((needed[-1] - 1) * layer.stride + (layer.kernel - 1) * layer.dilation + 1)
    centres = [
        np.arange(count) * field.stride + (field.size - 1) / 2
        for count, field in zip(reversed(needed), fields, strict=True)
    ]
    for level, (_, layer) in enumerate(layers):
        for place, centre in enumerate(centres[level + 1]):
            taps = place * layer.stride + layer.dilation * np.arange(layer.kernel)
            for below in centres[level][taps]:
                ax.plot([below, centre], [level, level + 1], color="#A8A9AB", lw=0.7, zorder=1)
    for level, (name, field) in enumerate(zip(["frames", *dict(layers)], fields, strict=True)):
        ax.scatter(centres[level], np.full(needed[-1 - level], level), s=26, color=INK, zorder=2)
        text = f"{name}: sees {field.size} frame{'s' * (field.size != 1)}"
        ax.text(fields[-1].size + 0.5, level, text, va="center")
    ticks = np.arange(0, fields[-1].size, 4)
    ax.set_xticks(ticks, [f"{tick * sound.hop / sound.sample_rate:.2f}" for tick in ticks])
    ax.set(xlabel="Time of the frames' centres (s)", title="The receptive field of one step")
    ax.set(yticks=[], xlim=(-1, fields[-1].size * 1.42))
    sns.despine(ax=ax, left=True)
    pairs = zip(layers, fields[1:], strict=True)
    words = ", ".join(f"{name} {field.size}" for (name, _), field in pairs)
    return describe(
        ax,
        "A tree from one step at the top down to the frames that it sees. Frames that one output "
        f"of each layer sees, from the bottom up: {words}.",
    )


def training_curves(epochs: Sequence[Mapping[str, float]]) -> Axes:
    """Draw loss and accuracy after each epoch, on training and validation clips.

    Parameters
    ----------
    epochs
        One mapping per epoch, with ``loss`` and ``accuracy`` and, if there are validation clips,
        the same with the prefix ``validation_`` (from a run's record) or ``val_`` (from Keras);
        further entries are ignored. A dotted line marks where ``learning_rate`` falls.

    Returns
    -------
    matplotlib.axes.Axes
        The axes of the accuracy; the loss is on its left.
    """
    left, right = panels(1, 2, 10, 3.4)[0]
    table = pd.DataFrame(list(epochs))
    table.columns = table.columns.str.replace("val_", "validation_")
    table.index = pd.RangeIndex(1, len(table) + 1)
    marker = "o" if len(table) <= 40 else None
    words = []
    for ax, name, label in ((left, "loss", "Loss (nats)"), (right, "accuracy", "Accuracy")):
        for key, clips, colour, dashes in (
            (name, "training", SPLIT_COLOURS["train"], "-"),
            (f"validation_{name}", "validation", SPLIT_COLOURS["validation"], "--"),
        ):
            if key in table:
                look = {"color": colour, "label": clips, "marker": marker, "markersize": 4}
                ax.plot(table.index, table[key], dashes, **look)
                first, last = table[key].iloc[[0, -1]]
                words.append(f"{clips} {name} {first:.2f} to {last:.2f}")
        if "learning_rate" in table:
            falls = table.index[table["learning_rate"].diff() < 0]
            for number, epoch in enumerate(falls):
                rate = "learning rate falls" if not number else None
                ax.axvline(epoch - 0.5, color="grey", linestyle=":", label=rate)
        ax.set(xlabel="Epoch", ylabel=label, title=f"Training: {name}")
        ax.set(xlim=(0.5, max(len(table), 2) + 0.5), ylim=(0, None))
        whole_numbers(ax.xaxis)
        ax.grid(alpha=0.3)
    right.set_ylim(0, 1)
    as_percent(right.yaxis)
    left.legend(frameon=False)
    text = f"Training, two line plots over {len(table)} epochs: {'; '.join(words)}."
    return describe(right, text)


def genre_over_time(
    probabilities: np.ndarray,
    genres: Sequence[str],
    timeline: Timeline,
    *,
    title: str = "Genre over time",
) -> Axes:
    """Draw the probability of each genre while a song plays, stacked to 1.

    Each step is drawn from its end to the end of the next step. So the plot shows at each time what
    the network can know at that time.

    Parameters
    ----------
    probabilities
        Shape (steps, genres), each row sums to 1.
    genres
        The genres, in the order of the columns.
    timeline
        The network's timeline.
    title
        Above it.
    """
    ax = axes_for(10, 3.6)
    edges = np.array([timeline.step_span(step)[1] for step in range(len(probabilities) + 1)])
    stacked = np.repeat(probabilities, 2, axis=0).T
    # Use two points per step, at both of its edges, for flat steps instead of slopes.
    seconds = np.column_stack([edges[:-1], edges[1:]]).ravel()
    colours = list(genre_colours(genres).values())
    ax.stackplot(seconds, stacked, labels=list(genres), colors=colours, edgecolor="white", lw=0.3)
    ax.set(xlabel="Time (s)", ylabel="Probability", title=title)
    ax.set(xlim=(0, float(edges[-1])), ylim=(0, 1))
    if edges[0] > 0.04 * edges[-1]:
        ax.text(edges[0] / 2, 0.5, "no answer yet", rotation=90, ha="center", va="center")
    legend_outside(ax, reverse=True)
    mean = pd.Series(probabilities.mean(axis=0), index=list(genres))
    most = pd.Series(np.array(genres)[probabilities.argmax(axis=1)]).value_counts(normalize=True)
    words = ", ".join(f"{genre} in {share:.0%}" for genre, share in most.items())
    return describe(
        ax,
        f"{title}: stacked areas, one per genre, over {edges[-1]:.3g} seconds. Most probable: "
        f"{words} of the steps. The mean over time is highest for {mean.idxmax()}: "
        f"{mean.max():.2f}.",
    )
