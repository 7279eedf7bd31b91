"""What only the course needs: preparing it, running its notebooks and building its site."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
