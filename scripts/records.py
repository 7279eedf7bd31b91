"""Make the course's long experiments, and keep their records with the lessons.

``python scripts/records.py [NAME …] [--corpus FOLDER]``: by default all that need no folder.
What has been trained before is found again, so that a stopped experiment goes on.
"""

from __future__ import annotations

import argparse

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons import kernel_record
from songnet_utils.lessons.records import EXPERIMENTS, make_record


def main() -> None:
    """Make what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*EXPERIMENTS, kernel_record.NAME]
    parser.add_argument("names", nargs="*", help=", ".join(known))
    parser.add_argument("--corpus", help="a folder of real songs, for one of them")
    options = parser.parse_args()
    for name in options.names or known:
        if not options.names and "FOLDER" in EXPERIMENTS.get(name, ""):
            print(f"{name}: left out. Name it and its folder of real songs (--corpus).")
            continue
        try:
            if name == kernel_record.NAME:
                print(kernel_record.make_kernel_record())
            else:
                print(make_record(name, corpus=options.corpus))
        except SongNetError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
