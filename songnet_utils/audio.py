"""Sound files in, log-mel frames out.

Conventions: audio is mono float32, shape (samples,), full scale ±1; log-mel is float32, shape
(frames, n_mels), natural logarithm of mel power. Every channel counts the same when they are
mixed down. There is one function that makes frames, `log_mel_of_windows`: training, ``classify``,
notebooks and the stream all call it, so the same samples give the same frames everywhere.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse
import soundfile
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from songnet_utils.errors import SongNetError
from songnet_utils.timeline import Sound

#: File endings that `load_audio` reads on every machine: the first group through libsndfile, the
#: second through FFmpeg's libraries.
SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".mp3", ".au", ".aiff", ".aif", ".opus"),
    *(".m4a", ".aac", ".mp4", ".webm", ".wma"),
)

#: Below this peak (−100 dB of full scale) a clip holds no music: what is left is dither.
SILENCE = 1e-5

#: Above this peak (120 dB over full scale) samples are not sound but damage. Files whose samples
#: are whole numbers stored as floats stay below it.
LOUDEST = 1e6

# With a limit in seconds: so many numbers (samples times channels) a second of it at most, which is
# stereo at 48 kHz. They take 4 bytes each once they are decoded, and FFmpeg's three times that.
_NUMBERS_A_SECOND = 2 * 48_000

RESAMPLER = "HQ"

# What sound files are, by libsndfile's and FFmpeg's names, and the ending each is called by.
# Nothing else is opened: some of what FFmpeg knows are lists of further files to read.
_ENDINGS = {
    **{"wav": ".wav", "wavex": ".wav", "rf64": ".wav", "flac": ".flac", "ogg": ".ogg"},
    **{"mp3": ".mp3", "au": ".au", "aiff": ".aiff", "mov": ".m4a", "aac": ".aac", "loas": ".aac"},
    **{"matroska": ".webm", "asf": ".wma"},
}

# Frames to transform at once: large enough to be quick, small enough to stay in the cache.
_BLOCK = 64


class AudioError(SongNetError):
    """A file or an array that cannot be used as sound."""


class _StraightOn(soundfile.SoundFile):
    """A file that is only read on.

    soundfile else seeks after each read, and around such a place libsndfile loses some sound of
    an mp3, whose frames lean on those before them.
    """

    def seekable(self) -> bool:
        return False


class AudioReader:
    """A sound file that is decoded piece by piece, so that a long one can be heard from its start.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    name
        What to call it in errors; the path by default.
    most_seconds : float, optional
        A longer file is refused, and never decoded further than that, whatever its header says.

    Attributes
    ----------
    name : str
        As above.
    rate, channels : int
        Samples a second and channels, as in the file.
    seconds : float
        How long the file says it lasts; 0 where it does not say.

    Raises
    ------
    AudioError
        When the file is missing, empty, no sound file, cut short, or says that it is too long.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        name: str | None = None,
        most_seconds: float | None = None,
    ) -> None:
        self.name = name or name_of(source)
        self._most_seconds = most_seconds
        self._content = _content_of(source, self.name)
        if not self._content:
            raise AudioError(
                f"{self.name}: the file is empty (0 bytes). Copy or download it again."
            )
        _check_whole(self._content, self.name)
        # An mp3 by its path: libsndfile then reads it without asking Python for each kilobyte,
        # which matters where several threads decode. (Of a text that is called mp3 it would
        # complain on stderr.)
        is_mp3 = _mp3_frame_bytes(self._content, _after_tags(self._content)) > 0
        self._path = None if isinstance(source, bytes) or not is_mp3 else os.fspath(source)
        self._by_ffmpeg = False
        try:
            # libsndfile would guess an mp3's duration from the first frame and stop there.
            if is_mp3 and _mp3_header(self._content, _after_tags(self._content))[0] is None:
                raise soundfile.SoundFileRuntimeError("left to FFmpeg")
            with self._opened() as file:
                self.rate, self.channels, promised = file.samplerate, file.channels, file.frames
        except (soundfile.LibsndfileError, RuntimeError):
            self._by_ffmpeg = True
            self.rate, self.channels, self.seconds = _ffmpeg_facts(self._content, self.name)
        else:
            # An unseekable or unfinished file may promise 2**63 − 1 samples.
            self.seconds = promised / self.rate if promised < 2**62 else 0.0
            self._most().check(promised if promised < 2**62 else 0)

    def blocks(self, seconds: float | None = None) -> Iterator[np.ndarray]:
        """Decode the file from its beginning.

        Parameters
        ----------
        seconds : float, optional
            How long a block is; all but the last have so many samples. The whole file by default.

        Yields
        ------
        np.ndarray, shape (samples, channels), float32
            Full scale is ±1.

        Raises
        ------
        AudioError
            When what comes next is damaged, cut short, beyond what is taken, or not a number; or
            when there is no sample at all.
        """
        decoded = 0
        for block in self._decoded(None if seconds is None else max(1, round(seconds * self.rate))):
            # Not a number, if one of the samples is.
            peak = max(block.max(), -block.min())
            if not np.isfinite(peak):
                raise AudioError(
                    f"{self.name}: holds samples that are not numbers (NaN or infinite). "
                    "Export it again."
                )
            if peak > LOUDEST:
                raise AudioError(
                    f"{self.name}: holds samples up to {peak:.1g}, where full scale is 1; "
                    f"more than {LOUDEST:.0g} cannot be sound. Export it again."
                )
            decoded += len(block)
            yield block
        # A tenth of a second is what sloppy encoders are off by; players' delay and padding,
        # which FFmpeg cuts off, come to less than a second.
        slack = 1.0 if self._by_ffmpeg else 0.1
        if decoded and decoded < (self.seconds - slack) * self.rate:
            raise AudioError(
                f"{self.name}: is cut short: its header promises {self.seconds:.2f} s, "
                f"{decoded / self.rate:.2f} s are there. Copy or download it again."
            )
        if not decoded:
            raise AudioError(
                f"{self.name}: holds no samples at all. Choose a file with sound in it."
            )

    def _most(self) -> _Most:
        return _Most(self.name, self._most_seconds, self.rate, self.channels)

    def _opened(self, kind: type[soundfile.SoundFile] = soundfile.SoundFile) -> Any:
        return kind(self._path or io.BytesIO(self._content))

    def _decoded(self, samples: int | None) -> Iterator[np.ndarray]:
        """Yield blocks of so many samples; libsndfile's word first, else FFmpeg's."""
        decoded = 0
        if not self._by_ffmpeg:
            try:
                with self._opened(soundfile.SoundFile if samples is None else _StraightOn) as file:
                    most = self._most()
                    at_once = most.frames if samples is None else samples
                    while True:
                        block = file.read(at_once, dtype="float32", always_2d=True)
                        decoded += len(block)
                        most.check(decoded)
                        if len(block):
                            yield block
                        if samples is None or len(block) < samples:
                            return
            except (soundfile.LibsndfileError, RuntimeError) as error:
                if decoded:
                    raise AudioError(
                        f"{self.name}: is damaged {decoded / self.rate:.1f} s from its beginning "
                        "and cannot be decoded further. Copy or download it again."
                    ) from error
                self._by_ffmpeg = True
                self.rate, self.channels, self.seconds = _ffmpeg_facts(self._content, self.name)
        yield from _blocks_by_ffmpeg(self._content, self.name, samples, self._most())


def read_audio(
    source: str | os.PathLike[str] | bytes,
    *,
    name: str | None = None,
    most_seconds: float | None = None,
) -> tuple[np.ndarray, int]:
    """Decode a sound file whole.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    name
        What to call it in errors; the path by default.
    most_seconds : float, optional
        A longer file is refused, and never decoded further than that, whatever its header says.

    Returns
    -------
    samples : np.ndarray, shape (samples, channels), float32
        Full scale is ±1.
    rate : int
        Samples a second, as in the file.

    Raises
    ------
    AudioError
        When the file is missing, empty, no sound file, cut short, too long, or holds values that
        are not numbers.
    """
    reader = AudioReader(source, name=name, most_seconds=most_seconds)
    (samples,) = reader.blocks()
    return samples, reader.rate


def _content_of(source: str | os.PathLike[str] | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except IsADirectoryError as error:
        raise AudioError(
            f"{name}: is a folder. Name the sound files in it, for example {name}/*.mp3"
        ) from error
    except OSError as error:
        raise AudioError(
            f"{name}: cannot be read ({error.strerror}). Check the path and try again."
        ) from error


def load_audio(
    source: str | os.PathLike[str] | bytes, rate: int, *, name: str | None = None
) -> np.ndarray:
    """Decode a sound file, mix it down to mono and resample it.

    Parameters
    ----------
    source
        A path, or the file's bytes.
    rate : int
        Samples a second to return, ``net.sound.sample_rate`` for a network.
    name
        What to call it in errors; the path by default.

    Returns
    -------
    np.ndarray, shape (samples,), float32

    Raises
    ------
    AudioError
        As `read_audio`, and when nothing in it is louder than `SILENCE`.
    """
    samples, original = read_audio(source, name=name)
    return as_heard(samples, original, rate, name=name or name_of(source))


def as_heard(samples: np.ndarray, original: int, rate: int, *, name: str) -> np.ndarray:
    """Return decoded samples as a network hears them: mono, at `rate`; silence is refused.

    Parameters
    ----------
    samples
        Shape (samples, channels), float32, as from `read_audio`.
    original, rate
        Samples a second before and after.
    name
        What to call the song in errors.
    """
    audio = resample(mix_down(samples), original, rate)
    if not len(audio):
        raise AudioError(
            f"{name}: is too short: {len(samples)} samples at {original} Hz. "
            "Choose a file with music in it."
        )
    check_audible(max(audio.max(), -audio.min()), name)
    return audio


def check_audible(peak: float, name: str) -> None:
    """Raise AudioError when the largest sample of a song, as a magnitude, is silence."""
    if peak < SILENCE:
        raise AudioError(
            f"{name}: holds only silence (nothing above -100 dB of full scale). "
            "Choose a file with music in it."
        )


def name_of(source: str | os.PathLike[str] | bytes) -> str:
    """Return what to call a sound in errors: its path, or that it was uploaded."""
    return "the uploaded sound" if isinstance(source, bytes) else str(source)


def mix_down(samples: np.ndarray) -> np.ndarray:
    """Return the mean of the channels: (samples, channels) → (samples,), float32."""
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    # Adding columns is far quicker than np.mean over the short axis.
    total = samples[:, 0] + samples[:, 1]
    for channel in range(2, samples.shape[1]):
        total += samples[:, channel]
    total *= np.float32(1 / samples.shape[1])
    return np.asarray(total, np.float32)


def resample(audio: np.ndarray, original: int, rate: int) -> np.ndarray:
    """Resample mono audio with soxr; the stream uses the same resampler in pieces."""
    if original == rate:
        return audio
    return soxr.resample(audio, original, rate, quality=RESAMPLER)


@functools.cache
def look_ahead(original: int, rate: int) -> float:
    """Return how far the resampler looks ahead, in samples at the original rate.

    Resampled sample ``n`` depends on no original sample from ``n·original/rate + look_ahead`` on,
    to the last bit. The bound is measured once for a pair of rates, by feeding silence sample by
    sample and watching when samples come out: what is out cannot depend on what is not yet in.
    soxr works in blocks, so this is the half-width of its filter and one block. 0 when nothing
    has to be resampled.
    """
    if original == rate:
        return 0.0
    resampler = soxr.ResampleStream(original, rate, 1, dtype="float32", quality=RESAMPLER)
    silence = np.zeros(1, np.float32)
    widest, out, blocks, heard = 0.0, 0, 0, 0
    # The blocks repeat; eight of them meet every phase that matters to a sample or two.
    while blocks < 8:
        heard += 1
        samples = len(resampler.resample_chunk(silence))
        if samples:
            widest = max(widest, heard - out * original / rate)
            out += samples
            blocks += 1
    return widest + 2


def log_mel(audio: np.ndarray, sound: Sound) -> np.ndarray:
    """Return the log-mel frames of mono audio.

    Frame ``i`` is centred on sample ``hop·i``; outside the song there are zeros. Frames are
    ``ln(max(mel power, floor))`` with librosa's (Slaney's) mel filters, a periodic Hann window
    and the power spectrum, so up to rounding it is
    ``np.log(np.maximum(librosa.feature.melspectrogram(..., pad_mode="constant").T, floor))``.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        At ``sound.sample_rate``.
    sound : Sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (1 + samples // hop, n_mels), float32

    Raises
    ------
    AudioError
        When `audio` is empty, not one-dimensional, or holds NaN or infinite values.
    """
    audio = check_samples(audio)
    frames = sound.frames_of_samples(len(audio))
    half = sound.n_fft // 2
    # The last frame may reach less than half a window past the song's end, never further.
    padded = np.zeros(sound.hop * (frames - 1) + sound.n_fft, np.float32)
    padded[half : half + len(audio)] = audio[: len(padded) - half]
    return log_mel_of_windows(sliding_window_view(padded, sound.n_fft)[:: sound.hop], sound)


def check_samples(audio: np.ndarray) -> np.ndarray:
    """Return mono audio as float32, or say what is wrong with it."""
    array = np.asarray(audio)
    if array.ndim != 1 or not len(array):
        raise AudioError(
            f"audio must be mono, shape (samples,), with at least 1 sample. Got shape {array.shape}"
        )
    if not (np.issubdtype(array.dtype, np.floating)):
        raise AudioError(
            "audio must be floating point with full scale ±1 (divide 16-bit samples by 32768). "
            f"Got dtype {array.dtype}"
        )
    if not np.isfinite(array).all():
        raise AudioError("audio holds samples that are not numbers (NaN or infinite).")
    return array.astype(np.float32, copy=False)


def log_mel_of_windows(windows: np.ndarray, sound: Sound) -> np.ndarray:
    """Return one log-mel frame for each window of samples.

    Parameters
    ----------
    windows
        Shape (frames, n_fft), float32, not yet weighted by the Hann window.
    sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (frames, n_mels), float32
    """
    out = np.empty((len(windows), sound.n_mels), np.float32)
    for first in range(0, len(windows), _BLOCK):
        block = slice(first, first + _BLOCK)
        spectrum = scipy.fft.rfft(windows[block] * _window(sound.n_fft), axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        # A sparse product adds each band's few bins in one fixed order, whatever the number of
        # frames: a dense one (BLAS) rounds differently with the block's shape and the threads.
        mel = (mel_filters(sound) @ power.T).T
        out[block] = np.log(np.maximum(mel, np.float32(sound.floor)))
    return out


@functools.cache
def _window(n_fft: int) -> np.ndarray:
    phase = 2 * np.pi * np.arange(n_fft) / n_fft
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@functools.cache
def mel_filters(sound: Sound) -> scipy.sparse.csr_array:
    """Return the mel filters of a description of sound, (n_mels, 1 + n_fft // 2), float32."""
    # librosa is slow to import and only its filters are needed here.
    import librosa

    filters = librosa.filters.mel(sr=sound.sample_rate, n_fft=sound.n_fft, n_mels=sound.n_mels)
    return scipy.sparse.csr_array(filters.astype(np.float32))


def _check_whole(content: bytes, name: str) -> None:
    """Raise AudioError when a file has fewer bytes than it says itself.

    Decoders return what there is of a truncated file, at best with a warning; saying it before
    decoding keeps the half-song from people and from the corpus. Only mp3, wav, aiff and au say
    how many bytes they have; of the others, most fail to decode.
    """
    start = promised = 0
    if content[:4] == b"RIFF":
        promised = 8 + int.from_bytes(content[4:8], "little")
    elif content[:4] == b"FORM":
        promised = 8 + int.from_bytes(content[4:8], "big")
    elif content[:4] == b".snd":
        promised = int.from_bytes(content[4:8], "big") + int.from_bytes(content[8:12], "big")
    elif content[:3] == b"ID3" or content[:1] == b"\xff":
        start = _after_tags(content)
        if start and len(content) < start + 4:
            raise AudioError(
                f"{name}: is cut short: its tag alone should have {start} bytes, the file has "
                f"{len(content)}. Copy or download it again."
            )
        promised = _mp3_bytes(content, start)
    if content[:1] != b"\xff" and not start:
        # A program that could not know the size when it began writes the largest number; some
        # count their own header or a padding byte wrongly.
        promised = 0 if promised >= 2**31 - 1 else promised - 16
    if len(content) - start < promised:
        raise AudioError(
            f"{name}: is cut short: it promises {promised} bytes of sound, "
            f"{len(content) - start} are there. Copy or download it again."
        )


def _after_tags(content: bytes) -> int:
    """Return where the ID3v2 tags at the beginning of a file end (ID3v2.4, section 3.1)."""
    start = 0
    while content[start : start + 3] == b"ID3" and len(content) >= start + 10:
        # The tag's size is a "synchsafe" integer: seven bits a byte.
        size = 0
        for byte in content[start + 6 : start + 10]:
            size = size << 7 | byte & 0x7F
        start += 10 + size + (10 if content[start + 5] & 0x10 else 0)
    return start


def _mp3_header(content: bytes, start: int) -> tuple[int | None, int | None]:
    """Return the frames and the bytes that an mp3's Xing or Info header promises, or None."""
    frame = content[start : start + 192]
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16:
        return None, None
    flags, first, second = (
        int.from_bytes(frame[at + offset : at + offset + 4], "big") for offset in (4, 8, 12)
    )
    frames = first if flags & 1 else None
    size = (second if flags & 1 else first) if flags & 2 else None
    return frames, size


def _mp3_bytes(content: bytes, start: int) -> int:
    """Return how many bytes of sound an mp3 should have: as promised, or to its last frame's end.

    Without a header, the frames are followed one by one: in a truncated file the last one reaches
    past the end. Where anything else follows the frames (another tag), they end there.
    """
    promised = _mp3_header(content, start)[1]
    if promised is not None:
        return promised
    at = start
    while size := _mp3_frame_bytes(content, at):
        at += size
    return at - start


# Kilobits a second by the header's four bits: MPEG-1 layer III, and MPEG-2 and 2.5 layer III.
_MP3_BITRATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_MP3_RATES = (44_100, 48_000, 32_000)


def _mp3_frame_bytes(content: bytes, at: int) -> int:
    """Return how many bytes the layer III frame at `at` has; 0 when there is none."""
    header = content[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3
    bitrate = _MP3_BITRATES[version != 3][header[2] >> 4]
    if version == 1 or not bitrate or header[2] >> 2 & 3 == 3:
        return 0
    rate = _MP3_RATES[header[2] >> 2 & 3] >> (2, 0, 1, 0)[version]
    return (144 if version == 3 else 72) * bitrate * 1000 // rate + (header[2] >> 1 & 1)


class _Most:
    """How much of a file is decoded at most.

    Parameters
    ----------
    name : str
        What to call it in errors.
    seconds : float, optional
        The limit; none by default.
    rate, channels : int
        The file's.
    """

    def __init__(self, name: str, seconds: float | None, rate: int, channels: int) -> None:
        self._name, self._seconds, self._rate, self._channels = name, seconds, rate, channels
        #: How many frames to ask for: one too many, so that it shows; −1 for all.
        self.frames = -1
        if seconds is not None:
            wide = seconds * _NUMBERS_A_SECOND / channels
            self.frames = int(min(seconds * rate, wide)) + 1

    def check(self, frames: int) -> None:
        """Raise AudioError when a file has more frames than are decoded."""
        if self._seconds is None or frames < self.frames:
            return
        if frames > self._seconds * self._rate:
            raise AudioError(
                f"{self._name}: lasts longer than {self._seconds / 60:g} minutes, the most that "
                "is taken. Cut a piece out of it."
            )
        raise AudioError(
            f"{self._name}: {self._channels} channels at {self._rate} Hz are more sound than is "
            f"taken of a song this long. Export it in stereo at 44,100 Hz."
        )


def suffix_of(content: bytes) -> str:
    """Return the ending that a sound file should have, by what it is, not by its name.

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
        When it is of no kind that has one.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            kinds = [file.format.lower()]
    except (soundfile.LibsndfileError, RuntimeError):
        import av

        try:
            with _opened(content) as container:
                kinds = container.format.name.split(",")
        except (av.FFmpegError, ValueError):
            kinds = []
    for kind in kinds:
        if kind in _ENDINGS:
            return _ENDINGS[kind]
    raise AudioError(
        f"it is of a kind of sound file that is not kept ({', '.join(kinds) or 'unknown'}). "
        f"Convert it to one of {', '.join(suffix[1:] for suffix in SUFFIXES)}."
    )


def _opened(content: bytes) -> Any:
    """Open a file with FFmpeg, which may read nothing but the file itself."""
    import av

    return av.open(
        io.BytesIO(content),
        container_options={"format_whitelist": ",".join(_ENDINGS), "protocol_whitelist": ""},
    )


def _promised_seconds(container: Any, stream: Any) -> float:
    """Return how long a file says it lasts; 0 where that is only guessed from its size."""
    if container.format.name.split(",")[0] not in ("flac", "matroska"):
        return 0.0
    if stream.duration:
        return float(stream.duration * stream.time_base)
    # Of a film, it is as likely its pictures' time.
    return container.duration / 1e6 if container.duration and len(container.streams) == 1 else 0.0


def _audio_stream(container: Any, name: str) -> Any:
    """Return a container's first audio stream, or say why there is nothing to decode."""
    if not container.streams.audio:
        raise AudioError(f"{name}: has no sound in it. Choose a file with an audio track.")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise AudioError(
            f"{name}: its sound is in a codec that cannot be decoded. Convert it to "
            f"{' or '.join(suffix[1:] for suffix in SUFFIXES[:4])}."
        )
    return stream


@contextlib.contextmanager
def _as_ffmpeg_says(name: str) -> Iterator[None]:
    """Turn what FFmpeg complains of into words that people understand."""
    import av

    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, AudioError):
            raise
        raise AudioError(
            f"{name}: is not a sound file that can be decoded, or is damaged. "
            f"Readable kinds: {', '.join(suffix[1:] for suffix in SUFFIXES)}. "
            "Convert it to one of them, or download it again."
        ) from error


def _ffmpeg_facts(content: bytes, name: str) -> tuple[int, int, float]:
    """Return rate, channels and promised seconds of a file that FFmpeg is to decode."""
    with _as_ffmpeg_says(name), _opened(content) as container:
        stream = _audio_stream(container, name)
        # What is not in the header stands with the first frame.
        first = next(iter(container.decode(stream)), None)
        if first is None:
            raise AudioError(f"{name}: holds no samples at all. Choose a file with sound in it.")
        channels = len(first.layout.channels)
        return first.sample_rate, channels, _promised_seconds(container, stream)


def _blocks_by_ffmpeg(
    content: bytes, name: str, samples: int | None, most: _Most
) -> Iterator[np.ndarray]:
    """Yield blocks (samples, channels) as FFmpeg decodes them; all as one where None is asked."""
    import av

    waiting: list[np.ndarray] = []
    there = decoded = 0
    with _as_ffmpeg_says(name), _opened(content) as container:
        stream = _audio_stream(container, name)
        as_float = av.AudioResampler(format="fltp")
        frames = itertools.chain(container.decode(stream), [None])
        for frame in frames:
            if frame is not None:
                decoded += frame.samples
                most.check(decoded)
            for piece in as_float.resample(frame):
                waiting.append(piece.to_ndarray())
                there += waiting[-1].shape[1]
            while samples is not None and there >= samples:
                whole = np.concatenate(waiting, axis=1)
                yield _rows(whole[:, :samples])
                waiting, there = [whole[:, samples:]], there - samples
    if there:
        yield _rows(np.concatenate(waiting, axis=1))


def _rows(planes: np.ndarray) -> np.ndarray:
    """Return (channels, samples) as (samples, channels), float32."""
    return np.ascontiguousarray(planes.T, np.float32)
