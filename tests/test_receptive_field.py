"""Receptive fields: worked out by hand, and what is refused because it would look ahead."""

from __future__ import annotations

import math
from typing import Any

import pytest
from networks import BANDS, KINDS, SOUND, network

from songnet_utils._utils.errors import SongNetError
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.stateful import Stack
from songnet_utils.streaming.timeline import ReceptiveField


def field_of(*stack: Any, bands: int = BANDS) -> ReceptiveField:
    import keras

    frames = x = keras.Input((None, bands), name="log_mel")
    for layer in stack:
        x = layer(x)
    x = keras.layers.Dense(2, name="genre_over_time")(x)
    return timeline_of(keras.Model(frames, x), SOUND).field


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        # Three kernels of 5 and poolings by 2, as in the paper.
        ("dense", ReceptiveField(36, 8)),
        ("metadata", ReceptiveField(36, 8)),
        # The same, and everything before.
        ("lstm", ReceptiveField(36, 8, math.inf)),
        # Twice a kernel of 3 and a pooling by 2: 1 + 2 + 1, then 2·2 + 2 more; then the GRU.
        ("crnn-2d", ReceptiveField(10, 4, math.inf)),
        # A kernel of 4 every 2; its causal ones see 2·2 and 4·2 frames further back; the last
        # has 2·2 to come. Then a pooling by 3, with 2·2 frames of zeros before it.
        ("residual", ReceptiveField(8, 6, 16)),
    ],
)
def test_the_labs_kinds_of_network_by_hand(kind, field):
    assert set(KINDS) == {"dense", "metadata", "lstm", "crnn-2d", "residual"}
    assert timeline_of(network(kind), SOUND).field == field


def test_single_layers_by_hand():
    from keras import layers

    assert field_of() == ReceptiveField(1, 1)
    # Taps 0, 3 and 6 of every other frame.
    assert field_of(layers.Conv1D(2, 3, dilation_rate=3)) == ReceptiveField(7, 1)
    assert field_of(layers.Conv1D(2, 3, strides=2)) == ReceptiveField(3, 2)
    # With zeros before the song nothing is waited for.
    assert field_of(layers.Conv1D(2, 3, padding="causal")) == ReceptiveField(1, 1, 2)
    causal = layers.ZeroPadding1D((2, 0)), layers.Conv1D(2, 3)
    assert field_of(*causal) == ReceptiveField(1, 1, 2)
    # Fewer zeros than it looks back: one frame is waited for.
    assert field_of(layers.ZeroPadding1D((1, 0)), layers.Conv1D(2, 3)) == ReceptiveField(2, 1, 1)
    # Output k is input k + 3.
    assert field_of(layers.Cropping1D((3, 0))) == ReceptiveField(4, 1, -3)
    assert ReceptiveField(4, 1, -3).inputs_of_output(5) == (8, 9)
    two = layers.Reshape((-1, BANDS, 1)), layers.Conv2D(1, (3, 5)), layers.MaxPooling2D((2, 4))
    assert field_of(*two, layers.Reshape((-1, 2))) == ReceptiveField(4, 2)


def refused() -> dict[str, Any]:
    from keras import layers

    return {
        "peeks pads its input .same.": lambda: [layers.Conv1D(2, 3, padding="same", name="peeks")],
        "pool pads its input": lambda: [layers.MaxPooling1D(2, padding="same", name="pool")],
        r"ends pads its input .\(1, 1\).": lambda: [layers.ZeroPadding1D(1, name="ends")],
        r"cut .Cropping1D. cannot process .* with this cropping": lambda: [
            layers.Cropping1D((1, 1), name="cut")
        ],
        "first steps see only the zeros": lambda: [
            layers.ZeroPadding1D((3, 0)),
            layers.Conv1D(2, 3),
        ],
        "mixed mixes time": lambda: [layers.Reshape((-1, BANDS // 2), name="mixed")],
        "both .Bidirectional. looks at the whole song": lambda: [
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both")
        ],
        "loudest .GlobalMaxPooling1D. looks at the whole song.*ZeroPadding1D": lambda: [
            layers.GlobalMaxPooling1D(name="loudest"),
            layers.RepeatVector(7),
        ],
        "back .GRU. cannot process .* with this go_backwards. Layers must run forward": lambda: [
            layers.GRU(2, return_sequences=True, go_backwards=True, name="back")
        ],
        "hard .LSTM. cannot process .* with this activation": lambda: [
            layers.LSTM(2, return_sequences=True, activation="relu", name="hard")
        ],
        "old .GRU. cannot process .* with this reset_after": lambda: [
            layers.GRU(2, return_sequences=True, reset_after=False, name="old")
        ],
        "strange .UnitNormalization. is not one of those .* Conv1D, Conv2D": lambda: [
            layers.UnitNormalization(name="strange")
        ],
        "grouped .Conv1D. .* with this groups": lambda: [
            layers.Conv1D(4, 3, groups=2, name="grouped")
        ],
        "turned .Permute.": lambda: [layers.Permute((1, 2), name="turned")],
        "timely .Softmax. .* with this axis": lambda: [layers.Softmax(axis=1, name="timely")],
        "wrapped .TimeDistributed.": lambda: [
            layers.Reshape((-1, BANDS, 1)),
            layers.TimeDistributed(layers.Conv1D(1, BANDS), name="wrapped"),
            layers.Reshape((-1, 1)),
        ],
    }


REFUSED = tuple(refused())


@pytest.mark.parametrize("said", REFUSED)
def test_what_looks_ahead_or_is_not_known_is_refused_by_name(said):
    with pytest.raises(SongNetError, match=said):
        field_of(*refused()[said]())


def test_branches_that_are_not_in_step_are_refused_with_their_rows():
    import keras
    from keras import layers

    frames = keras.Input((None, 3), name="log_mel")
    slow = layers.Conv1D(3, 5)(frames)

    def timeline(x: Any) -> Any:
        x = layers.Dense(2, name="genre_over_time")(x)
        return timeline_of(keras.Model(frames, x), SOUND)

    # The convolution's row 0 is decided by frame 4, the cropped one's by frame 3.
    early = layers.Cropping1D((3, 0))(frames)
    at_most = layers.Cropping1D((4, 0))(frames)
    with pytest.raises(SongNetError, match=r"met: .* not in step .*1·k \+ 5 and .*1·k \+ 4\)"):
        timeline(layers.Add(name="met")([slow, early]))
    assert timeline(layers.Add()([slow, at_most])).field == ReceptiveField(5, 1)
    with pytest.raises(SongNetError, match=r"met: .* not in step .*2·k \+ 6 and .*1·k \+ 5\)"):
        timeline(layers.Multiply(name="met")([layers.MaxPooling1D(2)(slow), slow]))
    with pytest.raises(SongNetError, match="met concatenates songs along time"):
        timeline(layers.Concatenate(axis=1, name="met")([slow, at_most]))


def test_inputs_that_could_be_frames_must_be_told_apart():
    import keras
    from keras import layers

    one, two = keras.Input((None, 3), name="one"), keras.Input((1, 3), name="two")
    x = layers.Dense(2, name="genre_over_time")(layers.Add()([one, two]))
    with pytest.raises(SongNetError, match=r"inputs \['one', 'two'\]\. Name the input for frames"):
        timeline_of(keras.Model([one, two], x), SOUND)
    frames = keras.Input((None, 3), name="log_mel")
    facts = keras.Input((3,), name="metadata")
    repeated = layers.RepeatVector(4)(facts)
    x = layers.Concatenate(name="met")([frames, repeated])
    model = keras.Model([frames, facts], layers.Dense(2, name="genre_over_time")(x))
    with pytest.raises(SongNetError, match=r"met: a branch of shape \(4, 3\) cannot meet"):
        timeline_of(model, SOUND)


def test_a_network_without_steps_is_refused():
    import keras

    frames = keras.Input((None, 3), name="log_mel")
    model = keras.Model(frames, keras.layers.Dense(2, name="other")(frames))
    with pytest.raises(SongNetError, match=r"no layer 'genre_over_time'. It has .*'other'"):
        timeline_of(model, SOUND)
    with pytest.raises(SongNetError, match="no layer 'genre_over_time'"):
        Stack(model, "genre_over_time")
