"""The course's long experiments: made once by a command, kept with it, and put into words.

A lesson shows short runs that a student can start. What takes an hour is made by ``make records``
and kept beside the lessons, in ``notebooks/records``, with the command that makes it, the
versions and the cost. No lesson states such a result in its own words: it asks `Record.finding`,
which reads the figures and says no more than their interval allows.
"""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import write_json
from songnet_utils.corpora import open_corpus
from songnet_utils.evaluation.compare import compare, model_names
from songnet_utils.lessons.kept import read_kept, records_folder
from songnet_utils.training.train import versions

# Characters in a line that fit beside a page's list of lessons.
_LINE = 92


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison whose record is kept with the course.

    Parameters
    ----------
    question : str
        What it is for.
    models, splits, genres, seeds, folds, subset
        As in `songnet_utils.evaluation.compare.compare`.
    corpus : str
        What to compare on; "" for a folder of one's own.
    """

    question: str
    models: Sequence[str]
    splits: Sequence[str] = ("artist",)
    corpus: str = "mini"
    genres: Sequence[str] | None = None
    seeds: int = 1
    folds: int | None = None
    subset: str = "test"

    def command(self) -> str:
        """Return the command that makes the same comparison."""
        words = ["songnet compare", self.corpus or "FOLDER", "--models", ",".join(self.models)]
        words += ["--splits", ",".join(self.splits)]
        words += ["--genres", ",".join(self.genres)] if self.genres else []
        words += ["--seeds", str(self.seeds)]
        words += ["--folds", str(self.folds)] if self.folds else []
        words += ["--set", self.subset] if self.subset != "test" else []
        return " ".join(words)


#: What is kept, by name.
EXPERIMENTS = {
    "songnet-plus-parts": Experiment(
        question="what each part of songnet-plus is worth, by the validation clips",
        models=[
            *("songnet", "songnet-plus", "songnet-plus~masks", "songnet-plus+cosine"),
            "songnet-plus+cosine~masks~each",
        ],
        seeds=2,
        subset="validation",
    ),
    "songnet-parts": Experiment(
        question="what each part of SongNet is worth",
        models=["songnet~each"],
        seeds=2,
    ),
    "all-models": Experiment(
        question="every model, on songs by artists that it has not heard",
        models=["all"],
    ),
    "real-music": Experiment(
        question="real songs by few artists, in folds",
        corpus="",
        genres=["Folk", "Experimental", "Rock", "International"],
        models=["chance", "svm", "songnet", "songnet-plus", "songnet-transfer"],
        seeds=3,
        folds=5,
    ),
}


def make_record(
    name: str,
    folder: Path | None = None,
    corpus: str | os.PathLike[str] | None = None,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> Path:
    """Make an experiment, print its table, and keep its record.

    Parameters
    ----------
    name : str
        A key of `EXPERIMENTS`.
    folder : pathlib.Path, optional
        Where to keep it; `records_folder` by default.
    corpus : path, optional
        The folder of one's own, where the experiment asks for one.
    progress : bool
        Whether to show progress bars.
    say
        Takes the table.

    Raises
    ------
    SongNetError
        When there is no such experiment, it needs a corpus, or one of its runs failed.
    """
    experiment = _experiment(name)
    if not experiment.corpus and corpus is None:
        raise SongNetError(f"{name}: asks for a folder of real songs. Say which.")
    found = compare(
        open_corpus(experiment.corpus or str(corpus), progress=progress),
        experiment.models,
        experiment.splits,
        genres=experiment.genres,
        seeds=experiment.seeds,
        folds=experiment.folds,
        subset=experiment.subset,
        progress=progress,
    )
    say(found.as_text())
    if found.failures:
        first = found.failures[0]
        raise SongNetError(
            f"{name}: {len(found.failures)} runs failed, so no record is kept. The first: "
            f"{first['run']}: {first['reason']}"
        )
    record = {
        "experiment": name,
        "question": experiment.question,
        "command": experiment.command(),
        "corpus": experiment.corpus or "a folder of one's own",
        "models": model_names(experiment.models),
        "cost": found.cost,
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "versions": versions(),
        "results": found.results,
    }
    path = (folder or records_folder()) / f"{name}.json"
    write_json(path, record)
    return path


def _experiment(name: str) -> Experiment:
    if name not in EXPERIMENTS:
        raise SongNetError(f"the experiments are {', '.join(EXPERIMENTS)}. Got {name!r}")
    return EXPERIMENTS[name]


class Record:
    """What an experiment found.

    Parameters
    ----------
    content : dict
        What `make_record` wrote.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.results: list[dict[str, Any]] = content["results"]
        self._found = {(result["model"], result["split"]): result for result in self.results}

    def result(self, model: str, split: str = "artist") -> dict[str, Any]:
        """Return what `compare` found of a model on a split.

        Raises
        ------
        SongNetError
            When the experiment has no such model or split.
        """
        if (model, split) not in self._found:
            known = ", ".join(f"{model} ({split})" for model, split in self._found)
            raise SongNetError(
                f"{self.content['experiment']}: has no {model} on the {split} split. It has {known}"
            )
        return self._found[model, split]

    def difference(self, model: str, other: str, split: str = "artist") -> dict[str, Any]:
        """Return the accuracy of one model minus another's, with interval and p.

        Returns
        -------
        dict
            ``difference``, ``confidence_interval`` and ``mcnemar_p``.
        """
        one, two = self.result(model, split), self.result(other, split)
        for first, second, sign in ((one, two, 1), (two, one, -1)):
            for entry in first["differences"]:
                if (entry["model"], entry["split"]) == (second["model"], split):
                    low, high = sorted(sign * bound for bound in entry["confidence_interval"])
                    return {
                        "difference": sign * entry["difference"],
                        "confidence_interval": [low, high],
                        "mcnemar_p": entry["mcnemar_p"],
                    }
        raise SongNetError(
            f"{self.content['experiment']}: {model} and {other} are the same model: there is "
            "nothing to compare."
        )

    def finding(self, model: str, other: str, split: str = "artist") -> str:
        """Say in a sentence or two how two models compare, and no more than that.

        Parameters
        ----------
        model, other : str
            Of the experiment.
        split : str
            On which split.
        """
        one, two = self.result(model, split), self.result(other, split)
        entry = self.difference(model, other, split)
        low, high = (100 * bound for bound in entry["confidence_interval"])
        if low > 0:
            verdict = f"{model} is better here."
        elif high < 0:
            verdict = f"{model} is worse here."
        else:
            verdict = "The interval holds 0: these runs do not tell which of them is better."
        heard = "validation" if one["set"] == "validation" else "tested"
        seeds = f", {one['seeds']} seeds" if one["seeds"] > 1 else ""
        return (
            f"{split} split, {one['clips']:,} {heard} clips{seeds}: {model} {one['accuracy']:.1%}, "
            f"{other} {two['accuracy']:.1%}; {100 * entry['difference']:+z.1f} points "
            f"[{low:+z.1f} to {high:+z.1f}]. {verdict}"
        )

    def findings(self, model: str, others: Sequence[str], split: str = "artist") -> str:
        """Say how a model compares with each of others: what `finding` says, in lines.

        Parameters
        ----------
        model : str
            Of the experiment.
        others : sequence of str
            Of the experiment, too; one point of the list each.
        split : str
            On which split.
        """
        return "\n".join(
            textwrap.fill(
                self.finding(model, other, split),
                _LINE,
                initial_indent="- ",
                subsequent_indent="  ",
                break_on_hyphens=False,
            )
            for other in others
        )

    def table(self, split: str = "artist", against: str | None = None) -> pd.DataFrame:
        """Return the models of a split, one a row, for people to read.

        Parameters
        ----------
        split : str
            On which split.
        against : str, optional
            A model; each other's accuracy minus its own is shown, too.
        """
        rows = {}
        for (model, of), result in self._found.items():
            if of != split:
                continue
            low, high = result["confidence_interval"]
            row = {
                "accuracy": f"{result['accuracy']:.1%}",
                "95 % interval": f"{low:.1%} to {high:.1%}",
                "seconds": f"{result['seconds']:,.0f}",
            }
            if against and model != against:
                entry = self.difference(model, against, split)
                low, high = (100 * bound for bound in entry["confidence_interval"])
                row[f"minus {against}"] = f"{100 * entry['difference']:+z.1f} points"
                row["its 95 % interval"] = f"{low:+z.1f} to {high:+z.1f}"
                p = entry["mcnemar_p"]
                row["McNemar p"] = f"{p:.3f}" if p >= 0.001 else "<0.001"
            rows[model] = row
        return pd.DataFrame(rows).T.fillna("")

    def source(self) -> str:
        """Say where the record comes from, and what it cost: the command, then the rest."""
        cost, content = self.content["cost"], self.content
        return (
            f"{content['command']}\n"
            f"{cost['runs']} runs, {cost['seconds'] / 60:,.0f} minutes of fitting and answering on "
            f"{content['processors']} processors (tensorflow {content['versions']['tensorflow']})"
        )


def read_course_record(name: str, folder: Path | None = None) -> Record:
    """Return the record of one of the course's experiments.

    Raises
    ------
    SongNetError
        When there is no such experiment, or its record is not there or not whole.
    """
    _experiment(name)
    return read_kept(name, Record, folder)
