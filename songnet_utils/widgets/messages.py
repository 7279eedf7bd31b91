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

#: Bytes in one message at most, both ways; some servers cut off larger ones.
MOST_IN_MESSAGE = 1_000_000

#: What stands before a widget's own JavaScript: small things of the listening page, and more.
COMMON = ("page/src/ui/dom.js", "common.js")

_log = logging.getLogger(__name__)


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
    A message of kind ``card`` is answered by the method ``_on_card``. Such methods return at once;
    what takes time is done in threads (`_start`), so that the kernel stays free. Whatever goes
    wrong is reported to the page. ``_subject`` names the entries of a message that a report
    repeats.
    """

    _subject: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **widget: Any) -> None:
        self._lock = threading.RLock()
        self._threads: list[threading.Thread] = []
        super().__init__(**widget)
        self.on_msg(self._receive)

    def wait(self) -> None:
        """Wait until no thread is working any more."""
        for thread in self._threads:
            thread.join()

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        answer = getattr(self, f"_on_{content.get('kind')}")
        self._carefully(self._about(content), answer, content, buffers)

    def _about(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: content.get(name) for name in self._subject}

    def _tell(self, kind: str, buffers: list[Any] | None = None, **content: Any) -> None:
        # One at a time: all threads speak through the same connection.
        with self._lock:
            self.send({"kind": kind, **content}, buffers)

    def _tell_sound(self, mp3: bytes, **about: Any) -> None:
        """Send a sound in pieces; `about` says with each of them which one it is."""
        for at in range(0, len(mp3), MOST_IN_MESSAGE):
            piece = mp3[at : at + MOST_IN_MESSAGE]
            self._tell("sound", [piece], at=at, of=len(mp3), mime="audio/mpeg", **about)

    def _carefully(self, about: Mapping[str, Any], work: Callable[..., None], *given: Any) -> None:
        """Do `work`; tell the page what went wrong, and log what is a fault of the program."""
        try:
            work(*given)
        except SongNetError as error:
            self._tell("error", text=str(error), **about)
        except Exception as error:
            _log.exception("%s met a fault", type(self).__name__)
            text = f"Internal error in Python ({type(error).__name__}: {error})."
            self._tell("error", text=text, **about)

    def _start(self, about: Mapping[str, Any], work: Callable[..., None], *given: Any) -> None:
        """Do `work` in a thread, as `_carefully` does."""
        # Messages sent from the thread belong to the cell or the message that asked for it.
        run = contextvars.copy_context().run
        arguments = (self._carefully, about, work, *given)
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()
