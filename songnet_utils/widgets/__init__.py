"""Widgets: each is a Python module with its JavaScript beside it."""

import lazy_loader

# Some widgets start TensorFlow, which `songnet app` must not do.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
