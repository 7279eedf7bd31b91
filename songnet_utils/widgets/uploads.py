"""Files that come from a page in pieces (uploads.js sends them).

ipywidgets' own upload loses files over about 10 MB without a word. Here a page sends pieces of at
most `MOST_IN_MESSAGE` bytes, each when the one before it was acknowledged. What comes is kept in
memory and handed on whole; its name is a text and names nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from songnet_utils.errors import SongNetError
from songnet_utils.files import size_text
from songnet_utils.widgets.messages import MOST_IN_MESSAGE, Content, MalformedError, first_of

#: Characters of a file's name that are kept.
MOST_IN_NAME = 255


class Uploads:
    """One file at a time; a new one takes the place of an unfinished one.

    Parameters
    ----------
    tell : callable
        Sends the page a message of a kind, as `Messages._tell` does.
    arrived : callable
        Called once with a file's name, its bytes and the page's number of it when all of it is
        there; returns at once.
    most_bytes : int
        The largest file that is taken.

    Notes
    -----
    From the page: ``upload`` (upload, a number; name; bytes), ``chunk`` (upload; at, where in the
    file; and the bytes), ``cancel`` (upload). To the page: ``taken`` (upload; bytes, how many).
    """

    def __init__(
        self,
        tell: Callable[..., None],
        arrived: Callable[[str, bytes, int], None],
        most_bytes: int,
    ) -> None:
        self._tell, self._arrived, self._most_bytes = tell, arrived, most_bytes
        self._lock = threading.Lock()
        self._number: Any = None
        self._name, self._size, self._pieces, self._taken = "", 0, list[bytes](), 0

    def begin(self, content: Content) -> None:
        """Take note of a file that is to come.

        Raises
        ------
        SongNetError
            When it is too large.
        """
        number, name, size = content.whole("upload"), str(content["name"]), content.whole("bytes")
        if size < 0:
            raise MalformedError("it is of a file of less than no bytes")
        if len(name) > MOST_IN_NAME:
            # The ending says what it is.
            name = f"{name[: MOST_IN_NAME - 11]}…{name[-10:]}"
        if size > self._most_bytes:
            raise SongNetError(
                f"{name}: has {size_text(size)}; at most {size_text(self._most_bytes)} are taken. "
                "Cut it, or export it in a smaller format (mp3)."
            )
        with self._lock:
            self._number, self._name, self._size = number, name, size
            self._pieces, self._taken = [], 0
        self._acknowledge(number)

    def chunk(self, content: Content, buffers: list[memoryview]) -> None:
        """Take a piece; one that comes twice, or of another file, is left out."""
        number = content["upload"]
        with self._lock:
            if self._number is None or number != self._number:
                return
            if content["at"] == self._taken < self._size:
                room = min(self._size - self._taken, MOST_IN_MESSAGE)
                self._pieces.append(bytes(first_of(buffers)[:room]))
                self._taken += len(self._pieces[-1])
        self._acknowledge(number)

    def cancel(self, content: Content) -> None:
        """Forget a file that has not come to its end."""
        with self._lock:
            if content["upload"] == self._number:
                self._number, self._pieces = None, []

    def _acknowledge(self, number: int) -> None:
        with self._lock:
            if number != self._number:
                return
            taken, whole = self._taken, None
            if self._taken == self._size:
                whole = b"".join(self._pieces)
                self._number, self._pieces = None, []
        self._tell("taken", upload=number, bytes=taken)
        if whole is not None:
            self._arrived(self._name, whole, number)
