"""What a person touches: Python and its JavaScript side by side."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from songnet_utils.widgets.live import LiveSong

if TYPE_CHECKING:
    from songnet_utils.widgets.cards import ErrorCards

__all__ = ["ErrorCards", "LiveSong"]


def __getattr__(name: str) -> Any:
    # Brought in when first used: it starts TensorFlow, which the live song does without.
    if name == "ErrorCards":
        return importlib.import_module("songnet_utils.widgets.cards").ErrorCards
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
