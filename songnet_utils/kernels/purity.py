"""Is it true? Tests of the paper's claims about kernel clips.

The paper says that clips of the first layer sound like "beats and basic elements", and those of
the last like music of a genre. Two measurable predictions follow:

- *purity*: the pieces that excite a kernel most, by different artists, have the same genre more
  often in the last layer than in the first;
- *likeness*: the pieces of a kernel are more similar to each other than random pieces are,
  most of all in the first layer, if it responds to basic elements.

Neither means anything by itself, because some kernels are pure by chance. So each has two controls:
the same kernels with the genres shuffled among the artists, and the same network before its
training.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels.surveys import LayerSurvey, Survey

#: The number of times that genres are shuffled.
SHUFFLES = 200


def purity(genres: np.ndarray) -> np.ndarray:
    """Return the share of the most frequent genre in each row; NaN for rows without pieces.

    Parameters
    ----------
    genres : np.ndarray of int, shape (kernels, pieces)
        The genre of each piece; −1 for missing pieces.

    Examples
    --------
    >>> purity(np.array([[0, 0, 0, 2], [1, 1, 2, -1]]))
    array([0.75      , 0.66666667])
    """
    there = genres >= 0
    counts = np.stack([(genres == genre).sum(axis=1) for genre in range(int(genres.max()) + 1)])
    many = there.sum(axis=1)
    return np.divide(counts.max(axis=0), many, out=np.full(len(genres), np.nan), where=many > 0)


def purity_by_layer(survey: Survey) -> pd.DataFrame:
    """Return the purity of the found clips of each layer, and the purity by chance.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels.

    Returns
    -------
    pandas.DataFrame, a row per layer
        ``layer``, ``kernels`` (with pieces), ``purity`` (their mean), ``by_chance`` (the mean
        over `SHUFFLES` shuffles of the genres among the artists), ``low`` and ``high``
        (the range of 95 % of these), ``p`` (the share of them, with the real one, that are at
        least as pure), ``every_kernel`` (the purity of each, an array).

    Raises
    ------
    SongNetError
        When the clips have fewer than two genres.
    """
    clips = survey.clips
    names = survey.genres
    if len(names) < 2:
        raise SongNetError(
            f"{survey.log_mels.corpus.name}: purity needs clips of at least two genres. "
            f"Got {len(names)}"
        )
    random = np.random.default_rng(0)
    own = pd.Categorical(clips.genre, names).codes.astype(int)
    # An artist's clips stay together, because shuffled one by one, they would look less alike.
    artist, of = np.unique(clips.artist.to_numpy(str), return_inverse=True)
    # The genre of an artist's last clip represents the artist.
    genre_of = np.full(len(artist), -1)
    genre_of[of] = own
    dealt = [genre_of[random.permutation(len(artist))][of] for _ in range(SHUFFLES)]
    rows = []
    for its in survey.layers:
        real = _purity_of(its, own)
        chance = np.array([np.nanmean(_purity_of(its, genres)) for genres in dealt])
        mean = float(np.nanmean(real))
        rows.append(
            {
                "layer": its.layer.name,
                "kernels": int((~np.isnan(real)).sum()),
                "purity": mean,
                "by_chance": float(chance.mean()),
                "low": float(np.quantile(chance, 0.025)),
                "high": float(np.quantile(chance, 0.975)),
                "p": float((1 + (chance >= mean).sum()) / (1 + len(chance))),
                "every_kernel": real,
            }
        )
    return pd.DataFrame(rows)


def likeness_by_layer(survey: Survey) -> pd.DataFrame:
    """Return the similarity of each kernel's pieces, and that of random pieces.

    The similarity of two pieces is the correlation of their log-mels, band by band and frame by
    frame, after subtraction of the corpus's mean spectrum.

    Parameters
    ----------
    survey : Survey
        The survey of the kernels.

    Returns
    -------
    pandas.DataFrame, a row per layer
        ``layer``, ``likeness`` (the mean correlation of two pieces of a kernel), ``by_chance`` (of
        random pieces from the same clips), ``every_kernel`` (an array).
    """
    random = np.random.default_rng(0)
    rows = []
    for its in survey.layers:
        inside = [its.layer.inside(len(survey.log_mels.frames(clip))) for clip in survey.clips.id]
        first, end = (np.array([getattr(one, at) for one in inside]) for at in ("start", "stop"))
        drawn = random.integers(first[its.clip], np.maximum(end, first + 1)[its.clip])
        real = _likeness(survey, its, its.position)
        chance = _likeness(survey, its, drawn)
        rows.append(
            {
                "layer": its.layer.name,
                "likeness": float(np.nanmean(real)),
                "by_chance": float(np.nanmean(chance)),
                "every_kernel": real,
            }
        )
    return pd.DataFrame(rows)


def _purity_of(its: LayerSurvey, genres: np.ndarray) -> np.ndarray:
    """Return the purity of a layer's kernels for these genres of clips."""
    there = (its.clip >= 0) & (its.best > 0)
    return purity(np.where(there, genres[its.clip], -1))


def _likeness(survey: Survey, its: LayerSurvey, position: np.ndarray) -> np.ndarray:
    """Return the mean correlation of the pieces of each kernel at given positions."""
    mean = survey.statistics.mean
    found = np.full(its.layer.kernels, np.nan)
    for kernel in range(its.layer.kernels):
        there = np.flatnonzero((its.clip[kernel] >= 0) & (its.best[kernel] > 0))
        if len(there) < 2:
            continue
        pieces = []
        for place in there:
            frames = survey.log_mels.frames(survey.clips.id.iloc[its.clip[kernel, place]])
            start, stop = its.layer.frames_of(int(position[kernel, place]))
            pieces.append((frames[start:stop] - mean).ravel())
        correlation = np.corrcoef(np.stack(pieces))
        found[kernel] = correlation[np.triu_indices(len(there), 1)].mean()
    return found
