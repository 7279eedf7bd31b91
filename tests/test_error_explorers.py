"""What one touches in the error analysis: a matrix to press, a threshold and a temperature."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import stand_in
from toys import html_of

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from tunes import analysed, sure_answers

from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.error_analysis import ErrorAnalysis
from songnet_utils.metrics.accuracy import selective_accuracy
from songnet_utils.metrics.calibration import fit_temperature, over_temperatures
from songnet_utils.metrics.intervals import artist_interval
from songnet_utils.widgets import ConfusionButtons, TemperatureSlider, ThresholdSlider
from songnet_utils.widgets.confusion import AT_ONCE
from songnet_utils.widgets.slider import Slider

GENRES = ["Folk", "Pop", "Rock"]


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> ErrorAnalysis:
    return analysed(tmp_path_factory.mktemp("tunes"))


def of_tested(answers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    test = answers[answers.set == "test"]
    confidence = test[[f"p_{genre}" for genre in GENRES]].to_numpy().max(axis=1)
    return (test.genre == test.answer).to_numpy(), confidence, test.artist.to_numpy()


# --- The matrix -------------------------------------------------------------------------------


def test_each_number_plays_exactly_its_clips_and_its_name_says_so(tunes):
    matrix = ConfusionButtons(tunes)
    counts = np.array(matrix.table["counts"])
    assert np.allclose(matrix.table["shares"] * counts.sum(axis=1, keepdims=True), counts)
    found = []
    for row, truth in enumerate(tunes.genres):
        for column, answer in enumerate(tunes.genres):
            what = "predicted correctly" if truth == answer else f"taken for {answer}"
            said = f"{truth} {what}: {counts[row, column]} of {counts[row].sum()} clips"
            assert matrix.table["names"][row][column] == said
            clips = matrix.clips(truth, answer)
            answers = tunes.answers.loc[clips]
            assert set(answers.genre) <= {truth}
            assert set(answers.answer) <= {answer}
            assert answers.confidence.is_monotonic_decreasing
            assert len(clips) == counts[row, column]
            players = matrix.players(row, column)["players"].split("<figure")[1:]
            assert len(players) == min(len(clips), AT_ONCE)
            for clip, player in zip(clips, players, strict=False):
                assert f"tunes/{clip})" in player
            # Only the first begins by itself.
            plays = [" autoplay" in player for player in players]
            assert plays == [place == 0 for place in range(len(players))]
            found += clips
    assert sorted(found) == sorted(tunes.answers.index)


def test_many_clips_come_a_few_at_a_time(tunes, monkeypatch):
    monkeypatch.setattr("songnet_utils.widgets.confusion.AT_ONCE", 2)
    answers = tunes.answers.assign(genre="Folk", answer="Pop")
    answers["confidence"] = [0.5, 0.9, 0.7, 0.6, 0.8]
    matrix = ConfusionButtons(dataclasses.replace(tunes, answers=answers))
    assert matrix.clips("Folk", "Pop") == ["x2", "x5", "x3", "x4", "x1"]
    page = stand_in.Page(matrix, monkeypatch)
    cell = {name: tunes.genres.index(genre) for name, genre in (("row", "Folk"), ("column", "Pop"))}
    for start, left in ((0, 3), (2, 1), (4, 0)):
        page.says("press", **cell, start=start)
        page.wait()
        told = page.last("players")
        assert (told["start"], told["left"]) == (start, left)


def test_a_file_that_is_gone_is_named_in_its_place(tunes, tmp_path):
    corpus = tunes.prepared.corpus
    clips = corpus.clips.assign(file=str(tmp_path / "gone.wav"))
    prepared = dataclasses.replace(tunes.prepared, corpus=dataclasses.replace(corpus, clips=clips))
    matrix = ConfusionButtons(dataclasses.replace(tunes, prepared=prepared))
    cell = [tunes.genres.index(genre) for genre in tunes.answers[["genre", "answer"]].iloc[0]]
    assert "gone.wav" in matrix.players(*cell)["players"]


# --- The threshold ----------------------------------------------------------------------------


def test_selective_accuracy_by_hand():
    table = selective_accuracy(
        [True, False, True, True], [0.9, 0.4, 0.6, 0.3], [0.0, 0.4, 0.6, 0.95]
    )
    assert table.answered.tolist() == [4, 3, 2, 0]
    assert table.right.tolist() == [3, 2, 2, 0]
    assert table.coverage.tolist() == [1, 0.75, 0.5, 0]
    np.testing.assert_allclose(table.accuracy, [0.75, 2 / 3, 1, np.nan])


def test_a_threshold_of_zero_answers_everything_and_coverage_only_falls():
    answers = sure_answers()
    correct, confidence, artists = of_tested(answers)
    widget = ThresholdSlider(answers, GENRES)
    widget.slider.value = 0
    assert widget.at.coverage == 1
    assert widget.at.accuracy == correct.mean()
    assert widget.interval() == artist_interval(correct, artists)
    coverages = []
    for value in np.linspace(0, 1, 21):
        widget.slider.value = value
        given = confidence >= round(value, 2)
        assert widget.at.answered == given.sum()
        assert widget.at.right == correct[given].sum()
        assert f"Answered: {given.sum()} of {len(correct)} clips" in widget.line.value
        coverages.append(widget.at.coverage)
    assert coverages == sorted(coverages, reverse=True)
    assert coverages[-1] < 1


def test_where_all_answers_are_right_the_interval_still_has_a_width():
    answers = sure_answers()
    answers.loc[:, [f"p_{genre}" for genre in GENRES]] = (0.2, 0.2, 0.6)
    answers[["genre", "answer"]] = "Rock"
    widget = ThresholdSlider(answers, GENRES)
    assert widget.interval()[0] < widget.interval()[1] == 1
    widget.slider.value = 0.61
    assert widget.interval() is None
    assert "Answered: 0 of 60" in widget.line.value
    assert "interval" not in widget.line.value


def test_a_slider_stops_only_where_it_can():
    slider = Slider("Threshold", [0, 0.29, 1], 0.29)
    assert (slider.value, slider.place) == (0.29, 1)
    slider.value = 1 + 1e-9
    assert (slider.value, slider.place) == (1, 2)
    with pytest.raises(SongNetError, match=r"Threshold: has no stop at 0\.5"):
        slider.value = 0.5
    assert slider.value == 1


# --- The temperature --------------------------------------------------------------------------


def test_over_temperatures_by_hand():
    # Both clips are answered right at 0.8; at T = 1/2 that is 0.64 / 0.68, at T = 2 it is 2 / 3.
    given = np.array([[0.8, 0.2], [0.2, 0.8]])
    table = over_temperatures(given, [0, 1], [0.5, 1, 2])
    sure = np.array([16 / 17, 0.8, 2 / 3])
    np.testing.assert_allclose(table.error, 1 - sure)
    np.testing.assert_allclose(table.log_loss, -np.log(sure))


def test_a_temperature_changes_no_answer_only_how_sure_it_is():
    answers = sure_answers()
    widget = TemperatureSlider(answers, GENRES)
    assert widget.slider.value == 1
    at_one, truth = widget.probabilities, widget._truth
    right = f"accuracy {(at_one.argmax(axis=1) == truth).mean():.1%}"
    sure, pictures = [], set()
    for value in (0.25, 0.5, 1, 2, 4):
        widget.slider.value = value
        np.testing.assert_array_equal(widget.probabilities.argmax(axis=1), at_one.argmax(axis=1))
        assert right in widget.line.value
        assert f"calibration error <b>{widget.at.error:.3f}</b>" in widget.line.value
        sure.append(widget.probabilities.max(axis=1).mean())
        pictures.add(widget.picture.value)
    assert sure == sorted(sure, reverse=True)
    assert len(pictures) == 5


def test_the_fitted_temperature_is_that_of_the_validation_clips():
    answers = sure_answers()
    widget = TemperatureSlider(answers, GENRES)
    validation = answers[answers.set == "validation"]
    truth = [GENRES.index(genre) for genre in validation.genre]
    fitted = fit_temperature(validation[[f"p_{genre}" for genre in GENRES]].to_numpy(), truth)
    assert widget.fitted == pytest.approx(fitted, rel=1e-4)
    assert fitted > 1.2  # These answers were made too sure.
    before = widget.at
    widget.children[1].click()
    assert widget.slider.value == pytest.approx(fitted, rel=1e-4)
    assert widget.at.log_loss < before.log_loss
    assert f"fitted temperature, {fitted:.2f}, is marked" in widget.picture.value


def test_a_fitted_temperature_beyond_the_slider_widens_it():
    answers = sure_answers()
    columns = [f"p_{genre}" for genre in GENRES]
    sharper = answers[columns].to_numpy() ** 3
    answers[columns] = sharper / sharper.sum(axis=1, keepdims=True)
    widget = TemperatureSlider(answers, GENRES)
    assert widget.fitted > 4
    assert widget.slider.stops[-1] > widget.fitted
    widget.children[1].click()
    assert widget.slider.value == widget.fitted


def test_where_no_temperature_can_be_fitted_it_says_why():
    answers = sure_answers()
    validation = answers.set == "validation"
    for genre in GENRES:
        answers.loc[validation, f"p_{genre}"] = np.where(
            answers.genre[validation] == genre, 0.8, 0.1
        )
    widget = TemperatureSlider(answers, GENRES)
    assert not [one for one in widget.children if isinstance(one, ipywidgets.Button)]
    assert "All 60 answers are right" in widget.line.value
    assert "is marked" not in widget.picture.value


# --- All of them ------------------------------------------------------------------------------


def test_answers_without_probabilities_are_refused():
    bare = sure_answers()[["id", "artist", "set", "genre", "answer"]]
    for explorer in (ThresholdSlider, TemperatureSlider):
        with pytest.raises(SongNetError, match="no column p_Folk"):
            explorer(bare, GENRES)


def test_a_page_without_a_kernel_has_a_picture_with_words():
    answers = sure_answers()
    for widget, said in (
        (ThresholdSlider(answers, GENRES), "At 50%"),
        (TemperatureSlider(answers, GENRES), "Temperature 1.00, calibration error"),
    ):
        page = html_of(widget)
        assert '<img alt="' in page
        assert said in page
        assert "make lab" in page
