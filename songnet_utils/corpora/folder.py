"""Any folder ``GENRE/clip.*`` as a corpus.

A genre is a folder right below the corpus's; its sound files may lie in folders of their own
(``GENRE/ARTIST/ALBUM/clip.*``). Folders whose names differ only in case, spaces or Unicode form are
one genre. Where the genres seem to lie deeper, in a ready-made split (``train/GENRE/clip.*``) or
below a folder of their own (``Data/GENRE/clip.*``), the error says which folder to give.
Title, artist, album and year come from the files' tags, where they have some; the title is the
file's name otherwise. Hidden files and folders (``.DS_Store``, macOS's ``._song.mp3``) and what
often lies beside music (pictures, texts, playlists: `BESIDE`) are left alone; whatever else is no
usable sound file is listed in `Corpus.unusable`.
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

# Words in the names of a ready-made split's parts.
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
        When there is no sound file in any genre's folder, or the genres seem to lie deeper.
    """
    found: list[tuple[str, Path]] = []
    unusable = []
    for path in visible(folder):
        if path.is_dir():
            genre = path.name
            files = list(files_below(path))
            if not files:
                unusable.append((genre, str(path), "is a genre's folder with no file in it"))
        else:
            genre, files = "", [path]
        for file in files:
            if reason := _reason_to_leave_out(file, genre):
                # Names that are no UTF-8 could not even be written into the list as they are.
                clip, path_shown = (
                    str(name).encode(errors="backslashreplace").decode()
                    for name in (file.relative_to(folder).as_posix(), file)
                )
                unusable.append((clip, path_shown, reason))
            else:
                found.append((genre, file))
    if not found:
        raise SongNetError(
            f"{folder}: holds no sound files in genre folders. A corpus is a folder GENRE/clip.* "
            "(say, Rock/song.mp3) or an FMA folder (fma_small/000/000002.mp3 beside "
            f"fma_metadata/tracks.csv). Endings read as sound: {' '.join(SUFFIXES)}"
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
        description=f"the sound files of {folder}, one folder a genre",
        licence="as the files' owners say",
        notes=tuple(_spellings(clips)),
    )


def _spellings(clips: pd.DataFrame) -> Iterator[str]:
    """Yield which folders were taken for one genre."""
    folders = clips.id.str.split("/").str[0]
    for genre, names in folders.groupby(clips.genre).unique().items():
        if len(names) > 1:
            yield f"The folders {', '.join(map(repr, sorted(names)))} are one genre, {genre}."


def _check_layout(folder: Path, files: Sequence[Path]) -> None:
    """Raise SongNetError when the genres seem to lie deeper, or the folders are no genres."""
    place, below = folder, [file.relative_to(folder).parts[:-1] for file in files]
    # Down to where the sound lies in several folders.
    while len({parts[0] for parts in below if parts}) == 1 and all(below):
        place, below = place / below[0][0], [parts[1:] for parts in below]
    names = sorted({parts[0] for parts in below if parts})
    sets = [name for name in names if _is_set(name)]
    if len(sets) > 1 and 2 * len(sets) > len(names) and (place == folder or len(below[0]) > 1):
        raise SongNetError(
            f"{folder}: {', '.join(sets)} look like the parts of a ready-made split, not like "
            f"genres. Give one of them ({place / sets[0]}) if it holds the genres' folders, or "
            "merge them into one folder GENRE/clip.*; --split makes a split of its own."
        )
    if place != folder and len(names) > len(sets):
        raise SongNetError(
            f"{folder}: all its sound files lie in the folders of {place}, so these seem to be "
            f"the genres. Give {place}"
        )


def _is_set(name: str) -> bool:
    """Tell names of a ready-made split's parts: ``train``, ``Test_Set``, ``gtzan-val``."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return any(word.removesuffix("set").removesuffix("data") in _SETS for word in words)


def _reason_to_leave_out(file: Path, genre: str) -> str:
    try:
        str(file).encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    if file.suffix.lower() not in SUFFIXES:
        return (
            f"its ending, {file.suffix or 'none'}, is none of those read as sound "
            f"({' '.join(SUFFIXES)})"
        )
    if file.exists() and not file.is_file():
        return "is a pipe or a device; put an ordinary file in its place"
    if not genre:
        return "lies in no genre's folder; move it into one"
    return ""


def describe_file(file: Path) -> dict[str, Any]:
    """Return what a sound file's header and tags say, without decoding it.

    Returns
    -------
    dict
        ``title`` always (the file's name where no tag says it); ``artist``, ``album``, ``year``,
        ``licence``, ``seconds``, ``bit_rate`` where they can be read. A damaged file is no error
        here: decoding it will tell.
    """
    seconds, known = seconds_of_file(file), describe_tags(file)
    length = known.pop("length", seconds)
    return {"title": file.stem, "seconds": length if pd.isna(seconds) else seconds} | known


def describe_tags(file: Path | BinaryIO) -> dict[str, Any]:
    """Return what a sound file's tags say.

    Returns
    -------
    dict
        ``title``, ``artist``, ``album``, ``year``, ``licence``, ``length`` (seconds) and
        ``bit_rate``, where they can be read.
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
