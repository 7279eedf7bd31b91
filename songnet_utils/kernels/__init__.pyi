from .cache import cached_survey
from .clips import KernelClip, found_clip, found_clips, pieces_of
from .frame_statistics import FrameStatistics
from .layers import KernelLayer, Kernels, frames_of_piece, untrained
from .masks import auralise
from .maximisation import Maximised, maximisation_table, maximise, maximised_clip, sound_of
from .purity import likeness_by_layer, purity_by_layer
from .quiz import Question, Score, genre_questions, score, song_questions
from .surveys import LayerSurvey, Survey, survey
from .voting import votes

__all__ = [
    "FrameStatistics",
    "KernelClip",
    "KernelLayer",
    "Kernels",
    "LayerSurvey",
    "Maximised",
    "Question",
    "Score",
    "Survey",
    "auralise",
    "cached_survey",
    "found_clip",
    "found_clips",
    "frames_of_piece",
    "genre_questions",
    "likeness_by_layer",
    "maximisation_table",
    "maximise",
    "maximised_clip",
    "pieces_of",
    "purity_by_layer",
    "score",
    "song_questions",
    "sound_of",
    "survey",
    "untrained",
    "votes",
]
