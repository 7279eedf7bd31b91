"""Where things are in time: hand-computed values, and properties of any stack of layers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.timeline import Layer, ReceptiveField, Timeline, receptive_field

SOUND = Sound()
BLOCK = [Layer(5), Layer(2, 2)]
SONGNET = Timeline(SOUND, receptive_field(BLOCK * 3))

layers = st.lists(
    st.builds(Layer, st.integers(1, 6), st.integers(1, 3), st.integers(1, 3)), max_size=4
)
sounds = st.builds(
    Sound,
    sample_rate=st.integers(8_000, 48_000),
    n_fft=st.sampled_from([256, 400, 512, 2_048]),
    hop=st.integers(64, 256),
    n_mels=st.just(8),
    floor=st.just(1e-6),
)
timelines = st.builds(
    Timeline, sounds, st.builds(ReceptiveField, st.integers(1, 200), st.integers(1, 40))
)


@pytest.mark.parametrize(
    ("stack", "frames", "stride", "samples", "seconds"),
    [
        # conv 1: 5 frames = 4 hops and a window, 4·1024 + 2048.
        ([Layer(5)], 5, 1, 6_144, 0.279),
        # conv 2: pool 1 adds a frame, the kernel 4 frames 2 apart: 5 + 1 + 8 = 14.
        ([*BLOCK, Layer(5)], 14, 2, 15_360, 0.697),
        # conv 3: pool 2 adds 2 frames, the kernel 4 frames 4 apart: 14 + 2 + 16 = 32.
        ([*BLOCK, *BLOCK, Layer(5)], 32, 4, 33_792, 1.533),
        # a step: pool 3 adds 4 frames.
        (BLOCK * 3, 36, 8, 37_888, 1.718),
    ],
)
def test_the_papers_network_by_hand(stack, frames, stride, samples, seconds):
    field = receptive_field(stack)
    assert field == ReceptiveField(frames, stride)
    start, stop = Timeline(SOUND, field).step_samples(3)
    assert stop - start == samples
    assert start == 3 * stride * 1_024 - 1_024
    assert samples / 22_050 == pytest.approx(seconds, abs=5e-4)


def test_songnets_steps_by_hand():
    assert SONGNET.step_seconds == pytest.approx(0.3715, abs=5e-5)
    assert SONGNET.step_frames(2) == (16, 52)
    assert SONGNET.step_samples(0) == (-1_024, 36_864)
    assert SONGNET.step_span(0) == pytest.approx((-0.04644, 1.67184), abs=1e-5)
    # 30 s are 661,500 samples, 1 + 645 frames, (646 − 36) // 8 + 1 steps.
    assert SONGNET.steps_of_samples(30 * 22_050) == 77
    # 35 hops bring the 36th frame's centre; with a sample less there is no such frame.
    assert SONGNET.samples_needed == 35 * 1_024
    assert (SONGNET.steps_of_samples(35_840), SONGNET.steps_of_samples(35_839)) == (1, 0)
    # Step 0 ends at sample 36,864 = 1.6718 s, step 1 8,192 samples later = 2.0433 s.
    assert [SONGNET.step_of_seconds(t) for t in (0, 1.67, 1.68, 2.04, 2.05)] == [-1, -1, 0, 0, 1]


@given(layers)
def test_a_receptive_field_is_what_one_output_can_see(stack):
    """Follow inputs through the stack one by one, and compare."""
    field = receptive_field(stack)
    seen = [{i} for i in range(field.size + 2 * field.stride)]
    for layer in stack:
        reach = (layer.kernel - 1) * layer.dilation
        seen = [
            set().union(*(seen[i + tap * layer.dilation] for tap in range(layer.kernel)))
            for i in range(0, len(seen) - reach, layer.stride)
        ]
    assert len(seen) == field.outputs_of_inputs(field.size + 2 * field.stride) == 3
    for output, inputs in enumerate(seen):
        start, stop = field.inputs_of_output(output)
        assert (min(inputs), max(inputs) + 1) == (start, stop)


def test_what_is_remembered_reaches_back_to_the_beginning_and_no_further():
    causal = Timeline(SOUND, ReceptiveField(36, 8, 20))
    assert [causal.step_frames(step) for step in (0, 2, 3)] == [(0, 36), (0, 52), (4, 60)]
    recurrent = Timeline(SOUND, ReceptiveField(36, 8, math.inf))
    assert [recurrent.step_frames(step) for step in (0, 99)] == [(0, 36), (0, 828)]
    # Half a window before the song, as its first frame has it.
    assert recurrent.step_samples(99) == (-1_024, SONGNET.step_samples(99)[1])
    assert recurrent.step_span(0) == SONGNET.step_span(0)


@given(timelines, st.one_of(st.integers(0, 300), st.just(math.inf)), st.integers(0, 500))
def test_memory_changes_the_beginning_of_a_step_and_nothing_else(timeline, past, step):
    field = timeline.field
    longer = Timeline(timeline.sound, ReceptiveField(field.size, field.stride, past))
    (first, stop), (start, end) = longer.step_frames(step), timeline.step_frames(step)
    assert (first, stop) == (max(0, start - past), end)
    assert longer.samples_needed == timeline.samples_needed
    assert longer.steps_of_frames(step) == timeline.steps_of_frames(step)
    seconds = timeline.step_span(step)[1]
    assert longer.step_of_seconds(seconds) == timeline.step_of_seconds(seconds) == step


@given(timelines, st.integers(1, 10**6))
def test_steps_fit_into_the_song_and_one_more_would_not(timeline, samples):
    frames = timeline.sound.frames_of_samples(samples)
    steps = timeline.steps_of_samples(samples)
    assert steps == 0 or timeline.step_frames(steps - 1)[1] <= frames
    assert timeline.step_frames(steps)[1] > frames
    assert (samples >= timeline.samples_needed) == (steps >= 1)


@given(timelines, st.integers(0, 5_000))
def test_a_step_is_shown_from_its_end_until_the_next_ends(timeline, step):
    _, stop = timeline.step_samples(step)
    rate = timeline.sound.sample_rate
    assert timeline.step_of_seconds(stop / rate) == step
    assert timeline.step_of_seconds((stop - 1) / rate) == step - 1
    _, next_stop = timeline.step_samples(step + 1)
    assert timeline.step_of_seconds((next_stop - 1) / rate) == step


@given(timelines, st.integers(0, 1_000))
def test_neighbouring_steps_are_one_stride_apart_in_every_unit(timeline, step):
    one, two = timeline.step_samples(step), timeline.step_samples(step + 1)
    assert two[0] - one[0] == two[1] - one[1] == timeline.field.stride * timeline.sound.hop
    assert two[1] - two[0] == (timeline.field.size - 1) * timeline.sound.hop + timeline.sound.n_fft
    spans = np.subtract(timeline.step_span(step + 1), timeline.step_span(step))
    np.testing.assert_allclose(spans, timeline.step_seconds, rtol=1e-9)


@given(sounds, st.integers(0, 10**6))
def test_seconds_samples_and_frames_go_both_ways(sound, number):
    assert sound.samples_of_seconds(sound.seconds_of_samples(number)) == number
    assert sound.frame_of_seconds(sound.seconds_of_frame(number)) == number
    start, stop = sound.frame_samples(number)
    assert (start + stop) // 2 == sound.hop * number
    assert stop - start == sound.n_fft
    assert sound.seconds_of_frame(number) == pytest.approx(
        sound.seconds_of_samples(sound.hop * number)
    )


@given(sounds, st.integers(1, 10**6))
def test_the_last_frame_is_centred_in_the_song(sound, samples):
    frames = sound.frames_of_samples(samples)
    assert sound.hop * (frames - 1) <= samples < sound.hop * frames


@given(sounds)
def test_a_description_of_sound_survives_json(sound):
    assert Sound.from_dict(json.loads(json.dumps(sound.to_dict()))) == sound


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_fft": 512, "hop": 513}, "hop must be at most n_fft"),
        ({"sample_rate": 0}, "sample_rate must be a whole number of at least 1. Got 0"),
        ({"sample_rate": 22_050.0}, "Got 22050.0"),
        ({"hop": True}, "hop must be a whole number"),
        ({"n_fft": 2_047}, "n_fft must be even"),
        ({"floor": 0.0}, "floor must be a positive float"),
        ({"floor": float("nan")}, "floor must be a positive float"),
        ({"floor": float("inf")}, "floor must be a positive float"),
    ],
)
def test_an_impossible_description_of_sound_names_the_rule(change, said):
    with pytest.raises(SongNetError, match=said):
        Sound(**change)


@pytest.mark.parametrize("change", [{"extra": 1}, {"hop": None}])
def test_a_description_with_other_entries_is_refused(change):
    values = {**SOUND.to_dict(), **change}
    values = {name: value for name, value in values.items() if value is not None}
    with pytest.raises(SongNetError, match="exactly the entries"):
        Sound.from_dict(values)


def test_impossible_layers_and_songs_are_refused():
    with pytest.raises(SongNetError, match=r"must be at least 1\. Got .*stride=0"):
        Layer(5, 0)
    with pytest.raises(SongNetError, match=r"at least 1 sample\. Got 0"):
        SOUND.frames_of_samples(0)
