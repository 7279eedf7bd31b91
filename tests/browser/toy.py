"""A network without weights, so that browser tests start in a moment.

It answers with the loudness of eight groups of mel bands: its answers differ from step to step
and from song to song, which is what the tests need.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.network import Network
from songnet_utils.streaming.timeline import ReceptiveField, Timeline

GENRES = (
    *("Electronic", "Experimental", "Folk", "Hip-Hop"),
    *("Instrumental", "International", "Pop", "Rock"),
)


class Toy(Network):
    """The paper's timeline over a fixed formula; `seconds_a_push` makes it slow on purpose."""

    def __init__(
        self, name: str = "Toy", caution: str = "", tilt: float = 1.0, seconds_a_push: float = 0.0
    ) -> None:
        self.name, self.caution, self.tilt = name, caution, tilt
        self.training_music = "no music at all: a formula"
        self.genres = GENRES
        self.timeline = Timeline(Sound(), ReceptiveField(36, 8))
        self.seconds_a_push = seconds_a_push

    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        field = self.timeline.field
        windows = sliding_window_view(self._enough(frames), field.size, axis=0)[:: field.stride]
        return np.stack([self.answer(window.T) for window in windows])

    def answer(self, frames: np.ndarray) -> np.ndarray:
        groups = frames.reshape(len(frames), len(GENRES), -1).mean(axis=(0, 2), dtype=np.float64)
        groups = self.tilt * (groups - groups.mean() + np.linspace(-3, 3, len(GENRES)))
        powers = np.exp(groups - groups.max())
        return (powers / powers.sum()).astype(np.float32)

    def with_metadata(self, clip: object) -> Toy:
        return self

    def embedding_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """The mel bands themselves, a step each: clips of one pitch are alike."""
        field = self.timeline.field
        windows = sliding_window_view(self._enough(frames), field.size, axis=0)[:: field.stride]
        return np.exp(windows.mean(axis=2))

    def stepper(self) -> Stepper:
        return Stepper(self)


class Stepper:
    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.frames = np.zeros((0, toy.sound.n_mels), np.float32)

    def push(self, frames: np.ndarray) -> list[np.ndarray]:
        time.sleep(self.toy.seconds_a_push)
        field = self.toy.timeline.field
        self.frames = np.concatenate([self.frames, frames])
        steps = []
        while len(self.frames) >= field.size:
            steps.append(self.toy.answer(self.frames[: field.size]))
            self.frames = self.frames[field.stride :]
        return steps
