"""A training run: corpus + split + model → weights, answers and a record, in one folder.

A run writes ``model.keras`` and ``model.onnx`` (for a network; a recurrent one also has
``stream.onnx``), ``answers.csv`` (its prediction for every clip) and, last of all,
``record.json``, which marks it as finished. Until then, the folder has a network's progress
(`songnet_utils.training.progress`), so you can stop the run at any time and resume it with the same
result.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix

from songnet_utils._utils.errors import check_seed
from songnet_utils._utils.files import sweep, write_csv, write_json
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.splits import (
    SETS,
    artist_overlap,
    artists,
    check_kind,
    copies_in_two_sets,
    keep_genres,
)
from songnet_utils.corpora.splits import split as split_clips
from songnet_utils.features import FEATURE_SETS
from songnet_utils.features.metadata import metadata
from songnet_utils.features.store import LogMels, LogMelStore
from songnet_utils.metrics.intervals import artist_interval, few_artists
from songnet_utils.models.baselines import (
    BASELINES,
    baseline_inputs,
    converged,
    fit_baseline,
    predict_baseline,
)
from songnet_utils.models.building import keras
from songnet_utils.models.onnx_export import save_onnx, save_stream
from songnet_utils.models.registry import NetworkKind, network_kind
from songnet_utils.models.trained import save_keras
from songnet_utils.training.fine_tuning import TRAINED_ON_BEFORE, Parent
from songnet_utils.training.fit import Trainer
from songnet_utils.training.progress import PROGRESS
from songnet_utils.training.recipe import Recipe, check_model, recipe_of
from songnet_utils.training.runs import (
    RECORD,
    UNFINISHED,
    check_home,
    check_same,
    read_record,
    runs_folder,
)

_NETWORK_FILES = ("model.keras", "model.onnx", "stream.onnx")
_FILES = (RECORD, PROGRESS, *_NETWORK_FILES, "answers.csv", TRAINED_ON_BEFORE)
_PACKAGES = "songnet-utils keras tensorflow jax scikit-learn numpy scipy soxr soundfile librosa"


def train(
    corpus: Corpus | str,
    model: str | None = None,
    split: str = "random",
    genres: Sequence[str] | str | None = None,
    seed: int = 0,
    epochs: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = True,
    recipe: Recipe | None = None,
    start: str | Path | None = None,
) -> Path:
    """Train a model on a corpus, or continue a run that was stopped.

    Parameters
    ----------
    corpus : Corpus or str
        A corpus, or the argument for `open_corpus`.
    model : str, optional
        A network or baseline; by default songnet, or the network of `start`.
    split : str
        ``"random"``, ``"artist"`` (no artist in two sets) or ``"official"`` (the corpus's own).
    genres : sequence of str, or str with commas between the names, optional
        Only these; all by default. Genres too small for the split are left out.
    seed : int
        The seed for the split, the weights and everything random in training.
    epochs : int, optional
        The most epochs; the recipe's by default.
    out : path, optional
        The run's folder; ``runs/CORPUS/MODEL-SPLIT-SEED`` in the data folder by default.
    force, progress : bool
        Delete an earlier run on the same corpus from the folder; show progress bars.
    recipe : Recipe, optional
        The recipe; the network's own by default, at a fifth of the learning rate with `start`.
    start : path, optional
        A finished run of a network to fine-tune; the test set excludes its training clips.

    Returns
    -------
    pathlib.Path
        The run's folder.

    Raises
    ------
    SongNetError
        When there is nothing to train or test on, or the folder has another run or other files.
    """
    parent = None if start is None else Parent.of(Path(start), model)
    model = model or (parent.model if parent else "songnet")
    check_model(model)
    check_kind(split)
    check_seed(seed)
    if out is not None:
        check_home(Path(out), force=True)
    recipe = recipe or (parent.recipe() if parent else recipe_of(model))
    if epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=epochs)
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    name = f"{model}-{split}-{seed}" + (f"-from-{parent.fingerprint[:6]}" if parent else "")
    folder = Path(out) if out else runs_folder(corpus) / name
    check_home(folder, corpus, force=force)
    keep_genres(corpus.clips, genres, kind=split)
    store = LogMelStore(sound=parent.sound) if parent else LogMelStore()
    log_mels = store.prepare(corpus, progress=progress)
    clips, left_out = keep_genres(log_mels.clips, genres, kind=split)
    run = Run(
        log_mels=log_mels,
        clips=clips,
        sets=(parent.split if parent else split_clips)(clips, split, seed),
        left_out=left_out,
        model=model,
        split=split,
        seed=seed,
        recipe=recipe,
        parent=parent,
    )
    run.make(folder, force=force, progress=progress)
    return folder


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that the result of a run depends on.

    Parameters
    ----------
    log_mels : LogMels
        The corpus with its frames and statistics.
    clips : pandas.DataFrame
        The clips of all sets.
    sets : pandas.Series
        train, validation or test, with the index of `clips`.
    left_out : list of dict
        The genres left out, with reasons.
    model, split, seed, recipe
        As in `train`.
    fold : int, optional
        The number of the test fold.
    folds : int, optional
        The number of folds.
    parent : Parent, optional
        The run whose weights it starts from.
    """

    log_mels: LogMels
    clips: pd.DataFrame
    sets: pd.Series
    left_out: list[dict[str, str]]
    model: str
    split: str
    seed: int
    recipe: Recipe
    fold: int | None = None
    folds: int | None = None
    parent: Parent | None = None

    @property
    def genres(self) -> list[str]:
        """The genres, in the order of the network's outputs."""
        return sorted(self.clips.genre.unique())

    @property
    def kind(self) -> NetworkKind | None:
        """The kind of network; None for a baseline."""
        return None if self.model in BASELINES else network_kind(self.model)

    @property
    def sound(self) -> Sound:
        """The description of sound of the model."""
        return self.kind.sound if self.kind and self.kind.on_musicnn else self.log_mels.sound

    def names(self) -> dict[str, Any]:
        """Return the names of the run, for its mark and its record."""
        folder = self.log_mels.corpus.folder
        return {
            "corpus": self.log_mels.corpus.name,
            "corpus_folder": None if folder is None else str(folder),
            "model": self.model,
            "split": self.split,
            "seed": self.seed,
            "fold": self.fold,
            "folds": self.folds,
            "genres": self.genres,
            **({"from": self.parent.as_dict()} if self.parent else {}),
        }

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that identify the run, for JSON."""
        deal = hashlib.sha256()
        for clip, genre, subset in sorted(
            zip(self.clips.id, self.clips.genre, self.sets, strict=True)
        ):
            deal.update(repr((clip, genre, subset, self.log_mels.contents[clip])).encode())
        kind = self.kind or BASELINES[self.model]
        if kind.metadata:
            deal.update(metadata(self.clips).sort_index().to_csv().encode())
        # The corpus is identified by its clips, not by their place.
        names = {name: value for name, value in self.names().items() if name != "corpus_folder"}
        return {
            **names,
            "clips and their sets": deal.hexdigest()[:16],
            "sound": self.sound.to_dict(),
            **(
                {"network": self.kind.description(), "recipe": dataclasses.asdict(self.recipe)}
                if self.kind
                else {"inputs": self._inputs()}
            ),
        }

    @property
    def fingerprint(self) -> str:
        """Ten hexadecimal digits that identify the run."""
        arguments = json.dumps(self.arguments(), sort_keys=True)
        return hashlib.sha256(arguments.encode()).hexdigest()[:10]

    def _inputs(self) -> dict[str, Any]:
        """Return the source of a baseline's inputs, for JSON."""
        kind = BASELINES[self.model]
        inputs = {"features": kind.features, "metadata": kind.metadata}
        if kind.features is None:
            return inputs
        published = self.log_mels.is_published(kind.features)
        version = FEATURE_SETS[kind.features].version
        where = "FMA's features.csv" if published else "the clips"
        return {**inputs, "features_version": version, "features_from": where}

    def is_finished(self, folder: Path) -> bool:
        """Tell whether `folder` has this run, finished.

        Raises
        ------
        SongNetError
            When it has another finished run.
        """
        if not (folder / RECORD).exists():
            return False
        check_same(folder, "a finished", read_record(folder).get("arguments"), self.arguments())
        return True

    def make(self, folder: Path, *, force: bool = False, progress: bool = True) -> None:
        """Do the rest of the run; see `train`."""
        if force or not (folder / UNFINISHED).exists():
            # A resumed run keeps its mark, because the check that it is the same run comes later.
            write_json(folder / UNFINISHED, self.names())
        if force:
            # Delete the record first, so that the rest is an unfinished run.
            for name in _FILES:
                (folder / name).unlink(missing_ok=True)
        began = time.monotonic()
        fit = self._fit_network if self.kind else self._fit_baseline
        answers, of_model = fit(folder, progress)
        write_csv(folder / "answers.csv", answers)
        if self.parent:
            write_csv(folder / TRAINED_ON_BEFORE, self.parent.trained_on)
        nobody = self.clips.artist.isna().all()
        record = {
            **self.names(),
            "artists_in_two_sets": None if nobody else artist_overlap(self.clips, self.sets),
            "copies_in_two_sets": copies_in_two_sets(self.clips, self.sets),
            "notes": self.log_mels.notes(self.clips),
            "left_out": self.left_out,
            "unusable": self.log_mels.unusable[["id", "reason"]].to_dict("records"),
            "sound": self.sound.to_dict(),
            **of_model,
            **{subset: self.score(answers, subset) for subset in SETS},
            "seconds_of_last_start": round(time.monotonic() - began, 1),
            "versions": versions(),
            "arguments": self.arguments(),
        }
        write_json(folder / RECORD, record)
        for name in (PROGRESS, UNFINISHED):
            (folder / name).unlink(missing_ok=True)
        # Delete the incomplete files of an earlier start that was killed.
        sweep(folder)

    def _fit_network(self, folder: Path, progress: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Train the network, save it, and return its answers and its part of the record."""
        assert self.kind is not None
        trainer = Trainer(
            self.kind,
            self.log_mels,
            self.clips,
            self.sets,
            self.genres,
            recipe=self.recipe,
            seed=self.seed,
            start=self.parent.net if self.parent else None,
            progress=progress,
        )
        epochs = trainer.fit(folder, self.arguments())
        began = time.monotonic()
        answers = self.answers_table(trainer.predict_proba(self.clips.id), self.genres)
        answered = time.monotonic() - began
        music, caution = self._training_music()
        net = trainer.songnet(training_music=music, caution=caution)
        save_keras(net, folder / "model.keras")
        save_onnx(net, folder / "model.onnx")
        save_stream(net, folder / "stream.onnx")
        losses = [epoch["validation_loss"] for epoch in epochs]
        # A cosine schedule uses the last weights.
        best = len(losses) if self.recipe.schedule == "cosine" else 1 + int(np.argmin(losses))
        return answers, {
            "network": {
                "name": net.name,
                "training_music": net.training_music,
                "weights": net.keras_model.count_params(),
                "parts": self.kind.description(),
                "backend": keras.backend.backend(),
            },
            "epochs": epochs,
            "best_epoch": best,
            "recipe": vars(self.recipe),
            # Epochs before an interruption count, too.
            "seconds_to_fit": round(sum(epoch["seconds"] for epoch in epochs), 4),
            "seconds_to_answer": round(answered, 4),
        }

    def _fit_baseline(self, folder: Path, progress: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Fit the baseline, save it, and return its answers and its part of the record."""
        features = BASELINES[self.model].features
        values = self.log_mels.hand_crafted(features, progress=progress) if features else None
        inputs = baseline_inputs(self.model, values, self.clips)
        train = (self.sets == "train").to_numpy()
        began = time.monotonic()
        baseline = fit_baseline(
            self.model, inputs[train], self.clips.genre[train].to_numpy(), self.seed
        )
        fitted = time.monotonic()
        answers = self.answers_table(predict_baseline(baseline, inputs))
        answered = time.monotonic()
        return answers, {
            "network": None,
            "epochs": [],
            "baseline": {
                **self._inputs(),
                "columns": inputs.shape[1],
                "classifier": type(baseline[-1]).__name__,
                "converged": converged(baseline),
            },
            "seconds_to_fit": round(fitted - began, 4),
            "seconds_to_answer": round(answered - fitted, 4),
        }

    def _training_music(self) -> tuple[str, str]:
        """Return a description of a network's training music, and a caution."""
        before = f"{self.parent.net.training_music}, then " if self.parent else ""
        corpus, count = self.log_mels.corpus, (self.sets == "train").sum()
        music = f"{before}{count} clips of {len(self.genres)} genres of {corpus.name}"
        if "teaching corpus" not in corpus.description:
            return music, ""
        return (
            f"{music}, a teaching corpus of music composed by rules",
            "It was trained on music composed by rules: its answer for a real song means little.",
        )

    def answers_table(
        self, answers: np.ndarray, genres: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return a table of the clips with the predicted genres or their probabilities."""
        table = pd.DataFrame(
            {
                "id": self.clips.id,
                "content": self.clips.id.map(self.log_mels.contents),
                "set": self.sets,
                "artist": artists(self.clips),
                "genre": self.clips.genre,
            }
        )
        if genres is None:
            return table.assign(answer=answers)
        table["answer"] = np.asarray(genres)[answers.argmax(axis=1)]
        for genre, column in zip(genres, answers.T, strict=True):
            table[f"p_{genre}"] = column
        return table

    def score(self, answers: pd.DataFrame, subset: str) -> dict[str, Any]:
        """Return the scores of the answers for one set, for JSON."""
        tested = answers[answers.set == subset]
        # A corpus without any known artist does not have as many artists as clips.
        nobody = self.clips.artist.isna().all()
        right = (tested.genre == tested.answer).to_numpy()
        artists = None if nobody else int(tested.artist.nunique())
        score = {
            "clips": len(tested),
            "artists": artists,
            "clips_of_unknown_artists": int(self.clips.artist[self.sets == subset].isna().sum()),
            "accuracy": accuracy_score(tested.genre, tested.answer),
            "confidence_interval": artist_interval(right, tested.artist),
            "interval_note": few_artists(artists) or None,
        }
        if subset == "test":
            table = confusion_matrix(tested.genre, tested.answer, labels=self.genres)
            score["confusion"] = table.tolist()
        return score


def versions() -> dict[str, str]:
    """Return the versions of the packages behind a run's numbers, with installed backends."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES.split():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
