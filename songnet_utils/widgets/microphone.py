"""Samples of a microphone, as the page sends them and a network takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np

from songnet_utils.errors import SongNetError

#: Seconds of listening after which the microphone is closed.
MOST_SECONDS = 3600

#: Seconds of sound that may wait for a network that is slower than the music.
MOST_WAITING = 60

# Seconds without a sample after which the page is taken to be gone.
_PATIENCE = 20.0

_RATES = range(8_000, 192_001)


class Microphone:
    """What has come from a microphone and was not heard yet.

    Parameters
    ----------
    number : int
        The page's name for it.
    rate : int
        Samples a second, 8,000 to 192,000.

    Raises
    ------
    SongNetError
        When the rate is none that a microphone has.
    """

    def __init__(self, number: int, rate: int) -> None:
        if isinstance(rate, bool) or not isinstance(rate, int) or rate not in _RATES:
            raise SongNetError(
                f"The microphone gives {rate!r} samples a second; {_RATES[0]:,} to {_RATES[-1]:,} "
                "can be heard. Choose another microphone in the browser's settings."
            )
        self.number, self.rate = number, rate
        self._pieces: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()
        self._taken = self._given = 0
        self._closed = False
        self._lock = threading.Lock()

    def take(self, at: int, samples: np.ndarray) -> None:
        """Take what the page sends.

        Parameters
        ----------
        at : int
            How many samples came before, as the page counts them.
        samples
            Shape (samples,), float32, full scale ±1.

        Raises
        ------
        SongNetError
            When samples are missing before these, some are not numbers, or too many wait.
        """
        with self._lock:
            if at < self._taken:
                return  # These came before.
            if at > self._taken:
                raise SongNetError(
                    f"{(at - self._taken) / self.rate:.2f} s of the microphone were lost on their "
                    "way. Start it again."
                )
            if not np.isfinite(samples).all():
                raise SongNetError("The microphone gave samples that are not numbers.")
            if self._taken - self._given > MOST_WAITING * self.rate:
                raise SongNetError(
                    f"The network is {MOST_WAITING} s behind the microphone. Choose a quicker "
                    "network, or let other work on this computer end first."
                )
            if self._taken > MOST_SECONDS * self.rate:
                raise SongNetError(
                    f"The microphone was open for {MOST_SECONDS // 60} minutes, the most that is "
                    "listened to at a time. Start it again to go on."
                )
            self._taken += len(samples)
        self._pieces.put(samples)

    def close(self) -> None:
        """Say that nothing more comes."""
        self._closed = True
        self._pieces.put(np.zeros(0, np.float32))  # wakes who waits for more

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield what has come since the last block, as it comes, until the microphone is closed.

        Yields
        ------
        np.ndarray, shape (samples,), float32
            At least one sample.
        """
        while not (self._closed and self._pieces.empty()):
            try:
                pieces = [self._pieces.get(timeout=_PATIENCE)]
            except queue.Empty:
                return
            while not self._pieces.empty():
                pieces.append(self._pieces.get())
            there = [piece for piece in pieces if len(piece)]
            if there:
                block = np.concatenate(there)
                with self._lock:
                    self._given += len(block)
                yield block
