"""Sound files in, samples out.

FFmpeg, through PyAV, reads every kind of file. It identifies a file by its content, never by its
name, and finds all its sound: in a file whose header was never finished, in two files joined into
one, in a file that changes its sample rate or channels half-way. Each part is decoded at its own
rate. libsndfile decodes plain mp3s, of which most corpora consist, because it is faster
(`songnet_utils.audio.ffmpeg.plain_pieces`).

Some files are not what they seem. If all the sound is there, an `AudioWarning` says what is odd
(the header was never finished; the channels cancel each other). If sound that the header promises
is missing, an `AudioError` says so, because half a song is not that song.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from songnet_utils.audio.ffmpeg import Piece, Progress, Source, pieces_of, warn
from songnet_utils.audio.frames import (
    HIGHEST_RATE,
    LOWEST_RATE,
    SILENCE,
    AudioError,
    check_values,
    mean_of_channels,
    resample,
)

# Channels cancel out if their mean has less than this share of the first one's power (−10 dB): in
# lossy files, only coding noise is left then. In every second of 122 real clips, the mean has at
# least a third.
_CANCELLED = 0.1
_DECIDING_SECONDS = 0.5
_APART = 7

# The samples of each channel, their rate, and the mean of the channels.
_Mixed: TypeAlias = tuple[list[np.ndarray], int, np.ndarray]


class Decoded(NamedTuple):
    """A decoded song.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,), float32
        Mono, full scale ±1, at the requested rate.
    seconds : float
        The song's duration.
    rates : tuple of int
        The sample rates in the file, in Hz, in order; nearly always just one.
    notes : tuple of str
        Sentences about what is odd in the file; `load_audio` issues them as warnings.
    """

    audio: np.ndarray
    seconds: float
    rates: tuple[int, ...]
    notes: tuple[str, ...]


def read_audio(source: Source) -> tuple[np.ndarray, int]:
    """Decode a whole sound file, with all its channels.

    Parameters
    ----------
    source
        A path, or the file's bytes.

    Returns
    -------
    samples : np.ndarray, shape (samples, channels), float32
        Full scale is ±1.
    rate : int
        Sample rate in Hz at the beginning of the file. Later parts with another rate or other
        channels are converted to these.

    Raises
    ------
    AudioError
        When the file is missing, empty, not a sound file, cut short, damaged, or holds values
        that are not numbers.
    """
    name = name_of(source)
    progress = Progress(name)
    mixed = list(_mixed(pieces_of(source, _content_of(source, name), progress), progress))
    rate, channels = mixed[0][1], len(mixed[0][0])
    parts = []
    for own, stretch in itertools.groupby(mixed, key=lambda piece: piece[1]):
        rows = [
            np.stack(planes if len(planes) == channels else [mean] * channels, axis=1)
            for planes, _, mean in stretch
        ]
        parts.append(resample(np.concatenate(rows), own, rate))
    samples = np.concatenate(parts)
    check_values(samples, name)
    warn(progress.notes)
    return samples, rate


def decode(
    source: Source,
    rate: int | None = None,
    *,
    name: str | None = None,
    most_seconds: float | None = None,
) -> Decoded:
    """Decode a sound file, mix it down to mono and resample it.

    Parameters
    ----------
    source
        A path, or the file's bytes. A named pipe is read once.
    rate : int, optional
        Sample rate to return, in Hz; the file's own by default.
    name
        The file's name in errors; the path by default.
    most_seconds : float, optional
        The longest duration allowed. Decoding stops there, whatever the header says.

    Raises
    ------
    AudioError
        As for `read_audio`, and when nothing in it is louder than `SILENCE` or `rate` is not a
        whole number from 1,000 to 1,000,000.
    """
    if rate is not None and not (
        isinstance(rate, int | np.integer) and LOWEST_RATE <= rate <= HIGHEST_RATE
    ):
        raise AudioError(
            f"rate must be a whole number of samples per second, {LOWEST_RATE:,} to "
            f"{HIGHEST_RATE:,}. Got {rate!r}"
        )
    name = name or name_of(source)
    content = _content_of(source, name)
    progress = Progress(name, most_seconds)
    mixed = _mixed(pieces_of(source, content, progress), progress)
    parts, rates = [], []
    seconds = 0.0
    for own, stretch in itertools.groupby(mixed, key=lambda piece: piece[1]):
        audio = np.concatenate([mean for _, _, mean in stretch])
        check_values(audio, name)
        seconds += len(audio) / own
        rates.append(own)
        parts.append(resample(audio, own, rate or rates[0]))
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if max(whole.max(initial=0), -whole.min(initial=0)) < SILENCE:
        raise AudioError(
            f"{name}: holds only silence (nothing above -100 dB of full scale) or is too short. "
            "Choose a file with music in it."
        )
    return Decoded(whole, seconds, tuple(rates), tuple(progress.notes))


def load_audio(source: Source, rate: int) -> np.ndarray:
    """Decode a sound file, mix it down to mono and resample it.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    rate : int
        Sample rate to return, in Hz: ``net.sound.sample_rate`` for a network.

    Returns
    -------
    np.ndarray, shape (samples,), float32

    Raises
    ------
    AudioError
        As for `decode`.

    Examples
    --------
    >>> audio = load_audio("song.mp3", 22_050)        # doctest: +SKIP
    """
    song = decode(source, rate)
    warn(song.notes)
    return song.audio


def name_of(source: Source) -> str:
    """Return the name of a sound in errors: its path, or that it was uploaded."""
    return "the uploaded sound" if isinstance(source, bytes) else str(source)


def _content_of(source: Source, name: str) -> bytes:
    if isinstance(source, bytes):
        content = source
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise AudioError(
                f"{name}: cannot be read ({error.strerror}). Check the path and try again."
            ) from error
    if not content:
        raise AudioError(f"{name}: the file is empty (0 bytes). Copy or download it again.")
    return content


def _mixed(pieces: Iterator[Piece], progress: Progress) -> Iterator[_Mixed]:
    """Add the mean of its channels to each piece, or the first channel where the channels cancel.

    The right channel of some files is the left one inverted. Their mean is only rounding noise,
    which is loud enough for a network to name its genre. Each stretch of one to three seconds is
    checked by itself.
    """
    cancelled = 0.0
    cancels, before = False, 0
    for second in _seconds(pieces):
        seconds = sum(len(mean) / rate for _, rate, mean in second)
        channels = len(second[0][0])
        # The last part of a second is too short for the check, so it joins the second before it.
        if seconds >= _DECIDING_SECONDS or channels != before:
            cancels = _cancels(second)
        before = channels
        if cancels:
            cancelled += seconds
            second = [([planes[0]] * len(planes), rate, planes[0]) for planes, rate, _ in second]
        yield from second
    if cancelled:
        progress.notes.append(
            f"{progress.name}: its channels cancel out for {cancelled:.1f} s (one is the other "
            "inverted). There, only the first channel is used."
        )


def _seconds(pieces: Iterator[Piece]) -> Iterator[list[_Mixed]]:
    """Yield pieces with their means, about a second at a time, with one rate and channel count."""
    held: list[_Mixed] = []
    seconds = 0.0
    for planes, rate in pieces:
        changes = bool(held) and (rate, len(planes)) != (held[0][1], len(held[0][0]))
        if changes or seconds >= 1:
            yield held
            held, seconds = [], 0.0
        held.append((planes, rate, mean_of_channels(planes)))
        seconds += len(planes[0]) / rate
    if held:
        yield held


def _cancels(pieces: list[_Mixed]) -> bool:
    """Tell whether the mean of the channels has almost none of the first one's power."""
    # A subset of the samples suffices for the power.
    firsts = np.concatenate([planes[0][::_APART] for planes, _, _ in pieces])
    means = np.concatenate([mean[::_APART] for _, _, mean in pieces])
    first, mean = float(np.vdot(firsts, firsts)), float(np.vdot(means, means))
    return mean < _CANCELLED * first and first >= len(firsts) * SILENCE**2
