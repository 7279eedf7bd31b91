"""Run the course's long experiments, and save their records with the lessons.

``python scripts/records.py [NAME …] [--corpus FOLDER]`` runs, by default, all that need no folder.
It finds earlier runs again, so you can stop an experiment and continue it later.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError
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
from songnet_utils.lessons.files import RECORDS
from songnet_utils.lessons.kernel_record import NAME
from songnet_utils.lessons.records import EXPERIMENTS
from songnet_utils.training.runs import (
    log_mels_of,
    network_of,
    read_answers,
    read_record,
    runs_folder,
)
from songnet_utils.training.train import train, versions

_KERNELS = "songnet train mini --split artist && python scripts/records.py kernels"


def make_record(
    name: str, folder: Path = RECORDS, corpus: str | os.PathLike[str] | None = None
) -> Path:
    """Run an experiment, print its table, and save its record.

    Parameters
    ----------
    name : str
        A key of `EXPERIMENTS`.
    folder : pathlib.Path, optional
        The folder for the record; by default, that of the lessons.
    corpus : path, optional
        A folder of your own songs, if the experiment needs one.

    Raises
    ------
    SongNetError
        When there is no such experiment, it needs a corpus, or one of its runs failed.
    """
    if name not in EXPERIMENTS:
        raise SongNetError(f"the experiment must be one of {', '.join(EXPERIMENTS)}. Got {name!r}")
    command = EXPERIMENTS[name]
    if "FOLDER" in command and corpus is None:
        raise SongNetError(f"{name}: needs a folder of real songs. Give it with --corpus.")
    words = [str(corpus) if word == "FOLDER" else word for word in command.split()[1:]]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "results.json"
        program = [sys.executable, "-m", "songnet_utils.cli", *words, "--json", str(file)]
        if subprocess.run(program, check=False).returncode:
            raise SongNetError(f"{name}: some of its runs failed, so there is no record.")
        results = json.loads(file.read_text(encoding="utf-8"))
    record = {
        "experiment": name,
        "command": command,
        "collection": None if corpus is None else Path(corpus).name,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "versions": versions(),
        "results": results,
    }
    path = folder / f"{name}.json"
    write_json(path, record)
    return path


def make_kernel_record(
    folder: Path = RECORDS, run: Path | None = None, progress: bool = True
) -> Path:
    """Measure all kernels of a run of SongNet, and save the record.

    Parameters
    ----------
    folder : pathlib.Path, optional
        The folder for the record; by default, that of the lessons.
    run : pathlib.Path, optional
        A finished run; by default SongNet's on mini, artist split and seed 0, which is trained if
        it is missing.
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
    net = network_of(run)
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
        "command": _KERNELS,
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
    """Return the purity and likeness of a network's kernels, from the first layer to the last."""
    table = purity_by_layer(found)[["layer", "purity", "low", "high"]]
    alike = likeness_by_layer(found)[["layer", "likeness"]]
    return table.merge(alike, on="layer").to_dict("records")


def main() -> None:
    """Run the experiments on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*EXPERIMENTS, NAME]
    parser.add_argument("names", nargs="*", help=", ".join(known))
    parser.add_argument("--corpus", help="a folder of real songs, for one of them")
    options = parser.parse_args()
    for name in options.names or known:
        if not options.names and "FOLDER" in EXPERIMENTS.get(name, ""):
            print(f"{name}: left out, because it needs a folder of real songs (--corpus).")
            continue
        try:
            made = (
                make_kernel_record() if name == NAME else make_record(name, RECORDS, options.corpus)
            )
            print(made)
        except SongNetError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
