"""Extractions from sound files, the task that computes them, and the workers for the tasks.

An `Extraction` is the recipe: log-mel frames (with the 140 MFCC statistics, from the same
decoding), or a set of hand-crafted statistics. `extract` is the task: some clips in, one shard out.
It is a plain function of plain values, so a thread or process here and a Dask worker elsewhere run
the same function and write the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import decode, log_mel
from songnet_utils.audio.sound import Sound
from songnet_utils.features import FEATURE_SETS, mfcc_statistics
from songnet_utils.features.shards import Folder

# The version of the frames; increase it whenever their numbers change. Statistics have their own.
_VERSION = 2

# The seconds to wait for a cluster's scheduler.
_CLUSTER_SECONDS = 20

# A file's size, and the times, in nanoseconds, of the last changes of its content and inode.
Stamp = tuple[int, int, int]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Extraction:
    """A recipe that computes arrays from each clip.

    Parameters
    ----------
    name : str
        Its name.
    rate : int
        Samples per second of its input.
    description : mapping
        Everything that the result depends on, for JSON.
    arrays : tuple of str
        The names of a clip's arrays.
    compute : callable
        Takes mono audio, float32, shape (samples,); returns the arrays by name. It is sent to
        other processes, so it cannot be a lambda.
    threads_scale : bool
        Whether several threads of one process are as fast as several processes.
    """

    name: str
    rate: int
    description: Mapping[str, Any]
    arrays: tuple[str, ...]
    compute: Callable[[np.ndarray], Mapping[str, np.ndarray]] = field(repr=False)
    threads_scale: bool = True

    @property
    def folder_name(self) -> str:
        """The name of its folder in a store; another description gives another name."""
        text = json.dumps(self.description, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def log_mel_extraction(sound: Sound) -> Extraction:
    """Return the extraction of log-mel ``frames`` (frames, n_mels), and of their ``mfcc`` (140,).

    Decoding, resampling, transforms and writing all release the interpreter's lock.
    """
    description = {
        "sound": sound.to_dict(),
        "version": _VERSION,
        "mfcc version": FEATURE_SETS["mfcc"].version,
    }
    compute = functools.partial(_frames_and_mfcc, sound)
    return Extraction("log-mel", sound.sample_rate, description, ("frames", "mfcc"), compute)


def _frames_and_mfcc(sound: Sound, audio: np.ndarray) -> dict[str, np.ndarray]:
    return {"frames": log_mel(audio, sound), "mfcc": mfcc_statistics(audio, sound.sample_rate)}


def statistics_extraction(name: str, rate: int) -> Extraction:
    """Return the extraction of ``values``, a set of hand-crafted statistics (`FEATURE_SETS`).

    Much of the work is Python and small arrays, so threads would wait for each other.
    """
    description = {"set": name, "version": FEATURE_SETS[name].version, "rate": rate}
    compute = functools.partial(_values, name, rate)
    return Extraction(name, rate, description, ("values",), compute, threads_scale=False)


def _values(name: str, rate: int, audio: np.ndarray) -> dict[str, np.ndarray]:
    return {"values": FEATURE_SETS[name].compute(audio, rate)}


@dataclass(frozen=True)
class Outcome:
    """The outcome for a clip.

    Parameters
    ----------
    clip : str
        Its id.
    file : str
        Its sound file.
    content : str
        The SHA-256 of the file; "" when it could not be read.
    stamp : Stamp or None
        From before the file was read.
    reason : str
        Why it cannot be used; "" if its arrays are in the store.
    notes : tuple of str
        Sentences about what is odd in the file.
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
    """Compute the arrays of some clips and write them as one shard.

    Parameters
    ----------
    extraction : Extraction
        The recipe.
    folder : Folder
        The folder for the shard.
    clips : sequence of (str, str)
        Each clip's id and sound file.
    known : collection of str
        The contents that are in the store already; they are not computed again.

    Returns
    -------
    list of Outcome
        One per clip, in order. A clip that cannot be used has its reason.

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
            why = f"cannot be read ({error.strerror}). Put it back, or check its permissions."
            outcomes.append(Outcome(clip, file, reason=why))
            continue
        reason = ""
        notes: tuple[str, ...] = ()
        if content not in known and content not in done:
            try:
                song = decode(file, extraction.rate)
                notes = song.notes
                computed = extraction.compute(song.audio)
                if stamp_of(file) != stamp:
                    raise SongNetError("changed while it was read. Run the command again.")
                for name, array in computed.items():
                    arrays[f"{content}/{name}"] = array
                done.add(content)
            except SongNetError as error:
                reason = str(error).removeprefix(f"{file}: ")
            except Exception as error:
                # Among 100,000 files, one always makes a decoder fail in a new way. It must not
                # stop the work on the others.
                what = f"{type(error).__name__}: {error}"
                reason = f"cannot be analysed ({what}). Convert it to wav or flac."
        outcomes.append(Outcome(clip, file, content, stamp, reason, notes))
    if arrays:
        folder.write_shard(arrays)
    return outcomes


def stamp_of(path: str) -> Stamp:
    """Return a stamp that changes when the file changes."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def do_here(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], workers: int | None, threads: bool
) -> Iterator[_Result]:
    """Run tasks on this machine, several at once; yield their results in any order.

    Parameters
    ----------
    work, tasks
        The function, and its arguments for each task.
    workers : int, optional
        The number of tasks at once; all cores by default.
    threads : bool
        Whether workers are threads of this process or processes of their own.
    """
    jobs = min(workers or joblib.cpu_count(), len(tasks)) or 1
    prefer = "threads" if threads else "processes"
    parallel = joblib.Parallel(jobs, prefer=prefer, return_as="generator_unordered")
    yield from parallel(joblib.delayed(work)(task) for task in tasks)


def do_on_cluster(
    work: Callable[[_Task], _Result], tasks: Sequence[_Task], address: str
) -> Iterator[_Result]:
    """Run tasks on a Dask cluster; yield their results in any order.

    When a worker dies, the scheduler gives its tasks to another worker.

    Parameters
    ----------
    work, tasks
        The function, and its arguments for each task.
    address : str
        The scheduler's address.

    Raises
    ------
    SongNetError
        When there is no such cluster, it has no workers, they have another version of SongNet, or
        a task raises.
    """
    import distributed

    try:
        with distributed.Client(address, timeout=_CLUSTER_SECONDS, set_as_default=False) as client:
            if set(client.run(_version).values()) != {_version()}:
                raise SongNetError(
                    f"{address}: the cluster has no workers, or their version of songnet-utils is "
                    f"not that of this machine ({_version()}). Start them with `dask worker "
                    f"{address}` in the environment of this command."
                )
            futures = client.map(work, tasks, pure=False)
            for future in distributed.as_completed(futures, loop=client.loop):
                yield future.result()
    except SongNetError:
        raise
    except Exception as error:
        raise SongNetError(
            f"{address}: the Dask cluster did not do the work ({type(error).__name__}: {error}). "
            "Start one with `dask scheduler` and `dask worker ADDRESS`, check the logs, then run "
            "the command again. The results so far are still there."
        ) from error


def _version() -> str:
    return importlib.metadata.version("songnet-utils")
