"""Pictures of sound, of corpora and of what networks say.

Every function takes arrays or tables and returns matplotlib axes, titled, with units, and
described in words: `show` puts the picture in a notebook with that description as its text
alternative, which pages made from the notebook keep.

References
----------
Okabe, M., & Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from songnet_utils.errors import SongNetError
from songnet_utils.timeline import Layer, Sound, Timeline, receptive_field

if TYPE_CHECKING:
    import keras

#: One colour a genre. Okabe and Ito's colours with yellow and black replaced (too near to white
#: paper and to text), then moved a little until any two of them are at least 18 units of
#: CAM02-UCS apart for people with full colour vision and with deuteranopia, protanopia or
#: tritanopia (Okabe and Ito's own eight: 11).
GENRE_COLOURS: dict[str, str] = {
    "Electronic": "#45D3F4",
    "Experimental": "#A8A9AB",
    "Folk": "#149861",
    "Hip-Hop": "#F7AA16",
    "Instrumental": "#2452AF",
    "International": "#7F1300",
    "Pop": "#A474A9",
    "Rock": "#EB3500",
}

# For genres beyond the eight: lighter and darker relatives, not tested for colour blindness.
_MORE_COLOURS = (
    *("#B9D77A", "#5B3A8C", "#F5C6C6", "#3F4A1E", "#8A6D3B", "#0B3C49", "#E56BB5", "#6E8B9E"),
)

# Training, validation and test keep one colour each in every picture.
# Tones of their own: a split is no genre.
_SPLIT_COLOURS = {"train": "#31456A", "validation": "#5E8AC7", "test": "#C2185B"}
# How each kind of split is drawn where models are compared.
_SPLIT_LOOKS = (
    ("random", "o", "#2452AF"),
    ("artist", "s", "#B36F00"),
    ("official", "D", "#0B6B45"),
)
_INK = "#2452AF"
_ACCENT = "#F7AA16"
_SOUND_MAP = "mako"

# What `show` says to those who cannot see the picture.
_descriptions: weakref.WeakKeyDictionary[Axes, str] = weakref.WeakKeyDictionary()


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Return a colour for each of `genres`, in their order.

    The eight genres of `GENRE_COLOURS` keep theirs, however they are capitalised; other names
    take, in alphabetical order, the colours that are left, then further ones, and beyond
    sixteen genres colours repeat.

    Parameters
    ----------
    genres
        Names of genres.

    Returns
    -------
    dict of str to str
        ``#RRGGBB`` by genre.
    """
    genres = list(genres)
    known = {name.casefold(): colour for name, colour in GENRE_COLOURS.items()}
    taken = {genre: known[genre.casefold()] for genre in genres if genre.casefold() in known}
    left = [colour for colour in known.values() if colour not in taken.values()]
    left += _MORE_COLOURS
    others = sorted(set(genres) - set(taken))
    taken |= {genre: left[place % len(left)] for place, genre in enumerate(others)}
    return {genre: taken[genre] for genre in genres}


# --- Showing a picture ----------------------------------------------------------------------


def describe(ax: Axes, text: str) -> Axes:
    """Say in words what `ax` shows; every function of this module does so for its own picture.

    Parameters
    ----------
    ax
        The axes.
    text
        What a person who cannot see it needs to know. It takes the place of an older text.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    _descriptions[ax] = " ".join(text.split())
    return ax


def description(ax: Axes) -> str:
    """Return the words for the whole figure that `ax` is in; "" where nobody gave any."""
    return " ".join(_descriptions[part] for part in _figure(ax).axes if part in _descriptions)


class Picture:
    """A figure as a PNG with a text alternative, which notebooks show.

    It becomes an HTML ``<img alt=…>``, because that survives JupyterLab, nbconvert and MyST
    alike; image/png outputs lose their text alternative on the way to some of them.

    Parameters
    ----------
    ax
        Any axes of the figure.
    alt
        The text alternative; by default `description`.

    Raises
    ------
    SongNetError
        When there is no text alternative.
    """

    def __init__(self, ax: Axes, alt: str | None = None) -> None:
        self.alt = description(ax) if alt is None else " ".join(alt.split())
        if not self.alt:
            raise SongNetError(
                "A picture needs a text alternative for those who cannot see it. "
                "Give alt=..., or describe(ax, ...) it first."
            )
        figure = _figure(ax)
        content = io.BytesIO()
        figure.savefig(content, format="png", dpi=160, facecolor="white")
        self.png = content.getvalue()
        self.width = round(figure.get_figwidth() * 100)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode("ascii")
        return (
            f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}" '
            f'style="width: {self.width}px; max-width: 100%; height: auto;">'
        )

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


def show(ax: Axes, alt: str | None = None) -> Picture:
    """Return the figure of `ax` as a `Picture` and close it; in a notebook, end a cell with it.

    Parameters
    ----------
    ax
        Any axes of the figure.
    alt
        The text alternative; by default the words of the function that drew it.
    """
    picture = Picture(ax, alt)
    plt.close(_figure(ax))
    return picture


class LivePicture:
    """One place in a notebook whose picture is replaced while something runs."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, ax: Axes, alt: str | None = None) -> None:
        """Show the figure of `ax` in place of the one before, and close it."""
        from IPython.display import display

        picture = show(ax, alt)
        if self._handle is None:
            self._handle = display(picture, display_id=True)
        else:
            self._handle.update(picture)


# --- Sound ----------------------------------------------------------------------------------


def waveform(
    audio: np.ndarray,
    rate: int,
    *,
    start: float = 0.0,
    title: str = "Waveform",
    ax: Axes | None = None,
) -> Axes:
    """Draw samples over time.

    Parameters
    ----------
    audio
        Shape (samples,), full scale ±1.
    rate
        Samples a second.
    start
        The time of the first sample, in seconds.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 2.6)
    seconds = start + np.arange(len(audio)) / rate
    columns = 2000
    if len(audio) <= 4 * columns:
        close = len(audio) <= 200
        ax.plot(seconds, audio, color=_INK, linewidth=1, marker="." if close else None)
    else:
        # More samples than the picture has columns: the range of each column's samples.
        edges = np.linspace(0, len(audio), columns + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
        ax.fill_between(seconds[edges], low, high, color=_INK, linewidth=0.4)
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
    ax: Axes | None = None,
) -> Axes:
    """Draw power over frequency, in decibels and octaves.

    Parameters
    ----------
    frequencies
        In hertz, shape (bins,).
    power
        Shape (bins,), or several such arrays by name; 0 dB is a power of 1, and what lies more
        than 120 dB below the largest is drawn there.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 3.2)
    lines = power if isinstance(power, Mapping) else {"": power}
    heard = frequencies > 0
    words = []
    for (name, values), colour in zip(lines.items(), (_INK, "#B36F00", "#0B6B45"), strict=False):
        level = 10 * np.log10(np.maximum(values, values.max() * 1e-12))
        ax.plot(frequencies[heard], level[heard], color=colour, linewidth=1.4, label=name)
        loudest = float(frequencies[heard][values[heard].argmax()])
        words.append(f"{name + ': ' if name else ''}most power lies at {loudest:,.0f} hertz")
    if isinstance(power, Mapping):
        ax.legend(frameon=False)
    _hertz(ax.xaxis, 30, float(frequencies.max()))
    ax.set(xlabel="Frequency (Hz, one octave a mark)", ylabel="Power (dB)", title=title)
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
        How the frames were made.
    peaks
        Frame and bin of each peak, as `numpy.nonzero` gives them; the brighter its dot, the more
        power.
    highest
        The highest frequency to draw, in hertz; all by default.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 4.2)
    bins = np.arange(decibels.shape[1]) * sound.sample_rate / sound.n_fft
    shown = bins <= (highest or bins[-1])
    top = float(decibels.max())
    image = ax.pcolormesh(
        _frame_edges(len(decibels), sound),
        _edges(bins[shown]),
        decibels[:, shown].T,
        cmap=_SOUND_MAP,
        vmin=top - 80,
        vmax=top,
        rasterized=True,
    )
    _colour_bar(image, ax, "Power (dB)")
    text = ""
    if peaks is not None:
        frames, rows = (found[shown[peaks[1]]] for found in peaks)
        power = decibels[frames, rows]
        order = power.argsort()
        ax.scatter(
            sound.seconds_of_samples(sound.hop * frames[order]),
            bins[rows[order]],
            c=power[order],
            cmap=sns.blend_palette(["#6B3300", "#F28500", "#FFE3A6"], as_cmap=True),
            s=13,
            linewidths=0,
        )
        text = f" Orange dots mark {len(frames)} peaks of power, brighter where there is more."
    ax.set(xlabel="Time (s)", ylabel="Frequency (Hz)", title=title)
    ax.set_ylim(0, float(bins[shown][-1]))
    return describe(
        ax,
        f"{title}: brightness is power in decibels, time runs from left to right over "
        f"{sound.seconds_of_frame(len(decibels) - 1):.3g} seconds, frequency upwards to "
        f"{bins[shown][-1]:,.0f} hertz.{text}",
    )


def mel_scale(frequencies: np.ndarray, mels: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Draw mels over frequency.

    Parameters
    ----------
    frequencies
        In hertz, rising.
    mels
        As many mels.
    ax
        Where to draw; a new figure by default.
    """
    ax = _axes(ax, 7, 3.6)
    ax.plot(frequencies, mels, color=_INK, linewidth=2)
    ax.set(xlabel="Frequency (Hz)", ylabel="Mel", title="The mel scale (Slaney)")
    ax.grid(alpha=0.3)
    ax.set_xlim(0, float(frequencies[-1]))
    ax.set_ylim(0)
    return describe(
        ax,
        "The mel scale: a curve of mels over frequency, straight at first and then bending down. "
        f"{frequencies[-1]:,.0f} hertz are {mels[-1]:.1f} mels.",
    )


def mel_filters(
    filters: np.ndarray, sound: Sound, *, every: int = 8, ax: Axes | None = None
) -> Axes:
    """Draw the bands of a mel filter bank over frequency.

    Parameters
    ----------
    filters
        Shape (n_mels, 1 + n_fft // 2), as ``librosa.filters.mel`` gives them.
    sound
        How they were made.
    every
        Draw the first band and every so many-th after it; all of them hide one another.
    ax
        Where to draw; a new figure by default.
    """
    ax = _axes(ax, 10, 3.2)
    bins = np.arange(filters.shape[1]) * sound.sample_rate / sound.n_fft
    bands = range(0, len(filters), every)
    for colour, band in zip(sns.color_palette("crest", len(bands)), bands, strict=True):
        ax.fill_between(bins, filters[band], color=colour, alpha=0.45)
        ax.plot(bins, filters[band], color=colour, linewidth=1)
    title = f"Mel filter bank: every {every}th of {len(filters)} bands"
    ax.set(xlabel="Frequency (Hz)", ylabel="Weight", title=title)
    ax.set_xlim(0, sound.sample_rate / 2)
    ax.set_ylim(0)
    return describe(
        ax,
        f"{title}: triangles over frequency from 0 to {sound.sample_rate / 2:,.0f} hertz. The "
        "higher the band, the wider and lower its triangle, so that all have the same area.",
    )


def log_mel(
    frames: np.ndarray,
    sound: Sound,
    *,
    limits: tuple[float, float] | None = None,
    unit: str | None = "ln(mel power)",
    title: str = "Log-mel",
    ax: Axes | None = None,
) -> Axes:
    """Draw log-mel frames.

    Parameters
    ----------
    frames
        Shape (frames, n_mels), natural logarithm of mel power.
    sound
        How they were made.
    limits
        Values drawn darkest and brightest; from the floor to the largest value by default.
    unit
        What the bar of colours says; None for no bar.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 3.8)
    low, high = limits or (float(np.log(sound.floor)), float(frames.max()))
    image = ax.pcolormesh(
        _frame_edges(len(frames), sound),
        np.arange(frames.shape[1] + 1) - 0.5,
        frames.T,
        cmap=_SOUND_MAP,
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    if unit is not None:
        _colour_bar(image, ax, unit)
    ax.set(xlabel="Time (s)", ylabel="Mel band (Hz)", title=title)
    _band_ticks(ax, sound)
    return describe(
        ax,
        f"{title}: brightness is the logarithm of power in {frames.shape[1]} mel bands from low "
        "(bottom) to high, time runs from left to right over "
        f"{sound.seconds_of_frame(len(frames) - 1):.3g} seconds.",
    )


def log_mel_grid(
    pictures: Mapping[str, np.ndarray],
    sound: Sound,
    *,
    columns: int = 2,
    limits: tuple[float, float] | None = None,
    height: float = 2.3,
) -> Axes:
    """Draw several log-mels side by side, on one scale of brightness.

    Parameters
    ----------
    pictures
        Frames by title.
    sound
        How they were made.
    columns
        Pictures in a row.
    limits
        Values drawn darkest and brightest; from the floor to the largest of all by default.
    height
        Of a picture, in inches.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first picture.
    """
    rows = -(-len(pictures) // columns)
    size = (11, rows * height + 0.3)
    with _style():
        _, axes = plt.subplots(
            rows, columns, figsize=size, layout="constrained", sharex=True, sharey=True
        )
    top = max(float(frames.max()) for frames in pictures.values())
    limits = limits or (float(np.log(sound.floor)), top)
    grid = np.ravel(axes)
    for ax, (title, frames) in zip(grid, pictures.items(), strict=False):
        log_mel(frames, sound, limits=limits, unit=None, title=title, ax=ax)
        ax.label_outer()
    for ax in grid[len(pictures) :]:
        ax.set_visible(False)
    return grid[0]


# --- Corpora --------------------------------------------------------------------------------


def clips_per_genre(clips: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how many clips and how many artists each genre has.

    Parameters
    ----------
    clips
        The table of clips: columns ``genre`` and ``artist``.
    ax
        Where to draw; a new figure by default.
    """
    counts = clips.groupby("genre", observed=True)["artist"].agg(["size", "nunique"])
    ax = _axes(ax, 8, 0.9 + 0.42 * len(counts))
    colours = genre_colours(counts.index)
    ax.barh(counts.index, counts["size"], color=[colours[genre] for genre in counts.index])
    for place, (clips_there, artists) in enumerate(counts.itertuples(index=False)):
        ax.text(clips_there, place, f" {clips_there} clips, {artists} artists", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.35 * counts["size"].max())
    ax.set(xlabel="Clips", ylabel="", title="Clips and artists in each genre")
    words = "; ".join(
        f"{genre} {clips_there} clips by {artists} artists"
        for genre, clips_there, artists in counts.itertuples()
    )
    return describe(ax, f"Bars of clips in each genre: {words}.")


def split_sizes(clips: pd.DataFrame, sides: pd.Series, *, ax: Axes | None = None) -> Axes:
    """Draw how each genre's clips are divided among training, validation and test.

    Parameters
    ----------
    clips
        The table of clips.
    sides
        Index like `clips`: "train", "validation" or "test".
    ax
        Where to draw; a new figure by default.
    """
    table = pd.crosstab(clips["genre"], sides).reindex(columns=list(_SPLIT_COLOURS), fill_value=0)
    ax = _axes(ax, 8, 0.9 + 0.42 * len(table))
    left = np.zeros(len(table))
    for side, colour in _SPLIT_COLOURS.items():
        ax.barh(table.index, table[side], left=left, color=colour, label=side)
        left += table[side].to_numpy()
    ax.invert_yaxis()
    ax.set(xlabel="Clips", ylabel="", title="Clips of each genre on each side of the split")
    _legend_outside(ax)
    words = "; ".join(
        f"{genre} {', '.join(f'{count} {side}' for side, count in row.items())}"
        for genre, row in table.iterrows()
    )
    return describe(ax, f"Stacked bars of each genre's clips: {words}.")


def leaking_artists(shares: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw how much of each split's test side is by artists who are also trained on.

    Parameters
    ----------
    shares
        By the split's name, the share of test clips (0 to 1) whose artist has clips on the
        training or the validation side.
    ax
        Where to draw; a new figure by default.
    """
    ax = _axes(ax, 7, 0.9 + 0.5 * len(shares))
    ax.barh(list(shares), list(shares.values()), color=_SPLIT_COLOURS["test"])
    for place, share in enumerate(shares.values()):
        ax.text(share, place, f" {share:.0%}", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    title = "Test clips whose artist was already heard"
    ax.set(xlabel="Share of the test clips", ylabel="", title=title)
    words = ", ".join(f"{split} split {share:.0%}" for split, share in shares.items())
    return describe(ax, f"{title}, as bars: {words}.")


def artists_on_sides(
    clips: pd.DataFrame, splits: Mapping[str, pd.Series], *, most: int = 40
) -> Axes:
    """Draw on which sides of each split the clips of single artists are.

    Parameters
    ----------
    clips
        The table of clips: clips of unknown artists are left out.
    splits
        By the split's name, "train", "validation" or "test", with an index of clips like that of
        `clips`, or of some of them.
    most
        Draw so many artists, those with the most clips.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first split.
    """
    counts = clips["artist"].value_counts()
    # In the order of names where counts are the same: a picture is the same every time.
    drawn = counts.sort_index().sort_values(ascending=False, kind="stable").index[:most]
    with _style():
        figure, axes = plt.subplots(
            len(splits),
            1,
            figsize=(10, 0.6 + 1.9 * len(splits)),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
    column = axes[:, 0]
    for ax, (name, sides) in zip(column, splits.items(), strict=True):
        table = pd.crosstab(clips["artist"].loc[sides.index], sides)
        several = int(((table > 0).sum(axis=1) > 1).sum())
        shown = table.reindex(index=drawn, columns=list(_SPLIT_COLOURS), fill_value=0)
        bottom = np.zeros(len(drawn))
        for side, colour in _SPLIT_COLOURS.items():
            ax.bar(range(len(drawn)), shown[side], bottom=bottom, color=colour, label=side)
            bottom += shown[side].to_numpy()
        title = f"{name} split: {several:,} of {len(table):,} artists on more than one side"
        ax.set(ylabel="Clips", title=title)
        ax.set_xlim(-0.7, max(len(drawn), 1) - 0.3)
        ax.set_ylim(0, 1.06 * max(counts.max(), 1) if len(counts) else 1)
        ax.set_xticks([])
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        both = int(((shown > 0).sum(axis=1) > 1).sum())
        describe(
            ax,
            f"{title}. Stacked bars of the clips of the {len(drawn)} artists with the most, one "
            f"bar an artist, coloured by side: {both} of these bars have more than one colour.",
        )
    column[-1].set_xlabel(f"The {len(drawn)} artists with the most clips, one bar each")
    handles, labels = column[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    return column[0]


def genre_tree(hierarchy: pd.DataFrame, genres: Iterable[str] = (), *, columns: int = 4) -> Axes:
    """Draw a hierarchy of genres as an indented list, with how many songs have each.

    Parameters
    ----------
    hierarchy
        ``title``, ``parent``, ``top``, ``depth`` and ``tracks`` of each genre, as
        `songnet_utils.corpora.read_genres` gives them.
    genres
        Titles to write in bold: the genres that occur in a corpus, say.
    columns
        How many columns the list has.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first column.
    """
    rows = _in_order(hierarchy)
    bold = set(genres)
    colours = genre_colours(sorted(hierarchy["top"].unique()))
    height = -(-len(rows) // columns)
    with _style():
        _, axes = plt.subplots(
            1,
            columns,
            figsize=(11, 1.1 + 0.17 * height),
            layout="constrained",
            sharex=True,
            squeeze=False,
        )
    widest = float(hierarchy["tracks"].max())
    for number, ax in enumerate(axes[0]):
        part = rows[number * height : (number + 1) * height]
        for place, row in enumerate(part):
            ax.barh(place, row.tracks, height=0.9, color=colours[row.top], alpha=0.45)
            ax.text(
                0.02 * widest + 0.06 * widest * row.depth,
                place,
                row.title,
                va="center",
                size=8,
                weight="bold" if row.title in bold else "normal",
                style="normal" if row.depth else "italic",
            )
        ax.set_ylim(height - 0.4, -0.6)
        ax.set_yticks([])
        ax.set_xlim(0, widest)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda tracks, _: f"{tracks:,.0f}"))
        ax.tick_params(labelsize=8)
        ax.set_xlabel("Songs", size=9)
        sns.despine(ax=ax, left=True)
    tops = [row for row in rows if not row.depth]
    title = f"{len(rows)} genres under {len(tops)}, and how many songs have each"
    axes[0][0].set_title(title, x=0, ha="left")
    below = hierarchy["top"].value_counts() - 1
    words = "; ".join(
        f"{top.title} ({top.tracks:,} songs): {below[top.title]} below" for top in tops
    )
    named = f" In bold: {', '.join(row.title for row in rows if row.title in bold)}." * bool(bold)
    return describe(
        axes[0][0],
        f"{title}, as an indented list with bars behind the names. {words}.{named}",
    )


def _in_order(hierarchy: pd.DataFrame) -> list[Any]:
    """Return the genres as they stand in a list: each above its own, both by alphabet."""
    below: dict[str, list[Any]] = {}
    for row in hierarchy.sort_values(
        "title", key=lambda titles: titles.str.casefold()
    ).itertuples():
        below.setdefault(row.parent if row.depth else "", []).append(row)
    found: list[Any] = []
    waiting = list(reversed(below.get("", [])))
    while waiting:
        found.append(waiting.pop())
        waiting += reversed(below.get(found[-1].title, []))
    return found


# --- Networks -------------------------------------------------------------------------------


def statistics_map(
    values: pd.Series,
    *,
    unit: str = "value",
    title: str = "The MFCC statistics of a clip",
    ax: Axes | None = None,
) -> Axes:
    """Draw the MFCC statistics of a clip: a row for each statistic, a column a coefficient.

    Parameters
    ----------
    values
        A row of `songnet_utils.store.Prepared.features`, or one made of it by scaling.
    unit
        What the colours stand for.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    table = values.unstack("number").droplevel("feature")
    ax = _axes(ax, 9.5, 3.6)
    most = max(1.0, float(np.abs(table.to_numpy()).max()))
    # Small and large values are told apart alike: up to 1 in proportion, then by the logarithm.
    sns.heatmap(
        table,
        cmap="vlag",
        norm=SymLogNorm(1, vmin=-most, vmax=most, base=10),
        linewidths=0.5,
        cbar_kws={"label": unit, "pad": 0.02},
        ax=ax,
    )
    plt.setp(ax.get_yticklabels(), rotation=0)
    plt.setp(ax.get_xticklabels(), rotation=0)
    ax.set(xlabel="MFCC (number)", ylabel="Statistic over the clip", title=title)
    words = "; ".join(
        f"{name} from {row.min():.3g} to {row.max():.3g}" for name, row in table.iterrows()
    )
    return describe(
        ax,
        f"{title}: a grid of coloured squares, {table.shape[0]} statistics by {table.shape[1]} "
        f"coefficients, {unit}. {words}.",
    )


def two_features(
    features: pd.DataFrame,
    genres: pd.Series,
    *,
    title: str = "Clips by two of their features",
    ax: Axes | None = None,
) -> Axes:
    """Draw clips as points: two features along the axes, genres by colour and shape.

    Parameters
    ----------
    features
        Two columns, named as the axes shall be.
    genres
        The genre of each row.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    across, up = features.columns
    ax = _axes(ax, 8.5, 5)
    colours = genre_colours(genres)
    shapes = itertools.cycle("osD^vPX*")
    centres = []
    for (genre, colour), shape in zip(colours.items(), shapes, strict=False):
        of_genre = features[(genres == genre).to_numpy()]
        if of_genre.empty:
            continue
        ax.plot(
            of_genre[across],
            of_genre[up],
            shape,
            color=colour,
            markersize=5,
            alpha=0.75,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=genre,
        )
        centres.append(f"{genre} {of_genre[across].median():.3g} and {of_genre[up].median():.3g}")
    ax.set(xlabel=across, ylabel=up, title=title)
    _legend_outside(ax, title="genre")
    return describe(
        ax,
        f"{title}: {len(features)} points, {across} to the right, {up} upwards. Medians: "
        f"{'; '.join(centres)}.",
    )


def sizes_that_fit(
    fitting: pd.Series, *, of: int, marked: Mapping[int, str], ax: Axes | None = None
) -> Axes:
    """Draw how many printed figures each size of a test side can explain.

    Parameters
    ----------
    fitting
        By number of clips: how many of the figures are k out of so many clips.
    of
        How many figures there are.
    marked
        Sizes to point at, and what to call them.
    ax
        Where to draw; a new figure by default.
    """
    ax = _axes(ax, 9.5, 3.4)
    every = fitting == of
    ax.plot(fitting.index[~every], fitting[~every], "|", color="#8A8F98", markersize=7)
    ax.plot(fitting.index[every], fitting[every], "o", color=_INK, markersize=5)
    for size, name in marked.items():
        ax.annotate(
            f"{size:,}: {name}",
            (size, fitting[size]),
            xytext=(0, 16 if fitting[size] == of else -22),
            textcoords="offset points",
            ha="center",
            arrowprops={"arrowstyle": "->", "color": "#333333"},
        )
    ax.set_ylim(-0.7, of + 0.9)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    title = "Which sizes of a test side fit the printed figures?"
    ax.set(xlabel="Clips on the test side", ylabel=f"Figures that fit, of {of}", title=title)
    first = ", ".join(f"{size:,}" for size in fitting.index[every][:8])
    pointed = "; ".join(f"{size:,} ({name}) {fitting[size]}" for size, name in marked.items())
    return describe(
        ax,
        f"{title} For each number of clips from {fitting.index[0]:,} to {fitting.index[-1]:,}, how "
        f"many of the {of} figures are a whole number of right answers. All fit at "
        f"{int(every.sum())} sizes, the first {first}. {pointed}.",
    )


def architecture(model: keras.Model, sound: Sound, *, seconds: float = 30.0) -> Axes:
    """Draw a network as the sizes of what passes through it (the paper's figure 1).

    Each box is the output of one or more layers: as wide as it has steps in time, as tall as it
    has channels (on a scale that keeps 8 visible beside 256).

    Parameters
    ----------
    model
        Layers one after another, from log-mel frames to the song's genre.
    sound
        The description of sound it was built for.
    seconds
        The song to send through it.
    """
    stages = _stages(model, sound.frames_of_samples(sound.samples_of_seconds(seconds)))
    ax = _axes(None, 9.5, 1.1 + 0.9 * len(stages))
    widest = max(stage.steps for stage in stages)
    shapes = []
    for place, stage in enumerate(stages):
        width = max(stage.steps / widest, 0.006)
        low_left = (-width / 2, place - stage.height / 2)
        box = Rectangle(low_left, width, stage.height, facecolor=stage.colour, edgecolor="black")
        ax.add_patch(box)
        names = ("frames", "bands") if not place else ("steps", "channels")
        last = "genres" if "Genre" in stage.title else names[1]
        sizes = zip(stage.shape, (names[0], last)[-len(stage.shape) :], strict=True)
        shapes.append(" × ".join(f"{size} {name}" for size, name in sizes))
        ax.text(-0.54, place, stage.title, ha="right", va="center")
        ax.text(0.54, place, shapes[-1], ha="left", va="center")
        if place:
            top = place - 1 + stages[place - 1].height / 2
            arrow = {"arrowstyle": "-|>", "color": "black"}
            ax.annotate("", (0, place - stage.height / 2), (0, top), arrowprops=arrow)
            middle = (top + place - stage.height / 2) / 2
            ax.text(0.02, middle, stage.arrow, va="center", size=10, style="italic")
    ax.set_xlim(-0.98, 1.02)
    ax.set_ylim(len(stages) - 0.55, -0.55)
    ax.set_title(f"{model.name}: a {seconds:g}-second song on its way through the network")
    ax.axis("off")
    titles = [stage.title.replace("\n", " ") for stage in stages]
    words = "; ".join(f"{name}: {shape}" for name, shape in zip(titles, shapes, strict=True))
    return describe(ax, f"Drawing of the network {model.name}, from the song downwards. {words}.")


def receptive_field_tree(
    layers: Sequence[tuple[str, Layer]], sound: Sound, *, ax: Axes | None = None
) -> Axes:
    """Draw which frames one step of a network sees, layer by layer.

    Parameters
    ----------
    layers
        Names and layers, from the frames upwards.
    sound
        How frames are made: gives the time axis.
    ax
        Where to draw; a new figure by default.
    """
    ax = _axes(ax, 10, 1.2 + 0.55 * len(layers))
    fields = [receptive_field([layer for _, layer in layers[:n]]) for n in range(len(layers) + 1)]
    needed = [1]
    for _, layer in reversed(layers):
        needed.append((needed[-1] - 1) * layer.stride + (layer.kernel - 1) * layer.dilation + 1)
    needed.reverse()
    centres = [
        np.arange(count) * field.stride + (field.size - 1) / 2
        for count, field in zip(needed, fields, strict=True)
    ]
    for level, (_, layer) in enumerate(layers):
        for place, centre in enumerate(centres[level + 1]):
            for tap in range(layer.kernel):
                below = centres[level][place * layer.stride + tap * layer.dilation]
                ax.plot(
                    [below, centre], [level, level + 1], color="#A8A9AB", linewidth=0.7, zorder=1
                )
    for level, found in enumerate(centres):
        name = layers[level - 1][0] if level else "frames"
        ax.scatter(found, np.full(len(found), level), s=26, color=_INK, zorder=2)
        size = fields[level].size
        plural = "" if size == 1 else "s"
        ax.text(fields[-1].size + 0.5, level, f"{name}: sees {size} frame{plural}", va="center")
    seconds = sound.hop / sound.sample_rate
    ax.set_yticks([])
    ax.set_xlim(-1, fields[-1].size * 1.42)
    ticks = np.arange(0, fields[-1].size, 4)
    ax.set_xticks(ticks, [f"{tick * seconds:.2f}" for tick in ticks])
    ax.set(xlabel="Time of the frames' centres (s)", title="What one step of the network sees")
    sns.despine(ax=ax, left=True)
    words = ", ".join(
        f"{name} {field.size}" for (name, _), field in zip(layers, fields[1:], strict=True)
    )
    return describe(
        ax,
        "A tree from one step at the top down to the frames it sees. Frames seen by one output "
        f"of each layer, from the bottom up: {words}.",
    )


def training_curves(epochs: Sequence[Mapping[str, float]], *, title: str = "Learning") -> Axes:
    """Draw loss and accuracy after each epoch, on training and validation clips.

    Parameters
    ----------
    epochs
        One mapping an epoch, with ``loss`` and ``accuracy`` and, where there are validation
        clips, the same with ``validation_`` (a run's record) or ``val_`` (Keras) before them;
        further entries are left alone. Where ``learning_rate`` falls a dotted line is drawn.
    title
        The title.

    Returns
    -------
    matplotlib.axes.Axes
        Of the accuracy; the loss is on its left.
    """
    with _style():
        _, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    table = pd.DataFrame(list(epochs)).rename(
        columns=lambda name: name.replace("val_", "validation_")
    )
    table.index = pd.RangeIndex(1, len(table) + 1)
    words = []
    for ax, name, label in ((left, "loss", "Loss (nats)"), (right, "accuracy", "Accuracy")):
        for key, side, colour in (
            (name, "training", _SPLIT_COLOURS["train"]),
            (f"validation_{name}", "validation", _SPLIT_COLOURS["validation"]),
        ):
            if key not in table:
                continue
            style = {"marker": "o", "markersize": 4} if len(table) <= 40 else {}
            dashes = "-" if side == "training" else "--"
            ax.plot(table.index, table[key], dashes, color=colour, label=side, **style)
            words.append(f"{side} {name} {table[key].iloc[0]:.2f} to {table[key].iloc[-1]:.2f}")
        if "learning_rate" in table:
            falls = table.index[table["learning_rate"].diff() < 0]
            for number, epoch in enumerate(falls):
                rate = "learning rate falls" if not number else None
                ax.axvline(epoch - 0.5, color="grey", linestyle=":", label=rate)
        ax.set(xlabel="Epoch", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0.5, max(len(table), 2) + 0.5)
        ax.grid(alpha=0.3)
    left.set_ylim(0)
    right.set_ylim(0, 1)
    right.yaxis.set_major_formatter(PercentFormatter(1))
    left.set_title(f"{title}: loss")
    right.set_title(f"{title}: accuracy")
    left.legend(frameon=False)
    return describe(right, f"{title}, two line plots over {len(table)} epochs: {'; '.join(words)}.")


def runs_compared(
    runs: Mapping[str, Sequence[Mapping[str, float]]],
    *,
    title: str = "Several runs",
    ax: Axes | None = None,
) -> Axes:
    """Draw how the validation loss of several runs falls, a line each.

    Parameters
    ----------
    runs
        Name → its epochs, each with ``validation_loss``, as a run's record has them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 8, 3.6)
    words = []
    colours = sns.color_palette("colorblind", len(runs))
    marks = itertools.cycle("osD^vPX*")
    for (name, epochs), colour, mark in zip(runs.items(), colours, marks, strict=False):
        losses = [epoch["validation_loss"] for epoch in epochs]
        numbers = range(1, len(losses) + 1)
        ax.plot(numbers, losses, color=colour, marker=mark, markersize=5, label=name)
        words.append(f"{name} from {losses[0]:.2f} to {losses[-1]:.2f}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.set(xlabel="Epoch", ylabel="Validation loss (nats)", title=title)
    _legend_outside(ax)
    return describe(ax, f"{title}: validation loss after each epoch. {'; '.join(words)}.")


def genre_over_time(
    probabilities: np.ndarray,
    genres: Sequence[str],
    timeline: Timeline,
    *,
    title: str = "Genre over time",
    ax: Axes | None = None,
) -> Axes:
    """Draw a network's belief in each genre while a song plays, stacked to 1.

    Each step is drawn from the moment that decides it to the moment that decides the next: what
    is drawn above a time is what can be known at that time.

    Parameters
    ----------
    probabilities
        Shape (steps, genres), each row sums to 1.
    genres
        The genres, in the order of the columns.
    timeline
        The network's timeline.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 3.6)
    edges = np.array([timeline.step_span(step)[1] for step in range(len(probabilities) + 1)])
    stacked = np.repeat(probabilities, 2, axis=0).T
    # Two points a step, at both of its edges: flat steps, not slopes.
    seconds = np.column_stack([edges[:-1], edges[1:]]).ravel()
    colours = list(genre_colours(genres).values())
    ax.stackplot(seconds, stacked, labels=list(genres), colors=colours, edgecolor="white", lw=0.3)
    ax.set(xlabel="Time heard (s)", ylabel="Probability", title=title)
    ax.set_xlim(0, float(edges[-1]))
    ax.set_ylim(0, 1)
    if len(probabilities) and edges[0] > 0.04 * edges[-1]:
        ax.text(edges[0] / 2, 0.5, "not yet heard enough", rotation=90, ha="center", va="center")
    _legend_outside(ax, reverse=True)
    mean = probabilities.mean(axis=0)
    best = int(mean.argmax())
    shares = np.bincount(probabilities.argmax(axis=1), minlength=len(genres)) / len(probabilities)
    order = [place for place in shares.argsort()[::-1] if shares[place]]
    words = ", ".join(f"{genres[place]} in {shares[place]:.0%}" for place in order)
    return describe(
        ax,
        f"{title}: stacked areas, one a genre, over {edges[-1]:.3g} seconds. Most probable: "
        f"{words} of the steps. The mean over time is highest for {genres[best]}: "
        f"{mean[best]:.2f}.",
    )


def genre_bars(
    probabilities: np.ndarray,
    genres: Sequence[str],
    *,
    title: str = "Genre of the song",
    ax: Axes | None = None,
) -> Axes:
    """Draw one probability a genre.

    Parameters
    ----------
    probabilities
        Shape (genres,).
    genres
        The genres, in that order.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 7, 0.9 + 0.38 * len(genres))
    ax.barh(list(genres), probabilities, color=list(genre_colours(genres).values()))
    for place, value in enumerate(probabilities):
        ax.text(value, place, f" {value:.2f}", va="center")
    ax.invert_yaxis()
    ax.set_xlim(0, 1.1)
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.set(xlabel="Probability", ylabel="", title=title)
    words = ", ".join(
        f"{genre} {value:.2f}" for genre, value in zip(genres, probabilities, strict=True)
    )
    return describe(ax, f"{title}, as bars: {words}.")


def confusion_matrix(
    counts: np.ndarray,
    genres: Sequence[str],
    *,
    title: str = "Confusion matrix",
    ax: Axes | None = None,
) -> Axes:
    """Draw what clips of each genre were taken for (the paper's figure 3).

    Parameters
    ----------
    counts
        Shape (genres, genres): clips, rows are the truth, columns the answers.
    genres
        The genres, in that order.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    counts = np.asarray(counts)
    ax = _axes(ax, 2.4 + 0.62 * len(genres), 1.9 + 0.5 * len(genres))
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    sns.heatmap(
        shares,
        annot=counts,
        fmt="d",
        cmap="Blues",
        vmin=0,
        vmax=1,
        linewidths=0.5,
        xticklabels=list(genres),
        yticklabels=list(genres),
        cbar_kws={"label": "Share of the genre's clips", "format": PercentFormatter(1)},
        ax=ax,
    )
    plt.setp(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    plt.setp(ax.get_yticklabels(), rotation=0)
    ax.set(xlabel="Answer", ylabel="True genre", title=title)
    words = []
    for row, genre in enumerate(genres):
        line = f"{genre} {counts[row, row]} of {totals[row, 0]} right"
        wrong = counts[row].copy()
        wrong[row] = 0
        if wrong.max():
            line += f", most often taken for {genres[int(wrong.argmax())]} ({wrong.max()})"
        words.append(line)
    return describe(ax, f"{title}, truth in rows, answers in columns: {'; '.join(words)}.")


def confusion_matrices(
    counts: Mapping[str, np.ndarray], genres: Sequence[str], *, title: str = "Confusion matrices"
) -> Axes:
    """Draw the confusion matrices of several models, two side by side.

    Parameters
    ----------
    counts
        By model, as `confusion_matrix` takes them.
    genres
        The genres, in that order.
    title
        Above all of them.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first model.
    """
    high = math.ceil(len(counts) / 2)
    with _style():
        figure, axes = plt.subplots(
            high,
            2,
            figsize=(3.4 + 0.95 * len(genres), 0.6 + high * (1.2 + 0.42 * len(genres))),
            layout="constrained",
            sharex=True,
            sharey=True,
            squeeze=False,
        )
    words = []
    for ax, (model, table) in zip(axes.flat, counts.items(), strict=False):
        confusion_matrix(table, genres, title=model, ax=ax)
        ax.collections[0].colorbar.remove()
        ax.label_outer()
        words.append(description(ax))
    for ax in list(axes.flat)[len(counts) :]:
        ax.remove()
    bar = figure.colorbar(
        axes[0, 0].collections[0], ax=list(axes.flat)[: len(counts)], pad=0.01, shrink=0.6
    )
    bar.set_label("Share of the genre's clips")
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1))
    bar.outline.set_visible(False)
    figure.suptitle(title)
    return describe(axes[0, 0], f"{title}. {' '.join(words)}")


def results(
    rows: Sequence[Mapping[str, Any]], *, title: str = "Results", ax: Axes | None = None
) -> Axes:
    """Draw accuracies with their intervals, by model and split.

    Parameters
    ----------
    rows
        Mappings with ``model``, ``split``, ``accuracy`` and ``confidence_interval`` (low, high;
        None where it is not known), as ``songnet compare --json`` writes them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    models = list(dict.fromkeys(row["model"] for row in rows))
    looks = {split: (look, colour) for split, look, colour in _SPLIT_LOOKS}
    splits = sorted({row["split"] for row in rows}, key=lambda name: list(looks).index(name))
    ax = _axes(ax, 8.5, 1.4 + 0.3 * len(models) * (1 + 0.5 * len(splits)))
    words = []
    for split in splits:
        look, colour = looks[split]
        label = split
        for row in (row for row in rows if row["split"] == split):
            shift = (splits.index(split) + 0.5) / len(splits) - 0.5
            height = models.index(row["model"]) + 0.5 * shift
            share, interval = row["accuracy"], row.get("confidence_interval")
            low, high = interval or (share, share)
            ax.plot([low, high], [height, height], color=colour, linewidth=2)
            ax.plot(share, height, look, color=colour, label=label)
            ax.text(high + 0.02, height, f"{share:.3f}", va="center", size=10)
            label = "_"
            between = f" ({low:.3f} to {high:.3f})" if interval else ""
            words.append(f"{row['model']} on the {split} split {share:.3f}{between}")
    ax.set_yticks(range(len(models)), models)
    ax.set_ylim(len(models) - 0.5, -0.5)
    ax.set_xlim(0, 1.08)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="Accuracy (line: 95 % interval)", ylabel="", title=title)
    _legend_outside(ax, title="split")
    return describe(ax, f"{title}: accuracy and 95 % interval. {'; '.join(words)}.")


def differences(
    rows: Sequence[Mapping[str, Any]], *, title: str = "Differences", ax: Axes | None = None
) -> Axes:
    """Draw differences of accuracies with their intervals, one line each.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``difference`` and ``confidence_interval`` (low, high), as shares.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 8.5, 1.3 + 0.34 * len(rows))
    words = []
    for height, row in enumerate(rows):
        low, high = (100 * bound for bound in row["confidence_interval"])
        middle = 100 * row["difference"]
        # Filled where the interval leaves 0 out.
        sure = low > 0 or high < 0
        ax.plot([low, high], [height, height], color=_INK, linewidth=2)
        ax.plot(middle, height, "o", color=_INK, markerfacecolor=_INK if sure else "white")
        words.append(f"{row['name']} {middle:+.1f} ({low:+.1f} to {high:+.1f})")
    ax.axvline(0, color="#333333", linewidth=1)
    ax.set_yticks(range(len(rows)), [row["name"] for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set(
        xlabel="Difference in points (line: 95 % interval; filled: it leaves 0 out)",
        ylabel="",
        title=title,
    )
    return describe(ax, f"{title}: difference in points and 95 % interval. {'; '.join(words)}.")


def genre_scores(
    scores: pd.DataFrame, *, title: str = "Precision and recall", ax: Axes | None = None
) -> Axes:
    """Draw precision and recall of each genre as bars, with their intervals.

    Parameters
    ----------
    scores
        As `songnet_utils.scores.genre_scores` returns it. Where a score is not defined (nothing
        was answered, nothing was true) there is a dash in place of its bar.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 9.5, 1.4 + 0.55 * len(scores))
    colours = list(genre_colours(scores.index).values())
    middle = np.arange(len(scores))
    looks = (("recall", -0.2, None), ("precision", 0.2, "////"))
    for name, shift, hatch in looks:
        drawn = scores[name].fillna(0)
        # Thin white lines: the genre's colour stays what it is in every other picture.
        ax.barh(middle + shift, drawn, 0.36, color=colours, hatch=hatch, edgecolor="white", lw=0)
        low, high = scores[f"{name}_low"], scores[f"{name}_high"]
        # With a white rim, to be seen on dark bars too.
        ax.hlines(middle + shift, low, high, color="white", linewidth=3.5)
        ax.hlines(middle + shift, low, high, color="#333333", linewidth=1.5)
        for place, (value, end) in enumerate(zip(scores[name], high, strict=True)):
            text, at = ("–", 0.0) if np.isnan(value) else (f"{value:.0%}", end)
            ax.text(at + 0.012, place + shift, text, va="center", size=10)
    ax.set_yticks(
        middle,
        [f"{genre} ({clips:.0f})" for genre, clips in scores.support.items()],
    )
    ax.set_ylim(len(scores) - 0.45, -0.55)
    ax.set_xlim(0, 1.1)
    ax.set_xticks(np.linspace(0, 1, 6))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(
        handles=[
            Rectangle((0, 0), 1, 1, facecolor="#6A6F78", edgecolor="white", hatch=hatch, label=name)
            for name, _, hatch in looks
        ],
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
    )
    ax.set(xlabel="Share of clips (line: 95 % interval)", title=title)
    ax.set_ylabel("Genre (its clips)")
    words = []
    for genre, row in scores.iterrows():
        said = (
            f"{name} not defined"
            if np.isnan(row[name])
            else f"{name} {row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"
            for name, _, _ in looks
        )
        words.append(f"{genre}, {row.support:.0f} clips: {', '.join(said)}")
    return describe(ax, f"{title} with 95 % intervals, as bars. {'; '.join(words)}.")


def reliability_diagram(
    bins: Mapping[str, pd.DataFrame], *, title: str = "As sure as it is right?"
) -> Axes:
    """Draw accuracy over confidence in bins, as many panels as there are networks to compare.

    Parameters
    ----------
    bins
        By name, as `songnet_utils.calibration.reliability` returns them; for instance before and
        after temperature scaling.
    title
        Above all of them.

    Returns
    -------
    matplotlib.axes.Axes
        Of the first panel.
    """
    with _style():
        figure, axes = plt.subplots(
            1,
            len(bins),
            figsize=(0.6 + 4.2 * len(bins), 4.6),
            layout="constrained",
            # The last mark of a panel and the first of the next are not to touch.
            gridspec_kw={"wspace": 0.06},
            sharey=True,
            squeeze=False,
        )
    words = []
    for ax, (name, table) in zip(axes[0], bins.items(), strict=True):
        sns.despine(ax=ax)
        full = table[table.clips > 0]
        ax.plot([0, 1], [0, 1], "--", color="#8A8F98", linewidth=1.2, label="as sure as right")
        ax.bar(
            full.low,
            full.accuracy,
            full.high - full.low,
            align="edge",
            color="#9DB7E4",
            edgecolor="white",
            label="accuracy",
        )
        # From what it is to what it should be: the gaps whose mean is the calibration error.
        ax.vlines(full.confidence, full.accuracy, full.confidence, color="#C2185B", linewidth=2.5)
        ax.plot(full.confidence, full.confidence, "o", color="#C2185B", label="mean confidence")
        for row in full.itertuples():
            high = max(row.accuracy, row.confidence)
            ax.text((row.low + row.high) / 2, high + 0.025, f"{row.clips}", ha="center", size=9)
        error = float((full.clips * (full.accuracy - full.confidence).abs()).sum())
        error /= float(full.clips.sum())
        ax.set(xlabel="Confidence", title=f"{name}: calibration error {error:.3f}")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.1)
        ax.set_yticks(np.linspace(0, 1, 6))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        cells = ", ".join(
            f"{row.accuracy:.0%} right of {row.clips} answered at {row.confidence:.0%}"
            for row in full.itertuples()
        )
        words.append(f"{name}, calibration error {error:.3f}: {cells}.")
    axes[0, 0].set_ylabel("Accuracy (above each bar: its clips)")
    axes[0, 0].legend(frameon=False, loc="upper left")
    figure.suptitle(title)
    return describe(axes[0, 0], f"{title} Accuracy over confidence in bins. {' '.join(words)}")


def until_right(
    moments: pd.DataFrame, *, title: str = "How many seconds until it is right?"
) -> Axes:
    """Draw how the share of right answers grows while clips play.

    Parameters
    ----------
    moments
        As `songnet_utils.assessment.UntilRight.as_table` returns it.
    title
        Its title.
    """
    ax = _axes(None, 9.5, 4.0)
    first, last = moments.seconds.iloc[0], moments.seconds.iloc[-1]
    # Each answer holds until the next step is decided, the last one to the end of the picture.
    end = math.ceil(last)
    held = pd.concat([moments, moments.iloc[[-1]].assign(seconds=end)])
    words = []
    for name, label, colour, dashes in (
        ("accuracy", "right", _INK, "-"),
        ("settled", "right from then on", "#B36F00", "--"),
    ):
        low, high = held[f"{name}_low"], held[f"{name}_high"]
        if name == "accuracy":
            ax.fill_between(held.seconds, low, high, step="post", color=colour, alpha=0.15, lw=0)
        else:
            # Two bands on top of each other would be a third colour.
            for bound in (low, high):
                ax.step(held.seconds, bound, ":", where="post", color=colour, lw=1)
        ax.step(held.seconds, held[name], dashes, where="post", color=colour, lw=2, label=label)
        ends = moments.iloc[[0, -1]]
        said = (
            f"{row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%}) "
            f"after {row.seconds:.1f} s"
            for _, row in ends.iterrows()
        )
        words.append(f"{label}: {', '.join(said)}")
    ax.axvline(first, color="#8A8F98", linestyle=":", linewidth=1.2)
    ax.text(first, 1.0, " first answer", va="top", size=10, color="#555555")
    ax.set_xlim(0, end)
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc="lower right")
    ax.set(
        xlabel="Music heard (s)",
        ylabel="Share of clips (band, dots: 95 % interval)",
        title=title,
    )
    return describe(
        ax,
        f"{title} Two step lines with 95 % intervals over {last:.3g} seconds. {'; '.join(words)}.",
    )


# --- What the functions above share ---------------------------------------------------------


def _style() -> Any:
    return plt.rc_context({**sns.axes_style("ticks"), "font.size": 11, "axes.titlesize": 12})


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    if ax is None:
        with _style():
            _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    sns.despine(ax=ax)
    return ax


def _figure(ax: Axes) -> Figure:
    figure = ax.figure
    return figure.figure if isinstance(figure, SubFigure) else figure


def _colour_bar(image: Any, ax: Axes, label: str) -> None:
    bar = _figure(ax).colorbar(image, ax=ax, pad=0.01)
    bar.set_label(label)
    bar.outline.set_visible(False)


def _legend_outside(ax: Axes, *, reverse: bool = False, title: str | None = None) -> None:
    ax.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, reverse=reverse, title=title
    )


def _edges(centres: np.ndarray) -> np.ndarray:
    half = (centres[1] - centres[0]) / 2
    return np.append(centres - half, centres[-1] + half)


def _frame_edges(frames: int, sound: Sound) -> np.ndarray:
    return (np.arange(frames + 1) - 0.5) * sound.hop / sound.sample_rate


def _hertz(axis: Any, low: float, high: float) -> None:
    axis.axes.set_xscale("log", base=2)
    octaves = 1000 * 2.0 ** np.arange(-5, 5)
    axis.set_ticks([mark for mark in octaves if low <= mark <= high])
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_locator(NullLocator())
    axis.axes.set_xlim(low, high)


def _band_ticks(ax: Axes, sound: Sound) -> None:
    # librosa is slow to import and only this picture needs it.
    import librosa

    # n_mels triangles stand on n_mels + 2 points; the inner ones are the bands' centres.
    centres = librosa.mel_frequencies(sound.n_mels + 2, fmin=0, fmax=sound.sample_rate / 2)[1:-1]
    marks = [mark for mark in (250, 500, 1000, 2000, 4000, 8000) if mark < centres[-1]]
    bands = np.interp(marks, centres, np.arange(sound.n_mels))
    ax.set_yticks(bands, [f"{mark:,}" for mark in marks])


@dataclass
class _Stage:
    """A box of the drawing of a network: what comes out of one layer."""

    title: str
    shape: tuple[int, ...]
    arrow: str
    colour: str

    @property
    def steps(self) -> int:
        return self.shape[0] if len(self.shape) == 2 else 1

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def height(self) -> float:
        return 0.08 + 0.03 * self.channels**0.5


def _stages(model: keras.Model, frames: int) -> list[_Stage]:
    """Return what passes through a chain of layers when `frames` frames come in."""
    shape = (frames, int(model.inputs[0].shape[-1]))
    stages = [_Stage("Log-mel frames", shape, "", "#A8D5D8")]
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        inner = getattr(layer, "layer", layer)
        activation = getattr(getattr(inner, "activation", None), "__name__", "linear")
        follows = "" if activation == "linear" else f", then {activation}"
        shape = tuple(layer.compute_output_shape((None, *shape))[1:])
        if kind == "Conv1D":
            arrow = f"{layer.filters} kernels over {layer.kernel_size[0]} steps{follows}"
            stages.append(_Stage("Convolution", shape, arrow, "#9DB7E4"))
        elif kind == "MaxPooling1D":
            arrow = f"the largest of every {layer.pool_size[0]} steps"
            stages.append(_Stage("Max pooling", shape, arrow, "#C9D8F2"))
        elif type(inner).__name__ == "Dense":
            arrow = f"the same dense layer at every step{follows}"
            stages.append(_Stage("Genre over time", shape, arrow, "#FBD48B"))
        elif shape != (stages[-1].shape):
            final = len(shape) == 1 and "dense" in stages[-1].arrow
            name = "Genre of the song" if final else kind
            arrow = "mean over time" if "Average" in kind else ""
            stages.append(_Stage(name, shape, arrow, "#F5A58F"))
        else:
            # Same shape in and out: it belongs to the box above.
            name = activation if kind == "Activation" else kind.replace("BatchN", "Batch n")
            stages[-1].title += f"\n+ {name.lower()}"
    return stages


# --- Mistakes -------------------------------------------------------------------------------


def embedding_map(
    places: pd.DataFrame,
    trust: float | None = None,
    *,
    title: str = "The embedding, laid out on a plane",
    ax: Axes | None = None,
) -> Axes:
    """Draw where clips lie in a network's embedding: training clips as dots, test clips larger.

    Parameters
    ----------
    places
        ``x``, ``y``, ``side``, ``genre`` and ``answer``, as
        `songnet_utils.mistakes.embedding_map` gives them. Right test clips are ringed circles,
        wrong ones crosses in the colour of the truth.
    trust
        How far neighbours here are neighbours there, to be said below the title.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 9.6, 7)
    colours = genre_colours(sorted(places["genre"].unique()))
    tested = places["answer"].notna()
    right = tested & (places["answer"] == places["genre"])
    kinds: tuple[tuple[pd.Series, str, dict[str, Any]], ...] = (
        (~tested, "o", {"s": 11, "alpha": 0.5, "linewidths": 0}),
        (right, "o", {"s": 62, "edgecolors": "black", "linewidths": 1.1}),
        (tested & ~right, "X", {"s": 84, "edgecolors": "black", "linewidths": 0.8}),
    )
    for genre, colour in colours.items():
        for chosen, marker, look in kinds:
            there = places[chosen & (places["genre"] == genre)]
            ax.scatter(there["x"], there["y"], color=colour, marker=marker, **look)
    for genre, colour in colours.items():
        ax.scatter([], [], s=50, color=colour, label=genre)
    for (_, marker, look), label in zip(
        kinds, ("training clip", "test clip, right", "test clip, wrong"), strict=True
    ):
        ax.scatter([], [], color="white" if "edgecolors" in look else "grey", marker=marker,
                   label=label, **look)  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    heading = title if trust is None else f"{title} (trustworthiness {trust:.2f})"
    ax.set(xlabel="No unit: only who is near to whom", ylabel="", title=heading)
    _legend_outside(ax)
    words = "; ".join(
        f"{genre} {int((right & of).sum())} of {int((tested & of).sum())} right"
        for genre in colours
        if (of := places["genre"] == genre).any()
    )
    return describe(
        ax,
        f"{heading}. Dots are {int((~tested).sum())} training clips, circles with a rim test clips "
        f"that are right, crosses those that are wrong, coloured by their true genre: {words}.",
    )


def step_contributions(
    shares: np.ndarray,
    deciding: Sequence[int],
    timeline: Timeline,
    *,
    answer: str,
    rival: str,
    title: str = "What each step adds",
    ax: Axes | None = None,
) -> Axes:
    """Draw what each step adds to the difference between two genres of a song.

    Parameters
    ----------
    shares
        Shape (steps,), as `songnet_utils.mistakes.contributions` gives them.
    deciding
        The steps to mark.
    timeline
        The network's timeline; a step stands from the moment that decides it.
    answer, rival
        The genres that positive and negative steps speak for.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 10, 2.8)
    ends = np.array([timeline.step_span(step)[1] for step in range(len(shares))])
    colours = genre_colours([answer, rival])
    points = 100 * np.asarray(shares)
    for genre, chosen in ((answer, points > 0), (rival, points <= 0)):
        ax.bar(
            ends[chosen],
            points[chosen],
            width=0.9 * timeline.step_seconds,
            align="edge",
            color=colours[genre],
            label=f"for {genre}",
        )
    ax.axhline(0, color="#333333", linewidth=1)
    if len(deciding):
        top = 1.12 * max(float(points.max()), 1e-9)
        middles = ends[list(deciding)] + timeline.step_seconds / 2
        ax.plot(middles, np.full(len(middles), top), "v", color="#333333", ms=4, label="decided")
    ax.set(xlabel="Time heard (s)", ylabel="Points", title=title)
    ax.set_xlim(0, float(ends[-1] + timeline.step_seconds))
    _legend_outside(ax)
    return describe(
        ax,
        f"{title}: bars, one a step. {int((points > 0).sum())} of {len(points)} steps speak for "
        f"{answer}, the others for {rival}. Their sum is {points.sum():+.1f} points; "
        f"{len(deciding)} steps are marked as deciding.",
    )


def mistakes_per_artist(
    artists: pd.DataFrame,
    *,
    most: int = 30,
    title: str = "Mistakes by artist",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many test clips of each artist are wrong.

    Parameters
    ----------
    artists
        ``clips`` and ``wrong`` by artist, in the order to draw, as
        `songnet_utils.mistakes.mistakes_by_artist` gives them.
    most
        Draw so many artists, the first ones.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    shown = artists.head(most)
    ax = _axes(ax, 8, 1.1 + 0.24 * len(shown))
    names = [str(name) for name in shown.index]
    heights = np.arange(len(shown))
    ax.barh(heights, shown["clips"], color="#D9DDE4", label="right")
    ax.barh(heights, shown["wrong"], color=_SPLIT_COLOURS["test"], label="wrong")
    ax.set_yticks(heights, names)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="Test clips", ylabel="", title=title)
    _legend_outside(ax)
    every = int((artists["wrong"] == artists["clips"]).sum())
    none = int((artists["wrong"] == 0).sum())
    first = ", ".join(
        f"{name} {row.wrong} of {row.clips}"
        for name, row in zip(names[:5], shown.head(5).itertuples(), strict=True)
    )
    return describe(
        ax,
        f"{title}: bars of the test clips of {len(shown)} of {len(artists)} artists, the wrong "
        f"ones in red. All clips of {every} artists are wrong, none of {none}. First: {first}.",
    )


def mended_and_broken(
    by_genre: pd.DataFrame, *, title: str = "Mended and broken", ax: Axes | None = None
) -> Axes:
    """Draw how many clips of each genre another model gets right that were wrong, and the reverse.

    Parameters
    ----------
    by_genre
        ``mended`` and ``broken`` by genre, as `songnet_utils.mistakes.Changes.by_genre` gives
        them.
    title, ax
        Its title, and where to draw it (by default a new figure).
    """
    ax = _axes(ax, 8, 1.1 + 0.42 * len(by_genre))
    heights = np.arange(len(by_genre))
    ax.barh(heights, by_genre["mended"], color=_INK, label="mended")
    ax.barh(heights, -by_genre["broken"], color=_ACCENT, label="broken")
    ax.axvline(0, color="#333333", linewidth=1)
    ax.set_yticks(heights, list(by_genre.index))
    ax.set_ylim(len(by_genre) - 0.5, -0.5)
    reach = 1.15 * max(1, by_genre[["mended", "broken"]].to_numpy().max())
    ax.set_xlim(-reach, reach)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    ax.set(xlabel="Clips: broken to the left, mended to the right", ylabel="", title=title)
    _legend_outside(ax)
    words = "; ".join(
        f"{genre} {row.mended} mended, {row.broken} broken"
        for genre, row in zip(by_genre.index, by_genre.itertuples(), strict=True)
    )
    return describe(ax, f"{title}, as bars: {words}.")
