"""The log-mel store: every clip's frames on disk, computed once.

A store belongs to one description of sound. On disk::

    data/features/7b39e1c04d/            named by the description's fingerprint
        sound.json                       the description itself, checked whenever it is opened
        3f/3fa9….npy                     a clip's frames, (frames, n_mels) float32
        3f/3fa9….mfcc.npy                its 140 MFCC statistics, float32
        files.json                       which content each file had when it was last read
        unusable-mini.csv                what could not be used in a corpus, and why

Frames are named by the SHA-256 of the *sound file's* bytes: a changed file is another clip, a
copy is the same one, and moving a corpus costs nothing. Each file is written under another name
and renamed when it is whole, the frames last; so whenever the work is stopped, whatever is there
is right, and the next time only what is missing is computed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils.audio import load_audio, log_mel
from songnet_utils.corpora import Corpus, data_folder, unusable_table
from songnet_utils.errors import SongNetError
from songnet_utils.features import FEATURE_NAMES, mfcc_statistics
from songnet_utils.files import atomic_write
from songnet_utils.timeline import Sound

#: Clips with less sound than this are listed as unusable; the paper's network needs 1.63 s for
#: one step.
MINIMUM_SECONDS = 2.0

# Of what is computed from the samples: raise it whenever the numbers change.
_VERSION = 1
# Files changed this short a time ago may change again without their time changing.
_SETTLED_SECONDS = 2.0
_SAVE_SECONDS = 20.0
_ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True)
class Prepared:
    """A corpus whose frames are in the store.

    Parameters
    ----------
    corpus : Corpus
        Where the clips are from.
    sound : Sound
        The description of sound of the frames.
    clips : pandas.DataFrame
        The usable clips: the corpus's table without the others.
    unusable : pandas.DataFrame
        ``id``, ``file`` and ``reason`` of the others, the corpus's own included.
    features : pandas.DataFrame, shape (clips, 140)
        The MFCC statistics, float32; the index is the clips' ids, the columns are
        `songnet_utils.features.FEATURE_NAMES`.
    files : mapping of str to pathlib.Path
        The file of frames of each clip, by id.
    """

    corpus: Corpus
    sound: Sound
    clips: pd.DataFrame
    unusable: pd.DataFrame
    features: pd.DataFrame
    files: Mapping[str, Path]

    def frames(self, clip: str) -> np.ndarray:
        """Return a clip's log-mel frames, mapped from disk: (frames, n_mels) float32, read-only."""
        if clip not in self.files:
            raise SongNetError(f"clip {clip}: is not among the usable clips of {self.corpus.name}")
        try:
            return np.load(self.files[clip], mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise SongNetError(
                f"clip {clip}: its frames, {self.files[clip]}, can no longer be read ({error}). "
                "Prepare the corpus again."
            ) from error


class LogMelStore:
    """The frames of any number of corpora for one description of sound.

    Parameters
    ----------
    data_dir
        Where data is kept; see `songnet_utils.corpora.data_folder`.
    sound
        The description of sound.

    Raises
    ------
    SongNetError
        When the store's folder holds frames of another description of sound.
    """

    def __init__(
        self, data_dir: str | os.PathLike[str] | None = None, sound: Sound | None = None
    ) -> None:
        self.sound = sound or Sound()
        self.folder = data_folder(data_dir) / "features" / self.sound.fingerprint
        self._check_description()

    def prepare(
        self,
        corpus: Corpus,
        workers: int | None = None,
        progress: bool = True,
        *,
        minimum_seconds: float = MINIMUM_SECONDS,
    ) -> Prepared:
        """Compute what is missing of a corpus, and return its clips with their frames.

        Parameters
        ----------
        corpus
            The corpus; its files are read, never changed.
        workers : int ≥ 1
            Clips to compute at once, each in its thread; all cores by default.
        progress
            Whether to show a progress bar.
        minimum_seconds
            Clips with less sound are unusable.

        Raises
        ------
        SongNetError
            When no clip can be used, or the disk is full (what was computed is kept).
        """
        if workers is not None and (isinstance(workers, bool) or workers < 1):
            raise SongNetError(f"workers are a whole number of at least 1. Got {workers!r}")
        self._write_description()
        self._sweep()
        index = _Index(self.folder / "files.json")
        clips = corpus.clips
        found: dict[str, _Done] = {}
        reasons: dict[str, str] = {}
        failure: SongNetError | None = None

        def jobs() -> Iterator[Any]:
            for clip, file in zip(clips.id, clips.file, strict=True):
                if failure:
                    # What has begun is waited for, so that nothing is left half-written.
                    return
                yield joblib.delayed(self._compute)(clip, file, index.content_of(file))

        # Decoding, resampling, transforms and writing all release the interpreter's lock, so
        # threads scale as well as processes, and need no second copy of anything.
        parallel = joblib.Parallel(
            n_jobs=workers or joblib.cpu_count(), prefer="threads", return_as="generator_unordered"
        )
        bar = tqdm(
            parallel(jobs()),
            total=len(clips),
            desc=f"log-mel {corpus.name}",
            unit="clip",
            disable=not progress,
            leave=False,
        )
        try:
            for clip, outcome in bar:
                if isinstance(outcome, str):
                    reasons[clip] = outcome
                elif isinstance(outcome, SongNetError):
                    failure = failure or outcome
                else:
                    found[clip] = outcome
                    index.add(outcome)
        finally:
            # Stopped or not, what has been computed stays known.
            bar.close()
            with contextlib.suppress(SongNetError):
                index.save()
        if failure:
            raise failure
        for clip, done in list(found.items()):
            # The frames stand a hop apart, the first on the first sample.
            seconds = (done.frames - 1) * self.sound.hop / self.sound.sample_rate
            if seconds < minimum_seconds - self.sound.hop / self.sound.sample_rate:
                reasons[clip] = (
                    f"lasts only {seconds:.1f} s; at least {minimum_seconds:g} s are needed. "
                    "Use a longer clip."
                )
                del found[clip]
        bad = clips[clips.id.isin(reasons)]
        unusable = unusable_table(
            [
                *corpus.unusable.itertuples(index=False, name=None),
                *((clip, file, reasons[clip]) for clip, file in zip(bad.id, bad.file, strict=True)),
            ]
        )
        listed = self.folder / f"unusable-{corpus.name}.csv"
        with atomic_write(listed) as part:
            unusable.to_csv(part, index=False)
        if not found:
            first = f"The first: {unusable.file[0]}: {unusable.reason[0]} " if len(unusable) else ""
            raise SongNetError(
                f"{corpus.name}: none of its {len(unusable)} clips can be used. {first}"
                f"All of them are listed in {listed}"
            )
        clips = clips[clips.id.isin(found)].reset_index(drop=True)
        return Prepared(
            corpus=corpus,
            sound=self.sound,
            clips=clips,
            unusable=unusable,
            features=pd.DataFrame(
                np.stack([found[clip].statistics for clip in clips.id]),
                index=pd.Index(clips.id, name="id"),
                columns=pd.MultiIndex.from_tuples(
                    FEATURE_NAMES, names=["feature", "statistics", "number"]
                ),
            ),
            files={clip: self._frames_file(found[clip].content) for clip in clips.id},
        )

    def _compute(
        self, clip: str, file: str, content: str | None
    ) -> tuple[str, _Done | str | SongNetError]:
        """Return a clip's id and what is in the store of it, or why it cannot be used.

        `content` is what the file is known to hold, when it has not changed since. What keeps the
        store from being written is returned as an error.
        """
        if content and (kept := self._read(content)):
            return clip, _Done(file, None, content, *kept)
        try:
            stamp = _stamp(file)
            data = Path(file).read_bytes()
        except OSError as error:
            return clip, (
                f"cannot be read ({error.strerror}). Put the file back, or check who may read it."
            )
        content = hashlib.sha256(data).hexdigest()
        if kept := self._read(content):
            return clip, _Done(file, stamp, content, *kept)
        try:
            audio = load_audio(data, self.sound.sample_rate, name=file)
            frames = log_mel(audio, self.sound)
            statistics = mfcc_statistics(audio, self.sound.sample_rate)
        except SongNetError as error:
            return clip, str(error).removeprefix(f"{file}: ")
        except Exception as error:
            # Of 100,000 files there is always one that a decoder fails on in a new way; it must
            # not end the work on the others.
            return clip, (
                f"cannot be analysed ({type(error).__name__}: {error}). Convert it to wav or flac."
            )
        try:
            for target, values in (
                (self._statistics_file(content), statistics),
                (self._frames_file(content), frames),
            ):
                # Through a buffer: np.save to a file keeps the system's reason ("No space left on
                # device") from its error.
                whole = io.BytesIO()
                np.save(whole, values)
                with atomic_write(target) as part:
                    part.write_bytes(whole.getbuffer())
        except SongNetError as error:
            return clip, error
        return clip, _Done(file, stamp, content, statistics, len(frames))

    def _sweep(self) -> None:
        """Remove what killed processes were writing: temporary files that nobody touches."""
        for part in self.folder.rglob(".*.part.*"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()

    def _frames_file(self, content: str) -> Path:
        return self.folder / content[:2] / f"{content}.npy"

    def _statistics_file(self, content: str) -> Path:
        return self.folder / content[:2] / f"{content}.mfcc.npy"

    def _read(self, content: str) -> tuple[np.ndarray, int] | None:
        """Return the statistics and the number of frames, when both files are there and whole."""
        try:
            statistics = np.load(self._statistics_file(content))
            frames = np.load(self._frames_file(content), mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        right = (
            statistics.shape == (len(FEATURE_NAMES),)
            and frames.ndim == 2
            and frames.shape[1] == self.sound.n_mels
            and frames.dtype == np.float32
        )
        return (statistics, len(frames)) if right else None

    def _description(self) -> dict[str, Any]:
        return {"sound": self.sound.to_dict(), "version": _VERSION}

    def _check_description(self) -> bool:
        """Tell whether the folder has a description; raise SongNetError when it is another one."""
        file = self.folder / "sound.json"
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            raise SongNetError(
                f"{file}: cannot be read as a description of sound ({error}). "
                f"Delete the folder {self.folder}; its frames are computed again when needed."
            ) from error
        if found != self._description():
            raise SongNetError(
                f"{self.folder}: holds frames of another description of sound: "
                f"{json.dumps(found)} there, {json.dumps(self._description())} asked for. "
                "Delete that folder; its frames are computed again when needed."
            )
        return True

    def _write_description(self) -> None:
        if not self._check_description():
            with atomic_write(self.folder / "sound.json") as part:
                part.write_text(json.dumps(self._description(), indent=2), encoding="utf-8")


# A file's size, and the times in nanoseconds when its content and its inode last changed.
_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class _Done:
    """A clip whose frames are in the store; `stamp` is None when the file was not read."""

    file: str
    stamp: _Stamp | None
    content: str
    statistics: np.ndarray
    frames: int


class _Index:
    """Which content each file had: spares reading files that have not changed.

    It is only a shortcut: without it, files are read and hashed again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = self._load()
        self._new: dict[str, list[Any]] = {}
        self._saved = time.monotonic()

    def content_of(self, path: str) -> str | None:
        """Return the content's name as it was last read, if the file has not changed since."""
        entry = self._known.get(path)
        if not (isinstance(entry, list) and len(entry) == 4):
            return None
        try:
            return entry[3] if list(_stamp(path)) == entry[:3] else None
        except OSError:
            return None

    def add(self, done: _Done) -> None:
        """Remember what a file held; its stamp was taken before it was read."""
        if done.stamp and time.time() - max(done.stamp[1:]) / 1e9 > _SETTLED_SECONDS:
            self._new[done.file] = [*done.stamp, done.content]
        if time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what is known, and keep what another process wrote meanwhile."""
        self._saved = time.monotonic()
        if self._new:
            known = {**self._load(), **self._new}
            with atomic_write(self._file) as part:
                part.write_text(json.dumps(known), encoding="utf-8")

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _stamp(path: str) -> _Stamp:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
