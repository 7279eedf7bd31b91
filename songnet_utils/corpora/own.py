"""A person's own songs: one folder for each genre, and a list of what is known about each song.

The folder is a corpus ``GENRE/clip.*`` like any other. A song's genre is the folder that its file
lies in, so you can move, delete and add files yourself. Beside the genres lies ``my-songs.json``,
which people can read: for each song the SHA-256 of its bytes, its title, artist and licence,
how its file was named, and when it was added. `open_corpus` shows what the list knows;
what it does not know comes from the files' tags.

A song that is added is only ever decoded. Its bytes are kept as they are, under a name that is made
here (its SHA-256 and an ending that follows from its content), so the name of a file has no say in
where it is written. The file is written before the list, and each of them whole or not at all:
whatever stops the program leaves a folder that opens. Programs that add songs at the same time wait
for each other.
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

#: What the list of songs is called. A folder that has one is a folder of own songs.
LIST = "my-songs.json"

#: What is taken: the largest file, in bytes, and the shortest and the longest song, in seconds
#: (musicnn needs 3 s).
MOST_BYTES = 100_000_000
LEAST_SECONDS = 3.0
MOST_SECONDS = 20 * 60.0

#: The longest name of a genre in characters, and how much is kept of a title, artist and so on.
MOST_IN_GENRE = 40
MOST_IN_TEXT = 300

_GENRE_RULE = (
    f"A genre is a name of 1 to {MOST_IN_GENRE} letters, digits, spaces and & ' + , . ! ( ) # -, "
    "with at least one letter or digit, and with no dot at its beginning or end"
)
_GENRE = re.compile(r"(?!\.)[\w &'+,.!()#-]+(?<!\.)")
# Names that Windows keeps for itself.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_DESCRIBED = ("title", "artist", "licence")
# How long to wait for another program that adds songs, in seconds.
_PATIENCE = 120.0
# A song is in memory while it is decoded: one at a time, however many are brought at once.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Song:
    """A song that was added.

    Parameters
    ----------
    file : pathlib.Path
        Where it lies: ``GENRE/SHA-256.*`` in the folder of own songs.
    genre : str
        What the person says it is.
    title : str
        As the person, the file's tags or its name say, in this order.
    artist : str or None
        As the person or the file's tags say.
    seconds : float
        How long it lasts.
    """

    file: Path
    genre: str
    title: str
    artist: str | None
    seconds: float

    def __str__(self) -> str:
        return f"“{self.title}”" + (f" by {self.artist}" if self.artist else "")


class OwnSongs:
    """A folder of one's own songs.

    Parameters
    ----------
    folder : path
        Made when the first song is added.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).absolute()

    def known(self) -> dict[str, dict[str, Any]]:
        """Return what the list says about each song, by the SHA-256 of its bytes.

        Raises
        ------
        SongNetError
            When the list is damaged; it is left as it is.
        """
        file = self.folder / LIST
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))["songs"]
            return {entry["sha256"]: dict(entry) for entry in entries}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SongNetError(
                f"{file}: cannot be read as a list of songs ({error}). Mend it in an editor, or "
                "put it aside: the songs stay, and only what the list knew about them is missing."
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
        """Add a song, or say why not; then nothing was written.

        Parameters
        ----------
        content : bytes
            Of a sound file.
        genre : str
            What it is: a name that a folder can have. A genre that is there already, written with
            other cases or spaces, is that one.
        name : str, optional
            How its file was named.
        title, artist : str, optional
            By default what the file's tags say, and for the title else the file's name.

        Raises
        ------
        SongNetError
            When it cannot be decoded, holds only silence, is too short, too long or too large; when
            it is there already; or when the genre's name can name no folder.
        """
        named = clean(name or "")
        label = named or "the song"
        genre = check_genre(genre)
        if len(content) > MOST_BYTES:
            raise SongNetError(
                f"{label}: has {size_text(len(content))}, at most {size_text(MOST_BYTES)} are "
                "taken. Cut it, or export it in a smaller format (mp3)."
            )
        with _ONE_AT_A_TIME:
            seconds = decode(content, name=label, most_seconds=MOST_SECONDS).seconds
            if seconds < LEAST_SECONDS:
                raise SongNetError(
                    f"{label}: lasts only {seconds:.2f} s; at least {LEAST_SECONDS:g} s are "
                    "needed. Choose a longer piece of the song."
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
                        f"genre {there[0].parent.name}. Nothing was added. If it is of another "
                        f"genre, move the file {there[0]}."
                    )
                # A genre that is there keeps the spelling of its folder.
                written = {name_key(path.name): path.name for path in self.folder.iterdir()}
                genre = written.get(name_key(genre), genre)
                place = self.folder / genre / f"{sha256}{suffix}"
                with atomic_write(place) as temporary:
                    temporary.write_bytes(content)
                # Another program may have been stopped before the song was on the list.
                for left in there:
                    if left != place:
                        left.unlink()
                now = datetime.now(UTC).isoformat(timespec="seconds")
                known[sha256] = {"sha256": sha256, **described, "named": named, "added": now}
        return Song(place, genre, titled, described["artist"], seconds)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Yield what the list says, to change in place while nobody else does; then write it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / ".lock", timeout=_PATIENCE):
                known = self.known()
                # What another program was writing when it was killed.
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
    """Return the songs of a folder of own songs, with what its list knows about them.

    Raises
    ------
    SongNetError
        When there is no song, or the list is damaged.
    """
    known = OwnSongs(folder).known()
    if next(files_below(folder), None) is None:
        raise SongNetError(
            f"{folder}: holds no songs. Say what songs are and keep them: on the page of songnet "
            "app, or put them into a folder for each genre: GENRE/song.mp3."
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
        description=f"songs of one's own in {folder}, in a folder of the genre that each is said "
        "to be",
        licence="as the list of songs and the files' tags say",
    )


def check_genre(genre: str) -> str:
    """Return a genre's name as it is kept, or say what is wrong with it.

    Examples
    --------
    >>> check_genre("  Hip   Hop ")
    'Hip Hop'
    >>> check_genre("../Rock")
    Traceback (most recent call last):
        ...
    songnet_utils.SongNetError: '../Rock' is no name for a genre. A genre is a name of ...
    """
    kept = " ".join(unicodedata.normalize("NFC", genre).split()) if isinstance(genre, str) else ""
    if (
        not _GENRE.fullmatch(kept)
        or len(kept) > MOST_IN_GENRE
        or not any(map(str.isalnum, kept))
        or _DEVICES.fullmatch(kept)
    ):
        raise SongNetError(f"{genre!r:.80} is no name for a genre. {_GENRE_RULE}.")
    return kept


def clean(text: str) -> str:
    """Return a text of other people's in one line: no unseen characters, not too long."""
    seen = (
        letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text)
    )
    line = " ".join("".join(seen).split())
    return line if len(line) <= MOST_IN_TEXT else f"{line[: MOST_IN_TEXT - 1]}…"
