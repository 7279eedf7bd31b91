"""Which genres a kernel votes for: the path from its activation to each genre's logit.

If everything that a kernel says were said a little louder, each genre's *logit* (what the softmax
is given, here its mean over the steps) would change: by the sum over all moments of the activation
times the gradient of the logit. That is the kernel's *vote*. For the last layer the vote is exact,
since from there on everything is added up: the votes of all its kernels and the bias *are* the
logit. Further down it is the beginning of a longer story.

What raises all genres alike changes no answer, so votes are given from their mean over the genres.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.features.store import LogMels
from songnet_utils.kernels.layers import Kernels
from songnet_utils.models.building import keras, tf
from songnet_utils.models.trained import SongNet, given_to


def votes(
    kernels: Kernels, log_mels: LogMels, clips: pd.DataFrame, *, progress: bool = True
) -> pd.DataFrame:
    """Return each kernel's votes, the mean over some clips.

    Parameters
    ----------
    kernels : Kernels
        A network's.
    log_mels : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        Some clips of each genre, from the corpus's table.
    progress : bool
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame, by (layer, kernel), a column a genre
        In units of logits; each row adds up to 0. Positive for the genres that a kernel votes for.

    Raises
    ------
    SongNetError
        When there is no clip.
    """
    if clips.empty:
        raise SongNetError("There is no clip. Give some of each genre.")
    gradient = _Gradient(kernels)
    total = [np.zeros((layer.kernels, len(kernels.net.genres))) for layer in kernels.layers]
    known = clips.set_index("id", drop=False)
    for clip in tqdm(clips.id, "Counting votes", unit="clip", disable=not progress, leave=False):
        net = kernels.net.with_metadata(known.loc[[clip]])
        for sums, values in zip(total, gradient(net, log_mels.frames(clip)), strict=True):
            sums += values
    parts = {
        layer.name: pd.DataFrame(
            (sums - sums.mean(axis=1, keepdims=True)) / len(clips), columns=kernels.net.genres
        )
        for layer, sums in zip(kernels.layers, total, strict=True)
    }
    return pd.concat(parts, names=["layer", "kernel"])


class _Gradient:
    """Returns activation times gradient, summed over a song, for each layer."""

    def __init__(self, kernels: Kernels) -> None:
        model = kernels.net.keras_model
        last = model.get_layer("genre_over_time")
        self._model = keras.Model(model.input, [*kernels.tensors, last.input])
        self._weights, self._bias = last.kernel, last.bias
        self._genres = len(kernels.net.genres)
        self._summed = tf.function(self._sum, reduce_retracing=True)

    def __call__(self, net: SongNet, frames: np.ndarray) -> list[np.ndarray]:
        """Return (kernels, genres) of each layer."""
        inputs = {name: tf.constant(value) for name, value in net.inputs(frames).items()}
        return [values.numpy().T for values in self._summed(inputs)]

    def _sum(self, inputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape(persistent=True) as tape:
            for value in inputs.values():
                tape.watch(value)
            *active, hidden = self._model(given_to(self._model, inputs), training=False)
            mean = tf.reduce_mean(hidden, axis=1)
            logits = (mean @ self._weights + self._bias)[0]
            each = [logits[genre] for genre in range(self._genres)]
        parts: list[list[tf.Tensor]] = [[] for _ in active]
        for logit in each:
            gradients = tape.gradient(logit, active)
            for part, value, gradient in zip(parts, active, gradients, strict=True):
                part.append(tf.reduce_sum(value * gradient, axis=range(len(value.shape) - 1)))
        return [tf.stack(part) for part in parts]
