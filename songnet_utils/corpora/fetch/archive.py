"""Zip archives, on this disk or on a server, and the folders into which they are unpacked.

An archive ``NAME.zip`` has files below ``NAME/``, among them ``NAME/checksums``, with the SHA-1 and
the path of each other file in a line. In an unpacked folder, this file lists what should be there.
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
    """An archive, or a file in one, does not match its checksums."""


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Turn the exceptions of reading a damaged archive into `DamagedError`."""
    try:
        yield
    except SongNetError:
        raise
    except (
        *(zipfile.BadZipFile, remotezip.RemoteZipError, zlib.error, EOFError),
        *(ValueError, RuntimeError, OSError),
    ) as error:
        # bz2 reports "Invalid data stream" as an OSError without a number; disk errors have one.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DamagedError(str(error) or type(error).__name__) from error


def members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """Return the files in the archive of the folder `name`, by their paths in that folder.

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
                f"{name}.zip: its member {entry.filename!r} is not in the folder {name} and would "
                "be written elsewhere. Nothing of this archive was unpacked. Get it from another "
                "server (--base-url)."
            )
        if not entry.is_dir():
            found["/".join(parts)] = entry
    return found


def listed_in(archive: zipfile.ZipFile, found: Mapping[str, zipfile.ZipInfo]) -> dict[str, str]:
    """Return the SHA-1s, by path, from an archive's list, for the files that it has."""
    if LIST not in found:
        return {}
    listed = parse_list(archive.read(found[LIST]).decode("utf-8", "replace"))
    return {path: digest for path, digest in listed.items() if path in found}


def write_list(folder: Path, listed: Mapping[str, str]) -> None:
    """Write a folder's list in the format of ``sha1sum``."""
    with atomic_write(folder / LIST) as temporary:
        lines = (f"{listed[path]}  {path}\n" for path in sorted(listed))
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def sha1(file: Path) -> str:
    """Return the SHA-1 of a file's content; "" if it cannot be read."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha1").hexdigest()
    except OSError:
        return ""


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, to: Path, expected: str) -> None:
    """Unpack one file, whole or not at all, if it matches its CRC and SHA-1.

    Raises
    ------
    DamagedError
        When the file does not match.
    """
    with damage():
        content = archive.read(entry)
    if hashlib.sha1(content).hexdigest() != expected:
        raise DamagedError("its SHA-1 is not the listed one")
    with atomic_write(to) as temporary:
        temporary.write_bytes(content)
