"""Bytes over HTTP, from servers that drop the connection, stall, or answer nonsense.

A file on a server can be read in two ways: whole, into a file that a later run goes on with
(`RemoteFile.download`), or a range of it, into memory (`RemoteFile.read`). Both ask for the rest
of what is lacking whenever an answer ends early, after a pause that grows while nothing comes.
Every answer must be of a file of the same size. Whether pieces belong together is for the archive
to say, by its CRCs and SHA-1s: ``ETag`` and ``Last-Modified`` differ among servers that share the
work.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write

# What a dropped connection can cost is less than this; reading by larger pieces is no faster.
_PIECE = 1 << 14
# Answers of a server that may go well a moment later: time-outs, too many requests.
_PASSING = {408, 425, 429}

#: Called with words for a person.
Say = Callable[[str], None]
#: Called with the number of bytes that have come (negative where some are given up).
Watch = Callable[[int], None]


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    tries : int
        How often in a row it may fail without one new byte.
    timeout : float
        Seconds without a sign of it that count as a failure.
    pause : float
        Seconds of the first pause; each further one is twice as long.
    longest_pause : float
        Seconds.
    longest_wait : float
        Seconds of a pause that the server itself asks for (``Retry-After``).
    """

    tries: int = 6
    timeout: float = 30.0
    pause: float = 1.0
    longest_pause: float = 60.0
    longest_wait: float = 600.0

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        return min(self.longest_pause, self.pause * 2.0 ** (failures - 1))


class RangesRefusedError(SongNetError):
    """The server sends whole files only."""


class _FailedError(Exception):
    """One try went wrong; the next may go well.

    Parameters
    ----------
    what : str
        What happened.
    wait : float
        Seconds after which the server asks to be tried again.
    """

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


@dataclass(frozen=True)
class _Version:
    """What tells one version of a file on a server from another."""

    url: str
    size: int


class RemoteFile:
    """A file on a server.

    Parameters
    ----------
    url : str
        Its address.
    say
        Told, in words, of waiting and of starting afresh.
    patience
        How long to wait for the server.
    """

    def __init__(self, url: str, say: Say, patience: Patience) -> None:
        self.url = url
        self.name = url.rsplit("/", 1)[-1]
        self._say = say
        self._patience = patience
        self._session = requests.Session()
        # Compressed on the way, the numbers of the bytes would be others.
        self._session.headers["Accept-Encoding"] = "identity"
        self._version: _Version | None = None

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    @property
    def size(self) -> int:
        """The number of its bytes; asks the server for one of them at first."""
        if self._version is None:
            self.read(0, 1)
        assert self._version is not None
        return self._version.size

    def read(self, start: int, stop: int, watch: Watch | None = None) -> bytes:
        """Return the bytes from `start` to before `stop`.

        Raises
        ------
        RangesRefusedError
            When the server sends the whole file instead.
        SongNetError
            When the server does not have them, or fails again and again.
        """
        got = bytearray()

        def attempt() -> None:
            first = start + len(got)
            with self._answer({"Range": f"bytes={first}-{stop - 1}"}) as answer:
                if answer.status_code == 416:
                    raise _FailedError("it says that there are no such bytes (416)")
                if answer.status_code == 200:
                    # From a server that has sent ranges before, it is a passing fault.
                    if self._version is not None:
                        raise _FailedError("it sent the whole file instead of a range")
                    raise RangesRefusedError(
                        f"{self.url}: the server sends whole files only, no ranges. Run "
                        f"`songnet fetch {Path(self.name).stem}` for the whole archive, or give "
                        "another server with --base-url."
                    )
                version = self._check_range(answer, first)
                if self._version not in (None, version):
                    raise SongNetError(
                        f"{self.url}: changed on the server while it was read. Run the same "
                        "command again."
                    )
                self._version = version
                for piece in self._pieces(answer):
                    # What comes beyond is not waited for; what comes to its end leaves the
                    # connection open for the next range.
                    if len(got) == stop - start:
                        break
                    kept = piece[: stop - start - len(got)]
                    got.extend(kept)
                    if watch:
                        watch(len(kept))
                if len(got) < stop - start:
                    raise _FailedError("it dropped the connection")

        self._persist(attempt, lambda: len(got))
        return bytes(got)

    def download(self, to: Path, watch: Watch, begin: Callable[[int, int], None]) -> None:
        """Download the whole file to `to`, going on where an earlier run was stopped.

        Beside `to` lies ``to.json``, which says what version its bytes are of; a file that has
        changed on the server since is started afresh.

        Parameters
        ----------
        to
            Where to. It holds the whole file only when this returns.
        watch
            Called with the bytes that have come.
        begin
            Called once before any byte comes, with the bytes that are here and the file's size;
            it may refuse.
        """
        sidecar = to.with_name(to.name + ".json")
        known = _read_version(sidecar) if to.exists() else None
        if known is not None and known.url != self.url:
            self._say(f"{to}: was begun from {known.url}; beginning afresh.")
            known = None
        have = to.stat().st_size if known is not None else 0
        if known is not None and have > known.size:
            have, known = 0, None
        watch(have)
        begun = False
        # A whole file instead of its rest may be a passing fault, and costs all that is here.
        refusals = 2
        # Another length counts when it is announced twice.
        other: _Version | None = None

        def afresh(reason: str) -> None:
            nonlocal have, known
            self._say(f"{self.url}: {reason}; beginning afresh.")
            watch(-have)
            have, known = 0, None

        def attempt() -> None:
            nonlocal have, known, begun, refusals, other
            if known is not None and have == known.size:
                return
            with self._answer({"Range": f"bytes={have}-"}) as answer:
                if answer.status_code == 416:
                    size = answer.headers.get("Content-Range", "").removeprefix("bytes */")
                    if known is not None and size.isdecimal() and int(size) != known.size:
                        afresh("the file has changed on the server")
                    raise _FailedError("it says that there are no such bytes (416)")
                ranged = answer.status_code == 206
                version = self._check_range(answer, have) if ranged else self._whole(answer)
                if known is not None and known != version:
                    if version != other:
                        other = version
                        raise _FailedError("it announced another length than before")
                    afresh("the file has changed on the server")
                    if ranged:
                        raise _FailedError("the file has changed")
                elif not ranged and have and refusals:
                    refusals -= 1
                    raise _FailedError("it sent the whole file instead of the rest")
                elif not ranged and have:
                    afresh("the server does not go on in the middle")
                elif not ranged:
                    refusals = 0
                if not begun:
                    begin(have, version.size)
                    begun = True
                if known is None:
                    # In this order: what is here is never of another version than is written.
                    with _writing(to):
                        to.parent.mkdir(parents=True, exist_ok=True)
                        to.write_bytes(b"")
                    with atomic_write(sidecar) as temporary:
                        temporary.write_text(json.dumps(asdict(version)), encoding="utf-8")
                    known = version
                with _writing(to), to.open("r+b") as file:
                    # Not by appending: two runs at once then write the same bytes to one place.
                    file.seek(have)
                    for piece in self._pieces(answer):
                        kept = piece[: version.size - have]
                        file.write(kept)
                        have += len(kept)
                        watch(len(kept))
                if have < version.size:
                    raise _FailedError("it dropped the connection")

        self._persist(attempt, lambda: have)

    def _persist(self, attempt: Callable[[], None], gained: Callable[[], int]) -> None:
        """Try until it goes well, or fails too often in a row with nothing gained."""
        failures, most = 0, gained()
        while True:
            try:
                return attempt()
            except _FailedError as failure:
                if gained() > most:
                    failures, most = 0, gained()
                failures += 1
                if failures >= self._patience.tries:
                    raise SongNetError(
                        f"{self.url}: could not be fetched: the server failed {failures} times "
                        f"in a row, at last because {failure}. Check the network; what has come "
                        "is kept, and the same command goes on from there."
                    ) from failure
                asked = min(failure.wait, self._patience.longest_wait)
                pause = max(asked, self._patience.wait(failures))
                if asked or failures > 1:
                    self._say(f"{self.name}: {failure}; trying again in {pause:.0f} s.")
                time.sleep(pause)

    @contextmanager
    def _answer(self, headers: dict[str, str]) -> Iterator[requests.Response]:
        """Ask; yield an answer with status 200, 206 or 416."""
        try:
            answer = self._session.get(
                self.url, headers=headers, stream=True, timeout=self._patience.timeout
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise SongNetError(f"{self.url}: is no address of a file ({error}).") from error
        except requests.RequestException as error:
            raise _FailedError(_in_words(error)) from error
        with answer:
            status = answer.status_code
            if status >= 500 or status in _PASSING:
                raise _FailedError(f"it answered {status} {answer.reason}", _asked_wait(answer))
            if status not in (200, 206, 416):
                raise SongNetError(
                    f"{self.url}: the server answered {status} {answer.reason}. Check the address "
                    "(--base-url); what has come is kept, and the same command goes on from there."
                )
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise SongNetError(
                    f"{self.url}: the server packs what it sends once more, so that parts of it "
                    "cannot be told. Give another server with --base-url."
                )
            yield answer

    def _pieces(self, answer: requests.Response) -> Iterator[bytes]:
        try:
            yield from answer.iter_content(_PIECE)
        except requests.RequestException as error:
            raise _FailedError(_in_words(error)) from error

    def _check_range(self, answer: requests.Response, first: int) -> _Version:
        """Return the version that a range is of, when it begins where it should."""
        found = re.fullmatch(
            r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", "").strip()
        )
        if not found or int(found[1]) != first:
            raise _FailedError("it sent another range than asked for")
        return _Version(self.url, int(found[3]))

    def _whole(self, answer: requests.Response) -> _Version:
        length = answer.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise SongNetError(
                f"{self.url}: the server does not say how long the file is. Check the address "
                "(--base-url)."
            )
        return _Version(self.url, int(length))


def check_base_url(url: str) -> str:
    """Return the address of a folder on a web server, with one slash at its end.

    Raises
    ------
    SongNetError
        When it is none.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        sound = False
    if not sound or any(character.isspace() for character in url):
        raise SongNetError(
            f"{url}: is no address of a folder on a web server. Give --base-url as "
            "http://server/folder/ or https://…"
        )
    return url.rstrip("/") + "/"


def is_whole(file: Path) -> bool:
    """Return whether `RemoteFile.download` has brought all of a file's bytes."""
    version = _read_version(file.with_name(file.name + ".json"))
    return version is not None and file.is_file() and file.stat().st_size == version.size


def forget(file: Path) -> None:
    """Remove what `RemoteFile.download` has brought."""
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".json").unlink(missing_ok=True)


def _read_version(sidecar: Path) -> _Version | None:
    try:
        return _Version(**json.loads(sidecar.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SongNetError(
            f"{file}: could not be written ({error.strerror or error}). Make room on the disk or "
            "choose another folder with --dir; what has come is kept, and the same command goes "
            "on from there."
        ) from error


def _asked_wait(answer: requests.Response) -> float:
    """Return after how many seconds a server asks to be tried again; 0 when it does not say."""
    try:
        return Retry().parse_retry_after(answer.headers.get("Retry-After", "0"))
    except (InvalidHeader, ValueError, OverflowError):
        return 0.0


def _in_words(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate could not be checked ({error})"
    if isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error).lower():
        return "it was silent for too long"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "it dropped the connection"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it could not be reached"
    return f"of {error}"
