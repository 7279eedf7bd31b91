"""Accuracy by genre, and accuracy above a confidence threshold.

Accuracy and confusion matrix are scikit-learn's `accuracy_score` and `confusion_matrix`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from songnet_utils.metrics.intervals import artist_interval


def genre_scores(
    truth: Sequence | np.ndarray,
    predicted: Sequence | np.ndarray,
    genres: Sequence[str],
    artists: Sequence | np.ndarray,
) -> pd.DataFrame:
    """Return precision, recall and F1 of each genre, with 95 % intervals over artists.

    Parameters
    ----------
    truth, predicted : (clips,) str
        The genre of each clip, and the answer.
    genres : sequence of str
        All genres.
    artists : (clips,)
        The artists of the clips, as in `artist_interval`.

    Returns
    -------
    pandas.DataFrame
        The index is `genres`. ``support`` (clips of the genre), ``answered`` (clips with this
        prediction), ``right`` (both); ``precision``, the share of ``answered`` that is right,
        ``recall``, the share of ``support`` that is right, each with ``_low`` and ``_high``; and
        ``f1``, their harmonic mean ``2·right / (support + answered)``. nan if the denominator is 0.
    """
    matrix = confusion_matrix(truth, predicted, labels=genres)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=genres, zero_division=np.nan
    )
    table = pd.DataFrame(
        {"support": support, "answered": matrix.sum(axis=0), "right": np.diag(matrix)},
        index=pd.Index(genres, name="genre"),
    )
    right, whose = np.equal(truth, predicted), np.asarray(artists)
    for name, shares, of in (("precision", precision, predicted), ("recall", recall, truth)):
        chosen = [np.equal(of, genre) for genre in genres]
        bounds = [
            artist_interval(right[one], whose[one]) if one.any() else (np.nan, np.nan)
            for one in chosen
        ]
        table[name] = shares
        table[[f"{name}_low", f"{name}_high"]] = np.array(bounds)
    return table.assign(f1=f1)


def selective_accuracy(
    correct: Sequence | np.ndarray,
    confidence: Sequence | np.ndarray,
    thresholds: Sequence[float] | np.ndarray,
) -> pd.DataFrame:
    """Return the accuracy of the answers above each confidence threshold.

    Answering only with enough confidence is *selective classification*: accuracy rises, but
    *coverage*, the share of answered clips, falls.

    Parameters
    ----------
    correct : (clips,) bool
        Whether the answer is correct.
    confidence : (clips,) float
        The answer's confidence, 0 to 1.
    thresholds : sequence of float
        The smallest confidences for an answer, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        A row per threshold: ``threshold``; ``answered`` and ``right`` (clips); ``coverage``, the
        share of all clips that are answered; ``accuracy``, the share of answers that are right,
        nan without answers.

    References
    ----------
    El-Yaniv & Wiener (2010), "On the foundations of noise-free selective classification",
    JMLR 11.
    """
    given = np.asarray(confidence) >= np.asarray(thresholds)[:, None]
    table = pd.DataFrame(
        {
            "threshold": thresholds,
            "answered": given.sum(axis=1),
            "right": (given & correct).sum(axis=1),
            "coverage": given.mean(axis=1),
        }
    )
    return table.assign(accuracy=table.right / table.answered)
