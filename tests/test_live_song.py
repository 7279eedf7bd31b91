"""The live song without a browser: messages in, messages out, whatever they hold."""

from __future__ import annotations

import dataclasses
import io
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import stand_in

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from toy import GENRES, Toy

from songnet_utils.audio import AudioReader, load_audio, log_mel, read_audio
from songnet_utils.corpora import open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.plots import genre_colours
from songnet_utils.streaming import hear_song
from songnet_utils.timeline import Sound
from songnet_utils.widgets import live as live_module
from songnet_utils.widgets import microphone as microphone_module
from songnet_utils.widgets.live import LiveSong
from songnet_utils.widgets.microphone import Microphone
from songnet_utils.widgets.playing import as_mp4

RATE = 22_050


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    dice = np.random.default_rng(seed)
    loudness = np.repeat(dice.uniform(0.01, 0.5, int(4 * seconds) + 1), RATE // 4)
    samples = dice.standard_normal(round(seconds * RATE)) * loudness[: round(seconds * RATE)]
    return np.clip(samples, -1, 1).astype(np.float32)


def encoded(
    samples: np.ndarray, format: str = "WAV", rate: int = RATE, subtype: str | None = None
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


class Page(stand_in.Page):
    """Puts steps together, too."""

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Return times and probabilities of the newest run, put together as the page does."""
        run = self.heard("asked")[-1]["run"]
        times: dict[int, np.ndarray] = {}
        answers: dict[int, np.ndarray] = {}
        for content, buffers in self.told:
            if content["kind"] == "steps" and content["run"] == run:
                spans = np.frombuffer(buffers[0], np.float64).reshape(-1, 2)
                rows = np.frombuffer(buffers[1], "<f4").reshape(len(spans), -1)
                for i, (span, row) in enumerate(zip(spans, rows, strict=True)):
                    times[content["first"] + i], answers[content["first"] + i] = span, row
        assert sorted(times) == list(range(len(times))), "a step is missing"
        return np.stack([times[k] for k in sorted(times)]), np.stack(
            [answers[k] for k in sorted(answers)]
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for genre, seed in (("Folk", 1), ("Rock", 2)):
        (tmp_path / "songs" / genre).mkdir(parents=True)
        (tmp_path / "songs" / genre / f"{genre}.wav").write_bytes(encoded(noise(5, seed)))
    return tmp_path / "songs"


@pytest.fixture
def page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(LiveSong(open_corpus(folder), [Toy(), Toy("Other", tilt=0.3)]), monkeypatch)


def test_steps_of_an_upload_are_those_that_classify_gives(page):
    content = encoded(noise(25), "FLAC", rate=44_100)
    page.uploads("song.flac", content)
    steps, seconds = hear_song(Toy(), content)
    times, answers = page.steps()
    np.testing.assert_allclose(times, [[step.start, step.end] for step in steps], atol=1e-9)
    np.testing.assert_allclose(answers, [step.probabilities for step in steps], atol=1e-5)
    whole = page.heard("whole")[-1]
    assert whole["steps"] == len(steps)
    np.testing.assert_allclose(
        whole["genre"], np.mean([step.probabilities for step in steps], axis=0), atol=1e-5
    )
    assert page.heard("song")[-1]["seconds"] == pytest.approx(seconds)
    assert page.heard("asked")[-1]["first_answer"] == pytest.approx(steps[0].end)
    assert page.heard("asked")[-1]["colours"] == list(genre_colours(GENRES).values())


def test_python_sees_the_same_steps(page):
    page.uploads("song.wav", encoded(noise(6)))
    np.testing.assert_array_equal(
        page.steps()[1], [step.probabilities for step in page.widget.steps]
    )
    assert page.widget.network.name == "Toy"


def test_picture_has_a_column_a_frame_and_its_bytes_are_log_mel(page):
    content = encoded(noise(6))
    page.uploads("song.wav", content)
    pictures = [told for told in page.told if told[0]["kind"] == "picture"]
    frames = log_mel(load_audio(content, RATE), Sound())
    rows = [np.frombuffer(b, np.uint8).reshape(-1, told["bands"]) for told, (b,) in pictures]
    assert [told["first"] for told, _ in pictures] == [0, *np.cumsum([len(r) for r in rows])[:-1]]
    painted = np.concatenate(rows) * pictures[0][0]["nats"] + np.log(Sound().floor)
    np.testing.assert_allclose(painted, frames, atol=pictures[0][0]["nats"] / 2 + 1e-4)


def test_the_first_answers_of_a_long_song_do_not_wait_for_its_end(page, monkeypatch):
    """Each block that is decoded is told before the next one is."""
    decoded: list[int] = []

    class Watched(AudioReader):
        def blocks(self, seconds=None):
            decoded.append(0)
            for block in super().blocks(seconds):
                decoded[-1] += 1
                page.told.append(({"kind": "block", "number": decoded[-1]}, []))
                yield block

    monkeypatch.setattr(live_module, "AudioReader", Watched)
    page.uploads("long.flac", encoded(noise(200), "FLAC"))
    assert decoded == [30, 100], "a minute to see whether it can be heard, then all of it"
    kinds = [content["kind"] for content, _ in page.told]
    opened = kinds.index("song")
    assert kinds[:opened].count("block") == 30
    assert kinds[opened : kinds.index("steps")].count("block") == 1
    for number in range(3, 100):
        block = page.told.index(({"kind": "block", "number": number}, []), opened)
        assert {"steps", "picture"} <= set(kinds[block : block + 4])


def test_a_song_damaged_behind_its_beginning_is_heard_so_far(page):
    content = encoded(noise(120), "FLAC")
    page.uploads("torn.flac", content[: int(0.8 * len(content))])
    said = page.heard("error")[-1]["text"]
    assert said.startswith("torn.flac: is ")
    assert said.endswith("What comes before that place was heard.")
    whole = page.heard("whole")[-1]
    assert 80 < whole["seconds"] < 110
    assert page.steps()[0][-1, 1] == pytest.approx(whole["seconds"])


class Mouth:
    """A page that has a microphone: sends a recording in pieces, as it would sound."""

    def __init__(self, page: Page, rate: int = 48_000, number: int = 5) -> None:
        self.page, self.number, self.sent = page, number, 0
        page.says("listen", microphone=number, rate=rate)

    def says(self, samples: np.ndarray, piece: int = 2_048) -> None:
        for at in range(0, len(samples), piece):
            part = samples[at : at + piece].astype("<f4")
            self.page.says("samples", part.tobytes(), microphone=self.number, at=self.sent)
            self.sent += len(part)

    def stops(self) -> None:
        self.page.says("stop", microphone=self.number)
        self.page.widget.wait()


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.mark.parametrize(("rate", "piece"), [(48_000, 2_048), (44_100, 441), (22_050, 9_999)])
def test_a_microphone_gives_the_steps_of_the_same_file(page, rate, piece):
    samples = np.clip(np.repeat(noise(8), 3)[: 8 * rate], -1, 1)
    mouth = Mouth(page, rate)
    mouth.says(samples, piece)
    mouth.stops()
    steps, seconds = hear_song(Toy(), encoded(samples, rate=rate, subtype="FLOAT"))
    times, answers = page.steps()
    np.testing.assert_allclose(times, [[step.start, step.end] for step in steps], atol=1e-9)
    np.testing.assert_allclose(answers, [step.probabilities for step in steps], atol=1e-5)
    assert page.heard("heard")[-1]["seconds"] == pytest.approx(seconds)
    assert page.heard("song")[-1]["microphone"] == mouth.number
    assert not page.heard("error")


def test_a_step_of_the_microphone_comes_with_the_samples_that_decide_it(page):
    mouth = Mouth(page)
    samples = np.repeat(noise(6), 3)
    end = hear_song(Toy(), encoded(samples, rate=48_000, subtype="FLOAT"))[0][4].end
    before = round(end * 48_000) - 2_048
    mouth.says(samples[:before])
    until(lambda: page.heard("heard") and page.heard("heard")[-1]["seconds"] * 48_000 >= before)
    assert len(page.widget.steps) == 4
    mouth.says(samples[before : before + 2_049])
    until(lambda: len(page.widget.steps) == 5)
    mouth.stops()


def test_whom_people_choose_while_a_microphone_is_open_hears_the_rest(page):
    mouth = Mouth(page)
    samples = np.repeat(noise(10), 3)
    mouth.says(samples[:192_000])
    until(lambda: page.heard("heard") and page.heard("heard")[-1]["seconds"] == 4)
    page.says("ask", network=1)
    mouth.says(samples[192_000:])
    mouth.stops()
    rest = encoded(samples[192_000:], rate=48_000, subtype="FLOAT")
    steps, _ = hear_song(Toy("Other", tilt=0.3), rest)
    times, answers = page.steps()
    np.testing.assert_allclose(times[:, 0], [step.start + 4 for step in steps], atol=1e-9)
    np.testing.assert_allclose(answers, [step.probabilities for step in steps], atol=1e-5)


def test_what_is_wrong_with_a_microphone_is_told_and_closes_it(page, monkeypatch):
    page.says("listen", microphone=1, rate=12)
    assert "12 samples a second; 8,000 to 192,000" in page.heard("error")[-1]["text"]
    mouth = Mouth(page)
    page.says("samples", bytes(8_000), microphone=mouth.number, at=24_000)
    said = page.heard("error")[-1]
    assert "0.50 s of the microphone were lost" in said["text"]
    assert said["microphone"] == mouth.number, "the page closes it as well"
    page.widget.wait()

    mouth = Mouth(page, number=6)
    page.says("samples", np.float32([np.nan]).tobytes(), microphone=6, at=0)
    assert "not numbers" in page.heard("error")[-1]["text"]
    page.widget.wait()

    monkeypatch.setattr(microphone_module, "MOST_SECONDS", 1)
    mouth = Mouth(page, number=7)
    mouth.says(np.zeros(60_000, np.float32))
    assert "the most that is listened to at a time" in page.heard("error")[-1]["text"]
    page.widget.wait()

    page.uploads("song.wav", encoded(noise(5)))
    assert page.heard("song")[-1]["name"] == "song.wav"


def test_a_network_far_behind_the_microphone_is_told(monkeypatch):
    monkeypatch.setattr(microphone_module, "MOST_WAITING", 1)
    there = Microphone(1, 8_000)
    there.take(0, np.zeros(8_001, np.float32))
    with pytest.raises(SongNetError, match="1 s behind"):
        there.take(8_001, np.zeros(1, np.float32))
    next(there.blocks())
    there.take(8_001, np.zeros(1, np.float32))


def test_another_song_closes_the_microphone(page):
    mouth = Mouth(page)
    mouth.says(np.repeat(noise(3), 3))
    until(lambda: page.heard("heard"))
    page.uploads("song.wav", encoded(noise(5)))
    mouth.says(np.repeat(noise(3), 3))  # a page may not know yet
    page.widget.wait()
    assert page.heard("song")[-1]["name"] == "song.wav"
    assert page.heard("whole")[-1]["seconds"] == pytest.approx(5)
    assert not page.heard("error")


def test_a_page_that_went_away_with_its_microphone_is_not_waited_for(page, monkeypatch):
    monkeypatch.setattr(microphone_module, "_PATIENCE", 0.1)
    Mouth(page).says(np.repeat(noise(4), 3))
    page.widget.wait(20)
    assert page.heard("whole")


def test_others_are_told_of_another_song_and_of_its_answer(page):
    seen = []
    page.widget.on_change(lambda: seen.append(page.widget.present))
    content = encoded(noise(5))
    page.uploads("song.wav", content)
    assert [(one.name, one.outside, one.content) for one in seen] == [
        ("song.wav", True, content)
    ] * 2
    assert seen[0].answer is None
    assert seen[1].answer == dict(
        zip(GENRES, map(float, page.heard("whole")[-1]["genre"]), strict=True)
    )
    page.says("choose", clip=page.widget._corpus.clips["id"].iloc[0])
    page.widget.wait()
    assert seen[-1].outside is False


def test_a_network_that_is_added_is_asked_from_then_on(page):
    page.uploads("song.wav", encoded(noise(5)))
    page.widget.add_network(Toy("Third", tilt=2))
    page.widget.wait()
    assert page.heard("asked")[-1]["name"] == "Third"
    assert page.heard("welcome")[-1]["networks"] == ["Toy", "Other", "Third"]
    page.widget.add_network("no/such/run", "Grown")
    page.widget.wait()
    assert "no/such/run" in page.heard("error")[-1]["text"]
    assert page.heard("asked")[-1]["name"] == "Third", "who cannot be asked is not chosen"
    page.widget.remove_network("no/such/run")
    assert page.heard("welcome")[-1]["networks"] == ["Toy", "Other", "Third"]


def test_hello_opens_the_first_clip_and_a_second_page_is_told_the_same(page, folder):
    page.says("hello")
    page.widget.wait()
    welcome = page.heard("welcome")[-1]
    assert welcome["corpus"] == {"name": "songs", "genres": [["Folk", 1], ["Rock", 1]]}
    assert welcome["networks"] == ["Toy", "Other"]
    assert page.heard("song")[-1]["title"] == "Folk"
    first = page.steps()
    page.told.clear()
    page.says("hello")
    assert [content["kind"] for content, _ in page.told] == [
        *("welcome", "song", "picture", "asked", "steps", "whole"),
    ]
    np.testing.assert_array_equal(page.steps()[1], first[1])


def test_clips_are_listed_by_genre_and_opened_by_id(page, folder):
    page.says("clips", genre="Rock")
    ((clip, title),) = page.heard("clips")[-1]["clips"]
    assert (title, page.heard("clips")[-1]["of"]) == ("Rock", 1)
    page.says("choose", clip=clip)
    page.widget.wait()
    song = page.heard("song")[-1]
    assert (song["genre"], song["from"], song["outside"]) == ("Rock", "songs", False)
    steps, _ = hear_song(Toy(), folder / "Rock" / "Rock.wav")
    np.testing.assert_allclose(page.steps()[1], [s.probabilities for s in steps], atol=1e-5)


def test_sound_comes_in_pieces_of_a_megabyte_at_most(page):
    content = encoded(noise(60))
    page.uploads("song.wav", content)
    song = page.heard("song")[-1]
    got = b""
    while len(got) < song["bytes"]:
        page.says("piece", song=song["song"], encoded=False, at=len(got))
        told, buffers = page.told[-1]
        assert (told["kind"], told["at"]) == ("piece", len(got))
        assert 0 < len(buffers[0]) <= 1_000_000
        got += bytes(buffers[0])
    assert got == content


def test_sound_for_browsers_that_cannot_play_it_is_the_same_sound(page):
    eight = np.tile(np.stack([noise(5, seed) for seed in range(8)], axis=1), (5, 1))
    page.uploads("eight.aiff", encoded(eight, "AIFF", rate=192_000))
    song = page.heard("song")[-1]
    assert song["mime"] == "", "no browser plays aiff everywhere"
    page.says("playable", song=song["song"], flac=False)
    page.widget.wait()
    told = page.heard("playable")[-1]
    page.says("piece", song=song["song"], encoded=True, at=0)
    samples, rate = soundfile.read(io.BytesIO(bytes(page.told[-1][1][0])), always_2d=True)
    assert (told["mime"], rate, samples.shape[1]) == ("audio/flac", 48_000, 1)
    assert len(samples) / rate == pytest.approx(song["seconds"], abs=1e-3)


def mp3_of(mode: str) -> bytes:
    """20 s that are loud, then quiet: what a variable bit rate makes use of."""
    samples = noise(20, 3) * np.linspace(1, 0, 20 * RATE, dtype=np.float32) ** 4
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", bitrate_mode=mode, compression_level=0.5)
    return file.getvalue()


TAG = b"ID3\x04\x00\x00" + bytes([0, 0, 2, 1]) + b"\0" * 257


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (TAG, b"TAG" + b"\0" * 125)])
def test_an_mp4_around_an_mp3_holds_its_frames_and_the_same_sound(mode, before, after):
    mp3 = before + mp3_of(mode) + after
    wrapping = as_mp4(mp3)
    assert wrapping is not None
    assert len(wrapping.before) + len(wrapping.after) < 0.15 * len(mp3)
    mp4 = wrapping.before + mp3[wrapping.at :][: wrapping.size] + wrapping.after
    ours, rate = read_audio(mp4, name="wrapped.mp4")
    whole, _ = read_audio(mp3)
    assert rate == RATE
    np.testing.assert_allclose(ours[: len(whole)], whole, atol=1e-4)
    assert 0 <= len(ours) - len(whole) <= 1152, "what the encoder put behind"
    assert wrapping.seconds == pytest.approx(len(ours) / rate, abs=0.01)


def test_what_is_no_mp3_has_no_mp4_around_it():
    for nonsense in (b"", b"ID3", b"\xff", b"no mp3 at all", encoded(noise(2)), b"\0" * 9000):
        assert as_mp4(nonsense) is None


def test_an_mp3_is_sent_as_what_stands_around_its_bytes(page):
    mp3 = mp3_of("VARIABLE")
    page.uploads("song.mp3", mp3)
    song = page.heard("song")[-1]
    assert song["mime"] == "", "browsers lose their place in it"
    page.says("playable", song=song["song"], flac=False)
    page.widget.wait()
    told, (before, after) = page.told[-1]
    assert told["mime"].startswith("audio/mp4")
    wrapping = as_mp4(mp3)
    assert (before, told["at"], told["bytes"], after) == dataclasses.astuple(wrapping)[:4]
    page.says("playable", song=song["song"], flac=True)
    page.widget.wait()
    assert page.heard("playable")[-1]["mime"] == "audio/flac"


def test_chunks_that_come_twice_or_from_a_cancelled_upload_change_nothing(page):
    content = encoded(noise(30))
    half = content[:1_000_000], content[1_000_000:]
    page.says("upload", upload=7, name="song.wav", bytes=len(content))
    page.says("chunk", half[0], upload=7, at=0)
    page.says("chunk", half[0], upload=7, at=0)
    page.says("chunk", b"not mine", upload=6, at=1_000_000)
    assert [told["bytes"] for told in page.heard("taken")] == [0, 1_000_000, 1_000_000]
    page.says("chunk", half[1], upload=7, at=1_000_000)
    page.widget.wait()
    assert page.heard("song")[-1]["bytes"] == len(content)
    page.told.clear()
    page.says("upload", upload=8, name="other.wav", bytes=len(content))
    page.says("cancel", upload=8)
    page.says("chunk", content[:1000], upload=8, at=0)
    page.widget.wait()
    assert [told["bytes"] for told in page.heard("taken")] == [0]
    assert not page.heard("song")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.mp3", b"", "a.mp3: the file is empty"),
        ("a.mp3", b"Once upon a time " * 99, "a.mp3: is not a sound file"),
        ("a.mp3", encoded(noise(5), "MP3")[:9_000], "a.mp3: is cut short"),
        ("a.wav", encoded(np.zeros(5 * RATE)), "a.wav: holds only silence"),
        ("a.wav", encoded(noise(0.1)), "a.wav: lasts 0.10 s; Toy needs at least"),
    ],
)
def test_bad_uploads_are_told_in_words_and_leave_the_song(page, name, content, said):
    page.uploads("good.wav", encoded(noise(6)))
    steps = page.widget.steps
    page.told.clear()
    page.uploads(name, content, number=2)
    assert [told["text"][: len(said)] for told in page.heard("error")] == [said]
    assert not page.heard("song")
    assert page.widget.steps == steps
    page.uploads("better.wav", encoded(noise(7)), number=3)
    assert page.heard("song")[-1]["name"] == "better.wav"


def test_too_large_and_too_long_are_refused_with_the_limit(page, monkeypatch):
    page.says("upload", upload=1, name="huge.wav", bytes=301_000_000)
    assert "huge.wav: has 301 MB; at most 300 MB are taken" in page.heard("error")[-1]["text"]
    monkeypatch.setattr(live_module, "MOST_SECONDS", 4)
    page.uploads("long.wav", encoded(noise(5)), number=2)
    assert "long.wav: lasts longer than 0.0666667 minutes" in page.heard("error")[-1]["text"]
    assert not page.heard("song")


def test_chunks_beyond_the_announced_size_are_not_kept(page):
    content = encoded(noise(5))
    page.says("upload", upload=1, name="song.wav", bytes=len(content))
    page.says("chunk", content + b"\0" * 500_000, upload=1, at=0)
    page.widget.wait()
    assert page.heard("song")[-1]["bytes"] == len(content)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "hello",
        {},
        {"kind": "rm -rf"},
        {"kind": "chunk"},
        {"kind": "ask", "network": 99},
        {"kind": "ask", "network": "x"},
        {"kind": "upload", "upload": 1, "name": "x", "bytes": "many"},
        {"kind": "upload", "upload": 1, "name": "x", "bytes": -5},
        {"kind": "piece", "song": 1},
        {"kind": "choose"},
        {"kind": "choose", "clip": "../../etc/passwd"},
        {"kind": "clips"},
        {"kind": "listen", "microphone": 1},
        {"kind": "listen", "microphone": "x", "rate": 48_000},
        {"kind": "samples", "microphone": 1, "at": 0},
        {"kind": "stop"},
        {"kind": "playable", "song": 1},
    ],
    ids=str,
)
def test_messages_that_make_no_sense_change_nothing(page, content, caplog):
    page.uploads("song.wav", encoded(noise(5)))
    steps = page.widget.steps
    page.sends(content)
    page.widget.wait()
    assert page.widget.steps == steps
    assert page.widget.network.name == "Toy"
    page.uploads("next.wav", encoded(noise(6)), number=2)
    assert page.heard("song")[-1]["name"] == "next.wav"
    assert "met a fault" not in caplog.text


def test_the_newest_wish_wins_however_long_the_older_takes(folder, monkeypatch):
    page = Page(LiveSong(None, [Toy()]), monkeypatch)
    check, first_may_go = live_module._check_beginning, threading.Event()

    def slow(reader: AudioReader) -> float | None:
        if reader.name == "first.wav":
            assert first_may_go.wait(20)
        return check(reader)

    monkeypatch.setattr(live_module, "_check_beginning", slow)
    first, second = encoded(noise(5, 1)), encoded(noise(6, 2))
    page.says("upload", upload=1, name="first.wav", bytes=len(first))
    page.says("chunk", first, upload=1, at=0)
    page.says("upload", upload=2, name="second.wav", bytes=len(second))
    page.says("chunk", second, upload=2, at=0)
    first_may_go.set()
    page.widget.wait()
    assert page.heard("song")[-1]["name"] == "second.wav"
    steps, _ = hear_song(Toy(), second)
    np.testing.assert_allclose(page.steps()[1], [s.probabilities for s in steps], atol=1e-5)


def test_a_bad_file_does_not_stop_the_song_that_is_being_heard(folder, monkeypatch):
    page = Page(LiveSong(None, [Toy(seconds_a_push=0.3)]), monkeypatch)
    content = encoded(noise(40))
    page.says("upload", upload=1, name="song.wav", bytes=len(content))
    page.says("chunk", content[:1_000_000], upload=1, at=0)
    page.says("chunk", content[1_000_000:], upload=1, at=1_000_000)
    page.uploads("bad.mp3", b"no song", number=2)
    assert len(page.heard("error")) == 1
    steps, _ = hear_song(Toy(), content)
    assert len(page.widget.steps) == len(steps)
    assert page.heard("whole")


def test_choosing_a_network_asks_it_about_the_same_song(page):
    content = encoded(noise(6))
    page.uploads("song.wav", content)
    page.says("ask", network=1)
    page.widget.wait()
    assert page.heard("asked")[-1]["name"] == "Other"
    assert len(page.heard("song")) == 1, "the song itself plays on"
    steps, _ = hear_song(Toy(tilt=0.3), content)
    np.testing.assert_allclose(page.steps()[1], [s.probabilities for s in steps], atol=1e-5)
    page.uploads("next.wav", encoded(noise(5)), number=2)
    assert page.heard("asked")[-1]["name"] == "Other", "a person's choice stays"


def test_a_network_that_cannot_be_asked_is_told_and_the_one_before_stays(folder, monkeypatch):
    page = Page(LiveSong(open_corpus(folder), [Toy(), folder / "no-run"]), monkeypatch)
    page.uploads("song.wav", encoded(noise(5)))
    page.says("ask", network=1)
    page.widget.wait()
    assert "no-run: there is no such folder" in page.heard("error")[-1]["text"]
    assert page.widget.network.name == "Toy"
    page.uploads("next.wav", encoded(noise(6)), number=2)
    assert page.heard("asked")[-1]["name"] == "Toy"


def test_a_network_chosen_while_a_song_is_decoded_is_the_one_that_is_asked(page, monkeypatch):
    check = live_module._check_beginning

    def meanwhile(reader: AudioReader) -> float | None:
        page.says("ask", network=1)
        return check(reader)

    monkeypatch.setattr(live_module, "_check_beginning", meanwhile)
    page.uploads("song.wav", encoded(noise(5)))
    assert page.heard("asked")[-1]["name"] == "Other"
    assert page.heard("whole")


def test_uploads_go_to_the_listener_where_it_is_there(folder, monkeypatch):
    class Stand(live_module.Listener):
        def __init__(self) -> None:
            toy = Toy("The listener")
            self.name, self.timeline, self.genres = toy.name, toy.timeline, toy.genres
            self.genre_of_frames, self.stepper = toy.genre_of_frames, toy.stepper

    page = Page(LiveSong(open_corpus(folder), [Toy(), Stand()]), monkeypatch)
    page.says("hello")
    page.widget.wait()
    assert page.heard("asked")[-1]["name"] == "Toy"
    page.uploads("song.wav", encoded(noise(5)))
    assert page.heard("asked")[-1]["name"] == "The listener"


def test_nothing_that_is_uploaded_is_written_to_disk(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    page.uploads("../../song.aiff", encoded(noise(5), "AIFF"))
    page.says("playable", song=page.heard("song")[-1]["song"], flac=False)
    page.widget.wait()
    assert page.heard("playable")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_fault_of_ours_is_told_and_the_song_stays(page, monkeypatch):
    page.uploads("song.wav", encoded(noise(5)))
    steps = page.widget.steps

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a wire is loose")

    monkeypatch.setattr(live_module, "_check_beginning", broken)
    page.uploads("next.wav", encoded(noise(6)), number=2)
    assert "RuntimeError: a wire is loose" in page.heard("error")[-1]["text"]
    assert page.widget.steps == steps


def test_no_network_is_said_with_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    with pytest.raises(SongNetError, match=r"songnet train mini.*songnet fetch musicnn"):
        LiveSong()


def test_hear_opens_a_file_and_says_which_is_missing(page, folder):
    page.widget.hear(folder / "Rock" / "Rock.wav")
    page.widget.wait()
    assert page.heard("song")[-1]["outside"] is True
    page.widget.hear(folder / "nothing.mp3")
    page.widget.wait()
    assert "nothing.mp3: cannot be read" in page.heard("error")[-1]["text"]
