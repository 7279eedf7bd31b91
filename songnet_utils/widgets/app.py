"""``songnet app``: the live song and one's own songs as a page, without a notebook around it.

One small web server on this machine serves one page, and talks to each that is open over a
WebSocket. The widgets are those of the notebooks: their JavaScript runs as it is, with a stand-in
for Jupyter's model (app.js), and their messages go through the socket. There is no kernel: a page
can only ask for what the widgets' messages ask for, and nothing that comes from it is ever run.
All pages share the networks, which are loaded once.

What keeps it safe: it listens on this machine only (127.0.0.1), answers only requests that name it
so and pages that it served itself (another site that a browser has open is neither), and its pages
may load nothing from elsewhere. What keeps it small: the widgets' limits on size and time, and
those below.

On the wire a message is the number of bytes of a header (4 bytes, big end first), the header, and
its buffers. The header is JSON: ``widget`` ("" is the page itself), ``content``, and ``buffers``,
how many bytes each has.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import json
import logging
import struct
import threading
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from songnet_utils.corpora import OwnSongs, data_folder, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.fetch import musicnn_is_whole
from songnet_utils.network import Network
from songnet_utils.widgets.growing import GrowSongs
from songnet_utils.widgets.live import LiveSong
from songnet_utils.widgets.messages import MOST_IN_MESSAGE, Messages

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus

#: Where it listens when nobody says another port.
PORT = 8765

#: Pages that are open at a time, songs that one of them takes, and how long one may do nothing, in
#: seconds (a song of two hours can be heard out).
MOST_PAGES = 6
MOST_UPLOADS = 100
QUIET_SECONDS = 3 * 3600.0

_HERE = "127.0.0.1"
_NAMES = (_HERE, "localhost")
# Headers are small; a song's title or a list of songs is what is longest in them.
_MOST_HEADER = 100_000
# How long learning may take to stop when the program does, in seconds.
_PATIENCE = 10.0

_log = logging.getLogger(__name__)

NO_NETWORK = (
    "There is no network on this machine yet, so nothing can be heard. In a terminal, fetch the "
    "pretrained listener for real songs (songnet fetch musicnn) or train one of your own (songnet "
    "train mini). Then load this page again."
)


class App:
    """The page's server.

    Parameters
    ----------
    corpus : Corpus or str, optional
        Whose clips can be chosen, as `open_corpus` takes it; by default mini, if it is there.
    networks : sequence of Network or path or str, optional
        Who can be asked, as `LiveSong` takes it; by default the newest run and the pretrained
        listener, where they are there: looked for whenever a page opens. The first run among them
        is the one that learns.
    songs : OwnSongs or path, optional
        One's own songs; those in the data folder by default.
    port : int
        Where to listen; 0: any port that is free.

    Attributes
    ----------
    address : str
        Of the page.

    Raises
    ------
    SongNetError
        When the port is in use or none, the corpus cannot be opened, or a network cannot be read.
    """

    def __init__(
        self,
        corpus: Corpus | str | None = None,
        networks: Sequence[Network | str | Path] | None = None,
        *,
        songs: OwnSongs | str | Path | None = None,
        port: int = PORT,
    ) -> None:
        # First, so that a program that runs already is told of before seconds of waiting.
        self._sockets = _listen(port)
        self.address = f"http://{_HERE}:{self._sockets[0].getsockname()[1]}/"
        try:
            if corpus is None and (data_folder() / "mini" / "mini.json").is_file():
                corpus = "mini"
            self.corpus = open_corpus(corpus) if isinstance(corpus, str) else corpus
            self._sources = None if networks is None else list(networks)
            self._songs = songs
            self._loaded: dict[tuple[str, int], Network] = {}
            self._loading = threading.Lock()
            #: Whether there is a network to ask; one may still come.
            self.hears = bool(self.networks())
        except BaseException:
            for socket in self._sockets:
                socket.close()
            raise
        self.pages: set[_Talk] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def serve(self, *, browser: bool = True) -> None:
        """Serve until it is stopped (Ctrl-C, or `stop`); open the page in a browser, if wished."""
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve(browser))

    def stop(self) -> None:
        """End `serve`, from another thread."""
        if self.loop is not None and self._ended is not None:
            self.loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self, browser: bool) -> None:
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        server = tornado.httpserver.HTTPServer(self._application())
        server.add_sockets(self._sockets)
        watching = asyncio.create_task(self._let_go())
        if browser:
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        try:
            await self._ended.wait()
        finally:
            watching.cancel()
            server.stop()
            pages = list(self.pages)
            for page in pages:
                page.end("songnet app was stopped. Start it again, then load this page again.")
            await asyncio.gather(*(asyncio.to_thread(page.wait, _PATIENCE) for page in pages))
            await server.close_all_connections()

    async def _let_go(self) -> None:
        """End pages on which nothing has happened for long."""
        while True:
            await asyncio.sleep(min(30.0, QUIET_SECONDS / 4))
            for page in list(self.pages):
                if time.monotonic() - page.heard_at > QUIET_SECONDS:
                    page.end("Nothing happened on this page for hours. Load it again to go on.")

    def networks(self) -> list[Network]:
        """Return the networks that can be asked, loaded; they are shared by all pages."""
        with self._loading:
            sources = self._sources if self._sources is not None else _found()
            networks, kept = [], {}
            for source in sources:
                if isinstance(source, Network):
                    networks.append(source)
                    continue
                key = _version(source)
                kept[key] = self._loaded.get(key) or _load(source)
                networks.append(kept[key])
            self._loaded = kept
        names = [network.name for network in networks]
        for source, network in zip(sources, networks, strict=True):
            # Two runs of one kind have one name.
            if names.count(network.name) > 1 and not isinstance(source, Network):
                network.name = f"{network.name} ({Path(source).name})"
        return networks

    def widgets(self) -> tuple[dict[str, Messages], str]:
        """Return a page's widgets by name, and what is to be said besides, if anything."""
        networks = self.networks()
        live = LiveSong(self.corpus, networks) if networks else None
        places = [source for source in self._sources or () if not isinstance(source, Network)]
        run = next((Path(place) for place in places if place != "musicnn"), None)
        grow = GrowSongs(live, songs=self._songs, run=run, corpus=self._corpus_of(run))
        widgets: dict[str, Messages] = {"live": live} if live is not None else {}
        return {**widgets, "grow": grow}, "" if networks else NO_NETWORK

    def _corpus_of(self, run: Path | None) -> Corpus | None:
        """Return the page's corpus if that is what the run that learns was trained on."""
        from songnet_utils.training import newest_run, read_record

        run = run or newest_run()
        if run is None or self.corpus is None:
            return None
        return self.corpus if read_record(run).get("corpus") == self.corpus.name else None

    def _application(self) -> tornado.web.Application:
        def text(name: str) -> str:
            return Path(__file__).with_name(name).read_text(encoding="utf-8")

        files = {
            "": ("text/html", text("app.html")),
            "app.js": ("text/javascript", text("app.js")),
            "app.css": ("text/css", text("app.css")),
            "live.js": ("text/javascript", LiveSong._esm),
            "live.css": ("text/css", LiveSong._css),
            "grow.js": ("text/javascript", GrowSongs._esm),
            "grow.css": ("text/css", GrowSongs._css),
        }
        return tornado.web.Application(
            [
                (r"/talk", _Talk, {"app": self}),
                (r"/([a-z.]*)", _File, {"files": files}),
            ],
            default_handler_class=_Nothing,
            log_function=lambda handler: None,
            websocket_ping_interval=30,
            websocket_max_message_size=MOST_IN_MESSAGE + _MOST_HEADER,
        )


class _Here(tornado.web.RequestHandler):
    """Answers only who calls this machine by its own name.

    A page of another site cannot do so, not even when its name has been made to lead here ("DNS
    rebinding"): the browser still sends that name.
    """

    def prepare(self) -> None:
        if urlsplit(f"//{self.request.host}").hostname not in _NAMES:
            raise tornado.web.HTTPError(403, reason="Open it as the address that was printed")

    def set_default_headers(self) -> None:
        own = f"'self' ws://{self.request.host}"
        self.set_header(
            "Content-Security-Policy",
            f"default-src 'none'; connect-src {own}; script-src 'self' blob:; style-src 'self'; "
            "img-src 'self' data: blob:; media-src 'self' blob:; worker-src blob:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **about: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {self._reason}.\n")


class _Nothing(_Here):
    """What is asked for under any other address."""

    def prepare(self) -> None:
        super().prepare()
        raise tornado.web.HTTPError(404)


class _File(_Here):
    def initialize(self, files: dict[str, tuple[str, str]]) -> None:
        self.files = files

    def get(self, name: str) -> None:
        if name not in self.files:
            raise tornado.web.HTTPError(404)
        kind, text = self.files[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish(text)


class _Talk(tornado.websocket.WebSocketHandler, _Here):
    """One page that is open: its widgets, and what goes to and fro.

    Tornado refuses pages of other origins than its own.
    """

    def initialize(self, app: App) -> None:
        self.app = app
        self.made: dict[str, Messages] = {}
        self.left: list[Messages] = []  # widgets that nobody sees any more
        self.uploads: set[Any] = set()
        self.heard_at = time.monotonic()
        self.over = False

    async def open(self, *arguments: str, **more: str) -> None:
        self.set_nodelay(True)
        if len(self.app.pages) >= MOST_PAGES:
            self.end(
                f"{MOST_PAGES} pages are open already, the most at a time. Close one, then load "
                "this one again."
            )
            return
        self.app.pages.add(self)
        loop = asyncio.get_running_loop()
        try:
            widgets, notice = await loop.run_in_executor(None, self.app.widgets)
        except SongNetError as error:
            self.end(str(error))
            return
        for name, widget in widgets.items():
            # There is no kernel, and so no comm, to speak through.
            widget.send = functools.partial(self.post, name)
        self.made = widgets
        if self.over:  # It was closed meanwhile.
            self.on_close()
            return
        self.post("", {"kind": "widgets", "widgets": list(widgets), "notice": notice})

    def on_message(self, message: str | bytes) -> None:
        self.heard_at = time.monotonic()
        try:
            header, buffers = unpacked(message)
            widget, content = self.made[header["widget"]], header["content"]
        except (ValueError, KeyError, TypeError):
            _log.warning("a message that makes no sense was left out: %.200r", message)
            return
        if isinstance(content, dict) and content.get("kind") == "upload":
            self.uploads.add(str(content.get("upload"))[:40])
            if len(self.uploads) > MOST_UPLOADS:
                self.end(
                    f"This page has taken {MOST_UPLOADS} songs, the most that one page takes. "
                    "Load it again to go on."
                )
                return
        widget._receive(widget, content, buffers)

    def post(
        self, widget: str, content: dict[str, Any], buffers: Sequence[Any] | None = None
    ) -> None:
        """Send the page a message, from any thread."""
        message = packed({"widget": widget, "content": content}, buffers or ())
        assert self.app.loop is not None
        with contextlib.suppress(RuntimeError):  # The program has ended.
            self.app.loop.call_soon_threadsafe(self._post, message)

    def _post(self, message: bytes) -> None:
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):
            self.write_message(message, binary=True)

    def end(self, why: str) -> None:
        """Say why it is over, and let the page go."""
        self._post(packed({"widget": "", "content": {"kind": "end", "text": why}}, ()))
        self.close(1000, "over")
        self.on_close()

    def on_close(self) -> None:
        self.over = True
        self.app.pages.discard(self)
        self.left += self.made.values()
        self.made = {}
        for widget in self.left:
            widget.leave()
            # ipywidgets keeps a layout for each, which would stay.
            layout = widget.layout
            widget.close()
            layout.close()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is being worked at for this page, `seconds` at most."""
        until = time.monotonic() + seconds
        for widget in self.left:
            widget.wait(max(0.0, until - time.monotonic()))


def packed(header: dict[str, Any], buffers: Sequence[Any]) -> bytes:
    """Return a message as it goes over the wire."""
    views = [memoryview(buffer).cast("B") for buffer in buffers]
    sizes = [len(view) for view in views]
    # Numbers of numpy and pandas count as numbers.
    text = json.dumps({**header, "buffers": sizes}, default=lambda value: value.item()).encode()
    return b"".join([struct.pack(">I", len(text)), text, *views])


def unpacked(message: str | bytes) -> tuple[dict[str, Any], list[memoryview]]:
    """Return the header and the buffers of a message that came over the wire.

    Raises
    ------
    ValueError
        When it is none.
    """
    if isinstance(message, str) or len(message) < 4:
        raise ValueError("a message begins with 4 bytes")
    view = memoryview(message)
    at = 4 + struct.unpack(">I", view[:4])[0]
    header = json.loads(bytes(view[4:at]).decode())
    if not isinstance(header, dict) or not isinstance(header.get("buffers"), list):
        raise ValueError("a header says how many bytes each buffer has")
    buffers = []
    for size in header["buffers"]:
        if type(size) is not int or not 0 <= size <= len(view) - at:
            raise ValueError(f"no buffer has {size!r} bytes here")
        buffers.append(view[at : at + size])
        at += size
    return header, buffers


def _listen(port: int) -> list[Any]:
    if not 0 <= port <= 65_535:
        raise SongNetError(f"port {port}: a port is a number from 0 (any that is free) to 65535.")
    try:
        return tornado.netutil.bind_sockets(port, _HERE)
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


def _found() -> list[Network | str | Path]:
    """Return the newest run and the pretrained listener, where they are there."""
    from songnet_utils.training import newest_run

    run = newest_run()
    found: list[Network | str | Path] = [] if run is None else [run]
    return found + (["musicnn"] if musicnn_is_whole() else [])


def _version(source: str | Path) -> tuple[str, int]:
    """Return what tells a network on disk from what was there before under the same name."""
    model = Path(source) / "model.keras"
    return str(source), model.stat().st_mtime_ns if model.is_file() else 0


def _load(source: str | Path) -> Network:
    from songnet_utils.models import load_songnet

    return load_songnet(source)
