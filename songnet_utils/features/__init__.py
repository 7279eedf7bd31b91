"""Features: the store of log-mels, hand-crafted features, and their computation.

A hand-crafted set gives each clip one row of named numbers (`FEATURE_SETS`). Unlike the network's
frames, these numbers describe the whole clip, so they cannot be streamed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils.features.deshpande import DESHPANDE_NAMES, deshpande_features
from songnet_utils.features.fma import FMA_NAMES, fma_statistics
from songnet_utils.features.mfcc import (
    FEATURE_NAMES,
    MANDEL_ELLIS_NAMES,
    mandel_ellis_features,
    mfcc,
    mfcc_statistics,
)
from songnet_utils.features.tzanetakis import TZANETAKIS_NAMES, tzanetakis_features

__all__ = ["FEATURE_NAMES", "FEATURE_SETS", "FeatureSet", "feature_set", "mfcc", "mfcc_statistics"]


@dataclass(frozen=True)
class FeatureSet:
    """Named numbers that describe a clip.

    Parameters
    ----------
    columns : tuple of (str, str, str)
        Feature, statistic and number of each value.
    compute : callable
        Takes mono audio, shape (samples,), and its rate; returns shape (columns,), float32. The
        same audio gives the same bits in any thread.
    version : int
        Increases whenever the numbers change; stored numbers of older versions are recomputed.
    """

    columns: tuple[tuple[str, str, str], ...] = field(repr=False)
    compute: Callable[[np.ndarray, int], np.ndarray] = field(repr=False)
    version: int = 1


#: The feature sets by name; each set's module names the source of its recipe.
FEATURE_SETS = {
    "mfcc": FeatureSet(FEATURE_NAMES, mfcc_statistics),
    "fma": FeatureSet(FMA_NAMES, fma_statistics),
    "tzanetakis": FeatureSet(TZANETAKIS_NAMES, tzanetakis_features),
    "mandel-ellis": FeatureSet(MANDEL_ELLIS_NAMES, mandel_ellis_features),
    "deshpande": FeatureSet(DESHPANDE_NAMES, deshpande_features),
}


def feature_set(name: str) -> FeatureSet:
    """Return the feature set with this name; raise SongNetError if there is none."""
    if name not in FEATURE_SETS:
        raise SongNetError(
            f"the hand-crafted sets are {', '.join(FEATURE_SETS)}. "
            f"Got {name!r}.{did_you_mean(str(name), FEATURE_SETS)}"
        )
    return FEATURE_SETS[name]
