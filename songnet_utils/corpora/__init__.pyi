from . import splits
from .contents import contradictions
from .fma import fma_extract
from .licences import licence_family, licence_table
from .making import paths_of
from .opening import chosen_corpus, list_corpora, open_corpus, own_songs
from .own import OwnSongs
from .table import Corpus, credit, table, unusable_table

__all__ = [
    "Corpus",
    "OwnSongs",
    "chosen_corpus",
    "contradictions",
    "credit",
    "fma_extract",
    "licence_family",
    "licence_table",
    "list_corpora",
    "open_corpus",
    "own_songs",
    "paths_of",
    "splits",
    "table",
    "unusable_table",
]
