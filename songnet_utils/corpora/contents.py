"""Copies: clips whose files have the same bytes.

If a test clip has a copy in the training set, the network was trained on it. And copies under two
genres contradict each other. The column ``content`` of the table of clips identifies copies by the
SHA-256 of their files.

Opening a corpus must not read all its sound, which may be hundreds of gigabytes. Copies have the
same size and the same middle, so only files that share both with another are read whole. The column
is missing for the others until `songnet_utils.features.store.LogMelStore.prepare` has read them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

# This many bytes in the middle of a file distinguish it from nearly all others of its size.
_MIDDLE = 4096


def contents_of(files: Iterable[str], progress: bool = True) -> list[str | None]:
    """Return the SHA-256 of each file that is a copy of another or looks like one.

    Parameters
    ----------
    files
        Paths of sound files. Empty files, unreadable files and anything that is not a regular file
        (a named pipe, say) have no content.
    progress : bool
        Whether to show a progress bar when reading takes long.

    Returns
    -------
    list of str or None
        64 hexadecimal digits; None if no other file has the same content, or if it has none.
    """
    files = list(files)
    alike = files
    with ThreadPoolExecutor() as pool:
        for look in (_size, _middle):
            seen = pd.Series(pool.map(_readable(look), alike), alike, dtype="object")
            alike = list(seen.index[seen.notna() & seen.duplicated(keep=False)])
        reading = tqdm(
            pool.map(_readable(_sha256), alike),
            total=len(alike),
            desc="comparing files that look like copies",
            unit="file",
            disable=not progress,
            leave=False,
            delay=2,
        )
        known = dict(zip(alike, reading, strict=True))
    return [known.get(file) for file in files]


def contradictions(clips: pd.DataFrame) -> list[str]:
    """Return a sentence about copies under two genres, or an empty list if there are none.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    """
    copies = clips[clips.content.notna() & clips.content.duplicated(keep=False)]
    genres = copies.genre.groupby(copies.content).transform("nunique")
    wrong = copies[genres > 1]
    if wrong.empty:
        return []
    first = wrong.iloc[0]
    same = wrong[wrong.content == first.content]
    other = same[same.genre != first.genre].iloc[0]
    return [
        f"Copies of a clip under another genre: {wrong.content.nunique():,}. The first: {first.id} "
        f"({first.genre}) and {other.id} ({other.genre}) are the same file. Remove the wrong one."
    ]


def _size(file: str) -> int | None:
    # Opening a named pipe would wait for a writer.
    return os.path.getsize(file) or None if os.path.isfile(file) else None


def _middle(file: str) -> tuple[int, bytes]:
    with open(file, "rb") as content:
        size = os.fstat(content.fileno()).st_size
        content.seek(size // 2)
        return size, hashlib.sha256(content.read(_MIDDLE)).digest()


def _sha256(file: str) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _readable(look: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `look` with None as the result for unreadable files."""

    def looked(file: str) -> Any:
        try:
            return look(file)
        except OSError:
            return None

    return looked
