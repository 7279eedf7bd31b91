"""Checks of lesson 1, the music: tables of clips, sets, licences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from songnet_utils.corpora import table
from songnet_utils.corpora.licences import licence_family
from songnet_utils.corpora.splits import artist_overlap, artists
from songnet_utils.lessons.checks.answers import name
from songnet_utils.lessons.checks.questions import Choice, Function, Question, exercise

# The choices: how much of the test set is by artists who are also in other sets.
_SHARES = {"none": 0.0, "a tenth": 0.1, "half": 0.5, "most": 0.85}

# Licences as the Free Music Archive writes them: every family, some in several spellings.
_LICENCES = (
    "Attribution",
    "http://creativecommons.org/licenses/by/4.0/",
    "Attribution-ShareAlike 3.0 International",
    "Attribution-NoDerivatives 4.0",
    "Attribution-Noncommercial 3.0 United States",
    "Attribution-NonCommercial-ShareAlike 4.0 International",
    "Attribution-Noncommercial-No Derivative Works 3.0 United States",
    "http://creativecommons.org/licenses/by-nc-nd/4.0/",
    "CC0 1.0 Universal",
    "Public Domain Mark 1.0",
    "Sampling+ 1.0",
    "",
)


@exercise
def highest(clips: pd.DataFrame, column: str) -> Question:
    """Ask which genre has the highest median of a column: its name.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    column : str
        A column of numbers, such as ``listens``.
    """
    by_genre = clips.groupby("genre")[column]
    median = by_genre.median()
    known = clips.dropna(subset=[column])
    distance = np.abs(known[column].to_numpy(float)[:, None] - median.to_numpy(float))
    nearest = median.index.to_numpy()[distance.argmin(axis=1)]
    return Choice(
        median.idxmax(),
        wrong=dict(
            lowest=median.idxmin(),
            largest_clip=known.loc[known[column].idxmax(), "genre"],
            widest=(by_genre.max() - by_genre.min()).idxmax(),
        ),
        options=sorted(median.index),
        facts=dict(
            column=column,
            median=median.max(),
            accuracy=(nearest == known.genre.to_numpy()).mean(),
            chance=1 / len(median),
        ),
    )


@exercise
def by_known_artists(clips: pd.DataFrame, subset: pd.Series) -> Question:
    """Ask how many of the test clips are by an artist with clips in another set: a choice.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    subset : pandas.Series
        ``"train"``, ``"validation"`` or ``"test"``, for the clips that take part.
    """
    artist = artists(clips).loc[subset.index]
    share = float(artist[subset == "test"].isin(artist[subset != "test"]).mean())
    return Choice(
        min(_SHARES, key=lambda option: abs(_SHARES[option] - share)),
        wrong={option.replace(" ", "_"): option for option in _SHARES},
        options=list(_SHARES),
        facts=dict(share=share),
    )


@exercise
def in_several_sets() -> Question:
    """Ask how many artists have clips in several sets: a function of ``clips`` and ``subset``."""

    def shared(subset: pd.Series, artist: pd.Series) -> pd.Series:
        """Return whether each artist has clips in several sets."""
        return subset.groupby(artist).nunique() > 1

    def count(clips: pd.DataFrame, subset: pd.Series) -> int:
        return int(shared(subset, artists(clips)).sum())

    inputs = []
    for whose, sets in (
        (
            ["Ann", "Ann", "Bob", "Bob", "Eve", None, None],
            "train test train train validation train test",
        ),
        (
            ["Ann", "Eve", "Bob", "Ann", "Bob", "Eve", "Ann"],
            "train validation validation validation test validation test",
        ),
    ):
        # The index is out of order, as in a table that was sorted or filtered.
        index = list(range(len(whose), 0, -1))
        ids = [f"clip {number}" for number in index]
        clips = table(pd.DataFrame({"id": ids, "artist": whose})).set_axis(index)
        inputs.append((clips, pd.Series(sets.split(), index=index)))
    return Function(
        count,
        wrong=dict(
            unknown_as_one=lambda clips, subset: shared(subset, clips.artist.fillna("")).sum(),
            train_and_test_only=lambda clips, subset: count(clips, subset[subset != "validation"]),
            their_clips=lambda clips, subset: shared(subset, artists(clips))[artists(clips)].sum(),
        ),
        inputs=inputs,
        ready_made=artist_overlap.__name__,
    )


def _allows(licence: str, commercial: bool = True, changes: bool = True) -> bool:
    family = licence_family(licence)
    refused = (commercial and "NC" in family) or (changes and "ND" in family)
    return family not in ("other", "unknown") and not refused


def _yes(output: object, *_: object) -> bool:
    if isinstance(output, str):
        return name(output) in ("yes", "true")
    return bool(output)


@exercise
def may_sell_loops() -> Question:
    """Ask whether loops may be cut from a clip and sold: a function of its ``licence``."""
    free = "CC0 or public domain"

    def no_n(licence: str) -> bool:
        return "N" not in licence_family(licence).removeprefix(free)

    return Function(
        _allows,
        wrong=dict(
            changes_forgotten=lambda licence: _allows(licence, changes=False),
            money_forgotten=lambda licence: _allows(licence, commercial=False),
            only_free=lambda licence: licence_family(licence) == free,
            no_share_alike=lambda licence: _allows(licence) and "SA" not in licence_family(licence),
            other_allowed=lambda licence: licence_family(licence) != "unknown" and no_n(licence),
            unknown_allowed=no_n,
            by_letters=lambda licence: "NC" not in licence and "ND" not in licence,
        ),
        inputs=[(licence,) for licence in _LICENCES],
        view=_yes,
    )
