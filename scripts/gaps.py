"""Make the lessons with gaps from the lessons with solutions: ``python scripts/gaps.py``."""

from __future__ import annotations

import sys

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.files import NOTEBOOKS
from songnet_utils.lessons.gaps import write_gaps


def main() -> None:
    """Write the lessons that have changed, and name them."""
    try:
        for path in write_gaps(NOTEBOOKS):
            print(f"{path.name}: written")
    except SongNetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
