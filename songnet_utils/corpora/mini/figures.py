"""The shorthand for drum grooves, figures and rhythms, with one character per step.

Drum grooves, with one line per drum: ``X`` accent, ``x`` hit, ``o`` ghost note, ``?`` a hit that a
section may leave out, ``=`` two hits in the time of one, ``%`` three hits in the time of one.

Figures, for accompaniments: ``C`` chord, ``c`` soft chord, ``m`` short chord, ``U`` upstroke (upper
notes, from above), ``P`` root and fifth, ``p`` the same, damped; ``0``…``5`` one note of the chord,
counted from below, ``B`` its root an octave lower, ``F`` its fifth an octave lower; and for basses
``R`` root, ``r`` soft root, ``O`` octave, ``V`` fifth, ``T`` third, ``A`` a step towards the next
root. ``-`` holds the note, ``.`` is silence, ``|`` is a bar line, and spaces mean nothing.

Rhythms of melodies: ``x`` note, ``-`` hold, ``.`` silence.
"""

from __future__ import annotations

from dataclasses import dataclass

DRUMS: dict[str, int] = {
    "kick": 36, "snare": 38, "rim": 37, "clap": 39, "hat": 42, "pedal": 44, "open": 46,
    "crash": 49, "ride": 51, "bell": 53, "tom1": 48, "tom2": 45, "tom3": 41, "tambourine": 54,
    "cowbell": 56, "bongo1": 60, "bongo2": 61, "slap": 62, "conga1": 63, "conga2": 64,
    "agogo1": 67, "agogo2": 68, "cabasa": 69, "maracas": 70, "claves": 75, "block1": 76,
    "block2": 77, "triangle": 81, "shaker": 82, "timbale1": 65, "timbale2": 66,
}  # fmt: skip
"""General MIDI's drum notes."""


def bars(pattern: str) -> tuple[str, ...]:
    """Split a pattern into its bars."""
    return tuple(pattern.replace(" ", "").split("|"))


@dataclass(frozen=True)
class Groove:
    """What the drums do: one or more bars for each drum."""

    metre: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Figure:
    """What an accompanying part plays in one or more bars, whatever the chord.

    Attributes
    ----------
    gate
        The share of its written length for which a note sounds.
    strum
        Seconds between the notes of a chord.
    notes
        Notes in a chord.
    """

    metre: str
    pattern: tuple[str, ...]
    gate: float = 0.95
    strum: float = 0.0
    notes: int = 3


@dataclass(frozen=True)
class Melody:
    """How a genre's tunes move.

    Attributes
    ----------
    rhythms
        For each metre, the rhythms, one bar each, that motifs are made of.
    pentatonic
        Whether tunes keep to the scale's pentatonic, if it has one.
    leap
        How often the tune jumps instead of moving to a neighbouring note.
    rest
        How often a bar of the tune is left empty.
    gate
        The share of its written length for which a note sounds.
    ornament
        How often a note is preceded by a quick neighbour.
    bend
        How often a note is bent up to its pitch.
    repeat
        How often a note repeats the one before it.
    motif_bars
        Bars in a motif.
    range
        How many degrees the tune spans.
    """

    rhythms: tuple[tuple[str, tuple[str, ...]], ...]
    pentatonic: bool = False
    leap: float = 0.15
    rest: float = 0.1
    gate: float = 0.9
    ornament: float = 0.0
    bend: float = 0.0
    repeat: float = 0.15
    motif_bars: int = 2
    range: int = 9

    def bars_in(self, metre: str) -> tuple[str, ...]:
        """Return the rhythms for a metre, which may be none."""
        return dict(self.rhythms).get(metre, ())
