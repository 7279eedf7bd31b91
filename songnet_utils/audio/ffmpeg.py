"""Decode a sound file with FFmpeg, through PyAV, and note what is odd about it.

libsndfile decodes plain mp3s in three quarters of FFmpeg's time. But it trusts the beginning of an
mp3: it stops where the header says, and decodes parts with another rate at the wrong speed. So it
gets only files whose header (as mutagen reads it) promises as many bytes and seconds as there are.
FFmpeg decodes every other file. The two agree to 1e-5, except for the first two frames of a clip
that was cut out of an mp3, because these depend on missing frames.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import soundfile

from songnet_utils._utils.errors import SongNetWarning
from songnet_utils.audio.frames import HIGHEST_RATE, LOWEST_RATE, AudioError

#: File endings that `load_audio` reads on every machine.
SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".mp3", ".au", ".aiff", ".aif", ".opus"),
    *(".m4a", ".aac", ".mp4", ".webm", ".wma"),
)

# FFmpeg's names of the formats of sound files, and the ending for each. FFmpeg opens nothing else
# here, because some of its formats are lists of further files to read.
_ENDINGS = {
    **{"wav": ".wav", "flac": ".flac", "ogg": ".ogg", "mp3": ".mp3", "au": ".au"},
    **{"aiff": ".aiff", "mov": ".m4a", "aac": ".aac", "loas": ".aac"},
    **{"matroska": ".webm", "asf": ".wma"},
}

# For some of these formats: a few of the first bytes, and the number of bytes before them. In the
# other formats, FFmpeg itself finds the second of two joined files.
_FIRST_BYTES = {
    **{"wav": (b"RIFF", 0), "aiff": (b"FORM", 0), "mov": (b"ftyp", 4)},
    **{"ogg": (b"OggS\x00\x02", 0), "asf": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0)},
}

# A file may have this much less sound than its header promises, because encoders count loosely and
# some headers count themselves. FLAC is exact. Some mp3s count the encoder's padding, up to this
# many samples.
_SLACK_SECONDS, _FLAC_SLACK_SECONDS, _MP3_SLACK_SAMPLES = 0.1, 0.01, 2_500

# libsndfile decodes a plain mp3 at once, so a longer one would need too much memory.
_MOST_PLAIN_SECONDS = 300
# Its size may differ from that in its header by the bytes of this many seconds, and a last tag.
_PLAIN_SLACK_SECONDS, _TAG_BYTES = 0.2, 128
# Samples in a piece from libsndfile; with fewer, threads would wait for each other.
_PIECE = 2**17

# A header that promises at least this many bytes dates from before the size was known.
_UNKNOWN_BYTES = 2**31 - 2**16

Source: TypeAlias = str | os.PathLike[str] | bytes
# Samples of each channel, shape (samples,), float32; and their rate.
Piece: TypeAlias = tuple[list[np.ndarray], int]


class AudioWarning(SongNetWarning):
    """Something about a sound file is odd, but all of its sound was decoded."""


def seconds_of_file(file: str | os.PathLike[str]) -> float:
    """Return the approximate duration of a sound file in seconds, without decoding it.

    Parameters
    ----------
    file
        Its path.

    Returns
    -------
    float
        From its header, or estimated from its size; NaN if both fail.
    """
    import av

    options = {"container_options": _options("file"), "metadata_errors": "replace"}
    # A named pipe would wait for a writer.
    if Path(file).is_file():
        with (
            contextlib.suppress(av.FFmpegError, OSError, ValueError),
            av.open(os.fspath(file), **options) as container,
        ):
            if container.streams.audio and container.duration:
                return float(container.duration / av.time_base)
    return math.nan


def suffix_of(content: bytes) -> str:
    """Return the ending that a sound file should have, according to its content.

    Parameters
    ----------
    content
        The bytes of a file that `read_audio` reads.

    Returns
    -------
    str
        One of `SUFFIXES`.

    Raises
    ------
    AudioError
        When FFmpeg cannot open it.
    """
    with opened(content, "it") as container:
        kinds = container.format.name.split(",")
    return next(_ENDINGS[kind] for kind in kinds if kind in _ENDINGS)


def pieces_of(source: Source, content: bytes, progress: Progress) -> Iterator[Piece]:
    """Yield decoded pieces; at the end, raise an error or note what is missing or odd.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    content
        The file's bytes.
    progress
        Counts the decoded samples, and has the file's name for errors.
    """
    if plain := plain_pieces(source, content):
        yield from progress.counted(plain)
        progress.end(_mp3_header(content).length, "mp3")
        return
    promised: list[float | None] = []
    kind, following = "", content
    while following:
        content = following
        try:
            container = opened(content, progress.name)
        except AudioError:
            if not promised:
                raise
            # The bytes only looked like another file after the first.
            break
        with _plain_errors(progress.name), container:
            stream = next(iter(container.streams.audio), None)
            if stream is None or stream.codec_context is None:
                raise AudioError(
                    f"{progress.name}: has no sound that can be decoded. Choose a file with an "
                    "audio track, or convert it to wav or flac."
                )
            kind = container.format.name
            promised.append(promised_seconds(content, container))
            progress.expect(promised[-1])
            yield from progress.counted(ffmpeg_pieces(container, stream, progress))
            following = _next_file(content, kind, progress.position)
    progress.end(None if None in promised else sum(filter(None, promised)), kind)
    if kind == "ogg" and not _ends_as_ogg(content):
        progress.notes.append(
            f"{progress.name}: its last page is missing, as after an incomplete download. The "
            f"{progress.seconds:.2f} s before it were decoded."
        )


def plain_pieces(source: Source, content: bytes) -> list[Piece]:
    """Return the pieces of a plain mp3 from libsndfile; an empty list for any other file.

    Parameters
    ----------
    source
        A path, or the file's bytes. libsndfile reads a path that ends in mp3 without calling
        Python for each kilobyte, which matters when several threads decode.
    content
        The file's bytes.
    """
    import mutagen.mp3

    file = io.BytesIO(content)
    mutagen.mp3.skip_id3(file)
    at = file.tell()
    info = _mp3_header(content) if content[at : at + 1] == b"\xff" else None
    if not info or info.length > _MOST_PLAIN_SECONDS:
        return []
    extra = len(content) - at - info.length * info.bitrate / 8
    if abs(extra) > _PLAIN_SLACK_SECONDS * info.bitrate / 8 + _TAG_BYTES:
        return []
    path = "" if isinstance(source, bytes) or not Path(source).is_file() else os.fspath(source)
    by_path = path.lower().endswith(".mp3") and path.isprintable()
    try:
        samples, rate = soundfile.read(
            path if by_path else io.BytesIO(content), dtype="float32", always_2d=True
        )
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return []
    if len(samples) / rate < info.length - _SLACK_SECONDS:
        return []
    return [
        (list(samples[first : first + _PIECE].T), rate) for first in range(0, len(samples), _PIECE)
    ]


def _mp3_header(content: bytes) -> Any:
    """Return the contents of an mp3's Xing, Info or VBRI header, or None if it has none."""
    import mutagen.mp3

    try:
        info = mutagen.mp3.MPEGInfo(io.BytesIO(content))
    except mutagen.MutagenError:
        return None
    return None if info.bitrate_mode == mutagen.mp3.BitrateMode.UNKNOWN else info


class Progress:
    """Counts the decoded samples of a file, and records what could not be decoded.

    Parameters
    ----------
    name : str
        The file's name in errors.
    most_seconds : float, optional
        The longest duration allowed.
    """

    def __init__(self, name: str, most_seconds: float | None = None) -> None:
        self.name, self._most_seconds = name, most_seconds
        self.seconds = 0.0
        #: Oddities of the file that cost no sound.
        self.notes: list[str] = []
        #: The times, in seconds, at which something could not be decoded.
        self.bad: list[float] = []
        #: The end of the last decoded packet, in bytes.
        self.position = 0
        self._pieces = 0
        self._rate = HIGHEST_RATE

    def expect(self, seconds: float | None) -> None:
        """Raise AudioError when a file has, or its header promises, more than is allowed."""
        if self._most_seconds is not None and (seconds or 0.0) > self._most_seconds:
            raise AudioError(
                f"{self.name}: lasts longer than {self._most_seconds / 60:g} minutes, the longest "
                "allowed. Use a shorter excerpt."
            )

    def counted(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """Yield pieces as they come; raise AudioError when they exceed what is allowed."""
        for planes, rate in pieces:
            if not LOWEST_RATE <= rate <= HIGHEST_RATE:
                raise AudioError(
                    f"{self.name}: its header says {rate:,} samples per second, but sound has "
                    f"{LOWEST_RATE:,} to {HIGHEST_RATE:,}. It is damaged: export it again."
                )
            self.seconds += len(planes[0]) / rate
            self._pieces += 1
            self._rate = rate
            self.expect(self.seconds)
            yield planes, rate

    def end(self, promised: float | None, kind: str) -> None:
        """Raise AudioError when sound is missing; note what is odd.

        Parameters
        ----------
        promised : float or None
            From `promised_seconds`.
        kind : str
            FFmpeg's name of the format.
        """
        missing = (promised or 0.0) - self.seconds
        slack = _FLAC_SLACK_SECONDS if kind == "flac" else _SLACK_SECONDS
        if kind == "mp3":
            slack = max(slack, _MP3_SLACK_SAMPLES / self._rate)
        # Undecodable bytes after the last sound are a tag, or a last frame that was cut short.
        inside = [at for at in self.bad if at < self.seconds]
        if self.seconds and (missing > slack or len(inside) > self._pieces):
            of = f" of the {promised:.2f} s that its header promises" if promised else ""
            raise AudioError(
                f"{self.name}: is cut short or damaged. Only {self.seconds:.2f} s{of} can be "
                "decoded. Copy or download it again."
            )
        if not self.seconds:
            raise AudioError(f"{self.name}: contains no samples. Choose a file with sound in it.")
        if inside and promised is None:
            pieces = "1 piece" if len(inside) == 1 else f"{len(inside)} pieces"
            self.notes.append(
                f"{self.name}: {pieces} of it could not be decoded, the first at "
                f"{inside[0]:.1f} s. The rest was decoded."
            )
        if promised == 0:
            self.notes.append(
                f"{self.name}: its header was never finished (it says that there is no sound). "
                f"All {self.seconds:.2f} s to the end of the file were decoded."
            )


@contextlib.contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Turn any exception of FFmpeg or PyAV into a clear AudioError."""
    try:
        yield
    except AudioError:
        raise
    except Exception as error:
        # Catch everything, because some files make a decoder fail in ways that nobody has listed.
        raise AudioError(
            f"{name}: is not a sound file that can be decoded, or is damaged. "
            f"Readable kinds: {', '.join(suffix[1:] for suffix in SUFFIXES)}. "
            "Convert it to one of them, or download it again."
        ) from error


def opened(content: bytes, name: str) -> Any:
    """Open a file with FFmpeg, which may read only this file."""
    import av

    with _plain_errors(name):
        return av.open(io.BytesIO(content), container_options=_options(), metadata_errors="replace")


def _options(protocols: str = "") -> dict[str, str]:
    return {"format_whitelist": ",".join(_ENDINGS), "protocol_whitelist": protocols}


def ffmpeg_pieces(container: Any, stream: Any, progress: Progress) -> Iterator[Piece]:
    """Yield FFmpeg's decoded frames."""
    import av

    context = stream.codec_context
    if context.name == "flac":
        # Without this option, FFmpeg ignores the frames' checksums.
        context.options = {"err_detect": "crccheck+explode"}
    packets = container.demux(stream)
    progress.position = 0
    while True:
        try:
            packet = next(packets, None)
        except av.error.PatchWelcomeError:
            # An ogg file continues at another rate or with other channels; `_next_file` finds it.
            packet = None
        if packet is None:
            return
        progress.position = max(progress.position, (packet.pos or 0) + packet.size)
        try:
            frames = context.decode(packet)
        except av.FFmpegError:
            progress.bad.append(progress.seconds)
            continue
        # FFmpeg gives the first frame after a change of rate the old rate; the codec has the new
        # one.
        rate = context.sample_rate
        yield from ((_planes(frame), rate) for frame in frames if frame.samples)


def _next_file(content: bytes, kind: str, position: int) -> bytes:
    """Return the second file that seems to follow in the same file; b"" if there is none.

    Parameters
    ----------
    content
        The bytes of the file so far.
    kind
        FFmpeg's name of its format. In some formats, FFmpeg does not read past the first file.
    position
        The end of its last packet, in bytes.
    """
    first_bytes, offset = _FIRST_BYTES.get(kind.split(",")[0], (b"", 0))
    at = content.find(first_bytes, position) - offset if first_bytes else -1
    return content[at:] if at > 0 else b""


def _planes(frame: Any) -> list[np.ndarray]:
    """Return the samples of each channel of a frame, float32 with full scale ±1."""
    array = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(frame.samples, -1).T
    if array.dtype.kind in "iu":
        full_scale = 2.0 ** (8 * array.dtype.itemsize - 1)
        array = array / full_scale - (array.dtype.kind == "u")
    return list(np.ascontiguousarray(array, np.float32))


def promised_seconds(content: bytes, container: Any) -> float | None:
    """Return the seconds of sound that a file's own header promises, or None.

    FFmpeg guesses from the file's size if the header says nothing, and also for wav and wma.
    So this function reads these headers itself, and those of mp3s.
    """
    import mutagen.asf

    kind = container.format.name.split(",")[0]
    stream = container.streams.audio[0]
    if kind == "mp3":
        info = _mp3_header(content)
        return info and info.length
    if kind == "wav":
        there = float((stream.duration or 0) * stream.time_base)
        return _promised_by_wav(content, there)
    if kind == "asf":
        with contextlib.suppress(mutagen.MutagenError):
            return mutagen.asf.ASF(io.BytesIO(content)).info.length
        return None
    if kind in ("aac", "loas", "ogg"):
        return None
    if stream.duration:
        return float(stream.duration * stream.time_base)
    # The duration of a video may be that of its pictures.
    return container.duration / 1e6 if container.duration and len(container.streams) == 1 else None


def _promised_by_wav(content: bytes, seconds: float) -> float | None:
    """Return the seconds that a wav's header promises; 0 where it was never finished.

    Parameters
    ----------
    content
        The bytes of the file: RIFF, or RF64 with a size of 64 bits (EBU Tech 3306).
    seconds
        The duration of the bytes in the file.
    """
    of_all = content[20:28] if content.startswith(b"RF64") else content[4:8]
    of_data = content[content.find(b"data") + 4 :][:4]
    if of_data == b"\x00\x00\x00\x00":
        return 0.0
    size = 8 + int.from_bytes(of_all, "little")
    return None if size >= _UNKNOWN_BYTES else seconds * size / min(size, len(content))


def _ends_as_ogg(content: bytes) -> bool:
    """Tell whether an ogg's last page is whole and marked as the last (RFC 3533, section 6)."""
    at = content.rfind(b"OggS")
    segments = content[at + 27 : at + 27 + content[at + 26]] if at + 26 < len(content) else b""
    size = 27 + len(segments) + sum(segments)
    return bool(segments) and at + size <= len(content) and bool(content[at + 5] & 4)


def warn(notes: Iterable[str]) -> None:
    """Warn of oddities of a file that cost no sound."""
    for note in notes:
        warnings.warn(note, AudioWarning, stacklevel=3)
