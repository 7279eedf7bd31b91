"""Any folder ``GENRE/clip.*`` as a corpus.

A genre is a folder directly below the corpus's folder; its sound files may be in subfolders
(``GENRE/ARTIST/ALBUM/clip.*``). Folders whose names differ only in case, spaces or Unicode form are
one genre. If the genres seem to be deeper, in a ready-made split (``train/GENRE/clip.*``) or
below another folder (``Data/GENRE/clip.*``), the error names the folder to give.
Title, artist, album and year come from the files' tags; without tags, the title is the file's
name. Hidden files and folders (``.DS_Store``, macOS's ``._song.mp3``) and common companions of
music (pictures, texts, playlists: `BESIDE`) are ignored. `Corpus.unusable` lists all other files
that are not usable sound files.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import SUFFIXES, seconds_of_file
from songnet_utils.corpora.files import files_below, visible
from songnet_utils.corpora.table import Corpus, table, unusable_table

# Words in the names of the parts of a ready-made split.
_SETS = {"train", "training", "valid", "val", "validation", "dev", "test", "testing", "eval"}

# Tags by mutagen's "easy" names, by ID3's (WAV and AIFF have no easy form) and by ASF's (wma).
_TAGS = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Author"),
    "album": ("album", "TALB", "WM/AlbumTitle"),
    "date": ("date", "TDRC", "WM/Year"),
    "licence": ("copyright", "TCOP", "Copyright"),
}


def open_folder(folder: Path) -> Corpus:
    """Return the clips of a folder ``GENRE/clip.*``.

    Raises
    ------
    SongNetError
        When no genre's folder has a sound file, or the genres seem to be deeper.
    """
    found: list[tuple[str, Path]] = []
    unusable = []
    for path in visible(folder):
        if path.is_dir():
            genre = path.name
            files = list(files_below(path))
            if not files:
                unusable.append((genre, str(path), "is a genre's folder without files"))
        else:
            genre, files = "", [path]
        for file in files:
            if reason := _reason_to_leave_out(file, genre):
                # A name that is not UTF-8 could not even be written into the list.
                clip, path_shown = (
                    str(name).encode(errors="backslashreplace").decode()
                    for name in (file.relative_to(folder).as_posix(), file)
                )
                unusable.append((clip, path_shown, reason))
            else:
                found.append((genre, file))
    if not found:
        raise SongNetError(
            f"{folder}: has no sound files in genre folders. A corpus is a folder GENRE/clip.* "
            "(say, Rock/song.mp3) or an FMA folder (fma_small/000/000002.mp3 beside "
            f"fma_metadata/tracks.csv). Endings of sound files: {' '.join(SUFFIXES)}"
        )
    files = [file for _, file in found]
    _check_layout(folder, files)
    with ThreadPoolExecutor() as pool:
        known = list(pool.map(describe_file, files))
    clips = table(
        {
            **facts,
            "id": file.relative_to(folder).as_posix(),
            "file": str(file),
            "genre": genre,
            "genres": [genre],
        }
        for (genre, file), facts in zip(found, known, strict=True)
    )
    return Corpus(
        name=folder.name,
        clips=clips,
        unusable=unusable_table(unusable),
        description=f"the sound files of {folder}, one folder per genre",
        licence="see the owners of the files",
        notes=tuple(_spellings(clips)),
    )


def _spellings(clips: pd.DataFrame) -> Iterator[str]:
    """Yield notes on folders that were merged into one genre."""
    folders = clips.id.str.split("/").str[0]
    for genre, names in folders.groupby(clips.genre).unique().items():
        if len(names) > 1:
            yield f"The folders {', '.join(map(repr, sorted(names)))} are one genre, {genre}."


def _check_layout(folder: Path, files: Sequence[Path]) -> None:
    """Raise SongNetError if the genres seem to be deeper, or the folders are not genres."""
    place, below = folder, [file.relative_to(folder).parts[:-1] for file in files]
    # Go down to the first level with sound in several folders.
    while len({parts[0] for parts in below if parts}) == 1 and all(below):
        place, below = place / below[0][0], [parts[1:] for parts in below]
    names = sorted({parts[0] for parts in below if parts})
    sets = [name for name in names if _is_set(name)]
    if len(sets) > 1 and 2 * len(sets) > len(names) and (place == folder or len(below[0]) > 1):
        raise SongNetError(
            f"{folder}: {', '.join(sets)} look like the parts of a ready-made split, not like "
            f"genres. Give one of them ({place / sets[0]}) if it has the genres' folders, or "
            "merge them into one folder GENRE/clip.* (--split makes its own split)."
        )
    if place != folder and len(names) > len(sets):
        raise SongNetError(
            f"{folder}: all its sound files are in the folders of {place}, so these seem to be "
            f"the genres. Give {place}"
        )


def _is_set(name: str) -> bool:
    """Tell whether a name is that of a split's part: ``train``, ``Test_Set``, ``gtzan-val``."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return any(word.removesuffix("set").removesuffix("data") in _SETS for word in words)


def _reason_to_leave_out(file: Path, genre: str) -> str:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8; rename it"
    if file.suffix.lower() not in SUFFIXES:
        return (
            f"has an ending, {file.suffix or 'none'}, that is not one of sound files "
            f"({' '.join(SUFFIXES)})"
        )
    if file.exists() and not file.is_file():
        return "is a pipe or a device; replace it by a regular file"
    if not genre:
        return "is not in a genre's folder; move it into one"
    return ""


def describe_file(file: Path) -> dict[str, Any]:
    """Return the facts in a sound file's header and tags, without decoding it.

    Returns
    -------
    dict
        ``title`` always (by default the file's name); ``artist``, ``album``, ``year``,
        ``licence``, ``seconds`` and ``bit_rate`` if they can be read. A damaged file is not an
        error here; decoding will find it.
    """
    seconds, known = seconds_of_file(file), describe_tags(file)
    length = known.pop("length", seconds)
    return {"title": file.stem, "seconds": length if pd.isna(seconds) else seconds} | known


def describe_tags(file: Path | BinaryIO) -> dict[str, Any]:
    """Return the facts in a sound file's tags.

    Returns
    -------
    dict
        ``title``, ``artist``, ``album``, ``year``, ``licence``, ``length`` (seconds) and
        ``bit_rate``, if they can be read.
    """
    import mutagen

    try:
        tagged = mutagen.File(file, easy=True)
    except (mutagen.MutagenError, ValueError, OSError):
        tagged = None
    if tagged is None:
        return {}
    facts: dict[str, Any] = {
        "length": getattr(tagged.info, "length", 0),
        "bit_rate": getattr(tagged.info, "bitrate", 0),
        **{name: _tag(tagged.tags, keys) for name, keys in _TAGS.items()},
    }
    if year := re.match(r"\d{4}", facts.pop("date") or ""):
        facts["year"] = int(year[0])
    return {name: fact for name, fact in facts.items() if fact}


def _tag(tags: Any, keys: tuple[str, ...]) -> str | None:
    for key in keys:
        with contextlib.suppress(KeyError, TypeError, ValueError, IndexError):
            value = tags[key]
            if text := str(value[0] if isinstance(value, list) else value).strip():
                return text
    return None
