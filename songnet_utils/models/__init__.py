"""The networks by name, musicnn, the baselines, and ONNX.

Here is every network of the paper's story under one name each (`NETWORKS`). They share a
beginning, an end and a way to be trained (`songnet_utils.models.building`), and once trained they
are all a `SongNet`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
