"""Measure what the lessons cost, and keep the record with them: ``python scripts/costs.py``."""

from __future__ import annotations

import sys
from pathlib import Path

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.cost_record import make_cost_record

DATA = Path(__file__).resolve().parents[1] / "build" / "costs"


def main() -> None:
    """Run all lessons, and say what each of them costs."""
    try:
        print(make_cost_record(DATA))
    except SongNetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
