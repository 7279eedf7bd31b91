"""The eight genres, each with its own grammar, read from ``genres.toml``.

A genre is a few styles (FMA would say sub-genres). A style says how fast, in which metre, with
how much swing, in which scales and over which chords a piece goes; what drums, bass, the
accompaniment, a second accompaniment, pads and the tune may play, on which instruments; and in
what form. Where genres overlap in life they overlap here: Pop plays figures of Rock and of
Electronic, Experimental takes any style apart, and most instruments are at home everywhere.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass, field
from typing import Any

from songnet_utils.corpora.mini.figures import Figure, Groove, Melody, bars


@dataclass(frozen=True)
class Section:
    """A stretch of a form: its name, its bars, who plays, and how loudly (0 to 1)."""

    name: str
    bars: int
    layers: frozenset[str]
    energy: float


@dataclass(frozen=True)
class Style:
    """One way of making a genre's music.

    Attributes
    ----------
    tempo
        Pulses a minute, lowest and highest.
    metres
        Names of metres and how likely each is.
    swing
        The pair of notes that swings, in quarter notes (0.5: sixteenths, 1: eighths), and where
        its second note falls, lowest and highest (0.5 is straight).
    scales, progressions
        Progressions are degrees of the scale, counted from 0, a chord each.
    chord_bars
        Bars a chord lasts; one is chosen a piece.
    loose
        Seconds by which players miss the beat, lowest and highest.
    fills
        How often a phrase ends in a fill.
    pump
        How far the kick ducks what sustains, 0 to 1.
    rubato
        How far the tempo leans from bar to bar, a fraction.
    swell
        How far long notes grow and fade, 0 to 1.
    process
        How the piece is put together; all but `song` are Experimental's.
    """

    name: str
    tempo: tuple[float, float]
    metres: dict[str, float]
    swing: tuple[float, float, float]
    scales: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]
    form: tuple[Section, ...]
    grooves: tuple[Groove, ...] = ()
    basses: tuple[Figure, ...] = ()
    comps: tuple[Figure, ...] = ()
    counters: tuple[Figure, ...] = ()
    melodies: tuple[Melody, ...] = ()
    chord_bars: tuple[float, ...] = (1,)
    chord_notes: tuple[int, ...] = (3,)
    palette: dict[str, tuple[int, ...]] = field(default_factory=dict)
    kits: tuple[int, ...] = (0, 8, 16)
    loose: tuple[float, float] = (0.003, 0.010)
    fills: float = 0.7
    pump: float = 0.0
    rubato: float = 0.0
    swell: float = 0.0
    process: str = "song"


_LAYERS = {"D": "drums", "B": "bass", "C": "comp", "O": "counter", "A": "pad", "M": "melody"}


def _tuples(value: Any) -> Any:
    """Return lists as tuples, all the way down."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _read() -> tuple[dict[str, tuple[Style, ...]], dict[str, tuple[int, ...]]]:
    file = importlib.resources.files(__package__) / "genres.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    parts: dict[str, dict[str, Any]] = {
        "form": {
            form: tuple(
                Section(name, length, frozenset(map(_LAYERS.__getitem__, layers)), energy)
                for name, length, layers, energy in sections
            )
            for form, sections in data["forms"].items()
        },
        "grooves": {
            name: Groove(
                lines.pop("metre"), tuple((drum, bars(line)) for drum, line in lines.items())
            )
            for name, lines in data["grooves"].items()
        },
        "melodies": {
            name: Melody(
                tuple((metre, tuple(rhythms)) for metre, rhythms in lines.pop("rhythms").items()),
                **lines,
            )
            for name, lines in data["melodies"].items()
        },
    }
    for kind in ("basses", "comps", "counters"):
        parts[kind] = {
            name: Figure(metre, bars(pattern), *further)
            for name, (metre, pattern, *further) in data[kind].items()
        }

    def style(written: dict[str, Any]) -> Style:
        values = {key: _tuples(value) for key, value in written.items()}
        values["form"] = parts["form"][values["form"]]
        for kind in parts.keys() & values.keys() - {"form"}:
            values[kind] = tuple(parts[kind][name] for name in values[kind])
        values["palette"] = {role: tuple(programs) for role, programs in written["palette"].items()}
        return Style(**values)

    genres = {genre: tuple(map(style, written)) for genre, written in data["styles"].items()}
    return genres, {role: tuple(programs) for role, programs in data["anywhere"].items()}


#: The styles of each genre, and the instruments that any band may own, by role.
GENRES, ANYWHERE = _read()
