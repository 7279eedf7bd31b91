"""Models: the networks by name, musicnn, the baselines, and ONNX.

`NETWORKS` has every network of the paper's story by name. All share their first and last layers
and their training (`songnet_utils.models.building`), and each trained network is a `SongNet`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
