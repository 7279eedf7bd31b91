from .decoding import decode, load_audio, name_of, read_audio
from .ffmpeg import SUFFIXES, AudioWarning, seconds_of_file, suffix_of, warn
from .frames import (
    SILENCE,
    AudioError,
    check_samples,
    log_mel,
    log_mel_of_windows,
    look_ahead,
    mel_filters,
    mix_down,
    resample,
)

__all__ = [
    "SILENCE",
    "SUFFIXES",
    "AudioError",
    "AudioWarning",
    "check_samples",
    "decode",
    "load_audio",
    "log_mel",
    "log_mel_of_windows",
    "look_ahead",
    "mel_filters",
    "mix_down",
    "name_of",
    "read_audio",
    "resample",
    "seconds_of_file",
    "suffix_of",
    "warn",
]
