"""Every exercise's check: right in any sensible form, wrong answers explained, nothing given away.

The wrong answers tried here are those that stand beside each check; what is asked about is small
and made up, so that truths can be worked out by hand.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_error_analysis import analysis  # noqa: F401  (a fixture)

from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import splits, table
from songnet_utils.corpora.licences import licence_family
from songnet_utils.lessons import checks
from songnet_utils.lessons.checks.answers import UnreadableError, is_open, name, number, numbers
from songnet_utils.lessons.checks.questions import (
    OPEN,
    Choice,
    Exercise,
    Function,
    Number,
    Question,
    exercise,
)
from songnet_utils.lessons.checks.verdicts import State, Verdict

FOLDER = Path(checks.__file__).parent
MACHINERY = {"answers", "questions", "verdicts"}
LESSONS = sorted({path.stem for path in FOLDER.glob("[a-z]*.py")} - MACHINERY)


def exercises() -> dict[str, Exercise]:
    """Return all checks there are, by lesson and name."""
    found = {}
    for lesson in LESSONS:
        module = importlib.import_module(f"{checks.__name__}.{lesson}")
        for key, value in vars(module).items():
            if isinstance(value, Exercise):
                found[f"{lesson}.{key}"] = value
    return found


EXERCISES = exercises()


# --- What the exercises are asked about, made up ------------------------------------------------


def clips() -> pd.DataFrame:
    """Three genres. Rock is fast, Folk has the fastest clip and the widest range, Pop is slow."""
    tempo = {"Folk": [60, 70, 100, 199], "Pop": [80, 81, 82, 83], "Rock": [110, 130, 140, 150]}
    rows = [
        {"id": f"{genre}{place}", "genre": genre, "artist": f"{genre} {place // 2}", "tempo": one}
        for genre, tempos in tempo.items()
        for place, one in enumerate(tempos)
    ]
    return table(rows)


def sets() -> pd.Series:
    """One clip of each artist is tested, and the other is not."""
    return pd.Series(["test", "train", "test", "train"] * 3)


def soft_and_loud() -> tuple[np.ndarray, np.ndarray]:
    """Half of it pure silence, half a soft tone; then the same, or a loud tone."""
    time = np.arange(4 * 22_050) / 22_050
    soft = 0.005 * np.sin(2 * np.pi * 440 * time) * (time > 1)
    return soft, np.where(time < 2, soft, 200 * soft)


@functools.cache
def net() -> Any:
    from songnet_utils.models.paper import songnet
    from songnet_utils.models.trained import SongNet

    genres = ["Folk", "Pop", "Rock"]
    return SongNet(songnet(Sound(), genres), Sound(), genres)


@functools.cache
def surveyed() -> tuple[Any, pd.DataFrame]:
    """What a network with random weights makes of a few songs of noise; see test_kernels."""
    from test_kernels import small, toy

    from songnet_utils.kernels import Kernels, survey, votes

    prepared = toy()
    kernels = Kernels(small())
    return (
        survey(kernels, prepared, progress=False),
        votes(kernels, prepared, prepared.clips, progress=False),
    )


def features() -> pd.DataFrame:
    """Statistics of two coefficients, of which the first has the wide columns."""
    random = np.random.default_rng(0)
    columns = pd.MultiIndex.from_product([["mfcc"], ["max", "mean", "std"], ["01", "02"]])
    wide = np.array([9.0, 2.0, 7.0, 1.0, 2.0, 1.0])
    return pd.DataFrame(random.normal(40, 1, (500, 6)) * wide, columns=columns)


def frames() -> np.ndarray:
    return np.random.default_rng(1).normal(-5, 2, (60, 128)).astype(np.float32)


def tone() -> np.ndarray:
    return np.sin(2 * np.pi * 441 * np.arange(44_100) / 44_100).astype(np.float32) / 2


def growing_noise() -> np.ndarray:
    """Five seconds of it, the loudest moment near the end."""
    noise = np.random.default_rng(2).normal(0, 1, 5 * 22_050)
    return (noise * np.linspace(0.02, 0.2, len(noise))).astype(np.float32)


def answers() -> tuple[np.ndarray, Any]:
    """All genres move most where a single one does: only other songs tell the two apart."""
    whole = np.array([[0.7, 0.3, 0, 0], [0.1, 0.9, 0, 0], [0.1, 0.8, 0.1, 0]])
    return whole, SimpleNamespace(timeline=net().timeline, genres=("a", "b", "c", "d"))


def largest_change_by_hand(whole: np.ndarray) -> float:
    moved = [sum(abs(after - before)) for before, after in itertools.pairwise(whole)]
    step = moved.index(max(moved)) + 1
    # It sees 36 frames; the window of the last one ends half of 2,048 after its centre.
    return ((8 * step + 35) * 1024 + 1024) / 22_050


COUNTS = np.array([[6, 1, 3], [2, 7, 1], [0, 4, 6]])

CONTEXTS: dict[str, Callable[[], dict[str, Any]]] = {
    "data.highest": lambda: {"clips": clips(), "column": "tempo"},
    "data.by_known_artists": lambda: {"clips": clips(), "subset": sets()},
    "data.in_several_sets": dict,
    "data.may_sell_loops": dict,
    "features.window": lambda: {"low": 82.41, "high": 87.31, "sound": Sound()},
    "features.htk": dict,
    "features.band_of_tone": lambda: {"hertz": 440.0, "sound": Sound()},
    "features.changes_with_top_db": lambda: {
        **dict(zip(("soft", "loud_end"), soft_and_loud(), strict=True)),
        "sound": Sound(),
    },
    "features.first_frame": lambda: {"sample": 100_000, "sound": Sound(n_fft=4096)},
    "baselines.share_of_distance": lambda: {"features": features(), "number": "01"},
    "baselines.scaled": dict,
    "baselines.smallest_size": lambda: {"figure": ".5385"},
    "baselines.difference_of": lambda: {
        **{"figure": ".6523", "size": 1599, "other": ".4638", "other_size": 800},
    },
    "baselines.by_name_on_artists": lambda: {"clips": clips(), "k": 2},
    "crnn.weights_of_conv_2": lambda: {"sound": Sound(), "genres": ["a", "b", "c"]},
    "crnn.wider_kernels": lambda: {"frames": 9, "sound": Sound()},
    "crnn.cross_entropy": lambda: {"given_to_truth": [0.5, 0.5, 0.125, 0.125]},
    "crnn.shuffled_in_time": lambda: {"net": net(), "frames": frames()},
    "crnn.clips_needed": lambda: {"accuracy": 0.65, "half_width": 0.01},
    "error_analysis.precision": lambda: {
        **{"counts": COUNTS, "genre": "Pop", "genres": ("Folk", "Pop", "Rock")}
    },
    "error_analysis.lead_without_deciding_steps": dict,
    "error_analysis.mcnemar": dict,
    "error_analysis.found_by_chance": lambda: {"tried": 4, "confidence": 0.95},
    "kernel_clips.samples_of_fourth_layer": lambda: {"net": net()},
    "kernel_clips.purity_by_chance": lambda: {"pieces": 4, "genres": 8},
    "kernel_clips.triggered_average": dict,
    "kernel_clips.votes_for": lambda: {
        **dict(zip(("survey", "votes"), surveyed(), strict=True)),
        # Keras numbers layers on from one network to the next.
        **{"layer": surveyed()[0].kernels.layers[2].name, "kernel": 9},
    },
    "kernel_clips.questions_needed": lambda: {"one": 0.4, "other": 0.6},
    "live_demo.largest_change": lambda: dict(zip(("whole", "net"), answers(), strict=True)),
    "live_demo.first_answer": lambda: {"net": net()},
    "live_demo.push": dict,
    "live_demo.joins": lambda: {"tone": tone(), "original": 44_100, "rate": 22_050},
    "live_demo.peeks": lambda: {"net": net(), "audio": growing_noise()},
}

# What needs the analysis of a run, from a test's fixture.
ANALYSED = {"error_analysis.by_nearest_clip": {}}

# Worked out by hand, from what is made up above.
BY_HAND = {
    "data.highest": "Rock",
    "data.by_known_artists": "most",
    "features.window": 16_384,  # 3.6 bins apart, and a Hann window's peak is 2 wide on each side
    "features.band_of_tone": 16,  # 6.6 mel, of bands 0.387 mel wide: peak 17, the 16th from 0
    "features.changes_with_top_db": "its softest parts",
    "features.first_frame": 96,  # [96·1024 − 2048, 96·1024 + 2048) ends at 100,352
    "baselines.smallest_size": 13,  # 7 / 13 = .53846
    "baselines.difference_of": (0.1466, 0.2298),
    "baselines.by_name_on_artists": 0,
    "crnn.weights_of_conv_2": (5 * 256 + 1) * 256,
    "crnn.wider_kernels": 64,  # 1 + 8·(1 + 2 + 4) + (1 + 2 + 4)
    "crnn.cross_entropy": 2 * np.log(2),  # the mean of log 2 and log 8
    "crnn.clips_needed": 1.96**2 * 0.65 * 0.35 / 0.01**2,
    "error_analysis.precision": Fraction(7, 12),
    "error_analysis.by_nearest_clip": Fraction(1, 3),
    "error_analysis.found_by_chance": 1 - 0.95**4,
    "kernel_clips.samples_of_fourth_layer": (2 * 32 + 4 - 1) * 1024 + 2048,
    "live_demo.largest_change": largest_change_by_hand,
    "live_demo.first_answer": (31 * 1024 + 1024) / 22_050,
    "live_demo.joins": "near the joins",
}


@pytest.fixture
def question(request, analysis) -> Question:  # noqa: F811
    """The question of an exercise, about what is made up."""
    key = request.param
    context = {"analysis": analysis, **ANALYSED[key]} if key in ANALYSED else CONTEXTS[key]()
    return EXERCISES[key].ask(**context)


every_question = pytest.mark.parametrize("question", sorted(EXERCISES), indirect=True)


# --- All exercises ------------------------------------------------------------------------------


def test_all_exercises_are_tried_here():
    assert set(EXERCISES) == set(CONTEXTS) | set(ANALYSED)
    assert len(LESSONS) == 7
    for lesson in LESSONS:
        assert 3 <= sum(key.startswith(f"{lesson}.") for key in EXERCISES) <= 5, lesson


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_no_answer_is_no_error_and_costs_nothing(key):
    # Not even what the question is about is looked at.
    context = [object()] * 4
    for answer in (..., None, "", "…", [...], (..., ...)):
        assert EXERCISES[key](answer, *context) is OPEN
    assert repr(OPEN).startswith("Not answered yet.")


@every_question
def test_right_answers_are_recognised(question):
    for answer in forms(question.truth):
        verdict = question.judge(answer)
        assert verdict == Verdict(State.RIGHT, question.text("right")), (answer, verdict)


@pytest.mark.parametrize(
    ("question", "answer"), BY_HAND.items(), indirect=["question"], ids=list(BY_HAND)
)
def test_truths_are_those_worked_out_by_hand(question, answer):
    assert question.judge(answer).state is State.RIGHT, question.truth


@every_question
def test_usual_wrong_answers_are_explained_each_in_its_own_way(question):
    right = question.read(question.truth)
    explained = set()
    for wrong in question.wrong.values():
        if question.same(question.read(wrong), right):
            # A number may happen to be right here. A function is tried on enough to tell.
            assert not isinstance(question, Function)
            continue
        verdict = question.judge(wrong)
        assert verdict.state is State.WRONG
        # Two may come to the same answer: then the first explanation is given.
        assert verdict.because in {question.text(key) for key in question.wrong}
        explained.add(verdict.because)
    assert len(explained) >= 2
    assert question.text("hint") not in explained


@every_question
def test_other_wrong_answers_get_a_hint(question):
    for answer in odd(question):
        verdict = question.judge(answer)
        assert verdict.state is State.WRONG
        assert len(verdict.because) > 20


@every_question
def test_nothing_said_to_a_wrong_answer_gives_the_right_one_away(question):
    right = question.read(question.truth)
    assert set(question.feedback) == {"right", "hint", *question.wrong}
    for key in ("hint", *question.wrong):
        text = question.text(key)
        if key == "hint" or not question.same(question.read(question.wrong[key]), right):
            assert not gives_away(question, text), text
        assert len(text.split()) >= 4
        assert not text[0].islower()
        assert text.endswith((".", "?", ")")), text


@pytest.mark.parametrize("key", sorted(EXERCISES))
def test_a_check_says_how_it_is_called(key):
    its = EXERCISES[key]
    assert its.__doc__ is not None
    assert its.__doc__.startswith("Ask ")
    assert next(iter(inspect.signature(its).parameters)) == "answer"


def test_a_ready_made_function_is_no_answer():
    ask = EXERCISES["data.in_several_sets"]
    called = lambda clips, subset: splits.artist_overlap(clips, subset)  # noqa: E731
    for answer in (splits.artist_overlap, called):
        assert "Can you manage without it?" in repr(ask(answer))


# Functions that solve an exercise in other ways than the lesson and the check.
SOLVED_OTHERWISE = {
    "data.in_several_sets": [
        lambda clips, subset: len(
            [a for a, its in subset.groupby(splits.artists(clips)) if len(set(its)) > 1]
        ),
        lambda clips, subset: (
            (pd.crosstab(splits.artists(clips), subset) > 0).sum(axis=1).gt(1).sum()
        ),
    ],
    "data.may_sell_loops": [
        lambda licence: (
            "yes"
            if licence_family(licence)[:3] == "CC0"
            else licence_family(licence) in ("CC BY", "CC BY-SA")
        ),
        lambda licence: (
            not {"NC", "ND", "other", "unknown"} & set(re.split("[ -]", licence_family(licence)))
        ),
    ],
    "features.htk": [
        lambda f: 2595 * np.log10((700 + f) / 700),
        lambda f: [2595 * math.log1p(one / 700) / math.log(10) for one in f],
    ],
}


@pytest.mark.parametrize("key", SOLVED_OTHERWISE)
def test_a_function_is_right_however_it_is_written(key):
    for answer in SOLVED_OTHERWISE[key]:
        assert EXERCISES[key](answer).state is State.RIGHT


def forms(truth: Any) -> list[Any]:
    """Return a right answer in forms that people give it."""
    if isinstance(truth, str):
        return [
            truth,
            truth.upper(),
            f"  {truth.lower()} ",
            [truth],
            np.array([truth]),
            truth + ".",
        ]
    if callable(truth):
        return [truth, lambda *arguments: truth(*arguments)]
    if isinstance(truth, tuple):
        low, high = truth
        in_numbers = [truth, [low, high], np.array(truth), pd.Series(truth)]
        in_words = [f"{low} to {high}", f"({low}, {high})", (np.float32(low), str(high))]
        return [*in_numbers, *in_words, (100 * low, 100 * high)]
    whole = float(truth).is_integer()
    return [
        float(truth),
        np.float64(truth),
        np.array(truth),
        np.array([[truth]]),
        [truth],
        pd.Series([truth]),
        Fraction(float(truth)),
        f"{truth}",
        *(
            [int(truth), np.int64(truth), f"{int(truth):,} frames", f"{int(truth)}."]
            if whole
            else []
        ),
    ]


def odd(question: Question) -> list[Any]:
    """Return answers that nobody would come to by thinking."""
    if isinstance(question.truth, tuple):
        return [(7e9, 8e9), 3.0, "a to b", [1, 2, 3]]
    if isinstance(question, Number):
        return [-1e9, "many", [1, 2], True, float("nan"), print, object()]
    if isinstance(question, Choice):
        return ["Polka", 3, ["a", "b"]]

    def failing(*arguments):
        raise KeyError("no such column")

    return [lambda *arguments: -77.25, failing, "a name", 5, lambda *arguments: object()]


def gives_away(question: Question, text: str) -> bool:
    """Return whether a text holds the right answer."""
    if isinstance(question, Choice):
        # As a word of its own, and not quoted as one of several to choose from.
        return bool(re.search(rf"\b{re.escape(question.truth)}\b", text, re.IGNORECASE))
    if isinstance(question, Function):
        return False
    found = [float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    truths = question.truth if isinstance(question.truth, tuple) else [question.truth]
    close = min(question.tolerance, 1e-3 * max(1, *map(abs, map(float, truths))))
    return any(
        abs(one - scale * float(truth)) <= close
        for one in found
        for truth in truths
        for scale in ((1, 100) if question.share else (1,))
    )


def test_what_would_be_given_away_is_seen():
    a = Number(truth=36, wrong={})
    assert gives_away(a, "Nearly: 36 it is.")
    assert not gives_away(a, "Not 360, not 3.6.")
    b = Number(truth=0.25, share=True, wrong={})
    assert gives_away(b, "It is 25 %.")
    c = Choice(truth="Rock", options=["Rock", "Pop"], wrong={})
    assert gives_away(c, "It is rock, of course.")
    assert not gives_away(c, "Rocky ground.")


# --- Reading ------------------------------------------------------------------------------------


@given(st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9, allow_nan=False)))
def test_any_number_is_read_as_it_is(value):
    assert number(value) == value
    assert number(np.array([value])) == value
    assert number(repr(value)) == pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "value"),
    [("36 frames", 36), ("1,024", 1024), ("70 656", 70656), ("3/8", 0.375), ("45 %", 0.45),
     ("45 per cent", 0.45), ("−3", -3), ("~ 8,700", 8700), (".5", 0.5), ("1e3", 1000),
     ("1.72 s", 1.72), ("12.", 12)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, value):
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("answer", "says"),
    [("many", "Got the text 'many'"), (True, "yes or no"), ([1, 2], "You gave 2"),
     (float("inf"), "compare"), (print, "function"), (object(), "The answer is a number"),
     ("1/0", "a number"), ({1, 2}, "Got {1, 2}"), ([], "You gave 0"), (1 + 2j, "a number")],
)  # fmt: skip
def test_what_is_no_number_is_told(answer, says):
    with pytest.raises(UnreadableError, match=says):
        number(answer)


def test_several_numbers_are_read():
    for answer in ([1, 2.5], "1, 2.5", "(1, 2.5)", "1 to 2.5", np.array([1, 2.5]), ("1", 2.5)):
        assert numbers(answer, 2).tolist() == [1, 2.5]
    for answer, says in ((5, "Got one"), ([1], "You gave 1"), ("1, 2, 3", "You gave 3")):
        with pytest.raises(UnreadableError, match=says):
            numbers(answer, 2)


def test_tensors_are_read_as_well():
    import tensorflow as tf

    assert number(tf.constant(36)) == 36
    assert name(np.str_("Hip Hop")) == name("hip-hop") == "hip hop"


def test_what_is_open():
    assert all(is_open(one) for one in (..., None, "", " ... ", "?", [None], [..., "…"]))
    assert not any(is_open(one) for one in (0, False, [], "no", np.nan, pd.Series([1.0]), [0]))


# --- Judging ------------------------------------------------------------------------------------


@exercise
def half(of: int) -> Question:
    """Ask for half."""
    return Number(
        of / 2,
        wrong={"all": of, "half": of / 2},
        feedback={
            "right": "Half.",
            "hint": "What is there, divided by two?",
            "all": "That is all of it.",
            "half": "Never said.",
        },
    )


def test_a_check_judges():
    assert half(2, 4).state is State.RIGHT
    assert repr(half(4, 4)) == "Not yet. That is all of it."
    assert repr(half(5, 4)) == "Not yet. What is there, divided by two?"
    assert repr(half(np.array([2.0]), of=4)) == "Right. Half."


def test_a_function_is_tried_and_its_arguments_stay_as_they_were():
    seen = Function(
        sum,
        wrong={"count": len},
        inputs=[([1, 2, 3],), ([2, 2, 2],)],
        feedback={"right": "The sum.", "hint": "Add up.", "count": "How many, not how much."},
    )

    def clearing(values):
        total = sum(values)
        values.clear()
        return total

    def stub(values): ...

    def partly(values):
        return sum(values) if values[0] == 1 else None

    assert seen.judge(clearing).state is State.RIGHT
    assert seen.judge(clearing).state is State.RIGHT
    assert seen.judge(stub) is OPEN
    assert seen.judge(len).because == "How many, not how much."
    assert "returns nothing" in seen.judge(partly).because
    assert "returns `dict`" in seen.judge(lambda values: {"sum": 6}).because
    assert "ZeroDivisionError" in seen.judge(lambda values: 1 / 0).because
    assert "by its name" in seen.judge(6).because


def test_a_share_may_be_given_in_per_cent():
    share = Number(0.45, {}, share=True, tolerance=0.001, feedback={"right": "Yes.", "hint": "No."})
    for answer in (0.45, 45, "45 %", "45%", 45.0, "0.45"):
        assert share.judge(answer).state is State.RIGHT, answer
    for answer in (0.5, 4.5, 450):
        assert share.judge(answer).state is State.WRONG, answer


def test_a_verdict_is_a_status_in_words_for_everybody():
    shown = Verdict(State.WRONG, "Use *this*: `np.log10(2 * 3 * 4)` & not <b>.")._repr_html_()
    assert 'role="status"' in shown
    assert "Not yet." in shown
    assert "Use <em>this</em>: <code>np.log10(2 * 3 * 4)</code> &amp; not &lt;b&gt;." in shown
    assert 'aria-hidden="true"' in shown
    begins = {Verdict(state, "")._repr_html_().split("<strong>")[1][:60] for state in State}
    assert len(begins) == 3


def test_the_largest_change_of_one_genre_is_not_that_of_all_even_with_two_genres():
    two = SimpleNamespace(timeline=net().timeline, genres=("a", "b"))
    whole = np.array([[0.7, 0.3], [0.1, 0.9], [0.2, 0.8]])
    for largest in (lambda change: change.max(axis=1), lambda change: np.abs(change).max(axis=1)):
        found = EXERCISES["live_demo.largest_change"](
            lambda song, of=largest: two.timeline.step_span(of(np.diff(song, axis=0)).argmax() + 1)[
                1
            ],
            whole,
            two,
        )
        assert found.state is State.WRONG


# --- Right in other words -----------------------------------------------------------------------


def by_correlation(kept, piece, kernel):
    inputs = [*kept, *piece]
    if len(inputs) < len(kernel):
        return [], inputs
    return np.correlate(inputs, kernel, "valid"), inputs[1 - len(kernel) :]


def by_turned_convolution(kept, piece, kernel):
    inputs = np.append(kept, piece)
    fits = len(inputs) >= len(kernel)
    outputs = np.convolve(inputs, kernel[::-1], "valid") if fits else np.array([])
    return [outputs, inputs[len(outputs) :]]


@pytest.mark.parametrize("written", [by_correlation, by_turned_convolution])
def test_a_convolution_in_pieces_may_be_written_in_other_ways(written):
    assert EXERCISES["live_demo.push"](written).state is State.RIGHT


LOUD = {
    "ones": lambda after: np.ones(len(after)),
    "louder": lambda after: 30 * after,
    "any noise": lambda after: np.random.default_rng().uniform(-1, 1, len(after)),
}


@pytest.mark.parametrize("later", LOUD.values(), ids=list(LOUD))
@pytest.mark.parametrize("differ", [lambda a, b: np.any(a != b), lambda a, b: (a - b).any()])
def test_a_causality_test_may_disturb_the_future_in_any_loud_way(later, differ):
    def peeks(hear, audio, ends, moment):
        first = hear(audio)
        audio[moment:] = later(audio[moment:])
        # Steps that end at the moment itself may be left out.
        return differ(first[ends < moment], hear(audio)[ends < moment])

    assert EXERCISES["live_demo.peeks"](peeks, net(), growing_noise()).state is State.RIGHT


@pytest.mark.parametrize(
    ("later", "says"),
    [(lambda after: -after, "and louder"), (lambda after: 0.001 * after, "loudest moment")],
)
def test_a_causality_test_that_hardly_disturbs_is_told_to(later, says):
    def peeks(hear, audio, ends, moment):
        other = audio.copy()
        other[moment:] = later(audio[moment:])
        return not np.array_equal(hear(audio)[ends <= moment], hear(other)[ends <= moment])

    verdict = EXERCISES["live_demo.peeks"](peeks, net(), growing_noise())
    assert verdict.state is State.WRONG
    assert says in verdict.because
