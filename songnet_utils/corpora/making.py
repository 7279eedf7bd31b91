"""Clips whose sound is made when somebody opens them: making many of them at once."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import joblib
from tqdm.auto import tqdm


def paths_of(
    files: Iterable[str | os.PathLike[str]], workers: int | None = None, progress: bool = True
) -> list[str]:
    """Return the paths of clips' files; sound that is not on disk yet is made first.

    It can be stopped at any moment: what has been made stays. Two programs share the work.

    Parameters
    ----------
    files
        As in the table of clips.
    workers : int, optional
        How many processes; one for each processor by default.
    progress : bool
        Whether to show a progress bar.
    """
    files = list(files)
    missing = [f for f in files if not (isinstance(f, str) or os.path.exists(str(f)))]
    # Some take longer than others: mixed, the bar tells the truth about what is left. The order is
    # another in each program, and no draw is taken from a notebook's own dice.
    random.Random().shuffle(missing)
    in_parallel(os.fspath, missing, "composing clips", workers, progress)
    return [str(file) for file in files]


def in_parallel(
    make: Callable[[Any], Any], items: Sequence[Any], what: str, workers: int | None, progress: bool
) -> list[Any]:
    """Return what `make` makes of each item, under a progress bar; parameters as in `paths_of`."""
    jobs: Any = joblib.Parallel(workers or -1, return_as="generator")
    making = jobs(joblib.delayed(make)(item) for item in items)
    off = not (progress and items)
    return list(tqdm(making, total=len(items), desc=what, unit="clip", disable=off, leave=False))
