"""The Free Music Archive data set (Defferrard, Benzi, Vandergheynst & Bresson, ISMIR 2017).

On disk it has the layout of its archives: ``fma_small/000/000002.mp3`` (the track's id with six
digits, in a folder named by the first three) beside ``fma_metadata/tracks.csv``, whose header has
two levels and a third line with the name of the index. Labels come from ``track, genre_top``, the
official split from ``set, split``. Each subset contains the smaller ones: small < medium < large;
full has every track, uncut. ``fma_sample`` is a part of ``fma_small``: a folder's ``checksums``
lists the clips that should be there.

Known errors in the metadata are corrected or left missing, and counted in `Corpus.notes`: nothing
is dropped silently.

References
----------
Known errors of clips and metadata: https://github.com/mdeff/fma/wiki, and the issues 4 and 8
there, which have the songs' measured lengths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import read_csv
from songnet_utils.audio import SUFFIXES, seconds_of_file
from songnet_utils.corpora.files import is_hidden
from songnet_utils.corpora.fma_metadata import (
    WRONG_DURATIONS,
    counted,
    read_genres,
    read_tracks,
    track_path,
    typed,
)
from songnet_utils.corpora.table import Corpus, table, unusable_table

#: The archives of clips, and the sizes of their downloads in GiB from FMA's page.
SIZES = {"fma_small": 7.2, "fma_medium": 22, "fma_large": 93, "fma_full": 879}

LICENCE = (
    "metadata CC BY 4.0; each clip under its artist's Creative Commons licence (column licence)"
)
CITATION = (
    "Defferrard, Benzi, Vandergheynst, Bresson: FMA: A dataset for music analysis. ISMIR 2017."
)

#: The file in an archive that lists the SHA-1s of the others.
LIST = "checksums"

#: The name of a sample of fma_small, in the folder beside it.
SAMPLE = "fma_sample"

_ALL = ("small", "medium", "large")
_SUBSETS = {"fma_small": _ALL[:1], "fma_medium": _ALL[:2], "fma_large": _ALL, "fma_full": _ALL}


class Extract(NamedTuple):
    """The part of FMA's metadata that comes with the project, as tables of clips without files.

    Parameters
    ----------
    small : pandas.DataFrame
        The 8,000 clips of fma_small: ``genre``, ``artist``, ``title``, ``split``, and ``content``,
        here the SHA-1 of the clip's file. For songs that are shorter than FMA's metadata says, and
        whose clips were cut after their ends, ``stated`` and ``measured`` are lengths in seconds.
    first_tracks : pandas.DataFrame
        The first 682 tracks of the whole archive, with all columns of tables of clips.
    hierarchy : pandas.DataFrame
        FMA's genres; see `songnet_utils.corpora.fma_metadata.read_genres`.
    notes : list of str
        Errors and gaps in the first tracks, each with its count.
    """

    small: pd.DataFrame
    first_tracks: pd.DataFrame
    hierarchy: pd.DataFrame
    notes: list[str]


def fma_extract() -> Extract:
    """Return the part of FMA's metadata that comes with the project (CC BY 4.0; see its README)."""
    folder = Path(__file__).with_name("fma_extract")
    small = read_csv(folder / "fma_small.csv.gz").rename(columns={"sha1": "content"})
    small = small.set_index(small.pop("track_id").astype("int64"))
    small["artist_id"] = pd.to_numeric(small.artist_id).astype("Int64")
    small["artist"], _ = _artist_names(small)
    small["id"] = [f"{track:06d}" for track in small.index]
    tracks = read_tracks(folder / "tracks.csv.gz")
    tracks, hierarchy, notes = _described(tracks, folder / "genres.csv")
    assert hierarchy is not None
    small = table(small.join(WRONG_DURATIONS))
    return Extract(small, table(tracks), hierarchy, [*filter(None, notes)])


def find_fma(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders of clips and of metadata if `folder` has FMA's layout.

    `folder` may be the folder above both, or the folder of clips itself.

    Raises
    ------
    SongNetError
        When FMA's layout lacks a part, or has several folders of clips.
    """
    if any(_is_track(path) for path in _tracks_below(folder)):
        return folder, folder.parent / "fma_metadata"
    inside = [folder / name for name in (*SIZES, SAMPLE) if (folder / name).is_dir()]
    if not inside:
        if (folder / "fma_metadata").is_dir():
            raise SongNetError(
                f"{folder}: has FMA's metadata but no clips. {_way_out(folder, 'fma_small')}"
            )
        return None
    if len(inside) > 1:
        raise SongNetError(
            f"{folder}: has several of FMA's sets. Open one of them: "
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
        The name of the corpus.
    """
    present, unusable = _files(audio)
    listed = {int(path[4:10]) for path in read_list(audio) if re.match(r"\d{3}/\d{6}\.", path)}
    every = read_tracks(metadata / "tracks.csv")
    expected = every.subset.isin(_SUBSETS.get(audio.name, ())) | every.index.isin(
        listed | set(present)
    )
    tracks = every[expected].sort_index()
    reasons = _reasons_to_leave_out(tracks, present, whole=audio.name == "fma_full")
    reasons |= {
        track: "is on disk, but tracks.csv does not list it"
        for track in present.keys() - set(tracks.index)
    }
    for track, reason in sorted(reasons.items()):
        unusable.append(
            (f"{track:06d}", str(present.get(track, audio / track_path(track))), reason)
        )
    elsewhere = len(listed - set(present) - set(tracks.index))
    tracks = tracks.drop(tracks.index.intersection(list(reasons)))
    if tracks.empty:
        raise SongNetError(
            f"{audio}: {metadata / 'tracks.csv'} describes none of the clips there. "
            f"{_way_out(audio.parent, audio.name)}"
        )
    notes = [
        counted(what, sum(begins in reason for reason in reasons.values()))
        for what, begins in (
            ("Clips with a known erratum of FMA, left out", "known erratum"),
            ("Clips without a top genre (artists may choose several), left out", "no top genre"),
        )
    ]
    absent = "Clips in checksums, but neither on disk nor in tracks.csv (a part of the set)"
    tracks, hierarchy, findings = _described(tracks, metadata / "genres.csv")
    tracks["file"] = [str(present[track]) for track in tracks.index]
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
        notes=tuple(note for note in (*notes, counted(absent, elsewhere), *findings) if note),
        hierarchy=hierarchy,
        features_csv=features if features.is_file() else None,
    )


def _described(
    tracks: pd.DataFrame, genres_csv: Path
) -> tuple[pd.DataFrame, pd.DataFrame | None, list[str]]:
    """Return the metadata of tracks, the hierarchy of genres, and notes on errors."""
    tracks, findings = typed(tracks)
    hierarchy, titles = None, {}
    if genres_csv.is_file():
        hierarchy = read_genres(genres_csv)
        titles = dict(zip(hierarchy.genre_id, hierarchy.title, strict=True))
    else:
        findings.append("genres.csv is missing, so further genres are FMA's numbers.")
    tracks["genres"] = tracks.genres.map(
        lambda ids: [str(titles.get(number, number)) for number in ids], na_action="ignore"
    )
    tracks["artist"], of_artists = _artist_names(tracks)
    tracks["year"] = tracks.album_date_released.fillna(tracks.date_recorded).dt.year
    tracks["id"] = [f"{track:06d}" for track in tracks.index]
    return tracks, hierarchy, [*of_artists, *findings]


def _files(audio: Path) -> tuple[dict[int, Path], list[tuple[str, str, str]]]:
    """Return the file of each track in a folder of clips, and other files with reasons."""
    present: dict[int, Path] = {}
    unusable = []
    # FMA's own file of a track comes first: 000002.mp3 before a 000002.wav made from it.
    for file in sorted(_tracks_below(audio), key=lambda file: (file.suffix != ".mp3", file)):
        if not _is_track(file):
            unusable.append((file.stem, str(file), "its name is not a track's id (000002.mp3)"))
            continue
        taken = present.setdefault(int(file.stem), file)
        if taken != file:
            reason = f"is the same track as {taken.name} beside it, which is used instead"
            unusable.append((file.name, str(file), reason))
    return present, unusable


def _reasons_to_leave_out(
    tracks: pd.DataFrame, present: dict[int, Path], whole: bool
) -> dict[int, str]:
    """Return the reasons why tracks of the table are not clips, by track."""
    reasons = {}
    for track, genre in tracks.genre.items():
        if track not in present:
            reasons[track] = "tracks.csv lists it, but there is no such file"
        elif track in WRONG_DURATIONS.index and not whole:
            known = WRONG_DURATIONS.loc[track]
            reasons[track] = (
                f"known erratum: FMA took its song of {known.measured:g} s for {known.stated:g} s "
                "long and cut the clip where little or no sound is left"
            )
        elif pd.isna(genre):
            reasons[track] = "has no top genre in tracks.csv"
    return reasons


def open_subset(folder: Path, name: str) -> Corpus:
    """Return the set `name` (``fma_small`` …) from the folder of its archives.

    `name` may be `SAMPLE`, too.
    """
    audio, metadata = folder / name, folder / "fma_metadata"
    if not (audio.is_dir() and (metadata / "tracks.csv").is_file()):
        raise SongNetError(f"{name} is not in {folder}. {_way_out(folder, name)}")
    return open_fma(audio, metadata, name)


def read_list(folder: Path) -> dict[str, str]:
    """Return the SHA-1s in a folder's list, by path; none if there is no list."""
    file = folder / LIST
    return parse_list(file.read_text("utf-8", errors="replace")) if file.is_file() else {}


def parse_list(text: str) -> dict[str, str]:
    """Return the SHA-1s, by path, in a list of ``sha1sum``."""
    lines = re.findall(r"^([0-9a-f]{40}) [ *](?:\./)?(\S.*?)\s*$", text, re.MULTILINE)
    return {path: digest for digest, path in lines}


def _tracks_below(audio: Path) -> Iterator[Path]:
    """Yield the files in FMA's folders of a thousand tracks, ``000`` to ``155``."""
    for folder in sorted(audio.glob("[0-9][0-9][0-9]")):
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if not is_hidden(path))


def _is_track(file: Path) -> bool:
    """Tell whether a file is named like one of FMA's tracks: ``000/000002.mp3``."""
    return (
        re.fullmatch(r"\d{6}", file.stem) is not None
        and file.stem.startswith(file.parent.name)
        and file.suffix.lower() in SUFFIXES
    )


def _artist_names(tracks: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    """Return one name per artist, and notes on names.

    The id distinguishes artists with the same name.
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
        counted("Clips without an artist, each counted as one of its own", name.isna().sum()),
        counted("Artists with several names, of which the first is used", several),
        counted("Names that several artists share, distinguished by FMA's number", same),
    ]
    return name, notes


def _way_out(folder: Path, name: str) -> str:
    if name == SAMPLE:
        return "Run `songnet fetch fma_small --sample 50` to get it."
    return (
        f"Run `songnet fetch {name}` to get clips and metadata. If you have the archives, unpack "
        f"{name}.zip and fma_metadata.zip so that "
        f"{folder / name}/000/000002.mp3 and {folder / 'fma_metadata' / 'tracks.csv'} are there."
    )
