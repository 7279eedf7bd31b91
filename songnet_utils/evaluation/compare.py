"""Which model is better, on which split, and whether that is more than luck.

`compare` makes one run for each model, split and seed (and fold), all cached in the data folder,
so that a comparison that was stopped goes on, and looks at the answers for the tested clips only.
Every model is fitted to the same training clips of a run; the validation clips only tell a
network when to stop. A run that fails takes nothing from the others: it is named, and what it
was part of is not stated.

Intervals are over artists (`songnet_utils.metrics.accuracy`): clips of one artist, and answers of
several seeds for one clip, are no independent evidence. McNemar's test takes clips as
independent, so where artists have several clips each its p is too small rather than too large.
"""

from __future__ import annotations

import itertools
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError, check_names, did_you_mean
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.splits import (
    artist_overlap,
    copies_in_two_sets,
    fold_sets,
    keep_genres,
)
from songnet_utils.corpora.splits import split as split_clips
from songnet_utils.features.store import LogMelStore
from songnet_utils.metrics.intervals import (
    artist_interval,
    difference_interval,
    few_artists,
    mcnemar_exact,
    right_answers,
)
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.registry import NETWORKS, ablation
from songnet_utils.training.fit import Recipe
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import (
    Run,
    check_model,
    check_split,
    read_answers,
    recipe_of,
    runs_folder,
)

#: What the paper prints for fma_small (section 5.1), by the model here that does the same. It says
#: "SVM" and not of which kernel.
PAPER = {
    "chance": ".1250",
    "knn": ".3638",
    "lr": ".4225",
    "mlp": ".4488",
    "svm": ".4638",
    "svm-linear": ".4638",
    "songnet": ".6523",
}

#: How many clips FMA's official split of fma_small tests, and how many of its clips can be used.
_OFFICIAL_TEST, _USABLE = 800, 7994

#: What follows a network's name to stand for it and for it without each of its parts
#: and with each of its extras.
_EACH = "~each"

# What was done with the clips of a set.
_HEARD = {"test": "tested", "validation": "for validation"}

#: Columns of a terminal that sentences are broken for.
_WIDTH = 100


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    results : list of dict
        One for each model and split of which no run failed: ``model``, ``split``, ``clips``
        (tested, each once a seed when folds are used), ``artists`` (of the tested clips; null
        where the corpus knows none), ``accuracy``, ``confidence_interval`` (over artists),
        ``interval_note`` (what to know of an interval over few artists; null if nothing),
        ``seeds``, ``folds`` (null without), ``artist_overlap`` (the share of tested clips whose
        artist is among the training or validation clips too; null where the corpus knows no
        artist), ``artists_in_two_sets`` and ``copies_in_two_sets`` (how many artists, null
        likewise, and contents have clips in more than one set, the most in a run),
        ``accuracies`` (one a seed), ``paper`` (what the paper prints for this model; null if
        nothing), ``seconds`` (fitting and answering, all its runs), ``left_out`` (genres and
        why), and ``differences``: this accuracy minus that of
        other results, each ``model``, ``split``, ``difference``, ``confidence_interval`` and, for
        the same clips, ``mcnemar`` (one a seed: ``seed``, ``only_this`` and ``only_other``, the
        clips that only one got right, and ``p`` of McNemar's exact test) and ``mcnemar_p``, the
        median of these p. Each pair is stated once: a model minus those named before it, and a
        split minus those named after it.
    answers : pandas.DataFrame
        One row for each tested clip, model, split and seed: ``model``, ``split``, ``seed``,
        ``fold``, ``id``, ``artist``, ``genre`` (the truth), ``answer``, ``seen`` (is the artist
        among the training or validation clips?), and a network's probabilities.
    left_out : dict
        Genre → why it was left out.
    unusable : pandas.DataFrame
        Clips that could not be used.
    failures : list of dict
        Runs that failed: ``run``, ``model``, ``split`` and ``reason``.
    cost : dict
        ``runs``; ``cached``, how many of them were there before; ``seconds``, fitting and
        answering of all runs, from their records; ``seconds_now``, what this call took for those
        that were not there, with everything around them (reading, scoring, saving).
    notes : list of str
        What to know of the corpus (see `songnet_utils.features.store.LogMels.notes`).
    """

    results: list[dict[str, Any]]
    answers: pd.DataFrame
    left_out: dict[str, str]
    unusable: pd.DataFrame
    failures: list[dict[str, str]] = field(default_factory=list)
    cost: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_table(self) -> pd.DataFrame:
        """Return the results, one row each."""
        return pd.DataFrame(self.results).drop(columns=["differences", "left_out"])

    def as_text(self) -> str:
        """Return the results, their differences and their cost for people to read."""
        splits = list(dict.fromkeys(result["split"] for result in self.results))
        blocks = [
            _split_block([row for row in self.results if row["split"] == split]) for split in splits
        ]
        if len(splits) > 1:
            blocks.append(_splits_block(self.results))
        notes = [*_notes(self.results), *textwrap.wrap(self._cost(), _WIDTH)]
        if self.failures:
            lost = dict.fromkeys(
                f"{failure['model']} on the {failure['split']} split" for failure in self.failures
            )
            named = f"Not stated, because a run failed: {', '.join(lost)}."
            notes += textwrap.wrap(named, _WIDTH)
        blocks.append(notes)
        return "\n\n".join("\n".join(lines) for lines in blocks)

    def _cost(self) -> str:
        cost = self.cost
        made = cost["runs"] - cost["cached"]
        return (
            f"Cost: {_seconds(cost['seconds'])} s of fitting and answering in {cost['runs']} runs; "
            f"{cost['cached']} of them were there before, {made} took "
            f"{_seconds(cost['seconds_now'])} s now, computing features and all else included."
        )


def paper_arithmetic() -> str:
    """Say which of the paper's figures can come from which number of clips."""
    whole: list[str] = []
    others: list[str] = []
    fifth = round(0.2 * _USABLE)
    for figure in dict.fromkeys(PAPER.values()):
        if right_answers(figure, _OFFICIAL_TEST) is not None:
            whole.append(figure)
        elif (right := right_answers(figure, fifth)) is not None:
            others.append(f"{figure} is not, but {right}/{fifth}, of a fifth of {_USABLE:,} clips")
        else:
            others.append(f"{figure} is not")
    return (
        f"{', '.join(whole)} are whole numbers of {_OFFICIAL_TEST}ths, the size of FMA's official "
        f"test set; {'; '.join(others)}."
    )


def model_names(models: Sequence[str]) -> list[str]:
    """Return the models that are named, each once, groups spelt out.

    Groups are ``all``, ``baselines``, ``networks``, and ``NAME~each``: a network, and the same
    without each of its parts and with what was tried besides.

    Raises
    ------
    SongNetError
        When there is no such model.
    """
    check_names("models", models)
    first = [name for name in BASELINES if name == "chance"]
    baselines = [*first, *(name for name in BASELINES if name not in first)]
    groups = {
        "baselines": baselines,
        "networks": list(NETWORKS),
        "all": [*baselines, *NETWORKS],
        **{name: ablation(name.removesuffix(_EACH)) for name in models if name.endswith(_EACH)},
    }
    names = list(
        dict.fromkeys(itertools.chain.from_iterable(groups.get(name, [name]) for name in models))
    )
    for name in names:
        check_model(name)
    return names


def compare(
    corpus: Corpus | str,
    models: Sequence[str] = ("chance", "svm", "songnet"),
    splits: Sequence[str] = ("random", "artist"),
    genres: Sequence[str] | str | None = None,
    seeds: int = 1,
    folds: int | None = None,
    progress: bool = True,
    recipe: Recipe | None = None,
    subset: str = "test",
) -> Comparison:
    """Train several models on several splits and compare what they answer for tested clips.

    Parameters
    ----------
    corpus : Corpus or str
        What `open_corpus` returns or takes.
    models, splits : sequence of str
        See `songnet_utils.training.train.train`; `model_names` tells which groups there are. The
        last one is compared with each other in the text.
    genres : sequence of str, or str with commas between the names, optional
        Only these. Genres too small for one of the splits are left out of all.
    seeds : int
        Everything is done with the seeds 0 … seeds − 1. On the official split, which is always
        the same, they only decide what is random in a model.
    folds : int, optional
        Test every clip exactly once a seed, in so many folds; on the artist split no artist is
        in two of them. Without, one train/validation/test split a seed.
    progress : bool
        Show progress bars.
    recipe : Recipe, optional
        How networks are trained; each has its own recipe by default.
    subset : str
        Whose answers are compared: ``"test"``, or ``"validation"`` while there is still something
        to choose (then without folds).

    Raises
    ------
    SongNetError
        When there is nothing to compare, or no model came through.
    """
    models = model_names(models)
    check_names("splits", splits)
    splits = list(dict.fromkeys(splits))
    for split in splits:
        check_split(split)
    if not models or not splits:
        raise SongNetError("Name at least one model and one split to compare.")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise SongNetError(f"seeds must be a whole number of at least 1. Got {seeds!r}")
    if subset not in ("test", "validation"):
        raise SongNetError(
            f"subset must be test or validation. Got {subset!r}."
            + did_you_mean(str(subset), ("test", "validation"))
        )
    if folds is not None and subset == "validation":
        raise SongNetError(
            "With folds every clip is tested once; for validation there is no such thing. "
            "Leave folds out, or compare the answers for tested clips."
        )
    if folds is not None and "official" in splits:
        raise SongNetError(
            "The official split says who is tested: it has no folds. "
            "Leave --folds out, or compare on the random and artist splits."
        )
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    if "official" in splits and corpus.clips.split.isna().all():
        raise SongNetError(
            f"{corpus.name}: has no official split. Compare on the random and artist splits."
        )
    # What is wrong with the genres is said before hours of work on the frames, not after.
    _keep_genres(corpus.clips, splits, genres, folds)
    prepared = LogMelStore().prepare(corpus, progress=progress)
    clips, left_out = _keep_genres(prepared.clips, splits, genres, folds)
    reasons = [{"genre": genre, "reason": reason} for genre, reason in left_out.items()]
    dealt = [
        (split, seed, fold, sets)
        for split, seed in itertools.product(splits, range(seeds))
        for fold, sets in _sets(clips, split, seed, folds)
    ]
    artists_parted, copies_parted = (
        {
            split: max(count(clips, sets) for of, _, _, sets in dealt if of == split)
            for split in splits
        }
        for count in (artist_overlap, copies_in_two_sets)
    )
    runs = [
        Run(
            prepared=prepared,
            clips=clips,
            sets=sets,
            left_out=reasons,
            model=model,
            split=split,
            seed=seed,
            recipe=recipe or recipe_of(model),
            fold=fold,
            folds=folds,
        )
        for split, seed, fold, sets in dealt
        for model in models
    ]
    made, failures = _make_all(runs, subset, progress)
    failed = {(failure["model"], failure["split"]) for failure in failures}
    if len(failed) == len(models) * len(splits):
        raise SongNetError(
            f"Of each model at least one run failed. The first: {failures[0]['run']}: "
            f"{failures[0]['reason']}"
        )
    answers = pd.concat([one.tested for one in made], ignore_index=True)
    tested = {
        (model, split): of.sort_values(["seed", "id"])
        for (model, split), of in answers.groupby(["model", "split"], sort=False)
        if (model, split) not in failed
    }
    nobody = bool(clips.artist.isna().all())
    results = []
    for model, split in itertools.product(models, splits):
        if (model, split) in failed:
            continue
        seconds = [one.seconds for one in made if (one.run.model, one.run.split) == (model, split)]
        results.append(
            {
                **_result(tested[model, split], model, split, seeds, folds, nobody),
                "set": subset,
                "artists_in_two_sets": None if nobody else artists_parted[split],
                "copies_in_two_sets": copies_parted[split],
                "paper": float(PAPER[model]) if model in PAPER else None,
                "seconds": round(sum(seconds), 3),
                "left_out": reasons,
            }
        )
    for result in results:
        result["differences"] = [
            _difference(tested, result, other)
            for other in results
            if _is_stated(result, other, models, splits)
        ]
    cost = {
        "runs": len(made),
        "cached": sum(one.cached for one in made),
        "seconds": round(sum(one.seconds for one in made), 3),
        "seconds_now": round(sum(one.seconds_now for one in made if not one.cached), 3),
    }
    notes = prepared.notes(clips)
    return Comparison(results, answers, left_out, prepared.unusable, failures, cost, notes)


def _sets(
    clips: pd.DataFrame, split: str, seed: int, folds: int | None
) -> list[tuple[int | None, pd.Series]]:
    if folds is None:
        return [(None, split_clips(clips, split, seed))]
    return list(enumerate(fold_sets(clips, split, seed, folds)))


@dataclass(frozen=True)
class _Made:
    """A run that is finished, and what of it is compared."""

    run: Run
    tested: pd.DataFrame
    cached: bool
    seconds: float
    seconds_now: float


def _keep_genres(
    clips: pd.DataFrame,
    splits: Sequence[str],
    genres: Sequence[str] | str | None,
    folds: int | None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Leave genres that are too small for one of the splits out of all; say why, by genre."""
    left_out: dict[str, str] = {}
    for split in splits:
        clips, small = keep_genres(clips, genres, kind=split, k=folds)
        # Of the genres that were asked for, those are left that are large enough so far.
        genres = None
        left_out |= {entry["genre"]: entry["reason"] for entry in small}
    return clips, left_out


def _make_all(
    runs: Sequence[Run], subset: str, progress: bool
) -> tuple[list[_Made], list[dict[str, str]]]:
    """Make every run, or find it; return those that came through, and what failed."""
    made: list[_Made] = []
    failures = []
    # Linear algebra on tables this small is many times as fast when threads do not wait for each
    # other; networks have threads of their own.
    with (
        threadpool_limits(1),
        tqdm(runs, desc="runs", unit="run", disable=not progress, leave=False) as bar,
    ):
        for run in bar:
            bar.set_postfix_str(_title(run))
            try:
                made.append(_make(run, subset, progress))
            except Exception as error:
                # Whatever keeps this run from its end, the others have nothing to do with it.
                what = "" if isinstance(error, SongNetError) else f"{type(error).__name__}: "
                failures.append(
                    {
                        "run": _title(run),
                        "model": run.model,
                        "split": run.split,
                        "reason": f"{what}{error}",
                    }
                )
    return made, failures


def _title(run: Run) -> str:
    fold = "" if run.fold is None else f", fold {run.fold}"
    return f"{run.model}, {run.split} split, seed {run.seed}{fold}"


def _home(run: Run) -> tuple[Path, bool]:
    """Return a run's folder, and whether it is finished there."""
    folder = runs_folder(run.prepared.corpus)
    name = f"{run.model}-{run.split}-{run.seed}"
    # What `songnet train` left is as good, when it is the same run.
    if run.fold is None and _is_same(run, folder / name):
        return folder / name, True
    if run.fold is not None:
        name += f"-{run.fold}"
    # Not where `songnet classify` looks for the newest run.
    found = folder / "compared" / f"{name}-{run.fingerprint}"
    return found, run.is_finished(found)


def _make(run: Run, subset: str, progress: bool) -> _Made:
    """Make a run, or find it."""
    began = time.monotonic()
    found, cached = _home(run)
    if not cached:
        run.make(found, progress=progress)
    record = read_record(found)
    return _Made(
        run=run,
        tested=_tested(run, found, subset),
        cached=cached,
        # Older records only know how long the whole last start took.
        seconds=record["seconds_to_fit"] + record["seconds_to_answer"]
        if "seconds_to_fit" in record
        else record["seconds_of_last_start"],
        seconds_now=time.monotonic() - began,
    )


def _is_same(run: Run, folder: Path) -> bool:
    try:
        return run.is_finished(folder)
    except SongNetError:
        return False


def _tested(run: Run, folder: Path, subset: str) -> pd.DataFrame:
    """Return a run's answers for the clips of one set: test, or validation."""
    answers = read_answers(folder)
    tested = answers[answers.set == subset].drop(columns="set")
    heard = ("train", "validation") if subset == "test" else ("train",)
    known = set(answers.artist[answers.set.isin(heard)])
    tested.insert(0, "model", run.model)
    tested.insert(1, "split", run.split)
    tested.insert(2, "seed", run.seed)
    tested.insert(3, "fold", run.fold)
    return tested.assign(seen=tested.artist.isin(known))


def _result(
    tested: pd.DataFrame, model: str, split: str, seeds: int, folds: int | None, nobody: bool
) -> dict[str, Any]:
    right = (tested.genre == tested.answer).to_numpy()
    artists = None if nobody else int(tested.artist.nunique())
    return {
        "model": model,
        "split": split,
        "clips": len(tested),
        "artists": artists,
        "accuracy": float(right.mean()),
        "confidence_interval": list(artist_interval(right, tested.artist)),
        "interval_note": few_artists(artists) or None,
        "accuracies": [
            float(part.mean()) for _, part in pd.Series(right).groupby(tested.seed.to_numpy())
        ],
        "seeds": seeds,
        "folds": folds,
        "artist_overlap": None if nobody else float(tested.seen.mean()),
    }


def _is_stated(
    result: dict[str, Any],
    other: dict[str, Any],
    models: Sequence[str],
    splits: Sequence[str],
) -> bool:
    """Tell whether the difference of two results is stated: each pair once."""
    if result["split"] == other["split"]:
        return models.index(result["model"]) > models.index(other["model"])
    return result["model"] == other["model"] and splits.index(result["split"]) < splits.index(
        other["split"]
    )


def _difference(
    tested: dict[tuple[str, str], pd.DataFrame], result: dict[str, Any], other: dict[str, Any]
) -> dict[str, Any]:
    a, b = (tested[of["model"], of["split"]].sort_values(["seed", "id"]) for of in (result, other))
    # With folds, two splits test the same clips, too.
    same = np.array_equal(a[["seed", "id"]], b[["seed", "id"]])
    right_a, right_b = ((of.genre == of.answer).to_numpy() for of in (a, b))
    found = {
        "model": other["model"],
        "split": other["split"],
        "difference": float(right_a.mean() - right_b.mean()),
        "confidence_interval": list(
            difference_interval(right_a, right_b, a.artist, None if same else b.artist)
        ),
    }
    if result["split"] == other["split"]:
        found["mcnemar"] = [
            {
                "seed": int(seed),
                "only_this": int((right_a & ~right_b)[of_seed].sum()),
                "only_other": int((right_b & ~right_a)[of_seed].sum()),
                "p": mcnemar_exact(right_a[of_seed], right_b[of_seed]),
            }
            for seed in np.unique(a.seed)
            for of_seed in [(a.seed == seed).to_numpy()]
        ]
        found["mcnemar_p"] = float(np.median([entry["p"] for entry in found["mcnemar"]]))
    return found


def _split_block(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return one split's results as lines of text, the last named model against each other."""
    last = rows[-1]
    against = {
        entry["model"]: entry for entry in last["differences"] if entry["split"] == last["split"]
    }
    header = ["model", "accuracy", "95 % interval", "paper", "seconds"]
    if against:
        header += [f"{last['model']} minus it", "95 % interval", "McNemar p"]
    table = [header]
    for row in rows:
        low, high = row["confidence_interval"]
        cells = [
            row["model"],
            f"{row['accuracy']:.1%}",
            f"{low:.1%} to {high:.1%}",
            "" if row["paper"] is None else f"{row['paper']:.2%}",
            _seconds(row["seconds"]),
        ]
        if entry := against.get(row["model"]):
            cells += [*_points(entry), _p_value(entry["mcnemar_p"])]
        table.append(cells)
    seeds, folds, overlap = last["seeds"], last["folds"], last["artist_overlap"]
    several = last["artists_in_two_sets"] and (seeds > 1 or folds)
    known = (
        "artist overlap not known"
        if overlap is None
        else f"artists in two sets: {'up to ' if several else ''}"
        f"{last['artists_in_two_sets']:,}; artist overlap: {overlap:.0%} of clips"
    )
    if last["copies_in_two_sets"]:
        known += f"; copies in two sets: {last['copies_in_two_sets']:,}"
    return [
        f"{last['split']} split: {last['clips']:,} clips {_HEARD[last['set']]} "
        f"({seeds} seed{'s' * (seeds != 1)}, {f'{folds} folds' if folds else 'no folds'}); {known}",
        *_aligned(table),
    ]


def _splits_block(results: Sequence[dict[str, Any]]) -> list[str]:
    """Return what a split changes, model by model."""
    pairs: dict[str, dict[str, str]] = {}
    for result in results:
        for entry in result["differences"]:
            if entry["split"] != result["split"]:
                pair = f"{result['split']} minus {entry['split']}"
                pairs.setdefault(pair, {})[result["model"]] = " ".join(_points(entry, "[]"))
    models = dict.fromkeys(result["model"] for result in results)
    table = [["model", *pairs]]
    table += [[model, *(found.get(model, "") for found in pairs.values())] for model in models]
    return ["difference of a model's accuracies, in points [95 % interval]:", *_aligned(table)]


def _notes(results: Sequence[dict[str, Any]]) -> list[str]:
    """Say what one has to know to read the figures."""
    several = any(result["seeds"] > 1 for result in results)
    notes = [
        "Intervals are over artists, differences in points. McNemar's exact test takes clips as "
        f"independent{'; its p is the median of those of the seeds' if several else ''}."
    ]
    # Of several splits, the one with the fewest artists.
    notes += sorted({result["interval_note"] for result in results if result["interval_note"]})[:1]
    if any(result["paper"] is not None for result in results):
        notes.append(
            "Paper: Zhang, Zhang and Chen (2018), section 5.1, on fma_small. It says 70/20/10 "
            "percent and not whether an artist may be in two sets. " + paper_arithmetic()
        )
    return [line for note in notes for line in textwrap.wrap(note, _WIDTH)]


def _points(entry: dict[str, Any], brackets: str = "") -> list[str]:
    """Return a difference and its interval in points."""
    low, high = (100 * bound for bound in entry["confidence_interval"])
    left, right = brackets[:1], brackets[1:]
    return [f"{100 * entry['difference']:+.1f}", f"{left}{low:+.1f} to {high:+.1f}{right}"]


def _p_value(p: float) -> str:
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 1 else f"{seconds:.2f}"


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of text: names to the left, figures to the right."""
    columns = [column for column in itertools.zip_longest(*table, fillvalue="")]
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in zip(*columns, strict=True)
    ]
