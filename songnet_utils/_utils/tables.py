"""Printing where something is in the way: a closed or full stream, an old encoding, a bar."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any


class UnprintedError(Exception):
    """Standard output did not take what was printed."""


class _Stream:
    """Standard output or standard error; what it cannot take ends in no traceback.

    Parameters
    ----------
    stream : text stream
        Where to print.
    needed : bool
        Whether to raise `UnprintedError` when it takes nothing more.
    """

    def __init__(self, stream: Any, needed: bool) -> None:
        self._stream, self._needed = stream, needed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        return self._try(self._stream.write, text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, act: Callable[..., Any], *arguments: str) -> Any:
        try:
            return act(*arguments)
        except OSError as error:
            # Python tries once more, when it ends, to print what it still holds.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if self._needed:
                raise UnprintedError(error.strerror or str(error)) from error


@contextlib.contextmanager
def safe_streams() -> Iterator[None]:
    """Print in the block whatever the streams are; only a loss on stdout raises an error.

    Characters that an encoding lacks are printed as ``?``. A file that is opened in the block
    never takes the place of a stream that is closed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Nothing can be printed to what is opened for reading: as a closed stdout should, it
            # fails. Nobody misses what goes to a closed stderr.
            flags = os.O_WRONLY if name == "stderr" else os.O_RDONLY
            nowhere = os.fdopen(os.open(os.devnull, flags), "w" if number else "r")
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    with (
        contextlib.redirect_stdout(_Stream(sys.stdout, needed=True)),
        contextlib.redirect_stderr(_Stream(sys.stderr, needed=False)),
    ):
        yield


def print_note(text: str) -> None:
    """Print a line on stderr, with progress bars out of its way."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)
