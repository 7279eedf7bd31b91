"""Artists: each has a taste within a genre, a few instruments, and a sound of its own.

An artist plays one style of its genre, with two or three of the style's grooves and figures, on the
same few instruments and at its own tempos. All its records are made with the same microphones and
the same tape. What these two add (`Mix`) does not depend on the genre at all: it makes an artist
easy to recognise, and it says nothing about the genre.
"""

from __future__ import annotations

from dataclasses import dataclass

from songnet_utils.corpora.mini import names
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.figures import Figure, Groove, Melody
from songnet_utils.corpora.mini.genres import ANYWHERE, GENRES, Style

ROLES = ("drums", "bass", "comp", "counter", "pad", "melody")
"""The parts of a band."""

AT_HOME = 0.55
"""How often an instrument comes from the style's own palette; otherwise, it is from `ANYWHERE`."""


@dataclass(frozen=True)
class Mix:
    """The sound of an artist's records.

    Attributes
    ----------
    levels
        The level of each role in decibels, in the order of `ROLES`.
    room
        Reverberation, 0 to 1.
    low, mid, high
        Gain in decibels below 250 Hz, around `mid_hertz`, and above 3 kHz.
    band
        Lowest and highest frequency that the recording keeps, in hertz.
    drive
        Saturation, 0 (none) to 1.
    noise
        Level of the hiss relative to the music, in decibels.
    crackle
        Vinyl clicks per second.
    wow
        How far the speed wavers, as a fraction.
    echo
        Delay of the echo in seconds, and its relative level.
    loudness
        Root mean square of a finished clip, in decibels relative to full scale.
    """

    levels: tuple[float, ...]
    room: float
    chorus: float
    low: float
    mid: float
    mid_hertz: float
    high: float
    band: tuple[float, float]
    drive: float
    noise: float
    crackle: float
    wow: float
    echo: tuple[float, float]
    loudness: float


@dataclass(frozen=True)
class Artist:
    """An artist: style, instruments and sound."""

    name: str
    genre: str
    style: Style
    tempo: tuple[float, float]
    metres: tuple[str, ...]
    swing: float
    grooves: tuple[Groove, ...]
    basses: tuple[Figure, ...]
    comps: tuple[Figure, ...]
    counters: tuple[Figure, ...]
    melodies: tuple[Melody, ...]
    scales: tuple[str, ...]
    programs: dict[str, tuple[int, ...]]
    kit: int
    registers: dict[str, float]
    loose: float
    vibrato: float
    mix: Mix
    home: str
    since: int
    fame: float


def _mix(dice: Dice) -> Mix:
    lo_fi = dice.maybe(0.35)
    base = (-2.5, -1.0, -1.0, -4.0, -4.0, 2.0)
    levels = tuple(level + dice.between(-3.5, 3.5) for level in base)
    if lo_fi:
        band = (dice.between(60, 220), dice.between(3200, 7000))
        noise = dice.between(-52, -34)
    else:
        band = (dice.between(20, 50), dice.between(8500, 10800))
        noise = dice.between(-90, -60)
    return Mix(
        levels=levels,
        room=dice.between(0.0, 0.95) ** 1.3,
        chorus=dice.between(0.0, 0.5),
        low=dice.between(-6.0, 6.0),
        mid=dice.between(-5.0, 5.0),
        mid_hertz=dice.between(500, 2000),
        high=dice.between(-7.0, 7.0),
        band=band,
        drive=dice.between(0.25, 0.9) if lo_fi else dice.between(0.0, 0.45),
        noise=noise,
        crackle=dice.between(2, 14) if lo_fi and dice.maybe(0.4) else 0.0,
        wow=dice.between(0.0008, 0.003) if lo_fi and dice.maybe(0.5) else 0.0,
        echo=(dice.between(0.09, 0.42), dice.between(0.1, 0.35)) if dice.maybe(0.3) else (0.0, 0.0),
        loudness=dice.between(-20.0, -14.0),
    )


def _programs(style: Style, dice: Dice) -> dict[str, tuple[int, ...]]:
    programs = {}
    for role, anywhere in ANYWHERE.items():
        chosen = []
        for at in range(2 if role in ("comp", "melody") else 1):
            own = style.palette.get(role, anywhere)
            chosen.append(dice.of(role, at).pick(own if dice.maybe(AT_HOME) else anywhere))
        programs[role] = tuple(chosen)
    return programs


def make_artist(seed: int, genre: str, number: int, name: str) -> Artist:
    """Make a genre's artist with this number (from 0); the style follows from the number."""
    dice = Dice("mini", seed, genre, "artist", number)
    styles = GENRES[genre]
    style = styles[number % len(styles)]
    slow, fast = style.tempo
    middle, spread = dice.between(slow, fast), (fast - slow) * 0.15
    metres = [dice.weigh(style.metres)]
    if len(style.metres) > 1 and dice.maybe(0.5):
        metres.append(dice.weigh(style.metres))
    metres = list(dict.fromkeys(metres))

    def taste(options: tuple, how_many: int, what: str) -> tuple:
        chosen = []
        for metre in metres:
            playable = [option for option in options if option.metre == metre]
            chosen += dice.of(what, metre).some(playable, how_many)
        return tuple(dict.fromkeys(chosen))

    _, least, most = style.swing
    swing = least if least == most or dice.maybe(0.3) else dice.between(least, most)
    registers = {
        "bass": dice.between(33, 40),
        "comp": dice.between(54, 65),
        "counter": dice.between(62, 76),
        "pad": dice.between(55, 69),
        "melody": dice.between(64, 79),
    }
    return Artist(
        name=name,
        genre=genre,
        style=style,
        tempo=(max(slow, middle - spread), min(fast, middle + spread)),
        metres=tuple(metres),
        swing=swing,
        grooves=taste(style.grooves, 2, "grooves"),
        basses=taste(style.basses, 2, "basses"),
        comps=taste(style.comps, 2, "comps"),
        counters=taste(style.counters, 2, "counters"),
        melodies=tuple(dice.some(style.melodies, 2)),
        scales=tuple(dice.some(style.scales, 2)),
        programs=_programs(style, dice),
        kit=dice.pick(style.kits) if dice.maybe(0.6) else dice.pick((0, 8, 16, 24, 25, 32, 40)),
        registers=registers,
        loose=dice.between(*style.loose),
        vibrato=dice.between(0, 60),
        mix=_mix(dice.of("mix")),
        home=dice.pick(names.PLACES),
        since=dice.whole(1998, 2015),
        fame=dice.bell(1.0),
    )
