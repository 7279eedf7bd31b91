"""Scales, chords and metres: what every genre is made of.

A pitch is a MIDI note number (60 is middle C). A degree counts the notes of a scale from 0, the
tonic, and may lie below or above the octave. A step is a sixteenth note, a quarter of a beat.
"""

from __future__ import annotations

from dataclasses import dataclass

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "hijaz": (0, 1, 4, 5, 7, 8, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "octatonic": (0, 1, 3, 4, 6, 7, 9, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic."""

MELODY_DEGREES: dict[str, tuple[int, ...]] = {
    "major": (0, 1, 2, 4, 5),
    "mixolydian": (0, 1, 2, 4, 5),
    "minor": (0, 2, 3, 4, 6),
    "dorian": (0, 2, 3, 4, 6),
}
"""The five degrees of each scale that make up its pentatonic."""


@dataclass(frozen=True)
class Metre:
    """How a bar is counted.

    Attributes
    ----------
    name
        As it is written, such as ``4/4``.
    groups
        Steps in each pulse, in order; they add up to the bar.
    """

    name: str
    groups: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Steps in a bar."""
        return sum(self.groups)

    @property
    def pulses(self) -> tuple[int, ...]:
        """The steps on which the pulses fall."""
        return tuple(sum(self.groups[:i]) for i in range(len(self.groups)))

    def weight(self, step: int) -> float:
        """Return how strong a step is: 1 at the bar line, less on pulses, eighths, sixteenths."""
        if step == 0:
            return 1.0
        if step in self.pulses:
            return 0.92
        return 0.84 if step % 2 == 0 else 0.76


METRES: dict[str, Metre] = {
    metre.name: metre
    for metre in (
        Metre("4/4", (4, 4, 4, 4)),
        Metre("3/4", (4, 4, 4)),
        Metre("6/8", (6, 6)),
        Metre("12/8", (6, 6, 6, 6)),
        Metre("7/8", (4, 4, 6)),
        Metre("9/8", (4, 4, 4, 6)),
        Metre("5/4", (6, 6, 4, 4)),
    )
}


@dataclass(frozen=True)
class Key:
    """A tonic (0 is C, 11 is B) and a scale."""

    tonic: int
    scale: str

    def semitones(self, degree: int) -> int:
        """Return the semitones from the tonic to a degree, below and above the octave too."""
        notes = SCALES[self.scale]
        octave, place = divmod(degree, len(notes))
        return 12 * octave + notes[place]

    def chord(self, degree: int, notes: int = 3) -> tuple[int, ...]:
        """Return the pitches of the thirds stacked on a degree, with the tonic in octave 0."""
        return tuple(self.tonic + self.semitones(degree + 2 * i) for i in range(notes))


def near(pitch: int, centre: float) -> int:
    """Return the same note in the octave nearest to `centre`."""
    return pitch + 12 * round((centre - pitch) / 12)


def voicing(chord: tuple[int, ...], centre: float) -> list[int]:
    """Return a chord's notes, each as near to `centre` as possible, from low to high."""
    return sorted({near(pitch, centre) for pitch in chord})
