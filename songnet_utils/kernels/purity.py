"""Is it true? Tests of what the paper says about kernel clips.

The paper says that clips of the first layer sound like "beats and basic elements", and those of
the last like music of a genre. Two things follow that can be measured:

- *purity*: the pieces that excite one kernel most, from different artists, are of one genre more
  often in the last layer than in the first;
- *likeness*: the pieces of one kernel are more like each other than pieces drawn at random are;
  in the first layer most of all, if it answers to elements.

Neither says anything by itself, for chance makes some kernels pure. So each is set against two
controls: the same kernels with the genres dealt out anew among the artists, and the same network
before its training.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.kernels.surveys import LayerSurvey, Survey

#: How often genres are dealt out anew.
SHUFFLES = 200


def purity(genres: np.ndarray) -> np.ndarray:
    """Return the share of the most frequent genre in each row; NaN for rows without pieces.

    Parameters
    ----------
    genres : np.ndarray of int, shape (kernels, pieces)
        The genre of each piece; −1 where there is none.

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
    """Return how pure the found clips of each layer are, beside what chance gives.

    Parameters
    ----------
    survey : Survey
        What a corpus tells of the kernels.

    Returns
    -------
    pandas.DataFrame, a row a layer
        ``layer``, ``kernels`` (that have pieces), ``purity`` (their mean), ``by_chance`` (the mean
        when genres are dealt out anew among the artists `SHUFFLES` times), ``low`` and ``high``
        (between which 95 % of these lie), ``p`` (the share of them, and of the real one, that
        are at least as pure), ``every_kernel`` (each one's purity, an array).

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
    # An artist's clips go together: dealt out one by one they would look less alike than they are.
    artist, of = np.unique(clips.artist.to_numpy(str), return_inverse=True)
    # The genre of an artist's last clip stands for the artist.
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
    """Return how alike the pieces of a kernel are, beside pieces drawn at random.

    Two pieces are compared by the correlation of their log-mel, band by band and frame by frame,
    after the corpus's mean spectrum has been taken away.

    Parameters
    ----------
    survey : Survey
        What a corpus tells of the kernels.

    Returns
    -------
    pandas.DataFrame, a row a layer
        ``layer``, ``likeness`` (mean correlation of two pieces of one kernel), ``by_chance`` (of
        pieces that were drawn at random from the same clips), ``every_kernel`` (an array).
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
    """Return the purity of a layer's kernels when clips have these genres."""
    there = (its.clip >= 0) & (its.best > 0)
    return purity(np.where(there, genres[its.clip], -1))


def _likeness(survey: Survey, its: LayerSurvey, position: np.ndarray) -> np.ndarray:
    """Return the mean correlation of the pieces of each kernel, cut at some positions."""
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
