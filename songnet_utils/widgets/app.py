"""``songnet app``: the page that listens, without a notebook around it.

One small web server on this machine serves the page and what it needs; the page does the rest. All
that it can ask of Python is to keep a labelled song (`songnet_utils.corpora.own`).

What keeps it safe: it listens on this machine only (127.0.0.1). It answers only requests that know
the token in the address that it prints, call it by this machine's name, and come from its own page;
everything else is refused before a byte of a body is read. The page may load nothing from elsewhere
or send anything there.
"""

from __future__ import annotations

import contextlib
import errno
import http.server
import logging
import os
import re
import secrets
import socketserver
import tempfile
import threading
import webbrowser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import data_folder, size_text
from songnet_utils.widgets import page

if TYPE_CHECKING:
    from songnet_utils.widgets.page import Contents, Source

#: Where it listens when nobody says another port.
PORT = 8765

_HERE = "127.0.0.1"
# How much of a song is read at a time, in bytes.
_PIECE = 2**16

_RULES = (
    "default-src 'none'; connect-src 'self' data: blob:; style-src 'unsafe-inline'; "
    "script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_log = logging.getLogger(__name__)


class App(socketserver.ThreadingTCPServer):
    """The page's server.

    Parameters
    ----------
    networks : sequence of Network or path or str, optional
        Which networks can be asked; see `songnet_utils.widgets.page.contents`.
    port : int
        Where to listen; 0: any port that is free.

    Attributes
    ----------
    address : str
        Of the page, with its token.

    Raises
    ------
    SongNetError
        When the port is in use or none, or a network cannot be read.
    """

    daemon_threads = True
    # On Windows this would let two programs listen at one port.
    allow_reuse_address = os.name != "nt"
    request_queue_size = 64

    def __init__(self, networks: Sequence[Source] | None = None, *, port: int = PORT) -> None:
        self.keeping = threading.Lock()
        self.token = secrets.token_urlsafe(24)
        # What is shown is put together while the page is on its way: that takes seconds.
        work = ThreadPoolExecutor(1)
        self.contents = work.submit(_contents, networks)
        if networks is not None:
            self.contents.result()
        try:
            super().__init__((_HERE, port), _Handler)
        except (OSError, OverflowError) as error:
            in_use = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "is in use: another program listens there" if in_use else f"({error})"
            raise SongNetError(
                f"port {port}: {reason}. Choose another (songnet app --port {port % 65_535 + 1}), "
                "or let it be chosen: --port 0"
            ) from error
        self.address = f"http://{_HERE}:{self.server_address[1]}/?token={self.token}"
        work.submit(page.medley.mp3)

    def serve(self, *, browser: bool = True) -> None:
        """Serve until Ctrl-C or `shutdown`; open the page in a browser, if asked."""
        if browser:
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        with self, contextlib.suppress(KeyboardInterrupt):
            self.serve_forever()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong; when a page is closed, requests end early."""
        _log.debug("a request ended early", exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: App
    #: How long a connection may be silent, in seconds.
    timeout = 60.0

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        _, token, *rest = url.path.split("/", 2)
        if url.path == "/":
            token = dict(parse_qsl(url.query)).get("token", "")
        if not self._is_allowed(token):
            return
        name = rest[0] if rest else ""
        contents = self.server.contents
        try:
            if url.path == "/":
                text = Path(__file__).with_name("app_page.html").read_text(encoding="utf-8")
                self._answer(200, Template(text).substitute(token=token), "text/html")
            elif name == "songnet.js":
                self._answer(200, page.script(), "text/javascript")
            elif name == "manifest.js":
                text = contents.result().manifest_script(f"/keep?token={token}")
                self._answer(200, text, "text/javascript")
            else:
                asset = name.removeprefix("assets/").removesuffix(".js")
                self._answer(200, contents.result().asset_script(asset), "text/javascript")
        except SongNetError as error:
            self._answer(404, str(error))

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        if not self._is_allowed(query.get("token", "")):
            return
        from songnet_utils.corpora import own, own_songs

        size = self.headers.get("Content-Length", "")
        if url.path != "/keep":
            self._answer(404, "There is nothing at this address.")
        elif not re.fullmatch("[0-9]{1,12}", size) or int(size) > own.MOST_BYTES:
            most = size_text(own.MOST_BYTES)
            self._answer(413, f"At most {most} of a song are kept. Cut it, or choose another.")
        else:
            with tempfile.TemporaryFile() as file:
                left = int(size)
                while left and (piece := self.rfile.read(min(left, _PIECE))):
                    file.write(piece)
                    left -= len(piece)
                if left:
                    return  # The page was closed.
                file.seek(0)
                try:
                    # In memory only while it is looked at, and one at a time.
                    with self.server.keeping:
                        given = {what: query.get(what) for what in ("name", "title", "artist")}
                        song = own_songs().add(file.read(), query.get("genre", ""), **given)
                    self._answer(200, f"{song} is kept: {song.file}")
                except SongNetError as error:
                    self._answer(422, str(error))

    def _is_allowed(self, token: str) -> bool:
        """Refuse whoever does not know the token, or is a page of another site.

        Such a page cannot call this machine by its name, not even when its own name has been made
        to lead here ("DNS rebinding"): the browser still sends that name.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        port = self.server.server_address[1]
        is_here = host in (f"{_HERE}:{port}", f"localhost:{port}")
        is_ours = origin in (None, f"http://{host}")
        knows = secrets.compare_digest(token.encode(), self.server.token.encode())
        if not (is_here and is_ours and knows):
            text = "Open the page at the address that songnet app printed, with its token."
            self._answer(403, text)
        return is_here and is_ours and knows

    def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(content)),
            "Content-Security-Policy": _RULES,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing of requests."""


def _contents(networks: Sequence[Source] | None) -> Contents:
    """Return what the page shows: the networks, a medley, and clips of mini."""
    clips = [page.medley_clip(), *page.clips_of_mini(data_folder())]
    return page.contents(networks, clips)
