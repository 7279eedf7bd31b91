"""Kernel clips: hear what each convolution kernel has learnt, and doubt it.

Three ways to hear a kernel: pieces of music that excite it most (`found_clip`), a sound made up
to excite it (`dreamed_clip`), and a song of which only what it answers to is left (`auralise`).
All return a `KernelClip`. A `survey` of a corpus says the rest about all kernels at once.
"""

from songnet_utils.kernels.cache import cached_survey
from songnet_utils.kernels.clips import KernelClip, found_clip, found_clips, pieces_of
from songnet_utils.kernels.dreams import Dream, dream, dream_table, dreamed_clip, sound_of
from songnet_utils.kernels.frame_statistics import FrameStatistics
from songnet_utils.kernels.layers import KernelLayer, Kernels, frames_of_piece, untrained
from songnet_utils.kernels.masks import auralise
from songnet_utils.kernels.purity import likeness_by_layer, purity_by_layer
from songnet_utils.kernels.quiz import Question, Score, genre_questions, score, song_questions
from songnet_utils.kernels.surveys import LayerSurvey, Survey, survey
from songnet_utils.kernels.voting import votes

__all__ = [
    "Dream",
    "FrameStatistics",
    "KernelClip",
    "KernelLayer",
    "Kernels",
    "LayerSurvey",
    "Question",
    "Score",
    "Survey",
    "auralise",
    "cached_survey",
    "dream",
    "dream_table",
    "dreamed_clip",
    "found_clip",
    "found_clips",
    "frames_of_piece",
    "genre_questions",
    "likeness_by_layer",
    "pieces_of",
    "purity_by_layer",
    "score",
    "song_questions",
    "sound_of",
    "survey",
    "untrained",
    "votes",
]
