"""The interface of every network that recognises genres.

SongNet and musicnn (`songnet_utils.models`) are both a `Network`; streaming, evaluation, plots and
widgets use only this interface.

Conventions: audio is mono float32 at ``network.sound.sample_rate``; frames are float32, shape
(frames, n_mels), as `songnet_utils.audio.log_mel` gives them for ``network.sound``; probabilities
are float32 in the order of ``network.genres`` and each row sums to 1.
"""

from __future__ import annotations

import abc
from typing import Any, Protocol

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.timeline import Timeline


class Stepper(Protocol):
    """A network that takes frames in pieces and carries its state between pushes."""

    def push(self, frames: np.ndarray, /) -> np.ndarray:
        """Take the next frames and return the steps that they complete.

        Parameters
        ----------
        frames : np.ndarray, shape (n, n_mels), float32, n ≥ 0
            The frames after those of the previous push.

        Returns
        -------
        np.ndarray, shape (steps, genres), float32
            Zero or more steps. Together, the steps of all pushes equal `Network.genre_of_frames` of
            all frames, to 1e-5, for any division of the frames into pieces.
        """
        ...


class Network(abc.ABC):
    """A network that gives the genre of music over time.

    Attributes
    ----------
    name : str
        Its name for people.
    training_music : str
        A description of its training music.
    caution : str
        A warning about the limits of its answers, or "".
    genres : tuple of str
        Its genres.
    timeline : Timeline
        Its description of sound and the frames that a step sees.
    """

    name: str
    training_music: str
    caution: str = ""
    genres: tuple[str, ...]
    timeline: Timeline

    @property
    def sound(self) -> Sound:
        """The description of sound that it was trained on."""
        return self.timeline.sound

    @abc.abstractmethod
    def genre_of_frames(self, frames: np.ndarray) -> np.ndarray:
        """Return the genre over time of log-mel frames.

        Parameters
        ----------
        frames : np.ndarray, shape (frames, n_mels), float32
            At least ``timeline.field.size`` frames.

        Returns
        -------
        np.ndarray, shape (steps, genres), float32
        """

    @abc.abstractmethod
    def stepper(self) -> Stepper:
        """Return a `Stepper` at the beginning of a song."""

    def genre_over_time(self, audio: np.ndarray) -> np.ndarray:
        """Return the genre over time of a whole song.

        Parameters
        ----------
        audio : np.ndarray, shape (samples,), float32
            At ``sound.sample_rate``, as from ``load_audio(file, sound.sample_rate)``.

        Returns
        -------
        np.ndarray, shape (steps, genres), float32
            Row ``k`` covers ``timeline.step_span(k)``.

        Raises
        ------
        SongNetError
            When the audio is too short for one step.
        """
        return self.genre_of_frames(self._enough(log_mel(audio, self.sound)))

    def classify(self, audio: np.ndarray) -> np.ndarray:
        """Return the song's genre probabilities, shape (genres,): the mean of its steps."""
        return self.genre_over_time(audio).mean(axis=0, dtype=np.float64).astype(np.float32)

    def description(self) -> dict[str, Any]:
        """Return the description that travels with the weights, for JSON."""
        return {
            "sound": self.sound.to_dict(),
            "genres": list(self.genres),
            "name": self.name,
            "training_music": self.training_music,
            "caution": self.caution,
        }

    def _enough(self, frames: np.ndarray) -> np.ndarray:
        """Return `frames`, or raise an error if they are too few."""
        if self.timeline.steps_of_frames(len(frames)) < 1:
            seconds = self.sound.seconds_of_samples((len(frames) - 1) * self.sound.hop)
            raise SongNetError(
                f"{self.name} needs at least {self.timeline.seconds_needed:.2f} s of sound for "
                f"one answer. Got {seconds:.2f} s. Choose a longer song."
            )
        return frames
