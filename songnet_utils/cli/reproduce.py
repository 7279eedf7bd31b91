"""Repeat the paper's table on fma_small, on both splits, beside other published figures.

It tells you the cost first. If you stop it, run the same command again to continue.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli.messages import note
from songnet_utils.cli.options import names, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "--corpus", default="fma_small", help="another, such as fma_sample, to try it without 7 GB"
    )
    parser.add_argument(
        "--models", type=names, help="default: chance,knn,lr,mlp,svm,songnet,songnet-plus"
    )
    parser.add_argument("--seeds", type=whole(1), default=1, help="as in compare (default: 1)")
    parser.add_argument("--epochs", type=whole(1), help="train each network for at most this many")
    parser.add_argument("--cost", action="store_true", help="print the cost and stop")
    parser.add_argument("--json", type=Path, help="write the results to this file, too")


def run(
    corpus: str,
    models: list[str] | None,
    seeds: int,
    epochs: int | None,
    cost: bool,
    json: Path | None,
) -> int:
    """Print the cost, compare, and print the tables."""
    from songnet_utils.cli.compare import compare_and_print
    from songnet_utils.corpora import open_corpus
    from songnet_utils.corpora.splits import every_split
    from songnet_utils.evaluation import reproduction
    from songnet_utils.evaluation.compare import model_names

    chosen = model_names(models or reproduction.MODELS)
    splits = ["random", "official"]
    try:
        opened = open_corpus(corpus)
    except SongNetError:
        if corpus == "fma_small":
            note("fma_small is a download of 7.2 GiB; its metadata adds 0.3 GiB.")
            runs = len(splits) * seeds
            print(reproduction.cost_text(chosen, reproduction.CLIPS, runs, epochs))
            if cost:
                return 0
        raise
    possible, reasons = every_split(opened.clips)
    splits = [split for split in splits if split in possible]
    for split, reason in reasons.items():
        note(f"no {split} split: {reason}")
    print(reproduction.cost_text(chosen, len(opened.clips), len(splits) * seeds, epochs))
    if cost:
        return 0
    print(flush=True)
    options = {"models": chosen, "splits": splits, "seeds": seeds, "epochs": epochs}
    code, results = compare_and_print(json, corpus=opened, **options)
    print(f"\n{reproduction.expected_text(results)}")
    return code
