"""The log-mel store: right, whole and resumable, whatever happens to the files or the process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import songnet_utils.features.extraction
import songnet_utils.features.store
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import AudioWarning, decode, load_audio, log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.features import FEATURE_NAMES, FEATURE_SETS, mfcc_statistics
from songnet_utils.features.shards import Folder
from songnet_utils.features.store import LogMelStore

ROOT = Path(__file__).resolve().parents[1]
SOUND = Sound()


def noise(file: Path, seed: int, seconds: float = 2.5, rate: int = 22050) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    soundfile.write(file, 0.3 * generator.uniform(-1, 1, int(seconds * rate)), rate)
    return file


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder of six short clips, of several kinds."""
    for number, name in enumerate(
        ("Rock/a.wav", "Rock/b.flac", "Rock/c.mp3", "Pop/d.ogg", "Pop/e.wav", "Pop/f.wav")
    ):
        noise(tmp_path / "music" / name, number, rate=(22050, 44100)[number % 2])
    return tmp_path / "music"


@pytest.fixture
def store(tmp_path: Path) -> LogMelStore:
    return LogMelStore(tmp_path / "data", SOUND)


def whole(store: LogMelStore, corpus: Corpus) -> None:
    """Check that everything in the store is what its clip gives, and that nothing else is there."""
    left = {path for path in store.folder.path.rglob("*") if path.is_file()}
    for path in left:
        assert not path.name.startswith("."), f"{path} was left half-written"
    contents = {
        hashlib.sha256(Path(file).read_bytes()).hexdigest(): file for file in corpus.clips.file
    }
    for path in left:
        if path.suffix == ".safetensors":
            arrays = safetensors.numpy.load_file(path)
            for name, array in arrays.items():
                content, kind = name.split("/")
                audio = load_audio(contents[content], SOUND.sample_rate)
                truth = (
                    log_mel(audio, SOUND)
                    if kind == "frames"
                    else mfcc_statistics(audio, SOUND.sample_rate)
                )
                np.testing.assert_array_equal(array, truth)
            assert {name.split("/")[1] for name in arrays} == {"frames", "mfcc"}
        else:
            assert path.suffix in {".json", ".csv"}


def bytes_of(store: LogMelStore) -> dict[str, bytes]:
    """What stands in each shard of a store; what a killed process left half-written is none."""
    return {path.name: path.read_bytes() for path in store.folder.path.glob("shards/[!.]*")}


def test_every_clip_has_its_frames_and_statistics(music: Path, store: LogMelStore) -> None:
    corpus = open_corpus(music)
    prepared = store.prepare(corpus, progress=False)
    assert list(prepared.clips.id) == list(corpus.clips.id)
    assert prepared.unusable.empty
    assert list(prepared.features.columns) == list(FEATURE_NAMES)
    for clip in corpus.clips.itertuples():
        audio = load_audio(clip.file, SOUND.sample_rate)
        frames = prepared.frames(clip.id)
        assert frames.dtype == np.float32
        np.testing.assert_array_equal(frames, log_mel(audio, SOUND))
        np.testing.assert_array_equal(
            prepared.features.loc[clip.id], mfcc_statistics(audio, SOUND.sample_rate)
        )
    with pytest.raises(SongNetError, match="nobody"):
        prepared.frames("nobody")
    with pytest.raises(ValueError, match="read-only"):
        prepared.frames(corpus.clips.id[0])[0, 0] = 1
    whole(store, corpus)


def test_real_clips_are_bit_equal_from_the_store_and_directly(shared_fma, tmp_path) -> None:
    corpus = open_corpus(shared_fma)
    few = Corpus("few", corpus.clips.iloc[::40].reset_index(drop=True))
    prepared = LogMelStore(tmp_path, SOUND).prepare(few, workers=2, progress=False)
    for clip in few.clips.itertuples():
        direct = log_mel(load_audio(clip.file, SOUND.sample_rate), SOUND)
        assert prepared.frames(clip.id).tobytes() == direct.tobytes()


def test_what_is_there_is_not_computed_again(music, store, monkeypatch) -> None:
    corpus = open_corpus(music)
    first = store.prepare(corpus, progress=False)
    calls = []
    monkeypatch.setattr(
        songnet_utils.features.extraction,
        "decode",
        lambda *a, **k: calls.append(a[0]) or decode(*a, **k),
    )
    again = LogMelStore(store.data, SOUND).prepare(corpus, progress=False)
    assert calls == []
    pd.testing.assert_frame_equal(first.features, again.features)
    # A copy elsewhere is the same content; a new clip is the only one computed.
    shutil.copytree(music, music.parent / "moved")
    noise(music.parent / "moved" / "Pop" / "new.wav", 99)
    store.prepare(open_corpus(music.parent / "moved"), progress=False)
    assert [Path(name).name for name in calls] == ["new.wav"]


def test_files_that_have_not_changed_are_not_read_again(music, store, monkeypatch) -> None:
    corpus = open_corpus(music)
    store.prepare(corpus, progress=False)
    read = []
    monkeypatch.setattr(
        songnet_utils.features.store, "extract", lambda *a, **k: read.append(a) or []
    )
    assert len(store.prepare(corpus, progress=False).clips) == 6
    assert read == []


def test_a_changed_file_is_computed_again(music, store) -> None:
    corpus = open_corpus(music)
    before = store.prepare(corpus, progress=False)
    # As many bytes as before, with the old time of change put back.
    file = Path(corpus.clips.set_index("id").file["Rock/a.wav"])
    status = file.stat()
    noise(file, 77)
    assert file.stat().st_size == status.st_size
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = store.prepare(corpus, progress=False)
    direct = log_mel(load_audio(file, SOUND.sample_rate), SOUND)
    np.testing.assert_array_equal(after.frames("Rock/a.wav"), direct)
    assert not np.array_equal(before.features.loc["Rock/a.wav"], after.features.loc["Rock/a.wav"])


@pytest.mark.parametrize("damage", ["cut", "no shard", "gone"])
def test_a_damaged_file_of_the_store_is_made_again(music, store, damage) -> None:
    corpus = open_corpus(music)
    store.prepare(corpus, progress=False)
    before = bytes_of(store)
    file = sorted(store.folder.path.glob("shards/*"))[2]
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "no shard":
        file.write_bytes(b"this is no shard" * 99)
    else:
        file.unlink()
    prepared = store.prepare(corpus, progress=False)
    assert bytes_of(store) == before
    for clip in corpus.clips.itertuples():
        audio = load_audio(clip.file, SOUND.sample_rate)
        np.testing.assert_array_equal(prepared.frames(clip.id), log_mel(audio, SOUND))
    whole(store, corpus)


@pytest.fixture(scope="module", params=["a folder", "an address"])
def two_clips(request, tmp_path_factory):
    """A corpus of two short clips, its store, and what is right: the frames and statistics."""
    folder = tmp_path_factory.mktemp("damage")
    for number, name in enumerate(("Rock/a.wav", "Pop/b.wav")):
        noise(folder / "music" / name, number, 2.1, rate=16000)
    corpus = open_corpus(folder / "music")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(folder / "data"))
        if request.param == "an address":
            patch.setenv("SONGNET_STORE", "memory://damage")
        store = LogMelStore(None, Sound(sample_rate=16000, n_fft=512, hop=256, n_mels=16))
        prepared = store.prepare(corpus, progress=False)
        frames = {clip: np.array(prepared.frames(clip)) for clip in corpus.clips.id}
        yield corpus, store, frames, prepared.features


def shard_files(store: LogMelStore) -> list[str]:
    return sorted(store.folder._system.glob(f"{store.folder._root}/shards/*"))


@settings(max_examples=60)
@given(data=st.data())
def test_no_flipped_bit_in_a_shard_goes_unnoticed(two_clips, data) -> None:
    corpus, store, frames, features = two_clips
    files = shard_files(store)
    assert len(files) == 2
    file = data.draw(st.sampled_from(files))
    original = store.folder._system.cat_file(file)
    content = bytearray(original)
    header = 8 + int.from_bytes(content[:8], "little")
    # As often in the little header as among the many numbers.
    byte = data.draw(st.integers(0, header - 1) | st.integers(header, len(content) - 1))
    content[byte] ^= 1 << data.draw(st.integers(0, 7))
    store.folder._system.pipe_file(file, bytes(content))
    another = LogMelStore(store.data, store.sound)
    prepared = another.prepare(corpus, progress=False)
    assert list(prepared.clips.id) == list(corpus.clips.id)
    # Right or an error, and never another number.
    for clip, right in frames.items():
        with contextlib.suppress(SongNetError):
            np.testing.assert_array_equal(prepared.frames(clip), right)
    with contextlib.suppress(SongNetError):
        pd.testing.assert_frame_equal(prepared.features, features)
    store.folder._system.pipe_file(file, original)


def test_a_shard_that_cannot_be_read_is_told_with_a_way_out(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    assert folder.places() == {}
    (tmp_path / "shards" / f"{'0' * 32}.safetensors").mkdir(parents=True)
    with pytest.raises(
        SongNetError,
        match=r"shards: could not be read \(.*\)\. Check that the store exists and is accessible",
    ):
        folder.places()


def test_damaged_numbers_are_an_error_with_a_way_out(music, store) -> None:
    corpus = open_corpus(music)
    store.prepare(corpus, progress=False)
    before = bytes_of(store)
    for name, content in before.items():
        damaged = content[:-1] + bytes([content[-1] ^ 1])
        (store.folder.path / "shards" / name).write_bytes(damaged)
    # Somebody else's file is not one of our shards.
    theirs = store.folder.path / "shards" / "weights.safetensors"
    theirs.write_bytes(b"mine")
    prepared = store.prepare(corpus, progress=False)
    with pytest.raises(SongNetError, match=r"\.safetensors: is damaged\. Delete this file") as said:
        prepared.hand_crafted("mfcc", progress=False)
    named = Path(str(said.value).split(": ")[0])
    assert named.name in before
    for name in before:
        (named.parent / name).unlink()
    store.prepare(corpus, progress=False)
    assert theirs.read_bytes() == b"mine"
    theirs.unlink()
    assert bytes_of(store) == before


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe"])
def test_a_damaged_list_of_files_is_only_a_shortcut_lost(music, store, content) -> None:
    corpus = open_corpus(music)
    store.prepare(corpus, progress=False)
    listed = store.folder.path.parent / "files.json"
    listed.write_bytes(content)
    store.prepare(corpus, progress=False)
    whole(store, corpus)


# --- clips that cannot be used ----------------------------------------------------------------


def test_bad_clips_are_listed_with_their_reason_and_end_nothing(music, store, capfd) -> None:
    bad = music / "Rock"
    (bad / "empty.mp3").write_bytes(b"")
    (bad / "text.mp3").write_text("this is no music " * 200)
    mp3 = noise(bad / "cut.mp3", 3, 20)
    mp3.write_bytes(mp3.read_bytes()[: mp3.stat().st_size // 2])
    wav = noise(bad / "cut.wav", 3, 20)
    wav.write_bytes(wav.read_bytes()[: wav.stat().st_size // 2])
    soundfile.write(bad / "silence.wav", np.zeros(22050 * 3), 22050)
    soundfile.write(bad / "nan.wav", np.full(22050 * 3, np.nan), 22050, subtype="FLOAT")
    soundfile.write(bad / "huge.wav", np.full(22050 * 3, 1e25), 22050, subtype="FLOAT")
    noise(bad / "short.wav", 4, 0.1)
    noise(bad / "gone.wav", 5)
    # These are odd, and fine.
    generator = np.random.default_rng(0)
    soundfile.write(bad / "eight.wav", generator.uniform(-1, 1, (22050 * 3, 8)) / 3, 22050)
    soundfile.write(bad / "quick.wav", generator.uniform(-1, 1, 192000 * 3) / 3, 192000)
    corpus = open_corpus(music)
    (bad / "gone.wav").unlink()
    prepared = store.prepare(corpus, progress=False)
    why = prepared.unusable.set_index("id").reason
    for clip, word in {
        "Rock/empty.mp3": "empty",
        "Rock/text.mp3": "not a sound file",
        "Rock/cut.mp3": "cut short",
        "Rock/cut.wav": "cut short",
        "Rock/silence.wav": "silence",
        "Rock/nan.wav": "not numbers",
        "Rock/huge.wav": "full scale",
        "Rock/short.wav": "lasts only 0.1 s",
        "Rock/gone.wav": "cannot be read",
    }.items():
        assert word in why.pop(clip)
    assert why.empty
    assert {"Rock/eight.wav", "Rock/quick.wav"} <= set(prepared.clips.id)
    assert len(prepared.clips) == 8
    # The decoders' own chatter is kept from people.
    assert capfd.readouterr() == ("", "")
    listed = pd.read_csv(store.folder.path / "unusable-music.csv")
    assert set(listed.id) == set(prepared.unusable.id)
    assert listed.file.map(os.path.isabs).all()


def test_a_file_that_vanishes_while_others_are_computed_is_listed(music, store, monkeypatch):
    gone = music / "Rock" / "c.mp3"

    def load_and_remove(*arguments, **names):
        gone.unlink(missing_ok=True)
        return decode(*arguments, **names)

    monkeypatch.setattr(songnet_utils.features.extraction, "decode", load_and_remove)
    prepared = store.prepare(open_corpus(music), workers=1, progress=False)
    assert list(prepared.unusable.id) == ["Rock/c.mp3"]
    assert "cannot be read" in prepared.unusable.reason[0]
    assert len(prepared.clips) == 5


def test_a_file_that_changes_while_it_is_read_is_listed(music, store, monkeypatch):
    changing = music / "Rock" / "a.wav"

    def load_and_change(*arguments, **names):
        song = decode(*arguments, **names)
        if arguments[0] == str(changing):
            noise(changing, 1234, 3.0)
        return song

    monkeypatch.setattr(songnet_utils.features.extraction, "decode", load_and_change)
    corpus = open_corpus(music)
    prepared = store.prepare(corpus, progress=False)
    assert list(prepared.unusable.id) == ["Rock/a.wav"]
    assert "changed while it was read" in prepared.unusable.reason[0]
    monkeypatch.undo()
    store.prepare(corpus, progress=False)
    whole(store, corpus)


def test_a_decoder_that_fails_in_a_new_way_ends_nothing(music, store, monkeypatch) -> None:
    def fail(*arguments, **names):
        if arguments[0].endswith("c.mp3"):
            raise OverflowError("what?")
        return decode(*arguments, **names)

    monkeypatch.setattr(songnet_utils.features.extraction, "decode", fail)
    prepared = store.prepare(open_corpus(music), progress=False)
    assert list(prepared.unusable.id) == ["Rock/c.mp3"]
    assert "OverflowError: what?" in prepared.unusable.reason[0]


def test_what_is_odd_about_a_clip_is_said_by_threads_and_processes_alike(music, store):
    tone = 0.3 * np.sin(np.arange(3 * 22_050) / 10)[:, None]
    soundfile.write(music / "Rock" / "odd.wav", np.concatenate([tone, -tone], 1), 22_050)
    with pytest.warns(AudioWarning, match=r"odd\.wav: its channels cancel out"):
        prepared = store.prepare(open_corpus(music), progress=False)
    with pytest.warns(AudioWarning, match=r"odd\.wav: its channels cancel out"):
        prepared.hand_crafted("tzanetakis", progress=False)


def test_what_the_corpus_could_not_use_is_kept_in_the_list(music, store) -> None:
    (music / "Rock" / "score.mid").write_bytes(b"x")
    prepared = store.prepare(open_corpus(music), progress=False)
    assert list(prepared.unusable.id) == ["Rock/score.mid"]


def test_a_corpus_without_a_usable_clip_is_an_error(tmp_path, store) -> None:
    (tmp_path / "bad" / "Rock").mkdir(parents=True)
    (tmp_path / "bad" / "Rock" / "a.mp3").write_bytes(b"")
    with pytest.raises(SongNetError, match=r"none of its 1 clips.*a\.mp3: the file is empty"):
        store.prepare(open_corpus(tmp_path / "bad"), progress=False)


# --- the description of sound -----------------------------------------------------------------


def test_each_description_of_sound_has_its_own_frames(music, tmp_path) -> None:
    corpus = open_corpus(music)
    coarse = Sound(sample_rate=16000, n_fft=512, hop=256, n_mels=96)
    prepared = [
        LogMelStore(tmp_path, sound).prepare(corpus, progress=False) for sound in (SOUND, coarse)
    ]
    assert [found.frames("Pop/e.wav").shape[1] for found in prepared] == [128, 96]


def test_the_description_is_written_beside_the_frames(music, store) -> None:
    store.prepare(open_corpus(music), progress=False)
    found = json.loads((store.folder.path / "description.json").read_text())
    assert Sound.from_dict(found["sound"]) == SOUND


# --- stopped in the middle --------------------------------------------------------------------


def child(music: Path, data: Path, before: str = "") -> subprocess.Popen[str]:
    """Start a process that prepares the corpus; `before` is run in it first."""
    program = f"""
        import sys
        from songnet_utils.corpora import open_corpus
        from songnet_utils._utils.errors import SongNetError
        from songnet_utils.features.store import LogMelStore
        {before}
        corpus = open_corpus({str(music)!r})
        print("go", flush=True)
        try:
            LogMelStore({str(data)!r}).prepare(corpus, workers=2, progress=False)
        except SongNetError as error:
            sys.exit(str(error))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("delay", [0.2])
def test_killed_at_any_moment_no_clip_is_wrong_and_the_next_run_completes(
    tmp_path: Path, delay: float
) -> None:
    music, data = tmp_path / "music", tmp_path / "data"
    for number in range(40):
        noise(music / ("Rock", "Pop")[number % 2] / f"{number:02d}.wav", number, 6)
    process = child(music, data)
    assert process.stdout.readline() == "go\n"
    store = LogMelStore(data, SOUND)
    # The moment is counted from the first clip in the store: importing takes its own time.
    while process.poll() is None and not list(store.folder.path.glob("shards/*")):
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    corpus = open_corpus(music)
    for part in store.folder.path.rglob(".*"):
        # What was being written is under a name that nobody reads, and is swept up once old.
        os.utime(part, (0, 0))
    store.prepare(Corpus("one", corpus.clips[:1]), progress=False)
    whole(store, corpus)
    prepared = LogMelStore(data, SOUND).prepare(corpus, progress=False)
    assert len(prepared.clips) == 40
    whole(store, corpus)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit of file size to set there")
def test_a_full_disk_is_an_error_and_leaves_nothing_half_written(music, tmp_path) -> None:
    # A limit on the size of files stands for the full disk: the description fits, a shard does not.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"
    process = child(music, tmp_path / "data", limit)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "could not be written (File too large)" in errors
    assert "Make room" in errors
    assert "Traceback" not in errors
    store = LogMelStore(tmp_path / "data", SOUND)
    corpus = open_corpus(music)
    whole(store, corpus)
    assert len(store.prepare(corpus, progress=False).clips) == 6
    whole(store, corpus)


def test_workers_are_at_least_one(music, store) -> None:
    with pytest.raises(SongNetError, match="workers"):
        store.prepare(open_corpus(music), workers=0)


# --- hand-crafted statistics ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fma", "mandel-ellis"])
def test_hand_crafted_statistics_are_computed_once(music, store, monkeypatch, name) -> None:
    prepared = store.prepare(open_corpus(music), progress=False)
    found = prepared.hand_crafted(name, progress=False, workers=1)
    assert list(found.columns) == list(FEATURE_SETS[name].columns)
    assert list(found.index) == list(prepared.clips.id)
    for clip in prepared.clips.itertuples():
        audio = load_audio(clip.file, SOUND.sample_rate)
        np.testing.assert_array_equal(
            found.loc[clip.id], FEATURE_SETS[name].compute(audio, SOUND.sample_rate)
        )
    monkeypatch.setattr(songnet_utils.features.extraction, "decode", None)
    again = store.prepare(open_corpus(music), progress=False).hand_crafted(name, progress=False)
    pd.testing.assert_frame_equal(found, again)


def test_an_unknown_set_of_statistics_is_named(music, store) -> None:
    prepared = store.prepare(open_corpus(music), progress=False)
    with pytest.raises(SongNetError, match=r"hand-crafted sets are mfcc, fma, .* Got 'chroma'"):
        prepared.hand_crafted("chroma")


def test_what_fma_publishes_is_read_and_not_computed(music, store, tmp_path) -> None:
    names = FEATURE_SETS["fma"].columns
    numbers = np.random.default_rng(0).normal(size=(6, len(names))).astype(np.float32)
    file = tmp_path / "features.csv"
    head = [
        ",".join((level, *texts))
        for level, texts in zip(
            ("feature", "statistics", "number"), zip(*names, strict=True), strict=True
        )
    ]
    head.append("track_id" + "," * len(names))
    rows = [",".join(map(str, (7 * row, *values.tolist()))) for row, values in enumerate(numbers)]
    file.write_text("\n".join([*head, *reversed(rows)]) + "\n")
    corpus = open_corpus(music)
    clips = corpus.clips.assign(id=[f"{7 * row:06d}" for row in range(6)])
    published = Corpus("published", clips, features_csv=file)
    prepared = store.prepare(published, progress=False)
    np.testing.assert_allclose(prepared.hand_crafted("fma"), numbers, rtol=1e-6)
    mfcc = [names.index(name) for name in FEATURE_NAMES]
    np.testing.assert_allclose(prepared.features, numbers[:, mfcc], rtol=1e-6)
    assert list(prepared.features.index) == list(clips.id)
    # The others have to be computed; and a table that lacks a clip is no table of this corpus.
    assert prepared.hand_crafted("mandel-ellis", progress=False, workers=1).shape == (6, 230)
    file.write_text("\n".join([*head, *rows[1:]]) + "\n")
    with pytest.raises(SongNetError, match=r"features\.csv: lacks clips or columns"):
        store.prepare(published, progress=False).hand_crafted("fma")
