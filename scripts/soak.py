"""Fetch from a server that fails at random, for a long time; print what happened.

Every byte that is kept is held against the truth at every request and after every command.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tqdm.auto import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from faulty_runs import faulty_run


def fetches(runs: int, first_seed: int) -> None:
    """Fetch again and again, and print one line of counts."""
    happened: Counter[str] = Counter()
    start = time.monotonic()
    for seed in tqdm(range(first_seed, first_seed + runs), leave=False):
        with tempfile.TemporaryDirectory() as folder:
            happened += faulty_run(Path(folder), seed)
    faults = {name.removeprefix("fault "): n for name, n in happened.items() if "fault" in name}
    print(
        f"{runs} fetches, all complete, no wrong byte kept: {happened['commands']:,} "
        f"commands ({happened['errors']:,} ended in an error), {happened['requests']:,} requests, "
        f"{sum(faults.values()):,} faults ({', '.join(f'{n} {k}' for k, n in faults.items())}), "
        f"{happened['clips']:,} clips, {time.monotonic() - start:.0f} s"
    )


def main() -> None:
    """Fetch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="fetches")
    parser.add_argument("--first-seed", type=int, default=1000)
    options = parser.parse_args()
    fetches(options.runs, options.first_seed)


if __name__ == "__main__":
    main()
