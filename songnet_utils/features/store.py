"""The store of everything computed from clips, on disk or in object storage.

Each extraction (see `songnet_utils.features.extraction`) has a folder::

    data/features/log-mel-7b39e1c04d/    the extraction, and a fingerprint of its description
        description.json                 the description itself, for people to read
        shards/3fa9….safetensors         the arrays of some clips (`songnet_utils.features.shards`)
        unusable-mini.csv                the unusable clips of a corpus, with reasons
    data/features/files.json             the content of each sound file when it was last read

Arrays are named by the SHA-256 of the *sound file's* bytes: a changed file is a new clip, a copy
is the same clip, and you can move a corpus freely. Tasks of equal size get the clips of a corpus
in its order, and each task writes one whole shard when all its clips are done. So you can stop the
work at any time: everything in the store is right, and the next run does only the missing tasks.
Threads here and workers of a Dask cluster write the same bytes.

``$SONGNET_STORE`` moves the store: to another folder, or to an fsspec address such as
``s3://bucket/features``, from which training then reads directly.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, data_folder, sweep
from songnet_utils.audio import warn
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, contradictions, paths_of, unusable_table
from songnet_utils.corpora.fma import CITATION as FMA_CITATION
from songnet_utils.corpora.fma_metadata import read_features
from songnet_utils.features import feature_set
from songnet_utils.features.extraction import (
    Extraction,
    Outcome,
    do_here,
    do_on_cluster,
    extract,
    log_mel_extraction,
    stamp_of,
    statistics_extraction,
)
from songnet_utils.features.shards import Folder, Place

#: Clips with less sound than this are unusable; the paper's network needs 1.63 s for one step.
MINIMUM_SECONDS = 2.0

#: The most clips of a task, and so of a shard.
CLIPS_PER_SHARD = 64

# The number of tasks for a small corpus, so that several workers have something to do.
_LEAST_TASKS = 16
# The age, in seconds, at which incomplete files of killed processes are deleted.
_ABANDONED_SECONDS = 3600.0
# The feature sets that FMA's authors publish.
_PUBLISHED = ("mfcc", "fma")


@dataclass(frozen=True)
class LogMels:
    """A corpus whose frames are in the store.

    Parameters
    ----------
    corpus : Corpus
        The corpus of the clips.
    sound : Sound
        The description of sound of the frames.
    clips : pandas.DataFrame
        The usable clips: the corpus's table without the others. Each has its ``content``, which
        names its frames in the store.
    unusable : pandas.DataFrame
        ``id``, ``file`` and ``reason`` of the other clips, including those of the corpus itself.
    store : LogMelStore
        The store of the frames.
    """

    corpus: Corpus
    sound: Sound
    clips: pd.DataFrame
    unusable: pd.DataFrame
    store: LogMelStore
    # The sets of hand-crafted statistics so far, because hundreds of runs may need the same set.
    _statistics: dict[str, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @functools.cached_property
    def contents(self) -> dict[str, str]:
        """The SHA-256 of each clip's sound file, by id."""
        return dict(zip(self.clips.id, self.clips.content, strict=True))

    def notes(self, clips: pd.DataFrame) -> list[str]:
        """Return notes for anyone who relies on results from some of the clips.

        Parameters
        ----------
        clips : pandas.DataFrame
            Some of the clips in `clips`.

        Returns
        -------
        list of str
            How ambiguous folders of the corpus were read, and which copies among the clips
            contradict each other.
        """
        corpus = self.corpus
        # FMA's own notes are a long list of corrections of its tables.
        of_folders = () if corpus.citation == FMA_CITATION else corpus.notes
        of_all = contradictions(corpus.clips)
        return [note for note in of_folders if note not in of_all] + contradictions(clips)

    def frames(self, clip: str) -> np.ndarray:
        """Return a clip's log-mel frames: (frames, n_mels) float32, read-only."""
        if clip not in self.contents:
            raise SongNetError(f"clip {clip}: is not among the usable clips of {self.corpus.name}")
        return self.store.load(self.contents[clip], "frames")

    @property
    def features(self) -> pd.DataFrame:
        """The 140 MFCC statistics; see `hand_crafted`."""
        return self.hand_crafted("mfcc")

    def hand_crafted(self, name: str, **options: Any) -> pd.DataFrame:
        """Return a set of hand-crafted statistics of the clips; compute what is missing.

        If FMA's own ``features.csv`` is beside the corpus's metadata, its sets (``mfcc`` and
        ``fma``) are read from it instead.

        Parameters
        ----------
        name : str
            A key of `songnet_utils.features.FEATURE_SETS`.
        **options
            As in `Store.compute`.

        Returns
        -------
        pandas.DataFrame, shape (clips, columns), float32
            The index has the clips' ids, and the columns are those of the set.

        Raises
        ------
        SongNetError
            When there is no such set, or a clip cannot be analysed.
        """
        feature_set(name)
        if name not in self._statistics:
            find = self._published if self.is_published(name) else self._computed
            self._statistics[name] = find(name, **options)
        return self._statistics[name]

    def is_published(self, name: str) -> bool:
        """Tell whether a set of statistics is read from FMA's ``features.csv``, not computed."""
        return self.corpus.features_csv is not None and name in _PUBLISHED

    def extracted(
        self, extraction: Extraction, array: str, **options: Any
    ) -> Callable[[str], np.ndarray]:
        """Compute what is missing of an extraction from the same clips.

        Parameters
        ----------
        extraction : Extraction
            The recipe.
        array : str
            The name of one of its arrays.
        **options
            As in `Store.compute`.

        Returns
        -------
        callable
            Takes a clip's id; returns the array, float32, read-only.

        Raises
        ------
        SongNetError
            When a clip cannot be analysed.
        """
        store = Store(extraction, self.store.data)
        outcomes = store.compute(self.clips, self.corpus.name, **options)
        broken = [f"{outcome.clip}: {outcome.reason}" for outcome in outcomes if outcome.reason]
        if broken:
            raise SongNetError(
                f"{extraction.name} of {len(broken)} clips of {self.corpus.name} cannot be "
                f"computed. The first: {broken[0]}"
            )
        return lambda clip: store.load(self.contents[clip], array)

    def _computed(self, name: str, **options: Any) -> pd.DataFrame:
        """Return statistics from the store; compute what is missing first."""
        if name == "mfcc":
            values = [self.store.load(content, "mfcc") for content in self.clips.content]
        else:
            statistics = statistics_extraction(name, self.sound.sample_rate)
            values = [*map(self.extracted(statistics, "values", **options), self.clips.id)]
        return pd.DataFrame(np.stack(values), pd.Index(self.clips.id, name="id"), _columns(name))

    def _published(self, name: str, **_: Any) -> pd.DataFrame:
        """Return the statistics from the ``features.csv`` of FMA's authors."""
        file, columns = self.corpus.features_csv, _columns(name)
        assert file is not None
        numbers = self.clips.id.astype("int64")
        found = read_features(file, numbers)
        try:
            return found.loc[numbers, columns].set_index(pd.Index(self.clips.id, name="id"))
        except KeyError as error:
            raise SongNetError(
                f"{file}: lacks clips or columns ({error}). Use features.csv of fma_metadata.zip, "
                "or rename the file to have the statistics computed from the clips."
            ) from error


def _columns(name: str) -> pd.MultiIndex:
    return pd.MultiIndex.from_tuples(
        feature_set(name).columns, names=["feature", "statistics", "number"]
    )


class Store:
    """The results of one extraction, for any number of corpora.

    Parameters
    ----------
    extraction : Extraction
        The recipe.
    data_dir
        The data folder; see `songnet_utils.corpora.data_folder`. If it is given,
        ``$SONGNET_STORE`` is ignored.

    Raises
    ------
    SongNetError
        When the address of the store cannot be used.
    """

    def __init__(
        self, extraction: Extraction, data_dir: str | os.PathLike[str] | None = None
    ) -> None:
        self.extraction = extraction
        self.data = data_dir
        local = data_folder(data_dir) / "features"
        root = (os.environ.get("SONGNET_STORE") if data_dir is None else None) or str(local)
        self.folder = Folder(f"{root}/{extraction.folder_name}")
        self._index_file = local / "files.json"
        self._places: dict[str, dict[str, Place]] = {}

    def compute(
        self,
        clips: pd.DataFrame,
        corpus: str,
        progress: bool = True,
        workers: int | None = None,
        dask: str | None = None,
    ) -> list[Outcome]:
        """Compute what is missing of some clips, and return the outcome for each.

        Parameters
        ----------
        clips : pandas.DataFrame
            The table of clips; their files are read, never changed.
        corpus : str
            Their name in the progress bar.
        progress
            Whether to show a progress bar.
        workers : int ≥ 1
            The number of tasks at once on this machine; all cores by default.
        dask : str, optional
            The address of a Dask scheduler (``tcp://…``), whose workers do the tasks. They must
            see the sound files and the store under the same paths as this machine.

        Raises
        ------
        SongNetError
            When the store cannot be written, or the cluster cannot be used.
        """
        if workers is not None and workers < 1:
            raise SongNetError(f"workers must be a whole number of at least 1. Got {workers!r}")
        description = json.dumps(self.extraction.description, indent=2)
        self.folder.write("description.json", description.encode())
        if self.folder.path:
            sweep(self.folder.path, _ABANDONED_SECONDS)
        self._look()
        index = self._read_index()
        rows = list(zip(clips.id, paths_of(clips.file, workers, progress), strict=True))
        there = {clip: _unchanged(index, file) for clip, file in rows}
        found = {
            clip: Outcome(clip, file, there[clip])
            for clip, file in rows
            if there[clip] in self._places
        }
        tasks = _tasks(rows, found)
        known = frozenset(self._places)
        work = functools.partial(extract, self.extraction, self.folder, known=known)
        threads = self.extraction.threads_scale
        done = do_on_cluster(work, tasks, dask) if dask else do_here(work, tasks, workers, threads)
        new: dict[str, list[Any]] = {}
        bar = tqdm(total=len(rows), initial=len(found), disable=not progress, leave=False)
        bar.set_description(f"{self.extraction.name} {corpus}")
        with bar:
            try:
                for outcomes in done:
                    for outcome in outcomes:
                        found[outcome.clip] = outcome
                        warn(outcome.notes)
                        if outcome.stamp:
                            new[outcome.file] = [*outcome.stamp, outcome.content]
                    bar.update(len(outcomes))
            finally:
                # Record the results so far even if the work was stopped.
                self._add_to_index(new)
        self._look()
        if any(not one.reason and one.content not in self._places for one in found.values()):
            raise SongNetError(
                f"{self.folder}: the workers write to another disk. Share the folder with them, or "
                "set SONGNET_STORE to an address that all of them can use."
            )
        return [found[clip] for clip in clips.id]

    def load(self, content: str, array: str) -> np.ndarray:
        """Return a clip's array, float32, read-only."""
        return self.folder.load(self._places[content][array])

    def _look(self) -> None:
        """Find the clips that are in the store with all their arrays."""
        wanted = set(self.extraction.arrays)
        found = self.folder.places().items()
        self._places = {content: arrays for content, arrays in found if wanted <= set(arrays)}

    def _read_index(self) -> dict[str, Any]:
        """Return the content of each file, so that unchanged files need not be read."""
        try:
            return dict(json.loads(self._index_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            # The index is only a shortcut; without it, files are read and hashed again.
            return {}

    def _add_to_index(self, new: dict[str, list[Any]]) -> None:
        """Add the contents of files to the index, without losing entries of other processes."""
        if new:
            with contextlib.suppress(SongNetError), atomic_write(self._index_file) as part:
                part.write_text(json.dumps(self._read_index() | new), encoding="utf-8")


class LogMelStore(Store):
    """The log-mel frames of any number of corpora for one description of sound.

    Parameters
    ----------
    data_dir
        See `Store`.
    sound : Sound
        The description of sound.
    """

    def __init__(
        self, data_dir: str | os.PathLike[str] | None = None, sound: Sound | None = None
    ) -> None:
        self.sound = sound or Sound()
        super().__init__(log_mel_extraction(self.sound), data_dir)

    def prepare(self, corpus: Corpus, **options: Any) -> LogMels:
        """Compute what is missing of a corpus, and return its clips with their frames.

        Parameters
        ----------
        corpus
            The corpus; its files are read, never changed.
        **options
            As in `Store.compute`.

        Raises
        ------
        SongNetError
            When no clip can be used, the disk is full, or the cluster cannot be used.
        """
        reasons, contents = {}, {}
        hop = self.sound.hop / self.sound.sample_rate
        for outcome in self.compute(corpus.clips, corpus.name, **options):
            if outcome.reason:
                reasons[outcome.clip] = outcome.reason
                continue
            # Frames are a hop apart, and the first is centred on the first sample.
            seconds = (self._places[outcome.content]["frames"].shape[0] - 1) * hop
            if seconds < MINIMUM_SECONDS - hop:
                reasons[outcome.clip] = (
                    f"lasts only {seconds:.1f} s, but a clip needs at least {MINIMUM_SECONDS:g} s. "
                    "Use a longer clip."
                )
            else:
                contents[outcome.clip] = outcome.content
        clips = corpus.clips.assign(content=corpus.clips.id.map(contents).astype("str"))
        bad = clips.assign(reason=clips.id.map(reasons))[clips.id.isin(list(reasons))]
        bad = pd.concat([corpus.unusable, bad[["id", "file", "reason"]]])
        unusable = unusable_table(bad.itertuples(index=False, name=None))
        listed = f"unusable-{corpus.name}.csv"
        self.folder.write(listed, unusable.to_csv(index=False).encode())
        if not contents:
            first = f"The first: {unusable.file[0]}: {unusable.reason[0]} " if len(unusable) else ""
            raise SongNetError(
                f"{corpus.name}: none of its {len(unusable)} clips can be used. {first}"
                f"For all of them, see {self.folder}/{listed}"
            )
        usable = clips[clips.id.isin(contents)].reset_index(drop=True)
        return LogMels(corpus, self.sound, usable, unusable, self)


def _tasks(rows: list[tuple[str, str]], found: Container[str]) -> list[list[tuple[str, str]]]:
    """Return the missing clips of each task; tasks stay the same when some clips are there."""
    size = min(max(math.ceil(len(rows) / _LEAST_TASKS), 1), CLIPS_PER_SHARD)
    tasks = [rows[first : first + size] for first in range(0, len(rows), size)]
    missing = [[row for row in task if row[0] not in found] for task in tasks]
    return [task for task in missing if task]


def _unchanged(index: dict[str, Any], file: str) -> str:
    """Return a file's content from the index, if the file has not changed since; else ""."""
    with contextlib.suppress(OSError):
        *stamp, content = index.get(file, [""])
        if tuple(stamp) == stamp_of(file):
            return content
    return ""


def log_mels(corpus: Corpus, sound: Sound | None = None, **options: Any) -> LogMels:
    """Return a corpus's log-mels; compute what is missing first.

    Parameters
    ----------
    corpus : Corpus
        As `songnet_utils.open_corpus` returns it.
    sound : Sound, optional
        The description of sound; SongNet's by default.
    **options
        As in `Store.compute`.

    Raises
    ------
    SongNetError
        When no clip can be used, the disk is full, or the cluster cannot be used.
    """
    return LogMelStore(sound=sound).prepare(corpus, **options)
