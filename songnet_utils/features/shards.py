"""Shards: files of many clips' arrays, written whole, read in parts, here or in object storage.

A shard is a safetensors file: eight bytes with the size of a JSON header, the header, which says
where each array lies, and then nothing but numbers. So one clip can be read out of a shard by its
place alone, and nothing in it can run. Its arrays are float32 and called ``CONTENT/ARRAY``, where
CONTENT is the SHA-256 of the sound file that they were computed from. The header keeps a checksum
(CRC-32) of each array with its name and shape, which is compared when the array is first read.

A shard is named by its contents and never changes, so it can be written by several processes, on
several machines, in any order: whoever writes it writes the same bytes. Folders are fsspec's: a
path, or an address such as ``s3://bucket/features`` (with the package that fsspec asks for).

References
----------
safetensors, https://github.com/huggingface/safetensors (the format stands in its README).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import threading
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import safetensors.numpy

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write

SUFFIX = ".safetensors"

# What our shards are called, and where the checksums stand in a header.
_NAME = re.compile(r"[0-9a-f]{32}\.safetensors")
_CHECKSUMS = "crc32"

# The size of the header stands in the first eight bytes (little-endian).
_SIZE = struct.Struct("<Q")
# Read at once of each shard that is far away: most headers are smaller.
_FIRST_BYTES = 1 << 16


class DamagedShardError(SongNetError):
    """Numbers in a shard that are not those that were written."""


@dataclass(frozen=True)
class Place:
    """Where an array lies: its name, in which shard, from which byte, its shape and checksum."""

    name: str
    shard: str
    start: int
    shape: tuple[int, ...]
    checksum: int

    @property
    def bytes(self) -> int:
        """How many bytes it has."""
        return 4 * int(np.prod(self.shape))


class Folder:
    """A folder of files on this disk or anywhere that fsspec reaches.

    Parameters
    ----------
    address : str
        A path or an fsspec address.

    Raises
    ------
    SongNetError
        When the address is none, or needs a package that is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/") or address
        try:
            self._system, self._root = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError) as error:
            raise SongNetError(
                f"{address}: cannot be used as a store ({error}). Give a folder, or an address of "
                "object storage such as s3://bucket/features with the package that it needs."
            ) from error
        if self.path:
            # Absolute, for workers that were started in another folder.
            self.address = str(self.path)
        self._maps: dict[str, np.ndarray] = {}
        self._checked: set[Place] = set()
        self._lock = threading.Lock()

    # Dask sends folders to its workers by their address.
    def __reduce__(self) -> tuple[type[Folder], tuple[str]]:
        return Folder, (self.address,)

    @property
    def path(self) -> Path | None:
        """The folder on this disk; None when it is elsewhere."""
        protocol = self._system.protocol
        is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        return Path(self._root) if is_local else None

    def __str__(self) -> str:
        return str(self.path or self.address)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        if self.path:
            with atomic_write(self.path / name) as part:
                part.write_bytes(content)
            return
        try:
            # Object storage shows an object when all of it has arrived.
            self._system.pipe_file(f"{self._root}/{name}", content)
        except Exception as error:
            raise self._trouble(name, "written", error) from error

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None when there is no such file."""
        try:
            return self._system.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._trouble(name, "read", error) from error

    def write_shard(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Write arrays, float32, called ``CONTENT/ARRAY``, as one shard; return its name."""
        named = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
        shard = shard_name(name.split("/")[0] for name in named)
        sums = {name: _checksum(name, array.shape, array) for name, array in sorted(named.items())}
        # One entry: safetensors would write several in any order.
        about = {_CHECKSUMS: json.dumps(sums)}
        self.write(f"shards/{shard}", safetensors.numpy.save(named, about))
        return shard

    def remove(self, shard: str) -> None:
        """Remove a shard."""
        self.forget()
        name = f"shards/{shard}"
        try:
            self._system.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._trouble(name, "removed", error) from error

    def places(self) -> tuple[dict[str, dict[str, Place]], list[str]]:
        """Return what the headers of all shards say.

        Returns
        -------
        dict
            Where everything lies: content → array → place.
        list of str
            The shards that are cut short or damaged in their header: they are as good as none.
        """
        found: dict[str, dict[str, Place]] = {}
        damaged = []
        for shard, size, header in self._headers():
            places = _places(shard, size, header)
            if places is None:
                damaged.append(shard)
            for place in places or ():
                content, _, array = place.name.partition("/")
                found.setdefault(content, {})[array] = place
        return found, damaged

    def load(self, place: Place) -> np.ndarray:
        """Return an array, read-only: mapped from this disk, or brought from elsewhere.

        Raises
        ------
        DamagedShardError
            When its numbers are not those that were written. Of a file that is mapped, they are
            looked at the first time only.
        SongNetError
            When it cannot be read.
        """
        name = f"shards/{place.shard}"
        try:
            if self.path:
                with self._lock:
                    raw = self._maps.get(place.shard)
                    if raw is None:
                        raw = np.memmap(self.path / name, np.uint8, mode="r")
                        self._maps[place.shard] = raw
                raw = raw[place.start : place.start + place.bytes]
            else:
                raw = np.frombuffer(
                    self._system.cat_file(
                        f"{self._root}/{name}", place.start, place.start + place.bytes
                    ),
                    np.uint8,
                )
        except Exception as error:
            raise self._trouble(name, "read", error) from error
        if not self.path or place not in self._checked:
            if _checksum(place.name, place.shape, raw) != place.checksum:
                raise DamagedShardError(f"{self}/{name}: its numbers are damaged.")
            self._checked.add(place)
        return raw.view("<f4").reshape(place.shape)

    def forget(self) -> None:
        """Let go of the shards that are mapped: they may have been written anew."""
        with self._lock:
            self._maps.clear()
            self._checked.clear()

    def _headers(self) -> Iterable[tuple[str, int, bytes]]:
        """Yield the name, the size in bytes and the header of each shard."""
        if self.path:
            yield from self._local_headers(self.path / "shards")
            return
        try:
            self._system.invalidate_cache()
            files = {
                entry["name"]: entry["size"]
                for entry in self._system.ls(f"{self._root}/shards", detail=True)
                if _NAME.fullmatch(entry["name"].rsplit("/", 1)[-1])
            }
            names = sorted(files)
            # All at once: far away, it is the waiting that costs.
            starts = self._system.cat_ranges(names, [0] * len(names), [_FIRST_BYTES] * len(names))
            for name, start in zip(names, starts, strict=True):
                size = start[: _SIZE.size].ljust(_SIZE.size, b"\0")
                end = _SIZE.size + _SIZE.unpack(size)[0]
                if end > len(start):
                    start = self._system.cat_file(name, 0, min(end, files[name]))
                yield name.rsplit("/", 1)[-1], files[name], start[_SIZE.size : end]
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._trouble("shards", "read", error) from error

    def _local_headers(self, folder: Path) -> Iterable[tuple[str, int, bytes]]:
        """Yield what `_headers` does, of shards on this disk."""
        try:
            names = sorted(filter(_NAME.fullmatch, os.listdir(folder)))
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._trouble(folder.name, "read", error) from error
        for name in names:
            try:
                with (folder / name).open("rb") as shard:
                    size = shard.read(_SIZE.size).ljust(_SIZE.size, b"\0")
                    header = shard.read(min(_SIZE.unpack(size)[0], 1 << 28))
                    whole = os.fstat(shard.fileno()).st_size
            except FileNotFoundError:
                # Another process has removed it since.
                continue
            except OSError as error:
                raise self._trouble(f"{folder.name}/{name}", "read", error) from error
            yield name, whole, header

    def _trouble(self, name: str, what: str, error: Exception) -> SongNetError:
        reason: Any = getattr(error, "strerror", None) or error
        return SongNetError(
            f"{self}/{name}: could not be {what} ({reason}). Check that the store exists and "
            "is accessible, then run the same again; what was stored is kept."
        )


def shard_name(contents: Iterable[str]) -> str:
    """Return the name of the shard that holds some contents."""
    return hashlib.sha256("".join(sorted(set(contents))).encode()).hexdigest()[:32] + SUFFIX


def _places(shard: str, size: int, header: bytes) -> list[Place] | None:
    """Return where a shard of `size` bytes has its arrays, as its header says; None: damaged."""
    try:
        entries = json.loads(header)
        sums = json.loads(entries.pop("__metadata__")[_CHECKSUMS])
        places = []
        for name, entry in entries.items():
            first, last = (8 + len(header) + offset for offset in entry["data_offsets"])
            place = Place(name, shard, first, tuple(entry["shape"]), sums[name])
            numbers = (first, last, place.checksum, *place.shape)
            if entry["dtype"] != "F32" or not all(isinstance(number, int) for number in numbers):
                return None
            # The shape stands for itself and in the size: one of them cannot be wrong alone.
            if min(place.shape, default=0) < 0 or last - first != place.bytes or last > size:
                return None
            places.append(place)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return places if set(sums) == set(entries) else None


def _checksum(name: str, shape: tuple[int, ...], numbers: np.ndarray) -> int:
    """Return the CRC-32 of an array with its name and shape."""
    return zlib.crc32(np.ascontiguousarray(numbers).data, zlib.crc32(f"{name} {shape}".encode()))
