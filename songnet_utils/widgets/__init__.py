"""What a person touches: Python and its JavaScript side by side."""

from __future__ import annotations

import importlib
from typing import Any

# Brought in when first used: some start TensorFlow, which `songnet app` has to do without.
_MODULES = {
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
    if name in _MODULES:
        return getattr(importlib.import_module(f"songnet_utils.widgets.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
