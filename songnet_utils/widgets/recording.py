"""Recordings of widgets' answers, made while a lesson runs, for pages without Python.

If ``SONGNET_RECORD`` is set, as `make course` sets it, a widget adds its recording to its cell's
output. `in_files` writes a recording beside a page, `place` returns the HTML that shows it, and
`script` the JavaScript that replays it. All this also works from disk, because the page fetches
nothing: a script tag loads a recording when the reader scrolls near it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, check_writable
from songnet_utils.plots import Picture
from songnet_utils.plots.players import Player
from songnet_utils.widgets.messages import COMMON, joined

#: The MIME type of a recording in a cell's output.
MIME = "application/vnd.songnet.recording+json"

#: The environment variable that makes widgets add their recording to their cell's output.
VARIABLE = "SONGNET_RECORD"

#: The HTML for a widget that has neither a still nor a recording.
STILL = '<p class="widget-here">To use this, run <code>make lab</code> and open the notebook.</p>'

#: The name of the script in the site's folder of files.
SCRIPT = "recordings.js"

_SUFFIXES = {
    **{"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"},
    **{"audio/mpeg": "mp3", "audio/wav": "wav"},
}
_INSIDE = re.compile(rf"data:(?P<kind>{'|'.join(_SUFFIXES)});base64,(?P<content>[A-Za-z0-9+/=]+)")

_NAME = re.compile(r"[0-9a-f]{20}\.\w+")

# The tag that marks our own pages.
_MARK = '<meta name="generator" content="SongNet, the course">'

# The placeholder for the folder of a recording's files; the page replaces it.
_FOLDER = "media:"

# The widgets that work on a page: each is a script that ends with `export default`.
_WIDGETS = ("cards", "confusion", "explorer", "kernels", "quiz", "slider")
_STYLES = ("common", "cards", "explorer", "kernels", "numbers", "slider")


class WithRecording:
    """A widget with a still and a recording for pages without Python."""

    def __repr__(self) -> str:
        """Return the text for a place with neither kernel nor HTML."""
        return f"{type(self).__name__}: open this notebook in JupyterLab and run it."

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)  # type: ignore[misc]
        if bundle is None:
            return None
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/html": self._still_html()}
        if os.environ.get(VARIABLE) and (recording := self.recording()):
            data[MIME] = recording
        return (data, *metadata) if metadata else data

    def _still_html(self) -> str:
        """Return the HTML for a page that runs no script."""
        return STILL

    def recording(self) -> dict[str, Any] | None:
        """Return the widget for pages without Python; None where the still is enough.

        Returns
        -------
        dict
            For JSON: ``widget`` names the script that shows it, ``note`` says how much the page
            has; the rest is for that script. Pictures and sounds are ``data:`` addresses.
        """
        return None

    def _answers(self: Any, messages: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Return the answers to some messages, as a recording holds them."""
        asked = list(messages)
        with smaller(), ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = pool.map(self.answer, asked)
            return {
                " ".join(map(str, message.values())): packed(*answer)
                for message, answer in zip(asked, answers, strict=True)
            }


def packed(content: dict[str, Any], buffers: Sequence[bytes] = ()) -> list[Any]:
    """Return a message to the page, as a recording holds it."""
    return [content, [base64.b64encode(one).decode("ascii") for one in buffers]]


def address_of(mp3: bytes) -> str:
    """Return a sound as a ``data:`` address."""
    return f"data:audio/mpeg;base64,{base64.b64encode(mp3).decode('ascii')}"


@contextlib.contextmanager
def smaller() -> Iterator[None]:
    """Make smaller pictures and sounds, because a page holds many of them."""
    usual = Player.compression, Picture.saved_as
    Player.compression, Picture.saved_as = 0.85, {"format": "webp", "dpi": 120}
    try:
        yield
    finally:
        Player.compression, Picture.saved_as = usual


def take_out(text: str, folder: Path, found_at: str) -> str:
    """Move the pictures and sounds inside a text into files; return it with their addresses.

    Parameters
    ----------
    text
        HTML or JSON with ``data:`` addresses.
    folder
        The folder for the files, which are named by their content: equal ones are one file.
    found_at
        The prefix of the files' addresses.
    """

    def outside(found: re.Match[str]) -> str:
        content = base64.b64decode(found["content"])
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{_SUFFIXES[found['kind']]}"
        _write(folder / name, content)
        return found_at + name

    return _INSIDE.sub(outside, text)


def in_files(recording: dict[str, Any], folder: Path) -> str:
    """Write a recording, its pictures and its sounds into a folder; return the recording's name."""
    text = take_out(json.dumps(recording, allow_nan=False), folder, _FOLDER)
    # The script is named by its content.
    name = hashlib.sha256(text.encode()).hexdigest()[:20]
    call = f'SongNetRecordings.add("{name}", {json.dumps(text)});\n'
    _write(folder / f"{name}.js", call.encode())
    return name


def place(name: str, media: str, still: str) -> str:
    """Return the HTML that shows a recording.

    Parameters
    ----------
    name
        As `in_files` returned it.
    media
        The folder's address for the page.
    still
        The HTML for readers without JavaScript.
    """
    return (
        f'<div class="songnet-recording" data-name="{html.escape(name)}" '
        f'data-media="{html.escape(media)}">{still}</div>'
    )


def script() -> str:
    """Return the JavaScript that replays the recordings on a page: a script, not a module."""
    widgets = []
    for name in _WIDGETS:
        text = joined(f"{name}.js").replace("export default", "return")
        widgets.append(f"widgets.{name} = (() => {{\n{text}}})();")
    style = json.dumps(joined(*(f"{name}.css" for name in _STYLES)))
    parts = [joined(*COMMON), "const widgets = {};", *widgets, f"const style = {style};"]
    return "\n".join(["(() => {", '"use strict";', *parts, joined("recording.js"), "})();\n"])


def check_free(folder: str | os.PathLike[str]) -> None:
    """Raise SongNetError unless a page can be saved there; it may replace one of our pages."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise SongNetError(f"{folder}: is a file. Choose a folder for the page.")
    page = folder / "index.html"
    check_writable(page)
    if page.exists() and _MARK not in page.read_text("utf-8", "replace"):
        raise SongNetError(
            f"{folder}: has another index.html, which would be lost. Choose another folder."
        )


def save_page(
    folder: str | os.PathLike[str], title: str, about: str, recording: dict[str, Any]
) -> Path:
    """Write a widget as a page: ``index.html``, and ``media/`` with its files.

    Parameters
    ----------
    folder : path
        The page's folder; one of our pages there is replaced.
    title, about : str
        The title and the text above the widget.
    recording : dict
        As `WithRecording.recording` returns it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SongNetError
        When another page is there, or the disk refuses the files.
    """
    check_free(folder)
    page, media = Path(folder).absolute() / "index.html", Path(folder) / "media"
    before = [file for file in media.glob("*") if _NAME.fullmatch(file.name)]
    name = in_files(recording, media)
    widget = place(name, "media/", "")
    template = Template(Path(__file__).with_name("saved_page.html").read_text(encoding="utf-8"))
    told = {"mark": _MARK, "title": html.escape(title), "about": html.escape(about)}
    text = template.substitute(told, widget=widget, script=script())
    _write(page, text.encode(), over=True)
    used = (media / f"{name}.js").read_text(encoding="utf-8")
    for file in before:
        if file.stem not in used:
            file.unlink()
    return page


def _write(file: Path, content: bytes, *, over: bool = False) -> None:
    if over or not file.exists():
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)
