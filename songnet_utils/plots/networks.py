"""Pictures of networks: what they are made of, how they learn, what they say over time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.style import (
    INK,
    SPLIT_COLOURS,
    axes_for,
    describe,
    genre_colours,
    legend_outside,
    styled,
)
from songnet_utils.streaming.timeline import Layer, Timeline, receptive_field

if TYPE_CHECKING:
    import keras


def architecture(model: keras.Model, sound: Sound, *, seconds: float = 30.0) -> Axes:
    """Draw a network as the sizes of what passes through it (the paper's figure 1).

    Each box is the output of one or more layers: as wide as it has steps in time, as tall as it
    has channels (on a scale that keeps 8 visible beside 256).

    Parameters
    ----------
    model
        Layers one after another, from log-mel frames to the song's genre.
    sound
        The description of sound it was built for.
    seconds
        The song to send through it.
    """
    stages = _stages(model, sound.frames_of_samples(sound.samples_of_seconds(seconds)))
    ax = axes_for(None, 9.5, 1.1 + 0.9 * len(stages))
    widest = max(stage.steps for stage in stages)
    shapes = []
    for place, stage in enumerate(stages):
        width = max(stage.steps / widest, 0.006)
        low_left = (-width / 2, place - stage.height / 2)
        box = Rectangle(low_left, width, stage.height, facecolor=stage.colour, edgecolor="black")
        ax.add_patch(box)
        names = ("frames", "bands") if not place else ("steps", "channels")
        last = "genres" if "Genre" in stage.title else names[1]
        sizes = zip(stage.shape, (names[0], last)[-len(stage.shape) :], strict=True)
        shapes.append(" × ".join(f"{size} {name}" for size, name in sizes))
        ax.text(-0.54, place, stage.title, ha="right", va="center")
        ax.text(0.54, place, shapes[-1], ha="left", va="center")
        if place:
            top = place - 1 + stages[place - 1].height / 2
            arrow = {"arrowstyle": "-|>", "color": "black"}
            ax.annotate("", (0, place - stage.height / 2), (0, top), arrowprops=arrow)
            middle = (top + place - stage.height / 2) / 2
            ax.text(0.02, middle, stage.arrow, va="center", size=10, style="italic")
    ax.set_xlim(-0.98, 1.02)
    ax.set_ylim(len(stages) - 0.55, -0.55)
    ax.set_title(f"{model.name}: a {seconds:g}-second song on its way through the network")
    ax.axis("off")
    titles = [stage.title.replace("\n", " ") for stage in stages]
    words = "; ".join(f"{name}: {shape}" for name, shape in zip(titles, shapes, strict=True))
    return describe(ax, f"Drawing of the network {model.name}, from the song downwards. {words}.")


def receptive_field_tree(
    layers: Sequence[tuple[str, Layer]], sound: Sound, *, ax: Axes | None = None
) -> Axes:
    """Draw which frames one step of a network sees, layer by layer.

    Parameters
    ----------
    layers
        Names and layers, from the frames upwards.
    sound
        How frames are made: gives the time axis.
    ax
        Where to draw; a new figure by default.
    """
    ax = axes_for(ax, 10, 1.2 + 0.55 * len(layers))
    fields = [receptive_field([layer for _, layer in layers[:n]]) for n in range(len(layers) + 1)]
    needed = [1]
    for _, layer in reversed(layers):
        needed.append((needed[-1] - 1) * layer.stride + (layer.kernel - 1) * layer.dilation + 1)
    needed.reverse()
    centres = [
        np.arange(count) * field.stride + (field.size - 1) / 2
        for count, field in zip(needed, fields, strict=True)
    ]
    for level, (_, layer) in enumerate(layers):
        for place, centre in enumerate(centres[level + 1]):
            for tap in range(layer.kernel):
                below = centres[level][place * layer.stride + tap * layer.dilation]
                ax.plot(
                    [below, centre], [level, level + 1], color="#A8A9AB", linewidth=0.7, zorder=1
                )
    for level, found in enumerate(centres):
        name = layers[level - 1][0] if level else "frames"
        ax.scatter(found, np.full(len(found), level), s=26, color=INK, zorder=2)
        size = fields[level].size
        plural = "" if size == 1 else "s"
        ax.text(fields[-1].size + 0.5, level, f"{name}: sees {size} frame{plural}", va="center")
    seconds = sound.hop / sound.sample_rate
    ax.set_yticks([])
    ax.set_xlim(-1, fields[-1].size * 1.42)
    ticks = np.arange(0, fields[-1].size, 4)
    ax.set_xticks(ticks, [f"{tick * seconds:.2f}" for tick in ticks])
    ax.set(xlabel="Time of the frames' centres (s)", title="What one step of the network sees")
    sns.despine(ax=ax, left=True)
    words = ", ".join(
        f"{name} {field.size}" for (name, _), field in zip(layers, fields[1:], strict=True)
    )
    return describe(
        ax,
        "A tree from one step at the top down to the frames it sees. Frames seen by one output "
        f"of each layer, from the bottom up: {words}.",
    )


def training_curves(epochs: Sequence[Mapping[str, float]], *, title: str = "Learning") -> Axes:
    """Draw loss and accuracy after each epoch, on training and validation clips.

    Parameters
    ----------
    epochs
        One mapping an epoch, with ``loss`` and ``accuracy`` and, where there are validation
        clips, the same with ``validation_`` (a run's record) or ``val_`` (Keras) before them;
        further entries are left alone. Where ``learning_rate`` falls a dotted line is drawn.
    title
        The title.

    Returns
    -------
    matplotlib.axes.Axes
        Of the accuracy; the loss is on its left.
    """
    with styled():
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    table = pd.DataFrame(list(epochs)).rename(
        columns=lambda name: name.replace("val_", "validation_")
    )
    table.index = pd.RangeIndex(1, len(table) + 1)
    words = []
    for ax, name, label in ((left, "loss", "Loss (nats)"), (right, "accuracy", "Accuracy")):
        for key, subset, colour in (
            (name, "training", SPLIT_COLOURS["train"]),
            (f"validation_{name}", "validation", SPLIT_COLOURS["validation"]),
        ):
            if key not in table:
                continue
            style = {"marker": "o", "markersize": 4} if len(table) <= 40 else {}
            dashes = "-" if subset == "training" else "--"
            ax.plot(table.index, table[key], dashes, color=colour, label=subset, **style)
            words.append(f"{subset} {name} {table[key].iloc[0]:.2f} to {table[key].iloc[-1]:.2f}")
        if "learning_rate" in table:
            falls = table.index[table["learning_rate"].diff() < 0]
            for number, epoch in enumerate(falls):
                rate = "learning rate falls" if not number else None
                ax.axvline(epoch - 0.5, color="grey", linestyle=":", label=rate)
        ax.set(xlabel="Epoch", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0.5, max(len(table), 2) + 0.5)
        ax.grid(alpha=0.3)
    left.set_ylim(0)
    right.set_ylim(0, 1)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    left.set_title(f"{title}: loss")
    right.set_title(f"{title}: accuracy")
    left.legend(frameon=False)
    return describe(right, f"{title}, two line plots over {len(table)} epochs: {'; '.join(words)}.")


def runs_compared(
    runs: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    title: str = "Several runs",
    ax: Axes | None = None,
) -> Axes:
    """Draw how the validation loss of several runs falls, a line each.

    Parameters
    ----------
    runs
        Name → its epochs, each with ``validation_loss``, as a run's record has them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 8, 3.6)
    words = []
    colours = sns.color_palette("colorblind", len(runs))
    marks = itertools.cycle("osD^vPX*")
    for (name, epochs), colour, mark in zip(runs.items(), colours, marks, strict=False):
        losses = [epoch["validation_loss"] for epoch in epochs]
        numbers = range(1, len(losses) + 1)
        ax.plot(numbers, losses, color=colour, marker=mark, markersize=5, label=name)
        words.append(f"{name} from {losses[0]:.2f} to {losses[-1]:.2f}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.set(xlabel="Epoch", ylabel="Validation loss (nats)", title=title)
    legend_outside(ax)
    return describe(ax, f"{title}: validation loss after each epoch. {'; '.join(words)}.")


def genre_over_time(
    probabilities: np.ndarray,
    genres: Sequence[str],
    timeline: Timeline,
    *,
    title: str = "Genre over time",
    ax: Axes | None = None,
) -> Axes:
    """Draw a network's belief in each genre while a song plays, stacked to 1.

    Each step is drawn from the moment that decides it to the moment that decides the next: what
    is drawn above a time is what can be known at that time.

    Parameters
    ----------
    probabilities
        Shape (steps, genres), each row sums to 1.
    genres
        The genres, in the order of the columns.
    timeline
        The network's timeline.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 10, 3.6)
    edges = np.array([timeline.step_span(step)[1] for step in range(len(probabilities) + 1)])
    stacked = np.repeat(probabilities, 2, axis=0).T
    # Two points a step, at both of its edges: flat steps, not slopes.
    seconds = np.column_stack([edges[:-1], edges[1:]]).ravel()
    colours = list(genre_colours(genres).values())
    ax.stackplot(seconds, stacked, labels=list(genres), colors=colours, edgecolor="white", lw=0.3)
    ax.set(xlabel="Time heard (s)", ylabel="Probability", title=title)
    ax.set_xlim(0, float(edges[-1]))
    ax.set_ylim(0, 1)
    if len(probabilities) and edges[0] > 0.04 * edges[-1]:
        ax.text(edges[0] / 2, 0.5, "not yet heard enough", rotation=90, ha="center", va="center")
    legend_outside(ax, reverse=True)
    mean = probabilities.mean(axis=0)
    best = int(mean.argmax())
    shares = np.bincount(probabilities.argmax(axis=1), minlength=len(genres)) / len(probabilities)
    order = [place for place in shares.argsort()[::-1] if shares[place]]
    words = ", ".join(f"{genres[place]} in {shares[place]:.0%}" for place in order)
    return describe(
        ax,
        f"{title}: stacked areas, one a genre, over {edges[-1]:.3g} seconds. Most probable: "
        f"{words} of the steps. The mean over time is highest for {genres[best]}: "
        f"{mean[best]:.2f}.",
    )


def genre_bars(
    probabilities: np.ndarray,
    genres: Sequence[str],
    *,
    title: str = "Genre of the song",
    ax: Axes | None = None,
) -> Axes:
    """Draw one probability a genre.

    Parameters
    ----------
    probabilities
        Shape (genres,).
    genres
        The genres, in that order.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(ax, 7, 0.9 + 0.38 * len(genres))
    ax.barh(list(genres), probabilities, color=list(genre_colours(genres).values()))
    for place, value in enumerate(probabilities):
        ax.text(value, place, f" {value:.2f}", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.1)
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.set(xlabel="Probability", ylabel="", title=title)
    words = ", ".join(
        f"{genre} {value:.2f}" for genre, value in zip(genres, probabilities, strict=True)
    )
    return describe(ax, f"{title}, as bars: {words}.")


@dataclass
class _Stage:
    """A box of the drawing of a network: what comes out of one layer."""

    title: str
    shape: tuple[int, ...]
    arrow: str
    colour: str

    @property
    def steps(self) -> int:
        return self.shape[0] if len(self.shape) == 2 else 1

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def height(self) -> float:
        return 0.08 + 0.03 * self.channels**0.5


def _stages(model: keras.Model, frames: int) -> list[_Stage]:
    """Return what passes through a chain of layers when `frames` frames come in."""
    shape = (frames, int(model.inputs[0].shape[-1]))
    stages = [_Stage("Log-mel frames", shape, "", "#A8D5D8")]
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        inner = getattr(layer, "layer", layer)
        activation = getattr(getattr(inner, "activation", None), "__name__", "linear")
        follows = "" if activation == "linear" else f", then {activation}"
        shape = tuple(layer.compute_output_shape((None, *shape))[1:])
        if kind == "Conv1D":
            arrow = f"{layer.filters} kernels over {layer.kernel_size[0]} steps{follows}"
            stages.append(_Stage("Convolution", shape, arrow, "#9DB7E4"))
        elif kind == "MaxPooling1D":
            arrow = f"the largest of every {layer.pool_size[0]} steps"
            stages.append(_Stage("Max pooling", shape, arrow, "#C9D8F2"))
        elif type(inner).__name__ == "Dense":
            arrow = f"the same dense layer at every step{follows}"
            stages.append(_Stage("Genre over time", shape, arrow, "#FBD48B"))
        elif shape != (stages[-1].shape):
            final = len(shape) == 1 and "dense" in stages[-1].arrow
            name = "Genre of the song" if final else kind
            arrow = "mean over time" if "Average" in kind else ""
            stages.append(_Stage(name, shape, arrow, "#F5A58F"))
        else:
            # Same shape in and out: it belongs to the box above.
            name = activation if kind == "Activation" else kind.replace("BatchN", "Batch n")
            stages[-1].title += f"\n+ {name.lower()}"
    return stages
