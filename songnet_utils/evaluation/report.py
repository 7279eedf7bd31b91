"""Report on a finished run: results per genre, calibration, and how soon the network is right.

`evaluate` looks at the test set of a run in three ways: precision and recall of each genre;
calibration, before and after temperature scaling fitted on the run's validation set
(`songnet_utils.metrics.calibration`); and the seconds of music that the network needs until it is
right.

**Until it is right.** After some seconds of a song, a network's answer is the mean of the steps so
far; step ``k`` is complete at the end of ``timeline.step_span(k)``. Clips have different lengths,
but the same clips count at every moment: a clip that has ended keeps its last answer. (Otherwise,
the curve would compare different clips at 30 s and at 3 s.) So the curve starts at the first step
and ends at the accuracy of whole clips.

A running answer may be right by chance and then change. A clip is *settled* from the moment at
which its answer is right and stays right to the clip's end. The share of settled clips is one minus
the Kaplan–Meier curve of "not yet settled" (Kaplan & Meier 1958, JASA 53): each clip is followed to
its end, so none is censored, and clips that never settle stay in the denominator. The share never
falls, never exceeds the accuracy at the same moment, and meets it at the end. Near the end of the
clips it also rises because little time is left for the answer to change. So use it to compare
networks, not to predict results for longer songs.

Intervals are 95 % intervals over artists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import Corpus
from songnet_utils.evaluation.tables import aligned, between, percent, wrapped
from songnet_utils.features.store import LogMels
from songnet_utils.metrics.accuracy import genre_scores
from songnet_utils.metrics.calibration import (
    apply_temperature,
    brier_score,
    calibration_error_by_chance,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    never_zero,
    reliability,
)
from songnet_utils.metrics.intervals import artist_interval, few_artists
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.timeline import Timeline
from songnet_utils.training.runs import (
    check_clips,
    log_mels_of,
    network_of,
    read_answers,
    read_record,
)

#: The moments to print, in seconds of music, besides the first and the last.
MOMENTS = (2, 3, 5, 10, 20, 30)

# Rounding may change a network's answers by this much since its training.
_SAME_ANSWER = 1e-3


@dataclass(frozen=True)
class UntilRight:
    """The seconds of music that a network needs until it is right.

    Parameters
    ----------
    seconds : np.ndarray, shape (moments,)
        The ends of the steps of the longest clip.
    right : np.ndarray, shape (clips, moments), bool
        Whether the running answer is right. A clip that has ended keeps its last answer.
    playing : np.ndarray, shape (moments,), int
        The number of clips with a step that ends at this moment.
    artists : np.ndarray, shape (clips,), str
        The artists of the clips.
    """

    seconds: np.ndarray
    right: np.ndarray
    playing: np.ndarray
    artists: np.ndarray

    @property
    def settled(self) -> np.ndarray:
        """Whether the answer is right and stays right, with the shape of `right`."""
        return np.logical_and.accumulate(self.right[:, ::-1], axis=1)[:, ::-1]

    def as_table(self) -> pd.DataFrame:
        """Return one row per moment.

        Returns
        -------
        pandas.DataFrame
            ``seconds``; ``playing``, the number of clips that have not ended; ``accuracy``, the
            share of all clips whose running answer is right; ``settled``, the share whose answer
            also stays right; both with ``_low`` and ``_high``, over artists.
        """
        rows = []
        for moment, seconds in enumerate(self.seconds):
            row = {"seconds": float(seconds), "playing": int(self.playing[moment])}
            shares = {"accuracy": self.right[:, moment], "settled": self.settled[:, moment]}
            for name, held in shares.items():
                low, high = artist_interval(held, self.artists)
                row |= {name: float(held.mean()), f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
        return pd.DataFrame(rows)

    def median_seconds(self) -> float:
        """Return the time at which half of all clips are settled, or infinity."""
        half = self.settled.mean(axis=0) >= 0.5
        return float(self.seconds[half.argmax()]) if half.any() else np.inf


def until_right(
    steps: Sequence[np.ndarray],
    truth: Sequence[int] | np.ndarray,
    timeline: Timeline,
    artists: Sequence[str] | np.ndarray | None = None,
) -> UntilRight:
    """Return the seconds of music that a network needs until it is right.

    Parameters
    ----------
    steps : sequence of np.ndarray, each of shape (steps, genres)
        The genre over time of each clip; clips may differ in length, and each has at least a step.
    truth : (clips,) int
        The column of each clip's genre.
    timeline : Timeline
        The times of the network's steps.
    artists : (clips,) str, optional
        The artists of the clips; by default, each clip has its own.

    Raises
    ------
    SongNetError
        When there are no clips, when a clip has no steps, or when genres or artists are missing.
    """
    truth, lengths = np.asarray(truth), np.array([len(clip) for clip in steps])
    whose = np.arange(len(steps)).astype(str) if artists is None else np.asarray(artists)
    if not len(steps) or not lengths.all() or not len(steps) == len(truth) == len(whose):
        raise SongNetError(
            "Give at least one clip, and a genre, an artist and at least one step for each. Got "
            f"{len(steps)} clips, {len(truth)} genres, {len(whose)} artists, steps: {lengths}"
        )
    moments = range(lengths.max())
    seconds = np.array([timeline.step_span(step)[1] for step in moments])
    # The sum and the mean have the same largest genre.
    running = [clip.cumsum(axis=0, dtype=np.float64).argmax(axis=1) for clip in steps]
    answers = [np.pad(clip, (0, len(moments) - len(clip)), mode="edge") for clip in running]
    right = np.stack(answers) == truth[:, None]
    playing = (lengths[:, None] > np.arange(len(moments))).sum(axis=0)
    return UntilRight(seconds, right, playing, whose.astype(str))


@dataclass(frozen=True)
class CalibrationFigures:
    """The calibration of a set of answers.

    Parameters
    ----------
    error : float
        The expected calibration error.
    by_chance : float
        The error that chance alone would give a perfectly calibrated network.
    log_loss : float
        The negative log-likelihood, in nats.
    brier : float
        The Brier score, 0 to 2.
    bins : pandas.DataFrame
        From `songnet_utils.metrics.calibration.reliability`.
    """

    error: float
    by_chance: float
    log_loss: float
    brier: float
    bins: pd.DataFrame


@dataclass(frozen=True)
class Calibration:
    """A network's calibration on test clips, before and after temperature scaling.

    Parameters
    ----------
    before : CalibrationFigures
        The calibration of its original answers.
    after : CalibrationFigures or None
        The calibration of its answers at `temperature`.
    temperature : float or None
        Fitted on the validation set.
    fitted_on : int
        The number of clips in that set.
    why_not : str
        The reason why there is no temperature, or "".
    """

    before: CalibrationFigures
    after: CalibrationFigures | None
    temperature: float | None
    fitted_on: int
    why_not: str = ""


def probabilities_of(
    answers: pd.DataFrame, genres: Sequence[str], subset: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the probabilities of a run's network for one set.

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
        The artists of the clips.

    Raises
    ------
    SongNetError
        When the answers have no probabilities.
    """
    columns = [f"p_{genre}" for genre in genres]
    absent = [column for column in columns if column not in answers]
    if absent:
        raise SongNetError(
            f"These answers have no probabilities (no column {absent[0]}), so they cannot be "
            "calibrated. Give the run of a network, such as songnet."
        )
    place = {genre: index for index, genre in enumerate(genres)}
    of = answers[answers.set == subset]
    given = never_zero(of[columns].to_numpy())
    return given, of.genre.map(place).to_numpy(int), of.artist.to_numpy(str)


def calibrate(answers: pd.DataFrame, genres: Sequence[str]) -> Calibration:
    """Return the calibration of a run's network on its test set, with temperature scaling.

    Probabilities that float32 rounded to 0 are raised first (`never_zero`).

    Parameters
    ----------
    answers : pandas.DataFrame
        A network's answers, from `songnet_utils.training.runs.read_answers`.
    genres : sequence of str
        All genres of the network.

    Raises
    ------
    SongNetError
        When the answers have no probabilities.
    """
    given, truth, _ = probabilities_of(answers, genres, "test")
    fitted_given, fitted_truth, _ = probabilities_of(answers, genres, "validation")
    before = _figures(given, truth)
    try:
        temperature = fit_temperature(fitted_given, fitted_truth)
    except SongNetError as error:
        return Calibration(before, None, None, len(fitted_truth), str(error))
    after = _figures(apply_temperature(given, temperature), truth)
    return Calibration(before, after, temperature, len(fitted_truth))


def _figures(given: np.ndarray, truth: np.ndarray) -> CalibrationFigures:
    return CalibrationFigures(
        error=expected_calibration_error(given, truth),
        by_chance=calibration_error_by_chance(given),
        log_loss=negative_log_likelihood(given, truth),
        brier=brier_score(given, truth),
        bins=reliability(given, truth),
    )


@dataclass(frozen=True)
class Report:
    """The results of `evaluate` on the test set of a run.

    Parameters
    ----------
    record : dict
        The run's record.
    answers : pandas.DataFrame
        Its answers for its test clips.
    genres : pandas.DataFrame
        From `songnet_utils.metrics.accuracy.genre_scores`.
    calibration : Calibration or None
        None for a baseline.
    until_right : UntilRight or None
        None for a baseline.
    refused : str
        The reason why the last two are None, or "".
    """

    record: dict[str, Any]
    answers: pd.DataFrame
    genres: pd.DataFrame
    calibration: Calibration | None = None
    until_right: UntilRight | None = None
    refused: str = ""

    def as_text(self) -> str:
        """Return the results as text."""
        right = (self.answers.genre == self.answers.answer).to_numpy()
        record = self.record
        title = (
            f"{record['model']} on {record['corpus']}, {record['split']} split, seed "
            f"{record['seed']}: {right.mean():.1%} of {len(right):,} test clips right "
            f"({between(artist_interval(right, self.answers.artist))})"
        )
        note = "Intervals are 95 % intervals over artists."
        blocks = [
            [title, *wrapped(note, few_artists(record["test"].get("artists")))],
            _genre_lines(self.genres),
        ]
        if self.calibration is not None:
            blocks.append(_calibration_lines(self.calibration))
        if self.until_right is not None:
            blocks.append(_until_right_lines(self.until_right))
        return "\n\n".join("\n".join(lines) for lines in blocks)


def evaluate(
    folder: str | Path,
    corpus: LogMels | Corpus | str | Path | None = None,
    *,
    progress: bool = True,
) -> Report:
    """Evaluate a finished run on its test clips.

    Parameters
    ----------
    folder : path
        The run's folder.
    corpus : LogMels, Corpus, str or path, optional
        The corpus that it was trained on; by default, the one that its record names. Only
        `UntilRight` needs it, because it runs the network again.
    progress : bool
        Show progress bars.

    Returns
    -------
    Report
        For a baseline, only the parts that need no probabilities; ``refused`` says so.

    Raises
    ------
    SongNetError
        When the folder has no finished run, or the corpus is not the one that it was trained on:
        its test clips are missing, have other genres, or have changed.
    """
    folder = Path(folder)
    record, answers = read_record(folder), read_answers(folder)
    tested = answers[answers.set == "test"].reset_index(drop=True)
    genres = list(record["genres"])
    scores = genre_scores(tested.genre, tested.answer, genres, tested.artist)
    report = Report(record, tested, scores)
    if record.get("network") is None:
        refused = (
            f"{folder}: {record['model']} answers only for whole clips and without "
            "probabilities, so there is no calibration and no time until it is right. For "
            "these, evaluate the run of a network, such as songnet."
        )
        return dataclasses.replace(report, refused=refused)
    net = network_of(folder)
    prepared = log_mels_of(folder, record, corpus, progress=progress)
    check_clips(folder, prepared, tested, "test clips")
    bar = tqdm(tested.id, desc="test clips", unit="clip", disable=not progress, leave=False)
    steps = {}
    for clip in bar:
        informed = net.with_metadata(prepared.clips[prepared.clips.id == clip])
        steps[clip] = informed.genre_over_time_of_frames(prepared.frames(clip), prepared.sound)
    check_same_answers(folder, net, tested, steps)
    truth = np.array([genres.index(genre) for genre in tested.genre])
    return dataclasses.replace(
        report,
        calibration=calibrate(answers, genres),
        until_right=until_right(list(steps.values()), truth, net.timeline, tested.artist),
    )


def check_same_answers(
    folder: str | Path, net: SongNet, answers: pd.DataFrame, steps: Mapping[str, np.ndarray]
) -> None:
    """Raise SongNetError unless a run's network still gives its original answers.

    Parameters
    ----------
    folder : path
        The run's folder.
    net : SongNet
        Its network.
    answers : pandas.DataFrame
        The run's original answers for some clips: ``id`` and the probabilities.
    steps : mapping of str to np.ndarray
        The present genre over time of each of these clips.
    """
    written = answers[[f"p_{genre}" for genre in net.genres]].to_numpy()
    now = np.stack([steps[clip].mean(axis=0, dtype=np.float64) for clip in answers.id])
    apart = np.abs(now - written).max(axis=1)
    if apart.max() > _SAME_ANSWER:
        raise SongNetError(
            f"{folder}: its network no longer answers for clip {answers.id.iloc[apart.argmax()]} "
            f"as it did (a probability is off by {apart.max():.2g}), because the sound file, its "
            "metadata or model.keras has changed. Train again."
        )


def _genre_lines(genres: pd.DataFrame) -> list[str]:
    rows = [["genre", "clips", "recall", "interval", "precision", "interval", "F1"]]
    for genre, row in genres.iterrows():
        cells = _with_interval(row, "recall") + _with_interval(row, "precision")
        rows.append([str(genre), f"{row.support:,.0f}", *cells, percent(row.f1)])
    mean = genres.mean()
    averages = [percent(mean.recall), "", percent(mean.precision), "", percent(mean.f1)]
    lines = aligned([*rows, ["macro average", f"{genres.support.sum():,.0f}", *averages]])
    if genres[["precision", "recall"]].isna().any(axis=None):
        lines.append("–: no clip has this genre or this prediction, so it is not in the average.")
    return lines


def _with_interval(row: Mapping[str, float] | pd.Series, name: str) -> list[str]:
    return [percent(row[name]), between((row[f"{name}_low"], row[f"{name}_high"]), 0)]


def _calibration_lines(of: Calibration) -> list[str]:
    names = ["expected calibration error", "  expected by chance"]
    names += ["negative log-likelihood (nats)", "Brier score (0 to 2)"]
    columns = [["calibration (test clips)", *names]]
    note = f"No temperature could be fitted on the validation set: {of.why_not}"
    titles = ["as it is"]
    if of.temperature is not None:
        titles.append(f"at temperature {of.temperature:.2f}")
        note = f"The temperature was fitted on the {of.fitted_on:,} validation clips."
    for title, each in zip(titles, (of.before, of.after), strict=False):
        assert each is not None
        figures = each.error, each.by_chance, each.log_loss, each.brier
        columns.append([title, *(f"{figure:.3f}" for figure in figures)])
    return [*aligned(list(zip(*columns, strict=True))), *wrapped(note)]


def _until_right_lines(of: UntilRight) -> list[str]:
    table = of.as_table()
    # For each printed moment, take the last step that has ended.
    decided = np.searchsorted(table.seconds, MOMENTS, "right") - 1
    moments = np.unique([0, *decided[decided > 0], len(table) - 1])
    rows = [["seconds of music", "right", "interval", "from then on", "interval", "still playing"]]
    for row in table.iloc[moments].to_dict("records"):
        cells = _with_interval(row, "accuracy") + _with_interval(row, "settled")
        rows.append([f"{row['seconds']:.1f}", *cells, f"{row['playing']:,}"])
    median = of.median_seconds()
    note = "Fewer than half of all clips are ever settled."
    if np.isfinite(median):
        note = f"Half of all clips are right, and stay right, after {median:.1f} s."
    return [*aligned(rows), note]
