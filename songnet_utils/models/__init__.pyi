from .paper import songnet
from .registry import NETWORKS
from .trained import SongNet

__all__ = ["NETWORKS", "SongNet", "songnet"]
