"""Causes of errors outside the network: open labels, artists, recordings.

Clips with several labels (`ambiguity`), artists with many errors (`errors_by_artist`), and how the
clips were recorded (`production`). Each is compared with chance, because among a few dozen errors
there is always some pattern.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import Corpus
from songnet_utils.evaluation.error_analysis import ErrorAnalysis
from songnet_utils.features.store import LogMels
from songnet_utils.metrics.intervals import mean_difference_interval

# A band this far below a clip's loudest holds nothing that is audible beside it.
_INAUDIBLE_DB = 60.0


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


def ambiguity(analysis: ErrorAnalysis) -> pd.DataFrame:
    """Return for each error whether the label itself leaves the answer open.

    Returns
    -------
    pandas.DataFrame
        By id, the most confident first: ``genre``, ``answer``, ``confidence``, ``artist``;
        ``labels``, all that the corpus gives the clip (a list; empty where it gives one genre
        and no more); ``answer_is_a_label``: is the answer the top genre of one of them?
        ``artist_makes_it``: how many other clips by the artist, in the whole corpus, have the
        answer as their genre.
    """
    corpus = analysis.prepared.corpus
    table = analysis.wrong[["genre", "answer", "confidence", "artist"]].copy()
    labels = analysis.clips.genres.loc[table.index]
    table["labels"] = [list(given) if given else [] for given in labels]
    table["answer_is_a_label"] = [
        answer in top_genres(given, corpus)
        for answer, given in zip(table.answer, table.labels, strict=True)
    ]
    makes = corpus.clips.groupby(["artist", "genre"]).size()
    pairs = zip(table.artist, table.answer, strict=True)
    table["artist_makes_it"] = [int(makes.get(pair, 0)) for pair in pairs]
    return table


def errors_by_artist(
    answers: pd.DataFrame, *, draws: int = 2_000, seed: int = 0
) -> tuple[pd.DataFrame, float]:
    """Return which artists have many errors, and how often chance alone would give as many.

    Chance deals the errors of each genre anew among that genre's clips, so that a hard genre of
    few artists does not look like hard artists. What is counted is pairs of errors that share
    an artist.

    Parameters
    ----------
    answers : pandas.DataFrame
        ``artist``, ``genre`` and ``answer`` of the tested clips.
    draws, seed
        How often the errors are dealt anew, and from which seed.

    Returns
    -------
    table : pandas.DataFrame
        By artist: ``clips``, ``wrong`` and ``genres`` (theirs, joined); most errors first.
    p : float
        The share of deals (with the real one) with at least as many pairs; small where artists
        collect errors.
    """
    wrong = (answers.genre != answers.answer).to_numpy()
    of_artist = answers.assign(wrong=wrong).groupby("artist")
    table = of_artist.wrong.agg(clips="size", wrong="sum")
    table["genres"] = of_artist.genre.agg(lambda given: ", ".join(sorted(set(given))))
    who, _ = pd.factorize(answers.artist)

    def pairs(flags: np.ndarray) -> float:
        each = np.bincount(who, weights=flags)
        return (each * (each - 1) / 2).sum()

    random = np.random.default_rng(seed)
    of_genre = list(answers.groupby("genre").indices.values())
    found, as_many = pairs(wrong), 0
    for _ in range(draws):
        dealt = wrong.copy()
        for places in of_genre:
            dealt[places] = random.permutation(wrong[places])
        as_many += pairs(dealt) >= found
    table = table.sort_values(["wrong", "clips"], ascending=[False, True], kind="stable")
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
    # librosa is slow to import, and little here needs it.
    import librosa

    ids, sound = list(clips), prepared.sound
    # n_mels triangles stand on n_mels + 2 points; the inner ones are the bands' centres.
    points = librosa.mel_frequencies(sound.n_mels + 2, fmin=0, fmax=sound.sample_rate / 2)
    centres, rows = points[1:-1], []
    for clip in ids:
        power = np.exp(np.asarray(prepared.frames(clip), np.float64))
        bands, level = power.mean(axis=0), 10 * np.log10(power.sum(axis=1))
        low, high = np.percentile(level, [10, 90])
        audible = 10 * np.log10(bands / bands.max()) >= -_INAUDIBLE_DB
        brightness = (bands * centres).sum() / bands.sum()
        loudness = 10 * np.log10(power.sum(axis=1).mean())
        rows.append((loudness, high - low, brightness, centres[np.flatnonzero(audible)[-1]]))
    columns = ["level", "range", "brightness", "cut_off"]
    return pd.DataFrame(rows, pd.Index(ids, name="id"), columns)


def production_differences(analysis: ErrorAnalysis) -> pd.DataFrame:
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
    right = analysis.answers.right
    if right.nunique() < 2:
        raise SongNetError("Wrong answers are compared with right ones, only where there are both.")
    values = production(analysis.prepared, analysis.clips.index)
    training = (analysis.clips.set == "train").to_numpy()
    usual = values[training].groupby(analysis.clips.genre[training]).mean()
    tested = analysis.answers.index
    unusual = values.loc[tested] - usual.loc[analysis.answers.genre].to_numpy()
    who, sure, rows = analysis.answers.artist, 1 - 0.05 / len(unusual.columns), []
    for name in unusual:
        groups = unusual[name][~right], unusual[name][right]
        interval = mean_difference_interval(*groups, who[~right], who[right], confidence=sure)
        rows.append((groups[0].mean() - groups[1].mean(), *interval))
    return pd.DataFrame(rows, index=unusual.columns, columns=["difference", "low", "high"])
