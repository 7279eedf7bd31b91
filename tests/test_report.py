"""Evaluating a run: hand-made steps, and what is refused of real ones."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.evaluation.report import Report, calibrate, evaluate, until_right
from songnet_utils.features.store import LogMelStore
from songnet_utils.metrics.calibration import apply_temperature
from songnet_utils.streaming.timeline import ReceptiveField, Timeline
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import read_answers, read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")

# A step sees 2 frames, every frame: step k is decided at (2048 + 1024·k) samples of 1024 a second.
TIMELINE = Timeline(Sound(sample_rate=1024), ReceptiveField(2, 1))


def with_artists(corpus: Corpus) -> Corpus:
    """Give every two clips of a genre to one artist."""
    clips = corpus.clips.copy()
    clips["artist"] = clips.genre + (clips.groupby("genre").cumcount() // 2).astype(str)
    return dataclasses.replace(corpus, clips=clips)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", clips=10)


@pytest.fixture(scope="module")
def tones(folder) -> Corpus:
    return with_artists(open_corpus(folder))


@pytest.fixture(scope="module")
def run(tones) -> Path:
    # Hardly trained: some answers are wrong.
    recipe = Recipe(epochs=1, crop_seconds=2.0, batch=16)
    return train(tones, recipe=recipe, progress=False)


@pytest.fixture(scope="module")
def report(run, tones) -> Report:
    return evaluate(run, tones, progress=False)


def steps(*shares: float) -> np.ndarray:
    """Return the genre over time of two genres, the first of which gets these shares."""
    return np.array([[share, 1 - share] for share in shares], np.float32)


# --- Seconds until it is right --------------------------------------------------------------


def test_until_right_of_hand_made_steps():
    found = until_right(
        [
            # The mean for genre 0: .9, .5+, .4: right, right, wrong.
            steps(0.9, 0.2, 0.1),
            # .2, .55, .67: wrong, right, right.
            steps(0.2, 0.9, 0.9),
            # Right at once, and over after a step.
            steps(0.8),
            # Never right.
            steps(0.3, 0.1),
        ],
        [0, 0, 0, 0],
        TIMELINE,
    )
    assert found.seconds.tolist() == [2, 3, 4]
    assert found.right.tolist() == [
        [True, True, False],
        [False, True, True],
        [True, True, True],
        [False, False, False],
    ]
    assert found.settled.tolist() == [
        [False, False, False],
        [False, True, True],
        [True, True, True],
        [False, False, False],
    ]
    assert found.playing.tolist() == [4, 3, 2]
    table = found.as_table()
    assert table.accuracy.tolist() == [2 / 4, 3 / 4, 2 / 4]
    assert table.settled.tolist() == [1 / 4, 2 / 4, 2 / 4]
    assert found.median_seconds() == 3


def test_where_fewer_than_half_are_ever_right_there_is_no_median():
    found = until_right([steps(0.9), steps(0.1), steps(0.1)], [0, 0, 0], TIMELINE)
    assert found.median_seconds() == np.inf


def test_what_comes_later_changes_no_answer_that_was_given_before():
    random = np.random.default_rng(0)
    songs = random.dirichlet(np.ones(3), (8, 12))
    other = songs.copy()
    other[:, 6:] = random.dirichlet(np.ones(3), (8, 6))
    truth = np.arange(8) % 3
    one, two = (until_right(list(each), truth, TIMELINE) for each in (songs, other))
    assert (one.right[:, :6] == two.right[:, :6]).all()


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_the_share_of_settled_clips_never_falls_nor_exceeds_the_accuracy(seed, lengths):
    random = np.random.default_rng(seed)
    songs = [random.dirichlet(np.ones(3), length) for length in lengths]
    truth = random.integers(0, 3, len(lengths))
    found = until_right(songs, truth, TIMELINE)
    table = found.as_table()
    assert (np.diff(table.settled) >= 0).all()
    assert (table.settled <= table.accuracy).all()
    whole = np.mean([song.mean(axis=0).argmax() for song in songs] == truth)
    assert table.accuracy.iloc[-1] == table.settled.iloc[-1] == pytest.approx(whole)
    for name in ("accuracy", "settled"):
        assert (table[f"{name}_low"] <= table[name] + 1e-9).all()
        assert (table[f"{name}_high"] >= table[name] - 1e-9).all()


@pytest.mark.parametrize(
    ("clips", "truth", "artists"),
    [
        ([], [], None),
        ([steps(0.5)], [0, 1], None),
        ([steps(0.5)], [0], ["x", "y"]),
        ([steps(0.5), np.empty((0, 2))], [0, 0], None),
    ],
)
def test_until_right_needs_steps_and_truths(clips, truth, artists):
    with pytest.raises(SongNetError, match="a genre, an artist and at least one step for each"):
        until_right(clips, truth, TIMELINE, artists)


# --- Calibration of a run -------------------------------------------------------------------


def answers(test: np.ndarray, validation: np.ndarray) -> pd.DataFrame:
    """Return answers for clips of which four of five with 80 % for "a" are an "a"."""
    parts = []
    for subset, chances in (("test", test), ("validation", validation)):
        number = np.arange(len(chances))
        part = pd.DataFrame({"p_a": chances[:, 0], "p_b": chances[:, 1]})
        genre = np.where(number % 5 < 4, "a", "b")
        parts.append(part.assign(set=subset, genre=genre, artist=number.astype(str)))
    return pd.concat(parts, ignore_index=True)


def test_a_temperature_fitted_on_validation_clips_mends_test_clips():
    true = np.tile([0.8, 0.2], (50, 1))
    too_sure = apply_temperature(true, 0.4)
    found = calibrate(answers(too_sure, too_sure[:20]), ["a", "b"])
    assert found.temperature == pytest.approx(1 / 0.4)
    assert found.fitted_on == 20
    assert found.before.error == pytest.approx(too_sure[0, 0] - 0.8)
    assert found.after.error == pytest.approx(0, abs=1e-6)
    assert found.after.log_loss < found.before.log_loss


def test_test_clips_have_no_say_in_the_temperature():
    one = np.tile([0.8, 0.2], (20, 1))
    two = np.tile([0.99, 0.01], (20, 1))
    fitted = [calibrate(answers(test, one), ["a", "b"]).temperature for test in (one, two)]
    assert fitted[0] == fitted[1] == pytest.approx(1)


def test_where_no_temperature_is_best_it_is_said_why():
    sure = np.tile([0.8, 0.2], (20, 1))
    found = calibrate(answers(sure, sure[:4]), ["a", "b"])
    assert found.after is None
    assert "All 4 answers are right" in found.why_not


def test_a_probability_that_float32_rounded_to_0_is_no_infinite_loss():
    certain = np.tile([1.0, 0.0], (10, 1))
    found = calibrate(answers(certain, certain), ["a", "b"])
    # A fifth of the clips are "b".
    assert found.before.log_loss == pytest.approx(-np.log(1e-7) / 5, rel=1e-3)


def test_answers_without_probabilities_are_not_calibrated():
    with pytest.raises(SongNetError, match="run of a network"):
        calibrate(answers(np.ones((2, 2)), np.ones((2, 2))).drop(columns="p_b"), ["a", "b"])


# --- A real run -----------------------------------------------------------------------------


def test_the_report_is_as_its_record_says(report, run):
    record = read_record(run)
    right = np.diag(record["test"]["confusion"])
    assert report.genres.right.tolist() == right.tolist()
    table = report.until_right.as_table()
    assert table.accuracy.iloc[-1] == record["test"]["accuracy"]
    assert list(report.genres.index) == record["genres"]
    assert report.genres.support.sum() == record["test"]["clips"]
    assert set(report.answers.set) == {"test"}
    assert report.calibration.fitted_on == record["validation"]["clips"]


def test_a_folder_is_named_by_its_path_and_a_prepared_corpus_is_taken(report, run, folder, tones):
    prepared = LogMelStore().prepare(tones, progress=False)
    for corpus in (folder, str(folder), prepared):
        again = evaluate(run, corpus, progress=False)
        assert again.as_text() == report.as_text()


def test_the_text_names_every_genre_and_every_part(report):
    text = report.as_text()
    for part in ("High", "macro average", "expected calibration error", "seconds of music"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100


def test_an_interval_over_few_artists_comes_with_a_word(report):
    def of(**artists):
        test = {name: of for name, of in report.record["test"].items() if name != "artists"}
        return dataclasses.replace(report, record=report.record | {"test": test | artists})

    assert "only 4 artists" in of(artists=4).as_text()
    # Older records name no artists.
    assert "With only" not in of(artists=6).as_text() + of().as_text()


def test_a_network_that_was_told_of_the_songs_is_told_again(tones):
    years = 1960 + 20 * tones.clips.genre.map({"High": 0, "Low": 1, "Noise": 2})
    dated = other(tones, clips=tones.clips.assign(year=years.astype("Int64")))
    recipe = Recipe(epochs=1, crop_seconds=2.0, batch=16)
    run = train(dated, "songnet-meta", recipe=recipe, progress=False)
    found = evaluate(run, dated, progress=False).until_right.as_table()
    assert found.accuracy.iloc[-1] == read_record(run)["test"]["accuracy"]


def test_of_a_baseline_only_the_genres_are_reported(tones):
    found = evaluate(train(tones, "svm", progress=False), progress=False)
    assert found.genres.support.sum() == len(found.answers)
    assert found.calibration is found.until_right is None
    assert "svm answers only for whole clips" in found.refused
    assert "evaluate the run of a network" in found.refused


def other(corpus: Corpus, **changes) -> Corpus:
    return dataclasses.replace(corpus, **changes)


def test_a_run_whose_corpus_has_moved_needs_its_folder(run, tmp_path):
    moved = shutil.copytree(run, tmp_path / "run")
    record = {**read_record(run), "corpus_folder": str(tmp_path / "tones")}
    (moved / "record.json").write_text(json.dumps(record))
    with pytest.raises(SongNetError, match=r"trained on .*/tones, which cannot.*--corpus FOLDER"):
        evaluate(moved, progress=False)


def test_another_corpus_is_refused(run, tones, tmp_path):
    for name in ("chords",):
        strange = tones.clips.assign(id="x" + tones.clips.id)
        with pytest.raises(SongNetError, match=f"not among the usable clips of {name}"):
            evaluate(run, other(tones, name=name, clips=strange), progress=False)


def test_clips_that_are_gone_or_have_another_genre_are_told(run, tones):
    tested = read_answers(run).query("set == 'test'").id
    lost = tones.clips[tones.clips.id != tested.iloc[0]]
    with pytest.raises(SongNetError, match=f"1 of its {len(tested)} test clips are not among"):
        evaluate(run, other(tones, clips=lost), progress=False)
    moved = tones.clips.assign(
        genre=tones.clips.genre.where(tones.clips.id != tested.iloc[0], "Noisy")
    )
    with pytest.raises(SongNetError, match=rf"now\. The first is {tested.iloc[0]}\."):
        evaluate(run, other(tones, clips=moved), progress=False)


def test_other_music_under_the_same_name_is_told(run, tmp_path):
    with pytest.raises(SongNetError, match="no longer answers for clip"):
        evaluate(run, tone_corpus(tmp_path / "tones", clips=10, seed=1), progress=False)


def test_frames_of_another_description_of_sound_are_refused(run, tones):
    coarse = LogMelStore(sound=Sound(n_mels=64)).prepare(tones, progress=False)
    with pytest.raises(SongNetError, match=r"n_mels=64.* network needs .*n_mels=128"):
        evaluate(run, coarse, progress=False)


def test_a_run_that_is_not_finished_is_an_error(tones, tmp_path):
    with pytest.raises(SongNetError, match="not a finished run"):
        evaluate(tmp_path, tones)
