"""Whole fetches against a server that fails at random, watched all the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from faulty_server import FaultyServer, a_dozen, checksums, make_fma, random_faults

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.fetch.fma import fetch_fma
from songnet_utils.corpora.fetch.web import Patience

#: Quick, so that time-outs and pauses cost a test little.
HASTY = Patience(tries=3, timeout=0.2, pause=0.005)


def wrong_files(data: Path, truth: Mapping[str, bytes]) -> list[str]:
    """Return what lies in the folders of a data folder and is not as it was published."""
    root = data / "fma"
    wrong = []
    for file in root.rglob("*"):
        path = file.relative_to(root).as_posix()
        # Hidden files and downloads are not there yet for anybody who reads a corpus.
        if not file.is_file() or file.name.startswith(".") or "/" not in path:
            continue
        try:
            held = file.read_bytes()
        except FileNotFoundError:
            continue
        if file.name == "checksums":
            folder = f"{file.parent.name}/"
            right = checksums(
                {p.removeprefix(folder): d for p, d in truth.items() if p.startswith(folder)}
            ).splitlines()
            if not set(held.splitlines()) <= set(right):
                wrong.append(path)
        elif held != truth.get(path):
            wrong.append(path)
    return wrong


def faulty_run(folder: Path, seed: int) -> Counter[str]:
    """Fetch under faults, again and again until it is done; count what happened.

    Raises
    ------
    AssertionError
        When a wrong byte was kept at any moment, or it does not come to an end.
    """
    draw = random.Random(seed)
    truth = make_fma(folder / "server", a_dozen(), size=20_000)
    sample = draw.choice([None, None, 2, 5])
    ranges = sample is not None or draw.random() < 0.7
    faults = random_faults(seed, chance=draw.choice([0.1, 0.3, 0.5]))
    data = folder / "data"
    wrong: list[str] = []
    happened: Counter[str] = Counter()

    def fault(name: str, asked: str) -> str | None:
        wrong.extend(wrong_files(data, truth))
        chosen = faults(name, asked)
        happened[f"fault {chosen}"] += chosen is not None
        return chosen

    server = FaultyServer(folder / "server", ranges, fault=fault, stall=0.3, seed=seed)
    with server.running() as url:
        for _ in range(100):
            happened["commands"] += 1
            try:
                fetched = fetch_fma(
                    "fma_small",
                    data,
                    sample=sample,
                    base_url=url,
                    progress=False,
                    patience=HASTY,
                )
                break
            except SongNetError as error:
                happened["errors"] += 1
                happened["errors of several lines"] += "\n" in str(error)
            finally:
                wrong.extend(wrong_files(data, truth))
        else:
            raise AssertionError(f"seed {seed}: did not end in 100 commands")
    assert wrong == [], f"seed {seed}: wrong bytes in {sorted(set(wrong))}"
    assert not happened["errors of several lines"]
    clips = list(fetched.rglob("*.mp3"))
    assert len(clips) == (12 if sample is None else 2 * sample), f"seed {seed}"
    left = list((data / "fma").glob("*.zip*"))
    assert left == [], f"seed {seed}: an archive was left"
    happened["requests"] += len(server.requests)
    happened["clips"] += len(clips)
    return +happened
