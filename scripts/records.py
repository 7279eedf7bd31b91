"""Make the course's long experiments, and keep their records with the lessons.

``python scripts/records.py [NAME …] [--corpus FOLDER] [--dask ADDRESS]``: all of them by default.
What has been trained before is found again, so that a stopped experiment goes on.
"""

from __future__ import annotations

import argparse

from songnet_utils.errors import SongNetError
from songnet_utils.lessons.records import EXPERIMENTS, make_record


def main() -> None:
    """Make what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(EXPERIMENTS))
    parser.add_argument("--corpus", help="a folder of real songs, for real-music")
    parser.add_argument("--dask", metavar="ADDRESS", help="let a Dask cluster make the runs")
    options = parser.parse_args()
    for name in options.names or EXPERIMENTS:
        try:
            print(make_record(name, corpus=options.corpus, dask=options.dask))
        except SongNetError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main()
