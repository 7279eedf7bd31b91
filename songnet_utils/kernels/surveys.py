"""One pass over a corpus that collects the pieces and the statistics of each kernel.

The survey reads each clip once, and collects everything about all kernels of all layers in memory
that does not depend on the size of the corpus:

- the best pieces of each kernel, at most one per artist (and so at most one per song): a running
  top-k of artists;
- how often a kernel fires (with an activation above 0) and how strongly, and its correlation with
  the other kernels (for twins);
- the mean of all pieces, weighted by their activations (a *triggered average*, like the
  spike-triggered average of neuroscience): the kernel's preferred sound, by band and frame;
- the spectrum of its activations over time (Welch 1967): its preferred rhythm;
- the distribution of the corpus's frames, which keeps activation maximisation close to music.

Only pieces that lie completely inside a clip count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import signal
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.splits import artists
from songnet_utils.features.store import LogMels
from songnet_utils.kernels.frame_statistics import FrameCounts, FrameStatistics
from songnet_utils.kernels.layers import KernelLayer, Kernels

#: The number of pieces per kernel in a survey.
MOST_PIECES = 8

#: Two kernels are twins if the correlation of their activations over the corpus exceeds this.
TWINS = 0.95

#: A peak of a kernel's rhythm is a beat if it has this many times the mean power.
STANDS_OUT = 3.0

# The seconds of activations in a spectrum, enough for one beat in two seconds.
_RHYTHM_SECONDS = 12.0
_RHYTHM_HERTZ = (0.6, 6.0)
# The number of moments at which to sample all activations.
_SAMPLED = 4_096


@dataclass(frozen=True)
class LayerSurvey:
    """The survey of one layer's kernels.

    Parameters
    ----------
    layer : KernelLayer
        The layer.
    best : np.ndarray, shape (kernels, MOST_PIECES), float32
        The activations of the best pieces, in falling order; −inf for missing pieces.
    clip, position : np.ndarray, shape (kernels, MOST_PIECES), int
        The clip of each, as a row of the survey's clips, and the activation's number in it.
    fires : np.ndarray, shape (kernels,)
        The share of activations above 0.
    mean : np.ndarray, shape (kernels,)
        The mean activation.
    by_genre : np.ndarray, shape (kernels, genres)
        The mean activation in each genre, in the order of `Survey.genres`.
    triggered : np.ndarray, shape (kernels, size, n_mels), float32
        The mean of the pieces, weighted by their activation above 0, minus the mean of all pieces:
        positive where the kernel prefers more power than average. 0 for dead kernels.
    correlation : np.ndarray, shape (kernels, kernels), float32
        The correlation of the activations of any two kernels; 0 for dead ones.
    rhythm : np.ndarray, shape (kernels, frequencies)
        The power of the activations at each of `hertz`, with mean 1; 0 for dead kernels.
    hertz : np.ndarray, shape (frequencies,)
        The frequencies, from `_RHYTHM_HERTZ`.
    sample : np.ndarray, shape (moments, kernels), float32
        The activations at random moments of the corpus, all equally likely.
    """

    layer: KernelLayer
    best: np.ndarray
    clip: np.ndarray
    position: np.ndarray
    fires: np.ndarray
    mean: np.ndarray
    by_genre: np.ndarray
    triggered: np.ndarray
    correlation: np.ndarray
    rhythm: np.ndarray
    hertz: np.ndarray
    sample: np.ndarray

    @property
    def dead(self) -> np.ndarray:
        """Whether each kernel never fires."""
        return self.fires == 0

    def beats(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the strongest beat in each kernel's activations.

        Returns
        -------
        hertz : np.ndarray, shape (kernels,)
            The frequency of the highest peak of its rhythm; NaN if no peak is at least
            `STANDS_OUT`. A maximum at the edge of the range is not a peak but slow or fast change.
        power : np.ndarray, shape (kernels,)
            The power of that peak, divided by the mean of all frequencies; 0 if there is none.
        """
        inner = self.rhythm[:, 1:-1]
        is_peak = (inner > self.rhythm[:, :-2]) & (inner > self.rhythm[:, 2:])
        power = np.where(is_peak & (inner >= STANDS_OUT), inner, 0)
        place = power.argmax(axis=1)
        power = power[np.arange(len(power)), place]
        return np.where(power > 0, self.hertz[1:-1][place], np.nan), power

    def twins(self) -> list[list[int]]:
        """Return pairs of nearly identical kernels."""
        return np.argwhere(np.triu(self.correlation, 1) > TWINS).tolist()


@dataclass(frozen=True)
class Survey:
    """The survey of all kernels of a network on a corpus.

    Parameters
    ----------
    kernels : Kernels
        The network's kernels.
    log_mels : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The surveyed clips; a clip by an unknown artist is an artist of its own.
    layers : list of LayerSurvey
        In the order of ``kernels.layers``.
    statistics : FrameStatistics
        The distribution of the corpus's frames.
    """

    kernels: Kernels
    log_mels: LogMels
    clips: pd.DataFrame
    layers: list[LayerSurvey]
    statistics: FrameStatistics

    @property
    def genres(self) -> list[str]:
        """The genres of the clips, in alphabetical order."""
        return genres_of(self.clips)

    def of(self, which: str | int) -> LayerSurvey:
        """Return the survey of a layer, by its name or its number from 1."""
        return self.layers[self.kernels.layer(which).number - 1]

    def found(self, which: str | int, kernel: int) -> pd.DataFrame:
        """Return the pieces that excite a kernel most, one row each, the best first.

        Returns
        -------
        pandas.DataFrame
            ``id`` (of the clip), ``artist``, ``genre``, ``activation``, ``position`` (the number of
            the activation in the clip), ``start`` and ``stop`` (samples at the network's rate),
            ``seconds`` (where it starts).

        Raises
        ------
        SongNetError
            When there is no such kernel, or it is dead and so has no pieces.
        """
        its = self.of(which)
        layer, kernel = its.layer, its.layer.check(kernel)
        if its.dead[kernel]:
            raise SongNetError(
                f"Kernel {kernel} of {layer.name} is dead: in {len(self.clips):,} clips of "
                f"{self.log_mels.corpus.name}, its activation is never above 0, so no piece "
                "excites it. Choose another kernel."
            )
        pieces = int((its.best[kernel] > 0).sum())
        position = its.position[kernel, :pieces]
        spans = np.array([layer.samples_of(int(place)) for place in position])
        clips = self.clips.iloc[its.clip[kernel, :pieces]].reset_index(drop=True)
        return clips[["id", "artist", "genre"]].assign(
            activation=its.best[kernel, :pieces].astype(float),
            position=position,
            start=spans[:, 0],
            stop=spans[:, 1],
            seconds=spans[:, 0] / layer.sound.sample_rate,
        )

    def table(self) -> pd.DataFrame:
        """Return a table with a row per kernel.

        Returns
        -------
        pandas.DataFrame, by (layer, kernel)
            ``fires`` (share of the time), ``mean`` and ``largest`` (activation), ``genre`` (with
            the largest mean activation), ``beats`` (per minute; NaN without a peak) and
            ``beats_stand_out`` (`LayerSurvey.beats`), ``twin`` (the most similar kernel, if any),
            ``dead``.
        """
        tables = {}
        for its in self.layers:
            twin = {kernel: pair for a, b in its.twins() for kernel, pair in ((a, b), (b, a))}
            hertz, power = its.beats()
            best = np.array(self.genres, object)[its.by_genre.argmax(axis=1)]
            columns = {
                "fires": its.fires,
                "mean": its.mean,
                "largest": its.best[:, 0].astype(float),
                "genre": np.where(its.dead, None, best),
                "beats": 60 * hertz,
                "beats_stand_out": power,
                "twin": pd.Series(twin, range(len(best)), "Int64"),
                "dead": its.dead,
            }
            tables[its.layer.name] = pd.DataFrame(columns)
        return pd.concat(tables, names=["layer", "kernel"])


def survey(
    kernels: Kernels,
    log_mels: LogMels,
    clips: pd.DataFrame | None = None,
    *,
    progress: bool = True,
) -> Survey:
    """Go through a corpus once, and collect the pieces and statistics of each kernel.

    Parameters
    ----------
    kernels : Kernels
        The kernels of a network.
    log_mels : LogMels
        A corpus with frames from the network's description of sound.
    clips : pandas.DataFrame, optional
        The clips to survey, from the corpus's table; all usable ones by default.
    progress : bool
        Show a progress bar.

    Raises
    ------
    SongNetError
        When the frames have another description of sound, there are no clips, or all clips are
        shorter than the receptive field of a layer.
    """
    net = kernels.net
    if log_mels.sound != net.sound:
        raise SongNetError(
            f"{net.name}: the frames were made with another description of sound. "
            "Compute them with log_mels(corpus, net.sound)."
        )
    table = log_mels.clips if clips is None else clips
    if table.empty:
        raise SongNetError("There are no clips to survey. Give at least one.")
    table = table.assign(artist=artists(table)).reset_index(drop=True)
    gathering = [_Gathering(layer, genres_of(table)) for layer in kernels.layers]
    statistics = FrameCounts(net.sound)
    bar = tqdm(table.itertuples(), "Surveying", len(table), leave=False, disable=not progress)
    for row, clip in enumerate(bar):
        frames = log_mels.frames(clip.id)
        statistics.add(frames)
        for gather, values in zip(gathering, kernels.activations(frames), strict=True):
            gather.add(row, clip.artist, clip.genre, frames, values)
    for gather in gathering:
        if not gather.activations:
            layer = gather.layer
            raise SongNetError(
                f"{log_mels.corpus.name}: no clip is as long as the receptive field of "
                f"{layer.name}, {layer.seconds:.2f} s, with half a frame before and after it. "
                "Give longer clips."
            )
    layers = [gather.result() for gather in gathering]
    return Survey(kernels, log_mels, table, layers, statistics.result())


def genres_of(clips: pd.DataFrame) -> list[str]:
    """Return the genres of some clips, in alphabetical order."""
    return sorted(clips.genre.dropna().unique())


class _Gathering:
    """Collects the survey of one layer."""

    def __init__(self, layer: KernelLayer, genres: list[str]) -> None:
        self.layer, self._genres = layer, genres
        self.activations = 0
        kernels, wide = layer.kernels, layer.size * layer.sound.n_mels
        shape = (kernels, MOST_PIECES)
        self._best = np.full(shape, -np.inf, np.float32)
        self._clip = np.full(shape, -1)
        self._position = np.full(shape, -1)
        self._artist = np.full(shape, -1)
        self._numbers: dict[str, int] = {}
        self._of_genre = np.zeros(len(genres))
        self._by_genre = np.zeros((kernels, len(genres)))
        self._fired = np.zeros(kernels)
        self._total = np.zeros(kernels)
        self._weight = np.zeros(kernels)
        self._products = np.zeros((kernels, kernels))
        self._triggered = np.zeros((kernels, wide))
        self._pieces = np.zeros(wide)
        self._nperseg = max(8, round(_RHYTHM_SECONDS * self.layer.rate))
        hertz = np.fft.rfftfreq(self._nperseg, 1 / layer.rate)
        self._audible = (hertz >= _RHYTHM_HERTZ[0]) & (hertz <= _RHYTHM_HERTZ[1])
        self._hertz = hertz[self._audible]
        self._power = np.zeros((kernels, len(self._hertz)))
        # Each moment draws a random number, and those with the lowest numbers are the sample.
        self._random = np.random.default_rng(self.layer.number)
        self._drawn = np.empty(0)
        self._sample = np.empty((0, kernels), np.float32)

    def add(
        self, row: int, artist: str, genre: str | None, frames: np.ndarray, values: np.ndarray
    ) -> None:
        """Add a clip: its frames, and all its activations (positions, kernels)."""
        positions = self.layer.inside(len(frames))
        if not positions:
            return
        inside = values[positions.start : positions.stop]
        self._add_best(row, artist, positions.start, inside)
        excess = np.maximum(inside, 0)
        pieces = self.layer.windows(frames).reshape(len(inside), -1)
        self.activations += len(inside)
        self._fired += (inside > 0).sum(axis=0)
        self._total += inside.sum(axis=0, dtype=np.float64)
        self._weight += excess.sum(axis=0, dtype=np.float64)
        self._products += inside.T @ inside
        self._triggered += excess.T @ pieces
        self._pieces += pieces.sum(axis=0, dtype=np.float64)
        self._draw(inside)
        if genre in self._genres:
            number = self._genres.index(genre)
            self._of_genre[number] += len(inside)
            self._by_genre[:, number] += inside.sum(axis=0, dtype=np.float64)
        if len(inside) >= self._nperseg:
            _, power = signal.welch(inside, self.layer.rate, nperseg=self._nperseg, axis=0)
            self._power += power[self._audible].T

    def _add_best(self, row: int, artist: str, first: int, values: np.ndarray) -> None:
        who = self._numbers.setdefault(artist, len(self._numbers))
        at = values.argmax(axis=0)
        kernels = np.arange(len(at))
        value = values[at, kernels]
        # Replace this artist's own piece, or else the worst one.
        own = self._artist == who
        place = np.where(own.any(axis=1), own.argmax(axis=1), self._best.argmin(axis=1))
        better = value > self._best[kernels, place]
        chosen, place = kernels[better], place[better]
        self._best[chosen, place] = value[better]
        self._clip[chosen, place] = row
        self._position[chosen, place] = first + at[better]
        self._artist[chosen, place] = who

    def _draw(self, values: np.ndarray) -> None:
        drawn = np.concatenate([self._drawn, self._random.random(len(values))])
        lowest = np.argsort(drawn)[:_SAMPLED]
        self._drawn = drawn[lowest]
        self._sample = np.concatenate([self._sample, values])[lowest]

    def result(self) -> LayerSurvey:
        """Return what was gathered."""
        layer, count = self.layer, self.activations
        order = np.argsort(-self._best, axis=1, kind="stable")
        best, clip, position = (
            np.take_along_axis(one, order, axis=1)
            for one in (self._best, self._clip, self._position)
        )
        mean = self._total / count
        covariance = self._products / count - np.outer(mean, mean)
        deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
        deviation[self._fired == 0] = 0
        scale = np.outer(deviation, deviation)
        correlation = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
        weight = self._weight[:, None]
        usual = np.where(weight > 0, self._pieces / count, 0)
        triggered = self._triggered / np.where(weight > 0, weight, 1) - usual
        level = self._power.mean(axis=1, keepdims=True)
        level[(self._fired == 0) | (level[:, 0] == 0)] = np.inf
        return LayerSurvey(
            layer=layer,
            best=best,
            clip=clip,
            position=position,
            fires=self._fired / count,
            mean=mean,
            by_genre=self._by_genre / np.maximum(self._of_genre, 1),
            triggered=triggered.reshape(layer.kernels, layer.size, -1).astype(np.float32),
            correlation=np.clip(correlation, -1, 1).astype(np.float32),
            rhythm=self._power / level,
            hertz=self._hertz,
            sample=self._sample,
        )
