"""Samples in, log-mel frames out.

Conventions: audio is mono float32, shape (samples,), full scale ±1; log-mel is float32, shape
(frames, n_mels), natural logarithm of mel power. Mixing down gives all channels equal weight.
One function makes all frames, `log_mel_of_windows`. Training, ``classify``, notebooks and the
stream call it, so the same samples give the same frames everywhere.
"""

from __future__ import annotations

import functools

import numpy as np
import scipy.fft
import scipy.sparse
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound, Waveform

#: Below this peak (−100 dB of full scale), a clip has no music, only dither.
SILENCE = 1e-5

#: Above this peak (120 dB over full scale), samples are damaged. Files that store 16-bit integers
#: as floats stay below it.
LOUDEST = 1e6

#: The range of sample rates, in Hz. Others come from damaged headers and would fill the memory.
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000

RESAMPLER = "HQ"

# Frames to transform at once: enough for speed, and few enough for the cache.
_BLOCK = 64


class AudioError(SongNetError):
    """A file or an array is not usable as sound."""


def mean_of_channels(channels: list[np.ndarray]) -> np.ndarray:
    """Return the mean of channels, each of shape (samples,), float32."""
    if len(channels) == 1:
        return channels[0]
    # Adding columns is much faster than np.mean over the short axis.
    total = sum(channels[1:], channels[0])
    total *= np.float32(1 / len(channels))
    return total


def mix_down(samples: np.ndarray) -> np.ndarray:
    """Return the mean of the channels: (samples, channels) → (samples,), float32."""
    return np.ascontiguousarray(mean_of_channels(list(samples.T)), np.float32)


def resample(audio: np.ndarray, original: int, rate: int) -> np.ndarray:
    """Resample mono audio with soxr, the resampler that the stream uses for pieces."""
    if original == rate:
        return audio
    return soxr.resample(audio, original, rate, quality=RESAMPLER)


@functools.cache
def look_ahead(original: int, rate: int) -> float:
    """Return how far the resampler looks ahead, in samples at the original rate.

    Resampled sample ``n`` depends only on original samples before
    ``n·original/rate + look_ahead``, to the last bit. To measure the bound, once per pair of rates,
    this function feeds silence sample by sample and records when samples come out: output cannot
    depend on input that comes later. soxr works in blocks, so the bound is the half-width of its
    filter plus one block. It is 0 if the rates are equal.
    """
    if original == rate:
        return 0.0
    resampler = soxr.ResampleStream(original, rate, 1, dtype="float32", quality=RESAMPLER)
    silence = np.zeros(1, np.float32)
    widest, out, blocks, pushed = 0.0, 0, 0, 0
    # The blocks repeat; eight of them cover all phases to within a sample or two.
    while blocks < 8:
        pushed += 1
        samples = len(resampler.resample_chunk(silence))
        if samples:
            widest = max(widest, pushed - out * original / rate)
            out += samples
            blocks += 1
    return widest + 2


def log_mel(audio: np.ndarray, sound: Sound) -> np.ndarray:
    """Return the log-mel frames of mono audio.

    Frame ``i`` is centred on sample ``hop·i``; outside the song, samples are zero. Frames are
    ``ln(max(mel power, floor))`` with librosa's (Slaney's) mel filters, a periodic Hann window
    and the power spectrum. Up to rounding, the result equals
    ``np.log(np.maximum(librosa.feature.melspectrogram(..., pad_mode="constant").T, floor))``.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        At ``sound.sample_rate``.
    sound : Sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (1 + samples // hop, n_mels), float32

    Raises
    ------
    AudioError
        When `audio` is empty or not one-dimensional, or has values that are not numbers or too
        large for sound.
    """
    audio = check_samples(audio)
    frames = sound.frames_of_samples(len(audio))
    half = sound.n_fft // 2
    # The last frame ends less than half a window after the song's end.
    padded = np.zeros(sound.hop * (frames - 1) + sound.n_fft, np.float32)
    padded[half : half + len(audio)] = audio[: len(padded) - half]
    return log_mel_of_windows(sliding_window_view(padded, sound.n_fft)[:: sound.hop], sound)


def check_samples(audio: np.ndarray) -> np.ndarray:
    """Return mono audio as float32, or raise an error."""
    array = np.asarray(audio)
    if array.ndim != 1 or not len(array):
        raise AudioError(
            f"audio must be mono, shape (samples,), with at least 1 sample. Got shape {array.shape}"
        )
    if not (np.issubdtype(array.dtype, np.floating)):
        raise AudioError(
            "audio must be floating point with full scale ±1 (divide 16-bit samples by 32768). "
            f"Got dtype {array.dtype}"
        )
    check_values(array, "audio")
    return array.astype(np.float32, copy=False)


def check_values(samples: np.ndarray, name: str) -> None:
    """Raise AudioError when a sample is not a number or exceeds `LOUDEST`."""
    # The peak is NaN if one of the samples is.
    peak = max(samples.max(), -samples.min())
    if not np.isfinite(peak):
        raise AudioError(
            f"{name}: has samples that are not numbers (NaN or infinite). Export it again."
        )
    if peak > LOUDEST:
        raise AudioError(
            f"{name}: has samples up to {peak:.1g}, but full scale is 1 and more than "
            f"{LOUDEST:.0g} cannot be sound. Export it again."
        )


def log_mel_of_windows(windows: np.ndarray, sound: Sound) -> np.ndarray:
    """Return one log-mel frame for each window of samples.

    Parameters
    ----------
    windows
        Shape (frames, n_fft), float32, not yet weighted by the Hann window.
    sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (frames, n_mels), float32
    """
    if isinstance(sound, Waveform):
        return windows.astype(np.float32)
    out = np.empty((len(windows), sound.n_mels), np.float32)
    for first in range(0, len(windows), _BLOCK):
        block = slice(first, first + _BLOCK)
        spectrum = scipy.fft.rfft(windows[block] * _window(sound.n_fft), axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        # A sparse product adds each band's few bins in a fixed order for any number of frames; the
        # rounding of a dense product (BLAS) depends on the block's shape and the threads.
        mel = (mel_filters(sound) @ power.T).T
        out[block] = np.log(np.maximum(mel, np.float32(sound.floor)))
    return out


@functools.cache
def _window(n_fft: int) -> np.ndarray:
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@functools.cache
def mel_filters(sound: Sound) -> scipy.sparse.csr_array:
    """Return the mel filters of a description of sound, (n_mels, 1 + n_fft // 2), float32."""
    # Equal to librosa's, bit for bit, without the time and memory of importing librosa. Slaney's
    # scale has 200/3 Hz per mel up to 1 kHz, and 27 mels per factor of 6.4 above it.
    hz, kink, octave = 200 / 3, 1000 / (200 / 3), np.log(6.4) / 27
    nyquist = sound.sample_rate / 2
    top = nyquist / hz if nyquist < 1000 else kink + np.log(nyquist / 1000) / octave
    mels = np.linspace(0, top, sound.n_mels + 2)
    edges = np.where(mels >= kink, 1000 * np.exp(octave * (mels - kink)), hz * mels)
    ramps = edges[:, None] - np.fft.rfftfreq(sound.n_fft, 1 / sound.sample_rate)
    apart = np.diff(edges)[:, None]
    filters = np.maximum(0, np.minimum(-ramps[:-2] / apart[:-1], ramps[2:] / apart[1:]))
    # Each filter has an area of one.
    filters = filters.astype(np.float32) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return scipy.sparse.csr_array(filters.astype(np.float32))
