"""The description of sound, which belongs to every stored feature and every trained network."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from songnet_utils._utils.errors import SongNetError


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The description of sound: how samples become log-mel frames.

    It travels with every stored feature and every trained model.

    Parameters
    ----------
    sample_rate : int > 0
        Samples per second.
    n_fft : int > 0, even
        Samples in a frame's window.
    hop : int > 0, at most n_fft
        Samples between the centres of neighbouring frames.
    n_mels : int > 0
        Mel bands.
    floor : float > 0
        The smallest mel power: log-mel is ``ln(max(power, floor))``. It is fixed, and does not
        depend on the loudest moment of the clip, because that may lie in the future.

    Notes
    -----
    The defaults are those of deepsound-project/genre-recognition, from which the paper's network
    descends, with a fixed floor instead of its treatment of zeros.
    """

    sample_rate: int = 22_050
    n_fft: int = 2_048
    hop: int = 1_024
    n_mels: int = 128
    floor: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "hop", "n_mels"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SongNetError(f"{name} must be a whole number of at least 1. Got {value!r}")
        if self.n_fft % 2:
            raise SongNetError(
                f"n_fft must be even, so that frames are centred. Got {self.n_fft!r}"
            )
        if self.hop > self.n_fft:
            raise SongNetError(
                f"hop must be at most n_fft ({self.n_fft}), so that every sample is in a frame. "
                f"Got {self.hop!r}"
            )
        if not (isinstance(self.floor, float) and 0 < self.floor < math.inf):
            raise SongNetError(f"floor must be a positive float (mel power). Got {self.floor!r}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Sound:
        """Return the description from `to_dict`'s result; unknown or missing names are an error."""
        names = {field.name for field in dataclasses.fields(cls)}
        if set(values) != names:
            raise SongNetError(
                f"A description of sound must have exactly the entries {sorted(names)}. "
                f"Got {sorted(values)}"
            )
        return cls(**values)

    def to_dict(self) -> dict[str, int | float]:
        """Return the description as plain numbers for JSON."""
        return dataclasses.asdict(self)

    def samples_of_seconds(self, seconds: float) -> int:
        """Return the sample nearest to `seconds`."""
        return round(seconds * self.sample_rate)

    def seconds_of_samples(self, samples: float) -> float:
        """Return the time of a sample, in seconds."""
        return samples / self.sample_rate

    def frames_of_samples(self, samples: int) -> int:
        """Return the number of frames of a song of `samples` samples: ``1 + samples // hop``."""
        if samples < 1:
            raise SongNetError(f"A song must have at least 1 sample. Got {samples!r}")
        return 1 + samples // self.hop

    def frame_samples(self, frame: int) -> tuple[int, int]:
        """Return the samples ``[start, stop)`` that frame `frame` covers."""
        centre = self.hop * frame
        return centre - self.n_fft // 2, centre + self.n_fft // 2

    def frame_of_seconds(self, seconds: float) -> int:
        """Return the frame whose centre is nearest to `seconds`."""
        return round(seconds * self.sample_rate / self.hop)

    def seconds_of_frame(self, frame: int) -> float:
        """Return the time of a frame's centre, in seconds."""
        return self.hop * frame / self.sample_rate


@dataclass(frozen=True, kw_only=True)
class Waveform(Sound):
    """A description for networks that take a waveform: a frame is one sample, with one band.

    With it, such networks have steps and a stream like all others.
    """

    n_fft: int = 1
    hop: int = 1
    n_mels: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.sample_rate, bool) or not self.sample_rate >= 1:
            raise SongNetError(f"sample_rate must be at least 1. Got {self.sample_rate!r}")

    def frames_of_samples(self, samples: int) -> int:
        """Return the number of frames, which is the number of samples."""
        return samples

    def frame_samples(self, frame: int) -> tuple[int, int]:
        """Return the samples ``[start, stop)`` of a frame, which is one sample."""
        return frame, frame + 1
