"""The default recipes for training."""

from __future__ import annotations

from dataclasses import dataclass

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.splits import check_kind
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.registry import network_kind


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe for training a network.

    Parameters
    ----------
    epochs : int
        The most epochs.
    crop_seconds : float
        Length of the crop of each training clip in an epoch, at a random place; a shorter clip is
        repeated. Validation and test use whole clips.
    batch : int
        Crops in a batch.
    learning_rate : float
        Adam's learning rate at the start (the paper: 1e-3).
    schedule : str
        The schedule of the learning rate. ``"plateau"`` is the paper's ReduceLROnPlateau.
        ``"cosine"`` follows half a wave down to `least_learning_rate`, after one epoch of warm-up
        (Loshchilov & Hutter 2017, "SGDR"), and uses the last weights, because a few validation
        clips cannot identify the best epoch. ``"constant"`` never changes it.
    plateau_patience : int
        Epochs without a better validation loss after which the learning rate falls.
    plateau_factor : float
        The factor by which it falls, below 1.
    least_learning_rate : float
        The smallest learning rate.
    patience : int
        Epochs without a better validation loss after which training stops. (A cosine schedule
        always runs to its end.)
    weight_decay : float
        Share by which each kernel shrinks per step, times the learning rate (Loshchilov & Hutter
        2019, "Decoupled weight decay regularization"); 0 for no decay.
    mixup : float
        Crops of a batch are mixed in pairs, with frames and labels weighted by a draw from
        Beta(mixup, mixup) (Zhang et al. 2018, "mixup"); 0 for no mixing.
    masked_bands, masked_seconds : int, float
        The largest sizes of stripes that are replaced by the mean frame in each crop, two in mel
        bands and two in seconds (Park et al. 2019, "SpecAugment"); 0 for no stripes.
    semitones : float
        The largest shift of each crop's bands, in semitones up or down.
    averaging : float
        Momentum, below 1, of the moving average of the weights (Keras's ``ema_momentum``), which
        is validated and saved; 0 for no average.
    """

    epochs: int = 30
    crop_seconds: float = 8.0
    batch: int = 16
    learning_rate: float = 1e-3
    schedule: str = "plateau"
    plateau_patience: int = 3
    plateau_factor: float = 0.5
    least_learning_rate: float = 1e-5
    patience: int = 8
    weight_decay: float = 0.0
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
    """Return the default recipe of a model."""
    return Recipe() if model in BASELINES else Recipe(**network_kind(model).recipe)


def check_model(model: str) -> None:
    """Raise SongNetError unless `model` is a baseline, or a network with existing parts."""
    if not isinstance(model, str):
        raise SongNetError(f"A model must be a name, such as songnet or svm. Got {model!r}")
    if model not in BASELINES:
        network_kind(model)
