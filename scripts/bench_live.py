"""Measure the live song in a real browser, inside JupyterLab, and print what people would feel.

The network has the paper's layers and random weights: they make no difference to the time. The
pretrained listener is measured as well where it is there (``songnet fetch musicnn``).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))

from lab import FAKE_MICROPHONE, FLAGS, Lab, find_chromium, running_lab
from wild import write_clips

from songnet_utils.corpora import data_folder
from songnet_utils.fetch import musicnn_is_whole
from songnet_utils.models import load_songnet
from songnet_utils.streaming import hear_song

RATE = 44_100

CELL = """
from songnet_utils import open_corpus
from songnet_utils.models import SongNet, songnet
from songnet_utils.timeline import Sound
from songnet_utils.widgets import LiveSong
genres = [f"genre {{number}}" for number in range(8)]
net = SongNet(songnet(Sound(), genres), Sound(), genres)
live = LiveSong(open_corpus({folder!r}), [net{listener}])
live
"""

SAY = """() => {
  const root = document.querySelector('.sn-live');
  const {song} = root;
  root.moments = {};
  song.addEventListener('changed', ({detail}) => {
    const {upload, facts, moments = root.moments} = song;
    if (upload?.sent) moments.sent ??= performance.now();
    if (detail === 'song') moments.song = performance.now();
    if (detail === 'steps' && moments.song) moments.first ??= performance.now();
    if (detail === 'whole') moments.whole = performance.now();
  });
  song.moments = root.moments;
}"""


def music(seconds: float, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield stereo pieces of ten seconds: notes over noise, other ones each quarter of a second."""
    dice = np.random.default_rng(seed)
    time_ = np.arange(10 * RATE) / RATE
    for _ in range(round(seconds / 10)):
        note = (time_ * 4).astype(int)
        pitch = 55 * 2 ** (dice.integers(0, 60, note.max() + 1) / 12)
        tone = 0.3 * np.sin(2 * np.pi * pitch[note] * time_)
        hiss = dice.uniform(0, 0.1, note.max() + 1)[note] * dice.standard_normal(len(time_))
        yield np.stack([tone + hiss, tone - hiss], axis=1).astype(np.float32)


def write(file: Path, seconds: float, **how: object) -> Path:
    """Write a song of so many seconds, and return it."""
    with soundfile.SoundFile(file, "w", RATE, 2, **how) as writer:
        for piece in music(seconds):
            writer.write(piece)
    return file


@contextmanager
def opened(lab: Lab, name: str, cell: str) -> Iterator[Page]:
    """Open a live song whose first clip is heard."""
    page = lab.open([cell], name=name)
    page.set_default_timeout(300_000)
    page.wait_for_function("document.querySelector('.sn-live')?.dataset.finished === 'true'")
    yield page
    if page.complaints:
        print("    errors in the console:", page.complaints)
    page.context.close()


def upload(page: Page, file: Path, network: str) -> dict[str, float]:
    """Upload a file, wait until it is heard to its end, and return moments in seconds."""
    root = page.locator(".sn-live").first
    root.get_by_label("Network that answers").select_option(label=network)
    page.evaluate(SAY)
    before = root.get_attribute("data-song")
    began = page.evaluate("performance.now()")
    root.locator("input[type=file]").set_input_files(file)
    page.wait_for_function(
        f"""() => {{
          const root = document.querySelector('.sn-live');
          return root.dataset.song !== '{before}' && root.dataset.finished === 'true'
            && root.audio.readyState >= 2;
        }}"""
    )
    moments = page.evaluate("document.querySelector('.sn-live').moments")
    return {name: (moment - began) / 1000 for name, moment in moments.items()}


def frames_a_second(page: Page, seconds: float = 10) -> tuple[float, float]:
    """Play, and return the pictures painted a second and the longest time between two, in s."""
    return page.evaluate(
        """async (seconds) => {
          const root = document.querySelector('.sn-live');
          root.audio.currentTime = 0;
          await root.audio.play();
          const began = performance.now();
          let last = began, longest = 0, painted = Number(root.dataset.painted);
          const first = painted;
          while (last - began < 1000 * seconds) {
            await new Promise(requestAnimationFrame);
            if (Number(root.dataset.painted) === painted) continue;
            painted = Number(root.dataset.painted);
            longest = Math.max(longest, performance.now() - last);
            last = performance.now();
          }
          root.audio.pause();
          return [(painted - first) / ((last - began) / 1000), longest / 1000];
        }""",
        seconds,
    )


def microphone(page: Page, network: str, seconds: float) -> tuple[list[float], np.ndarray, list]:
    """Listen to the microphone; return each answer's delay (s), the whole answer and genres."""
    root = page.locator(".sn-live").first
    root.get_by_label("Network that answers").select_option(label=network)
    page.evaluate(
        """() => {
          const {song} = document.querySelector('.sn-live');
          song.delays = [];
          song.addEventListener('changed', ({detail}) => {
            if (detail === 'steps' && song.ear) song.delays.push(song.delay);
          });
        }"""
    )
    root.get_by_role("button", name="Microphone").click()
    page.wait_for_function("document.querySelector('.sn-live').dataset.state === 'listening'")
    page.wait_for_timeout(1000 * seconds)
    root.get_by_role("button", name="Stop listening").click()
    page.wait_for_function("document.querySelector('.sn-live').dataset.finished === 'true'")
    delays, whole, genres = page.evaluate(
        """() => {
          const {song} = document.querySelector('.sn-live');
          return [song.delays, [...song.whole], song.asked.genres];
        }"""
    )
    return delays, np.array(whole), genres


def main() -> None:
    """Print one line for each thing that people would feel."""
    listener = musicnn_is_whole()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        cell = CELL.format(
            folder=str(write_clips(place / "tunes")), listener=', "musicnn"' if listener else ""
        )
        hour = write(place / "hour.mp3", 3600, format="MP3", bitrate_mode="VARIABLE")
        large = write(place / "large.wav", 1140, format="WAV")
        spoken = write(place / "spoken.wav", 20, format="WAV")
        flags = (*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={spoken}")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, *flags])
        with (
            running_lab(browser, data_folder(), place) as lab,
            opened(lab, "live.ipynb", cell) as page,
        ):
            for network in ("SongNet", *([load_songnet("musicnn").name] if listener else [])):
                print(f"the live song, {network}")
                for file in (hour, large):
                    upload(page, file, network)  # once before: it wakes the network
                    took = upload(page, file, network)
                    size = file.stat().st_size / 1e6
                    print(
                        f"    {file.name}, {size:.0f} MB: uploaded in {took['sent']:.1f} s, "
                        f"first answer {took['first'] - took['sent']:.2f} s later, "
                        f"all of it {took['whole'] - took['sent']:.1f} s later"
                    )
                painted, longest = frames_a_second(page)
                print(f"    {painted:.0f} pictures a second, {longest * 1000:.0f} ms at most")
                delays, whole, genres = microphone(page, network, 41)
                print(
                    f"    microphone: answers {np.median(delays):.2f} s after the last sound they "
                    f"are about, {max(delays):.2f} s at most; "
                    f"{genres[int(whole.argmax())]} {whole.max():.0%}"
                )
            if listener:
                steps, _ = hear_song(load_songnet("musicnn"), spoken)
                truth = np.mean([step.probabilities for step in steps], axis=0)
                print(f"    classify of that file: {genres[int(truth.argmax())]} {truth.max():.0%}")
        browser.close()


if __name__ == "__main__":
    main()
