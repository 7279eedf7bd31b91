"""Measure and print the cost of streaming songs.

All measurements use one thread, from stereo samples at 44.1 kHz to probabilities. Processor time
does not depend on other load on the machine. Networks have random weights, which do not affect the
time; so does musicnn.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import psutil
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bench import in_turns
from lab_networks import build

from songnet_utils.audio import log_mel, mix_down, resample
from songnet_utils.models.onnx_export import save_onnx
from songnet_utils.models.onnx_network import OnnxNetwork
from songnet_utils.models.registry import NETWORKS
from songnet_utils.models.trained import SongNet, given_to
from songnet_utils.models.transfer import load_musicnn
from songnet_utils.streaming.song_stream import SongStream

RATE, CHANNELS = 44_100, 2

# Samples in a piece: a browser's audio worklet, 10 and 20 ms, and increasingly large buffers.
PIECES = (128, 441, 882, 1_024, 4_096, 44_100)

# The seconds of song to stream at a time, and those that ONNX Runtime processes repeatedly.
SECONDS = 15
AGAIN = 30

TRIES = 5

HOURS = 3
LONG = ("songnet", "songnet-lstm", "songnet-plus")


def noise(seconds: float) -> np.ndarray:
    """Return stereo noise."""
    random = np.random.default_rng(0)
    return 0.1 * random.standard_normal((int(seconds * RATE), CHANNELS), np.float32)


def hear(stream: SongStream, song: np.ndarray, piece: int) -> None:
    """Push a song in pieces."""
    for first in range(0, len(song), piece):
        stream.push(song[first : first + piece])


def latency(networks: dict[str, OnnxNetwork]) -> None:
    """Print the latency of answers, computed from each network's timeline."""
    print("Latency, of the song alone: first answer and seconds between answers, by the timeline")
    print(f"{'':<18}{'at 44.1 kHz':>14}{'at its own rate':>18}{'then every':>14}")
    for name, net in networks.items():
        stream, own = SongStream(net, RATE, CHANNELS), SongStream(net)
        print(
            f"{name:<18}{stream.first_answer:12.3f} s{own.first_answer:16.3f} s"
            f"{stream.net.timeline.step_seconds:12.4f} s"
        )
    print()


def speed(networks: dict[str, OnnxNetwork]) -> None:
    """Print the speed of streaming as a multiple of real time."""
    print("Speed on one thread, 44.1 kHz stereo samples to probabilities, as a multiple of real")
    print("time, by the processor's clock, in pieces of so many samples")
    print(f"{'':<18}" + "".join(f"{piece:>9,}" for piece in PIECES))
    for name, net in networks.items():
        print(f"{name:<18}" + multiples(net, time.process_time))
        if name == "songnet":
            # On a quiet machine the clocks agree.
            print(f"{'  by the wall clock':<18}" + multiples(net, time.perf_counter))
    print()


def multiples(net: SongNet, clock: Callable[[], float]) -> str:
    """Return the speed of streaming as a multiple of real time, for each size of piece."""
    song, stream = noise(SECONDS), SongStream(net, RATE, CHANNELS)
    hear(stream, song[: 5 * RATE], RATE)
    told = ""
    for piece in PIECES:
        taken = []
        for _ in range(TRIES):
            start = clock()
            hear(stream, song, piece)
            taken.append(clock() - start)
        told += f"{SECONDS / min(taken):9.0f}"
    return told


def steps(networks: dict[str, OnnxNetwork]) -> None:
    """Print the cost of a step, compared with processing the last half minute again."""
    print(f"A step of the stream, and the last {AGAIN} s processed again: milliseconds on one")
    print("thread by the processor's clock, from 44.1 kHz stereo (1,024 samples a piece) and from")
    print("frames; how many times as much from stereo, from frames, and from frames where the")
    print("step is from stereo")
    for name, net in networks.items():
        step, alone, others = costs(net)
        print(f"{name:<18}{step:9.2f}{alone:9.2f}")
        for what, (whole, frames) in others.items():
            print(
                f"{f'  {what}':<18}{whole:9.1f}{frames:9.1f}"
                f"{whole / step:9.0f}{frames / alone:9.0f}{frames / step:9.1f}"
            )
    print()


def costs(net: OnnxNetwork) -> tuple[float, float, dict[str, tuple[float, float]]]:
    """Return the milliseconds of a step, and of the alternatives, from samples and from frames."""
    sound, field = net.sound, net.timeline.field
    song, stream = noise(AGAIN), SongStream(net, RATE, CHANNELS)
    few = song[: int(8 * stream.net.timeline.step_seconds * RATE)]
    stepper = net.stepper()
    clip = log_mel(resample(mix_down(song), RATE, sound.sample_rate), sound)
    stepper.push(clip)
    works: dict[str, Callable[[], object]] = {
        "stream": lambda: hear(stream, few, 1_024),
        "stepper": lambda: [stepper.push(clip[: field.stride]) for _ in range(8)],
        "front": lambda: log_mel(resample(mix_down(song), RATE, sound.sample_rate), sound),
    }
    # A network on musicnn has no model of its own that takes frames.
    is_whole = not net.shared_rows
    inputs, model = net.inputs(clip), net.keras_model if is_whole else None
    session = onnx_session(net) if is_whole else net.session
    works["ONNX Runtime"] = lambda: session.run(["genre_over_time"], inputs)
    if model is not None:
        works["model.predict"] = lambda: model.predict(given_to(model, inputs), verbose=0)
    times = in_turns(works, turns=5, clock=time.process_time)
    step, alone, front = times.pop("stream") / 8, times.pop("stepper") / 8, times.pop("front")
    return step, alone, {what: (front + each, each) for what, each in times.items()}


def onnx_session(net: OnnxNetwork) -> onnxruntime.InferenceSession:
    """Return a session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        save_onnx(net, Path(folder) / "model.onnx")
        return onnxruntime.InferenceSession(Path(folder) / "model.onnx", options)


def memory(networks: dict[str, OnnxNetwork]) -> None:
    """Print the change of the process's memory over hours of streaming."""
    minute, process = noise(60), psutil.Process()
    print(f"Memory over {HOURS} hours of song in pieces of 4,096 samples, measured each minute")
    for name in LONG:
        stream = SongStream(networks[name], RATE, CHANNELS)
        sizes = []
        for _ in range(60 * HOURS + 5):
            hear(stream, minute, 4_096)
            sizes.append(process.memory_info().rss / 1e6)
        # Skip the first minutes, which fill caches.
        sizes = sizes[5:]
        print(
            f"{name:<18}{sizes[0]:9.1f} MB at the beginning, {sizes[-1]:.1f} MB at the end, "
            f"between {min(sizes) - sizes[0]:+.1f} and {max(sizes) - sizes[0]:+.1f} MB"
        )


def main() -> None:
    """Print the tables."""
    networks: dict[str, OnnxNetwork] = {name: build(name) for name in NETWORKS}
    networks["musicnn"] = load_musicnn()
    latency(networks)
    with threadpool_limits(1):
        speed(networks)
        steps(networks)
        memory(networks)


if __name__ == "__main__":
    main()
