"""Rendering: from MIDI to sampled instruments, then through the artist's microphones and tape.

The instruments are those of TimGM6mb, the General MIDI soundfont that comes with `pretty_midi`
(Tim Brechbill 2004, David Bolton 2010; GPL-2, from MuseScore 1.3). `midirenderer` plays them, but
only at 48 kHz and in stereo. The clips need only 22.05 kHz, so the band plays at double speed, on
instruments that are tuned up an octave and have attacks and decays of half the length. The result
is then slowed down to half speed, like a tape, which puts all pitches and times right for half the
work.

The rest is done on mono audio at `RATE`, in the usual order of a studio: echo, equaliser,
saturation, wow, hiss and crackle, level. All of it depends only on the clip and its seed.
"""

from __future__ import annotations

import functools
import importlib.resources
import io
import struct

import midirenderer
import numpy as np
import soundfile
import soxr
from scipy import signal

from songnet_utils.corpora.mini.artists import Mix
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.plan import LEAD_IN

RATE = 22050
"""Samples per second of the clips."""
CEILING = 0.97
"""No sample is louder than this."""
FADE_SECONDS = 0.01


SPEED = 2
"""How many times faster the band plays than the music should sound."""
_TIMES = {21, 23, 25, 26, 27, 28, 30, 33, 34, 35, 36, 38}
"""SoundFont generators that are times: delay, attack, hold, decay, release."""
_FREQUENCIES = {8, 22, 24}
"""SoundFont generators that are frequencies: the filter's and the two vibratos'."""


@functools.cache
def soundfont() -> bytes:
    """Return the soundfont that comes with `pretty_midi`, tuned for playing at double speed.

    In a SoundFont 2 file, `shdr` describes samples in records of 46 bytes, with the sample rate at
    byte 36, and `igen` lists the instruments' settings as pairs of 16-bit numbers. Times and
    frequencies are in cents, so 1200 is a factor of two.
    """
    file = importlib.resources.files("pretty_midi") / "TimGM6mb.sf2"
    data = bytearray(file.read_bytes())
    octave = 1200 * (SPEED // 2)
    begin, size = _chunk(data, b"igen")
    settings = np.frombuffer(data, dtype="<i2", count=size // 2, offset=begin).copy().reshape(-1, 2)
    times = np.isin(settings[:, 0], sorted(_TIMES))
    settings[times, 1] = np.maximum(settings[times, 1] - octave, -12000)
    tones = np.isin(settings[:, 0], sorted(_FREQUENCIES))
    settings[tones, 1] = np.minimum(settings[tones, 1] + octave, 13500)
    data[begin : begin + size] = settings.tobytes()
    begin, size = _chunk(data, b"shdr")
    for record in range(begin, begin + size, 46):
        (rate,) = struct.unpack_from("<I", data, record + 36)
        struct.pack_into("<I", data, record + 36, rate * SPEED)
    return bytes(data)


def _chunk(data: bytearray, name: bytes) -> tuple[int, int]:
    """Return where a chunk's content begins, and its bytes; the lists are at the file's end."""
    at = data.rindex(name)
    return at + 8, struct.unpack_from("<I", data, at + 4)[0]


def play(midi: bytes) -> np.ndarray:
    """Play a MIDI file that is `SPEED` times too fast, and return the audio at the right speed.

    Returns
    -------
    numpy.ndarray
        Mono audio, float64 (n,), at `RATE`.
    """
    wav = midirenderer.render_wave_from(soundfont(), midi)
    audio, rate = soundfile.read(io.BytesIO(wav), dtype="float32", always_2d=True)
    mono = (audio[:, 0] + audio[:, -1]) * 0.5
    return soxr.resample(mono, rate // SPEED, RATE).astype(np.float64)


def _shelf(kind: str, hertz: float, decibels: float) -> np.ndarray:
    """Return a low shelf, high shelf or peak as a second-order section (the Audio EQ Cookbook)."""
    gain = 10 ** (decibels / 40)
    w = 2 * np.pi * hertz / RATE
    cos, alpha = np.cos(w), np.sin(w) / np.sqrt(2)
    if kind == "peak":
        alpha = np.sin(w) / 1.4
        b = (1 + alpha * gain, -2 * cos, 1 - alpha * gain)
        a = (1 + alpha / gain, -2 * cos, 1 - alpha / gain)
    else:
        s = 1.0 if kind == "low" else -1.0
        root = 2 * np.sqrt(gain) * alpha
        b = (
            gain * (gain + 1 - s * (gain - 1) * cos + root),
            s * 2 * gain * (gain - 1 - s * (gain + 1) * cos),
            gain * (gain + 1 - s * (gain - 1) * cos - root),
        )
        a = (
            gain + 1 + s * (gain - 1) * cos + root,
            -s * 2 * (gain - 1 + s * (gain + 1) * cos),
            gain + 1 + s * (gain - 1) * cos - root,
        )
    return np.array([[*b, *a]]) / a[0]


def _level(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(audio**2)))


def produce(audio: np.ndarray, mix: Mix, dice: Dice, samples: int) -> np.ndarray:
    """Give played audio the sound of an artist's records.

    Parameters
    ----------
    audio
        As `play` returns it, including `LEAD_IN` seconds before the clip.
    mix
        The artist's sound.
    dice
        For hiss, crackle and wow; its name is the clip's seed.
    samples
        How many samples the clip has.

    Returns
    -------
    numpy.ndarray
        float32 (samples,), within ±`CEILING`, at the artist's loudness.
    """
    lead = int(LEAD_IN * RATE)
    audio = np.concatenate([audio, np.zeros(max(lead + samples - len(audio), 0))])
    audio = audio[: lead + samples]
    delay, share = mix.echo
    if share:
        late = int(delay * RATE)
        audio[late:] += share * audio[:-late]  # a single echo, which does not echo again
    tone = [
        _shelf("low", 250, mix.low),
        _shelf("peak", mix.mid_hertz, mix.mid),
        _shelf("high", 3000, mix.high),
        signal.butter(2, mix.band[0], "highpass", fs=RATE, output="sos"),
        signal.butter(4, mix.band[1], "lowpass", fs=RATE, output="sos"),
    ]
    audio = signal.sosfilt(np.concatenate(tone), audio)
    audio /= max(_level(audio), 1e-6)
    if mix.drive > 0.02:
        push = 0.6 * mix.drive
        audio = np.tanh(audio * push) / push
        audio /= _level(audio)
    if mix.wow:
        now = np.arange(len(audio)) / RATE
        rate, phase = dice.between(0.4, 1.2), dice.between(0, 6.28)
        shift = mix.wow / (2 * np.pi * rate) * np.sin(2 * np.pi * rate * now + phase)
        audio = np.interp((now + shift) * RATE, np.arange(len(audio)), audio)
    noise = dice.of("noise").generator
    if mix.noise > -80:
        hiss = signal.lfilter([1.0], [1.0, -0.6], noise.standard_normal(len(audio)))
        audio += hiss * (10 ** (mix.noise / 20) / _level(hiss))
    if mix.crackle:
        clicks = noise.random(len(audio)) < mix.crackle / RATE
        pops = np.where(clicks, noise.standard_normal(len(audio)), 0.0)
        audio += signal.lfilter([0.5], [1.0, -0.75], pops)
    audio = audio[lead:]
    audio = audio * (10 ** (mix.loudness / 20) / max(_level(audio), 1e-6))
    # A limiter without memory: linear up to 0.6, then bent towards the ceiling.
    loud, knee = np.abs(audio), 0.6
    bent = knee + (CEILING - knee) * np.tanh((loud - knee) / (CEILING - knee))
    audio = np.where(loud > knee, np.sign(audio) * bent, audio)
    fade = int(FADE_SECONDS * RATE)
    audio[:fade] *= np.linspace(0, 1, fade)
    audio[-fade:] *= np.linspace(1, 0, fade)
    return audio.astype(np.float32)


def flac(audio: np.ndarray) -> bytes:
    """Return audio as a FLAC file, mono at `RATE`.

    The last two of the 16 bits stay empty. This adds noise at least 69 dB below the music, and
    saves a fifth of the space.
    """
    data = io.BytesIO()
    audio = np.round(audio * 8192) / 8192
    soundfile.write(data, audio, RATE, format="FLAC", subtype="PCM_16")
    return data.getvalue()
