"""What a browser can play so that its clock tells the truth.

The pictures of the live song follow the clock of the browser's player. That clock is right while
a song plays on, but after a seek it is only as good as the file's index. An mp3 has none to speak
of: Chromium guesses the place from the bit rate, or from a table of a hundred entries. Measured on
two minutes of variable bit rate, it says one time and plays the sound of another, up to 0.4 s away
with that table and 33 s without. So such files are played as FLAC of the decoded samples, which
seeks to the sample; and so is whatever browsers cannot play at all.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import soundfile

from songnet_utils.audio import mix_down, resample

# What browsers play as it is and seek in exactly, by the ending of the file's name.
_PLAYABLE = {
    **{".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".opus": "audio/ogg"},
    **{".m4a": "audio/mp4", ".mp4": "audio/mp4", ".webm": "audio/webm"},
}

# The rates a sound card is sure to take; above them it is resampled.
_HIGHEST_RATE, _USUAL_RATE = 96_000, 48_000

# Kilobits a second of an mp3's frames (ISO/IEC 11172-3 and 13818-3, layer III), by the header's
# four bits: MPEG-1, then MPEG-2 and 2.5. 0 is "free" and 15 forbidden: neither is taken here.
_KILOBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_TABLE = re.compile(rb"Xing|Info|VBRI")
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def mime_of(name: str, content: bytes) -> str:
    """Return the kind of a file that browsers play in step, or "" to play it as FLAC.

    Parameters
    ----------
    name
        The file's name; its ending says what it is.
    content
        Its bytes.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".mp3":
        return "audio/mpeg" if is_constant_bit_rate(content) else ""
    return _PLAYABLE.get(suffix, "")


def is_constant_bit_rate(mp3: bytes) -> bool:
    """Whether all frames of an mp3 have one bit rate, so that places are found by proportion.

    Whatever cannot be followed from frame to frame (damage, layers I and II, "free" bit rates)
    counts as not constant.
    """
    at = 0
    if mp3[:3] == b"ID3" and len(mp3) > 10:
        # The tag's size is a "synchsafe" integer: seven bits a byte (ID3v2.4, section 3.1).
        for byte in mp3[6:10]:
            at = at << 7 | byte & 0x7F
        at += 10
    kinds: set[tuple[int, int]] = set()
    while at + 4 <= len(mp3):
        frame = _frame(mp3[at : at + 4])
        if frame is None:
            break
        # The first frame may hold nothing but a table about the others, at a rate of its own.
        if kinds or not _TABLE.search(mp3, at, at + min(frame[0], 60)):
            kinds.add(frame[1:])
        if len(kinds) > 1:
            return False
        at += frame[0]
    # Tags may follow the sound; more than that means that the thread was lost.
    return len(kinds) == 1 and len(mp3) - at < 16_384


def _frame(header: bytes) -> tuple[int, int, int] | None:
    """Return a frame's bytes, bit rate and sample rate; None when this is no such frame."""
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    rate_index, bits_index = header[2] >> 2 & 3, header[2] >> 4
    if header[0] != 0xFF or header[1] >> 5 != 7 or version == 1 or layer != 1:
        return None
    if rate_index == 3 or bits_index in (0, 15):
        return None
    kilobits = _KILOBITS[version == 3][bits_index]
    rate = _RATES[version][rate_index]
    size = (144_000 if version == 3 else 72_000) * kilobits // rate + (header[2] >> 1 & 1)
    return size, kilobits, rate


def as_flac(samples: np.ndarray, rate: int) -> bytes:
    """Encode samples for a browser: 16 bits, one or two channels, a rate that it takes.

    Parameters
    ----------
    samples
        Shape (samples, channels); what is beyond full scale is cut off.
    rate
        Samples a second.
    """
    if samples.shape[1] > 2:
        samples = mix_down(samples)[:, None]
    if rate > _HIGHEST_RATE:
        columns = [resample(column.copy(), rate, _USUAL_RATE) for column in samples.T]
        samples, rate = np.stack(columns, axis=1), _USUAL_RATE
    file = io.BytesIO()
    soundfile.write(
        file,
        np.clip(samples, -1, 1),
        rate,
        format="FLAC",
        subtype="PCM_16",
        compression_level=0.25,
    )
    return file.getvalue()
