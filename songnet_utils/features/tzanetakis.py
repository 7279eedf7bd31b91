"""Thirty features of timbre, rhythm and pitch, after Tzanetakis & Cook (2002).

George Tzanetakis and Perry Cook, "Musical Genre Classification of Audio Signals", IEEE
Transactions on Speech and Audio Processing 10(5). The ideas and the numbers of features are theirs
(19 of timbre, 6 of rhythm, 5 of pitch). The values are not those of their program, because the
article leaves many details open. The choices of our own are marked "Ours" below.

**Timbre** (19). Frames of 512 samples follow each other, under a Hann window. A texture window
is a second of successive frames. The values are means over all texture windows of a clip: of the
window's ``mean`` and ``variance`` of

- ``centroid`` (Hz) and ``rolloff`` (Hz, below it lie 85 % of the magnitudes),
- ``flux``, the squared distance between successive spectra, each divided by its sum,
- ``crossings``, sign changes in a frame,
- ``mfcc`` 1 to 5, the first being loudness (ours: of 40 mel bands in dB; they use 13 bands),

and ``low_energy``, the share of a texture window's frames with less than its mean RMS.

**Rhythm** (6). The loudness curve of each octave band is rectified, smoothed, downsampled and
centred. The peaks in the autocorrelation of their sum, over about three seconds, give the lengths
of beats, and a beat histogram of 40 to 200 beats per minute adds up their heights. ``amplitude``
1 and 2 are the shares of its two highest peaks (each with the bins beside it), ``ratio`` is
the second over the first, ``period`` 1 and 2 are their tempos (beats per minute), and ``sum`` is
the total: the strength of the beat.
Ours: octaves by Butterworth filters instead of wavelets; heights as shares of the
autocorrelation at lag 0, and the sum as a mean over windows, so that neither loudness nor length
matters; a histogram smoothed over three bins before the search for peaks.

**Pitch** (5). In each frame, an autocorrelation loses the peaks that only repeat others at twice
the lag (after Tolonen & Karjalainen). A histogram of notes adds up its three highest peaks:
unfolded, with one bin per semitone, and folded, with one bin per pitch class, in
the order of fifths. ``folded_amplitude``
is the share of the highest folded peak (high for a song in one key), ``unfolded_period`` the
number of the commonest note (MIDI: 69 is 440 Hz), ``folded_period`` the place of the commonest
pitch class among the fifths (0 is C, 1 G, 2 D …), ``interval`` the number of fifths between it and
the second (−5 to 6), and ``sum`` the total. Ours: frames of 2,048 samples every 1,024, so that they
have two periods of notes down to 55 Hz; only peaks of at least a tenth of the autocorrelation at
lag 0, with heights as shares of it; the sum as a mean over frames.

Features of something that a clip lacks (no beat, no pitch) are 0.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils.audio import check_samples

# (feature, number) of a frame's values, and (statistic, number) of a beat histogram's values.
_TIMBRE = (
    *((feature, "01") for feature in ("centroid", "rolloff", "flux", "crossings")),
    *(("mfcc", f"{number:02d}") for number in range(1, 6)),
)
_RHYTHM = (
    *(("amplitude", "01"), ("amplitude", "02"), ("ratio", "01")),
    *(("period", "01"), ("period", "02"), ("sum", "01")),
)
_PITCH = ("folded_amplitude", "unfolded_period", "folded_period", "interval", "sum")

#: (feature, statistic, number) of each of the 30 values: timbre, rhythm, pitch.
TZANETAKIS_NAMES = (
    *((feature, "mean", number) for feature, number in _TIMBRE),
    *((feature, "variance", number) for feature, number in _TIMBRE),
    ("low_energy", "mean", "01"),
    *(("beat", statistic, number) for statistic, number in _RHYTHM),
    *(("pitch", statistic, "01") for statistic in _PITCH),
)

# For timbre: the samples of a frame, and the mel bands.
_FRAME, _BANDS = 512, 40
# For rhythm: the factor of downsampling; the samples of the sound in a window of the
# autocorrelation; the range of beats per minute.
_THIN, _BEAT_WINDOW = 16, 65_536
_SLOWEST, _FASTEST = 40, 200
# For pitch: a frame and its hop; the range in Hz; the border of low and high sounds; the exponent.
_PITCH_FRAME, _PITCH_HOP = 2048, 1024
_LOWEST, _HIGHEST, _CROSSOVER, _COMPRESSION = 55.0, 1000.0, 1000.0, 0.67
_LEAST_PEAK = 0.1
_PEAKS = 3
_NOTES = 128


def tzanetakis_features(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 30 features of mono audio, in the order of `TZANETAKIS_NAMES`.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (30,), float32
    """
    audio = check_samples(audio).astype(np.float64)
    rhythm, pitch = rhythm_of(beat_histogram(audio, rate)), pitch_of(note_histogram(audio, rate))
    return np.concatenate([timbre(audio, rate), rhythm, pitch]).astype(np.float32)


def timbre(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the 19 features of timbre, shape (19,)."""
    frames = max(1, len(audio) // _FRAME)
    whole = np.zeros(frames * _FRAME)
    whole[: len(audio)] = audio[: len(whole)]
    pieces = whole.reshape(frames, _FRAME)
    spectrum = np.abs(scipy.fft.rfft(pieces * scipy.signal.get_window("hann", _FRAME), axis=1))
    hertz = scipy.fft.rfftfreq(_FRAME, 1 / rate)
    total = spectrum.sum(axis=1)
    shares = spectrum / np.where(total > 0, total, 1)[:, None]
    reached = np.cumsum(shares, axis=1) >= 0.85
    centroid = (shares * hertz).sum(axis=1)
    rolloff = np.where(total > 0, hertz[reached.argmax(axis=1)], 0)
    flux = (np.diff(shares, axis=0, prepend=shares[:1]) ** 2).sum(axis=1)
    crossings = (np.diff(pieces < 0, axis=1) != 0).sum(axis=1)
    coefficients = _coefficients(spectrum**2, rate)
    values = np.column_stack([centroid, rolloff, flux, crossings, coefficients])
    texture = min(frames, max(1, round(rate / _FRAME)))
    windows = sliding_window_view(values, texture, axis=0)
    loudness = sliding_window_view(np.sqrt((pieces**2).mean(axis=1)), texture)
    # The rounding errors of equal frames do not count as below their mean.
    low = loudness < loudness.mean(axis=1, keepdims=True) * (1 - 1e-9)
    means, variances = windows.mean(axis=2).mean(axis=0), windows.var(axis=2).mean(axis=0)
    return np.concatenate([means, variances, [low.mean()]])


def _coefficients(power: np.ndarray, rate: int) -> np.ndarray:
    """Return the first five MFCCs of each frame, shape (frames, 5)."""
    # Sum in a fixed order; see songnet_utils.audio.log_mel_of_windows.
    mel = np.einsum("bf,tf->tb", _mel_filters(rate), power)
    decibels = 10 * np.log10(np.maximum(mel, 1e-10))
    return scipy.fft.dct(decibels, axis=1, norm="ortho")[:, :5]


@functools.cache
def _mel_filters(rate: int) -> np.ndarray:
    import librosa

    return librosa.filters.mel(sr=rate, n_fft=_FRAME, n_mels=_BANDS, dtype=np.float64)


def beat_histogram(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the strength of beats at each tempo.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (161,)
        For 40, 41, … 200 beats per minute.
    """
    curve = np.sum([_loudness(band) for band in _octaves(audio, rate)], axis=0)
    size = _BEAT_WINDOW // _THIN
    if len(curve) < size:
        curve = np.pad(curve, (0, size - len(curve)))
    windows = sliding_window_view(curve, size)[:: size // 2]
    found = _autocorrelation(windows - windows.mean(axis=1, keepdims=True), 2)
    energy = found[:, :1]
    # Shares of the value at lag 0; all 0 for silence.
    correlation = _enhanced(found / np.where(energy > 1e-12, energy, np.inf))
    curve_rate = rate / _THIN
    shortest, longest = round(60 * curve_rate / _FASTEST), round(60 * curve_rate / _SLOWEST)
    lags, heights = _highest_peaks(correlation, shortest, min(longest, size - 2))
    found = heights > 0
    tempo = np.clip(np.rint(60 * curve_rate / lags[found]).astype(int), _SLOWEST, _FASTEST)
    weights = heights[found]
    histogram = np.bincount(tempo - _SLOWEST, weights, minlength=_FASTEST - _SLOWEST + 1)
    return histogram / len(windows)


def _octaves(audio: np.ndarray, rate: int) -> list[np.ndarray]:
    """Return the sound below 200 Hz, in each octave above it, and above the last octave."""
    edges = [edge for edge in (200, 400, 800, 1600, 3200) if edge < 0.45 * rate]
    octaves = [_filtered(audio, rate, "bandpass", pair) for pair in itertools.pairwise(edges)]
    low = _filtered(audio, rate, "lowpass", edges[0])
    return [low, *octaves, _filtered(audio, rate, "highpass", edges[-1])]


def _filtered(
    audio: np.ndarray, rate: int, kind: str, edge: float | tuple[float, float]
) -> np.ndarray:
    """Return the output of a second-order Butterworth filter."""
    return scipy.signal.sosfilt(scipy.signal.butter(2, edge, kind, fs=rate, output="sos"), audio)


def _loudness(band: np.ndarray) -> np.ndarray:
    """Return a band's loudness curve: rectified, smoothed, downsampled and centred."""
    curve = scipy.signal.lfilter([0.01], [1, -0.99], np.abs(band))[::_THIN]
    return curve - curve.mean()


def rhythm_of(histogram: np.ndarray) -> np.ndarray:
    """Return the 6 features of rhythm of a beat histogram, shape (6,)."""
    total = histogram.sum()
    smooth = np.convolve(histogram, [0.25, 0.5, 0.25], mode="same")
    peaks, _ = scipy.signal.find_peaks(np.pad(smooth, 1))
    # The highest peak comes first; of equal peaks, the slower.
    best = sorted(peaks - 1, key=lambda place: (-smooth[place], place))[:2]
    wide = np.convolve(histogram, [1, 1, 1], mode="same")
    heights = [wide[place] / total for place in best] + [0.0] * (2 - len(best))
    tempi = [float(place + _SLOWEST) for place in best] + [0.0] * (2 - len(best))
    ratio = heights[1] / heights[0] if heights[0] else 0.0
    return np.array([*heights, ratio, *tempi, total])


def note_histogram(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the strength of each note.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        Floating point, full scale ±1.
    rate : int
        Samples per second.

    Returns
    -------
    np.ndarray, shape (128,)
        By MIDI number.
    """
    if len(audio) < _PITCH_FRAME:
        audio = np.pad(audio, (0, _PITCH_FRAME - len(audio)))
    low = _filtered(audio, rate, "lowpass", _CROSSOVER)
    # For high sounds, the ear follows the envelope.
    high = np.maximum(_filtered(audio, rate, "highpass", _CROSSOVER), 0)
    outline = _filtered(high, rate, "lowpass", _CROSSOVER)
    window = scipy.signal.get_window("hann", _PITCH_FRAME)
    parts = []
    for channel in (low, outline):
        frames = sliding_window_view(channel, _PITCH_FRAME)[::_PITCH_HOP]
        frames = (frames - frames.mean(axis=1, keepdims=True)) * window
        parts.append(_autocorrelation(frames, _COMPRESSION))
    summary = parts[0] + parts[1]
    energy = summary[:, :1]
    # Below the resolution of a 16-bit file, there is only the filters' rounding.
    correlation = _enhanced(summary / np.where(energy > 1e-3, energy, np.inf))
    shortest, longest = int(rate / _HIGHEST), int(np.ceil(rate / _LOWEST))
    lags, heights = _highest_peaks(correlation, shortest, longest)
    found = heights >= _LEAST_PEAK
    notes = 69 + 12 * np.log2(rate / lags[found] / 440)
    number = np.clip(np.rint(notes).astype(int), 0, _NOTES - 1)
    return np.bincount(number, heights[found], minlength=_NOTES) / len(summary)


def pitch_of(histogram: np.ndarray) -> np.ndarray:
    """Return the 5 features of pitch of a note histogram, shape (5,)."""
    total = histogram.sum()
    if not total:
        return np.zeros(5)
    notes = np.arange(len(histogram))
    # Seven semitones are a fifth, so neighbours are now fifths.
    folded = np.bincount(7 * notes % 12, histogram, minlength=12)
    first, second = np.argsort(-folded, kind="stable")[:2]
    interval = (second - first + 5) % 12 - 5 if folded[second] else 0
    return np.array([folded[first] / total, histogram.argmax(), first, interval, total])


def _autocorrelation(windows: np.ndarray, exponent: float) -> np.ndarray:
    """Return the autocorrelation of each window, with magnitudes raised to a power.

    Parameters
    ----------
    windows : np.ndarray, shape (windows, samples)
        Pieces of sound, or of a loudness curve.
    exponent : float
        2 gives the usual autocorrelation; less brings out faint sounds.

    Returns
    -------
    np.ndarray, shape (windows, samples)
        By lag.
    """
    samples = windows.shape[1]
    # Zero padding to twice the length prevents wrap-around.
    spectrum = np.abs(scipy.fft.rfft(windows, 2 * samples, axis=1)) ** exponent
    return scipy.fft.irfft(spectrum, axis=1)[:, :samples]


def _enhanced(correlation: np.ndarray) -> np.ndarray:
    """Remove the peak at twice each lag: what repeats every beat also repeats every other beat."""
    positive = np.maximum(correlation, 0)
    lags = np.arange(correlation.shape[1])
    half = lags // 2
    # An odd lag lies between two others, so take their mean.
    stretched = (positive[:, half] + positive[:, half + lags % 2]) / 2
    return np.maximum(positive - stretched, 0)


def _highest_peaks(
    correlation: np.ndarray, shortest: int, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return lags (between samples) and heights of each row's three highest peaks.

    Parameters
    ----------
    correlation : np.ndarray, shape (windows, lags)
        One autocorrelation per row.
    shortest, longest : int
        The range of lags; its ends are peaks only if the lags beyond are lower.

    Returns
    -------
    lags, heights : np.ndarray, shape (windows, 3)
        A height of 0 means no peak.
    """
    before = correlation[:, shortest - 1 : longest]
    here = correlation[:, shortest : longest + 1]
    after = correlation[:, shortest + 1 : longest + 2]
    peaks = np.where((here > before) & (here >= after), here, 0)
    best = np.argsort(-peaks, axis=1, kind="stable")[:, :_PEAKS]
    row = np.arange(len(here))[:, None]
    left, top, right = before[row, best], here[row, best], after[row, best]
    # Take the top of the parabola through three points.
    bend = left - 2 * top + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, -1), 0)
    return shortest + best + np.clip(shift, -0.5, 0.5), peaks[row, best]
