"""Shards: files of many clips' arrays, written whole, read in parts, here or in object storage.

A shard is a safetensors file: eight bytes with the size of a JSON header, the header, which says
where each array lies, and then nothing but numbers. So one clip can be read out of a shard by its
place alone, and nothing in it can run. Its arrays are float32 and called ``CONTENT/ARRAY``, where
CONTENT is the SHA-256 of the sound file that they were computed from. The header holds a checksum
(CRC-32) of each array with its name and shape, which is compared when the array is first read.

A shard is named by its contents and never changes, so it can be written by several processes, on
several machines, in any order: each writes the same bytes. Folders are fsspec's: a path, or an
address such as ``s3://bucket/features`` (with the package that fsspec asks for).

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

# What our shards are called, and where the checksums stand in a header.
_NAME = re.compile(r".*/[0-9a-f]{32}\.safetensors")
_CHECKSUMS = "crc32"
# Read of each shard to see what is in it: the headers of 64 clips have half of that.
_FIRST_BYTES = 1 << 17


@dataclass(frozen=True)
class Place:
    """Where an array lies: its name, in which shard, from which byte, its shape and checksum."""

    name: str
    shard: str
    start: int
    shape: tuple[int, ...]
    checksum: int

    @property
    def end(self) -> int:
        """The byte after its last one."""
        return self.start + 4 * math.prod(self.shape)


class Folder:
    """A folder of shards on this disk or anywhere that fsspec reaches.

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
        When the address is none, or needs a package that is not installed.
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
            # Object storage shows an object when all of it has arrived.
            self._system.pipe_file(f"{self._root}/{name}", content)

    def write_shard(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write arrays, float32, called ``CONTENT/ARRAY``, as one shard."""
        named = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
        contents = "".join(sorted({name.split("/")[0] for name in named}))
        of = sorted(named.items())
        sums = {name: _checksum(name, array.shape, array.tobytes()) for name, array in of}
        # One entry: safetensors would write several in any order.
        content = safetensors.numpy.save(named, {_CHECKSUMS: json.dumps(sums)})
        shard = hashlib.sha256(contents.encode()).hexdigest()[:32]
        self.write(f"shards/{shard}.safetensors", content)

    def places(self) -> dict[str, dict[str, Place]]:
        """Return where everything lies, as the headers say: content → array → place.

        What a damaged header says is passed over, as if the shard were not there.
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
            # All at once: far away, it is the waiting that costs.
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
            When it cannot be read, or its numbers are not those that were written.
        """
        name = f"shards/{place.shard.rsplit('/', 1)[-1]}"
        with self._plainly(name, "read"):
            numbers = self._system.cat_file(place.shard, place.start, place.end)
        if place not in self._checked:
            if _checksum(place.name, place.shape, numbers) != place.checksum:
                raise SongNetError(
                    f"{self}/{name}: is damaged. Delete this file, then run the same again: what "
                    "was in it is computed from the clips."
                )
            self._checked.add(place)
        return np.frombuffer(numbers, "<f4").reshape(place.shape)

    @contextlib.contextmanager
    def _plainly(self, name: str, done: str) -> Iterator[None]:
        """Turn whatever fsspec raises in the block into a SongNetError."""
        try:
            yield
        except Exception as error:
            raise SongNetError(
                f"{self}/{name}: could not be {done} ({getattr(error, 'strerror', '') or error}). "
                "Check that the store exists and is accessible, then run the same again; what was "
                "stored is still there."
            ) from error


def _places(shard: str, size: int, start: bytes) -> list[Place]:
    """Return where a shard of `size` bytes has its arrays, as its first bytes say."""
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
