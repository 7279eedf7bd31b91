"""Fetch the Free Music Archive data set: whole archives, or a sample of one.

Everything goes into ``fma`` in the data folder. Each archive's files are in a folder of its name,
with a list of their SHA-1s. Files on the list that are missing or have another SHA-1 are fetched:
a few by HTTP ranges from the archive on the server, many by the whole archive. So one command
starts a download, continues it after an interruption, repairs it, and says when it is complete.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import remotezip
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils._utils.files import data_folder, size_text, sweep
from songnet_utils.corpora.fetch import archive
from songnet_utils.corpora.fetch.sample import choose
from songnet_utils.corpora.fetch.web import Patience, RangesRefusedError, Say, Server
from songnet_utils.corpora.fma import LIST, SAMPLE, read_list
from songnet_utils.corpora.fma_metadata import read_tracks, track_path

#: The address at which FMA's authors publish the archives.
BASE_URL = "https://os.unil.cloud.switch.ch/fma/"

#: The archives, and the published SHA-1 of each.
SHA1 = {
    "fma_metadata": "f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    "fma_small": "ade154f733639d52e35e32f5593efe5be76c6d70",
    "fma_medium": "c67b69ea232021025fca9231fc1c7c1a063ab50b",
    "fma_large": "497109f4dd721066b5ce5e5f250ec604dc78939e",
    "fma_full": "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
}

_METADATA, _SMALL = "fma_metadata", "fma_small"
# The tables that a corpus needs; the other tables are larger than a sample.
_TABLES = ("tracks.csv", "genres.csv")
# Fetch files one by one if less than this share of a set is missing.
_FEW = 0.5
# The number of attempts for a file that arrives damaged.
_DAMAGED_TRIES = 3


def fetch_fma(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    *,
    sample: int | None = None,
    base_url: str | None = None,
    progress: bool = True,
    say: Say = lambda message: None,
    patience: Patience | None = None,
) -> Path:
    """Fetch one of FMA's sets of clips and its metadata; run it again to continue or repair.

    Parameters
    ----------
    name : str
        ``fma_small``, ``fma_medium``, ``fma_large``, ``fma_full``, or ``fma_metadata`` alone.
    data_dir
        The data folder; ``$SONGNET_DATA`` or ``data`` by default.
    sample : int, optional
        For fma_small only: fetch this many clips per genre into the corpus ``fma_sample``, and only
        the tables of metadata that it needs. An existing sample is extended.
    base_url : str, optional
        The address of another server: a mirror, or a server with archives of the same kind.
        These need not have the published SHA-1s; their files are checked against the list in the
        archive.
    progress : bool
        Show progress bars, on stderr.
    say : callable
        Called with further messages for people.
    patience
        How long to wait for the server.

    Returns
    -------
    pathlib.Path
        The folder of the clips (or of the metadata).

    Raises
    ------
    SongNetError
        When the server, the disk or the archive fails. Good files stay.

    References
    ----------
    M. Defferrard, K. Benzi, P. Vandergheynst and X. Bresson, "FMA: A dataset for music
    analysis", ISMIR, 2017. https://arxiv.org/abs/1612.01840
    """
    if sample is not None and (name != _SMALL or sample < 1):
        raise SongNetError(
            f"{name}: a sample (--sample) must be of {_SMALL} and have at least one clip per "
            f"genre. Got {sample}."
        )
    if name not in SHA1:
        raise SongNetError(
            f"{name}: is not one of FMA's archives. They are {', '.join(SHA1)}."
            + did_you_mean(str(name), SHA1)
        )
    server = Server(BASE_URL if base_url is None else base_url, patience or Patience())
    fetch = _Fetch(data_folder(data_dir) / "fma", server, progress, say)
    if sample is not None:
        return fetch.bring_sample(sample)
    for part in dict.fromkeys((_METADATA, name)):
        fetch.complete(part)
    return fetch.root / name


class _Fetch:
    """One run of `fetch_fma`."""

    def __init__(self, root: Path, server: Server, progress: bool, say: Say) -> None:
        self.root = root
        self._server = server
        self._say = say
        self._bar = functools.partial(tqdm, disable=not progress, leave=False)

    def _missing(self, folder: Path, listed: Mapping[str, str]) -> list[str]:
        """Return the paths in a folder at which there is no file with the listed SHA-1."""
        bar = self._bar(sorted(listed), desc=f"checking {folder.name}", unit="file")
        return [path for path in bar if archive.sha1(folder / path) != listed[path]]

    def complete(self, name: str) -> None:
        """Fetch everything in an archive that its folder lacks."""
        folder, zipped = self.root / name, self.root / f"{name}.zip"
        sweep(folder)
        listed = read_list(folder)
        lacking = self._missing(folder, listed)
        if lacking and len(lacking) < _FEW * len(listed) and not zipped.exists():
            with contextlib.suppress(RangesRefusedError):
                with self._opened(name) as (opened, found, _):
                    bad = self._bring(opened, found, listed, lacking, folder)
                self._check(name, bad, len(listed))
                lacking = []
        if lacking or not listed:
            if not zipped.exists():
                with self._bar(desc=f"downloading {name}", unit="B", unit_scale=True) as bar:
                    self._server.download(zipped.name, zipped, bar, self._check_room)
            listed = self._unpack(name)
        for left in (zipped, zipped.with_name(f"{name}.zip.part")):
            left.unlink(missing_ok=True)
        self._say(f"{name}: complete. All {len(listed):,} files have the right SHA-1.")

    def _unpack(self, name: str) -> dict[str, str]:
        """Unpack the good files of a downloaded archive; return the SHA-1s of its files."""
        folder, file = self.root / name, self.root / f"{name}.zip"
        altered = archive.sha1(file) != SHA1[name]
        published = self._server.base_url == BASE_URL
        try:
            with archive.damage(), zipfile.ZipFile(file) as zipped:
                found = archive.members(zipped, name)
                listed = archive.listed_in(zipped, found)
                for path in found.keys() - listed.keys() - {LIST}:
                    listed[path] = hashlib.sha1(zipped.read(found[path])).hexdigest()
        except (archive.DamagedError, SongNetError) as error:
            file.unlink()
            if isinstance(error, SongNetError):
                raise
            raise self._unreadable(name, error) from error
        # From now on, the folder's own list shows what is missing.
        archive.write_list(folder, listed)
        with zipfile.ZipFile(file) as zipped:
            lacking = self._missing(folder, listed)
            bad = self._bring(zipped, found, listed, lacking, folder)
        file.unlink()
        self._check(name, bad, len(listed))
        if altered and published:
            raise SongNetError(
                f"{name}.zip: its SHA-1 is not the published {SHA1[name]}. All its files match "
                "the list inside it, and they are stored. But that list may be wrong, too: to be "
                f"sure, remove {folder} and run the command again."
            )
        if altered:
            self._say(
                f"{name}.zip: its SHA-1 is not that of FMA's archive, so its files were checked "
                "against the list inside it."
            )
        return listed

    def bring_sample(self, number: int) -> Path:
        """Fetch this many clips per genre."""
        folder = self.root / SAMPLE
        sweep(folder)
        listed = read_list(folder)
        tracks = self._tables_here()
        lacking = self._missing(folder, listed)
        counts = _count_genres(tracks, listed) if tracks is not None else {}
        if not counts or lacking or min(counts.values()) < number:
            with self._opened(_SMALL) as (zipped, found, everything):
                if tracks is None:
                    tracks = self._bring_tables()
                chosen = choose(tracks, everything, number)
                paths = [track_path(track) for genre in chosen.values() for track in genre]
                listed |= {path: everything[path] for path in paths}
                if not listed:
                    raise SongNetError(
                        f"{_SMALL}.zip: none of its clips is both in its list of SHA-1s "
                        f"({LIST}) and in tracks.csv. Run `songnet fetch {_SMALL}` for the whole "
                        "archive, or choose another server with --base-url."
                    )
                archive.write_list(folder, listed)
                lacking = self._missing(folder, listed)
                bad = self._bring(zipped, found, listed, lacking, folder)
                self._check(SAMPLE, bad, len(listed))
            counts = _count_genres(tracks, listed)
        for genre, count in counts.items():
            if count < number:
                self._say(f"{SAMPLE}: {genre} has only {count} clips.")
        if max(counts.values(), default=0) > number:
            self._say(f"{SAMPLE}: already has more than {number} clips per genre; all stay.")
        self._say(f"{SAMPLE}: complete: {sum(counts.values()):,} clips of {len(counts)} genres.")
        return folder

    def _tables_here(self) -> pd.DataFrame | None:
        """Return FMA's table of tracks, if the metadata for a corpus is on disk."""
        folder = self.root / _METADATA
        listed = read_list(folder)
        if any(archive.sha1(folder / name) != listed.get(name) for name in _TABLES):
            return None
        return read_tracks(folder / "tracks.csv")

    def _bring_tables(self) -> pd.DataFrame:
        """Fetch the metadata for a corpus, without the rest of its archive."""
        folder = self.root / _METADATA
        with self._opened(_METADATA) as (zipped, found, listed):
            if listed.keys() >= set(_TABLES):
                archive.write_list(folder, listed)
                self._check(_METADATA, self._bring(zipped, found, listed, _TABLES, folder), 2)
            else:
                self.complete(_METADATA)
        return read_tracks(folder / "tracks.csv")

    def _bring(
        self,
        zipped: zipfile.ZipFile,
        found: Mapping[str, zipfile.ZipInfo],
        listed: Mapping[str, str],
        paths: Sequence[str],
        folder: Path,
    ) -> dict[str, str]:
        """Unpack files from an archive on disk or on a server; return the errors, by path."""
        entries = {path: found[path] for path in paths if path in found}
        self._check_room(sum(entry.file_size for entry in entries.values()))
        remote = isinstance(zipped, remotezip.RemoteZip)

        def bring(path: str) -> str:
            if path not in entries:
                return "is not in the archive"
            for _ in range(_DAMAGED_TRIES if remote else 1):
                try:
                    archive.unpack(zipped, entries[path], folder / path, listed[path])
                    return ""
                except archive.DamagedError as error:
                    reason = str(error)
            return reason

        with ThreadPoolExecutor() as pool:
            # A connection reads files one by one; a disk can serve every core.
            reasons = map(bring, paths) if remote else pool.map(bring, paths)
            doing = f"{'fetching' if remote else 'unpacking'} {folder.name}"
            reasons = self._bar(reasons, desc=doing, total=len(paths), unit="file")
            return {path: why for path, why in zip(paths, reasons, strict=True) if why}

    @contextlib.contextmanager
    def _opened(
        self, name: str
    ) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo], dict[str, str]]]:
        """Open an archive on disk or on the server; yield it, its files and their listed SHA-1s."""
        with contextlib.ExitStack() as stack:
            for again in reversed(range(_DAMAGED_TRIES)):
                try:
                    with archive.damage():
                        zipped = stack.enter_context(self._server.open_zip(f"{name}.zip"))
                        found = archive.members(zipped, name)
                        listed = archive.listed_in(zipped, found)
                    break
                except archive.DamagedError as error:
                    if not again:
                        raise self._unreadable(name, error) from error
            yield zipped, found, listed

    def _check_room(self, needed: int) -> None:
        there = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        free = shutil.disk_usage(there).free
        if needed > free:
            raise SongNetError(
                f"{self.root}: this needs {size_text(needed)} on the disk, but only "
                f"{size_text(free)} are free. Make room, or choose another folder with --dir. "
                "Nothing has been downloaded."
            )

    def _check(self, name: str, bad: Mapping[str, str], of: int) -> None:
        """Raise SongNetError if files arrived damaged."""
        if bad:
            path, why = next(iter(bad.items()))
            raise SongNetError(
                f"{name}: {len(bad):,} of {of:,} files arrived damaged and are still missing. The "
                f"first is {path} ({why}). The others are stored. Run the command again, or "
                "choose another server with --base-url."
            )

    def _unreadable(self, name: str, error: archive.DamagedError) -> SongNetError:
        return SongNetError(
            f"{self._server.base_url}{name}.zip: is damaged, or is not a zip archive ({error}). "
            "Run the command again, or choose another server with --base-url."
        )


def _count_genres(tracks: pd.DataFrame, listed: Iterable[str]) -> dict[str, int]:
    """Return the number of listed clips of each genre."""
    genres = {track_path(track): genre for track, genre in tracks.genre.items()}
    return pd.Series([genres.get(path) for path in listed]).value_counts().sort_index().to_dict()
