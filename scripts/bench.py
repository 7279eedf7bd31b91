"""Measure on this machine what the journey of one clip costs, step by step, and print it."""

from __future__ import annotations

import io
import platform
import time
from collections.abc import Callable

import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from songnet_utils.audio import load_audio, log_mel
from songnet_utils.models import SongNet, songnet
from songnet_utils.streaming import SongStream
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


def hear(net: SongNet, stereo: np.ndarray, piece: int) -> None:
    """Stream stereo samples at 44.1 kHz through the network, `piece` samples at a time."""
    stream = SongStream(net, 44100, channels=2)
    for first in range(0, len(stereo), piece):
        stream.push(stereo[first : first + piece])
    stream.finish()


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
    # The weights make no difference to the time: an untrained network serves.
    genres = [f"genre {number}" for number in range(8)]
    net = SongNet(songnet(sound, genres), sound, genres)
    whole = milliseconds(lambda: net.genre_over_time(audio))
    print(f"{'genre over time, whole clip':<34}{whole:9.1f} ms")
    with threadpool_limits(1):
        for piece in (44100, 4096, 512):
            taken = milliseconds(lambda piece=piece: hear(net, stereo, piece))
            print(
                f"{f'streamed by {piece} samples, 1 thread':<34}{taken:9.1f} ms, "
                f"{1000 * SECONDS / taken:.0f} times as fast as it plays"
            )
    first = SongStream(net, 44100, channels=2).first_answer
    print(
        f"first answer after {first:.3f} s of song, then one every "
        f"{net.timeline.step_seconds:.4f} s"
    )


if __name__ == "__main__":
    main()
