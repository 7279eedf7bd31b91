"""The Free Music Archive data set (Defferrard, Benzi, Vandergheynst & Bresson, ISMIR 2017).

On disk it is what its archives hold: ``fma_small/000/000002.mp3`` (the track's id with six
digits, in a folder named by the first three) beside ``fma_metadata/tracks.csv``, whose header has
two levels and a third line with the name of the index. Labels come from ``track, genre_top``, the
official split from ``set, split``. Each subset holds the smaller ones: small < medium < large;
full is every track, uncut. ``fma_sample`` is a part of ``fma_small``: a folder's ``checksums``
says which clips should be there.

What is known to be wrong in the metadata is put right or left missing, and counted in
`Corpus.notes`: nothing is dropped without a word.

References
----------
Known faults of clips and metadata: https://github.com/mdeff/fma/wiki, and the issues 4 and 8
there, from which the songs' measured lengths are.
"""

from __future__ import annotations

import ast
import csv
import html
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import read_csv
from songnet_utils.audio import SUFFIXES, seconds_of_file
from songnet_utils.corpora.table import Corpus, is_hidden, table, unusable_table

#: The archives of clips, and the size of their download in GiB as FMA's page gives it.
SIZES = {"fma_small": 7.2, "fma_medium": 22, "fma_large": 93, "fma_full": 879}

LICENCE = (
    "metadata CC BY 4.0; each clip under its artist's Creative Commons licence (column licence)"
)
CITATION = (
    "Defferrard, Benzi, Vandergheynst, Bresson: FMA: A dataset for music analysis. ISMIR 2017."
)

#: What a sample of fma_small is called, in the folder beside it.
SAMPLE = "fma_sample"

_SUBSETS = {
    "fma_small": ("small",),
    "fma_medium": ("small", "medium"),
    "fma_large": ("small", "medium", "large"),
    "fma_full": ("small", "medium", "large"),
}
# Our names for the columns of tracks.csv: those that every table of clips has …
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
# … and those that only FMA has. Left out are information, bio, website and wikipedia_page: texts
# in HTML and addresses, by far the longest columns and nothing that a table is asked for.
_FURTHER = {
    ("track", "genres"): "genres_chosen",
    ("track", "tags"): "tags",
    ("track", "number"): "number",
    ("track", "interest"): "interest",
    ("track", "comments"): "comments",
    ("track", "composer"): "composer",
    ("track", "lyricist"): "lyricist",
    ("track", "publisher"): "publisher",
    ("track", "language_code"): "language_code",
    ("track", "date_created"): "date_created",
    ("artist", "location"): "artist_location",
    ("artist", "latitude"): "artist_latitude",
    ("artist", "longitude"): "artist_longitude",
    ("artist", "active_year_begin"): "artist_active_year_begin",
    ("artist", "active_year_end"): "artist_active_year_end",
    ("artist", "members"): "artist_members",
    ("artist", "associated_labels"): "artist_associated_labels",
    ("artist", "related_projects"): "artist_related_projects",
    ("artist", "tags"): "artist_tags",
    ("artist", "comments"): "artist_comments",
    ("artist", "favorites"): "artist_favorites",
    ("artist", "date_created"): "artist_date_created",
    ("album", "id"): "album_id",
    ("album", "type"): "album_type",
    ("album", "tracks"): "album_tracks",
    ("album", "engineer"): "album_engineer",
    ("album", "producer"): "album_producer",
    ("album", "tags"): "album_tags",
    ("album", "comments"): "album_comments",
    ("album", "favorites"): "album_favorites",
    ("album", "listens"): "album_listens",
    ("album", "date_created"): "album_date_created",
}
_COUNTS = (
    *("listens", "favorites", "bit_rate", "number", "interest", "comments"),
    *("artist_id", "artist_comments", "artist_favorites"),
    *("album_id", "album_tracks", "album_comments", "album_favorites", "album_listens"),
)
_DATES = (
    *("date_recorded", "date_created", "album_date_released"),
    *("album_date_created", "artist_date_created"),
)
_ACTIVE = ("artist_active_year_begin", "artist_active_year_end")
_PLACES = {"artist_latitude": 90, "artist_longitude": 180}
_LISTS = ("tags", "artist_tags", "album_tags")
_TEXTS = (
    *("title", "artist", "album", "licence", "composer", "lyricist", "publisher"),
    *("language_code", "artist_location", "artist_members", "artist_associated_labels"),
    *("artist_related_projects", "album_type", "album_engineer", "album_producer"),
)

# Edison's phonograph is of 1877; FMA's metadata was gathered in 2017.
_FIRST_YEAR, _LAST_YEAR = 1877, 2017

#: Seconds that the metadata gives a song, and that it really has, as FMA's author measured them.
#: The clips of these songs were cut around the middle of the wrong length.
WRONG_DURATIONS = {
    1486: (90, 14.39),
    5574: (563, 30.46),
    65753: (242, 9.74),
    80391: (600, 67.84),
    98558: (216, 87.67),
    98559: (193, 58.80),
    98560: (341, 86.13),
    98565: (158, 65.31),
    98566: (148, 63.63),
    98567: (191, 79.39),
    98568: (249, 114.55),
    98569: (184, 77.37),
    98571: (139, 50.81),
    99134: (308, 33.25),
    105247: (123, 18.91),
    108924: (187, 105.38),
    108925: (151, 7.44),
    126981: (216, 17.45),
    127336: (275, 13.27),
    133297: (600, 113.58),
    143992: (211, 26.23),
}


def find_fma(folder: Path) -> tuple[Path, Path] | None:
    """Return the folder of clips and the metadata's, when `folder` is laid out as FMA is.

    `folder` may be the one that holds both, or the folder of clips itself.

    Raises
    ------
    SongNetError
        When it is FMA's layout with a part missing, or with several folders of clips.
    """
    if any(_is_track(path) for path in _tracks_below(folder)):
        return folder, folder.parent / "fma_metadata"
    inside = [folder / name for name in (*SIZES, SAMPLE) if (folder / name).is_dir()]
    if not inside:
        if (folder / "fma_metadata").is_dir():
            raise SongNetError(
                f"{folder}: holds FMA's metadata but no clips. {_way_out(folder, 'fma_small')}"
            )
        return None
    if len(inside) > 1:
        raise SongNetError(
            f"{folder}: holds several of FMA's sets. Open one: "
            f"{', '.join(str(path) for path in inside)}"
        )
    return inside[0], folder / "fma_metadata"


def open_fma(audio: Path, metadata: Path, name: str) -> Corpus:
    """Return the clips in `audio` that ``tracks.csv`` in `metadata` describes.

    Parameters
    ----------
    audio
        The folder of clips: ``fma_small``, ``fma_medium``, ``fma_large`` or ``fma_full``.
    metadata
        The folder of ``tracks.csv`` (and ``genres.csv``, for the genres' names).
    name
        What to call the corpus.
    """
    tracks = read_tracks(metadata / "tracks.csv")
    present: dict[int, Path] = {}
    unusable: list[tuple[str, str, str]] = []
    # FMA's own form of a track comes first: 000002.mp3 before a 000002.wav made of it.
    for file in sorted(_tracks_below(audio), key=lambda file: (file.suffix != ".mp3", file)):
        if _is_track(file):
            taken = present.setdefault(int(file.stem), file)
            if taken != file:
                reason = f"is the same track as {taken.name} beside it, which is taken"
                unusable.append((file.name, str(file), reason))
        else:
            unusable.append((file.stem, str(file), "its name is not a track's id (000002.mp3)"))
    listed = _listed_in(audio / "checksums")
    expected = tracks.subset.isin(_SUBSETS.get(audio.name, ())) | tracks.index.isin(
        listed | set(present)
    )
    tracks = tracks[expected].sort_index()
    files = {
        track: present.get(track, audio / f"{track // 1000:03d}" / f"{track:06d}.mp3")
        for track in tracks.index
    }

    def leave_out(track: int, reason: str) -> None:
        unusable.append((f"{track:06d}", str(present.get(track) or files[track]), reason))

    for track in sorted(set(present) - set(tracks.index)):
        leave_out(track, "is on disk, but tracks.csv does not list it")
    for track in tracks.index.difference(list(present)):
        by = "tracks.csv lists it" if track not in listed else "checksums and tracks.csv list it"
        leave_out(track, f"{by}, but no such file")
    tracks = tracks[tracks.index.isin(present)]
    wrong = tracks.index.isin(list(WRONG_DURATIONS)) & (audio.name != "fma_full")
    for track in tracks.index[wrong]:
        said, real = WRONG_DURATIONS[track]
        leave_out(
            track,
            f"known erratum: cut where its song of {real:g} s has little or no sound left, "
            f"because FMA took it for {said} s long",
        )
    unlabelled = tracks.genre.isna() & ~wrong
    for track in tracks.index[unlabelled]:
        leave_out(track, "has no top genre in tracks.csv")
    tracks = tracks[tracks.genre.notna() & ~wrong]
    if tracks.empty:
        raise SongNetError(
            f"{audio}: no clip there is described by {metadata / 'tracks.csv'}. "
            f"{_way_out(audio.parent, audio.name)}"
        )
    notes = [
        _said(int(wrong.sum()), "clip is", "clips are", "a known erratum of FMA: left out"),
        _said(
            int(unlabelled.sum()),
            "clip has",
            "clips have",
            "no top genre (FMA gives none where the artist chose several): left out",
        ),
        _said(
            len(listed - set(present) - set(files)),
            "clip of checksums is",
            "clips of checksums are",
            "neither on disk nor in tracks.csv: this is a part of the set",
        ),
    ]
    tracks, findings = _typed(tracks)
    genres_csv = metadata / "genres.csv"
    hierarchy = read_genres(genres_csv) if genres_csv.is_file() else None
    if hierarchy is None:
        findings.append("genres.csv is not there: further genres are FMA's numbers.")
    titles = (
        {} if hierarchy is None else dict(zip(hierarchy.genre_id, hierarchy.title, strict=True))
    )
    for column in ("genres", "genres_chosen"):
        names = [
            ids if ids is None else [str(titles.get(number, number)) for number in ids]
            for ids in tracks[column]
        ]
        tracks[column] = pd.Series(names, tracks.index, dtype="object")
    tracks["artist"], of_artists = _artist_names(tracks)
    tracks["year"] = tracks.album_date_released.fillna(tracks.date_recorded).dt.year
    tracks["id"] = [f"{track:06d}" for track in tracks.index]
    tracks["file"] = [str(files[track]) for track in tracks.index]
    with ThreadPoolExecutor() as pool:
        tracks["seconds"] = list(pool.map(seconds_of_file, tracks.file))
    features = metadata / "features.csv"
    return Corpus(
        name=name,
        clips=table(tracks),
        unusable=unusable_table(unusable),
        description=f"clips of the Free Music Archive ({audio.name})",
        licence=LICENCE,
        citation=CITATION,
        notes=tuple(note for note in (*notes, *of_artists, *findings) if note),
        hierarchy=hierarchy,
        features_csv=features if features.is_file() else None,
    )


def open_subset(folder: Path, name: str) -> Corpus:
    """Return the set called `name` (``fma_small`` …) from the folder its archives were put in.

    `name` may be `SAMPLE`, too.
    """
    audio, metadata = folder / name, folder / "fma_metadata"
    if not (audio.is_dir() and (metadata / "tracks.csv").is_file()):
        raise SongNetError(
            f"{name} is not in {folder}. "
            + (
                "`songnet fetch fma_small --sample 50` brings it."
                if name == SAMPLE
                else _way_out(folder, name)
            )
        )
    return open_fma(audio, metadata, name)


def read_tracks(file: Path) -> pd.DataFrame:
    """Return the columns of ``tracks.csv`` that the table of clips takes, by track id, as read.

    The columns that only FMA has may be absent, and are missing then.

    Raises
    ------
    SongNetError
        When the file is missing, or is not FMA's ``tracks.csv``.
    """
    try:
        _check_as_published(file)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            rows = (row for row in reader if any(row))
            head = [next(rows, []) for _ in range(3)]
            lines_of_head = reader.line_num
        names = list(zip(head[0], head[1], strict=False))
        absent = [" ".join(name) for name in _COLUMNS if name not in names]
        if absent or head[2][:1] != ["track_id"]:
            raise SongNetError(
                f"{file}: is not FMA's tracks.csv: its three header lines lack "
                f"{', '.join(absent[:3]) or 'the one with track_id'}. Use tracks.csv of "
                "fma_metadata.zip (not raw_tracks.csv), as it is."
            )
        places = sorted(
            (names.index(name), ours)
            for name, ours in (_COLUMNS | _FURTHER).items()
            if name in names
        )
        tracks = read_csv(
            file,
            header=None,
            skiprows=lines_of_head,
            usecols=[0, *(place for place, _ in places)],
            names=["track_id", *(ours for _, ours in places)],
        )
        tracks = tracks.dropna(how="all").set_index("track_id")
        tracks.index = tracks.index.astype("int64")
    except FileNotFoundError as error:
        raise SongNetError(
            f"{file}: is missing; it holds the genres of the clips. "
            f"{_way_out(file.parent.parent, 'fma_small')}"
        ) from error
    except UnicodeDecodeError as error:
        raise _rewritten(file, "is not written in UTF-8") from error
    except (OSError, csv.Error, pd.errors.ParserError) as error:
        raise SongNetError(
            f"{file}: cannot be read as FMA's tracks.csv ({error}). Unpack fma_metadata.zip again."
        ) from error
    except SongNetError:
        raise
    except (ValueError, OverflowError) as error:
        raise SongNetError(
            f"{file}: its first column must hold track ids, whole numbers ({error}). "
            "Unpack fma_metadata.zip again."
        ) from error
    if tracks.index.has_duplicates:
        twice = tracks.index[tracks.index.duplicated()][0]
        raise SongNetError(f"{file}: lists track {twice} twice. Unpack fma_metadata.zip again.")
    return tracks


def _check_as_published(file: Path) -> None:
    """Raise SongNetError when another program has written a table of FMA's metadata anew."""
    with file.open("rb") as content:
        start = content.read(4096)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b'\r\n "')
    first = text.partition(b"\n")[0]
    if start.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        raise _rewritten(file, "is a workbook or an archive, not a table of text")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start:
        raise _rewritten(file, "is written in UTF-16, not in UTF-8")
    if text.lower().startswith(b"sep="):
        raise _rewritten(file, "begins with a line sep= that FMA's table does not have")
    for mark, what in ((b";", "semicolons"), (b"\t", "tabs")):
        if mark in first and b"," not in first:
            raise _rewritten(file, f"has {what} between its columns, not commas")


def _rewritten(file: Path, cause: str) -> SongNetError:
    # What is changed beyond the form: dates, numbers with a point, texts of over 32,767 letters.
    return SongNetError(
        f"{file}: {cause}, as when a spreadsheet program has saved it, which may have changed "
        "dates, numbers and long texts, too. Unpack fma_metadata.zip again."
    )


def read_genres(file: Path) -> pd.DataFrame:
    """Return FMA's hierarchy of genres from ``genres.csv``.

    Returns
    -------
    pandas.DataFrame
        One row a genre, by FMA's numbers: ``genre_id``; ``title``; ``parent``, the title of the
        genre it belongs to, missing at the top; ``top``, the title of the genre at the top of its
        branch (its own, there); ``depth``, 0 at the top; ``tracks``, how many of the data set's
        songs have it.

    Raises
    ------
    SongNetError
        When it is not FMA's ``genres.csv``, or a genre's parents lead nowhere or in a circle.
    """
    again = "Unpack fma_metadata.zip again."
    try:
        _check_as_published(file)
        given = read_csv(file).dropna(how="all")
        absent = {"genre_id", "#tracks", "parent", "title"} - set(given)
        if absent:
            raise SongNetError(
                f"{file}: is not FMA's genres.csv: its header lacks {', '.join(sorted(absent))}. "
                "Use genres.csv of fma_metadata.zip (not raw_genres.csv), as it is."
            )
        numbers = given[["genre_id", "#tracks", "parent"]].astype("int64")
    except SongNetError:
        raise
    except UnicodeDecodeError as error:
        raise _rewritten(file, "is not written in UTF-8") from error
    except (OSError, ValueError, OverflowError) as error:
        raise SongNetError(
            f"{file}: cannot be read as FMA's genres.csv ({error}). {again}"
        ) from error
    titles = dict(zip(numbers.genre_id, given.title, strict=True))
    parents = dict(zip(numbers.genre_id, numbers.parent, strict=True))
    if len(titles) < len(given):
        raise SongNetError(f"{file}: lists a genre twice. {again}")
    rows = []
    for number, tracks in zip(numbers.genre_id, numbers["#tracks"], strict=True):
        branch = [number]
        while above := parents[branch[-1]]:
            if above not in parents:
                raise SongNetError(
                    f"{file}: genre {branch[-1]} ({titles[branch[-1]]}) has the parent {above}, "
                    f"which is not listed. {again}"
                )
            if above in branch:
                raise SongNetError(
                    f"{file}: the parents of genre {number} ({titles[number]}) lead in a circle. "
                    f"{again}"
                )
            branch.append(above)
        parent = titles[branch[1]] if len(branch) > 1 else None
        rows.append((number, titles[number], parent, titles[branch[-1]], len(branch) - 1, tracks))
    columns = ["genre_id", "title", "parent", "top", "depth", "tracks"]
    hierarchy = pd.DataFrame(rows, columns=columns).sort_values("genre_id", ignore_index=True)
    return hierarchy.astype({"title": "str", "parent": "str", "top": "str"})


def read_features(file: Path, track_ids: Iterable[int]) -> pd.DataFrame:
    """Return the rows of FMA's ``features.csv`` of some tracks.

    Only their lines are parsed, some at a time: the whole file has 106,574 rows of 518 numbers,
    computed from the whole songs.

    Parameters
    ----------
    file
        ``features.csv`` of ``fma_metadata.zip``.
    track_ids
        FMA's numbers of the tracks; those that the file lacks have no row.

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
    again = "Unpack fma_metadata.zip again."
    try:
        _check_as_published(file)
        with file.open("rb") as lines:
            head = [next(lines, b"").decode("utf-8").rstrip("\r\n").split(",") for _ in range(4)]
            firsts = [line[0] for line in head]
            widths = {len(line) for line in head[:3]}
            if firsts != ["feature", "statistics", "number", "track_id"] or len(widths) > 1:
                raise SongNetError(
                    f"{file}: is not FMA's features.csv: its header must have the lines feature, "
                    "statistics, number and track_id. Use features.csv of fma_metadata.zip, as "
                    "it is."
                )
            columns = pd.MultiIndex.from_arrays([line[1:] for line in head[:3]], names=firsts[:3])
            kept = (line for line in lines if line[: line.find(b",")] in wanted)
            batches = iter(lambda: list(itertools.islice(kept, 1000)), [])
            parts = [_numbers(batch, len(columns)) for batch in batches]
    except FileNotFoundError as error:
        raise SongNetError(f"{file}: is missing. {again}") from error
    except SongNetError:
        raise
    except (OSError, ValueError, OverflowError) as error:
        raise SongNetError(
            f"{file}: cannot be read as FMA's features.csv ({error}). {again}"
        ) from error
    table_of_all = pd.concat(parts) if parts else _numbers((), len(columns))
    table_of_all.columns = columns
    if table_of_all.index.has_duplicates:
        twice = table_of_all.index[table_of_all.index.duplicated()][0]
        raise SongNetError(f"{file}: lists track {twice} twice. {again}")
    return table_of_all


def _numbers(lines: Iterable[bytes], columns: int) -> pd.DataFrame:
    """Parse lines of a track id and as many numbers as there are columns."""
    kinds = dict.fromkeys(range(1, columns + 1), "float32") | {0: "int64"}
    text = b"".join(lines)
    if not text:
        empty = np.empty((0, columns), "float32")
        return pd.DataFrame(empty, index=pd.Index([], dtype="int64", name="track_id"))
    found = pd.read_csv(io.BytesIO(text), header=None, dtype=kinds)
    if found.shape[1] != columns + 1:
        raise ValueError(f"a row has {found.shape[1] - 1} numbers, the header {columns}")
    return found.set_index(0).rename_axis("track_id")


def _typed(tracks: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return FMA's columns with their kinds, and what was found wrong, in sentences.

    What cannot be true is left missing.
    """
    notes: list[str] = []

    def note(wrong: pd.Series, name: str, what: str) -> None:
        notes.append(_said(int(wrong.sum()), "value", "values", f"of {name} {what}: left missing"))

    typed: dict[str, pd.Series] = {}
    escaped = 0
    for name in (*_COLUMNS.values(), *_FURTHER.values()):
        given = tracks[name] if name in tracks else pd.Series(None, tracks.index, dtype="object")
        if name in _COUNTS or name in _PLACES or name == "duration":
            values = pd.to_numeric(given, errors="coerce").astype("float64")
            values = values.where(np.isfinite(values))
            note(values.isna() & given.notna(), name, "cannot be read as numbers")
            # Whole numbers are exact up to 2 ** 53 here.
            most = _PLACES.get(name, 2**53 if name in _COUNTS else np.inf)
            least = -most if name in _PLACES else 0
            # A song of no length is one whose length nobody knew.
            wrong = (values < least) | (values > most) | ((values == 0) & (name == "duration"))
            note(wrong, name, "cannot be true")
            values = values.mask(wrong)
            typed[name] = values.round().astype("Int64") if name in _COUNTS else values
        elif name in _DATES or name in _ACTIVE:
            # Seconds reach every year; what is finer is never given.
            dates = pd.to_datetime(given, errors="coerce", format="ISO8601").astype("datetime64[s]")
            note(dates.isna() & given.notna(), name, "cannot be read as dates")
            wrong = dates.dt.year > _LAST_YEAR
            note(wrong, name, f"after {_LAST_YEAR}, when the data set was made")
            if name in ("date_recorded", "album_date_released"):
                early = dates.dt.year < _FIRST_YEAR
                note(early, name, f"before {_FIRST_YEAR}, when recording began")
                wrong |= early
            dates = dates.mask(wrong)
            typed[name] = dates.dt.year.astype("Int64") if name in _ACTIVE else dates
        elif name in _LISTS or name.startswith("genres"):
            lists = {text: _list_in(text) for text in given.dropna().unique()}
            values = pd.Series([lists.get(text) for text in given], tracks.index, dtype="object")
            note(values.isna() & given.notna(), name, "cannot be read as lists")
            typed[name] = values
        elif name in _TEXTS:
            texts = given.astype("str").str.strip()
            plain = texts.map(html.unescape, na_action="ignore").astype("str")
            escaped += int((plain != texts)[texts.notna()].sum())
            texts = plain
            # Commas alone are a form that nobody filled in.
            typed[name] = texts.where(~texts.str.fullmatch(r"[\s,;]*", na=False))
        else:
            typed[name] = given
    notes.append(
        _said(escaped, "text was", "texts were", "written for HTML (&amp; for &): put right")
    )
    begin, end = (typed[name] for name in _ACTIVE)
    turned = (end < begin).fillna(False).astype(bool)
    note(turned, "artist_active_year_end", "before the year the artist began")
    typed["artist_active_year_end"] = end.mask(turned)
    known = pd.Series(WRONG_DURATIONS).reindex(tracks.index).dropna()
    mended = known.index[[typed["duration"][track] == known[track][0] for track in known.index]]
    typed["duration"].loc[mended] = [known[track][1] for track in mended]
    notes.append(
        _said(
            len(mended),
            "duration",
            "durations",
            "known to be wrong: put right to what was measured",
        )
    )
    return pd.DataFrame(typed), [sentence for sentence in notes if sentence]


def _said(count: int, one: str, many: str, what: str) -> str:
    """Return a sentence that begins with the count, "" for none."""
    return f"{count:,} {one if count == 1 else many} {what}." if count else ""


def _list_in(text: Any) -> list[Any] | None:
    """Return the list that a text like ``"['a', 'b']"`` stands for; None where it is none."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        return None
    return found if isinstance(found, list) else None


def _listed_in(checksums: Path) -> set[int]:
    """Return the tracks that a folder's list of SHA-1s names, none where there is no list."""
    if not checksums.is_file():
        return set()
    text = checksums.read_text("utf-8", errors="replace")
    return {int(track) for track in re.findall(r"^\w{40}\s+\*?\d{3}/(\d{6})\.", text, re.M)}


def _tracks_below(audio: Path) -> Iterator[Path]:
    """Yield the files in FMA's folders of a thousand tracks, ``000`` to ``155``."""
    for folder in sorted(audio.glob("[0-9][0-9][0-9]")):
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if not is_hidden(path))


def _is_track(file: Path) -> bool:
    """Tell files named as FMA names a track: ``000/000002.mp3``."""
    return (
        re.fullmatch(r"\d{6}", file.stem) is not None
        and file.stem.startswith(file.parent.name)
        and file.suffix.lower() in SUFFIXES
    )


def _artist_names(tracks: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Return one name an artist, and what there was to tell apart.

    The id tells artists of the same name apart.
    """
    number = tracks.artist_id
    name = tracks.artist
    several = int((name.groupby(number).nunique() > 1).sum())
    # An artist who changed names keeps the first one.
    name = name.groupby(number).transform("first").where(number.notna(), name)
    shared = number.groupby(name).transform("nunique") > 1
    label = "artist " + number.astype("string")
    name = name.fillna(label.astype("str"))
    same = name[shared & number.notna()].nunique()
    name = name.where(~(shared & number.notna()), name + " (" + label.astype("str") + ")")
    notes = [
        _said(
            int(name.isna().sum()),
            "clip names",
            "clips name",
            "no artist: each counts as an artist of its own",
        ),
        _said(several, "artist goes", "artists go", "by several names: the first one is kept"),
        _said(
            same, "name is", "names are", "borne by several artists: FMA's number tells them apart"
        ),
    ]
    return name, notes


def _way_out(folder: Path, name: str) -> str:
    return (
        f"`songnet fetch {name}` brings clips and metadata into the data folder. Of archives that "
        f"you have, unpack {name}.zip and fma_metadata.zip so that "
        f"{folder / name}/000/000002.mp3 and {folder / 'fma_metadata' / 'tracks.csv'} are there."
    )
