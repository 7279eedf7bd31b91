"""Your own songs: a folder for each genre, and a list of facts about each song.

The folder is a corpus ``GENRE/clip.*`` like any other. A song's genre is the folder of its file, so
you can move, delete and add files yourself. Beside the genres is ``my-songs.json``, which you can
read: for each song the SHA-256 of its bytes, its title, artist and licence, the original name of
its file, and the time of its addition. `open_corpus` shows the facts on the list and takes the rest
from the files' tags.

The package only decodes a song that you add. It stores the bytes unchanged, under a name of its own
(the SHA-256, and an ending according to the content), so a file's name cannot decide where it is
written. It writes the file before the list, and each of them whole or not at all, so the folder can
be opened after any interruption. Programs that add songs at the same time wait for each other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, cannot_write, size_text, sweep, write_json
from songnet_utils.audio import decode, suffix_of
from songnet_utils.corpora.files import files_below
from songnet_utils.corpora.folder import describe_tags, open_folder
from songnet_utils.corpora.table import Corpus, name_key

#: The name of the list of songs. A folder that has one is a folder of own songs.
LIST = "my-songs.json"

#: The limits: the largest file, in bytes, and the shortest and the longest song, in seconds
#: (musicnn needs 3 s).
MOST_BYTES = 100_000_000
LEAST_SECONDS = 3.0
MOST_SECONDS = 20 * 60.0

#: The longest name of a genre, and the longest title, artist and so on, in characters.
MOST_IN_GENRE = 40
MOST_IN_TEXT = 300

_GENRE_RULE = (
    f"A genre is a name of 1 to {MOST_IN_GENRE} letters, digits, spaces and & ' + , . ! ( ) # -, "
    "with at least one letter or digit, and without a dot at its start or end"
)
_GENRE = re.compile(r"(?!\.)[\w &'+,.!()#-]+(?<!\.)")
# Names that Windows reserves.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DESCRIBED = ("title", "artist", "licence")
# The seconds to wait for another program that adds songs.
_PATIENCE = 120.0
# A song is in memory while it is decoded, so decode one at a time.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Song:
    """A song that you added.

    Parameters
    ----------
    file : pathlib.Path
        Its path: ``GENRE/SHA-256.*`` in the folder of own songs.
    genre : str
        Your label.
    title : str
        From you, the file's tags or its name, in this order.
    artist : str or None
        From you or the file's tags.
    seconds : float
        Its duration.
    """

    file: Path
    genre: str
    title: str
    artist: str | None
    seconds: float

    def __str__(self) -> str:
        return f"“{self.title}”" + (f" by {self.artist}" if self.artist else "")


class OwnSongs:
    """A folder of your own songs.

    Parameters
    ----------
    folder : path
        Created when you add the first song.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).absolute()

    def known(self) -> dict[str, dict[str, Any]]:
        """Return the list's facts about each song, by the SHA-256 of its bytes.

        Raises
        ------
        SongNetError
            When the list is damaged; it stays unchanged.
        """
        file = self.folder / LIST
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))["songs"]
            return {entry["sha256"]: dict(entry) for entry in entries}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SongNetError(
                f"{file}: cannot be read as a list of songs ({error}). Repair it in an editor, or "
                "move it away: you lose only the list's facts, not the songs."
            ) from error

    def add(
        self,
        content: bytes,
        genre: str,
        *,
        name: str | None = None,
        title: str | None = None,
        artist: str | None = None,
    ) -> Song:
        """Add a song; if an error occurs, nothing is written.

        Parameters
        ----------
        content : bytes
            The bytes of a sound file.
        genre : str
            The label, which must be a valid name of a folder. Case and spaces do not distinguish
            it from an existing genre.
        name : str, optional
            The name of its file.
        title, artist : str, optional
            From the file's tags by default; a title without a tag is the file's name.

        Raises
        ------
        SongNetError
            When it cannot be decoded, holds only silence, is too short, too long or too large; when
            it is there already; or when the genre is not a valid name.
        """
        named = clean(name or "")
        label = named or "the song"
        genre = check_genre(genre)
        if len(content) > MOST_BYTES:
            raise SongNetError(
                f"{label}: has {size_text(len(content))}, but at most {size_text(MOST_BYTES)} are "
                "allowed. Shorten it, or export it in a smaller format (mp3)."
            )
        with _ONE_AT_A_TIME:
            seconds = decode(content, name=label, most_seconds=MOST_SECONDS).seconds
            if seconds < LEAST_SECONDS:
                raise SongNetError(
                    f"{label}: lasts only {seconds:.2f} s, but a song needs at least "
                    f"{LEAST_SECONDS:g} s. Choose a longer part of the song."
                )
            try:
                suffix = suffix_of(content)
            except SongNetError as error:
                raise SongNetError(f"{label}: {error}") from error
            tags = describe_tags(io.BytesIO(content))
            given = {"title": title, "artist": artist}
            described = {
                what: clean(str(given.get(what) or tags.get(what) or "")) or None
                for what in _DESCRIBED
            }
            stem = Path(re.split(r"[/\\]", named)[-1]).stem
            described["title"] = titled = described["title"] or clean(stem) or "untitled"
            sha256 = hashlib.sha256(content).hexdigest()
            with self._changing() as known:
                there = list(self.folder.glob(f"*/{sha256}{suffix}"))
                if there and sha256 in known:
                    raise SongNetError(
                        f"{label}: is there already, as “{known[sha256].get('title')}” in the "
                        f"genre {there[0].parent.name}. Nothing was added. If the genre is wrong, "
                        f"move the file {there[0]}."
                    )
                # An existing genre keeps the spelling of its folder.
                written = {name_key(path.name): path.name for path in self.folder.iterdir()}
                genre = written.get(name_key(genre), genre)
                place = self.folder / genre / f"{sha256}{suffix}"
                with atomic_write(place) as temporary:
                    temporary.write_bytes(content)
                # An interrupted program may have written the file but not the list.
                for left in there:
                    if left != place:
                        left.unlink()
                now = datetime.now(UTC).isoformat(timespec="seconds")
                known[sha256] = {"sha256": sha256, **described, "named": named, "added": now}
        return Song(place, genre, titled, described["artist"], seconds)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Lock the list and yield it for changes in place; then write it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / ".lock", timeout=_PATIENCE):
                known = self.known()
                # Delete the incomplete files of killed programs.
                sweep(self.folder)
                yield known
                write_json(self.folder / LIST, {"songs": list(known.values())})
        except filelock.Timeout as error:
            raise SongNetError(
                f"{self.folder}: another program has been changing it for {_PATIENCE:.0f} s. "
                "Try again when it has finished."
            ) from error
        except OSError as error:
            raise cannot_write(self.folder, error) from error


def open_own(folder: Path) -> Corpus:
    """Return the songs in a folder of own songs, with the facts on its list.

    Raises
    ------
    SongNetError
        When there is no song, or the list is damaged.
    """
    known = OwnSongs(folder).known()
    if next(files_below(folder), None) is None:
        raise SongNetError(
            f"{folder}: contains no songs. Label songs and press Keep on the page of songnet app, "
            "or put them into a folder for each genre: GENRE/song.mp3."
        )
    corpus = open_folder(folder)
    clips = corpus.clips.copy()
    listed = clips.file.map(lambda file: known.get(Path(file).stem, {}))
    for what in _DESCRIBED:
        described = listed.map(lambda entry, what=what: entry.get(what)).astype("str")
        clips[what] = described.where(described.notna(), clips[what])
    return dataclasses.replace(
        corpus,
        clips=clips,
        description=f"your own songs in {folder}, with a folder for each genre",
        licence="see the list of songs and the files' tags",
    )


def check_genre(genre: str) -> str:
    """Return a genre's name as it is stored, or raise an error.

    Examples
    --------
    >>> check_genre("  Hip   Hop ")
    'Hip Hop'
    >>> check_genre("../Rock")
    Traceback (most recent call last):
        ...
    songnet_utils.SongNetError: '../Rock' is not a name for a genre. A genre is a name of ...
    """
    kept = " ".join(unicodedata.normalize("NFC", genre).split()) if isinstance(genre, str) else ""
    if (
        not _GENRE.fullmatch(kept)
        or len(kept) > MOST_IN_GENRE
        or not any(map(str.isalnum, kept))
        or _DEVICES.fullmatch(kept)
    ):
        raise SongNetError(f"{genre!r:.80} is not a name for a genre. {_GENRE_RULE}.")
    return kept


def clean(text: str) -> str:
    """Return an untrusted text in one line, without invisible characters and not too long."""
    seen = (
        letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text)
    )
    line = " ".join("".join(seen).split())
    return line if len(line) <= MOST_IN_TEXT else f"{line[: MOST_IN_TEXT - 1]}…"
