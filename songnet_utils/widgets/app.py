"""``songnet app``: the listening page without a notebook.

A small web server on this machine serves the page and its files; the page does the rest. The page
can ask Python for one thing only: to save a labelled song (`songnet_utils.corpora.own`).

Security: the server accepts connections from this machine only (127.0.0.1). It answers a request
only if it has the token from the printed address, calls the server by this machine's name and comes
from the server's own page. It refuses everything else before it reads a byte of the body. The page
may not load anything from elsewhere or send anything there.
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

#: The default port.
PORT = 8765

_HERE = "127.0.0.1"
# The bytes of a song to read at a time.
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
        The networks to offer; see `songnet_utils.widgets.page.contents`.
    port : int
        The port to use; 0 takes any free port.

    Attributes
    ----------
    address : str
        The page's address, with its token.

    Raises
    ------
    SongNetError
        When the port is invalid or in use, or a network cannot be read.
    """

    daemon_threads = True
    # On Windows, this would let two programs share a port.
    allow_reuse_address = os.name != "nt"
    request_queue_size = 64

    def __init__(self, networks: Sequence[Source] | None = None, *, port: int = PORT) -> None:
        self.keeping = threading.Lock()
        self.token = secrets.token_urlsafe(24)
        # Prepare the contents while the browser loads the page, because this takes seconds.
        work = ThreadPoolExecutor(1)
        self.contents = work.submit(_contents, networks)
        if networks is not None:
            self.contents.result()
        try:
            super().__init__((_HERE, port), _Handler)
        except (OSError, OverflowError) as error:
            in_use = getattr(error, "errno", None) == errno.EADDRINUSE
            reason = "is in use by another program" if in_use else f"({error})"
            raise SongNetError(
                f"port {port}: {reason}. Choose another (songnet app --port {port % 65_535 + 1}), "
                "or let songnet choose one with --port 0"
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
        """Log the error; a request ends early when you close its page."""
        _log.debug("a request ended early", exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: App
    #: The seconds after which a silent connection is closed.
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
            self._answer(413, f"A song may have at most {most}. Shorten it or choose another.")
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
                    # Hold only one song in memory at a time, and only while it is checked.
                    with self.server.keeping:
                        given = {what: query.get(what) for what in ("name", "title", "artist")}
                        song = own_songs().add(file.read(), query.get("genre", ""), **given)
                    self._answer(200, f"{song} is saved as {song.file}")
                except SongNetError as error:
                    self._answer(422, str(error))

    def _is_allowed(self, token: str) -> bool:
        """Refuse requests without the token and requests from pages of other sites.

        Another site's page cannot call this machine by its name. Even if its own name leads here
        ("DNS rebinding"), the browser still sends that name.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        port = self.server.server_address[1]
        is_here = host in (f"{_HERE}:{port}", f"localhost:{port}")
        is_ours = origin in (None, f"http://{host}")
        knows = secrets.compare_digest(token.encode(), self.server.token.encode())
        if not (is_here and is_ours and knows):
            text = "Open the page at the full address that songnet app printed, token included."
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
        """Do not log requests."""


def _contents(networks: Sequence[Source] | None) -> Contents:
    """Return what the page shows: the networks, a medley, and clips of mini."""
    clips = [page.medley_clip(), *page.clips_of_mini(data_folder())]
    return page.contents(networks, clips)
