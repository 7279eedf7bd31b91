"""A web server on this machine that fails as real ones do, and archives made like FMA's."""

from __future__ import annotations

import bz2
import csv
import hashlib
import io
import random
import re
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: What `FaultyServer` may do instead of answering well.
FAULTS = ("drop", "404", "416", "500", "whole", "short", "alter", "stall")

Fault = Callable[[str, str], str | None]

GENRES = (
    *("Electronic", "Experimental", "Folk", "Hip-Hop"),
    *("Instrumental", "International", "Pop", "Rock"),
)


@dataclass
class FaultyServer:
    """Serve the files of a folder on 127.0.0.1.

    Parameters
    ----------
    folder
        Of the files.
    ranges : bool
        Whether parts of them may be asked for.
    fault : callable
        Asked at every request, with the file's name and the range asked for ("bytes=5-" for a
        download, "bytes=5-9" for a part): what to do instead of answering well, one of
        `FAULTS`; None for nothing.
    stall : float
        Seconds of a silence.
    seed : int
        Of where a fault hits.
    """

    folder: Path
    ranges: bool = True
    fault: Fault = lambda name, asked: None
    stall: float = 0.6
    seed: int = 0
    #: Bytes sent and requests answered, by file name.
    sent: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve until the block ends; yield the address of the folder."""
        server = _Server(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        draw = random.Random(owner.seed)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                name = self.path.rsplit("/", 1)[-1]
                file = owner.folder / name
                fault = owner.fault(name, self.headers.get("Range", ""))
                if fault == "404" or "//" in self.path or not file.is_file():
                    return self.refuse(name, 404)
                if fault in ("416", "500"):
                    return self.refuse(name, int(fault))
                size = file.stat().st_size
                start, stop, status = 0, size, 200
                asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
                if asked and owner.ranges and fault != "whole":
                    if asked[1]:
                        start, stop = int(asked[1]), min(size, int(asked[2] or size) + 1)
                    else:
                        start = max(0, size - int(asked[2]))
                    if start >= stop:
                        return self.refuse(name, 416, f"bytes */{size}")
                    status = 206
                length = stop - start
                # Where the fault hits.
                at = draw.randrange(length)
                self.send_response(status)
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
                if owner.ranges:
                    self.send_header("Accept-Ranges", "bytes")
                self.send_header("Content-Length", str(at if fault == "short" else length))
                self.end_headers()
                owner.requests.append((self.command, name, status))
                if self.command == "HEAD":
                    return None
                with file.open("rb") as source:
                    source.seek(start)
                    there = 0
                    while there < length:
                        piece = source.read(min(1 << 14, length - there))
                        hit = there <= at < there + len(piece)
                        if hit and fault == "alter":
                            altered = bytearray(piece)
                            altered[at - there] ^= 1 + draw.randrange(255)
                            piece = bytes(altered)
                        if hit and fault in ("drop", "short", "stall"):
                            self.send(name, piece[: at - there])
                            if fault == "stall":
                                time.sleep(owner.stall)
                            self.close_connection = True
                            return None
                        if not self.send(name, piece):
                            return None
                        there += len(piece)
                return None

            def send(self, name: str, piece: bytes) -> bool:
                try:
                    self.wfile.write(piece)
                    self.wfile.flush()
                except OSError:
                    self.close_connection = True
                    return False
                owner.sent[name] = owner.sent.get(name, 0) + len(piece)
                return True

            def refuse(self, name: str, status: int, content_range: str = ""):
                owner.requests.append((self.command, name, status))
                self.send_response(status)
                if content_range:
                    self.send_header("Content-Range", content_range)
                self.send_header("Content-Length", "0")
                self.end_headers()

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: a client that hangs up is what the tests are about."""


def random_faults(seed: int, chance: float) -> Fault:
    """Return faults that come with a chance, any of them alike."""
    draw = random.Random(seed)
    return lambda name, asked: draw.choice(FAULTS) if draw.random() < chance else None


# --- Archives made like FMA's ----------------------------------------------------------------


def make_archive(file: Path, content: Mapping[str, bytes], listed: bool = True) -> None:
    """Write an archive as FMA's are: bzip2, all below a folder of its name, with `checksums`."""
    name = file.stem
    content = dict(content)
    if listed:
        content["checksums"] = checksums(content)
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2, compresslevel=1) as archive:
        archive.mkdir(name)
        for path, data in content.items():
            archive.writestr(f"{name}/{path}", data)


def checksums(content: Mapping[str, bytes]) -> bytes:
    lines = (f"{hashlib.sha1(data).hexdigest()}  {path}\n" for path, data in content.items())
    return "".join(lines).encode()


def track_path(track: int) -> str:
    return f"{track // 1000:03d}/{track:06d}.mp3"


def noise_clips(tracks: list[int], size: int = 30_000) -> dict[str, bytes]:
    """Return clips by path, which no zip makes smaller, as it is with mp3s."""
    return {track_path(track): random.Random(track).randbytes(size + track) for track in tracks}


@dataclass(frozen=True)
class Track:
    track: int
    genre: str
    split: str = "training"
    artist: int | None = 1
    subset: str = "small"


def tracks_csv(tracks: list[Track]) -> bytes:
    """Return a table with tracks.csv's header and the columns that are needed."""
    columns = [
        *[("album", c) for c in ("date_released", "title")],
        *[("artist", c) for c in ("id", "name")],
        *[("set", c) for c in ("split", "subset")],
        *[("track", c) for c in ("bit_rate", "date_recorded", "duration", "favorites")],
        *[("track", c) for c in ("genre_top", "genres", "genres_all", "license", "listens")],
        ("track", "title"),
    ]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["", *(first for first, _ in columns)])
    rows.writerow(["", *(second for _, second in columns)])
    rows.writerow(["track_id", *("" for _ in columns)])
    for row in tracks:
        known = {
            ("artist", "id"): row.artist,
            ("artist", "name"): None if row.artist is None else f"Artist {row.artist}",
            ("set", "split"): row.split,
            ("set", "subset"): row.subset,
            ("track", "genre_top"): row.genre,
            ("track", "genres_all"): "[1]",
            ("track", "title"): f"Title {row.track}",
        }
        rows.writerow([row.track, *(known.get(column) for column in columns)])
    return text.getvalue().encode()


GENRES_CSV = b"genre_id,#tracks,parent,title,top_level\n1,1,0,Rock,1\n"


def make_fma(folder: Path, tracks: list[Track], size: int = 30_000) -> dict[str, bytes]:
    """Write ``fma_small.zip`` and ``fma_metadata.zip``; return the clips and tables by path."""
    clips = noise_clips([row.track for row in tracks], size)
    tables = {
        "tracks.csv": tracks_csv(tracks),
        "genres.csv": GENRES_CSV,
        # Much larger than the others, as features.csv is.
        "features.csv": random.Random(0).randbytes(200_000),
    }
    make_archive(folder / "fma_small.zip", clips)
    make_archive(folder / "fma_metadata.zip", tables)
    return {
        **{f"fma_small/{path}": data for path, data in clips.items()},
        **{f"fma_sample/{path}": data for path, data in clips.items()},
        **{f"fma_metadata/{path}": data for path, data in tables.items()},
    }


def a_dozen() -> list[Track]:
    """Return a dozen tracks of two genres, two sets and five artists."""
    return [
        Track(
            track=1 + 137 * number,
            genre=("Rock", "Folk")[number % 2],
            split="test" if number > 9 else "training",
            artist=number % 5 or None,
        )
        for number in range(12)
    ]


def make_sparse_archive(file: Path, clips: Mapping[str, bytes], entries: int, size: int) -> None:
    """Write an archive of some 8,000 entries and more than 4 GiB that takes little of the disk.

    Real clips (bzip2) and `checksums` lie at its beginning, its middle and its end; between them
    are stored entries of zeros, which the file system does not keep. zipfile would write the
    zeros; so the records are written here (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3).
    """
    zeros = (entries - len(clips) - 1, size // (entries - len(clips) - 1))
    zero_crc = zlib.crc32(bytes(zeros[1]))
    zero_sha1 = hashlib.sha1(bytes(zeros[1])).hexdigest()
    hollow = [f"hollow/{number:06d}.mp3" for number in range(zeros[0])]
    listed = checksums(clips) + "".join(f"{zero_sha1}  {path}\n" for path in hollow).encode()
    order: list[tuple[str, bytes | None]] = [(path, None) for path in hollow]
    step = len(order) // len(clips)
    for number, (path, data) in enumerate(clips.items()):
        order.insert(number * (step + 1), (path, data))
    order.append(("checksums", listed))
    directory = bytearray()
    with file.open("wb") as out:
        for path, data in order:
            name = f"{file.stem}/{path}".encode()
            packed = b"" if data is None else bz2.compress(data)
            crc = zero_crc if data is None else zlib.crc32(data)
            method = 0 if data is None else 12
            real = zeros[1] if data is None else len(data)
            held = zeros[1] if data is None else len(packed)
            at = out.tell()
            common = struct.pack("<HHHHHIIIHH", 46, 0, method, 0, 0x4A81, crc, held, real,
                                 len(name), 0)  # fmt: skip
            out.write(b"PK\x03\x04" + common + name + packed)
            if data is None:
                out.seek(held, 1)
            far = at >= 0xFFFFFFFF
            extra = struct.pack("<HHQ", 1, 8, at) if far else b""
            directory += b"PK\x01\x02" + struct.pack("<H", 46) + common[:-2]
            directory += struct.pack("<HHHHII", len(extra), 0, 0, 0, 0,
                                     0xFFFFFFFF if far else at)  # fmt: skip
            directory += name + extra
        start = out.tell()
        out.write(directory)
        end = out.tell()
        out.write(b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 46, 46, 0, 0, len(order),
                                               len(order), end - start, start))  # fmt: skip
        out.write(b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1))
        out.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF,
                                               0xFFFFFFFF, 0))  # fmt: skip
