"""Silence the internal messages of other libraries."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard everything that the process, C code included, writes to stderr in the block.

    TensorFlow's C++ code logs a few lines during the import, before it reads the variables that
    would silence it. Only a redirected file descriptor stops these. Exceptions in the block
    propagate as usual.
    """
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):
        # There is no standard error to redirect (pythonw, a closed descriptor).
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
