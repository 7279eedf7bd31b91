"""Find the files on a disk that may be music."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import SUFFIXES

#: Endings of files that are never clips.
BESIDE = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".pdf"),
    *(".txt", ".md", ".html", ".nfo", ".log", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".lrc"),
    *(".m3u", ".m3u8", ".pls", ".cue", ".sfv", ".md5", ".ini", ".db"),
)


def is_hidden(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is hidden, such as ``.DS_Store`` or macOS's ``._song.mp3``."""
    return Path(path).name.startswith(".")


def visible(folder: Path, beside: Sequence[str] = BESIDE) -> list[Path]:
    """Return the files and folders in a folder that may be music, in order."""
    return sorted(
        path
        for path in folder.iterdir()
        if not is_hidden(path) and (path.is_dir() or path.suffix.lower() not in beside)
    )


def files_below(folder: Path, beside: Sequence[str] = BESIDE) -> Iterator[Path]:
    """Yield the files that may be music in a folder and its subfolders, in order."""
    for path in visible(folder, beside):
        # Do not follow links to folders, because they may lead back up.
        if path.is_dir() and not path.is_symlink():
            yield from files_below(path, beside)
        else:
            yield path


def named_files(name: str) -> tuple[list[str], int]:
    """Return the files for a name on the command line.

    Parameters
    ----------
    name
        A file; a folder, for all sound files below it; or a pattern (``*.mp3``, ``**/*.mp3``) as
        a shell would expand it. If a file has exactly this name, it is not a pattern.

    Returns
    -------
    files : list of str
        In order.
    others : int
        The number of other files in the folders, whose endings are not those of sound files.

    Raises
    ------
    SongNetError
        When there are no such files.
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
                f"{error.filename}: cannot be read ({error.strerror}). Check its permissions."
            ) from error
        sounds = [str(file) for file in below if file.suffix.lower() in SUFFIXES]
        files += sounds
        others += len(below) - len(sounds)
    if not files:
        raise SongNetError(
            f"{name}: no sound file {'matches this pattern' if pattern else 'is in this folder'}. "
            f"Endings of sound files: {' '.join(SUFFIXES)}"
        )
    # ** may find a folder and also its files.
    return list(dict.fromkeys(files)), others
