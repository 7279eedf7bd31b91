"""A widget as a page without Python: one file of HTML, and what it loads by name beside it."""

from __future__ import annotations

import html
import os
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import cannot_write, check_writable
from songnet_utils.widgets.recording import in_files, place, script

# What tells a page of ours from somebody else's files.
_MARK = '<meta name="generator" content="SongNet, the course">'

_MEDIA = "media"
_FILE = re.compile(r"[0-9a-f]{20}\.(js|mp3)")


def save_page(
    folder: str | os.PathLike[str], title: str, about: str, record: Callable[[], dict[str, Any]]
) -> Path:
    """Write a page beside its place and put it there when it is whole.

    Parameters
    ----------
    folder : path
        Where it shall stand: nothing may be there but a page that was saved here before.
    title, about : str
        What stands above the widget.
    record : callable
        Returns the recording of the widget.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SongNetError
        When something else is there, or the disk refuses.
    """
    folder = Path(folder).absolute()
    check_free(folder)
    new = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    old = new.with_name(f"{new.name}-old")
    try:
        new.mkdir(parents=True)
        widget = place(in_files(record(), new / _MEDIA), f"{_MEDIA}/", "")
        text = _PAGE
        for name, value in {
            **{"MARK": _MARK, "TITLE": html.escape(title), "ABOUT": html.escape(about)},
            **{"WIDGET": widget, "SCRIPT": script()},
        }.items():
            text = text.replace(f"[[{name}]]", value)
        (new / "index.html").write_text(text, encoding="utf-8")
        check_free(folder)
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.replace(folder)
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder / "index.html"


def check_free(folder: Path) -> None:
    """Raise SongNetError unless a page can be put there and would replace only one of ours."""
    if folder.exists() and not folder.is_dir():
        raise SongNetError(f"{folder}: is a file, so no page can be put there. Choose a folder.")
    # It is written beside its place.
    check_writable(folder.with_name(f".{folder.name}") if folder.exists() else folder)
    if not folder.exists():
        return
    page, media = folder / "index.html", folder / _MEDIA
    ours = page.is_file() and _MARK in page.read_text("utf-8", "replace")[:2000]
    inside = media.iterdir() if media.is_dir() and not media.is_symlink() else ()
    for entry in sorted([*folder.iterdir(), *inside]):
        name = entry.relative_to(folder)
        part_of_it = entry in (page, media) or (
            entry.parent == media and _FILE.fullmatch(entry.name)
        )
        if not (ours and part_of_it):
            raise SongNetError(
                f"{folder}: holds {name}, which is no part of a page that was saved here before. "
                "Choose an empty folder, or one that is not there yet."
            )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
[[MARK]]
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>[[TITLE]]</title>
<link rel="icon" href="data:,">
<style>
body { max-width: 1120px; margin: 0 auto; padding: 16px; font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 22px; }
body > p { margin: 0 0 16px; }
@media (prefers-color-scheme: dark) { body { background: #101216; color: #e8eaee; } }
@media (max-width: 500px) { body { padding: 8px; } }
</style>
</head>
<body>
<h1>[[TITLE]]</h1>
<p>[[ABOUT]]</p>
<main>[[WIDGET]]</main>
<noscript><p>This page needs JavaScript to draw the pictures and to play the sounds.</p></noscript>
<script>
[[SCRIPT]]
</script>
</body>
</html>
"""
