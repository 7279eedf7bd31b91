"""Streaming: networks that answer while a song plays, with timelines and receptive fields."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
