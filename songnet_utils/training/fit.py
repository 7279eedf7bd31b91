"""How a network learns: its recipe, what is done to the pieces it hears, epoch after epoch.

After each epoch all that the rest depends on (weights, optimizer, averaged and best weights, the
learning rate, the figures so far) is written to ``progress.npz``, whole or not at all. Whatever is
random in an epoch (order, crops, masks, mixing, dropout) depends only on the seed and the epoch's
number. So learning that was killed at any moment goes on to the same end.

The loss that is minimised, and the one that an epoch's ``loss`` reports, is the cross-entropy plus
the network's own penalties (regularizers, ``add_loss``), as with Keras's ``fit``.
``validation_loss``, which chooses the best epoch, is the cross-entropy alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import math
import random as python_random
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

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import name_key
from songnet_utils.features.metadata import encode, fit_encoder, metadata, unknown
from songnet_utils.features.store import LogMels
from songnet_utils.models.building import keras, tf
from songnet_utils.models.musicnn import (
    EMBEDDING,
    STRIDE,
    embedding_extraction,
    load_embedding_model,
)
from songnet_utils.models.onnx_export import onnx_of
from songnet_utils.models.registry import NetworkKind
from songnet_utils.models.trained import (
    LEAST_DEVIATION,
    SongNet,
    centre,
    given_to,
    set_weights,
    variables_of,
    weights_of,
)
from songnet_utils.models.transfer import head_weights, with_musicnn
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.stateful import Stack
from songnet_utils.streaming.timeline import Timeline

#: What is kept while a network learns.
PROGRESS = "progress.npz"

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


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a network learns from, and for what.

    Parameters
    ----------
    kind : NetworkKind
        The network.
    prepared : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The clips that take part.
    sets : pandas.Series
        train, validation or test, with the index of `clips`. Nothing is learnt from the last.
    genres : sequence of str
        The genres told apart, in the order of the outputs.
    seed : int
        Of the weights and everything random.
    """

    kind: NetworkKind
    prepared: LogMels
    clips: pd.DataFrame
    sets: pd.Series
    genres: Sequence[str]
    seed: int

    @property
    def sound(self) -> Sound:
        """The description of sound that the network goes by."""
        return self.kind.sound if self.kind.on_musicnn else self.prepared.sound

    def subset(self, subset: str) -> pd.DataFrame:
        """Return the clips of one set."""
        return self.clips[self.sets == subset]

    def heard(
        self, progress: bool, dask: str | None = None
    ) -> tuple[Callable[[str], np.ndarray], int, float]:
        """Return a clip's rows by its id, how many numbers a row has, and rows a second.

        Rows are log-mel frames, or what the listener makes of a patch: computed where missing, by
        the workers of the Dask scheduler at `dask` where there is one.
        """
        sound, prepared = self.sound, self.prepared
        frames_a_second = sound.sample_rate / sound.hop
        if not self.kind.on_musicnn:
            return prepared.frames, sound.n_mels, frames_a_second
        data = prepared.store.data
        # Says that the listener is missing before any work.
        load_embedding_model(data)
        listening = embedding_extraction(None if data is None else str(data))
        rows = prepared.extracted(listening, "embedding", progress, dask=dask)
        return rows, EMBEDDING, frames_a_second / STRIDE


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


class Learning:
    """A network on its way, saved after each epoch.

    Parameters
    ----------
    material : Material
        What it learns from.
    recipe : Recipe
        How.
    folder : pathlib.Path
        Where its progress is kept; what was left there is taken up.
    arguments : dict
        What two runs must have in common to be the same run, fit for JSON.
    start : SongNet, optional
        A network of the same kind, to start from its weights; fresh ones by default. Of its last
        layer only the genres that are told apart here are taken over; new ones start fresh.
    progress : bool
        Whether to show progress bars.
    tensorboard : bool
        Whether to write its figures for TensorBoard, too, into the folder.

    Raises
    ------
    SongNetError
        When what was left there is damaged or another run's, a clip is too short for one step,
        nothing is known of the clips that the network is to be told of, or the network has a
        layer that cannot be used step by step, or in ONNX, after training.
    """

    def __init__(
        self,
        material: Material,
        recipe: Recipe,
        folder: Path,
        arguments: dict[str, Any],
        *,
        start: SongNet | None = None,
        progress: bool = False,
        tensorboard: bool = False,
    ) -> None:
        self.material, self.recipe, self.kind = material, recipe, material.kind
        self.folder, self.arguments, self.tensorboard = folder, arguments, tensorboard
        if tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise SongNetError(
                "TensorBoard is not installed. Install it (pip install tensorboard), or leave "
                "--tensorboard out: the record holds the same figures."
            )
        self.clips = material.subset("train").id.tolist()
        self.rows, bands, per_second = material.heard(progress)
        self.encoder: ColumnTransformer | None = None
        #: What is known of each clip, and of a clip of which nothing is: (columns,) each.
        self.known: dict[str, np.ndarray] = {}
        self.unknown = np.zeros(0, np.float32)
        if self.kind.metadata:
            known = metadata(material.clips)
            self.encoder = start.encoder if start else fit_encoder(known.loc[self.clips])
            self.known = dict(zip(known.index, encode(self.encoder, known), strict=True))
            self.unknown = encode(self.encoder, unknown())[0]
        with _precision():
            self.model = self._build()
        self.optimizer = _optimizer(recipe)
        self.optimizer.build(self.model.trainable_variables)
        self.state = _State(recipe.learning_rate)
        self.crop_rows = max(1, round(recipe.crop_seconds * per_second))
        self.masked_rows = round(recipe.masked_seconds * per_second)
        if not self.kind.on_musicnn:
            timeline = timeline_of(self.model, material.sound)
            self.crop_rows = max(self.crop_rows, timeline.field.size)
            self._check_seconds(timeline)
        self._check_use()
        self.place = {genre: index for index, genre in enumerate(material.genres)}
        self.labels = material.subset("train").genre.map(self.place).to_numpy(np.int32)
        self._failure: BaseException | None = None
        if start:
            # What it subtracts and divides by is part of what it has learnt.
            set_weights(self.model, _started(self.model, material.genres, start))
            self.mean = self.model.get_layer("centring").adapt_mean.numpy().reshape(-1)
        else:
            mean, spread = _mean_and_spread(self.rows, self.clips)
            self.mean = mean.astype(np.float32)
            centre(self.model, mean, spread, least=0.0 if self.kind.on_musicnn else LEAST_DEVIATION)
        self.best_weights = weights_of(self.model)
        # Where weights are averaged, the average is what is judged and kept.
        averaged = variables_of(self.model) if recipe.averaging else []
        self.average = [tf.Variable(variable) for variable in averaged]
        if not self._load():
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
        self._signature = (cut, tf.TensorSpec((None, len(material.genres)), tf.float32))
        # Nothing in it needs autograph, whose parsing beside tf.data's thread can trip over a bug
        # of Python such as 3.11.7 ("AST constructor recursion depth mismatch").
        self._step = tf.function(self._learn, input_signature=self._signature, autograph=False)

    def _check_seconds(self, timeline: Timeline) -> None:
        """Raise SongNetError unless every clip is long enough for one step."""
        for clip in self.material.clips.id:
            if not timeline.steps_of_frames(len(self.rows(clip))):
                raise SongNetError(
                    f"clip {clip} of {self.material.prepared.corpus.name}: is too short for "
                    f"{self.kind.title}, one step of which hears {timeline.seconds_needed:.1f} s. "
                    "Take longer clips, or a network that hears less at a time, such as songnet."
                )

    def _build(self) -> keras.Model:
        columns = {"columns": len(self.unknown)} if self.kind.metadata else {}
        options = {**self.kind.options, **columns}
        with _seeded(self.material.seed):
            return self.kind.build(
                self.material.sound, self.material.genres, seed=self.material.seed, **options
            )

    def _check_use(self) -> None:
        """Raise SongNetError when what is trained could not be used afterwards."""
        known = {} if self.encoder is None else {"metadata": self.unknown}
        Stack(self.model, "genre_over_time", known)
        onnx_of(self.model)

    def network(self, *, training_music: str, caution: str) -> SongNet:
        """Return the network with the best weights, in single precision.

        Parameters
        ----------
        training_music, caution : str
            As in `songnet_utils.streaming.network.Network`.
        """
        set_weights(self.model, self.best_weights)
        model = self._build()
        set_weights(model, self.best_weights)
        if self.kind.on_musicnn:
            model = with_musicnn(model, load_embedding_model(self.material.prepared.store.data))
        return SongNet(
            model,
            self.material.sound,
            self.material.genres,
            name=self.kind.title,
            training_music=training_music,
            caution=caution,
            encoder=self.encoder,
        )

    def answers(self, clips: Sequence[str]) -> np.ndarray:
        """Return what the network, as it is, says of whole clips, (clips, genres)."""
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
        """Train until the run is over.

        Parameters
        ----------
        progress : bool
            Show a progress bar.
        """
        recipe, state = self.recipe, self.state
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
                epoch = {"epoch": number, **self._hear_once(number, bar.update)}
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
            penalty = sum(tf.cast(tf.reduce_sum(one), losses.dtype) for one in self.model.losses)
            loss = self.optimizer.scale_loss(tf.reduce_mean(losses) + penalty)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        if self.recipe.averaging:
            for average, variable in zip(self.average, variables_of(self.model), strict=True):
                # The centring layer counts, too.
                if average.dtype.is_floating:
                    average.assign_add((1 - self.recipe.averaging) * (variable - average))
        right = tf.cast(tf.argmax(answer, axis=1) == tf.argmax(targets, axis=1), tf.int32)
        # Each clip has its cross-entropy, and all of them the batch's penalty.
        return tf.reduce_sum(losses + penalty), tf.reduce_sum(right)

    def _hear_once(self, epoch: int, heard_batch: Callable[[], Any]) -> dict[str, float]:
        """Go through the training clips once."""
        random = np.random.default_rng([self.material.seed, epoch])
        # A crop starts anywhere from 0 to 1 of the room that it leaves.
        order = random.permutation(len(self.clips))
        starts = random.random(len(order))[order]
        reseed(self.model, random)
        data = tf.data.Dataset.from_generator(
            lambda: self._batches(order, starts, random), output_signature=self._signature
        ).prefetch(2)
        loss = right = 0.0
        try:
            for given, targets in data:
                batch_loss, batch_right = self._step(given, targets)
                loss += float(batch_loss)
                right += float(batch_right)
                heard_batch()
        except tf.errors.OpError:
            # What `_batches` raised, wrapped by tf.data beyond recognition.
            if self._failure is not None:
                raise self._failure from None
            raise
        return {"loss": loss / len(order), "accuracy": right / len(order)}

    def _batches(
        self, order: np.ndarray, starts: np.ndarray, random: np.random.Generator
    ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        recipe, genres = self.recipe, len(self.place)
        try:
            for first in range(0, len(order), recipe.batch):
                chosen = order[first : first + recipe.batch]
                crops = [
                    crop(self.rows(self.clips[clip]), self.crop_rows, start)
                    for clip, start in zip(chosen, starts[first:], strict=False)
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
                    mask(rows, self.mean, recipe.masked_bands, self.masked_rows, random)
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
        clips = self.material.subset("validation")
        truth = clips.genre.map(self.place).to_numpy(int)
        answers = self.answers(clips.id.tolist()).astype(float)
        chances = answers[np.arange(len(truth)), truth]
        return {
            "validation_loss": float(-np.log(np.maximum(chances, _EPSILON)).mean()),
            "validation_accuracy": float((answers.argmax(axis=1) == truth).mean()),
        }

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights into the network for a while."""
        if not self.recipe.averaging:
            yield
            return
        weights = weights_of(self.model)
        set_weights(self.model, [average.numpy() for average in self.average])
        yield
        set_weights(self.model, weights)

    def _save(self) -> None:
        text = {"arguments": self.arguments, "state": dataclasses.asdict(self.state)}
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
        with atomic_write(self.folder / PROGRESS) as temporary:
            np.savez(temporary, text=np.array(json.dumps(text)), **named)  # type: ignore[arg-type]

    def _load(self) -> bool:
        """Take up what `_save` left; return whether there was something."""
        path = self.folder / PROGRESS
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
        check_same(self.folder, "an unfinished", text["arguments"], self.arguments)

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


def reseed(model: keras.Model, random: np.random.Generator) -> None:
    """Draw the state of every ``keras.random.SeedGenerator`` in a network, however deep it is.

    Parameters
    ----------
    model : keras.Model
        Changed. Whatever is random in its layers (dropout, noise, …) goes on from these states.
    random : numpy.random.Generator
        Draws them.
    """
    weights = {id(variable) for variable in model.weights}
    for variable in model.variables:
        # By Keras's definition, what is no weight is the state of a generator.
        if id(variable) not in weights:
            variable.assign(random.integers(0, 2**31, variable.shape).astype(variable.dtype))


def _started(model: keras.Model, genres: Sequence[str], start: SongNet) -> list[np.ndarray]:
    """Return the weights that a network starts with where it goes on from another one."""
    weights = head_weights(start.keras_model, model)
    # The last layer's kernel, (channels, genres), and bias, (genres,).
    for place, fresh in zip((-2, -1), weights_of(model)[-2:], strict=True):
        column = {name_key(genre): at for at, genre in enumerate(start.genres)}
        for at, genre in enumerate(genres):
            if (known := column.get(name_key(genre))) is not None:
                fresh[..., at] = weights[place][..., known]
        weights[place] = fresh
    return weights


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


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let layers and initializers that are given no seed take theirs from this one.

    Keras draws such seeds from Python's own generator, which is left as it was.
    """
    before = python_random.getstate()
    python_random.seed(seed)
    try:
        yield
    finally:
        python_random.setstate(before)


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


def check_same(
    folder: Path, what: str, theirs: Mapping[str, Any] | None, ours: Mapping[str, Any]
) -> None:
    """Raise SongNetError unless a run's arguments are those that were asked for.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    what : str
        What it holds: "a finished", "an unfinished".
    theirs, ours : mapping
        The arguments there, and those asked for.
    """
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
