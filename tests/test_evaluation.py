"""Comparisons: who is tested on what, what is kept, and that the figures are those of the runs."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import tone_corpus

from songnet_utils import evaluation
from songnet_utils.corpora import Corpus, open_corpus, table
from songnet_utils.errors import SongNetError
from songnet_utils.evaluation import compare, fold_sides
from songnet_utils.training import Recipe, newest_run, train


@pytest.fixture(scope="module", autouse=True)
def _data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    """Two genres of twelve clips, by six artists each."""
    folder = tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", ["High", "Low"], clips=12)
    corpus = open_corpus(folder)
    clips = corpus.clips.copy()
    clips["artist"] = clips.genre + (clips.groupby("genre").cumcount() // 2).astype(str)
    return dataclasses.replace(corpus, clips=clips)


@pytest.fixture(scope="module")
def comparison(tones, tmp_path_factory) -> tuple[evaluation.Comparison, list]:
    file = tmp_path_factory.mktemp("json") / "results.json"
    found = compare(
        tones, models=["chance", "svm"], folds=3, seeds=2, json_file=file, progress=False
    )
    return found, json.loads(file.read_text())


def test_every_clip_is_tested_once_a_seed(comparison, tones):
    answers = comparison[0].answers
    for _, tested in answers.groupby(["model", "split", "seed"]):
        assert sorted(tested.id) == sorted(tones.clips.id)


def test_results_are_what_the_answers_say(comparison, tones):
    found, written = comparison
    assert written == found.results
    assert [(row["model"], row["split"]) for row in written] == [
        ("chance", "random"),
        ("chance", "artist"),
        ("svm", "random"),
        ("svm", "artist"),
    ]
    for row in written:
        answers = found.answers.query("model == @row['model'] and split == @row['split']")
        assert row["clips"] == len(answers) == 2 * len(tones.clips)
        assert row["accuracy"] == pytest.approx((answers.genre == answers.answer).mean())
        low, high = row["confidence_interval"]
        assert low <= row["accuracy"] <= high
        assert (row["seeds"], row["folds"]) == (2, 3)
    assert [row["artist_overlap"] for row in written[1::2]] == [0, 0]
    assert min(row["artist_overlap"] for row in written[::2]) > 0.3


def test_all_right_is_not_called_certain():
    tested = pd.DataFrame({"id": [*"abcdabcd"], "artist": [*"abcdabcd"]})
    # Four clips, each tested twice: Wilson's interval of four out of four.
    low, high = evaluation._interval(np.ones(8, bool), tested)
    assert (low, high) == (pytest.approx(4 / (4 + 1.96**2), abs=1e-3), 1)
    assert evaluation._interval(np.zeros(8, bool), tested)[0] == 0


def test_differences_are_those_of_the_accuracies(comparison):
    rows = {(row["model"], row["split"]): row for row in comparison[1]}
    stated = {
        (*key, entry["model"], entry["split"]): entry
        for key, row in rows.items()
        for entry in row["differences"]
    }
    assert set(stated) == {
        ("svm", "random", "chance", "random"),
        ("svm", "artist", "chance", "artist"),
        ("svm", "random", "svm", "artist"),
        ("chance", "random", "chance", "artist"),
    }
    for (model, split, other, other_split), entry in stated.items():
        expected = rows[model, split]["accuracy"] - rows[other, other_split]["accuracy"]
        assert entry["difference"] == pytest.approx(expected)
        low, high = entry["confidence_interval"]
        assert low <= entry["difference"] <= high
    assert stated["svm", "artist", "chance", "artist"]["confidence_interval"][0] > 0


def test_the_text_names_models_splits_and_intervals(comparison):
    text = comparison[0].as_text()
    rows = [line.split()[:3] for line in text.splitlines()[1:5]]
    assert rows == [[row["model"], row["split"], f"{row['accuracy']:.1%}"] for row in comparison[1]]
    assert "svm minus chance, artist split: +" in text
    assert "svm, random minus artist split: " in text


def test_a_second_time_nothing_is_trained_again(comparison, tones, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(evaluation.Run, "make", never)
    again = compare(tones, models=["chance", "svm"], folds=3, seeds=2, progress=False)
    assert again.results == comparison[0].results
    with pytest.raises(AssertionError):
        compare(tones, models=["chance"], folds=4, progress=False)


def test_without_folds_the_runs_of_train_are_used(tones, monkeypatch):
    recipe = Recipe(epochs=2, crop_seconds=2.0)
    folder = train(tones, split="artist", recipe=recipe, progress=False)
    made = []
    make = evaluation.Run.make

    def note(run, folder, **options):
        made.append(run.model)
        make(run, folder, **options)

    monkeypatch.setattr(evaluation.Run, "make", note)
    options = {"models": ["svm", "songnet"], "splits": ["artist"], "progress": False}
    found = compare(tones, recipe=recipe, **options)
    assert made == ["svm"]
    assert found.results[0]["folds"] is None
    assert "mcnemar_p" in found.results[1]["differences"][0]
    # Another recipe is another run, beside the first, and not the newest to listen with.
    compare(tones, recipe=Recipe(epochs=1, crop_seconds=2.0), **options)
    assert made == ["svm", "songnet"]
    assert newest_run() == folder


def test_genres_too_small_for_the_folds_are_left_out_of_all_splits(tmp_path):
    corpus = open_corpus(tone_corpus(tmp_path / "three", clips=6))
    clips = corpus.clips.copy()
    clips["artist"] = clips.genre + clips.groupby("genre").cumcount().astype(str)
    clips.loc[clips.genre == "Noise", "artist"] = "one artist"
    found = compare(
        dataclasses.replace(corpus, clips=clips), models=["svm"], folds=3, progress=False
    )
    assert list(found.left_out) == ["Noise"]
    assert set(found.answers.genre) == {"High", "Low"}
    assert {row["clips"] for row in found.results} == {12}


def test_an_unknown_artist_is_counted_as_not_known(tmp_path):
    corpus = open_corpus(tone_corpus(tmp_path / "nobody", ["High", "Low"], clips=6))
    found = compare(corpus, models=["svm"], splits=["random"], folds=2, progress=False)
    assert found.results[0]["artist_overlap"] is None
    assert "not known" in found.as_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["svn"]}, "songnet, svm, chance"),
        ({"models": []}, "at least one model"),
        ({"splits": ["artists"]}, "random, artist, official"),
        ({"splits": ["official"], "folds": 3}, "has no folds"),
        ({"seeds": 0}, "seeds must be"),
        ({"folds": 1}, "at least 2"),
        ({"folds": 13, "splits": ["random"]}, "0 genres left"),
    ],
)
def test_bad_arguments_are_named(tones, options, message):
    with pytest.raises(SongNetError, match=message):
        compare(tones, **{"models": ["svm"], "progress": False, **options})


@st.composite
def tables(draw) -> pd.DataFrame:
    rows = []
    for genre in "ABC"[: draw(st.integers(2, 3))]:
        sizes = draw(st.lists(st.integers(1, 4), min_size=4, max_size=8))
        for artist, clips in enumerate(sizes):
            name = None if draw(st.booleans()) and clips == 1 else f"{genre}{artist}"
            for clip in range(clips):
                rows.append(
                    {
                        "id": f"{genre}{artist}-{clip}",
                        "file": "/x",
                        "genre": genre,
                        "artist": name,
                        "seconds": 3.0,
                    }
                )
    return table(rows)


@settings(max_examples=30, deadline=None)
@given(tables(), st.sampled_from(["random", "artist"]), st.integers(3, 4), st.integers(0, 9))
def test_folds_test_every_clip_once_and_keep_artists_apart(clips, split, k, seed):
    dealt = fold_sides(clips, split, seed, k)
    assert len(dealt) == k
    times_tested = sum((sides == "test").astype(int) for sides in dealt)
    assert (times_tested == 1).all()
    for sides in dealt:
        counts = pd.crosstab(clips.genre, sides)
        assert set(counts.columns) == {"train", "validation", "test"}
        assert (counts > 0).all(axis=None)
        if split == "artist":
            known = clips.artist.notna()
            assert sides[known].groupby(clips.artist[known]).nunique().max() == 1


def test_the_same_seed_deals_the_same_folds():
    rows = [
        {"id": f"{genre}{clip}", "file": "/x", "genre": genre, "seconds": 3.0}
        for genre in "AB"
        for clip in range(20)
    ]
    first, again, other = (fold_sides(table(rows), "random", seed, 4) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        pd.testing.assert_series_equal(one, two)
    assert not np.array_equal(first[0], other[0])
