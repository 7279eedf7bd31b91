"""Kernel clips: listen to the features of each convolution kernel, and test the claims about them.

There are three ways to hear a kernel: the pieces of music that excite it most (`found_clip`), a
synthetic sound that excites it (`maximised_clip`), and a song filtered by its activation
(`auralise`). All return a `KernelClip`. A `survey` of a corpus has the statistics of all kernels.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
