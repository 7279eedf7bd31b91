"""How each model is trained unless you say otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.splits import check_kind
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.registry import network_kind


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        The most epochs.
    crops : int
        Crops of each training clip in an epoch.
    crop_seconds : float
        Length of a crop, which is taken at a random place; a shorter clip is repeated. Validation
        and test use whole clips.
    batch : int
        Crops in a batch.
    learning_rate : float
        Adam's, at the start (the paper: 1e-3).
    schedule : str
        How the learning rate falls. ``"plateau"``: as with the paper's ReduceLROnPlateau.
        ``"cosine"``: along half a wave down to `least_learning_rate`, after one epoch of warming
        up (Loshchilov & Hutter 2017, "SGDR"); the last weights are kept, as a few validation clips
        cannot tell which epoch was the best. ``"constant"``: not at all.
    plateau_patience : int
        Epochs without a better validation loss after which the learning rate falls.
    plateau_factor : float
        What it is multiplied by then, below 1.
    least_learning_rate : float
        Where it falls no further.
    patience : int
        Epochs without a better validation loss after which training stops. (A cosine schedule
        always runs to its end.)
    weight_decay : float
        Share of each kernel taken away in a step, times the learning rate (Loshchilov & Hutter
        2019, "Decoupled weight decay regularization"); 0: none.
    label_smoothing : float
        Share of the label that is spread over all genres (Szegedy et al. 2016), below 1.
    mixup : float
        Crops of a batch are mixed in pairs, frames and labels weighted by a draw from
        Beta(mixup, mixup) (Zhang et al. 2018, "mixup"); 0: never.
    masked_bands, masked_seconds : int, float
        Two stripes of up to so many mel bands, and two of up to so many seconds, of each crop
        are replaced by the mean frame (Park et al. 2019, "SpecAugment"); 0: none.
    semitones : float
        Each crop sounds up to so many semitones higher or lower: its bands are moved.
    averaging : float
        Momentum, below 1, of the moving average of the weights that is validated and kept (Keras's
        ``ema_momentum``); 0: the last weights are.
    """

    epochs: int = 30
    crops: int = 1
    crop_seconds: float = 8.0
    batch: int = 16
    learning_rate: float = 1e-3
    schedule: str = "plateau"
    plateau_patience: int = 3
    plateau_factor: float = 0.5
    least_learning_rate: float = 1e-5
    patience: int = 8
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    masked_bands: int = 0
    masked_seconds: float = 0.0
    semitones: float = 0.0
    averaging: float = 0.0

    def __post_init__(self) -> None:
        if type(self.epochs) is not int or self.epochs < 1:
            raise SongNetError(f"epochs must be a whole number of at least 1. Got {self.epochs!r}")
        check_kind(self.schedule, ("plateau", "cosine", "constant"), "a schedule")


def recipe_of(model: str) -> Recipe:
    """Return how a model is trained unless you say otherwise."""
    return Recipe() if model in BASELINES else Recipe(**network_kind(model).recipe)


def check_model(model: str) -> None:
    """Raise SongNetError unless `model` names a baseline, or a network with parts that it has."""
    if not isinstance(model, str):
        raise SongNetError(f"A model is given by its name, such as songnet or svm. Got {model!r}")
    if model not in BASELINES:
        network_kind(model)
