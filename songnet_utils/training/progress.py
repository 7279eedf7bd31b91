"""Save the progress of a training, so that an interrupted one resumes with the same result.

After each epoch, `KeepProgress` writes everything that the rest depends on to ``progress.npz``,
whole or not at all: the weights, the optimizer's variables, the states of random layers, the best
weights and the epochs' metrics, from which Keras's callbacks restore their states. The order of the
clips, their crops and masks depend only on the seed and the epoch. So you can interrupt training at
any moment, and it will reach the same result, bit for bit.
"""

from __future__ import annotations

import json
import math
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.models.building import keras
from songnet_utils.training.data import Crops
from songnet_utils.training.runs import check_same

#: The file with the progress of a training.
PROGRESS = "progress.npz"


class KeepProgress(keras.callbacks.Callback):
    """Writes the state of training after each epoch, and resumes from it.

    It must be the last callback. If weights are averaged, validation and the callbacks before it
    see the average.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    arguments : mapping
        The arguments that identify the run, for JSON.
    crops : Crops
        The training data, which needs the number of the epoch.
    stopping : keras.callbacks.EarlyStopping
        The callback with the best weights.
    schedule : sequence of keras.callbacks.Callback
        The callbacks that change the learning rate.

    Attributes
    ----------
    epochs : list of dict
        The metrics of the epochs so far.
    stopped : bool
        Whether training was complete when the file was written.
    best_weights : list of np.ndarray
        The best weights in the file.
    """

    def __init__(
        self,
        path: Path,
        arguments: Mapping[str, Any],
        crops: Crops,
        stopping: keras.callbacks.EarlyStopping,
        schedule: Sequence[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self.path, self.arguments, self.crops = path, arguments, crops
        self.stopping, self.schedule = stopping, schedule
        self.epochs: list[dict[str, float]] = []
        self.stopped = False
        self.best_weights: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def load(self) -> None:
        """Read the file, if there is one.

        Raises
        ------
        SongNetError
            When it is damaged or belongs to another run.
        """
        if not self.path.exists():
            return
        try:
            with np.load(self.path) as file:
                text = json.loads(str(file["text"]))
                arrays = [file[f"arr_{number}"] for number in range(len(file.files) - 1)]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise SongNetError(
                f"{self.path}: is damaged ({type(error).__name__}). "
                "Use --force to start the run again."
            ) from error
        check_same(self.path.parent, "an unfinished", text["arguments"], self.arguments)
        self.epochs, self.stopped = text["epochs"], text["stopped"]
        self.best_weights, self._values = arrays[: text["best"]], arrays[text["best"] :]

    def _variables(self) -> list[keras.Variable]:
        # A model's variables are its weights and the states of its random layers.
        return [*self.model.variables, *self.model.optimizer.variables]

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore the state after the last epoch in the file."""
        if not self.epochs:
            return
        for epoch in self.epochs:
            for callback in (*self.schedule, self.stopping):
                callback.on_epoch_end(epoch["epoch"] - 1, {"val_loss": epoch["validation_loss"]})
        for variable, value in zip(self._variables(), self._values, strict=True):
            variable.assign(value)
        self.stopping.best_weights = self.best_weights

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Choose the epoch's crops."""
        self.crops.epoch = epoch
        self._rate = float(self.model.optimizer.learning_rate)
        self._began = time.monotonic()

    def on_test_begin(self, logs: Any = None) -> None:
        """Put the averaged weights into the network, if weights are averaged."""
        variables = self.model.trainable_variables
        self._last = [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the file."""
        for variable, value in zip(self.model.trainable_variables, self._last, strict=True):
            variable.assign(value)
        if not math.isfinite(logs["loss"] + logs["val_loss"]):
            raise SongNetError(
                f"{self.path.parent}: the loss of epoch {epoch + 1} is not a number, so "
                "training has diverged. Start again (--force) with another seed or a lower "
                "learning rate."
            )
        figures = {name.replace("val_", "validation_"): float(logs[name]) for name in logs}
        figures |= {"epoch": epoch + 1, "learning_rate": self._rate}
        self.epochs.append(figures | {"seconds": round(time.monotonic() - self._began, 2)})
        # If only the last weights count, there are no best weights yet.
        best = self.stopping.best_weights or []
        text = {
            "arguments": self.arguments,
            "epochs": self.epochs,
            "stopped": self.model.stop_training or epoch + 1 == self.params["epochs"],
            "best": len(best),
        }
        values = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
        with atomic_write(self.path) as temporary:
            np.savez(temporary, *best, *values, text=np.array(json.dumps(text)))
