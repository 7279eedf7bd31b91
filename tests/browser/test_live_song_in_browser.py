"""The live song in a real browser: what people see is what belongs to what they hear.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lab import FAKE_MICROPHONE, FLAGS
from playwright.sync_api import Page, expect
from toy import GENRES, Toy

from songnet_utils.plots import genre_colours
from songnet_utils.streaming import Step, hear_song

ROOT = Path(__file__).resolve().parents[2]
RATE = 44_100


def tune(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Notes and noises that change four times a second, stereo."""
    dice = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    note = (time * 4).astype(int)
    pitch = 55 * 2 ** (dice.integers(0, 60, note.max() + 1) / 12)
    hiss = dice.uniform(0, 0.2, note.max() + 1)
    left = 0.4 * np.sin(2 * np.pi * pitch[note] * time)
    right = hiss[note] * dice.standard_normal(len(time))
    return np.stack([left, right], axis=1).astype(np.float32)


def sound_file(samples: np.ndarray, format: str, rate: int = RATE, **how: object) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, **how)
    return file.getvalue()


@pytest.fixture(scope="session")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real song where there is one beside the project; else one made here."""
    shared = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared"))
    real = shared / "fma" / "fma_small" / "000" / "000010.mp3"
    if real.is_file():
        return real
    made = tmp_path_factory.mktemp("song") / "made.mp3"
    made.write_bytes(sound_file(tune(30), "MP3"))
    return made


@dataclass
class Widget:
    """The live song on a page, read as a person reads it."""

    page: Page

    def __post_init__(self) -> None:
        self.root = self.page.locator(".sn-live").first
        self.before = ""

    def data(self) -> dict[str, str]:
        return self.root.evaluate("root => ({...root.dataset})")

    def wait_until(self, what: str) -> None:
        """Wait until the JavaScript expression `what` (of `root`, `audio`, `song`) holds."""
        self.page.wait_for_function(
            "(() => { const root = document.querySelector('.sn-live');"
            f" if (!root) return false; const {{audio, song}} = root; return {what}; }})()"
        )

    def wait_for_song(self, title: str) -> None:
        """Wait until another song than before is there, heard to its end and ready to play."""
        self.wait_until(
            f"root.dataset.song !== {self.before!r} && root.dataset.finished === 'true'"
            " && audio.readyState >= 2"
        )
        expect(self.root.locator(".sn-title")).to_have_text(title)
        self.before = ""

    def upload(self, name: str, content: bytes) -> None:
        self.before = self.data()["song"]
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        self.root.locator("input[type=file]").set_input_files([file])

    def upload_path(self, path: Path) -> None:
        self.before = self.data()["song"]
        with self.page.expect_file_chooser() as chooser:
            self.root.get_by_role("button", name="Open a song").click()
        chooser.value.set_files(path)

    def look(self) -> dict:
        """What is on the screen at one moment, right after a picture was painted."""
        return self.root.evaluate(LOOK)


LOOK = """async (root) => {
  // The second picture from now on: it was painted after everything that has happened so far.
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
  const {audio} = root;
  const canvas = root.querySelector('.sn-stage canvas');
  const back = Math.round(4 * devicePixelRatio); // beside the playhead's own line
  const x = Math.round(0.6 * canvas.width) - back;
  const column = canvas.getContext('2d').getImageData(x, 0, 1, canvas.height).data;
  const hex = (c) => c.toString(16).padStart(2, '0').toUpperCase();
  const colours = [];
  for (let y = 0; y < canvas.height; y++) {
    const [r, g, b, a] = column.slice(4 * y, 4 * y + 4);
    colours.push(a === 255 ? '#' + hex(r) + hex(g) + hex(b) : '');
  }
  return {
    ...root.dataset,
    now: audio.currentTime,
    paused: audio.paused,
    belief: root.querySelector('.sn-belief').innerText,
    numbers: [...root.querySelectorAll('tbody td:nth-child(3)')].map((cell) => cell.innerText),
    widths: [...root.querySelectorAll('.sn-bar')].map((bar) => bar.style.width),
    column: colours,
    column_seconds: audio.currentTime - back / devicePixelRatio / 46,
  };
}"""


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def newest(steps: list[Step], seconds: float) -> int:
    return sum(step.end <= seconds for step in steps) - 1


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two genres, in formats that browsers play and in one that they do not."""
    folder = tmp_path_factory.mktemp("corpus") / "tunes"
    for number, (genre, name, format) in enumerate(
        [("Folk", "one.mp3", "MP3"), ("Folk", "two.flac", "FLAC"), ("Rock", "three.au", "AU")]
    ):
        (folder / genre).mkdir(parents=True, exist_ok=True)
        (folder / genre / name).write_bytes(sound_file(tune(8, seed=number), format))
    return folder


CELL = """
from toy import Toy
from songnet_utils import open_corpus
from songnet_utils.widgets import LiveSong
live = LiveSong(open_corpus({folder!r}), [
    Toy(), Toy("Other", "It means little.", tilt=0.3), Toy("Slow", seconds_a_push=1.0)])
live
"""


@pytest.fixture(scope="module")
def widget(lab, clips: Path) -> Iterator[Widget]:
    page = lab.open([CELL.format(folder=str(clips))])
    widget = Widget(page)
    widget.wait_until("root.dataset.finished === 'true' && audio.readyState >= 2")
    yield widget
    assert page.complaints == [], "the browser's console has errors"
    page.context.close()


def watch(
    widget: Widget, steps: list[Step], genres: Sequence[str], seconds: float, moments: int
) -> None:
    """Seek at random, wait at random, and compare what is on the screen with these steps."""
    colours = list(genre_colours(genres).values())
    dice = random.Random(7)
    columns = 0
    for moment in range(moments):
        target = dice.uniform(0, seconds - 1.5)
        playing = moment % 3 > 0
        widget.root.evaluate(
            """async (root, [target, playing]) => {
              const {audio} = root;
              if (playing) await audio.play(); else audio.pause();
              await new Promise((done) => {
                audio.addEventListener('seeked', done, {once: true});
                audio.currentTime = target;
              });
            }""",
            [target, playing],
        )
        widget.page.wait_for_timeout(dice.uniform(0, 600))
        seen = widget.look()
        shown = float(seen["playhead"])
        assert seen["paused"] is not playing
        if playing:
            assert target <= shown <= seen["now"]
        else:
            assert shown == seen["now"] == pytest.approx(target, abs=0.05)
        k = newest(steps, shown)
        assert int(seen["step"]) == k
        if k < 0:
            assert seen["belief"].startswith("listening…")
            continue
        truth = steps[k].probabilities
        np.testing.assert_allclose(np.fromstring(seen["probabilities"], sep=" "), truth, atol=1e-5)
        top = int(truth.argmax())
        assert seen["belief"].split() == [
            genres[top],
            f"{np.floor(truth[top] * 100 + 0.5):.0f}",
            "%",
        ]
        for number, width, p in zip(seen["numbers"], seen["widths"], truth, strict=True):
            assert abs(float(number.split()[0]) - 100 * p) <= 0.51
            assert float(width[:-1]) == pytest.approx(100 * p, abs=1e-3)
        if not playing:
            columns += picture_agrees(seen, steps, colours)
    assert columns >= moments // 6, "the picture was hardly looked at"


def test_first_answer_is_announced_and_the_clip_is_there(widget):
    expect(widget.root.locator(".sn-title")).to_have_text("one")
    expect(widget.root.locator(".sn-about").first).to_contain_text("tunes: labelled Folk")
    expect(widget.root.locator(".sn-belief")).to_have_text("listening… first answer at 1.7 s")
    seen = widget.look()
    assert (seen["step"], seen["numbers"]) == ("-1", ["–"] * 8)


def test_step_on_screen_is_the_one_under_the_playhead(widget, mp3):
    """At 30 random moments after random seeks, playing and paused: numbers, bars and picture."""
    steps, seconds = hear_song(Toy(), mp3)
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    assert int(widget.data()["steps"]) == len(steps)
    watch(widget, steps, GENRES, seconds, moments=30)


def picture_agrees(seen: dict, steps: list[Step], colours: list[str]) -> bool:
    """Whether there was a column to look at; the stacked area there must be the step's."""
    at = seen["column_seconds"]
    k = newest(steps, at)
    near = 1.5 / 46
    if k < 0 or newest(steps, at - near) != newest(steps, at + near):
        return False
    bands = [colour for colour in seen["column"] if colour in colours]
    area = len(bands)
    for colour, p in zip(colours, steps[k].probabilities, strict=True):
        assert abs(bands.count(colour) - p * area) <= 2, (at, k, colour)
    assert bands == sorted(bands, key=colours.index)
    return True


def test_pause_and_seek_by_mouse_and_keys_stay_in_step(widget, mp3):
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    stage = widget.root.get_by_role("slider", name="Position in the song")
    stage.focus()
    cell = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    mode = "window.jupyterapp.shell.currentWidget.content.mode"
    before = widget.page.evaluate(f"[{cell}, {mode}]")

    def at() -> float:
        return float(widget.look()["now"])

    for key, expected in [
        ("End", pytest.approx(widget.root.evaluate("root => root.audio.duration"), abs=0.1)),
        ("Home", 0),
        ("PageUp", 10),
        ("ArrowRight", 11),
        ("Shift+ArrowLeft", 6),
    ]:
        widget.page.keyboard.press(key)
        assert at() == expected
        seen = widget.look()
        assert seen["playhead"] == str(seen["now"]) or float(seen["playhead"]) == seen["now"]
    expect(stage).to_have_attribute("aria-valuenow", "6.0")
    widget.page.keyboard.press(" ")
    widget.wait_until("!audio.paused && audio.currentTime > 6.2")
    expect(widget.root.get_by_role("button", name="Pause")).to_be_visible()
    widget.page.keyboard.press(" ")
    widget.wait_until("audio.paused")
    assert widget.page.evaluate(f"[{cell}, {mode}]") == before, "the notebook took the keys"

    # A click goes to the moment under it: 92 pixels are two seconds.
    here = at()
    box = stage.bounding_box()
    widget.page.mouse.click(box["x"] + 0.6 * box["width"] + 92, box["y"] + 40)
    assert at() == pytest.approx(here + 2, abs=0.05)
    strip = widget.root.locator(".sn-overview").bounding_box()
    widget.page.mouse.click(strip["x"] + strip["width"] / 2, strip["y"] + 8)
    assert at() == pytest.approx(widget.root.evaluate("root => root.audio.duration / 2"), abs=0.1)


def sweep(seconds: float) -> np.ndarray:
    """A tone whose pitch tells the time, 50 Hz a second from 300 Hz up; noise in the first third.

    The noise costs bits: in a variable bit rate the first third holds most of the file's bytes.
    """
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * (300 * time + 25 * time**2))
    noise = 0.15 * np.random.default_rng(0).standard_normal(len(time))
    noise[time > seconds / 3] = 0
    return np.stack([tone + noise, tone - noise], axis=1).astype(np.float32)


def without_table(mp3: bytes) -> bytes:
    """Cut off the first frame, which holds a table of places and the number of frames."""
    return mp3[mp3.index(b"\xff\xfb", max(mp3.find(b"Xing"), mp3.find(b"Info"))) :]


@pytest.mark.parametrize("kind", ["constant", "variable", "variable without a table"])
def test_sound_heard_is_the_one_at_the_playhead(widget, kind):
    """Browsers lose their place in an mp3 of variable bit rate: by half a minute in this one.

    So all mp3s are played with an index around their own bytes, and only that is sent.
    """
    mode = "CONSTANT" if kind == "constant" else "VARIABLE"
    mp3 = sound_file(sweep(90), "MP3", bitrate_mode=mode, compression_level=0.5)
    if "without" in kind:
        mp3 = without_table(mp3)
    widget.upload(f"{kind}.mp3", mp3)
    widget.wait_for_song(f"{kind}.mp3")
    heard = widget.root.evaluate(
        """async (root, places) => {
          const {audio} = root;
          root.context ??= new AudioContext();
          root.source ??= root.context.createMediaElementSource(audio);
          const analyser = root.context.createAnalyser();
          Object.assign(analyser, {fftSize: 8192, smoothingTimeConstant: 0});
          root.source.connect(analyser);
          root.source.connect(root.context.destination);
          const levels = new Float32Array(analyser.frequencyBinCount);
          const heard = [];
          for (const place of places) {
            const there = new Promise((r) => audio.addEventListener('seeked', r, {once: true}));
            audio.currentTime = place;
            await there;
            await audio.play();
            await new Promise((r) => setTimeout(r, 900));
            analyser.getFloatFrequencyData(levels);
            const now = audio.currentTime;
            let best = 0;
            for (let i = 0; i < levels.length; i++) if (levels[i] > levels[best]) best = i;
            const pitch = best * root.context.sampleRate / analyser.fftSize;
            // The analyser looks at the last 8192 samples, on the whole half of them ago.
            heard.push([now, (pitch - 300) / 50 + 4096 / root.context.sampleRate]);
            audio.pause();
          }
          return heard;
        }""",
        [10, 80, 25, 50, 32, 65],
    )
    for now, sounding in heard:
        assert sounding == pytest.approx(now, abs=0.25), heard
    assert widget.root.evaluate("root => root.song.tried") == "wrapped", "nothing is encoded again"


def test_whole_song_is_the_mean_of_its_steps(widget, mp3):
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    steps, _ = hear_song(Toy(), mp3)
    mean = np.mean([step.probabilities for step in steps], axis=0)
    shown = widget.root.locator("tbody td.sn-whole").all_inner_texts()
    for text, p in zip(shown, mean, strict=True):
        assert abs(float(text.split()[0]) - 100 * p) <= 0.51
    expect(widget.root.locator("thead th.sn-whole")).to_have_text("song")
    top = int(mean.argmax())
    expect(widget.root.locator(".sn-verdict")).to_have_text(
        f"The whole song: {GENRES[top]} {np.floor(mean[top] * 100 + 0.5):.0f} %"
    )


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("song.txt", "no song")
    return file.getvalue()


BAD = {
    "empty.mp3": (b"", "empty.mp3: the file is empty"),
    "text.mp3": (b"This is not a song.\n" * 50, "text.mp3: is not a sound file"),
    "cut short.mp3": (sound_file(tune(6), "MP3")[:20_000], "cut short.mp3: is cut short"),
    "silence.wav": (sound_file(np.zeros((RATE, 2)), "WAV"), "silence.wav: holds only silence"),
    "blink.wav": (sound_file(tune(0.1), "WAV"), "blink.wav: lasts 0.10 s; Toy needs at least"),
    "archive.zip": (zipped(), "archive.zip: is not a sound file"),
    "../../up.mp3": (b"no song", "up.mp3: is not a sound file"),
    "nan.wav": (sound_file(np.full((RATE, 1), np.nan), "WAV", subtype="FLOAT"), "nan.wav: holds"),
    "<img src=x onerror=alert(1)>.mp3": (b"no song", "onerror=alert(1)>.mp3: is not a sound file"),
}


@pytest.mark.parametrize("name", BAD, ids=lambda name: name.split(".")[-2][-9:])
def test_bad_upload_is_told_in_words_and_changes_nothing(widget, mp3, name):
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    widget.root.evaluate("root => { root.audio.currentTime = 8; }")
    widget.wait_until("Math.abs(root.dataset.playhead - 8) < 0.1")
    before = widget.look()
    content, said = BAD[name]
    widget.upload(name, content)
    alert = widget.root.get_by_role("alert")
    expect(alert).to_contain_text(said)
    after = widget.look()
    for key in ("song", "steps", "step", "probabilities", "playhead", "finished"):
        assert after[key] == before[key], key
    expect(widget.root.locator(".sn-title")).to_have_text(mp3.name)
    if name == "text.mp3":
        screenshot(widget.page, "bad-upload")
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_be_hidden()


def test_file_too_large_is_refused_before_a_byte_is_sent(widget):
    """The limit is lowered for this; the words are the page's own."""
    widget.root.evaluate("root => { root.song.welcome.most_bytes = 50_000; }")
    widget.upload("large.wav", sound_file(tune(1), "WAV"))
    alert = widget.root.get_by_role("alert")
    expect(alert).to_contain_text("large.wav: has 177 kB; at most 50 kB are taken.")
    assert widget.root.evaluate("root => root.song.upload") is None
    widget.root.evaluate("root => { root.song.welcome.most_bytes = 300_000_000; }")


def test_large_upload_arrives_whole_in_small_pieces(widget, tmp_path):
    """ipywidgets' own upload loses files over 10 MB without a word."""
    content = sound_file(tune(120), "WAV")
    assert len(content) > 20_000_000
    widget.root.evaluate(
        """root => {
          const {model} = root.song;
          root.sizes = [];
          const send = model.send;
          model.send = (content, callbacks, buffers) => {
            for (const buffer of buffers ?? []) root.sizes.push(buffer.byteLength);
            return send(content, callbacks, buffers);
          };
        }"""
    )
    (tmp_path / "two minutes.wav").write_bytes(content)
    widget.upload_path(tmp_path / "two minutes.wav")
    widget.wait_for_song("two minutes.wav")
    sizes = widget.root.evaluate("root => root.sizes")
    assert sum(sizes) == len(content)
    assert max(sizes) <= 1_000_000
    steps, seconds = hear_song(Toy(), content)
    assert int(widget.data()["steps"]) == len(steps)
    assert widget.root.evaluate("root => root.audio.duration") == pytest.approx(seconds, abs=0.05)


def test_drop_a_file_on_it(widget):
    content = list(sound_file(tune(3), "MP3"))
    drop = """(root, [names, content]) => {
      const data = new DataTransfer();
      for (const name of names) data.items.add(new File([new Uint8Array(content)], name));
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        const how = {dataTransfer: data, bubbles: true, cancelable: true};
        root.dispatchEvent(new DragEvent(kind, how));
      }
    }"""
    widget.before = widget.data()["song"]
    widget.root.evaluate(drop, [["dropped.mp3"], content])
    widget.wait_for_song("dropped.mp3")

    # Twenty at once: one is heard, all can be chosen, none is kept twice.
    widget.before = widget.data()["song"]
    names = [f"{number}.mp3" for number in range(20)]
    widget.root.evaluate(drop, [names, content])
    widget.wait_for_song("0.mp3")
    status = widget.root.get_by_role("status")
    expect(status).to_have_text(
        "20 files: 0.mp3 is heard first, the others stand under “Opened songs”."
    )
    mine = widget.root.get_by_label("Opened songs")
    assert mine.locator("option").all_inner_texts()[-20:] == names
    widget.before = widget.data()["song"]
    mine.select_option(label="7.mp3")
    widget.wait_for_song("7.mp3")
    expect(mine).to_have_value(
        mine.locator("option", has_text="7.mp3").first.get_attribute("value")
    )


def test_the_same_file_twice_is_kept_once(widget, tmp_path):
    (tmp_path / "twice.flac").write_bytes(sound_file(tune(3), "FLAC"))
    widget.upload_path(tmp_path / "twice.flac")
    widget.wait_for_song("twice.flac")
    widget.upload_path(tmp_path / "twice.flac")
    widget.wait_for_song("twice.flac")
    expect(widget.root.get_by_role("status")).to_have_text(
        "twice.flac was there already; it is heard again."
    )
    kept = widget.root.get_by_label("Opened songs").locator("option")
    assert kept.all_inner_texts().count("twice.flac") == 1


def test_at_any_speed_and_in_a_loop_the_picture_belongs_to_the_sound(widget):
    content = sound_file(tune(9, seed=3), "FLAC")
    widget.upload("nine.flac", content)
    widget.wait_for_song("nine.flac")
    steps, seconds = hear_song(Toy(), content)
    widget.root.get_by_label("Speed").select_option(label="2 ×")
    watch(widget, steps, GENRES, seconds, moments=8)
    assert widget.root.evaluate("root => root.audio.playbackRate") == 2
    loop = widget.root.get_by_role("button", name="Loop")
    loop.click()
    expect(loop).to_have_attribute("aria-pressed", "true")
    widget.root.evaluate("root => { root.audio.currentTime = 8.5; root.audio.play(); }")
    widget.wait_until("!audio.paused && audio.currentTime < 4 && audio.currentTime > 1.9")
    seen = widget.look()
    assert int(seen["step"]) == newest(steps, float(seen["playhead"]))
    loop.click()
    # The next song is played as the one before.
    widget.upload("again.flac", content)
    widget.wait_for_song("again.flac")
    assert widget.root.evaluate("root => root.audio.playbackRate") == 2
    widget.root.get_by_label("Speed").select_option(label="1 ×")
    expect(loop).to_have_attribute("aria-pressed", "false")


def test_an_hour_is_answered_before_it_is_decoded(widget, tmp_path):
    """Its first answers stand while most of it waits; all of them come, in order."""
    rate = 8_000
    with soundfile.SoundFile(tmp_path / "hour.flac", "w", rate, 1) as file:
        minute = tune(60, rate)[:, 0]
        for _ in range(60):
            file.write(minute)
    widget.root.evaluate(
        """root => {
          root.first = null;
          root.song.addEventListener('changed', ({detail}) => {
            if (detail === 'steps' && root.song.facts.seconds > 3000) {
              root.first ??= root.song.ends.at(-1);
            }
          });
        }"""
    )
    widget.upload_path(tmp_path / "hour.flac")
    widget.wait_for_song("hour.flac")
    assert widget.root.evaluate("root => root.first") < 10
    steps = int(widget.data()["steps"])
    assert steps == (3600 * 22_050 // 1024 + 1 - 36) // 8 + 1
    expect(widget.root.locator(".sn-clock")).to_have_text("0:00.0 / 60:00.0")
    widget.root.evaluate("root => { root.audio.currentTime = 3000; }")
    widget.wait_until("root.dataset.playhead >= 2999")
    widget.page.wait_for_timeout(300)
    seen = widget.look()
    assert int(seen["step"]) > 8_000
    screenshot(widget.page, "hour")


def test_a_microphone_is_heard_as_its_file_is(lab, chromium, clips, tmp_path):
    """Chromium's own stand-in for a microphone plays a file, again and again."""
    song = tune(6, 48_000, seed=5)
    (tmp_path / "spoken.wav").write_bytes(sound_file(song, "WAV", 48_000))
    flags = (*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={tmp_path / 'spoken.wav'}")
    browser = lab.browser.browser_type.launch(executable_path=chromium, args=[*FLAGS, *flags])
    page = replace(lab, browser=browser).open([CELL.format(folder=str(clips))], name="mic.ipynb")
    widget = Widget(page)
    widget.wait_until("root.dataset.finished === 'true'")
    widget.root.get_by_role("button", name="Microphone").click()
    widget.wait_until("root.dataset.state === 'listening' && +root.dataset.steps > 12")
    assert float(widget.data()["delay"]) >= 0
    expect(widget.root.locator(".sn-heard")).to_contain_text("after the last sound")
    expect(widget.root.locator(".sn-title")).to_have_text("Microphone")
    seen = widget.look()
    assert int(seen["step"]) == int(seen["steps"]) - 1
    # Each answer stays in the picture, as wide as a step.
    colours = widget.root.evaluate(
        """root => {
          const canvas = root.querySelector('.sn-stage canvas');
          const {data} = canvas.getContext('2d')
            .getImageData(0, canvas.height - 4, canvas.width, 1);
          let wide = 0;
          for (let x = 0; x < canvas.width; x++) wide += data[4 * x + 3] === 255;
          return wide / devicePixelRatio / 46;
        }"""
    )
    assert colours > 10 * 8 * 1024 / 22_050
    screenshot(page, "microphone")
    widget.page.wait_for_timeout(6_000)
    widget.root.get_by_role("button", name="Stop listening").click()
    widget.wait_until("root.dataset.finished === 'true' && audio.readyState >= 2")
    heard, seconds = widget.root.evaluate("root => [[...root.song.whole], root.song.seconds]")

    # What it heard can be played, and asked about again: then it is a file like any other.
    widget.root.evaluate("root => { root.audio.currentTime = 2; }")
    shown = widget.look()
    assert int(shown["step"]) >= 0
    widget.before = widget.data()["song"]
    widget.root.get_by_label("Network that answers").select_option(label="Other")
    widget.wait_until(
        f"root.dataset.song !== {widget.before!r} && root.dataset.finished === 'true'"
        " && audio.readyState >= 2 && song.asked.name === 'Other'"
    )
    assert widget.root.evaluate("root => root.song.seconds") == pytest.approx(seconds, abs=0.05)
    steps, _ = hear_song(Toy(), sound_file(np.tile(song, (3, 1)), "WAV", 48_000))
    truth = np.mean([step.probabilities for step in steps], axis=0)
    # It began somewhere in the file.
    np.testing.assert_allclose(heard, truth, atol=0.05)
    assert int(np.argmax(heard)) == int(truth.argmax())
    assert page.complaints == []
    browser.close()


def test_a_microphone_that_is_not_allowed_is_told_in_words(widget):
    widget.page.context.clear_permissions()
    widget.root.get_by_role("button", name="Microphone").click()
    alert = widget.root.get_by_role("alert")
    expect(alert).to_contain_text("microphone")
    assert widget.data()["state"] != "listening"
    widget.root.get_by_role("button", name="Dismiss").click()


def test_clip_that_browsers_cannot_play_is_sent_as_flac(widget, clips):
    widget.root.get_by_label("Genre of the clips").select_option("Rock")
    choice = widget.root.get_by_label("Clip", exact=True)
    expect(choice.locator("option")).to_have_count(2)
    widget.before = widget.data()["song"]
    choice.select_option(label="three")
    widget.wait_for_song("three")
    steps, seconds = hear_song(Toy(), clips / "Rock" / "three.au")
    assert int(widget.data()["steps"]) == len(steps)
    assert widget.root.evaluate("root => root.audio.duration") == pytest.approx(seconds, abs=0.01)
    widget.root.get_by_role("button", name="Play").click()
    widget.wait_until("audio.currentTime > 0.3")
    widget.root.get_by_role("button", name="Pause").click()


def test_another_network_answers_under_its_name(widget, mp3):
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    who = widget.root.locator(".sn-who")
    select = widget.root.get_by_label("Network that answers")
    expect(who).to_contain_text("Toy learnt from no music at all: a formula.")
    widget.root.evaluate("root => { root.audio.currentTime = 12; }")
    select.select_option(label="Other")
    expect(who).to_contain_text("Other learnt from no music at all: a formula. It means little.")
    widget.wait_until("root.dataset.finished === 'true'")
    seen = widget.look()
    steps, _ = hear_song(Toy(tilt=0.3), mp3)
    k = newest(steps, float(seen["playhead"]))
    assert float(seen["playhead"]) == pytest.approx(12, abs=0.05)
    np.testing.assert_allclose(
        np.fromstring(seen["probabilities"], sep=" "), steps[k].probabilities, atol=1e-5
    )
    select.select_option(label="Toy")
    expect(who).to_contain_text("Toy learnt")
    widget.wait_until("root.dataset.finished === 'true'")


def test_answers_come_while_it_plays(widget):
    """The first answer does not wait for the song's end, and nothing is shown too early."""
    widget.root.get_by_label("Network that answers").select_option(label="Slow")
    widget.wait_until("root.dataset.finished === 'true'")
    widget.upload("long.flac", sound_file(tune(45, seed=3), "FLAC"))
    expect(widget.root.locator(".sn-title")).to_have_text("long.flac")
    widget.wait_until("song.ends.length > 0 && audio.readyState >= 2")
    early = widget.data()
    assert early["finished"] == "false"
    widget.root.evaluate("root => { root.audio.currentTime = 40; }")
    seen = widget.look()
    assert (seen["step"], seen["numbers"]) == ("-2", ["–"] * 8)
    assert seen["belief"] == "listening… not there yet"
    expect(widget.root.locator(".sn-heard")).to_contain_text("Heard up to 0:")
    widget.wait_until("root.dataset.finished === 'true' && root.dataset.step >= 0")
    steps, _ = hear_song(Toy(), sound_file(tune(45, seed=3), "FLAC"))
    seen = widget.look()
    assert int(seen["step"]) == newest(steps, float(seen["playhead"]))
    widget.root.get_by_label("Network that answers").select_option(label="Toy")
    widget.wait_until("root.dataset.finished === 'true' && song.asked.name === 'Toy'")


def test_kernel_stays_free_while_a_network_listens(widget, lab):
    """A cell runs at once although the slow network is busy."""
    widget.root.get_by_label("Network that answers").select_option(label="Slow")
    widget.wait_until("song.asked.name === 'Slow'")
    answer = widget.page.evaluate(
        """async () => {
          const {sessionContext} = window.jupyterapp.shell.currentWidget;
          const {kernel} = sessionContext.session;
          const future = kernel.requestExecute({code: 'len(live.steps) + 1'});
          let text = '';
          future.onIOPub = (message) => { text += message.content.data?.['text/plain'] ?? ''; };
          await future.done;
          return [text, document.querySelector('.sn-live').dataset.finished];
        }"""
    )
    assert int(answer[0]) >= 1
    assert answer[1] == "false"
    widget.root.get_by_label("Network that answers").select_option(label="Toy")
    widget.wait_until("root.dataset.finished === 'true' && song.asked.name === 'Toy'")


def test_song_that_another_takes_the_place_of_is_forgotten(widget, clips):
    """Three wishes at once: the last one stays, and its steps are its own."""
    for name in ("a.flac", "b.flac", "c.flac"):
        seed = {"a.flac": 11, "b.flac": 12, "c.flac": 13}[name]
        widget.upload(name, sound_file(tune(6, seed=seed), "FLAC"))
    widget.wait_for_song("c.flac")
    widget.page.wait_for_timeout(500)
    expect(widget.root.locator(".sn-title")).to_have_text("c.flac")
    steps, _ = hear_song(Toy(), sound_file(tune(6, seed=13), "FLAC"))
    widget.root.evaluate("root => { root.audio.currentTime = 4; }")
    widget.wait_until("root.dataset.step >= 0")
    seen = widget.look()
    np.testing.assert_allclose(
        np.fromstring(seen["probabilities"], sep=" "),
        steps[int(seen["step"])].probabilities,
        atol=1e-5,
    )


def test_page_that_is_loaded_again_finds_its_song(lab, clips, mp3):
    page = lab.open([CELL.format(folder=str(clips))], name="again.ipynb")
    widget = Widget(page)
    widget.wait_until("root.dataset.finished === 'true'")
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    steps = widget.data()["steps"]
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context?.isReady")
    widget.wait_for_song(mp3.name)
    assert widget.data()["steps"] == steps
    assert page.complaints == []
    page.context.close()


def test_song_falls_silent_when_its_cell_is_run_again(lab, clips):
    page = lab.open([CELL.format(folder=str(clips))], name="twice.ipynb")
    widget = Widget(page)
    widget.wait_until("root.dataset.finished === 'true' && audio.readyState >= 2")
    widget.root.get_by_role("button", name="Play").click()
    widget.wait_until("audio.currentTime > 0.2")
    page.evaluate("window.before = document.querySelector('.sn-live')")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells'); 0")
    widget.wait_until("root !== window.before && root.dataset.finished === 'true'")
    assert page.evaluate("window.before.audio.paused")
    expect(page.locator(".sn-live")).to_have_count(1)
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("width", "theme", "motion"),
    [(1280, "light", "no-preference"), (1280, "dark", "no-preference"), (390, "dark", "reduce")],
)
def test_it_fits_every_page(lab, clips, mp3, width, theme, motion):
    page = lab.open(
        [CELL.format(folder=str(clips))],
        **{"name": f"{width}-{theme}.ipynb", "width": width, "theme": theme},
        reduced_motion=motion,
    )
    widget = Widget(page)
    widget.wait_until("root.dataset.finished === 'true'")
    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    widget.root.evaluate("root => { root.audio.currentTime = 13; }")
    widget.wait_until("root.dataset.playhead >= 12.9")
    widget.root.scroll_into_view_if_needed()
    screenshot(page, f"{width}-{theme}")
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        widget.root.screenshot(path=Path(folder) / f"{width}-{theme}-widget.png")
    inside = widget.root.evaluate(
        """root => {
          const box = root.getBoundingClientRect();
          return [...root.querySelectorAll('*')].filter((e) => {
            const own = e.getBoundingClientRect();
            return own.width && !e.closest('.sn-hidden') && !e.closest('option')
              && (own.left < box.left - 1 || own.right > box.right + 1);
          }).map((e) => e.className || e.tagName);
        }"""
    )
    assert inside == [], "sticks out of the widget"
    assert widget.root.evaluate("root => root.scrollWidth <= root.clientWidth")
    assert contrast_of(widget) >= 4.5
    if motion == "reduce":
        # The picture stands still: between two moments of one page nothing left of both moves.
        pixels = """root => {
          const canvas = root.querySelector('.sn-stage canvas');
          return [...canvas.getContext('2d').getImageData(0, 0, 20, canvas.height).data].join();
        }"""
        first = widget.root.evaluate(pixels)
        widget.root.evaluate("root => { root.audio.currentTime = 13.5; }")
        widget.wait_until("root.dataset.playhead >= 13.4")
        assert widget.root.evaluate(pixels) == first
    assert page.complaints == []
    page.context.close()


@pytest.fixture(scope="module")
def course(data_folder: Path, musicnn_data: Path) -> Path:
    """A data folder as `make course` leaves it, with little in it."""
    from songnet_utils.corpora import mini, open_corpus
    from songnet_utils.fetch import musicnn_folder
    from songnet_utils.training import train

    folder = data_folder / "mini"
    mini.prepare(folder, artists=3, clips=1, progress=False)
    # Say that this is all of it, or the lesson would compose the rest.
    note = folder / "mini.json"
    whole = {"artists": mini.ARTISTS, "clips": mini.CLIPS}
    note.write_text(json.dumps(json.loads(note.read_text()) | whole))
    shutil.copytree(musicnn_folder(musicnn_data), musicnn_folder(data_folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(data_folder))
        # On the artist split, which is what the lesson looks for.
        train(open_corpus("mini"), split="artist", epochs=2, progress=False)
    return data_folder


def test_lesson_7_plays_a_real_song_in_step(lab, course, mp3, monkeypatch):
    from songnet_utils.models import load_songnet
    from songnet_utils.training import newest_run

    monkeypatch.setenv("SONGNET_DATA", str(course))
    page = lab.open(ROOT / "notebooks" / "07-live-demo.ipynb", name="07-live-demo.ipynb")
    page.set_default_timeout(240_000)
    widget = Widget(page)
    page.evaluate(
        """() => {
          const {content} = window.jupyterapp.shell.currentWidget;
          const cells = content.widgets.map((cell) => cell.model.sharedModel.getSource());
          content.scrollToItem(cells.findIndex((source) => source.includes('LiveSong(')));
        }"""
    )
    widget.wait_until("root.dataset.finished === 'true' && audio.readyState >= 2")
    who = widget.root.locator(".sn-who")
    expect(who).to_contain_text("SongNet learnt from")
    expect(who).to_contain_text("its answer for a real song means little")

    widget.upload_path(mp3)
    widget.wait_for_song(mp3.name)
    expect(who).to_contain_text("musicnn")
    listener = load_songnet("musicnn")
    steps, seconds = hear_song(listener, mp3)
    watch(widget, steps, listener.genres, seconds, moments=50)
    screenshot(page, "lesson-7")

    widget.root.get_by_label("Network that answers").select_option(label="SongNet")
    widget.wait_until("song.asked.name === 'SongNet' && root.dataset.finished === 'true'")
    net = load_songnet(newest_run())
    steps, seconds = hear_song(net, mp3)
    watch(widget, steps, net.genres, seconds, moments=12)
    failed = page.locator('.jp-OutputArea-output[data-mime-type*="error"]')
    assert failed.all_inner_texts() == []
    assert page.complaints == []
    page.context.close()


def contrast_of(widget: Widget) -> float:
    """Return the least contrast (WCAG 2) of the widget's text against its paper."""
    found = widget.root.evaluate(
        """root => {
          const rgb = (colour) => {
            const canvas = new OffscreenCanvas(1, 1).getContext('2d');
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const paper = rgb(getComputedStyle(root).backgroundColor);
          const texts = ['.sn-title', '.sn-about', '.sn-clock', '.sn-label', 'td.sn-whole'];
          return [paper, ...texts.flatMap((name) => [...root.querySelectorAll(name)])
            .map((e) => e instanceof Element ? rgb(getComputedStyle(e).color) : e)];
        }"""
    )

    def light(colour: list[int]) -> float:
        linear = [
            (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
            for c in np.array(colour) / 255
        ]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    paper = light(found[0])
    ratios = [(max(paper, light(c)) + 0.05) / (min(paper, light(c)) + 0.05) for c in found[1:]]
    assert ratios, json.dumps(found)
    return min(ratios)
