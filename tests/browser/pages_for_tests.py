"""A static page that listens, with the clips and networks that come with the project."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Page

RATE = 22_050

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Listen</title>
<link rel="icon" href="data:,">
<h1>A course</h1>
<h2>A lesson</h2>
<p>Text beside the page.</p>
<div class="songnet-page" data-base="songnet/"></div>
<script src="songnet/songnet.js"></script>
</html>
"""


def write_site(folder: Path) -> Path:
    """Write a page with the medley and two networks, and return its path."""
    from songnet_utils.widgets.page import medley_clip, write_page

    write_page(folder / "songnet", [medley_clip()])
    page = folder / "index.html"
    page.write_text(_PAGE)
    return page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder's files on this machine, and yield the folder's address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write_song(path: Path, seconds: float = 8.0, seed: int = 0) -> Path:
    """Write a song of chords and noise that come and go."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in rng.uniform(100, 2000, 4))
    beat = (time * 2 % 1 < 0.3) * rng.normal(0, 0.5, len(time))
    soundfile.write(path, (0.1 * chord + 0.2 * beat).astype(np.float32), RATE)
    return path


def wait_until_whole(page: Page) -> None:
    """Wait until the open song is answered to its end."""
    page.wait_for_selector(".sp-page[data-whole=true]", timeout=60_000)


def drop(page: Page, files: list[Path], where: str = "body") -> None:
    """Drop files on what a selector finds."""
    page.evaluate(
        "() => { const input = document.createElement('input'); input.type = 'file';"
        " input.multiple = true; input.id = 'dropped'; input.hidden = true;"
        " document.body.append(input); }"
    )
    page.set_input_files("#dropped", files)
    page.evaluate(
        """(where) => {
          const input = document.querySelector('#dropped');
          const dataTransfer = new DataTransfer();
          for (const file of input.files) dataTransfer.items.add(file);
          input.remove();
          const target = document.querySelector(where);
          for (const kind of ['dragenter', 'dragover', 'drop']) {
            const told = { bubbles: true, cancelable: true, dataTransfer };
            const event = new DragEvent(kind, told);
            target.dispatchEvent(event);
            if (!event.defaultPrevented) throw new Error(`the browser does what it likes: ${kind}`);
          }
        }""",
        where,
    )


def rows(page: Page) -> list[dict[str, Any]]:
    """Return the songs of the list: title, what is said, whether one is open or unreadable."""
    return page.evaluate(
        """[...document.querySelectorAll('.sp-song')].map((row) => ({
          title: row.querySelector('b').textContent,
          about: row.querySelector('.sp-faint').textContent,
          said: row.querySelector('.sp-said').textContent,
          open: row.ariaCurrent === 'true',
          unread: row.classList.contains('sp-unread'),
        }))"""
    )
