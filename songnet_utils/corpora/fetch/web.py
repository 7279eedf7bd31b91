"""Files on a web server: download them whole, with resumption, or open them as zip archives.

If a server fails (no connection, no answer, 5xx, 429), `urllib3.util.Retry` tries again after
growing pauses, and waits as long as the server asks. An answer that ends early is continued where
it ended.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import remotezip
import requests
import urllib3
from requests.adapters import HTTPAdapter
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import cannot_write

_PIECE = 1 << 16

#: A function that takes a message for people.
Say = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Attributes
    ----------
    tries : int
        The number of failures in a row that end the work.
    timeout : float
        The seconds without an answer that count as a failure.
    pause : float
        The seconds of the first pause; each further pause is twice as long.
    """

    tries: int = 6
    timeout: float = 30.0
    pause: float = 1.0


class RangesRefusedError(SongNetError):
    """The server sends only whole files."""


class Server:
    """A folder of files on a web server.

    Parameters
    ----------
    base_url : str
        The folder's address.
    patience
        How long to wait for the server.
    """

    def __init__(self, base_url: str, patience: Patience) -> None:
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", base_url):
            raise SongNetError(
                f"{base_url}: is not the address of a folder on a web server. Give --base-url as "
                "http://server/folder/ or https://…"
            )
        self.base_url = base_url.rstrip("/") + "/"
        self._patience = patience
        self._session = requests.Session()
        # Compression in transit would change the positions of the bytes.
        self._session.headers["Accept-Encoding"] = "identity"
        retry = urllib3.util.Retry(
            patience.tries - 1,
            backoff_factor=patience.pause,
            status_forcelist=(408, 425, 429, 500, 502, 503, 504),
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def open_zip(self, name: str) -> remotezip.RemoteZip:
        """Open an archive on the server; only the parts that you read are transferred.

        Raises
        ------
        RangesRefusedError
            When the server sends only whole files.
        SongNetError
            When the server does not have it, or keeps failing.
        """
        url = self.base_url + name
        size, ranges = self._size(url)
        if not ranges:
            raise RangesRefusedError(
                f"{url}: the server sends only whole files, no ranges. Run `songnet fetch "
                f"{Path(name).stem}` for the whole archive, or give another server with "
                "--base-url."
            )

        def fetch(span: tuple[int, int | None], stream: bool) -> remotezip.PartialBuffer:
            """Return a whole range, even if the server's answers end early."""
            first = max(0, size + span[0]) if span[0] < 0 else span[0]
            stop = size if span[1] is None else min(size, span[1] + 1)
            content = io.BytesIO(b"".join(self._stream(url, first, stop)))
            return remotezip.PartialBuffer(content, first, stop - first, stream)

        return remotezip.RemoteZip(url, fetcher=lambda *_, **__: SimpleNamespace(fetch=fetch))

    def download(self, name: str, to: Path, bar: tqdm, check_room: Callable[[int], None]) -> None:
        """Download an archive, continuing an earlier run that was stopped.

        Parameters
        ----------
        name
            The archive.
        to
            The path, which exists only when the file is complete; until then, its bytes are in
            ``to.part``.
        bar
            Shows the bytes so far.
        check_room
            Called before the download with the bytes that the rest of the archive and its unpacked
            files need on the disk; it may refuse.

        Raises
        ------
        SongNetError
            When the server or the disk fails; the bytes so far stay.
        """
        url, part = self.base_url + name, to.with_name(to.name + ".part")
        size, ranges = self._size(url)
        have = part.stat().st_size if part.exists() and ranges else 0
        have = have if have <= size else 0
        # Zip does not make sound files smaller.
        check_room(2 * size - have)
        bar.total = size
        bar.update(have)
        pieces = self._stream(url, have, size)
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab" if have else "wb") as file:
                for piece in pieces:
                    file.write(piece)
                    bar.update(len(piece))
            part.replace(to)
        except OSError as error:
            raise cannot_write(part, error) from error

    def _stream(self, url: str, first: int, stop: int) -> Iterator[bytes]:
        """Yield a file's bytes from `first` to before `stop`; request missing bytes again."""
        failures, at = 0, first
        while at < stop:
            before = at
            try:
                with self._get(url, f"bytes={at}-{stop - 1}") as answer:
                    if answer.status_code == 416 or (answer.status_code == 200 and at):
                        reason = "it did not send the requested part"
                    else:
                        for piece in answer.iter_content(_PIECE):
                            piece = piece[: stop - at]
                            at += len(piece)
                            yield piece
                            if at == stop:
                                return
                        reason = "it dropped the connection"
            except requests.RequestException as error:
                reason = in_words(error)
            failures = 1 if at > before else failures + 1
            if failures >= self._patience.tries:
                raise unreachable(url, reason)
            time.sleep(min(60.0, self._patience.pause * 2.0 ** (failures - 1)))

    def _size(self, url: str) -> tuple[int, bool]:
        """Return a file's size in bytes, and whether the server sends parts of it."""
        with self._get(url, "bytes=0-0") as answer:
            found = re.fullmatch(r"bytes 0-0/(\d+)", answer.headers.get("Content-Range", ""))
            if answer.status_code == 206 and found:
                return int(found[1]), True
            return int(answer.headers.get("Content-Length", 0)), False

    def _get(self, url: str, span: str) -> requests.Response:
        try:
            answer = self._session.get(
                url, headers={"Range": span}, stream=True, timeout=self._patience.timeout
            )
        except requests.RequestException as error:
            raise unreachable(url, in_words(error)) from error
        if answer.status_code not in (200, 206, 416):
            answer.close()
            raise SongNetError(
                f"{url}: the server answered {answer.status_code} {answer.reason}. Check the "
                "address (--base-url). The files so far stay; run the same command again to "
                "continue."
            )
        return answer


def unreachable(url: str, reason: str) -> SongNetError:
    """Return the error for a server that has failed too often."""
    return SongNetError(
        f"{url}: could not be fetched: {reason}. Check the network. The files so far stay; run "
        "the same command again to continue."
    )


def in_words(error: Exception) -> str:
    """Return a server's error in words."""
    text = str(error)
    if "timed out" in text.lower():
        return "it did not answer in time"
    if found := re.search(r"too many (\d+) error", text):
        return f"it kept answering {found[1]}"
    if "establish" in text or "resolve" in text.lower() or "refused" in text:
        return "it could not be reached"
    return "it dropped the connection"
