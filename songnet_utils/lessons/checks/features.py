"""Checks of lesson 2, from sound to pictures: windows, mels, frames, and the past."""

from __future__ import annotations

from dataclasses import replace

import librosa
import numpy as np
from scipy.signal import find_peaks, get_window

from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.lessons.checks.questions import Choice, Function, Number, Question, exercise


@exercise
def window(low: float, high: float, sound: Sound) -> Question:
    """Ask for the shortest window that always shows two tones as two peaks: a power of two.

    Parameters
    ----------
    low, high : float
        The tones' frequencies, in hertz.
    sound : Sound
        The description of sound, for its sample rate.
    """
    rate = sound.sample_rate

    def two_peaks(n_fft: int) -> float:
        """Return the share of the phases that show two peaks."""
        time, phases = np.arange(n_fft) / rate, np.linspace(0, 2 * np.pi, 50)[:, None]
        tones = np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time + phases)
        powers = np.abs(np.fft.rfft(get_window("hann", n_fft) * tones)) ** 2
        return float(np.mean([len(find_peaks(p, height=p.max() / 100)[0]) == 2 for p in powers]))

    truth = next(2**power for power in range(8, 24) if two_peaks(2**power) == 1)
    return Number(
        truth,
        wrong=dict(too_short=truth // 2, too_long=2 * truth),
        tolerance=0.5,
        facts=dict(
            share=two_peaks(truth // 2),
            apart=rate / truth,
            bins=(high - low) * truth / rate,
            ms=1e3 * truth / rate,
        ),
    )


@exercise
def htk() -> Question:
    """Ask for the other mel formula, 2595 log10(1 + f/700): a function of hertz."""
    return Function(
        lambda f: librosa.hz_to_mel(f, htk=True),
        wrong=dict(
            natural_logarithm=lambda f: 2595 * np.log(1 + f / 700),
            slaney=librosa.hz_to_mel,
            without_one=lambda f: 2595 * np.log10(f / 700),
        ),
        inputs=[(np.array([55.0, 440.0, 700.0, 1000.0, 8000.0]),)],
        tolerance=0.01,
    )


@exercise
def band_of_tone(hertz: float, sound: Sound) -> Question:
    """Ask in which mel band a pure tone has the most power: its number, counted from 0.

    Parameters
    ----------
    hertz : float
        The tone's frequency.
    sound : Sound
        The description of sound.
    """
    time = np.arange(sound.sample_rate) / sound.sample_rate
    tone = np.sin(2 * np.pi * hertz * time).astype(np.float32)
    truth = int(log_mel(tone, sound).mean(axis=0).argmax())
    top = sound.sample_rate / 2
    return Number(
        truth,
        wrong=dict(
            bin=round(hertz * sound.n_fft / sound.sample_rate),
            equal_in_hertz=int(hertz / top * sound.n_mels),
            from_one=truth + 1,
            mels=int(librosa.hz_to_mel(hertz)),
        ),
        tolerance=0.1,
        facts=dict(width=librosa.hz_to_mel(top) / (sound.n_mels + 1)),
    )


@exercise
def changes_with_top_db(soft: np.ndarray, loud_end: np.ndarray, sound: Sound) -> Question:
    """Ask which part of the first half changes with ``ref=1.0, top_db=80``: a choice.

    Parameters
    ----------
    soft, loud_end : np.ndarray
        A song with a soft ending, and one with a loud ending and the same first half.
    sound : Sound
        The description of sound.
    """
    before = sound.frames_of_samples(len(soft) // 2 - sound.n_fft)
    # The log-mel's floor would hide softer values, so this is librosa's own floor.
    unhidden = replace(sound, floor=1e-10)
    pictures = []
    for samples in (soft, loud_end):
        power = np.exp(log_mel(samples.astype(np.float32), unhidden).astype(np.float64))
        pictures.append(librosa.power_to_db(power, ref=1.0, top_db=80)[:before])
    changed = float((pictures[0] != pictures[1]).mean())
    everything, softest, nothing = options = ("all of it", "its softest parts", "nothing")
    return Choice(
        everything if changed == 1 else softest if changed else nothing,
        wrong=dict(everything=everything, nothing=nothing, softest=softest),
        options=options,
        facts=dict(changed=changed),
    )


@exercise
def first_frame(sample: int, sound: Sound) -> Question:
    """Ask which is the first frame whose window covers a sample: its number, counted from 0.

    Parameters
    ----------
    sample : int
        The sample's number.
    sound : Sound
        The description of sound.
    """
    spans = map(sound.frame_samples, range((sample + sound.n_fft) // sound.hop + 1))
    covering = [frame for frame, (start, end) in enumerate(spans) if start <= sample < end]
    first = covering[0]
    return Number(
        first,
        wrong=dict(
            nearest=sound.frame_of_seconds(sound.seconds_of_samples(sample)),
            last_centre=sample // sound.hop,
            begins_at_hop=max(0, (sample - sound.n_fft) // sound.hop + 1),
            last=covering[-1],
        ),
        tolerance=0.1,
        facts=dict(early=sample - first * sound.hop),
    )
