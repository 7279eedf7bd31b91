"""Learning from a person's own songs: a run goes on from its weights, and can be gone back to.

`learn_from` takes a finished run and the songs that a person has brought (`OwnSongs`). Training
goes on for a few short epochs at a small learning rate; each batch holds clips that the network was
trained on before, so that it does not forget them, and a share of the new ones. What comes of it is
a run of its own beside the old one, which nobody touches: ``grown-001-songnet-random-0``. Its
record names its parent and tells before and after: on songs that were held out, and on the parent's
test clips, where forgetting would show. `undo` removes it and returns the parent.

An artist's songs are all learnt from or all held out, and stay so when it is learnt again: a song
that a network has learnt, however long ago, tells nothing of how it does on new ones. So a song
whose content the network, or one that it has grown from, was trained on is never held out, whatever
it is called now and whoever it is said to be by.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from songnet_utils.corpora import (
    Corpus,
    OwnSongs,
    data_folder,
    name_key,
    open_corpus,
    own_songs,
    table,
)
from songnet_utils.errors import SongNetError, check_seed
from songnet_utils.files import write_csv, write_json
from songnet_utils.learning import PROGRESS, Learning, Material, Recipe, RunAwayError
from songnet_utils.models import SongNet, network_kind, save_keras, save_onnx
from songnet_utils.scores import artist_interval, difference_interval, mcnemar_exact
from songnet_utils.splits import SIDES
from songnet_utils.store import LogMelStore, Prepared
from songnet_utils.timeline import Sound
from songnet_utils.training import (
    Run,
    check_clips,
    network_of,
    prepared_of,
    read_answers,
    read_record,
    versions,
)

#: How long it learns: epochs of some batches each (see `songnet_utils.learning.mixed`), and the
#: learning rate as a share of that which the network was first trained with.
EPOCHS = 10
SLOWER = 0.2

#: Of the songs, the share that is held out, where there are enough.
HELD_SHARE = 0.25

#: How surely a difference must be more than chance to be called one.
_SURE = 0.05
# A probability that is further from what the run answered shows that something has changed.
_SAME_ANSWER = 1e-3
_ABANDONED_SECONDS = 3600.0
_FILES = ("model.keras", "model.onnx", "answers.csv", "own-songs.csv")


def learn_from(
    run: str | Path,
    own: OwnSongs | str | Path | None = None,
    *,
    corpus: Prepared | Corpus | str | Path | None = None,
    epochs: int = EPOCHS,
    learning_rate: float | None = None,
    seed: int = 0,
    progress: bool = True,
    watch: Callable[[Stage], None] | None = None,
) -> Path:
    """Go on training a finished run of a network with a person's own songs.

    Parameters
    ----------
    run : path
        The run's folder; it is left as it is.
    own : OwnSongs or path, optional
        The songs; those in the data folder by default.
    corpus : Prepared, Corpus, str or path, optional
        What the run was trained on; by default what `open_corpus` finds under the name in its
        record.
    epochs : int
        How many. The last one's weights are kept.
    learning_rate : float, optional
        `SLOWER` times that which the network was first trained with by default.
    seed : int
        Of who is held out and everything random in training.
    progress : bool
        Show progress bars.
    watch : callable, optional
        Called with each `Stage` that is reached. What it raises stops the learning, and nothing
        is kept.

    Returns
    -------
    pathlib.Path
        The new run's folder. Its record has all that a run's has, and ``grown``; `as_text` puts
        that into words.

    Raises
    ------
    SongNetError
        When the run is none of a network, its corpus is gone or another one, there is no song of
        a genre that it knows, or none that it has not learnt already. Then nothing was written.
    """
    check_seed(seed)
    run = Path(run).absolute()
    record = read_record(run)
    net = network_of(
        run,
        record,
        f"{record.get('model')} is no network and cannot go on learning. Choose the run of a "
        "network, such as songnet or songnet-transfer.",
    )
    recipe = _recipe(run, record, epochs, learning_rate)
    songs = own if isinstance(own, OwnSongs) else OwnSongs(own) if own else own_songs()

    def tell(stage: str, done: int = 0, of: int = 0) -> None:
        if watch is not None:
            watch(Stage(stage, recipe.epochs, done / of if of else 0.0))

    tell("preparing")
    lesson = _lesson(run, record, net, songs, corpus, seed, progress)
    base = re.sub(r"^grown-\d+-", "", run.name)
    # Where nobody looks for runs, and on the same disk.
    making = run.parent / ".growing"
    _sweep(making)
    folder = making / secrets.token_hex(8)
    began = time.monotonic()
    try:
        learning = Learning(lesson.material, recipe, folder, {}, start=net, progress=progress)
        tell("before")
        before = _answers(learning, lesson.asked, net.genres)
        _check_same_answers(run, before, lesson.answers)
        try:
            learning.go_on(progress, lambda done, of: tell("learning", done, of))
        except RunAwayError as error:
            raise SongNetError(
                f"{run}: learning from {len(lesson.songs)} songs has run away (its loss is not a "
                "number any more): nothing was kept. Learn with a lower learning_rate."
            ) from error
        grown = learning.network(
            training_music=f"{_first_music(net)}, then {_count(int((~lesson.held).sum()))} "
            "of one's own",
            caution=net.caution,
        )
        fitted = time.monotonic()
        tell("after")
        after = _answers(learning, lesson.material.clips.id, net.genres)
        answered = time.monotonic()
        old = Run(
            prepared=lesson.prepared,
            clips=lesson.clips,
            sides=lesson.sides,
            left_out=record["left_out"],
            model=record["model"],
            split=record["split"],
            seed=record["seed"],
            recipe=recipe,
            fold=record.get("fold"),
            folds=record.get("folds"),
        )
        said = old.answers_table(after.loc[lesson.clips.id].to_numpy(), net.genres)
        new = pd.DataFrame(
            {
                **{name: lesson.songs[name] for name in ("sha256", "title", "artist", "genre")},
                "side": np.where(lesson.held, "held out", "learnt"),
                "before": before.loc[lesson.songs.id].idxmax(axis=1).to_numpy(),
                "after": after.loc[lesson.songs.id].idxmax(axis=1).to_numpy(),
            }
        )
        save_keras(grown, folder / "model.keras")
        save_onnx(grown, folder / "model.onnx")
        for name, rows in (("answers.csv", said), ("own-songs.csv", new)):
            write_csv(folder / name, rows)
        told = _told(run, record, lesson, before, said, new)
        whole = {
            **old.names(),
            **old.overlaps(),
            "left_out": record["left_out"],
            "unusable": record["unusable"],
            "sound": record["sound"],
            "network": {**record["network"], "training_music": grown.training_music},
            "epochs": learning.state.epochs,
            "best_epoch": learning.state.best_epoch,
            "recipe": vars(recipe),
            **{side: old.score(said, side) for side in SIDES},
            "grown": told,
            "seconds_to_fit": round(fitted - began, 4),
            "seconds_to_answer": round(answered - fitted, 4),
            "seconds_of_last_start": round(time.monotonic() - began, 1),
            "versions": versions(),
            "arguments": {"parent": run.name, "seed": seed, "songs": told["contents"]},
        }
        write_json(folder / "record.json", whole)
        (folder / PROGRESS).unlink(missing_ok=True)
        return _settle(folder, run.parent, base)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            making.rmdir()  # Unless somebody else is at it.


@dataclass(frozen=True)
class Stage:
    """Where learning from songs stands.

    Parameters
    ----------
    name : str
        ``"preparing"`` (the clips and their frames), ``"before"`` (the network is asked as it is),
        ``"learning"``, ``"after"`` (it is asked again).
    epochs : int
        How many it learns for.
    share : float
        Of the learning, how much is done: 0 to 1.
    """

    name: str
    epochs: int
    share: float = 0.0

    @property
    def epoch(self) -> int:
        """Which epoch it is in, from 1."""
        return min(self.epochs, int(self.share * self.epochs + 1e-9) + 1)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What learning has changed on some clips.

    Parameters
    ----------
    clips, artists : int
        How many; a clip whose artist is not known is an artist of its own.
    right_before, right_after : int
        Clips answered correctly.
    interval_before, interval_after : (float, float)
        Of the accuracies, over artists.
    difference_interval : (float, float)
        Of accuracy after − before, over artists.
    mcnemar_p : float
        Of McNemar's exact test that both are equally good, over clips.
    artists_p : float
        The same over artists: did more of them gain than lose?
    """

    clips: int
    artists: int
    right_before: int
    right_after: int
    interval_before: tuple[float, float]
    interval_after: tuple[float, float]
    difference_interval: tuple[float, float]
    mcnemar_p: float
    artists_p: float

    @classmethod
    def of(cls, answers: pd.DataFrame, whose: pd.Series) -> Change:
        """Return the change between the columns ``before`` and ``after``; ``genre`` is the truth.

        Parameters
        ----------
        answers : pandas.DataFrame
            One row a clip, at least one.
        whose : pandas.Series
            Each clip's artist.
        """
        before = (answers.genre == answers.before).to_numpy()
        after = (answers.genre == answers.after).to_numpy()
        by_artist = pd.Series(after.astype(int) - before).groupby(whose.to_numpy())
        gained, count = by_artist.sum().to_numpy(), len(answers)
        return cls(
            clips=count,
            artists=len(gained),
            right_before=int(before.sum()),
            right_after=int(after.sum()),
            interval_before=artist_interval(before, whose),
            interval_after=artist_interval(after, whose),
            difference_interval=difference_interval(after, before, whose),
            mcnemar_p=mcnemar_exact(after, before),
            artists_p=mcnemar_exact(gained > 0, gained < 0),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it, fit for JSON."""
        return dataclasses.asdict(self)

    def verdict(self) -> str:
        """Say no more of it than the figures allow."""
        p = max(self.mcnemar_p, self.artists_p)
        shown = "p < 0.001" if p < 0.0005 else f"p = {p:.3f}"
        if self.mcnemar_p == 1 and self.right_before == self.right_after:
            return "as many as before."
        if p >= _SURE or self.right_before == self.right_after:
            return f"a difference that may be chance ({shown})."
        which = "better" if self.right_after > self.right_before else "worse"
        return f"{which}, by more than chance would make it ({shown})."


def as_text(record: Mapping[str, Any]) -> str:
    """Return what learning has changed, from the record of a run that has grown, for people.

    Raises
    ------
    SongNetError
        When the run has not grown.
    """
    grown = _grown(record, record.get("model"))
    learnt, old = Change(**grown["learnt"]), Change(**grown["old_test"])
    held = Change(**grown["held_out"]) if grown["held_out"] else None
    lines = [
        f"{record['model']} on {record['corpus']} has gone on from {grown['parent']} with "
        f"{_count(learnt.clips)} of one's own; accuracy [95 % interval over artists]"
    ]
    rows = [("old test clips", old)] + ([("held-out songs", held)] if held else [])
    for name, change in reversed(rows):
        figures = [
            f"{right / change.clips:.1%} [{low:.1%} to {high:.1%}]"
            for right, (low, high) in (
                (change.right_before, change.interval_before),
                (change.right_after, change.interval_after),
            )
        ]
        points = f"{100 * (change.right_after - change.right_before) / change.clips:+.1f} points"
        low, high = (100 * bound for bound in change.difference_interval)
        points += f" [{low:+.1f} to {high:+.1f}]"
        lines.append(
            f"{name} ({change.clips:,} of {change.artists:,} artists): before {figures[0]}, after "
            f"{figures[1]}; {points}"
        )
    lines.append(
        f"Songs it has not heard: {held.right_after} of {held.clips} right, {held.right_before} "
        f"before: {held.verdict()}"
        if held
        else f"With {_count(grown['songs'])} none could be held out: nothing is known of how it "
        "answers songs like these that it has not heard. Bring more, of several artists."
    )
    if known := grown.get("songs_trained_on_before"):
        lines.append(
            f"Of these songs the network had been trained on {known} before; none of those is "
            "held out."
        )
    if known := grown["held_out_of_artists_known"]:
        lines.append(
            f"By artists that the network was trained on before: {_count(known)} of those held "
            "out; it may know them by that."
        )
    lines.append(
        f"What it knew: {old.right_after} of {old.clips} old test clips right, "
        f"{old.right_before} before: {old.verdict()}"
    )
    if known := grown["old_test_of_artists_learnt"]:
        lines.append(
            f"By artists of the songs that it has learnt: {known} of the old test clips; it may "
            "know them by that."
        )
    lines.append(
        f"Of the songs it has learnt it answers {learnt.right_after} of {learnt.clips} right, "
        f"{learnt.right_before} before; that it has learnt them says nothing of others."
    )
    return "\n".join(lines)


def undo(run: str | Path | None = None) -> Path:
    """Remove a run that has grown, and return the one that it grew from.

    Parameters
    ----------
    run : path, optional
        The run's folder; by default the newest in the data folder that has grown.

    Raises
    ------
    SongNetError
        When there is none, its parent is gone, or another run has grown from it since. Then
        nothing was removed.
    """
    if run is None:
        found = newest_grown()
        if found is None:
            raise SongNetError(
                "There is nothing to undo: no network in the data folder has learnt from songs of "
                "one's own."
            )
        run = found
    folder = Path(run).absolute()
    parent = folder.parent / str(_grown(read_record(folder), folder)["parent"])
    if parent.parent != folder.parent or not (parent / "record.json").is_file():
        raise SongNetError(
            f"{folder}: the run that it grew from, {parent.name}, is gone, and there would be "
            "nothing to go back to. Nothing was removed; bring it back, or delete the folder."
        )
    if children := _children(folder):
        newest = children[-1]
        raise SongNetError(
            f"{folder}: {newest.name} has grown from it. Undo that one first: songnet grow undo "
            f"--run {newest}"
        )
    # The record first: without it, what is left is no finished run.
    for name in ("record.json", *_FILES):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()  # What a person put there besides stays.
    return parent


def _children(run: Path) -> list[Path]:
    """Return the runs that have grown from a run, the newest one last."""
    found = sorted(run.parent.glob("grown-*/record.json"), key=lambda file: file.stat().st_mtime_ns)
    return [
        file.parent
        for file in found
        if read_record(file.parent).get("grown", {}).get("parent") == run.name
    ]


def last_grown_from(run: str | Path) -> Path:
    """Return the run in which a run's learning from one's own songs has ended so far.

    Parameters
    ----------
    run : path
        A finished run. Where nothing has grown from it, it is what is returned.
    """
    folder = Path(run).absolute()
    while children := _children(folder):
        folder = children[-1]
    return folder


def newest_grown() -> Path | None:
    """Return the newest run in the data folder that has learnt from songs of one's own, if any."""
    records = (data_folder() / "runs").glob("*/grown-*/record.json")
    newest = max(records, key=lambda record: record.stat().st_mtime_ns, default=None)
    return newest.parent if newest else None


def hold_out(
    songs: pd.DataFrame,
    earlier: Mapping[str, str],
    seed: int,
    trained_on: Collection[str] = (),
) -> np.ndarray:
    """Return which songs are held out: some artists', by chance, with all their songs.

    Parameters
    ----------
    songs : pandas.DataFrame
        The table of clips, with ``sha256``.
    earlier : mapping of str to str
        What artists were in earlier learning, "learnt" or "held out"; they stay that.
    seed : int
        Decides between those who are new. It takes them in the same order, whoever else is there.
    trained_on : collection of str
        The contents (SHA-256) that the network has been trained on before. An artist who has one
        of them is learnt, whatever was earlier.

    Returns
    -------
    np.ndarray, shape (songs,), bool
        At most `HELD_SHARE` of the songs, and never all of a genre.
    """
    groups = _groups(songs)
    known = groups[songs.sha256.isin(trained_on)]
    earlier = {**earlier, **dict.fromkeys(known, "learnt")}
    held = groups.map(earlier).eq("held out").to_numpy()
    room = int(HELD_SHARE * len(songs)) - int(held.sum())

    def lot(group: str) -> str:
        return hashlib.sha256(f"{seed} {group}".encode()).hexdigest()

    for group in sorted(set(groups) - set(earlier), key=lot):
        chosen = (groups == group).to_numpy()
        learnt = songs.genre[~held & ~chosen]
        if chosen.sum() <= room and set(songs.genre[chosen]) <= set(learnt):
            held = held | chosen
            room -= int(chosen.sum())
    return held


def _groups(songs: pd.DataFrame) -> pd.Series:
    """Return each song's artist, however the name is written."""
    unknown = "unknown artist of " + songs.sha256
    return songs.artist.map(name_key, na_action="ignore").where(songs.artist.notna(), unknown)


@dataclass(frozen=True, kw_only=True)
class _Lesson:
    """What is learnt from: the run's own clips and the person's songs."""

    #: The run's corpus, its clips with their sides, and what it answered for them.
    prepared: Prepared
    clips: pd.DataFrame
    sides: pd.Series
    answers: pd.DataFrame
    #: The person's songs, which of them are held out, and which could not be taken, and why.
    songs: pd.DataFrame
    held: np.ndarray
    left_out: list[dict[str, str]]
    #: The contents that the run, or one that it has grown from, was trained on or chosen by.
    trained_on: set[str]
    #: All of it for the network.
    material: Material

    @property
    def asked(self) -> pd.Series:
        """The clips that are answered before and after."""
        ids = self.material.clips.id
        return ids[ids.isin(self.songs.id) | ids.isin(self.clips.id[self.sides == "test"])]


def _lesson(
    run: Path,
    record: Mapping[str, Any],
    net: SongNet,
    own: OwnSongs,
    corpus: Prepared | Corpus | str | Path | None,
    seed: int,
    progress: bool,
) -> _Lesson:
    # What is wrong with the songs is said before the work on the corpus.
    songs, left_out = _usable(run, net, own)
    kind = network_kind(record["model"])
    # What learns through the listener has no need of the frames that it hears.
    sound = Sound() if kind.listener else net.sound
    prepared = prepared_of(run, dict(record), corpus, sound=sound, progress=progress)
    answers = read_answers(run)
    check_clips(run, prepared, answers, "clips")
    clips = prepared.clips.set_index("id", drop=False).loc[answers.id].reset_index(drop=True)
    sides = pd.Series(answers.side.to_numpy(), clips.index, name="side")
    grown = record.get("grown", {})
    # A record that does not say it may have judged by what it had been trained on.
    trained_on = set(grown.get("trained_on", grown.get("contents", ())))
    trained_on |= set(_contents(prepared, clips[sides != "test"]))
    clips, songs, together = _together(prepared, clips, sides, songs, left_out, progress)
    sides = sides[clips.index]
    held = hold_out(songs, grown.get("artists", {}), seed, trained_on)
    _check_new(run, record, songs[~held])
    # Nothing is chosen by clips for validation: none of them is needed.
    role = dict(zip(clips.id, sides.replace("validation", "test"), strict=True))
    role |= dict(zip(songs.id, np.where(held, "test", "train"), strict=True))
    material = Material(
        kind=kind,
        prepared=together,
        clips=together.clips,
        sides=together.clips.id.map(role).rename("side"),
        genres=net.genres,
        seed=seed,
        fresh=frozenset(songs.id[~held]),
    )
    return _Lesson(
        prepared=prepared,
        clips=clips,
        sides=sides,
        answers=answers,
        songs=songs,
        held=held,
        left_out=left_out,
        trained_on=trained_on,
        material=material,
    )


def _recipe(
    run: Path, record: Mapping[str, Any], epochs: int, learning_rate: float | None
) -> Recipe:
    """Return how it goes on: as it was trained, but briefly and slowly."""
    try:
        first = Recipe(**record["recipe"])
    except (KeyError, TypeError) as error:
        raise SongNetError(
            f"{run}: its record does not say how it was trained ({error}): another version of "
            "SongNet made it. Train it again."
        ) from error
    return dataclasses.replace(
        first,
        epochs=epochs,
        learning_rate=SLOWER * _first_rate(record) if learning_rate is None else learning_rate,
        schedule="constant",
        # An average would still be half of what it was before.
        averaging=0.0,
    )


def _answers(learning: Learning, clips: pd.Series, genres: Sequence[str]) -> pd.DataFrame:
    """Return what the network, as it is, says of clips: one row each, by id."""
    ids = clips.tolist()
    return pd.DataFrame(learning.answers(ids), ids, list(genres))


def _told(
    run: Path,
    record: Mapping[str, Any],
    lesson: _Lesson,
    before: pd.DataFrame,
    said: pd.DataFrame,
    new: pd.DataFrame,
) -> dict[str, Any]:
    """Return what a record says of growing, fit for JSON."""
    held, groups = lesson.held, _groups(lesson.songs)
    tested = said[said.side == "test"]
    tested = tested.assign(before=before.loc[tested.id].idxmax(axis=1).to_numpy())
    artists = set(lesson.clips.artist[lesson.sides == "train"].dropna().map(name_key))
    known = lesson.songs.artist.notna().to_numpy()
    # Those of the clips that are left can be read off the corpus again.
    gone = lesson.trained_on - set(_contents(lesson.prepared, lesson.clips))
    return {
        "parent": run.name,
        "songs": len(new),
        "songs_trained_on_before": int(new.sha256.isin(lesson.trained_on).sum()),
        "learnt": Change.of(new[~held], groups[~held]).as_dict(),
        "held_out": Change.of(new[held], groups[held]).as_dict() if held.any() else None,
        "held_out_of_artists_known": int(groups[held & known].isin(artists).sum()),
        "old_test": Change.of(tested.rename(columns={"answer": "after"}), tested.artist).as_dict(),
        "old_test_of_artists_learnt": int(
            tested.artist.map(name_key).isin(set(groups[~held & known])).sum()
        ),
        "left_out": lesson.left_out,
        "artists": {
            **record.get("grown", {}).get("artists", {}),
            **dict(zip(groups, new.side, strict=True)),
        },
        "learning_rate": _first_rate(record),
        "contents": dict(zip(new.sha256, new.genre, strict=True)),
        "trained_on": sorted(gone | set(new.sha256[~held])),
    }


def _usable(run: Path, net: SongNet, songs: OwnSongs) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Return the songs of genres that a network knows, as it writes them; and the others, why."""
    corpus = open_corpus(songs.folder) if songs.songs() else None
    if corpus is None:
        raise SongNetError(
            f"{songs.folder}: holds no songs to learn from. Add one: songnet grow add FILE "
            "--genre GENRE"
        )
    left_out = [
        {"song": clip, "reason": reason}
        for clip, reason in zip(corpus.unusable.id, corpus.unusable.reason, strict=True)
    ]
    written = {name_key(genre): genre for genre in net.genres}
    clips = corpus.clips
    genres = clips.genre.map(lambda genre: written.get(name_key(genre), ""))
    needed = net.timeline.seconds_needed
    reasons = np.where(
        genres == "",
        "its genre, " + clips.genre + ", is none that the network knows",
        np.where(
            clips.seconds < needed,
            f"it is too short for {net.name}, which needs {needed:.1f} s",
            "",
        ),
    )
    left_out += [
        {"song": title, "reason": str(reason)}
        for title, reason in zip(clips.title, reasons, strict=True)
        if reason
    ]
    usable = clips.assign(genre=genres)[reasons == ""]
    if usable.empty:
        raise SongNetError(
            f"{run}: there is no song in {songs.folder} that it can learn from: "
            f"{_some(left_out)} It knows {', '.join(net.genres)}. To have it tell another genre, "
            "train a network on a folder GENRE/song.mp3 that has it: songnet train FOLDER --model "
            "songnet-transfer"
        )
    return usable, left_out


def _count(songs: int) -> str:
    return f"{songs} song{'s' * (songs != 1)}"


def _some(left_out: Sequence[Mapping[str, str]], most: int = 3) -> str:
    more = f"; and {len(left_out) - most} more" if len(left_out) > most else ""
    named = (f"{entry['song']}: {entry['reason']}" for entry in left_out[:most])
    return f"{'; '.join(named)}{more}."


def _together(
    prepared: Prepared,
    clips: pd.DataFrame,
    sides: pd.Series,
    songs: pd.DataFrame,
    left_out: list[dict[str, str]],
    progress: bool,
) -> tuple[pd.DataFrame, pd.DataFrame, Prepared]:
    """Put the songs beside the clips of a run, none of them twice.

    Returns
    -------
    clips : pandas.DataFrame
        The run's clips, without those trained on that the person says are of another genre.
    songs : pandas.DataFrame
        Without those that the run is judged by, or was trained on as the same; they, and what
        cannot be used, are added to `left_out`.
    together : Prepared
        Both with their frames.
    """
    contents = _contents(prepared, clips)
    is_trained = sides == "train"
    judged_by = set(contents[~is_trained])
    trained_as = dict(zip(contents[is_trained], clips.genre[is_trained], strict=True))
    reasons = np.where(
        songs.sha256.isin(judged_by),
        "it is among the clips that the network is judged by",
        np.where(
            songs.sha256.map(trained_as) == songs.genre,
            "it is among the clips that the network was trained on, as the same genre",
            "",
        ),
    )
    left_out += [
        {"song": title, "reason": str(reason)}
        for title, reason in zip(songs.title, reasons, strict=True)
        if reason
    ]
    songs = songs[reasons == ""]
    clips = clips[~contents.isin(songs.sha256)]
    if songs.empty or not is_trained[clips.index].any():
        raise SongNetError(
            f"{prepared.corpus.name}: there is no song to learn from: {_some(left_out)} Add others."
        )
    both = Corpus(
        name=f"{prepared.corpus.name}+own",
        clips=table(pd.concat([clips, songs], ignore_index=True)),
    )
    together = LogMelStore(prepared.store.data, prepared.sound).prepare(both, progress=progress)
    why = dict(zip(together.unusable.id, together.unusable.reason, strict=True))
    found = songs[~songs.id.isin(why)]
    changed = found.id[_contents(together, found) != found.sha256]
    why |= dict.fromkeys(changed, "its file is no longer the one that was added")
    bad = songs.id.isin(why)
    left_out += [{"song": row.title, "reason": why[row.id]} for row in songs[bad].itertuples()]
    songs = songs[~bad].reset_index(drop=True)
    if songs.empty:
        raise SongNetError(
            f"{prepared.corpus.name}: there is no song to learn from: {_some(left_out)} Add others."
        )
    together = dataclasses.replace(
        together,
        clips=together.clips[together.clips.id.isin([*clips.id, *songs.id])].reset_index(drop=True),
    )
    return clips, songs, together


def _contents(prepared: Prepared, clips: pd.DataFrame) -> pd.Series:
    """Return the SHA-256 of each clip's file, in the order of `clips`."""
    return clips.id.map(dict(prepared.contents))


def _check_new(run: Path, record: Mapping[str, Any], songs: pd.DataFrame) -> None:
    """Raise SongNetError when there is nothing to learn, or a run has learnt it already."""
    known = record.get("grown", {}).get("contents", {})
    if all(known.get(row.sha256) == row.genre for row in songs.itertuples()):
        raise SongNetError(
            f"{run}: has learnt from all of the {len(songs)} songs that are not held out; there is "
            "no new one. Add one: songnet grow add FILE --genre GENRE"
        )


def _check_same_answers(run: Path, now: pd.DataFrame, answers: pd.DataFrame) -> None:
    """Raise SongNetError unless a run's network answers its test clips as it did."""
    then = answers[answers.side == "test"].set_index("id")
    then = then[[f"p_{genre}" for genre in now.columns]]
    apart = np.abs(now.loc[then.index].to_numpy() - then.to_numpy()).max(axis=1)
    # Written so that what is not a number is another answer, too.
    other = then.index[~(apart <= _SAME_ANSWER)]
    if len(other):
        raise SongNetError(
            f"{run}: its network no longer answers {len(other):,} of its {len(then):,} test clips "
            f"as it did, the first is {other[0]}: the sound files, what is known of them, or "
            "model.keras are others now. Train it again on the corpus as it is."
        )


def _first_rate(record: Mapping[str, Any]) -> float:
    """Return the learning rate that a network was first trained with."""
    first = record.get("grown", {}).get("learning_rate")
    return float(first or record["recipe"]["learning_rate"])


def _first_music(net: SongNet) -> str:
    """Return what a network was trained on before it heard any songs of one's own."""
    return re.sub(r", then \d+ songs? of one's own$", "", net.training_music)


def _grown(record: Mapping[str, Any], what: object) -> dict[str, Any]:
    grown = record.get("grown")
    if grown is None:
        raise SongNetError(
            f"{what}: has not learnt from songs of one's own. Name a run that has: its folder is "
            "called grown-001-… or the like."
        )
    return grown


def _settle(folder: Path, runs: Path, base: str) -> Path:
    """Put a finished run among the others, with the next number; return its folder."""
    numbers = [
        int(found[1])
        for path in runs.glob("grown-*")
        if (found := re.fullmatch(rf"grown-(\d+)-{re.escape(base)}", path.name))
    ]
    number = max(numbers, default=0)
    while True:
        number += 1
        home = runs / f"grown-{number:03d}-{base}"
        try:
            folder.rename(home)
        except OSError:
            # Another program was quicker.
            if not home.exists():
                raise
            continue
        return home


def _sweep(making: Path) -> None:
    """Remove what killed programs were making."""
    for part in making.glob("*"):
        if not re.fullmatch("[0-9a-f]{16}", part.name):
            continue
        with contextlib.suppress(OSError):
            newest = max(path.stat().st_mtime for path in (part, *part.iterdir()))
            if time.time() - newest > _ABANDONED_SECONDS:
                shutil.rmtree(part)
