"""Train a model on a corpus, or continue a run that was stopped."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from songnet_utils._utils.errors import MOST_SEED
from songnet_utils.cli.messages import name_left_out, note
from songnet_utils.cli.options import add_corpus, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_corpus(parser)
    parser.add_argument(
        "--model",
        help="songnet (the default, unless --from names a run); songnet-bn, songnet-lstm, "
        "crnn-2d, cnn-2d, cnn-mfcc, songnet-meta, songnet-plus, songnet-transfer; a network "
        "without one of its parts, as in songnet~batch-norm; chance; knn, lr, mlp, svm or "
        "svm-linear on 140 MFCC statistics, with -518 on FMA's 518 features, with -meta "
        "on the 140 and a song's metadata (year, listens, …); tzanetakis-knn, "
        "tzanetakis-gmm, mandel-ellis, deshpande-knn, deshpande-gmm, deshpande-svm",
    )
    parser.add_argument(
        "--split", default="random", help="random (default), artist (none in two sets), official"
    )
    parser.add_argument("--genres", help="only these: A,B,… (default: all)")
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=0, help="default: 0")
    parser.add_argument("--epochs", type=whole(1), help="at most this many")
    parser.add_argument("--out", type=Path, help="default: data/runs/CORPUS/MODEL-SPLIT-SEED")
    parser.add_argument("--force", action="store_true", help="train a finished run anew")
    parser.add_argument(
        "--from",
        type=Path,
        dest="start",
        help="fine-tune the network of this finished run, at a fifth of the learning rate; "
        "the test set excludes everything that it was trained on",
    )


def run(**options: Any) -> int:
    """Train, and print the accuracies and the run's folder."""
    from songnet_utils.corpora.splits import SETS
    from songnet_utils.training.runs import read_record
    from songnet_utils.training.train import train

    folder = train(**options)
    record = read_record(folder)
    for text in record["notes"]:
        note(text)
    name_left_out((entry["genre"], entry["reason"]) for entry in record["left_out"])
    name_left_out((entry["id"], entry["reason"]) for entry in record["unusable"])
    unknown = sum(record[subset]["clips_of_unknown_artists"] for subset in SETS)
    if unknown and record["split"] == "artist":
        clips = sum(record[subset]["clips"] for subset in SETS)
        note(
            f"{unknown} of {clips} clips name no artist, so each counts as an artist of its own. "
            "Write the artists into the files' tags."
        )
    start = f", from {record['from']['run']}" if "from" in record else ""
    title = f"{record['model']} on {record['corpus']}, {record['split']} split{start}"
    print(f"{title}: accuracy [95 % interval over artists]")
    for subset in SETS:
        score = record[subset]
        low, high = score["confidence_interval"]
        artists = "" if score["artists"] is None else f" of {score['artists']:,} artists"
        interval = f"[{low:.1%} to {high:.1%}]"
        print(
            f"{subset:10} {score['accuracy']:6.1%}  {interval}  {score['clips']:,} clips{artists}"
        )
        if score.get("interval_note"):
            print(f"{'':10} {score['interval_note']}")
    print(folder)
    return 0
