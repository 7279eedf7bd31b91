"""The scores against figures worked out by hand or printed in textbooks."""

from __future__ import annotations

import numpy as np
import pytest

from songnet_utils.errors import SongNetError
from songnet_utils.scores import (
    accuracy,
    artist_interval,
    confusion,
    difference_interval,
    genre_scores,
    macro_average,
    mcnemar_exact,
    quantiles,
    right_answers,
    wilson_interval,
)


def test_accuracy_counts_the_right_answers():
    assert accuracy(["Rock", "Pop", "Pop", "Folk"], ["Rock", "Pop", "Rock", "Rock"]) == 0.5


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["Rock"], ["Rock", "Pop"])])
def test_accuracy_needs_one_answer_a_clip(truth, predicted):
    with pytest.raises(SongNetError, match="one entry a clip"):
        accuracy(truth, predicted)


def test_confusion_has_the_truth_in_rows():
    table = confusion(["a", "a", "b", "c"], ["a", "b", "b", "a"], ["a", "b", "c"])
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_confusion_names_a_genre_it_was_not_told_of():
    with pytest.raises(SongNetError, match="Polka"):
        confusion(["a"], ["Polka"], ["a"])


@pytest.mark.parametrize(
    ("correct", "clips", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # By hand for one clip out of one: z² / (1 + z²) of the way lies outside.
        (1, 1, 1 / (1 + 1.959963984540054**2), 1.0),
    ],
)
def test_wilson_interval_is_that_of_the_literature(correct, clips, low, high):
    assert wilson_interval(correct, clips) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_near_65_percent_of_800_clips_is_3_points_wide_each_way():
    low, high = wilson_interval(520, 800)
    assert (high - low) / 2 == pytest.approx(0.033, abs=5e-4)


def test_wilson_interval_refuses_more_right_answers_than_clips():
    with pytest.raises(SongNetError, match="5 of 4"):
        wilson_interval(5, 4)


def test_artist_interval_of_single_clips_is_the_binomial_one():
    correct = np.arange(400) < 260
    low, high = artist_interval(correct, np.arange(400))
    half = 1.96 * np.sqrt(0.65 * 0.35 / 400)
    assert (low, high) == pytest.approx((0.65 - half, 0.65 + half), abs=0.005)


def test_artist_interval_is_wider_when_an_artist_stands_or_falls_as_one():
    # 40 artists of 10 clips each, all right or all wrong: 40 pieces of evidence, not 400.
    artists = np.repeat(np.arange(40), 10)
    low, high = artist_interval(artists < 26, artists)
    half = 1.96 * np.sqrt(0.65 * 0.35 / 40)
    assert (low, high) == pytest.approx((0.65 - half, 0.65 + half), abs=0.02)


def test_testing_the_same_clips_twice_makes_nothing_surer():
    artists = np.arange(100)
    correct = artists % 3 > 0
    once = artist_interval(correct, artists)
    twice = artist_interval(np.tile(correct, 2), np.tile(artists, 2))
    assert twice == pytest.approx(once)


def test_artist_interval_of_two_artists_by_hand():
    # Drawing two of two: both wrong 1/4, one of each 1/2, both right 1/4.
    assert artist_interval([False, True], ["x", "y"]) == (0.0, 1.0)


def test_difference_interval_is_zero_where_both_always_agree():
    right = np.arange(50) % 2 == 0
    assert difference_interval(right, right, np.arange(50)) == (0.0, 0.0)


def test_difference_interval_is_narrower_than_that_of_unpaired_accuracies():
    # b fails exactly where a does, and on 5 clips more.
    a = np.arange(200) < 120
    b = np.arange(200) < 115
    low, high = difference_interval(a, b, np.arange(200))
    assert 0 < low < 0.025 < high
    unpaired = artist_interval(a, np.arange(200))
    assert high - low < 0.5 * (unpaired[1] - unpaired[0])


def test_difference_interval_of_other_clips_is_that_of_two_accuracies_apart():
    a, b = np.arange(400) < 240, np.arange(400) < 200
    low, high = difference_interval(a, b, np.arange(400), 1000 + np.arange(400))
    # Drawing among 800 artists adds the sampling of how many come from each side; it cancels.
    half = 1.96 * np.sqrt(0.6 * 0.4 / 400 + 0.5 * 0.5 / 400)
    assert (low, high) == pytest.approx((0.1 - half, 0.1 + half), abs=0.006)


def test_intervals_repeat_with_their_seed():
    correct, artists = np.arange(60) % 4 > 0, np.arange(60) // 3
    assert artist_interval(correct, artists, seed=7) == artist_interval(correct, artists, seed=7)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    # Two-sided exact binomial by hand: 2·(1/2)^5; 2·(1 + 10 + 45)/2^10; equal counts give 1.
    [(5, 0, 2 / 32), (8, 2, 112 / 1024), (4, 4, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_by_hand(only_a, only_b, p):
    a = np.array([True] * only_a + [False] * only_b + [True] * 10 + [False] * 3)
    b = np.array([False] * only_a + [True] * only_b + [True] * 10 + [False] * 3)
    assert mcnemar_exact(a, b) == pytest.approx(p)


@pytest.mark.parametrize(
    ("figure", "clips", "right"),
    [
        # Half a ten-thousandth is a tie: 291/800 = 0.36375 is printed as .3638, or as .3637.
        *((".3638", 800, 291), (".3637", 800, 291), (".4225", 800, 338), (".4638", 800, 371)),
        *((".6523", 800, None), (".6523", 1599, 1043), ("0.5", 3, None), ("1", 7, 7), ("0", 7, 0)),
        # One of three is .33 and .333, and not .34.
        *((".33", 3, 1), (".333", 3, 1), (".34", 3, None)),
    ],
)
def test_right_answers_behind_a_printed_figure(figure, clips, right):
    assert right_answers(figure, clips) == right


@pytest.mark.parametrize(("figure", "clips"), [("a lot", 800), ("65.23", 800), (".5", 0)])
def test_right_answers_refuses_what_is_no_accuracy(figure, clips):
    with pytest.raises(SongNetError, match="figure must be"):
        right_answers(figure, clips)


def test_artists_may_be_many():
    # Twenty thousand artists by ten thousand draws would not fit into memory one by one.
    correct = np.arange(20_000) % 2 == 0
    low, high = artist_interval(correct, np.arange(20_000))
    assert (low, high) == pytest.approx((0.5 - 0.0069, 0.5 + 0.0069), abs=0.0005)


def test_genre_scores_by_hand():
    truth = ["a", "a", "a", "b", "b", "c"]
    answer = ["a", "a", "b", "b", "a", "a"]
    table = genre_scores(truth, answer, ["a", "b", "c", "d"])
    assert table.support.tolist() == [3, 2, 1, 0]
    assert table.answered.tolist() == [4, 2, 0, 0]
    assert table.precision.tolist() == pytest.approx([2 / 4, 1 / 2, np.nan, np.nan], nan_ok=True)
    assert table.recall.tolist() == pytest.approx([2 / 3, 1 / 2, 0, np.nan], nan_ok=True)
    # 2·right / (support + answered): c is there and was never found, d is not there.
    assert table.f1.tolist() == pytest.approx([4 / 7, 1 / 2, 0, np.nan], nan_ok=True)
    a = table.loc["a"]
    assert (a.precision_low, a.precision_high) == wilson_interval(2, 4)
    assert (a.recall_low, a.recall_high) == wilson_interval(2, 3)


def test_the_macro_average_weighs_genres_alike_and_leaves_out_what_is_not_defined():
    truth = ["a", "a", "a", "b", "b", "c"]
    answer = ["a", "a", "b", "b", "a", "a"]
    mean = macro_average(genre_scores(truth, answer, ["a", "b", "c", "d"]))
    assert mean == pytest.approx(
        {
            "precision": (1 / 2 + 1 / 2) / 2,
            "recall": (2 / 3 + 1 / 2 + 0) / 3,
            "f1": (4 / 7 + 1 / 2) / 3,
        }
    )


def test_genre_scores_agree_with_scikit_learn():
    from sklearn.metrics import precision_recall_fscore_support

    random = np.random.default_rng(0)
    genres = list("abcde")
    truth, answer = random.choice(genres, (2, 300))
    ours = genre_scores(truth, answer, genres)
    theirs = precision_recall_fscore_support(truth, answer, labels=genres)
    np.testing.assert_allclose(ours[["precision", "recall", "f1", "support"]].T, theirs)


def test_the_quantiles_of_draws_leave_the_same_share_outside_on_either_side():
    assert quantiles(np.array([*range(101), np.nan]), 0.9) == pytest.approx((5, 95))
