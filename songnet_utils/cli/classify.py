"""Name the genre of sound files.

Without --run or --model, musicnn answers. It was trained on real songs and comes with the project.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli.messages import FAILED, note

if TYPE_CHECKING:
    from songnet_utils.streaming.network import Network
    from songnet_utils.streaming.song_stream import Step

# The columns of the table, with the three most probable genres.
_COLUMNS = ["file", "seconds", "genre", "probability", "genre_2", "probability_2"]
_COLUMNS += ["genre_3", "probability_3", "error"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE|FOLDER", help="sound files, or folders of them"
    )
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--run", type=Path, dest="run_folder", help="the folder of a run")
    network.add_argument(
        "--model", help="musicnn, songnet-mini, or a tagger's ONNX file with its JSON beside it"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", dest="as_json", help="print one JSON object per file"
    )
    form.add_argument(
        "--csv", action="store_true", dest="as_csv", help="print a table with the top three genres"
    )
    parser.add_argument(
        "--playlist", type=Path, metavar="FILE.m3u8", help="write a playlist, ordered by genre"
    )
    tags = parser.add_mutually_exclusive_group()
    tags.add_argument(
        "--write-tags",
        action="store_true",
        help="write each genre into its file, and save the old genres in a list",
    )
    tags.add_argument(
        "--undo-tags",
        action="store_true",
        help="restore the old genres from such a list, given as FILE",
    )


def run(
    files: list[str],
    run_folder: Path | None,
    model: str | None,
    as_json: bool,
    as_csv: bool,
    playlist: Path | None,
    write_tags: bool,
    undo_tags: bool,
) -> int:
    """Print an answer for each file as soon as it is ready."""
    if undo_tags:
        if run_folder or model or as_json or as_csv or playlist:
            raise SongNetError("--undo-tags takes only lists of changes. Omit the other options.")
        return _undo(files)
    from songnet_utils._utils.files import check_writable
    from songnet_utils.corpora.tags import list_of_changes
    from songnet_utils.training.runs import load_songnet

    changes = list_of_changes() if write_tags else None
    # Refuse a file that cannot be written before the work, not after it.
    if playlist:
        check_writable(playlist, ".m3u8", ".m3u")
    if changes:
        check_writable(changes)
    source = run_folder or model or "musicnn"
    net = load_songnet(source)
    if not (as_csv or as_json):
        print(f"{net.name}, trained on {net.training_music} ({source}). {net.caution}".rstrip())
    named = _files(files)
    try:
        return _classify(net, named, as_json, as_csv, playlist, changes)
    finally:
        # Say this even if you stop the work.
        if changes and changes.exists():
            note(f"to restore the old genres: songnet classify --undo-tags {changes}")


def _classify(
    net: Network,
    named: list[tuple[str, SongNetError | None]],
    as_json: bool,
    as_csv: bool,
    playlist: Path | None,
    changes: Path | None,
) -> int:
    """Answer for each file, and print or write what was asked for."""
    from tqdm.auto import tqdm

    from songnet_utils.corpora.playlist import write_playlist
    from songnet_utils.corpora.tags import write_genre
    from songnet_utils.streaming.song_stream import classify_songs

    code, songs = 0, []
    table = csv.DictWriter(sys.stdout, _COLUMNS, lineterminator="\n")
    if as_csv:
        table.writeheader()
    answers = classify_songs(net, [file for file, unreadable in named if not unreadable])
    # Show no progress bar where answers appear on the same screen.
    watched = sys.stderr.isatty() and not sys.stdout.isatty()
    for file, unreadable in tqdm(named, unit="file", disable=not watched, leave=False):
        try:
            found = unreadable or next(answers)
            if isinstance(found, SongNetError):
                raise found
            answer = _answer(net, file, *found)
            chance = answer["probabilities"][answer["genre"]]
            songs.append((answer["genre"], -chance, file, answer["seconds"]))
        except SongNetError as error:
            note(error)
            code = FAILED
            answer = {"file": file, "error": " ".join(str(error).split())}
        if as_json:
            # ASCII survives every encoding.
            print(json.dumps(answer))
        elif as_csv:
            table.writerow(_row(answer))
        elif "error" not in answer:
            chances = ", ".join(f"{genre} {chance:.0%}" for genre, chance in _best(answer))
            print(f"{file}: {answer['genre']} ({chances})")
        sys.stdout.flush()
        if changes and "error" not in answer:
            try:
                write_genre(file, answer["genre"], changes)
            except SongNetError as error:
                note(error)
                code = FAILED
    if playlist and songs:
        # In each genre, the song with the highest probability comes first.
        order = sorted(songs)
        write_playlist(playlist, [(file, seconds, genre) for genre, _, file, seconds in order])
        note(f"{playlist}: a playlist of {len(songs):,} song{'s' * (len(songs) != 1)}")
    return code


def _best(answer: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the three most probable genres of an answer."""
    return sorted(answer.get("probabilities", {}).items(), key=lambda item: -item[1])[:3]


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as a row of the table."""
    cells = [cell for genre, chance in _best(answer) for cell in (genre, round(chance, 4))]
    row = dict(zip(_COLUMNS[2:8], cells, strict=False))
    row |= {key: answer[key] for key in ("file", "error") if key in answer}
    if "seconds" in answer:
        row["seconds"] = round(answer["seconds"], 3)
    return row


def _undo(lists: list[str]) -> int:
    """Restore the genres that lists of changes hold."""
    from songnet_utils.corpora.tags import undo_genres

    code, restored = 0, 0
    for name in lists:
        for file, error in undo_genres(name):
            if error:
                note(error)
                code = FAILED
            else:
                print(f"{file}: restored")
                restored += 1
    if not code and not restored:
        note("nothing to restore: every file has its old genre")
    return code


def _files(names: list[str]) -> list[tuple[str, SongNetError | None]]:
    """Return the named files; a name that cannot be found has its error beside it."""
    from songnet_utils.corpora.files import named_files

    files: list[tuple[str, SongNetError | None]] = []
    for name in names:
        try:
            found, others = named_files(name)
        except SongNetError as error:
            files.append((name, error))
            continue
        files += [(file, None) for file in found]
        if others:
            note(f"left out: {name}: {others:,} file{'s' * (others != 1)} with another ending")
    return files


def _answer(net: Network, file: str, steps: list[Step], seconds: float) -> dict[str, Any]:
    """Return what `classify --json` prints about a file."""
    import numpy as np

    mean = np.mean([step.probabilities for step in steps], axis=0, dtype=float)
    return {
        "file": file,
        "seconds": seconds,
        "genre": net.genres[int(mean.argmax())],
        "probabilities": dict(zip(net.genres, mean.tolist(), strict=True)),
        "network": {name: getattr(net, name) for name in ("name", "training_music", "caution")},
        "genres": list(net.genres),
        "steps": [
            {"start": step.start, "end": step.end, "probabilities": step.probabilities.tolist()}
            for step in steps
        ],
    }
