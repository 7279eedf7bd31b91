"""Kernel clips: hear what each convolution kernel has learnt, and doubt it.

Three ways to hear a kernel: pieces of music that excite it most (`found_clip`), a sound made up
to excite it (`maximised_clip`), and a song of which only what it answers to is left (`auralise`).
All return a `KernelClip`. A `survey` of a corpus says the rest about all kernels at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
