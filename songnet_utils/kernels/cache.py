"""Surveys on disk, so that a network goes through the same clips only once.

A file has plain arrays and runs no code when you open it. Its name depends on everything that the
survey depends on (the network's weights, the clips, their content and artists), so a stored survey
equals a new one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from songnet_utils._utils.files import atomic_write
from songnet_utils.corpora.splits import artists
from songnet_utils.features.store import LogMels
from songnet_utils.kernels.frame_statistics import FrameStatistics
from songnet_utils.kernels.layers import Kernels
from songnet_utils.kernels.surveys import LayerSurvey, Survey, survey

# The version; increase it when the contents of surveys change.
_VERSION = 2

_LAYER = [field.name for field in dataclasses.fields(LayerSurvey) if field.name != "layer"]
_FRAMES = [field.name for field in dataclasses.fields(FrameStatistics)]


def cached_survey(folder: Path, kernels: Kernels, log_mels: LogMels, clips: pd.DataFrame) -> Survey:
    """Return a survey from disk, or make and store it.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of surveys.
    kernels, log_mels, clips
        As in `songnet_utils.kernels.survey`.

    Raises
    ------
    SongNetError
        As for `songnet_utils.kernels.survey`.
    """
    file = folder / f"survey-{_fingerprint(kernels, log_mels, clips)}.npz"
    found = _read(file, kernels, log_mels, clips)
    if found is None:
        found = survey(kernels, log_mels, clips)
        with atomic_write(file) as temporary:
            arrays = {f"frames.{name}": getattr(found.statistics, name) for name in _FRAMES}
            for its in found.layers:
                arrays |= {f"{its.layer.name}.{name}": getattr(its, name) for name in _LAYER}
            np.savez(temporary, **arrays)
    return found


def _fingerprint(kernels: Kernels, log_mels: LogMels, clips: pd.DataFrame) -> str:
    """Return ten hexadecimal digits that identify everything that a survey depends on."""
    digest = hashlib.sha256(repr((_VERSION, log_mels.sound, kernels.layers)).encode())
    for weights in kernels.net.keras_model.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    for clip, genre, artist in zip(clips.id, clips.genre, artists(clips), strict=True):
        digest.update(repr((clip, genre, artist, log_mels.contents[clip])).encode())
    return digest.hexdigest()[:10]


def _read(file: Path, kernels: Kernels, log_mels: LogMels, clips: pd.DataFrame) -> Survey | None:
    """Return the survey in a file; None if the file is missing or incomplete."""
    try:
        with np.load(file) as arrays:
            layers = [
                LayerSurvey(layer, *(arrays[f"{layer.name}.{name}"] for name in _LAYER))
                for layer in kernels.layers
            ]
            statistics = FrameStatistics(*(arrays[f"frames.{name}"][()] for name in _FRAMES))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    table = clips.assign(artist=artists(clips)).reset_index(drop=True)
    return Survey(kernels, log_mels, table, layers, statistics)
