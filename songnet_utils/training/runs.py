"""The folder of a run: its owner and its contents.

A run marks its folder before it writes anything else there, and removes the mark when it has
written its record. So a folder has a finished run of ours, an unfinished one, or nothing that we
may touch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songnet_utils._utils.errors import SongNetError, did_you_mean, path_of
from songnet_utils._utils.files import check_writable, data_folder, read_csv
from songnet_utils.audio.sound import Sound
from songnet_utils.streaming.network import Network

# Reading a run for its network must not wait for tables and stores.
if TYPE_CHECKING:
    import pandas as pd

    from songnet_utils.corpora import Corpus
    from songnet_utils.features.store import LogMels
    from songnet_utils.models.trained import SongNet

#: The file of a finished run, and that of an unfinished one.
RECORD, UNFINISHED = "record.json", "unfinished.json"

# The entries of both files, and the further entries of a record.
_NAMES = ("corpus", "model", "split", "seed", "genres")
_ENTRIES = (*_NAMES, "sound", "arguments", "epochs", "train", "validation", "test")

# Files that Windows puts into folders; names that begin with a dot do not count either.
_JUNK = ("thumbs.db", "desktop.ini")


def runs_folder(corpus: Corpus) -> Path:
    """Return the folder for a corpus's runs in the data folder."""
    return data_folder() / "runs" / corpus.name


def run_folder(run: str | os.PathLike[str]) -> Path:
    """Return the folder of a run as a path.

    Raises
    ------
    SongNetError
        When there is no such folder; the message suggests one beside it.
    """
    path = path_of(run, "A run must be the path of its folder.")
    if not path.is_dir():
        beside = ["musicnn", *(other.name for other in path.parent.glob("*/"))]
        raise SongNetError(
            f"{path}: there is no such folder.{did_you_mean(path.name, beside)} Give musicnn, "
            "songnet-mini, a run's folder in data/runs, or train a network first: songnet train"
        )
    return path


def load_songnet(run: str | Path) -> Network:
    """Return a trained network.

    Parameters
    ----------
    run
        The folder of a finished training run, an ONNX file that describes itself or has a
        description beside it (`songnet_utils.models.tagger`), or one of the networks that come
        with the project: ``"musicnn"``, ``"songnet-mini"``.

    Raises
    ------
    SongNetError
        When there is no finished network there; the message says how to get one.
    """
    from songnet_utils.models.onnx_network import BUILT_IN, BUILT_IN_NAMES
    from songnet_utils.models.tagger import load_onnx

    path = path_of(run, 'A network must be the folder of its run, an ONNX file or "musicnn".')
    if run in BUILT_IN_NAMES:
        path = BUILT_IN / f"{run}.onnx"
    return load_onnx(path) if path.suffix == ".onnx" else network_of(path)


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the record of a finished run.

    Raises
    ------
    SongNetError
        When there is no record, or it is not from `songnet train`.
    """
    path = run_folder(folder) / RECORD
    if not os.path.lexists(path):
        raise SongNetError(
            f"{folder}: is not a finished run (it has no {RECORD}). Give the folder of one, such "
            "as those in data/runs, or run the same songnet train command again to finish this one."
        )
    return _read(path, _ENTRIES)


def read_answers(folder: str | Path) -> pd.DataFrame:
    """Return a finished run's prediction for every clip.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``content`` (the SHA-256 of the file), ``set`` (train, validation, test),
        ``artist`` (a made-up one if unknown), ``genre`` (the truth), ``answer``, and for a
        network ``p_GENRE`` for each genre.

    Raises
    ------
    SongNetError
        When they are missing or cannot be read.
    """
    path = Path(folder) / "answers.csv"
    try:
        answers = read_csv(path)
        return answers.astype({name: "float64" for name in answers if name.startswith("p_")})
    except (OSError, ValueError) as error:
        raise SongNetError(
            f"{path}: cannot be read ({error}). Train the run again with --force."
        ) from error


def network_of(folder: str | Path) -> SongNet:
    """Return the network of a finished run.

    Raises
    ------
    SongNetError
        When it is the run of a baseline, or the network cannot be read.
    """
    # Only the layers need Keras, not the answers.
    from songnet_utils.models.trained import SongNet

    record = read_record(folder)
    if record.get("network") is None:
        raise SongNetError(
            f"{folder}: its model, {record['model']}, answers for whole clips and is no network: "
            "it has no genre over time, no kernels and no weights to start from. Choose the run of "
            "a network, such as songnet."
        )
    return SongNet.of_run(Path(folder))


def log_mels_of(
    folder: Path,
    record: dict[str, Any],
    corpus: LogMels | Corpus | str | Path | None = None,
    *,
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
        The corpus, which may have a new name (`check_clips` checks that it is the same); by
        default, the folder in the record, or the result of `open_corpus` for the name there.
    progress : bool
        Show progress bars.

    Raises
    ------
    SongNetError
        When it is not found.
    """
    from songnet_utils.corpora import Corpus, open_corpus
    from songnet_utils.features.store import LogMels, log_mels

    if corpus is None:
        place = record.get("corpus_folder") or record["corpus"]
        try:
            corpus = open_corpus(place, progress=progress)
        except SongNetError as error:
            raise SongNetError(
                f"{folder}: was trained on {place}, which cannot be opened ({error}) "
                "Give its folder with --corpus FOLDER."
            ) from error
    elif not isinstance(corpus, LogMels | Corpus):
        corpus = open_corpus(corpus, progress=progress)
    if isinstance(corpus, LogMels):
        return corpus
    return log_mels(corpus, Sound.from_dict(record["sound"]), progress=progress)


def check_clips(folder: Path, log_mels: LogMels, answers: pd.DataFrame, what: str) -> None:
    """Raise SongNetError unless a run's clips are there, with the same genres.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    log_mels : LogMels
        The present corpus.
    answers : pandas.DataFrame
        The rows of the run's answers for these clips.
    what : str
        The name of these clips in errors: "test clips".
    """
    name = log_mels.corpus.name
    now = log_mels.clips.set_index("id").genre.reindex(answers.id)
    other = now.index[now.to_numpy() != answers.genre.to_numpy()]
    if len(other):
        raise SongNetError(
            f"{folder}: {len(other):,} of its {len(answers):,} {what} are not among the usable "
            f"clips of {name}, or have another genre there now. The first is {other[0]}. Restore "
            f"them, give the corpus that it was trained on, or train again on {name}."
        )


def check_home(folder: Path, corpus: Corpus | None = None, *, force: bool = False) -> None:
    """Raise SongNetError unless a run may be made in a folder; call it before the work.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder (hidden files do not count), one that is not there yet, or one with an
        unfinished run of ours.
    corpus : Corpus, optional
        The run's corpus, which may have moved; a run on another corpus is never replaced.
    force : bool
        Whether a finished run on the same corpus may be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise SongNetError(f"{folder}: is a file, but a run needs a folder. Choose another name.")
    check_writable(folder / UNFINISHED)
    if corpus and corpus.folder and folder.resolve().is_relative_to(corpus.folder.resolve()):
        raise SongNetError(
            f"{folder}: is inside the corpus, which is never changed. Choose another folder with "
            "--out DIR."
        )
    if not folder.exists():
        return
    finished = os.path.lexists(folder / RECORD)
    if not finished and not os.path.lexists(folder / UNFINISHED):
        names = sorted(path.name for path in folder.iterdir())
        others = [name for name in names if name[0] != "." and name.lower() not in _JUNK]
        if others:
            raise SongNetError(
                f"{folder}: is not a SongNet run and contains {others[0]}. Choose an empty or new "
                "folder with --out DIR."
            )
        return
    found = read_record(folder) if finished else _read(folder / UNFINISHED, _NAMES)
    if corpus is not None and not _is_on(found, corpus):
        raise SongNetError(
            f"{folder}: has {'a finished' if finished else 'an unfinished'} run on "
            f"{found.get('corpus_folder') or found['corpus']}, not on "
            f"{corpus.folder or corpus.name}. Choose another folder with --out DIR. (--force "
            "replaces only runs on the same corpus.)"
        )
    if finished and not force:
        raise SongNetError(
            f"{folder}: has a finished run. Use --force to train it again from the start, "
            "or --out for another folder."
        )


def check_same(
    folder: Path, what: str, theirs: Mapping[str, Any] | None, ours: Mapping[str, Any]
) -> None:
    """Raise SongNetError unless a run has the requested arguments.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    what : str
        Its state: "a finished", "an unfinished".
    theirs, ours : mapping
        The run's arguments, and the requested ones.
    """
    if theirs == ours:
        return
    theirs = _flat(theirs or {})
    differing = [
        f"{key} {theirs.get(key)} there, {value} here"
        for key, value in _flat(ours).items()
        if theirs.get(key) != value
    ] or ["its arguments are not known"]
    raise SongNetError(
        f"{folder}: has {what} run with other arguments ({'; '.join(differing[:3])}). "
        "Use the same ones, --force to start it again, or --out for another folder."
    )


def _flat(arguments: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in arguments.items():
        flat |= value if isinstance(value, Mapping) else {key: value}
    return flat


def _is_on(found: Mapping[str, Any], corpus: Corpus) -> bool:
    """Tell whether a run may be on a corpus.

    It is if both have the same folder, or if they have the same name and the run's folder no longer
    exists, so the corpus has moved. A resumed run compares the contents.
    """
    theirs, ours = found.get("corpus_folder"), corpus.folder
    if theirs is not None and os.path.exists(theirs):
        return ours is not None and os.path.realpath(theirs) == os.path.realpath(ours)
    return found["corpus"] == corpus.name and (theirs is not None or ours is None)


def _read(path: Path, entries: Sequence[str]) -> dict[str, Any]:
    """Return a JSON file's object, if it has the required entries."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if absent := [name for name in entries if name not in found]:
            raise ValueError(f"it lacks {absent[0]}")
    except PermissionError as error:
        raise SongNetError(f"{path}: cannot be read. Check its permissions.") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise SongNetError(
            f"{path}: is damaged, or not songnet's ({error}). Move or delete the folder "
            f"{path.parent} and train again, or use another folder."
        ) from error
    return dict(found)
