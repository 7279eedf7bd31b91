"""A person's own songs: kept in one folder, with what they say each song is.

The folder is a corpus ``GENRE/clip.*`` like any other, and beside the genres lies
``my-songs.json``, which people can read: of each song its genre, title, artist, source, licence,
the SHA-256 of its bytes, when it was added and how its file was named. `open_corpus` shows that in
the table of clips.

What is brought is only ever decoded. It is kept as it is, under a name made here (its SHA-256 and
an ending that follows from what it is), so no name of a file has a say in where it is written. A
song is there when the list names it and its file is there. Whatever stops the program in between
leaves a file that nobody listed, which the corpus names among what it cannot use, or nothing; and
adding the song again puts that right. Programs that change the folder at the same time wait for
each other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import filelock
import pandas as pd

from songnet_utils.audio import SUFFIXES, decode, suffix_of, warn
from songnet_utils.corpora.folder import describe_file, describe_tags, files_below, visible
from songnet_utils.corpora.table import Corpus, name_key, table, unusable_table
from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write, size_text, sweep, write_json

#: What the list of songs is called; a folder that has one is a folder of own songs.
LIST = "my-songs.json"

#: What is taken: the largest file, in bytes, the shortest and the longest song, in seconds (3 s is
#: what the pretrained listener needs), and how many songs.
MOST_BYTES = 100_000_000
LEAST_SECONDS = 3.0
MOST_SECONDS = 20 * 60.0
MOST_SONGS = 500

#: The longest name of a genre, and the longest title, artist, source or licence, in characters.
MOST_IN_GENRE = 40
MOST_IN_TEXT = 300

_GENRE_RULE = (
    f"A genre is a name of 1 to {MOST_IN_GENRE} characters with at least one letter or digit, "
    'without / \\ : * ? " < > | and characters that cannot be seen, and with no dot at its '
    "beginning or end"
)
# Names that Windows keeps for itself.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
# How long to wait for another program that changes the folder, in seconds.
_PATIENCE = 120.0
# Decoding a song may take more than a gigabyte: one at a time, however many are brought at once.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Song:
    """What is known of one song.

    Parameters
    ----------
    sha256 : str
        Of the file's bytes, in hexadecimal digits; the song's name here.
    suffix : str
        The ending of its file, by what it is.
    genre : str
        What the person says it is.
    title : str
        As the person, the file's tags or its name say, in this order.
    artist, source, licence : str, optional
        As the person or, but for the source, the file's tags say.
    seconds : float
        How long it lasts.
    named : str
        How the file was called that it came in.
    added : str
        When, in ISO 8601, universal time.
    """

    sha256: str
    suffix: str
    genre: str
    title: str
    artist: str | None = None
    source: str | None = None
    licence: str | None = None
    seconds: float
    named: str
    added: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256) or self.suffix not in SUFFIXES:
            raise SongNetError(
                "sha256 is 64 hexadecimal digits, suffix one of "
                f"{' '.join(SUFFIXES)}. Got {self.sha256!r}, {self.suffix!r}"
            )
        if check_genre(self.genre) != self.genre:
            raise SongNetError(f"genre {self.genre!r} should be {check_genre(self.genre)!r}")
        texts = (self.title, self.artist, self.source, self.licence, self.named, self.added)
        if not all(isinstance(text, str | None) for text in texts) or not self.title:
            raise SongNetError("title, artist, source, licence, named and added are texts")
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float):
            raise SongNetError(f"seconds are a number. Got {self.seconds!r}")

    @property
    def file_name(self) -> str:
        """What its file is called, in its genre's folder."""
        return f"{self.sha256}{self.suffix}"

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

    def __repr__(self) -> str:
        return f"OwnSongs({str(self.folder)!r})"

    def songs(self) -> list[Song]:
        """Return what is known of each song, in the order they were added.

        Raises
        ------
        SongNetError
            When the list is damaged; it is left as it is.
        """
        file = self.folder / LIST
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))["songs"]
            found = [Song(**entry) for entry in entries]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise SongNetError(
                f"{file}: cannot be read as a list of songs ({error}). Mend it in an editor, or "
                "put it aside and add the songs again; their files stay where they are."
            ) from error
        twice = pd.Series([song.sha256 for song in found], dtype="object").duplicated()
        if twice.any():
            raise SongNetError(
                f"{file}: names {found[int(twice.argmax())]} twice. Take one of the two out."
            )
        return found

    def file_of(self, song: Song) -> Path:
        """Return where a song's file lies."""
        return self.folder / song.genre / song.file_name

    def corpus(self) -> Corpus:
        """Return the songs as a corpus; see `open_own`."""
        return open_own(self.folder)

    def add(
        self,
        song: str | os.PathLike[str] | bytes,
        genre: str,
        *,
        title: str | None = None,
        artist: str | None = None,
        source: str | None = None,
        licence: str | None = None,
        name: str | None = None,
    ) -> Song:
        """Add a song, or say why not; then nothing was written.

        Parameters
        ----------
        song
            The path of a sound file, or the bytes of one.
        genre : str
            What it is: any name that can name a folder. One that differs from a genre that is
            there only in case or spaces is that genre.
        title, artist, source, licence : str, optional
            What the person knows: title, artist and licence are read from the file's tags where
            they are not given, and the title from its name where no tag says it.
        name : str, optional
            How the file was called; the path by default. It is kept as a text and names nothing.

        Returns
        -------
        Song

        Raises
        ------
        SongNetError
            When it cannot be decoded, holds only silence, is too short, too long or too large; is
            there already; when the genre's name can name no folder, or there are too many songs.
        """
        path = "" if isinstance(song, bytes) else str(song)
        named = clean(Path(path).name if name is None else name)
        label = (clean(path) if name is None else named) or "the uploaded song"
        genre = check_genre(genre)
        given = {
            what: _check_text(what, text)
            for what, text in (
                ("title", title),
                ("artist", artist),
                ("source", source),
                ("licence", licence),
            )
        }
        content = _read(song, label)
        seconds = check_song(content, label)
        try:
            suffix = suffix_of(content)
        except SongNetError as error:
            raise SongNetError(f"{label}: {error}") from error
        tags = describe_tags(io.BytesIO(content))
        tagged = {what: clean(str(tags.get(what) or "")) for what in ("title", "artist", "licence")}
        known = {what: given[what] or _cut(tagged.get(what, "")) or None for what in given}
        stem = re.split(r"[/\\]", named)[-1]
        known["title"] = known["title"] or _cut(Path(stem).stem) or "untitled"
        new = Song(
            sha256=hashlib.sha256(content).hexdigest(),
            suffix=suffix,
            genre=genre,
            title=known.pop("title") or "",
            seconds=round(seconds, 3),
            named=_cut(named),
            added=datetime.now(UTC).isoformat(timespec="seconds"),
            **known,
        )
        with self._changing() as songs:
            for one in songs:
                if one.sha256 == new.sha256 and self.file_of(one).is_file():
                    raise SongNetError(
                        f"{label}: is there already, as {one} in the genre {one.genre} (added "
                        f"{one.added[:10]}). Nothing was added."
                    )
            # Of what was there, a song whose file has gone is put right by bringing it again.
            songs[:] = [one for one in songs if one.sha256 != new.sha256]
            if len(songs) >= MOST_SONGS:
                raise SongNetError(
                    f"{label}: {self.folder} holds {len(songs)} songs, the most it takes. Remove "
                    "some, or train on a folder of your own: songnet train FOLDER."
                )
            new = dataclasses.replace(new, genre=_known(genre, songs))
            with atomic_write(self._place(new)) as temporary:
                temporary.write_bytes(content)
            songs.append(new)
        return new

    def change_genre(self, song: str, genre: str) -> Song:
        """Say that a song is of another genre.

        Parameters
        ----------
        song : str
            Its SHA-256, or enough of its beginning.
        genre : str
            As in `add`.
        """
        genre = check_genre(genre)
        with self._changing() as songs:
            place = self._find(songs, song)
            old = songs[place]
            # Without itself: so may it change how its genre is written, if it is the only one.
            others = songs[:place] + songs[place + 1 :]
            new = dataclasses.replace(old, genre=_known(genre, others))
            if new.genre != old.genre:
                target = self._place(new)
                try:
                    with atomic_write(target) as temporary:
                        shutil.copyfile(self.file_of(old), temporary)
                except SongNetError as error:
                    raise SongNetError(f"{old}: stays {old.genre}: {error}") from error
                songs[place] = new
        return new

    def remove(self, song: str) -> Song:
        """Remove a song and its file.

        Parameters
        ----------
        song : str
            Its SHA-256, or enough of its beginning.
        """
        with self._changing() as songs:
            removed = songs.pop(self._find(songs, song))
        return removed

    def _find(self, songs: list[Song], wanted: str) -> int:
        found = [
            place
            for place, song in enumerate(songs)
            if wanted and song.sha256.startswith(wanted.lower())
        ]
        if len(found) != 1:
            raise SongNetError(
                f"{clean(wanted) or 'an empty name'}: is the beginning of the SHA-256 of "
                f"{len(found)} songs of {self.folder}, not of one. songnet grow list names them."
            )
        return found[0]

    def _place(self, song: Song) -> Path:
        """Return where a song's file is to be written; only ever inside the folder."""
        genre = self.folder / song.genre
        if genre.is_symlink() or (genre.exists() and not genre.is_dir()):
            raise SongNetError(
                f"{genre}: leads elsewhere or is a file; a genre is a folder inside "
                f"{self.folder}. Rename it."
            )
        return genre / song.file_name

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Song]]:
        """Yield the songs to change in place, while nobody else does; then write the list.

        Files go before the list names them, and leave it before they go.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / ".lock", timeout=_PATIENCE)
            with lock:
                if not (self.folder / LIST).exists():
                    # So that whatever happens next happens in a folder of own songs.
                    write_json(self.folder / LIST, {"songs": []})
                before = self.songs()
                songs = list(before)
                yield songs
                if songs != before:
                    entries = [dataclasses.asdict(song) for song in songs]
                    write_json(self.folder / LIST, {"songs": entries})
                    self._sweep(before, songs)
        except filelock.Timeout as error:
            raise SongNetError(
                f"{self.folder}: another program has been changing it for {_PATIENCE:.0f} s. "
                "Try again when it has finished."
            ) from error
        except OSError as error:
            raise SongNetError(
                f"{error.filename or self.folder}: cannot be changed "
                f"({error.strerror or error}). Check who may write there."
            ) from error

    def _sweep(self, before: list[Song], songs: list[Song]) -> None:
        """Remove the files of songs that have left the list or moved, and copies of those in it."""
        listed = {song.sha256: song for song in songs}
        gone = {song.sha256 for song in before} - set(listed)
        genres = [path for path in visible(self.folder) if path.is_dir() and not path.is_symlink()]
        # What was being written when a program was killed: nobody else is at it now.
        sweep(self.folder)
        for genre in genres:
            for file in list(genre.iterdir()):
                own = re.fullmatch(r"([0-9a-f]{64})(\.[a-z0-9]+)", file.name)
                if own is None:
                    continue
                song = listed.get(own[1])
                if own[1] in gone or (song and not _is_same(file, self.file_of(song))):
                    file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                genre.rmdir()  # Only an empty one goes.


def _is_same(one: Path, two: Path) -> bool:
    """Tell whether two paths are one file; True as well where `two` is not there to be kept."""
    try:
        return os.path.samefile(one, two)
    except FileNotFoundError:
        return True


def is_own(folder: Path) -> bool:
    """Tell whether a folder is one of own songs."""
    return (folder / LIST).is_file()


def open_own(folder: Path) -> Corpus:
    """Return the songs of a folder of own songs.

    Beside the usual columns the table has ``source`` and ``sha256``. What lies in the folder and
    is not on the list, or is on it and has gone, is in `Corpus.unusable` with what to do.

    Raises
    ------
    SongNetError
        When there is no song, or the list is damaged.
    """
    own = OwnSongs(folder)
    songs = own.songs()
    there = [song for song in songs if own.file_of(song).is_file()]
    unusable = [
        (
            f"{song.genre}/{song.file_name}",
            str(own.file_of(song)),
            f"{song} is on the list, but its file is gone; add it again, or remove it",
        )
        for song in songs
        if song not in there
    ]
    if not there:
        gone = f" ({len(songs)} are on the list, their files are gone)" if songs else ""
        raise SongNetError(
            f"{folder}: holds no songs{gone}. Add one: songnet grow add FILE --genre GENRE"
        )
    unusable += list(_unlisted(own, there))
    with ThreadPoolExecutor() as pool:
        known = list(pool.map(describe_file, [own.file_of(song) for song in there]))
    rows = []
    for song, facts in zip(there, known, strict=True):
        told = {
            what: getattr(song, what)
            for what in ("title", "artist", "licence", "seconds", "source", "sha256")
        }
        rows.append(
            {
                **facts,
                **told,
                "id": f"{song.genre}/{song.file_name}",
                "file": str(own.file_of(song)),
                "genre": song.genre,
                "genres": [song.genre],
            }
        )
    return Corpus(
        name=folder.name,
        clips=table(rows),
        unusable=unusable_table(unusable),
        description=f"songs of one's own in {folder}, each of the genre that a person says it is",
        licence="as the list of songs says of each",
        citation="",
    )


def _unlisted(own: OwnSongs, songs: list[Song]) -> Iterator[tuple[str, str, str]]:
    """Yield what lies in the folder and is on no list: clip, file, reason."""
    listed = {(name_key(song.genre), song.file_name) for song in songs}
    hashes = {song.sha256 for song in songs}
    for path in visible(own.folder):
        for file in files_below(path) if path.is_dir() and not path.is_symlink() else [path]:
            inside = file.relative_to(own.folder)
            if len(inside.parts) == 2 and (name_key(inside.parts[0]), file.name) in listed:
                continue
            reason = (
                "is left over from a change of genre; it goes with the next change"
                if file.stem in hashes
                else "is not on the list: it was put there by hand, or adding it was interrupted. "
                f"Add it: songnet grow add {file} --genre GENRE"
            )
            yield _shown(inside.as_posix()), _shown(str(file)), _shown(reason)


def _shown(text: str) -> str:
    # Names that are no UTF-8 could not even be written into the list as they are.
    return text.encode(errors="backslashreplace").decode()


def check_genre(genre: str) -> str:
    """Return a genre's name as it is kept, or say what is wrong with it.

    Examples
    --------
    >>> check_genre("  Hip   Hop ")
    'Hip Hop'
    >>> check_genre("../Rock")
    Traceback (most recent call last):
        ...
    songnet_utils.errors.SongNetError: '../Rock' is no name for a genre. A genre is a name of ...
    """
    kept = " ".join(unicodedata.normalize("NFC", genre).split()) if isinstance(genre, str) else ""
    if (
        not 1 <= len(kept) <= MOST_IN_GENRE
        or not kept.isprintable()
        or re.search(r'[/\\:*?"<>|]', kept)
        or kept.startswith(".")
        or kept.endswith(".")
        or not any(map(str.isalnum, kept))
        or _DEVICES.fullmatch(kept)
    ):
        shown = repr(genre if len(repr(genre)) <= 2 * MOST_IN_GENRE else f"{str(genre)[:60]}…")
        raise SongNetError(f"{shown} is no name for a genre. {_GENRE_RULE}.")
    return kept


def clean(text: str) -> str:
    """Return a text of other people's in one line: without what cannot be seen, spaces once."""
    seen = (
        letter if letter.isprintable() else " " for letter in unicodedata.normalize("NFC", text)
    )
    return " ".join("".join(seen).split())


def _known(genre: str, songs: list[Song]) -> str:
    """Return the genre as it is written already, if it is."""
    written = {name_key(song.genre): song.genre for song in songs}
    return written.get(name_key(genre), genre)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_IN_TEXT else f"{text[: MOST_IN_TEXT - 1]}…"


def _check_text(what: str, text: str | None) -> str | None:
    """Return what a person says of a song in one line, or None where it is nothing."""
    if text is None:
        return None
    kept = clean(str(text))
    if len(kept) > MOST_IN_TEXT:
        raise SongNetError(
            f"{what}: has {len(kept)} characters, at most {MOST_IN_TEXT} are kept. Shorten it."
        )
    return kept or None


def _read(song: str | os.PathLike[str] | bytes, label: str) -> bytes:
    """Return a file's bytes, unless they are too many."""
    if isinstance(song, bytes):
        content, size = song, len(song)
    else:
        path = Path(song)
        if path.exists() and not path.is_file():
            raise SongNetError(f"{label}: is no file. Name a sound file.")
        try:
            content, size = b"", path.stat().st_size
            if size <= MOST_BYTES:
                with path.open("rb") as file:
                    # Some files grow, and some do not say how large they are.
                    content = file.read(MOST_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SongNetError(f"{label}: cannot be read ({reason}). Check its name.") from error
        size = max(size, len(content))
    if size > MOST_BYTES:
        raise SongNetError(
            f"{label}: has {size_text(size)}, at most {size_text(MOST_BYTES)} are taken. Cut it, "
            "or export it in a smaller format (mp3)."
        )
    return content


def check_song(content: bytes, label: str) -> float:
    """Decode a song; return how many seconds it lasts, or say why it is none to learn from.

    Parameters
    ----------
    content : bytes
        The file.
    label : str
        What to call it in errors.

    Raises
    ------
    SongNetError
        When it cannot be decoded, holds only silence, is too short or too long.
    """
    with _ONE_AT_A_TIME:
        song = decode(content, name=label, most_seconds=MOST_SECONDS)
    warn(song.notes)
    seconds = song.seconds
    if seconds < LEAST_SECONDS:
        raise SongNetError(
            f"{label}: lasts only {seconds:.2f} s; at least {LEAST_SECONDS:g} s are needed. "
            "Choose a longer piece of the song."
        )
    return seconds
