"""Calibration against figures worked out by hand, and what holds for any answers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils._utils.errors import SongNetError
from songnet_utils.metrics import calibration
from songnet_utils.metrics.calibration import (
    apply_temperature,
    brier_score,
    calibration_error_by_chance,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    never_zero,
    reliability,
)

# Four clips: 95 % and right, 92 % and wrong, 72 % and right, 55 % and wrong.
FOUR = np.array([[0.95, 0.05], [0.92, 0.08], [0.28, 0.72], [0.55, 0.45]])
TRUTH = np.array([0, 1, 1, 1])


def guesses(clips: int, genres: int, sharpness: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return answers, and truths drawn from these very probabilities."""
    random = np.random.default_rng(seed)
    answers = scipy.special.softmax(sharpness * random.normal(size=(clips, genres)), axis=1)
    truth = (answers.cumsum(axis=1) < random.random((clips, 1))).sum(axis=1)
    return answers, np.minimum(truth, genres - 1)


def test_four_clips_by_hand():
    table = reliability(FOUR, TRUTH, bins=10)
    full = table[table.clips > 0]
    assert full.clips.tolist() == [1, 1, 2]
    assert full.low.tolist() == pytest.approx([0.5, 0.7, 0.9])
    assert full.confidence.tolist() == pytest.approx([0.55, 0.72, 0.935])
    assert full.accuracy.tolist() == [0, 1, 0.5]
    assert table[table.clips == 0][["confidence", "accuracy"]].isna().all(axis=None)
    # (1·|0 − .55| + 1·|1 − .72| + 2·|.5 − .935|) / 4
    assert expected_calibration_error(FOUR, TRUTH, bins=10) == pytest.approx(0.425)
    # One bin: |2/4 − mean confidence| = |.5 − .785|.
    assert expected_calibration_error(FOUR, TRUTH, bins=1) == pytest.approx(0.285)
    by_hand = -np.log([0.95, 0.08, 0.72, 0.45]).mean()
    assert negative_log_likelihood(FOUR, TRUTH) == pytest.approx(by_hand)
    # With two genres each clip scores 2·(1 − p)².
    by_hand = 2 * np.mean([0.05**2, 0.92**2, 0.28**2, 0.55**2])
    assert brier_score(FOUR, TRUTH) == pytest.approx(by_hand)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    table = reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), [0, 0], bins=2)
    assert table.clips.tolist() == [1, 1]


def test_a_constant_predictor_is_off_by_confidence_less_its_accuracy():
    answers = np.tile([0.7, 0.2, 0.1], (10, 1))
    truth = np.array([0] * 4 + [1] * 6)
    assert expected_calibration_error(answers, truth) == pytest.approx(0.3)


def test_chance_over_balanced_genres_is_perfectly_calibrated_and_useless():
    answers, truth = np.full((8, 4), 0.25), np.arange(8) % 4
    assert expected_calibration_error(answers, truth) == pytest.approx(0)
    assert negative_log_likelihood(answers, truth) == pytest.approx(np.log(4))
    assert brier_score(answers, truth) == pytest.approx(0.75)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_temperature_that_was_applied_is_found_again(temperature):
    answers = np.repeat([[0.8, 0.2], [0.6, 0.4]], 10, axis=0)
    truth = np.array([0] * 8 + [1] * 2 + [0] * 6 + [1] * 4)
    assert expected_calibration_error(answers, truth) == pytest.approx(0)
    # softmax(log(p) · temperature) is undone by T = temperature.
    heated = apply_temperature(answers, 1 / temperature)
    assert fit_temperature(heated, truth) == pytest.approx(temperature, rel=1e-4)
    np.testing.assert_allclose(apply_temperature(heated, temperature), answers, atol=1e-12)


def test_of_one_softmax_it_is_the_logits_divided_by_the_temperature():
    logits = np.random.default_rng(0).normal(size=(5, 4))
    answers = scipy.special.softmax(logits, axis=1)
    np.testing.assert_allclose(
        apply_temperature(answers, 2.5), scipy.special.softmax(logits / 2.5, axis=1)
    )


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.floats(0.5, 3), st.floats(0.2, 5))
def test_a_fitted_temperature_changes_no_answer_and_never_raises_the_loss(seed, sharp, wrong):
    answers, truth = guesses(60, 4, sharp, seed)
    answers = apply_temperature(answers, wrong)
    try:
        mended = apply_temperature(answers, fit_temperature(answers, truth))
    except SongNetError:
        # All right or no better than guesses; both are tested below.
        return
    assert (mended.argmax(axis=1) == answers.argmax(axis=1)).all()
    before, after = (negative_log_likelihood(each, truth) for each in (answers, mended))
    assert after <= before + 1e-12


@given(st.integers(0, 10_000))
def test_the_warmer_the_less_sure(seed):
    answers, _ = guesses(20, 5, 2.0, seed)
    sure = [apply_temperature(answers, heat).max(axis=1) for heat in (0.5, 1, 2, 50)]
    assert (np.diff(sure, axis=0) <= 1e-12).all()
    assert sure[-1] == pytest.approx(0.2, abs=0.08)


def test_chance_alone_gives_an_error_that_many_clips_wear_away():
    # One clip at 80 %: off by .2 four times of five, else by .8.
    assert calibration_error_by_chance(np.array([[0.8, 0.2]]), draws=20_000) == pytest.approx(
        0.32, abs=0.01
    )
    few, many = (calibration_error_by_chance(np.tile([0.8, 0.2], (n, 1))) for n in (20, 2000))
    # A binomial's mean deviation is about √(2/π) of its standard deviation.
    assert many == pytest.approx(np.sqrt(2 / np.pi * 0.16 / 2000), rel=0.05)
    assert few > 5 * many


def test_what_float32_rounded_to_0_is_raised_and_nothing_else_changes():
    raised = never_zero(np.array([[1.0, 0.0], [0.3, 0.7]]))
    assert raised.sum(axis=1).tolist() == pytest.approx([1, 1])
    assert raised[0, 1] == pytest.approx(calibration.LEAST_PROBABILITY, rel=1e-5)
    np.testing.assert_allclose(raised[1], [0.3, 0.7])


def test_zeros_stay_zeros_without_a_warning():
    assert apply_temperature(np.array([[1.0, 0.0]]), 2.0).tolist() == [[1, 0]]


RIGHT = np.array([[0.9, 0.1], [0.2, 0.8]])


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: reliability([[0.9, 0.2]], [0]), "not logits"),
        (lambda: reliability([[2.0, -1.0]], [0]), "not logits"),
        (lambda: reliability([[0.5, 0.5], [np.nan, 0.5]], [0, 0]), "not logits"),
        (lambda: reliability(np.empty((0, 3)), []), "for each clip"),
        (lambda: reliability(RIGHT, [0, 2]), "number of a column"),
        (lambda: reliability(RIGHT, ["Rock", "Pop"]), "number of a column"),
        (lambda: reliability(RIGHT, [0]), "number of a column"),
        (lambda: apply_temperature(RIGHT, float("nan")), "positive"),
        (lambda: fit_temperature(RIGHT, [0, 1]), "All 2 answers are right"),
        (lambda: fit_temperature(RIGHT, [1, 0]), "no better than guesses"),
    ],
)
def test_what_cannot_be_scored_is_an_error(ask, told):
    with pytest.raises(SongNetError, match=told):
        ask()
