"""The folder of a run: whose it is, and what its record says.

A run marks its folder before it leaves anything there, and takes the mark away when its record is
written: so a folder holds a finished run of ours, an unfinished one, or nothing that we may touch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from songnet_utils._utils.errors import SongNetError, did_you_mean, path_of
from songnet_utils._utils.files import check_writable, is_temporary, write_json
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus
from songnet_utils.streaming.network import Network

#: What a finished run has, and an unfinished one.
RECORD, UNFINISHED = "record.json", "unfinished.json"

# What both say of a run, and what a record says besides.
_NAMES = {"corpus": str, "model": str, "split": str, "seed": int, "genres": list}
_ENTRIES = {
    **_NAMES,
    **dict.fromkeys(("sound", "versions", "train", "validation", "test", "arguments"), dict),
    **dict.fromkeys(("left_out", "unusable", "epochs"), list),
}
_SCORES = {"clips": int, "accuracy": (int, float), "confidence_interval": list}

# What both may say besides, and the scores of a set.
_OPTIONAL = {
    "corpus_folder": (str, NoneType),
    **dict.fromkeys(("fold", "folds"), (int, NoneType)),
    "network": (dict, NoneType),
    "notes": list,
    "from": dict,
}
_OPTIONAL_SCORES = {"artists": (int, NoneType), "clips_of_unknown_artists": int}

# What file managers leave in folders, in lower case; macOS's "._…" besides.
_JUNK = {".ds_store", ".localized", ".directory", "thumbs.db", "ehthumbs.db", "desktop.ini"}


def run_folder(run: str | os.PathLike[str]) -> Path:
    """Return the folder of a run as a path.

    Raises
    ------
    SongNetError
        When there is no such folder; it suggests one beside it.
    """
    path = path_of(run, "A run is the path of its folder.")
    if not path.is_dir():
        beside = [other.name for other in path.parent.glob("*/")]
        raise SongNetError(
            f"{path}: there is no such folder.{did_you_mean(path.name, beside)} "
            "Train a network first: songnet train"
        )
    return path


def load_songnet(run: str | Path) -> Network:
    """Return a network to listen with.

    Parameters
    ----------
    run
        The folder of a finished training run, a ``model.keras`` file, or ``"musicnn"`` for the
        pretrained listener.

    Raises
    ------
    SongNetError
        When there is no finished network there; it says how to get one.
    """
    # TensorFlow starts here, and not for those who only read a record.
    from songnet_utils.models.trained import load_keras

    if run == "musicnn":
        from songnet_utils.models.musicnn import load_musicnn

        return load_musicnn()
    rule = 'A network is given as the folder of its run, a model.keras file or "musicnn".'
    if path_of(run, rule).suffix == ".keras":
        return load_keras(run)
    path = run_folder(run)
    record = read_record(path)
    if not (path / "model.keras").is_file():
        raise SongNetError(
            f"{path}: its model, {record['model']}, answers for whole clips and hears nothing "
            "over time. Choose the run of a network (model.keras)."
        )
    return load_keras(path / "model.keras")


def read_record(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the record of a finished run.

    Raises
    ------
    SongNetError
        When there is none, or it is not one that `songnet train` writes.
    """
    path = run_folder(folder) / RECORD
    if not os.path.lexists(path):
        raise SongNetError(
            f"{folder}: is not a finished run (it has no {RECORD}). "
            "Run the same songnet train command again to resume it."
        )
    record = _read(path, _ENTRIES)
    if wrong := [genre for genre in record["genres"] if not isinstance(genre, str)]:
        raise _damaged(path, f"a genre cannot be {json.dumps(wrong[0])[:40]}")
    for subset in ("train", "validation", "test"):
        _check_entries(path, record[subset], _SCORES, _OPTIONAL_SCORES, f"{subset}: ")
    try:
        Sound.from_dict(record["sound"])
    except (SongNetError, TypeError) as error:
        raise _damaged(path, f"sound: {error}") from error
    return record


def check_home(folder: Path, corpus: Corpus | None = None, *, force: bool = False) -> None:
    """Raise SongNetError unless a run may be made in a folder; call it before the work.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder (hidden files of file managers do not count), one that is not there yet,
        or one with an unfinished run of ours.
    corpus : Corpus, optional
        What the run is on: a run on another corpus stays as it is. A corpus may have moved.
    force : bool
        Whether a finished run on the same corpus may be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise SongNetError(f"{folder}: is a file, and a run needs a folder. Choose another name.")
    check_writable(folder / UNFINISHED)
    if not folder.exists():
        return
    if os.path.lexists(folder / RECORD):
        found, what = read_record(folder), "a finished"
    elif os.path.lexists(folder / UNFINISHED):
        found, what = _read(folder / UNFINISHED, _NAMES), "an unfinished"
    else:
        left = (path for path in folder.iterdir() if not is_temporary(path))
        others = sorted(path.name for path in left if not _is_junk(path.name))
        if others:
            raise SongNetError(
                f"{folder}: is not a SongNet run and contains {others[0]}. Choose an empty "
                "folder, or one that is not there yet: --out DIR."
            )
        return
    if corpus is not None and not _is_on(found, corpus):
        raise SongNetError(
            f"{folder}: holds {what} run on {found.get('corpus_folder') or found['corpus']}, not "
            f"on {corpus.folder or corpus.name}. Choose another folder: --out DIR. (--force only "
            "replaces a run on the same corpus.)"
        )
    if what == "a finished" and not force:
        raise SongNetError(
            f"{folder}: holds a finished run. Use --force to train it again from the start, "
            "or --out for another folder."
        )


def begin(folder: Path, names: Mapping[str, Any]) -> None:
    """Mark a folder as that of a run which is not finished, before anything else is written."""
    write_json(folder / UNFINISHED, names)


def _is_on(found: Mapping[str, Any], corpus: Corpus) -> bool:
    """Tell whether a run may be on a corpus.

    It is of the same folder, or of the same name and its own folder is not known (older runs) or
    no longer there: then the corpus has moved. Its contents are compared when the run goes on.
    """
    theirs, ours = found.get("corpus_folder"), corpus.folder
    if theirs is not None and os.path.exists(theirs):
        return ours is not None and os.path.realpath(theirs) == os.path.realpath(ours)
    by_name = theirs is None and "corpus_folder" in found
    return found["corpus"] == corpus.name and (ours is None or not by_name)


def _is_junk(name: str) -> bool:
    return name.lower() in _JUNK or name.startswith("._")


def _read(path: Path, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON file's object, when it has the entries that it needs."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except PermissionError as error:
        raise SongNetError(f"{path}: cannot be read. Check who may read it.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, getattr(error, "strerror", None) or str(error)) from error
    _check_entries(path, found, entries, _OPTIONAL)
    return found


def _check_entries(
    path: Path,
    found: Any,
    entries: Mapping[str, Any],
    optional: Mapping[str, Any],
    where: str = "",
) -> None:
    if not isinstance(found, dict):
        raise _damaged(path, "it is no JSON object")
    for name in entries:
        if name not in found:
            raise _damaged(path, f"{where}it lacks {name}")
    for name, kind in {**entries, **optional}.items():
        if name not in found:
            continue
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise _damaged(path, f"{where}{name} cannot be {json.dumps(found[name])[:40]}")


def _damaged(path: Path, why: str) -> SongNetError:
    return SongNetError(
        f"{path}: is damaged, or not songnet's ({why}). Move the folder {path.parent} away or "
        "delete it, and train again; or use another folder."
    )
