"""Measure on this machine what the journey of one clip costs, step by step, and print it."""

from __future__ import annotations

import io
import platform
import time
from collections.abc import Callable

import numpy as np
import soundfile

from songnet_utils.audio import load_audio, log_mel
from songnet_utils.timeline import Sound

SECONDS = 30
TRIES = 7


def milliseconds(work: Callable[[], object]) -> float:
    """Return the time of the quickest of a few tries, in milliseconds."""
    work()
    times = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def main() -> None:
    """Print one line for each step."""
    sound = Sound()
    rng = np.random.default_rng(0)
    stereo = rng.normal(0, 0.1, (SECONDS * 44100, 2)).astype(np.float32)
    mp3 = io.BytesIO()
    soundfile.write(mp3, stereo, 44100, format="MP3")
    audio = load_audio(mp3.getvalue(), sound.sample_rate)
    print(f"Python {platform.python_version()}, {platform.machine()}, {SECONDS} s of stereo noise")
    for name, work in {
        "decode mp3, mix down, resample": lambda: load_audio(mp3.getvalue(), sound.sample_rate),
        "log-mel frames": lambda: log_mel(audio, sound),
    }.items():
        print(f"{name:<34}{milliseconds(work):9.1f} ms")


if __name__ == "__main__":
    main()
