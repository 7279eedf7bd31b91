"""The hand-crafted features against librosa and SciPy, and by hand."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from songnet_utils._utils.errors import SongNetError
from songnet_utils.features import FEATURE_NAMES, FEATURE_SETS, mfcc, mfcc_statistics
from songnet_utils.features.deshpande import DESHPANDE_NAMES, FILTERS, texture
from songnet_utils.features.fma import FAMILIES, FMA_NAMES, fma_families
from songnet_utils.features.mfcc import MANDEL_ELLIS_NAMES, mean_and_covariance
from songnet_utils.features.tzanetakis import beat_histogram, pitch_of, rhythm_of

RATE = 22050


def music(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """Decaying notes with some noise: loud and quiet, tonal and not."""
    generator = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    notes = [
        np.where(time >= start, np.exp(-6 * (time - start)), 0) * np.sin(2 * np.pi * pitch * time)
        for start, pitch in zip(
            np.arange(0, seconds, 0.25), generator.uniform(80, 2000, 1000), strict=False
        )
    ]
    return (0.3 * sum(notes) + 1e-3 * generator.normal(size=len(time))).astype(np.float32)


def values_of(name: str, audio: np.ndarray, rate: int = RATE) -> dict[tuple, float]:
    """One set's values by (feature, statistic, number)."""
    features = FEATURE_SETS[name]
    return dict(zip(features.columns, features.compute(audio, rate).tolist(), strict=True))


def tone(pitch: float, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype("f4")


def fma_mfcc_statistics(audio: np.ndarray, rate: int) -> np.ndarray:
    """FMA's MFCC recipe, with librosa and SciPy, in double precision."""
    spectrum = np.abs(librosa.stft(audio.astype(np.float64), n_fft=2048, hop_length=512))
    mel = librosa.feature.melspectrogram(sr=rate, S=spectrum**2)
    values = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    statistics = {
        "mean": np.mean(values, axis=1),
        "std": np.std(values, axis=1),
        "skew": scipy.stats.skew(values, axis=1),
        "kurtosis": scipy.stats.kurtosis(values, axis=1),
        "median": np.median(values, axis=1),
        "min": np.min(values, axis=1),
        "max": np.max(values, axis=1),
    }
    return np.array([statistics[name][int(number) - 1] for _, name, number in FEATURE_NAMES])


@pytest.mark.parametrize("rate", [22050, 16000, 44100])
def test_they_are_fmas(rate: int) -> None:
    audio = music(6, rate)
    ours, theirs = mfcc_statistics(audio, rate), fma_mfcc_statistics(audio, rate)
    assert ours.shape == (140,)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-4)


def test_they_are_named_as_in_fmas_file() -> None:
    assert len(set(FEATURE_NAMES)) == 140
    # features.csv sorts its columns.
    assert list(FEATURE_NAMES) == sorted(FEATURE_NAMES)
    assert FEATURE_NAMES[0] == ("mfcc", "kurtosis", "01")
    assert FEATURE_NAMES[-1] == ("mfcc", "std", "20")


def test_the_first_coefficient_is_loudness() -> None:
    # Ten times the amplitude is 20 dB more in each of 128 bands; of a constant c the first
    # coefficient of the orthonormal DCT is c·√128, and all others are 0.
    audio = music(3, 22050)
    difference = mfcc(audio, 22050) - mfcc(audio / 10, 22050)
    np.testing.assert_allclose(difference[:, 0], 20 * np.sqrt(128), rtol=1e-5)
    np.testing.assert_allclose(difference[:, 1:], 0, atol=1e-3)


def test_a_sound_that_never_changes_has_no_shape() -> None:
    # Impulses a hop apart: every frame away from the ends holds the same.
    audio = np.zeros(1024 * 40, np.float32)
    audio[::512] = 0.5
    values = dict(zip(FEATURE_NAMES, mfcc_statistics(audio, 22050), strict=True))
    assert np.isfinite(list(values.values())).all()
    silence = dict(zip(FEATURE_NAMES, mfcc_statistics(np.zeros(9999), 22050), strict=True))
    for name in ("kurtosis", "skew", "std"):
        assert silence["mfcc", name, "01"] == 0
    assert silence["mfcc", "mean", "01"] == pytest.approx(-100 * np.sqrt(128), rel=1e-5)


def test_what_is_no_audio_is_refused() -> None:
    with pytest.raises(SongNetError):
        mfcc_statistics(np.full(1000, np.nan, np.float32), 22050)


# What every set of features must do.


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return music(6, RATE, seed=3)


@pytest.mark.parametrize("name", list(FEATURE_SETS))
def test_a_set_is_a_row_of_named_numbers(song, name):
    features = FEATURE_SETS[name]
    assert len(set(features.columns)) == len(features.columns)
    assert all(len(column) == 3 and all(column) for column in features.columns)
    values = features.compute(song, RATE)
    assert values.shape == (len(features.columns),)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


@pytest.mark.parametrize("name", list(FEATURE_SETS))
def test_a_set_gives_the_same_bits_in_any_thread(song, name):
    compute = FEATURE_SETS[name].compute
    first = compute(song, RATE)
    with ThreadPoolExecutor(3) as pool:
        for again in pool.map(lambda _: compute(song, RATE), range(3)):
            np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("name", list(FEATURE_SETS))
@pytest.mark.parametrize("samples", [1, 700, 3000, 2 * RATE])
def test_odd_sounds_have_features_and_warn_of_nothing(name, samples):
    random = np.random.default_rng(0)
    click = np.zeros(samples, np.float32)
    click[samples // 2] = 1
    sounds = {
        "silence": np.zeros(samples, np.float32),
        "constant": np.full(samples, 0.5, np.float32),
        "faint noise": (1e-6 * random.normal(size=samples)).astype(np.float32),
        "click": click,
        "too loud": 5 * music(2, RATE)[:samples],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for what, sound in sounds.items():
            assert np.isfinite(FEATURE_SETS[name].compute(sound, RATE)).all(), what


@pytest.mark.parametrize("name", list(FEATURE_SETS))
def test_a_set_refuses_what_is_no_audio(name):
    with pytest.raises(SongNetError, match="not numbers"):
        FEATURE_SETS[name].compute(np.full(RATE, np.nan, np.float32), RATE)
    with pytest.raises(SongNetError, match="mono"):
        FEATURE_SETS[name].compute(np.zeros((RATE, 2), np.float32), RATE)


# FMA's 518.


def plain_fma(audio: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """FMA's families, each with one plain call of librosa."""
    feature = librosa.feature
    spectrum = np.abs(librosa.stft(audio, n_fft=2048, hop_length=512))
    pitches = np.abs(librosa.cqt(audio, sr=rate, hop_length=512, n_bins=84, tuning=None))
    # librosa's chroma of today takes 36 bins an octave for granted, that of 2017 took 12.
    cens = feature.chroma_cens(C=pitches, bins_per_octave=12)
    mel = feature.melspectrogram(sr=rate, S=spectrum**2)
    return {
        "chroma_cens": cens,
        "chroma_cqt": feature.chroma_cqt(C=pitches, bins_per_octave=12),
        "chroma_stft": feature.chroma_stft(S=spectrum**2, sr=rate),
        "mfcc": feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        "rmse": feature.rms(S=spectrum),
        "spectral_bandwidth": feature.spectral_bandwidth(S=spectrum, sr=rate),
        "spectral_centroid": feature.spectral_centroid(S=spectrum, sr=rate),
        "spectral_contrast": feature.spectral_contrast(S=spectrum, sr=rate),
        "spectral_rolloff": feature.spectral_rolloff(S=spectrum, sr=rate),
        "tonnetz": feature.tonnetz(chroma=cens),
        "zcr": feature.zero_crossing_rate(audio, frame_length=2048, hop_length=512),
    }


@pytest.mark.parametrize("rate", [22050, 16000])
def test_the_518_are_fmas(rate):
    audio = music(6, rate)
    ours = values_of("fma", audio, rate)
    for family, values in plain_fma(audio, rate).items():
        for statistic, function in {
            "mean": np.mean,
            "std": np.std,
            "skew": scipy.stats.skew,
            "kurtosis": scipy.stats.kurtosis,
            "median": np.median,
            "min": np.min,
            "max": np.max,
        }.items():
            found = [ours[family, statistic, f"{n:02d}"] for n in range(1, len(values) + 1)]
            np.testing.assert_allclose(
                found,
                function(values.astype(np.float64), axis=1),
                rtol=1e-3,
                atol=1e-4,
                err_msg=f"{family} {statistic}",
            )


def test_the_518_are_named_as_in_fmas_file():
    assert len(FMA_NAMES) == 518
    assert list(FMA_NAMES) == sorted(FMA_NAMES)
    assert FMA_NAMES[0] == ("chroma_cens", "kurtosis", "01")
    assert FMA_NAMES[-1] == ("zcr", "std", "01")
    assert sum(FAMILIES.values()) * 7 == 518


def test_their_mfcc_are_the_140_to_the_bit(song):
    values = FEATURE_SETS["fma"].compute(song, RATE)
    of_mfcc = [name[0] == "mfcc" for name in FMA_NAMES]
    assert tuple(name for name in FMA_NAMES if name[0] == "mfcc") == FEATURE_NAMES
    np.testing.assert_array_equal(values[of_mfcc], mfcc_statistics(song, RATE))


def test_a_tone_is_where_it_is():
    found = {name: values[:, 20:-20] for name, values in fma_families(tone(440), RATE).items()}
    bin_width = RATE / 2048
    # A is the tenth pitch class, counted from C.
    for family in ("chroma_stft", "chroma_cqt", "chroma_cens"):
        assert (found[family].argmax(axis=0) == 9).all()
    np.testing.assert_allclose(found["spectral_centroid"], 440, atol=bin_width)
    np.testing.assert_allclose(found["spectral_rolloff"], 440, atol=2 * bin_width)
    assert (found["spectral_bandwidth"] < 4 * bin_width).all()
    # Two sign changes a period; an amplitude of 0.5 has the root mean square 0.5 / √2, of which
    # a Hann window leaves √(3/8).
    np.testing.assert_allclose(found["zcr"], 2 * 440 / RATE, atol=1.5 / 2048)
    np.testing.assert_allclose(found["rmse"], 0.5 / np.sqrt(2) * np.sqrt(3 / 8), rtol=1e-3)


def test_loudness_moves_rmse_alone_among_the_spectral_families(song):
    loud, quiet = fma_families(song, RATE), fma_families(song / 4, RATE)
    np.testing.assert_allclose(loud["rmse"], 4 * quiet["rmse"], rtol=1e-5)
    for family in ("zcr", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff"):
        np.testing.assert_allclose(loud[family], quiet[family], rtol=1e-5)


def test_a_rate_that_fmas_bands_do_not_fit_in_is_refused():
    with pytest.raises(SongNetError, match=r"at least 16,000 samples per second\. Got 8,000"):
        FEATURE_SETS["fma"].compute(tone(440, rate=8000), 8000)


# Tzanetakis & Cook.


def clicks(tempo: float, seconds: float = 12.0) -> np.ndarray:
    """Short bursts of noise, so many a minute."""
    burst = 0.5 * np.random.default_rng(0).normal(size=300)
    audio = np.zeros(int(seconds * RATE) + len(burst), np.float32)
    for beat in range(int(seconds * tempo / 60)):
        start = int(beat * 60 / tempo * RATE)
        audio[start : start + len(burst)] += burst
    return audio


@pytest.mark.parametrize("tempo", [60, 90, 120, 150, 180])
def test_the_beat_histogram_peaks_at_the_tempo(tempo):
    # At the tempo itself, not at its half: what repeats every beat repeats every other beat, and
    # that is taken out.
    histogram = beat_histogram(clicks(tempo), RATE)
    assert histogram.argmax() + 40 == pytest.approx(tempo, abs=1)
    found = values_of("tzanetakis", clicks(tempo))
    assert found["beat", "period", "01"] == pytest.approx(tempo, abs=1)
    assert found["beat", "sum", "01"] > 0.3


def test_the_peaks_of_a_beat_histogram():
    histogram = np.zeros(161)
    histogram[[60 - 40, 120 - 40]] = 1, 3
    # Three quarters, one quarter, their ratio, where they are, and all of it.
    np.testing.assert_allclose(rhythm_of(histogram), [0.75, 0.25, 1 / 3, 120, 60, 4])
    np.testing.assert_array_equal(rhythm_of(np.zeros(161)), 0)


def test_noise_has_less_of_a_beat_than_clicks():
    noise = 0.1 * np.random.default_rng(1).normal(size=12 * RATE)
    steady = values_of("tzanetakis", clicks(120))["beat", "sum", "01"]
    assert values_of("tzanetakis", noise.astype(np.float32))["beat", "sum", "01"] < steady / 2


@pytest.mark.parametrize(("pitch", "note", "fifths"), [(440, 69, 3), (261.63, 60, 0), (98, 43, 1)])
def test_a_tones_note_and_its_place_among_the_fifths(pitch, note, fifths):
    # From C it is three fifths to A (C, G, D, A) and one to G.
    harmonics = [tone(pitch * n) / n for n in range(1, 6)]
    for sound in (tone(pitch), 0.5 * sum(harmonics)):
        found = values_of("tzanetakis", sound)
        assert found["pitch", "unfolded_period", "01"] == note
        assert found["pitch", "folded_period", "01"] == fifths


def test_notes_fold_into_pitch_classes():
    histogram = np.zeros(128)
    # A in two octaves, and E, a fifth above.
    histogram[[57, 69, 64]] = 2, 3, 4
    np.testing.assert_allclose(pitch_of(histogram), [5 / 9, 64, 3, 1, 9])
    # F lies one fifth below C: the shorter way round.
    histogram[:] = 0
    histogram[[60, 65]] = 2, 1
    assert pitch_of(histogram)[3] == -1
    np.testing.assert_array_equal(pitch_of(np.zeros(128)), 0)


def test_the_timbre_of_a_tone():
    # 43 periods in 512 samples: the tone is one bin of the transform, which a Hann window spreads
    # evenly over its neighbours.
    pitch = 43 * RATE / 512
    found = values_of("tzanetakis", tone(pitch))
    assert found["centroid", "mean", "01"] == pytest.approx(pitch, rel=1e-3)
    assert found["rolloff", "mean", "01"] == pytest.approx(pitch + RATE / 512, rel=1e-3)
    assert found["crossings", "mean", "01"] == pytest.approx(86, abs=1)
    assert found["flux", "mean", "01"] == pytest.approx(0, abs=1e-9)
    for feature in ("centroid", "rolloff", "flux"):
        assert found[feature, "variance", "01"] == pytest.approx(0, abs=1e-3)


def test_low_energy_is_the_share_of_quiet_frames():
    # Of four frames one is loud: three lie below the mean of every second.
    audio = np.tile(np.repeat([1.0, 0, 0, 0], 512), 50) * tone(1000, 50 * 4 * 512 / RATE)
    # A second is 43 frames, so 10 or 11 of them are loud, 10.75 on average.
    assert values_of("tzanetakis", audio.astype(np.float32))[
        "low_energy", "mean", "01"
    ] == pytest.approx(0.75, abs=2e-3)


def test_loudness_moves_only_loudness_in_the_thirty(song):
    loud, quiet = (values_of("tzanetakis", sound) for sound in (song, song / 2))
    for name, value in loud.items():
        if name == ("mfcc", "mean", "01"):
            # 6.02 dB in each of 40 bands, but where the floor of 1e-10 is reached.
            assert value - quiet[name] == pytest.approx(20 * np.log10(2) * np.sqrt(40), rel=0.02)
        elif name[0] != "mfcc":
            assert quiet[name] == pytest.approx(value, rel=1e-3, abs=1e-6), name


# Mandel & Ellis.


def test_mean_and_covariance_of_what_is_known():
    random = np.random.default_rng(0)
    values = random.normal(size=(500, 20))
    values[:, 1] = 2 * values[:, 0] + 1
    found = dict(zip(MANDEL_ELLIS_NAMES, mean_and_covariance(values), strict=True))
    variance = values[:, 0].var()
    assert found["mfcc", "mean", "02"] == pytest.approx(2 * values[:, 0].mean() + 1)
    assert found["mfcc", "covariance", "01-01"] == pytest.approx(variance)
    assert found["mfcc", "covariance", "01-02"] == pytest.approx(2 * variance)
    assert found["mfcc", "covariance", "02-02"] == pytest.approx(4 * variance)
    whole = np.cov(values.T, bias=True)
    assert found["mfcc", "covariance", "03-17"] == pytest.approx(whole[2, 16])
    assert len(found) == 20 + 20 * 21 / 2


def test_their_means_are_those_of_the_140(song):
    ours, theirs = values_of("mandel-ellis", song), values_of("mfcc", song)
    for number in ("01", "07", "20"):
        assert ours["mfcc", "mean", number] == theirs["mfcc", "mean", number]
        variance = ours["mfcc", "covariance", f"{number}-{number}"]
        assert variance == pytest.approx(theirs["mfcc", "std", number] ** 2, rel=1e-5)


# Deshpande, Nam & Singh.


def after(picture: np.ndarray) -> np.ndarray:
    """Return the features of a picture, one axis a level, a filter a place."""
    return texture(picture).reshape((len(FILTERS),) * 3)


def test_stripes_are_answered_by_the_bar_along_them():
    stripes = np.tile(np.repeat([0.0, 1.0], 2), 16)[:, None] * np.ones(64)
    lying, standing = after(stripes), after(stripes.T)
    sustained, onset = FILTERS.index("sustained"), FILTERS.index("onset")
    # A tone that is held is a stripe along time; a beat stands across all pitches.
    assert lying[sustained].sum() > 20 * lying[onset].sum()
    assert standing[onset].sum() > 20 * standing[sustained].sum()
    # Turned by 90° they are the same picture, looked at by the other bar.
    turned = [FILTERS.index(name) for name in ("onset", "sustained", "falling", "rising", "spot")]
    np.testing.assert_allclose(standing[np.ix_(turned, turned, turned)], lying, atol=1e-12)


def test_a_glide_is_answered_by_the_bar_of_its_direction():
    noise = np.random.default_rng(0).normal(size=(64, 64))
    up, down = FILTERS.index("rising"), FILTERS.index("falling")
    # Streaks: a later frame is a higher row. (Even stripes have no texture after the first level.)
    rising = after(scipy.ndimage.convolve(noise, np.eye(9), mode="wrap"))
    falling = after(scipy.ndimage.convolve(noise, np.eye(9)[::-1], mode="wrap"))
    assert rising[up].sum() > 3 * rising[down].sum()
    assert falling[down].sum() > 3 * falling[up].sum()


def test_a_picture_of_one_grey_has_no_texture(song):
    np.testing.assert_allclose(texture(np.full((128, 90), 0.7)), 0, atol=1e-12)
    # Twice the contrast, twice the answers; brightness is none.
    picture = np.random.default_rng(0).random((128, 90))
    np.testing.assert_allclose(texture(3 + 2 * picture), 2 * texture(picture))


def test_textures_do_not_hear_loudness(song):
    compute = FEATURE_SETS["deshpande"].compute
    np.testing.assert_allclose(compute(song / 2, RATE), compute(song, RATE), rtol=1e-3, atol=1e-6)
    assert len(DESHPANDE_NAMES) == 125
