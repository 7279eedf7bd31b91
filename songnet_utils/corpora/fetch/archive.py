"""Zip archives, on this disk or on a server, and the folders that they are unpacked into.

An archive called ``NAME.zip`` holds files below ``NAME/``, among them ``NAME/checksums``: one line
for each of the others, its SHA-1 and its path. Unpacked into a folder, that file says what should
be there.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import remotezip

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.corpora.fma import LIST, parse_list


class DamagedError(Exception):
    """An archive, or a file in one, is not as its checksums say."""


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Turn what reading an archive raises on altered bytes into `DamagedError`."""
    try:
        yield
    except SongNetError:
        raise
    except (
        *(zipfile.BadZipFile, remotezip.RemoteZipError, zlib.error, EOFError),
        *(ValueError, RuntimeError, OSError),
    ) as error:
        # bz2 says "Invalid data stream" by an OSError without a number; a disk's errors have one.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(str(error) or type(error).__name__) from error


def members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the archive of the folder `name`, by their path in that folder.

    Raises
    ------
    SongNetError
        When a path leads out of the folder.
    """
    found = {}
    for entry in archive.infolist():
        folder, *parts = entry.filename.removesuffix("/").split("/")
        if folder != name or {"", ".", ".."} & set(parts) or re.search(r"[\\:]", entry.filename):
            raise SongNetError(
                f"{name}.zip: its member {entry.filename!r} does not lie in the folder {name}, and "
                "would be written elsewhere. Nothing of this archive was unpacked; get it from "
                "another server (--base-url)."
            )
        if not entry.is_dir():
            found["/".join(parts)] = entry
    return found


def listed_in(archive: zipfile.ZipFile, found: Mapping[str, zipfile.ZipInfo]) -> dict[str, str]:
    """Return the SHA-1s by path that an archive lists, of the files that it has."""
    if LIST not in found:
        return {}
    listed = parse_list(archive.read(found[LIST]).decode("utf-8", "replace"))
    return {path: digest for path, digest in listed.items() if path in found}


def write_list(folder: Path, listed: Mapping[str, str]) -> None:
    """Write a folder's list, as ``sha1sum`` does."""
    with atomic_write(folder / LIST) as temporary:
        lines = (f"{listed[path]}  {path}\n" for path in sorted(listed))
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def sha1(file: Path) -> str:
    """Return the SHA-1 of a file's content; "" when it cannot be read."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha1").hexdigest()
    except OSError:
        return ""


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path, expected: str) -> None:
    """Unpack one file, when it is what its CRC and its SHA-1 say: whole, or not at all.

    Raises
    ------
    DamagedError
        When the archive holds something else.
    """
    with damage():
        content = archive.read(entry)
    if hashlib.sha1(content).hexdigest() != expected:
        raise DamagedError("its SHA-1 is not the listed one")
    with atomic_write(to) as temporary:
        temporary.write_bytes(content)
