"""The kernel gallery: see what each kernel of a network likes, and hear it at a click.

A layer's kernels lie in a grid, each as a picture of what excites it, framed in the colour of the
genre that it votes for. One that is chosen sounds at once, and says how often it fires, what it
votes for, and whose music you hear; two can stand side by side.

Pictures and figures of all kernels come at once, sounds only when they are played: found clips
are cut out of the songs, activations maximised and songs auralised on demand. `KernelGallery.save`
writes the same gallery as a page without Python, with the strongest found pieces beside it.
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

#: Songs that can be heard as a kernel hears them, at most.
MOST_SONGS = 8

#: Clips of each genre in which the votes of a run's kernels are counted.
VOTING_CLIPS = 8

#: Found pieces of each kernel that a page without Python plays, at most.
PIECES_ON_PAGE = 3

# The finest picture, columns in time and mel bands: those of SongNet's 768 kernels, with their
# figures, fit into one message (`messages.MOST_IN_MESSAGE`).
_FINEST = (32, 32)
# A natural logarithm of power in decibels.
_DECIBELS = 10 / np.log(10)


class KernelGallery(WithRecording, Messages):
    """A gallery of all kernels of a network, by layer.

    Parameters
    ----------
    survey : Survey
        What a corpus tells of the kernels.
    votes : pandas.DataFrame
        What `songnet_utils.kernels.votes` found for them.

    Notes
    -----
    Messages from the page: ``hello`` (a page has opened), ``card`` (a kernel was chosen),
    ``sound`` (one of its sounds is to be played). To the page: ``welcome``, ``card``, ``sound``,
    ``error``. All but the first two say ``what`` it is about ("card", or the sound:
    "found", "maximised" or "song"), the ``layer``'s number, the ``kernel``, and which ``song``.
    """

    _esm = joined(*COMMON, "kernels.js")
    _css = joined("common.css", "kernels.css")
    _subject = ("what", "layer", "kernel", "song")
    _slow = ("sound",)

    def __init__(self, survey: Survey, votes: pd.DataFrame, **widget: Any) -> None:
        of = [(its.layer.name, k) for its in survey.layers for k in range(its.layer.kernels)]
        self.survey, self._votes = survey, votes.loc[of]
        # One song of each genre can be auralised.
        self._songs = list(survey.clips.groupby("genre").head(1)[:MOST_SONGS].itertuples())
        # Credits come from the corpus: in a survey, unknown artists have names of their own.
        self._known = survey.log_mels.corpus.clips.set_index("id", drop=False)
        self._source = survey.log_mels.corpus.name
        # Maximising and auralising need the whole machine: one at a time.
        self._turn = threading.Lock()
        super().__init__(**widget)

    @property
    def title(self) -> str:
        """What it shows, in a few words."""
        return f"The {len(self._votes):,} kernels of {self.survey.kernels.net.name}"

    @property
    def dead(self) -> int:
        """How many kernels never fire."""
        return sum(int(its.dead.sum()) for its in self.survey.layers)

    @property
    def twins(self) -> int:
        """How many pairs of kernels say nearly the same."""
        return sum(len(its.twins()) for its in self.survey.layers)

    # ---- What Python code may use --------------------------------------------------------------

    def clip(self, what: str, layer: str | int, kernel: int, song: int = 0) -> KernelClip:
        """Return a sound of a kernel: what the page plays.

        Parameters
        ----------
        what : str
            "found", "maximised" or "song".
        layer : str or int
            A layer's name, or its number from 1.
        kernel : int
            The kernel's number.
        song : int
            Which of the gallery's songs, for "song".

        Raises
        ------
        SongNetError
            When there is none: the kernel is dead or never fires in the song, or a file cannot be
            read any more.
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
            Gets ``index.html`` and ``media/``, with the found clips as mp3s. A page that was saved
            there before is replaced.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        SongNetError
            When the folder holds another page, a song cannot be read any more, or the disk is
            full.
        """
        return save_page(
            folder,
            f"{self.title}, on {self._source}",
            "Each picture is what excites a kernel, each sound the three strongest pieces of music "
            "in which it was found. Choose one to hear it.",
            self.recording() | {"note": ""},
        )

    def recording(self) -> dict[str, Any]:
        """Return all kernels, with the strongest of the pieces that they found."""
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
        # Together: each song is decoded once.
        found = found_clips(self.survey, alive, most=PIECES_ON_PAGE)
        with smaller(), ThreadPoolExecutor(os.cpu_count()) as pool:
            sounds = pool.map(_sound, [clip for _, clip in found])
            for (layer, kernel), sound in zip(alive, sounds, strict=True):
                about = {"what": "found", "layer": layer, "kernel": kernel}
                answers[f"sound found {layer} {kernel}"] = packed({**about, **sound})
        note = f"This page plays the {PIECES_ON_PAGE} strongest pieces of each kernel."
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

    # ---- What the page shows of kernels ---------------------------------------------------------

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
    """Survey the kernels of a run's network on its corpus, count their votes, show them.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    corpus : str, optional
        What it was trained on; by default what is found under the name in its record.

    Raises
    ------
    SongNetError
        When it is no finished run of a network with kernels, or its corpus is not there.
    """
    record = runs.read_record(folder)
    net = runs.network_of(folder)
    kernels = Kernels(net)
    log_mels = runs.log_mels_of(folder, record, corpus)
    answers = runs.read_answers(folder)
    runs.check_clips(folder, log_mels, answers[answers.set == "test"], "test clips")
    clips = log_mels.clips[log_mels.clips.genre.isin(net.genres)]
    found = survey(kernels, log_mels, clips)
    # Drawn, since clips of one artist stand together; the same ones each time.
    some = clips.sample(frac=1, random_state=0).groupby("genre").head(VOTING_CLIPS)
    return KernelGallery(found, votes(kernels, log_mels, some))


def _sound(clip: KernelClip) -> dict[str, Any]:
    """Return what the page is told of a clip: its sound, and where its pieces start."""
    address = address_of(Player(clip.audio, clip.rate, clip.label).mp3)
    return {"kind": "sound", "address": address, "starts": list(clip.starts)}


def _pictures(layers: Sequence[LayerSurvey]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each layer's pictures, 8 bits with a sign, and what the largest value stands for.

    Returns
    -------
    list of (np.ndarray, shape (kernels, columns, bands), int8; np.ndarray, shape (kernels,))
        127 is what is furthest from the usual in a kernel's own picture.
    """
    found = []
    for its in layers:
        small = its.triggered
        for axis, most in zip((1, 2), _FINEST, strict=True):
            # Neighbours are averaged, so that at most so many are left.
            parts = np.array_split(small, min(most, small.shape[axis]), axis)
            small = np.stack([part.mean(axis) for part in parts], axis)
        most = np.abs(small).max(axis=(1, 2))
        scale = np.where(most > 0, most, 1)[:, None, None]
        found.append((np.rint(small / scale * 127).astype(np.int8), most))
    return found


def _plain(column: pd.Series) -> list[Any]:
    """Return a column for JSON: rounded, None for what is not known."""
    if pd.api.types.is_float_dtype(column):
        column = column.replace([np.inf, -np.inf], np.nan).round(6)
    return column.astype(object).where(column.notna(), None).tolist()
