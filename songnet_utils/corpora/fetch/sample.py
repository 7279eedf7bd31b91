"""The clips for a sample of fma_small: some of each genre, by as many artists as possible.

The order of a genre's clips is fixed, so a larger sample contains every smaller one. It depends
only on ids, so it is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container

import pandas as pd

from songnet_utils.corpora.fma_metadata import WRONG_DURATIONS, track_path
from songnet_utils.corpora.table import OFFICIAL

# The proportions of the official split, in fma_small and in a sample of it.
_SHARES = (0.8, 0.1, 0.1)


def choose(tracks: pd.DataFrame, there: Container[str], number: int) -> dict[str, list[int]]:
    """Choose `number` clips of each genre of fma_small.

    Each genre's clips keep the proportions of the official split, and in each of its sets, artists
    take turns.

    Parameters
    ----------
    tracks
        FMA's table, as `songnet_utils.corpora.fma.read_tracks` reads it.
    there
        The paths of the clips that the archive lists.
    number
        Clips per genre; if a genre has fewer, all of them.

    Returns
    -------
    dict
        Genre → ids of tracks, in the order of choosing.
    """
    known = tracks[(tracks.subset == "small") & tracks.genre.notna() & tracks.split.isin(OFFICIAL)]
    listed = [track_path(track) in there for track in known.index]
    usable = known[listed & ~known.index.isin(WRONG_DURATIONS.index)]
    return {str(genre): _in_order(clips)[:number] for genre, clips in usable.groupby("genre")}


def _in_order(clips: pd.DataFrame) -> list[int]:
    """Return the ids of a genre's clips in an order whose every prefix keeps the proportions."""
    sets = [_by_artists_in_turn(clips[clips.split == subset]) for subset in OFFICIAL]
    order: list[int] = []
    taken = [0] * len(sets)
    while len(order) < len(clips):
        # The subset that lags most behind its share.
        open_sets = [subset for subset in range(len(sets)) if taken[subset] < len(sets[subset])]
        next_set = max(
            open_sets, key=lambda subset: _SHARES[subset] * (len(order) + 1) - taken[subset]
        )
        order.append(sets[next_set][taken[next_set]])
        taken[next_set] += 1
    return order


def _by_artists_in_turn(clips: pd.DataFrame) -> list[int]:
    """Return ids of clips in an order in which all artists have a first clip before any second."""
    order = pd.DataFrame({"track": [f"track {track}" for track in clips.index]}, clips.index)
    # An unknown artist counts as an artist of its own.
    order["artist"] = ("artist " + clips.artist_id).fillna(order.track)
    order["draw"] = order.track.map(_draw)
    order = order.sort_values("draw")
    order["turn"] = order.groupby("artist").cumcount()
    order["place"] = order.artist.map(_draw)
    return order.sort_values(["turn", "place"]).index.to_list()


def _draw(text: str) -> str:
    """Return a random-looking key that is the same on every machine."""
    return hashlib.sha256(text.encode()).hexdigest()
