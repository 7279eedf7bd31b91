"""Every network of the lab, and musicnn, streams: the whole song's steps, whatever the pieces.

Full-size networks on sound, from samples at any rate to probabilities. What is said of each of
their layers on frames is in test_stateful and test_lab.
"""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lab_networks import GENRES, SOUND, shared

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import mix_down, read_audio, resample
from songnet_utils.models.building import keras
from songnet_utils.models.registry import NETWORKS
from songnet_utils.models.trained import SongNet
from songnet_utils.models.transfer import load_musicnn
from songnet_utils.streaming.network import Network
from songnet_utils.streaming.song_stream import SongStream, Step, step_span

MUSICNN = "musicnn"
STREAMING = (*NETWORKS, MUSICNN)

# Networks that remember the song from its beginning.
RECURRENT = {"songnet-lstm", "crnn-2d"}


@pytest.fixture(scope="session", params=STREAMING)
def net(request: Any) -> Network:
    if request.param == MUSICNN:
        return load_musicnn()
    return shared(request.param)


@pytest.fixture(scope="session")
def real_clips(shared_fma: Path) -> list[tuple[np.ndarray, int]]:
    """Some real clips as they are decoded, (samples, channels) and rate."""
    return [read_audio(file) for file in sorted((shared_fma / "fma_small").glob("*/*.mp3"))[::29]]


def song_of(kind: str, seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Return a song, (samples, channels), that is nothing but random."""
    random = np.random.default_rng(seed)
    samples = int(seconds * rate)
    time = np.arange(samples)[:, None] / rate
    tones = np.sin(2 * np.pi * random.uniform(50, 3_000, channels) * time * (1 + 0.2 * time))
    white = random.uniform(-1, 1, (samples, channels))
    match kind:
        case "noise":
            song = 0.3 * white * np.abs(np.sin(random.uniform(1, 9) * time))
        case "tones":
            song = 0.5 * tones + 1e-3 * white
        case "clicks":
            # Silence between them, to the last bit.
            song = np.where(random.random((samples, channels)) < 3 / rate, white, 0)
        case "clipped":
            song = np.clip(20 * tones, -1, 1)
        case _:
            song = np.zeros((samples, channels))
    return song.astype(np.float32)


def hear(net: Network, song: np.ndarray, rate: int, sizes: list[int]) -> list[Step]:
    """Stream a song in pieces of these sizes, gone through again and again."""
    stream = SongStream(net, rate, song.shape[1])
    steps, at, turn = [], 0, 0
    while at < len(song):
        size = sizes[turn % len(sizes)]
        steps += stream.push(song[at : at + size])
        # Each comes with the piece in which it ends.
        heard = min(at + size, len(song)) / rate
        assert all(step.end <= heard + 1e-9 for step in steps)
        assert step_span(net.timeline, rate, len(steps))[1] > heard - 1e-9
        at, turn = at + size, turn + 1
    return steps + stream.finish()


def check(net: Network, song: np.ndarray, rate: int, sizes: list[int], change: float) -> None:
    """Hold the steps of a song to those of the whole, and to what may change them.

    From `change` on the song is another one: a part of the song, or the step whose end it is.
    """
    steps = hear(net, song, rate, sizes)
    whole = net.genre_over_time(resample(mix_down(song), rate, net.sound.sample_rate))
    assert len(steps) == len(whole) > 0
    found = np.array([step.probabilities for step in steps])
    np.testing.assert_allclose(found, whole, atol=1e-5)
    seconds = len(song) / rate
    for number, step in enumerate(steps):
        start, end = step_span(net.timeline, rate, number)
        assert (step.start, step.end) == (start, min(end, seconds))

    if isinstance(change, int):
        t = math.ceil(step_span(net.timeline, rate, change)[1] * rate - 1e-6)
    else:
        t = int(change * len(song))
    other = song.copy()
    other[t:] = np.random.default_rng(t).uniform(-1, 1, other[t:].shape)
    changed = hear(net, other, rate, sizes)
    for one, two in zip(steps, changed, strict=True):
        if one.end <= t / rate:
            assert one.probabilities.tobytes() == two.probabilities.tobytes()
    # What was changed is loud and long: the last step would not be the same by chance.
    if seconds - t / rate > 0.5:
        assert steps[-1].probabilities.tobytes() != changed[-1].probabilities.tobytes()


# One size at least is so large that a song does not take a hundred thousand pushes.
sizes_of_pieces = st.builds(
    lambda some, large, turn: [*some[:turn], large, *some[turn:]],
    st.lists(st.one_of(st.integers(1, 3), st.integers(4, 2_000)), max_size=4),
    st.one_of(st.integers(50, 5_000), st.integers(5_001, 400_000)),
    st.integers(0, 4),
)

few = settings(
    max_examples=3,
    # The same network is asked each time; a failing example is told as it is.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given(
    kind=st.sampled_from(["noise", "tones", "clicks", "clipped", "silence"]),
    rate=st.sampled_from([16_000, 22_050, 44_100, 48_000]),
    channels=st.integers(1, 2),
    more=st.floats(0.01, 2),
    sizes=sizes_of_pieces,
    change=st.one_of(st.integers(0, 2), st.floats(0.3, 1)),
    seed=st.integers(0, 2**16),
)
@example(kind="noise", rate=22_050, channels=1, more=1.0, sizes=[10**9], change=0, seed=1)
@example(kind="tones", rate=16_000, channels=1, more=0.7, sizes=[1], change=1, seed=2)
def test_random_songs_in_any_pieces(net, kind, rate, channels, more, sizes, change, seed):
    song = song_of(kind, step_span(net.timeline, rate, 0)[1] + more, rate, channels, seed)
    check(net, song, rate, sizes, change)


@few
@given(
    clip=st.integers(0, 2**16),
    begin=st.floats(0, 24),
    sizes=sizes_of_pieces,
    change=st.one_of(st.integers(0, 4), st.floats(0.3, 1)),
)
@example(clip=0, begin=1.0, sizes=[10**9], change=1)
def test_real_songs_in_any_pieces(net, real_clips, clip, begin, sizes, change):
    song, rate = real_clips[clip % len(real_clips)]
    first = int(begin * rate)
    song = song[first : first + int((net.timeline.seconds_needed + 2) * rate)]
    check(net, song, rate, sizes, change)


def test_fifteen_seconds_of_a_real_song_by_single_samples_and_at_once(real_clips):
    net = shared("songnet-lstm")
    song, rate = real_clips[1]
    song = song[: 15 * rate]
    whole = net.genre_over_time(resample(mix_down(song), rate, net.sound.sample_rate))
    for sizes in ([1] * 50 + [997], [len(song)]):
        found = [step.probabilities for step in hear(net, song, rate, sizes)]
        np.testing.assert_allclose(found, whole, atol=1e-5)


def test_which_networks_stream_and_which_remember_the_song():
    """All do: the lab has no network that would have to hear the end first."""
    for name in NETWORKS:
        past = shared(name).timeline.field.past
        assert math.isinf(past) == (name in RECURRENT), name
        stream = SongStream(shared(name), 44_100, 2)
        assert 0 < stream.net.timeline.step_seconds < stream.first_answer < 4


@pytest.mark.parametrize("net", ["songnet", "songnet-plus", "crnn-2d"], indirect=True)
def test_the_first_answer_and_those_after_it_are_when_the_stream_says(net):
    stream = SongStream(net)
    song = song_of("noise", stream.first_answer + 1.5, stream.rate, 1, 0)
    ends = []
    for sample in range(0, len(song), 16):
        piece = song[sample : sample + 16]
        ends += [stream.seconds for _ in stream.push(piece)]
    assert len(ends) >= 3
    # A piece of 16 samples may be begun when a step ends.
    for number, end in enumerate(ends):
        due = stream.first_answer + number * stream.net.timeline.step_seconds
        assert due - 1e-9 <= end < due + 16 / stream.rate + 1e-9


@pytest.mark.parametrize("net", ["songnet-plus", "crnn-2d"], indirect=True)
def test_memory_does_not_grow_with_the_song(net):
    stream, second = SongStream(net, 44_100, 2), song_of("noise", 1, 44_100, 2, 0)

    def kept(seconds: int) -> int:
        for _ in range(seconds):
            stream.push(second)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = kept(15)
        # Half a minute of it, as frames, would be 0.3 MB.
        assert kept(30) - early < 50_000
    finally:
        tracemalloc.stop()


def peeking() -> dict[str, tuple[str, list[Any]]]:
    """Networks that cannot stream, and why: they would have to hear the end of the song."""
    layers = keras.layers
    return {
        "an LSTM in both directions": (
            "both .Bidirectional. looks at the whole song",
            [layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")],
        ),
        "a recurrent layer that runs backwards": (
            "back .GRU. cannot process .* with this go_backwards",
            [layers.GRU(4, return_sequences=True, go_backwards=True, name="back")],
        ),
        "a convolution with a step for each frame": (
            'around pads its input .same., .* the end of a song.*padding="valid"',
            [layers.Conv1D(4, 5, padding="same", name="around")],
        ),
        "the loudest moment of the song": (
            "loudest .GlobalMaxPooling1D. looks at the whole song: what comes later",
            [layers.GlobalMaxPooling1D(name="loudest"), layers.RepeatVector(3)],
        ),
    }


@pytest.mark.parametrize("what", peeking())
def test_a_network_that_cannot_stream_says_why(what):
    said, stack = peeking()[what]
    frames = x = keras.Input((None, SOUND.n_mels), name="log_mel")
    for layer in stack:
        x = layer(x)
    over_time = keras.layers.Dense(3, activation="softmax", name="genre_over_time")(x)
    model = keras.Model(frames, {"genre_over_time": over_time})
    with pytest.raises(SongNetError, match=said):
        SongNet(model, SOUND, GENRES)
