"""Shards: files with many clips' arrays, written whole and read in parts, anywhere.

A shard is a safetensors file: eight bytes with the size of a JSON header, then the header, which
gives the place of each array, and then only numbers. So you can read one clip out of a shard by its
place, and a shard cannot run code. Its arrays are float32 and named ``CONTENT/ARRAY``, where
CONTENT is the SHA-256 of the sound file behind them. The header has a checksum (CRC-32) of each
array with its name and shape, which is verified when the array is first read.

A shard is named by its contents and never changes, so several processes on several machines may
write it in any order: all write the same bytes. Folders are fsspec's: a path, or an address such
as ``s3://bucket/features`` (with the package that fsspec requires).

References
----------
safetensors, https://github.com/huggingface/safetensors (the README describes the format).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import fsspec
import numpy as np
import safetensors.numpy
from fsspec.implementations.local import LocalFileSystem

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write

# The names of our shards, and the key of the checksums in a header.
_NAME = re.compile(r".*/[0-9a-f]{32}\.safetensors")
_CHECKSUMS = "crc32"
# The bytes to read for a shard's header; the header for 64 clips needs half of them.
_FIRST_BYTES = 1 << 17


@dataclass(frozen=True)
class Place:
    """The place of an array: its name, shard, first byte, shape and checksum."""

    name: str
    shard: str
    start: int
    shape: tuple[int, ...]
    checksum: int

    @property
    def end(self) -> int:
        """The byte after the array's last one."""
        return self.start + 4 * math.prod(self.shape)


class Folder:
    """A folder of shards on this disk or anywhere that fsspec supports.

    Parameters
    ----------
    address : str
        A path or an fsspec address.

    Attributes
    ----------
    path : pathlib.Path or None
        The folder on this disk; None when it is elsewhere.

    Raises
    ------
    SongNetError
        When the address is invalid, or needs a package that is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            self._system, self._root = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise SongNetError(
                f"{address}: cannot be used as a store ({error}). Give a folder, or an address of "
                "object storage such as s3://bucket/features with the package that it needs."
            ) from error
        self.path = Path(self._root) if isinstance(self._system, LocalFileSystem) else None
        self._name = str(self.path or address)
        self._checked: set[Place] = set()

    def __str__(self) -> str:
        return self._name

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        if self.path:
            with atomic_write(self.path / name) as part:
                part.write_bytes(content)
            return
        with self._plainly(name, "written"):
            # Object storage shows an object only when it is complete.
            self._system.pipe_file(f"{self._root}/{name}", content)

    def write_shard(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write float32 arrays with names ``CONTENT/ARRAY`` as one shard."""
        named = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
        contents = "".join(sorted({name.split("/")[0] for name in named}))
        of = sorted(named.items())
        sums = {name: _checksum(name, array.shape, array.tobytes()) for name, array in of}
        # Use one entry, because safetensors would write several in any order.
        content = safetensors.numpy.save(named, {_CHECKSUMS: json.dumps(sums)})
        shard = hashlib.sha256(contents.encode()).hexdigest()[:32]
        self.write(f"shards/{shard}.safetensors", content)

    def places(self) -> dict[str, dict[str, Place]]:
        """Return the place of everything, from the headers: content → array → place.

        A shard with a damaged header counts as missing.
        """
        self._checked.clear()
        found: dict[str, dict[str, Place]] = {}
        with self._plainly("shards", "read"):
            self._system.invalidate_cache()
            try:
                listed = self._system.ls(f"{self._root}/shards", detail=True)
            except FileNotFoundError:
                return found
            sizes = {file["name"]: file["size"] for file in listed if _NAME.fullmatch(file["name"])}
            # Read all headers at once, because remote storage is slow to answer.
            starts = self._system.cat_ranges(
                list(sizes), [0] * len(sizes), [_FIRST_BYTES] * len(sizes), on_error="raise"
            )
        for (shard, size), start in zip(sizes.items(), starts, strict=True):
            for place in _places(shard, size, start):
                content, _, array = place.name.partition("/")
                found.setdefault(content, {})[array] = place
        return found

    def load(self, place: Place) -> np.ndarray:
        """Return an array, read-only.

        Raises
        ------
        SongNetError
            When it cannot be read, or its numbers have changed since they were written.
        """
        name = f"shards/{place.shard.rsplit('/', 1)[-1]}"
        with self._plainly(name, "read"):
            numbers = self._system.cat_file(place.shard, place.start, place.end)
        if place not in self._checked:
            if _checksum(place.name, place.shape, numbers) != place.checksum:
                raise SongNetError(
                    f"{self}/{name}: is damaged. Delete this file, then run the command again to "
                    "compute its arrays from the clips."
                )
            self._checked.add(place)
        return np.frombuffer(numbers, "<f4").reshape(place.shape)

    @contextlib.contextmanager
    def _plainly(self, name: str, done: str) -> Iterator[None]:
        """Turn any exception of fsspec in the block into a SongNetError."""
        try:
            yield
        except Exception as error:
            raise SongNetError(
                f"{self}/{name}: could not be {done} ({getattr(error, 'strerror', '') or error}). "
                "Check that the store exists and is accessible, then run the command again. What "
                "was stored is still there."
            ) from error


def _places(shard: str, size: int, start: bytes) -> list[Place]:
    """Return the places of the arrays in a shard of `size` bytes, from its first bytes."""
    try:
        header_end = 8 + int.from_bytes(start[:8], "little")
        entries = json.loads(start[8:header_end])
        sums = json.loads(entries.pop("__metadata__")[_CHECKSUMS])
        places = []
        for name, entry in entries.items():
            start_byte = header_end + entry["data_offsets"][0]
            places.append(Place(name, shard, start_byte, tuple(entry["shape"]), sums[name]))
        return places if all(place.end <= size for place in places) else []
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _checksum(name: str, shape: tuple[int, ...], numbers: bytes) -> int:
    """Return the CRC-32 of an array with its name and shape."""
    return zlib.crc32(numbers, zlib.crc32(f"{name} {shape}".encode()))
