"""Widgets as pages without Python: one file of HTML, and what it fetches by name beside it."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from songnet_utils.errors import SongNetError
from songnet_utils.files import cannot_write, check_writable

# What tells a page of ours from somebody else's files.
_MARK = '<meta name="generator" content="SongNet, the course">'

_SOUND = re.compile(r"\d+-\d{4,}\.mp3")


class Page:
    """A folder with a page, written beside its place and put there when it is whole.

    Parameters
    ----------
    folder : path
        Where it shall stand: nothing may be there but a page that was written by this class.

    Raises
    ------
    SongNetError
        When something else is there, or the disk refuses.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder).absolute()
        check_free(self._folder)
        self._new = self._folder.with_name(f".{self._folder.name}-{secrets.token_hex(4)}")

    def __enter__(self) -> Page:
        try:
            self._new.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._new, ignore_errors=True)

    def add(self, name: str, content: bytes) -> None:
        """Write a file beside the page; `name` is relative to the folder."""
        try:
            file = self._new / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def finish(
        self,
        title: str,
        about: str,
        sources: tuple[str, str],
        data: dict[str, Any],
        buffers: list[bytes],
    ) -> Path:
        """Write the page itself and put everything in its place; return the page's path.

        Parameters
        ----------
        title, about : str
            What stands above the widget.
        sources : tuple of str
            The widget's JavaScript, which has a function ``openPage``, and its CSS.
        data : dict
            What that function finds, as JSON.
        buffers : list of bytes
            What it finds besides.
        """
        whole = {**data, "buffers": [base64.b64encode(one).decode("ascii") for one in buffers]}
        # Inside a <script>, "<" could end it.
        content = json.dumps(whole, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
        script, style = sources
        text = _PAGE
        for name, value in {
            **{"MARK": _MARK, "TITLE": html.escape(title), "ABOUT": html.escape(about)},
            # The data last: they may hold anything.
            **{"STYLE": style, "SCRIPT": script, "DATA": content},
        }.items():
            text = text.replace(f"[[{name}]]", value)
        self.add("index.html", text.encode())
        old = self._new.with_name(f"{self._new.name}-old")
        try:
            check_free(self._folder)
            if self._folder.exists():
                self._folder.replace(old)
            self._new.replace(self._folder)
        except OSError as error:
            if old.exists():
                old.replace(self._folder)
            raise cannot_write(self._folder, error) from error
        shutil.rmtree(old, ignore_errors=True)
        return self._folder / "index.html"


def check_free(folder: Path) -> None:
    """Raise SongNetError unless a page can be put there and would replace only one of ours."""
    if folder.exists() and not folder.is_dir():
        raise SongNetError(f"{folder}: is a file, so no page can be put there. Choose a folder.")
    page = folder / "index.html"
    # It is written beside its place.
    check_writable(folder.with_name(f".{folder.name}") if folder.exists() else folder)
    if not folder.exists():
        return
    ours = page.is_file() and _MARK in page.read_text("utf-8", "replace")[:2000]
    sounds = folder / "sounds"
    inside = sounds.iterdir() if sounds.is_dir() and not sounds.is_symlink() else ()
    for entry in sorted([*folder.iterdir(), *inside]):
        name = entry.relative_to(folder)
        part_of_it = entry in (page, sounds) or (
            entry.parent == sounds and _SOUND.fullmatch(entry.name)
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
[[STYLE]]
</style>
</head>
<body>
<h1>[[TITLE]]</h1>
<p>[[ABOUT]]</p>
<main id="widget"></main>
<noscript><p>This page needs JavaScript to draw the pictures and to play the sounds.</p></noscript>
<script type="application/json" id="data">[[DATA]]</script>
<script type="module">
[[SCRIPT]]
openPage();
</script>
</body>
</html>
"""
