"""Train several models on several splits and compare them, with intervals."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from songnet_utils.cli.messages import FAILED, name_left_out, note
from songnet_utils.cli.options import add_corpus, names, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_corpus(parser)
    parser.add_argument(
        "--models",
        type=names,
        default=["chance", "svm", "songnet"],
        help="default: chance,svm,songnet; also baselines, networks, all, and NAME~each (a network "
        "and its ablations: variants with one part removed or changed)",
    )
    parser.add_argument(
        "--splits",
        type=names,
        default=["random", "artist"],
        help="default: random,artist; also official, which has no folds",
    )
    parser.add_argument("--genres", help="only these: A,B,… (default: all)")
    parser.add_argument(
        "--seeds", type=whole(1), default=1, help="seeds 0 … SEEDS − 1 (default: 1)"
    )
    parser.add_argument("--epochs", type=whole(1), help="train each network for at most this many")
    parser.add_argument("--folds", type=whole(2), help="test every clip once per seed, in folds")
    parser.add_argument("--set", default="test", dest="subset", help="test (default) or validation")
    parser.add_argument(
        "--artists",
        dest="artist_part",
        help="only clips by one part of the artists: development (a random third, for choosing "
        "between models) or test (the others)",
    )
    parser.add_argument("--json", type=Path, help="write the results to this file, too")


def run(json: Path | None, **options: Any) -> int:
    """Compare, and print the tables."""
    return compare_and_print(json, **options)[0]


def compare_and_print(json: Path | None, **options: Any) -> tuple[int, list[dict[str, Any]]]:
    """Compare, print the tables, and return the exit code and the results."""
    from songnet_utils._utils.files import check_writable, write_json
    from songnet_utils.evaluation.compare import compare

    if json is not None:
        # Refuse a file that cannot be written before hours of work, not after.
        check_writable(json, ".json")
    comparison = compare(**options)
    for text in comparison.notes:
        note(text)
    left_out = comparison.results[0]["left_out"]
    name_left_out((small["genre"], small["reason"]) for small in left_out)
    name_left_out(zip(comparison.unusable.id, comparison.unusable.reason, strict=True))
    print(comparison.as_text())
    for failure in comparison.failures:
        note(f"failed: {failure['run']}: {failure['reason']}")
    if json is not None:
        write_json(json, comparison.results)
    return FAILED if comparison.failures else 0, comparison.results
