"""The text of `compare`: a table for each split, and the differences between splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from songnet_utils.evaluation.tables import aligned, between, percent, points, wrapped


def comparison_text(
    results: Sequence[dict[str, Any]],
    failures: Sequence[Mapping[str, str]],
    cost: Mapping[str, Any],
) -> str:
    """Return the results, their differences and their cost as text.

    Parameters are those of `songnet_utils.evaluation.compare.Comparison`.
    """
    splits = list(dict.fromkeys(result["split"] for result in results))
    blocks = [_split_block([row for row in results if row["split"] == split]) for split in splits]
    if len(splits) > 1:
        blocks.append(_splits_block(results))
    notes = [
        "Intervals are 95 % intervals over artists; differences are in points. McNemar's "
        "exact test treats clips as independent; with several seeds, its p is the median.",
        # Take the caution of the split with the fewest artists.
        *sorted({row["interval_note"] for row in results if row["interval_note"]})[:1],
        f"Cost: {_seconds(cost['seconds'])} s of fitting and predicting in {cost['runs']} runs, "
        f"of which {cost['cached']} existed before.",
    ]
    if any(row["paper"] is not None for row in results):
        notes.append(
            "Paper: Zhang, Zhang and Chen (2018), section 5.1, on fma_small. They split 70/20/10 "
            "percent and do not say whether an artist may be in two sets."
        )
    if drawn := results[0]["artist_part"]:
        part, counts = drawn["part"], drawn["artists"]
        notes.append(
            f"Only clips by the {counts[part]:,} {part} artists of {sum(counts.values()):,}, drawn "
            f"with seed {drawn['seed']}."
        )
    if failures:
        lost = dict.fromkeys(f"{run['model']} ({run['split']})" for run in failures)
        notes.append(f"Left out because a run failed: {', '.join(lost)}.")
    blocks.append(wrapped(*notes))
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _split_block(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the results of a split as lines of text, with the last model against each other."""
    last = rows[-1]
    against = {
        entry["model"]: entry for entry in last["differences"] if entry["split"] == last["split"]
    }
    table = [["model", "accuracy", "95 % interval", "paper", "seconds"]]
    if against:
        table[0] += [f"{last['model']} minus model", "95 % interval", "McNemar p"]
    for row in rows:
        paper = "" if row["paper"] is None else f"{row['paper']:.2%}"
        interval = between(row["confidence_interval"])
        cells = [row["model"], percent(row["accuracy"]), interval, paper, _seconds(row["seconds"])]
        if entry := against.get(row["model"]):
            p = entry["mcnemar_p"]
            cells += [*points(entry), "<0.001" if p < 0.0005 else f"{p:.3f}"]
        table.append(cells)
    seeds, folds, overlap = last["seeds"], last["folds"], last["artist_overlap"]
    known = "artist overlap unknown"
    if overlap is not None:
        known = f"artists in two sets: {last['artists_in_two_sets']:,}; "
        known += f"artist overlap: {overlap:.0%} of clips"
    if last["copies_in_two_sets"]:
        known += f"; copies in two sets: {last['copies_in_two_sets']:,}"
    return [
        f"{last['split']} split: {last['clips']:,} {last['set']} clips "
        f"({seeds} seed{'s' * (seeds != 1)}, {f'{folds} folds' if folds else 'no folds'}); {known}",
        *aligned(table),
    ]


def _splits_block(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return the differences between splits, model by model."""
    pairs: dict[str, dict[str, str]] = {}
    for result in results:
        for entry in result["differences"]:
            if entry["split"] != result["split"]:
                pair = f"{result['split']} minus {entry['split']}"
                difference, interval = points(entry)
                pairs.setdefault(pair, {})[result["model"]] = f"{difference} [{interval}]"
    models = dict.fromkeys(result["model"] for result in results)
    table = [["model", *pairs]]
    table += [[model, *(found.get(model, "") for found in pairs.values())] for model in models]
    return ["difference of each model's accuracies, in points [95 % interval]:", *aligned(table)]


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 1 else f"{seconds:.2f}"
