"""Shards: files of many clips' arrays, written whole, read in parts, here or in object storage.

A shard is a safetensors file: eight bytes with the size of a JSON header, the header, which says
where each array lies, and then nothing but numbers. So one clip can be read out of a shard by its
place alone, and nothing in it can run. Its arrays are float32 and called ``CONTENT/ARRAY``, where
CONTENT is the SHA-256 of the sound file that they were computed from.

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
import struct
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import safetensors.numpy

from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write

SUFFIX = ".safetensors"

# The size of the header stands in the first eight bytes (little-endian).
_SIZE = struct.Struct("<Q")
# Read at once of each shard that is far away: most headers are smaller.
_FIRST_BYTES = 1 << 16


@dataclass(frozen=True)
class Place:
    """Where an array lies: in which shard, from which byte, and its shape."""

    shard: str
    start: int
    shape: tuple[int, ...]

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
        contents = sorted({name.split("/")[0] for name in named})
        shard = hashlib.sha256("".join(contents).encode()).hexdigest()[:32] + SUFFIX
        self.write(f"shards/{shard}", safetensors.numpy.save(named))
        return shard

    def places(self) -> dict[str, dict[str, Place]]:
        """Return where everything lies: content → array → place, from the headers of all shards.

        A shard that is cut short or damaged in its header is as good as none.
        """
        found: dict[str, dict[str, Place]] = {}
        for shard, size, header in self._headers():
            try:
                arrays, end = json.loads(header), 8 + len(header)
                places = {
                    name: Place(shard, end + entry["data_offsets"][0], tuple(entry["shape"]))
                    for name, entry in arrays.items()
                    if entry["dtype"] == "F32"
                }
                whole = max((at.start + at.bytes for at in places.values()), default=0)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if size < whole:
                continue
            for name, place in places.items():
                content, _, array = name.partition("/")
                found.setdefault(content, {})[array] = place
        return found

    def load(self, place: Place) -> np.ndarray:
        """Return an array, read-only: mapped from this disk, or brought from elsewhere."""
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
            return raw.view("<f4").reshape(place.shape)
        except Exception as error:
            raise self._trouble(name, "read", error) from error

    def forget(self) -> None:
        """Let go of the shards that are mapped: they may have been written anew."""
        with self._lock:
            self._maps.clear()

    def _headers(self) -> Iterable[tuple[str, int, bytes]]:
        """Yield the name, the size in bytes and the header of each shard."""
        if self.path:
            for file in sorted((self.path / "shards").glob(f"*{SUFFIX}")):
                if not file.name.startswith("."):
                    with file.open("rb") as shard:
                        first = shard.read(_SIZE.size)
                        if len(first) == _SIZE.size:
                            header = shard.read(min(_SIZE.unpack(first)[0], 1 << 28))
                            yield file.name, file.stat().st_size, header
            return
        try:
            self._system.invalidate_cache()
            files = {
                entry["name"]: entry["size"]
                for entry in self._system.ls(f"{self._root}/shards", detail=True)
                if entry["name"].endswith(SUFFIX)
            }
            names = sorted(files)
            # All at once: far away, it is the waiting that costs.
            starts = self._system.cat_ranges(names, [0] * len(names), [_FIRST_BYTES] * len(names))
            for name, start in zip(names, starts, strict=True):
                if len(start) >= _SIZE.size:
                    end = _SIZE.size + _SIZE.unpack(start[: _SIZE.size])[0]
                    if end > len(start):
                        start = self._system.cat_file(name, 0, min(end, files[name]))
                    yield name.rsplit("/", 1)[-1], files[name], start[_SIZE.size : end]
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._trouble("shards", "read", error) from error

    def _trouble(self, name: str, what: str, error: Exception) -> SongNetError:
        reason: Any = getattr(error, "strerror", None) or error
        return SongNetError(
            f"{self}/{name}: could not be {what} ({reason}). See that the store is there and "
            "may be used, then run the same again; what was stored is kept."
        )
