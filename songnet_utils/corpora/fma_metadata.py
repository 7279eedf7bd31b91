"""The tables of FMA's metadata: tracks.csv, genres.csv and features.csv.

The header of ``tracks.csv`` has two levels and a third line with the name of the index.
Impossible values are left missing, and sentences count them.
"""

from __future__ import annotations

import ast
import html
import io
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import read_csv

# Our names for the columns of tracks.csv that are in a table of clips.
_COLUMNS = {
    ("track", "title"): "title",
    ("track", "genre_top"): "genre",
    ("track", "genres_all"): "genres",
    ("track", "license"): "licence",
    ("track", "listens"): "listens",
    ("track", "favorites"): "favorites",
    ("track", "duration"): "duration",
    ("track", "bit_rate"): "bit_rate",
    ("track", "date_recorded"): "date_recorded",
    ("artist", "id"): "artist_id",
    ("artist", "name"): "artist",
    ("album", "title"): "album",
    ("album", "date_released"): "album_date_released",
    ("set", "split"): "split",
    ("set", "subset"): "subset",
}
# The other columns are named by level and name. Texts in HTML and addresses are left out, because
# they are by far the longest columns and nobody needs them in a table; so are copies of genres_all.
_LEFT_OUT = ("information", "bio", "website", "wikipedia_page", "genres")
_COUNTS = ("listens", "favorites", "bit_rate", "artist_id")
_DATES = ("date_recorded", "album_date_released")
# Edison's phonograph is from 1877; FMA's metadata is from 2017.
_FIRST_YEAR, _LAST_YEAR = 1877, 2017

#: By track, a song's seconds according to the metadata (``stated``) and according to FMA's author
#: (``measured``). The clips of these songs were cut around the middle of the wrong length.
WRONG_DURATIONS = pd.read_csv(Path(__file__).with_name("wrong_durations.csv"), index_col="track")


def track_path(track: int) -> str:
    """Return the path of a track in an archive's folder: ``000/000002.mp3``."""
    return f"{track // 1000:03d}/{track:06d}.mp3"


def read_tracks(file: Path) -> pd.DataFrame:
    """Return the columns of ``tracks.csv`` as strings, by track id.

    Raises
    ------
    SongNetError
        When the file is missing, or is not FMA's ``tracks.csv``.
    """
    try:
        head = read_csv(file, header=None, nrows=3)
        names = list(zip(head.iloc[0], head.iloc[1], strict=True))
        absent = [" ".join(name) for name in _COLUMNS if name not in names]
        if absent or head.iloc[2, 0] != "track_id":
            raise ValueError(f"its header lacks {', '.join(absent[:3]) or 'the line track_id'}")
        ours = {
            place: _COLUMNS.get(name) or "_".join(name).removeprefix("track_")
            for place, name in enumerate(names)
            if place and name[1] not in _LEFT_OUT
        }
        tracks = read_csv(
            file, header=None, skiprows=3, usecols=[0, *ours], names=["track_id", *ours.values()]
        )
        tracks = tracks.set_index(tracks.pop("track_id").astype("int64"))
        if tracks.index.has_duplicates:
            raise ValueError(f"it lists track {tracks.index[tracks.index.duplicated()][0]} twice")
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise _not_fmas(file, error) from error
    return tracks


def typed(tracks: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return tracks with typed columns, and sentences about errors.

    Unreadable and impossible values are left missing.
    """
    found: dict[str, pd.Series] = {}
    escaped = 0
    notes = []
    for name, given in tracks.items():
        if name in (*_COUNTS, "duration"):
            values = pd.to_numeric(given, errors="coerce").astype("float64")
            # A length of 0 means an unknown length.
            values = values.where(values.between(name == "duration", 2**53))
            found[name] = values if name == "duration" else values.round().astype("Int64")
        elif name in _DATES:
            dates = pd.to_datetime(given, errors="coerce", format="ISO8601").astype("datetime64[s]")
            found[name] = dates.where(dates.dt.year.between(_FIRST_YEAR, _LAST_YEAR))
        elif name == "genres":
            lists = {text: _list_in(text) for text in given.dropna().unique()}
            found[name] = pd.Series(
                [lists.get(text) for text in given], tracks.index, dtype="object"
            )
        else:
            texts = given.astype("str").str.strip()
            plain = texts.map(html.unescape, na_action="ignore").astype("str")
            escaped += int((plain != texts)[texts.notna()].sum())
            # Commas alone are an empty form.
            found[name] = plain.where(~plain.str.fullmatch(r"[\s,;]*", na=False))
            continue
        lost = int((found[name].isna() & given.notna()).sum())
        notes.append(counted(f"Impossible values of {name}, left missing", lost))
    notes.append(counted("Texts with HTML entities (&amp; for &), corrected", escaped))
    known = WRONG_DURATIONS.reindex(tracks.index)
    wrong = found["duration"] == known.stated
    found["duration"] = found["duration"].mask(wrong, known.measured)
    notes.append(counted("Known wrong durations, replaced by measured ones", wrong.sum()))
    return pd.DataFrame(found), notes


def read_genres(file: Path) -> pd.DataFrame:
    """Return FMA's hierarchy of genres from ``genres.csv``.

    Returns
    -------
    pandas.DataFrame
        One row per genre, by FMA's numbers: ``genre_id``; ``title``; ``parent``, the title of its
        parent genre, missing at the top; ``top``, the title of the top genre of its branch (at the
        top, its own); ``depth``, 0 at the top; ``tracks``, the number of the data set's songs with
        this genre.

    Raises
    ------
    SongNetError
        When it is not FMA's ``genres.csv``, or a genre's parents lead nowhere or in a circle.
    """
    try:
        given = read_csv(file)[["genre_id", "#tracks", "parent", "title"]]
        numbers = given[["genre_id", "#tracks", "parent"]].astype("int64")
        titles = dict(zip(numbers.genre_id, given.title, strict=True))
        parents = dict(zip(numbers.genre_id, numbers.parent, strict=True))
        rows = []
        for number, tracks in zip(numbers.genre_id, numbers["#tracks"], strict=True):
            branch = [number]
            while above := parents[branch[-1]]:
                if above in branch:
                    raise ValueError(f"the parents of genre {number} lead in a circle")
                branch.append(above)
            parent = titles[branch[1]] if len(branch) > 1 else None
            top, depth = titles[branch[-1]], len(branch) - 1
            rows.append((number, titles[number], parent, top, depth, tracks))
    except (OSError, ValueError, KeyError, OverflowError) as error:
        raise _not_fmas(file, error) from error
    columns = ["genre_id", "title", "parent", "top", "depth", "tracks"]
    hierarchy = pd.DataFrame(rows, columns=columns).sort_values("genre_id", ignore_index=True)
    return hierarchy.astype({"title": "str", "parent": "str", "top": "str"})


def read_features(file: Path, track_ids: Iterable[int]) -> pd.DataFrame:
    """Return the rows of FMA's ``features.csv`` for some tracks.

    Only their lines are parsed, some at a time, because the file has 106,574 rows of 518 numbers.
    The numbers come from whole songs.

    Parameters
    ----------
    file
        ``features.csv`` of ``fma_metadata.zip``.
    track_ids
        FMA's numbers of the tracks; tracks that the file lacks have no row.

    Returns
    -------
    pandas.DataFrame
        float32, by track id in the file's order; the columns are a MultiIndex of (feature,
        statistics, number).

    Raises
    ------
    SongNetError
        When it is missing, or is not FMA's ``features.csv``.
    """
    wanted = {str(int(track)).encode() for track in track_ids}
    try:
        with file.open("rb") as lines:
            head = list(itertools.islice(lines, 4))
            kept = [line for line in lines if line[: line.find(b",")] in wanted]
        content = io.BytesIO(b"".join(head + kept))
        found = pd.read_csv(content, header=[0, 1, 2], index_col=0).astype("float32")
        names = [*found.columns.names, found.index.name]
        if names != ["feature", "statistics", "number", "track_id"]:
            raise ValueError(f"its header begins with {names}")
        if found.isna().to_numpy().any() or found.index.has_duplicates:
            raise ValueError("a row lacks numbers, or a track is listed twice")
    except (OSError, ValueError, OverflowError) as error:
        raise _not_fmas(file, error) from error
    return found


def counted(what: str, count: int) -> str:
    """Return a sentence that ends with a count, or "" for a count of 0."""
    return f"{what}: {count:,}." if count else ""


def _not_fmas(file: Path, error: Exception) -> SongNetError:
    if isinstance(error, FileNotFoundError):
        return SongNetError(
            f"{file}: is missing. Run `songnet fetch fma_metadata`, or unpack fma_metadata.zip so "
            "that it is there."
        )
    return SongNetError(
        f"{file}: cannot be read as FMA's {file.name} ({' '.join(str(error).split())}). Unpack "
        "fma_metadata.zip again and use the original file, not a raw_ table or a file that a "
        "spreadsheet program has saved."
    )


def _list_in(text: Any) -> list[Any] | None:
    """Return the list in a text like ``"['a', 'b']"``; None if it is not a list."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return None
    return found if isinstance(found, list) else None
