"""Error analysis: the decisive steps, the nearest training clips, and comparisons of models.

A song's genre is the mean of its steps, so you can decompose an error exactly: the difference
*p(answer) − p(truth)* is a sum with one term per step (`contributions`), and the decisive steps are
those without which the answer would have been different (`deciding_steps`). The mean, over the
steps, of the last layer's input is the song's point in the network's *embedding*. The nearest
training clips (`nearest`) show what the song resembles to the network.

`compare_answers` compares two models clip by clip. Causes outside the network are in
`songnet_utils.evaluation.error_causes`.

Conventions: a table of *answers* comes from `songnet_utils.training.runs.read_answers`; ``right``
is whether answer and truth agree. Distances are cosine distances: 0 for the same direction, 1 for
right angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora.splits import artists
from songnet_utils.evaluation.report import check_same_answers
from songnet_utils.features.store import LogMels
from songnet_utils.metrics.intervals import difference_interval, mcnemar_exact
from songnet_utils.models.trained import SongNet
from songnet_utils.training.runs import check_clips, network_of, read_answers

#: The cases for a clip's answers by two models, in the order of the tables.
CHANGES = ("both right", "mended", "broken", "both wrong")


@dataclass(frozen=True)
class ErrorAnalysis:
    """A network's answers for test clips, and its embedding of training and test clips.

    Parameters
    ----------
    net : SongNet
        The network.
    prepared : LogMels
        The corpus with the clips' frames.
    clips : pandas.DataFrame
        The training and test clips, by id: the columns of the table of clips, and ``set``.
        An unknown ``artist`` has a made-up name, as in a run's answers.
    embedding : np.ndarray, shape (clips, channels)
        The last layer's input, averaged over the clip's steps; rows as in `clips`.
    answers : pandas.DataFrame
        The test clips, by id: ``artist``, ``genre`` (the truth), ``answer``, ``confidence`` (the
        answer's probability) and ``right``.
    steps : dict of str to np.ndarray
        The genre over time of each test clip, (steps, genres).
    """

    net: SongNet
    prepared: LogMels
    clips: pd.DataFrame
    embedding: np.ndarray
    answers: pd.DataFrame
    steps: dict[str, np.ndarray]

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres, in the order of the columns of `steps`."""
        return self.net.genres

    @property
    def wrong(self) -> pd.DataFrame:
        """The wrong rows of `answers`, the most confident first."""
        return self.answers[~self.answers.right].sort_values("confidence", ascending=False)

    def clip(self, clip: str) -> Any:
        """Return a clip's row of `clips`, with its ``id``."""
        _check_clip(clip, self.clips.index)
        return self.clips.loc[[clip]].reset_index().iloc[0]

    def steps_of(self, clip: str) -> np.ndarray:
        """Return a test clip's genre over time."""
        _check_clip(clip, self.answers.index)
        return self.steps[clip]

    def rival(self, clip: str) -> str:
        """Return the rival of a test clip's answer: the truth, or the next genre if it is right."""
        row = self.answers.loc[clip]
        if not row.right:
            return str(row.genre)
        mean = self.steps_of(clip).mean(axis=0, dtype=np.float64)
        mean[self.genres.index(row.answer)] = -1
        return self.genres[int(mean.argmax())]

    def contributions(self, clip: str) -> np.ndarray:
        """Return each step's share in p(answer) − p(rival) of a test clip; see `contributions`."""
        return contributions(
            self.steps_of(clip),
            self.genres.index(self.answers.loc[clip].answer),
            self.genres.index(self.rival(clip)),
        )


def _check_clip(clip: str, clips: pd.Index) -> None:
    if clip not in clips:
        raise SongNetError(f"clip {clip}: is not one of these {len(clips)} clips of the run.")


def analyse(
    net: SongNet,
    prepared: LogMels,
    clips: pd.DataFrame,
    sets: pd.Series,
    *,
    progress: bool = True,
) -> ErrorAnalysis:
    """Run a network on training clips for their embedding, and on test clips for answers, too.

    Parameters
    ----------
    net : SongNet
        A trained network. If it takes metadata, it gets each clip's metadata.
    prepared : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The table of the run's clips, with the network's genres.
    sets : pandas.Series
        ``"train"``, ``"validation"`` or ``"test"``, with the index of `clips`.
    progress : bool
        Show a progress bar.
    """
    known = clips.set_index("id", drop=False)
    table = clips.assign(artist=artists(clips), set=sets)
    table = table[table.set.isin(["train", "test"])].set_index("id")
    embedding, steps = [], {}
    for clip in tqdm(table.index, "clips", unit="clip", disable=not progress, leave=False):
        frames = prepared.frames(clip)
        informed = net.with_metadata(known.loc[[clip]])
        embedding.append(informed.embedding_of_frames(frames).mean(axis=0, dtype=np.float64))
        if table.set[clip] == "test":
            steps[clip] = informed.genre_of_frames(frames)
    means = np.stack([one.mean(axis=0, dtype=np.float64) for one in steps.values()])
    answers = table.loc[list(steps), ["artist", "genre"]].assign(
        answer=np.asarray(net.genres, dtype=object)[means.argmax(axis=1)],
        confidence=means.max(axis=1),
    )
    answers["right"] = answers.answer == answers.genre
    return ErrorAnalysis(net, prepared, table, np.stack(embedding), answers, steps)


def analyse_run(folder: str | Path, prepared: LogMels, *, progress: bool = True) -> ErrorAnalysis:
    """Analyse the errors of a finished run.

    Parameters
    ----------
    folder : path
        The run's folder.
    prepared : LogMels
        The run's corpus with its frames.
    progress : bool
        Show a progress bar.

    Raises
    ------
    SongNetError
        When the run is not finished, is on another corpus or is not a network's, or when its clips
        are missing or have changed.
    """
    answers, net = read_answers(folder), network_of(folder)
    check_clips(Path(folder), prepared, answers, "clips")
    clips = prepared.clips.set_index("id", drop=False).loc[answers.id].reset_index(drop=True)
    found = analyse(net, prepared, clips, answers.set, progress=progress)
    check_same_answers(folder, net, answers[answers.set == "test"], found.steps)
    return found


# --- The steps that decided -------------------------------------------------------------------


def contributions(steps: np.ndarray, answer: int, rival: int) -> np.ndarray:
    """Return the contribution of each step to the difference between two genres of a song.

    Parameters
    ----------
    steps : np.ndarray, shape (steps, genres)
        The genre over time.
    answer, rival : int
        Columns of the two genres.

    Returns
    -------
    np.ndarray, shape (steps,), float64
        Positive if a step supports `answer`. The sum is exactly the difference of the two genres'
        means over the steps, because the song's genre is that mean.
    """
    steps = np.asarray(steps, np.float64)
    return (steps[:, answer] - steps[:, rival]) / len(steps)


def deciding_steps(shares: np.ndarray) -> np.ndarray:
    """Return the smallest set of steps without which the rival would be level or ahead.

    Parameters
    ----------
    shares : np.ndarray, shape (steps,)
        From `contributions`.

    Returns
    -------
    np.ndarray of int
        Their numbers, the largest contribution first; none if the rival is level or ahead anyway.
        No smaller set would do, because each removed step is the one that counts most.
    """
    order = np.argsort(-shares, kind="stable")
    # The remaining difference after removing the first 0, 1, 2 … steps: sums of the others, from
    # the smallest up, so that rounding loses nothing.
    left = np.append(np.cumsum(shares[order[::-1]])[::-1], 0.0)
    return order[: int((left <= 0).argmax())]


# --- The embedding ----------------------------------------------------------------------------


def nearest(
    analysis: ErrorAnalysis, clips: Sequence[str] | None = None, *, k: int = 3
) -> pd.DataFrame:
    """Return the nearest training clips of some clips in the network's embedding.

    Parameters
    ----------
    analysis : ErrorAnalysis
        The analysis of the clips.
    clips : sequence of str, optional
        Ids of training or test clips; all test clips by default.
    k : int
        The number of neighbours for each. A clip is never its own neighbour.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``rank`` (1 is the nearest), ``neighbour`` (its id), ``distance`` (cosine),
        ``genre`` and ``artist`` of the neighbour.

    Raises
    ------
    SongNetError
        When there are not more than `k` training clips.
    """
    wanted = list(analysis.answers.index if clips is None else clips)
    training = analysis.clips[analysis.clips.set == "train"]
    if not 1 <= k < len(training):
        raise SongNetError(f"k must be from 1 to {len(training) - 1}. Got {k}")
    embedding = pd.DataFrame(analysis.embedding, analysis.clips.index)
    search = NearestNeighbors(metric="cosine", algorithm="brute")
    search.fit(embedding.loc[training.index])
    # Request one more, because a training clip finds itself.
    distances, found = search.kneighbors(embedding.loc[wanted], k + 1)
    table = pd.DataFrame(
        {
            "id": np.repeat(wanted, k + 1),
            "neighbour": training.index[found.ravel()],
            # Rounding can make the distance of equal directions slightly negative.
            "distance": np.maximum(distances.ravel(), 0.0),
        }
    )
    table = table[table.id != table.neighbour].groupby("id", sort=False).head(k)
    table.insert(1, "rank", table.groupby("id").cumcount() + 1)
    return table.join(training[["genre", "artist"]], on="neighbour").reset_index(drop=True)


def embedding_map(analysis: ErrorAnalysis, method: str = "tsne") -> tuple[pd.DataFrame, float]:
    """Project the embedding onto a plane.

    t-SNE (van der Maaten and Hinton 2008) keeps neighbours together and nothing else: the sizes of
    groups and the distances between them mean nothing. PCA keeps the two directions of the training
    clips' greatest variance and discards all others.

    Parameters
    ----------
    analysis : ErrorAnalysis
        The analysis of the clips.
    method : str
        ``"tsne"``, whose seed is 0, or ``"pca"``.

    Returns
    -------
    map : pandas.DataFrame
        By id: ``x``, ``y``, ``set``, ``genre``, and ``answer`` (missing for training clips).
    trust : float
        How well the 5 nearest neighbours on the map match those in the embedding: 1 if all match,
        about 0.5 by chance (scikit-learn's ``trustworthiness``; Venna and Kaski 2001).

    Raises
    ------
    SongNetError
        When there is no such method, or there are fewer than 12 clips.
    """
    if method not in ("tsne", "pca"):
        raise SongNetError(f"The method must be tsne or pca. Got {method!r}")
    clips = len(analysis.clips)
    if clips < 12:
        raise SongNetError(f"A map needs at least 12 clips. Got {clips}")
    # At unit length, Euclidean distances have the same order as cosine distances.
    unit = normalize(analysis.embedding)
    if method == "pca":
        places = PCA(2).fit(unit[(analysis.clips.set == "train").to_numpy()]).transform(unit)
    else:
        perplexity = min(30.0, (clips - 1) / 3)
        places = TSNE(2, perplexity=perplexity, random_state=0).fit_transform(unit)
    table = pd.DataFrame(places, index=analysis.clips.index, columns=["x", "y"])
    table = table.join(analysis.clips[["set", "genre"]]).join(analysis.answers.answer)
    return table, float(trustworthiness(unit, places, n_neighbors=5))


# --- Comparison with another model ------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """The change of each clip's answer from one model to another.

    Parameters
    ----------
    clips : pandas.DataFrame
        By id: ``artist``, ``genre`` (the truth), ``before``, ``after`` (the two answers) and
        ``change``, one of `CHANGES`.
    p : float
        The p of McNemar's exact test that both models are equally good. It treats clips as
        independent.
    difference : float
        The accuracy after minus the accuracy before.
    confidence_interval : (float, float)
        The interval of the difference, over artists.
    """

    clips: pd.DataFrame
    p: float
    difference: float
    confidence_interval: tuple[float, float]

    @property
    def by_genre(self) -> pd.DataFrame:
        """The numbers of clips per genre in each case of `CHANGES`."""
        table = pd.crosstab(self.clips.genre, self.clips.change)
        return table.reindex(columns=list(CHANGES), fill_value=0)


def compare_answers(before: pd.DataFrame, after: pd.DataFrame) -> Changes:
    """Compare the answers of two models for the same test clips, clip by clip.

    Parameters
    ----------
    before, after : pandas.DataFrame
        Answers from `songnet_utils.training.runs.read_answers`; only their test clips count.

    Raises
    ------
    SongNetError
        When the two were not tested on the same clips with the same genres, so that a difference
        would mean nothing.
    """
    one, other = (
        table[table.set == "test"].set_index("id").sort_index() for table in (before, after)
    )
    if not len(one) or not one.index.equals(other.index) or (one.genre != other.genre).any():
        raise SongNetError(
            "The two runs were not tested on the same clips with the same genres. "
            "Train both with the same corpus, genres, --split and --seed."
        )
    was, is_now = one.genre == one.answer, other.genre == other.answer
    change = np.select([was & is_now, ~was & is_now, was & ~is_now], CHANGES[:3], CHANGES[3])
    clips = one[["artist", "genre"]].assign(before=one.answer, after=other.answer, change=change)
    return Changes(
        clips,
        mcnemar_exact(is_now, was),
        float(is_now.mean() - was.mean()),
        difference_interval(is_now, was, one.artist),
    )
