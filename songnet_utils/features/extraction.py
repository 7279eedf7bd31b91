"""What is computed from sound files, the task that computes it, and who does the tasks.

An `Extraction` says what: log-mel frames (with the 140 MFCC statistics, from the same decoding), or
one of the sets of hand-crafted statistics. `extract` is the task: some clips in, one shard out. It
is a plain function of plain values, so that a thread here, a process here and a Dask worker
elsewhere run the very same one, and write the very same bytes.
"""

from __future__ import annotations

import abc
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import decode, log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.features import FEATURE_SETS, mfcc_statistics
from songnet_utils.features.shards import Folder

# Of the frames: raise it whenever their numbers change. A set of statistics has its own.
_VERSION = 2

# How long to wait for a cluster's scheduler.
_CLUSTER_SECONDS = 20

# A file's size, and the times in nanoseconds when its content and its inode last changed.
Stamp = tuple[int, int, int]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Extraction(abc.ABC):
    """What is computed from each clip.

    Attributes
    ----------
    name : str
        What to call it.
    arrays : tuple of str
        The arrays that a clip has.
    threads_scale : bool
        Whether several threads of one process do as well as several processes.
    """

    name: str
    arrays: tuple[str, ...]
    threads_scale: bool

    @property
    @abc.abstractmethod
    def rate(self) -> int:
        """Samples a second of the audio that it takes."""

    @abc.abstractmethod
    def description(self) -> dict[str, Any]:
        """Return all that decides what comes out, fit for JSON."""

    @abc.abstractmethod
    def compute(self, audio: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return the arrays of mono audio, float32."""

    @property
    def folder_name(self) -> str:
        """What its folder in a store is called; another description, another name."""
        text = json.dumps(self.description(), sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class LogMel(Extraction):
    """Log-mel frames, and the 140 MFCC statistics of the same samples."""

    sound: Sound

    name = "log-mel"
    arrays = ("frames", "mfcc")
    # Decoding, resampling, transforms and writing all release the interpreter's lock.
    threads_scale = True

    @property
    def rate(self) -> int:
        """The network's rate."""
        return self.sound.sample_rate

    def description(self) -> dict[str, Any]:
        """Return the description of sound, and the versions of what is computed."""
        return {
            "sound": self.sound.to_dict(),
            "version": _VERSION,
            "mfcc version": FEATURE_SETS["mfcc"].version,
        }

    def compute(self, audio: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return ``frames``, (frames, n_mels), and ``mfcc``, (140,)."""
        return {"frames": log_mel(audio, self.sound), "mfcc": mfcc_statistics(audio, self.rate)}


@dataclass(frozen=True)
class Statistics(Extraction):
    """One of the sets of hand-crafted statistics, `songnet_utils.features.FEATURE_SETS`."""

    set_name: str
    sample_rate: int

    arrays = ("values",)
    # Much of it is Python and small arrays.
    threads_scale = False

    @property
    def name(self) -> str:  # type: ignore[override]
        """The set's name."""
        return self.set_name

    @property
    def rate(self) -> int:
        """The network's rate."""
        return self.sample_rate

    def description(self) -> dict[str, Any]:
        """Return the set, its version and the rate."""
        version = FEATURE_SETS[self.set_name].version
        return {"set": self.set_name, "version": version, "rate": self.sample_rate}

    def compute(self, audio: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return ``values``, one for each of the set's columns."""
        return {"values": FEATURE_SETS[self.set_name].compute(audio, self.rate)}


@dataclass(frozen=True)
class Outcome:
    """What came of a clip.

    Parameters
    ----------
    clip : str
        Its id.
    file : str
        Its sound file.
    content : str
        The SHA-256 of the file; "" when it could not be read.
    stamp : Stamp or None
        Taken before the file was read.
    reason : str
        Why it cannot be used; "" when its arrays are in the store.
    notes : tuple of str
        What is odd about the file, a sentence each.
    """

    clip: str
    file: str
    content: str = ""
    stamp: Stamp | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def extract(
    extraction: Extraction,
    folder: Folder,
    clips: Sequence[tuple[str, str]],
    known: Collection[str] = (),
) -> list[Outcome]:
    """Compute the arrays of some clips, and write them as one shard.

    Parameters
    ----------
    extraction : Extraction
        What to compute.
    folder : Folder
        Where the shard goes.
    clips : sequence of (str, str)
        Each clip's id and sound file.
    known : collection of str
        Contents that are in the store: they are only looked at, not computed.

    Returns
    -------
    list of Outcome
        One for each clip, in order. A clip that cannot be used has its reason.

    Raises
    ------
    SongNetError
        When the shard cannot be written.
    """
    outcomes = []
    arrays: dict[str, np.ndarray] = {}
    done: set[str] = set()
    for clip, file in clips:
        try:
            stamp = stamp_of(file)
            content = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        except OSError as error:
            reason = (
                f"cannot be read ({error.strerror}). Put the file back, or check who may read it."
            )
            outcomes.append(Outcome(clip, file, reason=reason))
            continue
        reason = ""
        notes: tuple[str, ...] = ()
        if content not in known and content not in done:
            try:
                song = decode(file, extraction.rate)
                notes = song.notes
                computed = extraction.compute(song.audio)
                if stamp_of(file) != stamp:
                    raise SongNetError("changed while it was read. Run the same again.")
                for name, array in computed.items():
                    arrays[f"{content}/{name}"] = array
                done.add(content)
            except SongNetError as error:
                reason = str(error).removeprefix(f"{file}: ")
            except Exception as error:
                # Of 100,000 files there is always one that a decoder fails on in a new way; it
                # must not end the work on the others.
                reason = (
                    f"cannot be analysed ({type(error).__name__}: {error}). Convert it to wav or "
                    "flac."
                )
        outcomes.append(Outcome(clip, file, content, stamp, reason, notes))
    if arrays:
        folder.write_shard(arrays)
    return outcomes


def stamp_of(path: str) -> Stamp:
    """Return what changes when a file does."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def do_here(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], workers: int | None, *, threads: bool
) -> Iterator[_Result]:
    """Do tasks on this machine, several at once; yield what comes of each, in any order.

    Parameters
    ----------
    work, tasks
        What to do.
    workers : int, optional
        How many at once; all cores by default.
    threads : bool
        Whether each has a thread of this process, or a process of its own.
    """
    parallel = joblib.Parallel(
        n_jobs=min(workers or joblib.cpu_count(), len(tasks)) or 1,
        prefer="threads" if threads else "processes",
        return_as="generator_unordered",
    )
    yield from parallel(joblib.delayed(work)(task) for task in tasks)


def do_on_cluster(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], address: str
) -> Iterator[_Result]:
    """Do tasks of any kind on a Dask cluster; yield what comes of each, in any order.

    When a worker dies, the scheduler gives its tasks to another one.

    Parameters
    ----------
    work, tasks
        What to do.
    address : str
        Of the scheduler.

    Raises
    ------
    SongNetError
        When there is no such cluster, it has no workers or their SongNet is another one, or a
        task raises.
    """
    import distributed

    try:
        with distributed.Client(address, timeout=_CLUSTER_SECONDS, set_as_default=False) as client:
            if set(client.run(_version).values()) != {_version()}:
                raise SongNetError(
                    f"{address}: the cluster has no workers, or they have another version of "
                    f"songnet-utils than this machine ({_version()}). Start them with `dask worker "
                    f"{address}` in the environment that this command runs in."
                )
            futures = client.map(work, tasks, pure=False)
            for future in distributed.as_completed(futures, loop=client.loop):
                yield future.result()
    except SongNetError:
        raise
    except Exception as error:
        raise SongNetError(
            f"{address}: the Dask cluster did not do the work ({type(error).__name__}: {error}). "
            "Start one with `dask scheduler` and its workers with `dask worker ADDRESS`, see their "
            "logs, then run the same again; what was stored is still there."
        ) from error


def _version() -> str:
    return importlib.metadata.version("songnet-utils")
