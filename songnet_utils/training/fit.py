"""Train a network: build, compile and fit, as with any network in Keras.

`Trainer` builds the network, computes its centring and compiles it by its recipe. Its ``fit`` is
Keras's, with callbacks for the learning rate, for early stopping and for resuming
(`songnet_utils.training.progress`). Nothing here depends on a backend of Keras: with
``KERAS_BACKEND=jax``, it trains on JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler
from tqdm.keras import TqdmCallback

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.table import name_key
from songnet_utils.features.metadata import encode, fit_encoder, metadata, unknown
from songnet_utils.features.store import LogMels
from songnet_utils.models.building import JIT, keras
from songnet_utils.models.onnx_export import onnx_of
from songnet_utils.models.registry import NetworkKind
from songnet_utils.models.trained import LEAST_DEVIATION, SongNet, centre, set_weights
from songnet_utils.models.transfer import embedding_extraction, load_musicnn
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.stateful import Stack
from songnet_utils.training.data import Crops, Inputs, WholeClips
from songnet_utils.training.progress import PROGRESS, KeepProgress
from songnet_utils.training.recipe import Recipe


class Trainer:
    """A network with its training data.

    Parameters
    ----------
    kind : NetworkKind
        The network.
    log_mels : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The clips of all sets.
    sets : pandas.Series
        train, validation or test, with the index of `clips`. Training does not use the test set.
    genres : sequence of str
        In the order of the network's outputs.
    recipe : Recipe
        The recipe for training.
    seed : int
        The seed for the weights and everything random.
    start : SongNet, optional
        A network of the same kind to fine-tune. In its last layer, only the weights of genres that
        both networks share are used.
    progress : bool
        Show progress bars.

    Raises
    ------
    SongNetError
        When a clip is too short for one step, when the clips lack the metadata that the network
        needs, or when a layer of the network cannot be streamed or exported to ONNX.
    """

    def __init__(
        self,
        kind: NetworkKind,
        log_mels: LogMels,
        clips: pd.DataFrame,
        sets: pd.Series,
        genres: Sequence[str],
        *,
        recipe: Recipe,
        seed: int = 0,
        start: SongNet | None = None,
        progress: bool = False,
    ) -> None:
        self.kind, self.log_mels, self.recipe = kind, log_mels, recipe
        self.genres, self.progress = genres, progress
        self.sound = kind.sound if kind.on_musicnn else log_mels.sound
        train, validation = (clips.id[sets == one].tolist() for one in ("train", "validation"))
        self.encoder: ColumnTransformer | None = None
        options, known, nothing = dict(kind.options), {}, np.zeros(0, np.float32)
        if kind.metadata:
            table = metadata(clips)
            self.encoder = start.encoder if start else fit_encoder(table.loc[train])
            known = dict(zip(table.index, encode(self.encoder, table), strict=True))
            nothing = encode(self.encoder, unknown())[0]
            options["columns"] = len(nothing)
        # Layers and initializers without a seed take theirs from here.
        keras.utils.set_random_seed(seed)
        self.network = kind.build(self.sound, genres, seed=seed, **options)
        rows: Callable[[str], np.ndarray] = log_mels.frames
        if kind.on_musicnn:
            rows = log_mels.extracted(embedding_extraction(), "embedding", progress=progress)
        indices = {genre: index for index, genre in enumerate(genres)}
        self.inputs = Inputs(
            self.network.inputs[0].name,
            rows,
            dict(zip(clips.id, clips.genre.map(indices), strict=True)),
            len(genres),
            known,
            nothing,
        )
        self._check_use()
        rate = self.sound.sample_rate / self.sound.hop
        if kind.on_musicnn:
            rate = 1 / load_musicnn().timeline.step_seconds
        size = max(1, round(recipe.crop_seconds * rate))
        if not kind.on_musicnn:
            size = max(size, self._size_of_a_step(clips.id))
        mean, masked = self._centre(train, start), round(recipe.masked_seconds * rate)
        self.crops = Crops(
            self.inputs,
            train,
            recipe,
            size=size,
            masked=masked,
            mean=mean,
            seed=seed,
            sound=None if kind.on_musicnn else self.sound,
        )
        self.validation = WholeClips(self.inputs, validation)
        #: The network with only the output for the whole clip, for Keras's training.
        self.model = keras.Model(
            {one.name: one for one in self.network.inputs}, self.network.get_layer("genre").output
        )
        self.model.compile(
            _optimizer(recipe, len(self.crops)),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=JIT,
        )
        self.model.optimizer.build(self.model.trainable_variables)

    def _centre(self, train: Sequence[str], start: SongNet | None) -> np.ndarray:
        """Compute the network's centring, or take that of `start`; return the mean row."""
        if start:
            # The centring belongs to the trained weights.
            set_weights(self.network, _fine_tuned(self.network, self.genres, start))
            mean = keras.ops.convert_to_numpy(self.network.get_layer("centring").adapt_mean)
        else:
            scaler = StandardScaler()
            for clip in train:
                scaler.partial_fit(self.inputs.rows(clip).astype(np.float64))
            least = 0.0 if self.kind.on_musicnn else LEAST_DEVIATION
            centre(self.network, scaler.mean_, np.sqrt(scaler.var_), least)
            mean = scaler.mean_
        return np.asarray(mean, np.float32).ravel()

    def _size_of_a_step(self, clips: pd.Series) -> int:
        """Return the frames that a step needs; raise SongNetError if a clip has fewer."""
        timeline = timeline_of(self.network, self.sound)
        for clip in clips:
            if not timeline.steps_of_frames(self.inputs.length(clip)):
                raise SongNetError(
                    f"clip {clip} of {self.log_mels.corpus.name}: is too short for "
                    f"{self.kind.title}, which needs {timeline.seconds_needed:.1f} s for one step. "
                    "Use longer clips, or a network with a smaller receptive field, such as "
                    "songnet."
                )
        return timeline.field.size

    def _check_use(self) -> None:
        """Raise SongNetError if the network cannot be streamed or exported after training."""
        known = {} if self.encoder is None else {"metadata": self.inputs.unknown}
        Stack(self.network, "genre_over_time", known)
        onnx_of(self.network)

    def fit(self, folder: Path, arguments: Mapping[str, Any]) -> list[dict[str, float]]:
        """Train until the recipe is done, or resume; leave the best weights in the network.

        Parameters
        ----------
        folder : pathlib.Path
            The folder for the progress.
        arguments : mapping
            The arguments that identify the run, for JSON.

        Returns
        -------
        list of dict
            The metrics of each epoch: ``epoch``, ``loss``, ``accuracy``, ``validation_loss``,
            ``validation_accuracy``, ``learning_rate`` at its start, ``seconds``.

        Raises
        ------
        SongNetError
            When the progress there is damaged or belongs to another run, or when the loss is no
            longer a number.
        """
        recipe = self.recipe
        plateau = keras.callbacks.ReduceLROnPlateau(
            factor=recipe.plateau_factor,
            patience=recipe.plateau_patience,
            mode="min",
            min_delta=0.0,
            min_lr=recipe.least_learning_rate,
        )
        schedule = [plateau] if recipe.schedule == "plateau" else []
        stopping = keras.callbacks.EarlyStopping(
            patience=recipe.epochs if recipe.schedule == "cosine" else recipe.patience,
            mode="min",
            restore_best_weights=True,
            start_from_epoch=recipe.epochs - 1 if recipe.schedule == "cosine" else 0,
        )
        keep = KeepProgress(folder / PROGRESS, arguments, self.crops, stopping, schedule)
        keep.load()
        if keep.stopped:
            self.model.set_weights(keep.best_weights)
            return keep.epochs
        bar = [TqdmCallback(leave=False, mininterval=0.5)] if self.progress else []
        self.model.fit(
            self.crops,
            epochs=recipe.epochs,
            initial_epoch=len(keep.epochs),
            validation_data=self.validation,
            callbacks=[*schedule, stopping, keep, *bar],
            shuffle=False,
            verbose=0,
        )
        return keep.epochs

    def predict_proba(self, clips: Sequence[str]) -> np.ndarray:
        """Return the probabilities of the genres for whole clips, (clips, genres) float32."""
        data = WholeClips(self.inputs, clips)
        found = self.model.predict(data, verbose=0)
        return pd.DataFrame(found, index=data.clips).loc[list(clips)].to_numpy(np.float32)

    def songnet(self, *, training_music: str, caution: str) -> SongNet:
        """Return the network, ready to be saved.

        Parameters
        ----------
        training_music, caution : str
            As in `songnet_utils.streaming.network.Network`.
        """
        return SongNet(
            self.network,
            self.sound,
            self.genres,
            name=self.kind.title,
            training_music=training_music,
            caution=caution,
            encoder=self.encoder,
        )


def _fine_tuned(network: keras.Model, genres: Sequence[str], start: SongNet) -> list[np.ndarray]:
    """Return the initial weights for fine-tuning."""
    weights = start.keras_model.get_weights()
    column = {name_key(genre): index for index, genre in enumerate(start.genres)}
    # The last layer's kernel, (channels, genres), and bias, (genres,).
    for place, fresh in zip((-2, -1), network.get_weights()[-2:], strict=True):
        for index, genre in enumerate(genres):
            if (known := column.get(name_key(genre))) is not None:
                fresh[..., index] = weights[place][..., known]
        weights[place] = fresh
    return weights


def _optimizer(recipe: Recipe, batches: int) -> keras.optimizers.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            recipe.learning_rate / 3,
            max(1, recipe.epochs - 1) * batches,
            alpha=recipe.least_learning_rate / recipe.learning_rate,
            warmup_target=recipe.learning_rate,
            warmup_steps=batches,
        )
    optimizer = keras.optimizers.Adam(
        rate,
        weight_decay=recipe.weight_decay or None,
        use_ema=recipe.averaging > 0,
        ema_momentum=recipe.averaging,
    )
    # Decay only kernels, because biases and scales need not be small.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
