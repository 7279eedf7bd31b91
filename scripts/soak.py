"""Soak test: repeat random failures and random clicks for a long time, and print the outcome.

First fetch from a server that fails at random, and compare every stored byte with the truth at
every request and after every command. Then click, drop, seek, open tabs and reload at random on the
listening page: there must be no errors, and memory must not increase.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import sync_playwright
from tqdm.auto import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from faulty_runs import faulty_run
from lab import FLAGS, find_chromium
from random_user import RandomUser, served_page


def fetches(runs: int, first_seed: int) -> None:
    """Fetch repeatedly, and print one line of counts."""
    happened: Counter[str] = Counter()
    start = time.monotonic()
    for seed in tqdm(range(first_seed, first_seed + runs), leave=False):
        with tempfile.TemporaryDirectory() as folder:
            happened += faulty_run(Path(folder), seed)
    faults = {name.removeprefix("fault "): n for name, n in happened.items() if "fault" in name}
    print(
        f"{runs} fetches, all complete, without a wrong byte: {happened['commands']:,} "
        f"commands ({happened['errors']:,} ended in an error), {happened['requests']:,} requests, "
        f"{sum(faults.values()):,} faults ({', '.join(f'{n} {k}' for k, n in faults.items())}), "
        f"{happened['clips']:,} clips, {time.monotonic() - start:.0f} s"
    )


def clicks(minutes: float, seed: int) -> None:
    """Use the listening page at random, and print the actions, errors and memory."""
    with (
        tempfile.TemporaryDirectory() as place,
        sync_playwright() as playwright,
        served_page(Path(place)) as address,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])
        user = RandomUser(browser, address, Path(place), seed)
        user.act(60 * minutes, checkpoints=10)
        print(user)
        browser.close()


def main() -> None:
    """Do both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="fetches")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=10, help="of clicking")
    options = parser.parse_args()
    fetches(options.runs, options.first_seed)
    clicks(options.minutes, options.first_seed)


if __name__ == "__main__":
    main()
