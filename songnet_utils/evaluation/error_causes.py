"""Causes of errors outside the network: ambiguous labels, artists, recordings.

`ambiguity` looks at clips with several labels, `errors_by_artist` at artists with many errors, and
`production` at the recording of clips. Each compares the errors with chance, because a few dozen
errors always show some pattern.
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

# A band this far below a clip's loudest band is inaudible beside it.
_INAUDIBLE_DB = 60.0


def top_genres(labels: Iterable[str] | None, corpus: Corpus) -> set[str]:
    """Return the top genres of a clip's labels.

    Parameters
    ----------
    labels
        The clip's labels; None if it has none.
    corpus
        Its ``hierarchy`` gives the top genre of a label (see
        `songnet_utils.corpora.read_genres`). A label outside it counts if it is one of the corpus's
        own genres; otherwise it is not a genre but, say, a style.
    """
    of = {genre: genre for genre in corpus.genres}
    if corpus.hierarchy is not None:
        of |= dict(zip(corpus.hierarchy.title, corpus.hierarchy.top, strict=True))
    return {of[label] for label in labels or () if label in of}


def clips_of_several_genres(corpus: Corpus) -> int:
    """Return the number of clips in a corpus with labels of more than one top genre."""
    return sum(len(top_genres(labels, corpus)) > 1 for labels in corpus.clips.genres)


def ambiguity(analysis: ErrorAnalysis) -> pd.DataFrame:
    """Return for each error whether the labels are ambiguous.

    Returns
    -------
    pandas.DataFrame
        By id, the most confident first: ``genre``, ``answer``, ``confidence``, ``artist``;
        ``labels``, all labels of the clip (a list; empty if it has only its genre);
        ``answer_is_a_label``, whether the answer is the top genre of one of them; and
        ``artist_makes_it``, the number of other clips by the artist, in the whole corpus, whose
        genre is the answer.
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
    """Return the errors of each artist, and a p-value for their concentration on few artists.

    Under chance, the errors of each genre are distributed at random over that genre's clips, so
    that a difficult genre with few artists does not look like difficult artists. The test statistic
    is the number of pairs of errors by the same artist.

    Parameters
    ----------
    answers : pandas.DataFrame
        ``artist``, ``genre`` and ``answer`` of the tested clips.
    draws, seed
        The number of random distributions, and their seed.

    Returns
    -------
    table : pandas.DataFrame
        By artist: ``clips``, ``wrong`` and ``genres`` (joined); most errors first.
    p : float
        The share of distributions, with the real one, that have at least as many pairs; it is
        small if errors are concentrated on few artists.
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
    """Return properties of the clips' recordings, from their log-mels.

    Parameters
    ----------
    prepared : LogMels
        The corpus with their frames.
    clips : iterable of str
        Their ids.

    Returns
    -------
    pandas.DataFrame
        By id: ``level`` (mean power, dB), ``range`` (from the frames' 10th to their 90th
        percentile, dB), ``brightness`` (the mean frequency, weighted by power, Hz) and
        ``cut_off`` (the highest band within 60 dB of the loudest, Hz).
    """
    # Import librosa only here, because it is slow to import.
    import librosa

    ids, sound = list(clips), prepared.sound
    # n_mels triangles have n_mels + 2 corners; the inner ones are the centres of the bands.
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
    """Compare the recordings of wrong and right test clips, genre by genre.

    Each value is relative to the mean of the training clips in the clip's genre, so it measures how
    unusual the clip is for its genre. Otherwise, a genre that is both loud and difficult would make
    loudness look like the cause.

    Returns
    -------
    pandas.DataFrame
        By property (see `production`): ``difference`` (mean of the wrong clips minus that of the
        right ones), ``low`` and ``high``, its interval over artists. The intervals hold jointly
        with 95 %, because each is widened for their number (Bonferroni).

    Raises
    ------
    SongNetError
        When all answers are right, or all are wrong.
    """
    right = analysis.answers.right
    if right.nunique() < 2:
        raise SongNetError("This comparison needs both wrong and right answers.")
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
