"""Bringing the Free Music Archive data set: whole archives, or a sample out of one.

Everything lies in ``fma`` in the data folder, each archive's files in a folder of its name, with
the archive's own list of SHA-1s. What that list names and is not there with that SHA-1 is brought:
few files by HTTP ranges out of the archive where it lies, many by the whole archive. So the same
command begins, goes on after any interruption, mends, and says when nothing is left to do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from zipfile import ZipFile, ZipInfo

import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils._utils.files import size_text, sweep
from songnet_utils.corpora import data_folder
from songnet_utils.corpora.fetch.archive import (
    LIST,
    DamagedError,
    UnsafeError,
    members,
    missing,
    open_local,
    open_remote,
    read_checksums,
    read_list,
    sha1,
    unpack,
    unpacked_bytes,
    write_list,
)
from songnet_utils.corpora.fetch.sample import choose, track_path
from songnet_utils.corpora.fetch.web import (
    Patience,
    RangesRefusedError,
    RemoteFile,
    Say,
    check_base_url,
    forget,
    is_whole,
)
from songnet_utils.corpora.fma import SAMPLE, read_tracks

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
# How often a file is asked for that comes, but not as its checksums say.
_DAMAGED_TRIES = 3
# Files are brought one by one when that moves less than this part of the archive.
_FEW = 0.5

_Returned = TypeVar("_Returned")


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
        Of fma_small only: bring so many clips a genre into the corpus ``fma_sample``, and of the
        metadata only the tables that it needs. A sample that is there already is extended.
    base_url : str, optional
        Where the archives lie, if not at FMA's authors': a mirror, or a server with archives of
        the same make. Those need not have the published SHA-1s; their files are held against
        the list in the archive.
    progress : bool
        Show progress bars, on stderr.
    say : callable
        Told, in words, what a person should know besides.
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
    if sample is not None and name != _SMALL:
        raise SongNetError(f"{name}: a sample (--sample) is taken out of {_SMALL} only.")
    if sample is not None and sample < 1:
        raise SongNetError(f"A sample has at least one clip a genre; got {sample}.")
    errand = _Errand(data_folder(data_dir) / "fma", base_url, progress, say, patience or Patience())
    if sample is not None:
        return errand.bring_sample(sample)
    for part in dict.fromkeys((_METADATA, name)):
        errand.complete(part)
    return errand.root / name


class _Errand:
    """One run of `fetch_fma`: from where, to where, and whom to tell."""

    def __init__(
        self, root: Path, base_url: str | None, progress: bool, say: Say, patience: Patience
    ) -> None:
        self.root = root
        self._base_url = check_base_url(BASE_URL if base_url is None else base_url)
        self._published = self._base_url == BASE_URL
        self._progress = progress
        self._say = say
        self._patience = patience
        self._bar: tqdm | None = None
        # Files that were found right once need not be read again in this run.
        self._right: set[tuple[Path, str]] = set()

    # --- A whole set ---------------------------------------------------------------------------

    def complete(self, name: str) -> None:
        """Bring all that an archive holds and its folder lacks."""
        folder, download = self.root / name, self._download_of(name)
        sweep(folder)
        listed = read_list(folder / LIST)
        if listed and not self._missing(folder, listed):
            forget(download)
            self._say(f"{name}: complete, {len(listed):,} files with the right SHA-1.")
            return
        if not is_whole(download):
            to_unpack = self._mend(name)
            if to_unpack == 0:
                return
            self._download(name, to_unpack)
        self._unpack(name)

    def _mend(self, name: str) -> int | None:
        """Bring what a folder lacks by ranges, if it is little.

        Returns
        -------
        int, optional
            How many bytes are still to unpack: 0 when nothing is lacking any more. None when the
            server sends no ranges, so that nobody knows.
        """
        folder = self.root / name
        try:
            with self._opened(name) as (remote, archive, found):
                listed = self._again(lambda: self._adopt_list(archive, found, folder))
                lacking = self._lacking(folder, found, listed)
                entries = [found[path] for path in lacking if path in found]
                if sum(entry.compress_size for entry in entries) > _FEW * remote.size:
                    return unpacked_bytes(entries)
                self._check_room(unpacked_bytes(entries))
                bad = self._bring(archive, found, listed, lacking, folder)
        except RangesRefusedError:
            return None
        except DamagedError as error:
            raise self._unreadable(name, error) from error
        forget(self._download_of(name))
        self._finish(name, found, listed, bad)
        return 0

    def _download(self, name: str, to_unpack: int | None) -> None:
        """Download an archive."""
        with self._remote(name) as remote, self._bytes_bar(f"downloading {name}") as bar:

            def begin(have: int, size: int) -> None:
                bar.total = size
                bar.initial = have
                # Sound does not get smaller in a zip.
                self._check_room(size - have + (size if to_unpack is None else to_unpack))

            remote.download(self._download_of(name), self._watch, begin)

    def _unpack(self, name: str) -> None:
        """Unpack a downloaded archive, as far as it is good, and remove it."""
        folder, download = self.root / name, self._download_of(name)
        with self._bytes_bar(f"checking {name}.zip", download.stat().st_size):
            altered = sha1(download, self._watch) != SHA1[name]
        if altered and not self._published:
            self._say(
                f"{name}.zip: its SHA-1 is not that of FMA's own archive; its files are held "
                "against the list inside it."
            )
        try:
            with open_local(download) as archive:
                found = members(archive, name)
                try:
                    listed = self._adopt_list(archive, found, folder)
                except DamagedError:
                    listed = read_list(folder / LIST)
                    if listed is None:
                        raise
                lacking = self._lacking(folder, found, listed)
                self._check_room(unpacked_bytes(found[path] for path in lacking if path in found))
                bad = self._bring(archive, found, listed, lacking, folder)
        except DamagedError as error:
            forget(download)
            raise SongNetError(
                f"{name}.zip: came damaged, or is no zip archive ({error}). It was removed; run "
                "the same command again, or choose another server with --base-url."
            ) from error
        except UnsafeError:
            forget(download)
            raise
        forget(download)
        self._finish(name, found, listed, bad, " The archive was removed.")
        if altered and self._published:
            raise SongNetError(
                f"{name}.zip: its SHA-1 is not the published {SHA1[name]}. All of its files "
                f"match the list inside it and are kept, but the list is not vouched for: to be "
                f"sure of it, remove {folder} and run the same command again."
            )

    def _finish(
        self,
        name: str,
        found: Mapping[str, ZipInfo],
        listed: Mapping[str, str] | None,
        bad: Mapping[str, str],
        besides: str = "",
    ) -> None:
        """Say that a folder is complete, or raise what it still lacks."""
        folder = self.root / name
        if bad:
            raise SongNetError(self._still_missing(name, bad, len({*found, *(listed or ())})))
        listed = listed or {}
        unlisted = found.keys() - listed.keys() - {LIST}
        if unlisted:
            # From now on the folder's own list tells what is missing.
            listed = {**listed, **{path: sha1(folder / path) for path in unlisted}}
            write_list(folder / LIST, listed)
            self._say(
                f"{name}: complete, {len(listed):,} files. The archive lists no SHA-1 of "
                f"{len(unlisted):,} of them; their sizes and CRCs are right.{besides}"
            )
        else:
            self._say(f"{name}: complete, {len(listed):,} files with the right SHA-1.{besides}")

    # --- A sample ------------------------------------------------------------------------------

    def bring_sample(self, number: int) -> Path:
        """Bring so many clips a genre."""
        folder = self.root / SAMPLE
        sweep(folder)
        before = read_list(folder / LIST) or {}
        tracks = self._tracks_here()
        if tracks is not None and before and not self._missing(folder, before):
            counts = _count_genres(tracks, before)
            wanted = tracks.genre[tracks.subset == "small"].dropna().unique()
            if min((counts.get(genre, 0) for genre in wanted), default=0) >= number:
                self._tell_sample(counts, number)
                return folder
        try:
            with self._opened(_SMALL) as (_, archive, found):
                everything = self._again(lambda: self._list_of(archive, found, _SMALL))
                if not everything:
                    raise SongNetError(
                        f"{_SMALL}.zip: holds no list of SHA-1s ({LIST}), or an empty one, and a "
                        f"sample is checked against it. Run `songnet fetch {_SMALL}` for the "
                        "whole archive."
                    )
                if tracks is None:
                    tracks = self._bring_tables()
                chosen = choose(tracks, everything.keys() & found.keys(), number)
                if not any(chosen.values()):
                    raise SongNetError(
                        f"{self.root / _METADATA / 'tracks.csv'}: describes none of the clips in "
                        f"{_SMALL}.zip. Remove it, or choose the server that it came from with "
                        "--base-url."
                    )
                listed = {path: everything.get(path, digest) for path, digest in before.items()}
                for track in (track for genre in chosen.values() for track in genre):
                    listed[track_path(track)] = everything[track_path(track)]
                write_list(folder / LIST, listed)
                lacking = self._missing(folder, listed)
                self._check_room(unpacked_bytes(found[path] for path in lacking if path in found))
                bad = self._bring(archive, found, listed, lacking, folder)
        except DamagedError as error:
            raise self._unreadable(_SMALL, error) from error
        if bad:
            raise SongNetError(self._still_missing(SAMPLE, bad, len(listed)))
        self._tell_sample(_count_genres(tracks, listed), number)
        return folder

    def _tell_sample(self, counts: Mapping[str, int], number: int) -> None:
        for genre, count in counts.items():
            if count < number:
                self._say(f"{SAMPLE}: {genre} has {count} clips; there are no more.")
        most = max(counts.values(), default=0)
        if most > number:
            self._say(
                f"{SAMPLE}: holds {most} clips a genre already, more than {number}; all are kept."
            )
        total = sum(counts.values())
        self._say(f"{SAMPLE}: complete, {total:,} clips of {len(counts)} genres.")

    def _tracks_here(self) -> pd.DataFrame | None:
        """Return FMA's table of tracks, if what a corpus needs of the metadata is here."""
        folder = self.root / _METADATA
        listed = read_list(folder / LIST) or {}
        for name in _TABLES:
            file = folder / name
            if not file.is_file() or (name in listed and sha1(file) != listed[name]):
                return None
        return read_tracks(folder / "tracks.csv")

    def _bring_tables(self) -> pd.DataFrame:
        """Bring what a corpus needs of the metadata, without the rest of its archive."""
        folder = self.root / _METADATA
        try:
            with self._opened(_METADATA) as (_, archive, found):
                listed = self._again(lambda: self._adopt_list(archive, found, folder))
                self._check_room(unpacked_bytes(found[path] for path in _TABLES if path in found))
                bad = self._bring(archive, found, listed, _TABLES, folder)
                if bad:
                    raise SongNetError(self._still_missing(_METADATA, bad, len(_TABLES)))
        except RangesRefusedError:
            self.complete(_METADATA)
        except DamagedError as error:
            raise self._unreadable(_METADATA, error) from error
        try:
            return read_tracks(folder / "tracks.csv")
        except SongNetError:
            # What cannot be used would stand in the way of what can.
            for name in (*_TABLES, LIST):
                (folder / name).unlink(missing_ok=True)
            raise

    # --- What both need ------------------------------------------------------------------------

    def _list_of(
        self, archive: ZipFile, found: Mapping[str, ZipInfo], name: str
    ) -> dict[str, str] | None:
        """Return the SHA-1s that an archive lists; None when it lists none."""
        if LIST not in found:
            return None
        return read_checksums(archive, found[LIST], f"{name}/{LIST}") or None

    def _adopt_list(
        self, archive: ZipFile, found: Mapping[str, ZipInfo], folder: Path
    ) -> dict[str, str] | None:
        """Return the SHA-1s that an archive lists; put a list of all of its files into its folder.

        One that lacks files would say of a folder without them that it is complete.
        """
        listed = self._list_of(archive, found, folder.name)
        if listed is not None and found.keys() - {LIST} <= listed.keys():
            write_list(folder / LIST, listed)
        return listed

    def _missing(self, folder: Path, listed: Mapping[str, str]) -> list[str]:
        """Return the paths in a folder where there is no file with the listed SHA-1."""
        unsure = {
            path: digest
            for path, digest in listed.items()
            if (folder / path, digest) not in self._right
        }
        lacking = missing(folder, unsure, self._progress)
        self._right |= {(folder / path, unsure[path]) for path in unsure.keys() - set(lacking)}
        return lacking

    def _lacking(
        self, folder: Path, found: Mapping[str, ZipInfo], listed: Mapping[str, str] | None
    ) -> list[str]:
        """Return the paths that a folder lacks; one that no list has is judged by its size."""
        # What was unpacked before of an archive that lists too little has left a list of its own.
        own = read_list(folder / LIST) or {}
        listed = {path: own[path] for path in own.keys() & found.keys()} | dict(listed or {})
        lacking = self._missing(folder, listed)
        for path in sorted(set(found) - set(listed) - {LIST}):
            file = folder / path
            if not file.is_file() or file.stat().st_size != found[path].file_size:
                lacking.append(path)
        return lacking

    def _bring(
        self,
        archive: ZipFile,
        found: Mapping[str, ZipInfo],
        listed: Mapping[str, str] | None,
        lacking: Iterable[str],
        folder: Path,
    ) -> dict[str, str]:
        """Unpack files out of an archive, wherever it lies; return what is wrong, by path."""
        paths = list(lacking)
        near = archive.filename is not None
        sizes = {path: found[path].compress_size for path in paths if path in found}

        def bring(path: str) -> str:
            if path not in found:
                return "is not in the archive"
            expected = (listed or {}).get(path)
            action = partial(unpack, archive, found[path], folder / path, expected)
            try:
                if near:
                    action()
                    self._watch(sizes[path])
                else:
                    self._again(action)
            except DamagedError as error:
                return str(error)
            return ""

        what = f"{'unpacking' if near else 'fetching'} {folder.name}"
        with self._bytes_bar(what, sum(sizes.values())), ThreadPoolExecutor() as pool:
            # A connection reads one file after the other; a disk serves every core.
            reasons = pool.map(bring, paths) if near else map(bring, paths)
            return {path: why for path, why in zip(paths, reasons, strict=True) if why}

    def _again(self, action: Callable[[], _Returned]) -> _Returned:
        """Do what reads from a server, again if bytes were altered on their way."""
        for _ in range(_DAMAGED_TRIES - 1):
            with contextlib.suppress(DamagedError):
                return action()
        return action()

    @contextlib.contextmanager
    def _remote(self, name: str) -> Iterator[RemoteFile]:
        with contextlib.closing(
            RemoteFile(f"{self._base_url}{name}.zip", self._say, self._patience)
        ) as remote:
            yield remote

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[tuple[RemoteFile, ZipFile, dict[str, ZipInfo]]]:
        """Open an archive where it lies."""
        with self._remote(name) as remote, contextlib.ExitStack() as stack:
            archive = self._again(lambda: stack.enter_context(open_remote(remote, self._watch)))
            yield remote, archive, members(archive, name)

    def _download_of(self, name: str) -> Path:
        return self.root / f"{name}.zip.part"

    @contextlib.contextmanager
    def _bytes_bar(self, what: str, total: int | None = None) -> Iterator[tqdm]:
        """Show how many bytes have passed `_watch`."""
        with tqdm(
            total=total,
            desc=what,
            unit="B",
            unit_scale=True,
            disable=not self._progress,
            leave=False,
        ) as bar:
            outer, self._bar = self._bar, bar
            try:
                yield bar
            finally:
                self._bar = outer

    def _watch(self, count: int) -> None:
        if self._bar is not None:
            self._bar.update(count)

    def _check_room(self, needed: int) -> None:
        there = self.root
        while not there.exists():
            there = there.parent
        free = shutil.disk_usage(there).free
        if needed > free:
            raise SongNetError(
                f"{self.root}: {size_text(needed)} are needed on the disk, and "
                f"{size_text(free)} are free. Make room, or choose another folder with --dir; "
                "nothing was begun."
            )

    def _still_missing(self, name: str, bad: Mapping[str, str], of: int) -> str:
        path, why = next(iter(bad.items()))
        return (
            f"{name}: {len(bad):,} of {of:,} files are still missing, for they came damaged; the "
            f"first is {path} ({why}). The others are kept; run the same command again, or choose "
            "another server with --base-url."
        )

    def _unreadable(self, name: str, error: DamagedError) -> SongNetError:
        return SongNetError(
            f"{self._base_url}{name}.zip: is no zip archive, or a damaged one ({error}). Run the "
            "same command again, or choose another server with --base-url."
        )


def _count_genres(tracks: pd.DataFrame, listed: Iterable[str]) -> dict[str, int]:
    """Return how many of the listed clips each genre has."""
    genres = {track_path(track): genre for track, genre in tracks.genre.items()}
    return pd.Series([genres.get(path) for path in listed]).value_counts().sort_index().to_dict()
