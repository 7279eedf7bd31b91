"""A training run: corpus + split + model → weights, answers and a record, in one folder.

A run leaves in its folder ``model.keras`` and ``model.onnx`` (a network) or ``model.skops`` (a
baseline), ``answers.csv`` (what it says of every clip) and, last of all, ``record.json``: a folder
with a record is finished. Until then a network's ``progress.npz`` holds everything that the rest
of the run depends on. It is replaced whole after each epoch, and whatever is random in an epoch
(order, crops, dropout) depends only on the run's seed and the epoch's number. So a run that was
killed at any moment goes on to the same end as one that was not.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import math
import platform
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from tqdm.auto import tqdm

from songnet_utils.baselines import (
    BASELINES,
    answer_baseline,
    baseline_inputs,
    converged,
    fit_baseline,
    save_baseline,
)
from songnet_utils.corpora import Corpus, data_folder, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.features import FEATURE_SETS
from songnet_utils.files import atomic_write
from songnet_utils.listener import EMBEDDING, STRIDE, Embedding, load_embedding_model
from songnet_utils.metadata import encode, fit_encoder, metadata, unknown
from songnet_utils.models import (
    LEAST_SPREAD,
    NETWORKS,
    NetworkKind,
    SongNet,
    centre,
    given_to,
    keras,
    network_kind,
    save_keras,
    save_onnx,
    set_weights,
    tf,
    timeline_of,
    weights_of,
    with_listener,
)
from songnet_utils.scores import accuracy, artist_interval, confusion, wilson_interval
from songnet_utils.splits import KINDS, SIDES, artists, keep_genres
from songnet_utils.splits import split as split_clips
from songnet_utils.store import LogMelStore, Prepared
from songnet_utils.timeline import Sound, Timeline

#: All that `train` can make.
MODELS = (*NETWORKS, *BASELINES)

_PROGRESS = "progress.npz"
_FILES = ("record.json", _PROGRESS, "model.keras", "model.onnx", "model.skops", "answers.csv")

# What a probability is taken to be at least, so that its logarithm is finite (Keras's epsilon).
_EPSILON = 1e-7

# Whole clips that are answered at once.
_TOGETHER = 16

# How often a network that is told what is known of a song is trained without being told.
_UNTOLD = 0.3


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        The most times that the training clips are gone through.
    crop_seconds : float
        Each epoch hears one piece of about this many seconds of each training clip, from a
        random place. A clip that is shorter is repeated. Validation and test hear whole clips.
    batch : int
        Clips in a step of the optimizer.
    learning_rate : float
        Adam's, at the start (the paper: 1e-3).
    schedule : str
        How the learning rate falls: ``"plateau"``, as the paper's ReduceLROnPlateau;
        ``"cosine"``, along half a wave down to `least_learning_rate` in the last epoch, after one
        epoch of warming up (Loshchilov & Hutter 2017, "SGDR"); ``"constant"``, not at all.
    plateau_patience : int
        After so many epochs without a better validation loss, the learning rate falls.
    plateau_factor : float
        What it is multiplied by then.
    least_learning_rate : float
        It goes no lower.
    patience : int
        After so many epochs without a better validation loss, training stops. (A cosine is
        always gone to its end.)
    weight_decay : float
        Share of each kernel taken away in a step, times the learning rate (Loshchilov & Hutter
        2019, "Decoupled weight decay regularization"); 0: none.
    label_smoothing : float
        Share of the label that is spread over all genres (Szegedy et al. 2016).
    mixup : float
        Two clips of a batch are heard at once, their frames and labels weighted by a draw from
        Beta(mixup, mixup) (Zhang et al. 2018, "mixup"); 0: never.
    masked_bands, masked_seconds : int, float
        Two stripes of up to so many mel bands, and two of up to so many seconds, of each piece
        are replaced by the mean frame (Park et al. 2019, "SpecAugment"); 0: none.
    averaging : float
        Validation, test and the finished network use weights averaged over the steps, each step
        forgetting this share of the average: 0 to below 1; 0 takes the last weights.
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
    label_smoothing: float = 0.0
    mixup: float = 0.0
    masked_bands: int = 0
    masked_seconds: float = 0.0
    averaging: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "plateau_patience", "patience"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SongNetError(f"{name} must be a whole number of at least 1. Got {value!r}")
        for name in ("crop_seconds", "learning_rate", "plateau_factor", "least_learning_rate"):
            if not getattr(self, name) > 0:
                raise SongNetError(f"{name} must be positive. Got {getattr(self, name)!r}")
        for name in ("weight_decay", "mixup", "masked_bands", "masked_seconds"):
            if not getattr(self, name) >= 0:
                raise SongNetError(f"{name} must not be negative. Got {getattr(self, name)!r}")
        for name in ("label_smoothing", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise SongNetError(f"{name} must be from 0 to below 1. Got {getattr(self, name)!r}")
        if self.schedule not in ("plateau", "cosine", "constant"):
            raise SongNetError(
                f"schedule must be plateau, cosine or constant. Got {self.schedule!r}"
            )


def train(
    corpus: Corpus | str,
    model: str = "songnet",
    split: str = "random",
    genres: Sequence[str] | None = None,
    seed: int = 0,
    epochs: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    recipe: Recipe | None = None,
    tensorboard: bool = False,
) -> Path:
    """Train a model on a corpus, or go on with a run that was stopped.

    Parameters
    ----------
    corpus : Corpus or str
        What `open_corpus` returns or takes.
    model : str
        One of `MODELS`.
    split : str
        ``"random"``, ``"artist"`` (no artist on two sides) or ``"official"`` (the corpus's own).
    genres : sequence of str, optional
        Only these; all by default. Genres too small for the split are left out.
    seed : int
        Of the split, the weights and everything random in training.
    epochs : int, optional
        The most epochs; the recipe's by default.
    out : path, optional
        The run's folder; ``runs/CORPUS/MODEL-SPLIT-SEED`` in the data folder by default.
    force : bool
        Throw away what an earlier run left in the folder.
    progress : bool
        Show a progress bar.
    recipe : Recipe, optional
        How a network is trained; its own recipe by default.
    tensorboard : bool
        Write a network's figures for TensorBoard, too, into the run's folder.

    Returns
    -------
    pathlib.Path
        The run's folder.

    Raises
    ------
    SongNetError
        When there is nothing to learn from, when the folder holds a finished run, or an
        unfinished one with other arguments.
    """
    check_model(model)
    check_split(split)
    recipe = recipe or recipe_of(model)
    if epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=epochs)
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    folder = Path(out) if out else runs_folder(corpus) / f"{model}-{split}-{seed}"
    if (folder / "record.json").exists() and not force:
        raise SongNetError(
            f"{folder}: holds a finished run. Use --force to train it again from the start, "
            "or --out for another folder."
        )
    # What is wrong with the genres is said before hours of work on the frames, not after.
    keep_genres(corpus.clips, genres, kind=split)
    prepared = LogMelStore().prepare(corpus, progress=progress)
    clips, left_out = keep_genres(prepared.clips, genres, kind=split)
    run = Run(
        prepared=prepared,
        clips=clips,
        sides=split_clips(clips, split, seed),
        left_out=left_out,
        model=model,
        split=split,
        seed=seed,
        recipe=recipe,
    )
    run.make(folder, force=force, progress=progress, tensorboard=tensorboard)
    return folder


def check_model(model: str) -> None:
    """Raise SongNetError unless `model` is one of `MODELS`, or a network without parts it has."""
    if model in BASELINES:
        return
    if model.split("~")[0] not in NETWORKS:
        raise SongNetError(f"A model is one of {', '.join(MODELS)}. Got {model!r}")
    network_kind(model)


def recipe_of(model: str) -> Recipe:
    """Return how a model is trained unless one says otherwise."""
    return Recipe() if model in BASELINES else Recipe(**network_kind(model).recipe)


def check_split(split: str) -> None:
    """Raise SongNetError unless `split` is a kind of split."""
    if split not in KINDS:
        raise SongNetError(f"A split is one of {', '.join(KINDS)}. Got {split!r}")


def runs_folder(corpus: Corpus) -> Path:
    """Return the folder for a corpus's runs in the data folder."""
    return data_folder() / "runs" / corpus.name


def newest_run() -> Path | None:
    """Return the folder of the newest finished run of a network in the data folder, if any."""
    models = (data_folder() / "runs").glob("*/*/model.keras")
    finished = [path.parent for path in models if (path.parent / "record.json").is_file()]
    return max(finished, key=lambda run: (run / "record.json").stat().st_mtime, default=None)


def read_record(folder: str | Path) -> dict[str, Any]:
    """Return the record of a finished run."""
    try:
        return json.loads((Path(folder) / "record.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise SongNetError(
            f"{folder}: is not a finished run (no readable record.json). "
            "Start the same songnet train again: it goes on where it stopped."
        ) from error


def read_answers(folder: str | Path) -> pd.DataFrame:
    """Return what a finished run says of every clip.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``side`` (train, validation, test), ``artist`` (one's own where unknown),
        ``genre`` (the truth), ``answer``, and for a network ``p_GENRE`` for each genre.
    """
    return pd.read_csv(Path(folder) / "answers.csv", dtype={"id": str, "artist": str})


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that decides what a run comes to.

    Parameters
    ----------
    prepared : Prepared
        The corpus with its frames and statistics.
    clips : pandas.DataFrame
        The clips that take part.
    sides : pandas.Series
        train, validation or test, with the index of `clips`.
    left_out : list of dict
        Genres left out, with the reason.
    model, split, seed, recipe
        As in `train`.
    fold : int, optional
        Which of several folds is tested.
    folds : int, optional
        How many there are.
    """

    prepared: Prepared
    clips: pd.DataFrame
    sides: pd.Series
    left_out: list[dict[str, str]]
    model: str
    split: str
    seed: int
    recipe: Recipe
    fold: int | None = None
    folds: int | None = None

    @property
    def genres(self) -> list[str]:
        """The genres told apart, in the order of the network's outputs."""
        return sorted(self.clips.genre.unique())

    @property
    def kind(self) -> NetworkKind | None:
        """The network that is trained; None where it is a baseline."""
        return None if self.model in BASELINES else network_kind(self.model)

    @property
    def sound(self) -> Sound:
        """The description of sound that the model goes by."""
        return self.kind.sound if self.kind and self.kind.listener else self.prepared.sound

    def side(self, side: str) -> pd.DataFrame:
        """Return the clips of one side."""
        return self.clips[self.sides == side]

    def _names(self) -> dict[str, Any]:
        """Return what a run is called by, in its arguments and in its record."""
        return {
            "corpus": self.prepared.corpus.name,
            "model": self.model,
            "split": self.split,
            "seed": self.seed,
            "fold": self.fold,
            "folds": self.folds,
            "genres": self.genres,
        }

    def arguments(self) -> dict[str, Any]:
        """Return what two runs must have in common to be the same run, fit for JSON."""
        deal = hashlib.sha256()
        for clip, genre, side in sorted(
            zip(self.clips.id, self.clips.genre, self.sides, strict=True)
        ):
            deal.update(repr((clip, genre, side, self.prepared.contents[clip])).encode())
        kind = self.kind or BASELINES[self.model]
        if kind.metadata:
            deal.update(metadata(self.clips).sort_index().to_csv().encode())
        return {
            **self._names(),
            "clips and their sides": deal.hexdigest()[:16],
            "sound": self.sound.to_dict(),
            **(
                {"network": self.kind.description(), "recipe": dataclasses.asdict(self.recipe)}
                if self.kind
                else {"hears": self._hears()}
            ),
        }

    def _hears(self) -> dict[str, Any]:
        """Return what a baseline goes by, fit for JSON."""
        kind = BASELINES[self.model]
        if kind.features is None:
            return {"features": None, "metadata": kind.metadata}
        published = self.prepared.is_published(kind.features)
        return {
            "features": kind.features,
            "features_version": FEATURE_SETS[kind.features].version,
            "features_from": "FMA's features.csv" if published else "the clips",
            "metadata": kind.metadata,
        }

    def is_finished(self, folder: Path) -> bool:
        """Tell whether `folder` holds this very run, finished.

        Raises
        ------
        SongNetError
            When it holds another finished run.
        """
        if not (folder / "record.json").exists():
            return False
        _check_same(folder, "a finished", read_record(folder).get("arguments"), self.arguments())
        return True

    def make(
        self,
        folder: Path,
        *,
        force: bool = False,
        progress: bool = True,
        tensorboard: bool = False,
    ) -> None:
        """Do what is left to do of the run; see `train`."""
        if force:
            # The record first: without it, what is left is an unfinished run.
            for name in _FILES:
                (folder / name).unlink(missing_ok=True)
        began = time.monotonic()
        if self.kind:
            training = _NetworkTraining(self, folder, progress, tensorboard)
            training.go_on(progress)
            net = training.best()
            fitted = time.monotonic()
            answers = self._answers(training.answers(self.clips.id), net.genres)
            answered = time.monotonic()
            save_keras(net, folder / "model.keras")
            if not self.kind.listener:  # TEMPORARY
                save_onnx(net, folder / "model.onnx")
            epochs = training.state.epochs
            # Epochs before an interruption count, too.
            seconds_to_fit = sum(epoch["seconds"] for epoch in epochs)
            extra = {"best_epoch": training.state.best_epoch, "recipe": vars(self.recipe)}
            network = {
                "name": net.name,
                "training_music": net.training_music,
                "weights": net.keras_model.count_params(),
                "parts": self.kind.description(),
            }
        else:
            heard = BASELINES[self.model].features
            features = self.prepared.hand_crafted(heard, progress) if heard else None
            inputs = baseline_inputs(self.model, features, self.clips)
            started = time.monotonic()
            baseline = fit_baseline(
                self.model,
                inputs[(self.sides == "train").to_numpy()],
                self.side("train").genre.to_numpy(),
                self.seed,
            )
            fitted = time.monotonic()
            answers = self._answers(answer_baseline(baseline, inputs))
            answered = time.monotonic()
            seconds_to_fit = fitted - started
            save_baseline(baseline, folder / "model.skops")
            about = {
                **self._hears(),
                "columns": inputs.shape[1],
                "classifier": type(baseline[-1]).__name__,
                "converged": converged(baseline),
            }
            epochs, extra, network = [], {"baseline": about}, None
        with atomic_write(folder / "answers.csv") as temporary:
            answers.to_csv(temporary, index=False)
        record = {
            **self._names(),
            "left_out": self.left_out,
            "unusable": self.prepared.unusable[["id", "reason"]].to_dict("records"),
            "sound": self.sound.to_dict(),
            "network": network,
            "epochs": epochs,
            **extra,
            **{side: self._score(answers, side) for side in SIDES},
            "seconds_to_fit": round(seconds_to_fit, 4),
            "seconds_to_answer": round(answered - fitted, 4),
            "seconds_of_last_start": round(time.monotonic() - began, 1),
            "versions": versions(),
            "arguments": self.arguments(),
        }
        with atomic_write(folder / "record.json") as temporary:
            temporary.write_text(
                json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        (folder / _PROGRESS).unlink(missing_ok=True)
        # What was being written when an earlier start was killed.
        for leftover in folder.glob(".*.part.*"):
            leftover.unlink(missing_ok=True)

    def _answers(self, answers: np.ndarray, genres: Sequence[str] | None = None) -> pd.DataFrame:
        """Put genres, or their probabilities, beside what is known of the clips."""
        table = pd.DataFrame(
            {
                "id": self.clips.id,
                "side": self.sides,
                "artist": artists(self.clips),
                "genre": self.clips.genre,
            }
        )
        if genres is None:
            return table.assign(answer=answers)
        table["answer"] = np.asarray(genres)[answers.argmax(axis=1)]
        for genre, column in zip(genres, answers.T, strict=True):
            table[f"p_{genre}"] = column
        return table

    def _score(self, answers: pd.DataFrame, side: str) -> dict[str, Any]:
        tested = answers[answers.side == side]
        known = self.side(side).artist.notna()
        # A corpus that knows no artist at all is not one of as many artists as clips.
        nobody = self.clips.artist.isna().all()
        right = (tested.genre == tested.answer).to_numpy()
        score = {
            "clips": len(tested),
            "artists": None if nobody else int(tested.artist.nunique()),
            "clips_of_unknown_artists": int((~known).sum()),
            "accuracy": accuracy(tested.genre, tested.answer),
            "confidence_interval": wilson_interval(int(right.sum()), len(right)),
            "artist_interval": artist_interval(right, tested.artist),
        }
        if side == "test":
            score["confusion"] = confusion(tested.genre, tested.answer, self.genres).tolist()
        return score


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on."""
    names = ("songnet-utils", "tensorflow", "keras", "scikit-learn", "numpy", "scipy", "soxr")
    found = {"python": platform.python_version()}
    for name in (*names, "soundfile", "librosa"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            from songnet_utils import __version__

            found[name] = __version__ if name == "songnet-utils" else "not installed"
    return found


def _check_same(
    folder: Path, what: str, theirs: Mapping[str, Any] | None, ours: Mapping[str, Any]
) -> None:
    """Raise SongNetError unless a run's arguments are those that were asked for."""
    if theirs == ours:
        return
    theirs = _flat(theirs or {})
    differing = [
        f"{key} {theirs.get(key)} there, {value} asked for"
        for key, value in _flat(ours).items()
        if theirs.get(key) != value
    ] or ["its arguments are not known"]
    raise SongNetError(
        f"{folder}: holds {what} run with other arguments ({'; '.join(differing[:3])}). "
        "Give the same ones, use --force to start it afresh, or --out for another folder."
    )


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in arguments.items():
        flat |= value if isinstance(value, Mapping) else {key: value}
    return flat


@dataclass
class _State:
    """Where training stands after an epoch, besides the weights."""

    learning_rate: float
    epochs: list[dict[str, float]] = dataclasses.field(default_factory=list)
    best_loss: float = math.inf
    best_epoch: int = 0
    #: Epochs since the last improvement, or since the learning rate last fell.
    waited: int = 0

    def add(self, epoch: dict[str, float], recipe: Recipe) -> bool:
        """Take an epoch's figures; return whether its weights are the best so far.

        The learning rate falls as with Keras's ReduceLROnPlateau.
        """
        self.epochs.append(epoch)
        if epoch["validation_loss"] < self.best_loss:
            self.best_loss, self.best_epoch, self.waited = (
                epoch["validation_loss"],
                len(self.epochs),
                0,
            )
            return True
        self.waited += 1
        if recipe.schedule == "plateau" and self.waited >= recipe.plateau_patience:
            self.waited = 0
            self.learning_rate = max(
                self.learning_rate * recipe.plateau_factor, recipe.least_learning_rate
            )
        return False

    def is_over(self, recipe: Recipe) -> bool:
        """Tell whether there is no epoch left to do."""
        done = len(self.epochs)
        waited = recipe.schedule != "cosine" and done - self.best_epoch >= recipe.patience
        return done >= recipe.epochs or waited

    def rate(self, recipe: Recipe) -> float:
        """Return the learning rate of the next epoch."""
        if recipe.schedule != "cosine":
            return self.learning_rate
        done = len(self.epochs)
        if done == 0:
            return recipe.learning_rate / 3
        along = done / max(1, recipe.epochs - 1)
        least = recipe.least_learning_rate
        return least + (recipe.learning_rate - least) * (1 + math.cos(math.pi * along)) / 2


class _NetworkTraining:
    """A network on its way, saved after each epoch."""

    def __init__(self, run: Run, folder: Path, progress: bool, tensorboard: bool) -> None:
        assert run.kind is not None
        self.run, self.folder, self.kind = run, folder, run.kind
        self.tensorboard = tensorboard
        recipe = run.recipe
        self.clips = run.side("train").id.tolist()
        self.rows, bands, per_second = self._what_is_heard(progress)
        self.encoder: ColumnTransformer | None = None
        #: What is known of each clip, and of a clip of which nothing is: (columns,) each.
        self.known: dict[str, np.ndarray] = {}
        self.unknown = np.zeros(0, np.float32)
        if self.kind.metadata:
            known = metadata(run.clips)
            self.encoder = fit_encoder(known.loc[self.clips])
            self.known = dict(zip(known.index, encode(self.encoder, known), strict=True))
            self.unknown = encode(self.encoder, unknown())[0]
        with _precision():
            self.model = self._build()
        self.optimizer = _optimizer(recipe)
        self.optimizer.build(self.model.trainable_variables)
        self.state = _State(recipe.learning_rate)
        # The averaged weights are those that are judged and kept.
        self.average = [tf.Variable(variable) for variable in _variables(self.model)]
        self.crop_rows = max(1, round(recipe.crop_seconds * per_second))
        if not self.kind.listener:
            timeline = timeline_of(self.model, run.sound)
            self.crop_rows = max(self.crop_rows, timeline.field.size)
            self._check_seconds(timeline)
        self.place = {genre: index for index, genre in enumerate(run.genres)}
        self.labels = run.side("train").genre.map(self.place).to_numpy(np.int32)
        self.mean = np.zeros(bands, np.float32)
        self.best_weights: list[np.ndarray] = []
        self._failure: BaseException | None = None
        mean, spread = _mean_and_spread(self.rows, self.clips)
        self.mean = mean.astype(np.float32)
        if not self._load():
            centre(self.model, mean, spread, least=0.0 if self.kind.listener else LEAST_SPREAD)
            self._average_is_now()
            self.best_weights = weights_of(self.model)
            self._save()
        columns = len(self.unknown)
        inputs = {self.model.inputs[0].name: tf.TensorSpec((None, None, bands), tf.float32)}
        if self.encoder is not None:
            inputs["metadata"] = tf.TensorSpec((None, columns), tf.float32)
        # An answer is asked for any number of rows; what is learnt from is cut to one size.
        self._answer = tf.function(
            lambda given: self.model(given_to(self.model, given), training=False)["genre"],
            input_signature=[inputs],
            autograph=False,
        )
        cut = {
            name: tf.TensorSpec((None, self.crop_rows, bands), tf.float32)
            if name != "metadata"
            else spec
            for name, spec in inputs.items()
        }
        self._signature = (cut, tf.TensorSpec((None, len(run.genres)), tf.float32))
        # Nothing in it needs autograph, whose parsing beside tf.data's thread can trip over a bug
        # of Python such as 3.11.7 ("AST constructor recursion depth mismatch").
        self._step = tf.function(self._learn, input_signature=self._signature, autograph=False)

    def _what_is_heard(self, progress: bool) -> tuple[Callable[[str], np.ndarray], int, float]:
        """Return a clip's rows by its id, how many numbers a row has, and rows a second."""
        run = self.run
        if self.kind.listener:
            rows = run.prepared.extracted(
                Embedding(
                    data_dir=None if (data := run.prepared.store.data) is None else str(data)
                ),
                "embedding",
                progress,
            )
            return rows, EMBEDDING, run.sound.sample_rate / run.sound.hop / STRIDE
        return run.prepared.frames, run.sound.n_mels, run.sound.sample_rate / run.sound.hop

    def _check_seconds(self, timeline: Timeline) -> None:
        """Raise SongNetError unless every clip is long enough for one step."""
        for clip in self.run.clips.id:
            if not timeline.steps_of_frames(len(self.rows(clip))):
                raise SongNetError(
                    f"clip {clip} of {self.run.prepared.corpus.name}: is too short for "
                    f"{self.run.model}, one step of which hears {timeline.seconds_needed:.1f} s. "
                    "Take longer clips, or a network that hears less at a time, such as songnet."
                )

    def _build(self) -> keras.Model:
        columns = {"columns": len(self.unknown)} if self.kind.metadata else {}
        options = {**self.kind.options, **columns}
        return self.kind.build(self.run.sound, self.run.genres, seed=self.run.seed, **options)

    def best(self) -> SongNet:
        """Return the network with the best weights."""
        set_weights(self.model, self.best_weights)
        # Whatever it was trained in, it is kept in single precision.
        model = self._build()
        set_weights(model, self.best_weights)
        if self.kind.listener:
            model = with_listener(model, load_embedding_model(self.run.prepared.store.data))
        return SongNet(
            model,
            self.run.sound,
            self.run.genres,
            name=self.kind.title,
            training_music=_training_music(self.run),
            caution=_caution(self.run),
            encoder=self.encoder,
        )

    def answers(self, clips: Sequence[str]) -> np.ndarray:
        """Return what the network says of clips, (clips, genres)."""
        found: dict[str, np.ndarray] = {}
        alike: dict[int, list[str]] = {}
        for clip in clips:
            together = alike.setdefault(len(self.rows(clip)), [])
            together.append(clip)
            if len(together) == _TOGETHER:
                found |= self._answer_together(together)
                together.clear()
        for together in alike.values():
            if together:
                found |= self._answer_together(together)
        return np.stack([found[clip] for clip in clips])

    def _answer_together(self, clips: Sequence[str]) -> dict[str, np.ndarray]:
        given = {self.model.inputs[0].name: np.stack([self.rows(clip) for clip in clips])}
        if self.encoder is not None:
            given["metadata"] = np.stack([self.known[clip] for clip in clips])
        return dict(zip(clips, self._answer(given).numpy(), strict=True))

    def go_on(self, progress: bool) -> None:
        """Train until the run is over."""
        recipe, state = self.run.recipe, self.state
        batches = math.ceil(len(self.clips) / recipe.batch)
        with tqdm(
            total=recipe.epochs * batches,
            initial=len(state.epochs) * batches,
            unit="batch",
            disable=not progress,
            leave=False,
            mininterval=0.5,
        ) as bar:
            while not state.is_over(recipe):
                number = len(state.epochs) + 1
                bar.set_description(f"epoch {number} of at most {recipe.epochs}")
                began = time.monotonic()
                rate = state.rate(recipe)
                self.optimizer.learning_rate = rate
                epoch = {"epoch": number, **self._hear_once(number, bar)}
                with self._averaged():
                    epoch |= self._validate()
                    judged = weights_of(self.model)
                if not math.isfinite(epoch["loss"] + epoch["validation_loss"]):
                    raise SongNetError(
                        f"{self.folder}: the loss of epoch {number} is not a number: training has "
                        "run away. Start it afresh (--force) with another seed or a lower "
                        "learning rate."
                    )
                epoch["learning_rate"] = rate
                epoch["seconds"] = round(time.monotonic() - began, 2)
                if state.add(epoch, recipe):
                    self.best_weights = judged
                self._save()
                if self.tensorboard:
                    _write_for_tensorboard(self.folder, epoch)
                bar.set_postfix(
                    {
                        "loss": f"{epoch['loss']:.2f}",
                        "accuracy": f"{epoch['accuracy']:.2f}",
                        "validation": f"{epoch['validation_accuracy']:.2f}",
                    }
                )

    def _learn(
        self, given: Mapping[str, tf.Tensor], targets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            answer = self.model(given_to(self.model, given), training=True)["genre"]
            losses = keras.losses.categorical_crossentropy(targets, answer)
            loss = self.optimizer.scale_loss(tf.reduce_mean(losses))
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        if self.run.recipe.averaging:
            for average, variable in zip(self.average, _variables(self.model), strict=True):
                average.assign_add((1 - self.run.recipe.averaging) * (variable - average))
        right = tf.cast(tf.argmax(answer, axis=1) == tf.argmax(targets, axis=1), tf.int32)
        return tf.reduce_sum(losses), tf.reduce_sum(right)

    def _hear_once(self, epoch: int, bar: tqdm) -> dict[str, float]:
        """Go through the training clips once."""
        random = np.random.default_rng([self.run.seed, epoch])
        order = random.permutation(len(self.clips))
        # A whole clip's crop starts anywhere from 0 to 1 of the room that it leaves.
        starts = random.random(len(self.clips))
        for layer in self.model.layers:
            if getattr(layer, "rate", 0) and hasattr(layer, "seed_generator"):
                state = layer.seed_generator.state
                state.assign(random.integers(0, 2**31, state.shape).astype("uint32"))
        data = tf.data.Dataset.from_generator(
            lambda: self._batches(order, starts, random), output_signature=self._signature
        ).prefetch(2)
        loss = right = 0.0
        try:
            for given, targets in data:
                batch_loss, batch_right = self._step(given, targets)
                loss += float(batch_loss)
                right += float(batch_right)
                bar.update()
        except tf.errors.OpError:
            # What `_batches` raised, wrapped by tf.data beyond recognition.
            if self._failure is not None:
                raise self._failure from None
            raise
        return {"loss": loss / len(self.clips), "accuracy": right / len(self.clips)}

    def _batches(
        self, order: np.ndarray, starts: np.ndarray, random: np.random.Generator
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        recipe, genres = self.run.recipe, len(self.place)
        try:
            for first in range(0, len(order), recipe.batch):
                chosen = order[first : first + recipe.batch]
                crops = [
                    crop(self.rows(self.clips[clip]), self.crop_rows, starts[clip])
                    for clip in chosen
                ]
                rows = np.stack(crops)
                targets = np.eye(genres, dtype=np.float32)[self.labels[chosen]]
                targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / genres
                known = (
                    np.stack([self.known[self.clips[clip]] for clip in chosen])
                    if self.encoder is not None
                    else None
                )
                if known is not None:
                    # So that it has an answer for songs of which nothing is known, too.
                    known[random.random(len(known)) < _UNTOLD] = self.unknown
                if recipe.masked_bands or recipe.masked_seconds:
                    per_second = self.crop_rows / recipe.crop_seconds
                    mask(
                        rows,
                        self.mean,
                        recipe.masked_bands,
                        round(recipe.masked_seconds * per_second),
                        random,
                    )
                if recipe.mixup:
                    share = np.float32(random.beta(recipe.mixup, recipe.mixup))
                    others = random.permutation(len(rows))
                    rows = share * rows + (1 - share) * rows[others]
                    targets = share * targets + (1 - share) * targets[others]
                    if known is not None:
                        known = share * known + (1 - share) * known[others]
                given = {self.model.inputs[0].name: rows}
                if known is not None:
                    given["metadata"] = known
                yield given, targets
        except GeneratorExit:
            raise
        except BaseException as error:
            self._failure = error
            raise

    def _validate(self) -> dict[str, float]:
        """Judge the (averaged) weights on the validation clips; leave them in the network."""
        clips = self.run.side("validation")
        truth = clips.genre.map(self.place).to_numpy(int)
        answers = self.answers(clips.id.tolist()).astype(float)
        chances = answers[np.arange(len(truth)), truth]
        return {
            "validation_loss": float(-np.log(np.maximum(chances, _EPSILON)).mean()),
            "validation_accuracy": float((answers.argmax(axis=1) == truth).mean()),
        }

    def _average_is_now(self) -> None:
        """Let the average begin with the weights as they are."""
        for average, variable in zip(self.average, _variables(self.model), strict=True):
            average.assign(variable)

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights into the network for a while."""
        if not self.run.recipe.averaging:
            yield
            return
        weights = weights_of(self.model)
        set_weights(self.model, [average.numpy() for average in self.average])
        yield
        set_weights(self.model, weights)

    def _save(self) -> None:
        text = {"arguments": self.run.arguments(), "state": dataclasses.asdict(self.state)}
        arrays = {
            "weights": weights_of(self.model),
            "optimizer": [np.array(variable.numpy()) for variable in self.optimizer.variables],
            "best": self.best_weights,
            "average": [average.numpy() for average in self.average],
        }
        named = {
            f"{kind}-{number}": array
            for kind, members in arrays.items()
            for number, array in enumerate(members)
        }
        with atomic_write(self.folder / _PROGRESS) as temporary:
            np.savez(temporary, text=np.array(json.dumps(text)), **named)  # type: ignore[arg-type]

    def _load(self) -> bool:
        """Take up what `_save` left; return whether there was something."""
        path = self.folder / _PROGRESS
        if not path.exists():
            return False
        try:
            with np.load(path) as file:
                text = json.loads(str(file["text"]))
                arrays = {name: file[name] for name in file.files if name != "text"}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SongNetError(
                f"{path}: is damaged ({type(error).__name__}). Use --force to start the run afresh."
            ) from error
        _check_same(self.folder, "an unfinished", text["arguments"], self.run.arguments())

        def members(kind: str) -> list[np.ndarray]:
            count = sum(name.startswith(f"{kind}-") for name in arrays)
            return [arrays[f"{kind}-{number}"] for number in range(count)]

        set_weights(self.model, members("weights"))
        for variable, value in zip(self.optimizer.variables, members("optimizer"), strict=True):
            variable.assign(value)
        for average, value in zip(self.average, members("average"), strict=True):
            average.assign(value)
        self.best_weights = members("best")
        self.state = _State(**text["state"])
        return True


def crop(frames: np.ndarray, count: int, start: float) -> np.ndarray:
    """Return `count` frames in a row of a clip.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, n_mels)
        The clip; repeated when it has fewer than `count`.
    count : int
        How many frames to return.
    start : float
        Where to begin, from 0 (the earliest place) to below 1 (the latest).
    """
    if len(frames) < count:
        frames = np.tile(frames, (math.ceil(count / len(frames)), 1))
    first = int(start * (len(frames) - count + 1))
    return np.asarray(frames[first : first + count])


def mask(
    rows: np.ndarray, mean: np.ndarray, bands: int, count: int, random: np.random.Generator
) -> None:
    """Replace two stripes of bands and two of time in each piece by the mean row, in place.

    Parameters
    ----------
    rows : np.ndarray, shape (pieces, rows, bands)
        Changed.
    mean : np.ndarray, shape (bands,)
        What stands in the stripes.
    bands, count : int
        A stripe has from none to so many bands, or rows in time.
    random : numpy.random.Generator
        Draws their sizes and places.

    References
    ----------
    Park et al. (2019), "SpecAugment", https://arxiv.org/abs/1904.08779
    """
    for piece in rows:
        for axis, most in ((1, bands), (0, count)):
            for _ in range(2):
                size = int(random.integers(0, min(most, piece.shape[axis]) + 1))
                first = int(random.integers(0, piece.shape[axis] - size + 1))
                if axis:
                    piece[:, first : first + size] = mean[first : first + size]
                else:
                    piece[first : first + size] = mean


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return what is learnt or measured in training, in the order of `weights_of`."""
    return [variable for layer in model.layers for variable in layer.weights]


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    adam = keras.optimizers.AdamW if recipe.weight_decay else keras.optimizers.Adam
    decay = {"weight_decay": recipe.weight_decay} if recipe.weight_decay else {}
    optimizer = adam(recipe.learning_rate, **decay)
    if recipe.weight_decay:
        # Kernels only: a bias or a scale has no reason to be small.
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if _has_gpu():
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


@contextlib.contextmanager
def _precision() -> Iterator[None]:
    """Let layers compute in half precision where a GPU makes that quicker.

    On a processor it is slower, and so is XLA: there everything stays as it is.
    """
    before = keras.config.dtype_policy()
    if _has_gpu():
        keras.config.set_dtype_policy("mixed_float16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _write_for_tensorboard(folder: Path, epoch: Mapping[str, float]) -> None:
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
    with writer.as_default(step=int(epoch["epoch"])):
        for name, value in epoch.items():
            if name != "epoch":
                tf.summary.scalar(name, value)
    writer.close()


def _mean_and_spread(
    rows: Callable[[str], np.ndarray], clips: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of each number of a row over the clips' rows."""
    count, total, squares = 0, np.zeros(()), np.zeros(())
    for clip in clips:
        values = rows(clip).astype(np.float64)
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + np.square(values).sum(axis=0)
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0))


def _is_composed(run: Run) -> bool:
    return "teaching corpus" in run.prepared.corpus.description


def _training_music(run: Run) -> str:
    count, genres = (run.sides == "train").sum(), len(run.genres)
    name = run.prepared.corpus.name
    if _is_composed(run):
        name += ", a teaching corpus of music composed by rules"
    return f"{count} clips of {genres} genres of {name}"


def _caution(run: Run) -> str:
    if not _is_composed(run):
        return ""
    return "It was trained on music composed by rules: its answer for a real song means little."
