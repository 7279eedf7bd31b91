"""Colours, axes and legends of all plots, and their descriptions in words."""

from __future__ import annotations

import base64
import html
import io
import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import matplotlib.pyplot as plt
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from songnet_utils._utils.errors import SongNetError

#: One colour per genre. These are Okabe and Ito's colours, with yellow and black replaced (too
#: close to white paper and to text), and adjusted until any two of them are at least 18 units of
#: CAM02-UCS apart, for full colour vision and for deuteranopia, protanopia and tritanopia (Okabe
#: and Ito's own eight: 11).
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

# Colours for further genres, lighter and darker variants, not tested for colour blindness.
_MORE_COLOURS = (
    *("#B9D77A", "#5B3A8C", "#F5C6C6", "#3F4A1E", "#8A6D3B", "#0B3C49", "#E56BB5", "#6E8B9E"),
)

# Training, validation and test have the same colours in every plot, which are not those of genres.
SPLIT_COLOURS = {"train": "#31456A", "validation": "#5E8AC7", "test": "#C2185B"}
# The style of each kind of split in comparisons of models.
SPLIT_LOOKS = (
    ("random", "o", "#2452AF"),
    ("artist", "s", "#B36F00"),
    ("official", "D", "#0B6B45"),
)
INK = "#2452AF"
ACCENT = "#F7AA16"
SOUND_MAP = "mako"

# The text alternatives for `show`.
_descriptions: weakref.WeakKeyDictionary[Axes, str] = weakref.WeakKeyDictionary()


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Return a colour for each of `genres`, in their order.

    The eight genres of `GENRE_COLOURS` have fixed colours, in any capitalisation. Other names get,
    in alphabetical order, the remaining colours and then further ones; beyond sixteen genres,
    colours repeat.

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


def describe(ax: Axes, text: str) -> Axes:
    """Describe in words what `ax` shows; every function of this package does so for its plot.

    Parameters
    ----------
    ax
        The axes.
    text
        The description for a person who cannot see the plot. It replaces an older text.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`.
    """
    _descriptions[ax] = " ".join(text.split())
    return ax


def description(ax: Axes) -> str:
    """Return the description of the whole figure around `ax`; "" if there is none."""
    return " ".join(_descriptions[part] for part in figure_of(ax).axes if part in _descriptions)


class Picture:
    """A figure as a picture with a text alternative, which notebooks show.

    It becomes an HTML ``<img alt=…>``, which survives JupyterLab, nbconvert and MyST; image/png
    outputs lose their text alternative in some of them.

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

    #: The format of the saved figure.
    saved_as: ClassVar[dict[str, Any]] = {"format": "png", "dpi": 160}

    def __init__(self, ax: Axes, alt: str | None = None) -> None:
        self.alt = description(ax) if alt is None else " ".join(alt.split())
        if not self.alt:
            raise SongNetError(
                "A picture needs a text alternative for people who cannot see it. "
                "Give alt=..., or call describe(ax, ...) first."
            )
        figure = figure_of(ax)
        content = io.BytesIO()
        figure.savefig(content, **self.saved_as, facecolor="white")
        self.content = content.getvalue()
        self.width = round(figure.get_figwidth() * 100)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.content).decode("ascii")
        kind = f"image/{self.saved_as['format']}"
        return (
            f'<img alt="{html.escape(self.alt)}" src="data:{kind};base64,{data}" '
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
    plt.close(figure_of(ax))
    return picture


def panels(
    rows: int, columns: int, width: float, height: float, **sharing: Any
) -> npt.NDArray[Any]:
    """Return the axes of a new figure, without frames.

    Parameters
    ----------
    rows, columns
        The number of panels.
    width, height
        The size of the figure, in inches.
    **sharing
        For `matplotlib.pyplot.subplots`, such as ``sharex``.

    Returns
    -------
    np.ndarray, shape (rows, columns)
    """
    look = {**sns.axes_style("ticks"), "font.size": 11, "axes.titlesize": 12}
    with plt.rc_context(look):
        figure, axes = plt.subplots(
            rows, columns, figsize=(width, height), layout="constrained", squeeze=False, **sharing
        )
    sns.despine(figure)
    return axes


def axes_for(width: float, height: float, ax: Axes | None = None) -> Axes:
    """Return `ax`, or the axes of a new figure of this size in inches, without a frame."""
    if ax is None:
        return panels(1, 1, width, height)[0, 0]
    sns.despine(ax=ax)
    return ax


def as_percent(*axes: Axis) -> None:
    """Label axes of shares in percent."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1))


def whole_numbers(axis: Axis) -> None:
    """Put the ticks of an axis at whole numbers."""
    axis.set_major_locator(MaxNLocator(integer=True))


def bars(values: pd.Series, colours: Iterable[str], labels: Sequence[str]) -> Axes:
    """Draw a horizontal bar for each value, with a label at its end, the first on top."""
    ax = axes_for(8, 0.9 + 0.42 * len(values))
    ax.bar_label(ax.barh(values.index, values, color=list(colours)), labels, padding=4)
    ax.invert_yaxis()
    return ax


def stacked_bars(
    table: pd.DataFrame, colours: Mapping[str, str], *, row_height: float = 0.42
) -> Axes:
    """Draw a horizontal bar for each row of a table, stacked by column, the first row on top."""
    ax = axes_for(8, 1.1 + row_height * len(table))
    table.plot.barh(stacked=True, color=dict(colours), width=0.8, ax=ax)
    ax.invert_yaxis()
    ax.set_ylabel("")
    whole_numbers(ax.xaxis)
    legend_outside(ax)
    return ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes are in."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def colour_bar(image: Any, ax: Axes, label: str) -> None:
    """Put a colour bar beside a picture."""
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.01)
    bar.set_label(label)
    bar.outline.set_visible(False)


def legend_outside(ax: Axes, *, reverse: bool = False, title: str | None = None) -> None:
    """Put the legend to the right of the picture."""
    ax.legend(
        loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, reverse=reverse, title=title
    )
