"""Corpora: every source of clips as one kind of table.

>>> corpus = open_corpus("mini")                          # doctest: +SKIP
>>> corpus.clips[["id", "genre", "artist", "seconds"]]    # doctest: +SKIP
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
