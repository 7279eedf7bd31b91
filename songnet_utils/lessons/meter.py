"""What a lesson costs: measured while it runs.

Memory is what the processes of the lesson hold at once (their resident sets, added up, so that
what they share counts more than once), looked at several times a second. Disk is by how much the
data folder has grown. Download is what the machine's network interfaces have received meanwhile,
whoever asked for it: at most so much was the lesson's.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

# Seconds between two looks at the memory.
_PERIOD = 0.2


@dataclass(frozen=True)
class Cost:
    """What something has cost.

    Parameters
    ----------
    seconds : float
        How long it took.
    memory : int
        Bytes that its processes held at most.
    disk : int
        Bytes by which the data folder has grown.
    download : int
        Bytes that came over the network meanwhile.
    """

    seconds: float
    memory: int
    disk: int
    download: int

    def to_dict(self) -> dict[str, float]:
        """Return it fit for JSON, seconds to a tenth."""
        return asdict(self) | {"seconds": round(self.seconds, 1)}


class Meter:
    """Measures from when it is started until it is read.

    Parameters
    ----------
    folder : pathlib.Path
        The data folder; it need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._disk, self._download = _bytes_in(folder), _received()
        self._began = time.perf_counter()
        self._memory = 0
        self._over = threading.Event()
        self._watch: threading.Thread | None = None

    def watch(self, process: int) -> None:
        """Look at the memory of a process, and of those that it starts, until `read`."""
        self._watch = threading.Thread(target=self._look, args=(process,), daemon=True)
        self._watch.start()

    def read(self) -> Cost:
        """Return what it has cost so far, and look at the memory no longer."""
        self._over.set()
        if self._watch is not None:
            self._watch.join()
        return Cost(
            seconds=time.perf_counter() - self._began,
            memory=self._memory,
            disk=max(0, _bytes_in(self._folder) - self._disk),
            download=_received() - self._download,
        )

    def _look(self, process: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(process)
            while True:
                self._memory = max(self._memory, sum(_resident(root)))
                if self._over.wait(_PERIOD):
                    break


def _resident(root: psutil.Process) -> Iterator[int]:
    yield root.memory_info().rss
    for child in root.children(recursive=True):
        # It may have ended by now.
        with contextlib.suppress(psutil.NoSuchProcess):
            yield child.memory_info().rss


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _received() -> int:
    """Return how many bytes this machine has received from others."""
    own = {name for name, its in psutil.net_if_stats().items() if "loopback" in its.flags}
    return sum(
        its.bytes_recv
        for name, its in psutil.net_io_counters(pernic=True).items()
        if name not in own and not name.startswith("Loopback")
    )
