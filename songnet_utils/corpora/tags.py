"""Genres in the tags of sound files: written when asked, and put back.

Every change is on a list, on the disk, before it is made, and a file is changed as a copy that
takes its place when it is whole: whatever stops the work, each file is as it was or has its new
genre, and the list says what it had. The list is JSON Lines: ``file``, the ``genre`` written, and
the genres ``before`` it (null where the file had no tags at all).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder


def list_of_changes() -> Path:
    """Return where the changes that begin now are listed, in the data folder."""
    return data_folder() / "tags" / f"{time.strftime('%Y-%m-%d-%H-%M-%S')}.jsonl"


def write_genre(file: str | os.PathLike[str], genre: str, changes: Path) -> None:
    """Write a genre into a file's tags, in the place of those it has; nothing else changes.

    Parameters
    ----------
    file
        A sound file.
    genre
        What to write.
    changes
        The list of changes: this one is added to it first.

    Raises
    ------
    SongNetError
        When the file is read-only, its format has no tags, or it cannot be read or written.
    """
    path = Path(os.path.realpath(file))
    before = _read(path)
    if before == [genre]:
        return
    _mode_of(path)
    changes.parent.mkdir(parents=True, exist_ok=True)
    with changes.open("a", encoding="utf-8") as listed:
        line = {"file": str(path), "genre": genre, "before": before}
        listed.write(json.dumps(line) + "\n")
        listed.flush()
        os.fsync(listed.fileno())
    _write(path, [genre])


def undo_genres(changes: str | os.PathLike[str]) -> Iterator[tuple[str, SongNetError | None]]:
    """Put back the genres that files had before `write_genre`, the last change first.

    Parameters
    ----------
    changes
        The list of changes.

    Yields
    ------
    file : str
        A file of the list.
    error : SongNetError or None
        Why it was left alone: its genre was changed since, or it cannot be written.

    Raises
    ------
    SongNetError
        When it is no list of changes.
    """
    try:
        lines = Path(changes).read_text(encoding="utf-8").split("\n")
        # Where the line of the last change is not whole, that change was not made.
        entries = [json.loads(line) for line in lines[:-1]]
        found = [(entry["file"], entry["genre"], entry["before"]) for entry in entries]
    except OSError as error:
        raise SongNetError(f"{changes}: cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SongNetError(
            f"{changes}: is no list of changes. Name one that `songnet classify --write-tags` left."
        ) from error
    for file, genre, before in reversed(found):
        try:
            now = _read(Path(file))
            if (now or []) not in ([genre], before or []):
                raise SongNetError(
                    f"{file}: is left alone: its genre has been changed since, to "
                    f"{', '.join(now or ['none'])}."
                )
            if now != before:
                _write(Path(file), before)
            yield file, None
        except SongNetError as error:
            yield file, error


def _read(path: Path) -> list[str] | None:
    """Return the genres in a file's tags; None where it has no tags."""
    tagged = _opened(path)
    if tagged.tags is None:
        return None
    value = tagged.tags.get(_key(tagged.tags), [])
    return [str(text) for text in getattr(value, "text", value)]


def _write(path: Path, genres: list[str] | None) -> None:
    """Write genres into a file's tags, none with []; None also removes tags that are empty then."""
    from mutagen import MutagenError
    from mutagen.id3 import ID3, TCON

    mode = _mode_of(path)
    with atomic_write(path) as copy:
        shutil.copy2(path, copy)
        try:
            tagged, options = _opened(copy), {}
            if tagged.tags is None:
                tagged.add_tags()
            elif isinstance(tagged.tags, ID3):
                # Older players do not read version 4: a tag keeps its own.
                options["v2_version"] = 4 if tagged.tags.version >= (2, 4) else 3
            key = _key(tagged.tags)
            if genres:
                tagged.tags[key] = TCON(encoding=3, text=genres) if key == "TCON" else genres
            elif key in tagged.tags:
                del tagged.tags[key]
            if genres is None and not tagged.tags:
                tagged.delete(copy)
            else:
                tagged.save(copy, **options)
        except (MutagenError, NotImplementedError) as error:
            raise SongNetError(f"{path}: its tags cannot be written ({error}).") from error
        if (_read(copy) or []) != (genres or []):
            raise SongNetError(f"{path}: its tags have no room for {genres}; it is as it was.")
    path.chmod(mode)


def _mode_of(path: Path) -> int:
    """Return a file's permissions; raise SongNetError where it is read-only."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise SongNetError(f"{path}: is read-only. Change who may write to it first.")
    return mode


def _opened(path: Path) -> Any:
    """Return a file and its tags as mutagen reads them."""
    import mutagen
    from mutagen.id3 import ID3

    try:
        tagged = mutagen.File(path)
        if tagged is not None and isinstance(tagged.tags, ID3):
            # As they are: otherwise frames of older versions are translated.
            tagged = type(tagged)(path, translate=False)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        raise SongNetError(f"{path}: its tags cannot be read ({error}).") from error
    if tagged is None or not hasattr(tagged, "add_tags"):
        raise SongNetError(
            f"{path}: has no tags that can be written. Convert it to mp3, flac, ogg or m4a."
        )
    return tagged


def _key(tags: Any) -> str:
    """Return what the genre is called in tags of their kind."""
    names = {"ID3": "TCON", "MP4Tags": "\xa9gen", "ASFTags": "WM/Genre"}
    kinds = (kind.__name__ for kind in type(tags).__mro__)
    return next((names[kind] for kind in kinds if kind in names), "genre")
