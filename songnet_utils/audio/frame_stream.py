"""Log-mel frames of a song that comes in pieces: mix down, resample and frame it as it goes.

`FrameStream` does to pieces what `songnet_utils.audio` does to a whole song. It carries state from
piece to piece, reads each sample once, and uses constant memory. Its frames are those of
``log_mel(resample(mix_down(song), rate, sound.sample_rate), sound)``, bit for bit if nothing has
to be resampled, and otherwise to float rounding.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.lib.stride_tricks import as_strided

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import AudioError, check_samples, log_mel_of_windows, mix_down
from songnet_utils.audio.frames import RESAMPLER
from songnet_utils.audio.sound import Sound


class FrameStream:
    """Turns a song that comes in pieces into log-mel frames, each as soon as it is complete.

    `push` and `finish` suffice for a picture. Ten frames at once cost much less than ten single
    ones. To get frames in groups, call `feed` for each piece, which only stores it, and `take`
    from time to time.

    Parameters
    ----------
    sound : Sound
        The description of sound for the frames.
    rate : int, optional
        The pieces' samples per second; ``sound.sample_rate`` by default.
    channels : int
        The pieces' channels, which are mixed down with equal weight.

    Attributes
    ----------
    taken : int
        Frames returned so far: the number of the next one.

    Examples
    --------
    >>> stream = FrameStream(Sound(), rate=44_100, channels=2)
    >>> stream.push(np.zeros((4_410, 2), np.float32)).shape     # a tenth of a second
    (1, 128)
    >>> stream.finish().shape
    (2, 128)
    """

    def __init__(self, sound: Sound, rate: int | None = None, channels: int = 1) -> None:
        own = sound.sample_rate
        rate = own if rate is None else rate
        for what, value in (("rate", rate), ("channels", channels)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise SongNetError(f"{what} must be a whole number of at least 1. Got {value!r}")
        self.sound, self.rate, self.channels = sound, rate, channels
        self.taken = 0
        self._resampler = (
            soxr.ResampleStream(rate, own, 1, dtype="float32", quality=RESAMPLER)
            if rate != own
            else None
        )
        self._pieces: list[np.ndarray] = []
        # Samples at the network's rate that later frames need. Frame 0 is centred on the first
        # sample, so half a window of zeros comes before it.
        self._waiting = np.zeros(sound.n_fft // 2, np.float32)
        self._pushed = 0
        self._resampled = 0
        self._is_finished = False

    @property
    def seconds(self) -> float:
        """Seconds of the song pushed so far."""
        return self._pushed / self.rate

    @property
    def decided(self) -> int:
        """The number of complete frames, which later samples cannot change; it includes `taken`."""
        self._resample()
        more = (len(self._waiting) - self.sound.n_fft) // self.sound.hop + 1
        return self.taken + max(0, more)

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Take a piece of the song and return the frames that it completes.

        Parameters
        ----------
        samples
            As for `feed`.

        Returns
        -------
        np.ndarray, shape (frames, n_mels), float32
            Often without any frame.

        Raises
        ------
        AudioError
            As for `feed`.
        """
        self.feed(samples)
        return self.take()

    def finish(self) -> np.ndarray:
        """End the song and return its last frames, which include zeros after the last sample.

        Returns
        -------
        np.ndarray, shape (frames, n_mels), float32
            With all earlier ones, ``1 + samples // hop`` frames; none if there are no samples.
        """
        self.end()
        return self.take()

    def feed(self, samples: np.ndarray) -> None:
        """Store a piece of the song; `take` returns its frames.

        Parameters
        ----------
        samples
            Shape (n,) or (n, channels), floating point with full scale ±1, n ≥ 1.

        Raises
        ------
        AudioError
            When the shape or the type is wrong, or a sample is not a number or too large for
            sound. The stream stays as it was.
        """
        # Copy it, because a recorder may reuse the array.
        self._pieces.append(self.check(samples).copy())
        self._pushed += len(self._pieces[-1])

    def end(self) -> None:
        """End the song; `take` returns its last frames."""
        self._check_open()
        self._resample()
        self._is_finished = True
        if self._resampler is not None and self._pushed:
            self._append(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        if self._resampled:
            frames = self.sound.frames_of_samples(self._resampled) - self.taken
            missing = (frames - 1) * self.sound.hop + self.sound.n_fft - len(self._waiting)
            self._waiting = np.concatenate([self._waiting, np.zeros(max(0, missing), np.float32)])

    def take(self, most: int | None = None) -> np.ndarray:
        """Return the next complete frames, at most `most`, shape (frames, n_mels)."""
        sound = self.sound
        count = self.decided - self.taken
        count = count if most is None else min(count, most)
        if not count:
            return np.empty((0, sound.n_mels), np.float32)
        # numpy's sliding_window_view would add a tenth to the time of all that follows.
        apart = self._waiting.itemsize
        windows = as_strided(
            self._waiting, (count, sound.n_fft), (apart * sound.hop, apart), writeable=False
        )
        frames = log_mel_of_windows(windows, sound)
        # Copy the tail, so that it does not keep a long piece in memory.
        self._waiting = self._waiting[count * sound.hop :].copy()
        self.taken += count
        return frames

    def check(self, samples: np.ndarray) -> np.ndarray:
        """Return a piece as float32, shape (n, channels), or raise an error.

        Raises
        ------
        AudioError
            As for `feed`.
        SongNetError
            When the song has ended.
        """
        self._check_open()
        array = np.asarray(samples)
        if array.ndim == 1 and self.channels == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != self.channels or not len(array):
            shape = "(n,) or (n, 1)" if self.channels == 1 else f"(n, {self.channels})"
            raise AudioError(
                f"samples must have shape {shape} with n of at least 1, because this stream has "
                f"{self.channels} channel(s). Got shape {np.shape(samples)}"
            )
        return check_samples(array.ravel()).reshape(array.shape)

    def _check_open(self) -> None:
        if self._is_finished:
            raise SongNetError("this stream has finished. Make a new one for a new song")

    def _resample(self) -> None:
        """Convert the pieces to the network's rate."""
        if self._pieces:
            mono = mix_down(np.concatenate(self._pieces))
            self._pieces.clear()
            self._append(mono if self._resampler is None else self._resampler.resample_chunk(mono))

    def _append(self, samples: np.ndarray) -> None:
        """Take samples of the song at the network's rate."""
        self._resampled += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
