"""The 140 MFCC statistics against librosa and SciPy, and by hand."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.stats

from songnet_utils.errors import SongNetError
from songnet_utils.features import FEATURE_NAMES, mfcc, mfcc_statistics


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


def fma_statistics(audio: np.ndarray, rate: int) -> np.ndarray:
    """FMA's recipe, with librosa and SciPy, in double precision."""
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
    ours, theirs = mfcc_statistics(audio, rate), fma_statistics(audio, rate)
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
