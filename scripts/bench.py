"""Measure on this machine what things cost, and print it.

What is compared is measured in turns, in one run: a machine that does other things besides slows
both. Real clips are taken from ``$SONGNET_SHARED/fma`` (``../shared/fma`` by default) where they
are there; noise serves otherwise.
"""

from __future__ import annotations

import io
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from songnet_utils.audio import load_audio, log_mel
from songnet_utils.extraction import LogMel, Statistics, extract
from songnet_utils.features import FEATURE_SETS
from songnet_utils.models import SongNet, songnet
from songnet_utils.shards import Folder
from songnet_utils.store import CLIPS_PER_SHARD
from songnet_utils.streaming import SongStream
from songnet_utils.timeline import Sound

SECONDS = 30
TRIES = 7
CLIPS = 24
SOUND = Sound()

# Of the whole of FMA, as its authors count it (Defferrard et al. 2017, table 2).
FULL_TRACKS, FULL_DAYS = 106_574, 343


def milliseconds(work: Callable[[], object], tries: int = TRIES) -> float:
    """Return the time of the quickest of a few tries, in milliseconds."""
    work()
    times = []
    for _ in range(tries):
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


def ours(file: Path) -> np.ndarray:
    """Return a file's log-mel frames the course's way."""
    return log_mel(load_audio(file, SOUND.sample_rate), SOUND)


def plain(file: Path) -> np.ndarray:
    """Return a file's mel frames as most people compute them."""
    audio, rate = librosa.load(file, sr=SOUND.sample_rate)
    return librosa.feature.melspectrogram(
        y=audio, sr=rate, n_fft=SOUND.n_fft, hop_length=SOUND.hop, n_mels=SOUND.n_mels
    )


def clips_to_decode(folder: Path) -> list[Path]:
    """Return some mp3s: real ones, or noise written to `folder`."""
    root = Path(os.environ.get("SONGNET_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    real = sorted((root / "fma" / "fma_small").glob("*/*.mp3"))[:CLIPS]
    if real:
        print(f"Extraction: {len(real)} real mp3 clips of 30 s")
        return real
    print(f"Extraction: {CLIPS} mp3 clips of 30 s of noise")
    for number in range(CLIPS):
        noise = np.random.default_rng(number).normal(0, 0.1, (SECONDS * 44100, 2))
        soundfile.write(folder / f"{number:02d}.mp3", noise, 44100, format="MP3")
    return sorted(folder.glob("*.mp3"))


def worst_decibels(file: Path) -> float:
    """Return how far frames are from float64's, in the bins within 60 dB of the loudest."""
    audio, rate = librosa.load(file, sr=SOUND.sample_rate)
    power = librosa.feature.melspectrogram(
        y=audio.astype(np.float64),
        sr=rate,
        n_fft=SOUND.n_fft,
        hop_length=SOUND.hop,
        n_mels=SOUND.n_mels,
        pad_mode="constant",
        dtype=np.float64,
    ).T
    # Where the floor holds, it is the floor that is right.
    truth = 10 * np.log10(np.maximum(power, SOUND.floor))
    found = ours(file) * (10 / np.log(10))
    loud = truth > truth.max() - 60
    return float(np.abs(found - truth)[loud].max())


def extraction(files: Sequence[Path]) -> None:
    """Print what log-mel frames of mp3s cost, beside plain librosa, and what all of FMA would."""
    taken: dict[str, list[float]] = {"librosa": [], "one": [], "two": []}
    with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
        for file in files[:2]:
            ours(file), plain(file)
        for _ in range(TRIES):
            for name, work in {
                "librosa": lambda: list(map(plain, files)),
                "one": lambda: list(map(ours, files)),
                "two": lambda: list(pool.map(ours, files)),
            }.items():
                start = time.perf_counter()
                work()
                taken[name].append(1000 * (time.perf_counter() - start) / len(files))
    librosas, one, two = (min(times) for times in taken.values())
    print(f"{'librosa.load and melspectrogram':<34}{librosas:9.1f} ms a clip")
    print(
        f"{'load_audio and log_mel, 1 thread':<34}{one:9.1f} ms a clip, {librosas / one:.2f} times"
    )
    print(f"{'the same, 2 threads':<34}{two:9.1f} ms a clip, {librosas / two:.2f} times")
    worst = max(worst_decibels(file) for file in files)
    print(f"{'furthest from float64':<34}{worst:9.1e} dB, in bins within 60 dB of the loudest")
    whole(files)


def whole(files: Sequence[Path]) -> None:
    """Print what the frames and MFCC statistics of the whole of FMA would cost."""
    seconds = sum(librosa.get_duration(path=file) for file in files)
    log_mels = LogMel(SOUND)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        extract(log_mels, Folder(folder), [(str(file), str(file)) for file in files])
        busy = (time.process_time() - start) / seconds
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.safetensors")) / seconds
    total = FULL_DAYS * 86_400
    print(
        f"{'fma_full, frames and MFCCs':<34}{busy * total / 3600:9.1f} core-hours, "
        f"{size * total / 2**30:.0f} GiB in {math.ceil(FULL_TRACKS / CLIPS_PER_SHARD):,} shards "
        f"({1000 * busy:.2f} ms and {size / 1000:.1f} kB a second of music)"
    )
    audio = load_audio(files[0], SOUND.sample_rate)
    for name in FEATURE_SETS:
        if name == "mfcc":
            continue
        with threadpool_limits(1):
            compute = Statistics(name, SOUND.sample_rate).compute
            took = milliseconds(lambda compute=compute: compute(audio), tries=2)
        each = took / 1000 * SOUND.sample_rate / len(audio)
        print(
            f"{f'{name} statistics':<34}{took:9.1f} ms a clip; fma_full: "
            f"{each * total / 3600:.0f} core-hours"
        )


def main() -> None:
    """Print one line for each step."""
    with tempfile.TemporaryDirectory() as folder:
        extraction(clips_to_decode(Path(folder)))
    print()
    sound = SOUND
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
