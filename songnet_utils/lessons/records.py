"""The course's long experiments: made once by a command, kept with it, and put into words.

A lesson shows short runs that a student can start. What takes an hour is made by ``make records``
and stays beside the lessons, in ``notebooks/records``, with the command that makes it and the
versions. No lesson states such a result in its own words: it asks `Record.finding`, which reads the
figures and says no more than their interval allows.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.tables import between, percent, points
from songnet_utils.lessons.files import RECORDS, read_content

# Characters in a line that fit beside a page's list of lessons.
_LINE = 92

#: The command that makes each record, by its name; FOLDER is a folder of your own.
EXPERIMENTS = {
    # What each part of songnet-plus is worth, on the songs on which it was chosen.
    "songnet-plus-parts": (
        "songnet compare FOLDER --models songnet,songnet-plus~each --splits artist "
        "--artists development --seeds 3 --folds 4"
    ),
    # What each part of SongNet is worth.
    "songnet-parts": "songnet compare mini --models songnet~each --splits artist --seeds 2",
    # Every model, on songs by artists that are new to it.
    "all-models": "songnet compare mini --models all --splits artist --seeds 1",
    # Real songs by few artists, in folds.
    "real-music": (
        "songnet compare FOLDER --models chance,svm,songnet,songnet-plus,songnet-transfer "
        "--splits artist --genres Folk,Experimental,Rock,International --seeds 3 --folds 5"
    ),
    # Real songs by artists on whom nothing was chosen.
    "emotify": (
        "songnet compare FOLDER --models chance,svm,lr-518,crnn-2d,songnet,songnet-transfer,"
        "songnet-plus --splits artist --artists test --seeds 3 --folds 5"
    ),
}


def read_course_record(name: str, folder: Path = RECORDS) -> Record:
    """Return the record of one of the course's experiments.

    Raises
    ------
    SongNetError
        When the record is not there or not whole.
    """
    return Record(read_content(name, folder))


class Record:
    """What an experiment found.

    Parameters
    ----------
    content : dict
        What `make_record` wrote.

    Attributes
    ----------
    results : list of dict
        What `songnet_utils.evaluation.compare.compare` found of each model.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.results: list[dict[str, Any]] = content["results"]

    def result(self, model: str) -> dict[str, Any]:
        """Return what `compare` found of a model.

        Raises
        ------
        SongNetError
            When the experiment has no such model.
        """
        found = {result["model"]: result for result in self.results}
        if model not in found:
            raise SongNetError(
                f"{self.content['experiment']}: has no {model}. It has {', '.join(found)}"
            )
        return found[model]

    def difference(self, model: str, other: str) -> dict[str, Any]:
        """Return the accuracy of one model minus another's, with interval and p.

        Returns
        -------
        dict
            ``difference``, ``confidence_interval`` and ``mcnemar_p``, as `compare` states them.
        """
        for one, two, sign in ((model, other, 1), (other, model, -1)):
            for entry in self.result(one)["differences"]:
                if entry["model"] == two:
                    bounds = sorted(sign * bound for bound in entry["confidence_interval"])
                    turned = {"difference": sign * entry["difference"]}
                    return {**entry, **turned, "confidence_interval": bounds}
        raise SongNetError(f"{model} and {other} are the same model: there is nothing to compare.")

    def finding(self, model: str, other: str) -> str:
        """Say in a sentence or two how two models compare, and no more than that."""
        one, two = self.result(model), self.result(other)
        entry = self.difference(model, other)
        low, high = entry["confidence_interval"]
        if low > 0 or high < 0:
            verdict = f"{model} is {'better' if low > 0 else 'worse'} here."
        else:
            verdict = "The interval holds 0: these runs do not tell which of them is better."
        tested = "validation" if one["set"] == "validation" else "tested"
        seeds = f", {one['seeds']} seeds" if one["seeds"] > 1 else ""
        difference, interval = points(entry)
        return (
            f"{one['split']} split, {one['clips']:,} {tested} clips{seeds}: {model} "
            f"{one['accuracy']:.1%}, {other} {two['accuracy']:.1%}; "
            f"{difference} points [{interval}]. {verdict}"
        )

    def findings(self, model: str, others: Sequence[str]) -> str:
        """Say how a model compares with each of others: what `finding` says, in lines."""
        return "\n".join(
            textwrap.fill(
                f"- {self.finding(model, other)}",
                _LINE,
                subsequent_indent="  ",
                break_on_hyphens=False,
            )
            for other in others
        )

    def table(self, against: str | None = None) -> pd.DataFrame:
        """Return the models, one a row, for people to read.

        Parameters
        ----------
        against : str, optional
            A model; each other's accuracy minus its own is shown, too.
        """
        rows = {}
        for result in self.results:
            row = {
                "accuracy": percent(result["accuracy"]),
                "95 % interval": between(result["confidence_interval"]),
                "seconds": f"{result['seconds']:,.0f}",
            }
            if against and result["model"] != against:
                entry = self.difference(result["model"], against)
                difference, interval = points(entry)
                row[f"minus {against}"] = f"{difference} points"
                row["its 95 % interval"] = interval
                p = entry["mcnemar_p"]
                row["McNemar p"] = f"{p:.3f}" if p >= 0.001 else "<0.001"
            rows[result["model"]] = row
        return pd.DataFrame(rows).T.fillna("")

    def source(self) -> str:
        """Say where the record comes from, and what it cost: the command, then the rest."""
        content = self.content
        runs = sum(result["seeds"] * (result["folds"] or 1) for result in self.results)
        minutes = sum(result["seconds"] for result in self.results) / 60
        return (
            f"{content['command']}\n{runs} runs, {minutes:,.0f} minutes of fitting and answering "
            f"on {content['processors']} processors "
            f"(tensorflow {content['versions']['tensorflow']}){content.get('note', '')}"
        )
