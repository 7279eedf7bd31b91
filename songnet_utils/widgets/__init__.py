"""What a person touches: Python and its JavaScript side by side."""

from __future__ import annotations

from songnet_utils.widgets.live import LiveSong

__all__ = ["LiveSong"]
