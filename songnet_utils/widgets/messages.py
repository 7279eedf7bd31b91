"""The base of the widgets: a page asks, and Python answers, in threads where that takes time.

A widget's JavaScript and CSS begin with the files that all share (`COMMON`, ``common.css``).
`joined` joins the files, because a script that anywidget sends cannot import others.
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import anywidget

from songnet_utils._utils.errors import SongNetError

#: The most bytes of an asset in one message; some servers cut off larger messages.
MOST_IN_MESSAGE = 1_000_000

#: The scripts before a widget's own: helpers of the listening page, then those of all widgets.
COMMON = ("page/src/ui/dom.js", "common.js")

#: A message: a dictionary for JSON with its ``kind``, and buffers of bytes.
Message: TypeAlias = tuple[dict[str, Any], Sequence[bytes]]

_log = logging.getLogger(__name__)


def joined(*names: str) -> str:
    """Return files beside this one as one text, in order.

    A script that has an HTML file of the same name gets that HTML as its constant ``pieces``.
    """
    return "\n".join(_text(Path(__file__).parent / name) for name in names)


def _text(file: Path) -> str:
    text, pieces = file.read_text(encoding="utf-8"), file.with_suffix(".html")
    text = re.sub("^export (?!default)", "", text, flags=re.MULTILINE)
    if file.suffix == ".js" and pieces.exists():
        return f"const pieces = {json.dumps(pieces.read_text(encoding='utf-8'))};\n{text}"
    return text


class Messages(anywidget.AnyWidget):
    """A widget whose page and Python exchange messages.

    Notes
    -----
    The method ``_on_card`` returns the answer to a message of kind ``card``. Threads answer the
    kinds in ``_slow``, so that the kernel stays free. An error is an answer, too; it repeats the
    message's entries that ``_subject`` names.
    """

    _subject: ClassVar[tuple[str, ...]] = ()
    _slow: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **widget: Any) -> None:
        self._lock = threading.RLock()
        super().__init__(**widget)
        self.on_msg(self._receive)

    def answer(self, content: dict[str, Any], buffers: Sequence[Any] = ()) -> Message | None:
        """Return the answer to a message; log errors of the program."""
        try:
            return getattr(self, f"_on_{content.get('kind')}")(content, buffers)
        except SongNetError as error:
            text = str(error)
        except Exception as error:
            _log.exception("%s failed", type(self).__name__)
            text = f"Internal error in Python ({type(error).__name__}: {error})."
        return {"kind": "error", "text": text, **self._about(content)}, []

    def _about(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: content.get(name) for name in self._subject}

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content.get("kind") not in self._slow:
            self._reply(content, buffers)
            return
        # Messages from the thread belong to the cell or message that started it.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._reply, content, buffers), daemon=True).start()

    def _reply(self, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if answer := self.answer(content, buffers):
            self._tell(*answer)

    def _tell(self, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        # All threads share one connection, so send one message at a time.
        with self._lock:
            self.send(content, list(buffers))
