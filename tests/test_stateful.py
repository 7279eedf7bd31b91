"""Any network of the layers that are known, fed in pieces: Keras's rows, and never the future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from networks import BANDS, GENRES, KINDS, SOUND, network, used

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.streaming.network import Network
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.song_stream import SongStream, step_span
from songnet_utils.streaming.stateful import Stack

ACTIVATIONS = ("linear", "relu", "elu", "tanh", "sigmoid", "softmax")

KINDS_OF_LAYERS = (
    *("valid", "causal", "max", "average", "rowwise", "lstm", "gru"),
    *("skip", "causal skip", "uneven skip", "2-D", "crop"),
)


def with_layers(x: Any, kind: str, random: np.random.Generator) -> Any:
    """Put a layer or two, or two branches that meet, on a tensor over time."""
    from keras import layers

    def whole(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    def one_of(*choices: Any) -> Any:
        return choices[whole(0, len(choices) - 1)]

    channels = x.shape[-1]
    activation = one_of(*ACTIVATIONS)
    match kind:
        case "valid" | "causal":
            stride, dilation = one_of((1, 1), (2, 1), (4, 1), (1, 2), (1, 3))
            return layers.Conv1D(
                5,
                whole(1, 4),
                strides=stride,
                dilation_rate=dilation,
                padding=kind,
                activation=activation,
            )(x)
        case "max":
            return layers.MaxPooling1D(whole(1, 3), strides=whole(1, 4))(x)
        case "average":
            return layers.AveragePooling1D(whole(1, 3), strides=whole(1, 3))(x)
        case "rowwise":
            x = layers.Activation(activation)(layers.BatchNormalization()(x))
            return layers.GaussianNoise(1.0)(layers.Dense(4)(layers.SpatialDropout1D(0.5)(x)))
        case "lstm":
            return layers.LSTM(3, return_sequences=True)(x)
        case "gru":
            return layers.GRU(3, return_sequences=True, use_bias=one_of(True, False))(x)
        case "skip":
            kernel, dilation = whole(1, 4), whole(1, 2)
            y = layers.Conv1D(channels, kernel, dilation_rate=dilation)(x)
            skipped = layers.Cropping1D(((kernel - 1) * dilation, 0))(x)
            return layers.Add()([layers.Activation(activation)(y), skipped])
        case "causal skip":
            y = layers.Conv1D(channels, whole(1, 4), padding="causal", activation=activation)(x)
            merge = one_of("Add", "Multiply", "Concatenate")
            return getattr(layers, merge)()([y, x, y])
        case "uneven skip":
            # Of strides that come to the same: one branch in one go, one in two.
            one = layers.Conv1D(3, 4, strides=4)(x)
            two = layers.MaxPooling1D(2)(layers.Conv1D(3, 2, strides=2)(x))
            return layers.Add()([one, two])
        case "2-D":
            x = layers.Reshape((-1, channels, 1))(x)
            x = layers.ZeroPadding2D(((0, 0), (1, 2)))(x)
            x = layers.Conv2D(2, (whole(1, 3), whole(1, 3)), strides=(whole(1, 2), 1))(x)
            x = layers.BatchNormalization()(layers.SpatialDropout2D(0.5)(x))
            pool = one_of(layers.MaxPooling2D, layers.AveragePooling2D)
            x = pool((whole(1, 2), 1), strides=(whole(1, 2), whole(1, 2)))(x)
            return layers.Reshape((-1, x.shape[2] * x.shape[3]))(x)
        case _:
            return layers.Cropping1D((whole(0, 5), 0))(x)


def built(kinds: list[str], seed: int) -> Any:
    import keras

    random = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    frames = x = keras.Input((None, 4), name="log_mel")
    for kind in kinds:
        x = with_layers(x, kind, random)
    x = keras.layers.Dense(3, activation="softmax", name="genre_over_time")(x)
    return used(keras.Model(frames, x), seed)


def in_pieces(stack: Stack, frames: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Return what each piece gives; the sizes are gone through again and again."""
    given, at, turn = [], 0, 0
    while at < len(frames):
        size = sizes[turn % len(sizes)]
        given.append(stack.push(frames[at : at + size]))
        at, turn = at + size, turn + 1
    return given


# Each example builds a network; looking for the smallest that fails would take minutes.
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    kinds=st.lists(st.sampled_from(KINDS_OF_LAYERS), max_size=4),
    sizes=st.lists(st.one_of(st.just(1), st.integers(2, 90)), min_size=1, max_size=4),
    count=st.integers(60, 90),
    t=st.integers(1, 59),
    seed=st.integers(0, 2**16),
)
@example(kinds=["2-D", "gru", "causal skip"], sizes=[1], count=70, t=40, seed=2)
@example(kinds=["causal", "skip", "crop", "uneven skip"], sizes=[3, 1], count=70, t=40, seed=3)
def test_any_network_in_any_pieces(kinds, sizes, count, t, seed):
    model = built(kinds, seed)
    field = timeline_of(model, SOUND).field
    random = np.random.default_rng(seed)
    frames = random.normal(size=(count, 4)).astype(np.float32)
    pieces = in_pieces(Stack(model, "genre_over_time"), frames, sizes)
    rows = np.concatenate(pieces)

    # They are Keras's rows, each when the timeline says that it is decided.
    taken = np.cumsum([sizes[turn % len(sizes)] for turn in range(len(pieces))])
    decided = [field.outputs_of_inputs(min(int(frame), count)) for frame in taken]
    assert [len(piece) for piece in pieces] == np.diff(decided, prepend=0).tolist()
    if len(rows):
        np.testing.assert_allclose(rows, np.asarray(model(frames[None]))[0], atol=1e-5)

    # The future changes no bit of a decided row, nor does what lies before all that it sees.
    later, earlier = frames.copy(), frames.copy()
    later[t:] = random.normal(size=later[t:].shape)
    earlier[:t] = random.normal(size=earlier[:t].shape)
    after, before = (
        np.concatenate(in_pieces(Stack(model, "genre_over_time"), song, sizes))
        for song in (later, earlier)
    )
    for step, row in enumerate(rows):
        start, stop = field.inputs_of_output(step)
        if stop <= t:
            assert row.tobytes() == after[step].tobytes()
        if start >= t:
            assert row.tobytes() == before[step].tobytes()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "metadata"])
def test_the_labs_kinds_of_network(kind):
    model = network(kind)
    frames = np.random.default_rng(1).normal(-5, 2, (150, BANDS)).astype(np.float32)
    expected = model(frames[None])["genre_over_time"][0]
    for sizes in ([1], [150], [7, 40]):
        rows = np.concatenate(in_pieces(Stack(model, "genre_over_time"), frames, sizes))
        np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_what_is_known_of_the_song_is_computed_once_and_counts():
    model = network("metadata")
    random = np.random.default_rng(1)
    frames = random.normal(-5, 2, (150, BANDS)).astype(np.float32)
    answers = []
    for facts in random.normal(size=(2, 4)).astype(np.float32):
        stack = Stack(model, "genre_over_time", known={"metadata": facts})
        rows = np.concatenate(in_pieces(stack, frames, [11]))
        expected = model([frames[None], facts[None]])["genre_over_time"][0]
        np.testing.assert_allclose(rows, expected, atol=1e-5)
        answers.append(rows)
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    assert timeline_of(model, SOUND).field.past == 0
    for known in (None, {"metadata": np.zeros(4), "else": np.zeros(4)}, {"else": np.zeros(4)}):
        with pytest.raises(SongNetError, match=r"inputs \['metadata'\] besides the frames"):
            Stack(model, "genre_over_time", known=known)


def recurrent(layer: Any, weights: list[np.ndarray]) -> Stack:
    import keras

    frames = keras.Input((None, 1), name="log_mel")
    model = keras.Model(frames, layer(frames))
    layer.set_weights(weights)
    return Stack(model, layer.name)


def test_an_lstm_step_by_hand():
    import keras

    # One unit. The input, forget and output gates are open by sigmoid(0) = 1/2; the candidate is
    # tanh(ln 2 · x) = 3/5 for x = 1. The carry is 3/10, then 3/10/2 + 3/10 = 9/20.
    layer = keras.layers.LSTM(1, return_sequences=True)
    kernel = np.array([[0, 0, np.log(2), 0]])
    stack = recurrent(layer, [kernel, np.zeros((1, 4)), np.zeros(4)])
    first = stack.push(np.ones((1, 1), np.float32))
    second = stack.push(np.ones((1, 1), np.float32))
    np.testing.assert_allclose(first, [[np.tanh(0.3) / 2]], rtol=1e-6)
    np.testing.assert_allclose(second, [[np.tanh(0.45) / 2]], rtol=1e-6)


def test_a_gru_step_by_hand():
    import keras

    # One unit. Update and reset gate are 1/2. The candidate is tanh(ln 2 · x + 1/2 · (2·h)):
    # 3/5 at first, so that h = 1/2·0 + 1/2·3/5 = 3/10; then tanh(ln 2 + 3/10).
    layer = keras.layers.GRU(1, return_sequences=True)
    kernel, own = np.array([[0, 0, np.log(2)]]), np.array([[0, 0, 2.0]])
    stack = recurrent(layer, [kernel, own, np.zeros((2, 3))])
    states = stack.push(np.ones((2, 1), np.float32))
    then = 0.15 + np.tanh(np.log(2) + 0.3) / 2
    np.testing.assert_allclose(states, [[0.3], [then]], rtol=1e-6)


class Recurrent(Network):
    name = "recurrent"
    training_music = "nothing"
    genres = GENRES

    def __init__(self) -> None:
        self.keras_model = network("lstm")
        self.timeline = timeline_of(self.keras_model, SOUND)

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        return np.asarray(self.keras_model(frames[None])["genre_over_time"])[0]

    def stepper(self) -> Stack:
        return Stack(self.keras_model, "genre_over_time")


@pytest.mark.parametrize("rate", [8_000, 11_025])
def test_a_song_through_a_recurrent_network(rate):
    net = Recurrent()
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 2 * rate).astype(np.float32)
    stream = SongStream(net, rate=rate)
    steps = [step for piece in np.split(samples, [1, 999, 9_000]) for step in stream.push(piece)]
    steps += stream.finish()
    assert len(steps) == net.timeline.steps_of_samples(16_000) > 30
    # All remember the song from the first sample of the first frame.
    assert {step.start for step in steps} == {-64 / 8_000}
    # The paper's layers see 36 frames, every 8: the k-th ends with frame 8·k + 35.
    for number, step in enumerate(steps[:-3]):
        assert net.timeline.step_frames(number) == (0, 8 * number + 36)
        assert net.timeline.step_samples(number)[1] == 48 * (8 * number + 35) + 64
        assert step.end == step_span(net.timeline, rate, number)[1]
    if rate == 8_000:
        assert steps[0].end == (48 * 35 + 64) / 8_000
        expected = net.genre_of_frames(log_mel(samples, SOUND))
        np.testing.assert_allclose([s.probabilities for s in steps], expected, atol=1e-5)
    # What comes after a step's end changes no bit of it.
    t = rate
    other = samples.copy()
    other[t:] = 0.25
    again = SongStream(net, rate=rate)
    changed = [step for piece in np.split(other, [1, 999, 9_000]) for step in again.push(piece)]
    decided = [step.end <= t / rate for step in steps[: len(changed)]]
    assert 0 < sum(decided) < len(decided)
    for one, two, is_decided in zip(steps, changed, decided, strict=False):
        same = one.probabilities.tobytes() == two.probabilities.tobytes()
        assert same or not is_decided
