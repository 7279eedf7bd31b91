"""Name the genre of sound files.

Without --run or --model, musicnn answers where it is there, else the newest run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli.messages import FAILED, note

if TYPE_CHECKING:
    from songnet_utils.streaming.network import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE|FOLDER", help="sound files, or folders of them"
    )
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--run", type=Path, dest="run_folder", help="the folder of a run")
    network.add_argument("--model", choices=["musicnn"], help="the pretrained network")
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="print one JSON object per file"
    )


def run(files: list[str], run_folder: Path | None, model: str | None, as_json: bool) -> int:
    """Print an answer for each file, as each one comes."""
    from tqdm.auto import tqdm

    net, source = _network(run_folder or model)
    if not as_json:
        print(f"{net.name}, trained on {net.training_music} ({source}). {net.caution}".rstrip())
    code = 0
    # Answers and errors are lines of their own: no bar where they would run into it.
    watched = sys.stderr.isatty() and not sys.stdout.isatty()
    for file, unreadable in tqdm(_files(files), unit="file", disable=not watched, leave=False):
        try:
            if unreadable:
                raise unreadable
            answer = _answer(net, file)
        except SongNetError as error:
            note(error)
            code = FAILED
            answer = {"file": file, "error": " ".join(str(error).split())}
        if as_json:
            # In ASCII, it is whole in every encoding.
            print(json.dumps(answer), flush=True)
        elif "error" not in answer:
            first = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:3]
            chances = ", ".join(f"{genre} {chance:.0%}" for genre, chance in first)
            print(f"{file}: {answer['genre']} ({chances})", flush=True)
    return code


def _network(source: str | Path | None) -> tuple[Network, str]:
    """Return the network that answers, and what to call its source."""
    from songnet_utils._utils.files import newest_run
    from songnet_utils.models.musicnn_fetch import musicnn_is_whole
    from songnet_utils.training.runs import load_songnet

    if source is None:
        source = "musicnn" if musicnn_is_whole() else newest_run()
    if source is None:
        raise SongNetError(
            "There is no network to ask. Bring the pretrained network musicnn with "
            "`songnet fetch musicnn`, or train one with `songnet train mini`."
        )
    return load_songnet(source), str(source)


def _files(names: list[str]) -> list[tuple[str, SongNetError | None]]:
    """Return the files that are named, and in place of what cannot be found the error."""
    from songnet_utils.corpora import named_files

    files: list[tuple[str, SongNetError | None]] = []
    for name in names:
        try:
            found, others = named_files(name)
        except SongNetError as error:
            files.append((name, error))
            continue
        files += [(file, None) for file in found]
        if others:
            note(f"left out: {name}: {others:,} other file{'s' * (others != 1)}, by the ending")
    return files


def _answer(net: Network, file: str) -> dict[str, Any]:
    """Return what `classify --json` prints about a file."""
    import numpy as np

    from songnet_utils.streaming.song_stream import classify_song

    steps, seconds = classify_song(net, file)
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
