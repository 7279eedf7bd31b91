"""Measure and print the costs of the package on this machine.

Comparisons alternate between their candidates in one run, so that other load on the machine slows
both. The benchmark uses real clips from ``$SONGNET_SHARED/fma`` (``../shared/fma`` by default) if
they exist, and noise otherwise.
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
import onnxruntime
import soundfile
import tensorflow as tf
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

from songnet_utils._utils.files import data_folder
from songnet_utils.audio import load_audio, log_mel, mix_down
from songnet_utils.audio.ffmpeg import Progress, ffmpeg_pieces, opened, plain_pieces
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.corpora.splits import split
from songnet_utils.features import FEATURE_SETS
from songnet_utils.features.extraction import extract, log_mel_extraction, statistics_extraction
from songnet_utils.features.shards import Folder
from songnet_utils.features.store import CLIPS_PER_SHARD, LogMelStore
from songnet_utils.kernels import Kernels, found_clips, maximised_clip, survey
from songnet_utils.models.building import keras
from songnet_utils.models.onnx_export import save_onnx
from songnet_utils.models.paper import songnet, songnet_lstm
from songnet_utils.models.registry import NETWORKS
from songnet_utils.models.trained import SongNet, centre
from songnet_utils.models.transfer import load_musicnn
from songnet_utils.training.fit import Trainer
from songnet_utils.training.recipe import Recipe

SECONDS = 30
TRIES = 7
CLIPS = 24
THREADS = 2
BEGINNING = 4_000
TURNS = 6
SOUND = Sound()

# The size of the whole FMA, from its authors (Defferrard et al. 2017, table 2).
FULL_TRACKS, FULL_DAYS = 106_574, 343


def milliseconds(work: Callable[[], object], tries: int = TRIES) -> float:
    """Return the time of the fastest of a few tries, in milliseconds."""
    work()
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def ours(file: Path) -> np.ndarray:
    """Return a file's log-mel frames from the package's functions."""
    return log_mel(load_audio(file, SOUND.sample_rate), SOUND)


def plain(file: Path) -> np.ndarray:
    """Return a file's mel frames from plain librosa, as most people compute them."""
    audio, rate = librosa.load(file, sr=SOUND.sample_rate)
    return librosa.feature.melspectrogram(
        y=audio, sr=rate, n_fft=SOUND.n_fft, hop_length=SOUND.hop, n_mels=SOUND.n_mels
    )


SHARED = Path(os.environ.get("SONGNET_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def clips_to_decode(folder: Path) -> list[Path]:
    """Return some mp3s: real ones, or noise written to `folder`."""
    real = sorted((SHARED / "fma" / "fma_small").glob("*/*.mp3"))[:CLIPS]
    if real:
        print(f"Extraction: {len(real)} real mp3 clips of 30 s")
        return real
    print(f"Extraction: {CLIPS} mp3 clips of 30 s of noise")
    for number in range(CLIPS):
        noise = np.random.default_rng(number).normal(0, 0.1, (SECONDS * 44100, 2))
        soundfile.write(folder / f"{number:02d}.mp3", noise, 44100, format="MP3")
    return sorted(folder.glob("*.mp3"))


def worst_decibels(file: Path) -> float:
    """Return the largest error of frames against float64, in bins within 60 dB of the loudest."""
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
    # At the floor, the floor is the correct value.
    truth = 10 * np.log10(np.maximum(power, SOUND.floor))
    found = ours(file) * (10 / np.log(10))
    loud = truth > truth.max() - 60
    return float(np.abs(found - truth)[loud].max())


def extraction(files: Sequence[Path]) -> None:
    """Print the cost of log-mel frames of mp3s, compared with librosa, and that of all of FMA."""
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


def decoders() -> None:
    """Print the difference of samples from libsndfile's, which once decoded all mp3s.

    The first frames of a clip that was cut out of an mp3 depend on missing frames, so decoders
    differ there.
    """
    files = sorted((SHARED / "fma" / "fma_small").glob("*/*.mp3"))
    files += sorted((SHARED / "emotify").glob("*/*.mp3"))
    if not files:
        return
    ours, ffmpeg, beginnings, plain = [], [], [], 0
    for file in files:
        content = file.read_bytes()
        before, rate = soundfile.read(file, dtype="float32", always_2d=True)
        before = mix_down(before)
        plain += bool(plain_pieces(file, content))
        with opened(content, file.name) as container:
            pieces = ffmpeg_pieces(container, container.streams.audio[0], Progress(file.name))
            alone = mix_down(np.concatenate([np.stack(planes, 1) for planes, _ in pieces]))
        ours.append(np.abs(load_audio(file, rate) - before).max())
        apart = np.abs(alone - before)
        ffmpeg.append(apart[BEGINNING:].max())
        beginnings.append(apart[:BEGINNING].max() > 1e-4)
    print(
        f"{len(files)} real mp3s, {plain} of them plain: samples within {max(ours):.1e} of "
        f"libsndfile's. FFmpeg alone: within {max(ffmpeg):.1e} from sample {BEGINNING:,} on; the "
        f"first frames of {sum(beginnings)} clips differ"
    )


def whole(files: Sequence[Path]) -> None:
    """Print the cost of frames and MFCC statistics for the whole of FMA."""
    seconds = sum(librosa.get_duration(path=file) for file in files)
    log_mels = log_mel_extraction(SOUND)
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
            compute = statistics_extraction(name, SOUND.sample_rate).compute
            took = milliseconds(lambda compute=compute: compute(audio), tries=2)
        each = took / 1000 * SOUND.sample_rate / len(audio)
        print(
            f"{f'{name} statistics':<34}{took:9.1f} ms a clip; fma_full: "
            f"{each * total / 3600:.0f} core-hours"
        )


def matrix_products(model: keras.Model, rows: int) -> list[tuple[int, int, int, int]]:
    """Return the matrix products of a chain of layers for a clip of `rows` frames.

    Each is (rows, inner, columns, count). Other work (windows, pooling, activations) does not
    count.
    """
    layers, products = keras.layers, []
    for layer in model.layers:
        match layer:
            case layers.Conv1D():
                kernel, channels, filters = layer.kernel.shape
                rows = (rows - kernel) // layer.strides[0] + 1
                products.append((rows, kernel * channels, filters, 1))
            case layers.MaxPooling1D():
                rows = (rows - layer.pool_size[0]) // layer.strides[0] + 1
            case layers.LSTM():
                cell = layer.cell
                products.append((rows, *cell.kernel.shape, 1))
                products.append((1, *cell.recurrent_kernel.shape, rows))
            case layers.Dense():
                products.append((rows, *layer.kernel.shape, 1))
    return products


def multiply(products: Sequence[tuple[int, int, int, int]]) -> Callable[[], None]:
    """Return a function that computes only these matrix products, in float32."""
    random = np.random.default_rng(0)
    work = [
        (
            random.standard_normal((rows, inner), np.float32),
            random.standard_normal((inner, columns), np.float32),
            np.empty((rows, columns), np.float32),
            times,
        )
        for rows, inner, columns, times in products
    ]

    def run() -> None:
        for one, other, out, times in work:
            for _ in range(times):
                np.matmul(one, other, out=out)

    return run


def in_turns(
    works: dict[str, Callable[[], object]],
    turns: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the milliseconds of each, the fastest of many tries.

    In a turn, each has a quarter of a second, of which the first part does not count, because the
    previous one leaves other data in the caches and threads that are still busy.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, work in works.items():
            begin = time.perf_counter()
            while (now := time.perf_counter()) < begin + 0.25 or not times[name]:
                start = clock()
                work()
                if now > begin + 0.1:
                    times[name].append(1000 * (clock() - start))
    return {name: min(taken) for name, taken in times.items()}


def inference(net: SongNet, head: str) -> None:
    """Print the cost of one clip in Keras, in ONNX Runtime, and of its matrix products alone."""
    frames = SOUND.frames_of_samples(SECONDS * SOUND.sample_rate)
    clip = np.random.default_rng(0).normal(-5, 2, (1, frames, SOUND.n_mels)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        save_onnx(net, Path(folder) / "model.onnx")
        sessions = {}
        for threads in (1, THREADS):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            sessions[threads] = onnxruntime.InferenceSession(Path(folder) / "model.onnx", options)
    session = sessions[THREADS]
    products = multiply(matrix_products(net.keras_model, frames))
    with threadpool_limits(THREADS):
        times = in_turns(
            {
                "products": products,
                "onnx": lambda: session.run(["genre_over_time"], {"log_mel": clip}),
                "predict": lambda: net.keras_model.predict(clip, verbose=0),
            },
            turns=TURNS,
        )
    # With one thread, processor time is independent of other load on the machine.
    with threadpool_limits(1):
        busy = in_turns(
            {
                "products": products,
                "onnx": lambda: sessions[1].run(["genre_over_time"], {"log_mel": clip}),
            },
            turns=TURNS,
            clock=time.process_time,
        )
    answer = session.run(["genre_over_time"], {"log_mel": clip})[0]
    off = np.abs(answer - net.keras_model(clip, training=False)["genre_over_time"]).max()
    print(
        f"{f'{head}: ONNX Runtime':<34}{times['onnx']:9.1f} ms; model.predict "
        f"{times['predict']:.1f} ms, {times['predict'] / times['onnx']:.1f} times; matrix products "
        f"{times['products']:.1f} ms, {times['onnx'] / times['products']:.2f} of them; "
        f"on one thread, in processor time, {busy['onnx'] / busy['products']:.2f}; "
        f"off by {off:.0e}"
    )


def listening() -> None:
    """Print musicnn's saving from computing rows that overlapping patches share only once."""
    net = load_musicnn()
    count = net.sound.frames_of_samples(SECONDS * net.sound.sample_rate)
    frames = np.random.default_rng(0).normal(-5, 2, (count, net.sound.n_mels)).astype(np.float32)
    field = net.timeline.field
    patches = sliding_window_view(frames, field.size, axis=0)[:: field.stride].transpose(0, 2, 1)
    busy = in_turns(
        {
            "alone": lambda: [net.genre_of_frames(patch) for patch in patches],
            "together": lambda: net.genre_of_frames(frames),
        },
        turns=3,
        clock=time.process_time,
    )
    print(
        f"{'musicnn, whole clip':<34}{busy['together']:9.1f} ms of processor time; patch by patch "
        f"{busy['alone']:.1f} ms, {busy['alone'] / busy['together']:.2f} times"
    )


def peak(size: int = 1536) -> float:
    """Return the GFLOP/s of one product of large float32 squares."""
    random = np.random.default_rng(0)
    one, other = (random.standard_normal((size, size), np.float32) for _ in range(2))
    start = time.perf_counter()
    np.matmul(one, other)
    return 2 * size**3 / (time.perf_counter() - start) / 1e9


def training() -> None:
    """Print the speed of training relative to matrix products, and the overhead of Keras."""
    log_mels = LogMelStore().prepare(open_corpus("mini", progress=False), progress=False)
    clips = log_mels.clips
    sets, genres = split(clips, "random", 0), sorted(clips.genre.unique())
    print(f"Training songnet on mini ({data_folder()}), forward, backward and Adam")
    for seconds, batch in ((SECONDS, 8), (SECONDS, 16), (SECONDS, 32), (8, 16)):
        recipe = Recipe(crop_seconds=float(seconds), batch=batch, epochs=2)
        trainer = Trainer(NETWORKS["songnet"], log_mels, clips, sets, genres, recipe=recipe)
        each = 3 * sum(
            2 * rows * inner * columns * times
            for rows, inner, columns, times in matrix_products(trainer.network, trainer.crops.size)
        )
        given = trainer.crops[0]
        trainer.model.train_on_batch(*given)
        peaks, steps = [], []
        peak()
        # A turn of each, the product before and after: others use the machine as well.
        for _ in range(TURNS):
            before = peak()
            start = time.perf_counter()
            trainer.model.train_on_batch(*given)
            steps.append(time.perf_counter() - start)
            peaks += [before, peak()]
        speeds, top = each * batch / np.array(steps) / 1e9, float(np.median(peaks))
        print(
            f"{f'{seconds} s, {batch} clips a step':<34}{np.median(speeds):9.1f} GFLOP/s, "
            f"{np.median(speeds) / top:.2f} of {top:.0f} (quickest: "
            f"{max(speeds) / max(peaks):.2f} of {max(peaks):.0f})"
        )
        if seconds == SECONDS:
            continue
        with tempfile.TemporaryDirectory() as folder:
            whole = trainer.fit(Path(folder), {})[-1]["seconds"]
        print(
            f"{'  an epoch, with validation':<34}{whole:9.1f} s; "
            f"{len(trainer.crops)} steps alone {len(trainer.crops) * np.median(steps):.1f} s"
        )
        where_a_step_goes(trainer.network, given[0]["log_mel"])


def where_a_step_goes(network: keras.Model, frames: np.ndarray) -> None:
    """Print which layers the processor's time of a training step goes to, forward and backward."""
    x, spent = tf.constant(frames), dict[str, float]()
    for layer in network.layers[1:]:
        if layer.name == "genre":
            break

        @tf.function
        def both_ways(x: tf.Tensor, layer: keras.Layer = layer) -> object:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
            # Nobody asks for the gradient of the frames.
            sources = layer.trainable_variables + ([] if x.shape == frames.shape else [x])
            return tape.gradient(y, sources)

        both_ways(x)
        times = []
        for _ in range(TURNS):
            start = time.process_time()
            both_ways(x)
            times.append(time.process_time() - start)
        kind = layer.name.rstrip("_0123456789")
        spent[kind] = spent.get(kind, 0) + 1000 * float(np.median(times))
        x = layer(x, training=True)
    for kind, took in sorted(spent.items(), key=lambda item: -item[1]):
        print(
            f"{f'  {kind}':<34}{took:9.1f} ms of processor time, {took / sum(spent.values()):.0%}"
        )


def kernel_clips() -> None:
    """Print the cost of kernel clips for all kernels of SongNet on mini."""
    prepared = LogMelStore().prepare(open_corpus("mini"))
    genres = sorted(prepared.clips.genre.unique())
    model = songnet(SOUND, genres)
    some = np.concatenate([prepared.frames(clip)[::50] for clip in prepared.clips.id])
    centre(model, some.mean(axis=0), some.std(axis=0))
    kernels = Kernels(SongNet(model, SOUND, genres))
    many = sum(layer.kernels for layer in kernels.layers)
    print(f"Kernel clips: all {many} kernels of songnet, {len(prepared.clips)} clips of mini")
    start = time.perf_counter()
    found = survey(kernels, prepared, progress=False)
    heard = time.perf_counter()
    table = found.table()
    clips = [clip for _, clip in found_clips(found, table.index[~table.dead])]
    seconds = sum(len(clip.audio) / clip.rate for clip in clips)
    cut = time.perf_counter()
    print(f"{'survey of the corpus':<34}{heard - start:9.1f} s")
    played = f"{seconds / 60:.0f} minutes of music"
    print(f"{'found clips cut and joined':<34}{cut - heard:9.1f} s, {played}")
    for layer in kernels.names:
        taken = []
        for kernel in (0, 1, 2):
            start = time.perf_counter()
            maximised_clip(found, layer, kernel)
            taken.append(time.perf_counter() - start)
        print(f"{f'a maximised clip of {layer}':<34}{taken[0]:9.1f} s, then {taken[2]:.1f} s")


def main() -> None:
    """Print one line for each step."""
    with tempfile.TemporaryDirectory() as folder:
        extraction(clips_to_decode(Path(folder)))
        decoders()
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
    # The weights do not affect the time, so use an untrained network.
    genres = [f"genre {number}" for number in range(8)]
    net = SongNet(songnet(sound, genres), sound, genres)
    whole = milliseconds(lambda: net.genre_over_time(audio))
    print(f"{'genre over time, whole clip':<34}{whole:9.1f} ms")
    lstm = SongNet(songnet_lstm(sound, genres), sound, genres)
    print()
    inference(net, "time-distributed dense")
    inference(lstm, "LSTM and dense")
    listening()
    print()
    kernel_clips()
    print()
    training()


if __name__ == "__main__":
    main()
