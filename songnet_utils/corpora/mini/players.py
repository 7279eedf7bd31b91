"""What each player of a band plays, bar by bar, and how this makes a song.

Sections with the same name share their material, so a chorus that comes back is the same chorus.
"""

from __future__ import annotations

import dataclasses

from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.figures import DRUMS, Figure, Melody
from songnet_utils.corpora.mini.plan import Bar, Note, Part, Plan, velocity_of
from songnet_utils.corpora.mini.theory import MELODY_DEGREES, SCALES, Key, near, voicing

_HIT = {"X": 116, "x": 94, "o": 50, "=": 84, "%": 78, "?": 84}


def _drums(plan: Plan) -> list[Note]:
    if plan.groove is None:
        return []
    notes: list[Note] = []
    artist, metre = plan.artist, plan.metre
    for bar in plan.bars_of("drums"):
        taste = plan.dice.of("drums", bar.section.name)
        thin = bar.section.energy < 0.65
        rides = bar.section.energy >= 1.0 and taste.of("ride").maybe(0.4)
        hand = plan.dice.of("hand", bar.number)
        last = bar.place == bar.section.bars - 1 or bar.place % 8 == 7
        fill = metre.steps // 2 if last and hand.maybe(artist.style.fills) else metre.steps
        left_out = taste.of("thin").pick([line[0] for line in plan.groove.lines]) if thin else ""
        for drum, lines in plan.groove.lines:
            line = "" if drum == left_out else lines[bar.number % len(lines)]
            sound = DRUMS["ride" if rides and drum == "hat" else drum]
            for step, sign in enumerate(line[:fill]):
                unsure = sign == "?" and not taste.of(drum, bar.place % 4, step).maybe(0.5)
                count = 0 if sign == "." or unsure else {"=": 2, "%": 3}.get(sign, 1)
                for again in range(count):
                    strength = _HIT[sign] * (0.9 + 0.1 * metre.weight(step)) - 6 * again
                    notes.append(_hit(plan, bar, step + again / count, sound, strength, hand))
        if fill < metre.steps:
            notes += _fill(plan, bar, fill, hand)
        if bar.place == 0 and bar.section.energy > 0.85 and artist.style.fills >= 0.25:
            notes.append(_hit(plan, bar, 0, DRUMS["crash"], 96, hand))
    return notes


def _hit(plan: Plan, bar: Bar, step: float, pitch: int, strength: float, hand: Dice) -> Note:
    start = plan.at(bar, step) + hand.bell(plan.artist.loose)
    loud = strength * (0.8 + 0.2 * bar.section.energy) + hand.bell(4)
    return Note(start, 0.12, pitch, velocity_of(loud))


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


def _held(pattern: str, step: int) -> int:
    """Return for how many steps the sign at a step is held."""
    steps = 1
    while step + steps < len(pattern) and pattern[step + steps] == "-":
        steps += 1
    return steps


def _bass(plan: Plan) -> list[Note]:
    figure = plan.bass
    if figure is None:
        return []
    notes = []
    centre = plan.artist.registers["bass"]
    for index, bar in enumerate(plan.bars):
        if "bass" not in bar.section.layers:
            continue
        chord = plan.chord(bar, 4)
        root = near(chord[0], centre)
        following = plan.bars[min(index + 1, len(plan.bars) - 1)]
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
    return Note(start, max(seconds, 0.03), min(max(pitch, 21), 108), velocity_of(loud))


def _figure(plan: Plan, figure: Figure | None, role: str) -> list[Note]:
    """Play an accompanying figure over the chords."""
    if figure is None:
        return []
    notes: list[Note] = []
    centre = plan.artist.registers[role]
    for bar in plan.bars_of(role):
        chord = plan.chord(bar, max(plan.chord_notes, 3))
        voices = voicing(chord, centre)
        while len(voices) < figure.notes:
            voices.append(voices[len(voices) - len(chord)] + 12)
        root = near(chord[0], centre - 15)
        fifth = root + chord[2] - chord[0] - (12 if root > 48 else 0)
        power = [near(chord[0], 43) + step for step in (0, 7, 12)]
        strummed = voices[: figure.notes]
        # For each sign: its pitches, their loudness, and the share of the length that sounds.
        played: dict[str, tuple[list[int], float, float]] = {
            **{"C": (strummed, 96.0, 1.0), "c": (strummed, 76.0, 1.0), "m": (strummed, 92.0, 0.6)},
            **{"U": (strummed[::-1][:3], 78.0, 1.0), "P": (power, 100.0, 1.0)},
            **{"p": (power, 84.0, 0.55), "B": ([root], 98.0, 1.0), "F": ([fifth], 92.0, 1.0)},
        }
        pattern = figure.pattern[bar.number % len(figure.pattern)]
        hand = plan.dice.of(role, bar.number)
        for step, sign in enumerate(pattern):
            if sign in ".-":
                continue
            if sign.isdigit():
                octave, voice = divmod(int(sign), len(voices))
                pitches, loud, short = [voices[voice] + 12 * octave], 92.0, 1.0
            else:
                pitches, loud, short = played[sign]
            loud *= 0.85 + 0.15 * plan.metre.weight(step)
            spread = figure.strum * (0.8 if sign == "U" else 1.0)
            for rank, pitch in enumerate(pitches):
                note = _sound(plan, bar, step, pattern, figure.gate * short, pitch, loud, hand)
                notes.append(dataclasses.replace(note, start=note.start + rank * spread))
    return notes


def pads(plan: Plan) -> list[Note]:
    """Hold each chord for as long as it lasts."""
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
            seconds, loud = end - bar.start - 0.02, velocity_of(80 * bar.section.energy)
            for pitch in voicing(plan.chord(bar, 3), centre):
                notes.append(Note(bar.start, seconds, pitch, loud))
        index = until
    return notes


def ladder_of(key: Key, pentatonic: bool) -> list[int]:
    """Return the pitches that a tune may use: eleven octaves, starting from octave 0."""
    every = tuple(range(len(SCALES[key.scale])))
    degrees = MELODY_DEGREES.get(key.scale, every) if pentatonic else every
    return [key.tonic + key.semitones(d) + 12 * octave for octave in range(11) for d in degrees]


def _motif(melody: Melody, rhythms: tuple[str, ...], dice: Dice) -> list[tuple[str, list[int]]]:
    """Make a motif: a rhythm for each bar, and a move along the ladder for each note."""
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
    """Write the tune: motifs that are repeated and varied, with chord notes on strong steps."""
    if not plan.melodies:
        return
    centre = plan.artist.registers["melody"]
    for bar in plan.bars_of("melody"):
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
        ladder = ladder_of(plan.key, melody.pentatonic)
        chord = {pitch % 12 for pitch in plan.chord(bar, 3)}
        home = min(range(len(ladder)), key=lambda i: abs(ladder[i] - centre))
        low, high = home - melody.range // 2, home + (melody.range + 1) // 2
        # When a motif comes back, its last bar may end differently.
        vary = material.of("vary", phrase)
        at = home + material.of(letter, "start").whole(-2, 2)
        moves = list(moves)
        if phrase % 4 in (1, 3) and moves and vary.maybe(0.7):
            moves[-1] += vary.whole(-2, 2)
        hand = plan.dice.of("melody", bar.number)
        steps = [step for step, sign in enumerate(rhythm) if sign == "x"]
        for step, move in zip(steps, moves, strict=True):
            at += move
            at = 2 * low - at if at < low else at
            at = 2 * high - at if at > high else at
            at = min(max(at, low), high)
            strong = step in plan.metre.pulses or _held(rhythm, step) >= 4
            if strong and ladder[at] % 12 not in chord and plan.artist.style.process == "song":
                near_by = (at + away for away in (1, -1, 2, -2))
                at = next((place for place in near_by if ladder[place] % 12 in chord), at)
            loud = 100 * (0.85 + 0.15 * plan.metre.weight(step))
            note = _sound(plan, bar, step, rhythm, melody.gate, ladder[at], loud, hand)
            _sing(part, melody, note, ladder[at + 1], hand)


def _sing(part: Part, melody: Melody, note: Note, neighbour: int, hand: Dice) -> None:
    grace = min(0.07, note.seconds * 0.3)
    if hand.maybe(melody.ornament):
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


def song(plan: Plan, parts: dict[str, Part]) -> None:
    """Let every player play its part in a song."""
    parts["drums"].notes += _drums(plan)
    parts["bass"].notes += _bass(plan)
    parts["comp"].notes += _figure(plan, plan.comp, "comp")
    parts["counter"].notes += _figure(plan, plan.counter, "counter")
    parts["pad"].notes += pads(plan)
    _tune(plan, parts["melody"])
    style = plan.artist.style
    if style.pump:
        _pump(plan, parts, style.pump)
    for role in ("pad", "melody"):
        if style.swell:
            _swell(parts[role], style.swell)


def _swell(part: Part, depth: float) -> None:
    """Let long notes grow and fade, as bowed and blown notes do."""
    for start in sorted({note.start for note in part.notes if note.seconds > 0.7}):
        seconds = max(note.seconds for note in part.notes if note.start == start)
        for i in range(9):
            rise = 1.0 - abs(i / 8 - 0.45) / 0.55
            level = int(127 * (1.0 - depth * (1.0 - rise)))
            part.controls.append((start + seconds * i / 8, 11, level))


def _pump(plan: Plan, parts: dict[str, Part], depth: float) -> None:
    """Duck sustained notes under the kick, as a compressor triggered by the kick does."""
    levels = [int(127 * (1.0 - depth * (1.0 - i / 4) ** 2)) for i in range(5)]
    for bar in plan.bars:
        ducked = [(bar.start, 11, 127)]
        if "drums" in bar.section.layers:
            ducked = [
                (plan.at(bar, pulse + i * 0.7), 11, level)
                for pulse in plan.metre.pulses
                for i, level in enumerate(levels)
            ]
        for role in ("pad", "comp"):
            parts[role].controls += ducked
