"""The course's long experiments, made once by a command, kept with the course and put into words.

A lesson shows short runs that a student can start. Experiments that take an hour come from ``make
records`` and are kept in ``notebooks/records``, with their commands and the versions used. A lesson
does not state such a result in its own words: `Record.findings` reads the figures and says no more
than their interval allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.tables import points
from songnet_utils.lessons.files import RECORDS, read_content

#: The command that makes each record, by its name; FOLDER is a folder of your own.
EXPERIMENTS = {
    # What each part of songnet-plus is worth, on the songs on which it was chosen.
    "songnet-plus-parts": (
        "songnet compare FOLDER --models songnet,songnet-plus~each --splits artist "
        "--artists development --seeds 1 --folds 4"
    ),
    # What each part of SongNet is worth.
    "songnet-parts": "songnet compare mini --models songnet~each --splits artist --seeds 2",
    # Every model, on songs by artists that are new to it.
    "all-models": "songnet compare mini --models all --splits artist --seeds 1",
    # Why crnn-2d does better than SongNet: its second direction, its memory, or its few weights.
    "crnn-2d-controls": (
        "songnet compare mini --models songnet,crnn-2d,crnn-2d~gru,songnet-lstm+gru,"
        "songnet-lstm+gru+small --splits artist --seeds 1"
    ),
    # Real songs by few artists, in folds.
    "real-music": (
        "songnet compare FOLDER --models chance,svm,songnet,songnet-plus,songnet-transfer "
        "--splits artist --genres Folk,Experimental,Rock,International --seeds 3 --folds 5"
    ),
    # Real songs by artists whose songs played no part in any choice.
    "emotify": (
        "songnet compare FOLDER --models chance,svm,lr-518,crnn-2d,songnet,songnet-transfer,"
        "songnet-plus --splits artist --artists test --seeds 3 --folds 5"
    ),
}


def read_course_record(name: str, folder: Path = RECORDS) -> Record:
    """Return the record of one of the course's experiments.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    folder : pathlib.Path
        Where the records are.

    Raises
    ------
    SongNetError
        When the record is missing or incomplete.
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
        What `songnet_utils.evaluation.compare.compare` found about each model.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.results: list[dict[str, Any]] = content["results"]

    def result(self, model: str) -> dict[str, Any]:
        """Return what `compare` found about a model.

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
        """Return the accuracy of one model minus another's, with its interval and p-value.

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

    def verdict(self, model: str, other: str) -> str:
        """Return whether the interval of the difference shows a model to be better or worse."""
        low, high = self.difference(model, other)["confidence_interval"]
        return "better" if low > 0 else "worse" if high < 0 else "not shown to be better or worse"

    def gain(self, model: str, other: str) -> str:
        """Return the difference in words: percentage points, and their interval."""
        difference, interval = points(self.difference(model, other))
        return f"{difference} points [{interval}]"

    def worth_of_parts(self, network: str) -> list[dict[str, Any]]:
        """Return what a network gains from each of its parts and from each extra, by name."""
        rows = []
        for other in (result["model"] for result in self.results):
            if other.startswith(f"{network}~"):
                part = other.removeprefix(f"{network}~")
                rows.append({"name": part, **self.difference(network, other)})
            elif other.startswith(f"{network}+"):
                extra = other.removeprefix(f"{network}+")
                rows.append({"name": f"with {extra}", **self.difference(other, network)})
        return rows

    def findings(self, model: str, others: Sequence[str]) -> str:
        """Say in Markdown how a model compares with others."""
        its = self.result(model)
        folds = f", {its['folds']} folds" if its["folds"] else ""
        seeds = f", {its['seeds']} seeds" if its["seeds"] > 1 else ""
        # In folds, each seed tests the same clips.
        clips = its["clips"] // (its["seeds"] if its["folds"] else 1)
        tested = "validation" if its["set"] == "validation" else "test"
        text = (
            f"`{model}` gets {its['accuracy']:.1%} of {clips:,} {tested} clips right "
            f"({its['split']} split{folds}{seeds}). Its difference from\n"
        )
        for other in others:
            share, verdict = self.result(other)["accuracy"], self.verdict(model, other)
            gain = self.gain(model, other)
            text += f"\n- `{other}` ({share:.1%}) is {gain}: `{model}` is {verdict}."
        return text

    def source(self) -> str:
        """Say in Markdown where the record comes from and what it cost."""
        content = self.content
        runs = sum(result["seeds"] * (result["folds"] or 1) for result in self.results)
        minutes = sum(result["seconds"] for result in self.results) / 60
        return (
            f"Made by `{content['command']}`: {runs} runs, {minutes:,.0f} minutes on "
            f"{content['processors']} processors."
        )
