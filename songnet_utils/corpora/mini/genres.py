"""The eight genres, each with its own grammar, read from ``genres.toml``.

A genre has a few styles (FMA would say sub-genres). A style sets the tempo, metre, swing, scales,
chords and form of a piece, and what the drums, bass, two accompaniments, pads and tune may play, on
which instruments. Genres overlap here where they overlap in real life: Pop borrows figures from
Rock and Electronic, Experimental takes any style apart, and most instruments may appear in any
genre.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass, field
from typing import Any

from songnet_utils.corpora.mini.figures import Figure, Groove, Melody, bars


@dataclass(frozen=True)
class Section:
    """A section of a form: its name, how many bars it has, who plays, and how loudly (0 to 1)."""

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
        Pulses per minute, lowest and highest.
    metres
        Names of metres and how likely each is.
    swing
        The length of a pair of notes that swings, in quarter notes (0.5: sixteenths, 1: eighths),
        and where its second note falls, earliest and latest (0.5 is straight).
    scales, progressions
        A progression is a list of degrees of the scale, counted from 0, one per chord.
    chord_bars
        How many bars a chord may last; each piece uses one of these lengths.
    loose
        Seconds by which players miss the beat, lowest and highest.
    fills
        How often a phrase ends in a fill.
    pump
        How far the kick ducks sustained notes, 0 to 1.
    rubato
        How far the tempo varies from bar to bar, as a fraction.
    swell
        How far long notes grow and fade, 0 to 1.
    process
        How the piece is put together; only Experimental uses processes other than `song`.
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
    """Turn lists into tuples, at every level."""
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


#: The styles of each genre, and the instruments that any band may use, by role.
GENRES, ANYWHERE = _read()
