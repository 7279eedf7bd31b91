"""The stream gives the whole-clip answer, whatever the pieces, and never hears the future."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import AudioError, look_ahead, read_audio, resample
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.network import Network
from songnet_utils.streaming.song_stream import SongStream, classify_song, step_span
from songnet_utils.streaming.stateful import Stack, Windows
from songnet_utils.streaming.timeline import Layer, Timeline, receptive_field

GENRES = ("a", "b", "c")


class Untrained(Network):
    """A network with the paper's layers, narrow and untrained, on any description of sound."""

    name = "untrained"
    training_music = "nothing"

    def __init__(self, sound: Sound, seed: int = 0) -> None:
        import keras

        keras.utils.set_random_seed(seed)
        frames = keras.Input((None, sound.n_mels))
        rows = keras.layers.Normalization(
            mean=[-3.0] * sound.n_mels, variance=[4.0] * sound.n_mels
        )(frames)
        layers = []
        for _ in range(3):
            rows = keras.layers.Conv1D(24, 5, activation="relu")(rows)
            rows = keras.layers.MaxPooling1D(2)(rows)
            rows = keras.layers.Dropout(0.3)(rows)
            layers += [Layer(5), Layer(2, 2)]
        softmax = keras.layers.Dense(len(GENRES), activation="softmax")
        rows = keras.layers.TimeDistributed(softmax, name="genre_over_time")(rows)
        self.keras_model = keras.Model(frames, rows)
        self.genres = GENRES
        self.timeline = Timeline(sound, receptive_field(layers))

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        return np.asarray(self.keras_model(frames[None], training=False))[0]

    def stepper(self) -> Stack:
        return Stack(self.keras_model, "genre_over_time")


@pytest.fixture(scope="module")
def net() -> Untrained:
    return Untrained(Sound())


@pytest.fixture(scope="module")
def small() -> Untrained:
    """A network on short frames, so that short audio has many steps."""
    return Untrained(Sound(sample_rate=8_000, n_fft=128, hop=48, n_mels=20))


def music(seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Noise under a swelling envelope with tones that change: something happens in every frame."""
    rng = np.random.default_rng(seed)
    samples = int(seconds * rate)
    time = np.arange(samples)[:, None] / rate
    tones = np.sin(2 * np.pi * rng.uniform(80, rate / 4, channels) * time * (1 + 0.1 * time))
    noise = rng.standard_normal((samples, channels))
    envelope = 0.1 + np.abs(np.sin(2 * np.pi * rng.uniform(0.5, 3) * time))
    return np.asarray(0.2 * envelope * (tones + 0.3 * noise), np.float32)


def pieces(samples: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    out, at, turn = [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        out.append(samples[at : at + size])
        at, turn = at + size, turn + 1
    return out


def streamed(net: Network, rate: int, parts: list[np.ndarray]) -> list:
    stream = SongStream(net, rate=rate, channels=parts[0].shape[1])
    steps = [step for part in parts for step in stream.push(part)]
    return steps + stream.finish()


def whole(net: Network, samples: np.ndarray, rate: int) -> np.ndarray:
    mono = samples.mean(axis=1, dtype=np.float32)
    return net.genre_over_time(resample(mono, rate, net.sound.sample_rate))


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from([8_000, 11_025, 16_000, 44_100]),
    channels=st.integers(1, 3),
    sizes=st.lists(st.one_of(st.integers(1, 50), st.integers(51, 20_000)), min_size=1, max_size=5),
    seed=st.integers(0, 2**20),
)
def test_any_pieces_give_the_whole_answer(small, rate, channels, sizes, seed):
    samples = music(0.8, rate, channels, seed)
    expected = whole(small, samples, rate)
    steps = streamed(small, rate, pieces(samples, sizes))
    assert len(steps) == len(expected) > 10
    np.testing.assert_allclose([s.probabilities for s in steps], expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 7, 10_000_000])
def test_one_sample_at_a_time_or_the_whole_song_at_once(small, size):
    samples = music(0.5, 16_000, 2, 3)
    steps = streamed(small, 16_000, pieces(samples, [size]))
    np.testing.assert_allclose(
        [s.probabilities for s in steps], whole(small, samples, 16_000), atol=1e-5
    )


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from([8_000, 16_000, 44_100, 48_000]),
    sizes=st.lists(st.integers(1, 30_000), min_size=1, max_size=4),
    at=st.floats(0.2, 0.95),
    seed=st.integers(0, 2**20),
)
def test_the_future_changes_no_bit_of_a_decided_step(small, rate, sizes, at, seed):
    samples = music(0.9, rate, 2, seed)
    t = int(at * len(samples))
    other = samples.copy()
    other[t:] = np.random.default_rng(seed + 1).uniform(-1, 1, other[t:].shape)
    before = streamed(small, rate, pieces(samples, sizes))
    after = streamed(small, rate, pieces(other, sizes))
    decided = [s.end <= t / rate for s in before]
    assert sum(decided) < len(before)
    for first, second, is_decided in zip(before, after, decided, strict=True):
        if is_decided:
            assert first.probabilities.tobytes() == second.probabilities.tobytes()
    # The bound is worth something: steps that end well after t are not the same any more.
    late = [i for i, s in enumerate(before) if s.end > t / rate + 0.2]
    for i in late:
        assert before[i].probabilities.tobytes() != after[i].probabilities.tobytes()


def test_a_step_comes_as_soon_as_it_is_decided(net):
    """Fed sample by sample around its end, a step comes no later than its end says."""
    rate = 44_100
    samples = music(3.0, rate, 1, 5)
    stream = SongStream(net, rate=rate)
    end = step_span(net.timeline, rate, 0)[1]
    assert stream.first_answer == end
    edge = int(end * rate)
    assert stream.push(samples[: edge - 2_500]) == []
    heard, steps = edge - 2_500, []
    while not steps:
        steps = stream.push(samples[heard : heard + 1])
        heard += 1
    assert heard <= np.ceil(end * rate)


def test_times_of_the_papers_network(net):
    steps = streamed(net, 22_050, [music(4.0, 22_050, 1, 1)])
    # 36 frames: from half a window before the first sample, 37,888 samples; a step every 8,192.
    assert steps[0].start == -1024 / 22_050
    assert steps[0].end == (37_888 - 1024) / 22_050
    assert steps[1].start - steps[0].start == pytest.approx(8_192 / 22_050)
    assert len(steps) == 1 + (1 + 88_200 // 1024 - 36) // 8


def test_the_end_of_the_song_is_the_end_of_its_last_steps(small):
    samples = music(0.7, 16_000, 1, 2)
    steps = streamed(small, 16_000, pieces(samples, [999]))
    # The resampler's bound is a constant; one block may be out a little sooner.
    assert max(s.end for s in steps) <= 0.7 + look_ahead(16_000, 8_000) / 16_000
    stream = SongStream(small, rate=16_000)
    stream.push(samples)
    assert all(s.end <= 0.7 for s in stream.finish())
    assert [s.start for s in steps] == sorted(s.start for s in steps)


@pytest.mark.parametrize("original", [8_000, 11_025, 22_051, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_look_ahead_bounds_the_resampler_to_the_last_bit(original, rate):
    rng = np.random.default_rng(original)
    audio = rng.uniform(-0.5, 0.5, original).astype(np.float32)
    reference = resample(audio, original, rate)
    for t in rng.integers(original // 4, original - 1, 40):
        other = audio.copy()
        other[t:] = -0.7 * other[t:] + 0.1
        safe = int(np.floor((t - look_ahead(original, rate)) * rate / original)) + 1
        changed = np.flatnonzero(resample(other, original, rate) != reference)
        assert changed[0] >= safe


def test_short_songs_have_no_step_and_silence_is_answered(small):
    stream = SongStream(small)
    assert stream.push(np.zeros(100, np.float32)) == []
    assert stream.finish() == []
    steps = streamed(small, 8_000, [np.zeros((8_000, 1), np.float32)])
    assert all(np.isfinite(s.probabilities).all() for s in steps)


def test_bad_pieces_are_refused_and_leave_the_stream_as_it_was(small):
    samples = music(0.6, 8_000, 2, 9)
    stream = SongStream(small, rate=8_000, channels=2)
    steps = list(stream.push(samples[:1_000]))
    bad = samples[:50].copy()
    bad[3, 1] = np.nan
    for wrong in (
        bad,
        samples[:0],
        samples[:50, 0],
        samples[:50].T,
        (samples[:50] * 99).astype(int),
    ):
        with pytest.raises(AudioError):
            stream.push(wrong)
    steps += stream.push(samples[1_000:])
    steps += stream.finish()
    np.testing.assert_allclose(
        [s.probabilities for s in steps], whole(small, samples, 8_000), atol=1e-5
    )
    with pytest.raises(SongNetError, match="finished"):
        stream.push(samples)


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": 44_100.0}, {"channels": 0}])
def test_wrong_rates_and_channels_are_refused(small, wrong):
    with pytest.raises(SongNetError, match="whole number of at least 1"):
        SongStream(small, **wrong)


@settings(max_examples=50, deadline=None)
@given(
    kernel=st.integers(1, 7),
    stride=st.integers(1, 9),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=20),
)
def test_windows_in_pieces_are_windows_of_the_whole(kernel, stride, sizes):
    rows = np.arange(2 * sum(sizes), dtype=np.float32).reshape(-1, 2)
    expected = [rows[i : i + kernel] for i in range(0, len(rows) - kernel + 1, stride)]
    windows, at, got = Windows(kernel, stride), 0, []
    for size in sizes:
        got += list(windows.push(rows[at : at + size]))
        at += size
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_real_songs_in_pieces_give_the_whole_answer(net, shared_fma):
    songs = sorted((shared_fma / "fma_small").glob("*/*.mp3"))[::40]
    rng = np.random.default_rng(0)
    for song in songs:
        samples, rate = read_audio(song)
        expected, seconds = classify_song(net, song)
        parts = pieces(samples, [int(s) for s in rng.integers(1, 100_000, 5)])
        steps = streamed(net, rate, parts)
        assert len(steps) == len(expected)
        for one, other in zip(steps, expected, strict=True):
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
            assert (one.start, min(one.end, seconds)) == (other.start, other.end)
