from .costs import cost_of
from .kernel_record import read_kernel_record
from .records import read_course_record
from .trained import cache_folder, course_song, run_of, short_run

__all__ = [
    "cache_folder",
    "cost_of",
    "course_song",
    "read_course_record",
    "read_kernel_record",
    "run_of",
    "short_run",
]
