"""Measurements of all kernels of one network, made once by a command and kept with the course.

It takes minutes to maximise the activation of every kernel and to turn every result into sound.
This is too long for a lesson, so ``make records`` does it for SongNet on mini, and lesson 6 reads
the record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils.lessons.files import RECORDS, read_content

#: The name of the record.
NAME = "kernels"


class KernelRecord:
    """What was found about all kernels.

    Parameters
    ----------
    content : dict
        What `make_kernel_record` wrote.

    Attributes
    ----------
    maximised : pandas.DataFrame
        The result of `songnet_utils.kernels.maximisation_table` for all kernels.
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
            f"Made by `{content['command']}`: {len(self.maximised)} kernels of {content['model']} "
            f"({content['split']} split, seed {content['seed']}, {content['accuracy']:.1%} of the "
            f"test clips right) over {content['clips']} clips of {content['corpus']}, "
            f"{content['seconds'] / 60:.0f} minutes on {content['processors']} processors"
        )

    def says_of_maximisation(self) -> str:
        """Say what the figures on activation maximisation show."""
        its = self.maximised
        above = (its.maximised > its.found).mean()
        return (
            f"{above:.1%} of the results excite their kernel more than any piece of the corpus "
            f"(median {(its.maximised / its.found).median():.1f} times the best piece). Do they "
            f"still resemble music? At most {its.outside.max():.1%} of a result lies outside the "
            f"corpus's range. A result is {its.distance.median():.2f} times as far from the mean "
            f"frame as real music is (the farthest {its.distance.max():.2f} times). As sound, "
            f"it keeps {its.left.median():.0%} of its activation (at least {its.left.min():.0%})."
        )

    def says_of_purity(self) -> str:
        """Say what the figures on purity show, and no more."""
        first, *_, last = self.content["trained"]
        early, *_, late = self.content["untrained"]

        def with_chance(one: dict[str, Any]) -> str:
            chance = f"{one['low']:.0%} to {one['high']:.0%}"
            return f"{one['purity']:.0%} in {one['layer']} (by chance {chance})"

        gained = 100 * (last["purity"] - late["purity"])
        return (
            f"On {self.content['clips_not_trained_on']} clips outside the training set, purity is "
            f"{with_chance(first)} and {with_chance(last)}. Before training, it is "
            f"{with_chance(early)} and {with_chance(late)}: training adds {gained:+.0f} points in "
            f"the last layer. Likeness is {first['likeness']:.2f} and {last['likeness']:.2f}; "
            f"before training, it is {early['likeness']:.2f} and {late['likeness']:.2f}."
        )


def read_kernel_record(folder: Path = RECORDS) -> KernelRecord:
    """Return the record that is kept with the course.

    Raises
    ------
    SongNetError
        When it is missing or incomplete.
    """
    return KernelRecord(read_content(NAME, folder))
