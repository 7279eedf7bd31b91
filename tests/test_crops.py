"""The crops of a clip that a network is trained on."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from songnet_utils.audio.sound import Sound
from songnet_utils.training.data import crop, transpose

SOUND = Sound()


def test_a_crop_lies_anywhere_in_the_clip():
    frames = np.arange(10, dtype=np.float32)[:, None]
    starts = {int(crop(frames, 4, start)[0, 0]) for start in np.linspace(0, 0.999, 200)}
    assert starts == set(range(7))
    np.testing.assert_array_equal(crop(frames, 4, 0.999)[:, 0], [6, 7, 8, 9])
    np.testing.assert_array_equal(crop(frames, 10, 0.5), frames)


def test_a_short_clip_is_repeated():
    frames = np.arange(3, dtype=np.float32)[:, None]
    assert crop(frames, 7, 0.0)[:, 0].tolist() == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("semitones", [-7, -2.5, 0, 2.5, 7])
def test_a_tone_in_another_key_is_in_the_band_of_its_new_frequency(semitones):
    hertz = librosa.mel_frequencies(SOUND.n_mels + 2, fmax=SOUND.sample_rate / 2)[1:-1]
    tone = np.zeros((3, SOUND.n_mels), np.float32)
    tone[:, 60] = 1
    moved = hertz[transpose(tone, SOUND, semitones)[0] == 1].mean()
    assert moved == pytest.approx(hertz[60] * 2 ** (semitones / 12), rel=0.03)
