"""Pictures of sound, of corpora and of what networks say.

Every function takes arrays or tables and returns matplotlib axes.

References
----------
Okabe, M., & Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

from collections.abc import Iterable

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


def genre_colours(genres: Iterable[str]) -> dict[str, str]:
    """Return a colour for each of `genres`, in their order.

    The eight genres of `GENRE_COLOURS` keep theirs, however they are capitalised; other names
    take, in alphabetical order, the colours that are left, then further ones, and beyond
    sixteen genres colours repeat.

    Parameters
    ----------
    genres : iterable of str

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
