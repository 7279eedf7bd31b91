"""The baselines for SongNet: classifiers on hand-crafted features, and random guessing.

They give one answer for a whole clip, not over time. As in the paper, they are scikit-learn's, with
its default parameters. Features are first scaled to mean 0 and variance 1 over the training clips,
as FMA's authors do in the notebook whose figures the paper repeats.

Each of five classifiers (``knn``, ``lr``, ``mlp``, ``svm``, ``svm-linear``) takes one of three
inputs: the 140 MFCC statistics, FMA's 518 features (``-518``), or the 140 with a song's metadata
(``-meta``), as in the paper's text. The last ones learn each artist's genre, so they need no sound
if training and test sets share artists.

The others use the features of the paper's related work. Two of them are simplified:
``mandel-ellis`` uses the Mahalanobis distance with a diagonal covariance over the training songs,
which is the Euclidean distance once each feature has variance 1. The mixtures (``-gmm``) add 0.01
to the variance of each feature, because otherwise the few clips of a small genre would give three
spikes.

Logistic regression, the MLP and the linear SVM stop after scikit-learn's default number of
iterations, even without convergence; `converged` reports it, and so does a run's record.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from songnet_utils._utils.errors import check_seed
from songnet_utils.features import FEATURE_SETS
from songnet_utils.features.metadata import ARTIST, NUMBERS, metadata

# For a mixture: the Gaussians per class, and the number added to each variance.
_COMPONENTS, _FLOOR = 3, 1e-2


class GaussianMixtureClassifier(ClassifierMixin, BaseEstimator):
    """A mixture of three Gaussians for each class; the answer is the most probable class.

    A class with fewer clips has fewer Gaussians; their covariances are diagonal. The prior
    probabilities of classes are their shares in the training clips.

    Parameters
    ----------
    random_state : int
        The seed for the initial Gaussians.
    """

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> GaussianMixtureClassifier:
        """Fit to clips, shape (clips, features), and their classes."""
        X, y = np.asarray(X, np.float64), np.asarray(y)
        self.classes_, counts = np.unique(y, return_counts=True)
        self.n_features_in_ = X.shape[1]
        self.log_priors_ = np.log(counts / len(y))
        self.mixtures_ = [self._mixture(X[y == one]) for one in self.classes_]
        return self

    def _mixture(self, clips: np.ndarray) -> GaussianMixture:
        mixture = GaussianMixture(
            min(_COMPONENTS, len(clips)),
            covariance_type="diag",
            reg_covar=_FLOOR,
            random_state=self.random_state,
        )
        # scikit-learn requires two clips; a clip counted twice changes nothing.
        return mixture.fit(clips if len(clips) > 1 else np.repeat(clips, 2, axis=0))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each clip, shape (clips,)."""
        X = np.asarray(X, np.float64)
        likelihoods = [mixture.score_samples(X) for mixture in self.mixtures_]
        return self.classes_[(np.column_stack(likelihoods) + self.log_priors_).argmax(axis=1)]


@dataclass(frozen=True)
class BaselineKind:
    """The recipe for a baseline.

    Parameters
    ----------
    features : str, optional
        Its feature set, a key of `songnet_utils.features.FEATURE_SETS`.
    metadata : bool
        Whether it also takes the numbers of `songnet_utils.features.metadata` and the artist.
    make : callable
        Takes a seed; returns a baseline that is not fitted yet.
    """

    features: str | None
    metadata: bool
    make: Callable[[int], Pipeline] = field(repr=False)


# The classifiers by their names on the 140. The paper says "linear support vector machine" and
# "default parameters"; both apply to only one class of scikit-learn, LinearSVC. (`SVC` is linear
# only on request; its default, the radial kernel, gives the figure that the paper prints.)
_CLASSIFIERS: dict[str, Callable[[int], BaseEstimator]] = {
    "knn": lambda seed: KNeighborsClassifier(),
    "lr": lambda seed: LogisticRegression(random_state=seed),
    "mlp": lambda seed: MLPClassifier(random_state=seed),
    "svm": lambda seed: SVC(),
    "svm-linear": lambda seed: LinearSVC(random_state=seed),
    "gmm": lambda seed: GaussianMixtureClassifier(random_state=seed),
}


def _on_features(classifier: str, features: str) -> BaselineKind:
    make = _CLASSIFIERS[classifier]
    return BaselineKind(features, False, lambda seed: make_pipeline(StandardScaler(), make(seed)))


def _on_metadata(classifier: str) -> BaselineKind:
    make = _CLASSIFIERS[classifier]

    def pipeline(seed: int) -> Pipeline:
        # A column without any value in the training clips becomes 0. Columns with missing values
        # have an extra column that marks them.
        numbers = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
            StandardScaler(),
        )
        # An artist outside the training set has 0 in all columns.
        names = OneHotEncoder(handle_unknown="ignore")
        columns = ["/".join(column) for column in FEATURE_SETS["mfcc"].columns]
        parts = [("numbers", numbers, [*columns, *NUMBERS]), ("names", names, [ARTIST])]
        return make_pipeline(ColumnTransformer(parts), make(seed))

    return BaselineKind("mfcc", True, pipeline)


def _chance(seed: int) -> Pipeline:
    # It guesses genres with their frequencies in the training clips. Always guessing the commonest
    # is worse than chance in stratified folds, because the commonest genre in training is the
    # rarest in the test.
    return make_pipeline(DummyClassifier(strategy="stratified", random_state=seed))


_FIVE = ("knn", "lr", "mlp", "svm", "svm-linear")

#: The baselines by name.
BASELINES: dict[str, BaselineKind] = {
    "chance": BaselineKind(None, False, _chance),
    **{name: _on_features(name, "mfcc") for name in _FIVE},
    **{f"{name}-518": _on_features(name, "fma") for name in _FIVE},
    **{f"{name}-meta": _on_metadata(name) for name in _FIVE},
    **{f"tzanetakis-{name}": _on_features(name, "tzanetakis") for name in ("knn", "gmm")},
    "mandel-ellis": _on_features("svm", "mandel-ellis"),
    **{f"deshpande-{name}": _on_features(name, "deshpande") for name in ("knn", "gmm", "svm")},
}


def baseline_inputs(name: str, features: pd.DataFrame | None, clips: pd.DataFrame) -> pd.DataFrame:
    """Return a baseline's inputs for clips.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    features : pandas.DataFrame, shape (clips or more, values)
        Its feature set, by clip id; None for a baseline without features.
    clips : pandas.DataFrame
        Rows of the table of clips.

    Returns
    -------
    pandas.DataFrame
        One row per clip, in the order of `clips`, by clip id; the names of columns are strings.
    """
    kind = BASELINES[name]
    index = pd.Index(clips.id, name="id")
    parts = [pd.DataFrame(index=index)]
    if features is not None:
        rows = features.loc[index]
        parts.append(rows.set_axis(["/".join(column) for column in rows.columns], axis=1))
    if kind.metadata:
        parts.append(metadata(clips)[[*NUMBERS, ARTIST]])
    return pd.concat(parts, axis=1)


def fit_baseline(
    name: str, inputs: pd.DataFrame | np.ndarray, genres: Sequence[str], seed: int = 0
) -> Pipeline:
    """Fit a baseline to the training clips.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    inputs : shape (clips, columns)
        The `baseline_inputs` of the training clips; without metadata, any array.
    genres : sequence of str
        Their genres.
    seed : int
        The seed.
    """
    check_seed(seed)
    baseline = BASELINES[name].make(seed)
    with warnings.catch_warnings():
        # `converged` reports it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return baseline.fit(_inputs(baseline, inputs), np.asarray(genres, str))


def predict_baseline(baseline: Pipeline, inputs: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Return a fitted baseline's prediction for each clip, shape (clips,)."""
    return baseline.predict(_inputs(baseline, inputs))


def _inputs(baseline: Pipeline, inputs: pd.DataFrame | np.ndarray) -> pd.DataFrame | np.ndarray:
    # Only metadata needs the names of columns.
    by_name = isinstance(baseline[0], ColumnTransformer)
    return inputs if by_name else np.asarray(inputs, np.float64)


def converged(baseline: Pipeline) -> bool | None:
    """Tell whether a fitted baseline has converged; None if it has no iterations."""
    last = baseline[-1]
    most = getattr(last, "max_iter", -1)
    return bool(np.max(last.n_iter_) < most) if most > 0 else None
