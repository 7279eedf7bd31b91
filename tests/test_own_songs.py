"""A person's own songs: what is taken, what is refused, and that nothing else is ever written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutagen.flac
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from test_audio import ffmpeg_file, sound_file

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import SUFFIXES
from songnet_utils.corpora import OwnSongs, open_corpus, own, own_songs
from songnet_utils.corpora.table import check_table
from songnet_utils.features.store import LogMelStore

ROOT = Path(__file__).resolve().parents[1]
RATE = 22_050


def tone(pitch: float = 440, seconds: float = 3.5, rate: int = RATE, kind: str = "WAV") -> bytes:
    time = np.arange(int(seconds * rate)) / rate
    return written(0.3 * np.sin(2 * np.pi * pitch * time), rate, kind)


def written(samples: np.ndarray, rate: int = RATE, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind)
    return file.getvalue()


@pytest.fixture
def songs(tmp_path) -> OwnSongs:
    return OwnSongs(tmp_path / "my-songs")


def everything(folder: Path) -> dict[str, bytes]:
    """Return all that lies in a folder but the lock."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def listed(songs: OwnSongs) -> list[dict]:
    return json.loads((songs.folder / own.LIST).read_text(encoding="utf-8"))["songs"]


# --- What is taken --------------------------------------------------------------------------


def test_a_song_is_kept_as_it_is_under_a_name_of_our_own(songs):
    content = tone()
    digest = hashlib.sha256(content).hexdigest()
    added = songs.add(
        content,
        "Rock",
        name="My song.WAV",
        artist="The Sines",
    )
    assert everything(songs.folder).keys() == {f"Rock/{digest}.wav", own.LIST}
    assert added.file.read_bytes() == content
    (entry,) = listed(songs)
    assert entry.pop("added")[:2] == "20"
    assert entry == {
        **{"sha256": digest, "title": "My song", "named": "My song.WAV"},
        **{"artist": "The Sines", "licence": None},
    }
    assert (added.genre, added.title, added.seconds) == ("Rock", "My song", 3.5)
    assert str(added) == "“My song” by The Sines"


def test_open_corpus_shows_what_is_known(songs):
    first = songs.add(tone(300), "Rock", title="One", artist="A")
    second = songs.add(tone(400), "Jazz", name="Two.wav")
    corpus = open_corpus(songs.folder)
    check_table(corpus.clips)
    assert corpus.name == "my-songs"
    assert corpus.genres == ["Jazz", "Rock"]
    assert len(corpus.unusable) == 0
    clips = corpus.clips.set_index("file")
    known = clips.loc[str(first.file), ["title", "artist", "genre"]]
    assert known.tolist() == ["One", "A", "Rock"]
    assert clips.loc[str(second.file), "title"] == "Two"
    assert clips[["artist", "licence"]].isna().loc[str(second.file)].all()
    assert clips.seconds.tolist() == [3.5, 3.5]


def test_it_goes_through_the_store_like_any_corpus(songs, tmp_path):
    song = songs.add(tone(), "Rock")
    prepared = LogMelStore(tmp_path / "data").prepare(open_corpus(songs.folder), progress=False)
    (clip,) = prepared.clips.itertuples()
    assert prepared.contents[clip.id] == song.file.stem
    assert len(prepared.frames(clip.id)) == 1 + int(3.5 * RATE) // prepared.sound.hop


def test_tags_say_what_the_person_does_not(songs, tmp_path):
    file = tmp_path / "tagged.flac"
    file.write_bytes(tone(kind="FLAC"))
    tags = mutagen.flac.FLAC(file)
    tags["title"], tags["artist"], tags["copyright"] = "Tag\x00ged\n\x1b[31m", "Band", "CC BY-SA"
    tags.save()
    song = songs.add(file.read_bytes(), "Rock", name=file.name, artist="The Band")
    assert (song.title, song.artist) == ("Tag ged [31m", "The Band")
    (entry,) = listed(songs)
    assert (entry["licence"], entry["named"]) == ("CC BY-SA", "tagged.flac")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aiff", "au"])
def test_the_ending_follows_from_what_a_file_is(songs, kind):
    song = songs.add(tone(kind=kind.upper()), "Rock", name="liar.exe")
    assert song.file.suffix == f".{kind}"
    assert song.file.suffix in SUFFIXES


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [("ipod", "aac", ".m4a"), ("adts", "aac", ".aac"), ("webm", "libopus", ".webm")],
)
def test_the_ending_of_what_ffmpeg_reads(songs, container, codec, suffix):
    samples = np.random.default_rng(0).normal(0, 0.1, (4 * 48_000, 2)).astype(np.float32)
    song = songs.add(ffmpeg_file(samples, 48_000, container, codec), "Noise", name="song.mp3")
    assert song.file.suffix == suffix
    assert song.seconds == pytest.approx(4, abs=0.1)


def test_the_default_folder_lies_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    assert own_songs().folder == tmp_path / "my-songs"


# --- What is refused ------------------------------------------------------------------------


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../../song.wav", tone())
    return file.getvalue()


def unknown_codec() -> bytes:
    content = bytearray(tone())
    content[20:22] = b"\x34\x12"  # the WAV's format tag
    return bytes(content)


def promising_frames(total: int) -> bytes:
    """Return a FLAC whose header promises so many frames."""
    content = bytearray(tone(kind="FLAC"))
    field = int.from_bytes(content[18:26], "big")
    content[18:26] = (field >> 36 << 36 | total).to_bytes(8, "big")
    return bytes(content)


def picture_only() -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def hours(count: float) -> bytes:
    """Return hours of silence in little more than a megabyte."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8_000, 1, format="FLAC") as out:
        for _ in range(int(count)):
            out.write(np.zeros(3600 * 8_000, np.int16))
    return file.getvalue()


MIDI = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"
BAD = {
    "empty": (lambda: b"", r"song: the file is empty \(0 bytes\)"),
    "a text": (lambda: b"la la la\n" * 500, "song: is not a sound file"),
    "a program": (lambda: b"\x7fELF" + bytes(range(256)) * 40, "song: is not a sound file"),
    "a page": (lambda: b"<html><script>alert(1)</script></html>", "song: is not a sound file"),
    "a zip": (zipped, "song: is not a sound file"),
    "MIDI": (lambda: MIDI, "song: is not a sound file"),
    "an unknown codec": (unknown_codec, "song: has no sound that can be decoded"),
    "a film without sound": (picture_only, "song: has no sound"),
    "a truncated mp3": (lambda: tone(kind="MP3")[:3_000], "song: is cut short"),
    "a truncated wav": (lambda: tone()[:-5_000], "song: is cut short"),
    "a truncated flac": (lambda: tone(kind="FLAC")[:-2_000], "song: is .*(cut short|damaged)"),
    "silence": (lambda: written(np.zeros(5 * RATE)), "song: holds only silence"),
    "hours of silence": (lambda: hours(10), "song: lasts longer than 20 minutes"),
    "a short one": (
        lambda: tone(seconds=2.9),
        r"song: lasts only 2\.90 s, but a song needs at least 3 s",
    ),
    "a huge promise": (lambda: promising_frames(2**36 - 1), "song: lasts longer than 20 minutes"),
    "a false promise": (lambda: promising_frames(20 * RATE), "song: is cut short"),
    "not numbers": (
        lambda: sound_file(np.full((4 * RATE, 1), np.nan), RATE, subtype="FLOAT"),
        "song: has samples that are not numbers",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_upload_is_told_in_a_line_and_nothing_is_written(songs, kind):
    make, said = BAD[kind]
    with pytest.raises(SongNetError, match=said) as caught:
        songs.add(make(), "Rock", name="song")
    assert "\n" not in str(caught.value)
    assert not songs.folder.exists()


def test_a_stream_that_does_not_say_how_long_it_is_is_decoded_no_further_than_the_limit(
    songs, monkeypatch
):
    monkeypatch.setattr(own, "MOST_SECONDS", 6.0)
    songs.add(promising_frames(0), "Rock")
    silence = np.zeros((48_000 * 8, 2), np.float32)
    for long in (promising_long(8), ffmpeg_file(silence, 48_000, "adts", "aac")):
        with pytest.raises(SongNetError, match=r"lasts longer than 0\.1 minutes"):
            songs.add(long, "Rock")


def promising_long(seconds: float) -> bytes:
    content = bytearray(tone(seconds=seconds, kind="FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    return bytes(content)


def test_a_list_of_files_is_not_followed(songs, tmp_path, monkeypatch):
    """FFmpeg knows playlists: one of these would have become a copy of a file it names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.wav").write_bytes(tone())
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.wav\n#EXT-X-ENDLIST\n"
    for content in ("ffconcat version 1.0\nfile secret.wav\n", playlist):
        with pytest.raises(SongNetError, match="is not a sound file"):
            songs.add(content.encode(), "Rock")
    assert not songs.folder.exists()


def test_a_file_too_large_is_refused(songs, monkeypatch):
    monkeypatch.setattr(own, "MOST_BYTES", 1_000)
    with pytest.raises(SongNetError, match="the song: has 1 kB, but at most 1 kB"):
        songs.add(bytes(1_001), "Rock")


@pytest.mark.parametrize(
    "name",
    [
        *("../../../evil.wav", "/etc/passwd", "..\\..\\evil.exe", "C:\\evil.wav", ".", ".."),
        *("a\x00b\n\r\x1b[2Jc.wav", "\u202egpm.wav", "a" * 5_000 + ".wav", "", " ", "=1+1.wav"),
        "\ud800.wav",
    ],
)
def test_a_name_is_only_ever_a_title(songs, tmp_path, name):
    song = songs.add(tone(), "Rock", name=name)
    assert everything(tmp_path).keys() == {
        f"my-songs/Rock/{song.file.name}",
        f"my-songs/{own.LIST}",
    }
    assert song.title
    assert len(song.title) <= own.MOST_IN_TEXT
    assert song.title.isprintable()
    assert not set("/\\") & set(song.title)
    assert open_corpus(songs.folder).clips.title.tolist() == [song.title]


@pytest.mark.parametrize(
    "genre",
    [
        *("", " ", "..", ".", "../Rock", "/Rock", "Rock/../..", "a\\b", ".hidden", "a" * 41),
        *("Rock\x00", "Ro\u202eck", "con", "NUL", "Rock.", "a:b", "—", None, 7),
    ],
)
def test_a_genre_that_can_name_no_folder_is_refused(songs, genre):
    with pytest.raises(
        SongNetError, match=r"is not a name for a genre\. A genre is a name of 1 to 40"
    ):
        songs.add(tone(), genre)
    assert not songs.folder.exists()


@given(st.text(max_size=50))
def test_a_genre_names_one_folder_or_is_refused(text):
    try:
        genre = own.check_genre(text)
    except SongNetError:
        return
    assert Path(genre).parts == (genre,)
    assert genre not in (".", "..")
    assert not genre.startswith(".")
    assert own.check_genre(genre) == genre
    assert own.name_key(genre) == own.name_key(text)


def test_a_genre_that_differs_only_in_case_or_spaces_is_the_one_that_is_there(songs):
    written = ("Hip  Hop ", "hiphop", "HIP HOP", "Cafe\u0301", "CAFÉ")
    added = [songs.add(tone(300 + 100 * n), genre) for n, genre in enumerate(written)]
    assert [song.genre for song in added] == ["Hip Hop"] * 3 + ["Café"] * 2


def test_the_same_content_twice_is_told_under_its_title(songs):
    songs.add(tone(), "Rock", title="Anthem", artist="The Sines")
    before = everything(songs.folder)
    with pytest.raises(
        SongNetError, match=r"again\.wav: is there already, as “Anthem” in the genre Rock"
    ):
        songs.add(tone(), "Jazz", name="again.wav")
    assert everything(songs.folder) == before


def test_a_text_too_long_is_cut(songs):
    assert len(songs.add(tone(), "Rock", title="x" * 301).title) == own.MOST_IN_TEXT


def seeds() -> list[bytes]:
    samples = np.random.default_rng(0).normal(0, 0.1, (4 * 48_000, 2)).astype(np.float32)
    kinds = (("ipod", "aac"), ("adts", "aac"), ("webm", "libopus"), ("asf", "wmav2"))
    return [
        *(tone(rate=8_000, kind=kind) for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "AU")),
        *(ffmpeg_file(samples, 48_000, *kind) for kind in kinds),
    ]


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Return a file with some bytes changed, lost or put in, most of them in its header."""
    out = bytearray(content)
    for _ in range(random.integers(1, 12)):
        place = int(random.integers(len(out) if random.random() < 0.3 else min(len(out), 200)))
        match random.integers(4):
            case 0:
                out[place] = random.integers(256)
            case 1 if len(out) > 1_000:
                del out[place : place + int(random.integers(1, 300))]
            case 2:
                out[place:place] = random.bytes(int(random.integers(1, 20)))
            case _:
                out[place : place + 4] = bytes([random.choice([0, 127, 255]), *[255] * 3])
    return bytes(out)


# libsndfile asks a file for the byte before its first, and goes on.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_whatever_is_damaged_is_taken_or_told(songs):
    random, files = np.random.default_rng(0), seeds()
    taken, told = 0, []
    for number in range(100):
        try:
            songs.add(damaged(files[number % len(files)], random), "Rock", name="song")
            taken += 1
        except SongNetError as error:
            told.append(str(error))
    assert all(error.startswith("song: ") and "\n" not in error for error in told)
    assert len(listed(songs)) == taken
    assert {path.split("/")[0] for path in everything(songs.folder)} <= {"Rock", own.LIST}
    assert all(file.suffix in SUFFIXES for file in (songs.folder / "Rock").iterdir())


# --- What a person does in the folder --------------------------------------------------------


def test_a_file_that_is_moved_is_of_the_other_genre_and_keeps_its_title(songs):
    song = songs.add(tone(300), "Rock", title="Anthem", artist="The Sines")
    songs.add(tone(400), "Jazz")
    song.file.rename(songs.folder / "Jazz" / song.file.name)
    clips = open_corpus(songs.folder).clips
    assert clips.genre.tolist() == ["Jazz", "Jazz"]
    (moved,) = clips[clips.title == "Anthem"].itertuples()
    assert moved.artist == "The Sines"
    with pytest.raises(SongNetError, match=r"as “Anthem” in the genre Jazz\. .* move the file"):
        songs.add(tone(300), "Rock")


def test_a_file_that_is_deleted_is_gone_and_can_be_added_again(songs):
    song = songs.add(tone(300), "Rock", title="Once")
    songs.add(tone(400), "Rock")
    song.file.unlink()
    assert len(open_corpus(songs.folder).clips) == 1
    songs.add(tone(300), "Jazz", title="Again")
    clips = open_corpus(songs.folder).clips
    assert sorted(clips.title) == ["Again", "untitled"]


def test_a_file_that_was_put_there_by_hand_is_a_song_too(songs):
    songs.add(tone(300), "Rock")
    (songs.folder / "Rock" / "by hand.wav").write_bytes(tone(400))
    assert set(open_corpus(songs.folder).clips.title) == {"untitled", "by hand"}


def test_a_folder_of_an_older_version_stays_usable(songs):
    """Its list said the genre and the ending of each song, too."""
    digest = hashlib.sha256(tone(300)).hexdigest()
    (songs.folder / "Rock").mkdir(parents=True)
    (songs.folder / "Rock" / f"{digest}.wav").write_bytes(tone(300))
    entry = {
        **{"sha256": digest, "suffix": ".wav", "genre": "Rock", "title": "Old", "artist": None},
        **{"source": "a tape", "licence": None, "seconds": 3.5, "named": "old.wav"},
        "added": "2026-01-01T00:00:00+00:00",
    }
    (songs.folder / own.LIST).write_text(json.dumps({"songs": [entry]}))
    songs.add(tone(400), "rock")
    clips = open_corpus(songs.folder).clips
    assert clips.genre.tolist() == ["Rock", "Rock"]
    assert (clips.title == "Old").sum() == 1
    assert listed(songs)[0] == entry


def test_an_empty_folder_says_how_to_keep_songs(songs):
    songs.add(tone(), "Rock").file.unlink()
    with pytest.raises(SongNetError, match=r"contains no songs\. Label songs and press Keep"):
        open_corpus(songs.folder)


# --- Damage and interruptions ---------------------------------------------------------------------


def test_a_damaged_list_is_named_and_left_as_it_is(songs):
    songs.add(tone(), "Rock")
    file = songs.folder / own.LIST
    for bad in (
        "{",
        "[]",
        '{"songs": [7]}',
        '{"songs": ["7"]}',
        json.dumps({"songs": [{"title": "no SHA-256"}]}),
    ):
        file.write_text(bad, encoding="utf-8")
        for work in (
            lambda: open_corpus(songs.folder),
            lambda: songs.add(tone(500), "Rock"),
        ):
            with pytest.raises(SongNetError, match=own.LIST):
                work()
        assert file.read_text(encoding="utf-8") == bad
        assert len(everything(songs.folder)) == 2


class Killed(BaseException):
    """What stops a program in the middle, in place of a signal."""


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("call", range(2))
def test_stopped_before_any_write_it_opens_and_adding_again_mends_it(
    songs, monkeypatch, first, call
):
    """Every step that touches the disk is where the program may end."""
    kept = [] if first else [songs.add(tone(300), "Rock", title="kept")]
    steps = [0]

    def stopping(function):
        def step(*arguments, **options):
            if steps[0] == call:
                raise Killed
            steps[0] += 1
            return function(*arguments, **options)

        return step

    with monkeypatch.context() as patch:
        for name in ("write_json", "atomic_write"):
            patch.setattr(own, name, stopping(getattr(own, name)))
        with pytest.raises(Killed):
            songs.add(tone(400), "Jazz", title="new")
    there = [path for path in everything(songs.folder) if path != own.LIST]
    assert len(there) == len(kept) + call
    songs.add(tone(400), "Blues", title="new")
    clips = open_corpus(songs.folder).clips
    assert set(clips.title) == {*(song.title for song in kept), "new"}
    assert clips.genre[clips.title == "new"].tolist() == ["Blues"]


ADDING = """
import sys
from test_own_songs import tone
from songnet_utils.corpora import OwnSongs
songs = OwnSongs(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    songs.add(tone(200 + number), "Rock" if number % 2 else "rock", title=str(number))
    print(number, flush=True)
"""


def adding(folder: Path, first: int, last: int) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", ADDING, str(folder), str(first), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def start(process: subprocess.Popen) -> None:
    process.stdin.write("go\n")
    process.stdin.flush()


def test_two_programs_that_add_at_once_lose_no_song(songs):
    both = [adding(songs.folder, 0, 6), adding(songs.folder, 6, 12)]
    for process in both:
        start(process)
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    clips = open_corpus(songs.folder).clips
    assert sorted(clips.title.astype(int)) == list(range(12))
    assert clips.genre.nunique() == 1


def test_the_same_song_by_twenty_at_once_is_taken_once(songs):
    with ThreadPoolExecutor(20) as pool:
        work = [pool.submit(songs.add, tone(), "Rock", title=str(number)) for number in range(20)]
    errors = [str(one.exception()) for one in work if one.exception()]
    assert len(errors) == 19
    assert all("is there already" in error for error in errors)
    assert len(listed(songs)) == 1


def test_a_killed_program_leaves_a_folder_that_opens(songs):
    moments = np.random.default_rng(3)
    for kill in range(1):
        process = adding(songs.folder, 1_000 * kill, 1_000 * kill + 900)
        start(process)
        process.stdout.readline()
        time.sleep(moments.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        told = process.communicate()[0].split()
        # All that it said was added is there; the next one need not wait for the dead.
        clips = open_corpus(songs.folder).clips
        assert set(told) <= set(clips.title)
        for file in map(Path, clips.file):
            assert hashlib.sha256(file.read_bytes()).hexdigest() == file.stem
    songs.add(tone(5_000), "Rock")
    assert not list(songs.folder.rglob("*.part*"))


def test_a_folder_that_is_held_is_said(songs, monkeypatch):
    import filelock

    songs.add(tone(), "Rock")
    monkeypatch.setattr(own, "_PATIENCE", 0.1)
    with (
        filelock.FileLock(songs.folder / ".lock", is_singleton=False),
        pytest.raises(SongNetError, match="another program has been changing it"),
    ):
        songs.add(tone(500), "Rock")
