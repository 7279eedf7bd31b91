from .accuracy import genre_scores, selective_accuracy
from .intervals import (
    artist_interval,
    difference_interval,
    mcnemar_exact,
    mean_difference_interval,
    right_answers,
    wilson_interval,
)

__all__ = [
    "artist_interval",
    "difference_interval",
    "genre_scores",
    "mcnemar_exact",
    "mean_difference_interval",
    "right_answers",
    "selective_accuracy",
    "wilson_interval",
]
