"""What a lesson says of its clips and of its network, in Markdown, on any corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_NO_ARTISTS = "names no artists: each clip gets an artist of its own, so the artist split is random"


def about_clips(corpus: str, clips: pd.DataFrame, left_out: Sequence[Mapping[str, str]]) -> str:
    """Say which clips a lesson uses, and which genres it leaves out.

    Parameters
    ----------
    corpus : str
        The name of the corpus.
    clips : pandas.DataFrame
        The clips that the lesson uses.
    left_out : sequence of dict
        The genres that are left out, from `songnet_utils.corpora.splits.keep_genres`.

    Examples
    --------
    >>> clips = pd.DataFrame({"genre": ["Folk", "Rock"], "artist": ["Ann", "Bob"]})
    >>> about_clips("tunes", clips, [])
    'tunes has 2 clips in 2 genres: Folk, Rock. Left out: none.'
    """
    genres = sorted(clips.genre.unique())
    text = f"{corpus} has {len(clips)} clips in {len(genres)} genres: {', '.join(genres)}. "
    text += _left_out(left_out)
    return f"{text} {corpus} {_NO_ARTISTS}." if clips.artist.isna().all() else text


def about_run(record: Mapping[str, Any]) -> str:
    """Say how long a network was trained on what, and how well it does.

    Parameters
    ----------
    record : dict
        A network's record, from `songnet_utils.training.runs.read_record`.

    Examples
    --------
    >>> test = {"accuracy": 0.5, "confidence_interval": (0.3, 0.7), "clips": 40, "artists": 9}
    >>> about_run({"network": {"name": "SongNet"}, "epochs": [{}] * 8, "corpus": "tunes",
    ...            "test": test, "left_out": [{"genre": "Jazz", "reason": "one clip"}]})
    'SongNet, trained for 8 epochs on tunes, gets **50.0%** of its 40 test clips right (95 % \
interval over artists 30.0% to 70.0%). Left out: Jazz (one clip).'
    """
    tested, corpus = record["test"], record["corpus"]
    low, high = tested["confidence_interval"]
    text = (
        f"{record['network']['name']}, trained for {len(record['epochs'])} epochs on {corpus}, "
        f"gets **{tested['accuracy']:.1%}** of its {tested['clips']} test clips right (95 % "
        f"interval over artists {low:.1%} to {high:.1%}). "
    )
    text += _left_out(record["left_out"])
    return f"{text} {corpus} {_NO_ARTISTS}." if tested["artists"] is None else text


def _left_out(genres: Sequence[Mapping[str, str]]) -> str:
    named = ", ".join(f"{one['genre']} ({one['reason']})" for one in genres)
    return f"Left out: {named or 'none'}."
