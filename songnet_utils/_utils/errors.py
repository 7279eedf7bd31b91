"""The error for everything that you can fix: it names the input, the rule and the remedy."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

#: The largest seed: NumPy's and Keras's have 32 bits.
MOST_SEED = 2**32 - 1


class SongNetWarning(UserWarning):
    """Something odd that you should know about, but that stopped nothing.

    The command line prints its message in one line on stderr.
    """


class SongNetError(ValueError):
    """Bad input: the message names the input, the rule that it breaks, and what to do.

    The command line prints the message in one line and exits with 1. Any other exception is a bug
    in the package and keeps its traceback.
    """

    # Make tracebacks name it as you import it.
    __module__ = "songnet_utils"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``" Did you mean X?"`` with the closest of `names`, or ``""`` if none is close."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def check_seed(seed: int) -> None:
    """Raise SongNetError unless every library here accepts `seed`."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed <= MOST_SEED:
        raise SongNetError(f"A seed is a whole number from 0 to {MOST_SEED}. Got {seed!r}")


def check_names(what: str, names: Sequence[str] | None) -> None:
    """Raise SongNetError unless `names` is a list of names or None; a string is not a list."""
    listed = not isinstance(names, str | bytes) and isinstance(names, Iterable)
    if names is not None and not (listed and all(isinstance(name, str) for name in names)):
        raise SongNetError(f'{what} must be a list of names, as in ["A", "B"]. Got {names!r}')


def path_of(path: Any, rule: str) -> Path:
    """Return `path` as a Path; raise SongNetError with the `rule` if it is not a path."""
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise SongNetError(f"{rule} Got {path!r}")
    return Path(path)
