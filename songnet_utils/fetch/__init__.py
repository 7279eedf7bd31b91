"""Bringing what the course does not carry itself: FMA's clips, and the pretrained listener."""

from __future__ import annotations

from songnet_utils.fetch.fma import BASE_URL, SHA1, fetch_fma
from songnet_utils.fetch.musicnn import (
    MUSICNN,
    MUSICNN_MEGABYTES,
    fetch_musicnn,
    musicnn_folder,
    musicnn_is_whole,
)
from songnet_utils.fetch.web import Patience

__all__ = [
    "BASE_URL",
    "MUSICNN",
    "MUSICNN_MEGABYTES",
    "SHA1",
    "Patience",
    "fetch_fma",
    "fetch_musicnn",
    "musicnn_folder",
    "musicnn_is_whole",
]
