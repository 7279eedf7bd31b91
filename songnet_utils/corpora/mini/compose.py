"""Composing: from an artist to the notes of a clip.

A piece is laid out whole (its form, the tempo of every bar), and a clip is the stretch of it that
is to be heard, as FMA's clips are cut from the middle of tracks; only that stretch is written out.
Sections of the same name share their material, so choruses come back as the same chorus. All
times are in seconds from the start of the clip; notes may begin a little earlier.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mido

from songnet_utils.corpora.mini.artists import ROLES, Artist
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.figures import DRUMS, Figure, Groove, Melody
from songnet_utils.corpora.mini.genres import GENRES, Section
from songnet_utils.corpora.mini.theory import (
    MELODY_DEGREES,
    METRES,
    SCALES,
    Key,
    Metre,
    near,
    voicing,
)

LEAD_IN = 0.25
"""Seconds rendered before a clip begins, so that it does not begin in silence."""
TICKS_PER_SECOND = 1000
PROGRAM_LEVELS = (
    -38, -38, -35, -36, -32, -34, -35, -34, -36, -38, -32, -28, -39, -42, -31, -36, -31,
    -33, -32, -33, -31, -33, -30, -34, -31, -34, -30, -39, -34, -33, -30, -32, -33, -31,
    -34, -31, -30, -39, -33, -32, -28, -28, -27, -30, -32, -35, -28, -36, -33, -36, -38,
    -33, -31, -32, -31, -28, -33, -33, -32, -38, -26, -36, -30, -30, -33, -32, -31, -35,
    -31, -30, -30, -31, -29, -31, -29, -31, -33, -30, -26, -26, -28, -29, -29, -31, -32,
    -27, -31, -28, -31, -34, -33, -30, -33, -34, -32, -34, -32, -31, -32, -30, -29, -38,
    -29, -31, -36, -33, -39, -34, -33, -31, -30, -31, -36, -41, -35, -42, -31, -39, -33,
    -56, -43, -49, -35, -41, -36, -53, -50, -37,
)  # fmt: skip
"""Decibels of each program of the soundfont, as measured over three octaves at one velocity."""
_USUAL_LEVEL = -33
_MOST_TRIM = 6


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


@dataclass(frozen=True)
class Bar:
    """A bar of the piece: when it begins (seconds from the start of the clip), how fast it goes."""

    number: int
    section: Section
    place: int
    start: float
    step_seconds: float


@dataclass
class Piece:
    """A clip, composed.

    Attributes
    ----------
    tempo
        Quarter notes a minute.
    seconds
        How long the whole piece would be, and `cut` where in it the clip begins.
    """

    artist: Artist
    metre: Metre
    tempo: float
    swing: float
    key: Key
    seconds: float
    cut: float
    clip_seconds: float
    parts: list[Part]


# ----------------------------------------------------------------------------- the plan
@dataclass
class Plan:
    """What a piece is made of, before its notes."""

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
    kit: int
    bars: list[Bar] = field(default_factory=list)

    def chord_degree(self, bar: Bar) -> int:
        """Return the degree that a bar's chord stands on."""
        progression = self.progressions[bar.section.name]
        return progression[int(bar.place / self.chord_bars) % len(progression)]

    def chord(self, bar: Bar, notes: int | None = None) -> tuple[int, ...]:
        """Return the notes of a bar's chord, as `Key.chord` does."""
        return self.key.chord(self.chord_degree(bar), notes or self.chord_notes)

    def at(self, bar: Bar, step: float) -> float:
        """Return when a step of a bar falls, in seconds, swing included."""
        unit = self.artist.style.swing[0] * 4
        pair, place = divmod(step, unit)
        share, swing = place / unit, self.artist.swing
        share = share * 2 * swing if share < 0.5 else swing + (share - 0.5) * 2 * (1 - swing)
        return bar.start + (pair + share) * unit * bar.step_seconds


def _plan(artist: Artist, dice: Dice, clip_seconds: float) -> tuple[Plan, float, float]:
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
        kit=artist.kit,
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
    cut = spare * dice.of("cut").between(0.15, 0.85)
    plan.bars = [
        dataclasses.replace(bar, start=bar.start - cut)
        for bar in bars
        if bar.start - cut < clip_seconds
        and bar.start + bar.step_seconds * metre.steps - cut > -LEAD_IN
    ]
    return plan, start, cut


# ----------------------------------------------------------------------------- players
_HIT = {"X": 116, "x": 94, "o": 50, "=": 84, "%": 78, "?": 84}


def _drums(plan: Plan) -> list[Note]:
    if plan.groove is None:
        return []
    notes: list[Note] = []
    artist, metre = plan.artist, plan.metre
    for bar in plan.bars:
        if "drums" not in bar.section.layers:
            continue
        taste = plan.dice.of("drums", bar.section.name)
        thin = bar.section.energy < 0.65
        rides = bar.section.energy >= 1.0 and taste.of("ride").maybe(0.4)
        hand = plan.dice.of("hand", bar.number)
        last = bar.place == bar.section.bars - 1 or bar.place % 8 == 7
        fill = metre.steps // 2 if last and hand.maybe(artist.style.fills) else metre.steps
        left_out = taste.of("thin").pick([line[0] for line in plan.groove.lines]) if thin else ""
        for drum, lines in plan.groove.lines:
            if drum == left_out:
                continue
            line = lines[bar.number % len(lines)]
            sound = "ride" if rides and drum == "hat" else drum
            for step, sign in enumerate(line[:fill]):
                if sign == ".":
                    continue
                if sign == "?" and not taste.of(drum, bar.place % 4, step).maybe(0.5):
                    continue
                count = {"=": 2, "%": 3}.get(sign, 1)
                for again in range(count):
                    strength = _HIT[sign] * (0.9 + 0.1 * metre.weight(step)) - 6 * again
                    notes.append(
                        _hit(plan, bar, step + again / count, DRUMS[sound], strength, hand)
                    )
        if fill < metre.steps:
            notes += _fill(plan, bar, fill, hand)
        if bar.place == 0 and bar.section.energy > 0.85 and artist.style.fills >= 0.25:
            notes.append(_hit(plan, bar, 0, DRUMS["crash"], 96, hand))
    return notes


def _hit(plan: Plan, bar: Bar, step: float, pitch: int, strength: float, hand: Dice) -> Note:
    start = plan.at(bar, step) + hand.bell(plan.artist.loose)
    loud = strength * (0.8 + 0.2 * bar.section.energy) + hand.bell(4)
    return Note(start, 0.12, pitch, _velocity(loud))


def _fill(plan: Plan, bar: Bar, start: int, hand: Dice) -> list[Note]:
    shapes = {
        "snare": ("snare",) * 4,
        "toms": ("snare", "tom1", "tom2", "tom3"),
        "low": ("tom1", "tom1", "tom3", "tom3"),
        "gap": ("kick", "snare", "snare", "open"),
    }
    around = shapes[plan.dice.of("fill").pick(sorted(shapes))]
    if plan.artist.genre == "International":
        around = ("bongo1", "conga1", "conga2", "slap")
    steps = range(start, plan.metre.steps)
    density = hand.pick((1, 2, 2))
    return [
        _hit(plan, bar, step, DRUMS[around[(step - start) * 4 // len(steps)]], 88 + step, hand)
        for step in steps
        if (step - start) % density == 0
    ] + [_hit(plan, bar, start, DRUMS["kick"], 96, hand)]


def _velocity(loud: float) -> int:
    return int(min(max(loud, 1), 127))


def _held(pattern: str, step: int) -> int:
    """Return for how many steps the sign at a step is held."""
    steps = 1
    while step + steps < len(pattern) and pattern[step + steps] == "-":
        steps += 1
    return steps


def _bass(plan: Plan, figure: Figure | None) -> list[Note]:
    if figure is None:
        return []
    notes = []
    centre = plan.artist.registers["bass"]
    for index, bar in enumerate(plan.bars):
        if "bass" not in bar.section.layers:
            continue
        chord = plan.chord(bar, 4)
        root = near(chord[0], centre)
        following = plan.bars[index + 1] if index + 1 < len(plan.bars) else bar
        target = near(plan.chord(following)[0], centre)
        pattern = figure.pattern[bar.number % len(figure.pattern)]
        hand = plan.dice.of("bass", bar.number)
        pitches = {
            "R": root, "r": root, "O": root + 12, "V": root + chord[2] - chord[0],
            "T": root + chord[1] - chord[0], "A": target + (1 if target < root else -1) * 2,
        }  # fmt: skip
        for step, sign in enumerate(pattern):
            if sign not in pitches:
                continue
            loud = 100 * (0.85 + 0.15 * plan.metre.weight(step)) * (0.7 if sign == "r" else 1.0)
            notes.append(_sound(plan, bar, step, pattern, figure.gate, pitches[sign], loud, hand))
    return notes


def _sound(
    plan: Plan, bar: Bar, step: int, pattern: str, gate: float, pitch: int, loud: float, hand: Dice
) -> Note:
    start = plan.at(bar, step)
    seconds = (plan.at(bar, step + _held(pattern, step)) - start) * gate
    start += hand.bell(plan.artist.loose)
    loud = loud * (0.75 + 0.25 * bar.section.energy) + hand.bell(4)
    return Note(start, max(seconds, 0.03), min(max(pitch, 21), 108), _velocity(loud))


def _figure(plan: Plan, figure: Figure | None, role: str) -> list[Note]:
    """Play an accompanying figure over the chords."""
    if figure is None:
        return []
    notes: list[Note] = []
    centre = plan.artist.registers[role]
    for bar in plan.bars:
        if role not in bar.section.layers:
            continue
        chord = plan.chord(bar, max(plan.chord_notes, 3))
        voices = voicing(chord, centre)
        wanted = max(figure.notes, 2)
        while len(voices) < wanted:
            voices.append(voices[len(voices) - len(chord)] + 12)
        root = near(chord[0], centre - 15)
        fifth = root + chord[2] - chord[0] - (12 if root > 48 else 0)
        power = near(chord[0], 43)
        pattern = figure.pattern[bar.number % len(figure.pattern)]
        hand = plan.dice.of(role, bar.number)
        for step, sign in enumerate(pattern):
            if sign in ".-":
                continue
            gate, loud, spread = figure.gate, 92.0, figure.strum
            if sign in "Cc":
                pitches, loud = voices[:wanted], 96.0 if sign == "C" else 76.0
            elif sign == "m":
                pitches, gate = voices[:wanted], gate * 0.6
            elif sign == "U":
                pitches, loud, spread = voices[:wanted][::-1][:3], 78.0, figure.strum * 0.8
            elif sign in "Pp":
                pitches = [power, power + 7, power + 12]
                gate, loud = (gate, 100.0) if sign == "P" else (gate * 0.55, 84.0)
            elif sign == "B":
                pitches, loud = [root], 98.0
            elif sign == "F":
                pitches, loud = [fifth], 92.0
            else:
                octave, voice = divmod(int(sign), len(voices))
                pitches = [voices[voice] + 12 * octave]
            loud *= 0.85 + 0.15 * plan.metre.weight(step)
            for rank, pitch in enumerate(pitches):
                note = _sound(plan, bar, step, pattern, gate, pitch, loud, hand)
                notes.append(dataclasses.replace(note, start=note.start + rank * spread))
    return notes


def _pad(plan: Plan) -> list[Note]:
    notes: list[Note] = []
    centre = plan.artist.registers["pad"]
    index = 0
    while index < len(plan.bars):
        bar, until = plan.bars[index], index + 1
        if "pad" in bar.section.layers:
            while (
                until < len(plan.bars)
                and plan.bars[until].section is bar.section
                and plan.chord_degree(plan.bars[until]) == plan.chord_degree(bar)
            ):
                until += 1
            end = plan.bars[until - 1].start + plan.bars[until - 1].step_seconds * plan.metre.steps
            for pitch in voicing(plan.chord(bar, 3), centre):
                notes.append(
                    Note(
                        bar.start, end - bar.start - 0.02, pitch, _velocity(80 * bar.section.energy)
                    )
                )
        index = until
    return notes


# ----------------------------------------------------------------------------- the tune
def _ladder(key: Key, pentatonic: bool) -> list[int]:
    """Return the pitches a tune may use, tonic's octave 0, four octaves up and down."""
    degrees: Sequence[int] = range(len(SCALES[key.scale]))
    if pentatonic and key.scale in MELODY_DEGREES:
        degrees = MELODY_DEGREES[key.scale]
    return [key.tonic + key.semitones(d) + 12 * octave for octave in range(11) for d in degrees]


def _motif(melody: Melody, rhythms: tuple[str, ...], dice: Dice) -> list[tuple[str, list[int]]]:
    """Make a motif: for each of its bars a rhythm, and for each note a move along the ladder."""
    motif = []
    for _ in range(melody.motif_bars):
        rhythm, moves = dice.pick(rhythms), []
        direction = dice.pick((-1, 1))
        for _ in range(rhythm.count("x")):
            if dice.maybe(melody.repeat):
                moves.append(0)
            elif dice.maybe(melody.leap):
                moves.append(dice.pick((-1, 1)) * dice.whole(2, 4))
            else:
                if dice.maybe(0.3):
                    direction = -direction
                moves.append(direction)
        motif.append((rhythm, moves))
    return motif


def _tune(plan: Plan, part: Part) -> None:
    """Write the tune: motifs, repeated, answered and varied, drawn to the chord on strong steps."""
    if not plan.melodies:
        return
    centre = plan.artist.registers["melody"]
    for bar in plan.bars:
        if "melody" not in bar.section.layers:
            continue
        material = plan.dice.of("tune", bar.section.name)
        melody = plan.melodies[0]
        if len(plan.melodies) > 1 and bar.section.name in ("chorus", "solo", "hook", "b", "drop"):
            melody = plan.melodies[1]
        rhythms = melody.bars_in(plan.metre.name)
        phrase, place = divmod(bar.place, melody.motif_bars)
        letter = "AABA"[phrase % 4] if plan.dice.of("plan").maybe(0.6) else "ABAC"[phrase % 4]
        motif = _motif(melody, rhythms, material.of(letter))
        rhythm, moves = motif[place]
        if place == 0 and phrase % 4 != 0 and material.of("rest", bar.place).maybe(melody.rest):
            continue
        ladder = _ladder(plan.key, melody.pentatonic)
        chord = {pitch % 12 for pitch in plan.chord(bar, 3)}
        home = min(range(len(ladder)), key=lambda i: abs(ladder[i] - centre))
        low, high = home - melody.range // 2, home + (melody.range + 1) // 2
        # every time a motif comes back, its last bar may end another way
        vary = material.of("vary", phrase)
        at = home + material.of(letter, "start").whole(-2, 2)
        moves = list(moves)
        if phrase % 4 in (1, 3) and moves and vary.maybe(0.7):
            moves[-1] += vary.whole(-2, 2)
        hand = plan.dice.of("melody", bar.number)
        turn = -1
        for step, sign in enumerate(rhythm):
            if sign != "x":
                continue
            turn += 1
            at += moves[turn]
            at = 2 * low - at if at < low else at
            at = 2 * high - at if at > high else at
            at = min(max(at, low), high)
            strong = step in plan.metre.pulses or _held(rhythm, step) >= 4
            target = at
            if strong and ladder[at] % 12 not in chord and plan.artist.style.process == "song":
                for away in (1, -1, 2, -2):
                    if ladder[at + away] % 12 in chord:
                        target = at + away
                        break
            at = target
            _sing(plan, part, bar, step, rhythm, melody, ladder, at, hand)


def _sing(
    plan: Plan,
    part: Part,
    bar: Bar,
    step: int,
    rhythm: str,
    melody: Melody,
    ladder: list[int],
    at: int,
    hand: Dice,
) -> None:
    loud = 100 * (0.85 + 0.15 * plan.metre.weight(step))
    note = _sound(plan, bar, step, rhythm, melody.gate, ladder[at], loud, hand)
    grace = min(0.07, note.seconds * 0.3)
    if hand.maybe(melody.ornament):
        neighbour = ladder[at + 1]
        if note.seconds > 0.3 and hand.maybe(0.5):  # a mordent: the note, its neighbour, the note
            part.notes.append(dataclasses.replace(note, seconds=grace))
            part.notes.append(Note(note.start + grace, grace, neighbour, note.velocity - 8))
            grace *= 2
        else:
            part.notes.append(Note(note.start, grace, neighbour, max(note.velocity - 8, 1)))
        note = dataclasses.replace(note, start=note.start + grace, seconds=note.seconds - grace)
    if hand.maybe(melody.bend) and note.seconds > 0.12:
        for i in range(5):
            part.bends.append((note.start + i * 0.025, -2.0 + i * 0.5))
    part.notes.append(note)


# ----------------------------------------------------------------------------- processes
def _song(plan: Plan, parts: dict[str, Part]) -> None:
    parts["drums"].notes += _drums(plan)
    parts["bass"].notes += _bass(plan, plan.bass)
    parts["comp"].notes += _figure(plan, plan.comp, "comp")
    parts["counter"].notes += _figure(plan, plan.counter, "counter")
    parts["pad"].notes += _pad(plan)
    _tune(plan, parts["melody"])
    style = plan.artist.style
    if style.pump:
        _pump(plan, parts, style.pump)
    for role in ("pad", "melody"):
        if style.swell:
            _swell(parts[role], style.swell)


def _swell(part: Part, depth: float) -> None:
    """Let long notes grow and fade, as bows and breath do."""
    for start in sorted({note.start for note in part.notes if note.seconds > 0.7}):
        seconds = max(note.seconds for note in part.notes if note.start == start)
        for i in range(9):
            rise = 1.0 - abs(i / 8 - 0.45) / 0.55
            level = int(127 * (1.0 - depth * (1.0 - rise)))
            part.controls.append((start + seconds * i / 8, 11, level))


def _pump(plan: Plan, parts: dict[str, Part], depth: float) -> None:
    """Duck what sustains under the kick, as a compressor fed by the kick does."""
    for bar in plan.bars:
        if "drums" not in bar.section.layers:
            for role in ("pad", "comp"):
                parts[role].controls.append((bar.start, 11, 127))
            continue
        for pulse in plan.metre.pulses:
            for i in range(5):
                level = int(127 * (1.0 - depth * (1.0 - i / 4) ** 2))
                for role in ("pad", "comp"):
                    parts[role].controls.append((plan.at(bar, pulse + i * 0.7), 11, level))


def _glitch(plan: Plan, parts: dict[str, Part]) -> None:
    """Play a song of some genre wrongly: slices stutter, jump an octave or fall silent."""
    dice = plan.dice.of("glitch")
    donor = dice.pick([style for name in sorted(GENRES) if name != "Experimental"
                       for style in GENRES[name]])  # fmt: skip
    fits = [g for g in donor.grooves if g.metre == plan.metre.name]
    if fits and dice.maybe(0.6):
        plan.groove = dice.pick(fits)
    comps = [c for c in donor.comps if c.metre == plan.metre.name]
    if comps and dice.maybe(0.6):
        plan.comp = dice.pick(comps)
    _song(plan, parts)
    for role in ("drums", "comp", "counter", "melody", "bass"):
        part = parts[role]
        for bar in plan.bars:
            hand = plan.dice.of("cut", role, bar.number)
            if not hand.maybe(0.45):
                continue
            steps = hand.whole(3, max(4, plan.metre.steps // 2))
            begin = hand.whole(0, plan.metre.steps - steps)
            start = bar.start + begin * bar.step_seconds
            end = start + steps * bar.step_seconds
            slice_seconds = bar.step_seconds * hand.pick((0.5, 0.5, 1, 1.5))
            taken = [n for n in part.notes if start <= n.start < start + slice_seconds * 2][:4]
            part.notes = [n for n in part.notes if not start <= n.start < end]
            if hand.maybe(0.3):
                continue
            shift = 0 if role == "drums" else hand.pick((0, 0, 12, -12, 7))
            when, gap = start, slice_seconds
            while when < end and gap > 0.02:
                for note in taken:
                    pitch = min(max(note.pitch + shift, 24), 100)
                    part.notes.append(
                        Note(when, min(note.seconds, gap), pitch, max(note.velocity - 6, 1))
                    )
                when += gap
                gap *= hand.pick((1.0, 1.0, 0.9))


def _free(plan: Plan, parts: dict[str, Part], seconds: float) -> None:
    """Improvise without a pulse: gestures, each of a player, with silences between."""
    scale = [p for p in _ladder(plan.key, False) if 30 <= p <= 96]
    players = plan.dice.of("players").some(("comp", "counter", "melody", "pad", "bass"), 4)
    for role in [*players, "drums"]:
        hand = plan.dice.of("free", role)
        now = -LEAD_IN + hand.between(0, 1.5)
        while now < seconds:
            kind = hand.weigh({"burst": 3, "cluster": 2, "bounce": 2, "tone": 2, "rest": 2})
            centre = hand.whole(0, len(scale) - 1)
            loud = hand.between(45, 115)
            if role == "drums":
                pitches = [hand.pick(sorted(DRUMS.values())) for _ in range(4)]
            else:
                pitches = [scale[min(max(centre + hand.whole(-5, 5), 0), len(scale) - 1)]
                           for _ in range(12)]  # fmt: skip
            add = parts[role].notes.append
            if kind == "burst":
                for _ in range(hand.whole(5, 16)):
                    add(Note(now, hand.between(0.05, 0.2), hand.pick(pitches), _velocity(loud)))
                    now += hand.between(0.04, 0.16)
            elif kind == "cluster":
                for pitch in pitches[:5]:
                    add(Note(now + hand.between(0, 0.02), hand.between(0.1, 1.5), pitch,
                             _velocity(loud + 10)))  # fmt: skip
                now += hand.between(0.4, 1.6)
            elif kind == "bounce":  # one note like a dropped ball, or the same backwards
                gap, ratio = (0.35, 0.82) if hand.maybe(0.5) else (0.05, 1.2)
                while 0.03 < gap < 0.5:
                    add(Note(now, gap, pitches[0], _velocity(loud)))
                    now, gap = now + gap, gap * ratio
            elif kind == "tone":
                held = hand.between(0.8, 3.0)
                add(Note(now, held, pitches[0], _velocity(loud)))
                parts[role].bends += [(now + held * i / 6, hand.between(-1, 1)) for i in range(6)]
                now += held * 0.8
            now += hand.between(0.3, 2.4 if kind == "rest" else 0.9)


def _drone(plan: Plan, parts: dict[str, Part], seconds: float) -> None:
    """Hold a few notes that beat against each other, swelling; now and then something strikes."""
    dice = plan.dice.of("drone")
    root = near(plan.key.tonic, 40)
    stack = [root, root + 7, root + dice.pick((12, 13, 11)), root + dice.pick((18, 19, 20, 24))]
    for role, pitches in (("pad", stack[:3]), ("comp", stack[1:3]), ("melody", stack[2:])):
        hand, part = dice.of(role), parts[role]
        now = -LEAD_IN
        while now < seconds:
            held = hand.between(5.0, 11.0)
            for pitch in pitches:
                part.notes.append(Note(now, held, pitch + hand.pick((0, 0, 0, 1, 12)), 84))
            now += held * 0.95
        detune = hand.between(-0.3, 0.3)
        rate = hand.between(0.25, 1.1)
        depth = hand.between(0.3, 0.8)
        ticks = int(seconds * 8)
        for i in range(ticks):
            when = i / 8
            wave = abs((when * rate * (1 + 0.3 * i / ticks)) % 2.0 - 1.0)
            part.controls.append((when, 11, int(127 * (1 - depth * wave))))
            part.bends.append((when, detune + 0.1 * wave))
    now, hand = hand.between(0, 2), dice.of("strikes")
    while now < seconds:
        role = hand.pick(("counter", "drums", "counter"))
        pitch = hand.pick((41, 49, 52, 57, 81, 47)) if role == "drums" else hand.pick(stack) + 24
        gap, many = hand.between(0.06, 0.25), hand.pick((1, 1, 3, 6, 12))
        for i in range(many):
            parts[role].notes.append(Note(now + i * gap, 0.6, pitch, _velocity(60 + 4 * i)))
        now += many * gap + hand.between(0.6, 3.5)


def _phase(plan: Plan, parts: dict[str, Part], seconds: float) -> None:
    """Repeat one pattern in two voices, one a little faster, while notes come in one by one."""
    figure = plan.comp or plan.counter
    assert figure is not None
    dice = plan.dice.of("phase")
    pattern = figure.pattern[0]
    step_seconds = 15.0 / plan.tempo
    for role, faster in (("comp", 1.0), ("counter", dice.between(1.01, 1.035))):
        hand = dice.of(role)
        shift = 12 if role == "counter" and dice.maybe(0.4) else 0
        now, step = -LEAD_IN, hand.whole(0, len(pattern) - 1)
        while now < seconds:
            bar = min(plan.bars, key=lambda b: abs(b.start - now))
            sign = pattern[step % len(pattern)]
            if sign.isdigit():
                voices = voicing(plan.chord(bar, 5), plan.artist.registers["comp"])
                pitch = voices[int(sign) % len(voices)] + shift
                loud = 88 + (12 if step % len(pattern) == 0 else 0) + hand.bell(4)
                parts[role].notes.append(
                    Note(now + hand.bell(plan.artist.loose), step_seconds * figure.gate, pitch,
                         _velocity(loud))
                )  # fmt: skip
            now += step_seconds / faster
            step += 1
    parts["pad"].notes += _pad(plan)
    hand, now = dice.of("bass"), hand.between(0, 2)
    if dice.maybe(0.5):
        while now < seconds:
            root = near(plan.key.tonic, 36)
            parts["bass"].notes.append(Note(now, step_seconds * 6, root, 84))
            now += step_seconds * len(pattern) * hand.pick((1, 2))


def compose(artist: Artist, dice: Dice, seconds: float) -> Piece:
    """Compose a clip.

    Parameters
    ----------
    artist
        Who plays.
    dice
        Its name is the clip's seed.
    seconds
        How long the clip is.
    """
    plan, whole, cut = _plan(artist, dice, seconds)
    parts = {"drums": Part("drums", plan.kit)}
    parts |= {role: Part(role, plan.programs[role]) for role in ROLES[1:]}
    process = artist.style.process
    if process == "song":
        _song(plan, parts)
    elif process == "glitch":
        _glitch(plan, parts)
    else:
        {"free": _free, "drone": _drone, "phase": _phase}[process](plan, parts, seconds)
    for part in parts.values():
        part.notes = [
            note
            for note in part.notes
            if note.start < seconds and note.start + note.seconds > -LEAD_IN
        ]
    return Piece(
        artist=artist,
        metre=plan.metre,
        tempo=plan.tempo,
        swing=artist.swing,
        key=plan.key,
        seconds=whole,
        cut=cut,
        clip_seconds=seconds,
        parts=[part for part in parts.values() if part.notes],
    )


# ----------------------------------------------------------------------------- MIDI
def midi(piece: Piece, speed: int = 1) -> bytes:
    """Write a piece as a MIDI file, a part a channel, a millisecond of music a tick.

    The first `LEAD_IN` seconds come before the clip; the file ends where the clip ends.

    Parameters
    ----------
    piece
        What to write.
    speed
        How many times faster than it should sound the file plays.
    """
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_SECOND // 2)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000 // speed)])
    file.tracks.append(head)
    end = int((LEAD_IN + piece.clip_seconds) * TICKS_PER_SECOND)
    mix, channels = piece.artist.mix, iter([0, 1, 2, 3, 4, 5, 6, 7, 8])
    pans = Dice(piece.artist.name, "pans")
    for part in piece.parts:
        channel = 9 if part.role == "drums" else next(channels)
        level = mix.levels[ROLES.index(part.role)]
        if part.role != "drums":
            trim = _USUAL_LEVEL - PROGRAM_LEVELS[part.program]
            level += min(max(trim, -_MOST_TRIM), _MOST_TRIM)
        wet = mix.room * (0.5 if part.role in ("drums", "bass") else 1.0)
        start = {
            7: min(127, int(80 * 10 ** (level / 40))),
            10: 64 if part.role in ("drums", "bass") else pans.whole(40, 88),
            91: int(127 * wet),
            93: int(127 * mix.chorus) if part.role in ("comp", "pad", "counter") else 0,
            1: int(piece.artist.vibrato) if part.role == "melody" else 0,
        }
        events = [(0, 0, ("program_change", {"program": part.program}))]
        events += [(0, 1, _control(*pair)) for pair in start.items()]
        for when, controller, value in part.controls:
            events.append((_tick(when), 2, _control(controller, value)))
        for when, semitones in part.bends:
            pitch = int(min(max(semitones / 2, -1), 0.999) * 8192)
            events.append((_tick(when), 2, ("pitchwheel", {"pitch": pitch})))
        for note in _untangled(part.notes):
            on, off = _tick(note.start), _tick(note.start + note.seconds)
            if on >= end - 10 or off <= 0:
                continue
            keys = {"note": note.pitch, "velocity": note.velocity}
            events.append((on, 3, ("note_on", keys)))
            events.append((min(max(off, on + 1), end), 1, ("note_off", keys | {"velocity": 0})))
        events = sorted((e for e in events if e[0] <= end), key=lambda event: event[:2])
        track, now = mido.MidiTrack(), 0
        for tick, _, (kind, values) in events:
            message = mido.Message(
                kind, skip_checks=True, channel=channel, time=tick - now, **values
            )
            track.append(message)
            now = tick
        track.append(mido.MetaMessage("end_of_track", time=max(end - now, 0)))
        file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def _control(controller: int, value: int) -> tuple[str, dict[str, int]]:
    return ("control_change", {"control": controller, "value": min(max(value, 0), 127)})


def _tick(seconds: float) -> int:
    return max(round((seconds + LEAD_IN) * TICKS_PER_SECOND), 0)


def _untangled(notes: list[Note]) -> list[Note]:
    """End every note before the same pitch begins again: MIDI cannot tell the two apart."""
    ordered = sorted(notes, key=lambda note: (note.start, note.pitch, note.velocity))
    following: dict[int, float] = {}
    untangled = []
    for note in reversed(ordered):
        limit = following.get(note.pitch, float("inf")) - note.start
        if limit > 0.002:
            untangled.append(dataclasses.replace(note, seconds=min(note.seconds, limit - 0.001)))
            following[note.pitch] = note.start
    return untangled[::-1]
