"""What was measured of all kernels of one network: made once by a command, kept with the course.

To dream with every kernel, and to make sound of every dream, takes minutes: too long for a lesson.
``make records`` does it for SongNet on mini, and lesson 6 reads what it left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songnet_utils._utils.files import write_json
from songnet_utils.corpora import open_corpus
from songnet_utils.kernels import (
    Kernels,
    dream_table,
    likeness_by_layer,
    purity_by_layer,
    survey,
    untrained,
)
from songnet_utils.lessons.kept import read_kept, records_folder
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
# Digits that are kept: more would only be noise of rounding.
_DIGITS = 4


def make_kernel_record(
    folder: Path | None = None,
    run: Path | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
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
    say
        Takes what was found, in words.

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
    unheard = prepared.clips[prepared.clips.id.isin(answers.id[answers.set != "train"])]
    kernels, fresh = Kernels(net), Kernels(untrained(net))

    seconds = {}
    began = time.perf_counter()
    everything = survey(kernels, prepared, progress=progress)
    seconds["survey"] = time.perf_counter() - began
    began = time.perf_counter()
    dreams = pd.concat(
        [dream_table(everything, layer, progress=progress) for layer in kernels.names]
    )
    seconds["dreams"] = time.perf_counter() - began
    tested = {}
    for name, of in (("trained", kernels), ("untrained", fresh)):
        found = survey(of, prepared, unheard, progress=progress)
        alike = likeness_by_layer(found).set_index("layer")
        tested[name] = [
            {
                "layer": row.layer,
                **{key: float(getattr(row, key)) for key in ("purity", "low", "high", "p")},
                "likeness": float(alike.likeness[row.layer]),
                "likeness_by_chance": float(alike.by_chance[row.layer]),
            }
            for row in purity_by_layer(found).itertuples()
        ]
    record = {
        "command": _COMMAND,
        "corpus": its["corpus"],
        "clips": len(everything.clips),
        "unheard": len(unheard),
        "model": its["model"],
        "split": its["split"],
        "seed": its["seed"],
        "accuracy": its["test"]["accuracy"],
        "kernels": {layer.name: layer.kernels for layer in kernels.layers},
        "dead": {of.layer.name: int(of.dead.sum()) for of in everything.layers},
        "twins": {of.layer.name: len(of.twins()) for of in everything.layers},
        "seconds": seconds,
        "processors": os.cpu_count(),
        "versions": versions(),
        "tested": tested,
        "dreams": {
            "index": [[layer, int(kernel)] for layer, kernel in dreams.index],
            **{
                column: [None if np.isnan(v) else round(float(v), _DIGITS) for v in values]
                for column, values in dreams.items()
            },
        },
    }
    path = (folder or records_folder()) / f"{NAME}.json"
    write_json(path, record)
    kept = KernelRecord(record)
    for line in (kept.source(), kept.says_of_dreams(), kept.says_of_purity()):
        say(line)
    return path


class KernelRecord:
    """What was found of all kernels.

    Parameters
    ----------
    content : dict
        What `make_kernel_record` wrote.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        columns = dict(content["dreams"])
        index = pd.MultiIndex.from_tuples(map(tuple, columns.pop("index")))
        #: As `songnet_utils.kernels.dream_table` gives it, for all kernels.
        self.dreams = pd.DataFrame(columns, index.set_names(["layer", "kernel"]), dtype=float)

    def source(self) -> str:
        """Say where the record comes from, and what it cost."""
        content = self.content
        minutes = sum(content["seconds"].values()) / 60
        return (
            f"{content['command']} — {len(self.dreams)} kernels of {content['model']} "
            f"({content['split']} split, seed {content['seed']}, {content['accuracy']:.1%} of the "
            f"test clips right) over {content['clips']} clips of {content['corpus']}, "
            f"{minutes:.0f} minutes on {content['processors']} processors"
        )

    def says_of_dreams(self) -> str:
        """Say what the figures of the dreams allow."""
        dreams = self.dreams
        above = (dreams.dreamed > dreams.found).mean()
        return (
            f"{above:.1%} of the dreams excite their kernel more than any piece of the corpus "
            f"(median {(dreams.dreamed / dreams.found).median():.1f} times the best piece; the "
            f"worst dream is below {dreams.share_above.max():.1%} of all moments). "
            f"{dreams.outside.max():.1%} of a dream at most leaves the corpus's range, and its "
            f"distance from the mean frame is {dreams.distance.median():.2f} times the corpus's "
            f"(at most {dreams.distance.max():.2f}). As sound, {dreams.left.median():.0%} of the "
            f"activation is left (at least {dreams.left.min():.0%})."
        )

    def says_of_purity(self) -> str:
        """Say what the figures of purity allow, and no more."""
        trained, fresh = (self.content["tested"][name] for name in ("trained", "untrained"))
        (first, *_, last), (early, *_, late) = trained, fresh

        def with_luck(one: dict[str, Any]) -> str:
            luck = f"{one['low']:.0%} to {one['high']:.0%}"
            return f"{one['purity']:.0%} in {one['layer']} (by luck {luck})"

        gained = 100 * (last["purity"] - late["purity"])
        return (
            f"Kept record, {self.content['unheard']} clips never heard in training. Purity "
            f"{with_luck(first)}, {with_luck(last)}; before training {with_luck(early)}, "
            f"{with_luck(late)}: training adds {gained:+.0f} points in the last layer. Likeness "
            f"{first['likeness']:.2f} and {last['likeness']:.2f}; before training "
            f"{early['likeness']:.2f} and {late['likeness']:.2f}."
        )


def read_kernel_record(folder: Path | None = None) -> KernelRecord:
    """Return the record that is kept with the course.

    Raises
    ------
    SongNetError
        When it is not there or not whole.
    """
    return read_kept(NAME, KernelRecord, folder)
