"""The one kind of error that a person can mend: it names the thing, the rule and the way out."""

from __future__ import annotations


class SongNetError(ValueError):
    """Bad input, told in words: what it is about, the rule it breaks, and what to do.

    The command line prints its message in one line and exits with 1; anything else that is
    raised is a fault of ours and keeps its traceback.
    """
