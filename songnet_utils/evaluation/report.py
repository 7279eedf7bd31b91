"""One finished run of a network under the glass: which genres, how sure, and how soon.

`assess` looks at the test set of a run in three ways: precision and recall of each genre; whether
the network is as sure as it is right, before and after temperature scaling fitted on the run's
validation set (`songnet_utils.metrics.calibration`); and how many seconds it must hear until it
is right.

**Until it is right.** A network that has heard a song for some seconds answers with the mean of the
steps that are decided by then; step ``k`` is decided at the end of ``timeline.step_span(k)``. Clips
are of different lengths, and the same clips are counted at every moment: one that is over keeps its
last answer, for there is nothing more of it to hear. (Leaving it out instead would compare other
clips at 30 s than at 3 s.) So the curve begins at the first step and ends at the accuracy of whole
clips.

A running answer may be right by luck and then change. A clip is *settled* from the moment its
answer is right and stays right to the clip's end. The share of settled clips is one minus the
Kaplan–Meier curve of "not yet settled" (Kaplan & Meier 1958, JASA 53): each clip is followed to its
end, so none is censored, and those that never settle stay in the denominator. It never falls, never
exceeds the accuracy at the same moment, and meets it at the end: towards the end of the clips it
also rises because little time is left for the answer to change, so compare it between networks, not
with what a longer song would give.

Intervals are of 95 %. Those of the genres take clips as independent, all others are over artists.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import Corpus
from songnet_utils.features.store import LogMels
from songnet_utils.metrics.accuracy import genre_scores
from songnet_utils.metrics.calibration import (
    apply_temperature,
    brier_score,
    calibration_error_by_chance,
    calibration_interval,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    never_zero,
    reliability,
)
from songnet_utils.metrics.intervals import Interval, artist_interval, few_artists
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.timeline import Timeline
from songnet_utils.training.runs import load_songnet, read_record
from songnet_utils.training.train import check_clips, prepared_of, read_answers

#: The moments that are printed, in seconds of music heard, besides the first and the last.
MOMENTS = (2, 3, 5, 10, 20, 30)

# Columns of a terminal that sentences are broken for.
_WIDTH = 100

# What a network answers today may differ by rounding from what it answered when it was trained.
_SAME_ANSWER = 1e-3


@dataclass(frozen=True)
class UntilRight:
    """How many seconds of music a network must hear until it is right.

    Parameters
    ----------
    seconds : np.ndarray, shape (moments,)
        When the steps of the longest clip are decided.
    right : np.ndarray, shape (clips, moments), bool
        Is the running answer right? A clip that is over keeps its last answer.
    playing : np.ndarray, shape (moments,), int
        How many clips are not over: they have a step that is decided then.
    right_from : np.ndarray, shape (clips,)
        From when the answer is right and stays right, in seconds; infinite if it never is.
    artists : np.ndarray, shape (clips,), str
        Whose clips they are.
    """

    seconds: np.ndarray
    right: np.ndarray
    playing: np.ndarray
    right_from: np.ndarray
    artists: np.ndarray

    def as_table(self) -> pd.DataFrame:
        """Return a row a moment.

        Returns
        -------
        pandas.DataFrame
            ``seconds``; ``playing``, the clips that are not over; ``accuracy``, the share of all
            clips whose running answer is right; ``settled``, the share of those that stay right;
            both with ``_low`` and ``_high``, over artists.
        """
        rows = []
        for moment, seconds in enumerate(self.seconds):
            row = {"seconds": float(seconds), "playing": int(self.playing[moment])}
            for name, held in (
                ("accuracy", self.right[:, moment]),
                ("settled", self.right_from <= seconds),
            ):
                low, high = artist_interval(held, self.artists)
                row |= {name: float(held.mean()), f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
        return pd.DataFrame(rows)

    def median_seconds(self) -> float:
        """Return when half of all clips are settled; infinite if that never comes."""
        # The inverse of the share: an average with "never" would be no moment.
        return float(np.quantile(self.right_from, 0.5, method="inverted_cdf"))


def until_right(
    steps: Sequence[np.ndarray],
    truth: Sequence[int] | np.ndarray,
    timeline: Timeline,
    artists: Sequence[str] | np.ndarray | None = None,
) -> UntilRight:
    """Return how many seconds a network must hear until it is right.

    Parameters
    ----------
    steps : sequence of np.ndarray, each of shape (steps, genres)
        The genre over time of each clip; clips may differ in length, each has a step at least.
    truth : (clips,) int
        The column of each clip's genre.
    timeline : Timeline
        When the network's steps are decided.
    artists : (clips,) str, optional
        Whose clips they are; each its own by default.

    Raises
    ------
    SongNetError
        When there are no clips, a clip without steps, or not one genre and artist for each.
    """
    truth = np.asarray(truth)
    whose = np.arange(len(steps)).astype(str) if artists is None else np.asarray(artists)
    if not len(steps) or truth.shape != (len(steps),) or whose.shape != (len(steps),):
        raise SongNetError(
            "Give at least one clip, and a genre and an artist for each. Got "
            f"{len(steps)} clips, genres of shape {truth.shape}, artists of shape {whose.shape}"
        )
    lengths = np.array([len(clip) for clip in steps])
    if not lengths.all():
        raise SongNetError(
            f"clip {int(lengths.argmin())}: has no step, so there is no answer to follow. "
            "Leave it out."
        )
    seconds = np.array([timeline.step_span(step)[1] for step in range(lengths.max())])
    right = np.empty((len(steps), len(seconds)), bool)
    right_from = np.full(len(steps), np.inf)
    for clip, over_time in enumerate(steps):
        # The sum has the same largest genre as the mean.
        running = over_time.cumsum(axis=0, dtype=np.float64).argmax(axis=1) == truth[clip]
        right[clip, : len(running)] = running
        right[clip, len(running) :] = running[-1]
        if running[-1]:
            wrong = np.flatnonzero(~running)
            right_from[clip] = seconds[wrong[-1] + 1 if len(wrong) else 0]
    playing = (lengths[:, None] > np.arange(len(seconds))).sum(axis=0)
    return UntilRight(seconds, right, playing, right_from, whose.astype(str))


@dataclass(frozen=True)
class Sureness:
    """How well confidence and accuracy go together.

    Parameters
    ----------
    error : float
        The expected calibration error.
    interval : tuple of float
        Its interval, over artists.
    luck : float
        What it would be by luck alone, were every confidence true.
    log_loss : float
        The negative log-likelihood, in nats.
    brier : float
        The Brier score, 0 to 2.
    bins : pandas.DataFrame
        As `songnet_utils.metrics.calibration.reliability` returns it.
    """

    error: float
    interval: Interval
    luck: float
    log_loss: float
    brier: float
    bins: pd.DataFrame


@dataclass(frozen=True)
class Calibration:
    """How sure a network is on test clips, before and after temperature scaling.

    Parameters
    ----------
    before : Sureness
        Of its answers as they are.
    after : Sureness or None
        Of its answers at `temperature`.
    temperature : float or None
        Fitted on the validation set.
    fitted_on : int
        How many clips that set has.
    why_not : str
        Why there is no temperature; "" where there is one.
    """

    before: Sureness
    after: Sureness | None
    temperature: float | None
    fitted_on: int
    why_not: str = ""


def probabilities_of(
    answers: pd.DataFrame, genres: Sequence[str], subset: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a run's network said of one set.

    Parameters
    ----------
    answers, genres
        As in `calibrate`.
    subset : str
        ``"train"``, ``"validation"`` or ``"test"``.

    Returns
    -------
    probabilities : np.ndarray, shape (clips, genres)
        Never 0 (see `songnet_utils.metrics.calibration.never_zero`).
    truth : np.ndarray, shape (clips,), int
        The column of each clip's genre.
    artists : np.ndarray, shape (clips,), str
        Whose clips they are.

    Raises
    ------
    SongNetError
        When the answers have no probabilities.
    """
    columns = [f"p_{genre}" for genre in genres]
    absent = [column for column in columns if column not in answers]
    if absent:
        raise SongNetError(
            f"These answers have no probabilities (no column {absent[0]}): nothing says how sure "
            "they are. Assess the run of a network, such as songnet."
        )
    place = {genre: index for index, genre in enumerate(genres)}
    of = answers[answers.set == subset]
    given = never_zero(of[columns].to_numpy())
    return given, of.genre.map(place).to_numpy(int), of.artist.to_numpy(str)


def calibrate(answers: pd.DataFrame, genres: Sequence[str]) -> Calibration:
    """Return how sure a run's network is on its test set, before and after temperature scaling.

    Probabilities that float32 rounded to 0 are raised first (`never_zero`).

    Parameters
    ----------
    answers : pandas.DataFrame
        As `songnet_utils.training.train.read_answers` returns them, of a network.
    genres : sequence of str
        All that it tells apart.

    Raises
    ------
    SongNetError
        When the answers have no probabilities, or all test clips are by one artist.
    """
    given, truth, whose = probabilities_of(answers, genres, "test")
    fitted_given, fitted_truth, _ = probabilities_of(answers, genres, "validation")
    before = _sureness(given, truth, whose)
    try:
        temperature = fit_temperature(fitted_given, fitted_truth)
    except SongNetError as error:
        return Calibration(before, None, None, len(fitted_truth), str(error))
    after = _sureness(apply_temperature(given, temperature), truth, whose)
    return Calibration(before, after, temperature, len(fitted_truth))


def _sureness(given: np.ndarray, truth: np.ndarray, artists: np.ndarray) -> Sureness:
    return Sureness(
        error=expected_calibration_error(given, truth),
        interval=calibration_interval(given, truth, artists),
        luck=calibration_error_by_chance(given),
        log_loss=negative_log_likelihood(given, truth),
        brier=brier_score(given, truth),
        bins=reliability(given, truth),
    )


@dataclass(frozen=True)
class Assessment:
    """What `assess` found on the test set of a run.

    Parameters
    ----------
    record : dict
        The run's record.
    answers : pandas.DataFrame
        What it says of its test clips.
    genres : pandas.DataFrame
        As `songnet_utils.metrics.accuracy.genre_scores` returns it.
    confusion : np.ndarray, shape (genres, genres), int
        Rows are the truth.
    calibration : Calibration or None
        None for a baseline.
    until_right : UntilRight or None
        None for a baseline.
    refused : str
        Why the last two are None; "" where they are not.
    """

    record: dict[str, Any]
    answers: pd.DataFrame
    genres: pd.DataFrame
    confusion: np.ndarray
    calibration: Calibration | None
    until_right: UntilRight | None
    refused: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the single answers, fit for JSON; null where undefined."""
        names = ("corpus", "model", "split", "seed", "fold", "folds")
        found: dict[str, Any] = {name: self.record.get(name) for name in names}
        right = (self.answers.genre == self.answers.answer).to_numpy()
        found |= {
            "clips": len(right),
            "accuracy": float(right.mean()),
            "confidence_interval": artist_interval(right, self.answers.artist),
            "interval_note": self._interval_note() or None,
            "genres": _rows(self.genres.reset_index()),
            "macro_average": self.genres[["precision", "recall", "f1"]].mean().to_dict(),
            "confusion": self.confusion.tolist(),
            "calibration": None,
            "until_right": None,
        }
        if self.calibration is not None:
            of = self.calibration
            found["calibration"] = {
                "temperature": of.temperature,
                "fitted_on": of.fitted_on,
                "why_not": of.why_not or None,
                "before": _figures(of.before),
                "after": of.after and _figures(of.after),
            }
        if self.until_right is not None:
            median = self.until_right.median_seconds()
            found["until_right"] = {
                "median_seconds": median if np.isfinite(median) else None,
                "moments": _rows(self.until_right.as_table()),
            }
        return found

    def as_text(self) -> str:
        """Return what was found, for people to read."""
        right = (self.answers.genre == self.answers.answer).to_numpy()
        record, fold = self.record, ""
        if record.get("fold") is not None:
            fold = f", fold {record['fold'] + 1} of {record['folds']}"
        blocks = [
            [
                f"{record['model']} on {record['corpus']}, {record['split']} split, seed "
                f"{record['seed']}{fold}: {right.mean():.1%} of {len(right):,} test clips right "
                f"{_between(artist_interval(right, self.answers.artist))}",
                "In brackets: 95 % intervals; of the genres taking clips as independent, else "
                "over artists.",
                *textwrap.wrap(self._interval_note(), _WIDTH),
            ],
            self._genre_lines(),
        ]
        if self.calibration is not None:
            blocks.append(_calibration_lines(self.calibration))
        if self.until_right is not None:
            blocks.append(_until_right_lines(self.until_right))
        return "\n\n".join("\n".join(lines) for lines in blocks)

    def _interval_note(self) -> str:
        return few_artists(self.record["test"].get("artists"))

    def _genre_lines(self) -> list[str]:
        wide = max(len("macro average"), *map(len, self.genres.index))
        lines = [f"{'genre':{wide}}  clips  {'recall':22}  {'precision':22}  F1"]
        for genre, row in self.genres.iterrows():
            recall, precision = (
                f"{_share(row[name])} {_between((row[f'{name}_low'], row[f'{name}_high']))}"
                for name in ("recall", "precision")
            )
            lines.append(
                f"{genre:{wide}}  {row.support:5,.0f}  {recall:22}  {precision:22}  "
                f"{_share(row.f1)}"
            )
        mean = self.genres[["precision", "recall", "f1"]].mean().to_dict()
        lines.append(
            f"{'macro average':{wide}}  {self.genres.support.sum():5,.0f}  "
            f"{_share(mean['recall']):22}  {_share(mean['precision']):22}  {_share(mean['f1'])}"
        )
        if self.genres[["precision", "recall"]].isna().any(axis=None):
            lines.append("–: no clip was given that genre, or none has it; no part of the average.")
        return lines


def assess(
    folder: str | Path,
    corpus: LogMels | Corpus | str | Path | None = None,
    *,
    progress: bool = True,
) -> Assessment:
    """Look at what a finished run answers for its test clips.

    Parameters
    ----------
    folder : path
        The run's folder.
    corpus : LogMels, Corpus, str or path, optional
        The corpus that it was trained on; by default what `open_corpus` finds under the name in
        its record. It is only needed for `UntilRight`, which hears the test clips again.
    progress : bool
        Show progress bars.

    Returns
    -------
    Assessment
        Of a baseline, which gives genres without probabilities, only the parts that need none;
        ``refused`` says so.

    Raises
    ------
    SongNetError
        When the folder holds no finished run, or the corpus is not the one it was trained on:
        without its test clips, with other genres for them, or with other music.
    """
    folder = Path(folder)
    record, answers = read_record(folder), _answers(folder)
    tested = answers[answers.set == "test"].reset_index(drop=True)
    genres = list(record["genres"])
    by_genre = genre_scores(tested.genre, tested.answer, genres)
    table = confusion_matrix(tested.genre, tested.answer, labels=genres)
    if record.get("network") is None:
        return Assessment(
            record,
            tested,
            by_genre,
            table,
            None,
            None,
            refused=f"{folder}: {record['model']} answers with genres, not probabilities, and for "
            "whole clips: there is no calibration and no time until it is right. Assess the run of "
            "a network, such as songnet, for these.",
        )
    net = load_songnet(folder)
    assert isinstance(net, SongNet)
    prepared = prepared_of(folder, record, corpus, progress=progress)
    check_clips(folder, prepared, tested, "test clips")
    steps = [
        _hear(folder, net, prepared, clip, given)
        for clip, given in zip(
            tqdm(tested.id, desc="test clips", unit="clip", disable=not progress, leave=False),
            tested[[f"p_{genre}" for genre in net.genres]].to_numpy(),
            strict=True,
        )
    ]
    place = {genre: index for index, genre in enumerate(net.genres)}
    return Assessment(
        record,
        tested,
        by_genre,
        table,
        calibrate(answers, genres),
        until_right(steps, tested.genre.map(place).to_numpy(int), net.timeline, tested.artist),
    )


def _answers(folder: Path) -> pd.DataFrame:
    answers = read_answers(folder)
    if not {"id", "set", "artist", "genre", "answer"} <= set(answers):
        raise SongNetError(
            f"{folder / 'answers.csv'}: holds no answers of a run (its columns are "
            f"{', '.join(answers)}). Train the run again with --force."
        )
    return answers


def _hear(
    folder: Path, net: SongNet, prepared: LogMels, clip: str, given: np.ndarray
) -> np.ndarray:
    """Return a clip's genre over time, whose mean is what the run answered."""
    told = net.with_metadata(prepared.clips[prepared.clips.id == clip])
    steps = told.genre_over_time_of_frames(prepared.frames(clip), prepared.sound)
    apart = float(np.abs(steps.mean(axis=0, dtype=np.float64) - given).max())
    if apart > _SAME_ANSWER:
        raise SongNetError(
            f"{folder}: its network no longer answers for clip {clip} as it did (a probability is "
            f"off by {apart:.2g}): the sound file, what is known of it, or model.keras is another "
            f"one now. Train on {prepared.corpus.name} as it is now."
        )
    return steps


def _figures(of: Sureness) -> dict[str, Any]:
    return {
        "expected_calibration_error": of.error,
        "confidence_interval": of.interval,
        "error_of_luck": of.luck,
        "negative_log_likelihood": of.log_loss,
        "brier_score": of.brier,
        "bins": _rows(of.bins),
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows, with None for what is not a number."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _share(value: float) -> str:
    return "     –" if np.isnan(value) else f"{value:6.1%}"


def _between(interval: Interval) -> str:
    low, high = interval
    return "" if np.isnan(low) else f"[{low:.0%} to {high:.0%}]"


def _calibration_lines(of: Calibration) -> list[str]:
    heading = f"{'how sure (test clips)':32}  {'as it is':24}"
    if of.after is not None:
        heading += f"  at temperature {of.temperature:.2f}"
    lines = [heading]
    columns = [sureness for sureness in (of.before, of.after) if sureness is not None]
    for name, cells in (
        (
            "expected calibration error",
            [
                f"{each.error:.3f} [{each.interval[0]:.3f} to {each.interval[1]:.3f}]"
                for each in columns
            ],
        ),
        ("  of which luck alone gives", [f"{each.luck:.3f}" for each in columns]),
        ("negative log-likelihood (nats)", [f"{each.log_loss:.3f}" for each in columns]),
        ("Brier score (0 to 2)", [f"{each.brier:.3f}" for each in columns]),
    ):
        lines.append(f"{name:32}  " + "  ".join(f"{cell:24}" for cell in cells).rstrip())
    if of.after is None:
        lines += textwrap.wrap(
            f"No temperature could be fitted on the validation set: {of.why_not}", _WIDTH
        )
    else:
        lines.append(f"The temperature was fitted on the {of.fitted_on:,} validation clips.")
    return lines


def _until_right_lines(of: UntilRight) -> list[str]:
    table = of.as_table()
    first, last = table.seconds.iloc[0], table.seconds.iloc[-1]
    shown = [(f"{first:.1f}, the first answer", 0)]
    for seconds in MOMENTS:
        if first < seconds < last:
            shown.append((str(seconds), int((table.seconds <= seconds).sum()) - 1))
    shown.append(("the whole clip", len(table) - 1))
    lines = [f"{'seconds heard':22}  {'right':22}  {'right from then on':22}  still playing"]
    for name, moment in shown:
        row = table.iloc[moment]
        right, settled = (
            f"{_share(row[name])} {_between((row[f'{name}_low'], row[f'{name}_high']))}"
            for name in ("accuracy", "settled")
        )
        lines.append(f"{name:22}  {right:22}  {settled:22}  {row.playing:,.0f}")
    median = of.median_seconds()
    lines.append(
        f"Half of all clips are right for good after {median:.1f} s."
        if np.isfinite(median)
        else "Fewer than half of all clips are ever right for good."
    )
    return lines
