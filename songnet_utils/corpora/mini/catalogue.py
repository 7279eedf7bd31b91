"""The corpus as a whole: which clips there are, what is known about them, and how they are made."""

from __future__ import annotations

import itertools
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, sweep, write_csv, write_json
from songnet_utils.corpora.making import in_parallel
from songnet_utils.corpora.mini import LICENCE, TABLE, names
from songnet_utils.corpora.mini.artists import Artist, make_artist
from songnet_utils.corpora.mini.compose import compose, midi
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.corpora.mini.plan import Plan

SEED = 0
"""The seed of the corpus that lessons use."""
VERSION = 2
"""Goes up whenever the same seed gives different music."""
ARTISTS = 32
"""Artists per genre."""
CLIPS = 3
"""Clips per artist."""
CLIP_SECONDS = 30.0
_POPULARITY = {
    "Electronic": 1.3, "Experimental": 0.6, "Folk": 0.9, "Hip-Hop": 1.2, "Instrumental": 1.0,
    "International": 0.8, "Pop": 1.0, "Rock": 1.1,
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """The identity of a clip; everything about the clip follows from it."""

    seed: int
    genre: str
    artist: int
    name: str
    number: int
    id: str

    @property
    def file(self) -> str:
        """Where it is in the corpus's folder."""
        return f"{self.genre}/{self.id}.flac"

    def make_artist(self) -> Artist:
        """Return the artist who plays it."""
        return make_artist(self.seed, self.genre, self.artist, self.name)

    def dice(self) -> Dice:
        """Return the die that makes the choices for its music."""
        return Dice("mini", self.seed, self.genre, self.artist, "clip", self.number)

    def compose(self) -> Plan:
        """Return its notes."""
        return compose(self.make_artist(), self.dice(), CLIP_SECONDS)


def plan(seed: int = SEED, artists: int = ARTISTS, clips: int = CLIPS) -> list[Clip]:
    """List the clips of a seed's corpus, in the order of their ids."""
    invented = names.artist_names(seed, artists * len(GENRES))
    every = itertools.product(GENRES, range(artists), range(clips))
    return [
        Clip(seed, genre, artist, invented[place // clips], number, f"{place + 1:06d}")
        for place, (genre, artist, number) in enumerate(every)
    ]


def make_clip(clip: Clip) -> bytes:
    """Compose and render a clip as a FLAC file, mono at 22050 Hz."""
    # Imported only here, because it loads the synthesizer.
    from songnet_utils.corpora.mini.render import RATE, SPEED, flac, play, produce

    piece = clip.compose()
    samples = round(CLIP_SECONDS * RATE)
    audio = produce(play(midi(piece, SPEED)), piece.artist.mix, clip.dice().of("tape"), samples)
    return flac(audio)


def describe(clip: Clip, size: int | None = None) -> dict[str, object]:
    """Return a clip's row in the table; the bit rate follows from `size`, its file's bytes."""
    piece = clip.compose()
    artist, dice = piece.artist, clip.dice().of("catalogue")
    # An artist's first two clips come from one album, the next from another.
    album_number = clip.number // 2
    album = Dice("mini", clip.seed, clip.genre, clip.artist, "album", album_number)
    year = min(artist.since + 3 * album_number + album.whole(0, 2), 2017)
    popularity = 6.6 + 0.9 * artist.fame + math.log(_POPULARITY[clip.genre]) + dice.bell(0.9)
    listens = max(1, int(math.exp(popularity)))
    favourites = int(listens * math.exp(dice.bell(0.7) - 5.5) + dice.unit())
    return {
        "id": clip.id,
        "file": clip.file,
        "genre": clip.genre,
        "artist": clip.name,
        "title": names.title(dice),
        "seconds": CLIP_SECONDS,
        "licence": LICENCE,
        "album": names.title(album),
        "year": year,
        "date_recorded": f"{year}-{album.whole(1, 12):02d}-{album.whole(1, 28):02d}",
        "listens": listens,
        "favorites": favourites,
        "interest": int(listens * dice.between(1.5, 4.0)),
        "duration": round(piece.seconds),
        "bit_rate": size and int(size * 8 / CLIP_SECONDS),
        "genres": json.dumps(
            [clip.genre, artist.style.name][: 1 + (artist.style.name != clip.genre)]
        ),
        "location": artist.home,
        "track_number": dice.whole(1, 12),
        "tempo": round(piece.tempo, 2),
        "metre": piece.metre.name,
        "key": f"{piece.key.tonic} {piece.key.scale}",
        "clip_start": round(piece.cut, 3),
    }


@dataclass(frozen=True, repr=False)
class ClipFile(os.PathLike[str]):
    """The path of a clip's audio file, which is rendered when you first open it.

    Code that opens a file asks the path for its name (`os.fspath`), and the file is made before it
    gets the answer. There is never an incomplete file. ``str`` gives the name and renders nothing.
    """

    folder: Path
    clip: Clip

    def __repr__(self) -> str:
        return str(self.folder / self.clip.file)

    def __fspath__(self) -> str:
        path = str(self)
        if not os.path.exists(path):
            data = make_clip(self.clip)
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        return path


def open_mini(folder: Path, seed: int = SEED, progress: bool = True) -> pd.DataFrame:
    """Return the table of a seed's corpus, whose clips are rendered when you open them.

    The same seed gives the same files, whatever the order in which you open them.

    Parameters
    ----------
    folder
        Where the clips go: ``GENRE/ID.flac``.
    seed
        Another seed gives other artists and other music from the same grammars. Its table is made
        on first use and kept in the folder, as ``clips.csv``, without the clips' bit rates.
    progress
        Whether to show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per clip: id, file (`ClipFile`), genre, artist, title, seconds, licence, album,
        year, date_recorded, listens, favorites, interest, duration (seconds of the whole piece),
        bit_rate, genres (a list), location, and four columns that only mini has: tempo (quarter
        notes per minute), metre, key, clip_start (seconds into the piece).

    Raises
    ------
    SongNetError
        When the folder holds the corpus of another seed, or the disk is full.
    """
    settings = {
        "corpus": "mini", "version": VERSION, "seed": seed, "artists": ARTISTS, "clips": CLIPS,
    }  # fmt: skip
    note = folder / "mini.json"
    if not note.is_file():
        write_json(note, settings)
    elif (found := json.loads(note.read_text(encoding="utf-8"))) != settings:
        raise SongNetError(
            f"{folder}: holds mini made with {found}, but you asked for {settings}. "
            "A folder holds one corpus: choose another folder, or delete this one."
        )
    # Writing a clip takes less than a minute, so older temporary files are left over.
    sweep(folder, 60)
    planned = plan(seed)
    kept = TABLE if seed == SEED else folder / "clips.csv"
    if not kept.is_file():
        rows = in_parallel(describe, planned, f"composing {folder.name}", None, progress)
        write_csv(kept, pd.DataFrame(rows))
    clips = pd.read_csv(kept, dtype={"id": "str"}, keep_default_na=False)
    clips["file"] = [ClipFile(folder.resolve(), clip) for clip in planned]
    clips["genres"] = clips["genres"].map(json.loads)
    return clips
