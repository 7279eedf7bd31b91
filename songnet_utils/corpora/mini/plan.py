"""Planning a piece: its form, the tempo of every bar, its chords and who plays what.

A plan covers a whole piece, but only the clip within it gets notes, just as FMA's clips are cut
from the middle of tracks. All times are in seconds from the start of the clip; notes may begin a
little earlier.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from songnet_utils.corpora.mini.artists import Artist
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.figures import Figure, Groove, Melody
from songnet_utils.corpora.mini.genres import Section
from songnet_utils.corpora.mini.theory import METRES, Key, Metre

LEAD_IN = 0.25
"""Seconds rendered before a clip begins, so that it does not begin in silence."""


@dataclass(frozen=True)
class Note:
    """A note: when it begins and how long it sounds (seconds), its pitch and velocity (MIDI)."""

    start: float
    seconds: float
    pitch: int
    velocity: int


@dataclass
class Part:
    """What one instrument plays: `controls` are (seconds, number, value), `bends` semitones."""

    role: str
    program: int
    notes: list[Note] = field(default_factory=list)
    controls: list[tuple[float, int, int]] = field(default_factory=list)
    bends: list[tuple[float, float]] = field(default_factory=list)

    def play(self, start: float, seconds: float, pitch: int, loud: float) -> None:
        """Add a note."""
        self.notes.append(Note(start, seconds, pitch, velocity_of(loud)))


def velocity_of(loud: float) -> int:
    """Return a MIDI velocity, from 1 to 127."""
    return int(min(max(loud, 1), 127))


@dataclass(frozen=True)
class Bar:
    """A bar: when it begins (in seconds from the start of the clip), and how fast it is."""

    number: int
    section: Section
    place: int
    start: float
    step_seconds: float


@dataclass
class Plan:
    """A piece: what it is made of, and the notes of its clip.

    Attributes
    ----------
    tempo
        Quarter notes per minute.
    seconds
        How long the whole piece is; `cut` is where the clip begins in it.
    """

    artist: Artist
    dice: Dice
    metre: Metre
    tempo: float
    key: Key
    progressions: dict[str, tuple[int, ...]]
    chord_bars: float
    chord_notes: int
    groove: Groove | None
    bass: Figure | None
    comp: Figure | None
    counter: Figure | None
    melodies: tuple[Melody, ...]
    programs: dict[str, int]
    clip_seconds: float
    seconds: float = 0.0
    cut: float = 0.0
    bars: list[Bar] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def bars_of(self, role: str) -> list[Bar]:
        """Return the bars in which a part plays."""
        return [bar for bar in self.bars if role in bar.section.layers]

    def chord_degree(self, bar: Bar) -> int:
        """Return the degree on which a bar's chord is built."""
        progression = self.progressions[bar.section.name]
        return progression[int(bar.place / self.chord_bars) % len(progression)]

    def chord(self, bar: Bar, notes: int | None = None) -> tuple[int, ...]:
        """Return the notes of a bar's chord, as `Key.chord` does."""
        return self.key.chord(self.chord_degree(bar), notes or self.chord_notes)

    def at(self, bar: Bar, step: float) -> float:
        """Return when a step of a bar falls, in seconds, including swing."""
        unit = self.artist.style.swing[0] * 4
        pair, place = divmod(step, unit)
        share, swing = place / unit, self.artist.swing
        share = share * 2 * swing if share < 0.5 else swing + (share - 0.5) * 2 * (1 - swing)
        return bar.start + (pair + share) * unit * bar.step_seconds


def make_plan(artist: Artist, dice: Dice, clip_seconds: float) -> Plan:
    """Return the plan of a clip, without its notes."""
    style = artist.style
    metre = METRES[dice.pick(artist.metres)]
    pulse = dice.between(*artist.tempo)
    tempo = pulse * metre.groups[0] / 4 if len(set(metre.groups)) == 1 else pulse

    def choose(options: tuple, what: str) -> Any:
        playable = [option for option in options if option.metre == metre.name]
        return dice.of(what).pick(playable) if playable else None

    plan = Plan(
        artist=artist,
        dice=dice,
        metre=metre,
        tempo=tempo,
        key=Key(dice.whole(0, 11), dice.pick(artist.scales)),
        progressions={},
        chord_bars=dice.pick(style.chord_bars),
        chord_notes=dice.pick(style.chord_notes),
        groove=choose(artist.grooves, "groove"),
        bass=choose(artist.basses, "bass"),
        comp=choose(artist.comps, "comp"),
        counter=choose(artist.counters, "counter"),
        melodies=tuple(m for m in artist.melodies if m.bars_in(metre.name))
        or tuple(m for m in style.melodies if m.bars_in(metre.name)),
        programs={role: dice.of(role).pick(p) for role, p in artist.programs.items()},
        clip_seconds=clip_seconds,
    )
    first, second = (dice.of("chords", i).pick(style.progressions) for i in (1, 2))
    for part in style.form:
        other = part.name in ("chorus", "b", "hook", "climax", "solo", "drop")
        plan.progressions[part.name] = second if other else first

    bar_dice, start = dice.of("bars"), 0.0
    bars: list[Bar] = []
    for section in style.form:
        pace = bar_dice.between(0.7, 1.4) if style.process == "glitch" else 1.0
        for place in range(section.bars):
            lean = style.rubato * (bar_dice.bell(0.6) - (0.8 if place % 4 == 3 else 0.0))
            step_seconds = 15.0 / (tempo * pace * (1.0 + lean))
            bars.append(Bar(len(bars), section, place, start, step_seconds))
            start += step_seconds * metre.steps
    spare = max(start - clip_seconds - 2.0, 0.0)
    plan.seconds, plan.cut = start, spare * dice.of("cut").between(0.15, 0.85)
    plan.bars = [
        dataclasses.replace(bar, start=bar.start - plan.cut)
        for bar in bars
        if bar.start - plan.cut < clip_seconds
        and bar.start + bar.step_seconds * metre.steps - plan.cut > -LEAD_IN
    ]
    return plan
