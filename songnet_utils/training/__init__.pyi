from .data import crop
from .runs import load_songnet, read_answers, read_record, runs_folder

__all__ = ["crop", "load_songnet", "read_answers", "read_record", "runs_folder"]
