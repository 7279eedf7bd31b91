"""Compare models on splits, with confidence intervals and McNemar's test.

`compare` makes one run for each model, split and seed (and fold), all cached in the data folder, so
you can stop a comparison and continue it later. It uses only the answers for the test clips.
All models of a run are fitted to the same training clips; the validation clips only tell a network
when to stop. A failed run does not affect the others: it is named, and the result that needs it is
left out.

Intervals are over artists (`songnet_utils.metrics.intervals`), because neither clips by one artist
nor answers of several seeds for one clip are independent evidence. McNemar's test treats clips as
independent, so its p is too small if artists have several clips each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError, check_names
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.artist_parts import ARTIST_PARTS, part_of_artists
from songnet_utils.corpora.splits import check_kind, fold_sets, keep_genres
from songnet_utils.corpora.splits import split as split_clips
from songnet_utils.evaluation.compare_text import comparison_text
from songnet_utils.features.store import LogMels, log_mels
from songnet_utils.metrics.intervals import (
    artist_interval,
    difference_interval,
    few_artists,
    mcnemar_exact,
)
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.registry import NETWORKS, ablation
from songnet_utils.training.recipe import Recipe, check_model, recipe_of
from songnet_utils.training.runs import read_answers, read_record, runs_folder
from songnet_utils.training.train import Run

#: The paper's accuracies on fma_small (section 5.1), by the corresponding model here. For the SVM,
#: the paper does not name the kernel.
PAPER = {
    "chance": ".1250",
    "knn": ".3638",
    "lr": ".4225",
    "mlp": ".4488",
    "svm": ".4638",
    "svm-linear": ".4638",
    "songnet": ".6523",
}

#: The suffix of a network's name for the network and its ablations: without each of its parts, and
#: with each of its extras.
_EACH = "~each"


@dataclass(frozen=True)
class Comparison:
    """The results of `compare`.

    Parameters
    ----------
    results : list of dict
        One for each model and split without a failed run: ``model``, ``split``, ``clips``
        (tested; with folds, each once per seed), ``artists`` (of the tested clips; null
        if the corpus knows none), ``accuracy``, ``confidence_interval`` (over artists),
        ``interval_note`` (a caution about an interval over few artists, or null),
        ``seeds``, ``folds`` (or null), ``artist_overlap`` (the share of tested clips whose
        artist is also among the training or validation clips; null if the corpus knows no
        artist), ``artists_in_two_sets`` and ``copies_in_two_sets`` (the number of artists, or
        null, and of contents with clips in more than one set, the largest of all runs),
        ``accuracies`` (one per seed), ``paper`` (the paper's accuracy of this model, or null),
        ``seconds`` (of fitting and predicting, in all its runs), ``left_out`` (genres and
        reasons), and ``differences``: this accuracy minus that of
        other results, each ``model``, ``split``, ``difference``, ``confidence_interval`` and, for
        the same clips, ``mcnemar_p``, the p of McNemar's exact test (the median over seeds).
        Each pair appears once: a model minus those named before it, and a split minus those named
        after it. ``artist_part`` is null or describes the part of the artists: ``part``, ``seed``,
        and the number of ``artists`` in each part.
    answers : pandas.DataFrame
        One row for each tested clip, model, split and seed: ``model``, ``split``, ``seed``,
        ``fold``, ``id``, ``artist``, ``genre`` (the truth), ``answer``, ``seen`` (is the artist
        among the training or validation clips?), and a network's probabilities.
    unusable : pandas.DataFrame
        Unusable clips.
    failures : list of dict
        Runs that failed: ``run``, ``model``, ``split`` and ``reason``.
    cost : dict
        ``runs``; ``cached``, the number of runs that already existed; ``seconds`` of fitting and
        predicting in all runs, from their records.
    notes : list of str
        Notes on the corpus (see `songnet_utils.features.store.LogMels.notes`).
    """

    results: list[dict[str, Any]]
    answers: pd.DataFrame
    unusable: pd.DataFrame
    failures: list[dict[str, str]] = field(default_factory=list)
    cost: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def as_text(self) -> str:
        """Return the results, their differences and their cost as text."""
        return comparison_text(self.results, self.failures, self.cost)


def model_names(models: Sequence[str]) -> list[str]:
    """Return the named models, each once, with groups expanded.

    Groups are ``all``, ``baselines``, ``networks``, and ``NAME~each``, which is a network and its
    ablations: without each of its parts, and with each extra.

    Raises
    ------
    SongNetError
        When there is no such model.
    """
    check_names("models", models)
    baselines = sorted(BASELINES, key=lambda name: name != "chance")
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
    if not names:
        raise SongNetError("Name at least one model.")
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
    artist_part: str | None = None,
    epochs: int | None = None,
) -> Comparison:
    """Train several models on several splits and compare their answers for the test clips.

    Parameters
    ----------
    corpus : Corpus or str
        A corpus, or the argument for `open_corpus`.
    models, splits : sequence of str
        As in `train`; models may be groups, too (see `model_names`). The text compares the last
        model with each other model.
    genres : sequence of str, or str with commas between the names, optional
        Only these. Genres too small for one of the splits are left out of all.
    seeds : int
        The number of seeds; they are 0 … seeds − 1.
    folds : int, optional
        The number of folds, in which every clip is tested exactly once per seed; by default, there
        is one train/validation/test split per seed.
    progress : bool
        Show progress bars.
    recipe : Recipe, optional
        The recipe for all networks; by default, each has its own.
    subset : str
        Compare the answers for ``"test"`` clips, or for ``"validation"`` clips while you are still
        choosing between models.
    artist_part : str, optional
        Use only clips by ``"development"`` artists, for choosing, or by ``"test"`` artists, for
        reporting (see `songnet_utils.corpora.artist_parts`); all by default.
    epochs : int, optional
        The most epochs of a network; the recipe's by default.

    Raises
    ------
    SongNetError
        When there is nothing to compare, or every model failed.
    """
    models, splits = model_names(models), _checked(splits, seeds, subset, folds)
    if artist_part is not None:
        check_kind(artist_part, ARTIST_PARTS, "a part of the artists")
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    # Report wrong genres before hours of work on the frames, not after.
    _keep_genres(corpus.clips, splits, genres, folds)
    prepared = log_mels(corpus, progress=progress)
    clips, drawn = part_of_artists(prepared.clips, artist_part)
    clips, left_out = _keep_genres(clips, splits, genres, folds)
    limit: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    recipes = {name: dataclasses.replace(recipe or recipe_of(name), **limit) for name in models}
    runs = _runs(prepared, clips, left_out, recipes, splits, seeds, folds)
    done, failures = _make_all(runs, subset, progress)
    shared: dict[str, Any] = {"seeds": seeds, "folds": folds, "set": subset}
    shared |= {"artist_part": drawn, "left_out": left_out}
    return Comparison(
        [result | shared for result in _results(done, failures)],
        pd.concat([run.answers for run in done], ignore_index=True),
        prepared.unusable,
        failures,
        cost={
            "runs": len(done),
            "cached": sum(run.cached for run in done),
            "seconds": round(sum(run.seconds for run in done), 3),
        },
        notes=prepared.notes(clips),
    )


def _checked(splits: Sequence[str], seeds: int, subset: str, folds: int | None) -> list[str]:
    """Return the splits, each once; raise SongNetError for wrong arguments of `compare`."""
    check_names("splits", splits)
    for split in splits:
        check_kind(split)
    if not splits or not isinstance(seeds, int) or seeds < 1:
        raise SongNetError("Name at least one split, and use at least 1 seed.")
    check_kind(subset, ("test",) if folds else ("test", "validation"), "the set compared here")
    return list(dict.fromkeys(splits))


def _runs(
    prepared: LogMels,
    clips: pd.DataFrame,
    left_out: list[dict[str, str]],
    recipes: Mapping[str, Recipe],
    splits: Sequence[str],
    seeds: int,
    folds: int | None,
) -> list[Run]:
    """Return the runs of each split, seed and fold for each model, by its recipe."""
    return [
        Run(
            log_mels=prepared,
            clips=clips,
            sets=sets,
            left_out=left_out,
            model=model,
            split=split,
            seed=seed,
            recipe=recipe,
            fold=fold,
            folds=folds,
        )
        for split, seed in itertools.product(splits, range(seeds))
        for fold, sets in _sets(clips, split, seed, folds)
        for model, recipe in recipes.items()
    ]


def _sets(
    clips: pd.DataFrame, split: str, seed: int, folds: int | None
) -> list[tuple[int | None, pd.Series]]:
    if folds is None:
        return [(None, split_clips(clips, split, seed))]
    return list(enumerate(fold_sets(clips, split, seed, folds)))


@dataclass(frozen=True)
class _Done:
    """A finished run: its record, and its answers for the compared clips."""

    key: tuple[str, str]
    record: dict[str, Any]
    answers: pd.DataFrame
    cached: bool

    @property
    def seconds(self) -> float:
        return self.record["seconds_to_fit"] + self.record["seconds_to_answer"]


def _keep_genres(
    clips: pd.DataFrame,
    splits: Sequence[str],
    genres: Sequence[str] | str | None,
    folds: int | None,
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Leave out genres that are too small for one of the splits; return the others and reasons."""
    left_out: list[dict[str, str]] = []
    for split in splits:
        clips, small = keep_genres(clips, genres, kind=split, k=folds)
        # Keep the chosen genres that are large enough so far.
        genres = None
        left_out += small
    return clips, left_out


def _make_all(
    runs: Sequence[Run], subset: str, progress: bool
) -> tuple[list[_Done], list[dict[str, str]]]:
    """Make or find every run; return the finished runs and the failures."""
    done, failures = [], []
    # For tables this small, linear algebra is many times as fast with a single thread; networks
    # have threads of their own.
    with (
        threadpool_limits(1),
        tqdm(runs, desc="runs", unit="run", disable=not progress, leave=False) as bar,
    ):
        for run in bar:
            fold = "" if run.fold is None else f", fold {run.fold}"
            title = f"{run.model}, {run.split} split, seed {run.seed}{fold}"
            bar.set_postfix_str(title)
            try:
                done.append(_make(run, subset, progress))
            except Exception as error:
                # No failure of this run may stop the others.
                what = "" if isinstance(error, SongNetError) else f"{type(error).__name__}: "
                named = {"run": title, "model": run.model, "split": run.split}
                failures.append({**named, "reason": f"{what}{error}"})
    return done, failures


def _make(run: Run, subset: str, progress: bool) -> _Done:
    """Make or find a run."""
    folder, cached = _home(run)
    if not cached:
        run.make(folder, progress=progress)
    answers = read_answers(folder)
    tested = answers[answers.set == subset].drop(columns="set")
    known = answers.artist[answers.set.isin(["train", "validation"]) & (answers.set != subset)]
    of_run = {"model": run.model, "split": run.split, "seed": run.seed, "fold": run.fold}
    tested = tested.assign(**of_run, seen=tested.artist.isin(set(known)))
    return _Done((run.model, run.split), read_record(folder), tested, cached)


def _home(run: Run) -> tuple[Path, bool]:
    """Return a run's folder, and whether it is finished there."""
    folder = runs_folder(run.log_mels.corpus)
    name = f"{run.model}-{run.split}-{run.seed}"
    # A run of `songnet train` counts, too, if it is the same run and is not damaged.
    with contextlib.suppress(SongNetError):
        if run.fold is None and run.is_finished(folder / name):
            return folder / name, True
    if run.fold is not None:
        name += f"-{run.fold}"
    # This is not a place where `songnet classify` looks for the newest run.
    found = folder / "compared" / f"{name}-{run.fingerprint}"
    return found, run.is_finished(found)


def _results(runs: Sequence[_Done], failures: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the results of each model and split, and their differences, each pair once."""
    failed = {(failure["model"], failure["split"]) for failure in failures}
    models = list(dict.fromkeys(run.key[0] for run in runs))
    keys = [key for key in dict.fromkeys(run.key for run in runs) if key not in failed]
    keys.sort(key=lambda key: models.index(key[0]))
    if not keys:
        raise SongNetError(
            f"At least one run of each model failed. The first: {failures[0]['run']}: "
            f"{failures[0]['reason']}"
        )
    of = {key: [run for run in runs if run.key == key] for key in keys}
    answers = {
        key: pd.concat([run.answers for run in of[key]]).sort_values(["seed", "id"]) for key in keys
    }
    results = [_figures(*key, of[key], answers[key]) for key in keys]
    for place, result in enumerate(results):
        result["differences"] = [
            _difference(answers, result, other)
            for rank, other in enumerate(results)
            if (other["split"] == result["split"] and rank < place)
            or (other["model"] == result["model"] and rank > place)
        ]
    return results


def _figures(
    model: str, split: str, runs: Sequence[_Done], answers: pd.DataFrame
) -> dict[str, Any]:
    right = answers.genre == answers.answer
    in_two_sets = [run.record["artists_in_two_sets"] for run in runs]
    unknown = None in in_two_sets
    artists = None if unknown else int(answers.artist.nunique())
    return {
        "model": model,
        "split": split,
        "clips": len(answers),
        "artists": artists,
        "accuracy": float(right.mean()),
        "confidence_interval": list(artist_interval(right, answers.artist)),
        "interval_note": few_artists(artists) or None,
        "accuracies": right.groupby(answers.seed).mean().tolist(),
        "artist_overlap": None if unknown else float(answers.seen.mean()),
        "artists_in_two_sets": None if unknown else max(in_two_sets),
        "copies_in_two_sets": max(run.record["copies_in_two_sets"] for run in runs),
        "paper": float(PAPER[model]) if model in PAPER else None,
        "seconds": round(sum(run.seconds for run in runs), 3),
    }


def _difference(
    answers: dict[tuple[str, str], pd.DataFrame], result: dict[str, Any], other: dict[str, Any]
) -> dict[str, Any]:
    """Return the difference of one result minus another."""
    a, b = (answers[of["model"], of["split"]] for of in (result, other))
    # With folds, two splits also test the same clips.
    same = np.array_equal(a[["seed", "id"]], b[["seed", "id"]])
    right_a, right_b = ((of.genre == of.answer).to_numpy() for of in (a, b))
    interval = difference_interval(right_a, right_b, a.artist, None if same else b.artist)
    found = {
        "model": other["model"],
        "split": other["split"],
        "difference": float(right_a.mean() - right_b.mean()),
        "confidence_interval": list(interval),
    }
    if result["split"] == other["split"]:
        seeds = [(a.seed == seed).to_numpy() for seed in a.seed.unique()]
        of_seeds = [mcnemar_exact(right_a[seed], right_b[seed]) for seed in seeds]
        found["mcnemar_p"] = float(np.median(of_seeds))
    return found
