"""Keeping what other programs say to themselves out of what people read."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drop what is written to the process's standard error, by C code as well, in the block.

    TensorFlow's C++ side logs a few lines while it is imported, before it reads the variables
    that would silence it; only the file descriptor itself can hold them back. An error raised in
    the block comes through as ever.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):
        # No standard error to hold back (pythonw, a closed descriptor).
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
