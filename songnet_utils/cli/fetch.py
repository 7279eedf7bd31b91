"""Download clips of the Free Music Archive, or compose all clips of mini.

Run the command again to continue an interrupted download; it also repairs damaged files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli.messages import note
from songnet_utils.cli.options import whole

CHOICES = ["mini", "fma_small", "fma_medium", "fma_large", "fma_full", "fma_metadata", "musicnn"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("what", choices=CHOICES, metavar="WHAT", help=", ".join(CHOICES))
    parser.add_argument("--sample", type=whole(1), help="this many clips per genre of fma_small")
    parser.add_argument("--base-url", help="a folder with FMA's archives on another web server")
    parser.add_argument("--dir", type=Path, help="the data folder (default: ./data)")


def run(what: str, dir: Path | None, sample: int | None, base_url: str | None) -> int:
    """Fetch it and print the folder."""
    if what in ("mini", "musicnn") and (sample or base_url):
        raise SongNetError(f"{what}: is not in FMA's archives. Omit --sample and --base-url.")
    if what == "musicnn":
        print("musicnn comes with the project, so there is nothing to fetch.")
        return 0
    from songnet_utils._utils.files import data_folder
    from songnet_utils.corpora import open_corpus, paths_of
    from songnet_utils.corpora.fetch.fma import fetch_fma

    if what == "mini":
        paths_of(open_corpus(what, dir).clips.file)
        print(data_folder(dir) / what)
        return 0
    print(fetch_fma(what, dir, sample=sample, base_url=base_url, say=note))
    return 0
