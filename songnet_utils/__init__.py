"""SongNet, the course: music genre recognition from clips to a live widget.

Data flows one way: clips → log-mel frames → SongNet → genre over time → pictures, sounds,
widgets. Each room imports only from rooms on floors below its own (``CONTRIBUTING.md`` shows them).

This package has the names that you need (``__init__.pyi`` lists them). Python imports each at its
first use, so `import songnet_utils` is quick and does not start TensorFlow.
"""

from __future__ import annotations

import os
from importlib.metadata import version

import lazy_loader

# TensorFlow reads these once, at its first import; they silence its start-up messages. Your own
# settings win.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GLOG_minloglevel", "3")
# Let several notebooks and trainings share a GPU: none takes all of its memory.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

__version__ = version("songnet-utils")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
