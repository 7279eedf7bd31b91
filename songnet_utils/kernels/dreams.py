"""Dreamed clips: the log-mel that a kernel would like best, turned into sound.

*Activation maximisation* (Erhan et al. 2009; Simonyan et al. 2014) climbs from a random start along
the gradient of the activation. Left alone it ends in a pattern that is no sound at all. So the
climb is held where music is (the priors of Yosinski et al. 2015, in terms of sound), by the
corpus's own statistics (`FrameStatistics`):

- *range*: no band leaves the range that it has in the corpus;
- *spectrum*: a frame's distance from the mean, by the corpus's covariance (Mahalanobis), is no
  greater than usual;
- *smoothness*: from frame to frame, and from band to band, it changes no more than the corpus
  does;
- *jitter*: at each move the piece lies elsewhere by up to a frame and a band, so that nothing
  depends on a hair's breadth.

Only what exceeds the corpus's own measure costs anything, so there is no taste in it: a dream that
is as rough as music is not smoothed further.

*To sound*: the power of the mel bands is spread over frequencies by non-negative least squares,
and phases are found that fit (Griffin and Lim 1984), both by librosa.
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

#: From how many random starts a dream is dreamed.
STARTS = 4

# Frames and bands by which a piece may lie elsewhere.
_JITTER = 1
_MOVES = 160
# How far a move goes at first, in standard deviations of a band; it shrinks to a tenth.
_RATE = 0.1
# How much it costs to exceed the corpus's measure twofold, in units of the kernel's own best.
_PRICE = 1.0
# Pieces dreamed at once.
_AT_ONCE = 64
# Rounds of Griffin and Lim's method, and frames put before and after for it.
_ROUNDS, _BEFORE = 64, 2
# A natural logarithm of power in decibels.
_DECIBELS = 10 / np.log(10)


@dataclass(frozen=True)
class Dream:
    """What a kernel would like best.

    Parameters
    ----------
    layer : KernelLayer
        The kernel's layer.
    kernel : int
        Its number.
    frames : np.ndarray, shape (STARTS, size, n_mels), float32
        A log-mel from each start, the best first.
    activation : np.ndarray, shape (STARTS,), float32
        The kernel's activation for each.
    """

    layer: KernelLayer
    kernel: int
    frames: np.ndarray
    activation: np.ndarray


def dream(
    survey: Survey,
    layer: str | int,
    kernels: Sequence[int] | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
) -> list[Dream]:
    """Return the dreams of some kernels of a layer.

    Parameters
    ----------
    survey : Survey
        What a corpus tells of the kernels: its statistics hold the dreams near music, and a
        kernel's best piece says what is much for it.
    layer : str or int
        A layer's name, or its number from 1.
    kernels : sequence of int, optional
        Which; all by default. One that is dead in the corpus may dream nevertheless.
    seed : int
        Of the starts and the jitter; the same seed gives the same dreams.
    progress : bool
        Show a progress bar.

    Raises
    ------
    SongNetError
        When there is no such layer or kernel.
    """
    its = survey.of(layer)
    which = range(its.layer.kernels) if kernels is None else kernels
    numbers = [its.layer.check(kernel) for kernel in which]
    climb = _Climb(survey.kernels, its.layer, survey.statistics)
    # What is much for a kernel: its best piece; any will do for one that never fires.
    much = np.where(its.best[:, 0] > 0, its.best[:, 0], 1).astype(np.float32)
    dreams: list[Dream] = []
    bar = tqdm(
        desc=f"Dreaming {its.layer.name}",
        total=len(numbers),
        unit="kernel",
        disable=not progress,
        leave=False,
    )
    block = _AT_ONCE // STARTS
    with bar:
        for first in range(0, len(numbers), block):
            part = numbers[first : first + block]
            # The same start for every kernel, whichever are asked for together.
            starts = np.tile(_starts(its.layer, survey.statistics, seed), (len(part), 1, 1))
            of = np.repeat(part, STARTS)
            frames = climb(starts, of, much[of], seed)
            activations = survey.kernels.active(frames, its.layer).numpy()[:, its.layer.alone]
            values = activations[np.arange(len(of)), of].reshape(len(part), STARTS)
            found = frames.reshape(len(part), STARTS, *frames.shape[1:])
            for kernel, its_frames, its_values in zip(part, found, values, strict=True):
                order = np.argsort(-its_values, kind="stable")
                dreams.append(Dream(its.layer, kernel, its_frames[order], its_values[order]))
            bar.update(len(part))
    return dreams


def _starts(layer: KernelLayer, statistics: FrameStatistics, seed: int) -> np.ndarray:
    """Return random frames with the corpus's mean and covariance, and a frame to spare around."""
    random = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(statistics.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    shape = (STARTS, layer.size + 2 * _JITTER, len(statistics.mean))
    noise = random.standard_normal(shape)
    frames = statistics.mean + 0.5 * noise @ root.T
    return np.clip(frames, statistics.low, statistics.high).astype(np.float32)


class _Climb:
    """Moves frames towards what kernels of one layer like, within the corpus's measure."""

    def __init__(self, kernels: Kernels, layer: KernelLayer, statistics: FrameStatistics) -> None:
        self._kernels, self._layer = kernels, layer
        variance = np.diag(statistics.covariance)
        self._spread = tf.constant(np.sqrt(variance), tf.float32)
        self._mean = tf.constant(statistics.mean, tf.float32)
        self._low = tf.constant(statistics.low, tf.float32)
        self._high = tf.constant(statistics.high, tf.float32)
        whiten, self._distance = statistics.whitening()
        self._whiten = tf.constant(whiten, tf.float32)
        self._change, self._tilt = float(statistics.change), float(statistics.tilt)
        self._move = tf.function(self._one_move, reduce_retracing=True)
        self._size = layer.size

    def __call__(
        self, starts: np.ndarray, kernel: np.ndarray, much: np.ndarray, seed: int
    ) -> np.ndarray:
        random = np.random.default_rng(seed + 1)
        x = tf.constant(starts)
        first, second = tf.zeros_like(x), tf.zeros_like(x)
        which, scale = tf.constant(kernel), tf.constant(much)
        for move in range(_MOVES):
            shift = random.integers(0, 2 * _JITTER + 1)
            roll = random.integers(-_JITTER, _JITTER + 1)
            rate = _RATE * 0.1 ** (move / _MOVES)
            x, first, second = self._move(
                *(x, first, second, which, scale),
                *(tf.constant(shift, tf.int32), tf.constant(roll, tf.int32)),
                *(tf.constant(rate, tf.float32), tf.constant(move + 1.0, tf.float32)),
            )
        return x[:, _JITTER : _JITTER + self._size].numpy()

    def _one_move(
        self,
        x: tf.Tensor,
        first: tf.Tensor,
        second: tf.Tensor,
        kernel: tf.Tensor,
        much: tf.Tensor,
        shift: tf.Tensor,
        roll: tf.Tensor,
        rate: tf.Tensor,
        number: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return `x` after one move of Adam (Kingma and Ba 2015), and Adam's two means."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(self._cost(x) - self._liked(x, kernel, shift, roll) / much)
        gradient = tape.gradient(loss, x) * self._spread
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        mean, square = first / (1 - 0.9**number), second / (1 - 0.99**number)
        x = x - rate * self._spread * mean / (tf.sqrt(square) + 1e-8)
        return tf.clip_by_value(x, self._low, self._high), first, second

    def _liked(
        self, x: tf.Tensor, kernel: tf.Tensor, shift: tf.Tensor, roll: tf.Tensor
    ) -> tf.Tensor:
        piece = tf.roll(x[:, shift : shift + self._size], roll, axis=2)
        # Bands rolled over the edge are of no use there: they stay what they are.
        edge = tf.range(x.shape[2])
        inside = (edge - roll >= 0) & (edge - roll < x.shape[2])
        piece = tf.where(inside, piece, x[:, shift : shift + self._size])
        values = self._kernels.linear(piece, self._layer)[:, self._layer.alone]
        return tf.gather(values, kernel, axis=1, batch_dims=1)

    def _cost(self, x: tf.Tensor) -> tf.Tensor:
        """Return what it costs to exceed the corpus's measure, for each piece."""
        away = (x - self._mean) @ self._whiten
        spectrum = tf.reduce_sum(away**2, axis=2) / self._distance
        change = tf.reduce_mean((x[:, 1:] - x[:, :-1]) ** 2, axis=(1, 2)) / self._change
        tilt = tf.reduce_mean((x[..., 1:] - x[..., :-1]) ** 2, axis=(1, 2)) / self._tilt
        return _PRICE * (
            tf.reduce_mean(tf.nn.relu(spectrum - 1), axis=1)
            + tf.nn.relu(change - 1)
            + tf.nn.relu(tilt - 1)
        )


def sound_of(frames: np.ndarray, sound: Sound, *, seed: int = 0) -> np.ndarray:
    """Return a piece of sound whose log-mel frames, analysed without centring, are near `frames`.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, n_mels)
        Log-mel frames.
    sound : Sound
        Their description.
    seed : int
        Of the phases that it begins with.

    Returns
    -------
    np.ndarray, shape (hop·(frames − 1) + n_fft,), float32
        Not scaled: it may exceed full scale.
    """
    import librosa

    # Frames that repeat the first and the last carry the ends, where windows do not overlap.
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
        random_state=seed,
    )
    start = _BEFORE * sound.hop
    return audio[start : start + sound.hop * (len(frames) - 1) + sound.n_fft].astype(np.float32)


def dreamed_clip(survey: Survey, layer: str | int, kernel: int, *, seed: int = 0) -> KernelClip:
    """Return a kernel's dreams as sound, one from each start, the best first.

    Parameters
    ----------
    survey, layer, kernel, seed
        As in `dream`.
    """
    (one,) = dream(survey, layer, [kernel], seed=seed, progress=False)
    sound = survey.kernels.sound
    audio, starts = join((sound_of(frames, sound) for frames in one.frames), sound.sample_rate)
    loudest = float(np.abs(audio).max())
    # Louder than full scale cannot be played; what is soft stays soft.
    audio = audio / max(loudest, 1.0)
    label = f"{one.layer.name}, kernel {kernel}: dreamed"
    return KernelClip(audio, sound.sample_rate, label, (), starts)


def dream_table(
    survey: Survey,
    layer: str | int,
    kernels: Sequence[int] | None = None,
    *,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Say of each dream how good it is, how far from music, and what is left of it as sound.

    Parameters
    ----------
    survey, layer, kernels, seed, progress
        As in `dream`.

    Returns
    -------
    pandas.DataFrame, by (layer, kernel)
        ``found`` (the activation of the corpus's best piece), ``dreamed`` (of the best dream),
        ``share_above`` (the share of the corpus's pieces whose activation is above the dream's),
        ``outside`` (the share of its bands and frames that leave the corpus's range by more than
        a thousandth of a neper), ``distance`` (the mean Mahalanobis distance of its frames,
        squared, by the corpus's own), ``as_sound`` (the activation of the sound, analysed again),
        ``left`` (that by ``dreamed``), ``off_db`` (how far the sound's log-mel is from the
        dream's, root mean square, in dB).
    """
    its, statistics = survey.of(layer), survey.statistics
    name, kernels_of = its.layer.name, survey.kernels
    dreams = dream(survey, layer, kernels, seed=seed, progress=progress)
    whiten, usual = statistics.whitening()
    rows = []
    for one in tqdm(dreams, f"Sounding {name}", unit="kernel", disable=not progress, leave=False):
        frames, dreamed = one.frames[0], float(one.activation[0])
        again = frames_of_piece(sound_of(frames, kernels_of.sound), kernels_of.sound)
        activations = kernels_of.active(again[None], its.layer).numpy()[0, its.layer.alone]
        sounds = float(activations[one.kernel])
        away = ((frames - statistics.mean) @ whiten) ** 2
        beyond = np.maximum(statistics.low - frames, frames - statistics.high)
        rows.append(
            {
                "layer": name,
                "kernel": one.kernel,
                "found": float(its.best[one.kernel, 0]),
                "dreamed": dreamed,
                "share_above": float((its.sample[:, one.kernel] > dreamed).mean()),
                "outside": float((beyond > 1e-3).mean()),
                "distance": float(away.sum(axis=1).mean() / usual),
                "as_sound": sounds,
                "left": sounds / dreamed if dreamed > 0 else np.nan,
                "off_db": float(_DECIBELS * np.sqrt(((again - frames) ** 2).mean())),
            }
        )
    return pd.DataFrame(rows).set_index(["layer", "kernel"])
