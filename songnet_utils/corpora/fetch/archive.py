"""Zip archives, on this disk or on a server, and the folders that they are unpacked into.

An archive called ``NAME.zip`` holds files below ``NAME/``, among them ``NAME/checksums``: one line
for each of the others, its SHA-1 and its path. Unpacked into a folder, that file says what should
be there; `missing` is what is not. Where an archive lies makes no difference: on a server,
`open_remote` reads of it what is asked for.
"""

from __future__ import annotations

import bz2
import contextlib
import copy
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

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.corpora.fetch.web import RemoteFile, Watch

#: The file of an archive that lists the SHA-1 of the others.
LIST = "checksums"

# What is read into memory at most, several times as much as fma_full needs (a list of 6 MB, a
# directory of 12 MB, a track of some 100 MB).
_MOST_LIST, _MOST_DIRECTORY, _MOST_SPAN = 1 << 26, 1 << 26, 1 << 30

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

    class Reader(io.BufferedReader):
        def read(self, size: int | None = -1) -> bytes:
            """Read a piece; only the directory is asked for in one that is larger than a list."""
            if size is not None and size > _MOST_DIRECTORY:
                raise zipfile.BadZipFile("its directory is larger than any of FMA's")
            return super().read(size)

    with Reader(io.FileIO(file)) as opened:
        with _damage():
            archive = zipfile.ZipFile(opened)
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
            if stop - first > (_MOST_SPAN if stream else _MOST_DIRECTORY):
                raise remotezip.RemoteZipError("a part of it is larger than any of FMA's")
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
    pieces = _pieces(archive, entry)
    # Read before a file is made for it: on a server, this is where the bytes come.
    piece = next(pieces, b"")
    with atomic_write(to) as temporary:
        with temporary.open("wb") as target:
            while piece:
                digest.update(piece)
                target.write(piece)
                piece = next(pieces, b"")
        if expected is not None and digest.hexdigest() != expected:
            raise DamagedError(f"{entry.filename}: its SHA-1 is not the listed one")
    return digest.hexdigest()


def read_checksums(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: str) -> dict[str, str]:
    """Return the SHA-1s by path that an archive's list holds.

    Raises
    ------
    DamagedError
        When it is not what its CRC says, or larger than any list of FMA's.
    SongNetError
        When it is no list.
    """
    if entry.file_size > _MOST_LIST:
        raise DamagedError(f"{entry.filename}: is larger than any list of FMA's")
    return parse_list(b"".join(_pieces(archive, entry)).decode("utf-8", "replace"), file)


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a file of an archive, never more of it than its size says; check its size and CRC.

    `zipfile` unpacks bzip2 without a bound: a member of 2 kB may take gigabytes of memory.
    """
    packed, crc, left = entry, 0, entry.file_size
    if entry.compress_type == zipfile.ZIP_BZIP2:
        packed = copy.copy(entry)
        packed.compress_type, packed.file_size = zipfile.ZIP_STORED, entry.compress_size
        # That of what is unpacked.
        del packed.CRC
    elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DamagedError(f"{entry.filename}: is packed neither by deflate nor by bzip2")
    with contextlib.ExitStack() as stack:
        with _damage():
            source: Any = stack.enter_context(archive.open(packed))
        if packed is not entry:
            source = stack.enter_context(bz2.BZ2File(source))
        while True:
            with _damage():
                piece = source.read(min(_PIECE, left + 1))
            if not piece:
                break
            crc, left = zlib.crc32(piece, crc), left - len(piece)
            if left < 0:
                raise DamagedError(f"{entry.filename}: is larger than the archive says")
            yield piece
        if left or crc != entry.CRC:
            raise DamagedError(f"{entry.filename}: its size or its CRC is not as the archive says")


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
