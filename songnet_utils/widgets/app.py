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
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import data_folder, size_text
from songnet_utils.widgets import page

if TYPE_CHECKING:
    from songnet_utils.corpora import OwnSongs
    from songnet_utils.widgets.page import Contents, Source

#: Where it listens when nobody says another port.
PORT = 8765

_HERE = "127.0.0.1"
_NAMES = (_HERE, "localhost")
# How long a connection may be silent, in seconds, and how much of a song is read at a time.
_PATIENCE = 60.0
_PIECE = 2**16

_RULES = (
    "default-src 'none'; connect-src 'self' data: blob:; style-src 'unsafe-inline'; "
    "script-src 'self' blob: 'wasm-unsafe-eval'; worker-src blob:; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SongNet</title>
<link rel="icon" href="data:,">
</head>
<body>
<main><div class="songnet-page" data-base="/{token}/"></div></main>
<noscript>This page listens with JavaScript. Allow it, then load the page again.</noscript>
<script src="/{token}/songnet.js"></script>
</body>
</html>
"""

_log = logging.getLogger(__name__)


class App:
    """The page's server.

    Parameters
    ----------
    networks : sequence of Network or path or str, optional
        Which networks can be asked; see `songnet_utils.widgets.page.contents`.
    port : int
        Where to listen; 0: any port that is free.
    songs : OwnSongs, optional
        Where labelled songs are kept; those in the data folder by default.

    Attributes
    ----------
    address : str
        Of the page, with its token.

    Raises
    ------
    SongNetError
        When the port is in use or none, or a network cannot be read.
    """

    def __init__(
        self,
        networks: Sequence[Source] | None = None,
        *,
        port: int = PORT,
        songs: OwnSongs | None = None,
    ) -> None:
        # What is shown is put together while the page is on its way: that takes seconds.
        with contextlib.ExitStack() as undo:
            self._server = _listen(port)
            undo.callback(self._server.server_close)
            self._server.songs = songs
            work = ThreadPoolExecutor(1)
            self._server.contents = work.submit(_contents, networks)
            work.submit(page.medley.mp3)
            if networks is not None:
                self._server.contents.result()
            undo.pop_all()
        port = self._server.server_address[1]
        self.address = f"http://{_HERE}:{port}/?token={self._server.token}"

    def serve(self, *, browser: bool = True) -> None:
        """Serve until it is stopped (Ctrl-C, or `stop`); open the page in a browser, if wished."""
        if browser:
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        with self._server, contextlib.suppress(KeyboardInterrupt):
            self._server.serve_forever()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # On Windows this would let two programs listen at one port.
    allow_reuse_address = os.name != "nt"
    request_queue_size = 64
    contents: Future[Contents]
    songs: OwnSongs | None

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(24)
        self.keeping = threading.Lock()
        super().__init__((_HERE, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a fault of ours; a page that was closed is none."""
        _log.debug("a request ended early", exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        _, token, *rest = url.path.split("/", 2)
        if url.path == "/":
            token = dict(parse_qsl(url.query)).get("token", "")
        if not self._is_allowed(token):
            return
        name = rest[0] if rest else ""
        try:
            if url.path == "/":
                self._answer(200, _HTML.format(token=token), "text/html")
            elif name == "songnet.js":
                self._answer(200, page.script(), "text/javascript")
            elif name == "manifest.js":
                text = self.server.contents.result().manifest_script(f"/keep?token={token}")
                self._answer(200, text, "text/javascript")
            elif asset := re.fullmatch(r"assets/(.+)\.js", name):
                text = self.server.contents.result().asset_script(asset[1])
                self._answer(200, text, "text/javascript")
            else:
                self._answer(404, "There is nothing at this address.")
        except SongNetError as error:
            self._answer(404, str(error))

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        told = dict(parse_qsl(url.query))
        if not self._is_allowed(told.get("token", "")):
            return
        if url.path != "/keep":
            self._answer(404, "There is nothing at this address.")
            return
        from songnet_utils.corpora import own, own_songs

        size = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,12}", size):
            self._answer(411, "A song comes with its length.")
        elif int(size) > own.MOST_BYTES:
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
                        given = {what: told.get(what) for what in ("name", "title", "artist")}
                        songs = self.server.songs or own_songs()
                        song = songs.add(file.read(), told.get("genre", ""), **given)
                    self._answer(200, f"{song} is kept: {song.file}")
                except SongNetError as error:
                    self._answer(422, str(error))

    def _is_allowed(self, token: str) -> bool:
        """Refuse whoever does not know the token, or is a page of another site.

        Such a page cannot call this machine by its name, not even when its own name has been made
        to lead here ("DNS rebinding"): the browser still sends that name.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        try:
            is_here = urlsplit(f"//{host}").hostname in _NAMES
        except ValueError:
            is_here = False
        if not is_here or origin not in (None, f"http://{host}"):
            self._answer(403, "Open the page at the address that songnet app printed.")
        elif not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._answer(
                403, "Open the page at the address that songnet app printed, with its token."
            )
        else:
            return True
        return False

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


def _listen(port: int) -> _Server:
    try:
        return _Server(port)
    except OverflowError as error:
        raise SongNetError(
            f"port {port}: a port is a number from 0 (any that is free) to 65535."
        ) from error
    except OSError as error:
        reason = (
            "is in use: another program listens there, perhaps songnet app itself"
            if error.errno == errno.EADDRINUSE
            else f"cannot be listened at ({error.strerror or error})"
        )
        raise SongNetError(
            f"port {port}: {reason}. Choose another (songnet app --port {port % 65_535 + 1}), or "
            "let it be chosen: --port 0"
        ) from error


def _contents(networks: Sequence[Source] | None) -> Contents:
    """Return what the page shows: the networks, a medley, and the clips of mini, if it is there."""
    clips = [page.medley_clip(), *page.clips_of_mini(data_folder())]
    return page.contents(networks, clips)
