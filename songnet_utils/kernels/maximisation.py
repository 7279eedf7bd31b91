"""Activation maximisation: the log-mel that excites a kernel most, turned into sound.

*Activation maximisation* (Erhan et al. 2009; Simonyan et al. 2014) follows the gradient of the
activation from a random start. Without constraints, it ends in a pattern that is not sound. So the
corpus's own statistics (`FrameStatistics`) keep it close to music, like the priors of Yosinski et
al. (2015) for images:

- *range*: each band stays in its range in the corpus;
- *spectrum*: a frame's Mahalanobis distance from the mean, by the corpus's covariance, is no
  greater than average;
- *smoothness*: the changes between frames, and between bands, are no larger than in the corpus;
- *jitter*: each iteration shifts the piece by up to a frame and a band, so that nothing depends
  on its exact position.

The penalty applies only beyond the corpus's own values, so a result that is as rough as music is
not smoothed further.

*Sound*: non-negative least squares distribute the power of the mel bands over frequencies, and
Griffin and Lim's method (1984) estimates phases, both in librosa.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils.audio.sound import Sound
from songnet_utils.kernels.clips import KernelClip, join
from songnet_utils.kernels.frame_statistics import FrameStatistics
from songnet_utils.kernels.layers import KernelLayer, Kernels, frames_of_piece
from songnet_utils.kernels.surveys import Survey
from songnet_utils.kernels.tensorflow import tf
from songnet_utils.models.building import keras

#: The random starts of each kernel.
STARTS = 4

# The largest shift of a piece, in frames and bands.
_JITTER = 1
_STEPS = 160
# The initial learning rate, in standard deviations of a band; it falls to a tenth.
_RATE = 0.1
# Pieces to optimise at once.
_AT_ONCE = 64
# The iterations of Griffin and Lim's method, and the frames of padding on both ends.
_ROUNDS, _BEFORE = 64, 2
# Decibels per unit of the natural logarithm of power.
_DECIBELS = 10 / np.log(10)


@dataclass(frozen=True)
class Maximised:
    """The log-mels that excite a kernel most.

    Parameters
    ----------
    layer : KernelLayer
        The kernel's layer.
    kernel : int
        Its number.
    frames : np.ndarray, shape (STARTS, size, n_mels), float32
        The log-mel from each start, the best first.
    activation : np.ndarray, shape (STARTS,), float32
        The kernel's activation for each.
    """

    layer: KernelLayer
    kernel: int
    frames: np.ndarray
    activation: np.ndarray


def maximise(
    survey: Survey,
    layer: str | int,
    kernels: Sequence[int] | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
) -> list[Maximised]:
    """Return the log-mels that excite some kernels of a layer most.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels: its statistics keep the result close to music, and the
        activation of a kernel's best piece is the unit.
    layer : str or int
        A layer's name, or its number from 1.
    kernels : sequence of int, optional
        The kernels; all by default. A kernel may be dead in the corpus.
    seed : int
        The seed for the starts and the jitter; the same seed gives the same frames.
    progress : bool
        Show a progress bar.

    Raises
    ------
    SongNetError
        When there is no such layer or kernel.
    """
    its, statistics = survey.of(layer), survey.statistics
    numbers = [
        its.layer.check(kernel)
        for kernel in (range(its.layer.kernels) if kernels is None else kernels)
    ]
    climb = _Climb(survey.kernels, its.layer, statistics)
    # For a kernel that never fires, any unit will do.
    unit = np.where(its.best[:, 0] > 0, its.best[:, 0], 1).astype(np.float32)
    found: list[Maximised] = []
    block = _AT_ONCE // STARTS
    blocks = [numbers[first : first + block] for first in range(0, len(numbers), block)]
    for part in tqdm(blocks, f"Maximising {its.layer.name}", disable=not progress, leave=False):
        of = np.repeat(part, STARTS)
        frames = climb(of, unit[of], seed)
        active = survey.kernels.active(frames, its.layer).numpy()[:, its.layer.alone]
        values = active[np.arange(len(of)), of].reshape(len(part), STARTS)
        frames = frames.reshape(len(part), STARTS, *frames.shape[1:])
        for kernel, its_frames, its_values in zip(part, frames, values, strict=True):
            order = np.argsort(-its_values, kind="stable")
            found.append(Maximised(its.layer, kernel, its_frames[order], its_values[order]))
    return found


class _Climb:
    """Optimises frames for the kernels of a layer, within the corpus's statistics."""

    def __init__(self, kernels: Kernels, layer: KernelLayer, statistics: FrameStatistics) -> None:
        self._kernels, self._layer, self._statistics = kernels, layer, statistics
        # Optimise frames in units of their bands' standard deviations.
        deviation = np.sqrt(np.diag(statistics.covariance))
        self._deviation = np.where(deviation > 0, deviation, 1).astype(np.float32)
        self._mean = statistics.mean.astype(np.float32)
        whiten, self._usual = statistics.whitening()
        self._whiten = whiten.astype(np.float32)

    def __call__(self, of: np.ndarray, unit: np.ndarray, seed: int) -> np.ndarray:
        """Return (STARTS · kernels, size, n_mels) frames, for some kernels and their units."""
        # Every kernel gets the same starts, in any combination of kernels.
        starts = np.tile(self._starts(seed), (len(of) // STARTS, 1, 1))
        z = keras.Variable((starts - self._mean) / self._deviation)
        bounds = [
            ((bound - self._mean) / self._deviation).astype(np.float32)
            for bound in (self._statistics.low, self._statistics.high)
        ]
        rate = keras.optimizers.schedules.ExponentialDecay(_RATE, _STEPS, 0.1)
        adam = keras.optimizers.Adam(rate, beta_2=0.99, epsilon=1e-8)
        adam.build([z])

        def step(jitter: tf.Tensor) -> None:
            adam.apply([self._gradient_of_loss(z.value, of, unit, jitter)], [z])
            z.assign(tf.clip_by_value(z.value, *bounds))

        compiled, random = tf.function(step), np.random.default_rng(seed + 1)
        for _ in range(_STEPS):
            jitter = random.integers((0, -_JITTER), (2 * _JITTER + 1, _JITTER + 1))
            compiled(tf.constant(jitter))
        frames = self._mean + self._deviation * z.numpy()
        return frames[:, _JITTER : _JITTER + self._layer.size]

    def _starts(self, seed: int) -> np.ndarray:
        """Return random frames with the corpus's mean and covariance, with a margin for jitter."""
        statistics = self._statistics
        values, vectors = np.linalg.eigh(statistics.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0))
        shape = (STARTS, self._layer.size + 2 * _JITTER, len(statistics.mean))
        noise = np.random.default_rng(seed).standard_normal(shape)
        frames = statistics.mean + 0.5 * noise @ root.T
        return np.clip(frames, statistics.low, statistics.high).astype(np.float32)

    def _gradient_of_loss(
        self, z: tf.Tensor, of: np.ndarray, unit: np.ndarray, jitter: tf.Tensor
    ) -> tf.Tensor:
        layer, statistics = self._layer, self._statistics
        with tf.GradientTape() as tape:
            tape.watch(z)
            x = self._mean + self._deviation * z
            piece = x[:, jitter[0] : jitter[0] + layer.size]
            # Bands that wrap around the edge are useless there, so do not change them.
            place = tf.range(len(self._mean), dtype=jitter.dtype) - jitter[1]
            inside = (place >= 0) & (place < len(self._mean))
            piece = tf.where(inside, tf.roll(piece, jitter[1], axis=2), piece)
            active = self._kernels.linear(piece, layer)[:, layer.alone]
            liked = tf.gather(active, of, axis=1, batch_dims=1) / unit
            # The penalty is 1 for each of the corpus's values that is exceeded twofold.
            away = tf.reduce_sum(((x - self._mean) @ self._whiten) ** 2, axis=2) / self._usual
            change = tf.reduce_mean((x[:, 1:] - x[:, :-1]) ** 2, (1, 2)) / statistics.change
            tilt = tf.reduce_mean((x[..., 1:] - x[..., :-1]) ** 2, (1, 2)) / statistics.tilt
            cost = tf.reduce_mean(tf.nn.relu(away - 1), axis=1)
            cost += tf.nn.relu(change - 1) + tf.nn.relu(tilt - 1)
            loss = tf.reduce_sum(cost - liked)
        return tape.gradient(loss, z)


def sound_of(frames: np.ndarray, sound: Sound) -> np.ndarray:
    """Return sound whose log-mel frames, analysed without centring, approximate `frames`.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, n_mels)
        Log-mel frames.
    sound : Sound
        Their description.

    Returns
    -------
    np.ndarray, shape (hop·(frames − 1) + n_fft,), float32
        It is not scaled, so it may exceed full scale.
    """
    import librosa

    # Pad with copies of the first and the last frame, because windows do not overlap at the ends.
    padded = np.pad(frames, ((_BEFORE, _BEFORE), (0, 0)), mode="edge")
    magnitude = librosa.feature.inverse.mel_to_stft(
        np.exp(padded.T.astype(np.float32)), sr=sound.sample_rate, n_fft=sound.n_fft, power=2.0
    )
    audio = librosa.griffinlim(
        magnitude,
        n_iter=_ROUNDS,
        hop_length=sound.hop,
        n_fft=sound.n_fft,
        center=False,
        random_state=0,
    )
    start = _BEFORE * sound.hop
    return audio[start : start + sound.hop * (len(frames) - 1) + sound.n_fft].astype(np.float32)


def maximised_clip(survey: Survey, layer: str | int, kernel: int) -> KernelClip:
    """Return the sounds that excite a kernel most, one from each start, the best first.

    Parameters
    ----------
    survey, layer, kernel
        As in `maximise`.
    """
    (one,) = maximise(survey, layer, [kernel], progress=False)
    sound = survey.kernels.sound
    audio, starts = join((sound_of(frames, sound) for frames in one.frames), sound.sample_rate)
    # Scale down sounds that exceed full scale; soft sounds stay soft.
    audio /= max(float(np.abs(audio).max()), 1.0)
    label = f"{one.layer.name}, kernel {kernel}: maximised"
    return KernelClip(audio, sound.sample_rate, label, (), starts)


def maximisation_table(survey: Survey, layer: str | int, *, progress: bool = True) -> pd.DataFrame:
    """Return the quality of each kernel's result: activation, distance from music, and as sound.

    Parameters
    ----------
    survey, layer, progress
        As in `maximise`.

    Returns
    -------
    pandas.DataFrame, by (layer, kernel)
        ``found`` (the activation of the corpus's best piece), ``maximised`` (of the best result),
        ``share_above`` (the share of the corpus's pieces with a higher activation),
        ``outside`` (the share of its bands and frames that leave the corpus's range by more than
        a thousandth of a neper), ``distance`` (the mean squared Mahalanobis distance of its frames,
        divided by the corpus's own), ``as_sound`` (the activation of the sound, analysed again),
        ``left`` (``as_sound`` divided by ``maximised``), ``off_db`` (the difference between the
        sound's log-mel and the result, root mean square, in dB).
    """
    its, statistics = survey.of(layer), survey.statistics
    net = survey.kernels
    results = maximise(survey, layer, progress=progress)
    whiten, usual = statistics.whitening()
    rows = []
    title = f"Sounding {its.layer.name}"
    for one in tqdm(results, title, unit="kernel", disable=not progress, leave=False):
        frames, maximised = one.frames[0], float(one.activation[0])
        again = frames_of_piece(sound_of(frames, net.sound), net.sound)
        sounds = float(net.active(again[None], its.layer)[0, its.layer.alone, one.kernel])
        away = ((frames - statistics.mean) @ whiten) ** 2
        beyond = np.maximum(statistics.low - frames, frames - statistics.high)
        rows.append(
            {
                "layer": its.layer.name,
                "kernel": one.kernel,
                "found": float(its.best[one.kernel, 0]),
                "maximised": maximised,
                "share_above": float((its.sample[:, one.kernel] > maximised).mean()),
                "outside": float((beyond > 1e-3).mean()),
                "distance": float(away.sum(axis=1).mean() / usual),
                "as_sound": sounds,
                "left": sounds / maximised if maximised > 0 else np.nan,
                "off_db": float(_DECIBELS * np.sqrt(((again - frames) ** 2).mean())),
            }
        )
    return pd.DataFrame(rows).set_index(["layer", "kernel"])
