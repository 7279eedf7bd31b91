"""What the widgets share: a page asks, and Python answers, in threads where that takes time.

A widget's JavaScript and CSS begin with what is common to all (`COMMON`, ``common.css``): `joined`
puts the files together, since a page that anywidget sends has nowhere to import from.
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

#: Bytes of an asset in one message at most; some servers cut off larger ones.
MOST_IN_MESSAGE = 1_000_000

#: What stands before a widget's own JavaScript: small things of the listening page, and more.
COMMON = ("page/src/ui/dom.js", "common.js")

#: A message: what JSON can say, with its ``kind``, and bytes.
Message: TypeAlias = tuple[dict[str, Any], Sequence[bytes]]

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
    """A widget whose page and Python talk by messages.

    Notes
    -----
    A message of kind ``card`` is answered with what the method ``_on_card`` returns. Kinds that
    ``_slow`` names are answered in threads, so that the kernel stays free. Whatever goes wrong is
    an answer, too; ``_subject`` names the entries of a message that it repeats.
    """

    _subject: ClassVar[tuple[str, ...]] = ()
    _slow: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **widget: Any) -> None:
        self._lock = threading.RLock()
        super().__init__(**widget)
        self.on_msg(self._receive)

    def answer(self, content: dict[str, Any], buffers: Sequence[Any] = ()) -> Message | None:
        """Return the answer to a message; log what is a fault of the program."""
        try:
            return getattr(self, f"_on_{content.get('kind')}")(content, buffers)
        except SongNetError as error:
            text = str(error)
        except Exception as error:
            _log.exception("%s met a fault", type(self).__name__)
            text = f"Internal error in Python ({type(error).__name__}: {error})."
        return {"kind": "error", "text": text, **self._about(content)}, []

    def _about(self, content: dict[str, Any]) -> dict[str, Any]:
        return {name: content.get(name) for name in self._subject}

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content.get("kind") not in self._slow:
            self._reply(content, buffers)
            return
        # Messages sent from the thread belong to the cell or the message that asked for it.
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._reply, content, buffers), daemon=True).start()

    def _reply(self, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if answer := self.answer(content, buffers):
            self._tell(*answer)

    def _tell(self, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        # One at a time: all threads speak through the same connection.
        with self._lock:
            self.send(content, list(buffers))
