"""The store elsewhere: in object storage, and written by the workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import distributed
import fsspec
import numpy as np
import pytest
from test_store import SOUND, bytes_of, noise
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio, log_mel
from songnet_utils.cli import main
from songnet_utils.corpora import open_corpus
from songnet_utils.features.shards import Folder
from songnet_utils.features.store import LogMelStore
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import read_answers
from songnet_utils.training.train import train


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> Path:
    """Forty clips, some of which cannot be used."""
    folder = tmp_path_factory.mktemp("corpora") / "music"
    for number in range(40):
        noise(folder / ("Rock", "Pop")[number % 2] / f"{number:02d}.wav", number, 4)
    (folder / "Rock" / "empty.wav").write_bytes(b"")
    noise(folder / "Pop" / "short.wav", 99, 0.2)
    return folder


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process of its own, as `dask worker` starts them."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.fixture
def in_memory():
    """The address of an object storage that this process keeps in memory."""
    yield "memory://bucket/features"
    fsspec.filesystem("memory").store.clear()


def test_a_cluster_leaves_the_same_bytes(music, cluster, tmp_path) -> None:
    corpus = open_corpus(music)
    stores = [LogMelStore(tmp_path / place, SOUND) for place in ("here", "cluster")]
    prepared = [
        stores[0].prepare(corpus, workers=2, progress=False),
        stores[1].prepare(corpus, progress=False, dask=cluster.scheduler_address),
    ]
    assert len(bytes_of(stores[0])) == 14
    assert bytes_of(stores[0]) == bytes_of(stores[1])
    for found in prepared:
        assert sorted(found.unusable.id) == ["Pop/short.wav", "Rock/empty.wav"]
    tables = [
        found.hand_crafted("mandel-ellis", progress=False, dask=address)
        for found, address in zip(prepared, (None, cluster.scheduler_address), strict=True)
    ]
    assert tables[0].equals(tables[1])


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killing_a_worker_in_the_middle_loses_nothing(music, cluster, tmp_path) -> None:
    corpus = open_corpus(music)
    here = LogMelStore(tmp_path / "here", SOUND)
    here.prepare(corpus, progress=False)
    store = LogMelStore(tmp_path / "cluster", SOUND)
    killed = []

    def kill() -> None:
        while not list(store.folder.path.glob("shards/*")):
            time.sleep(0.002)
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            process = next(iter(client.run(os.getpid).values()))
        os.kill(process, signal.SIGKILL)
        killed.append(len(list(store.folder.path.glob("shards/*.safetensors"))))

    killer = threading.Thread(target=kill)
    killer.start()
    prepared = store.prepare(corpus, progress=False, dask=cluster.scheduler_address)
    killer.join()
    assert killed
    assert len(prepared.clips) == 40
    assert bytes_of(store) == bytes_of(here)


def test_a_cluster_that_is_not_there_is_named(music, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("songnet_utils.features.extraction._CLUSTER_SECONDS", 1)
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    assert main(["features", str(music), "--dask", "tcp://127.0.0.1:9"]) == 1
    errors = capsys.readouterr().err
    assert "tcp://127.0.0.1:9: the Dask cluster did not do the work" in errors
    assert "dask worker" in errors
    assert main(["features", "nowhere", "--sets", "chroma"]) == 1
    assert "hand-crafted sets are mfcc, fma" in capsys.readouterr().err
    assert main(["features", str(music), "--dask", "127.0.0.1"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_a_cluster_without_workers_is_an_error(music, tmp_path) -> None:
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as cluster,
        pytest.raises(SongNetError, match="cluster has no workers"),
    ):
        LogMelStore(tmp_path, SOUND).prepare(
            open_corpus(music), progress=False, dask=cluster.scheduler_address
        )


def test_frames_are_read_from_object_storage(music, in_memory, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    monkeypatch.setenv("SONGNET_STORE", in_memory)
    corpus = open_corpus(music)
    prepared = LogMelStore(sound=SOUND).prepare(corpus, progress=False)
    assert len(prepared.clips) == 40
    clip = prepared.clips.iloc[7]
    frames = log_mel(load_audio(clip.file, SOUND.sample_rate), SOUND)
    np.testing.assert_array_equal(prepared.frames(clip.id), frames)
    assert [path.name for path in (tmp_path / "features").iterdir()] == ["files.json"]
    # Nothing is computed a second time, and the bytes are those of a store on this disk.
    kept = dict(fsspec.filesystem("memory").store)
    LogMelStore(sound=SOUND).prepare(corpus, progress=False)
    again = fsspec.filesystem("memory").store
    shards = {
        name.rsplit("/", 1)[1]: file.getvalue()
        for name, file in again.items()
        if "/shards/" in name
    }
    assert {name: again[name] is file for name, file in kept.items() if "/shards/" in name}
    here = LogMelStore(tmp_path / "here", SOUND)
    here.prepare(corpus, progress=False)
    assert shards == bytes_of(here)


def test_a_trainer_reads_object_storage_directly(in_memory, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    corpus = open_corpus(tone_corpus(tmp_path / "tones", ["High", "Low"]))
    recipe = Recipe(epochs=1, crop_seconds=2.0, batch=8)
    answers = []
    for place, address in (("here", ""), ("memory", in_memory)):
        monkeypatch.setenv("SONGNET_STORE", address)
        run = train(corpus, out=tmp_path / place, recipe=recipe, progress=False)
        answers.append(read_answers(run))
    assert answers[0].equals(answers[1])


@pytest.mark.parametrize(
    ("address", "word"), [("nowhere://bucket", "nowhere"), ("s3://bucket/features", "s3fs")]
)
def test_an_address_that_cannot_be_used_is_named(address, word, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    monkeypatch.setenv("SONGNET_STORE", address)
    with pytest.raises(SongNetError, match=f"{address}.*cannot be used as a store.*{word}"):
        LogMelStore()


def test_a_shard_is_named_by_its_contents_and_read_in_parts(tmp_path) -> None:
    generator = np.random.default_rng(0)
    arrays = {
        f"{content}/{name}": generator.normal(size=shape).astype(np.float32)
        for content, frames in (("a" * 64, 7), ("b" * 64, 11))
        for name, shape in (("frames", (frames, 3)), ("mfcc", (5,)))
    }
    folders = [Folder(str(tmp_path / "x")), Folder(str(tmp_path / "y"))]
    folders[0].write_shard(arrays)
    folders[1].write_shard(dict(reversed(arrays.items())))
    (first,), (second,) = ((tmp_path / name / "shards").iterdir() for name in ("x", "y"))
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    places = folders[0].places()
    for name, array in arrays.items():
        content, kind = name.split("/")
        np.testing.assert_array_equal(folders[0].load(places[content][kind]), array)
