"""What a person touches: Python and its JavaScript side by side."""

import lazy_loader

# Some start TensorFlow, which `songnet app` has to do without.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
