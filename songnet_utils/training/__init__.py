"""Training: fit a network, keep the run and its record, go on from another run."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
