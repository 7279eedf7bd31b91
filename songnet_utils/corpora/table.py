"""The table of clips, the common form of every corpus.

It has one row per clip. Everything downstream takes this table and never asks where it came from.
A value that a corpus does not know is missing (``NaN``/``NA``): ``clips.artist.isna()`` finds it.

======== ============ =========================================================================
column   kind         contents
======== ============ =========================================================================
id       str          the clip's name within its corpus; unique
file     object       the sound file: a str, an absolute path; or an os.PathLike, such as mini's,
                      whose sound is made when you open it
content  str          the SHA-256 of the file's bytes; copies are clips that share it. It is missing
                      until the whole file has been read (see `songnet_utils.corpora.contents`);
                      such a clip counts as one without a copy
genre    str          the label; case, spaces and Unicode form do not distinguish genres
artist   str          one name per artist; missing if unknown
title    str
album    str
licence  str
split    str          the corpus's official split: training, validation or test
subset   str          FMA's subset: small, medium, large (each contains the smaller ones)
seconds  float64      the duration of the file, from its header (not decoded)
duration float64      the seconds of the whole song from which the clip was cut
year     Int64        the year of release
listens  Int64        how often the song was played
favorites Int64       how many people marked the song as a favourite
bit_rate Int64        bits per second of the song's own file
date_recorded datetime64
genres   list of str  all labels in the corpus, with `genre` among them or above them
======== ============ =========================================================================
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError

#: The columns of the table, in order, and their kinds.
COLUMNS = {
    **{"id": "str", "file": "object"},
    **dict.fromkeys(("content", "genre", "artist", "title", "album"), "str"),
    **{"year": "Int64", "seconds": "float64", "licence": "str", "split": "str", "subset": "str"},
    **{"genres": "object", "listens": "Int64", "favorites": "Int64", "duration": "float64"},
    **{"bit_rate": "Int64", "date_recorded": "datetime64[us]"},
}

#: The names of the sets in the official split.
OFFICIAL = ("training", "validation", "test")


def table(rows: Iterable[Mapping[str, Any]] | pd.DataFrame) -> pd.DataFrame:
    """Return rows as a typed table of clips, with every column of `COLUMNS`.

    Parameters
    ----------
    rows
        The facts about each clip; columns that you leave out are filled with missing values.
        Further columns follow those of `COLUMNS`.
    """
    given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    given = given.reset_index(drop=True)
    columns: dict[str, pd.Series[Any]] = {}
    for name, kind in COLUMNS.items():
        values = given[name] if name in given else pd.Series(None, given.index, dtype="object")
        if kind in ("float64", "Int64"):
            numbers = pd.to_numeric(values)
            values = numbers.round() if kind == "Int64" else numbers
        elif name == "date_recorded":
            values = pd.to_datetime(values, errors="coerce")
        columns[name] = values.astype(kind)
    spelt = _one_spelling(columns["genre"].dropna().unique())
    columns["genre"] = columns["genre"].map(spelt).astype("str")
    lists = [
        [spelt.get(name, name) for name in names] if isinstance(names, list) else None
        for names in columns["genres"]
    ]
    columns["genres"] = pd.Series(lists, given.index, dtype="object")
    besides = given[[name for name in given if name not in columns]]
    return pd.concat([pd.DataFrame(columns), besides], axis=1)


def name_key(name: str) -> str:
    """Return a key that two spellings of a name share, without case, spaces and Unicode form.

    Examples
    --------
    >>> name_key("Hip Hop") == name_key("hiphop")
    True
    """
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Return the spelling of each name, in NFC and without spaces around it.

    Of several spellings of a name, the first in alphabetical order is used.
    """
    tidy = {name: " ".join(unicodedata.normalize("NFC", name).split()) for name in names}
    first: dict[str, str] = {}
    for name in sorted(tidy.values()):
        first.setdefault(name_key(name), name)
    return {name: first[name_key(name)] for name in tidy}


def unusable_table(rows: Iterable[tuple[str, str, str]] = ()) -> pd.DataFrame:
    """Return a table with (id, file, reason) of each unusable clip."""
    return pd.DataFrame(list(rows), columns=["id", "file", "reason"]).astype("str")


def check_table(clips: pd.DataFrame) -> None:
    """Raise SongNetError unless `clips` follows the rules of the table.

    Examples
    --------
    >>> check_table(table([{"id": "a", "file": "/a.wav", "genre": "Rock", "seconds": 30}]))
    >>> check_table(table([{"id": "a", "file": "/a.wav"}]))
    Traceback (most recent call last):
        ...
    songnet_utils.SongNetError: clip a: has no genre; every clip has exactly one.
    """
    for name, kind in COLUMNS.items():
        kinds = (kind, "str") if name == "file" else (kind,)
        if name not in clips or clips[name].dtype not in kinds:
            raise SongNetError(
                f"column {name}: is missing, or is not of the kind {kind}. Build tables of clips "
                "with corpora.table()"
            )
    rules = [
        (clips.id.isna(), "has no id; every clip has one"),
        (clips.id.duplicated(), "shares its id with another clip; ids are unique"),
        (clips.file.isna(), "has no file; every clip has one"),
        (~clips.file.map(str).map(os.path.isabs).astype(bool), "its file has a relative path"),
        (clips.genre.isna() | (clips.genre == ""), "has no genre; every clip has exactly one"),
        (clips.artist == "", "its artist is an empty name; leave unknown artists missing"),
        (clips.seconds < 0, "lasts less than 0 seconds"),
        (
            clips.split.notna() & ~clips.split.isin(OFFICIAL),
            f"its official split is not one of {', '.join(OFFICIAL)}",
        ),
    ]
    for broken, rule in rules:
        if broken.any():
            first = clips[broken.to_numpy(bool)].iloc[0]
            raise SongNetError(f"clip {first.id}: {rule}.")


@dataclass(frozen=True)
class Corpus:
    """Clips with a genre each, and a list of unusable clips.

    Parameters
    ----------
    name : str
        Its name on the command line, or the last part of its folder's path.
    clips : pandas.DataFrame
        The table of clips (see `songnet_utils.corpora.table`), in a fixed order.
    unusable : pandas.DataFrame
        ``id``, ``file`` and ``reason`` of everything else that was found.
    description, licence, citation : str
        A description, the terms of use, and the work to cite.
    notes : tuple of str
        Errors and gaps in it and their treatment, each with its count.
    hierarchy : pandas.DataFrame, optional
        The hierarchy of its genres, if it has one (see
        `songnet_utils.corpora.fma_metadata.read_genres`).
    features_csv : pathlib.Path, optional
        FMA's own table of features, if it exists.
    folder : pathlib.Path, optional
        The folder that you opened; None if you opened the corpus by name.
    """

    name: str
    clips: pd.DataFrame
    unusable: pd.DataFrame = field(default_factory=unusable_table)
    description: str = ""
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()
    hierarchy: pd.DataFrame | None = None
    features_csv: Path | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        check_table(self.clips)

    @property
    def genres(self) -> list[str]:
        """The genres, in alphabetical order."""
        return sorted(self.clips.genre.unique())

    def __repr__(self) -> str:
        return (
            f"Corpus({self.name!r}: {len(self.clips)} clips, {len(self.genres)} genres, "
            f"{len(self.unusable)} unusable)"
        )


def credit(clip: Any, source: str = "") -> str:
    """Return a clip's credit line: title, artist, source and licence.

    Parameters
    ----------
    clip
        A row of a table of clips.
    source
        The name of its corpus, to put before the clip's id.

    Examples
    --------
    >>> clips = table([{"id": "000002", "title": "Food", "artist": "AWOL", "licence": "CC BY 4.0"}])
    >>> credit(clips.loc[0], "fma_small")
    '“Food” by AWOL (fma_small/000002), CC BY 4.0'
    """
    title = "untitled" if pd.isna(clip.title) else f"“{clip.title}”"
    artist = "an unknown artist" if pd.isna(clip.artist) else clip.artist
    licence = "licence unknown" if pd.isna(clip.licence) else clip.licence
    return f"{title} by {artist} ({f'{source}/' if source else ''}{clip.id}), {licence}"
