from .about import about_clips, about_run
from .costs import cost_of
from .kernel_record import read_kernel_record
from .records import read_course_record
from .songs import cache_folder, course_song, genre_quiz, read_guesses
from .trained import run_of, short_run

__all__ = [
    "about_clips",
    "about_run",
    "cache_folder",
    "cost_of",
    "course_song",
    "genre_quiz",
    "read_course_record",
    "read_guesses",
    "read_kernel_record",
    "run_of",
    "short_run",
]
