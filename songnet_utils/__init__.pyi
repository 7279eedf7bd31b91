from . import (
    audio,
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
from .corpora import open_corpus, splits
from .evaluation.compare import compare
from .evaluation.report import evaluate
from .features.store import log_mels
from .models.building import keras
from .streaming.song_stream import SongStream
from .streaming.timeline import receptive_field
from .training.runs import load_songnet
from .training.train import train

__all__ = [
    "FrameStream",
    "SongNetError",
    "SongStream",
    "Sound",
    "audio",
    "compare",
    "corpora",
    "evaluate",
    "evaluation",
    "features",
    "keras",
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
    "receptive_field",
    "splits",
    "streaming",
    "train",
    "training",
    "widgets",
]
__version__: str
