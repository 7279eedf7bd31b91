"""Playlists for any player."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from songnet_utils._utils.files import atomic_write


def write_playlist(path: Path, songs: Iterable[tuple[str, float, str]]) -> None:
    """Write an M3U8 playlist: extended M3U in UTF-8.

    Parameters
    ----------
    path
        The playlist's path. Files are named relative to its folder, so you can move both together.
    songs
        File, seconds and genre of each song, in the order to play them.

    Raises
    ------
    SongNetError
        When it cannot be written.
    """
    lines = ["#EXTM3U"]
    for file, seconds, genre in songs:
        name = os.path.abspath(file)
        if Path(name).drive == path.absolute().drive:
            # Start with ./, because a name that begins with # would be a comment.
            name = os.path.join(os.curdir, os.path.relpath(name, path.absolute().parent))
        group = " ".join(genre.split())
        lines += [f"#EXTINF:{seconds:.0f},{Path(file).stem}", f"#EXTGRP:{group}", name]
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join([*lines, ""]), encoding="utf-8")
