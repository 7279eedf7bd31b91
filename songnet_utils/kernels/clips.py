"""Kernel clips: sounds that excite a kernel, with their credits.

*Found clips* are pieces of music by different artists, one after the other, cut exactly to the
activation's receptive field. The pieces are unchanged, except for short fades where they are joined
for listening.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from songnet_utils.audio import load_audio
from songnet_utils.corpora import credit
from songnet_utils.kernels.surveys import Survey

#: The seconds of a joined piece's fades, and of the silence between two pieces.
FADE_SECONDS, GAP_SECONDS = 0.01, 0.12


@dataclass(frozen=True)
class KernelClip:
    """A sound that excites a kernel.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,), float32
        Mono, full scale ±1.
    rate : int
        Samples per second.
    label : str
        A short description.
    credits : tuple of str
        Title, artist, source and licence of all music in it, in order; empty for a synthetic
        sound.
    starts : tuple of float
        The start times of its pieces, in seconds.
    """

    audio: np.ndarray
    rate: int
    label: str
    credits: tuple[str, ...] = ()
    starts: tuple[float, ...] = (0.0,)


def found_clip(survey: Survey, layer: str | int, kernel: int) -> KernelClip:
    """Return the pieces of music that excite a kernel most, joined for listening.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels.
    layer : str or int
        A layer's name, or its number from 1.
    kernel : int
        The kernel's number.

    Raises
    ------
    SongNetError
        When there is no such kernel, it is dead, or a file can no longer be read.
    """
    ((_, clip),) = found_clips(survey, [(layer, kernel)])
    return clip


def found_clips(
    survey: Survey, kernels: Sequence[tuple[str | int, int]], *, most: int | None = None
) -> list[tuple[tuple[str, int], KernelClip]]:
    """Return the found clips of many kernels, decoding each song only once.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels.
    kernels : sequence of (layer, kernel)
        The kernels, none of them dead.
    most : int, optional
        The most pieces per kernel; the strongest are used.

    Returns
    -------
    list of ((layer name, kernel), KernelClip)
        In the order of `kernels`. Pieces take 4 bytes per sample; if memory is short, request a
        layer at a time.
    """
    wanted = [(survey.kernels.layer(layer).name, kernel) for layer, kernel in kernels]
    found = [survey.found(layer, kernel)[:most] for layer, kernel in wanted]
    places = pd.concat(found, keys=range(len(found)))
    by_clip = list(places.groupby("id", sort=False))
    files = survey.clips.set_index("id").file
    rate = survey.kernels.sound.sample_rate
    pieces: dict[tuple[int, int], np.ndarray] = {}

    def cut_out(clip: str, its: pd.DataFrame) -> None:
        audio = load_audio(files[clip], rate)
        for place in its.itertuples():
            pieces[place.Index] = audio[place.start : place.stop].copy()

    # Decode several songs at a time.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(cut_out, *zip(*by_clip, strict=True)))
    known = survey.log_mels.corpus.clips.set_index("id", drop=False)
    source = survey.log_mels.corpus.name
    clips = []
    for number, ((layer, kernel), rows) in enumerate(zip(wanted, found, strict=True)):
        audio, starts = join((pieces[number, rank] for rank in rows.index), rate)
        credits = tuple(credit(known.loc[clip], source) for clip in rows.id)
        label = f"{layer}, kernel {kernel}: found in {source}"
        clips.append(((layer, kernel), KernelClip(audio, rate, label, credits, starts)))
    return clips


def pieces_of(survey: Survey, layer: str | int, kernel: int) -> Iterator[np.ndarray]:
    """Yield the pieces of `found_clip` unchanged, without fades and not joined."""
    files = survey.clips.set_index("id").file
    for row in survey.found(layer, kernel).itertuples():
        yield load_audio(files[row.id], survey.kernels.sound.sample_rate)[row.start : row.stop]


def join(pieces: Iterable[np.ndarray], rate: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """Join pieces, with fades and a short silence between them.

    Returns
    -------
    audio : np.ndarray, shape (samples,), float32
        The joined pieces.
    starts : tuple of float
        The start time of each, in seconds.
    """
    fade, gap = round(FADE_SECONDS * rate), round(GAP_SECONDS * rate)
    parts: list[np.ndarray] = []
    starts: list[float] = []
    at = 0
    for piece in pieces:
        piece = np.array(piece, np.float32)
        ramp = np.linspace(0, 1, min(fade, len(piece) // 2), dtype=np.float32)
        piece[: len(ramp)] *= ramp
        piece[len(piece) - len(ramp) :] *= ramp[::-1]
        starts.append(at / rate)
        parts += [piece, np.zeros(gap, np.float32)]
        at += len(piece) + gap
    return np.concatenate(parts[:-1]), tuple(starts)
