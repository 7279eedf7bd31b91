"""Mini, the embedded corpus: what its grammars promise, and that it can be made again."""

import collections
import hashlib
import importlib.resources
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.corpora import list_corpora, mini, open_corpus, paths_of, table
from songnet_utils.corpora.mini import catalogue, render
from songnet_utils.corpora.mini.artists import ROLES
from songnet_utils.corpora.mini.compose import midi
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.figures import DRUMS
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.corpora.mini.plan import LEAD_IN, Note
from songnet_utils.corpora.mini.theory import METRES, Key, near, voicing

FMA_SMALL = {
    "Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock",
}  # fmt: skip


def one_of_each(folder):
    """Return the file of a clip of each genre."""
    return list(catalogue.open_mini(folder).groupby("genre").file.first())


def render_them(folder, workers=1):
    return paths_of(one_of_each(folder), workers, progress=False)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A folder of mini with one clip of each genre, rendered by one process."""
    folder = tmp_path_factory.mktemp("mini")
    render_them(folder)
    return folder


@pytest.fixture(scope="session")
def pieces():
    """A piece of every eighth artist, so that every style of every genre is heard."""
    return [clip.compose() for clip in catalogue.plan() if clip.number == 0 and clip.artist < 8]


# ----------------------------------------------------------------------------- the corpus
def test_has_fma_smalls_genres_with_as_many_clips_and_enough_artists():
    clips = catalogue.plan()
    artists = collections.defaultdict(set)
    for clip in clips:
        artists[clip.genre].add(clip.name)
    assert set(artists) == FMA_SMALL
    assert min(map(len, artists.values())) >= 24
    assert len(set(collections.Counter(clip.genre for clip in clips).values())) == 1


def test_no_artist_is_in_two_genres_and_every_clip_has_its_own_id():
    clips = catalogue.plan()
    genres = collections.defaultdict(set)
    for clip in clips:
        genres[clip.name].add(clip.genre)
    assert all(len(found) == 1 for found in genres.values())
    assert len({clip.id for clip in clips}) == len(clips)
    assert len({clip.file for clip in clips}) == len(clips)


def test_every_style_has_artists():
    for genre, styles in GENRES.items():
        played = {c.make_artist().style.name for c in catalogue.plan() if c.genre == genre}
        assert played == {style.name for style in styles}


def test_an_artist_keeps_its_sound_and_artists_differ():
    by_artist = collections.defaultdict(list)
    for clip in catalogue.plan(artists=3):
        by_artist[clip.name].append(clip.make_artist())
    for records in by_artist.values():
        assert all(record == records[0] for record in records)
    mixes = [records[0].mix for records in by_artist.values()]
    assert len(set(mixes)) == len(mixes)


def test_lo_fi_is_no_sign_of_a_genre():
    share = collections.defaultdict(list)
    for clip in catalogue.plan(clips=1):
        share[clip.genre].append(clip.make_artist().mix.noise > -55)
    assert all(0.1 < np.mean(lo_fi) < 0.65 for lo_fi in share.values())


# ----------------------------------------------------------------------------- the music
def test_tempo_and_metre_are_the_grammars(pieces):
    for piece in pieces:
        style = piece.artist.style
        assert piece.metre.name in style.metres
        pulse = piece.tempo
        if len(set(piece.metre.groups)) == 1:
            pulse = piece.tempo * 4 / piece.metre.groups[0]
        assert style.tempo[0] - 1e-9 <= pulse <= style.tempo[1] + 1e-9
        assert piece.key.scale in style.scales


def test_notes_are_within_midi_and_within_the_clip(pieces):
    for piece in pieces:
        for part in piece.parts:
            assert 0 <= part.program <= 127
            assert part.role in ROLES
            for note in part.notes:
                assert 0 <= note.pitch <= 127
                assert 1 <= note.velocity <= 127
                assert note.seconds > 0
            assert -LEAD_IN - note.seconds < note.start < piece.clip_seconds


def onsets(piece, pitch):
    """Return on which quarter notes (or between them) a drum falls, counted from bar lines."""
    drums = next((part for part in piece.parts if part.role == "drums"), None)
    return [note.start for note in drums.notes if note.pitch == pitch] if drums else []


def test_house_has_a_kick_on_every_beat():
    clips = [c for c in catalogue.plan() if c.genre == "Electronic"]
    piece = next(
        p
        for p in (c.compose() for c in clips)
        if p.artist.style.name == "Techno" and len(onsets(p, DRUMS["kick"])) > 20
    )
    gaps = np.diff(onsets(piece, DRUMS["kick"]))
    beat = 60 / piece.tempo
    near_a_beat = np.abs(gaps - beat) < 0.2 * beat
    assert near_a_beat.mean() > 0.75


def test_rock_answers_the_kick_with_a_snare_two_beats_apart():
    clips = [c for c in catalogue.plan() if c.genre == "Rock"]
    piece = next(p for p in (c.compose() for c in clips) if p.artist.style.name == "Rock")
    gaps = np.diff(onsets(piece, DRUMS["snare"]))
    assert (np.abs(gaps - 120 / piece.tempo) < 0.03).mean() > 0.5


def test_hip_hop_swings_and_techno_does_not():
    def swings(genre, style):
        artists = (c.make_artist() for c in catalogue.plan(clips=1) if c.genre == genre)
        return [artist.swing for artist in artists if artist.style.name == style]

    assert max(swings("Hip-Hop", "Lo-fi Beats")) > 0.58
    assert set(swings("Electronic", "Techno")) == {0.5}


def test_seven_eight_has_bars_of_seven_eighths():
    metre = METRES["7/8"]
    assert metre.steps == 14
    assert metre.pulses == (0, 4, 8)


def test_every_pattern_fills_its_bar():
    for styles in GENRES.values():
        for style in styles:
            for figure in style.basses + style.comps + style.counters:
                for bar in figure.pattern:
                    assert len(bar) == METRES[figure.metre].steps, figure
            for groove in style.grooves:
                for drum, lines in groove.lines:
                    assert drum in DRUMS
                    for line in lines:
                        assert len(line) == METRES[groove.metre].steps, groove
            for melody in style.melodies:
                for metre, rhythms in melody.rhythms:
                    for rhythm in rhythms:
                        assert len(rhythm) == METRES[metre].steps, melody


def test_every_song_style_has_drums_bass_harmony_and_a_tune_in_its_metres():
    for styles in GENRES.values():
        for style in styles:
            if style.process not in ("song", "glitch"):
                continue
            for metre in style.metres:
                assert any(g.metre == metre for g in style.grooves), (style.name, metre)
                assert any(f.metre == metre for f in style.basses), (style.name, metre)
                assert any(f.metre == metre for f in style.comps), (style.name, metre)
                assert any(m.bars_in(metre) for m in style.melodies), (style.name, metre)


def test_tunes_repeat():
    """A motif comes back: far fewer different bars of rhythm than bars."""
    clips = [c for c in catalogue.plan() if c.genre == "Pop" and c.number == 0]
    shares = []
    for clip in clips[:6]:
        piece = clip.compose()
        tune = next((part for part in piece.parts if part.role == "melody"), None)
        if tune is None:
            continue
        steps = np.diff([note.pitch for note in tune.notes])
        threes = [tuple(steps[i : i + 3]) for i in range(len(steps) - 2)]
        shares.append(len(set(threes)) / len(threes))
    assert np.median(shares) < 0.8


def test_the_arrangement_changes_over_time(pieces):
    """In most pieces somebody is silent for four seconds and more while others play."""
    changing = 0
    for piece in pieces:
        for part in piece.parts:
            starts = [0.0, *sorted(n.start for n in part.notes), piece.clip_seconds]
            if np.max(np.diff(starts)) > 4:
                changing += 1
                break
    assert changing > len(pieces) / 2


def test_the_generator_is_frozen():
    """The same notes as when it was frozen; whoever changes them gives mini a new VERSION."""
    found = {
        clip.genre: hashlib.sha256(midi(clip.compose())).hexdigest()[:12]
        for clip in catalogue.plan(seed=0)
        if clip.artist == 5 and clip.number == 1
    }
    assert catalogue.VERSION == 2
    assert found == FROZEN


FROZEN = {
    "Electronic": "d10094cf46e0",
    "Experimental": "2c8358ec9508",
    "Folk": "b6106d00fa5a",
    "Hip-Hop": "78b913b218f1",
    "Instrumental": "06ab83d8b1fc",
    "International": "de407577fc5c",
    "Pop": "07023bedbe42",
    "Rock": "6ef928c7c9c1",
}


# ----------------------------------------------------------------------------- theory and dice
def test_chords_are_thirds_of_the_scale():
    assert Key(0, "major").chord(0) == (0, 4, 7)
    assert Key(0, "major").chord(4, 4) == (7, 11, 14, 17)
    assert Key(9, "minor").chord(0) == (9, 12, 16)
    assert Key(2, "hijaz").chord(1) == (3, 7, 10)


def test_degrees_go_on_below_the_tonic():
    assert Key(0, "major").semitones(-1) == -1
    assert Key(0, "major").semitones(7) == 12


def test_voicings_are_close_to_their_centre():
    assert near(0, 60) == 60
    assert near(11, 60) == 59
    assert voicing((7, 11, 14), 60) == [55, 59, 62]


def test_dice_depend_on_their_names_alone():
    one, other = Dice("a", 1), Dice("a", 1)
    other.of("b").unit()
    assert [one.unit() for _ in range(3)] == [other.unit() for _ in range(3)]
    assert Dice("a", 1).unit() != Dice("a", 2).unit()
    # the very number, so that a machine where it is another is found out
    assert Dice("a", 1).unit() == pytest.approx(EXPECTED_UNIT, abs=1e-15)


EXPECTED_UNIT = 0.6457910798919038


def test_dice_are_fair():
    dice = Dice("fair")
    counts = collections.Counter(dice.weigh({"a": 3, "b": 1}) for _ in range(4000))
    assert 0.70 < counts["a"] / 4000 < 0.80
    assert {dice.whole(1, 6) for _ in range(200)} == {1, 2, 3, 4, 5, 6}


# ----------------------------------------------------------------------------- the sound
def test_the_soundfont_is_the_one_that_mini_was_written_for():
    """TimGM6mb as pretty_midi 0.2.11 carries it; another one would be other music."""
    file = importlib.resources.files("pretty_midi") / "TimGM6mb.sf2"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SOUNDFONT


SOUNDFONT = "82475b91a76de15cb28a104707d3247ba932e228bada3f47bba63c6b31aaf7a1"


def test_clips_are_thirty_seconds_never_silent_never_clipped(small):
    for path in sorted(small.glob("*/*.flac")):
        audio, rate = soundfile.read(path, dtype="float32")
        assert rate == render.RATE
        assert audio.shape == (round(catalogue.CLIP_SECONDS * rate),)
        assert np.isfinite(audio).all()
        assert np.abs(audio).max() <= render.CEILING
        level = 20 * np.log10(np.sqrt(np.mean(audio**2)))
        assert -24 < level < -12, path
        seconds = audio[: 30 * rate].reshape(30, rate)
        assert (np.sqrt((seconds**2).mean(axis=1)) > 10 ** (-70 / 20)).all(), path
        assert abs(audio.mean()) < 0.01


def test_clips_begin_and_end_at_zero(small):
    for path in sorted(small.glob("*/*.flac")):
        audio, _ = soundfile.read(path, dtype="float32")
        assert abs(audio[0]) < 1e-3
        assert abs(audio[-1]) < 1e-3


def test_a_note_sounds_at_its_pitch_and_time():
    """Playing at double speed on instruments tuned up leaves pitch and time where they were."""
    piece = next(c for c in catalogue.plan() if c.genre == "Folk").compose()
    part = next(part for part in piece.parts if part.role == "melody")
    part.program, part.controls, part.bends = 73, [], []  # a flute
    part.notes = [Note(10.0, 2.0, 69, 100)]
    piece.parts = [part]
    audio = render.play(midi(piece, render.SPEED))
    begin = int((LEAD_IN + 10.0) * render.RATE)
    assert np.abs(audio[: begin - 200]).max() < 1e-3
    assert np.abs(audio[begin : begin + render.RATE // 2]).max() > 0.01
    tone = audio[begin + render.RATE // 2 : begin + render.RATE]
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 8 * len(tone)))
    hertz = np.argmax(spectrum) * render.RATE / (8 * len(tone))
    assert hertz == pytest.approx(440, rel=0.012)


def test_the_noise_of_a_lo_fi_record_is_as_far_below_the_music_as_it_says(small):
    clip = next(c for c in catalogue.plan() if c.make_artist().mix.noise > -50)
    mix = clip.make_artist().mix
    silence = np.zeros(3 * render.RATE)
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(len(silence)) / render.RATE)
    out = render.produce(tone, mix, Dice("tape"), 2 * render.RATE)
    assert 20 * np.log10(np.sqrt(np.mean(out**2))) == pytest.approx(mix.loudness, abs=1.5)


# ----------------------------------------------------------------------------- making it
def test_a_clip_is_rendered_when_it_is_opened_and_only_then(small, tmp_path):
    corpus = open_corpus("mini", tmp_path, progress=False)
    file = corpus.clips.file[96]
    assert not list(tmp_path.rglob("*.flac"))
    assert str(file) == str(tmp_path / "mini" / "Experimental" / "000097.flac")
    content = Path(pickle.loads(pickle.dumps(file))).read_bytes()
    assert content == (small / "Experimental" / "000097.flac").read_bytes()
    assert load_audio(file, 22_050).shape == (30 * 22_050,)
    assert [str(path) for path in tmp_path.rglob("*.flac")] == [str(file)]
    listed = list_corpora(tmp_path).set_index("name").loc["mini"]
    assert (listed.clips, listed.licence) == (1, corpus.licence)


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(small, tmp_path):
    assert render_them(tmp_path, workers=2) == [str(file) for file in one_of_each(tmp_path)]
    assert files(tmp_path) == files(small)


def test_another_seed_gives_other_music_and_other_artists(tmp_path, monkeypatch):
    plan = catalogue.plan
    one, other = plan(0)[0], plan(7)[0]
    assert one.genre == other.genre
    assert midi(one.compose()) != midi(other.compose())
    assert {c.name for c in plan(0)} != {c.name for c in plan(7)}
    monkeypatch.setattr(catalogue, "plan", lambda seed: plan(seed, artists=1, clips=1))
    first = open_corpus("mini-7", tmp_path, progress=False).clips
    assert set(first.genre) == FMA_SMALL
    # Only files tell the bit rate.
    assert set(first.columns[first.isna().any()]) == {"content", "split", "subset", "bit_rate"}
    monkeypatch.setattr(catalogue, "describe", None)
    pd.testing.assert_frame_equal(open_corpus("mini-7", tmp_path).clips, first)


def test_what_a_killed_run_had_rendered_stays(small, tmp_path, monkeypatch):
    made = []
    whole = catalogue.make_clip

    def dies(clip):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(clip.id)
        return whole(clip)

    monkeypatch.setattr(catalogue, "make_clip", dies)
    with pytest.raises(KeyboardInterrupt):
        render_them(tmp_path)
    assert len(list(tmp_path.rglob("*.flac"))) == 3
    monkeypatch.setattr(catalogue, "make_clip", lambda clip: made.append(clip.id) or whole(clip))
    render_them(tmp_path)
    assert len(made) == len(set(made)) == 8
    assert files(tmp_path) == files(small)


def test_what_a_killed_run_left_behind_is_swept_away(tmp_path):
    left, fresh = (tmp_path / f"Rock/.songnet-0000000{n}.part.flac" for n in (1, 2))
    left.parent.mkdir()
    for path in (left, fresh):
        path.write_bytes(b"half a clip")
    os.utime(left, (0, 0))
    catalogue.open_mini(tmp_path)
    assert not left.exists()
    assert fresh.exists(), "it may be another run's that is being written"


def test_a_run_killed_by_the_system_leaves_whole_clips(small, tmp_path):
    """SIGKILL in the middle: what is there under a clip's name is whole."""
    code = (
        "from songnet_utils.corpora import paths_of\n"
        "from songnet_utils.corpora.mini import catalogue\n"
        "from pathlib import Path\n"
        f"files = catalogue.open_mini(Path({str(tmp_path)!r})).groupby('genre').file.first()\n"
        "paths_of(files, workers=1, progress=False)"
    )
    run = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob("[A-Z]*/[0-9]*.flac"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        run.kill()
        run.wait()
    whole, found = files(small), files(tmp_path)
    assert 2 <= len(list(tmp_path.glob("[A-Z]*/[0-9]*.flac"))) < 8
    for name, content in found.items():
        if not name.split("/")[-1].startswith("."):
            assert content == whole[name]


def test_a_folder_keeps_to_one_seed(small):
    with pytest.raises(SongNetError, match="choose another folder"):
        catalogue.open_mini(small, seed=7)


# ----------------------------------------------------------------------------- the table
def test_the_table_that_comes_with_the_project_is_the_generators(small):
    clips = table(catalogue.open_mini(small)).set_index("id", drop=False)
    composed = [
        {
            **catalogue.describe(clip, (small / clip.file).stat().st_size),
            "file": clips.file[clip.id],
            "genres": clips.genres[clip.id],
        }
        for clip in catalogue.plan()
        if (small / clip.file).exists()
    ]
    assert len(composed) == 8
    rows = table(composed)
    pd.testing.assert_frame_equal(rows, clips.loc[rows.id].reset_index(drop=True))


def test_the_table_has_what_lessons_use(small):
    clips = catalogue.open_mini(small)
    wanted = {
        "id", "file", "genre", "artist", "title", "seconds", "licence", "album", "year",
        "date_recorded", "listens", "favorites", "duration", "bit_rate", "genres", "location",
    }  # fmt: skip
    assert wanted <= set(clips.columns)
    assert not clips.isna().any().any()
    assert list(clips["id"]) == [clip.id for clip in catalogue.plan()]
    assert (clips["duration"] > clips["seconds"]).all()
    assert clips["year"].between(1998, 2025).all()
    assert set(clips["licence"]) == {mini.LICENCE}
    assert [genres[0] for genres in clips["genres"]] == list(clips["genre"])
    for row in clips.groupby("genre").first().itertuples():
        info = soundfile.info(row.file)
        assert info.frames / info.samplerate == row.seconds


def test_listens_have_a_long_tail(small):
    clips = catalogue.open_mini(small)
    assert clips["listens"].min() >= 1
    assert clips["listens"].mean() > 1.3 * clips["listens"].median()
    assert (clips["favorites"] <= clips["listens"]).all()
