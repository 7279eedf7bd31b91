"""The explorers of lessons 1 and 2: what they say, show and play is what was chosen."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus
from songnet_utils.corpora import table as clip_table
from songnet_utils.corpora.splits import artist_overlap, artists
from songnet_utils.widgets import FilterBankExplorer, MelExplorer, SplitExplorer

RATE = 22_050


@pytest.fixture(scope="module")
def music():
    """Two seconds: a tone of 440 Hz, a softer one of 3 kHz in the second half, a little noise."""
    seconds = np.arange(2 * RATE) / RATE
    tones = 0.4 * np.sin(2 * np.pi * 440 * seconds)
    tones += np.where(seconds > 1, 0.1, 0) * np.sin(2 * np.pi * 3000 * seconds)
    noise = np.random.default_rng(0).normal(0, 1e-3, len(seconds))
    return (tones + noise).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Eight artists of two genres, six clips each, all of one sound."""
    file = tmp_path_factory.mktemp("split") / "clip.wav"
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    soundfile.write(file, tone, RATE)
    rows = [
        {
            "id": f"{artist}{number}",
            "file": str(file),
            "genre": "Folk" if artist < "e" else "Rock",
            "artist": artist,
            "title": f"Song {number}",
            "seconds": 1.0,
            "licence": "CC BY 4.0",
        }
        for artist in "abcdefgh"
        for number in range(6)
    ]
    return make_corpus(rows)


def make_corpus(rows):
    return Corpus(name="toy", clips=clip_table(rows))


def share_near(audio, low, high):
    """Return the share of a sound's energy between two frequencies."""
    power = np.abs(np.fft.rfft(audio.astype(float))) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    return power[(hertz >= low) & (hertz <= high)].sum() / power.sum()


def numbers(explorer):
    return [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\.?\d*", explorer.line.value)]


def assert_it_is_all_there(explorer):
    assert re.search(r'<img alt="[^"]{40,}"', explorer.picture.value)
    assert "<audio controls" in explorer.sounds.value
    for control in explorer.children[:-3]:
        assert control.description
        assert getattr(control, "continuous_update", False) is False
    # What a page without a kernel shows, beside the widget.
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    for part in (explorer.line, explorer.picture, explorer.sounds):
        assert part.value in bundle["text/html"]


# --- Mel ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mel(music):
    return MelExplorer(music, RATE)


def test_the_mel_explorer_begins_with_the_courses_own_sound(music):
    explorer = MelExplorer(music, RATE)
    assert explorer.chosen == Sound()
    np.testing.assert_array_equal(explorer.frames, log_mel(music, Sound()))
    assert_it_is_all_there(explorer)
    assert explorer.sounds.value.count("<audio") == 2


@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_what_the_mel_explorer_says_is_what_the_log_mel_has(mel, music, data):
    for control in (mel.n_fft, mel.hop, mel.bands):
        control.value = data.draw(st.sampled_from(control.options))
    mel.floor.value = data.draw(st.sampled_from(range(mel.floor.min, mel.floor.max + 1, 10)))
    sound = mel.chosen
    assert (sound.n_fft, sound.hop, sound.n_mels) == (
        *(mel.n_fft.value, mel.hop.value, mel.bands.value),
    )
    assert 10 * math.log10(sound.floor) == pytest.approx(mel.floor.value)
    assert all(hop <= sound.n_fft / 2 for hop in mel.hop.options)
    assert mel.frames.shape == (1 + len(music) // sound.hop, sound.n_mels)
    assert mel.frames.min() >= np.float32(math.log(sound.floor))
    assert len(mel.rebuilt) == len(music)
    assert np.isfinite(mel.rebuilt).all()
    frames, seconds, apart, a_second, samples, at_floor = numbers(mel)[:6]
    # 2 s: as many frames as are said, but for the one at the end.
    assert 2 * frames == pytest.approx(len(mel.frames), abs=1.1)
    assert seconds == pytest.approx(sound.n_fft / RATE, abs=5e-4)
    assert apart == pytest.approx(RATE / sound.n_fft, abs=5e-3)
    assert 2 * a_second == pytest.approx(mel.frames.size, abs=1.1 * sound.n_mels)
    assert samples == RATE
    assert at_floor / 100 == pytest.approx(
        (mel.frames == mel.frames.min()).mean()
        if mel.frames.min() <= np.float32(math.log(sound.floor))
        else 0,
        abs=0.006,
    )


def test_a_hop_that_no_longer_fits_moves_to_one_that_does(music):
    explorer = MelExplorer(music, RATE)
    explorer.n_fft.value = 256
    assert explorer.hop.value == explorer.chosen.hop == 128
    explorer.n_fft.value = 8192
    assert explorer.hop.value == explorer.chosen.hop == 512
    with pytest.raises(Exception, match="Invalid selection"):
        explorer.hop.value = 8192


def test_the_rebuilt_sound_has_what_the_settings_preserve(music):
    explorer = MelExplorer(music, RATE)
    fine = share_near(explorer.rebuilt, 400, 480)
    assert fine > 0.5
    # Eight bands: the tone's is hundreds of hertz wide, and so is the sound.
    explorer.bands.value = 8
    assert share_near(explorer.rebuilt, 400, 480) < fine / 2
    # The soft tone goes under a floor that the loud one stands above.
    explorer.bands.value = 128
    assert share_near(explorer.rebuilt, 2800, 3200) > 0.005
    loud, soft = (explorer.frames[:, band].max() for band in bands_of(440, 3000))
    between = 10 * math.floor((loud + soft) / 2 * 10 / math.log(10) / 10)
    assert soft < math.log(10) * between / 10 < loud
    explorer.floor.value = between
    assert share_near(explorer.rebuilt, 2800, 3200) < 1e-3
    assert np.abs(explorer.rebuilt).max() > 0.05


def bands_of(*tones):
    seconds = np.arange(RATE) / RATE
    for tone in tones:
        yield int(log_mel(np.sin(2 * np.pi * tone * seconds), Sound()).mean(axis=0).argmax())


def test_silence_is_rebuilt_as_silence():
    explorer = MelExplorer(np.zeros(RATE, np.float32), RATE)
    assert not explorer.rebuilt.any()
    assert "100% of them are at the floor" in explorer.line.value


def test_empty_bands_are_counted(music):
    explorer = MelExplorer(music, RATE)
    assert "empty" not in explorer.line.value
    explorer.n_fft.value, explorer.bands.value = 256, 256
    said = int(re.search(r"(\d+) bands are empty", explorer.line.value)[1])
    floor = np.float32(math.log(explorer.chosen.floor))
    # Bands that stay at the floor even for noise that fills every bin.
    noise = np.random.default_rng(0).normal(0, 0.3, RATE).astype(np.float32)
    assert said == (log_mel(noise, explorer.chosen) <= floor).all(axis=0).sum() > 0


# --- Filter bank --------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_bands_sound_lies_in_the_band(filters, data):
    filters.bands.value = data.draw(st.integers(4, 64))
    low = data.draw(st.integers(0, 9000))
    filters.low.value, filters.high.value = low, data.draw(st.integers(low, RATE // 2))
    filters.band.value = data.draw(st.integers(0, filters.bands.value - 1))
    left, peak, right = filters.edges
    assert filters.low.value - 1e-6 <= left < peak < right <= filters.high.value + 1e-6
    assert filters.high.value - filters.low.value >= 500
    assert share_near(filters.filtered, left, right) > 0.999
    said = numbers(filters)
    assert said[:2] == [filters.band.value, filters.bands.value]
    assert said[2:5] == pytest.approx([left, right, peak], abs=0.051)


@pytest.fixture(scope="module")
def filters():
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    return FilterBankExplorer(noise, Sound())


def test_the_filter_bank_is_the_one_of_the_log_mel(music):
    import librosa

    explorer = FilterBankExplorer(music, Sound())
    assert_it_is_all_there(explorer)
    bank = librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=128)
    hertz = np.arange(1025) * RATE / 2048
    for band in (10, 60, 127):
        explorer.band.value = band
        left, _, right = explorer.edges
        inside = (hertz > left) & (hertz < right)
        np.testing.assert_array_equal(bank[band] > 0, inside)
        assert f"It holds {inside.sum()} of the 1,025 bins" in explorer.line.value


def test_fewer_bands_take_the_picked_one_along(music):
    explorer = FilterBankExplorer(music, Sound())
    explorer.band.value = 100
    explorer.bands.value = 8
    assert explorer.band.value == explorer.band.max == 7
    assert "Band 7 of 8" in explorer.line.value


def test_a_band_without_bins_says_so(music):
    explorer = FilterBankExplorer(music, Sound(n_fft=256, hop=128))
    explorer.bands.value, explorer.band.value = 256, 1
    assert "It holds 0 of" in explorer.line.value
    assert "empty" in explorer.line.value


# --- Splits -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def splits(corpus):
    return SplitExplorer(corpus)


def test_the_split_explorer_offers_what_the_corpus_allows(splits):
    assert splits.kind.options == ("random", "artist")
    assert_it_is_all_there(splits)


@settings(max_examples=8, deadline=None)
@given(kind=st.sampled_from(["random", "artist"]), seed=st.integers(0, 20), test=st.integers(2, 5))
def test_the_split_explorer_counts_leakage(splits, corpus, kind, seed, test):
    splits.kind.value, splits.seed.value, splits.test.value = kind, seed, 5 * test
    if "This split is not possible" in splits.line.value:
        assert kind == "artist"
        return
    said = numbers(splits)
    counts = splits.sets.value_counts()
    assert said[:3] == [counts["train"], counts["validation"], counts["test"]]
    whose = artists(corpus.clips)
    elsewhere = set(whose[splits.sets != "test"])
    leaked = sum(name in elsewhere for name in whose[splits.sets == "test"])
    assert said[3:5] == [artist_overlap(corpus.clips, splits.sets), 8]
    assert said[5:7] == [counts["test"], leaked]
    if kind == "artist":
        assert leaked == said[3] == 0
        assert splits.sounds.value == ""
    else:
        assert leaked > 0


def test_the_pair_of_players_is_by_one_artist(splits, corpus):
    splits.kind.value, splits.test.value = "random", 10
    tested, trained = re.findall(r"<figcaption>([^<]*)</figcaption>", splits.sounds.value)
    assert tested.startswith("Tested: ")
    assert trained.startswith("Training clip by the same artist: ")
    ids = [re.search(r"\((\w+)\)", label)[1] for label in (tested, trained)]
    rows = corpus.clips.set_index("id").loc[ids]
    assert rows.artist.nunique() == 1
    of_clip = dict(zip(corpus.clips.id, splits.sets, strict=True))
    assert [of_clip[clip] for clip in ids] == ["test", "train"]


def test_a_split_that_cannot_be_is_explained(corpus, monkeypatch):
    alone = corpus.clips.drop_duplicates("artist").iloc[:1].to_dict("records")
    with pytest.raises(SongNetError, match="allows no split"):
        SplitExplorer(make_corpus(alone))
    few = corpus.clips[corpus.clips.artist.isin(list("abcefg"))].to_dict("records")
    explorer = SplitExplorer(make_corpus(few))

    def fails(*_):
        raise SongNetError("genre Folk: has too few clips.")

    monkeypatch.setattr("songnet_utils.widgets.split_explorer.split", fails)
    explorer.seed.value = 3
    assert "This split is not possible: genre Folk: has too few clips." in explorer.line.value
    assert explorer.picture.value == explorer.sounds.value == ""
    monkeypatch.undo()
    explorer.seed.value = 4
    assert "more than one set" in explorer.line.value


def test_an_official_split_has_no_seed(corpus):
    parts = ["training", "training", "training", "training", "validation", "test"]
    clips = corpus.clips.assign(split=parts * 8)
    explorer = SplitExplorer(make_corpus(clips.to_dict("records")))
    assert "official" in explorer.kind.options
    explorer.kind.value = "official"
    assert explorer.seed.disabled
    assert explorer.test.disabled
    assert "32 train, 8 validation, 8 test clips. 8 of 8 artists" in explorer.line.value
    explorer.kind.value = "random"
    assert not explorer.seed.disabled
