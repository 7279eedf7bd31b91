"""Open a corpus by its name or from its folder, and list those that there are."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import pandas as pd

from songnet_utils._utils.errors import SongNetError, did_you_mean, path_of
from songnet_utils._utils.files import above_lessons, data_folder
from songnet_utils.audio import SUFFIXES
from songnet_utils.corpora import fma, mini, own
from songnet_utils.corpora.contents import contents_of, contradictions
from songnet_utils.corpora.folder import open_folder
from songnet_utils.corpora.own import OwnSongs
from songnet_utils.corpora.table import Corpus, table

_FMA = (*fma.SIZES, fma.SAMPLE)


def open_corpus(
    corpus: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None = None,
    *,
    progress: bool = True,
) -> Corpus:
    """Return a corpus by its name or from its folder.

    Parameters
    ----------
    corpus
        ``"mini"`` (``"mini-7"`` is the same music school with seed 7), ``"fma_small"``,
        ``"fma_medium"``, ``"fma_large"``, ``"fma_full"``, ``"fma_sample"``, or the path of a
        folder: ``GENRE/clip.*``, FMA's layout, or your own songs (`own_songs`). A name takes
        precedence over a folder of that name; write ``./mini`` for the folder.
    data_dir
        The folder of named corpora; see `data_folder`.
    progress
        Whether to show progress bars.

    Raises
    ------
    SongNetError
        When there is no such corpus, or nothing in it can be used; the message says what to do.
    """
    path_of(corpus, "A corpus must be a name or the path of a folder.")
    # Keep the text as it is, because ./mini is a folder.
    found = _open(os.fspath(corpus), data_folder(data_dir), progress)
    clips = found.clips.assign(content=contents_of(map(str, found.clips.file), progress)).astype(
        {"content": "str"}
    )
    notes = (*found.notes, *contradictions(clips))
    return dataclasses.replace(found, clips=clips, notes=notes)


def _open(name: str, data: Path, progress: bool) -> Corpus:
    """Return a corpus without reading the contents of its files."""
    if seed := re.fullmatch(r"mini(?:-(\d+))?", name):
        return _open_mini(data / name, int(seed[1] or 0), progress)
    if name in _FMA:
        return fma.open_subset(data / "fma", name)
    folder = Path(name).expanduser().absolute()
    if not name or not folder.is_dir():
        known = ["mini", *_FMA, *(beside.name for beside in folder.parent.glob("*/"))]
        raise SongNetError(
            f"{name or 'an empty name'}: is not a corpus. There is no folder with that path, and "
            f"the names are mini, {', '.join(_FMA)}.{did_you_mean(folder.name, known)} "
            "Check the spelling."
        )
    # A path that ends in ".." has no name as its last part.
    folder = Path(os.path.normpath(folder))
    try:
        if (folder / own.LIST).is_file():
            opened = own.open_own(folder)
        elif found := fma.find_fma(folder):
            opened = fma.open_fma(*found, name=folder.name)
        else:
            opened = open_folder(folder)
        return dataclasses.replace(opened, folder=folder)
    except OSError as error:
        raise SongNetError(
            f"{error.filename or folder}: cannot be read ({error.strerror}). Check its permissions."
        ) from error


def own_songs() -> OwnSongs:
    """Return your own songs in the data folder; see `songnet_utils.corpora.own`."""
    return OwnSongs(data_folder() / "my-songs")


def chosen_corpus() -> str:
    """Return ``$SONGNET_CORPUS``, for `open_corpus`, or ``mini`` if it is not set.

    A relative path starts in the current folder. In a notebook's folder (``notebooks`` or
    ``notebooks/solutions``), it may also start in the folder above ``notebooks``.
    """
    chosen = os.environ.get("SONGNET_CORPUS") or "mini"
    project = above_lessons()
    if project and not Path(chosen).exists() and (project / chosen).exists():
        return str(project / chosen)
    return chosen


def list_corpora(data_dir: str | os.PathLike[str] | None = None) -> pd.DataFrame:
    """Return a table of the corpora, with one row each.

    Returns
    -------
    pandas.DataFrame
        ``name``; ``on_disk`` (bool); ``folder``, its present or future place; ``clips``, the
        number of sound files there; ``bytes`` on disk, or of the download if it is not on disk;
        ``licence``; ``citation``; ``description``.
    """
    data = data_folder(data_dir)
    minis = {"mini"} | {path.name for path in data.glob("mini-*") if path.is_dir()}
    folders = [data / name for name in sorted(minis)] + [data / "fma" / name for name in _FMA]
    about = {name: f"Free Music Archive, {name[4:]} set" for name in fma.SIZES}
    about[fma.SAMPLE] = "a sample of fma_small"
    rows = []
    for folder in folders:
        name, source = folder.name, mini if folder.name in minis else fma
        files = [path for path in folder.rglob("*") if path.is_file()]
        clips = sum(path.suffix.lower() in SUFFIXES for path in files)
        size = sum(path.stat().st_size for path in files) if clips else 0
        rows.append(
            {
                "name": name,
                "on_disk": clips > 0,
                "folder": str(folder),
                "clips": clips,
                "bytes": size or int(fma.SIZES.get(name, 0) * 2**30),
                "licence": source.LICENCE,
                "citation": source.CITATION,
                "description": about.get(name, mini.DESCRIPTION),
            }
        )
    return pd.DataFrame(rows)


def _open_mini(folder: Path, seed: int, progress: bool) -> Corpus:
    # Import this only here, because it loads the composer.
    from songnet_utils.corpora.mini import catalogue

    return Corpus(
        name=folder.name,
        clips=table(catalogue.open_mini(folder, seed, progress)),
        description="music composed by rules and played on sampled instruments: a teaching "
        "corpus, whose results say nothing about real music",
        licence=mini.LICENCE,
        citation=mini.CITATION,
    )
