"""One piece of music in which the genres change every few seconds, to try a network on.

It is composed and played like the clips of mini, by eight artists of another seed: no network that
was trained on mini has met them.
"""

from __future__ import annotations

import numpy as np

from songnet_utils.corpora.mini.catalogue import plan
from songnet_utils.corpora.mini.compose import compose, midi
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.corpora.mini.render import RATE, SPEED, play, produce

#: How long each genre plays, how long two of them overlap, and whose music it is.
SECONDS = 4.8
OVERLAP = 0.3
_SEED = 1
_ARTIST = 3


def starts() -> list[tuple[float, str]]:
    """Return at which second each genre starts, in order."""
    return [(place * (SECONDS - OVERLAP), genre) for place, genre in enumerate(GENRES)]


def medley() -> tuple[np.ndarray, int]:
    """Return the samples, mono, and their rate."""
    chosen = {
        clip.genre: clip for clip in plan(_SEED) if (clip.artist, clip.number) == (_ARTIST, 0)
    }
    length, fade = round(SECONDS * RATE), round(OVERLAP * RATE)
    whole = np.zeros(round(starts()[-1][0] * RATE) + length, np.float32)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    for start, genre in starts():
        clip = chosen[genre]
        piece = compose(clip.make_artist(), clip.dice(), SECONDS)
        audio = produce(play(midi(piece, SPEED)), piece.artist.mix, clip.dice().of("tape"), length)
        # As loud as the others.
        audio *= 0.12 / max(float(np.sqrt(np.mean(audio**2))), 1e-6)
        audio[:fade] *= ramp
        audio[-fade:] *= ramp[::-1]
        place = round(start * RATE)
        whole[place : place + length] += audio
    return np.clip(whole, -1, 1), RATE
