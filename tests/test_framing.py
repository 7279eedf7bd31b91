"""Frames of a song in pieces are those of the whole song, each as soon as it is decided."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import AudioError, log_mel, look_ahead, mix_down, read_audio, resample
from songnet_utils.audio.frame_stream import FrameStream
from songnet_utils.audio.sound import Sound
from songnet_utils.models.transfer import SOUND as LISTENERS

SOUND = Sound(sample_rate=8_000, n_fft=128, hop=48, n_mels=20)

# Windows that overlap, that meet, and that are as far apart as they may be.
SOUNDS = (
    SOUND,
    Sound(sample_rate=8_000, n_fft=100, hop=100, n_mels=10, floor=1e-9),
    Sound(sample_rate=11_025, n_fft=250, hop=249, n_mels=12),
)

sizes_of_pieces = st.lists(
    st.one_of(st.integers(1, 9), st.integers(10, 900), st.integers(901, 60_000)),
    min_size=1,
    max_size=6,
)


def noise(samples: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    swelling = 0.02 + np.abs(np.sin(np.linspace(0, random.uniform(3, 30), samples)))
    return np.float32(0.2 * random.standard_normal((samples, channels)) * swelling[:, None])


def in_pieces(samples: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Cut samples up; the sizes are gone through again and again."""
    pieces, at = [], 0
    while at < len(samples):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(samples[at : at + size])
        at += size
    return pieces


@settings(max_examples=60)
@given(
    sound=st.sampled_from(SOUNDS),
    rate=st.sampled_from([None, 8_000, 11_025, 44_100]),
    channels=st.integers(1, 3),
    samples=st.integers(1, 9_000),
    sizes=sizes_of_pieces,
    seed=st.integers(0, 2**20),
)
def test_any_pieces_give_the_frames_of_the_whole_song(sound, rate, channels, samples, sizes, seed):
    song = noise(samples, channels, seed)
    stream = FrameStream(sound, rate, channels)
    frames = [stream.push(piece) for piece in in_pieces(song, sizes)]
    assert stream.seconds == samples / (rate or sound.sample_rate)
    frames.append(stream.finish())
    got = np.concatenate(frames)
    assert got.dtype == np.float32
    assert stream.taken == len(got)
    heard = resample(mix_down(song), rate or sound.sample_rate, sound.sample_rate)
    if not len(heard):
        assert not len(got)
        return
    expected = log_mel(heard, sound)
    if rate in (None, sound.sample_rate):
        np.testing.assert_array_equal(got, expected)
    else:
        # Where sound cancels to almost nothing, its last bits are all there is.
        np.testing.assert_allclose(np.exp(got), np.exp(expected), rtol=1e-4, atol=1e-6)


@settings(max_examples=30)
@given(
    sound=st.sampled_from(SOUNDS),
    sizes=sizes_of_pieces,
    groups=st.lists(st.one_of(st.none(), st.integers(0, 7)), min_size=1, max_size=5),
)
def test_frames_may_be_taken_later_and_in_any_groups(sound, sizes, groups):
    song = noise(6_000)[:, 0]
    stream, got = FrameStream(sound), []
    for turn, piece in enumerate(in_pieces(song, sizes)):
        stream.feed(piece)
        if turn % 3 == 1:
            most = groups[turn % len(groups)]
            got.append(stream.take(most))
            assert len(got[-1]) <= (most if most is not None else len(song))
            assert most is not None or stream.taken == stream.decided
    stream.end()
    got.append(stream.take(5))
    got.append(stream.take())
    np.testing.assert_array_equal(np.concatenate(got), log_mel(song, sound))


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_frame_comes_with_the_last_sample_of_its_window(sound):
    stream, frames = FrameStream(sound), 0
    for heard, sample in enumerate(noise(5 * sound.n_fft), start=1):
        new = len(stream.push(sample))
        if new:
            assert (new, heard) == (1, sound.frame_samples(frames)[1])
        frames += new
    assert frames > 4


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_resampled_a_frame_comes_within_the_look_ahead_after_it(rate):
    stream, frames = FrameStream(SOUND, rate), 0
    for heard, sample in enumerate(noise(rate // 5), start=1):
        for _ in range(len(stream.push(sample))):
            own = SOUND.frame_samples(frames)[1] - 1
            assert heard <= own * rate / SOUND.sample_rate + look_ahead(rate, SOUND.sample_rate)
            frames += 1
    assert frames > 20


@pytest.mark.parametrize("sound", [Sound(), LISTENERS])
def test_real_songs_in_the_pieces_of_a_microphone(sound, shared_fma):
    song, rate = read_audio(sorted((shared_fma / "fma_small").glob("*/*.mp3"))[7])
    song = song[: 10 * rate]
    stream = FrameStream(sound, rate, song.shape[1])
    frames = [stream.push(piece) for piece in in_pieces(song, [rate // 100])]
    got = np.concatenate([*frames, stream.finish()])
    expected = log_mel(resample(mix_down(song), rate, sound.sample_rate), sound)
    loud = expected > expected.max() - 14  # 60 dB
    assert loud.mean() > 0.1
    np.testing.assert_allclose(got[loud], expected[loud], atol=1e-4)


def test_what_records_may_use_its_array_again():
    song, stream = noise(4_000), FrameStream(SOUND)
    buffer = np.empty((100, 1), np.float32)
    for first in range(0, len(song), 100):
        buffer[:] = song[first : first + 100]
        stream.feed(buffer)
    stream.end()
    np.testing.assert_array_equal(stream.take(), log_mel(song[:, 0], SOUND))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_memory_does_not_grow_with_the_song(rate):
    stream, piece = FrameStream(SOUND, rate, channels=2), noise(rate // 10, 2)

    def kept(seconds: int) -> int:
        for _ in range(10 * seconds):
            stream.push(piece)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = kept(5)
        # A minute of it, mono, at the network's rate would be 1.9 MB.
        assert kept(60) - early < 100_000
    finally:
        tracemalloc.stop()


def test_a_song_without_samples_has_no_frame_and_one_of_one_sample_has_one():
    assert FrameStream(SOUND).finish().shape == (0, 20)
    assert FrameStream(SOUND, 44_100).finish().shape == (0, 20)
    stream = FrameStream(SOUND)
    assert stream.push(np.ones(1, np.float32)).shape == (0, 20)
    assert stream.finish().shape == (1, 20)


def test_bad_pieces_are_refused_in_words_and_leave_the_stream_as_it_was():
    song = noise(5_000, 2)
    stream = FrameStream(SOUND, channels=2)
    frames = [stream.push(song[:2_000])]
    nan, endless = song[:9].copy(), song[:9].astype(np.float64)
    nan[3, 1], endless[0, 0] = np.nan, 1e300
    for wrong, said in (
        (nan, "not numbers"),
        (-np.inf * np.ones((3, 2), np.float32), "not numbers"),
        (endless, "but full scale is 1"),
        (np.full((9, 2), -1e7), r"up to 1e\+07, but full scale is 1"),
        (song[:0], "at least 1"),
        (np.float32(0), r"Got shape \(\)"),
        (song[:9, 0], r"shape \(n, 2\).*Got shape \(9,\)"),
        (song[:9].T, r"Got shape \(2, 9\)"),
        (song[:9].astype(int), "floating point .* Got dtype int"),
    ):
        with pytest.raises(AudioError, match=said):
            stream.push(wrong)
    frames += [stream.push(song[2_000:]), stream.finish()]
    np.testing.assert_array_equal(np.concatenate(frames), log_mel(mix_down(song), SOUND))
    for late in (stream.finish, stream.end, lambda: stream.push(song)):
        with pytest.raises(SongNetError, match="this stream has finished"):
            late()


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": 44_100.0}, {"channels": True}])
def test_wrong_rates_and_channels_are_refused(wrong):
    with pytest.raises(SongNetError, match="whole number of at least 1"):
        FrameStream(SOUND, **wrong)
