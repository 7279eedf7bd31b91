"""What SongNet has to beat: classifiers on hand-crafted statistics, and mere guessing.

They answer once for a whole clip and hear nothing over time. As in the paper they are
scikit-learn's, with its default parameters; the statistics are brought to mean 0 and variance 1
over the training clips first, as FMA's authors do in the notebook whose figures the paper repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write

Baseline: TypeAlias = Pipeline


def _svm(seed: int) -> Pipeline:
    # A support vector machine with a radial kernel. Nothing in it is random.
    return make_pipeline(StandardScaler(), SVC())


def _chance(seed: int) -> Pipeline:
    # Each clip is given a genre at random, as often as the training clips have it: the paper's
    # "random guessing". (Always saying the commonest genre is worse than chance under
    # stratified folds, where the commonest one in training is the rarest in the test.)
    return make_pipeline(DummyClassifier(strategy="stratified", random_state=seed))


#: Baseline by name: a function of the seed that makes one, not yet fitted.
BASELINES: dict[str, Callable[[int], Pipeline]] = {"svm": _svm, "chance": _chance}


def fit_baseline(
    name: str, features: pd.DataFrame | np.ndarray, genres: Sequence[str], seed: int = 0
) -> Baseline:
    """Fit a baseline to the training clips.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    features : shape (clips, 140)
        The MFCC statistics of the training clips.
    genres : sequence of str
        Their genres.
    seed : int
        Of what is random in it.
    """
    if name not in BASELINES:
        raise SongNetError(f"the baselines are {', '.join(BASELINES)}. Got {name!r}")
    return BASELINES[name](seed).fit(np.asarray(features, np.float64), np.asarray(genres, str))


def answer_baseline(baseline: Baseline, features: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Return the genre that a fitted baseline gives each clip, shape (clips,)."""
    return baseline.predict(np.asarray(features, np.float64))


def save_baseline(baseline: Baseline, path: str | Path) -> None:
    """Write a fitted baseline, whole or not at all.

    In the skops format, which unlike pickle runs nothing when it is read.
    """
    import skops.io

    with atomic_write(path) as temporary:
        skops.io.dump(baseline, temporary)


def load_baseline(path: str | Path) -> Baseline:
    """Read what `save_baseline` wrote.

    Raises
    ------
    SongNetError
        When the file is not there, damaged, or holds anything but scikit-learn's own types.
    """
    import skops.io

    try:
        return skops.io.load(path)
    except OSError as error:
        raise SongNetError(f"{path}: cannot be read ({error.strerror}).") from error
    except Exception as error:
        # skops raises whatever its parts raise on damaged files, and UntrustedTypesFoundException.
        raise SongNetError(
            f"{path}: is no saved baseline, or is damaged ({type(error).__name__}). Train it again."
        ) from error
