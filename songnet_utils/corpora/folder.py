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

import glob
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from songnet_utils.audio import SUFFIXES, seconds_of_file
from songnet_utils.corpora.table import Corpus, is_hidden, name_key, table, unusable_table
from songnet_utils.errors import SongNetError

#: Endings of files that nobody takes for clips.
BESIDE = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".pdf"),
    *(".txt", ".md", ".html", ".nfo", ".log", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".lrc"),
    *(".m3u", ".m3u8", ".pls", ".cue", ".sfv", ".md5", ".ini", ".db"),
)

# What the sides of a ready-made split are called.
_SIDES = frozenset(
    ("train", "training", "valid", "val", "validation", "dev", "test", "testing", "eval")
)

# What albums' parts and years are called, in the folder of any genre: "CD 1", "1999".
_NUMBERED = re.compile(r"(cd|dis[ck]|lp|vol|volume)?[._-]?\d+")

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
    nested = _nested(folder, found)
    with ThreadPoolExecutor() as pool:
        known = list(pool.map(describe_file, [file for _, file in found]))
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
        citation="",
        notes=tuple(_layout_notes(folder, nested, clips)),
    )


def _nested(folder: Path, found: list[tuple[str, Path]]) -> dict[str, set[str]]:
    """Return the names of the folders in each genre's folder that holds no clip itself.

    Raises
    ------
    SongNetError
        When those folders seem to be the genres.
    """
    deepest = Path(os.path.commonpath([file.parent for _, file in found]))
    if deepest != folder and not any(file.parent == deepest for _, file in found):
        raise SongNetError(
            f"{folder}: all its sound files lie in the folders of {deepest}, so these seem to be "
            f"the genres. Give {deepest}"
        )
    genres = {genre for genre, _ in found}
    flat = {genre for genre, file in found if file.parent == folder / genre}
    nested: dict[str, set[str]] = {genre: set() for genre in genres - flat}
    for genre, file in found:
        if genre in nested:
            nested[genre].add(file.relative_to(folder / genre).parts[0])
    keys = {
        genre: {key: name for name in names if not _NUMBERED.fullmatch(key := name_key(name))}
        for genre, names in nested.items()
    }
    times = Counter(name_key(genre) for genre in flat)
    times.update(itertools.chain.from_iterable(keys.values()))
    inside = {key: name for names in keys.values() for key, name in names.items()}
    shared = [name for key, name in inside.items() if times[key] > 1]
    sides = len(genres) > 1 and all(name_key(genre) in _SIDES for genre in genres)
    if sides or (shared and 2 * len(shared) >= len(inside)):
        parts = sorted(nested or genres)
        several = f" ({_listed(shared)}: found more than once)" if shared else ""
        raise SongNetError(
            f"{folder}: {_listed(parts)} seem to be the sides of a ready-made split that hold the "
            f"genres{several}. Give one of them ({folder / parts[0]}), or merge them into one "
            "folder GENRE/clip.*; --split makes a split of its own."
        )
    return nested


def _layout_notes(folder: Path, nested: dict[str, set[str]], clips: pd.DataFrame) -> Iterator[str]:
    """Yield what was decided about folders that could be meant in another way."""
    folders = clips.id.str.split("/").str[0]
    for genre, names in folders.groupby(clips.genre).unique().items():
        if len(names) > 1:
            yield f"The folders {_listed(map(repr, names))} are one genre, {genre}."
    if nested:
        yield (
            f"No clip lies right in {_listed(nested)}; clips in the folders inside are of these "
            f"genres. If those folders are the genres, give {folder / min(nested)} instead."
        )


def _listed(names: Iterable[str], most: int = 6) -> str:
    """Return names in alphabetical order, the first of many."""
    every = sorted(names)
    return ", ".join(every[:most]) + (" …" if len(every) > most else "")


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
    facts = {"title": file.stem, "seconds": seconds_of_file(file)}
    known = describe_tags(file)
    length = known.pop("length", None)
    if length and pd.isna(facts["seconds"]):
        facts["seconds"] = length
    return facts | known


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
        try:
            value = tags[key]
        except (KeyError, TypeError, ValueError):
            continue
        text = str(value[0] if isinstance(value, list) else value).strip()
        if text:
            return text
    return None


def visible(folder: Path, beside: Sequence[str] = BESIDE) -> list[Path]:
    """Return what lies in a folder and may be music, in order."""
    return sorted(
        path
        for path in folder.iterdir()
        if not is_hidden(path) and (path.is_dir() or path.suffix.lower() not in beside)
    )


def files_below(folder: Path, beside: Sequence[str] = BESIDE) -> Iterator[Path]:
    """Yield the files that may be music in a folder and in those inside it, in order."""
    for path in visible(folder, beside):
        # Links to folders are not followed: they may lead back up.
        if path.is_dir() and not path.is_symlink():
            yield from files_below(path, beside)
        else:
            yield path


def named_files(name: str) -> tuple[list[str], int]:
    """Return the files that a name on the command line stands for.

    Parameters
    ----------
    name
        A file; a folder, for all sound files below it; or a pattern (``*.mp3``, ``**/*.mp3``) as
        a shell would have expanded it. What is there under that very name is no pattern.

    Returns
    -------
    files : list of str
        In order.
    others : int
        How many other files lie in the folders: their endings are not those of sound files.

    Raises
    ------
    SongNetError
        When there is none.
    """
    pattern = glob.has_magic(name) and not os.path.lexists(name)
    files: list[str] = []
    others = 0
    for path in sorted(glob.glob(name, recursive=True)) if pattern else [name]:
        if not os.path.isdir(path):
            files.append(path)
            continue
        try:
            below = list(files_below(Path(path), beside=()))
        except OSError as error:
            raise SongNetError(
                f"{error.filename}: cannot be read ({error.strerror}). Check who may read it."
            ) from error
        sounds = [str(file) for file in below if file.suffix.lower() in SUFFIXES]
        files += sounds
        others += len(below) - len(sounds)
    if not files:
        raise SongNetError(
            f"{name}: no sound file {'fits this pattern' if pattern else 'lies in this folder'}. "
            f"Check its spelling. Endings read as sound: {' '.join(SUFFIXES)}"
        )
    # Where ** finds a folder and what is in it.
    return list(dict.fromkeys(files)), others
