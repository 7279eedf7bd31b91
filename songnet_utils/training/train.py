"""A training run: corpus + split + model → weights, answers and a record, in one folder.

A run leaves in its folder ``model.keras`` and ``model.onnx`` (a network; a recurrent one leaves
``stream.onnx``, too) or ``model.skops`` (a baseline), ``answers.csv`` (what it says of every clip)
and, last of all, ``record.json``: a folder with a record is finished. Until then a network's
progress lies there (`songnet_utils.training.fit`), and the same run goes on to the same end,
whenever it was stopped.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix

from songnet_utils._utils.errors import SongNetError, check_seed, did_you_mean
from songnet_utils._utils.files import read_csv, sweep, write_csv, write_json
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, data_folder, open_corpus
from songnet_utils.corpora.splits import (
    KINDS,
    SETS,
    UNKNOWN_ARTIST,
    UntestedError,
    artist_overlap,
    artists,
    copies_in_two_sets,
    keep_genres,
    split_unseen,
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
    save_baseline,
)
from songnet_utils.models.onnx_export import save_onnx, save_stream
from songnet_utils.models.registry import NETWORKS, NetworkKind, network_kind
from songnet_utils.models.trained import SongNet, save_keras
from songnet_utils.training.fit import PROGRESS, Learning, Material, Recipe, check_same
from songnet_utils.training.runs import (
    RECORD,
    UNFINISHED,
    begin,
    check_home,
    load_songnet,
    read_record,
)

#: All that `train` can make.
MODELS = (*NETWORKS, *BASELINES)

#: How much slower a network learns that starts from a run's weights.
SLOWER = 0.2

# What a run that starts from another one knows of those before it.
_EARLIER = "trained-on-before.csv"

_NETWORK_FILES = ("model.keras", "model.onnx", "stream.onnx")
_FILES = (RECORD, PROGRESS, *_NETWORK_FILES, "model.skops", "answers.csv", _EARLIER)


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
    tensorboard: bool = False,
    start: str | Path | None = None,
) -> Path:
    """Train a model on a corpus, or go on with a run that was stopped.

    Parameters
    ----------
    corpus : Corpus or str
        What `open_corpus` returns or takes.
    model : str, optional
        One of `MODELS`: songnet by default, or the model of the run that it starts from.
    split : str
        ``"random"``, ``"artist"`` (no artist in two sets) or ``"official"`` (the corpus's own).
    genres : sequence of str, or str with commas between the names, optional
        Only these; all by default. Genres too small for the split are left out.
    seed : int
        Of the split, the weights and everything random in training.
    epochs : int, optional
        The most epochs; the recipe's by default.
    out : path, optional
        The run's folder; ``runs/CORPUS/MODEL-SPLIT-SEED`` in the data folder by default.
    force : bool
        Throw away what an earlier run on the same corpus left in the folder.
    progress : bool
        Show a progress bar.
    recipe : Recipe, optional
        How a network is trained; by default its own recipe, and where it starts from a run's
        weights, at `SLOWER` times the learning rate.
    tensorboard : bool
        Write a network's figures for TensorBoard, too, into the run's folder.
    start : path, optional
        A finished run of a network to fine-tune: training starts from its weights. Genres that it
        does not know start fresh. No clip is in the test set that it, or a run that it started
        from itself, was trained on or chosen by; nor is any other clip by the same artist.

    Returns
    -------
    pathlib.Path
        The run's folder.

    Raises
    ------
    SongNetError
        When there is nothing to learn from or to test on, when the folder holds a finished run, an
        unfinished one with other arguments, a run on another corpus, or anything else.
    """
    parent = None if start is None else Parent.of(Path(start), model)
    if model is None:
        model = parent.model if parent else "songnet"
    check_model(model)
    check_split(split)
    check_seed(seed)
    if out is not None:
        # What is wrong with the folder is said before minutes of work on the corpus, not after.
        check_home(Path(out), force=True)
    recipe = recipe or (parent.recipe() if parent else recipe_of(model))
    if epochs is not None:
        recipe = dataclasses.replace(recipe, epochs=epochs)
    if not isinstance(corpus, Corpus):
        corpus = open_corpus(corpus, progress=progress)
    name = f"{model}-{split}-{seed}" + (f"-from-{parent.fingerprint[:6]}" if parent else "")
    folder = Path(out) if out else runs_folder(corpus) / name
    if out and corpus.folder and folder.resolve().is_relative_to(corpus.folder.resolve()):
        raise SongNetError(
            f"{folder}: lies in the corpus itself, which is never changed. Choose another folder: "
            "--out DIR."
        )
    check_home(folder, corpus, force=force)
    # What is wrong with the genres is said before hours of work on the frames, not after.
    keep_genres(corpus.clips, genres, kind=split)
    store = LogMelStore(sound=parent.sound) if parent else LogMelStore()
    prepared = store.prepare(corpus, progress=progress)
    clips, left_out = keep_genres(prepared.clips, genres, kind=split)
    run = Run(
        prepared=prepared,
        clips=clips,
        sets=parent.split(clips, split, seed) if parent else split_clips(clips, split, seed),
        left_out=left_out,
        model=model,
        split=split,
        seed=seed,
        recipe=recipe,
        parent=parent,
    )
    run.make(folder, force=force, progress=progress, tensorboard=tensorboard)
    return folder


def check_model(model: str) -> None:
    """Raise SongNetError unless `model` is one of `MODELS`, or a network without parts it has."""
    if not isinstance(model, str):
        raise SongNetError(f"A model is given by its name, such as songnet or svm. Got {model!r}")
    first = re.split("[~+]", model)[0]
    if model in BASELINES:
        return
    if first not in NETWORKS:
        raise SongNetError(
            f"A model is one of {', '.join(MODELS)}. Got {model!r}.{did_you_mean(first, MODELS)}"
        )
    network_kind(model)


def recipe_of(model: str) -> Recipe:
    """Return how a model is trained unless one says otherwise."""
    return Recipe() if model in BASELINES else Recipe(**network_kind(model).recipe)


def check_split(split: str) -> None:
    """Raise SongNetError unless `split` is a kind of split."""
    if split not in KINDS:
        raise SongNetError(
            f"A split is one of {', '.join(KINDS)}. Got {split!r}.{did_you_mean(str(split), KINDS)}"
        )


def runs_folder(corpus: Corpus) -> Path:
    """Return the folder for a corpus's runs in the data folder."""
    return data_folder() / "runs" / corpus.name


def read_answers(folder: str | Path) -> pd.DataFrame:
    """Return what a finished run says of every clip.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``content`` (the SHA-256 of the file), ``set`` (train, validation, test),
        ``artist`` (one's own where unknown), ``genre`` (the truth), ``answer``, and for a network
        ``p_GENRE`` for each genre.

    Raises
    ------
    SongNetError
        When they are not there, or cannot be read.
    """
    path = Path(folder) / "answers.csv"
    try:
        answers = read_csv(path)
        return answers.astype({name: "float64" for name in answers if name.startswith("p_")})
    except (OSError, ValueError) as error:
        raise SongNetError(
            f"{path}: cannot be read ({error}). Train the run again with --force."
        ) from error


def network_of(folder: Path, record: Mapping[str, Any], refusal: str) -> SongNet:
    """Return the network of a finished run.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    record : mapping
        Its record.
    refusal : str
        What to say, after the folder's name, of a run that is none of a network.

    Raises
    ------
    SongNetError
        When it is none of a network, or the network cannot be read.
    """
    if record.get("network") is None:
        raise SongNetError(f"{folder}: {refusal}")
    net = load_songnet(folder)
    # A run's folder holds nothing else: the pretrained listener has none.
    assert isinstance(net, SongNet)
    return net


def prepared_of(
    folder: Path,
    record: dict[str, Any],
    corpus: LogMels | Corpus | str | Path | None = None,
    *,
    sound: Sound | None = None,
    progress: bool = True,
) -> LogMels:
    """Return the corpus that a run was trained on, with its frames.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    record : dict
        Its record.
    corpus : LogMels, Corpus, str or path, optional
        The corpus, which may have another name by now (`check_clips` tells whether it is the
        one); by default the folder in the record, or what `open_corpus` finds under the name there.
    sound : Sound, optional
        Of the frames; what the run's network hears by default.
    progress : bool
        Show progress bars.

    Raises
    ------
    SongNetError
        When it is not found.
    """
    if corpus is None:
        try:
            place = record.get("corpus_folder") or record["corpus"]
            corpus = open_corpus(place, progress=progress)
        except SongNetError as error:
            raise SongNetError(
                f"{folder}: was trained on {place}, which cannot be opened ({error}) "
                "Name its folder with --corpus FOLDER."
            ) from error
    elif not isinstance(corpus, LogMels | Corpus):
        corpus = open_corpus(corpus, progress=progress)
    if isinstance(corpus, LogMels):
        return corpus
    sound = sound or Sound.from_dict(record["sound"])
    return LogMelStore(sound=sound).prepare(corpus, progress=progress)


def check_clips(folder: Path, prepared: LogMels, answers: pd.DataFrame, what: str) -> None:
    """Raise SongNetError unless a run's clips are there, with the genres they had.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    prepared : LogMels
        The corpus as it is now.
    answers : pandas.DataFrame
        Of the run, the rows of the clips that are needed.
    what : str
        What to call them: "test clips".
    """
    name = prepared.corpus.name
    now = prepared.clips.set_index("id").genre.reindex(answers.id)
    gone = now.index[now.isna()]
    if len(gone):
        raise SongNetError(
            f"{folder}: {len(gone):,} of its {len(answers):,} {what} are not among the usable "
            f"clips of {name}, the first is {gone[0]}. Bring them back, give the corpus that it "
            f"was trained on, or train on {name} as it is now."
        )
    other = now.index[now.to_numpy() != answers.genre.to_numpy()]
    if len(other):
        raise SongNetError(
            f"{folder}: {len(other):,} of its {what} have another genre in {name} now, the "
            f"first is {other[0]} ({now[other[0]]}). Train on {name} as it is now."
        )


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A finished run from whose weights another one starts.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run.
    model : str
        Which network it trained.
    net : SongNet
        What came of it.
    trained_on : pandas.DataFrame
        ``content`` (SHA-256) and ``artist`` (missing where unknown) of each clip that it, or a run
        that it started from itself, was trained on or chosen by (training and validation).
    """

    folder: Path
    model: str
    net: SongNet
    trained_on: pd.DataFrame

    @classmethod
    def of(cls, folder: Path, model: str | None = None) -> Parent:
        """Return a run as a parent, or say why it cannot be one of `model`."""
        record = read_record(folder)
        if model is not None and model != record["model"]:
            raise SongNetError(
                f"{folder}: is a run of {record['model']}, and {model} cannot start from its "
                f"weights. Leave --model out, or choose a run of {model}."
            )
        refusal = (
            f"{record['model']} is no network, so there are no weights to start from. Choose the "
            "run of a network, such as songnet or songnet-transfer."
        )
        net, answers = network_of(folder, record, refusal), read_answers(folder)
        if "content" not in answers:
            raise SongNetError(
                f"{folder}: was trained by an older version of SongNet, which did not write down "
                "what it was trained on. Train it again: songnet train … --force"
            )
        mine = answers.loc[answers.set != "test", ["content", "artist"]]
        mine = mine.assign(artist=mine.artist.mask(mine.artist.str.startswith(UNKNOWN_ARTIST)))
        earlier = [read_csv(folder / _EARLIER)] if (folder / _EARLIER).is_file() else []
        trained_on = pd.concat([*earlier, mine], ignore_index=True).drop_duplicates()
        return cls(folder=folder.absolute(), model=record["model"], net=net, trained_on=trained_on)

    @property
    def sound(self) -> Sound:
        """The description of sound of the frames that it was trained on."""
        return Sound() if network_kind(self.model).on_musicnn else self.net.sound

    @functools.cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of its network's file."""
        return hashlib.sha256((self.folder / "model.keras").read_bytes()).hexdigest()

    def as_dict(self) -> dict[str, str]:
        """Return what a record says of it."""
        return {"run": str(self.folder), "network": self.fingerprint[:16]}

    def recipe(self) -> Recipe:
        """Return how its network is fine-tuned: as it is trained, but slowly."""
        usual = recipe_of(self.model)
        return dataclasses.replace(
            usual,
            learning_rate=SLOWER * usual.learning_rate,
            # An average over the steps would still be nearly what it was before.
            averaging=0.0,
        )

    def split(self, clips: pd.DataFrame, kind: str, seed: int) -> pd.Series:
        """Split clips so that it was trained on nothing that is tested; see `split_unseen`."""
        try:
            return split_unseen(clips, kind, seed, self.trained_on)
        except UntestedError as error:
            raise SongNetError(
                f"{self.folder}: {error} Add songs by other artists, leave such genres out "
                "(--genres), or train from scratch (without --from)."
            ) from error


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that decides what a run comes to.

    Parameters
    ----------
    prepared : LogMels
        The corpus with its frames and statistics.
    clips : pandas.DataFrame
        The clips that take part.
    sets : pandas.Series
        train, validation or test, with the index of `clips`.
    left_out : list of dict
        Genres left out, with the reason.
    model, split, seed, recipe
        As in `train`.
    fold : int, optional
        Which of several folds is tested.
    folds : int, optional
        How many there are.
    parent : Parent, optional
        The run from whose weights it starts.
    """

    prepared: LogMels
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
        """The genres told apart, in the order of the network's outputs."""
        return sorted(self.clips.genre.unique())

    @property
    def kind(self) -> NetworkKind | None:
        """The network that is trained; None where it is a baseline."""
        return None if self.model in BASELINES else network_kind(self.model)

    @property
    def sound(self) -> Sound:
        """The description of sound that the model goes by."""
        return self.kind.sound if self.kind and self.kind.on_musicnn else self.prepared.sound

    def subset(self, subset: str) -> pd.DataFrame:
        """Return the clips of one set."""
        return self.clips[self.sets == subset]

    def names(self) -> dict[str, Any]:
        """Return what a run is called by, in its mark and in its record."""
        folder = self.prepared.corpus.folder
        return {
            "corpus": self.prepared.corpus.name,
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
        """Return what two runs must have in common to be the same run, fit for JSON."""
        deal = hashlib.sha256()
        for clip, genre, subset in sorted(
            zip(self.clips.id, self.clips.genre, self.sets, strict=True)
        ):
            deal.update(repr((clip, genre, subset, self.prepared.contents[clip])).encode())
        kind = self.kind or BASELINES[self.model]
        if kind.metadata:
            deal.update(metadata(self.clips).sort_index().to_csv().encode())
        # Of the corpus, its clips count, wherever they lie.
        names = {name: value for name, value in self.names().items() if name != "corpus_folder"}
        return {
            **names,
            "clips and their sets": deal.hexdigest()[:16],
            "sound": self.sound.to_dict(),
            **(
                {"network": self.kind.description(), "recipe": dataclasses.asdict(self.recipe)}
                if self.kind
                else {"hears": self._hears()}
            ),
        }

    def overlaps(self) -> dict[str, Any]:
        """Return what the sets have in common and what to know of the clips, fit for JSON."""
        nobody = self.clips.artist.isna().all()
        return {
            "artists_in_two_sets": None if nobody else artist_overlap(self.clips, self.sets),
            "copies_in_two_sets": copies_in_two_sets(self.clips, self.sets),
            "notes": self.prepared.notes(self.clips),
        }

    @property
    def fingerprint(self) -> str:
        """Ten hexadecimal digits that differ where two runs are not the same run."""
        arguments = json.dumps(self.arguments(), sort_keys=True)
        return hashlib.sha256(arguments.encode()).hexdigest()[:10]

    def _hears(self) -> dict[str, Any]:
        """Return what a baseline goes by, fit for JSON."""
        kind = BASELINES[self.model]
        if kind.features is None:
            return {"features": None, "metadata": kind.metadata}
        published = self.prepared.is_published(kind.features)
        return {
            "features": kind.features,
            "features_version": FEATURE_SETS[kind.features].version,
            "features_from": "FMA's features.csv" if published else "the clips",
            "metadata": kind.metadata,
        }

    def is_finished(self, folder: Path) -> bool:
        """Tell whether `folder` holds this very run, finished.

        Raises
        ------
        SongNetError
            When it holds another finished run.
        """
        if not (folder / RECORD).exists():
            return False
        check_same(folder, "a finished", read_record(folder).get("arguments"), self.arguments())
        return True

    def hear(self, progress: bool, dask: str | None = None) -> None:
        """Compute what the model goes by, where it is missing; see `LogMelStore.prepare`."""
        if self.kind:
            self._material().heard(progress, dask)
        elif (features := BASELINES[self.model].features) is not None:
            self.prepared.hand_crafted(features, progress, dask=dask)

    def _material(self) -> Material:
        assert self.kind is not None
        return Material(
            kind=self.kind,
            prepared=self.prepared,
            clips=self.clips,
            sets=self.sets,
            genres=self.genres,
            seed=self.seed,
        )

    def make(
        self,
        folder: Path,
        *,
        force: bool = False,
        progress: bool = True,
        tensorboard: bool = False,
    ) -> None:
        """Do what is left to do of the run; see `train`."""
        if force or not (folder / UNFINISHED).exists():
            # A run that goes on keeps its mark: that it is the same one is only found out below.
            begin(folder, self.names())
        if force:
            # The record first: without it, what is left is an unfinished run.
            for name in _FILES:
                (folder / name).unlink(missing_ok=True)
        began = time.monotonic()
        if self.kind:
            learning = Learning(
                self._material(),
                self.recipe,
                folder,
                self.arguments(),
                start=self.parent.net if self.parent else None,
                progress=progress,
                tensorboard=tensorboard,
            )
            learning.go_on(progress)
            net = learning.network(training_music=_training_music(self), caution=_caution(self))
            fitted = time.monotonic()
            answers = self.answers_table(learning.answers(self.clips.id), net.genres)
            answered = time.monotonic()
            save_keras(net, folder / "model.keras")
            save_onnx(net, folder / "model.onnx")
            save_stream(net, folder / "stream.onnx")
            epochs = learning.state.epochs
            # Epochs before an interruption count, too.
            seconds_to_fit = sum(epoch["seconds"] for epoch in epochs)
            extra = {"best_epoch": learning.state.best_epoch, "recipe": vars(self.recipe)}
            network = {
                "name": net.name,
                "training_music": net.training_music,
                "weights": net.keras_model.count_params(),
                "parts": self.kind.description(),
            }
        else:
            heard = BASELINES[self.model].features
            features = self.prepared.hand_crafted(heard, progress) if heard else None
            inputs = baseline_inputs(self.model, features, self.clips)
            started = time.monotonic()
            baseline = fit_baseline(
                self.model,
                inputs[(self.sets == "train").to_numpy()],
                self.subset("train").genre.to_numpy(),
                self.seed,
            )
            fitted = time.monotonic()
            answers = self.answers_table(predict_baseline(baseline, inputs))
            answered = time.monotonic()
            seconds_to_fit = fitted - started
            save_baseline(baseline, folder / "model.skops")
            about = {
                **self._hears(),
                "columns": inputs.shape[1],
                "classifier": type(baseline[-1]).__name__,
                "converged": converged(baseline),
            }
            epochs, extra, network = [], {"baseline": about}, None
        write_csv(folder / "answers.csv", answers)
        if self.parent:
            write_csv(folder / _EARLIER, self.parent.trained_on)
        record = {
            **self.names(),
            **self.overlaps(),
            "left_out": self.left_out,
            "unusable": self.prepared.unusable[["id", "reason"]].to_dict("records"),
            "sound": self.sound.to_dict(),
            "network": network,
            "epochs": epochs,
            **extra,
            **{subset: self.score(answers, subset) for subset in SETS},
            "seconds_to_fit": round(seconds_to_fit, 4),
            "seconds_to_answer": round(answered - fitted, 4),
            "seconds_of_last_start": round(time.monotonic() - began, 1),
            "versions": versions(),
            "arguments": self.arguments(),
        }
        write_json(folder / RECORD, record)
        for name in (PROGRESS, UNFINISHED):
            (folder / name).unlink(missing_ok=True)
        # What was being written when an earlier start was killed.
        sweep(folder)

    def answers_table(
        self, answers: np.ndarray, genres: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Put genres, or their probabilities, beside what is known of the clips."""
        table = pd.DataFrame(
            {
                "id": self.clips.id,
                "content": self.clips.id.map(self.prepared.contents),
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
        """Return how good the answers for one set are, fit for JSON."""
        tested = answers[answers.set == subset]
        known = self.subset(subset).artist.notna()
        # A corpus that knows no artist at all is not one of as many artists as clips.
        nobody = self.clips.artist.isna().all()
        right = (tested.genre == tested.answer).to_numpy()
        artists = None if nobody else int(tested.artist.nunique())
        score = {
            "clips": len(tested),
            "artists": artists,
            "clips_of_unknown_artists": int((~known).sum()),
            "accuracy": accuracy_score(tested.genre, tested.answer),
            "confidence_interval": artist_interval(right, tested.artist),
            "interval_note": few_artists(artists) or None,
        }
        if subset == "test":
            score["confusion"] = confusion_matrix(
                tested.genre, tested.answer, labels=self.genres
            ).tolist()
        return score


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on."""
    names = ("songnet-utils", "tensorflow", "keras", "scikit-learn", "numpy", "scipy", "soxr")
    found = {"python": platform.python_version()}
    for name in (*names, "soundfile", "librosa"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _is_composed(run: Run) -> bool:
    return "teaching corpus" in run.prepared.corpus.description


def _training_music(run: Run) -> str:
    before = f"{run.parent.net.training_music}, then " if run.parent else ""
    count, genres = (run.sets == "train").sum(), len(run.genres)
    name = run.prepared.corpus.name
    if _is_composed(run):
        name += ", a teaching corpus of music composed by rules"
    return f"{before}{count} clips of {genres} genres of {name}"


def _caution(run: Run) -> str:
    if not _is_composed(run):
        return ""
    return "It was trained on music composed by rules: its answer for a real song means little."
