"""Zip archives, on this disk or on a server, and the folders that they are unpacked into.

An archive called ``NAME.zip`` holds files below ``NAME/``, among them ``NAME/checksums``: one line
for each of the others, its SHA-1 and its path. Unpacked into a folder, that file says what should
be there; `missing` is what is not. Where an archive lies makes no difference: on a server,
`open_remote` reads of it what is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import remotezip
from tqdm.auto import tqdm

from songnet_utils.errors import SongNetError
from songnet_utils.fetch.web import RemoteFile, Watch
from songnet_utils.files import atomic_write

#: The file of an archive that lists the SHA-1 of the others.
LIST = "checksums"

_PIECE = 1 << 20

# What Python's zipfile raises on altered bytes, besides an OSError without a number from bz2.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    UnicodeDecodeError,
    RuntimeError,
    OverflowError,
    remotezip.RemoteZipError,
)


class DamagedError(Exception):
    """An archive, or a file in one, is not as its checksums say."""


class UnsafeError(SongNetError):
    """An archive would write outside its folder."""


@contextlib.contextmanager
def open_local(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive on this disk; `DamagedError` when it is none."""
    with _damage():
        archive = zipfile.ZipFile(file)
    with archive:
        yield archive


@contextlib.contextmanager
def open_remote(remote: RemoteFile, watch: Watch) -> Iterator[zipfile.ZipFile]:
    """Open an archive on a server; only what is read of it is moved.

    `watch` is called with the bytes that come.
    """

    class Fetcher:
        """What remotezip reads through: ranges that come whole, whatever the server does."""

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def fetch(self, span: tuple[int, int | None], stream: bool) -> remotezip.PartialBuffer:
            first, last = span
            size = remote.size
            if first < 0:
                first = max(0, size + first)
            stop = size if last is None else last + 1
            if not first < stop <= size:
                raise remotezip.RemoteZipError("the archive points outside itself")
            got = io.BytesIO(remote.read(first, stop, watch))
            return remotezip.PartialBuffer(got, first, stop - first, stream)

    with _damage():
        archive = remotezip.RemoteZip(remote.url, fetcher=Fetcher)
    with archive:
        yield archive


def members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the archive of the folder `name`, by their path in that folder.

    Raises
    ------
    UnsafeError
        When a path leads out of the folder, or is a link.
    """
    found = {}
    for entry in archive.infolist():
        path = entry.orig_filename
        parts = path.removesuffix("/").split("/")
        link = stat.S_ISLNK(entry.external_attr >> 16)
        inside = parts[0] == name and not {"", ".", ".."} & set(parts)
        if link or not inside or re.search(r"[\\:\x00-\x1f]", path):
            raise UnsafeError(
                f"{name}.zip: its member {path!r} "
                + ("is a link" if link else f"does not lie in the folder {name}")
                + ", and would be written elsewhere. Nothing of this archive was unpacked; get it "
                "from another server (--base-url)."
            )
        if not entry.is_dir():
            found["/".join(parts[1:])] = entry
    return found


def read_list(file: Path) -> dict[str, str] | None:
    """Return the SHA-1s by path that a folder's list holds; None where there is none."""
    try:
        return parse_list(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError, SongNetError):
        return None


def parse_list(text: str, file: str) -> dict[str, str]:
    """Return the SHA-1s by path of lines as ``sha1sum`` writes them."""
    listed = {}
    for line in text.splitlines():
        entry = re.fullmatch(r"([0-9a-f]{40}) [ *](?:\./)?(\S.*)", line.strip())
        if not entry or ".." in PurePosixPath(entry[2]).parts:
            raise SongNetError(
                f"{file}: is no list of SHA-1s; a line of it is {line[:80]!r}. Get the archive "
                "from another server (--base-url)."
            )
        listed[entry[2]] = entry[1]
    return listed


def write_list(file: Path, listed: Mapping[str, str]) -> None:
    """Write a folder's list, as ``sha1sum`` does; nothing where it says the same already."""
    if read_list(file) == dict(listed):
        return
    with atomic_write(file) as temporary:
        lines = (f"{listed[path]}  {path}\n" for path in sorted(listed))
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def missing(folder: Path, listed: Mapping[str, str], progress: bool) -> list[str]:
    """Return the paths in a folder where there is no file with the listed SHA-1."""
    bar = tqdm(
        sorted(listed),
        desc=f"checking {folder.name}",
        unit="file",
        disable=not progress,
        leave=False,
    )
    return [path for path in bar if sha1(folder / path) != listed[path]]


def sha1(file: Path, watch: Watch | None = None) -> str:
    """Return the SHA-1 of a file's content; "" when it cannot be read."""
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with file.open("rb") as source:
            while piece := source.read(_PIECE):
                digest.update(piece)
                if watch:
                    watch(len(piece))
    except OSError:
        return ""
    return digest.hexdigest()


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path, expected: str | None) -> str:
    """Unpack one file, when it is what its CRC and its SHA-1 say; return its SHA-1.

    Parameters
    ----------
    archive, entry
        Which.
    to
        The file to write. It is there whole, or as it was before.
    expected : str, optional
        Its SHA-1, where a list has it.

    Raises
    ------
    DamagedError
        When the archive holds something else.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    with contextlib.ExitStack() as stack:
        with _damage():
            source = stack.enter_context(archive.open(entry))
            # Read before a file is made for it: on a server, this is where the bytes come.
            piece = source.read(_PIECE)
        temporary = stack.enter_context(atomic_write(to))
        with temporary.open("wb") as target:
            while piece:
                digest.update(piece)
                target.write(piece)
                with _damage():
                    piece = source.read(_PIECE)
        if expected is not None and digest.hexdigest() != expected:
            raise DamagedError(f"{entry.filename}: its SHA-1 is not the listed one")
    return digest.hexdigest()


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of one file, when it is what its CRC says; else `DamagedError`."""
    with _damage():
        return archive.read(entry)


def unpacked_bytes(entries: Iterable[zipfile.ZipInfo]) -> int:
    """Return how many bytes files take once unpacked."""
    return sum(entry.file_size for entry in entries)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Turn what zipfile raises on altered bytes into `DamagedError`."""
    try:
        yield
    except _ZIP_ERRORS as error:
        raise DamagedError(str(error) or type(error).__name__) from error
    except ValueError as error:
        # A damaged directory may point to before the beginning.
        if isinstance(error, SongNetError):
            raise
        raise DamagedError(str(error)) from error
    except OSError as error:
        # bz2 says "Invalid data stream" so, without a number; a disk's errors have one.
        if error.errno is not None:
            raise
        raise DamagedError(str(error)) from error
