"""What a browser can play so that its clock tells the truth.

The pictures of the live song follow the clock of the browser's player. That clock is right while
a song plays on, but after a seek it is only as good as the file's index. An mp3 has none to speak
of: Chromium guesses the place from the bit rate, or from a table of a hundred entries. Measured on
two minutes of variable bit rate, it says one time and plays the sound of another, up to 0.4 s away
with that table and 33 s without.

An MP4 around the same bytes has an index of every frame. Such a wrapping (`as_mp4`) is a few bytes
before and after, so nothing is encoded again and a page that has the file already needs only
those. Whatever browsers cannot play even so is played as FLAC of the decoded samples, which seeks
to the sample.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from songnet_utils.audio import RESAMPLER, mix_down

# What browsers play as it is and seek in exactly, by the ending of the file's name.
_PLAYABLE = {
    **{".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".opus": "audio/ogg"},
    **{".m4a": "audio/mp4", ".mp4": "audio/mp4", ".webm": "audio/webm"},
}

# The rates a sound card is sure to take; above them it is resampled.
_HIGHEST_RATE, _USUAL_RATE = 96_000, 48_000


def mime_of(name: str) -> str:
    """Return the kind of a file that browsers play in step as it is, or "" for any other.

    Parameters
    ----------
    name
        The file's name; its ending says what it is.
    """
    return _PLAYABLE.get(Path(name).suffix.lower(), "")


@dataclass(frozen=True)
class Wrapping:
    """An MP4 around bytes of an mp3: ``before + mp3[at : at + size] + after``.

    Attributes
    ----------
    before, after : bytes
        What stands before and after the mp3's own frames.
    at, size : int
        Where in the mp3 its frames begin, and how many bytes they have.
    seconds : float
        How long they last, with what an encoder adds after the sound.
    """

    before: bytes
    at: int
    size: int
    after: bytes
    seconds: float

    MIME = 'audio/mp4; codecs="mp4a.6B"'


def as_mp4(mp3: bytes) -> Wrapping | None:
    """Return what makes an MP4 of an mp3; None where its frames do not follow one another.

    Parameters
    ----------
    mp3
        The bytes of the file. Of any other kind of file there is no wrapping either.

    Notes
    -----
    The boxes are those of ISO/IEC 14496-12; FFmpeg's libraries write them.
    """
    import av

    file = io.BytesIO()
    try:
        with av.open(io.BytesIO(mp3), format="mp3") as source, av.open(file, "w", "mp4") as target:
            given = source.streams.audio[0]
            stream = target.add_stream_from_template(given)
            # What the encoder put before the sound is passed over: it lies before time 0.
            early = given.start_time or 0
            until = 0
            for packet in source.demux(given):
                if packet.dts is not None:
                    packet.pts, packet.dts = packet.pts - early, packet.dts - early
                    until = packet.pts + packet.duration
                    packet.stream = stream
                    target.mux(packet)
            seconds = float(until * given.time_base)
    except (av.FFmpegError, IndexError, ValueError):
        return None
    whole = file.getvalue()
    at = size = 0
    while whole[at + 4 : at + 8] != b"mdat":
        size = int.from_bytes(whole[at : at + 4], "big")
        if size < 8:
            return None  # a box of more than 4 GB, or none at all
        at += size
    first, end = at + 8, at + int.from_bytes(whole[at : at + 4], "big")
    inside = mp3.find(whole[first : min(first + 4096, end)])
    if end <= first or inside < 0 or mp3[inside : inside + end - first] != whole[first:end]:
        return None
    return Wrapping(whole[:first], inside, end - first, whole[end:], seconds)


def as_flac(blocks: Iterable[np.ndarray], rate: int) -> bytes:
    """Encode samples for a browser: 16 bits, one or two channels, a rate that it takes.

    Parameters
    ----------
    blocks
        Each of shape (samples, channels); what is beyond full scale is cut off.
    rate
        Samples a second.
    """
    taken = rate if rate <= _HIGHEST_RATE else _USUAL_RATE
    file = io.BytesIO()
    writer = resampler = None
    for block in blocks:
        if block.shape[1] > 2:
            block = mix_down(block)[:, None]
        if writer is None:
            writer = soundfile.SoundFile(
                *(file, "w", taken, block.shape[1], "PCM_16"),
                format="FLAC",
                compression_level=0.25,
            )
            if taken != rate:
                resampler = soxr.ResampleStream(
                    rate, taken, block.shape[1], dtype="float32", quality=RESAMPLER
                )
        writer.write(np.clip(resampler.resample_chunk(block) if resampler else block, -1, 1))
    if writer is None:
        raise ValueError("no samples to encode")
    if resampler is not None:
        empty = np.zeros((0, writer.channels), np.float32)
        writer.write(np.clip(resampler.resample_chunk(empty, last=True), -1, 1))
    writer.close()
    return file.getvalue()
