"""The kernel gallery: see what each kernel of a network likes, and hear it at a click.

A layer's kernels lie in a grid, each as a picture of what excites it, framed in the colour of the
genre that it votes for. One that is chosen sounds at once, and says how often it fires, what it
votes for, and whose music you hear; two can stand side by side.

Pictures and figures of all kernels come at once, sounds only when they are played: found clips
are cut out of the songs, activations maximised and songs auralised on demand. `KernelGallery.save`
writes the same gallery as a page without Python, with the found clips beside it.
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
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
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
from songnet_utils.training.runs import (
    check_clips,
    log_mels_of,
    network_of,
    read_answers,
    read_record,
)
from songnet_utils.widgets.messages import COMMON, Messages, joined
from songnet_utils.widgets.recording import (
    WithRecording,
    address_of,
    answer,
    check_free,
    save_page,
    smaller,
    table_html,
)

#: Bytes of all pictures together, at most: finer ones are averaged. With the figures of SongNet's
#: 768 kernels they fit into one message (`messages.MOST_IN_MESSAGE`).
MOST_PICTURE_BYTES = 900_000

#: Songs that can be heard as a kernel hears them, at most.
MOST_SONGS = 8

#: Clips of each genre in which the votes of a run's kernels are counted.
VOTING_CLIPS = 8

#: Found pieces that a recording on a page of the course plays of each kernel, at most.
PIECES_ON_PAGE = 3

#: Kernels whose clips are in memory at a time, while a gallery is recorded.
MOST_CUT = 400

# The finest picture: columns in time, mel bands.
_FINEST = (32, 128)
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

    Raises
    ------
    SongNetError
        When the votes are not those of these kernels.

    Notes
    -----
    Messages from the page: ``hello`` (a page has opened), ``card`` (a kernel was chosen),
    ``sound`` (one of its sounds is to be played). To the page: ``welcome``, ``card``, ``sound``
    (in pieces), ``error``. All but the first two say ``what`` it is about ("card", or the sound:
    "found", "maximised" or "song"), the ``layer``'s number, the ``kernel``, and which ``song``.
    """

    _esm = joined(*COMMON, "kernels.js")
    _css = joined("common.css", "kernels.css")
    _subject = ("what", "layer", "kernel", "song")

    def __init__(self, survey: Survey, votes: pd.DataFrame, **widget: Any) -> None:
        of = [(its.layer.name, k) for its in survey.layers for k in range(its.layer.kernels)]
        if set(votes.index) != set(of) or list(votes.columns) != list(survey.kernels.net.genres):
            raise SongNetError(
                f"The votes are not those of {survey.kernels.net.name}'s kernels: count them "
                "with votes(survey.kernels, …)."
            )
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

    def save(self, folder: str | os.PathLike[str], *, progress: bool = True) -> Path:
        """Write the gallery as a page that needs no Python and no network.

        Parameters
        ----------
        folder : path
            Gets ``index.html`` and ``media/``, with the found clips as mp3s. A page that was saved
            there before is replaced.
        progress : bool
            Show a progress bar.

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
        check_free(folder)
        return save_page(
            folder,
            f"{self.title}, on {self._source}",
            "Each picture is what excites a kernel, each sound the music in which it was found. "
            "Choose one to hear it.",
            self._recorded(progress=progress),
        )

    def recording(self) -> dict[str, Any]:
        """Return all kernels, with the strongest of the pieces that they found."""
        with smaller():
            its = self._recorded(PIECES_ON_PAGE, progress=False)
        note = (
            f"This page plays the {PIECES_ON_PAGE} strongest pieces of each kernel. The notebook "
            "plays all, and maximised clips and auralised songs: run make lab and open this lesson."
        )
        return {**its, "note": note}

    def _recorded(self, most: int | None = None, *, progress: bool) -> dict[str, Any]:
        """Return all kernels for pages without Python, with so many of their found pieces."""
        welcome, buffers = self._summary()
        answers = {"hello": answer("welcome", {**welcome, "sounds": ["found"]}, buffers)}
        alive = []
        for its in self.survey.layers:
            for kernel in range(its.layer.kernels):
                about = {"what": "card", "layer": its.layer.number, "kernel": kernel}
                try:
                    pieces = self._card(its, kernel)["pieces"][:most]
                    card = answer("card", {**about, "pieces": pieces})
                    alive.append((its.layer.number, kernel))
                except SongNetError as error:
                    card = answer("error", {**about, "text": str(error)})
                answers[f"card card {its.layer.number} {kernel}"] = card
        bar = tqdm(total=len(alive), desc="Cutting", disable=not progress, leave=False)
        with bar, ThreadPoolExecutor(os.cpu_count()) as pool:
            # So many at a time: the clips of all would fill the memory.
            for at in range(0, len(alive), MOST_CUT):
                some = alive[at : at + MOST_CUT]
                found = found_clips(self.survey, some, most=most, progress=False)
                clips = [clip for _, clip in found]
                sounds = pool.map(lambda clip: address_of(_mp3(clip)), clips)
                for (layer, kernel), clip, address in zip(some, clips, sounds, strict=True):
                    answers[f"sound found {layer} {kernel}"] = answer(
                        "sound",
                        {
                            **{"what": "found", "layer": layer, "kernel": kernel},
                            **{"address": address, "starts": list(clip.starts)},
                        },
                    )
                    bar.update(1)
        return {"widget": "kernels", "answers": answers}

    # ---- Messages ------------------------------------------------------------------------------

    def _on_hello(self, content: dict[str, Any], buffers: list) -> None:
        welcome, pictures = self._summary()
        self._tell("welcome", pictures, **welcome)

    def _on_card(self, content: dict[str, Any], buffers: list) -> None:
        its, kernel = self._kernel_of(content)
        self._tell("card", **self._about(content), **self._card(its, kernel))

    def _on_sound(self, content: dict[str, Any], buffers: list) -> None:
        about = self._about(content)
        # Decoding, maximising and encoding take their time: the kernel is not kept waiting.
        self._start(about, self._send_sound, about)

    def _send_sound(self, about: dict[str, Any]) -> None:
        its, kernel = self._kernel_of(about)
        clip = self.clip(about["what"], its.layer.number, kernel, about["song"] or 0)
        self._tell_sound(_mp3(clip), starts=list(clip.starts), **about)

    def _kernel_of(self, content: dict[str, Any]) -> tuple[LayerSurvey, int]:
        return self.survey.layers[content["layer"] - 1], content["kernel"]

    # ---- What the page shows of kernels ---------------------------------------------------------

    def _summary(self) -> tuple[dict[str, Any], list[bytes]]:
        """Return what is told of all kernels at once, and their pictures and votes as bytes."""
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

    def _card(self, its: LayerSurvey, kernel: int) -> dict[str, Any]:
        """Return what is told of a kernel when it is chosen; a dead one raises SongNetError."""
        return {
            "pieces": [
                {
                    **{"credit": self._credit(row.id), "activation": row.activation},
                    **{"genre": row.genre or "", "at": row.seconds},
                }
                for row in self.survey.found(its.layer.number, kernel).itertuples()
            ]
        }

    def _credit(self, clip: str) -> str:
        return credit(self._known.loc[clip], self._source)

    def _name(self, clip: str) -> str:
        title = self._known.title[clip]
        return title if isinstance(title, str) and title else str(clip)

    def _still_html(self) -> str:
        """Return the layers as a table in HTML."""
        rows = []
        for its in self.survey.layers:
            of = self._votes.loc[its.layer.name][~its.dead]
            most = of.idxmax(axis=1).value_counts().head(3)
            row = {"Layer": its.layer.name, "Kernels": its.layer.kernels}
            row |= {"Each sees": f"{its.layer.seconds:.2f} s", "Dead": int(its.dead.sum())}
            row["Pairs of twins"] = len(its.twins())
            row["Most vote for"] = ", ".join(f"{genre} {count}" for genre, count in most.items())
            rows.append(row)
        return table_html(pd.DataFrame(rows), self.title)


def gallery_of_run(
    folder: str | os.PathLike[str], corpus: str | Path | None = None, *, progress: bool = True
) -> KernelGallery:
    """Survey the kernels of a run's network on its corpus, count their votes, show them.

    Parameters
    ----------
    folder : path
        The run's folder.
    corpus : str or path, optional
        What it was trained on; by default what is found under the name in its record.
    progress : bool
        Show progress bars.

    Raises
    ------
    SongNetError
        When it is no finished run of a network with kernels, or its corpus is not there.
    """
    folder = Path(folder)
    record = read_record(folder)
    refusal = f"{record['model']} has no kernels. Name the run of a network, such as songnet."
    net = network_of(folder, record, refusal)
    kernels = Kernels(net)
    log_mels = log_mels_of(folder, record, corpus, progress=progress)
    answers = read_answers(folder)
    check_clips(folder, log_mels, answers[answers.set == "test"], "test clips")
    clips = log_mels.clips[log_mels.clips.genre.isin(net.genres)]
    found = survey(kernels, log_mels, clips, progress=progress)
    # Drawn, since clips of one artist stand together; the same ones each time.
    some = clips.sample(frac=1, random_state=0).groupby("genre").head(VOTING_CLIPS)
    return KernelGallery(found, votes(kernels, log_mels, some, progress=progress))


def _mp3(clip: KernelClip) -> bytes:
    return Player(clip.audio, clip.rate, clip.label).mp3


def _pictures(layers: Sequence[LayerSurvey]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each layer's pictures, 8 bits with a sign, and what the largest value stands for.

    Returns
    -------
    list of (np.ndarray, shape (kernels, columns, bands), int8; np.ndarray, shape (kernels,))
        127 is what is furthest from the usual in a kernel's own picture.
    """
    columns, bands = _FINEST
    while _pixels(layers, columns, bands) > MOST_PICTURE_BYTES and bands > 1:
        bands //= 2
        columns = min(columns, bands)
    found = []
    for its in layers:
        small = _averaged(_averaged(its.triggered, 1, columns), 2, bands)
        most = np.abs(small).max(axis=(1, 2))
        scale = np.where(most > 0, most, 1)[:, None, None]
        found.append((np.rint(small / scale * 127).astype(np.int8), most))
    return found


def _pixels(layers: Sequence[LayerSurvey], columns: int, bands: int) -> int:
    shapes = [its.triggered.shape for its in layers]
    return sum(count * min(wide, columns) * min(high, bands) for count, wide, high in shapes)


def _averaged(values: np.ndarray, axis: int, most: int) -> np.ndarray:
    """Return values of which neighbours are averaged, so that at most so many are left."""
    parts = np.array_split(values, min(most, values.shape[axis]), axis)
    return np.stack([part.mean(axis) for part in parts], axis)


def _plain(column: pd.Series) -> list[Any]:
    """Return a column for JSON: rounded, None for what is not known."""
    if pd.api.types.is_float_dtype(column):
        column = column.replace([np.inf, -np.inf], np.nan).round(6)
    return column.astype(object).where(column.notna(), None).tolist()
