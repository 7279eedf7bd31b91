"""The corpus as a whole: which clips there are, what is known of them, and making them."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path

import joblib
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write, sweep, write_csv, write_json
from songnet_utils.corpora.mini import LICENCE, names
from songnet_utils.corpora.mini.artists import Artist, make_artist
from songnet_utils.corpora.mini.compose import compose, midi
from songnet_utils.corpora.mini.dice import Dice
from songnet_utils.corpora.mini.genres import GENRES
from songnet_utils.corpora.mini.plan import Plan
from songnet_utils.corpora.mini.render import RATE, SPEED, flac, play, produce

SEED = 0
"""The seed of the corpus that lessons use."""
VERSION = 2
"""Goes up whenever the same seed gives other music."""
ARTISTS = 32
"""Artists a genre."""
CLIPS = 3
"""Clips an artist."""
CLIP_SECONDS = 30.0
_POPULARITY = {
    "Electronic": 1.3, "Experimental": 0.6, "Folk": 0.9, "Hip-Hop": 1.2, "Instrumental": 1.0,
    "International": 0.8, "Pop": 1.0, "Rock": 1.1,
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """Which clip: everything about it follows from these."""

    seed: int
    genre: str
    artist: int
    name: str
    number: int
    id: str

    @property
    def file(self) -> str:
        """Where it is in the corpus' folder."""
        return f"{self.genre}/{self.id}.flac"

    def make_artist(self) -> Artist:
        """Return who plays it."""
        return make_artist(self.seed, self.genre, self.artist, self.name)

    def dice(self) -> Dice:
        """Return the die that its music is made with."""
        return Dice("mini", self.seed, self.genre, self.artist, "clip", self.number)

    def compose(self) -> Plan:
        """Return its notes."""
        return compose(self.make_artist(), self.dice(), CLIP_SECONDS)


def plan(seed: int = SEED, artists: int = ARTISTS, clips: int = CLIPS) -> list[Clip]:
    """List the clips of the corpus of a seed, in the order of their ids."""
    invented = names.artist_names(seed, artists * len(GENRES))
    every = itertools.product(GENRES, range(artists), range(clips))
    return [
        Clip(seed, genre, artist, invented[place // clips], number, f"{place + 1:06d}")
        for place, (genre, artist, number) in enumerate(every)
    ]


def make_clip(clip: Clip) -> tuple[bytes, dict[str, object]]:
    """Compose and render a clip.

    Returns
    -------
    bytes
        The clip as FLAC, mono at 22050 Hz.
    dict
        Its row of the table.
    """
    piece = clip.compose()
    samples = round(CLIP_SECONDS * RATE)
    audio = produce(play(midi(piece, SPEED)), piece.artist.mix, clip.dice().of("tape"), samples)
    data = flac(audio)
    return data, _row(clip, piece, len(data))


def _row(clip: Clip, piece: Plan, size: int) -> dict[str, object]:
    artist, dice = piece.artist, clip.dice().of("catalogue")
    # an artist's first clips come from one album, the later ones from another
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
        "bit_rate": int(size * 8 / CLIP_SECONDS),
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


def _make(folder: Path, clip: Clip) -> None:
    """Make one clip; its row is written last, so a row says that the clip is whole."""
    data, row = make_clip(clip)
    with atomic_write(folder / clip.file) as path:
        path.write_bytes(data)
    write_json(folder / ".rows" / f"{clip.id}.json", row)


def prepare(
    folder: Path,
    *,
    seed: int = SEED,
    workers: int = -1,
    progress: bool = True,
    artists: int = ARTISTS,
    clips: int = CLIPS,
) -> None:
    """Compose and render whatever of the corpus is not in `folder` yet.

    It can be killed at any moment and called again: clips that are whole are kept, and the table,
    `clips.csv`, is written last. The same seed gives the same files, whatever the workers.

    Parameters
    ----------
    folder
        Where the corpus goes: `GENRE/ID.flac` and `clips.csv`.
    seed
        Another seed gives other artists and other music of the same grammars.
    workers
        How many processes; -1 for one a processor.
    progress
        Whether to show a progress bar.
    artists, clips
        Artists a genre and clips an artist; tests make fewer.

    Raises
    ------
    SongNetError
        When the folder holds the corpus of another seed, or the disk is full.
    """
    settings = {
        "corpus": "mini", "version": VERSION, "seed": seed, "artists": artists, "clips": clips,
    }  # fmt: skip
    note = folder / "mini.json"
    if note.is_file() and (found := json.loads(note.read_text(encoding="utf-8"))) != settings:
        raise SongNetError(
            f"{folder}: holds mini made with {found}, and {settings} was asked for. "
            "A folder holds one corpus: choose another folder, or delete this one."
        )
    if (folder / "clips.csv").is_file():
        return
    # Writing a clip takes less than a minute.
    sweep(folder, 60)
    if not note.is_file():
        write_json(note, settings)
    rows = {clip: folder / ".rows" / f"{clip.id}.json" for clip in plan(seed, artists, clips)}
    missing = [clip for clip, row in rows.items() if not row.is_file()]
    # artists take different times to render: mixed, the bar tells the truth about what is left
    missing.sort(key=lambda clip: (clip.number, clip.artist, clip.genre))
    bar = tqdm(total=len(rows), initial=len(rows) - len(missing), desc="composing mini",
               unit="clip", disable=not progress)  # fmt: skip
    with bar:
        jobs = (joblib.delayed(_make)(folder, clip) for clip in missing)
        for _ in joblib.Parallel(n_jobs=workers, return_as="generator_unordered")(jobs):
            bar.update()
    made = [json.loads(row.read_text(encoding="utf-8")) for row in rows.values()]
    write_csv(folder / "clips.csv", pd.DataFrame(made))


def read(folder: Path) -> pd.DataFrame:
    """Read the table of a corpus that `prepare` made.

    Returns
    -------
    pandas.DataFrame
        One row a clip: id, file (absolute), genre, artist, title, seconds, licence, album, year,
        date_recorded, listens, favorites, interest, duration (seconds of the whole piece),
        bit_rate, genres (a list), location, and what only mini knows: tempo (quarter notes a
        minute), metre, key, clip_start (seconds into the piece).
    """
    clips = pd.read_csv(folder / "clips.csv", dtype={"id": "str"}, keep_default_na=False)
    clips["file"] = [str((folder / file).resolve()) for file in clips["file"]]
    clips["genres"] = [json.loads(genres) for genres in clips["genres"]]
    return clips
