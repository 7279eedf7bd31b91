"""The votes of kernels: the effect of a kernel's activation on each genre's logit.

If a kernel's activation were slightly larger everywhere, each genre's *logit* (the input of the
softmax, here its mean over the steps) would change by the sum, over all moments, of the activation
times the gradient of the logit. This is the kernel's *vote*. For the last layer the vote is exact,
because everything after it is linear: the votes of all its kernels and the bias sum to the logit.
For lower layers, it is only a first-order approximation.

Raising all genres equally does not change an answer, so votes are relative to their mean over the
genres.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.features.store import LogMels
from songnet_utils.kernels.layers import Kernels
from songnet_utils.kernels.tensorflow import tf
from songnet_utils.models.building import keras
from songnet_utils.models.trained import given_to


def votes(
    kernels: Kernels, log_mels: LogMels, clips: pd.DataFrame, *, progress: bool = True
) -> pd.DataFrame:
    """Return each kernel's votes, the mean over some clips.

    Parameters
    ----------
    kernels : Kernels
        The kernels of a network.
    log_mels : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        Some clips of each genre, from the corpus's table.
    progress : bool
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame, by (layer, kernel), with a column per genre
        In units of logits; each row sums to 0. Positive for the genres that a kernel votes for.

    Raises
    ------
    SongNetError
        When there are no clips.
    """
    if clips.empty:
        raise SongNetError("There are no clips. Give some of each genre.")
    votes_of = _votes_of(kernels)
    total = [np.zeros((layer.kernels, len(kernels.net.genres))) for layer in kernels.layers]
    known = clips.set_index("id", drop=False)
    for clip in tqdm(clips.id, "Counting votes", unit="clip", disable=not progress, leave=False):
        net = kernels.net.with_metadata(known.loc[[clip]])
        inputs = {
            name: tf.constant(value) for name, value in net.inputs(log_mels.frames(clip)).items()
        }
        for sums, values in zip(total, votes_of(inputs), strict=True):
            sums += values.numpy()
    parts = {
        layer.name: pd.DataFrame(
            (sums - sums.mean(axis=1, keepdims=True)) / len(clips), columns=kernels.net.genres
        )
        for layer, sums in zip(kernels.layers, total, strict=True)
    }
    return pd.concat(parts, names=["layer", "kernel"])


def _votes_of(kernels: Kernels) -> Callable[[dict[str, tf.Tensor]], list[tf.Tensor]]:
    """Return a function from a song's inputs to activation times gradient, by layer."""
    model = kernels.net.keras_model
    last = model.get_layer("genre_over_time")
    network = keras.Model(model.input, [*kernels.tensors, last.input])

    def votes_of(inputs: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        """Return (kernels, genres) of each layer."""
        with tf.GradientTape(persistent=True) as tape:
            for value in inputs.values():
                tape.watch(value)
            *active, hidden = network(given_to(network, inputs), training=False)
            logits = (tf.reduce_mean(hidden, axis=1) @ last.kernel + last.bias)[0]
            each = tf.unstack(logits, len(kernels.net.genres))
        gradients = [tape.gradient(logit, active) for logit in each]
        return [
            tf.stack([tf.reduce_sum(a * g, range(len(a.shape) - 1)) for g in of], axis=1)
            for a, *of in zip(active, *gradients, strict=True)
        ]

    return tf.function(votes_of, reduce_retracing=True)
