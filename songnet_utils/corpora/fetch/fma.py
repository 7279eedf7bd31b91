"""Bringing the Free Music Archive data set: whole archives, or a sample out of one.

Everything lies in ``fma`` in the data folder, each archive's files in a folder of its name, with a
list of their SHA-1s. What that list names and is not there with that SHA-1 is brought: few files by
HTTP ranges out of the archive where it lies, many by the whole archive. So the same command begins,
goes on after any interruption, mends, and says when nothing is left to do.
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

#: Where FMA's authors publish the archives.
BASE_URL = "https://os.unil.cloud.switch.ch/fma/"

#: The archives, and the SHA-1 that each was published with.
SHA1 = {
    "fma_metadata": "f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    "fma_small": "ade154f733639d52e35e32f5593efe5be76c6d70",
    "fma_medium": "c67b69ea232021025fca9231fc1c7c1a063ab50b",
    "fma_large": "497109f4dd721066b5ce5e5f250ec604dc78939e",
    "fma_full": "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
}

_METADATA, _SMALL = "fma_metadata", "fma_small"
# The tables that a corpus needs; the others of the metadata are larger than a sample.
_TABLES = ("tracks.csv", "genres.csv")
# Files are brought one by one when fewer than this part of a set's are missing.
_FEW = 0.5
# How often a file is asked for that comes, but not as its checksums say.
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
    """Bring one of FMA's sets of clips and its metadata; run again, it goes on or mends.

    Parameters
    ----------
    name : str
        ``fma_small``, ``fma_medium``, ``fma_large``, ``fma_full``, or ``fma_metadata`` alone.
    data_dir
        The data folder; ``$SONGNET_DATA`` or ``data`` by default.
    sample : int, optional
        Of fma_small only: bring so many clips per genre into the corpus ``fma_sample``, and of the
        metadata only the tables that it needs. A sample that is there already is extended.
    base_url : str, optional
        Where the archives lie, if not at FMA's authors': a mirror, or a server with archives of
        the same make. Those need not have the published SHA-1s; their files are checked against
        the list in the archive.
    progress : bool
        Show progress bars, on stderr.
    say : callable
        Called with what a person should know besides.
    patience
        How long to wait for the server.

    Returns
    -------
    pathlib.Path
        The folder of the clips (or of the metadata).

    Raises
    ------
    SongNetError
        When the server, the disk or the archive does not allow it. What was good is kept.

    References
    ----------
    M. Defferrard, K. Benzi, P. Vandergheynst and X. Bresson, "FMA: A dataset for music
    analysis", ISMIR, 2017. https://arxiv.org/abs/1612.01840
    """
    if name not in SHA1:
        raise SongNetError(
            f"{name}: is none of FMA's archives; they are {', '.join(SHA1)}."
            + did_you_mean(str(name), SHA1)
        )
    if sample is not None and (name != _SMALL or sample < 1):
        raise SongNetError(
            f"{name}: a sample (--sample) is taken out of {_SMALL} only, and has at least one "
            f"clip per genre. Got {sample}."
        )
    server = Server(BASE_URL if base_url is None else base_url, patience or Patience())
    fetch = _Fetch(data_folder(data_dir) / "fma", server, progress, say)
    if sample is not None:
        return fetch.bring_sample(sample)
    for part in dict.fromkeys((_METADATA, name)):
        fetch.complete(part)
    return fetch.root / name


class _Fetch:
    """One run of `fetch_fma`: from where, to where, and whom to tell."""

    def __init__(self, root: Path, server: Server, progress: bool, say: Say) -> None:
        self.root = root
        self._server = server
        self._say = say
        self._bar = functools.partial(tqdm, disable=not progress, leave=False)

    def _missing(self, folder: Path, listed: Mapping[str, str]) -> list[str]:
        """Return the paths in a folder where there is no file with the listed SHA-1."""
        bar = self._bar(sorted(listed), desc=f"checking {folder.name}", unit="file")
        return [path for path in bar if archive.sha1(folder / path) != listed[path]]

    def complete(self, name: str) -> None:
        """Bring all that an archive holds and its folder lacks."""
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
        self._say(f"{name}: complete, {len(listed):,} files with the right SHA-1.")

    def _unpack(self, name: str) -> dict[str, str]:
        """Unpack a downloaded archive, as far as it is good; return the SHA-1s of its files."""
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
        # From now on the folder's own list says what is missing.
        archive.write_list(folder, listed)
        with zipfile.ZipFile(file) as zipped:
            lacking = self._missing(folder, listed)
            bad = self._bring(zipped, found, listed, lacking, folder)
        file.unlink()
        self._check(name, bad, len(listed))
        if altered and published:
            raise SongNetError(
                f"{name}.zip: its SHA-1 is not the published {SHA1[name]}. All of its files "
                f"match the list inside it and are kept, but nobody vouches for that list: to be "
                f"sure of it, remove {folder} and run the same command again."
            )
        if altered:
            self._say(
                f"{name}.zip: its SHA-1 is not that of FMA's own archive; its files were checked "
                "against the list inside it."
            )
        return listed

    def bring_sample(self, number: int) -> Path:
        """Bring so many clips per genre."""
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
                self._say(f"{SAMPLE}: {genre} has {count} clips; there are no more.")
        if max(counts.values(), default=0) > number:
            self._say(f"{SAMPLE}: holds more than {number} clips per genre already; all are kept.")
        self._say(f"{SAMPLE}: complete, {sum(counts.values()):,} clips of {len(counts)} genres.")
        return folder

    def _tables_here(self) -> pd.DataFrame | None:
        """Return FMA's table of tracks, if what a corpus needs of the metadata is here."""
        folder = self.root / _METADATA
        listed = read_list(folder)
        if any(archive.sha1(folder / name) != listed.get(name) for name in _TABLES):
            return None
        return read_tracks(folder / "tracks.csv")

    def _bring_tables(self) -> pd.DataFrame:
        """Bring what a corpus needs of the metadata, without the rest of its archive."""
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
        """Unpack files out of an archive, wherever it lies; return what is wrong, by path."""
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
            # A connection reads one file after the other; a disk serves every core.
            reasons = map(bring, paths) if remote else pool.map(bring, paths)
            doing = f"{'fetching' if remote else 'unpacking'} {folder.name}"
            reasons = self._bar(reasons, desc=doing, total=len(paths), unit="file")
            return {path: why for path, why in zip(paths, reasons, strict=True) if why}

    @contextlib.contextmanager
    def _opened(
        self, name: str
    ) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo], dict[str, str]]]:
        """Open an archive where it lies; yield it, its files and the SHA-1s that it lists."""
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
                f"{self.root}: {size_text(needed)} are needed on the disk, and "
                f"{size_text(free)} are free. Make room, or choose another folder with --dir; "
                "nothing was begun."
            )

    def _check(self, name: str, bad: Mapping[str, str], of: int) -> None:
        """Raise SongNetError when files came damaged."""
        if bad:
            path, why = next(iter(bad.items()))
            raise SongNetError(
                f"{name}: {len(bad):,} of {of:,} files are still missing, for they came damaged; "
                f"the first is {path} ({why}). The others are kept; run the same command again, "
                "or choose another server with --base-url."
            )

    def _unreadable(self, name: str, error: archive.DamagedError) -> SongNetError:
        return SongNetError(
            f"{self._server.base_url}{name}.zip: came damaged, or is no zip archive ({error}). Run "
            "the same command again, or choose another server with --base-url."
        )


def _count_genres(tracks: pd.DataFrame, listed: Iterable[str]) -> dict[str, int]:
    """Return how many of the listed clips each genre has."""
    genres = {track_path(track): genre for track, genre in tracks.genre.items()}
    return pd.Series([genres.get(path) for path in listed]).value_counts().sort_index().to_dict()
