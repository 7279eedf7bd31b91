"""Sounds in a notebook: a player with a name, alone or below a picture with a cursor."""

from __future__ import annotations

import base64
import html
import io
from typing import ClassVar

import numpy as np
import soundfile
from matplotlib.axes import Axes

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import check_samples
from songnet_utils.plots.style import ACCENT, show


class Player:
    """Samples as an mp3 in an HTML ``<audio>``; in a notebook, end a cell with it.

    Parameters
    ----------
    audio
        Mono samples, full scale ±1.
    rate
        Samples per second: 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or 48000, the
        rates of mp3.
    label
        A short description, shown above the player and read out by screen readers.
    autoplay
        Start at once; use it only after a press of a button.

    Raises
    ------
    SongNetError
        When mp3 does not support the rate, or `audio` is not mono audio.
    """

    #: From 0 (best quality) to 1 (smallest size); this is 64 kbit/s at 22,050 Hz.
    compression: ClassVar[float] = 0.6

    def __init__(self, audio: np.ndarray, rate: int, label: str, *, autoplay: bool = False) -> None:
        self.label = label
        # What stands above it, and further attributes of the audio.
        self._above, self._attributes = "", " autoplay" if autoplay else ""
        content = io.BytesIO()
        try:
            # Use a constant bit rate, because browsers cannot seek exactly in others. soundfile
            # uses the mode only if you also give the compression.
            soundfile.write(
                content,
                check_samples(audio),
                rate,
                format="MP3",
                bitrate_mode="CONSTANT",
                compression_level=self.compression,
            )
        except soundfile.LibsndfileError as error:
            raise SongNetError(
                f"{label}: cannot become an mp3 with {rate} samples per second ({error}). "
                "Resample it, for example to 22050."
            ) from error
        self.mp3 = content.getvalue()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.mp3).decode("ascii")
        label = html.escape(self.label)
        return (
            f'<figure style="margin: 0.6em 0">{self._above}<figcaption>{label}</figcaption>'
            f'<audio controls{self._attributes} preload="metadata" aria-label="{label}" '
            f'src="data:audio/mpeg;base64,{data}"></audio></figure>'
        )

    def __repr__(self) -> str:
        return f"Player: {self.label}"


class SlidingWindow(Player):
    """A picture over time with a player below it: a window slides over it while the sound plays.

    The window ends at the moment that sounds, and a curtain hides what the lower pictures show of
    later moments. Nothing moves, and nothing is hidden, before somebody plays the sound.

    Parameters
    ----------
    audio, rate, label
        As in `Player`.
    ax
        The uppermost axes over time, in seconds from the start of `audio`; those below share it.
    seconds
        How wide the window is.
    """

    def __init__(
        self, audio: np.ndarray, rate: int, label: str, ax: Axes, *, seconds: float
    ) -> None:
        super().__init__(audio, rate, label)
        picture, (_, end) = show(ax)._repr_html_(), ax.get_xlim()
        above, others = ax.get_position(), ax.get_shared_x_axes().get_siblings(ax)
        lower = [other.get_position() for other in others if other is not ax]
        width = f"width: {100 * above.width * seconds / end:.2f}%"
        left = f"left: calc({100 * above.x0:.2f}% + {100 * above.width:.2f}% * var(--at, "
        self._above = (
            '<div style="position: relative; width: fit-content; max-width: 100%; line-height: 0">'
            f'{picture}<div style="position: absolute; {left}1)); background: white; '
            f"right: {100 * (1 - above.x1):.2f}%; bottom: {100 * min(b.y0 for b in lower):.2f}%; "
            f'top: {100 * (1 - max(b.y1 for b in lower)):.2f}%"></div>'
            f'<div style="position: absolute; {left}0.5)); transform: translate(-100%); {width}; '
            f"height: {100 * above.height:.2f}%; top: {100 * (1 - above.y1):.2f}%; "
            f'outline: 2px solid {ACCENT}"></div></div>'
        )
        moves = (
            "const move = () => { this.parentNode.style.setProperty('--at', "
            f"this.currentTime / {end:.4f}); if (!this.paused) requestAnimationFrame(move) }}; "
            "move()"
        )
        self._attributes = f' onplay="{moves}" onseeking="{moves}"'


def excerpt(audio: np.ndarray, rate: int, start: float, seconds: float) -> np.ndarray:
    """Return `seconds` of audio from `start` on, faded in and out over 20 ms.

    Parameters
    ----------
    audio
        Mono samples.
    rate
        Samples per second.
    start, seconds
        The start and the duration, in seconds; the excerpt ends at the end of `audio`.

    Raises
    ------
    SongNetError
        When `start` is outside `audio`.
    """
    if not 0 <= start * rate < len(audio):
        raise SongNetError(
            f"start must be in the {len(audio) / rate:.2f} s of the audio. Got {start} s"
        )
    piece = audio[round(start * rate) : round((start + seconds) * rate)].copy()
    fade = min(round(0.02 * rate), len(piece) // 2)
    ramp = np.linspace(0, 1, fade, dtype=piece.dtype)
    piece[:fade] *= ramp
    piece[len(piece) - fade :] *= ramp[::-1]
    return piece
