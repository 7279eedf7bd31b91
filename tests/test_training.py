"""Training runs: they learn, leave what they promise, and survive being killed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import newest_run
from songnet_utils.audio import load_audio, log_mel
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.features import FEATURE_SETS
from songnet_utils.features.store import LogMelStore
from songnet_utils.models.baselines import (
    BASELINES,
)
from songnet_utils.training import progress as training_progress
from songnet_utils.training import train as training
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import (
    load_songnet,
    log_mels_of,
    read_answers,
    read_record,
    runs_folder,
)
from songnet_utils.training.train import Run, train

pytestmark = pytest.mark.usefixtures("data")

ROOT = Path(__file__).resolve().parents[1]

# Dropout and several batches an epoch, so that everything random has its say.
QUICK = Recipe(epochs=4, crop_seconds=2.0, batch=8, plateau_patience=1, patience=8)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    return open_corpus(tone_corpus(tmp_path_factory.mktemp("corpora") / "tones"))


def quick_train(corpus, **options) -> Path:
    return train(corpus, **{"recipe": QUICK, "progress": False, **options})


@pytest.fixture(scope="module")
def run(tones) -> Path:
    """A finished run of a network, in its default folder."""
    return quick_train(tones)


def weights(folder: Path) -> list[np.ndarray]:
    return load_songnet(folder).keras_model.get_weights()


def without_times(folder: Path) -> dict:
    record = read_record(folder)
    for name in ("seconds_to_fit", "seconds_to_answer", "seconds_of_last_start"):
        del record[name]
    for epoch in record["epochs"]:
        del epoch["seconds"]
    return record


def assert_same_run(one: Path, two: Path) -> None:
    assert without_times(one) == without_times(two)
    for a, b in zip(weights(one), weights(two), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=0)
    pd.testing.assert_frame_equal(read_answers(one), read_answers(two), atol=1e-6)


def test_it_learns_what_anybody_hears(tones, tmp_path):
    record = read_record(quick_train(tones, epochs=12, out=tmp_path))
    assert record["train"]["accuracy"] == 1
    assert record["test"]["accuracy"] == 1
    losses = [epoch["loss"] for epoch in record["epochs"]]
    assert losses[-1] < 0.2 * losses[0]


def test_the_record_says_what_the_run_was(run, tones):
    record = read_record(run)
    assert run == runs_folder(tones) / "songnet-random-0"
    assert (record["corpus"], record["model"], record["split"], record["seed"]) == (
        "tones",
        "songnet",
        "random",
        0,
    )
    assert record["genres"] == ["High", "Low", "Noise"]
    assert record["left_out"] == []
    assert record["sound"] == load_songnet(run).sound.to_dict()
    assert {"python", "tensorflow", "keras", "numpy", "songnet-utils"} <= set(record["versions"])
    assert [epoch["epoch"] for epoch in record["epochs"]] == [1, 2, 3, 4]
    assert {"loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"} <= set(
        record["epochs"][0]
    )
    # 70/20/10 of thirty clips.
    assert [record[subset]["clips"] for subset in ("train", "validation", "test")] == [21, 6, 3]
    for subset in ("train", "validation", "test"):
        low, high = record[subset]["confidence_interval"]
        assert 0 <= low <= record[subset]["accuracy"] <= high <= 1
        assert record[subset]["artists"] is None
        assert record[subset]["clips_of_unknown_artists"] == record[subset]["clips"]
        # A figure has one interval.
        assert [key for key in record[subset] if "interval" in key] == [
            "confidence_interval",
            "interval_note",
        ]
    table = np.array(record["test"]["confusion"])
    assert table.sum(axis=1).tolist() == [1, 1, 1]
    assert np.trace(table) / table.sum() == pytest.approx(record["test"]["accuracy"])


def test_the_folder_holds_just_what_was_promised(run):
    promised = {"model.keras", "model.onnx", "record.json", "answers.csv"}
    assert {path.name for path in run.iterdir()} == promised


def test_a_recurrent_network_leaves_what_the_page_runs_step_by_step(tones, tmp_path):
    out = quick_train(tones, model="crnn-2d", epochs=1, out=tmp_path / "run")
    assert {path.name for path in out.iterdir()} == {
        *("model.keras", "model.onnx", "stream.onnx", "record.json", "answers.csv")
    }
    # Another network in the same place leaves nothing of it behind.
    quick_train(tones, model="chance", out=out, force=True)
    assert not list(out.glob("*.onnx"))


def test_the_best_epochs_weights_are_kept(run):
    record = read_record(run)
    losses = [epoch["validation_loss"] for epoch in record["epochs"]]
    assert record["best_epoch"] == 1 + int(np.argmin(losses))
    answers = read_answers(run)
    validation = answers[answers.set == "validation"]
    chances = [row[f"p_{row['genre']}"] for _, row in validation.iterrows()]
    assert -np.log(chances).mean() == pytest.approx(min(losses), rel=1e-4)


def test_the_saved_network_hears_a_file_as_training_heard_it(run, tones):
    net = load_songnet(run)
    prepared = LogMelStore().prepare(tones, progress=False)
    answers = read_answers(run).set_index("id")
    for clip in tones.clips.iloc[::10].itertuples():
        audio = load_audio(clip.file, net.sound.sample_rate)
        np.testing.assert_array_equal(log_mel(audio, net.sound), prepared.frames(clip.id))
        kept = answers.loc[clip.id, [f"p_{genre}" for genre in net.genres]].to_numpy(float)
        np.testing.assert_allclose(net.classify(audio), kept, atol=1e-6)


def test_a_finished_run_is_not_touched_without_force(run, tones):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(SongNetError, match=r"finished run\. Use --force"):
        quick_train(tones)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_a_baseline_stopped_before_its_record_goes_on(tones, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_json", stop_after(0, None))
        with pytest.raises(Killed):
            quick_train(tones, model="chance", out=tmp_path)
    (tmp_path / ".songnet-abcd1234.part.csv").write_text("half of the answ")
    (tmp_path / ".draft.part.txt").write_text("mine")
    quick_train(tones, model="chance", out=tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"answers.csv", "record.json", ".draft.part.txt"}


def test_a_run_is_not_made_inside_its_corpus(tmp_path):
    folder = tone_corpus(tmp_path / "music")
    with pytest.raises(SongNetError, match="is inside the corpus"):
        quick_train(str(folder), model="chance", out=folder / "run")
    assert not (folder / "run").exists()


def test_the_same_seed_gives_the_same_run_and_another_seed_another(run, tones, tmp_path):
    assert_same_run(run, quick_train(tones, out=tmp_path / "again"))
    other = quick_train(tones, out=tmp_path / "other", seed=1)
    assert np.abs(weights(other)[3] - weights(run)[3]).max() > 0.01


class Killed(BaseException):
    """What stops a run in the middle, in place of a signal."""


def stop_after(calls: int, function):
    """Return `function` that raises `Killed` when it is called once too often."""
    left = [calls]

    def stopping(*arguments, **options):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return function(*arguments, **options)

    return stopping


@pytest.mark.parametrize(
    ("module", "where", "calls"),
    [
        (training_progress.KeepProgress, "on_train_batch_end", 4),  # in the second epoch
        (training_progress, "atomic_write", 2),  # when the third epoch is saved
        (training, "save_onnx", 0),
        (training, "write_json", 0),  # when the record is written
    ],
)
def test_a_run_stopped_anywhere_goes_on_to_the_same_end(
    run, tones, tmp_path, monkeypatch, module, where, calls
):
    with monkeypatch.context() as patch:
        patch.setattr(module, where, stop_after(calls, getattr(module, where)))
        with pytest.raises(Killed):
            quick_train(tones, out=tmp_path)
        assert not (tmp_path / "record.json").exists()
    quick_train(tones, out=tmp_path)
    assert_same_run(run, tmp_path)


def test_a_killed_process_goes_on_to_the_same_end(tones, tmp_path):
    """SIGKILL at a moment drawn at random, in the program as people start it."""
    moments = random.Random(20)
    command = [sys.executable, "-m", "songnet_utils.cli", "train", tones.clips.file[0]]
    command[-1] = str(Path(command[-1]).parents[1])
    command += ["--epochs", "20", "--out"]

    def start(folder: Path) -> subprocess.Popen:
        return subprocess.Popen(
            [*command, str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(command[4], epochs=20, out=whole, progress=False)
    kills = 0
    while not (killed / "record.json").exists():
        process = start(killed)
        if not kills:
            # Wait until it is at it; then let it be for a moment.
            known = saved_epochs(killed)
            while process.poll() is None and saved_epochs(killed) == known:
                with_timeout(process, 0.1)
            with_timeout(process, moments.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            kills += 1
            process.wait()
        else:
            _, error = process.communicate(timeout=300)
            assert process.returncode == 0, error
    assert kills == 1
    assert_same_run(whole, killed)
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}


def saved_epochs(folder: Path) -> float:
    try:
        return os.stat(folder / "progress.npz").st_mtime_ns
    except FileNotFoundError:
        return 0


def with_timeout(process: subprocess.Popen, seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def test_an_unfinished_run_goes_on_only_as_the_same_run(tmp_path, monkeypatch):
    folder, out = tone_corpus(tmp_path / "tones", clips=5), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(training, "save_keras", stop_after(0, None))
        with pytest.raises(Killed):
            quick_train(str(folder), out=out, epochs=1)
    with pytest.raises(SongNetError, match=r"unfinished run .*epochs 1 there, 2 here"):
        quick_train(str(folder), out=out, epochs=2)
    # A corpus may move, but not change.
    moved = Path(shutil.move(folder, tmp_path / "else" / "tones"))
    stranger = tone_corpus(tmp_path / "third" / "tones", clips=5, seed=1)
    with pytest.raises(SongNetError, match=r"with other arguments \(clips and their sets"):
        quick_train(str(stranger), out=out, epochs=1)
    progress = out / "progress.npz"
    whole = progress.read_bytes()
    progress.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SongNetError, match=r"progress\.npz: is damaged .* Use --force"):
        quick_train(str(moved), out=out, epochs=1)
    progress.write_bytes(whole)
    with monkeypatch.context() as patch:
        # There is nothing left to train.
        patch.setattr(training_progress.KeepProgress, "on_epoch_begin", stop_after(0, None))
        quick_train(str(moved), out=out, epochs=1)
    assert read_record(out)["corpus_folder"] == str(moved)
    # It is opened again from where it was, and nowhere else.
    log_mels = log_mels_of(out, read_record(out), progress=False)
    assert log_mels.clips.file.str.startswith(str(moved)).all()
    shutil.rmtree(moved)
    with pytest.raises(SongNetError, match=r"was trained on .*else/tones, which cannot be opened"):
        log_mels_of(out, read_record(out), progress=False)


@pytest.mark.parametrize("model", ["chance", "svm", "lr-meta"])
def test_every_kind_of_baseline_is_a_model(tones, tmp_path, model):
    kind = BASELINES[model]
    folder = quick_train(tones, model=model, out=tmp_path)
    assert {path.name for path in folder.iterdir()} == {"answers.csv", "record.json"}
    record = read_record(folder)
    assert record["epochs"] == []
    about = record["baseline"]
    assert about["features"] == kind.features
    assert about["metadata"] == kind.metadata
    assert record["arguments"]["inputs"].items() <= about.items()
    if model == "chance":
        assert about["columns"] == 0
        return
    assert about["columns"] == len(FEATURE_SETS[kind.features].columns) + 6 * kind.metadata
    assert record["train"]["accuracy"] > 0.8


def test_other_metadata_is_another_run(tones):
    clips = tones.clips.assign(listens=pd.array([7] * len(tones.clips), "Int64"))
    prepared = LogMelStore().prepare(dataclasses.replace(tones, clips=clips), progress=False)
    for model, same in (("knn-meta", False), ("knn", True)):
        first, second = (
            Run(
                log_mels=prepared,
                clips=table,
                sets=training.split_clips(table, "random", 0),
                left_out=[],
                model=model,
                split="random",
                seed=0,
                recipe=QUICK,
            ).arguments()
            for table in (tones.clips, clips)
        )
        assert (first == second) == same


def test_the_baseline_learns_from_the_training_clips_alone(tones, tmp_path):
    """Given nonsense for the other clips' labels, it answers the same."""
    prepared = LogMelStore().prepare(tones, progress=False)
    sets = training.split_clips(tones.clips, "random", 0)
    predictions = []
    for number, change in enumerate((False, True)):
        clips = tones.clips.copy()
        if change:
            clips.loc[sets != "train", "genre"] = "High"
        Run(
            log_mels=prepared,
            clips=clips,
            sets=sets,
            left_out=[],
            model="svm",
            split="random",
            seed=0,
            recipe=QUICK,
        ).make(tmp_path / str(number))
        predictions.append(read_answers(tmp_path / str(number)).answer)
    assert predictions[0].equals(predictions[1])


def test_artists_are_counted_and_kept_apart(tones, tmp_path):
    clips = tones.clips.copy()
    # Five artists a genre with two clips each; one clip whose artist nobody knows.
    clips["artist"] = clips.genre + (clips.groupby("genre").cumcount() // 2).astype(str)
    clips.loc[0, "artist"] = None
    corpus = dataclasses.replace(tones, clips=clips)
    folder = quick_train(corpus, model="svm", split="artist", out=tmp_path)
    record, answers = read_record(folder), read_answers(folder)
    assert answers.groupby("artist").set.nunique().max() == 1
    artists = sum(record[subset]["artists"] for subset in ("train", "validation", "test"))
    assert artists == answers.artist.nunique() == 16
    sets = ("train", "validation", "test")
    assert sum(record[subset]["clips_of_unknown_artists"] for subset in sets) == 1


def test_small_genres_are_left_out_and_named(tmp_path):
    folder = tone_corpus(tmp_path / "uneven", clips=6)
    for file in sorted((folder / "Noise").iterdir())[2:]:
        file.unlink()
    record = read_record(quick_train(open_corpus(folder), model="svm", out=tmp_path / "run"))
    assert record["genres"] == ["High", "Low"]
    assert [entry["genre"] for entry in record["left_out"]] == ["Noise"]
    assert "2 clips" in record["left_out"][0]["reason"]


def test_unusable_clips_are_recorded(tmp_path):
    folder = tone_corpus(tmp_path / "damaged", genres=["High", "Low"], clips=5)
    (folder / "High" / "empty.wav").write_bytes(b"")
    record = read_record(quick_train(open_corpus(folder), model="svm", out=tmp_path / "run"))
    assert [entry["id"] for entry in record["unusable"]] == ["High/empty.wav"]
    assert sum(record[subset]["clips"] for subset in ("train", "validation", "test")) == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "songnte"}, "songnet-transfer, chance, knn"),
        ({"split": "artists"}, "random, artist or official"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"genres": ["High"]}, "at least two"),
        ({"genres": ["High", "Polka"]}, "no clips of the genre Polka"),
        ({"split": "official"}, "official"),
    ],
)
def test_bad_arguments_are_named(tones, tmp_path, options, message):
    with pytest.raises(SongNetError, match=message):
        quick_train(tones, out=tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_mistyped_schedule_is_refused():
    with pytest.raises(SongNetError, match=r"a schedule must be plateau, .*Did you mean cosine\?"):
        Recipe(schedule="cosin")


def test_the_newest_run_of_a_network_is_found(run, tones):
    quick_train(tones, model="svm")
    assert newest_run() == run
    newer = run.with_name("songnet-random-3")
    shutil.copytree(run, newer, copy_function=shutil.copy)
    assert newest_run() == newer
    (newer / "record.json").unlink()
    assert newest_run() == run


def test_a_network_trained_on_composed_music_warns(run, tones, tmp_path):
    assert load_songnet(run).caution == ""
    composed = dataclasses.replace(tones, description="a teaching corpus")
    net = load_songnet(quick_train(composed, out=tmp_path, epochs=1))
    assert "means little" in net.caution
    assert "music composed by rules" in net.training_music


def test_real_clips(shared_fma, tmp_path):
    folder = quick_train(open_corpus(shared_fma), split="artist", out=tmp_path, epochs=1)
    record = read_record(folder)
    assert {"Folk", "Experimental", "Rock", "International"} <= set(record["genres"])
    assert {"Electronic"} <= {entry["genre"] for entry in record["left_out"]}
    assert json.loads((folder / "record.json").read_text())["test"]["artists"] > 1
    answers = read_answers(folder)
    assert answers.groupby("artist").set.nunique().max() == 1
