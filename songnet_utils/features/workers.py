"""Doing tasks: by threads or processes of this machine, or by the workers of a Dask cluster.

A task is some clips, ``(id, sound file)`` each; doing it is one call of `extract
<songnet_utils.features.extraction.extract>`, whoever makes it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import joblib

from songnet_utils._utils.errors import SongNetError
from songnet_utils.features.extraction import Outcome

#: Some clips: the id and the sound file of each.
Task: TypeAlias = Sequence[tuple[str, str]]
#: Does a task, and says what came of each of its clips.
Extract: TypeAlias = Callable[[Task], list[Outcome]]

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")

# How long to wait for a cluster's scheduler.
_CLUSTER_SECONDS = 20


def do_here(
    extract: Extract, tasks: Sequence[Task], workers: int | None, *, threads: bool
) -> Iterator[list[Outcome]]:
    """Do tasks on this machine, several at once; yield what comes of each, in any order.

    Parameters
    ----------
    extract, tasks
        What to do.
    workers : int, optional
        How many at once; all cores by default.
    threads : bool
        Whether each has a thread of this process, or a process of its own.

    Raises
    ------
    SongNetError
        When a task raises it; those that have begun are finished first.
    """
    failure: SongNetError | None = None

    def jobs() -> Iterator[Any]:
        for clips in tasks:
            if failure:
                # What has begun is waited for, so that nothing is left half-written.
                return
            yield joblib.delayed(_attempt)(extract, clips)

    parallel = joblib.Parallel(
        n_jobs=min(workers or joblib.cpu_count(), len(tasks)) or 1,
        prefer="threads" if threads else "processes",
        return_as="generator_unordered",
    )
    for outcomes in parallel(jobs()):
        if isinstance(outcomes, SongNetError):
            failure = failure or outcomes
        else:
            yield outcomes
    if failure:
        raise failure


def _attempt(extract: Extract, clips: Task) -> list[Outcome] | SongNetError:
    """Do a task; return the error that keeps the store from being written."""
    try:
        return extract(clips)
    except SongNetError as error:
        return error


def do_on_cluster(
    work: Callable[[_Given], _Found], tasks: Sequence[_Given], address: str
) -> Iterator[_Found]:
    """Do tasks of any kind on a Dask cluster; yield what comes of each, in any order.

    A worker that dies takes nothing along: the scheduler gives its tasks to another one.

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
        client = distributed.Client(address, timeout=_CLUSTER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SongNetError(
            f"{address}: no Dask scheduler answers there ({error}). Start one with `dask "
            "scheduler` and its workers with `dask worker ADDRESS`, then run the same again."
        ) from error
    with client:
        try:
            versions = set(client.run(_version).values())
        except Exception as error:
            raise SongNetError(
                f"{address}: its workers cannot run SongNet ({type(error).__name__}: {error}). "
                "Start them in the environment that this command runs in."
            ) from error
        if not versions:
            raise SongNetError(
                f"{address}: the scheduler has no workers. Start some with `dask worker "
                f"{address}`, then run the same again."
            )
        if versions - {_version()}:
            raise SongNetError(
                f"{address}: its workers have songnet-utils {', '.join(sorted(versions))}, this "
                f"machine has {_version()}. Use the same one everywhere."
            )
        futures = client.map(work, tasks, pure=False)
        for future in distributed.as_completed(futures, loop=client.loop):
            try:
                yield future.result()
            except SongNetError:
                raise
            except Exception as error:
                raise SongNetError(
                    f"{address}: a task could not be done ({type(error).__name__}: {error}). "
                    "See the workers' logs, then run the same again; what was stored is kept."
                ) from error


def _version() -> str:
    return importlib.metadata.version("songnet-utils")
