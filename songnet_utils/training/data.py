"""The training data: random crops of the training clips, and whole clips.

Both are a ``keras.utils.PyDataset``, so that Keras's ``fit``, ``evaluate`` and ``predict`` take
them with every backend. A batch of crops depends only on the seed, the epoch and its own number, so
an interrupted training resumes with exactly the batches that it would have had.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import librosa
import numpy as np

from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import keras
from songnet_utils.training.recipe import Recipe

# Whole clips in a batch.
_WHOLE_CLIPS = 16

# The share of clips for which a network with metadata is trained without it, so that it also has an
# answer for songs without metadata.
_METADATA_DROPPED = 0.3

Batch = tuple[dict[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """The network's inputs for each clip, by name.

    Parameters
    ----------
    name : str
        The name of the input for `rows`: ``log_mel`` or ``embedding``.
    rows : callable
        Takes a clip's id; returns the network's input, (rows, channels) float32: log-mel frames,
        or musicnn's embedding of each patch.
    labels : mapping of str to int
        The index of each clip's genre, by clip id.
    genres : int
        The number of genres.
    metadata : mapping of str to np.ndarray
        The metadata of each clip, (columns,), by clip id; empty for a network without metadata.
    unknown : np.ndarray, shape (columns,)
        The metadata of a song without any known value.
    """

    name: str
    rows: Callable[[str], np.ndarray]
    labels: Mapping[str, int]
    genres: int
    metadata: Mapping[str, np.ndarray] = field(default_factory=dict)
    unknown: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    _lengths: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def length(self, clip: str) -> int:
        """Return the number of rows of a clip; this reads each clip only once."""
        if clip not in self._lengths:
            self._lengths[clip] = len(self.rows(clip))
        return self._lengths[clip]

    def targets(self, clips: Sequence[str]) -> np.ndarray:
        """Return the clips' genres as one-hot vectors, (clips, genres) float32."""
        return np.eye(self.genres, dtype=np.float32)[[self.labels[clip] for clip in clips]]

    def batch(self, rows: Sequence[np.ndarray], clips: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the network's inputs: the rows, all of one length, and the clips' metadata."""
        inputs = {self.name: np.stack(rows)}
        if self.metadata:
            inputs["metadata"] = np.stack([self.metadata[clip] for clip in clips])
        return inputs


class Crops(keras.utils.PyDataset):
    """One random crop of each training clip per epoch, in random order.

    Parameters
    ----------
    inputs : Inputs
        The network's inputs.
    clips : sequence of str
        The ids of the training clips.
    recipe : Recipe
        The batch size and the augmentation of crops and labels.
    size, masked : int
        Rows in a crop, and the most rows in a mask.
    mean : np.ndarray, shape (channels,)
        The mean row, which fills the masks.
    seed : int
        The seed for everything random here.
    sound : Sound, optional
        The description of sound, if the rows are frames that can be transposed.

    Attributes
    ----------
    epoch : int
        The epoch of the batches, from 0.
    """

    def __init__(
        self,
        inputs: Inputs,
        clips: Sequence[str],
        recipe: Recipe,
        *,
        size: int,
        masked: int,
        mean: np.ndarray,
        seed: int,
        sound: Sound | None = None,
    ) -> None:
        super().__init__()
        self.inputs, self.clips, self.recipe = inputs, clips, recipe
        self.sound = sound
        self.size, self.masked, self.mean, self.seed = size, masked, mean, seed
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self.clips) / self.recipe.batch)

    def __getitem__(self, index: int) -> Batch:
        """Return a batch of the current epoch."""
        recipe, inputs = self.recipe, self.inputs
        order = np.random.default_rng([self.seed, self.epoch, 0]).permutation(len(self.clips))
        random = np.random.default_rng([self.seed, self.epoch, 1 + index])
        chosen = order[recipe.batch * index : recipe.batch * (index + 1)]
        clips = [self.clips[place] for place in chosen]
        rows = [crop(inputs.rows(clip), self.size, random.random()) for clip in clips]
        if self.sound and recipe.semitones:
            shifts = recipe.semitones * random.uniform(-1, 1, len(clips))
            rows = [transpose(one, self.sound, up) for one, up in zip(rows, shifts, strict=True)]
        x = inputs.batch(rows, clips)
        y = inputs.targets(clips)
        if inputs.metadata:
            x["metadata"][random.random(len(clips)) < _METADATA_DROPPED] = inputs.unknown
        if recipe.masked_bands or self.masked:
            mask(x[inputs.name], self.mean, recipe.masked_bands, self.masked, random)
        if recipe.mixup:
            share = np.float32(random.beta(recipe.mixup, recipe.mixup))
            others = random.permutation(len(clips))
            x = {name: share * one + (1 - share) * one[others] for name, one in x.items()}
            y = share * y + (1 - share) * y[others]
        return x, y


class WholeClips(keras.utils.PyDataset):
    """Whole clips, with clips of the same length together.

    Parameters
    ----------
    inputs : Inputs
        The network's inputs.
    clips : sequence of str
        The ids of the clips.
    """

    def __init__(self, inputs: Inputs, clips: Sequence[str]) -> None:
        super().__init__()
        self.inputs = inputs
        lengths: dict[int, list[str]] = {}
        for clip in clips:
            lengths.setdefault(inputs.length(clip), []).append(clip)
        self.batches = [
            together[first : first + _WHOLE_CLIPS]
            for _, together in sorted(lengths.items())
            for first in range(0, len(together), _WHOLE_CLIPS)
        ]
        # Keras compares the sizes of the first two batches.
        self.batches.insert(0, self.batches.pop())

    @property
    def clips(self) -> list[str]:
        """The ids of the clips in the order of the batches."""
        return [clip for batch in self.batches for clip in batch]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        """Return the inputs and one-hot targets of a batch."""
        clips = self.batches[index]
        rows = [self.inputs.rows(clip) for clip in clips]
        return self.inputs.batch(rows, clips), self.inputs.targets(clips)


def crop(frames: np.ndarray, count: int, start: float) -> np.ndarray:
    """Return `count` successive frames of a clip.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, n_mels)
        The clip, which is repeated if it has fewer than `count`.
    count : int
        The number of frames to return.
    start : float
        The start, from 0 (the earliest place) to below 1 (the latest).
    """
    if len(frames) < count:
        frames = np.tile(frames, (math.ceil(count / len(frames)), 1))
    first = int(start * (len(frames) - count + 1))
    return np.asarray(frames[first : first + count])


def transpose(frames: np.ndarray, sound: Sound, semitones: float) -> np.ndarray:
    """Return approximately the frames of the same music in another key.

    Each band moves to the band nearest to its frequency in the other key; beyond the ends, the
    lowest or the highest band is repeated. Unlike a pitch shift of the audio, this costs nothing
    and adds no artefacts.

    Parameters
    ----------
    frames : np.ndarray, shape (frames, n_mels)
        Log-mel frames.
    sound : Sound
        Their description of sound.
    semitones : float
        The shift upwards.
    """
    hertz = librosa.mel_frequencies(sound.n_mels + 2, fmax=sound.sample_rate / 2)[1:-1]
    places = np.interp(hertz / 2 ** (semitones / 12), hertz, np.arange(sound.n_mels))
    return frames[:, places.round().astype(int)]


def mask(
    rows: np.ndarray, mean: np.ndarray, bands: int, count: int, random: np.random.Generator
) -> None:
    """Replace two stripes of bands and two of time in each crop by the mean row, in place.

    Parameters
    ----------
    rows : np.ndarray, shape (crops, rows, bands)
        Changed in place.
    mean : np.ndarray, shape (bands,)
        The row that fills the stripes.
    bands, count : int
        The largest size of a stripe, in bands and in rows.
    random : numpy.random.Generator
        Draws sizes and places.

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
