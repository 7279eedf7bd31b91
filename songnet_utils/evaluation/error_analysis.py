"""Why a network is wrong: the steps that decided, the neighbours, and what clips have in common.

A song's genre is the mean of its steps, so an error can be taken apart exactly: the difference
*p(answer) − p(truth)* is a sum with one term per step (`contributions`), and the steps that decided
are those without which it would have gone the other way (`deciding_steps`). The mean over the
steps of what the last layer is given is the song's place in the network's *embedding*: the
training clips nearest to it (`nearest`) are what the network takes it for.

`compare_answers` says what another model gets right instead. Causes outside the network are in
`songnet_utils.evaluation.error_causes`.

Conventions: a table of *answers* is that of `songnet_utils.training.runs.read_answers`; ``right``
is whether answer and truth agree. Distances are cosine distances: 0 in the same direction, 1 at
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

#: How a clip's answers of two models can differ, in the order of the tables.
CHANGES = ("both right", "mended", "broken", "both wrong")


@dataclass(frozen=True)
class ErrorAnalysis:
    """What a network made of training and test clips.

    Parameters
    ----------
    net : SongNet
        The network.
    prepared : LogMels
        Where the clips' frames are.
    clips : pandas.DataFrame
        The training and test clips, by id: the columns of the table of clips, and ``set``.
        ``artist`` is one's own where unknown, as in a run's answers.
    embedding : np.ndarray, shape (clips, channels)
        What the last layer is given, the mean over the clip's steps; rows as in `clips`.
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
        """The rows of `answers` that are wrong, the most confident first."""
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
        """Return what a test clip's answer won against: the truth, or the next genre if right."""
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
        raise SongNetError(f"clip {clip}: is not among these {len(clips)} clips of the run.")


def analyse(
    net: SongNet,
    prepared: LogMels,
    clips: pd.DataFrame,
    sets: pd.Series,
    *,
    progress: bool = True,
) -> ErrorAnalysis:
    """Run a network on training clips for their embedding, on test clips for answers as well.

    Parameters
    ----------
    net : SongNet
        A trained network. One that takes metadata, too, gets each clip's.
    prepared : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The table of clips that took part, of the network's genres.
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
        When the run is not finished, is of another corpus, is no SongNet's, or its clips are no
        longer there or sound different now.
    """
    answers, net = read_answers(folder), network_of(folder)
    check_clips(Path(folder), prepared, answers, "clips")
    clips = prepared.clips.set_index("id", drop=False).loc[answers.id].reset_index(drop=True)
    found = analyse(net, prepared, clips, answers.set, progress=progress)
    check_same_answers(folder, net, answers[answers.set == "test"], found.steps)
    return found


# --- The steps that decided -------------------------------------------------------------------


def contributions(steps: np.ndarray, answer: int, rival: int) -> np.ndarray:
    """Return what each step adds to the difference between two genres of a song.

    Parameters
    ----------
    steps : np.ndarray, shape (steps, genres)
        The genre over time.
    answer, rival : int
        Columns of the two genres.

    Returns
    -------
    np.ndarray, shape (steps,), float64
        Positive where a step speaks for `answer`. Their sum is the difference of the two genres'
        means over the steps: exactly, since the song's genre is that mean.
    """
    steps = np.asarray(steps, np.float64)
    return (steps[:, answer] - steps[:, rival]) / len(steps)


def deciding_steps(shares: np.ndarray) -> np.ndarray:
    """Return the fewest steps without which the rival would have been level or ahead.

    Parameters
    ----------
    shares : np.ndarray, shape (steps,)
        As `contributions` returns them.

    Returns
    -------
    np.ndarray of int
        Their numbers, the weightiest first; none where the rival is level or ahead anyway. No
        smaller set would do: each step taken away is the one that counts most.
    """
    order = np.argsort(-shares, kind="stable")
    # What is left of the difference once the first 0, 1, 2 … of them are taken away: sums of the
    # others, from the smallest up, so that nothing is lost to rounding on the way.
    left = np.append(np.cumsum(shares[order[::-1]])[::-1], 0.0)
    return order[: int((left <= 0).argmax())]


# --- The embedding ----------------------------------------------------------------------------


def nearest(
    analysis: ErrorAnalysis, clips: Sequence[str] | None = None, *, k: int = 3
) -> pd.DataFrame:
    """Return the training clips that are most like some clips to the network.

    Parameters
    ----------
    analysis : ErrorAnalysis
        What the network made of the clips.
    clips : sequence of str, optional
        Ids of training or test clips; all test clips by default.
    k : int
        How many for each. A clip is never its own neighbour.

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
    # One more than asked for: a training clip finds itself.
    distances, found = search.kneighbors(embedding.loc[wanted], k + 1)
    table = pd.DataFrame(
        {
            "id": np.repeat(wanted, k + 1),
            "neighbour": training.index[found.ravel()],
            # Rounding can make the distance of equal directions a little less than 0.
            "distance": np.maximum(distances.ravel(), 0.0),
        }
    )
    table = table[table.id != table.neighbour].groupby("id", sort=False).head(k)
    table.insert(1, "rank", table.groupby("id").cumcount() + 1)
    return table.join(training[["genre", "artist"]], on="neighbour").reset_index(drop=True)


def embedding_map(analysis: ErrorAnalysis, method: str = "tsne") -> tuple[pd.DataFrame, float]:
    """Lay the embedding out on a plane.

    t-SNE (van der Maaten and Hinton 2008) keeps neighbours together and nothing else: how far
    apart groups lie, and how large they are, means nothing. PCA keeps the two directions of the
    training clips' greatest variance and lays everything else on top of each other.

    Parameters
    ----------
    analysis : ErrorAnalysis
        What the network made of the clips.
    method : str
        ``"tsne"``, whose seed is 0, or ``"pca"``.

    Returns
    -------
    map : pandas.DataFrame
        By id: ``x``, ``y``, ``set``, ``genre``, and ``answer`` (missing for training clips).
    trust : float
        How far neighbours on the map are neighbours in the embedding, for 5 neighbours: 1 where
        all are, about 0.5 by chance (scikit-learn's ``trustworthiness``; Venna and Kaski 2001).

    Raises
    ------
    SongNetError
        When there is no such method, or there are fewer than 12 clips.
    """
    if method not in ("tsne", "pca"):
        raise SongNetError(f"A map is made by tsne or pca. Got {method!r}")
    clips = len(analysis.clips)
    if clips < 12:
        raise SongNetError(f"A map needs at least 12 clips. Got {clips}")
    # Of unit length: then distances on the way to the map order clips as cosine distances do.
    unit = normalize(analysis.embedding)
    if method == "pca":
        places = PCA(2).fit(unit[(analysis.clips.set == "train").to_numpy()]).transform(unit)
    else:
        perplexity = min(30.0, (clips - 1) / 3)
        places = TSNE(2, perplexity=perplexity, random_state=0).fit_transform(unit)
    table = pd.DataFrame(places, index=analysis.clips.index, columns=["x", "y"])
    table = table.join(analysis.clips[["set", "genre"]]).join(analysis.answers.answer)
    return table, float(trustworthiness(unit, places, n_neighbors=5))


# --- What another model mends and breaks ------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """What becomes of each clip from one model to another.

    Parameters
    ----------
    clips : pandas.DataFrame
        By id: ``artist``, ``genre`` (the truth), ``before``, ``after`` (the two answers) and
        ``change``, one of `CHANGES`.
    p : float
        Of McNemar's exact test that both models are equally good. It takes clips as independent.
    difference : float
        Accuracy after minus before.
    confidence_interval : (float, float)
        Of the difference, over artists.
    """

    clips: pd.DataFrame
    p: float
    difference: float
    confidence_interval: tuple[float, float]

    @property
    def by_genre(self) -> pd.DataFrame:
        """How many clips of each genre are mended, broken and left, one row a genre."""
        table = pd.crosstab(self.clips.genre, self.clips.change)
        return table.reindex(columns=list(CHANGES), fill_value=0)


def compare_answers(before: pd.DataFrame, after: pd.DataFrame) -> Changes:
    """Compare the answers of two models for the same test clips, clip by clip.

    Parameters
    ----------
    before, after : pandas.DataFrame
        As `songnet_utils.training.runs.read_answers` returns them; only their test clips are
        looked at.

    Raises
    ------
    SongNetError
        When the two were not tested on the same clips with the same genres: a difference between
        different questions says nothing.
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
