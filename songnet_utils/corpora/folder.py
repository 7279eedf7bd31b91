"""Any folder ``GENRE/clip.*`` as a corpus.

A genre is a folder right below the corpus's; its sound files may lie in folders of their own
(``GENRE/ARTIST/ALBUM/clip.*``). Folders whose names differ only in case, spaces or Unicode form are
one genre. Where the genres seem to lie deeper, in a ready-made split (``train/GENRE/clip.*``) or
below a folder of their own (``Data/GENRE/clip.*``), the error says which folder to give.
Where that is not certain, each folder is a genre, and a note says what else it could be.
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
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import SUFFIXES, seconds_of_file
from songnet_utils.corpora.table import Corpus, is_hidden, name_key, table, unusable_table

#: Endings of files that nobody takes for clips.
BESIDE = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".pdf"),
    *(".txt", ".md", ".html", ".nfo", ".log", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".lrc"),
    *(".m3u", ".m3u8", ".pls", ".cue", ".sfv", ".md5", ".ini", ".db"),
)

# Words in the names of a ready-made split's parts.
_SIDES = frozenset(
    (
        *("train", "training", "valid", "val", "validation", "dev"),
        *("test", "testing", "eval", "evaluation", "holdout", "part", "fold", "split", "sub"),
    )
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
    files = [file for _, file in found]
    _, reason = _genres_place(folder, files)
    if reason:
        raise SongNetError(reason)
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
        citation="",
        notes=tuple(_layout_notes(folder, files, clips)),
    )


def _inside(folder: Path, files: Iterable[Path]) -> dict[str, list[Path]]:
    """Return the files below each folder in `folder`, by its name; none of those right in it."""
    inside: dict[str, list[Path]] = {}
    for file in files:
        first, *further = file.relative_to(folder).parts
        if further:
            inside.setdefault(first, []).append(file)
    return inside


def _nested(folder: Path, files: Iterable[Path]) -> dict[str, list[Path]]:
    """Return what `_inside` does, of the folders that hold no file themselves."""
    return {
        name: below
        for name, below in _inside(folder, files).items()
        if not any(file.parent == folder / name for file in below)
    }


def _branching(folder: Path, files: Iterable[Path]) -> Path:
    """Return the first folder on the way down with sound in several folders, else `folder`."""
    place, inside = folder, _inside(folder, files)
    while len(inside) == 1:
        ((name, below),) = inside.items()
        place /= name
        inside = _inside(place, below)
    return place if inside else folder


def _is_side(name: str) -> bool:
    """Tell names of a ready-made split's parts: ``train``, ``Test_Set``, ``gtzan-val``."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return any(word.removesuffix("set").removesuffix("data") in _SIDES for word in words)


def _genres_place(folder: Path, files: Sequence[Path]) -> tuple[Path, str]:
    """Return the folder whose folders seem to be the genres, and why it is not `folder`.

    The reason is "" where `folder` is right. It is the same folder with a reason where its folders
    are no genres and no others are to be seen.
    """
    inside = _inside(folder, files)
    deeper = _branching(folder, files)
    if deeper != folder:
        below = _below(deeper, files)
        branches = _inside(deeper, below)
        strays = len(files) - sum(map(len, branches.values()))
        place, reason = _genres_place(deeper, below)
        # Parts of a split with no genres in them are one genre's.
        if strays >= len(branches) or (reason and place == deeper):
            return folder, ""
        return place, reason or (
            f"{folder}: {'nearly ' if strays else ''}all its sound files lie in the folders of "
            f"{deeper}, so these seem to be the genres. Give {deeper}"
        )
    nested = _nested(folder, files)
    parts, shared = _parts(folder, inside, nested)
    if not parts:
        return folder, ""
    names = f"{_listed(parts)} look{'s' if len(parts) == 1 else ''} like"
    first = min((part for part in parts if part in nested), default="")
    if not first:
        return folder, (
            f"{folder}: {names} the parts of a ready-made split, not like genres. Sort the clips "
            "into a folder of each genre (GENRE/clip.*)."
        )
    place, _ = _genres_place(folder / first, inside[first])
    several = f" ({_listed(shared)} appear{'s' if len(shared) == 1 else ''} in several)"
    return place, (
        f"{folder}: {names} {'a part' if len(parts) == 1 else 'the parts'} of a ready-made split, "
        f"{'' if len(parts) == 1 else 'each '}containing the genres{several if shared else ''}. "
        f"Give one of them ({place}), or merge them into one folder GENRE/clip.*; --split makes "
        "a split of its own."
    )


def _parts(
    folder: Path, inside: dict[str, list[Path]], nested: dict[str, list[Path]]
) -> tuple[list[str], list[str]]:
    """Return the folders that seem to be a split's parts, and the names found in several."""
    keys = {
        part: {
            key: name
            for name in _inside(folder / part, below)
            if not (_NUMBERED.fullmatch(key := name_key(name)) or _is_side(name))
        }
        for part, below in nested.items()
    }
    times = Counter(name_key(name) for name in inside.keys() - nested.keys())
    times.update(itertools.chain.from_iterable(keys.values()))
    names = {key: name for part in keys.values() for key, name in part.items()}
    shared = {key: name for key, name in names.items() if times[key] > 1}
    sides = [name for name in inside if _is_side(name)]
    if len(sides) > 1 and 2 * len(sides) > len(inside):
        return sides, list(shared.values())
    # One name alone may be what every genre has: audio, Various Artists.
    if len(shared) > 1 and 2 * len(shared) >= len(names):
        return [part for part in keys if keys[part].keys() & shared.keys()], list(shared.values())
    return [], []


def _layout_notes(folder: Path, files: Sequence[Path], clips: pd.DataFrame) -> Iterator[str]:
    """Yield what was decided about folders that could be meant in another way."""
    folders = clips.id.str.split("/").str[0]
    for genre, names in folders.groupby(clips.genre).unique().items():
        if len(names) > 1:
            yield f"The folders {_listed(map(repr, names))} are one genre, {genre}."
    alike: dict[str, list[str]] = {}
    for genre in clips.genre.unique():
        letters = (sign for sign in name_key(genre) if unicodedata.category(sign)[0] != "P")
        alike.setdefault("".join(letters), []).append(genre)
    for key, genres in alike.items():
        if key and len(genres) > 1:
            yield (
                f"The genres {_listed(map(repr, genres))} differ only in punctuation and count as "
                f"{len(genres)}. If they are one, name their folders alike."
            )
    nested = _nested(folder, files)
    if not nested:
        return
    one = len(nested) == 1
    said = (
        f"{_listed(nested)} contain{'s' if one else ''} only folders; their clips are counted as "
        f"{f'genre {min(nested)}' if one else 'these genres'}."
    )
    deeper = {name: _branching(folder / name, nested[name]) for name in sorted(nested)}
    below = {name: _below(place, nested[name]) for name, place in deeper.items()}
    most = max(deeper, key=lambda name: len(_inside(deeper[name], below[name])))
    place, reason = _genres_place(deeper[most], below[most])
    if not reason or place != deeper[most]:
        said += f" If those folders are the genres, give {place} instead."
    yield said


def _below(folder: Path, files: Iterable[Path]) -> list[Path]:
    return [file for file in files if file.is_relative_to(folder)]


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
