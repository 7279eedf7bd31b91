"""The hand-crafted features against librosa and SciPy, and by hand."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import pytest
import scipy.stats

from songnet_utils.errors import SongNetError
from songnet_utils.features import FEATURE_NAMES, FEATURE_SETS, mfcc, mfcc_statistics
from songnet_utils.features.fma import FAMILIES, FMA_NAMES, fma_families

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
    assert features.name == name
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
    with pytest.raises(SongNetError, match=r"at least 16,000 samples a second\. Got 8,000"):
        FEATURE_SETS["fma"].compute(tone(440, rate=8000), 8000)
