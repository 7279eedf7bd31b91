"""What only the course needs: making it ready, running its notebooks, leaving readable pages."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
