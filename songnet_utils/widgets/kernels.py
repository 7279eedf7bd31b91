"""The kernel gallery: see what excites each kernel of a network, and click to hear it.

A layer's kernels form a grid. Each is a picture of what excites it, framed in the colour of the
genre that it votes for. Choose one to play its sound and to see how often it fires, what it votes
for and whose music you hear. You can compare two kernels.

Python sends the pictures and numbers of all kernels at once, and a sound when you play it: it cuts
clips out of songs, maximises activations and auralises songs on demand. `KernelGallery.save`
writes the same gallery as a page without Python, with the strongest clips beside it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.kernels import (
    KernelClip,
    Kernels,
    LayerSurvey,
    Survey,
    auralise,
    found_clip,
    found_clips,
    maximised_clip,
    survey,
    votes,
)
from songnet_utils.plots import genre_colours
from songnet_utils.plots.players import Player
from songnet_utils.plots.sound import band_centres
from songnet_utils.training import runs
from songnet_utils.widgets.messages import COMMON, Message, Messages, joined
from songnet_utils.widgets.recording import WithRecording, address_of, packed, save_page, smaller

#: The most songs to auralise.
MOST_SONGS = 8

#: The clips per genre in which to count the votes of a run's kernels.
VOTING_CLIPS = 8

#: The most clips per kernel on a page without Python.
PIECES_ON_PAGE = 3

# The finest picture: columns in time, and mel bands. Pictures of SongNet's 768 kernels, with their
# numbers, fit into one message (`messages.MOST_IN_MESSAGE`).
_FINEST = (32, 32)
# Decibels per unit of the natural logarithm of power.
_DECIBELS = 10 / np.log(10)


class KernelGallery(WithRecording, Messages):
    """A gallery of all kernels of a network, by layer.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels on a corpus.
    votes : pandas.DataFrame
        Their votes, from `songnet_utils.kernels.votes`.

    Notes
    -----
    Messages from the page: ``hello`` (a page has opened), ``card`` (choose a kernel),
    ``sound`` (play one of its sounds). Messages to the page: ``welcome``, ``card``, ``sound``,
    ``error``. All but ``hello`` and ``welcome`` name their subject, ``what`` ("card", or the sound:
    "found", "maximised" or "song"), the ``layer``'s number, the ``kernel`` and the ``song``.
    """

    _esm = joined(*COMMON, "kernels.js")
    _css = joined("common.css", "kernels.css")
    _subject = ("what", "layer", "kernel", "song")
    _slow = ("sound",)

    def __init__(self, survey: Survey, votes: pd.DataFrame, **widget: Any) -> None:
        of = [(its.layer.name, k) for its in survey.layers for k in range(its.layer.kernels)]
        self.survey, self._votes = survey, votes.loc[of]
        # Offer one song of each genre for auralisation.
        self._songs = list(survey.clips.groupby("genre").head(1)[:MOST_SONGS].itertuples())
        # Credits come from the corpus, because a survey gives unknown artists made-up names.
        self._known = survey.log_mels.corpus.clips.set_index("id", drop=False)
        self._source = survey.log_mels.corpus.name
        # Maximising and auralising need the whole machine, so do one at a time.
        self._turn = threading.Lock()
        super().__init__(**widget)

    @property
    def title(self) -> str:
        """The gallery's title."""
        return f"The {len(self._votes):,} kernels of {self.survey.kernels.net.name}"

    @property
    def dead(self) -> int:
        """The number of kernels that never fire."""
        return sum(int(its.dead.sum()) for its in self.survey.layers)

    @property
    def twins(self) -> int:
        """The number of pairs of nearly identical kernels."""
        return sum(len(its.twins()) for its in self.survey.layers)

    # ---- For use from Python -------------------------------------------------------------------

    def clip(self, what: str, layer: str | int, kernel: int, song: int = 0) -> KernelClip:
        """Return one of a kernel's sounds, as the page plays it.

        Parameters
        ----------
        what : str
            "found", "maximised" or "song".
        layer : str or int
            A layer's name, or its number from 1.
        kernel : int
            The kernel's number.
        song : int
            The index of one of the gallery's songs, for "song".

        Raises
        ------
        SongNetError
            When there is no such sound, because the kernel is dead or never fires in the song, or
            a file can no longer be read.
        """
        if what == "found":
            return found_clip(self.survey, layer, kernel)
        with self._turn:
            if what == "maximised":
                return maximised_clip(self.survey, layer, kernel)
            row, kernels = self._songs[song], self.survey.kernels
            return auralise(
                *(kernels, layer, kernel, load_audio(row.file, kernels.sound.sample_rate)),
                name=self._name(row.id),
                credits=(self._credit(row.id),),
            )

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the gallery as a page that needs no Python and no network.

        Parameters
        ----------
        folder : path
            The folder for ``index.html`` and ``media/``, with the clips as mp3s. An earlier page
            of the gallery there is replaced.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        SongNetError
            When the folder holds another page, a song can no longer be read, or the disk is
            full.
        """
        return save_page(
            folder,
            f"{self.title}, on {self._source}",
            "Each picture shows what excites a kernel. Choose one to hear the three excerpts that "
            "excite it most.",
            self.recording() | {"note": ""},
        )

    def recording(self) -> dict[str, Any]:
        """Return all kernels, with the strongest excerpts of each."""
        each = [(its.layer.number, k) for its in self.survey.layers for k in range(len(its.dead))]
        answers = self._answers(
            {"kind": "card", "what": "card", "layer": layer, "kernel": kernel}
            for layer, kernel in each
        )
        for content, _ in answers.values():
            del content.get("pieces", [])[PIECES_ON_PAGE:]
        welcome, buffers = self._on_hello({}, [])
        answers["hello"] = packed({**welcome, "sounds": ["found"]}, buffers)
        alive = [(layer, k) for layer, k in each if not self.survey.layers[layer - 1].dead[k]]
        # Cut all excerpts together, so that each song is decoded once.
        found = found_clips(self.survey, alive, most=PIECES_ON_PAGE)
        with smaller(), ThreadPoolExecutor(os.cpu_count()) as pool:
            sounds = pool.map(_sound, [clip for _, clip in found])
            for (layer, kernel), sound in zip(alive, sounds, strict=True):
                about = {"what": "found", "layer": layer, "kernel": kernel}
                answers[f"sound found {layer} {kernel}"] = packed({**about, **sound})
        note = f"This page plays the {PIECES_ON_PAGE} strongest excerpts for each kernel."
        return {"widget": "kernels", "note": note, "answers": answers}

    # ---- Messages ------------------------------------------------------------------------------

    def _on_card(self, content: dict[str, Any], buffers: Any) -> Message:
        layer, kernel = content["layer"], content["kernel"]
        pieces = [
            {
                **{"credit": self._credit(row.id), "activation": row.activation},
                **{"genre": row.genre or "", "at": row.seconds},
            }
            for row in self.survey.found(layer, kernel).itertuples()
        ]
        return {"kind": "card", **self._about(content), "pieces": pieces}, []

    def _on_sound(self, content: dict[str, Any], buffers: Any) -> Message:
        about = self._about(content)
        clip = self.clip(about["what"], about["layer"], about["kernel"], about["song"] or 0)
        return {**about, **_sound(clip)}, []

    # ---- Data for the page ---------------------------------------------------------------------

    def _on_hello(self, content: dict[str, Any], buffers: Any) -> Message:
        net, table = self.survey.kernels.net, self.survey.table()
        pictures = _pictures(self.survey.layers)
        layers = []
        for its, (small, most) in zip(self.survey.layers, pictures, strict=True):
            of = table.loc[its.layer.name]
            columns = ("fires", "largest", "genre", "dead", "twin", "beats")
            layers.append(
                {
                    **{"name": its.layer.name, "number": its.layer.number},
                    **{"kernels": its.layer.kernels, "seconds": its.layer.seconds},
                    **{"columns": small.shape[1], "bands": small.shape[2]},
                    **{column: _plain(of[column]) for column in columns},
                    "decibels": (most * _DECIBELS).round(3).tolist(),
                }
            )
        welcome = {
            "kind": "welcome",
            **{"network": net.name, "corpus": self._source, "clips": len(self.survey.clips)},
            **{"dead": self.dead, "twins": self.twins},
            "sounds": ["found", "maximised", *(["song"] if self._songs else [])],
            **{"genres": list(net.genres), "colours": list(genre_colours(net.genres).values())},
            "hertz": band_centres(net.sound).round(1).tolist(),
            "layers": layers,
            "songs": [
                {"name": self._name(row.id), "genre": row.genre, "credit": self._credit(row.id)}
                for row in self._songs
            ],
        }
        whole = b"".join(small.tobytes() for small, _ in pictures)
        return welcome, [whole, self._votes.to_numpy(np.float32).tobytes()]

    def _credit(self, clip: str) -> str:
        return credit(self._known.loc[clip], self._source)

    def _name(self, clip: str) -> str:
        title = self._known.title[clip]
        return title if isinstance(title, str) and title else str(clip)


def gallery_of_run(folder: Path, corpus: str | None = None) -> KernelGallery:
    """Survey the kernels of a run's network on its corpus, count their votes and show them.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    corpus : str, optional
        The corpus that it was trained on; by default, the one that its record names.

    Raises
    ------
    SongNetError
        When it is not a finished run of a network with kernels, or its corpus is missing.
    """
    record = runs.read_record(folder)
    net = runs.network_of(folder)
    kernels = Kernels(net)
    log_mels = runs.log_mels_of(folder, record, corpus)
    answers = runs.read_answers(folder)
    runs.check_clips(folder, log_mels, answers[answers.set == "test"], "test clips")
    clips = log_mels.clips[log_mels.clips.genre.isin(net.genres)]
    found = survey(kernels, log_mels, clips)
    # Draw them, since an artist's clips are next to each other; the seed is fixed.
    some = clips.sample(frac=1, random_state=0).groupby("genre").head(VOTING_CLIPS)
    return KernelGallery(found, votes(kernels, log_mels, some))


def _sound(clip: KernelClip) -> dict[str, Any]:
    """Return a clip's sound and the start times of its excerpts, for the page."""
    address = address_of(Player(clip.audio, clip.rate, clip.label).mp3)
    return {"kind": "sound", "address": address, "starts": list(clip.starts)}


def _pictures(layers: Sequence[LayerSurvey]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each layer's pictures as signed 8-bit values, and the size of the largest value.

    Returns
    -------
    list of (np.ndarray, shape (kernels, columns, bands), int8; np.ndarray, shape (kernels,))
        127 stands for the largest deviation from the average in a kernel's own picture.
    """
    found = []
    for its in layers:
        small = its.triggered
        for axis, most in zip((1, 2), _FINEST, strict=True):
            # Average neighbours until the picture is small enough.
            parts = np.array_split(small, min(most, small.shape[axis]), axis)
            small = np.stack([part.mean(axis) for part in parts], axis)
        most = np.abs(small).max(axis=(1, 2))
        scale = np.where(most > 0, most, 1)[:, None, None]
        found.append((np.rint(small / scale * 127).astype(np.int8), most))
    return found


def _plain(column: pd.Series) -> list[Any]:
    """Return a column for JSON, rounded and with None for missing values."""
    if pd.api.types.is_float_dtype(column):
        column = column.replace([np.inf, -np.inf], np.nan).round(6)
    return column.astype(object).where(column.notna(), None).tolist()
