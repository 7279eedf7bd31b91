"""How Experimental puts its pieces together: cutting up, improvising, droning, drifting apart."""

from __future__ import annotations

from songnet_utils.corpora.mini.figures import DRUMS
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.corpora.mini.plan import LEAD_IN, Part, Plan
from songnet_utils.corpora.mini.players import ladder_of, pads, song
from songnet_utils.corpora.mini.theory import near, voicing


def glitch(plan: Plan, parts: dict[str, Part]) -> None:
    """Play a song, with parts from any genre, and break it: slices stutter, jump or fall silent."""
    dice = plan.dice.of("glitch")
    donor = dice.pick([style for name in sorted(GENRES) if name != "Experimental"
                       for style in GENRES[name]])  # fmt: skip
    fits = [g for g in donor.grooves if g.metre == plan.metre.name]
    if fits and dice.maybe(0.6):
        plan.groove = dice.pick(fits)
    comps = [c for c in donor.comps if c.metre == plan.metre.name]
    if comps and dice.maybe(0.6):
        plan.comp = dice.pick(comps)
    song(plan, parts)
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
                    part.play(when, min(note.seconds, gap), pitch, note.velocity - 6)
                when += gap
                gap *= hand.pick((1.0, 1.0, 0.9))


def free(plan: Plan, parts: dict[str, Part]) -> None:
    """Improvise without a pulse: each player makes gestures, with silences between them."""
    scale = [p for p in ladder_of(plan.key, False) if 30 <= p <= 96]
    players = plan.dice.of("players").some(("comp", "counter", "melody", "pad", "bass"), 4)
    for role in [*players, "drums"]:
        hand = plan.dice.of("free", role)
        now = -LEAD_IN + hand.between(0, 1.5)
        while now < plan.clip_seconds:
            kind = hand.weigh({"burst": 3, "cluster": 2, "bounce": 2, "tone": 2, "rest": 2})
            centre = hand.whole(0, len(scale) - 1)
            loud = hand.between(45, 115)
            if role == "drums":
                pitches = [hand.pick(sorted(DRUMS.values())) for _ in range(4)]
            else:
                places = [centre + hand.whole(-5, 5) for _ in range(12)]
                pitches = [scale[min(max(place, 0), len(scale) - 1)] for place in places]
            play = parts[role].play
            if kind == "burst":
                for _ in range(hand.whole(5, 16)):
                    play(now, hand.between(0.05, 0.2), hand.pick(pitches), loud)
                    now += hand.between(0.04, 0.16)
            elif kind == "cluster":
                for pitch in pitches[:5]:
                    play(now + hand.between(0, 0.02), hand.between(0.1, 1.5), pitch, loud + 10)
                now += hand.between(0.4, 1.6)
            elif kind == "bounce":  # one note like a dropped ball, or like that backwards
                gap, ratio = (0.35, 0.82) if hand.maybe(0.5) else (0.05, 1.2)
                while 0.03 < gap < 0.5:
                    play(now, gap, pitches[0], loud)
                    now, gap = now + gap, gap * ratio
            elif kind == "tone":
                held = hand.between(0.8, 3.0)
                play(now, held, pitches[0], loud)
                parts[role].bends += [(now + held * i / 6, hand.between(-1, 1)) for i in range(6)]
                now += held * 0.8
            now += hand.between(0.3, 2.4 if kind == "rest" else 0.9)


def drone(plan: Plan, parts: dict[str, Part]) -> None:
    """Hold a few notes that swell and beat against each other, with a few strikes in between."""
    dice = plan.dice.of("drone")
    root = near(plan.key.tonic, 40)
    stack = [root, root + 7, root + dice.pick((12, 13, 11)), root + dice.pick((18, 19, 20, 24))]
    for role, pitches in (("pad", stack[:3]), ("comp", stack[1:3]), ("melody", stack[2:])):
        hand, part = dice.of(role), parts[role]
        now = -LEAD_IN
        while now < plan.clip_seconds:
            held = hand.between(5.0, 11.0)
            for pitch in pitches:
                part.play(now, held, pitch + hand.pick((0, 0, 0, 1, 12)), 84)
            now += held * 0.95
        detune = hand.between(-0.3, 0.3)
        rate = hand.between(0.25, 1.1)
        depth = hand.between(0.3, 0.8)
        ticks = int(plan.clip_seconds * 8)
        for i in range(ticks):
            when = i / 8
            wave = abs((when * rate * (1 + 0.3 * i / ticks)) % 2.0 - 1.0)
            part.controls.append((when, 11, int(127 * (1 - depth * wave))))
            part.bends.append((when, detune + 0.1 * wave))
    now, hand = hand.between(0, 2), dice.of("strikes")
    while now < plan.clip_seconds:
        role = hand.pick(("counter", "drums", "counter"))
        pitch = hand.pick((41, 49, 52, 57, 81, 47)) if role == "drums" else hand.pick(stack) + 24
        gap, many = hand.between(0.06, 0.25), hand.pick((1, 1, 3, 6, 12))
        for i in range(many):
            parts[role].play(now + i * gap, 0.6, pitch, 60 + 4 * i)
        now += many * gap + hand.between(0.6, 3.5)


def phase(plan: Plan, parts: dict[str, Part]) -> None:
    """Repeat one pattern in two voices, one a little faster, over pads and at times a slow bass."""
    figure = plan.comp or plan.counter
    assert figure is not None
    dice = plan.dice.of("phase")
    pattern = figure.pattern[0]
    step_seconds = 15.0 / plan.tempo
    for role, faster in (("comp", 1.0), ("counter", dice.between(1.01, 1.035))):
        hand = dice.of(role)
        shift = 12 if role == "counter" and dice.maybe(0.4) else 0
        now, step = -LEAD_IN, hand.whole(0, len(pattern) - 1)
        while now < plan.clip_seconds:
            bar = min(plan.bars, key=lambda b: abs(b.start - now))
            sign = pattern[step % len(pattern)]
            if sign.isdigit():
                voices = voicing(plan.chord(bar, 5), plan.artist.registers["comp"])
                pitch = voices[int(sign) % len(voices)] + shift
                loud = 88 + (12 if step % len(pattern) == 0 else 0) + hand.bell(4)
                late = hand.bell(plan.artist.loose)
                parts[role].play(now + late, step_seconds * figure.gate, pitch, loud)
            now += step_seconds / faster
            step += 1
    parts["pad"].notes += pads(plan)
    hand, now = dice.of("bass"), hand.between(0, 2)
    if dice.maybe(0.5):
        while now < plan.clip_seconds:
            parts["bass"].play(now, step_seconds * 6, near(plan.key.tonic, 36), 84)
            now += step_seconds * len(pattern) * hand.pick((1, 2))
