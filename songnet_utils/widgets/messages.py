"""What the widgets share: messages both ways, sounds in pieces, and work in threads.

A widget's JavaScript and CSS begin with what is common to all (`COMMON`, ``common.css``): `joined`
puts the files together, since a page that anywidget sends has nowhere to import from.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget

from songnet_utils._utils.errors import SongNetError

#: Bytes in one message at most, both ways; larger ones are cut off by some servers.
MOST_IN_MESSAGE = 1_000_000

#: What stands before a widget's own JavaScript: small things of the listening page, and more.
COMMON = ("page/src/ui/dom.js", "common.js")

_log = logging.getLogger(__name__)


class MalformedError(Exception):
    """A message of the page does not hold what its kind asks for."""


class Content(dict):
    """What a message of the page holds; an entry that is asked for is there, or it is malformed."""

    def __missing__(self, name: str) -> Any:
        raise MalformedError(f"it has no {name!r}")

    def whole(self, name: str) -> int:
        """Return an entry that must be a whole number."""
        try:
            return int(self[name])
        except (TypeError, ValueError, OverflowError) as error:
            raise MalformedError(f"its {name!r} is no whole number") from error

    def text(self, name: str) -> str:
        """Return an entry that must be a text."""
        if not isinstance(self[name], str):
            raise MalformedError(f"its {name!r} is no text")
        return self[name]


def first_of(buffers: list[memoryview]) -> memoryview:
    """Return the bytes that must have come with a message."""
    if not buffers:
        raise MalformedError("no bytes came with it")
    return buffers[0]


def joined(*names: str) -> str:
    """Return files that stand beside this one as one text, in order.

    Before a script of which there is HTML comes that HTML, as the script's constant ``pieces``.
    """
    return "\n".join(_text(Path(__file__).parent / name) for name in names)


def _text(file: Path) -> str:
    text, pieces = file.read_text(encoding="utf-8"), file.with_suffix(".html")
    text = re.sub("^export (?!default)", "", text, flags=re.MULTILINE)
    if file.suffix == ".js" and pieces.exists():
        return f"const pieces = {json.dumps(pieces.read_text(encoding='utf-8'))};\n{text}"
    return text


class Messages(anywidget.AnyWidget):
    """A widget whose page and Python talk by messages: a dict with a ``kind``, perhaps bytes.

    Notes
    -----
    A class that stands on it has ``_handlers``, a method for each kind of message from the page.
    Handlers return at once; what takes time is done in threads (`_start`), so the kernel stays
    free. What they need of a message they ask of its `Content`, and refuse what else is wrong with
    it by `MalformedError`: any other exception is a fault of ours, logged as one.
    ``_subject`` names the entries of a message that an error about it repeats.
    """

    _handlers: ClassVar[dict[str, Callable[[Any, Content, list], None]]] = {}
    _subject: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **widget: Any) -> None:
        self._lock = threading.RLock()
        self._threads: list[threading.Thread] = []
        super().__init__(**widget)
        self.on_msg(self._receive)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is being worked at in a thread, `seconds` at most."""
        while threads := [thread for thread in self._threads if thread.is_alive()]:
            threads[0].join(seconds)
            if seconds is not None:
                return

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Add what pages without a kernel show, if anything; JupyterLab shows the widget."""
        bundle = super()._repr_mimebundle_(**options)
        table = self._table()
        if bundle is None or not table:
            return bundle
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        data = {**data, "text/html": table}
        return (data, *metadata) if metadata else data

    def _table(self) -> str:
        """Return what stands in the widget's place where there is no kernel, as HTML."""
        return ""

    def _receive(self, _: Any, content: Any, buffers: list[memoryview]) -> None:
        """Answer a message of the page; whatever it holds, the kernel lives on."""
        about = self._subject_of(content)
        try:
            if not isinstance(content, dict):
                raise MalformedError("it is no dict")
            content = Content(content)
            kind = content.text("kind")
            if kind not in self._handlers:
                raise MalformedError(f"there is no kind {kind!r}")
            self._handlers[kind](self, content, buffers)
        except SongNetError as error:
            self._tell("error", text=str(error), **about)
        except MalformedError as error:
            _log.warning("a message was left out, since %s: %.200r", error, content)
        except Exception as error:
            self._tell_fault(error, about)

    def _subject_of(self, content: Any) -> dict[str, Any]:
        if not isinstance(content, dict):
            return {}
        return {name: content.get(name) for name in self._subject}

    def _tell(self, kind: str, buffers: list[Any] | None = None, **content: Any) -> None:
        # One at a time: handlers and threads all speak through the same connection.
        with self._lock:
            self.send({"kind": kind, **content}, buffers)

    def _tell_fault(self, error: Exception, about: Mapping[str, Any]) -> None:
        """Log a fault of ours with its traceback; tell the page that it is one."""
        _log.exception("%s met a fault", type(self).__name__)
        self._tell(
            "error",
            text=f"Something went wrong in Python ({type(error).__name__}: {error}). This is an "
            "internal error, a fault of the program and not of your music; what was there stays.",
            **about,
        )

    def _tell_sound(self, mp3: bytes, **about: Any) -> None:
        """Send a sound in pieces; `about` says with each of them which one it is."""
        for at in range(0, len(mp3), MOST_IN_MESSAGE):
            piece = mp3[at : at + MOST_IN_MESSAGE]
            self._tell("sound", [piece], at=at, of=len(mp3), mime="audio/mpeg", **about)

    def _start(
        self,
        work: Callable[..., None],
        *arguments: Any,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Do `work` in a thread; the page is told in words what went wrong, and with what."""

        def carefully() -> None:
            try:
                work(*arguments)
            except SongNetError as error:
                self._tell("error", text=str(error), **(about or {}))
            except Exception as error:
                self._tell_fault(error, about or {})

        # Messages sent from the thread belong to the cell or the message that asked for it.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run,
            args=(carefully,),
            name=f"{type(self).__name__}: {work.__name__}",
            daemon=True,
        )
        self._threads = [thread for thread in self._threads if thread.is_alive()] + [thread]
        thread.start()
