"""Plots and players: arrays and tables in, axes and sounds out.

Every function takes arrays or tables and returns matplotlib axes with a title, units and a
description in words. `show` puts the plot into a notebook with this description as its text
alternative, which pages made from the notebook also have.

References
----------
Okabe, M., & Ito, K. (2008). Color Universal Design: how to make figures and presentations that
are friendly to colorblind people. https://jfly.uni-koeln.de/color/
"""

import lazy_loader

# Import Matplotlib only for the first plot, because a player does not need it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
