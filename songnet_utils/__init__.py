"""SongNet, the course: music genre recognition from clips to a live widget.

Data flows one way: clips → log-mel frames → SongNet → genre over time → pictures, sounds,
widgets. Each room imports only from rooms on floors below its own (``CONTRIBUTING.md`` shows them).
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

# TensorFlow reads these once, when it is first imported: they keep its start-up chatter out of
# what people see. A person who set them knows better.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GLOG_minloglevel", "3")

if TYPE_CHECKING:
    from songnet_utils._utils.errors import SongNetError
    from songnet_utils.audio import load_audio, log_mel
    from songnet_utils.audio.frame_stream import FrameStream
    from songnet_utils.audio.sound import Sound
    from songnet_utils.corpora import open_corpus
    from songnet_utils.streaming.song_stream import SongStream
    from songnet_utils.training.runs import load_songnet

__version__ = "0.1.0"

# Names are brought in when first used, so that `import songnet_utils` stays quick and does not
# start TensorFlow.
_HOME = {
    "FrameStream": "audio.frame_stream",
    "Sound": "audio.sound",
    "SongNetError": "_utils.errors",
    "SongStream": "streaming.song_stream",
    "load_audio": "audio",
    "load_songnet": "training.runs",
    "log_mel": "audio",
    "open_corpus": "corpora",
}

__all__ = [
    "FrameStream",
    "SongNetError",
    "SongStream",
    "Sound",
    "load_audio",
    "load_songnet",
    "log_mel",
    "open_corpus",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
