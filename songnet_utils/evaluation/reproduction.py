"""Reproduce the paper's table on fma_small: its cost, and published accuracies beside ours.

The paper does not name its split, so each of its models is tested on both: the random split, and
the official split, which keeps every artist in one set. ``expected.csv`` lists the best sound
accuracies that others report, each with the most similar model here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from songnet_utils._utils.files import read_csv, size_text
from songnet_utils.audio.sound import Sound
from songnet_utils.evaluation.compare import PAPER
from songnet_utils.evaluation.tables import aligned, between, percent, wrapped
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.building import JIT, keras
from songnet_utils.models.registry import network_kind
from songnet_utils.training.recipe import recipe_of

#: The paper's models, and our best network trained from scratch.
MODELS = ("chance", "knn", "lr", "mlp", "svm", "songnet", "songnet-plus")

#: The number of clips in fma_small.
CLIPS = 8_000

# The seconds in which a processor decodes a clip of 30 s and computes its log-mel and statistics.
_SECONDS_TO_PREPARE = 0.1
_CLIP_SECONDS = 30
_GENRES = 8


def cost_text(models: Sequence[str], clips: int, runs: int, epochs: int | None = None) -> str:
    """Return the cost of a comparison on this machine, from a few steps of training on noise.

    Parameters
    ----------
    models : sequence of str
        The models. Networks that need musicnn or metadata are not measured.
    clips : int
        The number of clips of 30 s.
    runs : int
        The number of runs per model: splits times seeds.
    epochs : int, optional
        The most epochs; those of each network's recipe by default.
    """
    sound = Sound()
    frames = _CLIP_SECONDS * sound.sample_rate / sound.hop
    prepared = clips * _SECONDS_TO_PREPARE / (os.cpu_count() or 1)
    times = [f"{prepared / 60:,.0f} minutes for the log-mels"]
    for model in models:
        if model in BASELINES:
            continue
        kind, recipe = network_kind(model), recipe_of(model)
        if not kind.metadata and not kind.on_musicnn:
            trained = runs * (epochs or recipe.epochs) * clips * seconds_per_crop(model)
            times.append(f"{trained / 3600:,.1f} hours for {model}")
    return "\n".join(
        wrapped(
            f"{clips:,} clips, {len(models)} models, each trained {runs} times.",
            f"Disk: {size_text(int(clips * frames * sound.n_mels * 4))} for the log-mels.",
            f"Time on this machine, at most: {', '.join(times)}; minutes for the rest. A network "
            "that no longer improves stops sooner. You can stop at any time and run the command "
            "again to continue.",
        )
    )


def seconds_per_crop(model: str, steps: int = 3) -> float:
    """Measure the seconds that a network needs to train on one crop here."""
    kind, recipe = network_kind(model), recipe_of(model)
    network = kind.build(kind.sound, [str(genre) for genre in range(_GENRES)], **kind.options)
    trained = keras.Model(network.input, network.get_layer("genre").output)
    trained.compile("adam", "categorical_crossentropy", jit_compile=JIT)
    frames = round(recipe.crop_seconds * kind.sound.sample_rate / kind.sound.hop)
    size = recipe.batch, frames, kind.sound.n_mels
    crops = np.random.default_rng(0).normal(-5, 2, size).astype(np.float32)
    labels = np.eye(_GENRES, dtype=np.float32)[np.arange(recipe.batch) % _GENRES]
    trained.train_on_batch(crops, labels)
    start = time.perf_counter()
    for _ in range(steps):
        trained.train_on_batch(crops, labels)
    return (time.perf_counter() - start) / steps / recipe.batch


def expected_text(results: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of published accuracies on fma_small beside ours.

    Parameters
    ----------
    results : sequence of dict
        The results of `songnet_utils.evaluation.compare.Comparison`.
    """
    table = [["published accuracies", "split", "theirs", "model here", "ours", "95 % interval"]]
    ours = {(row["model"], row["split"]): row for row in results}
    for (model, _), row in ours.items():
        if model in PAPER:
            table.append(_line("the paper (unknown split)", float(PAPER[model]), row))
    for row in read_csv(Path(__file__).with_name("expected.csv")).itertuples():
        here = ours.get((row.model, row.split), {"model": row.model, "split": row.split})
        table.append(_line(row.source, float(row.figure), here))
    return "\n".join(aligned(table))


def _line(source: str, figure: float, here: Mapping[str, Any]) -> list[str]:
    cells = [source, here["split"], percent(figure), here["model"]]
    if "accuracy" not in here:
        return cells
    return [*cells, percent(here["accuracy"]), between(here["confidence_interval"])]
