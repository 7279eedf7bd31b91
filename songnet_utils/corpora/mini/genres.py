"""The eight genres, each with its own grammar, written as data.

A genre is a few styles (FMA would say sub-genres). A style says how fast, in which metre, with
how much swing, in which scales and over which chords a piece goes; what drums, bass, the
accompaniment, a second accompaniment, pads and the tune may play, on which instruments; and in
what form. Where genres overlap in life they overlap here: Pop plays figures of Rock and of
Electronic, Experimental takes any style apart, and most instruments are at home everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from songnet_utils.corpora.mini.figures import Figure, Groove, Melody, figure, groove


@dataclass(frozen=True)
class Section:
    """A stretch of a form: its name, its bars, who plays, and how loudly (0 to 1)."""

    name: str
    bars: int
    layers: frozenset[str]
    energy: float


def section(name: str, bars: int, layers: str, energy: float) -> Section:
    """Write a section; layers are initials: Drums, Bass, Comp, cOunter, pAd, Melody."""
    names = {"D": "drums", "B": "bass", "C": "comp", "O": "counter", "A": "pad", "M": "melody"}
    return Section(name, bars, frozenset(names[letter] for letter in layers), energy)


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


# ----------------------------------------------------------------------------- instruments
# What any band may own. An artist takes most instruments from its style, some from here.
ANYWHERE: dict[str, tuple[int, ...]] = {
    "bass": (32, 33, 34, 35, 38, 39),
    "comp": (0, 1, 2, 4, 5, 16, 18, 24, 25, 26, 27, 6, 7, 11, 46),
    "counter": (0, 4, 11, 12, 24, 25, 26, 27, 45, 46, 80, 81, 88, 98),
    "pad": (48, 49, 50, 51, 52, 54, 89, 90, 91, 92, 94, 95, 16, 19),
    "melody": (0, 4, 11, 22, 26, 40, 53, 56, 59, 65, 66, 68, 71, 73, 74, 80, 81, 82, 85, 110),
}

# ----------------------------------------------------------------------------- forms
SONG = (
    section("intro", 4, "CA", 0.5),
    section("verse", 8, "DBCM", 0.7),
    section("chorus", 8, "DBCOAM", 1.0),
    section("verse", 8, "DBCAM", 0.75),
    section("chorus", 8, "DBCOAM", 1.0),
    section("break", 4, "COA", 0.5),
    section("solo", 8, "DBCM", 0.9),
    section("chorus", 8, "DBCOAM", 1.0),
    section("chorus", 8, "DBCOAM", 1.0),
    section("outro", 4, "BCA", 0.5),
)
CLUB = (
    section("intro", 8, "DO", 0.6),
    section("groove", 8, "DBO", 0.8),
    section("drop", 16, "DBCOA", 1.0),
    section("break", 8, "AOM", 0.5),
    section("rise", 4, "DAO", 0.7),
    section("drop", 16, "DBCOAM", 1.0),
    section("groove", 8, "DBC", 0.8),
    section("break", 4, "ACM", 0.5),
    section("drop", 16, "DBCOM", 1.0),
    section("outro", 8, "DB", 0.7),
)
LOOP = (
    section("intro", 4, "CO", 0.6),
    section("verse", 12, "DBCM", 0.85),
    section("hook", 8, "DBCOAM", 1.0),
    section("verse", 12, "DBCM", 0.85),
    section("break", 2, "CM", 0.7),
    section("hook", 8, "DBCOAM", 1.0),
    section("verse", 8, "DBOM", 0.85),
    section("hook", 8, "DBCOA", 0.95),
    section("outro", 4, "DC", 0.6),
)
TUNE = (
    section("intro", 4, "C", 0.6),
    section("a", 8, "CM", 0.7),
    section("a", 8, "CBM", 0.8),
    section("b", 8, "CBOM", 0.9),
    section("a", 8, "CBMD", 0.85),
    section("interlude", 4, "CO", 0.65),
    section("b", 8, "CBOMD", 0.95),
    section("b", 8, "CBOMDA", 1.0),
    section("a", 8, "CBM", 0.8),
    section("outro", 4, "C", 0.55),
)
ARC = (
    section("opening", 4, "C", 0.45),
    section("a", 8, "CM", 0.6),
    section("a", 8, "CMA", 0.7),
    section("b", 8, "COAM", 0.8),
    section("climax", 8, "COABM", 1.0),
    section("b", 8, "COAM", 0.85),
    section("a", 8, "CMB", 0.65),
    section("closing", 4, "CA", 0.45),
)
SWELL = (
    section("opening", 4, "CA", 0.45),
    section("a", 8, "COM", 0.6),
    section("b", 8, "COABM", 0.75),
    section("climax", 16, "DCOABM", 1.0),
    section("b", 8, "COAM", 0.7),
    section("climax", 8, "DCOABM", 1.0),
    section("closing", 4, "CA", 0.45),
)
CYCLE = (
    section("intro", 4, "CD", 0.6),
    section("head", 8, "DBCM", 0.8),
    section("head", 8, "DBCOM", 0.9),
    section("drums", 2, "DB", 0.8),
    section("solo", 8, "DBCM", 0.9),
    section("head", 8, "DBCOAM", 1.0),
    section("break", 4, "DCO", 0.7),
    section("solo", 8, "DBCOM", 0.95),
    section("head", 8, "DBCOAM", 1.0),
    section("outro", 4, "DC", 0.6),
)
COLLAGE = (
    section("one", 5, "DCM", 0.8),
    section("two", 3, "AO", 0.5),
    section("three", 7, "DBCO", 1.0),
    section("four", 2, "M", 0.4),
    section("five", 6, "DBOAM", 0.9),
    section("six", 4, "CA", 0.6),
    section("seven", 7, "DBCM", 1.0),
    section("eight", 3, "DO", 0.7),
    section("nine", 6, "BCOAM", 0.8),
    section("ten", 5, "DCA", 0.9),
    section("eleven", 6, "DBM", 0.9),
    section("twelve", 4, "A", 0.4),
)

# ----------------------------------------------------------------------------- Rock
ROCK_GROOVES = (
    groove("straight rock", "4/4", kick="x.......x.x.....", snare="....X.......X...",
           hat="x.x.x.x.x.x.x.x."),
    groove("driving rock", "4/4", kick="x..?x...x.x.?...|x...x.x.x.x.....",
           snare="....X.......X...", open="x...x...x...x..."),
    groove("ride rock", "4/4", kick="x.....x.x.x.....", snare="....X.......X..o",
           ride="x.x.x.x.x.x.x.x."),
    groove("punk", "4/4", kick="x...x...x...x...|x...x.x.x...x...", snare="..X...X...X...X.",
           hat="x.x.x.x.x.x.x.x."),
    groove("half-time heavy", "4/4", kick="x.xx..x...x.x...|x.xx....x.x.x.x.",
           snare="........X.......", crash="x...x...x...x..."),
    groove("tom rock", "4/4", kick="x.......x.......", snare="....X.......X...",
           tom3="x.xxx.x.x.xxx.x."),
)  # fmt: skip
ROCK_BASSES = (
    figure("eighths", "4/4", "R-R-R-R-R-R-R-R-", 0.85),
    figure("eighths with a walk", "4/4", "R-R-R-R-R-R-R-R-|R-R-R-R-R-V-O-A-", 0.85),
    figure("kick and push", "4/4", "R---R-R-R-R---A-", 0.85),
    figure("galloping", "4/4", "R-RRR-RRR-RRR-RR", 0.8),
)
ROCK_COMPS = (
    figure("chugging", "4/4", "P-p-p-p-P-p-p-p-", 0.8),
    figure("power eighths", "4/4", "P-P-P-P-P-P-P-P-", 0.85),
    figure("riff", "4/4", "P--P--P-p-p-P---|P--P--P-p-P-P-P-", 0.85),
    figure("ringing", "4/4", "P-----P-P-------|P-----P-P---P-P-", 0.98),
    figure("gallop", "4/4", "P-ppP-ppP-ppP-pp", 0.7),
    figure("rock strum", "4/4", "C---C-U-..U-C-U-", 0.9, 0.010, 4),
)
ROCK_COUNTERS = (
    figure("octave riff", "4/4", "0-..0-3-..3-0-..", 0.9),
    figure("picked eighths", "4/4", "0-1-2-1-3-1-2-1-", 1.0),
    figure("answering chords", "4/4", "....C-......C-C-", 0.8),
)
ROCK_TUNE = Melody("rock", (("4/4", (
    "x-x-x-x-x---....", "x---x-x-x-x-....", "..x-x-x-x-x-x---", "x-xxx-x-x---x-x-",
    "x-------x-x-x---", "x-x-..x-x-..x-x-")),), pentatonic=True, leap=0.2, bend=0.25, repeat=0.3,
    rest=0.15)  # fmt: skip
ROCK_SOLO = Melody("rock solo", (("4/4", (
    "x-xxx-xxx-x-x---", "xxxxx-x-xxxxx-x-", "x---x-xxx-------", "x-x-xxx-xxx-x-x-")),),
    pentatonic=True, leap=0.15, bend=0.35, repeat=0.1, rest=0.1, motif_bars=1,
        range=12)  # fmt: skip
ROCK_CHORDS = (
    (0, 5, 2, 6), (0, 3, 4, 3), (0, 6, 3, 0), (0, 0, 3, 4), (0, 2, 3, 6), (0, 6, 5, 6),
    (0, 0, 6, 3),
)  # fmt: skip
ROCK_PALETTE = {
    "bass": (33, 34, 34, 36), "comp": (29, 30, 30, 29, 27), "counter": (27, 29, 18, 16, 28),
    "pad": (18, 16, 48, 50), "melody": (30, 29, 27, 30, 22, 65, 85),
}  # fmt: skip

ROCK = (
    Style("Rock", (108, 138), {"4/4": 1}, (0.5, 0.5, 0.5),
          ("mixolydian", "minor", "major"), ROCK_CHORDS, SONG,
          ROCK_GROOVES[:3] + ROCK_GROOVES[5:], ROCK_BASSES[:3], ROCK_COMPS[:4] + ROCK_COMPS[5:],
          ROCK_COUNTERS, (ROCK_TUNE, ROCK_SOLO), palette=ROCK_PALETTE, kits=(0, 8, 16, 16)),
    Style("Punk", (158, 186), {"4/4": 1}, (0.5, 0.5, 0.5),
          ("major", "mixolydian", "minor"), ROCK_CHORDS, SONG,
          (ROCK_GROOVES[3], ROCK_GROOVES[1]), ROCK_BASSES[:2], ROCK_COMPS[:3], ROCK_COUNTERS[:2],
          (ROCK_TUNE,), palette=ROCK_PALETTE, kits=(0, 8, 16), loose=(0.004, 0.012)),
    Style("Metal", (118, 164), {"4/4": 1}, (0.5, 0.5, 0.5),
          ("phrygian", "minor", "harmonic minor"), ((0, 0, 1, 0), (0, 5, 0, 6), (0, 0, 5, 1)),
          SONG, ROCK_GROOVES[3:5] + ROCK_GROOVES[1:2], ROCK_BASSES[2:] + ROCK_BASSES[:1],
          ROCK_COMPS[4:5] + ROCK_COMPS[:1] + ROCK_COMPS[2:3], ROCK_COUNTERS[:1],
          (ROCK_SOLO, ROCK_TUNE), chord_bars=(1, 2), palette=ROCK_PALETTE, kits=(16, 8)),
)  # fmt: skip

# ----------------------------------------------------------------------------- Electronic
CLUB_GROOVES = (
    groove("house", "4/4", kick="X...X...X...X...", clap="....x.......x...",
           open="..x...x...x...x.", hat="x.?xx.?xx.?xx.?x"),
    groove("techno",
        "4/4", kick="X...X...X...X...", hat="oox.oox.oox.oox.", rim="..?..?....x..?.."),
    groove("trance",
        "4/4", kick="X...X...X...X...", open="..X...X...X...X.", ride="x.x.x.x.x.x.x.x.",
           clap="....x.......x..."),
    groove("garage", "4/4", kick="X..?......X..x..", snare="....X.......X...",
           hat="..xo..x...xo..xo", shaker="xoxoxoxoxoxoxoxo"),
    groove("electro", "4/4", kick="X.....x...x.....|X.....x...x..x..", clap="....X.......X...",
           hat="xoxoxoxoxoxoxo=o", cowbell="..?...?....?...."),
    groove("breakbeat", "4/4", kick="X.x.......xx....|X.x.......x..?..",
           snare="....X..o.o..X..o", ride="x.x.x.x.x.x.x.x."),
)  # fmt: skip
CLUB_BASSES = (
    figure("offbeat", "4/4", "..R-..R-..R-..R-", 0.8),
    figure("rolling", "4/4", ".RRR.RRR.RRR.RRR", 0.6),
    figure("octaves", "4/4", "R.O.R.O.R.O.R.O.", 0.7),
    figure("acid", "4/4", "RR.OR.RTR.ORR.VO|RR.OR.RTR.O.RVOA", 0.6),
    figure("syncopated sub", "4/4", "R--R--R---R--R--", 0.85),
)
CLUB_COMPS = (
    figure("offbeat stabs", "4/4", "..m...m...m...m.", 0.6, 0, 4),
    figure("house piano", "4/4", "C..C..C..C..C.C.", 0.6, 0, 4),
    figure("dub chord", "4/4", "...m......m.....|...m..........m.", 0.6, 0, 4),
    figure("gate", "4/4", "c.cc.cc.c.cc.cc.", 0.5, 0, 3),
)
CLUB_COUNTERS = (
    figure("arpeggio up", "4/4", "0123012301230123", 0.6, 0, 4),
    figure("arpeggio turning", "4/4", "0121032101210323", 0.6, 0, 4),
    figure("arpeggio in threes", "4/4", "0.20.20.20.20.2.", 0.6, 0, 4),
    figure("octave sequence", "4/4", "0.30.3000.30.303", 0.5, 0, 3),
)
CLUB_TUNE = Melody("electronic", (("4/4", (
    "x..x..x..x..x.x.", "x.x.x..x.x.x..x.", "x.xx.xx.x.xx.xx.", "x...x..x....x..x")),),
    leap=0.35, repeat=0.35, gate=0.6, rest=0.05, motif_bars=1, range=8)  # fmt: skip
CLUB_LEAD = Melody("trance lead", (("4/4", (
    "x--x--x--x--x-x-", "x-----x---x---x-", "x--x--x-x-x-x-x-")),),
    leap=0.25, repeat=0.2, gate=0.85, rest=0.05, motif_bars=2)  # fmt: skip
CLUB_CHORDS = ((0,), (0, 0, 5, 6), (0, 5, 2, 6), (0, 3), (0, 0, 0, 6), (5, 6, 0, 0))
CLUB_PALETTE = {
    "bass": (38, 39, 38, 39, 87), "comp": (90, 62, 63, 81, 4, 1, 55),
    "counter": (80, 81, 84, 88, 98, 90, 38), "pad": (89, 90, 94, 95, 50, 51, 92),
    "melody": (80, 81, 82, 84, 86, 87, 90, 85),
}  # fmt: skip

ELECTRONIC = (
    Style("House", (118, 128), {"4/4": 1}, (0.5, 0.5, 0.56), ("minor", "dorian", "mixolydian"),
          CLUB_CHORDS, CLUB, (CLUB_GROOVES[0], CLUB_GROOVES[3], CLUB_GROOVES[0]),
          (CLUB_BASSES[0], CLUB_BASSES[4], CLUB_BASSES[2]), CLUB_COMPS, CLUB_COUNTERS[2:],
          (CLUB_TUNE,), (1, 2), (4, 4, 3), CLUB_PALETTE, (25, 24, 25), (0.0, 0.003), 0.5, 0.55),
    Style("Techno", (126, 142), {"4/4": 1}, (0.5, 0.5, 0.5), ("minor", "phrygian"),
          ((0,), (0, 0, 0, 1), (0, 6), (0,)), CLUB, (CLUB_GROOVES[1], CLUB_GROOVES[2]),
          (CLUB_BASSES[1], CLUB_BASSES[3], CLUB_BASSES[0]), CLUB_COMPS[2:] + CLUB_COMPS[:1],
          CLUB_COUNTERS, (CLUB_TUNE, CLUB_LEAD), (2,), (3, 4), CLUB_PALETTE, (25, 24),
          (0.0, 0.002), 0.4, 0.5),
    Style("Breaks & Electro", (120, 148), {"4/4": 1}, (0.5, 0.5, 0.54), ("minor", "dorian"),
          CLUB_CHORDS, CLUB, CLUB_GROOVES[4:], CLUB_BASSES[2:], CLUB_COMPS[1:],
          CLUB_COUNTERS, (CLUB_TUNE,), (1, 2), (3, 4), CLUB_PALETTE, (25, 24, 16),
          (0.0, 0.004), 0.6, 0.3),
)  # fmt: skip

# ----------------------------------------------------------------------------- Hip-Hop
HOP_GROOVES = (
    groove("boom bap", "4/4", kick="X..x......x.....|X..x....?.x..x..",
           snare="....X.......X...", hat="x.x.x.xox.x.x.xo"),
    groove("boom bap, late kick", "4/4", kick="X......x..x....?|X.x....x..x.....",
           snare="....X..o....X...", hat="x.xox.x.x.xox.x."),
    groove("dusty", "4/4", kick="X.....x...xx....|X......x.xx.....", snare="....X.......X..o",
           ride="x...x...x...x...", hat="..x...x...x...x."),
    groove("trap", "4/4", kick="X.....x...x.....|X..x......x..x..", clap="........X.......",
           hat="xxxxx%xxxxx=xx%x"),
    groove("trap, rolling",
        "4/4", kick="X......x..x...?.|X......x....x...", clap="........X.......",
           hat="x.x.x=x.x%x.x===", rim="...?.......?...."),
)  # fmt: skip
HOP_BASSES = (
    figure("with the kick", "4/4", "R--R--....R--...|R--R--....R--V-A", 0.9),
    figure("sparse", "4/4", "R------...R-T-V-|R-----....A-....", 0.9),
    figure("jazz", "4/4", "R--R..V-..O-..A-", 0.85),
)
TRAP_BASSES = (
    figure("808", "4/4", "R-----R---R-----|R--R------R--V--", 1.0),
    figure("808, long", "4/4", "R------R--------|R------R----O---", 1.0),
)
HOP_COMPS = (
    figure("loop", "4/4", "C-------..c-....|C-----c-..c-....", 0.95, 0.012, 4),
    figure("chop", "4/4", "C--.C--.....c-c-|C--.C-......c---", 0.8, 0, 4),
    figure("held", "4/4", "C-----------....|..C---------....", 1.0, 0.02, 4),
    figure("dark bells", "4/4", "0-..2-..1-..2-..|0-..2-..3-..1-..", 0.9, 0, 3),
)
HOP_COUNTERS = (
    figure("sample", "4/4", "..2-1-..0-......|..2-3-..2-1-....", 0.9, 0, 4),
    figure("stab", "4/4", "..........m..m..|................", 0.7, 0, 4),
    figure("plucked loop", "4/4", "0.12.1..0.12.3..", 0.8, 0, 4),
)
FLOW = Melody("flow", (("4/4", (
    "x.xxx.xxx.x.xxx.", "xx.xx.x.xxx.x.x.", ".xxxx.xx.xxxx...", "x.x.xxx.xx.xx...",
    "..xxx.xxxxx.x...")),), pentatonic=True, leap=0.06, repeat=0.62, gate=0.55, rest=0.08,
    motif_bars=1, range=4)  # fmt: skip
HOOK = Melody("hook", (("4/4", (
    "x-..x-x-..x-....", "x--x--x-....x---", "..x-x-..x-x-x---")),), pentatonic=True, leap=0.2,
    repeat=0.3, gate=0.8, rest=0.15, motif_bars=2, range=6)  # fmt: skip
HOP_CHORDS = ((0, 3), (0, 5), (1, 4, 0, 0), (0, 0, 5, 4), (3, 0), (0, 6, 5, 4))
HOP_PALETTE = {
    "bass": (32, 33, 35, 39, 38), "comp": (4, 5, 0, 2, 11, 26, 4),
        "counter": (11, 45, 8, 46, 61, 26),
    "pad": (48, 49, 52, 91, 89), "melody": (85, 59, 66, 28, 7, 53, 87, 11, 54),
}  # fmt: skip
TRAP_PALETTE = {
    "bass": (39, 38, 39, 87), "comp": (8, 10, 14, 88, 98, 46, 0), "counter": (10, 45, 98, 88, 75),
    "pad": (52, 91, 89, 95, 48), "melody": (85, 54, 81, 80, 28, 53, 87),
}  # fmt: skip

HIPHOP = (
    Style("Boom Bap", (82, 98), {"4/4": 1}, (0.5, 0.57, 0.66), ("dorian", "minor"), HOP_CHORDS,
          LOOP, HOP_GROOVES[:2], HOP_BASSES, HOP_COMPS[:3], HOP_COUNTERS, (FLOW, HOOK), (1,),
          (4, 4, 5), HOP_PALETTE, (0, 8, 25, 32), (0.005, 0.014), 0.25),
    Style("Lo-fi Beats", (70, 88), {"4/4": 1}, (0.5, 0.58, 0.68), ("dorian", "major", "minor"),
          HOP_CHORDS, LOOP, HOP_GROOVES[1:3], HOP_BASSES[1:], HOP_COMPS[:3], HOP_COUNTERS[::2],
          (HOOK, FLOW), (1, 2), (4, 5), HOP_PALETTE, (0, 32, 40, 8), (0.008, 0.020), 0.15),
    Style("Trap", (64, 76), {"4/4": 1}, (0.5, 0.5, 0.5), ("minor", "harmonic minor", "phrygian"),
          ((0, 5), (0, 0, 5, 4), (0, 1), (0, 3)), LOOP, HOP_GROOVES[3:], TRAP_BASSES,
          (HOP_COMPS[3], HOP_COMPS[2], HOP_COMPS[0]), HOP_COUNTERS[2:], (FLOW, HOOK), (1,), (3,),
          TRAP_PALETTE, (25, 25, 24), (0.0, 0.006), 0.3),
)  # fmt: skip

# ----------------------------------------------------------------------------- Pop
POP_GROOVES = (
    groove("pop", "4/4", kick="x.....x.x.......|x.....x.x..?....", snare="....X.......X...",
           hat="x.x.x.x.x.x.x.x."),
    groove("clap pop", "4/4", kick="x..x..x.x.......", clap="....X.......X...",
           hat="xoxoxoxoxoxoxoxo", tambourine="....x.......x..."),
    groove("dance pop", "4/4", kick="X...X...X...X...", clap="....X.......X...",
           hat="x.x.x.x.x.x.x.x.", open="......x.......x."),
    groove("ballad", "4/4", kick="x......xx.......", rim="....x.......x...",
           hat="x.x.x.x.x.x.x.x.", shaker="xoxoxoxoxoxoxoxo"),
    ROCK_GROOVES[0],
)  # fmt: skip
POP_BASSES = (
    figure("dotted", "4/4", "R--R--R-....R-A-", 0.9),
    figure("roots", "4/4", "R-----R-R-----A-", 0.95),
    figure("pumping", "4/4", "R-R-R-R-R-R-R-R-", 0.8),
    figure("dance octaves", "4/4", "R.O.R.O.R.O.R.O.", 0.7),
)
POP_COMPS = (
    figure("quarters", "4/4", "C---C---C---C---", 0.9, 0, 4),
    figure("pushed", "4/4", "C--C--C-----C-C-", 0.9, 0, 4),
    figure("strummed", "4/4", "C---C-U-..U-C-U-", 0.95, 0.012, 4),
    figure("broken", "4/4", "0-1-2-1-3-1-2-1-", 1.0, 0, 4),
    figure("synth eighths", "4/4", "c-c-c-c-c-c-c-c-", 0.6, 0, 3),
    ROCK_COMPS[1],
)
POP_COUNTERS = (
    figure("plucks", "4/4", "3..2..1-3..2..1-", 0.7, 0, 4),
    figure("high eighths", "4/4", "..3-..3-..2-..3-", 0.6, 0, 4),
    CLUB_COUNTERS[0],
    figure("answer", "4/4", "............3-2-|..........3-2-1-", 0.9, 0, 4),
)
POP_TUNE = Melody("vocal", (("4/4", (
    "x-x-x-x-x-x-x---", "..x-x-x-x--x----", "x--x--x-x-x-....", "....x-x-x-x-x---",
    "x-x-x--x--x-....", "x---x-x-x--x--x-")),), leap=0.16, repeat=0.3, gate=0.95, rest=0.06,
    range=8)  # fmt: skip
POP_HOOK = Melody("pop hook", (("4/4", (
    "x--x--x---x-x---", "x-x-x---x-x-x---", "x---x---x-x-x-x-", "x--x--x-x-------")),),
    pentatonic=True, leap=0.22, repeat=0.25, gate=0.95, rest=0.0, range=9)  # fmt: skip
POP_CHORDS = (
    (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (3, 4, 5, 0), (0, 2, 3, 4), (0, 3, 5, 4),
)  # fmt: skip
POP_PALETTE = {
    "bass": (33, 38, 39, 33, 34), "comp": (0, 1, 25, 27, 4, 90, 5),
        "counter": (27, 80, 11, 45, 88, 25),
    "pad": (48, 49, 50, 89, 94, 52), "melody": (53, 85, 52, 54, 80, 73, 65, 81),
}  # fmt: skip

POP = (
    Style("Pop", (96, 118), {"4/4": 1}, (0.5, 0.5, 0.54), ("major", "major", "minor"), POP_CHORDS,
          SONG, (POP_GROOVES[0], POP_GROOVES[1], POP_GROOVES[3]), POP_BASSES[:3],
          POP_COMPS[:4], POP_COUNTERS, (POP_TUNE, POP_HOOK), (1,), (3, 4), POP_PALETTE,
          (0, 8, 16, 24)),
    Style("Synth Pop", (110, 128), {"4/4": 1}, (0.5, 0.5, 0.5), ("major", "minor", "dorian"),
          POP_CHORDS, SONG, (POP_GROOVES[2], POP_GROOVES[1]), POP_BASSES[1:],
          (POP_COMPS[4], POP_COMPS[1], POP_COMPS[0]), POP_COUNTERS[:3], (POP_HOOK, POP_TUNE),
          (1,), (3, 4), POP_PALETTE | {"comp": (90, 50, 81, 4, 88), "melody": (80, 81, 85, 53, 54)},
          (24, 25, 16), (0.0, 0.004), 0.6, 0.25),
    Style("Power Pop", (112, 142), {"4/4": 1}, (0.5, 0.5, 0.5), ("major", "mixolydian"),
          POP_CHORDS, SONG, (ROCK_GROOVES[0], POP_GROOVES[0], ROCK_GROOVES[1]),
          (ROCK_BASSES[0], POP_BASSES[0]), (ROCK_COMPS[1], POP_COMPS[2], ROCK_COMPS[3]),
          (POP_COUNTERS[1], ROCK_COUNTERS[1]), (POP_TUNE, POP_HOOK), (1,), (3,),
          POP_PALETTE | {"comp": (29, 27, 25, 30), "melody": (53, 85, 54, 27, 65)}, (0, 8, 16)),
)  # fmt: skip

# ----------------------------------------------------------------------------- Folk
FOLK_GROOVES = (
    groove("stomp", "4/4", kick="x.......x.......", tambourine="....x.......x..."),
    groove("brushes", "4/4", snare="o.ooo.ooo.ooo.oo", kick="x.......x......."),
    groove("shaker", "4/4", shaker="xoxoxoxoxoxoxoxo"),
    groove("waltz", "3/4", kick="x...........", tambourine="....o...o..."),
    groove("jig", "6/8", kick="x.....x.....", tambourine="o.o.o.o.o.o."),
)
FOLK_BASSES = (
    figure("two to the bar", "4/4", "R-------V-------|R-------V---A---", 0.7),
    figure("roots", "4/4", "R---------------", 0.8),
    figure("waltz", "3/4", "R-----------|V-----------", 0.6),
    figure("jig", "6/8", "R-----V-----", 0.7),
)
FOLK_COMPS = (
    figure("travis", "4/4", "B-.2F-1-B-.3F-2-", 1.5, 0, 4),
    figure("travis, pinched", "4/4", "B-2-F-12B-3-F-21", 1.5, 0, 4),
    figure("boom-chick", "4/4", "B---C---F---C-U-", 0.9, 0.016, 4),
    figure("folk strum", "4/4", "B---C-U-..U-C-U-", 0.95, 0.020, 4),
    figure("banjo roll", "4/4", "B.1.2.B.1.2.B.2.|B1231B2131B12312", 1.2, 0, 4),
    figure("waltz strum", "3/4", "B---C---C-U-", 0.9, 0.018, 4),
    figure("waltz picking", "3/4", "B-1-2-3-2-1-", 1.6, 0, 4),
    figure("jig strum", "6/8", "C---U-C---U-", 0.8, 0.012, 4),
    figure("jig picking", "6/8", "B-1-2-F-1-2-", 1.4, 0, 4),
)
FOLK_COUNTERS = (
    figure("mandolin chop", "4/4", "....m.......m...", 0.5, 0.008, 4),
    figure("rolling", "4/4", "0-2-1-3-0-2-1-3-", 1.2, 0, 4),
    figure("second", "3/4", "....m...m...", 0.5, 0.008, 4),
    figure("jig chop", "6/8", "....m.....m.", 0.5, 0.008, 4),
)
FOLK_TUNE = Melody("folk song", (
    ("4/4", ("x---x-x-x---x---", "x-x-x-x-x---x---", "x---x---x-x-x-x-", "x-----x-x-------")),
    ("3/4", ("x---x---x---", "x-----x-x---", "x-------x---", "x---x-x-x---", "x-----------")),
    ("6/8", ("x---x-x---x-", "x-x-x-x---x-", "x-----x---x-")),
    ), leap=0.2, ornament=0.10, repeat=0.12, range=9)  # fmt: skip
FIDDLE_TUNE = Melody("fiddle tune", (
    ("4/4", ("x-xxx-x-x-xxx-x-", "x-x-xxxxx-x-x-x-", "xxxxx-x-xxxxx-x-", "x-xxx-xxx-x-x---")),
    ("6/8", ("x-x-x-x-x-x-", "x---x-x-x-x-", "x-x-x-x---x-")),
    ("3/4", ("x---x-x-x-x-", "x-x-x-x-x---")),
    ), leap=0.22, ornament=0.2, repeat=0.06, rest=0.0, gate=0.85, range=10)  # fmt: skip
FOLK_CHORDS = (
    (0, 3, 0, 4), (0, 0, 3, 4), (0, 4, 5, 3), (0, 6, 0, 6), (0, 3, 4, 0), (5, 3, 0, 4),
)  # fmt: skip
FOLK_PALETTE = {
    "bass": (32, 32, 35, 33), "comp": (24, 25, 25, 24, 105, 15), "counter": (25, 105, 15, 46, 106),
    "pad": (20, 21, 48, 49, 42), "melody": (40, 110, 22, 73, 74, 71, 21, 75, 53, 79),
}  # fmt: skip

FOLK = (
    Style("Singer-Songwriter", (78, 112), {"4/4": 3, "3/4": 2}, (0.5, 0.5, 0.55),
          ("major", "mixolydian", "minor"), FOLK_CHORDS, TUNE, FOLK_GROOVES[1:4],
          FOLK_BASSES[:3], FOLK_COMPS[:2] + FOLK_COMPS[3:4] + FOLK_COMPS[5:7], FOLK_COUNTERS,
          (FOLK_TUNE,), (1, 1, 2), (3,), FOLK_PALETTE, (40, 32, 0), (0.008, 0.020), 0.1,
          rubato=0.02),
    Style("Old-Time", (104, 128), {"4/4": 1}, (0.5, 0.5, 0.57), ("major", "mixolydian", "dorian"),
          FOLK_CHORDS, TUNE, FOLK_GROOVES[:2], FOLK_BASSES[:1], FOLK_COMPS[2:5],
          FOLK_COUNTERS[:2], (FIDDLE_TUNE,), (1,), (3,),
          FOLK_PALETTE | {"melody": (110, 40, 105, 22, 110)}, (40, 0), (0.006, 0.015), 0.1),
    Style("British Folk", (92, 124), {"6/8": 3, "3/4": 2, "4/4": 1}, (0.5, 0.5, 0.52),
          ("dorian", "major", "mixolydian"), FOLK_CHORDS, TUNE, FOLK_GROOVES[:1] + FOLK_GROOVES[3:],
          FOLK_BASSES, FOLK_COMPS[2:4] + FOLK_COMPS[5:], FOLK_COUNTERS, (FIDDLE_TUNE, FOLK_TUNE),
          (1,), (3,), FOLK_PALETTE | {"melody": (110, 73, 74, 79, 21, 109, 22)}, (40, 0, 48),
          (0.006, 0.016), 0.1),
)  # fmt: skip

# ----------------------------------------------------------------------------- Instrumental
QUIET_GROOVES = (
    groove("brushed pulse", "4/4", ride="x.......o.......", kick="x..............."),
    groove(
        "slow build",
        "4/4",
        kick="x.......x.......",
        snare="........x.......",
        ride="x...x...x...x...",
    ),
    groove(
        "rolling toms",
        "4/4",
        tom3="x.....x.x...x...",
        tom2="...x......x...x.",
        crash="?...............",
    ),
    groove("slow waltz", "3/4", ride="x...o...o...", kick="x..........."),
    groove("slow six", "6/8", ride="x...o.x...o.", kick="x..........."),
)
QUIET_BASSES = (
    figure("pedal", "4/4", "R---------------", 1.0),
    figure("half notes", "4/4", "R-------V-------", 1.0),
    figure("pedal in three", "3/4", "R-----------", 1.0),
    figure("pedal in six", "6/8", "R-----------", 1.0),
)
QUIET_COMPS = (
    figure("broken chords", "4/4", "B-0-1-2-3-2-1-0-", 2.0, 0, 4),
    figure("rising", "4/4", "B---1-2-3-------", 2.0, 0, 4),
    figure("alberti", "4/4", "0-2-1-2-0-2-1-2-", 1.3, 0, 3),
    figure("slow chords", "4/4", "C-------c-------", 1.0, 0.03, 4),
    figure("repeated chords", "4/4", "c---c---c---c---", 0.95, 0.01, 3),
    figure("nocturne", "6/8", "B-0-1-2-1-0-", 1.6, 0, 4),
    figure("slow six", "6/8", "B-----C-----", 1.2, 0.03, 4),
    figure("slow waltz", "3/4", "B---C---c---", 1.2, 0.02, 3),
    figure("flowing three", "3/4", "B-0-1-2-1-0-", 1.6, 0, 4),
)
QUIET_COUNTERS = (
    figure("high drops", "4/4", "........3-------|....2-------....", 1.5, 0, 4),
    figure("pulse", "4/4", "0---0---0---0---", 0.8, 0, 4),
    figure("echo", "3/4", "....3-----2-", 1.5, 0, 4),
    figure("echo in six", "6/8", "....3-....2-", 1.5, 0, 4),
)
SLOW_TUNE = Melody("slow tune", (
    ("4/4", ("x-------x---x---", "x-----------x---", "x---------------", "x---x---x-------",
             "....x---x-------")),
    ("3/4", ("x-------x---", "x-----------", "x---x---x---", "....x---x---")),
    ("6/8", ("x-------x-x-", "x-----x-----", "x-----------", "x---x-x-----")),
    ), leap=0.22, repeat=0.08, gate=1.0, rest=0.15, range=10)  # fmt: skip
PIANO_TUNE = Melody("piano tune", (
    ("4/4", ("x---x-x-x-------", "x-----x-x---x---", "x-x-x---x-------", "x---------x-x-x-")),
    ("3/4", ("x---x-x-x---", "x-------x-x-", "x-x-x---....")),
    ("6/8", ("x---x-x-----", "x-x-x-x-----", "x-----x---x-")),
    ), leap=0.25, repeat=0.08, gate=1.1, rest=0.12, range=11)  # fmt: skip
QUIET_CHORDS = (
    (0, 5, 3, 4), (0, 2, 5, 3), (0, 3), (5, 3, 0, 4), (0, 6, 3, 0), (0, 4, 5, 2, 3, 0, 3, 4),
)  # fmt: skip
QUIET_PALETTE = {
    "bass": (32, 43, 42, 35), "comp": (0, 0, 1, 46, 24, 4, 26), "counter": (46, 11, 8, 45, 98, 0),
    "pad": (48, 49, 89, 52, 94, 42, 92), "melody": (0, 40, 42, 68, 73, 60, 71, 24, 11),
}  # fmt: skip

INSTRUMENTAL = (
    Style("Solo Piano & Chamber", (60, 92), {"4/4": 2, "3/4": 2, "6/8": 1}, (0.5, 0.5, 0.5),
          ("major", "minor", "lydian"), QUIET_CHORDS, ARC, QUIET_GROOVES[:1] + QUIET_GROOVES[3:],
          QUIET_BASSES, QUIET_COMPS, QUIET_COUNTERS, (PIANO_TUNE, SLOW_TUNE), (1, 2), (3, 4),
          QUIET_PALETTE, (40, 32, 48), (0.010, 0.022), 0.0, rubato=0.06, swell=0.5),
    Style("Soundtrack", (56, 84), {"4/4": 3, "6/8": 1, "3/4": 1}, (0.5, 0.5, 0.5),
          ("minor", "lydian", "dorian", "harmonic minor"), QUIET_CHORDS, SWELL,
          QUIET_GROOVES[:1] + QUIET_GROOVES[2:], QUIET_BASSES,
          QUIET_COMPS[:1] + QUIET_COMPS[3:7] + QUIET_COMPS[8:], QUIET_COUNTERS, (SLOW_TUNE,),
          (1, 2), (3, 4), QUIET_PALETTE | {"comp": (48, 0, 46, 49, 24),
          "melody": (60, 40, 42, 73, 56, 68)},
          (48, 48, 40), (0.008, 0.020), 0.0, rubato=0.04, swell=0.65),
    Style("Post-Rock", (66, 104), {"4/4": 3, "6/8": 1}, (0.5, 0.5, 0.5), ("major", "minor",
        "dorian"),
          QUIET_CHORDS, SWELL, QUIET_GROOVES[:3] + QUIET_GROOVES[4:],
          QUIET_BASSES[:2] + QUIET_BASSES[3:],
          QUIET_COMPS[:3] + QUIET_COMPS[5:7], QUIET_COUNTERS, (SLOW_TUNE, PIANO_TUNE), (1, 2), (3,),
          QUIET_PALETTE | {"bass": (33, 34, 35), "comp": (27, 26, 0, 25),
          "melody": (27, 29, 26, 40, 0)},
          (0, 8, 40), (0.006, 0.016), 0.2, rubato=0.02, swell=0.45),
)  # fmt: skip

# ----------------------------------------------------------------------------- International
WORLD_GROOVES = (
    groove("son clave", "4/4", claves="x..x..x...x.x...", conga1="....x.....xx....",
           conga2="..............xx", slap="..x...x...x...x.", maracas="x.xxx.xxx.xxx.xx"),
    groove("cumbia", "4/4", maracas="x.xxx.xxx.xxx.xx", conga1="....x..x....x..x",
           kick="x.......x.......", cowbell="x...x...x...x..."),
    groove("samba",
        "4/4", kick="x..xx..xx..xx..x", agogo1="x.x...x...x.x...", agogo2="....xx..x......x",
           shaker="xoxxxoxxxoxxxoxx", tambourine="x..xx..xx..xx..x"),
    groove("afrobeat",
        "4/4", kick="x.....x..x....x.", snare="...o..o.o..o..X.", shaker="x.xxx.xxx.xxx.xx",
           conga1="..xx....x.xx....", agogo1="x..x...x..x.x..."),
    groove("twelve-eight bell", "12/8", agogo1="x...x...x.x...x...x...x.",
           conga1="....x.x.....x.x.....x.x.", shaker="x.o.o.x.o.o.x.o.o.x.o.o.",
           kick="x...........x..........."),
    groove("maqsum", "4/4", conga2="x...........x...|x.......x.......", slap="..x...x.....x.x.",
           tambourine="x.o.x.o.x.o.x.o.", bongo1=".....o.o.o.o...o"),
    groove("rachenitsa",
        "7/8", conga2="x...x...x.....", slap="..x...x...x.x.", tambourine="xoxoxoxoxoxoxo"),
    groove("karsilama", "9/8", conga2="x...x...x...x.....", slap="..x...x...x...x.x.",
           tambourine="x.o.x.o.x.o.x.o.o."),
    groove("one drop",
        "4/4", kick="........X.......", rim="........x..?....", hat="..x...x...x...x."),
    groove("steppers",
        "4/4", kick="X...X...X...X...", rim="........x......?", hat="..x.o.x...x.o.x."),
)  # fmt: skip
WORLD_BASSES = (
    figure("tumbao", "4/4", "......V-----O---|--....V-----O---", 0.85),
    figure("cumbia", "4/4", "R-------T---V---", 0.85),
    figure("surdo", "4/4", "R-.RV-.VR-.RV-.V", 0.8),
    figure("afro ostinato", "4/4", "R-..T-V-..R-..O-", 0.8),
    figure("twelve-eight", "12/8", "R-..V-..O-..R-..V-......", 0.8),
    figure("drone", "4/4", "R-------R---V---", 1.0),
    figure("balkan", "7/8", "R---V---R---V-", 0.7),
    figure("nine", "9/8", "R---V---R---V-A---", 0.7),
    figure("dub", "4/4", "R-R-..T-V---....|R-..R-V-..T-R-..", 0.9),
)
WORLD_COMPS = (
    figure("montuno", "4/4", "C.1C.1C.1C.1C.1.|C.1C.1C..C1C.1C.", 0.75, 0, 3),
    figure("cumbia chops", "4/4", "....m.m.....m.m.", 0.7, 0.005, 3),
    figure("bossa", "4/4", "B..mB..mB.m.B..m|B.m.B..mB..mB.m.", 0.9, 0.008, 4),
    figure("palm wine", "4/4", "0.2.1.30.2.1.2.3", 1.1, 0, 4),
    figure("kora", "12/8", "0.2.1.3.2.1.0.2.3.1.2.1.", 1.4, 0, 4),
    figure("oud ostinato", "4/4", "B-BB..B-B-B...BB|B-BB..B-B-F-B-BB", 0.9, 0, 3),
    figure("balkan chops", "7/8", "B-m-B-m-B-m-m-", 0.7, 0, 3),
    figure("nine chops", "9/8", "B-m-B-m-B-m-B-m-m-", 0.7, 0, 3),
    figure("skank", "4/4", "....m.......m...", 0.55, 0.004, 3),
    figure("bubble", "4/4", "..mm..mm..mm..mm", 0.5, 0, 3),
)
WORLD_COUNTERS = (
    figure("guajeo", "4/4", "0-2-.1.20-.2.1.2", 0.8, 0, 4),
    figure("thumb piano", "4/4", "0.31.20.31.20.21", 1.0, 0, 4),
    figure("marimba", "12/8", "0.1.2.0.1.2.0.1.2.0.1.2.", 0.8, 0, 4),
    figure("tremolo", "4/4", "0000............|2222....1111....", 0.8, 0, 4),
    figure("second accordion", "7/8", "0.1.2.1.0.1.2.", 0.7, 0, 4),
    figure("nine seconds", "9/8", "0.1.2.1.0.1.2.1.0.", 0.7, 0, 4),
)
DANCE_TUNE = Melody("dance tune", (
    ("4/4", ("..x-x-x-..x-x-x-", "x-.x.x-x.x-.x---", "x-.x-.x-..x-x---", "..xx.xx.xx.xx---")),
    ("12/8", ("x-..x-x-..x-x---x---....", "..x-x-..x-x-x---x-x-....")),
    ), leap=0.2, repeat=0.2, gate=0.8, ornament=0.08, rest=0.12, range=8)  # fmt: skip
MODAL_TUNE = Melody("modal tune", (
    ("4/4", ("x--xx-x-x-xxx---", "x-x-xxxxx-x-x---", "x-----xxx-x-xxx-", "x-xxxxx-xxx-x---")),
    ("7/8", ("x-x-x-x-x-xxx-", "x---x-x-x-x-x-", "x-xxx-x-x-x-x-", "x-x-x---x-----")),
    ("9/8", ("x-x-x-x-x-x-x-xxx-", "x---x-x-x---x-x-x-", "x-xxx-x-x-x-x-x-x-")),
    ), leap=0.05, repeat=0.1, gate=0.92, ornament=0.42, bend=0.1, rest=0.05, range=7)  # fmt: skip
WORLD_CHORDS = ((0, 4), (0, 3, 4, 3), (0, 3, 0, 4), (1, 4, 0, 0), (0, 0, 4, 4))
MODAL_CHORDS = ((0,), (0, 0, 1, 0), (0, 6), (0, 0, 3, 0))
WORLD_PALETTE = {
    "bass": (32, 33, 35), "comp": (0, 24, 26, 12, 21), "counter": (12, 108, 114, 24, 11, 13),
    "pad": (21, 20, 61, 48), "melody": (56, 73, 61, 114, 12, 57, 71, 53, 65),
}  # fmt: skip
MODAL_PALETTE = {
    "bass": (32, 35, 43), "comp": (24, 104, 106, 107, 15, 25), "counter": (107, 15, 104, 46),
    "pad": (20, 48, 109, 21), "melody": (111, 104, 110, 71, 77, 75, 21, 68, 40),
}  # fmt: skip

INTERNATIONAL = (
    Style("Latin", (92, 116), {"4/4": 1}, (0.5, 0.5, 0.53), ("major", "minor", "mixolydian"),
          WORLD_CHORDS, CYCLE, WORLD_GROOVES[:3], WORLD_BASSES[:3], WORLD_COMPS[:3],
          (WORLD_COUNTERS[0],), (DANCE_TUNE,), (1,), (3, 4), WORLD_PALETTE, (0, 8),
          (0.004, 0.012), 0.3),
    Style("African", (100, 124), {"4/4": 1, "12/8": 1}, (0.5, 0.5, 0.54), ("major",
        "mixolydian", "dorian"),
          WORLD_CHORDS, CYCLE, WORLD_GROOVES[3:5], WORLD_BASSES[3:5], WORLD_COMPS[3:5],
          WORLD_COUNTERS[1:3], (DANCE_TUNE,), (1,), (3,),
          WORLD_PALETTE | {"comp": (24, 27, 26, 108, 12)}, (0, 8), (0.004, 0.012), 0.3),
    Style("Balkan & Middle East", (104, 152), {"4/4": 2, "7/8": 2, "9/8": 1}, (0.5, 0.5, 0.5),
          ("hijaz", "phrygian", "harmonic minor"), MODAL_CHORDS, CYCLE, WORLD_GROOVES[5:8],
          WORLD_BASSES[5:8], WORLD_COMPS[5:8], WORLD_COUNTERS[3:], (MODAL_TUNE,), (2, 1), (3,),
          MODAL_PALETTE, (0, 8, 48), (0.005, 0.013), 0.3),
    Style("Reggae - Dub", (66, 80), {"4/4": 1}, (0.5, 0.5, 0.58), ("minor", "dorian", "major"),
          WORLD_CHORDS, CYCLE, WORLD_GROOVES[8:], WORLD_BASSES[8:], WORLD_COMPS[8:],
          (WORLD_COUNTERS[0],), (DANCE_TUNE,), (1,), (3,),
          WORLD_PALETTE | {"comp": (27, 16, 18, 26, 0), "bass": (33, 35, 39)}, (0, 8, 16),
          (0.005, 0.012), 0.5),
)  # fmt: skip

# ----------------------------------------------------------------------------- Experimental
ODD_PALETTE = {
    "bass": (43, 39, 58, 87, 38, 32), "comp": (0, 101, 103, 14, 19, 44, 6, 30, 99, 47),
    "counter": (13, 115, 45, 112, 117, 9, 127, 98), "pad": (101, 97, 95, 92, 52, 96, 93, 103, 44),
    "melody": (68, 71, 77, 86, 31, 40, 76, 109, 57, 13, 0, 84),
}  # fmt: skip
ODD_SCALES = ("whole tone", "octatonic", "chromatic", "phrygian", "lydian")
ODD_CHORDS = ((0,), (0, 3), (0, 1, 5), (0, 4, 1, 6, 2))
ODD_TUNE = Melody("points", (
    ("4/4", ("x..x......xx....", "..x..........xx.", "x.......x..x....", "xxxx............")),
    ("7/8", ("x..x....x.....", "..xx........x.", "xxxxx.........")),
    ("5/4", ("x......x....x.....xx", "..xxx...............", "x.......x...........")),
    ), leap=0.75, repeat=0.05, gate=0.6, rest=0.3, range=18, motif_bars=1)  # fmt: skip
ODD_GROOVES = (
    groove("limping",
        "7/8", kick="x....x....x...", snare="...x.....X....", block1="x.x.x..x.x.x.."),
    groove("five", "5/4", kick="x.....x...x...x.....", snare="......X.........X...",
           hat="x.xxx.x.xx.x.xxx.x.x"),
    groove("broken",
        "4/4", kick="x..........x....|....x.x.........", snare=".....X........xx|..X..........X..",
           block2="..x.x..x........|x.......x.x...x.", open="..........x.....|................"),
)  # fmt: skip
ODD_FIGURES = (
    figure("broken", "4/4", "C.......m..m....|...........C----", 0.8, 0, 5),
    figure("seven", "7/8", "m..m.m..m..m..", 0.6, 0, 4),
    figure("five", "5/4", "C-----m.m.....m..m..", 0.7, 0, 4),
)
ODD_BASSES = (
    figure("broken", "4/4", "R--.....R.......|......V-----..R.", 0.8),
    figure("seven", "7/8", "R----R----V---", 0.7),
    figure("five", "5/4", "R-----R---V---R-----", 0.7),
)
ODD_COUNTERS = (
    figure("clock", "4/4", "0...1.....0...2.", 0.5, 0, 4),
    figure("seven", "7/8", "0.10.10.1020.1", 0.5, 0, 4),
    figure("five", "5/4", "0.1.2.3.4.0.1.2.3.4.", 0.5, 0, 5),
)
PHASES = (
    figure("twelve", "3/4", "012.01.2.10.", 0.7, 0, 4),
    figure("twelve, other", "3/4", "0120.210.12.", 0.7, 0, 4),
    figure("eight", "4/4", "01.201.2012.0.12", 0.7, 0, 4),
)

EXPERIMENTAL = (
    Style("Glitch & Collage", (76, 168), {"4/4": 3, "7/8": 2,
        "5/4": 2}, (0.5, 0.5, 0.6), ODD_SCALES,
          ODD_CHORDS, COLLAGE, ODD_GROOVES, ODD_BASSES, ODD_FIGURES, ODD_COUNTERS, (ODD_TUNE,),
          (1, 2), (3, 4, 5), ODD_PALETTE, (24, 25, 16, 48, 0), (0.0, 0.03), 0.2,
          process="glitch"),
    Style("Free Improvisation", (60, 120), {"4/4": 1}, (0.5, 0.5, 0.5),
        ODD_SCALES, ODD_CHORDS, COLLAGE,
          ODD_GROOVES[2:], melodies=(ODD_TUNE,), chord_notes=(4, 5), palette=ODD_PALETTE,
          kits=(40, 48, 0, 32), process="free"),
    Style("Drone", (50, 80), {"4/4": 1}, (0.5, 0.5, 0.5), ODD_SCALES, ODD_CHORDS, COLLAGE,
          ODD_GROOVES[2:], melodies=(ODD_TUNE,), chord_bars=(4,), chord_notes=(4, 5),
          palette=ODD_PALETTE, kits=(48, 24), process="drone"),
    Style("Minimalism", (100, 168), {"3/4": 1, "4/4": 1}, (0.5, 0.5, 0.5),
          ("major", "dorian", "lydian", "octatonic"), ((0,), (0, 3), (0, 5)), COLLAGE, comps=PHASES,
          counters=PHASES, melodies=(ODD_TUNE,), chord_bars=(4, 8), chord_notes=(4, 5),
          palette=ODD_PALETTE | {"comp": (12, 0, 11, 4, 46, 80, 45),
          "counter": (12, 0, 11, 71, 80)},
          loose=(0.0, 0.004), process="phase"),
)  # fmt: skip

GENRES: dict[str, tuple[Style, ...]] = {
    "Electronic": ELECTRONIC,
    "Experimental": EXPERIMENTAL,
    "Folk": FOLK,
    "Hip-Hop": HIPHOP,
    "Instrumental": INSTRUMENTAL,
    "International": INTERNATIONAL,
    "Pop": POP,
    "Rock": ROCK,
}
"""The styles of each genre; the names are FMA's."""
