"""The Free Music Archive data set (Defferrard, Benzi, Vandergheynst & Bresson, ISMIR 2017).

On disk it is what its archives hold: ``fma_small/000/000002.mp3`` (the track's id with six
digits, in a folder named by the first three) beside ``fma_metadata/tracks.csv``, whose header has
two levels and a third line with the name of the index. Labels come from ``track, genre_top``, the
official split from ``set, split``. Each subset holds the smaller ones: small < medium < large;
full is every track, uncut.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from songnet_utils.audio import SUFFIXES
from songnet_utils.corpora.folder import seconds_of_file
from songnet_utils.corpora.table import Corpus, is_hidden, table, unusable_table
from songnet_utils.errors import SongNetError

#: The archives of clips, and the size of their download in GiB as FMA's page gives it.
SIZES = {"fma_small": 7.2, "fma_medium": 22, "fma_large": 93, "fma_full": 879}

LICENCE = (
    "metadata CC BY 4.0; each clip under its artist's Creative Commons licence (column licence)"
)
CITATION = (
    "Defferrard, Benzi, Vandergheynst, Bresson: FMA: A dataset for music analysis. ISMIR 2017."
)

_SUBSETS = {
    "fma_small": ("small",),
    "fma_medium": ("small", "medium"),
    "fma_large": ("small", "medium", "large"),
    "fma_full": ("small", "medium", "large"),
}
# Our names for the columns of tracks.csv.
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
    ("album", "date_released"): "date_released",
    ("set", "split"): "split",
    ("set", "subset"): "subset",
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
    inside = [folder / name for name in SIZES if (folder / name).is_dir()]
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
    for file in _tracks_below(audio):
        if _is_track(file):
            present[int(file.stem)] = file
        else:
            unusable.append((file.stem, str(file), "its name is not a track's id (000002.mp3)"))
    expected = tracks.subset.isin(_SUBSETS.get(audio.name, ())) | tracks.index.isin(present)
    tracks = tracks[expected].sort_index()
    files = {
        track: present.get(track, audio / f"{track // 1000:03d}" / f"{track:06d}.mp3")
        for track in tracks.index
    }
    for track in sorted(set(present) - set(tracks.index)):
        unusable.append(
            (f"{track:06d}", str(present[track]), "is on disk, but tracks.csv does not list it")
        )
    for track in tracks.index.difference(list(present)):
        unusable.append(
            (f"{track:06d}", str(files[track]), "tracks.csv lists it, but no such file")
        )
    tracks = tracks[tracks.index.isin(present)]
    for track in tracks.index[tracks.genre.isna()]:
        unusable.append((f"{track:06d}", str(files[track]), "has no top genre in tracks.csv"))
    tracks = tracks[tracks.genre.notna()]
    if tracks.empty:
        raise SongNetError(
            f"{audio}: no clip there is described by {metadata / 'tracks.csv'}. "
            f"{_way_out(audio.parent, audio.name)}"
        )
    tracks["artist"] = _artist_names(tracks)
    names = _genre_names(tracks.genres, metadata / "genres.csv")
    tracks["genres"] = pd.Series(names, tracks.index, dtype="object")
    released = pd.to_datetime(tracks.date_released, errors="coerce")
    recorded = pd.to_datetime(tracks.date_recorded, errors="coerce")
    tracks["year"] = released.fillna(recorded).dt.year
    tracks["id"] = [f"{track:06d}" for track in tracks.index]
    tracks["file"] = [str(files[track]) for track in tracks.index]
    with ThreadPoolExecutor() as pool:
        tracks["seconds"] = list(pool.map(seconds_of_file, tracks.file))
    return Corpus(
        name=name,
        clips=table(tracks.drop(columns=["artist_id", "date_released"])),
        unusable=unusable_table(unusable),
        description=f"clips of the Free Music Archive ({audio.name})",
        licence=LICENCE,
        citation=CITATION,
    )


def open_subset(folder: Path, name: str) -> Corpus:
    """Return the set called `name` (``fma_small`` …) from the folder its archives were put in."""
    audio, metadata = folder / name, folder / "fma_metadata"
    if not (audio.is_dir() and (metadata / "tracks.csv").is_file()):
        raise SongNetError(f"{name} is not in {folder}. {_way_out(folder, name)}")
    return open_fma(audio, metadata, name)


def read_tracks(file: Path) -> pd.DataFrame:
    """Return the columns of ``tracks.csv`` that the table of clips needs, by track id.

    Raises
    ------
    SongNetError
        When the file is missing, or is not FMA's ``tracks.csv``.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines)
            head = [next(reader, []) for _ in range(3)]
        names = list(zip(head[0], head[1], strict=False))
        absent = [" ".join(name) for name in _COLUMNS if name not in names]
        if absent or head[2][:1] != ["track_id"]:
            raise SongNetError(
                f"{file}: is not FMA's tracks.csv: its header lacks "
                f"{', '.join(absent[:3]) or 'the line with track_id'}. Use tracks.csv of "
                "fma_metadata.zip (not raw_tracks.csv), as it is."
            )
        places = sorted((names.index(name), ours) for name, ours in _COLUMNS.items())
        tracks = pd.read_csv(
            file,
            header=None,
            skiprows=3,
            index_col=0,
            usecols=[0, *(place for place, _ in places)],
            names=["track_id", *(ours for _, ours in places)],
            encoding="utf-8",
            low_memory=False,
        )
        tracks.index = tracks.index.astype("int64")
    except FileNotFoundError as error:
        raise SongNetError(
            f"{file}: is missing; it holds the genres of the clips. "
            f"{_way_out(file.parent.parent, 'fma_small')}"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error, pd.errors.ParserError) as error:
        raise SongNetError(
            f"{file}: cannot be read as FMA's tracks.csv ({error}). Unpack fma_metadata.zip again."
        ) from error
    except SongNetError:
        raise
    except ValueError as error:
        raise SongNetError(
            f"{file}: its first column must hold track ids, whole numbers ({error}). "
            "Unpack fma_metadata.zip again."
        ) from error
    if tracks.index.has_duplicates:
        twice = tracks.index[tracks.index.duplicated()][0]
        raise SongNetError(f"{file}: lists track {twice} twice. Unpack fma_metadata.zip again.")
    return tracks


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


def _artist_names(tracks: pd.DataFrame) -> pd.Series:
    """Return one name an artist: the id tells artists of the same name apart."""
    number = pd.to_numeric(tracks.artist_id, errors="coerce").astype("Int64")
    name = tracks.artist.astype("str").str.strip().replace("", None)
    # An artist who changed names keeps the first one.
    name = name.groupby(number).transform("first").where(number.notna(), name)
    shared = number.groupby(name).transform("nunique") > 1
    label = "artist " + number.astype("string")
    name = name.fillna(label.astype("str"))
    return name.where(~(shared & number.notna()), name + " (" + label.astype("str") + ")")


def _genre_names(genres: pd.Series, file: Path) -> list[list[str] | None]:
    """Return lists of genre names from FMA's lists of genre ids, ``"[21, 45]"``."""
    try:
        titles = pd.read_csv(file, index_col="genre_id").title.to_dict()
    except (OSError, ValueError, AttributeError):
        titles = {}
    numbers = [ast.literal_eval(text) if isinstance(text, str) else None for text in genres]
    return [
        ids if ids is None else [str(titles.get(number, number)) for number in ids]
        for ids in numbers
    ]


def _way_out(folder: Path, name: str) -> str:
    return (
        f"Download {name}.zip and fma_metadata.zip (github.com/mdeff/fma has the addresses) and "
        f"unpack both so that {folder / name}/000/000002.mp3 and "
        f"{folder / 'fma_metadata' / 'tracks.csv'} are there."
    )
