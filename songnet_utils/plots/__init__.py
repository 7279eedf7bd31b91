"""Pictures and players: arrays and tables in, axes and sounds out.

Every function takes arrays or tables and returns matplotlib axes, titled, with units, and
described in words: `show` puts the picture in a notebook with that description as its text
alternative, which pages made from the notebook keep.

References
----------
Okabe, M., & Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people. https://jfly.uni-koeln.de/color/
"""

import lazy_loader

# Matplotlib is imported with the first picture: a player does without it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
