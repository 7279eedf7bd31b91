"""The scores against figures worked out by hand or printed in textbooks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.metrics.accuracy import genre_scores, selective_accuracy
from songnet_utils.metrics.intervals import (
    FEWEST_ARTISTS,
    artist_interval,
    difference_interval,
    few_artists,
    mcnemar_exact,
    mean_difference_interval,
    right_answers,
    wilson_interval,
)


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


def test_wilson_interval_refuses_more_right_answers_than_clips():
    with pytest.raises(SongNetError, match="5 of 4"):
        wilson_interval(5, 4)


# --- Intervals over artists -------------------------------------------------------------------


#: How many clips each of so many artists has.
SIZES = {
    "5 each": lambda artists: np.full(artists, 5),
    "zipf": lambda artists: np.maximum(1, 60 // np.arange(1, artists + 1)),
    "geometric": lambda artists: np.maximum(1, 40 * 0.8 ** np.arange(artists)).astype(int),
    "one has a third": lambda artists: np.array([2 * (artists - 1), *[4] * (artists - 1)]),
}


def simulated(
    generator: np.random.Generator, clips: np.ndarray, shares: Sequence[float], alike: float
) -> np.ndarray:
    """Draw the kind of each clip, with correlation `alike` within artists (Dirichlet)."""
    drawn = np.tile(np.asarray(shares, float), (len(clips), 1))
    if alike:
        drawn = generator.standard_gamma(drawn * (1 - alike) / alike) + 1e-300
    counts = generator.multinomial(clips, drawn / drawn.sum(axis=1, keepdims=True))
    return np.repeat(np.tile(np.arange(len(shares)), len(clips)), counts.ravel())


def covers(
    true: float, interval: Callable[[], tuple[float, float]], label: str, times: int = 1_000
) -> float:
    """Return how often the interval covers the truth; pytest -s shows it, with the mean width."""
    low, high = np.array([interval() for _ in range(times)]).T
    covered = float(np.mean((low <= true + 1e-12) & (true <= high + 1e-12)))
    print(f"{label:60} covers {covered:.3f}, mean width {np.mean(high - low):.3f}")
    return covered


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("artists", [6, 24, 100])
def test_the_interval_of_an_accuracy_covers_it(artists, sizes):
    generator, clips = np.random.default_rng(0), SIZES[sizes](artists)
    names = np.repeat(np.arange(artists), clips)
    for true, alike in itertools.product((0.3, 0.6, 0.9), (0, 0.5)):

        def interval(shares=(1 - true, true), alike=alike):
            return artist_interval(simulated(generator, clips, shares, alike), names)

        label = f"{artists} artists, {sizes}, accuracy {true}, correlation {alike}:"
        assert covers(true, interval, label) >= 0.93, label


@pytest.mark.parametrize("sizes", ["5 each", "one has a third"])
@pytest.mark.parametrize("artists", [6, 24, 100])
def test_the_interval_of_a_difference_covers_it(artists, sizes):
    generator, clips = np.random.default_rng(0), SIZES[sizes](artists)
    names = np.repeat(np.arange(artists), clips)
    # The shares of clips that both, only a, only b and none got right.
    for shares in ((0.4, 0.2, 0.1, 0.3), (0.875, 0.025, 0.025, 0.075), (0.25, 0.35, 0.05, 0.35)):
        true = shares[1] - shares[2]

        def both(shares=shares):
            kind = simulated(generator, clips, shares, 0.5)
            return kind <= 1, kind % 2 == 0

        label = f"{artists} artists, {sizes}, difference {true:.2f}:"
        paired = covers(true, lambda both=both: difference_interval(*both(), names), label, 500)
        assert paired >= 0.93, label

        def apart(both=both):
            # On the artist split half of the artists are tested, on the random one half the clips.
            a, b = both()
            some, theirs = generator.random(len(names)) < 0.5, names % 2 == 0
            return difference_interval(a[some], b[theirs], names[some], names[theirs])

        assert covers(true, apart, f"{label} two splits:", 500) >= 0.93, label


def test_the_interval_of_singles_is_wilsons_of_one_clip_fewer():
    # Wilson's with 399 for the number of clips, by hand.
    spread = 1.959963984540054**2 / 399
    centre = (0.65 + spread / 2) / (1 + spread)
    half = np.sqrt(spread * 0.65 * 0.35 + spread**2 / 4) / (1 + spread)
    found = artist_interval(np.arange(400) < 260, np.arange(400))
    assert found == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert found == pytest.approx(wilson_interval(260, 400), abs=1e-4)


def test_artist_interval_is_wider_when_an_artist_stands_or_falls_as_one():
    # 40 artists of 10 clips each, all right or all wrong: 40 pieces of evidence, not 400.
    artists = np.repeat(np.arange(40), 10)
    low, high = artist_interval(artists < 26, artists)
    assert (low, high) == pytest.approx(wilson_interval(26, 40), abs=0.01)


def test_testing_the_same_clips_twice_makes_nothing_surer():
    artists = np.arange(100)
    correct = artists % 3 > 0
    once = artist_interval(correct, artists)
    twice = artist_interval(np.tile(correct, 2), np.tile(artists, 2))
    assert twice == pytest.approx(once)


def some_answers() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Right answers and artists: few and many, all right, none right, one artist with most."""
    generator = np.random.default_rng(1)
    for artists in (1, 2, 3, 5, 12, 60):
        for share in (0, 0.1, 0.5, 0.97, 1):
            clips = generator.integers(1, 9, artists) * generator.choice([1, 20], artists)
            names = np.repeat(np.arange(artists), clips)
            yield generator.random(len(names)) < share, names


def test_what_holds_of_every_interval_of_an_accuracy():
    for correct, names in some_answers():
        low, high = found = artist_interval(correct, names)
        assert 0 <= low <= correct.mean() <= high <= 1
        assert high - low > 0
        assert artist_interval(~correct, names) == pytest.approx((1 - high, 1 - low))
        # The order of the clips and the artists' names say nothing.
        order = np.random.default_rng(2).permutation(len(names))
        renamed = np.array([f"The {-name}s" for name in names], object)
        assert artist_interval(correct[order], renamed[order]) == pytest.approx(found)
        # Never surer than if every clip were an artist of its own.
        sure = artist_interval(correct, np.arange(len(names)))
        assert high - low >= sure[1] - sure[0] - 1e-12
        narrow = artist_interval(correct, names, confidence=0.8)
        assert low <= narrow[0] <= narrow[1] <= high


def test_what_holds_of_every_interval_of_a_difference():
    generator = np.random.default_rng(3)
    for a, names in some_answers():
        for b in (a, ~a, generator.random(len(a)) < 0.5):
            for others in ((), (names,), (names + 1,)):
                low, high = difference_interval(a, b, names, *others)
                assert -1 <= low <= a.mean() - b.mean() <= high <= 1
                assert high - low > 0
                swapped = difference_interval(
                    b, a, *(reversed((names, *others)) if others else (names,))
                )
                assert swapped == pytest.approx((-high, -low))


def test_all_right_says_more_the_more_artists_there_are():
    lows = [
        artist_interval(np.ones(10 * artists, bool), np.repeat(np.arange(artists), 10))[0]
        for artists in (1, 2, 4, 6, 12, 100)
    ]
    assert lows[0] == 0
    assert lows == sorted(lows)
    # 0 wrong of 100 artists who may stand or fall as one: at most z² / (99 + z²).
    assert lows[-1] == pytest.approx(99 / (99 + 1.959963984540054**2))


def test_of_few_artists_there_is_a_word_of_caution():
    assert "nothing is known about others" in few_artists(1)
    assert "only 4 artists" in few_artists(4)
    assert few_artists(FEWEST_ARTISTS) == few_artists(None) == ""


def test_difference_interval_where_both_always_agree_is_that_of_no_changed_clip():
    right = np.arange(50) % 2 == 0
    # Tango's (1998) for no changed clip of 49: z² / (49 + z²) to either side.
    bound = 1.959963984540054**2 / (49 + 1.959963984540054**2)
    assert difference_interval(right, right, np.arange(50)) == pytest.approx((-bound, bound))


def test_difference_interval_is_narrower_than_that_of_unpaired_accuracies():
    # b fails exactly where a does, and on 5 clips more.
    a = np.arange(200) < 120
    b = np.arange(200) < 115
    low, high = difference_interval(a, b, np.arange(200))
    assert low < 0.025 < high
    unpaired = artist_interval(a, np.arange(200))
    assert high - low < 0.5 * (unpaired[1] - unpaired[0])


def test_difference_interval_of_other_clips_is_that_of_two_accuracies_apart():
    a, b = np.arange(400) < 240, np.arange(400) < 200
    low, high = difference_interval(a, b, np.arange(400), 1000 + np.arange(400))
    half = 1.96 * np.sqrt(0.6 * 0.4 / 400 + 0.5 * 0.5 / 400)
    assert (low, high) == pytest.approx((0.1 - half, 0.1 + half), abs=0.002)


def test_mean_difference_interval_of_single_figures_by_hand():
    # Two groups of two, each figure another artist's: the jackknife moves each mean by ± 1, so
    # the squared error is 3/4 · 4 = 3; Student's quantile for 3 degrees of freedom is 3.1824.
    found = mean_difference_interval([4.0, 6.0], [1.0, 3.0], ["a", "b"], ["c", "d"])
    half = 3.182446305284263 * np.sqrt(3)
    assert found == pytest.approx((3 - half, 3 + half))
    assert mean_difference_interval([4, 6], [1], ["a", "b"], ["c"]) == (-np.inf, np.inf)


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


def test_genre_scores_by_hand():
    truth = ["a", "a", "a", "b", "b", "c"]
    answer = ["a", "a", "b", "b", "a", "a"]
    artists = ["A", "A", "B", "C", "D", "E"]
    table = genre_scores(truth, answer, ["a", "b", "c", "d"], artists)
    assert table.support.tolist() == [3, 2, 1, 0]
    assert table.answered.tolist() == [4, 2, 0, 0]
    assert table.precision.tolist() == pytest.approx([2 / 4, 1 / 2, np.nan, np.nan], nan_ok=True)
    assert table.recall.tolist() == pytest.approx([2 / 3, 1 / 2, 0, np.nan], nan_ok=True)
    # 2·right / (support + answered): c is there and was never found, d is not there.
    assert table.f1.tolist() == pytest.approx([4 / 7, 1 / 2, 0, np.nan], nan_ok=True)
    a = table.loc["a"]
    # Those answered a are by A, A, D and E; those that are a by A, A and B.
    precision, recall = ([True, True, False, False], "AADE"), ([True, True, False], "AAB")
    assert (a.precision_low, a.precision_high) == artist_interval(precision[0], list(precision[1]))
    assert (a.recall_low, a.recall_high) == artist_interval(recall[0], list(recall[1]))


def test_selective_accuracy_by_hand():
    table = selective_accuracy([True, False, True], [0.9, 0.6, 0.5], [0.5, 0.55, 0.6, 0.95])
    assert table.answered.tolist() == [3, 2, 2, 0]
    assert table.right.tolist() == [2, 1, 1, 0]
    assert table.coverage.tolist() == pytest.approx([1, 2 / 3, 2 / 3, 0])
    assert table.accuracy.tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 2, np.nan], nan_ok=True)
