"""Kernel clips: exact pieces, the right ones, and nothing invented."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import BANDS, GENRES, KINDS, SOUND, network, used
from toys import Frames, tone_corpus

from songnet_utils import kernels as k
from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio, log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora import table as clip_table
from songnet_utils.features.store import LogMelStore
from songnet_utils.kernels import masks, maximisation, purity, surveys
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet

# What may differ by rounding, in parts of the largest activation.
EXACT = 1e-5


def small(kind: str = "dense") -> SongNet:
    """A small network of one of the kinds."""
    model = network(kind)
    if kind != "metadata":
        return SongNet(model, SOUND, GENRES)
    # Kernels look at the frames only; what is known of a song is somebody else's business.
    net = object.__new__(SongNet)
    net.keras_model, net.genres, net.name = model, GENRES, "SongNet"
    net.timeline = SongNet(network("dense"), SOUND, GENRES).timeline
    return net


def music(seed: int, seconds: float = 3.0, rate: int = SOUND.sample_rate) -> np.ndarray:
    """Noise that swells and fades and has a tone in it: something happens everywhere."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(0.5, 3) * time)
    tone = np.sin(2 * np.pi * rate / random.uniform(4, 40) * time)
    noise = random.normal(size=len(time))
    return (0.1 * swell * noise + 0.2 * (1 - swell) * tone).astype(np.float32)


def toy(clips: int = 9, seconds: float = 2.0, artists: int = 4) -> Frames:
    """Clips by few artists, one of them unknown, of different durations."""
    rows, of = [], {}
    for number in range(clips):
        name = f"c{number}"
        artist = f"A{number % artists}" if number else None
        rows.append({"id": name, "genre": GENRES[number % 2], "artist": artist, "file": "/f"})
        of[name] = log_mel(music(number, seconds + 0.1 * (number % 3)), SOUND)
    return Frames(Corpus("toy", clip_table(rows)), of, SOUND)


def is_exact(kernels: k.Kernels, audio: np.ndarray, which: range | None = None) -> None:
    """Every piece, cut out of the song and heard alone, excites its kernel as in the song."""
    frames = log_mel(audio, kernels.sound)
    for layer, values in zip(kernels.layers, kernels.activations(frames), strict=True):
        positions = layer.inside(len(frames))
        assert positions
        at = -layer.first // layer.stride
        for position in (positions[0], positions[len(positions) // 2], positions[-1]):
            start, stop = layer.samples_of(position)
            assert start >= 0
            assert stop <= len(audio)
            assert stop - start == layer.samples
            alone = k.frames_of_piece(audio[start:stop], kernels.sound)
            assert len(alone) == layer.size
            heard = kernels.activations(alone)[layer.number - 1][at]
            worst = np.abs(heard - values[position]).max()
            assert worst <= EXACT * np.abs(values).max(), (layer.name, position)


# --- What a kernel sees -----------------------------------------------------------------------


def test_the_pieces_of_the_papers_network():
    net = SongNet(songnet(Sound(), ["a", "b"]), Sound(), ["a", "b"])
    layers = k.Kernels(net).layers
    assert [layer.samples for layer in layers] == [6_144, 15_360, 33_792]
    assert [layer.kernels for layer in layers] == [256, 256, 256]
    assert [layer.name for layer in layers] == ["conv_1", "conv_2", "conv_3"]
    assert layers[0].rate == pytest.approx(22_050 / 1024)


@settings(max_examples=8)
@given(
    kernel=st.integers(1, 6), pool=st.integers(1, 3), blocks=st.integers(1, 3),
    hop=st.sampled_from([32, 48, 64, 128]), seed=st.integers(0, 99),
)  # fmt: skip
def test_pieces_follow_kernel_pooling_and_hop(kernel, pool, blocks, hop, seed):
    sound = dataclasses.replace(SOUND, hop=hop)
    model = songnet(sound, GENRES, filters=6, kernel=kernel, pool=pool, blocks=blocks)
    kernels = k.Kernels(SongNet(used(model), sound, GENRES))
    # Undone from above, one block after the other: size ← (size − 1)·pool + pool, + kernel − 1.
    for layer in kernels.layers:
        size = kernel
        for _ in range(layer.number - 1):
            size = size * pool + kernel - 1
        assert layer.size == size
        assert layer.samples == (size - 1) * hop + sound.n_fft
    is_exact(kernels, music(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_piece_alone_excites_every_kernel_as_in_the_song(kind):
    kernels = k.Kernels(small(kind))
    for seed in range(3):
        is_exact(kernels, music(seed))


def test_pieces_of_the_papers_network_are_exact():
    model = used(songnet(Sound(), ["a", "b"]))
    kernels = k.Kernels(SongNet(model, Sound(), ["a", "b"]))
    is_exact(kernels, music(1, 6, 22_050))


def test_pieces_of_real_songs_are_exact(shared_fma):
    corpus = open_corpus(str(shared_fma / "fma_small"), progress=False)
    model = used(songnet(Sound(), ["a", "b"]))
    kernels = k.Kernels(SongNet(model, Sound(), ["a", "b"]))
    for file in corpus.clips.file.iloc[[5, 60, 110]]:
        is_exact(kernels, load_audio(file, 22_050))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_outside_its_piece_excites_a_kernel(kind):
    kernels = k.Kernels(small(kind))
    frames = log_mel(music(0), SOUND)
    for layer, values in zip(kernels.layers, kernels.activations(frames), strict=True):
        position = layer.inside(len(frames))[2]
        start, stop = layer.frames_of(position)
        other = np.random.default_rng(0).normal(-5, 3, frames.shape).astype(np.float32)
        other[start:stop] = frames[start:stop]
        again = kernels.activations(other)[layer.number - 1][position]
        assert np.allclose(again, values[position], atol=EXACT * np.abs(values).max())
        # And what is at both its ends does.
        for frame in (start, stop - 1):
            changed = frames.copy()
            changed[frame] += 3
            assert (kernels.activations(changed)[layer.number - 1][position] != again).any()


def test_a_song_too_short_for_the_last_layer_has_activations_of_the_first():
    kernels = k.Kernels(small())
    frames = log_mel(music(0), SOUND)
    for count in (5, 13, 14, 31, 32):
        found = kernels.activations(frames[:count])
        whole = kernels.activations(frames)
        for layer, values, all_of_it in zip(kernels.layers, found, whole, strict=True):
            assert len(values) == max(0, (count - layer.size) // layer.stride + 1)
            assert np.allclose(values, all_of_it[: len(values)], atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda one: one.layer("conv_9"), "The layer must be one of .* Got 'conv_9'"),
        (lambda one: one.layer(0), r"or 1 to 3\). Got 0"),
        (lambda one: one.layer(1).check(10), "has the kernels 0 to 9. Got 10"),
        (lambda one: one.layer(1).check(-1), "Got -1"),
        (lambda one: one.layer(1).check(0.5), "Got 0.5"),
        (lambda one: one.activations(np.zeros((40, 7), np.float32)), r"Got shape \(40, 7\)"),
    ],
)
def test_what_is_not_there_is_said(wrong, says):
    with pytest.raises(SongNetError, match=says):
        wrong(k.Kernels(small()))


def test_a_network_without_convolutions_is_refused():
    import keras
    from keras import layers

    frames = keras.Input((None, BANDS), name="log_mel")
    steps = layers.Dense(3, activation="softmax", name="genre_over_time")(frames)
    model = keras.Model(
        frames, {"genre_over_time": steps, "genre": layers.GlobalAveragePooling1D()(steps)}
    )
    with pytest.raises(SongNetError, match="has no convolution over log-mel frames"):
        k.Kernels(SongNet(model, SOUND, GENRES))


def test_untrained_forgets_what_was_learnt_and_keeps_the_centring():
    model = songnet(SOUND, GENRES, filters=8, seed=4)
    fresh = [np.array(value) for value in model.get_layer("conv_2").get_weights()]
    net = SongNet(used(model), SOUND, GENRES)
    model.get_layer("conv_2").kernel.assign_add(np.ones((5, 8, 8)))
    model.get_layer("centring").adapt_mean.assign(np.full(BANDS, -3.0))
    again = k.untrained(net).keras_model
    for value, own in zip(again.get_layer("conv_2").get_weights(), fresh, strict=True):
        assert (value == own).all()
    assert (again.get_layer("centring").get_weights()[0] == -3).all()


# --- The survey -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def surveyed() -> k.Survey:
    return k.survey(k.Kernels(small()), toy(), progress=False)


def by_hand(survey: k.Survey, number: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the activations and pieces inside each clip, straight from the definition."""
    layer = survey.kernels.layers[number]
    values, pieces = [], []
    for clip in survey.clips.id:
        frames = survey.log_mels.frames(clip)
        inside = layer.inside(len(frames))
        values.append(survey.kernels.activations(frames)[number][inside.start : inside.stop])
        pieces.append(np.stack([frames[slice(*layer.frames_of(p))] for p in inside]))
    return values, pieces


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_best_pieces_are_the_best_of_each_artist(surveyed, number):
    its = surveyed.layers[number]
    values, _ = by_hand(surveyed, number)
    for kernel in range(its.layer.kernels):
        best = {}
        for artist, clip, one in zip(surveyed.clips.artist, surveyed.clips.id, values, strict=True):
            best.setdefault(artist, (-np.inf, ""))
            best[artist] = max(best[artist], (float(one[:, kernel].max()), clip))
        expected = sorted((value for value in best.values() if value[0] > 0), reverse=True)
        if not expected:
            assert its.dead[kernel]
            continue
        found = surveyed.found(its.layer.name, kernel)
        assert list(found.id) == [clip for _, clip in expected]
        assert found.activation.to_numpy() == pytest.approx([v for v, _ in expected], abs=1e-5)
        assert found.artist.is_unique


@pytest.mark.parametrize("number", [0, 2])
def test_what_is_gathered_is_what_the_definitions_say(surveyed, number):
    its = surveyed.layers[number]
    values, pieces = by_hand(surveyed, number)
    values, pieces = np.concatenate(values), np.concatenate(pieces)
    assert its.fires == pytest.approx((values > 0).mean(axis=0))
    assert its.mean == pytest.approx(values.mean(axis=0), abs=1e-5)
    alive = ~its.dead
    weighted = np.einsum("pk,psm->ksm", values, pieces)[alive]
    weighted /= values.sum(axis=0)[alive, None, None]
    assert its.triggered[alive] == pytest.approx(weighted - pieces.mean(axis=0), abs=2e-3)
    assert (its.triggered[its.dead] == 0).all()
    expected = np.corrcoef(values[:, alive].T)
    assert its.correlation[np.ix_(alive, alive)] == pytest.approx(expected, abs=1e-3)
    of = np.concatenate(
        [[genre] * len(one) for genre, one in zip(
            surveyed.clips.genre, by_hand(surveyed, number)[0], strict=True
        )]
    )  # fmt: skip
    for number, genre in enumerate(surveyed.genres):
        expected = values[of == genre].mean(axis=0)
        assert its.by_genre[:, number] == pytest.approx(expected, abs=1e-5)


def test_the_order_of_clips_changes_no_best_piece(surveyed):
    prepared = surveyed.log_mels
    order = np.random.default_rng(1).permutation(len(prepared.clips))
    again = k.survey(surveyed.kernels, prepared, prepared.clips.iloc[order], progress=False)
    for its, other in zip(surveyed.layers, again.layers, strict=True):
        assert other.best == pytest.approx(its.best, abs=1e-5)
        assert other.fires == pytest.approx(its.fires)


def test_more_artists_than_pieces_leave_the_best_of_them():
    gather = surveys._Gathering(k.Kernels(small()).layers[0], ["a"])
    random = np.random.default_rng(0)
    largest = {}
    for row in range(60):
        artist = f"A{random.integers(20)}"
        values = random.random((30, 10)).astype(np.float32)
        gather._add_best(row, artist, 0, values)
        largest[artist] = np.maximum(largest.get(artist, 0), values.max(axis=0))
    expected = np.sort(np.stack(list(largest.values())), axis=0)[::-1][: surveys.MOST_PIECES]
    assert (np.sort(gather._best, axis=1)[:, ::-1] == expected.T).all()


def test_every_moment_is_as_likely_to_be_kept():
    gather = surveys._Gathering(k.Kernels(small()).layers[0], ["a"])
    for block in range(40):
        gather._draw(np.full((1000, 10), block, np.float32))
    kept = gather._sample[:, 0]
    assert len(kept) == surveys._SAMPLED
    many = np.bincount(kept.astype(int), minlength=40)
    # 102.4 expected of each block; six standard deviations of a binomial are 60.
    assert abs(many - surveys._SAMPLED / 40).max() < 60


def test_twins_and_dead_kernels_are_found():
    net = small()
    layer = net.keras_model.layers[2]
    weights, bias = (np.array(value) for value in layer.get_weights())
    weights[..., 4] = weights[..., 1] * 2
    bias[4] = bias[1] * 2
    layer.set_weights([weights, bias])
    norm = net.keras_model.layers[3]
    gamma, beta, mean, variance = (np.array(value) for value in norm.get_weights())
    mean[4], variance[4], gamma[4], beta[4] = 2 * mean[1], 4 * variance[1], gamma[1], beta[1]
    beta[7], gamma[7] = -100, 0.1
    norm.set_weights([gamma, beta, mean, variance])
    found = k.survey(k.Kernels(net), toy(), progress=False)
    assert found.layers[0].twins() == [[1, 4]]
    table = found.table()
    first = found.kernels.names[0]
    assert table.loc[(first, 4), "twin"] == 1
    assert table.loc[(first, 1), "twin"] == 4
    assert table.loc[(first, 7), "dead"]
    assert pd.isna(table.loc[(first, 7), "genre"])
    with pytest.raises(SongNetError, match=r"Kernel 7 of .* is dead: in 9 clips of toy"):
        found.found(first, 7)


def test_a_kernel_that_answers_to_beats_has_their_rhythm():
    prepared = toy(3, 20)
    rate, beats = SOUND.sample_rate / SOUND.hop, 150
    for number, frames in enumerate(prepared.of.values()):
        time = np.arange(len(frames)) / rate
        frames[:] = -8 + 6 * ((time * beats / 60 + number / 3) % 1 < 0.3)[:, None]
    found = k.survey(k.Kernels(small()), prepared, progress=False)
    table = found.table()
    alive = table[~table.dead]
    stand_out = alive[alive.beats_stand_out > 10]
    assert len(stand_out) > 10
    # Some answer to both ends of a beat: twice a beat, that is.
    times = stand_out.beats.to_numpy() / beats
    assert times == pytest.approx(np.round(times), abs=0.02)
    assert (np.round(times) == 1).mean() > 0.5


def test_a_beat_is_a_peak_that_stands_out(surveyed):
    rhythm = np.ones((6, 5))
    rhythm[0, 2] = 3
    rhythm[1, 2] = 2.9
    # What is strongest at the edge only changes slowly, or fast; a peak beside it is a beat.
    rhythm[2, 0] = rhythm[3, 4] = rhythm[4, 0] = 10
    rhythm[4, 3] = 4
    its = dataclasses.replace(surveyed.layers[0], rhythm=rhythm, hertz=np.arange(1.0, 6.0))
    hertz, power = its.beats()
    assert hertz == pytest.approx([3, np.nan, np.nan, np.nan, 4, np.nan], nan_ok=True)
    assert list(power) == [3, 0, 0, 0, 4, 0]


def test_what_cannot_be_surveyed_is_said():
    kernels, prepared = k.Kernels(small()), toy(3)
    with pytest.raises(SongNetError, match="There are no clips"):
        k.survey(kernels, prepared, prepared.clips.iloc[:0], progress=False)
    with pytest.raises(SongNetError, match="another description of sound"):
        k.survey(kernels, dataclasses.replace(prepared, sound=Sound()), progress=False)
    short = dataclasses.replace(prepared, of={name: f[:31] for name, f in prepared.of.items()})
    with pytest.raises(SongNetError, match="no clip is as long as the receptive field"):
        k.survey(kernels, short, progress=False)


# --- Found clips ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> k.Survey:
    folder = tone_corpus(tmp_path_factory.mktemp("tones") / "music", clips=4)
    corpus = open_corpus(str(folder), progress=False)
    sound = Sound(n_mels=32)
    store = LogMelStore(tmp_path_factory.mktemp("data"), sound)
    prepared = store.prepare(corpus, progress=False)
    model = used(songnet(sound, ["High", "Low", "Noise"], filters=8))
    return k.survey(
        k.Kernels(SongNet(model, sound, ["High", "Low", "Noise"])), prepared, progress=False
    )


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_found_pieces_are_those_that_the_table_names(tones, layer):
    kernels = tones.kernels
    its = kernels.layer(layer)
    for kernel in np.flatnonzero(~tones.of(layer).dead):
        rows = tones.found(layer, kernel)
        for row, piece in zip(rows.itertuples(), k.pieces_of(tones, layer, kernel), strict=True):
            assert len(piece) == its.samples
            alone = kernels.activations(k.frames_of_piece(piece, kernels.sound))[layer - 1]
            assert alone[0, kernel] == pytest.approx(
                row.activation, abs=EXACT * rows.activation.max()
            )


def test_a_found_clip_is_its_pieces_with_credits(tones):
    rows = tones.found("conv_2", 0)
    clip = k.found_clip(tones, "conv_2", 0)
    gap = round(0.12 * 22_050)
    assert len(clip.audio) == len(rows) * 15_360 + (len(rows) - 1) * gap
    assert len(clip.credits) == len(clip.starts) == len(rows)
    assert all(f"music/{id_}" in line for id_, line in zip(rows.id, clip.credits, strict=True))
    for piece, start in zip(k.pieces_of(tones, 2, 0), clip.starts, strict=True):
        at = round(start * clip.rate)
        heard = clip.audio[at : at + len(piece)]
        # As it is in the song, but for 10 ms at both ends.
        assert (heard[221:-221] == piece[221:-221]).all()
        assert heard[0] == heard[-1] == 0
        assert (np.abs(heard) <= np.abs(piece)).all()


def test_many_found_clips_are_as_one_by_one(tones):
    table = tones.table()
    alive = list(table.index[~table.dead])
    several = dict(k.found_clips(tones, alive))
    assert list(several) == alive
    for name, kernel in alive[::5]:
        alone = k.found_clip(tones, name, kernel)
        assert (alone.audio == several[name, kernel].audio).all()
        assert alone.credits == several[name, kernel].credits


# --- Activation maximisation ------------------------------------------------------------------


def test_maximised_frames_excite_more_than_music_does_and_stay_where_music_is(tones):
    statistics = tones.statistics
    for layer in (1, 3):
        its = tones.of(layer)
        for one in k.maximise(tones, layer, range(4), progress=False):
            frames = one.frames
            assert frames.shape == (maximisation.STARTS, its.layer.size, 32)
            assert (np.diff(one.activation) <= 0).all()
            assert (frames >= statistics.low - 1e-4).all()
            assert (frames <= statistics.high + 1e-4).all()
            found = [tones.kernels.activations(piece)[layer - 1] for piece in frames]
            again = np.array([values[0, one.kernel] for values in found])
            assert again == pytest.approx(one.activation, rel=1e-4, abs=1e-4)
            # Whoever hears nothing but tones may be more excited by one of them; seldom.
            assert one.activation[0] > np.quantile(its.sample[:, one.kernel], 0.75)


def test_a_kernels_result_does_not_depend_on_the_others(tones):
    together = k.maximise(tones, 2, [0, 3, 5], progress=False)
    (alone,) = k.maximise(tones, 2, [3], progress=False)
    assert together[1].kernel == 3
    assert np.allclose(together[1].frames, alone.frames, atol=0.05)
    (other,) = k.maximise(tones, 2, [3], seed=1, progress=False)
    assert not np.allclose(other.frames, alone.frames, atol=0.5)


def test_the_table_of_results_is_about_what_is_played(tones):
    table = k.maximisation_table(tones, 2, progress=False)
    assert list(table.index) == [("conv_2", kernel) for kernel in range(8)]
    (one,) = k.maximise(tones, 2, [3], progress=False)
    row = table.loc[("conv_2", 3)]
    assert row.maximised == pytest.approx(one.activation[0], rel=0.02)
    sound = k.sound_of(one.frames[0], tones.kernels.sound)
    frames = k.frames_of_piece(sound, tones.kernels.sound)
    again = tones.kernels.activations(frames)[1][0, 3]
    assert row.as_sound == pytest.approx(again, rel=0.05)
    assert row.left == pytest.approx(row.as_sound / row.maximised)
    assert row.outside == 0
    assert row.share_above == (tones.of(2).sample[:, 3] > row.maximised).mean()


def test_frames_become_a_sound_that_has_them():
    sound = Sound()
    audio = music(3, 1.5, 22_050)[: 10 * 1024 + 2048]
    frames = k.frames_of_piece(audio, sound)
    made = k.sound_of(frames, sound)
    assert len(made) == len(audio)
    again = k.frames_of_piece(made, sound)
    # 10/ln 10 dB a neper; bands within 60 dB of the loudest, as ever.
    near = frames > frames.max() - 13.8
    assert 4.34 * np.sqrt(((again - frames)[near] ** 2).mean()) < 3


def test_a_maximised_clip_is_one_piece_a_start_and_can_be_played(tones):
    clip = k.maximised_clip(tones, 1, 2)
    assert len(clip.starts) == maximisation.STARTS
    assert clip.credits == ()
    assert np.abs(clip.audio).max() <= 1
    assert "conv_1, kernel 2: maximised" in clip.label


# --- Auralised songs --------------------------------------------------------------------------


def test_a_mask_that_lets_everything_through_is_the_song():
    sound = Sound()
    audio = music(2, 3, 22_050)
    frames = sound.frames_of_samples(len(audio))
    same = masks.masked(audio, np.ones((frames, 128), np.float32), sound)
    # The last samples belong to no whole frame.
    inside = slice(0, sound.hop * (frames - 1))
    assert np.abs(same - audio)[inside].max() < 1e-5
    assert len(same) == len(audio)


def test_a_mask_of_one_band_leaves_its_frequencies():
    import librosa

    sound = Sound()
    audio = np.random.default_rng(0).normal(0, 0.1, 22_050 * 2).astype(np.float32)
    mask = np.zeros((sound.frames_of_samples(len(audio)), 128), np.float32)
    mask[:, 60] = 1
    heard = masks.masked(audio, mask, sound)
    power = np.abs(np.fft.rfft(heard)) ** 2
    hertz = np.fft.rfftfreq(len(heard), 1 / 22_050)
    low, _, high = librosa.mel_frequencies(130, fmax=22_050 / 2)[60:63]
    inside = (hertz > low - 30) & (hertz < high + 30)
    assert power[inside].sum() > 0.99 * power.sum()


def test_a_song_is_silent_where_a_kernel_hears_nothing(tones):
    kernels = tones.kernels
    clip = tones.clips.iloc[0]
    audio = load_audio(clip.file, 22_050)
    audio[22_050:44_100] *= 0.01
    frames = log_mel(audio, kernels.sound)
    heard_something = False
    for layer, kernel in itertools.product((1, 2), range(8)):
        its = kernels.layer(layer)
        values = kernels.activations(frames)[layer - 1][:, kernel]
        if not (values > 0).any() or (values > 0).all():
            continue
        try:
            clip = k.auralise(kernels, layer, kernel, audio, name="it")
        except SongNetError:
            continue  # it fires where sound is missing
        assert len(clip.audio) == len(audio)
        sounding = np.zeros(len(audio) + 8_192, bool)
        for position in np.flatnonzero(values > 0):
            start, stop = its.samples_of(int(position))
            # A frame that is let through is heard in all its samples.
            sounding[max(0, start) : stop] = True
        silent = ~sounding[: len(audio)]
        assert np.abs(clip.audio[silent]).max(initial=0) < 1e-6
        heard_something |= bool(silent.any())
    assert heard_something


def test_no_frequency_of_an_auralised_song_is_louder_than_in_the_song(tones):
    import librosa

    audio = load_audio(tones.clips.file.iloc[0], 22_050)
    values = tones.kernels.activations(log_mel(audio, tones.kernels.sound))[0]
    kernel = int(values.sum(axis=0).argmax())
    mask = masks.mask_of(tones.kernels, tones.kernels.layer(1), kernel, audio, "it")
    assert mask.min() >= 0
    assert mask.max() == 1
    assert masks._band_to_bin(tones.kernels.sound).sum(axis=0) == pytest.approx(1, abs=1e-5)
    heard = k.auralise(tones.kernels, 1, kernel, audio).audio
    before, after = (
        float((np.abs(librosa.stft(one, n_fft=2048, hop_length=1024)) ** 2).sum())
        for one in (audio, heard)
    )
    assert after < before


def test_what_cannot_be_auralised_is_said(tones):
    kernels = tones.kernels
    with pytest.raises(SongNetError, match="Silence: is silent"):
        k.auralise(kernels, 1, 0, np.zeros(22_050, np.float32), name="Silence")
    with pytest.raises(SongNetError, match="Blip: has 5 frames, but a kernel of conv_3 sees 32"):
        k.auralise(kernels, 3, 0, music(0, 0.2, 22_050), name="Blip")
    model = songnet(Sound(), ["a", "b"], filters=4)
    model.get_layer("batch_norm_1").beta.assign(np.full(4, -1e3))
    dead = k.Kernels(SongNet(model, Sound(), ["a", "b"]))
    with pytest.raises(SongNetError, match="kernel 2 of conv_1 never fires in it"):
        k.auralise(dead, 1, 2, music(0, 2, 22_050), name="Song")


# --- Votes ------------------------------------------------------------------------------------


def test_votes_of_the_last_layer_add_up_to_the_logits():
    # Without pooling after the last activations nothing but sums is left on the way.
    model = used(songnet(SOUND, GENRES, filters=8, pool=1))
    net, prepared = SongNet(model, SOUND, GENRES), toy(4)
    kernels = k.Kernels(net)
    counted = k.votes(kernels, prepared, prepared.clips, progress=False)
    assert counted.sum(axis=1).to_numpy() == pytest.approx(0, abs=1e-5)
    last = model.get_layer("genre_over_time")
    logits = np.stack(
        [
            net.embedding_of_frames(prepared.frames(clip)).mean(axis=0) @ last.kernel.numpy()
            for clip in prepared.clips.id
        ]
    ).mean(axis=0)
    total = counted.loc["conv_3"].sum(axis=0).to_numpy()
    assert total == pytest.approx(logits - logits.mean(), abs=1e-4)


def test_a_vote_is_what_a_little_more_of_the_kernel_changes():
    net, prepared = SongNet(used(songnet(SOUND, GENRES, filters=6)), SOUND, GENRES), toy(1)
    model, clip = net.keras_model, prepared.clips.id[0]
    kernels = k.Kernels(net)
    counted = k.votes(kernels, prepared, prepared.clips, progress=False)
    last = model.get_layer("genre_over_time")

    def logits() -> np.ndarray:
        fresh = SongNet(model, SOUND, GENRES)
        hidden = fresh.embedding_of_frames(prepared.frames(clip)).astype(np.float64)
        return hidden.mean(axis=0) @ last.kernel.numpy().astype(np.float64)

    for name, kernel in (("batch_norm_1", 2), ("batch_norm_2", 4)):
        layer, change = model.get_layer(name), 1e-2
        gamma, beta, mean, variance = (np.array(value) for value in layer.get_weights())
        found = []
        # Louder by a hundredth before ReLU is louder by a hundredth after it.
        for factor in (1 + change, 1 - change):
            more, up = gamma.copy(), beta.copy()
            more[kernel] *= factor
            up[kernel] *= factor
            layer.set_weights([more, up, mean, variance])
            found.append(logits())
        layer.set_weights([gamma, beta, mean, variance])
        slope = (found[0] - found[1]) / (2 * change)
        expected = slope - slope.mean()
        given = counted.loc[(f"conv_{name[-1]}", kernel)].to_numpy()
        assert given == pytest.approx(expected, abs=0.02 * np.abs(expected).max() + 1e-4)


def test_votes_need_clips(tones):
    with pytest.raises(SongNetError, match="There are no clips"):
        k.votes(tones.kernels, tones.log_mels, tones.clips.iloc[:0], progress=False)


# --- Is it true? ------------------------------------------------------------------------------


def made_up(genre_of_kernel: bool) -> k.Survey:
    """A survey whose kernels each found clips of one genre, or of any."""
    random = np.random.default_rng(0)
    artists = [f"A{number}" for number in range(48)]
    clips = clip_table(
        [
            {"id": f"c{n}", "genre": f"g{n % 8}", "artist": artist, "file": "/f"}
            for n, artist in enumerate(artists)
        ]
    )
    layer = k.Kernels(small()).layers[0]
    shape = (64, surveys.MOST_PIECES)
    found = np.stack(
        [
            random.permutation(np.arange(kernel % 8, 48, 8))[:6]
            if genre_of_kernel
            else random.permutation(48)[:6]
            for kernel in range(64)
        ]
    )
    clip = np.full(shape, -1)
    clip[:, :6] = found
    best = np.full(shape, -np.inf, np.float32)
    best[:, :6] = 1
    layer = dataclasses.replace(layer, kernels=64)
    its = surveys.LayerSurvey(
        layer, best, clip, np.zeros(shape, int),
        *(np.ones(64), np.ones(64), np.empty(0), np.empty(0)),
        *(np.empty(0), np.empty(0), np.empty(0), np.empty(0)),
    )  # fmt: skip
    prepared = Frames(Corpus("toy", clips), {}, SOUND)
    return k.Survey(None, prepared, clips, [its], None)


def test_purity_by_hand():
    assert purity.purity(np.array([[0, 0, 0, 2], [1, 1, 2, -1]])) == pytest.approx([0.75, 2 / 3])
    assert np.isnan(purity.purity(np.array([[0, 0], [-1, -1]]))[1])


def test_pure_kernels_are_told_from_chance():
    pure = k.purity_by_layer(made_up(True)).iloc[0]
    assert pure.purity == 1
    assert pure.p < 0.01
    assert pure.high < 0.6
    luck = k.purity_by_layer(made_up(False)).iloc[0]
    assert luck.low <= luck.purity <= luck.high
    assert luck.p > 0.01
    assert (luck.every_kernel <= 1).all()
    assert len(luck.every_kernel) == 64


def test_purity_needs_two_genres(surveyed):
    one = dataclasses.replace(surveyed, clips=surveyed.clips.assign(genre="a"))
    with pytest.raises(SongNetError, match="at least two genres"):
        k.purity_by_layer(one)


def test_pieces_that_are_copies_are_wholly_alike():
    prepared = toy(4, artists=4)
    first = prepared.of["c0"]
    same = dataclasses.replace(prepared, of=dict.fromkeys(prepared.of, first))
    found = k.survey(k.Kernels(small()), same, progress=False)
    table = k.likeness_by_layer(found)
    assert table.likeness.to_numpy() == pytest.approx(1, abs=1e-4)
    assert (table.by_chance < 0.9).all()


# --- Guess the kernel -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def counted(tones) -> pd.DataFrame:
    return k.votes(tones.kernels, tones.log_mels, tones.clips.iloc[::4], progress=False)


def test_genre_questions_ask_for_the_genre_that_is_voted_for(tones, counted):
    questions = k.genre_questions(tones, counted, "conv_3", count=4)
    assert len({question.kernel for question in questions}) == 4
    for question in questions:
        right = question.choices[question.right]
        assert counted.loc[("conv_3", question.kernel), right] == (
            counted.loc[("conv_3", question.kernel)].max()
        )
        assert sorted(question.choices) == ["High", "Low", "Noise"]
        found = k.found_clip(tones, "conv_3", question.kernel)
        assert (question.clip.audio == found.audio).all()
        # Neither its name nor its credits give the answer away.
        assert question.clip.credits == ()
        assert str(question.kernel) not in question.clip.label.replace("conv_3", "")
    again = k.genre_questions(tones, counted, "conv_3", count=4)
    assert [one.kernel for one in again] == [one.kernel for one in questions]


def test_song_questions_hold_back_the_piece_that_is_asked_for(tones):
    its = tones.kernels.layer(2)
    for question in k.song_questions(tones, 2, count=3):
        rows = tones.found(2, question.kernel)
        *heard, last = k.pieces_of(tones, 2, question.kernel)
        assert len(question.clip.starts) == len(heard) == len(rows) - 1
        inside = slice(250, its.samples - 250)
        right = question.sounds[question.right]
        assert (right.audio[inside] == last[inside]).all()
        for number, sound in enumerate(question.sounds):
            assert len(sound.audio) == its.samples
            assert sound.credits
            ours = any(f"music/{name}" in sound.credits[0] for name in rows.id)
            assert ours == (number == question.right)


def test_the_score_is_a_binomial_test_against_lots(counted, tones):
    questions = k.genre_questions(tones, counted, 3, count=4)
    right = [question.right for question in questions]
    everything = k.score(questions, right)
    assert everything.chance == pytest.approx(1 / 3)
    assert everything.p == pytest.approx((1 / 3) ** 4)
    assert "better than chance" in str(everything)
    wrong = [(answer + 1) % 3 for answer in right]
    assert k.score(questions, wrong).p == 1
    one = k.score(questions, right[:1])
    assert (one.right, one.asked) == (1, 1)
    assert "does not show" in str(one)


def test_what_cannot_be_asked_is_said(tones, counted):
    questions = k.genre_questions(tones, counted, 3, count=1)
    with pytest.raises(SongNetError, match="Answer at least one"):
        k.score(questions, [])
    with pytest.raises(SongNetError, match="Got 2 answers"):
        k.score(questions, [0, 0])
    with pytest.raises(SongNetError, match="Got 99"):
        k.genre_questions(tones, counted, 1, count=99)
    few = dataclasses.replace(tones, clips=tones.clips.assign(artist=tones.clips.artist.iloc[0]))
    with pytest.raises(SongNetError, match="has too few artists for this quiz"):
        k.song_questions(few, 1, count=1)
