"""Show the kernels of a run's network as a page: what each one likes, to see and to hear.

The page needs no network connection; it plays music of the corpus, with its credits.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument("--corpus", help="the run's corpus, where it has moved")
    parser.add_argument("--out", type=Path, help="the page's folder (default: RUN/kernels)")


def run(run_folder: Path, corpus: str | None, out: Path | None) -> int:
    """Make the page and print its path."""
    from songnet_utils.widgets.kernels import gallery_of_run
    from songnet_utils.widgets.recording import check_free

    folder = out or run_folder / "kernels"
    # A folder in use is refused before minutes of work, not after.
    check_free(folder)
    gallery = gallery_of_run(run_folder, corpus)
    page = gallery.save(folder)
    pairs = f"{gallery.twins:,} pair{'s' if gallery.twins != 1 else ''} of twins"
    print(f"{gallery.title}: {gallery.dead:,} dead, {pairs}")
    print(page)
    return 0
