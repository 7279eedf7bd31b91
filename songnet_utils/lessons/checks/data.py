"""Checks of lesson 1, the music: tables of clips, sets, licences."""

from __future__ import annotations

import numpy as np
import pandas as pd

from songnet_utils.corpora import table
from songnet_utils.corpora.licences import FAMILIES, licence_family
from songnet_utils.corpora.splits import artist_overlap, artists
from songnet_utils.lessons.checks.answers import name
from songnet_utils.lessons.checks.questions import Choice, Function, Mistake, Question, exercise

# How much of the test set may be by artists who have been heard before, to choose from.
_SHARES = {"none": 0.0, "a tenth": 0.1, "half": 0.5, "nearly all": 1.0}

# Licences as the Free Music Archive writes them, one of each family, and some of their spellings.
_WRITTEN = (
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
    """Ask in which genre a column is the highest, by its median; the answer is its name.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    column : str
        A column of numbers, such as ``tempo``.
    """
    median = clips.groupby("genre")[column].median()
    known = clips.dropna(subset=[column])
    away = np.abs(known[column].to_numpy()[:, None] - median.to_numpy())
    nearest = median.index.to_numpy()[away.argmin(axis=1)]
    share = (nearest == known.genre.to_numpy()).mean()
    spread = clips.groupby("genre")[column].agg(lambda of: of.max() - of.min())
    return Choice(
        options=sorted(median.index),
        truth=median.idxmax(),
        mistakes=[
            Mistake(
                median.idxmin(),
                f"That is the other end of the table: nowhere is the median `{column}` lower. "
                "Which way did you sort?",
            ),
            Mistake(
                known.loc[known[column].idxmax(), "genre"],
                f"The one clip with the largest `{column}` is of that genre. One clip says little "
                "about the others: compare what is usual in each genre, its median.",
            ),
            Mistake(
                spread.idxmax(),
                f"There `{column}` varies most. A wide range is no high middle.",
            ),
        ],
        praise=f"Its median `{column}` is {median.max():,.0f}. That does not tell the genres "
        f"apart: who names for each clip the genre with the nearest median is right for "
        f"{share:.1%} of these clips; guessing blindly, for {1 / len(median):.1%}.",
        hint=f"Group the clips by `genre`, take `{column}`, and ask for the median of each group. "
        "Which one is the largest?",
    )


@exercise
def heard_before(clips: pd.DataFrame, subset: pd.Series) -> Question:
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
        options=list(_SHARES),
        truth=min(_SHARES, key=lambda option: abs(_SHARES[option] - share)),
        mistakes=[
            Mistake(
                "none",
                "Then somebody would have kept artists apart. This split deals out clips, one by "
                "one, and does not look whose they are.",
            ),
            Mistake(
                "a tenth",
                "About so many clips are tested. But that is not what is asked: take one of them, "
                "and think of the *other* clips by its artist. Where are they?",
            ),
            Mistake(
                "half",
                "For an artist to be new, all of the artist's other clips must be on the test "
                "set, too. How likely is that, where so few clips are tested?",
            ),
            Mistake(
                "nearly all",
                "Some artists have a single clip here, and nobody has heard them before. How many "
                "are they?",
            ),
        ],
        praise=f"It is {share:.0%}. Most artists have more clips than one, and few clips are "
        "tested, so some of the artist's others are nearly always among those learnt from.",
        hint="Take one test clip, and think of the other clips by its artist.",
    )


def _unknown_as_one(clips: pd.DataFrame, subset: pd.Series) -> int:
    return int((subset.groupby(clips.artist.fillna("unknown")).nunique() > 1).sum())


def _train_and_test_only(clips: pd.DataFrame, subset: pd.Series) -> int:
    artist = artists(clips)
    return len(set(artist[subset == "train"]) & set(artist[subset == "test"]))


def _their_clips(clips: pd.DataFrame, subset: pd.Series) -> int:
    artist = artists(clips)
    return int((subset.groupby(artist).nunique() > 1).loc[artist].sum())


@exercise
def in_several_sets() -> Question:
    """Ask how many artists have clips in several sets: a function of ``clips`` and ``subset``."""
    tables: list[tuple[list[str | None], list[str]]] = [
        (
            ["Ann", "Ann", "Bob", "Bob", "Eve", None, None],
            ["train", "test", "train", "train", "validation", "train", "test"],
        ),
        (
            ["Ann", "Eve", "Bob", "Ann", "Bob", "Eve", "Ann"],
            ["train", "validation", "validation", "validation", "test", "validation", "test"],
        ),
    ]
    inputs = []
    for artist, subset in tables:
        # Rows in no order, as in a table from which some were taken.
        index = list(range(len(artist), 0, -1))
        ids = [f"clip {number}" for number in index]
        clips = table(pd.DataFrame({"id": ids, "artist": artist})).set_axis(index)
        inputs.append((clips, pd.Series(subset, index=index)))
    return Function(
        inputs=inputs,
        truth=artist_overlap,
        mistakes=[
            Mistake(
                _unknown_as_one,
                "Clips whose artist is not known count as clips of one and the same artist there. "
                "`artists(clips)` gives each of them an artist of its own.",
            ),
            Mistake(
                _train_and_test_only,
                "Only training and test set are compared there. An artist in the validation and "
                "one other set is in two sets, too.",
            ),
            Mistake(
                _their_clips,
                "That counts the *clips* of such artists. Count each artist once.",
            ),
        ],
        praise="`songnet_utils.corpora.splits.artist_overlap` counts the same way.",
        hint="For some small tables your function counts other artists. Group the sets by "
        "`artists(clips)`: how many different sets has each artist?",
    )


def _allows(licence: str, commercial: bool = True, changes: bool = True) -> bool:
    terms = FAMILIES[licence_family(licence)]
    return bool((terms.commercial or not commercial) and (terms.changes or not changes))


def _yes(output: object, *_: object) -> bool:
    if isinstance(output, str):
        return name(output) in ("yes", "true")
    return bool(output)


@exercise
def may_sell_loops() -> Question:
    """Ask whether loops may be cut from a clip and sold: a function of its ``licence``."""
    free = "CC0 or public domain"
    return Function(
        inputs=[(licence,) for licence in _WRITTEN],
        view=_yes,
        truth=_allows,
        mistakes=[
            Mistake(
                lambda licence: _allows(licence, changes=False),
                "Some of these licences ask for the song to be left as it is. A loop that is cut "
                "out of it is a changed version.",
            ),
            Mistake(
                lambda licence: _allows(licence, commercial=False),
                "Some of these licences are not for money, and a record is sold.",
            ),
            Mistake(
                lambda licence: licence_family(licence) == free,
                "There are more: other licences ask for something (the author's name, the same "
                "licence), and forbid nothing of what you want to do.",
            ),
            Mistake(
                lambda licence: _allows(licence) and "SA" not in licence_family(licence),
                "Share alike asks for the record to have the same licence. It may be sold.",
            ),
            Mistake(
                lambda licence: (
                    licence_family(licence) != "unknown"
                    and "N" not in licence_family(licence).removeprefix(free)
                ),
                "One of these licences is none of the families: what it allows is in its text. "
                "Without having read it, the answer is no.",
            ),
            Mistake(
                lambda licence: "N" not in licence_family(licence).removeprefix(free),
                "Where nobody knows the licence, nothing has been allowed.",
            ),
            Mistake(
                lambda licence: "NC" not in licence and "ND" not in licence,
                "The names are written in many ways, and in most of them the letters NC and ND do "
                "not occur. Let `licence_family` tell the family first.",
            ),
        ],
        praise="And whoever asks for it is named, with title and licence: `credit(clip)`.",
        hint="For some licences your function says something else than their families allow. Let "
        "`licence_family` tell the family, then ask of each two things: may it be changed, and "
        "may it be sold?",
    )
