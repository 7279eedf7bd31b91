"""The baselines: what they are, that they learn, that they come back from disk."""

from __future__ import annotations

import numpy as np
import pytest

from songnet_utils.baselines import (
    BASELINES,
    answer_baseline,
    fit_baseline,
    load_baseline,
    save_baseline,
)
from songnet_utils.errors import SongNetError
from songnet_utils.scores import accuracy


@pytest.fixture(scope="module")
def clips() -> tuple[np.ndarray, np.ndarray]:
    """Three genres that differ in one statistic out of 140, on very different scales."""
    random = np.random.default_rng(0)
    genres = np.repeat(["Folk", "Pop", "Rock"], 60)
    features = random.normal(size=(180, 140)) * 10.0 ** random.integers(-3, 4, 140)
    place = {"Folk": -1, "Pop": 0, "Rock": 1}
    features[:, :20] += (
        features[:, :20].std(axis=0) * 3 * np.array([place[g] for g in genres])[:, None]
    )
    return features, genres


def test_svm_hears_a_difference_on_any_scale(clips):
    features, genres = clips
    svm = fit_baseline("svm", features[::2], genres[::2])
    assert accuracy(genres[1::2], answer_baseline(svm, features[1::2])) > 0.95


def test_svm_is_scikit_learns_default(clips):
    from sklearn.svm import SVC

    svm = fit_baseline("svm", *clips)
    assert svm[-1].get_params() == SVC().get_params()


def test_chance_guesses_as_often_as_the_training_clips_have_a_genre():
    genres = np.repeat(["Folk", "Rock"], [3000, 1000])
    guesses = answer_baseline(
        fit_baseline("chance", np.zeros((4000, 140)), genres), genres[:, None] == ""
    )
    assert np.mean(guesses == "Folk") == pytest.approx(0.75, abs=0.03)
    # Guessing so is right in 0.75² + 0.25² of all clips.
    assert accuracy(genres, guesses) == pytest.approx(0.625, abs=0.03)


def test_chance_repeats_with_its_seed(clips):
    features, genres = clips
    first, again, other = (
        answer_baseline(fit_baseline("chance", features, genres, seed), features)
        for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_saved_baseline_answers_the_same(clips, tmp_path, name):
    features, genres = clips
    baseline = fit_baseline(name, features, genres, seed=4)
    save_baseline(baseline, tmp_path / "model.skops")
    again = load_baseline(tmp_path / "model.skops")
    assert (answer_baseline(again, features) == answer_baseline(baseline, features)).all()


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "model.skops").write_bytes(b"nothing of the sort")
    with pytest.raises(SongNetError, match=r"model\.skops: is no saved baseline"):
        load_baseline(tmp_path / "model.skops")


def test_an_unknown_baseline_is_refused(clips):
    with pytest.raises(SongNetError, match=r"svm, chance\. Got 'svn'"):
        fit_baseline("svn", *clips)
