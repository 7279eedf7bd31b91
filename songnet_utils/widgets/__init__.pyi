from .cards import ErrorCards
from .confusion import ConfusionButtons
from .filter_explorer import FilterBankExplorer
from .kernels import KernelGallery
from .live import LiveSong
from .mel_explorer import MelExplorer
from .quiz import GenreQuiz, KernelQuiz
from .split_explorer import SplitExplorer
from .temperature import TemperatureSlider
from .threshold import ThresholdSlider

__all__ = [
    "ConfusionButtons",
    "ErrorCards",
    "FilterBankExplorer",
    "GenreQuiz",
    "KernelGallery",
    "KernelQuiz",
    "LiveSong",
    "MelExplorer",
    "SplitExplorer",
    "TemperatureSlider",
    "ThresholdSlider",
]
