"""Fetching FMA: from servers and disks that fail, only right bytes, and an end in sight."""

from __future__ import annotations

import _thread
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from faulty_runs import HASTY, faulty_run, wrong_files
from faulty_server import (
    GENRES,
    Fault,
    FaultyServer,
    Track,
    a_dozen,
    checksums,
    make_archive,
    make_fma,
    make_sparse_archive,
    noise_clips,
    track_path,
    tracks_csv,
)

from songnet_utils import cli
from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import fma_extract, open_corpus
from songnet_utils.corpora.fetch import fma
from songnet_utils.corpora.fetch.fma import fetch_fma
from songnet_utils.corpora.fetch.sample import choose
from songnet_utils.corpora.fetch.web import Patience
from songnet_utils.corpora.fma_metadata import WRONG_DURATIONS, read_tracks

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def published(tmp_path) -> Path:
    """The folder of a server with the archives of a dozen clips."""
    make_fma(tmp_path / "server", a_dozen())
    return tmp_path / "server"


@pytest.fixture
def truth(tmp_path) -> dict[str, bytes]:
    return make_fma(tmp_path / "truth", a_dozen())


def bring(url: str, data: Path, name: str = "fma_small", **options) -> list[str]:
    """Fetch; return what was said."""
    said: list[str] = []
    options = {"patience": HASTY, "progress": False, "say": said.append} | options
    fetch_fma(name, data, base_url=url, **options)
    return said


def whole(data: Path, truth: dict[str, bytes], *folders: str) -> bool:
    """Return whether every published file of these folders is there, and nothing wrong."""
    wanted = [path for path in truth if path.split("/")[0] in folders]
    return not wrong_files(data, truth) and all((data / "fma" / path).exists() for path in wanted)


def clips_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.mp3"))


# --- Whole sets ------------------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_whole_set_comes_with_its_metadata_once(tmp_path, published, truth, ranges):
    server = FaultyServer(published, ranges)
    with server.running() as url:
        said = bring(url, tmp_path)
        assert whole(tmp_path, truth, "fma_small", "fma_metadata")
        assert {path.name for path in (tmp_path / "fma").iterdir()} == {
            "fma_small",
            "fma_metadata",
        }
        assert said[-1] == "fma_small: complete. All 12 files have the right SHA-1."
        assert any("is not that of FMA's archive" in line for line in said)
        server.requests.clear()
        said = bring(url, tmp_path)
    assert server.requests == []
    assert said[-1] == "fma_small: complete. All 12 files have the right SHA-1."


def test_only_what_is_missing_or_wrong_is_brought_again(tmp_path, published, truth):
    server = FaultyServer(published)
    with server.running() as url:
        bring(url, tmp_path)
        clips = sorted((tmp_path / "fma" / "fma_small").rglob("*.mp3"))
        clips[3].unlink()
        clips[5].write_bytes(b"half")
        untouched = clips[0].stat().st_mtime_ns
        server.sent.clear()
        bring(url, tmp_path)
    assert whole(tmp_path, truth, "fma_small")
    assert clips[0].stat().st_mtime_ns == untouched
    # Two clips of 30 kB, and the end of the archive.
    assert server.sent["fma_small.zip"] < 2 * 32_000 + 66_000 + 3_000
    assert "fma_metadata.zip" not in server.sent


def first_downloads(number: int) -> Fault:
    """Return a fault that drops that many downloads of fma_small.zip."""
    left = [number]

    def fault(name: str, asked: str) -> str | None:
        if name != "fma_small.zip" or asked == "bytes=0-0":
            return None
        left[0] -= 1
        return "drop" if left[0] >= 0 else None

    return fault


def test_a_download_goes_on_where_it_was_dropped(tmp_path, published, truth):
    server = FaultyServer(published, fault=first_downloads(2))
    with server.running() as url:
        bring(url, tmp_path)
    assert whole(tmp_path, truth, "fma_small")
    size = sum(file.stat().st_size for file in published.iterdir())
    # A dropped connection costs less than a piece.
    assert sum(server.sent.values()) < size + 2 * 2**16


def test_a_later_run_goes_on_with_the_download_of_an_earlier(tmp_path, published, truth):
    once = Patience(tries=1, timeout=5)
    server = FaultyServer(published, seed=5)
    have = []
    with server.running() as url:
        bring(url, tmp_path, "fma_metadata")
        server.fault = first_downloads(3)
        for _ in range(3):
            with pytest.raises(SongNetError, match="the same command again to continue"):
                bring(url, tmp_path, patience=once)
            have.append((tmp_path / "fma" / "fma_small.zip.part").stat().st_size)
        server.sent.clear()
        bring(url, tmp_path, patience=once)
    assert have == sorted(have)
    assert have[-1] > 100_000
    rest = (published / "fma_small.zip").stat().st_size - have[-1]
    assert server.sent["fma_small.zip"] < rest + 3_000
    assert whole(tmp_path, truth, "fma_small")


# --- Lists that say too little -------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("share", [0, 5, 12], ids=["empty", "half", "all"])
def test_a_folder_is_complete_only_with_every_file_of_the_archive(
    tmp_path, published, truth, ranges, share
):
    clips = noise_clips([row.track for row in a_dozen()])
    listed = checksums(dict(list(clips.items())[:share]))
    make_archive(published / "fma_small.zip", clips | {"checksums": listed}, False)
    with FaultyServer(published, ranges).running() as url:
        said = bring(url, tmp_path)
        assert whole(tmp_path, truth, "fma_small")
        assert said[-1].startswith("fma_small: complete. All 12 files")
        # Whatever is lost is found missing and brought again.
        for lost in (0, 7, 11):
            (tmp_path / "fma" / "fma_small" / list(clips)[lost]).unlink()
            bring(url, tmp_path)
            assert whole(tmp_path, truth, "fma_small")


# --- Archives that are not as they should be -------------------------------------------------


def damage(archive: Path, member: str) -> None:
    """Alter a byte in the middle of a member of an archive."""
    with zipfile.ZipFile(archive) as opened:
        entry = opened.getinfo(member)
    content = bytearray(archive.read_bytes())
    content[entry.header_offset + 60 + entry.compress_size // 2] ^= 255
    archive.write_bytes(content)


def as_published(monkeypatch, url: str, folder: Path) -> None:
    """Let a server of ours be FMA's authors', with the archives as they are now."""
    monkeypatch.setattr(fma, "BASE_URL", url + "/")
    for file in folder.iterdir():
        monkeypatch.setitem(fma.SHA1, file.stem, hashlib.sha1(file.read_bytes()).hexdigest())


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_damaged_archive_is_salvaged(tmp_path, published, truth, monkeypatch, ranges):
    server = FaultyServer(published, ranges)
    with server.running() as url:
        as_published(monkeypatch, url, published)
        damage(published / "fma_small.zip", "fma_small/000/000275.mp3")
        with pytest.raises(
            SongNetError, match=r"1 of 12 files .* 000/000275\.mp3 .*Run the command again"
        ):
            bring(None, tmp_path)
        assert len(clips_of(tmp_path / "fma" / "fma_small")) == 11
        assert not wrong_files(tmp_path, truth)
        shutil.copy(tmp_path / "truth" / "fma_small.zip", published)
        as_published(monkeypatch, url, published)
        server.sent.clear()
        said = bring(None, tmp_path)
    assert not any("is not that" in line for line in said)
    assert whole(tmp_path, truth, "fma_small")
    if ranges:
        assert server.sent["fma_small.zip"] < 32_000 + 66_000 + 3_000


def test_another_archive_than_the_published_one_is_an_error(tmp_path, published, monkeypatch):
    with FaultyServer(published).running() as url:
        as_published(monkeypatch, url, published)
        monkeypatch.setitem(fma.SHA1, "fma_small", "0" * 40)
        with pytest.raises(SongNetError, match=r"not the published 0{40}"):
            bring(None, tmp_path)


@pytest.mark.parametrize("sample", [None, 6], ids=["whole", "sample"])
def test_a_clip_that_the_list_knows_otherwise_is_not_kept(tmp_path, published, sample):
    clips = noise_clips([row.track for row in a_dozen()])
    listed = dict(clips)
    listed[track_path(275)] = b"another"
    make_archive(published / "fma_small.zip", clips | {"checksums": checksums(listed)}, False)
    with FaultyServer(published).running() as url:
        for _ in range(2):
            with pytest.raises(SongNetError, match=r"000275\.mp3 .*SHA-1 is not the listed one"):
                bring(url, tmp_path, sample=sample)
    folder = tmp_path / "fma" / ("fma_sample" if sample else "fma_small")
    assert len(clips_of(folder)) == 11
    assert "000275.mp3" not in clips_of(folder)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize(
    "member",
    [
        "fma_small/../../outside.mp3",
        "/outside.mp3",
        "fma_small/C:outside.mp3",
        "fma_small\\..\\outside.mp3",
        "elsewhere/outside.mp3",
    ],
)
def test_nothing_is_written_outside_the_folder(tmp_path, published, member, ranges):
    with zipfile.ZipFile(published / "fma_small.zip", "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr(zipfile.ZipInfo(member), b"sound")
    before = {path for path in tmp_path.rglob("*") if "data" not in path.parts}
    with FaultyServer(published, ranges).running() as url:
        for sample in (None, 2) if ranges else (None,):
            with pytest.raises(SongNetError) as caught:
                bring(url, tmp_path / "data", sample=sample)
            assert repr(member) in str(caught.value)
    data = tmp_path / "data"
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(data)} == before
    assert {path.name for path in (data / "fma").iterdir()} == {"fma_metadata"}
    assert clips_of(data) == []


def test_what_is_no_zip_is_said(tmp_path, published):
    (published / "fma_small.zip").write_text("<html>Welcome</html>" * 100)
    for ranges in (True, False):
        with (
            FaultyServer(published, ranges).running() as url,
            pytest.raises(SongNetError, match="is not a zip archive"),
        ):
            bring(url, tmp_path)
    assert {path.name for path in (tmp_path / "fma").iterdir()} == {"fma_metadata"}


# --- Samples ---------------------------------------------------------------------------------


def test_a_sample_brings_its_clips_and_two_tables(tmp_path, published, truth):
    server = FaultyServer(published)
    with server.running() as url:
        bring(url, tmp_path, sample=2)
        root = tmp_path / "fma"
        assert {path.name for path in (root / "fma_metadata").iterdir()} == {
            *("tracks.csv", "genres.csv", "checksums")
        }
        two = clips_of(root / "fma_sample")
        assert len(two) == 4
        assert len((root / "fma_sample" / "checksums").read_text().splitlines()) == 4
        server.requests.clear()
        said = bring(url, tmp_path, sample=2)
        assert server.requests == []
        assert said == ["fma_sample: complete: 4 clips of 2 genres."]
        stamps = {path: path.stat().st_mtime_ns for path in root.rglob("*.mp3")}
        bring(url, tmp_path, sample=4)
        assert set(two) < set(clips_of(root / "fma_sample"))
        assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
        said = bring(url, tmp_path, sample=1)
        assert said[0].endswith("already has more than 1 clips per genre; all stay.")
        said = bring(url, tmp_path, sample=7)
        assert "fma_sample: Rock has only 6 clips." in said
    assert not wrong_files(tmp_path, truth)
    assert len(clips_of(root / "fma_sample")) == 12


def test_the_whole_metadata_may_follow_a_sample(tmp_path, published, truth):
    with FaultyServer(published).running() as url:
        bring(url, tmp_path, sample=1)
        bring(url, tmp_path, "fma_metadata")
    assert whole(tmp_path, truth, "fma_metadata")


def test_a_damaged_clip_of_a_sample_is_mended(tmp_path, published, truth):
    server = FaultyServer(published)
    with server.running() as url:
        bring(url, tmp_path, sample=3)
        next((tmp_path / "fma" / "fma_sample").rglob("*.mp3")).write_bytes(b"half")
        (tmp_path / "fma" / "fma_metadata" / "tracks.csv").write_bytes(b"half")
        bring(url, tmp_path, sample=3)
    assert not wrong_files(tmp_path, truth)


def test_a_sample_needs_a_server_with_ranges(tmp_path, published):
    with (
        FaultyServer(published, ranges=False).running() as url,
        pytest.raises(SongNetError, match=r"no ranges\. Run `songnet fetch fma_small`"),
    ):
        bring(url, tmp_path, sample=2)
    assert clips_of(tmp_path / "fma") == []


def test_a_sample_out_of_a_sparse_archive_beyond_4_gib(tmp_path):
    tracks = [Track(row.track, row.genre, row.split, row.artist) for row in a_dozen()]
    clips = noise_clips([row.track for row in tracks], 300_000)
    server = tmp_path / "server"
    server.mkdir()
    archive = server / "fma_small.zip"
    make_sparse_archive(archive, clips, entries=8_000, size=4_400_000_000)
    make_archive(
        server / "fma_metadata.zip", {"tracks.csv": tracks_csv(tracks), "genres.csv": b"genre_id\n"}
    )
    assert archive.stat().st_size > 2**32
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        assert len(entries) == 8_000
        assert max(entry.header_offset for entry in entries) > 2**32
        packed = sum(e.compress_size for e in entries if "hollow" not in e.filename)
        directory = archive.stat().st_size - opened.start_dir
    serving = FaultyServer(server)
    with serving.running() as url:
        bring(url, tmp_path, sample=6)
    assert len(clips_of(tmp_path / "fma" / "fma_sample")) == 12
    assert not wrong_files(tmp_path, {f"fma_sample/{p}": d for p, d in clips.items()} | {
        f"fma_metadata/{p}": d
        for p, d in [("tracks.csv", tracks_csv(tracks)), ("genres.csv", b"genre_id\n")]
    })  # fmt: skip
    assert serving.sent["fma_small.zip"] < 1.1 * packed + directory + 2**16


@pytest.fixture(scope="module")
def real_server(shared_fma, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    clips = {
        path.relative_to(shared_fma / "fma_small").as_posix(): path.read_bytes()
        for path in sorted((shared_fma / "fma_small").rglob("*.mp3"))
    }
    make_archive(folder / "fma_small.zip", clips)
    tables = {p.name: p.read_bytes() for p in (shared_fma / "fma_metadata").iterdir()}
    make_archive(folder / "fma_metadata.zip", tables)
    return folder


def test_real_clips_come_as_they_are_and_hardly_more(real_server, shared_fma, tmp_path):
    server = FaultyServer(real_server)
    with server.running() as url:
        bring(url, tmp_path, sample=5)
        got = sorted((tmp_path / "fma" / "fma_sample").rglob("*.mp3"))
        with zipfile.ZipFile(real_server / "fma_small.zip") as archive:
            packed = sum(
                archive.getinfo(f"fma_small/{file.parent.name}/{file.name}").compress_size
                for file in got
            )
            aside = 2**16 + archive.getinfo("fma_small/checksums").compress_size
        assert server.sent["fma_small.zip"] < 1.1 * packed + aside
        bring(url, tmp_path)
    # 5 each of six genres; one Electronic, no Instrumental.
    assert len(got) == 31
    corpus = open_corpus("fma_sample", tmp_path)
    assert set(corpus.clips.file) == {str(file) for file in got}
    assert corpus.clips.genre.value_counts().to_dict() == {
        **dict.fromkeys(["Experimental", "Folk", "Hip-Hop", "International", "Pop", "Rock"], 5),
        "Electronic": 1,
    }
    assert len(open_corpus("fma_small", tmp_path).clips) == 122
    listed = dict(
        line.split()[::-1]
        for line in (shared_fma / "fma_small" / "checksums").read_text().splitlines()
    )
    whole_set = sorted((tmp_path / "fma" / "fma_small").rglob("*.mp3"))
    assert len(whole_set) == 122
    for file in (*got, *whole_set):
        digest = hashlib.sha1(file.read_bytes()).hexdigest()
        assert digest == listed[f"{file.parent.name}/{file.name}"]


# --- Which clips a sample holds --------------------------------------------------------------


def table_of(tmp_path: Path, tracks: list[Track]) -> pd.DataFrame:
    file = tmp_path / "tracks.csv"
    file.write_bytes(tracks_csv(tracks))
    return read_tracks(file)


def invented(seed: int = 0) -> list[Track]:
    draw = random.Random(seed)
    tracks = []
    for track in draw.sample(range(1, 150_000), 600):
        split = draw.choices(["training", "validation", "test"], [8, 1, 1])[0]
        # The official split keeps artists apart.
        artist = {"training": 0, "validation": 1000, "test": 2000}[split] + draw.randrange(40)
        unknown = draw.random() < 0.1
        tracks.append(Track(track, draw.choice(GENRES), split, None if unknown else artist))
    return tracks


def check_choice(tracks: pd.DataFrame, there: set[str]) -> None:
    """Hold a sample against all that it promises."""
    shuffled = tracks.sample(frac=1, random_state=3)
    chosen = {number: choose(tracks, there, number) for number in (1, 20, 10_000)}
    for number, sample in chosen.items():
        assert choose(shuffled, there, number) == sample
        for genre, ids in sample.items():
            rows = tracks.loc[ids]
            assert len(set(ids)) == len(ids) <= number
            assert (rows.genre == genre).all()
            assert (rows.subset == "small").all()
            assert not WRONG_DURATIONS.index.isin(ids).any()
            # A smaller sample is the beginning of a larger one.
            assert chosen[10_000][genre][: len(ids)] == ids
    for genre, ids in chosen[20].items():
        everything = tracks.loc[chosen[10_000][genre]]
        for subset, share in (("training", 16), ("validation", 2), ("test", 2)):
            available = everything[everything.split == subset]
            taken = tracks.loc[ids][lambda rows, subset=subset: rows.split == subset]
            if (everything.split.value_counts().reindex(["training"]) >= 16).all() and (
                everything.split.value_counts().reindex(["validation", "test"]) >= 2
            ).all():
                assert len(taken) == share
            have = available.artist_id.value_counts()
            got = taken.artist_id.value_counts().reindex(have.index, fill_value=0)
            # Nobody comes again before everybody who has clips left has come as often.
            left = have - got
            if (left > 0).any():
                assert got.max() <= got[left > 0].min() + 1


@pytest.mark.parametrize("seed", range(2))
def test_a_sample_is_stratified_spread_and_the_beginning_of_larger_ones(tmp_path, seed):
    tracks = table_of(tmp_path, invented(seed))
    check_choice(tracks, {track_path(track) for track in tracks.index})


def test_a_sample_of_the_real_8000(tmp_path):
    rows = fma_extract().small
    tracks = table_of(
        tmp_path,
        [
            Track(
                int(row.id), row.genre, row.split, None if pd.isna(row.artist_id) else row.artist_id
            )
            for row in rows.itertuples()
        ],
    )
    there = {track_path(int(clip)) for clip in rows.id}
    assert len(tracks) == 8_000
    check_choice(tracks, there)
    fifty = choose(tracks, there, 50)
    assert {genre: len(ids) for genre, ids in fifty.items()} == dict.fromkeys(GENRES, 50)
    assert sum(len(ids) for ids in choose(tracks, there, 10_000).values()) == 8_000 - 6
    sets = tracks.loc[[track for ids in fifty.values() for track in ids]].split.value_counts()
    assert sets.to_dict() == {"training": 320, "validation": 40, "test": 40}


def test_clips_of_other_sets_unlisted_or_without_sound_are_not_chosen(tmp_path):
    tracks = table_of(
        tmp_path,
        [
            Track(1, "Rock", artist=1),
            Track(2, "Rock", artist=2, subset="medium"),
            Track(3, "Rock", artist=3),
            Track(98565, "Rock", artist=4),
            Track(5, "", artist=5),
        ],
    )
    assert choose(tracks, {track_path(t) for t in (1, 2, 5, 98565)}, 9) == {"Rock": [1]}


# --- Interruptions, and disks ----------------------------------------------------------------


@pytest.mark.parametrize("sample", [None, 6], ids=["whole", "sample"])
def test_ctrl_c_at_any_request_keeps_what_is_good(tmp_path, published, truth, sample):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stop_at, stopped = 1, 0
    seen = 0

    def fault(name: str, asked: str) -> str | None:
        nonlocal seen
        seen += 1
        if seen == stop_at:
            _thread.interrupt_main()
            return "stall"
        return None

    server = FaultyServer(published, fault=fault, stall=0.1)
    try:
        with server.running() as url:
            while True:
                seen = 0
                try:
                    bring(url, tmp_path, sample=sample)
                    break
                except KeyboardInterrupt:
                    stopped += 1
                    # Every run comes one request further.
                    stop_at += 1
                assert not wrong_files(tmp_path, truth)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped >= 3
    assert whole(tmp_path, truth, "fma_sample" if sample else "fma_small")
    assert not [path for path in tmp_path.rglob(".*.part*") if path.is_file()]


def test_ctrl_c_while_unpacking_keeps_the_archive_and_the_clips(
    tmp_path, published, truth, monkeypatch
):
    unpack, done = fma.archive.unpack, []

    def stopped(archive, entry, to, expected):
        if len(done) == 6:
            raise KeyboardInterrupt
        done.append(entry)
        return unpack(archive, entry, to, expected)

    server = FaultyServer(published)
    with server.running() as url:
        bring(url, tmp_path, "fma_metadata")
        with monkeypatch.context() as patch:
            patch.setattr(fma.archive, "unpack", stopped)
            with pytest.raises(KeyboardInterrupt):
                bring(url, tmp_path)
        assert len(clips_of(tmp_path / "fma" / "fma_small")) >= 5
        assert not wrong_files(tmp_path, truth)
        server.requests.clear()
        bring(url, tmp_path)
        assert server.requests == []
    assert whole(tmp_path, truth, "fma_small")


def test_a_killed_command_leaves_nothing_wrong_and_goes_on(tmp_path, published, truth):
    process: subprocess.Popen | None = None
    kill_at = [4, None]

    def fault(name: str, asked: str) -> str | None:
        if len(server.requests) + 1 == kill_at[0] and process is not None:
            # In the middle of the body: half has come, then silence.
            _thread.start_new_thread(kill_soon, ())
            return "stall"
        return None

    def kill_soon() -> None:
        time.sleep(0.2)
        process.kill()

    server = FaultyServer(published, fault=fault, stall=2)
    codes = []
    with server.running() as url:
        while kill_at:
            process = subprocess.Popen(
                [sys.executable, "-m", "songnet_utils.cli", "fetch", "fma_small",
                 "--base-url", url, "--dir", tmp_path],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            out, _ = process.communicate(timeout=60)
            codes.append(process.returncode)
            assert not wrong_files(tmp_path, truth)
            kill_at.pop(0)
    assert codes == [-signal.SIGKILL, 0]
    assert out.decode().strip() == str(tmp_path / "fma" / "fma_small")
    assert whole(tmp_path, truth, "fma_small", "fma_metadata")


@contextmanager
def files_no_larger_than(size: int):
    """Let the system refuse to write beyond that size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_while_downloading(tmp_path, published, truth):
    server = FaultyServer(published)
    with server.running() as url:
        bring(url, tmp_path, "fma_metadata")
        with (
            files_no_larger_than(200_000),
            pytest.raises(SongNetError, match=r"fma_small\.zip\.part: could not be written"),
        ):
            bring(url, tmp_path)
        assert (tmp_path / "fma" / "fma_small.zip.part").stat().st_size == 200_000
        server.sent.clear()
        bring(url, tmp_path)
    assert server.sent["fma_small.zip"] < 300_000
    assert whole(tmp_path, truth, "fma_small", "fma_metadata")


def test_a_disk_that_fills_while_unpacking(tmp_path, published, truth):
    with FaultyServer(published).running() as url:
        bring(url, tmp_path, sample=2)
        tracks = tmp_path / "fma" / "fma_sample"
        before = clips_of(tracks)
        with (
            files_no_larger_than(30_600),
            pytest.raises(SongNetError, match=r"\d{6}\.mp3: could not be written"),
        ):
            bring(url, tmp_path, sample=6)
        assert set(before) <= set(clips_of(tracks))
        assert not wrong_files(tmp_path, truth)
        bring(url, tmp_path, sample=6)
    assert len(clips_of(tracks)) == 12


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_disk_without_room_is_said_before_anything_comes(
    tmp_path, published, monkeypatch, ranges
):
    usage = shutil.disk_usage(tmp_path)._replace(free=500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    make_archive(published / "fma_small.zip", noise_clips([1, 2, 3], 300_000))
    server = FaultyServer(published, ranges)
    with (
        server.running() as url,
        pytest.raises(SongNetError, match=r"on the disk, but only 500 kB are free\. Make room"),
    ):
        bring(url, tmp_path)
    assert not (tmp_path / "fma" / "fma_small.zip.part").exists()


# --- Servers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_faults_at_random_keep_no_wrong_byte_and_come_to_an_end(tmp_path, seed):
    faulty_run(tmp_path, seed)


@pytest.mark.parametrize(
    ("status", "asked", "said"),
    [
        ("404", 1, "answered 404 Not Found"),
        ("500", 3, "it kept answering 500"),
        ("stall", 3, "it did not answer in time"),
        ("drop", 3, "dropped the connection"),
    ],
)
def test_a_server_that_always_fails_is_given_up(tmp_path, published, status, asked, said):
    server = FaultyServer(published, fault=lambda name, asked: status, stall=0.5)
    with server.running() as url, pytest.raises(SongNetError, match=said) as caught:
        bring(url, tmp_path)
    assert url in str(caught.value)
    assert "the same command again" in str(caught.value)
    if status != "drop":
        assert len(server.requests) in (asked, asked + 1)


def test_a_server_that_is_not_there(tmp_path):
    with FaultyServer(tmp_path).running() as url:
        pass
    with pytest.raises(SongNetError, match=r"could not be reached.*Check the network"):
        bring(url, tmp_path)


@pytest.mark.parametrize(
    "url",
    ["", "file:///tmp/fma", "ftp://server/fma", "nonsense", "http://", "h t"],
)
def test_addresses_that_are_none(tmp_path, url):
    with pytest.raises(SongNetError, match="is not the address of a folder on a web server"):
        bring(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- The command -----------------------------------------------------------------------------


def test_the_command_prints_the_folder_and_notes_the_rest(tmp_path, published, capfd):
    with FaultyServer(published).running() as url:
        code = cli.main(
            ["fetch", "fma_small", "--sample", "2", "--base-url", url, "--dir", str(tmp_path)]
        )
    out, error = capfd.readouterr()
    assert (code, out.strip()) == (0, str(tmp_path / "fma" / "fma_sample"))
    assert error.split("\r")[-1].strip().endswith("complete: 4 clips of 2 genres.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fma_medium", "--sample", "3"], "must be of fma_small"),
        (["fma_small", "--base-url", "file:///etc"], "is not the address"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, capfd, arguments, said):
    assert cli.main(["fetch", *arguments, "--dir", str(tmp_path)]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line
    assert os.listdir(tmp_path) == []
