"""What was measured of all kernels of one network: made once by a command, kept with the course.

Activation maximisation for every kernel, and making sound of every result, takes minutes: too long
for a lesson. ``make records`` does it for SongNet on mini, and lesson 6 reads the record.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.files import write_json
from songnet_utils.corpora import open_corpus
from songnet_utils.kernels import (
    Kernels,
    Survey,
    likeness_by_layer,
    maximisation_table,
    purity_by_layer,
    survey,
    untrained,
)
from songnet_utils.lessons.files import RECORDS, read_content
from songnet_utils.training.runs import (
    log_mels_of,
    network_of,
    read_answers,
    read_record,
    runs_folder,
)
from songnet_utils.training.train import train, versions

#: What the record is called.
NAME = "kernels"

_COMMAND = "songnet train mini --split artist && python scripts/records.py kernels"


def make_kernel_record(
    folder: Path = RECORDS, run: Path | None = None, progress: bool = True
) -> Path:
    """Measure all kernels of a run of SongNet, and keep what was found.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Where to keep it; with the lessons by default.
    run : pathlib.Path, optional
        A finished run; by default SongNet's on mini, artist split and seed 0, which is trained
        where it is not there.
    progress : bool
        Whether to show progress bars.

    Raises
    ------
    SongNetError
        When the run has no kernels.
    """
    if run is None:
        mini = open_corpus("mini", progress=progress)
        run = runs_folder(mini) / "songnet-artist-0"
        if not (run / "record.json").is_file():
            train(mini, "songnet", "artist", seed=0, progress=progress)
    its = read_record(run)
    net = network_of(run, its, f"{its['model']} has no kernels. Give the run of a SongNet.")
    prepared = log_mels_of(run, its, progress=progress)
    answers = read_answers(run)
    new = prepared.clips[prepared.clips.id.isin(answers.id[answers.set != "train"])]
    kernels = Kernels(net)

    began = time.perf_counter()
    everything = survey(kernels, prepared, progress=progress)
    maximised = pd.concat(
        [maximisation_table(everything, layer, progress=progress) for layer in kernels.names]
    )
    record = {
        "command": _COMMAND,
        **{key: its[key] for key in ("corpus", "model", "split", "seed")},
        "accuracy": its["test"]["accuracy"],
        "clips": len(everything.clips),
        "clips_not_trained_on": len(new),
        "kernels": {layer.name: layer.kernels for layer in kernels.layers},
        "seconds": round(time.perf_counter() - began, 1),
        "processors": os.cpu_count(),
        "versions": versions(),
        "trained": _by_layer(survey(kernels, prepared, new, progress=progress)),
        "untrained": _by_layer(survey(Kernels(untrained(net)), prepared, new, progress=progress)),
        # JSON has no NaN: pandas writes null.
        "maximised": json.loads(maximised.to_json(orient="split", double_precision=4)),
    }
    path = folder / f"{NAME}.json"
    write_json(path, record)
    return path


def _by_layer(found: Survey) -> list[dict[str, Any]]:
    """Return how pure and how alike a network's kernels are, from the first layer to the last."""
    table = purity_by_layer(found)[["layer", "purity", "low", "high"]]
    alike = likeness_by_layer(found)[["layer", "likeness"]]
    return table.merge(alike, on="layer").to_dict("records")


class KernelRecord:
    """What was found of all kernels.

    Parameters
    ----------
    content : dict
        What `make_kernel_record` wrote.

    Attributes
    ----------
    maximised : pandas.DataFrame
        As `songnet_utils.kernels.maximisation_table` gives it, for all kernels.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        its = content["maximised"]
        index = pd.MultiIndex.from_tuples(map(tuple, its["index"]), names=["layer", "kernel"])
        self.maximised = pd.DataFrame(its["data"], index, its["columns"], dtype=float)

    def source(self) -> str:
        """Say where the record comes from, and what it cost."""
        content = self.content
        return (
            f"{content['command']} — {len(self.maximised)} kernels of {content['model']} "
            f"({content['split']} split, seed {content['seed']}, {content['accuracy']:.1%} of the "
            f"test clips right) over {content['clips']} clips of {content['corpus']}, "
            f"{content['seconds'] / 60:.0f} minutes on {content['processors']} processors"
        )

    def says_of_maximisation(self) -> str:
        """Say what the figures of activation maximisation allow."""
        its = self.maximised
        above = (its.maximised > its.found).mean()
        return (
            f"{above:.1%} of the results excite their kernel more than any piece of the corpus "
            f"(median {(its.maximised / its.found).median():.1f} times the best piece; the "
            f"worst is below {its.share_above.max():.1%} of all moments). "
            f"{its.outside.max():.1%} of a result at most leaves the corpus's range, and its "
            f"distance from the mean frame is {its.distance.median():.2f} times the corpus's "
            f"(at most {its.distance.max():.2f}). As sound, {its.left.median():.0%} of the "
            f"activation is left (at least {its.left.min():.0%})."
        )

    def says_of_purity(self) -> str:
        """Say what the figures of purity allow, and no more."""
        first, *_, last = self.content["trained"]
        early, *_, late = self.content["untrained"]

        def with_chance(one: dict[str, Any]) -> str:
            chance = f"{one['low']:.0%} to {one['high']:.0%}"
            return f"{one['purity']:.0%} in {one['layer']} (by chance {chance})"

        gained = 100 * (last["purity"] - late["purity"])
        return (
            f"{self.content['clips_not_trained_on']} clips outside the training set. Purity "
            f"{with_chance(first)}, {with_chance(last)}; before training {with_chance(early)}, "
            f"{with_chance(late)}: training adds {gained:+.0f} points in the last layer. Likeness "
            f"{first['likeness']:.2f} and {last['likeness']:.2f}; before training "
            f"{early['likeness']:.2f} and {late['likeness']:.2f}."
        )


def read_kernel_record(folder: Path = RECORDS) -> KernelRecord:
    """Return the record that is kept with the course.

    Raises
    ------
    SongNetError
        When it is not there or not whole.
    """
    return KernelRecord(read_content(NAME, folder))
