"""Plots of sound: waveforms, spectra, mel filters, log-mels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from songnet_utils.audio.sound import Sound
from songnet_utils.plots.style import ACCENT, INK, SOUND_MAP, axes_for, colour_bar, describe, panels


def waveform(audio: np.ndarray, rate: int, *, start: float = 0.0, title: str = "Waveform") -> Axes:
    """Draw samples over time.

    Parameters
    ----------
    audio
        Shape (samples,), full scale ±1.
    rate
        Samples per second.
    start
        The time of the first sample, in seconds.
    title
        Above it.
    """
    ax = axes_for(10, 2.6)
    seconds = start + np.arange(len(audio)) / rate
    columns = 2000
    if len(audio) <= 4 * columns:
        close = len(audio) <= 200
        ax.plot(seconds, audio, color=INK, linewidth=1, marker="." if close else None)
    else:
        # With more samples than columns in the plot, draw the range of each column's samples.
        edges = np.linspace(0, len(audio), columns + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
        ax.fill_between(seconds[edges], low, high, color=INK, linewidth=0.4)
    ax.set(xlabel="Time (s)", ylabel="Amplitude (full scale ±1)", title=title)
    ax.set_xlim(seconds[0], start + len(audio) / rate)
    peak = float(np.abs(audio).max())
    ax.set_ylim(-1.08 * max(peak, 1e-3), 1.08 * max(peak, 1e-3))
    return describe(
        ax,
        f"{title}: line of amplitude over time, from {start:.3g} to "
        f"{start + len(audio) / rate:.3g} seconds. The largest amplitude is {peak:.2f} of full "
        f"scale, at {seconds[int(np.abs(audio).argmax())]:.3g} seconds.",
    )


def spectrum(
    frequencies: np.ndarray,
    power: np.ndarray | Mapping[str, np.ndarray],
    *,
    title: str = "Spectrum",
) -> Axes:
    """Draw power over frequency, in decibels and octaves.

    Parameters
    ----------
    frequencies
        In hertz, shape (bins,).
    power
        Shape (bins,), or several such arrays by name; 0 dB is a power of 1, and values more than
        120 dB below the largest are not visible.
    title
        Above it.
    """
    ax = axes_for(10, 3.2)
    lines = power if isinstance(power, Mapping) else {"": power}
    above = frequencies > 0
    words = []
    for (name, values), colour in zip(lines.items(), (INK, "#B36F00", "#0B6B45"), strict=False):
        # The logarithm of 0 is infinite; 200 dB below the largest value is outside the plot.
        level = 10 * np.log10(np.maximum(values, values.max() * 1e-20))
        ax.plot(frequencies[above], level[above], color=colour, linewidth=1.4, label=name)
        loudest = float(frequencies[above][values[above].argmax()])
        words.append(f"{name + ': ' if name else ''}most power is at {loudest:,.0f} hertz")
    if isinstance(power, Mapping):
        ax.legend(frameon=False)
    ax.set_xscale("log", base=2)
    ax.set_xlim(30, float(frequencies.max()))
    ax.xaxis.set_major_locator(FixedLocator([1000 * 2.0**octave for octave in range(-5, 5)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    largest = 10 * np.log10(max(float(values.max()) for values in lines.values()))
    ax.set_ylim(bottom=max(ax.get_ylim()[0], largest - 120))
    ax.set(xlabel="Frequency (Hz, one octave per mark)", ylabel="Power (dB)", title=title)
    ax.grid(axis="both", alpha=0.3)
    return describe(
        ax,
        f"{title}: power in decibels over frequency from 30 to {frequencies.max():,.0f} hertz; "
        f"{'; '.join(words)}.",
    )


def spectrogram(
    decibels: np.ndarray,
    sound: Sound,
    *,
    peaks: tuple[np.ndarray, np.ndarray] | None = None,
    highest: float | None = None,
    title: str = "Spectrogram",
    ax: Axes | None = None,
) -> Axes:
    """Draw power over time and frequency, with its peaks as orange dots (the paper's figure 2).

    Parameters
    ----------
    decibels
        Shape (frames, 1 + n_fft // 2).
    sound
        The description of sound of the frames.
    peaks
        Frame and bin of each peak, from `numpy.nonzero`; brighter dots have more power.
    highest
        The highest frequency to draw, in hertz; all by default.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = axes_for(10, 4.2, ax)
    bins = np.arange(decibels.shape[1]) * sound.sample_rate / sound.n_fft
    shown = bins <= (highest or bins[-1])
    top = float(decibels.max())
    image = _mesh(ax, decibels[:, shown], bins[shown], sound, (top - 80, top))
    colour_bar(image, ax, "Power (dB)")
    text = ""
    if peaks is not None:
        frames, rows = (found[shown[peaks[1]]] for found in peaks)
        power = decibels[frames, rows]
        order = power.argsort()
        seconds = sound.seconds_of_samples(sound.hop * frames[order])
        colours = sns.blend_palette(["#6B3300", "#F28500", "#FFE3A6"], as_cmap=True)
        ax.scatter(seconds, bins[rows[order]], s=13, c=power[order], cmap=colours, linewidths=0)
        text = f" Orange dots mark {len(frames)} peaks of power, and brighter ones are stronger."
    ax.set(xlabel="Time (s)", ylabel="Frequency (Hz)", title=title)
    ax.set_ylim(0, float(bins[shown][-1]))
    return describe(
        ax,
        f"{title}: brightness is power in decibels, time runs from left to right over "
        f"{sound.seconds_of_frame(len(decibels) - 1):.3g} seconds, frequency upwards to "
        f"{bins[shown][-1]:,.0f} hertz.{text}",
    )


def mel_scale(frequencies: np.ndarray, mels: np.ndarray) -> Axes:
    """Draw mels over frequency.

    Parameters
    ----------
    frequencies
        In hertz, rising.
    mels
        As many mels.
    """
    ax = axes_for(7, 3.6)
    ax.plot(frequencies, mels, color=INK, linewidth=2)
    ax.set(xlabel="Frequency (Hz)", ylabel="Mel", title="The mel scale (Slaney)")
    ax.grid(alpha=0.3)
    ax.set_xlim(0, float(frequencies[-1]))
    ax.set_ylim(0)
    return describe(
        ax,
        "The mel scale: a curve of mels over frequency, which is straight at first and then bends "
        f"down. {frequencies[-1]:,.0f} hertz are {mels[-1]:.1f} mels.",
    )


def mel_filters(filters: np.ndarray, sound: Sound) -> Axes:
    """Draw every eighth band of a mel filter bank over frequency, so that you can see each.

    Parameters
    ----------
    filters
        Shape (n_mels, 1 + n_fft // 2), from ``librosa.filters.mel``.
    sound
        Their description of sound.
    """
    ax = axes_for(10, 3.2)
    bins = np.arange(filters.shape[1]) * sound.sample_rate / sound.n_fft
    bands = range(0, len(filters), 8)
    for colour, band in zip(sns.color_palette("crest", len(bands)), bands, strict=True):
        ax.fill_between(bins, filters[band], color=colour, alpha=0.45)
        ax.plot(bins, filters[band], color=colour, linewidth=1)
    title = f"Mel filter bank: every 8th of {len(filters)} bands"
    ax.set(xlabel="Frequency (Hz)", ylabel="Weight", title=title)
    ax.set_xlim(0, sound.sample_rate / 2)
    ax.set_ylim(0)
    return describe(
        ax,
        f"{title}: triangles over frequency from 0 to {sound.sample_rate / 2:,.0f} hertz. "
        "Triangles of higher bands are wider and lower, so that all have the same area.",
    )


def one_mel_filter(points: np.ndarray, band: int) -> Axes:
    """Draw the triangles of a mel filter bank, each with a peak of 1, and one of them filled.

    Parameters
    ----------
    points
        In hertz, rising, two more than there are bands: each triangle starts at one point, has its
        peak at the next and ends at the one after.
    band
        The band to fill, counted from 0.
    """
    ax = axes_for(10, 3.2)
    for left, peak, right in zip(points, points[1:], points[2:], strict=False):
        ax.plot((left, peak, right), (0, 1, 0), color=INK, linewidth=0.6, alpha=0.5)
    left, peak, right = points[band : band + 3]
    ax.fill((left, peak, right), (0, 1, 0), facecolor=ACCENT, edgecolor="#6B3300", zorder=3)
    bands = len(points) - 2
    title = f"Mel filter bank: band {band} of {bands}, {left:,.0f} to {right:,.0f} Hz"
    ax.set(xlabel="Frequency (Hz)", ylabel="Weight (peak 1)", title=title)
    ax.set_xlim(float(points[0]), float(points[-1]))
    ax.set_ylim(0, 1.05)
    return describe(
        ax,
        f"{title}: {bands} triangles over frequency from {points[0]:,.0f} to {points[-1]:,.0f} "
        f"hertz, with wider ones at the top. Band {band} is filled: its peak is at {peak:,.0f} "
        "hertz.",
    )


def log_mel(frames: np.ndarray, sound: Sound, *, title: str = "Log-mel") -> Axes:
    """Draw log-mel frames.

    Parameters
    ----------
    frames
        Shape (frames, n_mels), natural logarithm of mel power.
    sound
        How they were made.
    title
        Above it.
    """
    ax = axes_for(10, 3.8)
    floor = float(np.log(sound.floor))
    # The colours need a range even if nothing is louder than the floor.
    limits = floor, max(float(frames.max()), floor + 1)
    colour_bar(_log_mel(ax, frames, sound, limits, title), ax, "ln(mel power)")
    return ax


def _log_mel(
    ax: Axes, frames: np.ndarray, sound: Sound, limits: tuple[float, float], title: str
) -> QuadMesh:
    """Draw log-mel frames with the values `limits` as darkest and brightest; describe them."""
    image = _mesh(ax, frames, np.arange(frames.shape[1]), sound, limits)
    ax.set(xlabel="Time (s)", ylabel="Mel band (Hz)", title=title)
    band_ticks(ax, sound)
    describe(
        ax,
        f"{title}: brightness is the logarithm of power in {frames.shape[1]} mel bands from low "
        "(bottom) to high, time runs from left to right over "
        f"{sound.seconds_of_frame(len(frames) - 1):.3g} seconds.",
    )
    return image


def _mesh(
    ax: Axes, values: np.ndarray, rows: np.ndarray, sound: Sound, limits: tuple[float, float]
) -> QuadMesh:
    """Draw (frames, rows) as brightness over time."""
    seconds = np.arange(len(values)) * sound.seconds_of_frame(1)
    low, high = limits
    image = ax.pcolormesh(seconds, rows, values.T, cmap=SOUND_MAP, vmin=low, vmax=high)
    image.set_rasterized(True)
    return image


def log_mel_grid(
    pictures: Mapping[str, np.ndarray], sound: Sound, *, limits: tuple[float, float] | None = None
) -> Axes:
    """Draw several log-mels, two side by side, on one scale of brightness.

    Parameters
    ----------
    pictures
        Frames by title.
    sound
        How they were made.
    limits
        The darkest and the brightest value; by default, the floor and the largest value.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first picture.
    """
    rows = -(-len(pictures) // 2)
    axes = panels(rows, 2, 11, 2.3 * rows + 0.3, sharex=True, sharey=True).ravel()
    top = max(float(frames.max()) for frames in pictures.values())
    limits = limits or (float(np.log(sound.floor)), top)
    for ax, (title, frames) in zip(axes, pictures.items(), strict=False):
        _log_mel(ax, frames, sound, limits, title)
        ax.label_outer()
    for ax in axes[len(pictures) :]:
        ax.set_visible(False)
    return axes[0]


def band_centres(sound: Sound) -> np.ndarray:
    """Return the centre frequency of each mel band, in hertz."""
    # Import librosa only here, because it is slow to import and few plots need it.
    import librosa

    # n_mels triangles have n_mels + 2 corners; the inner ones are the centres of the bands.
    return librosa.mel_frequencies(sound.n_mels + 2, fmin=0, fmax=sound.sample_rate / 2)[1:-1]


def band_ticks(ax: Axes, sound: Sound) -> None:
    """Label some mel bands of the y axis with their frequencies in hertz."""
    centres = band_centres(sound)
    marks = [mark for mark in (250, 500, 1000, 2000, 4000, 8000) if mark < centres[-1]]
    bands = np.interp(marks, centres, np.arange(sound.n_mels))
    ax.set_yticks(bands, [f"{mark:,}" for mark in marks])
