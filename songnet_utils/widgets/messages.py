"""What the widgets share: messages both ways, sounds in pieces, and work in threads.

A widget's JavaScript and CSS begin with what is common to all (``common.js``, ``common.css``):
`joined` puts the files together, since a page that anywidget sends has nowhere to import from.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget

from songnet_utils.errors import SongNetError

#: Bytes in one message at most, both ways; larger ones are cut off by some servers.
MOST_IN_MESSAGE = 1_000_000

_log = logging.getLogger(__name__)


def joined(*names: str) -> str:
    """Return files that stand beside this one as one text, in order."""
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


class Messages(anywidget.AnyWidget):
    """A widget whose page and Python talk by messages: a dict with a ``kind``, perhaps bytes.

    Notes
    -----
    A class that stands on it has ``_handlers``, a method for each kind of message from the page.
    Handlers return at once; what takes time is done in threads (`_start`), so the kernel stays
    free. ``_subject`` names the entries of a message that an error about it repeats.
    """

    _handlers: ClassVar[dict[str, Callable[[Any, dict, list], None]]] = {}
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

    def leave(self) -> None:
        """Stop what is going on, and forget what is large: nobody is there any more."""

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
            self._handlers[content["kind"]](self, content, buffers)
        except SongNetError as error:
            self._tell("error", text=str(error), **about)
        except (KeyError, TypeError, IndexError, ValueError, AttributeError):
            _log.warning("a message that makes no sense was left out: %.200r", content)

    def _subject_of(self, content: Any) -> dict[str, Any]:
        if not isinstance(content, dict):
            return {}
        return {name: content.get(name) for name in self._subject}

    def _tell(self, kind: str, buffers: list[Any] | None = None, **content: Any) -> None:
        # One at a time: handlers and threads all speak through the same connection.
        with self._lock:
            self.send({"kind": kind, **content}, buffers)

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
                _log.exception("%s met a fault", type(self).__name__)
                self._tell(
                    "error",
                    text=f"Something went wrong in Python ({type(error).__name__}: {error}). "
                    "This is a fault of the program, not of your music; what was there stays.",
                    **(about or {}),
                )

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
