"""Write genres into the tags of sound files, and restore the old ones.

Every change goes onto a list on disk before it is made. A change is made to a copy, which replaces
the file when it is complete. So after any interruption, each file has either its old or its new
genre, and the list has the old one. The list is JSON Lines: ``file``, the ``genre`` written, and
the genres ``before`` it (null if the file had no tags).
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
    """Return the path, in the data folder, of a new list of changes."""
    return data_folder() / "tags" / f"{time.strftime('%Y-%m-%d-%H-%M-%S')}.jsonl"


def write_genre(file: str | os.PathLike[str], genre: str, changes: Path) -> None:
    """Replace the genres in a file's tags; nothing else changes.

    Parameters
    ----------
    file
        A sound file.
    genre
        The new genre.
    changes
        The list of changes, to which this change is added first.

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
    """Restore the genres that files had before `write_genre`, the last change first.

    Parameters
    ----------
    changes
        The list of changes.

    Yields
    ------
    file : str
        A file of the list, unless it has its old genre.
    error : SongNetError or None
        Why it was not restored: its genre has changed since, or it cannot be written.

    Raises
    ------
    SongNetError
        When it is not a list of changes.
    """
    try:
        lines = Path(changes).read_text(encoding="utf-8").split("\n")
        # If the last line is incomplete, its change was never made.
        entries = [json.loads(line) for line in lines[:-1]]
        found = [(entry["file"], entry["genre"], entry["before"]) for entry in entries]
    except OSError as error:
        raise SongNetError(f"{changes}: cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SongNetError(
            f"{changes}: is not a list of changes. Give one from `songnet classify --write-tags`."
        ) from error
    for file, genre, before in reversed(found):
        try:
            now = _read(Path(file))
            if (now or []) not in ([genre], before or []):
                raise SongNetError(
                    f"{file}: is not restored, because its genre has been changed since, to "
                    f"{', '.join(now or ['none'])}."
                )
            if (now or []) != (before or []):
                _write(Path(file), before)
                yield file, None
        except SongNetError as error:
            yield file, error


def _read(path: Path) -> list[str] | None:
    """Return the genres in a file's tags; None if it has no tags."""
    tagged = _opened(path)
    if tagged.tags is None:
        return None
    value = tagged.tags.get(_key(tagged.tags), [])
    return [str(text) for text in getattr(value, "text", value)]


def _write(path: Path, genres: list[str] | None) -> None:
    """Write genres into a file's tags, none for []; None also removes tags that are then empty."""
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
                # Older players do not read version 4, so a tag keeps its version.
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
            raise SongNetError(f"{path}: its tags cannot hold a genre; nothing changed.")
    path.chmod(mode)


def _mode_of(path: Path) -> int:
    """Return a file's permissions; raise SongNetError if it is read-only."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o222 or not os.access(path, os.W_OK):
        raise SongNetError(f"{path}: is read-only. Change its permissions first.")
    return mode


def _opened(path: Path) -> Any:
    """Return a file and its tags from mutagen."""
    import mutagen
    from mutagen.id3 import ID3

    try:
        tagged = mutagen.File(path)
        if tagged is not None and isinstance(tagged.tags, ID3):
            # Read tags unchanged; otherwise, mutagen translates frames of older versions.
            tagged = type(tagged)(path, translate=False)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        raise SongNetError(f"{path}: its tags cannot be read ({error}).") from error
    if tagged is None or not hasattr(tagged, "add_tags"):
        raise SongNetError(
            f"{path}: has no tags that can be written. Convert it to mp3, flac, ogg or m4a."
        )
    return tagged


def _key(tags: Any) -> str:
    """Return the key of the genre in tags of this kind."""
    names = {"ID3": "TCON", "MP4Tags": "\xa9gen", "ASFTags": "WM/Genre"}
    kinds = (kind.__name__ for kind in type(tags).__mro__)
    return next((names[kind] for kind in kinds if kind in names), "genre")
