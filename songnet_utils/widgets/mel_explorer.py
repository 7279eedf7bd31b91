"""The mel explorer: see and hear how much of a clip a log-mel preserves."""

from __future__ import annotations

import math
import warnings

import numpy as np

from songnet_utils.audio import check_samples, log_mel, mel_filters
from songnet_utils.audio.sound import Sound
from songnet_utils.plots import log_mel as draw_log_mel
from songnet_utils.plots.players import Player
from songnet_utils.widgets.explorer import Explorer, number, select

_WINDOWS = (256, 512, 1024, 2048, 4096, 8192)
_HOPS = (64, 128, 256, 512, 1024, 2048, 4096)
_BANDS = (8, 16, 32, 64, 128, 256)
# The iterations of Griffin and Lim's method (1984), which estimates the phases.
_ROUNDS = 32


class MelExplorer(Explorer):
    """Choose window, hop, bands and floor; see the log-mel and hear the sound made from it.

    The log-mel does not distinguish powers at or below the floor, so the sound omits them.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        A few seconds, because each change rebuilds the sound.
    rate : int
        Samples per second; a rate that mp3 supports.

    Attributes
    ----------
    n_fft, hop, bands, floor : ipywidgets.Widget
        The controls; the floor is in decibels, where 0 dB is a mel power of 1.
    chosen : Sound
        The description of sound that the controls define.
    frames : np.ndarray, shape (frames, n_mels)
        The log-mel of `audio`.
    rebuilt : np.ndarray, shape (samples,)
        The sound made from the log-mel, as long as `audio`.

    Raises
    ------
    AudioError
        When `audio` is not mono audio.
    """

    def __init__(self, audio: np.ndarray, rate: int) -> None:
        self._audio, self._rate = check_samples(audio), rate
        usual = Sound(sample_rate=rate)
        self._original = Player(self._audio, rate, "The clip itself")
        self.n_fft = select("Window (samples)", _WINDOWS, usual.n_fft)
        self.hop = select("Hop (samples)", _fitting_hops(usual.n_fft), usual.hop)
        self.bands = select("Mel bands", _BANDS, usual.n_mels)
        self.floor = number("Floor (dB)", round(10 * math.log10(usual.floor)), -100, 20, step=10)
        super().__init__([self.n_fft, self.hop, self.bands, self.floor])

    def _fit(self) -> None:
        # Hann windows fade to zero at both ends, so a larger hop would miss samples.
        fitting = _fitting_hops(self.n_fft.value)
        if self.hop.options != fitting:
            hop = min(max(self.hop.value, fitting[0]), fitting[-1])
            self.hop.options = fitting
            self.hop.value = hop

    def _recorded(self) -> list[tuple[int, ...]]:
        return [(256, 2048, 8192), (128, 1024), (8, 128, 256), (-60, -20)]

    def _make(self) -> None:
        self.chosen = sound = Sound(
            sample_rate=self._rate,
            n_fft=self.n_fft.value,
            hop=self.hop.value,
            n_mels=self.bands.value,
            floor=float(10 ** (self.floor.value / 10)),
        )
        with warnings.catch_warnings():
            # librosa warns about empty bands; the line below counts them.
            warnings.filterwarnings("ignore", "Empty filters", UserWarning)
            self.frames = log_mel(self._audio, sound)
            self.rebuilt = self._sound_of_frames()
            empty = int((mel_filters(sound).sum(axis=1) == 0).sum())
        title = f"Log-mel: windows of {sound.n_fft}, hop {sound.hop}, {sound.n_mels} bands"
        ax = draw_log_mel(self.frames, sound, title=title)
        loudest = max(1.0, float(np.abs(self.rebuilt).max()))
        again = Player(self.rebuilt / loudest, self._rate, "Rebuilt from this log-mel")
        self._show(self._words(empty), [ax], [self._original, again])

    def _sound_of_frames(self) -> np.ndarray:
        sound = self.chosen
        kept = self.frames > np.float32(math.log(sound.floor))
        # librosa is slow to import.
        import librosa

        power = np.where(kept, np.exp(self.frames), 0).T
        # As in lesson 2, take the smallest of the spectra that give this power in the bands. This
        # is immediate, while non-negative least squares take minutes for the widest windows.
        bins = np.maximum(np.linalg.pinv(mel_filters(sound).toarray()) @ power, 0)
        return librosa.griffinlim(
            np.sqrt(bins),
            n_iter=_ROUNDS,
            hop_length=sound.hop,
            n_fft=sound.n_fft,
            length=len(self._audio),
            random_state=0,
        ).astype(np.float32)

    def _words(self, empty: int) -> str:
        sound = self.chosen
        a_second = sound.sample_rate / sound.hop
        bins = sound.sample_rate / sound.n_fft
        at_floor = float((self.frames <= np.float32(math.log(sound.floor))).mean())
        words = (
            f"{a_second:.1f} frames per second from windows of {sound.n_fft / self._rate:.3f} s, "
            f"bins {bins:.2f} Hz apart: {a_second * sound.n_mels:,.0f} numbers per second replace "
            f"{sound.sample_rate:,} samples, and {at_floor:.0%} of them are at the floor."
        )
        if empty:
            words += f" {empty} bands are empty: they are so narrow that they contain no bin."
        return words


def _fitting_hops(n_fft: int) -> tuple[int, ...]:
    """Return the hops at which every sample is well inside some window."""
    return tuple(hop for hop in _HOPS if n_fft // 16 <= hop <= n_fft // 2)
