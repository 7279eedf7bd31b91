"""Composing: from an artist to the notes of a clip, and to a MIDI file."""

from __future__ import annotations

import dataclasses
import io

import mido

from songnet_utils.corpora.mini.artists import ROLES, Artist
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.experimental import drone, free, glitch, phase
from songnet_utils.corpora.mini.plan import LEAD_IN, Note, Part, Plan, make_plan
from songnet_utils.corpora.mini.players import song

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
"""The level of each soundfont program in decibels, over three octaves at one velocity."""
_USUAL_LEVEL = -33
_MOST_TRIM = 6


_PROCESSES = {"song": song, "glitch": glitch, "free": free, "drone": drone, "phase": phase}


def compose(artist: Artist, dice: Dice, seconds: float) -> Plan:
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
    plan = make_plan(artist, dice, seconds)
    parts = {"drums": Part("drums", artist.kit)}
    parts |= {role: Part(role, plan.programs[role]) for role in ROLES[1:]}
    _PROCESSES[artist.style.process](plan, parts)
    for part in parts.values():
        part.notes = [
            note
            for note in part.notes
            if note.start < seconds and note.start + note.seconds > -LEAD_IN
        ]
    plan.parts = [part for part in parts.values() if part.notes]
    return plan


def midi(piece: Plan, speed: int = 1) -> bytes:
    """Write a piece as a MIDI file, one channel per part and one tick per millisecond of music.

    The first `LEAD_IN` seconds come before the clip; the file ends where the clip ends.

    Parameters
    ----------
    piece
        What to write.
    speed
        How many times faster the file plays than the music should sound.
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
            place = {"channel": channel, "time": tick - now}
            track.append(mido.Message(kind, skip_checks=True, **place, **values))
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
