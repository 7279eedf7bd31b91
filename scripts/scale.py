"""Show that the cost of `songnet train` and `songnet compare` is linear in the number of clips.

``python scripts/scale.py [CLIPS …]`` uses, by default, 500, 2,000 and 8,000 clips of 30 s, all
different, of eight genres that are easy to distinguish. They are FLAC files of noise and tones of
about half a megabyte each, so 8,000 need about 4 GB in ``build/scale``, and their log-mels another
3 GB. The next run uses the clips again; delete the folder when you are done.

For each size, the script runs, each in a process of its own: the log-mels, one epoch of songnet,
and a comparison of a baseline with one epoch of songnet. The peak memory is that of the process,
from the operating system. The exit code is 1 if it exceeds 4 GB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from joblib import Parallel, delayed

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "scale"
SIZES = (500, 2_000, 8_000)
SECONDS, RATE, GENRES = 30, 22_050, 8
MOST_GB = 4.0


def write_clip(number: int) -> Path:
    """Write one clip, unless it is there: three tones of the genre's octave in quiet noise."""
    genre = number % GENRES
    file = FOLDER / "clips" / f"genre {genre}" / f"{number:06d}.flac"
    if not file.exists():
        random = np.random.default_rng(number)
        moments = np.arange(SECONDS * RATE) / RATE
        sound = 1e-3 * random.standard_normal(len(moments))
        for pitch in 40 * 2 ** (genre + random.random(3)):
            sound += 0.1 * np.sin(2 * np.pi * pitch * moments)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        soundfile.write(part, sound, RATE, format="FLAC")
        part.replace(file)
    return file


def corpus_of(clips: int) -> Path:
    """Return a corpus of this many clips, made of links to the files."""
    folder = FOLDER / f"clips-{clips}"
    shutil.rmtree(folder, ignore_errors=True)
    for file in Parallel(n_jobs=-1)(delayed(write_clip)(number) for number in range(clips)):
        link = folder / file.parent.name / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link)
    return folder


def measure(*arguments: str) -> tuple[float, float, float]:
    """Run a command; return its seconds, its processors' seconds, and its peak memory in GB."""
    environment = {**os.environ, "SONGNET_DATA": str(FOLDER / "data")}
    start = time.monotonic()
    command = [sys.executable, "-m", "songnet_utils.cli", *arguments]
    process = os.posix_spawn(sys.executable, command, environment)
    _, status, used = os.wait4(process, 0)
    if status:
        sys.exit(f"songnet {' '.join(arguments)}: failed")
    unit = 1 if sys.platform == "darwin" else 1024
    seconds = time.monotonic() - start
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e9


def main(sizes: Sequence[int]) -> int:
    """Print a line for each size and command."""
    before: dict[str, tuple[int, float]] = {}
    most = 0.0
    heads = ("seconds", "processor", "per clip", "each more", "GB")
    print(f"{'clips':>6}  {'command':9}" + "".join(f"{head:>10}" for head in heads))
    for clips in sizes:
        corpus = str(corpus_of(clips))
        # Delete earlier results, so that every clip is prepared and every run is made.
        shutil.rmtree(FOLDER / "data", ignore_errors=True)
        commands = {
            "features": "",
            "train": "--epochs 1 --seed 1",
            "compare": "--epochs 1 --models svm,songnet --splits random",
        }
        for name, options in commands.items():
            seconds, busy, memory = measure(name, corpus, *options.split())
            most = max(most, memory)
            fewer, less = before.get(name, (0, 0.0))
            # Constant costs, such as starting TensorFlow, cancel in the difference.
            more = f"{1000 * (busy - less) / (clips - fewer):.1f}" if fewer else ""
            before[name] = clips, busy
            print(
                f"{clips:6,}  {name:9}{seconds:10.0f}{busy:10.0f}{1000 * busy / clips:10.1f}"
                f"{more:>10}{memory:10.2f}",
                flush=True,
            )
    print(
        "'processor': seconds of all processors; 'per clip' and 'each more': milliseconds of these"
    )
    print(f"At most {most:.2f} GB of memory.")
    return int(most >= MOST_GB)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="CLIPS")
    sys.exit(main(sorted(parser.parse_args().sizes)))
