"""Networks that answer while a song plays: time, receptive fields, layers with state."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
