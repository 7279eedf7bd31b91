from . import (
    corpora,
    evaluation,
    features,
    kernels,
    lessons,
    metrics,
    models,
    plots,
    streaming,
    training,
    widgets,
)
from ._utils.errors import SongNetError
from .audio import load_audio, log_mel
from .audio.frame_stream import FrameStream
from .audio.sound import Sound
from .corpora import open_corpus
from .corpora.splits import split
from .evaluation.compare import compare
from .features.store import log_mels
from .models.registry import NETWORKS
from .plots.players import Player, excerpt
from .streaming.song_stream import SongStream
from .training.runs import load_songnet
from .training.train import train

__all__ = [
    "NETWORKS",
    "FrameStream",
    "Player",
    "SongNetError",
    "SongStream",
    "Sound",
    "compare",
    "corpora",
    "evaluation",
    "excerpt",
    "features",
    "kernels",
    "lessons",
    "load_audio",
    "load_songnet",
    "log_mel",
    "log_mels",
    "metrics",
    "models",
    "open_corpus",
    "plots",
    "split",
    "streaming",
    "train",
    "training",
    "widgets",
]
__version__: str
