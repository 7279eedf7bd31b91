"""Checks of lesson 2, from sound to pictures: windows, frames, mels, and the past."""

from __future__ import annotations

import itertools

import librosa
import numpy as np

from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.lessons.checks.questions import (
    Choice,
    Function,
    Mistake,
    Number,
    Question,
    exercise,
)


@exercise
def window(apart: float, sound: Sound) -> Question:
    """Ask how long the window must be at least: a power of two, in samples.

    Parameters
    ----------
    apart : float
        So many hertz its bins may lie apart at most.
    sound : Sound
        It says how many samples a second there are.
    """
    rate = sound.sample_rate
    powers = [2**power for power in range(1, 24)]
    truth = next(n_fft for n_fft in powers if rate / n_fft <= apart)
    too_short = truth // 2
    return Number(
        truth=truth,
        mistakes=[
            Mistake(
                too_short,
                f"Its bins lie {rate / too_short:.2f} Hz apart: not near enough. (They are spread "
                "over all frequencies up to the sample rate; that the upper half mirrors the "
                "lower one brings them no nearer.)",
            ),
            Mistake(
                2 * truth,
                f"Its bins lie {rate / (2 * truth):.2f} Hz apart, which is nearer than was asked "
                "for, and each window smears more of the song. Is there a shorter one?",
            ),
        ],
        tolerance=0.5,
        praise=f"Its bins lie {rate / truth:.2f} Hz apart, and it takes in "
        f"{1000 * truth / rate:.0f} ms of the song at once: finer in frequency is coarser in time.",
        hint="A window of N samples has a bin every sample_rate / N hertz. Which powers of two "
        "make that small enough, and which of them is the smallest?",
    )


@exercise
def mel_of_hertz() -> Question:
    """Ask for the other mel formula, 2595 log10(1 + f/700): a function of hertz."""
    return Function(
        inputs=[(np.array([55.0, 440.0, 700.0, 1000.0, 8000.0]),)],
        truth=lambda f: librosa.hz_to_mel(f, htk=True),
        mistakes=[
            Mistake(
                lambda f: 2595 * np.log(1 + f / 700),
                "`np.log` is the natural logarithm; this formula has the one to base ten.",
            ),
            Mistake(librosa.hz_to_mel, "That is Slaney's scale again, the one above."),
            Mistake(
                lambda f: 2595 * np.log10(f / 700),
                "Without adding 1, low frequencies have negative mels. Look into the brackets "
                "again.",
            ),
        ],
        tolerance=0.01,
        praise="It is the scale of HTK (`librosa.hz_to_mel(f, htk=True)`). Both bend at about the "
        "same place; mels of one are no mels of the other.",
        hint="At some frequencies between 55 and 8000 Hz your function gives something else. "
        "Write the formula down as it stands, and compare.",
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
        truth=truth,
        mistakes=[
            Mistake(
                round(hertz * sound.n_fft / sound.sample_rate),
                "That is the number of the *bin* of the Fourier transform. The filter bank sums "
                "bins up to bands, low ones by few, high ones by many.",
            ),
            Mistake(
                int(hertz / top * sound.n_mels),
                "So it would be if the bands were equally wide in hertz. They are equally wide "
                "in mels: half of them lie far below half of the frequencies.",
            ),
            Mistake(truth + 1, "Nearly. Has the first band the number 1, or 0?"),
            Mistake(
                int(librosa.hz_to_mel(hertz)),
                "That is the frequency in mels. How wide is a band, in mels?",
            ),
        ],
        tolerance=0.1,
        praise=f"A band here is about {librosa.hz_to_mel(top) / (sound.n_mels + 1):.2f} mels wide.",
        hint="Make a second of the tone with `np.sin`, give it to `log_mel`, take the mean over "
        "the frames, and ask which band is the largest (`argmax`).",
    )


@exercise
def changes_with_top_db(soft: np.ndarray, loud_end: np.ndarray, sound: Sound) -> Question:
    """Ask what of the first half changes with ``ref=1.0, top_db=80``: a choice.

    Parameters
    ----------
    soft, loud_end : np.ndarray
        A song with a soft ending, and the same with a loud one; the first halves are the same.
    sound : Sound
        The description of sound.
    """
    before = sound.frames_of_samples(len(soft) // 2 - sound.n_fft)
    pictures = []
    for samples in (soft, loud_end):
        power = np.exp(log_mel(samples.astype(np.float32), sound).astype(np.float64))
        pictures.append(librosa.power_to_db(power, ref=1.0, top_db=80)[:before])
    changed = float((pictures[0] != pictures[1]).mean())
    options = ("all of it", "its softest parts", "nothing")
    return Choice(
        options=options,
        truth=options[0] if changed == 1 else options[1] if changed else options[2],
        mistakes=[
            Mistake(
                "all of it",
                "So it was with `ref=np.max`, which divides everything by the maximum. Here `ref` "
                "is fixed. What does `top_db` do, and to which values?",
            ),
            Mistake(
                "nothing",
                "`ref` is fixed, but `top_db` is not: 80 dB below *what* does it cut?",
            ),
            Mistake(
                "its softest parts",
                "Nothing in this song is that soft. What does `top_db` cut off?",
            ),
        ],
        praise=f"{changed:.0%} of the values of the first half change: `top_db` lifts whatever is "
        "further than 80 dB below the loudest moment, and that moment may still come.",
        hint="Make both pictures and compare their first halves.",
    )


@exercise
def first_frame(sample: int, sound: Sound) -> Question:
    """Ask which is the first frame that hears a sample: its number, counted from 0.

    Parameters
    ----------
    sample : int
        The sample's number.
    sound : Sound
        The description of sound.
    """
    covers = [
        frame
        for frame in itertools.takewhile(
            lambda frame: sound.frame_samples(frame)[0] <= sample, itertools.count()
        )
        if sample < sound.frame_samples(frame)[1]
    ]
    return Number(
        truth=covers[0],
        mistakes=[
            Mistake(
                sound.frame_of_seconds(sound.seconds_of_samples(sample)),
                "That frame is centred nearest to the sample. Earlier ones reach it as well, with "
                "the right half of their windows.",
            ),
            Mistake(
                sample // sound.hop,
                "That frame is the last one centred before the sample. The window reaches half of "
                "`n_fft` to the right, and here that is more than a hop.",
            ),
            Mistake(
                max(0, (sample - sound.n_fft) // sound.hop + 1),
                "So it would be if frame i *began* at sample hop·i. It is centred there, and "
                "reaches only half a window to the right.",
            ),
            Mistake(covers[-1], "That is the last frame that hears it. Which was the first?"),
        ],
        tolerance=0.1,
        praise=f"Its centre lies {sample - covers[0] * sound.hop:,} samples before the drum, and "
        "yet it hears it, with the edge of its window. So a frame is ready only half a window "
        "after its centre: whoever answers live has to wait for it.",
        hint="Frame i covers the samples from hop·i − n_fft/2 up to hop·i + n_fft/2: "
        "`sound.frame_samples(i)`. Which is the smallest i whose window holds the sample?",
    )
