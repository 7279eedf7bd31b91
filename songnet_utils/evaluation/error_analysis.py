"""Why a network is wrong: what it heard, what that is like, and what the clips have in common.

A song's genre is the mean of its steps, so a mistake can be taken apart exactly: the difference
*p(answer) − p(truth)* is a sum with one term a step (`contributions`), and the steps that decided
are those without which it would have gone the other way (`deciding_steps`). The mean over the
steps of what the last layer is given is the song's place in the network's *embedding*: the
training clips nearest to it (`nearest`) are what the network takes it for.

The other half looks for causes that are none of the network's: clips that bear several labels
(`ambiguity`), artists who collect the mistakes (`mistakes_by_artist`), and how the clips were
recorded (`production`). Each is compared with what luck would do, because whoever looks for a
cause among a few dozen mistakes finds one.

Conventions: a table of *answers* is that of `songnet_utils.training.train.read_answers`; ``right``
is whether answer and truth agree. Distances are cosine distances: 0 in the same direction, 1 at
right angles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus
from songnet_utils.corpora.splits import artists
from songnet_utils.features.store import LogMels
from songnet_utils.metrics.intervals import (
    difference_interval,
    mcnemar_exact,
    mean_difference_interval,
)
from songnet_utils.models.trained import SongNet
from songnet_utils.training.runs import load_songnet, read_record
from songnet_utils.training.train import read_answers

#: How a clip's answers of two models can differ, in the order of the tables.
CHANGES = ("both right", "mended", "broken", "both wrong")

# How far what is heard now may lie from what a run wrote down: rounding, and no more.
_SAME = 1e-3
# A band this far below a clip's loudest holds nothing that one could hear beside it.
_INAUDIBLE_DB = 60.0


@dataclass(frozen=True)
class Heard:
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
        """Return a clip's row of `clips`, with its ``id``.

        Raises
        ------
        SongNetError
            When it is not among them.
        """
        if clip not in self.clips.index:
            raise SongNetError(
                f"clip {clip}: is not among the training and test clips of this run. "
                "Choose one of heard.clips.index."
            )
        return self.clips.loc[[clip]].reset_index().iloc[0]

    def steps_of(self, clip: str) -> np.ndarray:
        """Return a test clip's genre over time.

        Raises
        ------
        SongNetError
            When it is no test clip.
        """
        if clip not in self.steps:
            raise SongNetError(
                f"clip {clip}: is not among the test clips of this run. "
                "Choose one of heard.answers.index."
            )
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


def hear(
    net: SongNet,
    prepared: LogMels,
    clips: pd.DataFrame,
    sets: pd.Series,
    *,
    progress: bool = True,
) -> Heard:
    """Hear the training clips for their embedding, the test clips for their answers as well.

    Parameters
    ----------
    net : SongNet
        A trained network. One that takes metadata, too, is told each clip's.
    prepared : LogMels
        The corpus with its frames.
    clips : pandas.DataFrame
        The table of clips that took part.
    sets : pandas.Series
        ``"train"``, ``"validation"`` or ``"test"``, with the index of `clips`.
    progress : bool
        Show a progress bar.

    Raises
    ------
    SongNetError
        When the frames are of another description of sound, a genre is not among the network's,
        or one of the two sets is empty.
    """
    strangers = sorted(set(clips.genre) - set(net.genres))
    if strangers:
        raise SongNetError(
            f"{net.name} does not know the genre {strangers[0]}. Give the clips of its genres: "
            f"{', '.join(net.genres)}."
        )
    if prepared.sound != net.sound:
        raise SongNetError(
            f"{net.name}: the frames were made from another description of sound. "
            "Prepare the corpus with LogMelStore(sound=net.sound)."
        )
    table = clips.assign(artist=artists(clips), set=sets)
    table = table[table.set.isin(["train", "test"])].set_index("id")
    for subset in ("train", "test"):
        if not (table.set == subset).any():
            raise SongNetError(f"There are no {subset} clips. Give the sets that split() returns.")
    known = clips.set_index("id", drop=False)
    embedding, steps = [], {}
    for clip, subset in tqdm(
        table.set.items(), "Hearing", len(table), unit="clip", disable=not progress, leave=False
    ):
        frames = prepared.frames(clip)
        told = net.with_metadata(known.loc[[clip]])
        embedding.append(told.embedding_of_frames(frames).mean(axis=0, dtype=np.float64))
        if subset == "test":
            steps[clip] = told.genre_of_frames(frames)
    answers = table.loc[list(steps), ["artist", "genre"]]
    means = np.stack([one.mean(axis=0, dtype=np.float64) for one in steps.values()])
    answers["answer"] = np.asarray(net.genres, dtype=object)[means.argmax(axis=1)]
    answers["confidence"] = means.max(axis=1)
    answers["right"] = answers.answer == answers.genre
    return Heard(net, prepared, table, np.stack(embedding), answers, steps)


def hear_run(folder: str | Path, prepared: LogMels, *, progress: bool = True) -> Heard:
    """Hear the clips of a finished run again, with the network that it left.

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
        When the run is not finished, is of another corpus, or its clips are no longer there or
        sound different now.
    """
    record, answers = read_record(folder), read_answers(folder)
    if record["corpus"] != prepared.corpus.name:
        raise SongNetError(
            f"{folder}: is a run on {record['corpus']}, not on {prepared.corpus.name}. "
            "Open that corpus, or train on this one."
        )
    absent = answers.id[~answers.id.isin(prepared.clips.id)]
    if len(absent):
        raise SongNetError(
            f"{folder}: {len(absent)} of its clips are not in {prepared.corpus.name} any more, "
            f"the first is {absent.iloc[0]}. Train again."
        )
    by_id = prepared.clips.set_index("id", drop=False).loc[answers.id]
    clips = by_id.assign(genre=answers.genre.to_numpy()).reset_index(drop=True)
    net = load_songnet(folder)
    if not isinstance(net, SongNet):
        raise SongNetError(f"{folder}: {net.name} has no embedding. Give the run of a SongNet.")
    heard = hear(net, prepared, clips, answers.set, progress=progress)
    written = answers.set_index("id").loc[heard.answers.index]
    columns = [f"p_{genre}" for genre in heard.genres]
    now = np.stack([heard.steps[clip].mean(axis=0) for clip in written.index])
    differing = np.abs(now - written[columns].to_numpy()).max(axis=1) > _SAME
    if differing.any():
        raise SongNetError(
            f"{folder}: {differing.sum()} test clips sound different now from what the run heard, "
            f"the first is {written.index[differing.argmax()]}. Train again."
        )
    return heard


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


def nearest(heard: Heard, clips: Sequence[str] | None = None, *, k: int = 3) -> pd.DataFrame:
    """Return the training clips that are most like some clips to the network.

    Parameters
    ----------
    heard : Heard
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
        When there are not `k` training clips besides a clip itself.
    """
    wanted = list(heard.answers.index if clips is None else clips)
    for clip in wanted:
        heard.clip(clip)
    is_training = (heard.clips.set == "train").to_numpy()
    training = heard.clips[is_training]
    fewest = len(training) - bool(set(wanted) & set(training.index))
    if not 1 <= k <= fewest:
        raise SongNetError(f"k must be from 1 to {fewest}, the training clips there are. Got {k}")
    places = heard.clips.index.get_indexer(wanted)
    search = NearestNeighbors(metric="cosine", algorithm="brute").fit(heard.embedding[is_training])
    # One more than asked for: a training clip finds itself.
    distances, found = search.kneighbors(heard.embedding[places], min(k + 1, len(training)))
    rows = []
    for clip, away, neighbours in zip(wanted, distances, found, strict=True):
        others = [
            (d, n) for d, n in zip(away, neighbours, strict=True) if training.index[n] != clip
        ]
        for rank, (distance, place) in enumerate(others[:k], start=1):
            row = training.iloc[place]
            # Rounding can make the distance of equal directions a little less than 0.
            near = max(float(distance), 0.0)
            rows.append((clip, rank, training.index[place], near, row.genre, row.artist))
    columns = ["id", "rank", "neighbour", "distance", "genre", "artist"]
    return pd.DataFrame(rows, columns=columns)


def embedding_map(
    heard: Heard, method: str = "tsne", *, seed: int = 0
) -> tuple[pd.DataFrame, float]:
    """Lay the embedding out on a plane.

    t-SNE (van der Maaten and Hinton 2008) keeps neighbours together and nothing else: how far
    apart groups lie, and how large they are, means nothing. PCA keeps the two directions of the
    training clips' greatest variance and lays everything else on top of each other.

    Parameters
    ----------
    heard : Heard
        What the network made of the clips.
    method : str
        ``"tsne"`` or ``"pca"``.
    seed : int
        Of t-SNE; the same seed gives the same map.

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
    clips = len(heard.clips)
    if clips < 12:
        raise SongNetError(f"A map needs at least 12 clips. Got {clips}")
    # Of unit length: then distances on the way to the map order clips as cosine distances do.
    lengths = np.linalg.norm(heard.embedding, axis=1, keepdims=True)
    unit = heard.embedding / np.maximum(lengths, 1e-12)
    if method == "pca":
        places = PCA(2).fit(unit[(heard.clips.set == "train").to_numpy()]).transform(unit)
    else:
        perplexity = min(30.0, (clips - 1) / 3)
        places = TSNE(2, perplexity=perplexity, random_state=seed).fit_transform(unit)
    table = pd.DataFrame(places, index=heard.clips.index, columns=["x", "y"])
    table = table.assign(set=heard.clips.set, genre=heard.clips.genre)
    table["answer"] = heard.answers.answer.reindex(table.index)
    return table, float(trustworthiness(unit, places, n_neighbors=5))


# --- Causes that are none of the network's ----------------------------------------------------


def top_genres(labels: Iterable[str] | None, corpus: Corpus) -> set[str]:
    """Return the top genres that a clip's labels belong to.

    Parameters
    ----------
    labels
        The clip's labels; None where the corpus gives none.
    corpus
        Its ``hierarchy`` says what a label's top genre is (see
        `songnet_utils.corpora.read_genres`). A label that is not in it counts where it is one of
        the corpus's own genres, and else is no genre: a style, say.
    """
    of = {genre: genre for genre in corpus.genres}
    if corpus.hierarchy is not None:
        of |= dict(zip(corpus.hierarchy.title, corpus.hierarchy.top, strict=True))
    return {of[label] for label in labels or () if label in of}


def clips_of_several_genres(corpus: Corpus) -> int:
    """Return how many clips of a corpus have labels of more than one top genre."""
    return sum(len(top_genres(labels, corpus)) > 1 for labels in corpus.clips.genres)


def ambiguity(heard: Heard) -> pd.DataFrame:
    """Return for each mistake whether the label itself leaves the answer open.

    Returns
    -------
    pandas.DataFrame
        By id, the most confident first: ``genre``, ``answer``, ``confidence``, ``artist``;
        ``labels``, all that the corpus gives the clip (a list; empty where it gives one genre
        and no more); ``answer_is_a_label``: is the answer the top genre of one of them?
        ``artist_makes_it``: how many other clips by the artist, in the whole corpus, have the
        answer as their genre.
    """
    corpus = heard.prepared.corpus
    table = heard.wrong[["genre", "answer", "confidence", "artist"]].copy()
    labels = heard.clips.genres.loc[table.index]
    table["labels"] = [list(given) if given else [] for given in labels]
    table["answer_is_a_label"] = [
        answer in top_genres(given, corpus)
        for answer, given in zip(table.answer, table.labels, strict=True)
    ]
    makes = corpus.clips.groupby(["artist", "genre"]).size()
    table["artist_makes_it"] = [
        int(makes.get((artist, answer), 0))
        for artist, answer in zip(table.artist, table.answer, strict=True)
    ]
    return table


def mistakes_by_artist(
    answers: pd.DataFrame, *, draws: int = 2_000, seed: int = 0
) -> tuple[pd.DataFrame, float]:
    """Return who collects the mistakes, and how often luck alone would gather as many.

    Luck deals the mistakes of each genre anew among that genre's clips, so that a hard genre of
    few artists does not look like hard artists. What is counted is pairs of mistakes that share
    an artist.

    Parameters
    ----------
    answers : pandas.DataFrame
        ``artist``, ``genre`` and ``answer`` of the tested clips.
    draws, seed
        How often luck deals, and from which seed.

    Returns
    -------
    table : pandas.DataFrame
        By artist: ``clips``, ``wrong`` and ``genres`` (theirs, joined); most mistakes first.
    p : float
        The share of deals (with the real one) with at least as many pairs; small where artists
        collect mistakes.
    """
    wrong = (answers.genre != answers.answer).to_numpy()
    who, names = pd.factorize(answers.artist.astype(str))
    table = pd.DataFrame(
        {
            "clips": np.bincount(who, minlength=len(names)),
            "wrong": np.bincount(who, weights=wrong, minlength=len(names)).astype(int),
            "genres": answers.genre.groupby(who).agg(lambda given: ", ".join(sorted(set(given)))),
        },
    ).set_index(pd.Index(names, name="artist"))

    def pairs(flags: np.ndarray) -> int:
        each = np.bincount(who, weights=flags)
        return int((each * (each - 1) / 2).sum())

    random = np.random.default_rng(seed)
    of_genre = [places for places in answers.groupby("genre").indices.values()]
    found, as_many = pairs(wrong), 0
    for _ in range(draws):
        dealt = wrong.copy()
        for places in of_genre:
            dealt[places] = random.permutation(wrong[places])
        as_many += pairs(dealt) >= found
    table = table.sort_index().sort_values(["wrong", "clips"], ascending=[False, True])
    return table, (as_many + 1) / (draws + 1)


def production(prepared: LogMels, clips: Iterable[str]) -> pd.DataFrame:
    """Return how clips were recorded, as far as their log-mel tells.

    Parameters
    ----------
    prepared : LogMels
        Where their frames are.
    clips : iterable of str
        Their ids.

    Returns
    -------
    pandas.DataFrame
        By id: ``level`` (mean power, dB), ``range`` (from the frames' 10th to their 90th
        percentile, dB), ``brightness`` (the mean frequency, weighted by power, Hz) and
        ``cut_off`` (the highest band within 60 dB of the loudest, Hz).
    """
    ids = list(clips)
    rows = [_production(prepared.frames(clip), prepared.sound) for clip in ids]
    columns = ["level", "range", "brightness", "cut_off"]
    return pd.DataFrame(rows, index=pd.Index(ids, name="id"), columns=columns)


def _production(frames: np.ndarray, sound: Sound) -> tuple[float, float, float, float]:
    power = np.exp(np.asarray(frames, np.float64))
    of_frames = 10 * np.log10(power.sum(axis=1))
    low, high = np.percentile(of_frames, [10, 90])
    bands = power.mean(axis=0)
    centres = _band_centres(sound)
    heard = 10 * np.log10(bands / bands.max()) >= -_INAUDIBLE_DB
    return (
        float(10 * np.log10(power.sum(axis=1).mean())),
        float(high - low),
        float((bands * centres).sum() / bands.sum()),
        float(centres[np.flatnonzero(heard)[-1]]),
    )


def _band_centres(sound: Sound) -> np.ndarray:
    # librosa is slow to import, and little here needs it.
    import librosa

    # n_mels triangles stand on n_mels + 2 points; the inner ones are the bands' centres.
    return librosa.mel_frequencies(sound.n_mels + 2, fmin=0, fmax=sound.sample_rate / 2)[1:-1]


def production_differences(heard: Heard) -> pd.DataFrame:
    """Compare how wrong and right test clips were recorded, genre for genre.

    From each value the mean of the training clips of the clip's own genre is taken away: what is
    left is how unusual it is for its genre. Otherwise a genre that is both loud and hard would
    make loudness look like the cause.

    Returns
    -------
    pandas.DataFrame
        By property (see `production`): ``difference`` (mean of the wrong clips minus that of the
        right ones), ``low`` and ``high``, its interval over artists. All intervals together hold
        with 95 %: each is widened for there being several (Bonferroni).

    Raises
    ------
    SongNetError
        When all answers are right, or all are wrong.
    """
    right = heard.answers.right
    if right.all() or not right.any():
        raise SongNetError(
            "Wrong answers can be compared with right ones only where there are both. "
            f"Of {len(right)} test clips {int(right.sum())} are right."
        )
    values = production(heard.prepared, heard.clips.index)
    training = (heard.clips.set == "train").to_numpy()
    usual = values[training].groupby(heard.clips.genre[training]).mean()
    tested = heard.answers.index
    unusual = values.loc[tested] - usual.loc[heard.answers.genre].to_numpy()
    rows = []
    for name in unusual:
        of_wrong, of_right = unusual[name][~right], unusual[name][right]
        low, high = mean_difference_interval(
            of_wrong,
            of_right,
            heard.answers.artist[~right],
            heard.answers.artist[right],
            confidence=1 - 0.05 / len(unusual.columns),
        )
        rows.append((of_wrong.mean() - of_right.mean(), low, high))
    return pd.DataFrame(rows, index=unusual.columns, columns=["difference", "low", "high"])


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
    def two_by_two(self) -> pd.DataFrame:
        """How many clips each of the two got right and wrong: rows before, columns after."""
        count = self.clips.change.value_counts().reindex(CHANGES, fill_value=0)
        return pd.DataFrame(
            [
                [count["both right"], count["broken"]],
                [count["mended"], count["both wrong"]],
            ],
            index=pd.Index(["right", "wrong"], name="before"),
            columns=pd.Index(["right", "wrong"], name="after"),
        )

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
        As `songnet_utils.training.train.read_answers` returns them; only their test clips are
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
    if not len(one):
        raise SongNetError("There are no test clips in these answers. Give those of a finished run")
    if not one.index.equals(other.index) or (one.genre != other.genre).any():
        alone = len(one.index.symmetric_difference(other.index))
        raise SongNetError(
            "The two runs were not tested on the same clips with the same genres "
            f"({alone} clips were tested by one of them only). "
            "Train both with the same corpus, genres, --split and --seed."
        )
    was, is_now = one.genre == one.answer, other.genre == other.answer
    change = np.select([was & is_now, ~was & is_now, was & ~is_now], CHANGES[:3], CHANGES[3])
    clips = pd.DataFrame(
        {
            "artist": one.artist,
            "genre": one.genre,
            "before": one.answer,
            "after": other.answer,
            "change": change,
        }
    )
    return Changes(
        clips,
        mcnemar_exact(is_now, was),
        float(is_now.mean() - was.mean()),
        difference_interval(is_now, was, one.artist),
    )
