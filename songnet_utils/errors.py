"""The one kind of error that a person can mend: it names the thing, the rule and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SongNetError(ValueError):
    """Bad input, told in words: what it is about, the rule it breaks, and what to do.

    The command line prints its message in one line and exits with 1; anything else that is
    raised is a fault of ours and keeps its traceback.
    """


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``" Did you mean X?"`` with the nearest of `names`, or ``""`` where none is near."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""
