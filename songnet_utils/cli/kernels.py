"""Make a page of a network's kernels: the sounds that excite each one most, as picture and sound.

The page needs no network connection. It plays music from the corpus and credits the artists.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument("--corpus", help="the run's corpus, if it has moved")
    parser.add_argument("--out", type=Path, help="the page's folder (default: RUN/kernels)")


def run(run_folder: Path, corpus: str | None, out: Path | None) -> int:
    """Make the page and print its path."""
    from songnet_utils.widgets.kernels import gallery_of_run
    from songnet_utils.widgets.recording import check_free

    folder = out or run_folder / "kernels"
    # Refuse a folder in use before minutes of work, not after.
    check_free(folder)
    gallery = gallery_of_run(run_folder, corpus)
    page = gallery.save(folder)
    pairs = f"{gallery.twins:,} pair{'s' if gallery.twins != 1 else ''} of twins"
    print(f"{gallery.title}: {gallery.dead:,} dead, {pairs}")
    print(page)
    return 0
