"""Two parts of a corpus's artists: one for choosing between models, the other for reporting.

A recipe or network that you choose on the first part has seen nothing of the second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from songnet_utils.corpora.splits import artists, check_kind, groups_of

#: The parts: a third of the artists (rounded down), and the rest.
ARTIST_PARTS = ("development", "test")

# The draw is fixed.
_SEED = 0


def part_of_artists(
    clips: pd.DataFrame, part: str | None
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Keep the clips by one part of the artists.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips. Artists who share a clip count as one.
    part : str or None
        One of `ARTIST_PARTS`; None keeps all clips.

    Returns
    -------
    clips : pandas.DataFrame
        The rows of this part.
    draw : dict or None
        ``part``, ``seed``, and the number of ``artists`` in each part.

    Examples
    --------
    >>> clips = pd.DataFrame({"id": list("abc"), "artist": ["X", "Y", "Z"], "content": None})
    >>> kept, draw = part_of_artists(clips, "test")
    >>> list(kept.artist), draw["artists"]
    (['X', 'Y'], {'development': 1, 'test': 2})
    """
    if part is None:
        return clips, None
    check_kind(part, ARTIST_PARTS, "a part of the artists")
    groups = groups_of(clips, "artist")
    drawn = np.random.default_rng(_SEED).permutation(np.unique(groups))
    development = groups.isin(drawn[: len(drawn) // 3])
    of = {"development": clips[development], "test": clips[~development]}
    counts = {name: int(artists(kept).nunique()) for name, kept in of.items()}
    return of[part], {"part": part, "seed": _SEED, "artists": counts}
