from .receptive_field import timeline_of
from .song_stream import SongStream
from .timeline import Layer

__all__ = ["Layer", "SongStream", "timeline_of"]
