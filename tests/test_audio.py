"""Decoding and log-mel: every format, every kind of damage, and frames that never look ahead."""

from __future__ import annotations

import contextlib
import functools
import io
import math
import os
import threading
import warnings
from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils.audio import (
    SUFFIXES,
    AudioError,
    AudioWarning,
    decode,
    load_audio,
    log_mel,
    log_mel_of_windows,
    mix_down,
    read_audio,
)
from songnet_utils.audio.sound import Sound

SOUND = Sound()
LISTENER_SOUND = Sound(sample_rate=16_000, n_fft=512, hop=256, n_mels=96, floor=1e-10)


def melody(seconds: float, rate: int = 44_100, channels: int = 2) -> np.ndarray:
    """A tone that swells and a rising whistle, the second channel half as loud as the first."""
    time = np.arange(round(seconds * rate)) / rate
    audio = 0.3 * np.sin(2 * np.pi * 440 * time) * np.linspace(0.2, 1, len(time))
    audio += 0.1 * np.sin(2 * np.pi * 1_000 * time**2)
    return np.stack([audio / (channel + 1) for channel in range(channels)], 1).astype(np.float32)


def sound_file(
    samples: np.ndarray, rate: int = 44_100, format: str = "WAV", subtype: str | None = None
) -> bytes:
    """Write samples with libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=format, subtype=subtype)
    return file.getvalue()


def ffmpeg_file(
    samples: np.ndarray, rate: int, container: str, codec: str, options: dict | None = None
) -> bytes:
    """Write stereo samples with FFmpeg's libraries."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        if options and "vbr" in options:
            stream.codec_context.qscale = True
        stream.codec_context.open()
        convert = av.AudioResampler(stream.codec_context.format, "stereo", rate)
        size = stream.codec_context.frame_size or 1_024
        for first in range(0, len(samples), size):
            piece = np.ascontiguousarray(samples[first : first + size].T)
            frame = av.AudioFrame.from_ndarray(piece, "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            for converted in convert.resample(frame):
                output.mux(stream.encode(converted))
        output.mux(stream.encode(None))
    return file.getvalue()


# What FFmpeg writes: suffix → container, codec.
WIDE = {
    **{".webm": ("webm", "libopus"), ".wma": ("asf", "wmav2"), ".aac": ("adts", "aac")},
    **{".m4a": ("ipod", "aac"), ".mp4": ("mp4", "aac")},
}


# Suffix → the file's bytes, its rate, the largest error allowed (None for lossy kinds).
def write(suffix: str) -> tuple[bytes, int, float | None]:
    sixteen_bits = 2**-15 + 1e-7
    if suffix in WIDE:
        rate = 48_000 if suffix == ".webm" else 44_100
        return ffmpeg_file(melody(1, rate), rate, *WIDE[suffix]), rate, None
    if suffix == ".opus":
        return sound_file(melody(1, 48_000), 48_000, "OGG", "OPUS"), 48_000, None
    kind = {".aif": "AIFF"}.get(suffix, suffix[1:].upper())
    exact = suffix in (".wav", ".flac", ".au", ".aiff", ".aif")
    return sound_file(melody(1), 44_100, kind), 44_100, sixteen_bits if exact else None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_decodes_the_same_from_path_and_bytes(suffix, tmp_path):
    content, written_rate, largest_error = write(suffix)
    path = tmp_path / f"song{suffix}"
    path.write_bytes(content)
    samples, rate = read_audio(path)
    from_bytes, _ = read_audio(content)
    np.testing.assert_array_equal(samples, from_bytes)
    np.testing.assert_array_equal(load_audio(path, 22_050), load_audio(content, 22_050))

    expected = melody(1, rate)
    assert rate == written_rate
    assert samples.dtype == np.float32
    assert samples.shape[1] == 2
    if largest_error is not None:
        assert samples.shape == expected.shape
        np.testing.assert_allclose(samples, expected, atol=largest_error)
        return
    # Lossy: near enough, once aligned. Raw aac and wma do not say how much their encoder put
    # before the beginning; the others do, and nothing is shifted.
    inner = expected[4_000:-4_000]
    match = np.correlate(samples[:, 0], inner[:, 0], "valid")
    shift = int(match.argmax()) - 4_000
    assert abs(shift) <= (2_048 if suffix in (".aac", ".wma") else 0)
    heard = samples[4_000 + shift :][: len(inner)]
    for channel in (0, 1):
        assert np.corrcoef(heard[:, channel], inner[:, channel])[0, 1] > 0.98
        assert np.std(heard[:, channel]) == pytest.approx(np.std(inner[:, channel]), rel=0.05)


def test_variable_bitrate_mp3_without_a_header_is_decoded_whole():
    """libsndfile takes the first frame's bitrate for all and stops after 1.4 of these 5 s."""
    song = melody(5)
    song[44_100 : 3 * 44_100] = 0
    content = ffmpeg_file(song, 44_100, "mp3", "libmp3lame", {"write_xing": "0", "vbr": "1"})
    assert b"Xing" not in content
    assert b"Info" not in content
    samples, _ = read_audio(content)
    # Without the header nothing says what the encoder put before and after.
    assert len(song) <= len(samples) <= len(song) + 3 * 1_152


@pytest.mark.parametrize("rate", [44_100, 32_000, 22_050, 16_000, 8_000])
@pytest.mark.parametrize("tag", [b"", b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)])
def test_an_mp3_of_every_mpeg_version_is_whole_or_called_cut_short(rate, tag):
    song = melody(2, rate)
    options = {"write_xing": "1", "id3v2_version": "0"}
    content = tag + ffmpeg_file(song, rate, "mp3", "libmp3lame", options)
    for after in (b"", b"TAG" + bytes(125)):
        samples, decoded_rate = read_audio(content + after)
        assert decoded_rate == rate
        assert len(song) <= len(samples) <= len(song) + 3 * 1_152
    for part in (0.8, 0.5, 0.1):
        with pytest.raises(AudioError, match=r"sound: is .*(short|damaged).*download"):
            read_audio(content[: int(len(content) * part)])


# What a file's last bytes may be besides sound: tags, and zeros that a download reserved.
TAILS = {
    "nothing": b"",
    "ID3v1": b"TAG" + bytes(125),
    "ID3v2": b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128),
    "APE": b"APETAGEX\xd0\x07\0\0" + bytes(20),
    "zeros": bytes(3_000),
    "half a frame": None,
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("header", ["0", "1"])
def test_what_follows_the_last_frame_of_an_mp3_is_no_sound(tail, header, recwarn):
    options = {"write_xing": header, "id3v2_version": "0"}
    content = ffmpeg_file(melody(2), 44_100, "mp3", "libmp3lame", options)
    whole, _ = read_audio(content)
    if (after := TAILS[tail]) is None:
        content, after = content[:-100], b""
    samples, _ = read_audio(content + after)
    # A frame that is cut short goes; the overlap of the one before it goes with it. Where zeros
    # follow, the silence that the encoder put after the song may stay.
    assert len(whole) - 2 * 1_152 <= len(samples) <= len(whole) + 1_152
    same = len(whole) - 4 * 1_152
    np.testing.assert_allclose(samples[:same], whole[:same], atol=1e-5)
    assert not [one for one in recwarn if one.category is AudioWarning]


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "FLAC"])
@pytest.mark.parametrize("part", [0.9, 0.5, 0.1])
def test_other_files_cut_short_are_not_half_a_song(kind, part):
    content = sound_file(melody(2), format=kind)
    with pytest.raises(AudioError, match=r"sound: is .*(cut short|damaged).*download it again"):
        read_audio(content[: int(len(content) * part)])


@settings(max_examples=30)
@given(st.floats(0.05, 0.99), st.integers(0, 7))
def test_a_flac_with_one_wrong_bit_is_not_heard_as_if_it_were_right(place, bit):
    """Each of its frames holds a checksum."""
    content = bytearray(_flac())
    content[int(place * len(content))] ^= 1 << bit
    with pytest.raises(AudioError, match="sound: is cut short or damaged"):
        read_audio(bytes(content))


@functools.cache
def _flac() -> bytes:
    return sound_file(melody(4), format="FLAC")


@pytest.mark.parametrize("kind", ["webm", "flac"])
def test_what_ffmpeg_reads_of_a_file_cut_short_is_not_half_a_song(kind):
    """Their headers come first: FFmpeg gives what there is without a word."""
    if kind == "flac":
        content = bytearray(sound_file(melody(4), format="FLAC"))
        content[21:26] = (content[21] & 0xF0).to_bytes(1, "big") + (8 * 44_100).to_bytes(4, "big")
    else:
        content = ffmpeg_file(melody(8, 48_000), 48_000, kind, WIDE[f".{kind}"][1])
    if kind != "flac":
        content = content[: len(content) // 2]
    with pytest.raises(
        AudioError, match=r"sound: is cut short or damaged. Only .* of the 8\.\d+ s that its header"
    ):
        read_audio(bytes(content))


# What the sizes in a wav's header say where a program could not know them, or counted wrongly.
SIZES = {
    "largest": (2**32 - 1, 2**32 - 1),
    "sox": (0x7FFFF024, 0x7FFFF000),
    "arecord": (2**31, 2**31 - 36),
    "counts its header": (36 + 88_200 + 44, 88_200 + 44),
    "never finished": (0, 0),
    "only the data's was never finished": (36 + 88_200, 0),
}


@pytest.mark.parametrize("sizes", SIZES)
def test_a_wav_with_unknown_or_wrong_sizes_is_read_whole(sizes):
    content = bytearray(sound_file(melody(1, 44_100, 1)))
    assert content[36:40] == b"data"
    for at, size in zip((4, 40), SIZES[sizes], strict=True):
        content[at : at + 4] = size.to_bytes(4, "little")
    song = decode(bytes(content), 44_100, name="song")
    (said,) = song.notes if "never" in sizes else [""]
    assert said.startswith("song: its header was never finished" if "never" in sizes else "")
    assert song.seconds == 1
    np.testing.assert_allclose(song.audio, melody(1, 44_100, 1)[:, 0], atol=2**-14)


def test_an_ogg_that_lost_its_end_is_said():
    """Nothing in its header says how long it is; but its last page is marked."""
    content = sound_file(melody(3), format="OGG")
    song = decode(content[:-100], name="song")
    assert "song: its last page is missing" in song.notes[0]
    assert 1 < song.seconds < 3


def test_a_flac_of_unknown_duration_is_read_whole():
    content = bytearray(sound_file(melody(2), format="FLAC"))
    # The last 36 bits before the MD5 sum are the number of samples; 0 is "unknown".
    content[21:26] = (content[21] & 0xF0).to_bytes(1, "big") + bytes(4)
    np.testing.assert_allclose(read_audio(bytes(content))[0], melody(2), atol=2**-14)


def test_a_wav_of_telephone_speech_is_read_whole():
    """GSM comes in blocks that no decoder can seek in."""
    content = sound_file(melody(2, 8_000, 1), 8_000, "WAV", "GSM610")
    song = decode(content, 8_000)
    assert song.seconds == pytest.approx(2, abs=0.04)
    right = melody(2, 8_000, 1)[:, 0]
    assert np.corrcoef(song.audio[: len(right)], right)[0, 1] > 0.9


def tone(frequency: float, seconds: float, rate: int, channels: int = 2) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return np.repeat(0.3 * np.sin(2 * np.pi * frequency * time)[:, None], channels, axis=1)


def pitch(audio: np.ndarray, rate: int) -> float:
    """Return the loudest frequency of mono audio, in Hz."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    return float(spectrum.argmax() * rate / len(audio))


def written(suffix: str, samples: np.ndarray, rate: int) -> bytes:
    if suffix in WIDE:
        samples = np.repeat(samples[:, :1], 2, axis=1).astype(np.float32)
        return ffmpeg_file(samples, rate, *WIDE[suffix])
    return sound_file(
        samples, rate, {".aif": "AIFF", ".opus": "OGG"}.get(suffix, suffix[1:].upper())
    )


JOINED = [suffix for suffix in SUFFIXES if suffix not in (".au", ".webm")]


@pytest.mark.parametrize("suffix", JOINED)
@pytest.mark.parametrize("change", ["nothing", "channels", "rate"])
def test_joined_files_are_heard_whole_each_at_its_own_rate(suffix, change):
    """440 Hz for two seconds, then 1,000 Hz for three, at another rate or with other channels."""
    rates = (44_100, 22_050 if change == "rate" else 44_100)
    first = written(suffix, tone(440, 2, rates[0]), rates[0])
    second = written(suffix, tone(1_000, 3, rates[1], 1 if change == "channels" else 2), rates[1])
    song = decode(first + second, 22_050)
    # Lossy encoders pad a song by a few hundredths of a second.
    assert song.seconds == pytest.approx(5, abs=0.15)
    assert len(song.audio) == pytest.approx(22_050 * song.seconds, abs=2)
    assert set(song.rates) == set(rates)
    quarter = 22_050 // 4
    for start, frequency in ((0.5, 440), (1.5, 440), (2.5, 1_000), (4.5, 1_000)):
        first_sample = round(start * 22_050)
        heard = song.audio[first_sample : first_sample + quarter]
        assert pitch(heard, 22_050) == pytest.approx(frequency, abs=5)
        assert np.std(heard) == pytest.approx(0.3 / math.sqrt(2), rel=0.1)
    samples, rate = read_audio(first + second)
    assert len(samples) == pytest.approx(rate * song.seconds, abs=5)
    assert pitch(samples[-2 * quarter : -quarter, 0], rate) == pytest.approx(1_000, abs=9)


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("noise", [0, 2**-15])
def test_channels_that_cancel_each_other_are_said_and_one_is_played(channels, noise):
    song = tone(440, 2, 22_050, 1)
    generator = np.random.default_rng(0)
    samples = np.concatenate([song, -song] * (channels // 2), axis=1)
    samples += noise * generator.uniform(-1, 1, samples.shape)
    content = sound_file(samples, 22_050)
    with pytest.warns(AudioWarning, match="sound: its channels cancel out"):
        audio = load_audio(content, 22_050)
    np.testing.assert_allclose(audio, song[:, 0], atol=2**-13)
    with pytest.warns(AudioWarning):
        np.testing.assert_array_equal(audio, mix_down(read_audio(content)[0]))


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".m4a", ".wma"])
def test_channels_that_cancel_each_other_are_found_in_lossy_files(suffix):
    song = melody(3, 44_100, 1) + np.random.default_rng(0).normal(0, 0.02, (3 * 44_100, 1))
    samples = np.concatenate([song, -song], axis=1).astype(np.float32)
    if suffix in WIDE:
        content = ffmpeg_file(samples, 44_100, *WIDE[suffix])
    else:
        content = sound_file(samples, 44_100, suffix[1:].upper())
    with pytest.warns(AudioWarning, match="sound: its channels cancel out"):
        audio = load_audio(content, 44_100)
    assert np.std(audio) == pytest.approx(np.std(song), rel=0.1)


def test_channels_that_begin_to_cancel_out_later_are_found():
    song = tone(440, 4, 22_050, 1)
    sign = np.where(np.arange(len(song)) < 44_100, 1, -1)[:, None]
    found = decode(sound_file(np.concatenate([song, sign * song], 1), 22_050), name="song")
    assert "song: its channels cancel out for" in found.notes[0]
    # A second is judged as a whole: one holds the end of what does not cancel out.
    np.testing.assert_allclose(found.audio[67_000:], song[67_000:, 0], atol=2**-14)


def test_wide_stereo_is_no_cancelling(recwarn):
    """Two different tones, one of them inverted: the mean holds both."""
    left, right = tone(440, 2, 22_050, 1), -tone(660, 2, 22_050, 1)
    audio = load_audio(sound_file(np.concatenate([left, right], axis=1), 22_050), 22_050)
    np.testing.assert_allclose(audio, ((left + right) / 2)[:, 0], atol=2**-14)
    assert not [one for one in recwarn if one.category is AudioWarning]


@pytest.mark.parametrize("name", ["song.raw", b"caf\xe9.mp3", "no ending", "song.txt"])
def test_a_file_is_what_it_holds_whatever_its_name(name, tmp_path):
    content = sound_file(melody(1), format="MP3")
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(content)
    np.testing.assert_array_equal(load_audio(path, 22_050), load_audio(content, 22_050))


def test_tags_in_an_old_encoding_are_no_damage():
    content = sound_file(melody(1))
    tag = (
        b"LIST" + (16).to_bytes(4, "little") + b"INFOINAM" + (4).to_bytes(4, "little") + b"Caf\xe9"
    )
    riff = (len(content) + len(tag) - 8).to_bytes(4, "little")
    tagged = b"RIFF" + riff + content[8:36] + tag + content[36:]
    np.testing.assert_array_equal(load_audio(tagged, 22_050), load_audio(content, 22_050))


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "IMA_ADPCM", "MS_ADPCM", "GSM610", "ULAW"])
@pytest.mark.parametrize("kind", ["WAV", "RF64"])
def test_a_wav_of_every_codec_is_whole_or_called_cut_short(kind, subtype):
    if kind == "RF64" and subtype.endswith(("ADPCM", "GSM610")):
        pytest.skip("libsndfile does not write these as RF64")
    rate = 8_000
    content = sound_file(melody(4, rate, 1), rate, kind, subtype)
    song = decode(content)
    assert song.notes == ()
    assert song.seconds == pytest.approx(4, abs=0.15)
    with pytest.raises(AudioError, match="cut short or damaged"):
        decode(content[: len(content) // 2])


def test_many_joined_files_take_little_memory():
    one = sound_file(tone(440, 0.02, 22_050, 1), 22_050)
    assert decode(one * 500).seconds == pytest.approx(10, abs=0.01)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "song.wav"
    os.mkfifo(pipe)
    content = sound_file(melody(1))
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    audio = load_audio(pipe, 22_050)
    writer.join()
    np.testing.assert_array_equal(audio, load_audio(content, 22_050))


@pytest.mark.parametrize("rate", [0, 22_050.5, "22050", True, 10**9])
def test_a_rate_that_no_sound_has_is_refused(rate):
    with pytest.raises(AudioError, match=r"rate must be a whole number of samples per second"):
        load_audio(sound_file(melody(0.1)), rate)


@pytest.mark.parametrize("rate", [1, 500, 2_000_000])
def test_a_header_with_an_absurd_rate_is_not_resampled(rate):
    content = bytearray(sound_file(melody(0.1, 44_100, 1)))
    content[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(AudioError, match="samples per second, but sound has 1,000 to 1,000,000"):
        load_audio(bytes(content), 22_050)


@settings(max_examples=60)
@given(st.sampled_from(SUFFIXES), st.data())
def test_nothing_but_an_audio_error_leaves_the_reader(suffix, data):
    """Whatever bytes of a file are changed or lost."""
    content = bytearray(_one_of_each(suffix))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    stop = data.draw(st.integers(1, len(content)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        with contextlib.suppress(AudioError):
            assert np.isfinite(load_audio(bytes(content[:stop]), 22_050)).all()


@functools.cache
def _one_of_each(suffix: str) -> bytes:
    return write(suffix)[0]


# What is in the shared folder of odd files, after reports of other projects: seconds, and a word
# of what is said.
CASES = {
    **{"rate_doubles.mp3": (12.1, ""), "mono_then_stereo.mp3": (12.1, "")},
    **{"mono_then_stereo.aac": (12.1, ""), "pipe2.flac": (6, ""), "gsm.wav": (12, "")},
    **{"chained.ogg": (12, ""), "cat_info.mp3": (12.1, ""), "sox_pipe_7ffff000.wav": (4, "")},
    **{"data_size_0.wav": (4, "never finished"), "data_size_plus_44.wav": (4, "")},
    **{"tail_id3v2_noinfo.mp3": (6, ""), "cut_last_frame_noinfo.mp3": (6, "")},
    "out_of_phase.wav": (2.2, "cancel out"),
}


@pytest.mark.parametrize("case", CASES)
def test_odd_files_that_people_have(case, shared_fma):
    path = shared_fma.parent / "cases" / "files" / case
    if not path.is_file():
        pytest.skip(f"no odd file at {path}")
    seconds, said = CASES[case]
    song = decode(path, 22_050)
    assert [said in note for note in song.notes] == [True] * bool(said)
    assert song.seconds == pytest.approx(seconds, abs=0.1)
    assert np.std(song.audio) > 0.01


def test_real_clips_are_whole_and_their_beginnings_are_not(shared_fma):
    files = sorted(shared_fma.glob("fma_small/*/*.mp3"))[::30]
    for file in files:
        content = file.read_bytes()
        samples, rate = read_audio(content)
        assert 29 < len(samples) / rate < 31
        with pytest.raises(AudioError, match="cut short"):
            read_audio(content[: len(content) * 9 // 10])


def test_plain_mp3s_are_what_ffmpeg_makes_of_them(shared_fma, monkeypatch):
    """But for the first frames of a clip, which lean on frames that were cut away."""
    files = sorted(shared_fma.glob("fma_small/*/*.mp3"))[::20]
    plain = [load_audio(file, 44_100) for file in files]
    monkeypatch.setattr("songnet_utils.audio.ffmpeg.plain_pieces", lambda *_: [])
    for file, audio in zip(files, plain, strict=True):
        other = load_audio(file, 44_100)
        assert other.shape == audio.shape
        np.testing.assert_allclose(other[4_000:], audio[4_000:], atol=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"song\.mp3: the file is empty \(0 bytes\)"),
        (b"This is not music.\n" * 300, r"song\.mp3: is not a sound file"),
        (b"no", r"song\.mp3: is not a sound file"),
        (b"\xff", r"song\.mp3: is not a sound file"),
        (b"<html><body>404 Not Found</body></html>", r"song\.mp3: is not a sound file"),
        (bytes(5_000), r"song\.mp3: is not a sound file"),
        (np.random.default_rng(0).bytes(20_000), r"song\.mp3: is not a sound file"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nlyrics\n", r"song\.mp3: is not a sound file"),
        (b"ID3\x04\x00\x00\x00\x00\x7f\x7f" + bytes(50), r"song\.mp3: is not a sound file"),
        (sound_file(np.zeros((0, 1))), r"song\.mp3: contains no samples"),
        (sound_file(np.zeros((44_100, 2))), r"song\.mp3: holds only silence"),
        (sound_file(np.full((44_100, 1), 1e-6), subtype="FLOAT"), r"holds only silence"),
        (sound_file(np.array([0.1, np.nan]), subtype="FLOAT"), r"not numbers \(NaN or infinite\)"),
        (sound_file(np.array([0.1, np.inf]), subtype="FLOAT"), r"not numbers \(NaN or infinite\)"),
        (sound_file(np.array([0.1, -1e20]), subtype="FLOAT"), r"up to 1e\+20, but full scale"),
        (sound_file(np.full((2, 1), 0.5), 192_000), "or is too short"),
    ],
)
def test_bad_files_are_told_in_one_line_with_a_way_out(content, said, tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=said) as caught:
        load_audio(path, 22_050)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert message.endswith(".")
    if content:
        with pytest.raises(AudioError, match="the uploaded sound"):
            load_audio(content, 22_050)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(AudioError, match=r"gone\.mp3: cannot be read \(No such file"):
        load_audio(tmp_path / "gone.mp3", 22_050)
    with pytest.raises(AudioError, match=r"cannot be read \(Is a directory"):
        load_audio(tmp_path, 22_050)


def test_eight_channels_at_192_khz_are_mixed_evenly():
    rate, wanted = 192_000, 22_050
    time = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * time)
    samples = np.outer(tone, np.arange(8) / 8)
    audio = load_audio(sound_file(samples, rate, subtype="FLOAT"), wanted)
    assert audio.shape == (wanted,)
    # The channels' mean gain is (0 + … + 7) / 64 = 0.4375.
    expected = 0.4375 * np.sin(2 * np.pi * 440 * np.arange(wanted) / wanted)
    np.testing.assert_allclose(audio[500:-500], expected[500:-500], atol=1e-4)


@given(st.integers(1, 9))
def test_mixing_down_is_the_mean_of_the_channels(channels):
    samples = np.random.default_rng(channels).normal(0, 0.3, (50, channels)).astype(np.float32)
    mixed = mix_down(samples)
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, samples.mean(axis=1, dtype=np.float64), atol=1e-7)


def test_a_tenth_of_a_second_is_read():
    audio = load_audio(sound_file(melody(0.1)), 22_050)
    assert audio.shape == (2_205,)
    assert log_mel(audio, SOUND).shape == (1 + 2_205 // 1_024, 128)


@pytest.mark.parametrize("sound", [SOUND, LISTENER_SOUND], ids=["songnet", "listener"])
def test_log_mel_is_librosas_in_double_precision(sound):
    """Within 60 dB of the loudest; further down float32 itself is off."""
    generator = np.random.default_rng(0)
    audio = melody(3, sound.sample_rate, 1)[:, 0]
    audio = audio + generator.normal(0, 0.01, len(audio)).astype(np.float32)
    reference = librosa.feature.melspectrogram(
        y=audio.astype(np.float64),
        sr=sound.sample_rate,
        n_fft=sound.n_fft,
        hop_length=sound.hop,
        n_mels=sound.n_mels,
        pad_mode="constant",
        dtype=np.float64,
    ).T
    ours = log_mel(audio, sound)
    assert ours.shape == reference.shape
    assert ours.dtype == np.float32
    loud = reference > max(reference.max() * 1e-6, sound.floor)
    assert loud.mean() > 0.5
    decibels = 10 / math.log(10) * (ours - np.log(reference))
    assert np.abs(decibels[loud]).max() < 1e-3


def test_log_mel_of_real_music_is_librosas(shared_fma):
    for file in sorted(shared_fma.glob("fma_small/*/*.mp3"))[::40]:
        audio = load_audio(file, SOUND.sample_rate)
        reference = librosa.feature.melspectrogram(
            y=audio.astype(np.float64),
            sr=SOUND.sample_rate,
            n_fft=SOUND.n_fft,
            hop_length=SOUND.hop,
            n_mels=SOUND.n_mels,
            pad_mode="constant",
            dtype=np.float64,
        ).T
        loud = reference > max(reference.max() * 1e-6, SOUND.floor)
        decibels = 10 / math.log(10) * (log_mel(audio, SOUND) - np.log(reference))
        assert np.abs(decibels[loud]).max() < 1e-3


@settings(deadline=None, max_examples=40)
@given(st.integers(2_000, 30_000), st.floats(0, 1), st.integers(0, 100))
def test_what_comes_later_changes_no_earlier_frame_by_a_bit(samples, part, seed):
    audio = np.random.default_rng(seed).normal(0, 0.3, samples).astype(np.float32)
    change = int(part * (samples - 1))
    other = audio.copy()
    other[change:] = np.random.default_rng(seed + 1).normal(0, 10, samples - change)
    before, after = log_mel(audio, SOUND), log_mel(other, SOUND)
    # Frames whose window ends at or before the first changed sample.
    untouched = sum(SOUND.frame_samples(i)[1] <= change for i in range(len(before)))
    np.testing.assert_array_equal(before[:untouched], after[:untouched])
    # The window weighs its outermost sample with 0, so the next frame may or may not notice.
    assert (before[untouched + 1 :] != after[untouched + 1 :]).any(axis=1).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40_000), st.integers(1, 70))
def test_a_frame_is_the_same_alone_and_among_others(samples, at_once):
    audio = np.random.default_rng(samples).normal(0, 0.3, samples).astype(np.float32)
    frames = log_mel(audio, SOUND)
    assert len(frames) == SOUND.frames_of_samples(samples)
    padded = np.pad(audio, (1_024, 2_048))
    windows = np.stack([padded[1_024 * i : 1_024 * i + 2_048] for i in range(len(frames))])
    for first in range(0, len(frames), at_once):
        group = slice(first, first + at_once)
        np.testing.assert_array_equal(log_mel_of_windows(windows[group], SOUND), frames[group])


@pytest.mark.parametrize("sound", [SOUND, LISTENER_SOUND], ids=["songnet", "listener"])
def test_silence_is_the_floor(sound):
    frames = log_mel(np.zeros(sound.sample_rate, np.float32), sound)
    np.testing.assert_allclose(frames, math.log(sound.floor), rtol=1e-6)


@pytest.mark.parametrize("frequency", [220, 440, 1_000, 3_000, 9_000])
def test_a_pure_tone_is_loudest_in_the_band_around_it(frequency):
    time = np.arange(SOUND.sample_rate) / SOUND.sample_rate
    frames = log_mel(np.sin(2 * np.pi * frequency * time).astype(np.float32), SOUND)
    edges = librosa.mel_frequencies(n_mels=SOUND.n_mels + 2, fmax=SOUND.sample_rate / 2)
    for band in frames[2:-2].argmax(axis=1):
        assert edges[band] <= frequency <= edges[band + 2]


def test_twice_the_amplitude_is_four_times_the_power():
    audio = melody(1, SOUND.sample_rate, 1)[:, 0]
    soft, loud = log_mel(audio, SOUND), log_mel(2 * audio, SOUND)
    above = soft > math.log(SOUND.floor)
    np.testing.assert_allclose((loud - soft)[above], math.log(4), atol=1e-4)


@pytest.mark.parametrize(
    ("audio", "said"),
    [
        (np.zeros(0, np.float32), r"at least 1 sample\. Got shape \(0,\)"),
        (np.zeros((5, 2), np.float32), r"mono, .* Got shape \(5, 2\)"),
        (np.zeros(5, np.int16), r"floating point .* Got dtype int16"),
        (np.array([0.0, np.nan]), r"not numbers"),
        (np.array([0.0, np.inf]), r"not numbers"),
        (np.array([0.0, -1e7]), r"up to 1e\+07, but full scale is 1"),
    ],
)
def test_arrays_that_are_not_sound_are_refused(audio, said):
    with pytest.raises(AudioError, match=said):
        log_mel(audio, SOUND)


def test_decoding_leaves_the_file_alone(tmp_path: Path):
    path = tmp_path / "song.wav"
    path.write_bytes(sound_file(melody(0.2)))
    before = path.read_bytes(), path.stat().st_mtime_ns
    load_audio(path, 22_050)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [file.name for file in tmp_path.iterdir()] == ["song.wav"]
