"""The baselines: what they are, that they learn, that they come back from disk."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from songnet_utils.corpora.table import table
from songnet_utils.features import FEATURE_SETS
from songnet_utils.features.metadata import NUMBERS
from songnet_utils.models.baselines import (
    BASELINES,
    GaussianMixtureClassifier,
    baseline_inputs,
    fit_baseline,
    predict_baseline,
)

LEARN = [name for name in BASELINES if name != "chance"]
WITH_METADATA = [name for name, kind in BASELINES.items() if kind.metadata]

GENRES = ("Folk", "Pop", "Rock")


@pytest.fixture(scope="module")
def clips() -> pd.DataFrame:
    """Sixty clips a genre, two an artist; not all artists and years are known."""
    return table(
        {
            "id": f"{genre}-{number}",
            "file": f"/{genre}/{number}.wav",
            "genre": genre,
            "artist": None if number % 10 < 2 else f"{genre} artist {number // 2}",
            "year": None if number % 3 == 0 else 1990 + number % 20,
            "listens": 10 * number,
            "favorites": number % 7,
            "duration": 100.0 + number,
            "bit_rate": 256_000,
        }
        for genre in GENRES
        for number in range(60)
    )


def features_of(name: str, clips: pd.DataFrame) -> pd.DataFrame | None:
    """A baseline's features: one in eight is another for each genre, on very different scales."""
    kind = BASELINES[name]
    if kind.features is None:
        return None
    columns = FEATURE_SETS[kind.features].columns
    random = np.random.default_rng(0)
    values = random.normal(size=(len(clips), len(columns)))
    for place, genre in enumerate(GENRES):
        values[:, place::8] += 3 * (clips.genre == genre).to_numpy()[:, None]
    values *= 10.0 ** random.integers(-3, 4, len(columns))
    return pd.DataFrame(
        values.astype(np.float32),
        index=pd.Index(clips.id, name="id"),
        columns=pd.MultiIndex.from_tuples(columns),
    )


def inputs_of(name: str, clips: pd.DataFrame) -> pd.DataFrame:
    return baseline_inputs(name, features_of(name, clips), clips)


@pytest.mark.parametrize("name", LEARN)
def test_a_baseline_learns_a_difference_on_any_scale(clips, name):
    inputs, genres = inputs_of(name, clips), clips.genre.to_numpy()
    with warnings.catch_warnings():
        # That some stop before they have converged is in `converged`, not on the screen.
        warnings.simplefilter("error")
        baseline = fit_baseline(name, inputs[::2], genres[::2])
    assert accuracy_score(genres[1::2], predict_baseline(baseline, inputs[1::2])) > 0.95


@pytest.mark.parametrize("name", ["knn", "svm", "deshpande-gmm", "lr-meta"])
def test_the_unit_of_a_feature_changes_nothing(clips, name):
    # What scaling is fitted to is the training clips; others go through the same.
    inputs, genres = inputs_of(name, clips), clips.genre.to_numpy()
    numbers = [column for column in inputs if column != "artist"]
    other = inputs.copy()
    other[numbers] = inputs[numbers].astype(np.float64) * 4 + 8 * inputs[numbers].abs().max()
    first, second = (
        predict_baseline(fit_baseline(name, told[::2], genres[::2]), told[1::2])
        for told in (inputs, other)
    )
    assert (first == second).mean() > 0.98


def test_scaling_knows_the_training_clips_alone(clips):
    inputs, genres = inputs_of("svm", clips), clips.genre.to_numpy()
    svm = fit_baseline("svm", inputs[::2], genres[::2])
    trained = inputs[::2].to_numpy(np.float64)
    np.testing.assert_allclose(svm[0].mean_, trained.mean(axis=0))
    np.testing.assert_allclose(svm[0].var_, trained.var(axis=0))
    # A clip's answer does not hang on which others are asked about.
    together = predict_baseline(svm, inputs[1::2])
    alone = [predict_baseline(svm, inputs[place : place + 1])[0] for place in range(1, 180, 2)]
    assert (together == alone).all()


@pytest.mark.parametrize("name", ["chance", "mlp", "svm-linear", "deshpande-gmm"])
def test_a_baseline_repeats_with_its_seed(clips, name):
    inputs, genres = inputs_of(name, clips), clips.genre.to_numpy()
    # Fewer clips than would make it sure of itself.
    first, again = (
        predict_baseline(fit_baseline(name, inputs[::9], genres[::9], seed=3), inputs)
        for _ in range(2)
    )
    assert (first == again).all()


@pytest.mark.parametrize("name", ["knn", "lr", "mlp", "svm", "svm-linear"])
def test_classifiers_are_scikit_learns_defaults(clips, name):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC, LinearSVC

    theirs = {
        "knn": KNeighborsClassifier(),
        "lr": LogisticRegression(),
        "mlp": MLPClassifier(),
        "svm": SVC(),
        "svm-linear": LinearSVC(),
    }[name]
    for on in ("", "-518", "-meta"):
        ours = BASELINES[name + on].make(7)[-1]
        assert type(ours) is type(theirs)
        assert {**ours.get_params(), "random_state": None} == {
            **theirs.get_params(),
            "random_state": None,
        }


def test_chance_guesses_as_often_as_the_training_clips_have_a_genre():
    genres = np.repeat(["Folk", "Rock"], [3000, 1000])
    guesses = predict_baseline(
        fit_baseline("chance", np.zeros((4000, 140)), genres), genres[:, None] == ""
    )
    assert np.mean(guesses == "Folk") == pytest.approx(0.75, abs=0.03)
    # Guessing so is right in 0.75² + 0.25² of all clips.
    assert accuracy_score(genres, guesses) == pytest.approx(0.625, abs=0.03)


def test_another_seed_guesses_otherwise(clips):
    inputs = inputs_of("chance", clips)
    first, other = (
        predict_baseline(fit_baseline("chance", inputs, clips.genre, seed), inputs)
        for seed in (1, 2)
    )
    assert (first != other).any()


# What is known of a song besides its sound.


def test_inputs_have_one_name_each_and_the_order_of_the_clips(clips):
    features = features_of("svm-meta", clips)
    backwards = clips[::-1]
    inputs = baseline_inputs("svm-meta", features, backwards)
    assert list(inputs.index) == list(backwards.id)
    assert list(inputs.columns[:2]) == ["mfcc/kurtosis/01", "mfcc/kurtosis/02"]
    assert list(inputs.columns[140:]) == [*NUMBERS, "artist"]
    first = backwards.iloc[0]
    assert inputs.loc[first.id, "listens"] == first.listens
    assert inputs.loc[first.id, "mfcc/max/03"] == features.loc[first.id, ("mfcc", "max", "03")]
    assert inputs.artist.isna().sum() == 0
    assert inputs.year.isna().sum() == clips.year.isna().sum()


@pytest.mark.parametrize("name", WITH_METADATA)
def test_artists_give_their_genre_away(clips, name):
    # Silence: the features say nothing, the artists everything.
    genres = clips.genre.to_numpy()
    known = clips.artist.notna().to_numpy()
    features = features_of(name, clips) * 0
    plain = clips.assign(**{number: pd.array([None] * len(clips), "Int64") for number in NUMBERS})
    inputs = baseline_inputs(name, features, plain)
    first_of_artist = (~clips.artist.duplicated()).to_numpy()
    baseline = fit_baseline(name, inputs[known & first_of_artist], genres[known & first_of_artist])
    second = known & ~first_of_artist
    again = accuracy_score(genres[second], predict_baseline(baseline, inputs[second]))
    # Of the five nearest, one is by the same artist and four are as far as all others.
    assert again > 0.95 or name == "knn-meta"
    # An artist that was never heard of is nobody, and so are all that are not known: one answer.
    for nobody in ("Somebody New", ""):
        strangers = inputs[second].assign(artist=nobody)
        assert len(set(predict_baseline(baseline, strangers))) == 1


@pytest.mark.parametrize("name", WITH_METADATA)
def test_metadata_that_nobody_has_is_no_obstacle(clips, name):
    # As in a folder of sound files: a genre each and nothing else.
    bare = table(clips[["id", "file", "genre"]])
    inputs, genres = inputs_of(name, bare), bare.genre.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        baseline = fit_baseline(name, inputs[::2], genres[::2])
        assert accuracy_score(genres[1::2], predict_baseline(baseline, inputs[1::2])) > 0.9
        # What no training clip had does not trouble it later.
        predict_baseline(baseline, inputs_of(name, clips))


# The mixture of Gaussians.


def test_a_mixture_tells_apart_what_no_line_can():
    # One genre is in both sets of the other.
    random = np.random.default_rng(0)
    places = np.repeat([-5.0, 0, 5], 50)
    clips = (places + random.normal(size=150))[:, None]
    genres = np.where(places == 0, "in", "out")
    found = GaussianMixtureClassifier(random_state=0).fit(clips[::2], genres[::2])
    assert accuracy_score(genres[1::2], found.predict(clips[1::2])) > 0.95


def test_a_genre_of_few_clips_has_fewer_gaussians():
    clips = np.array([[0.0], [5.0], [5.2], [10.0], [10.1], [10.2], [10.3]])
    genres = np.repeat(["one", "two", "four"], [1, 2, 4])
    found = GaussianMixtureClassifier(random_state=0).fit(clips, genres)
    assert (found.predict(clips) == genres).all()
    assert dict(
        zip(found.classes_, (mixture.n_components for mixture in found.mixtures_), strict=True)
    ) == {"one": 1, "two": 2, "four": 3}


@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_where_the_sound_says_nothing_the_commoner_genre_is_the_likelier():
    genres = np.repeat(["common", "rare"], [30, 10])
    found = GaussianMixtureClassifier(random_state=0).fit(np.zeros((40, 2)), genres)
    assert set(found.predict(np.zeros((3, 2)))) == {"common"}
