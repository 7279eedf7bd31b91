"""Measure the cost of `songnet classify`, start-up included, for a song and a folder of songs.

``python scripts/bench_classify.py FOLDER`` uses your own songs; without a folder, it uses noise.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

RATE, SECONDS, SONGS = 44_100, 30, 40


def classify(*arguments: object) -> tuple[str, float, float]:
    """Run the command; return its output, its seconds and its peak memory in MB."""
    command = [sys.executable, "-m", "songnet_utils.cli", "classify", *map(str, arguments)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{' '.join(command)} failed")
        out.seek(0)
        # Linux counts in kB, macOS in bytes.
        return out.read(), seconds, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def make_songs(folder: Path) -> None:
    """Fill a folder with mp3s of stereo noise, all different."""
    for number in range(SONGS):
        noise = np.random.default_rng(number).normal(0, 0.1, (SECONDS * RATE, 2))
        soundfile.write(folder / f"{number:02d}.mp3", noise.astype(np.float32), RATE)


def main() -> None:
    """Print two lines for each network."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        if folder == Path(made):
            make_songs(folder)
        song = sorted(folder.rglob("*.mp3"))[0]
        print(f"songnet classify, start included, on {os.cpu_count()} processors")
        for name in ("songnet-mini", "musicnn"):
            network = ("--model", name)
            _, seconds, memory = classify(song, *network, "--csv")
            print(f"{name}: one song {seconds:.1f} s, {memory:.0f} MB")
            text, seconds, memory = classify(folder, *network, "--csv")
            lengths = [float(row["seconds"]) for row in csv.DictReader(io.StringIO(text))]
            print(
                f"{name}: {len(lengths)} songs of {sum(lengths) / 60:.0f} minutes {seconds:.1f} s, "
                f"{memory:.0f} MB: {sum(lengths) / seconds:.0f} times as fast as they play"
            )


if __name__ == "__main__":
    main()
