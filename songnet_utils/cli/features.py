"""Compute the log-mel frames, the MFCC statistics and other features of a corpus.

They are stored in data/features, or where $SONGNET_STORE says: a folder or an address of object
storage.
"""

from __future__ import annotations

import argparse

from songnet_utils.cli.messages import FAILED, name_left_out, note
from songnet_utils.cli.options import add_corpus, names, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_corpus(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=whole(1), help="tasks at once here (default: all cores)")
    where.add_argument("--dask", help="the address (tcp://…) of a Dask scheduler for the tasks")
    parser.add_argument(
        "--sets", type=names, default=[], help="further statistics: fma,tzanetakis,…"
    )


def run(corpus: str, workers: int | None, dask: str | None, sets: list[str]) -> int:
    """Compute what is not in the store yet."""
    from songnet_utils.corpora import open_corpus
    from songnet_utils.features import feature_set
    from songnet_utils.features.store import log_mels

    for which in sets:
        # Refuse a wrong name before hours of work, not after.
        feature_set(which)
    prepared = log_mels(open_corpus(corpus), workers=workers, dask=dask)
    name = prepared.corpus.name
    for text in prepared.notes(prepared.clips):
        note(text)
    print(f"{name}: the frames of {len(prepared.clips):,} clips are ready.")
    for which in sets:
        columns = prepared.hand_crafted(which, workers=workers, dask=dask).shape[1]
        print(f"{name}: {columns} {which} statistics of each clip are ready.")
    unusable = prepared.unusable
    return FAILED if name_left_out(zip(unusable.id, unusable.reason, strict=True)) else 0
