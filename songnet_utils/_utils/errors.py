"""The one kind of error that a person can mend: it names the thing, the rule and the way out."""

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
    """Something odd that a person should know of, and that stopped nothing.

    The command line prints its message in one line on stderr.
    """


class SongNetError(ValueError):
    """Bad input, in words: what it is about, the rule it breaks, and what to do.

    The command line prints its message in one line and exits with 1; anything else that is
    raised is a fault of ours and keeps its traceback.
    """

    # A traceback names it as people import it.
    __module__ = "songnet_utils"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``" Did you mean X?"`` with the nearest of `names`, or ``""`` where none is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def check_seed(seed: int) -> None:
    """Raise SongNetError unless `seed` is one that every library here takes."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed <= MOST_SEED:
        raise SongNetError(f"A seed is a whole number from 0 to {MOST_SEED}. Got {seed!r}")


def check_names(what: str, names: Sequence[str] | None) -> None:
    """Raise SongNetError unless `names` is a list of names (or None); one name is no list."""
    listed = not isinstance(names, str | bytes) and isinstance(names, Iterable)
    if names is not None and not (listed and all(isinstance(name, str) for name in names)):
        raise SongNetError(f'{what} is a list of names, as in ["A", "B"]. Got {names!r}')


def path_of(path: Any, rule: str) -> Path:
    """Return what was given for a path as one; where it is none, SongNetError says the rule."""
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise SongNetError(f"{rule} Got {path!r}")
    return Path(path)
