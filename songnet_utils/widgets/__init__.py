"""What a person touches: Python and its JavaScript side by side."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from songnet_utils.widgets.cards import ErrorCards
    from songnet_utils.widgets.confusion import ConfusionButtons
    from songnet_utils.widgets.filter_explorer import FilterBankExplorer
    from songnet_utils.widgets.kernels import KernelGallery
    from songnet_utils.widgets.live import LiveSong
    from songnet_utils.widgets.mel_explorer import MelExplorer
    from songnet_utils.widgets.quiz import KernelQuiz
    from songnet_utils.widgets.split_explorer import SplitExplorer
    from songnet_utils.widgets.temperature import TemperatureSlider
    from songnet_utils.widgets.threshold import ThresholdSlider

__all__ = [
    "ConfusionButtons",
    "ErrorCards",
    "FilterBankExplorer",
    "KernelGallery",
    "KernelQuiz",
    "LiveSong",
    "MelExplorer",
    "SplitExplorer",
    "TemperatureSlider",
    "ThresholdSlider",
]

# Brought in when first used: some start TensorFlow, which `songnet app` has to do without.
_LATER = {
    "ConfusionButtons": "confusion",
    "ErrorCards": "cards",
    "FilterBankExplorer": "filter_explorer",
    "KernelGallery": "kernels",
    "KernelQuiz": "quiz",
    "LiveSong": "live",
    "MelExplorer": "mel_explorer",
    "SplitExplorer": "split_explorer",
    "TemperatureSlider": "temperature",
    "ThresholdSlider": "threshold",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"songnet_utils.widgets.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
