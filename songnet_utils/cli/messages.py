"""What the commands print on stderr, and the exit codes."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from typing import Any

from songnet_utils._utils.errors import SongNetWarning

#: The exit codes besides 0.
FAILED, MISUSED, STOPPED = 1, 2, 130

# Name at most this many of the clips that were left out.
_MOST_NAMED = 10


def note(message: object) -> None:
    """Print a message in one line on stderr, without breaking a progress bar."""
    from tqdm import tqdm

    tqdm.write(f"songnet: {' '.join(str(message).split())}", file=sys.stderr)


def name_left_out(what: Iterable[tuple[str, str]]) -> bool:
    """Name the first few clips or genres that were left out; return whether there were any.

    Parameters
    ----------
    what : iterable of (str, str)
        The id of a clip, or a genre, and the reason.
    """
    left_out = list(what)
    for name, reason in left_out[:_MOST_NAMED]:
        note(f"left out: {name}: {reason}")
    if more := len(left_out[_MOST_NAMED:]):
        note(f"left out: {more:,} more, listed in the store's unusable-*.csv")
    return bool(left_out)


def show_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any
) -> None:
    """Print our own warnings in one line, and all others as Python does."""
    if issubclass(category, SongNetWarning):
        note(message)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def open_streams() -> None:
    """Let stdout and stderr print ``?`` for what their encoding lacks; replace them if closed.

    Printing to a closed stdout still fails, because its replacement is open for reading only.
    """
    for name, flags in (("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), "w"))
        if hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="replace")
