"""The filter-bank explorer: choose bands, pick one, and hear the sound that it lets through."""

from __future__ import annotations

import numpy as np

from songnet_utils.audio import check_samples
from songnet_utils.audio.sound import Sound
from songnet_utils.plots import one_mel_filter
from songnet_utils.plots.players import Player
from songnet_utils.widgets.explorer import Explorer, number

# The narrowest frequency range that you can choose, in hertz.
_NARROWEST = 500


class FilterBankExplorer(Explorer):
    """Choose the number and range of bands, pick one, see its triangle and hear it alone.

    The triangle weights power, as in the log-mel, so the sound's spectrum is multiplied by its
    square root.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        A few seconds.
    sound : Sound
        The sample rate and window of the filter bank.

    Attributes
    ----------
    bands, low, high, band : ipywidgets.Widget
        The controls: the number of bands, the lowest and highest frequency, and the chosen band.
    edges : tuple of float
        The start, peak and end of the chosen triangle, in hertz.
    filtered : np.ndarray, shape (samples,)
        The part of `audio` in the chosen band, not amplified.

    Raises
    ------
    AudioError
        When `audio` is not mono audio.
    """

    def __init__(self, audio: np.ndarray, sound: Sound) -> None:
        self._audio, self._sound = check_samples(audio), sound
        highest = sound.sample_rate // 2
        self.bands = number("Mel bands", sound.n_mels, 4, 256)
        self.low = number("From (Hz)", 0, 0, highest - _NARROWEST)
        self.high = number("To (Hz)", highest, _NARROWEST, highest)
        self.band = number("Band (from 0)", sound.n_mels // 4, 0, sound.n_mels - 1)
        super().__init__([self.bands, self.low, self.high, self.band])

    def _fit(self) -> None:
        self.high.value = max(self.high.value, self.low.value + _NARROWEST)
        self.band.max = self.bands.value - 1

    def _recorded(self) -> list[tuple[int, ...]]:
        bands = self._sound.n_mels
        picked = 0, 3, 7, 16, bands // 4, 64, bands - 1, 255
        return [(8, bands, 256), (0,), (self.high.max,), picked]

    def _make(self) -> None:
        # librosa is slow to import.
        import librosa

        low, high = self.low.value, self.high.value
        points = librosa.mel_frequencies(self.bands.value + 2, fmin=low, fmax=high)
        picked = self.band.value
        left, peak, right = (float(point) for point in points[picked : picked + 3])
        self.edges = left, peak, right
        rate, samples = self._sound.sample_rate, len(self._audio)
        weights = np.interp(np.fft.rfftfreq(samples, 1 / rate), self.edges, (0, 1, 0))
        filtered = np.fft.irfft(np.fft.rfft(self._audio) * np.sqrt(weights), samples)
        self.filtered = filtered.astype(np.float32)
        bins = np.arange(1 + self._sound.n_fft // 2) * rate / self._sound.n_fft
        inside = int(((bins > left) & (bins < right)).sum())
        words = (
            f"Band {picked} of {self.bands.value} goes from {left:,.1f} to {right:,.1f} Hz, peaks "
            f"at {peak:,.1f} Hz and is {right - left:,.1f} Hz wide. It holds {inside} of the "
            f"{len(bins):,} bins of a window of {self._sound.n_fft:,} samples"
            + (": it is empty, so its value is always the floor." if not inside else ".")
        )
        ax = one_mel_filter(points, picked)
        self._show(words, [ax], self._players(peak))

    def _players(self, peak: float) -> list[Player]:
        rate = self._sound.sample_rate
        band = f"Band {self.band.value}"
        loudest, own = (float(np.abs(audio).max()) for audio in (self._audio, self.filtered))
        # Most bands hold little of a clip, so amplify the band and state the gain.
        gain = min(loudest, 1.0) / own if own > 0 else 1.0
        name = f"{band} of the clip alone, {20 * np.log10(gain):+.0f} dB"
        seconds = np.arange(rate) / rate
        fade = np.minimum(1, 50 * np.minimum(seconds, 1 - seconds))
        tone = (0.3 * fade * np.sin(2 * np.pi * peak * seconds)).astype(np.float32)
        return [
            Player(self._audio, rate, "The original clip"),
            Player(np.clip(self.filtered * np.float32(gain), -1, 1), rate, name),
            Player(tone, rate, f"A tone at {band}'s peak, {peak:,.1f} Hz"),
        ]
