"""Which clips of fma_small a sample holds: some of each genre, from as many artists as there are.

The order in which a genre's clips are taken is fixed, so a larger sample holds every smaller one.
It follows from ids alone, so it is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container

import pandas as pd

from songnet_utils.corpora.fma_metadata import WRONG_DURATIONS, track_path
from songnet_utils.corpora.table import OFFICIAL

# Of the official split, in fma_small as in a sample of it.
_SHARES = (0.8, 0.1, 0.1)


def choose(tracks: pd.DataFrame, there: Container[str], number: int) -> dict[str, list[int]]:
    """Choose `number` clips of each genre of fma_small.

    Each genre's clips keep the official split's proportions, and in each of its sets artists
    take turns.

    Parameters
    ----------
    tracks
        FMA's table, as `songnet_utils.corpora.fma.read_tracks` reads it.
    there
        The paths of the clips that the archive lists.
    number
        Clips a genre; all of a genre that has fewer.

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
    """Return the ids of a genre's clips so that every beginning keeps the sets' proportions."""
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
    """Return ids of clips so that no artist has a second one before every artist has a first."""
    order = pd.DataFrame({"track": [f"track {track}" for track in clips.index]}, clips.index)
    # An artist who is not known counts as one of their own.
    order["artist"] = ("artist " + clips.artist_id).fillna(order.track)
    order["draw"] = order.track.map(_draw)
    order = order.sort_values("draw")
    order["turn"] = order.groupby("artist").cumcount()
    order["place"] = order.artist.map(_draw)
    return order.sort_values(["turn", "place"]).index.to_list()


def _draw(text: str) -> str:
    """Return a lot that anybody draws alike."""
    return hashlib.sha256(text.encode()).hexdigest()
