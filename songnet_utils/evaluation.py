"""Which model is better, on which split, and whether that is more than luck.

`compare` makes one run for each model, split and seed (and fold), all cached in the data folder,
so that a comparison that was stopped goes on, and looks at the answers for the tested clips only.
Every model is fitted to the same training clips of a run; the validation clips only tell a
network when to stop.

Intervals are drawn over artists (`songnet_utils.scores`): clips of one artist, and answers of
several seeds for one clip, are no independent evidence.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.files import atomic_write
from songnet_utils.scores import (
    Interval,
    artist_interval,
    difference_interval,
    mcnemar_exact,
    wilson_interval,
)
from songnet_utils.splits import artists, keep_genres
from songnet_utils.splits import folds as deal_folds
from songnet_utils.splits import split as split_clips
from songnet_utils.store import LogMelStore
from songnet_utils.training import (
    Recipe,
    Run,
    check_model,
    check_split,
    read_answers,
    runs_folder,
)

#: With folds, one of so many parts of the clips that are not tested is for validation.
_VALIDATION_PARTS = 8


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Parameters
    ----------
    results : list of dict
        One for each model and split: ``model``, ``split``, ``clips`` (tested, each once a seed
        when folds are used), ``accuracy``, ``confidence_interval``, ``seeds``, ``folds`` (null
        without), ``artist_overlap`` (the share of tested clips whose artist is among the
        training or validation clips too; null where the corpus knows no artist), and
        ``differences``: this accuracy minus that of other results, each ``model``, ``split``,
        ``difference``, ``confidence_interval`` and, for the same clips and one seed, the
        ``mcnemar_p`` of McNemar's exact test.
    answers : pandas.DataFrame
        One row for each tested clip, model, split and seed: ``model``, ``split``, ``seed``,
        ``fold``, ``id``, ``artist``, ``genre`` (the truth), ``answer``, ``seen`` (is the artist
        among the training or validation clips?), and a network's probabilities.
    left_out : dict
        Genre → why it was left out.
    unusable : pandas.DataFrame
        Clips that could not be used.
    """

    results: list[dict[str, Any]]
    answers: pd.DataFrame
    left_out: dict[str, str]
    unusable: pd.DataFrame

    def as_table(self) -> pd.DataFrame:
        """Return the results, one row each."""
        return pd.DataFrame(self.results).drop(columns="differences")

    def as_text(self) -> str:
        """Return the results and their differences for people to read."""
        lines = [
            f"{'model':10} {'split':9} {'accuracy':>8}   {'95 % interval':17} {'clips':>6} "
            f"{'seeds':>5} {'folds':>5}  artist overlap"
        ]
        for result in self.results:
            low, high = result["confidence_interval"]
            overlap = result["artist_overlap"]
            lines.append(
                f"{result['model']:10} {result['split']:9} {result['accuracy']:8.1%}   "
                f"{low:6.1%} to {high:6.1%}  {result['clips']:6,} {result['seeds']:5} "
                f"{result['folds'] or '-':>5}  "
                f"{'not known' if overlap is None else f'{overlap:.0%} of clips'}"
            )
        of_models, of_splits = [], []
        for result in self.results:
            for entry in result["differences"]:
                low, high = (100 * bound for bound in entry["confidence_interval"])
                figures = f"{100 * entry['difference']:+.1f} points [{low:+.1f} to {high:+.1f}]"
                if entry["split"] == result["split"]:
                    pair = f"{result['model']} minus {entry['model']}, {entry['split']} split"
                    of_models.append(f"{pair}: {figures}")
                else:
                    pair = f"{result['model']}, {result['split']} minus {entry['split']} split"
                    of_splits.append(f"{pair}: {figures}")
        return "\n".join([*lines, "", *of_models, *of_splits]).rstrip()


def compare(
    corpus: Corpus | str,
    models: Sequence[str] = ("chance", "svm", "songnet"),
    splits: Sequence[str] = ("random", "artist"),
    genres: Sequence[str] | None = None,
    seeds: int = 1,
    folds: int | None = None,
    json_file: str | Path | None = None,
    progress: bool = True,
    recipe: Recipe | None = None,
) -> Comparison:
    """Train several models on several splits and compare what they answer for tested clips.

    Parameters
    ----------
    corpus : Corpus or str
        What `open_corpus` returns or takes.
    models, splits : sequence of str
        See `songnet_utils.training.train`.
    genres : sequence of str, optional
        Only these. Genres too small for one of the splits are left out of all.
    seeds : int
        Everything is done with the seeds 0 … seeds − 1.
    folds : int, optional
        Test every clip exactly once a seed, in so many folds; on the artist split no artist is
        in two of them. Without, one train/validation/test split a seed.
    json_file : path, optional
        Write the results there as a list.
    progress : bool
        Show progress bars.
    recipe : Recipe, optional
        How networks are trained.

    Raises
    ------
    SongNetError
        When there is nothing to compare.
    """
    for model in models:
        check_model(model)
    for split in splits:
        check_split(split)
    if not models or not splits:
        raise SongNetError("Name at least one model and one split to compare.")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise SongNetError(f"seeds must be a whole number of at least 1. Got {seeds!r}")
    if folds is not None and "official" in splits:
        raise SongNetError(
            "The official split says who is tested: it has no folds. "
            "Leave --folds out, or compare on the random and artist splits."
        )
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    prepared = LogMelStore().prepare(corpus, progress=progress)
    clips = prepared.clips
    left_out: dict[str, str] = {}
    for split in splits:
        clips, small = keep_genres(
            clips,
            None if genres is None else [g for g in genres if g not in left_out],
            kind=split,
            k=folds,
        )
        left_out |= {entry["genre"]: entry["reason"] for entry in small}
    runs = [
        Run(
            prepared=prepared,
            clips=clips,
            sides=sides,
            left_out=[{"genre": genre, "reason": reason} for genre, reason in left_out.items()],
            model=model,
            split=split,
            seed=seed,
            recipe=recipe or Recipe(),
            fold=fold,
            folds=folds,
        )
        for split, seed in itertools.product(splits, range(seeds))
        for fold, sides in _sides(clips, split, seed, folds)
        for model in models
    ]
    tables = []
    bar = tqdm(runs, desc="runs", unit="run", disable=not progress, leave=False)
    for run in bar:
        bar.set_postfix_str(f"{run.model}, {run.split} split")
        tables.append(_tested(run, _make(run, progress)))
    answers = pd.concat(tables, ignore_index=True)
    results = [
        _result(answers, model, split, seeds, folds, clips.artist.isna().all())
        for model in models
        for split in splits
    ]
    for result in results:
        result["differences"] = [
            _difference(answers, result, other, seeds)
            for other in results
            if _is_telling(result, other, results)
        ]
    if json_file is not None:
        with atomic_write(json_file) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return Comparison(results, answers, left_out, prepared.unusable)


def fold_sides(clips: pd.DataFrame, split: str, seed: int, folds: int) -> list[pd.Series]:
    """Return train, validation and test sides for each fold.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    split : str
        ``"random"`` or ``"artist"``: then no artist is on two sides.
    seed : int
        Of the dealing.
    folds : int
        Every clip is tested in exactly one of them. Of the others about an eighth are for
        validation.

    Raises
    ------
    SongNetError
        When a genre has too few clips or artists.
    """
    part = deal_folds(clips, split, folds, seed)
    dealt = []
    for fold in range(folds):
        rest = clips[part != fold]
        groups = artists(rest) if split == "artist" else rest.id
        fewest = groups.groupby(rest.genre).nunique()
        if fewest.min() < 2:
            what = "artist" if split == "artist" else "clip"
            raise SongNetError(
                f"genre {fewest.idxmin()}: has 1 {what} outside fold {fold}; one to learn from "
                "and one for validation are needed. Choose more folds, or leave the genre out."
            )
        validation = deal_folds(rest, split, min(_VALIDATION_PARTS, int(fewest.min())), seed) == 0
        sides = pd.Series("train", clips.index, name="side")
        sides[part == fold] = "test"
        sides[validation.index[validation]] = "validation"
        dealt.append(sides)
    return dealt


def _sides(
    clips: pd.DataFrame, split: str, seed: int, folds: int | None
) -> list[tuple[int | None, pd.Series]]:
    if folds is None:
        return [(None, split_clips(clips, split, seed))]
    return list(enumerate(fold_sides(clips, split, seed, folds)))


def _make(run: Run, progress: bool) -> Path:
    """Make a run, or find it; return its folder."""
    folder = runs_folder(run.prepared.corpus)
    if run.fold is None:
        # What `songnet train` left is as good, when it is the same run.
        trained = folder / f"{run.model}-{run.split}-{run.seed}"
        try:
            if run.is_finished(trained):
                return trained
        except SongNetError:
            pass
    arguments = json.dumps(run.arguments(), sort_keys=True)
    name = f"{run.model}-{run.split}-{run.seed}" + ("" if run.fold is None else f"-{run.fold}")
    # Not where `songnet classify` looks for the newest run.
    cached = folder / "compared" / f"{name}-{hashlib.sha256(arguments.encode()).hexdigest()[:10]}"
    if not run.is_finished(cached):
        run.make(cached, progress=progress)
    return cached


def _tested(run: Run, folder: Path) -> pd.DataFrame:
    """Return a run's answers for the clips that it tested."""
    answers = read_answers(folder)
    tested = answers[answers.side == "test"].drop(columns="side")
    known = set(answers.artist[answers.side != "test"])
    tested.insert(0, "model", run.model)
    tested.insert(1, "split", run.split)
    tested.insert(2, "seed", run.seed)
    tested.insert(3, "fold", run.fold)
    return tested.assign(seen=tested.artist.isin(known))


def _result(
    answers: pd.DataFrame, model: str, split: str, seeds: int, folds: int | None, nobody: bool
) -> dict[str, Any]:
    tested = _of(answers, model, split)
    right = (tested.genre == tested.answer).to_numpy()
    return {
        "model": model,
        "split": split,
        "clips": len(tested),
        "accuracy": float(right.mean()),
        "confidence_interval": list(_interval(right, tested)),
        "seeds": seeds,
        "folds": folds,
        "artist_overlap": None if nobody else float(tested.seen.mean()),
    }


def _interval(right: np.ndarray, tested: pd.DataFrame) -> Interval:
    if right.all() or not right.any():
        # Drawing among nothing but right answers tells nothing of how surely they are right.
        different = tested.id.nunique()
        return wilson_interval(different if right.all() else 0, different)
    return artist_interval(right, tested.artist)


def _of(answers: pd.DataFrame, model: str, split: str) -> pd.DataFrame:
    chosen = answers[(answers.model == model) & (answers.split == split)]
    return chosen.sort_values(["seed", "id"])


def _is_telling(
    result: dict[str, Any], other: dict[str, Any], results: Sequence[dict[str, Any]]
) -> bool:
    """Tell whether a difference is worth stating.

    That is the last named model against the others on each split, and each model's first named
    split against the others.
    """
    if result is other:
        return False
    if result["split"] == other["split"]:
        return result["model"] == results[-1]["model"]
    return result["model"] == other["model"] and result["split"] == results[0]["split"]


def _difference(
    answers: pd.DataFrame, result: dict[str, Any], other: dict[str, Any], seeds: int
) -> dict[str, Any]:
    a = _of(answers, result["model"], result["split"])
    b = _of(answers, other["model"], other["split"])
    right_a, right_b = (table.genre == table.answer for table in (a, b))
    found = {
        "model": other["model"],
        "split": other["split"],
        "difference": float(right_a.mean() - right_b.mean()),
        "confidence_interval": list(difference_interval(right_a, right_b, a.artist, b.artist)),
    }
    same_clips = len(a) == len(b) and (a[["seed", "id"]].values == b[["seed", "id"]].values).all()
    if seeds == 1 and same_clips:
        found["mcnemar_p"] = mcnemar_exact(right_a, right_b)
    return found
