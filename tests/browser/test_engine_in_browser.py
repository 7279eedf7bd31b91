"""The page's engine in a real browser, held to what Python makes of the same songs."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from listening_place import (
    GENRES,
    described_onnx,
    listen,
    small_songnet,
    wait_until_ready,
    write_place,
)
from playwright.sync_api import Browser, Page

from songnet_utils.streaming import SongStream, hear_song

RATE = 22_050


def tune(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Notes and noises that change four times a second, mono."""
    dice = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    note = (time * 4).astype(int)
    pitch = 55 * 2 ** (dice.integers(0, 60, note.max() + 1) / 12)
    hiss = dice.uniform(0, 0.2, note.max() + 1)
    sound = 0.3 * np.sin(2 * np.pi * pitch[note] * time)
    return (sound + hiss[note] * dice.standard_normal(len(time))).astype(np.float32)


def as_rows(steps: list[Any]) -> np.ndarray:
    return np.array([[step.start, step.end, *step.probabilities] for step in steps])


@pytest.fixture(scope="module")
def net() -> Any:
    return small_songnet()


@pytest.fixture(scope="module")
def place(net: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place") / "site"
    return write_place(folder, {"songnet": described_onnx(net)})


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
        steps, seconds = hear_song(net, file)
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
        f"cut.{ending}: is cut short or damaged. Its header promises 20.00 s; only the first "
        f"{seconds:.2f} s can be decoded, and these are answered."
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


def test_without_webcodecs_the_page_decodes(browser, place, net, songs):
    page = browser.new_page()
    # As in a page from another machine without https.
    page.route("**/songnet.js", lambda route: route.continue_())
    page.add_init_script("window.SongNetWithoutWebCodecs = true")
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


def test_an_hour_of_mp3_answers_early_and_takes_little_memory(page, songs):
    file = songs / "hour.mp3"
    soundfile.write(songs / "part.mp3", np.tile(tune(60, 44_100), 2), 44_100)
    content = (songs / "part.mp3").read_bytes()
    file.write_bytes(content * 30)
    told = listen(page, file)
    print(f"an hour of mp3: first answer after {told['first']:.0f} ms, all after {told['ms']:.0f}")
    assert told["first"] < 2000
    assert told["heard"]["seconds"] > 3500


@pytest.mark.parametrize(
    "rates", [(44_100, RATE), (48_000, 16_000), (44_100, 16_000), (8_000, RATE)]
)
def test_the_resampler_is_as_good_as_soxr(page, songs, rates): ...


def test_an_mp3_is_played_in_step(page, songs): ...
