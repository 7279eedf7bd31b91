"""Grow the data: people say what a song really is, and a network learns from it.

The widget stands below a live song and speaks of the song that is open there; or it stands alone,
and songs are brought by choosing files. What people say goes into their folder of own songs
(`songnet_utils.corpora.own`), and "learn from my songs" goes on training a run
(`songnet_utils.growing`): a run of its own comes of it, which the live song can ask, and which can
be undone.

Everything that takes time is done in threads. What people write (names, titles, genres) is only
ever shown as text, and is kept as short as the folder of own songs keeps it.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import io
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from songnet_utils.corpora import OwnSongs, Song, name_key, own_songs
from songnet_utils.corpora.folder import describe_tags
from songnet_utils.corpora.own import (
    MOST_BYTES,
    MOST_IN_GENRE,
    MOST_IN_TEXT,
    MOST_SONGS,
    check_song,
    clean,
)
from songnet_utils.errors import SongNetError
from songnet_utils.plots import genre_colours
from songnet_utils.widgets.live import LiveSong
from songnet_utils.widgets.messages import (
    MOST_IN_MESSAGE,
    Content,
    MalformedError,
    Messages,
    joined,
)
from songnet_utils.widgets.uploads import Uploads

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus
    from songnet_utils.growing import Stage
    from songnet_utils.models import SongNet
    from songnet_utils.store import Prepared

#: Songs that learning has left out which the page names.
MOST_LEFT_OUT = 20

# Between two pictures of how far learning is, in seconds.
_PICTURE_SECONDS = 0.15

# In one program only one network learns at a time, however many pages there are.
_LEARNING = threading.Lock()


class _StoppedError(Exception):
    """A person has stopped the learning."""


@dataclass(frozen=True)
class _Candidate:
    """The song whose genre is asked for."""

    sha256: str
    name: str
    content: bytes
    tags: dict[str, str]


class GrowSongs(Messages):
    """Say what a song really is, look after one's own songs, and have a network learn from them.

    Parameters
    ----------
    live : LiveSong, optional
        The widget above, whose open song is spoken of. Without one, files are chosen here.
    songs : OwnSongs or path, optional
        Where one's own songs are kept; those in the data folder by default.
    run : path, optional
        The run of the network that learns; by default the newest of a network in the data folder.
    corpus : Prepared, Corpus, str or path, optional
        What that run was trained on; by default what `open_corpus` finds under the name in its
        record.

    Raises
    ------
    SongNetError
        When `run` is not a finished run.

    Notes
    -----
    Messages from the page: ``hello``; ``upload``, ``chunk``, ``cancel`` (`Uploads`), ``forget``
    (the file that was chosen); ``save`` (the song is of a genre), ``change`` (a song's genre),
    ``remove`` (a song); ``answers`` (what does the network say of these songs?); ``learn``,
    ``stop``, ``use`` (in the live song), ``undo``. To the page: ``welcome``, ``taken``,
    ``present`` (the song whose genre is asked for), ``songs`` (the list), ``network`` (who learns,
    and what learning has changed), ``said`` (of one song), ``learning`` (where it stands),
    ``done`` (something, in words), ``error`` (with the part of the page that it is about).
    """

    _esm = joined("common.js", "uploads.js", "growing.js")
    _css = joined("common.css", "growing.css")

    def __init__(
        self,
        live: LiveSong | None = None,
        *,
        songs: OwnSongs | str | os.PathLike[str] | None = None,
        run: str | os.PathLike[str] | None = None,
        corpus: Prepared | Corpus | str | Path | None = None,
        **widget: Any,
    ) -> None:
        if songs is None:
            songs = own_songs()
        self.songs = songs if isinstance(songs, OwnSongs) else OwnSongs(songs)
        self._live = live
        self._corpus = corpus
        self._run = None if run is None else Path(run).absolute()
        if self._run is not None:
            _read_record(self._run)
        self._candidate: _Candidate | None = None
        self._wish = 0  # counts the songs that were to be spoken of: only the newest one is
        self._saving: set[str] = set()
        self._network: tuple[Path, SongNet] | None = None
        self._waking = threading.Lock()
        self._wanted: list[str] = []  # songs that the network is to be asked about
        self._asking = False
        self._answers: dict[tuple[Path, str], tuple[str, float]] = {}
        self._learns = False
        self._stop = threading.Event()
        self._used: set[Path] = set()  # what the live song was told to ask
        super().__init__(**widget)
        self._uploads = Uploads(self._tell, self._take, MOST_BYTES)
        if live is not None:
            live.on_change(self._look)

    def __repr__(self) -> str:
        """Say what stands in the widget's place where there is no kernel."""
        return "Grow the data: open this notebook in JupyterLab (`make lab`) and run it."

    def _table(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>"

    # ---- What Python code may use -------------------------------------------------------------

    @property
    def run(self) -> Path | None:
        """The run of the network that learns, or None where there is none."""
        from songnet_utils.training import newest_run

        with self._lock:
            if self._run is not None and (self._run / "record.json").is_file():
                return self._run
        return newest_run()

    def leave(self) -> None:
        """Stop what is going on and forget the song: nobody is there any more."""
        self._stop.set()
        with self._lock:
            self._wish += 1
            self._candidate, self._wanted = None, []

    # ---- Messages ------------------------------------------------------------------------------

    def _subject_of(self, content: Any) -> dict[str, Any]:
        kind = content.get("kind") if isinstance(content, dict) else None
        return {"about": _PART.get(kind, "song") if isinstance(kind, str) else "song"}

    def _hello(self, content: Content, buffers: list) -> None:
        self._tell(
            "welcome",
            alone=self._live is None,
            folder=str(self.songs.folder),
            most_bytes=MOST_BYTES,
            most_in_message=MOST_IN_MESSAGE,
            most_in_genre=MOST_IN_GENRE,
            most_in_text=MOST_IN_TEXT,
            most_songs=MOST_SONGS,
        )
        self._start(self._tell_all, about={"about": "learning"})

    def _tell_all(self) -> None:
        with self._lock:
            learns = self._learns
        # It tells of itself while it learns.
        if not learns:
            self._tell("learning", stage="")
        self._tell_network()
        self._tell_songs()
        self._look_here()

    def _begin_upload(self, content: Content, buffers: list) -> None:
        if self._live is not None:
            raise KeyError("songs are brought to the live song")
        self._uploads.begin(content)

    def _take_chunk(self, content: Content, buffers: list[memoryview]) -> None:
        self._uploads.chunk(content, buffers)

    def _cancel_upload(self, content: Content, buffers: list) -> None:
        self._uploads.cancel(content)

    def _forget(self, content: Content, buffers: list) -> None:
        with self._lock:
            if self._live is not None or _is_other(self._candidate, content["song"]):
                return
            self._wish += 1
            self._candidate = None
        self._tell("present", song=None, why="")

    def _save(self, content: Content, buffers: list) -> None:
        genre, song = _text(content["genre"]), _text(content["song"])
        told = {what: _text(content.get(what) or "") for what in _TOLD}
        with self._lock:
            candidate = self._candidate
            if candidate is None or candidate.sha256 != song:
                raise SongNetError(
                    "Another song has been opened in the meantime. Look at it, then save."
                )
            if song in self._saving:
                raise SongNetError(f"{candidate.name}: is being saved already.")
            self._saving.add(song)
        self._start(self._add, candidate, genre, told, about={"about": "song"})

    def _change(self, content: Content, buffers: list) -> None:
        song, genre = _text(content["song"]), _text(content["genre"])
        part = "song" if content.get("part") == "song" else "list"
        self._start(self._change_genre, song, genre, part, about={"about": part})

    def _remove(self, content: Content, buffers: list) -> None:
        self._start(self._remove_song, _text(content["song"]), about={"about": "list"})

    def _ask(self, content: Content, buffers: list) -> None:
        if not isinstance(content["songs"], list):
            raise MalformedError("its songs are no list")
        wanted = [_text(song) for song in content["songs"]]
        with self._lock:
            if self._learns:
                return  # The page asks again when that is over.
            wanted = [song for song in wanted if song not in self._wanted]
            self._wanted += wanted[: MOST_SONGS - len(self._wanted)]
            if self._asking or not self._wanted:
                return
            self._asking = True
        self._start(self._ask_all, about={"about": "list"})

    def _learn(self, content: Content, buffers: list) -> None:
        # Not twice, neither here nor on another page.
        if not _LEARNING.acquire(blocking=False):
            raise SongNetError(
                "A network is learning already, "
                + ("here. " if self._learns else "for another page or cell. ")
                + "Wait until it has finished, or stop it there."
            )
        with self._lock:
            self._learns, self._wanted = True, []
        self._stop.clear()
        self._start(self._learn_from, about={"about": "learning"})

    def _stop_learning(self, content: Content, buffers: list) -> None:
        self._stop.set()

    def _use(self, content: Content, buffers: list) -> None:
        self._start(self._use_network, about={"about": "learning"})

    def _undo(self, content: Content, buffers: list) -> None:
        with self._lock:
            if self._learns:
                raise SongNetError("A network is learning. Stop that first, then undo.")
        self._start(self._go_back, _text(content["run"]), about={"about": "learning"})

    _handlers: ClassVar[dict[str, Callable[[GrowSongs, Content, list], None]]] = {
        **{"hello": _hello, "upload": _begin_upload, "chunk": _take_chunk},
        **{"cancel": _cancel_upload, "forget": _forget},
        **{"save": _save, "change": _change, "remove": _remove, "answers": _ask},
        **{"learn": _learn, "stop": _stop_learning, "use": _use, "undo": _undo},
    }

    # ---- The song whose genre is asked for -----------------------------------------------------

    def _look(self) -> None:
        """Look which song is open in the live song, or heard to its end."""
        self._start(self._look_here, about={"about": "song"})

    def _take(self, name: str, content: bytes, number: int) -> None:
        """Speak of a file that was chosen here and is whole."""
        self._start(self._open, name, content, about={"about": "song"})

    def _new_wish(self) -> int:
        with self._lock:
            self._wish += 1
            return self._wish

    def _look_here(self) -> None:
        if self._live is None:
            with self._lock:
                candidate = self._candidate
            if candidate is None:
                self._tell("present", song=None, why="")
            else:
                self._tell_candidate(candidate, None)
            return
        wish = self._new_wish()
        present = self._live.present
        if present is None or not present.outside or not present.content:
            with self._lock:
                if wish != self._wish:
                    return
                self._candidate = None
            self._tell("present", song=None, why=_why_not(present))
            return
        self._speak_of(present.name, present.content, present.answer, wish)
        if present.answer is not None and self.run is None:
            self._tell_songs()  # Where nothing can learn, the genres are those of the answer.

    def _open(self, name: str, content: bytes) -> None:
        wish = self._new_wish()
        # Whatever is wrong with the file is said before anybody takes the trouble to label it.
        check_song(content, clean(name) or "the song")
        candidate = self._speak_of(name, content, None, wish)
        run = self.run
        if candidate is None or run is None:
            return
        genre, share = self._hear(run, candidate.content, candidate.name)
        with self._lock:
            if self._candidate is not candidate:
                return
            self._answers[run, candidate.sha256] = genre, share
        self._tell_candidate(candidate, (genre, share))

    def _speak_of(self, name: str, content: bytes, answer: Any, wish: int) -> _Candidate | None:
        sha256 = hashlib.sha256(content).hexdigest()
        tags = describe_tags(io.BytesIO(content))
        kept = {what: clean(str(tags.get(what) or ""))[:MOST_IN_TEXT] for what in _TOLD}
        candidate = _Candidate(sha256, clean(name) or "the song", content, kept)
        with self._lock:
            if wish != self._wish:
                return None
            self._candidate = candidate
        top = max(answer.items(), key=lambda item: item[1]) if answer else None
        self._tell_candidate(candidate, top)
        return candidate

    def _tell_candidate(self, candidate: _Candidate, answer: tuple[str, float] | None) -> None:
        known: Song | None = None
        if answer is None and self._live is None and (run := self.run) is not None:
            answer = self._answers.get((run, candidate.sha256))
        # A list that cannot be read is told of where the list is.
        with contextlib.suppress(SongNetError):
            known = next((s for s in self.songs.songs() if s.sha256 == candidate.sha256), None)
            if known is not None and not self.songs.file_of(known).is_file():
                known = None  # Bringing it again puts that right.
        self._tell(
            "present",
            song=candidate.sha256,
            name=candidate.name,
            tags=candidate.tags,
            known=None if known is None else {"genre": known.genre, "title": str(known)},
            answer=None if answer is None else [answer[0], float(answer[1])],
        )

    # ---- One's own songs -----------------------------------------------------------------------

    def _tell_songs(self) -> None:
        try:
            songs = self.songs.songs()
        except SongNetError as error:
            self._tell("songs", songs=[], genres=self._genres([]))
            self._tell("error", about="list", text=str(error))
            return
        genres = self._genres(songs)
        learnt = {name_key(genre["name"]) for genre in genres if genre["learnt"]}
        self._tell(
            "songs",
            genres=genres,
            songs=[
                {
                    **{"song": song.sha256, "genre": song.genre, "title": song.title},
                    **{"artist": song.artist, "licence": song.licence, "source": song.source},
                    "learnable": name_key(song.genre) in learnt,
                    "seconds": song.seconds,
                    "there": self.songs.file_of(song).is_file(),
                }
                for song in reversed(songs)
            ],
        )

    def _genres(self, songs: list[Song]) -> list[dict[str, Any]]:
        """Return the genres to choose from: those that the network knows, then further ones."""
        run = self.run
        learnt = list(_read_record(run)["genres"]) if run is not None else []
        known = learnt
        if not known and self._live is not None and (present := self._live.present):
            # Nothing can learn yet; whoever answers has names for genres, too.
            known = list(present.answer or ())
        colours = genre_colours(known)
        found = {name_key(genre): genre for genre in known}
        for song in songs:
            found.setdefault(name_key(song.genre), song.genre)
        return [
            {"name": genre, "learnt": genre in learnt, "colour": colours.get(genre, "")}
            for genre in found.values()
        ]

    def _add(self, candidate: _Candidate, genre: str, told: dict[str, str]) -> None:
        try:
            song = self.songs.add(
                candidate.content,
                genre,
                name=candidate.name,
                **{what: text or None for what, text in told.items()},
            )
        finally:
            with self._lock:
                self._saving.discard(candidate.sha256)
        self._tell("done", about="song", song=song.sha256, text=f"Saved: {song} is {song.genre}.")
        self._tell_songs()
        self._tell_known(song.sha256)

    def _tell_known(self, sha256: str) -> None:
        """Tell of the open song again, if this is it: it is known now, or no longer."""
        with self._lock:
            candidate = self._candidate
        if candidate is not None and candidate.sha256 == sha256:
            self._look_here()

    def _change_genre(self, song: str, genre: str, part: str) -> None:
        try:
            changed = self.songs.change_genre(song, genre)
        except SongNetError:
            self._tell_songs()  # or the page would show what was chosen
            raise
        text = f"{changed} is {changed.genre} now."
        self._tell("done", about=part, song=changed.sha256, text=text)
        self._tell_songs()
        self._tell_known(changed.sha256)

    def _remove_song(self, song: str) -> None:
        removed = self.songs.remove(song)
        self._tell("done", about="list", song=removed.sha256, text=f"Removed: {removed}.")
        self._tell_songs()
        self._tell_known(removed.sha256)

    # ---- What the network says -----------------------------------------------------------------

    def _hear(self, run: Path, song: bytes | Path, name: str) -> tuple[str, float]:
        """Return the genre that a run's network gives a song, and its probability."""
        from songnet_utils.models import load_songnet
        from songnet_utils.streaming import hear_song

        with self._waking:
            if self._network is None or self._network[0] != run:
                net = load_songnet(run)
                # A run's folder holds nothing else.
                self._network = (run, net)  # type: ignore[assignment]
            net = self._network[1]  # type: ignore[index]
            steps, _ = hear_song(net, song, name=name)
        mean = np.mean([step.probabilities for step in steps], axis=0, dtype=float)
        best = int(mean.argmax())
        return net.genres[best], float(mean[best])

    def _ask_all(self) -> None:
        """Ask the network about the songs that are wanted, one after the other."""
        try:
            run = self.run
            listed = {song.sha256: song for song in self.songs.songs()}
            while True:
                with self._lock:
                    if run is None or self._learns or not self._wanted:
                        return
                    sha256 = self._wanted.pop(0)
                    known = self._answers.get((run, sha256))
                if (song := listed.get(sha256)) is None:
                    continue
                try:
                    known = known or self._hear(run, self.songs.file_of(song), song.title)
                except SongNetError as error:
                    self._tell("said", run=run.name, song=sha256, error=str(error))
                    continue
                with self._lock:
                    self._answers[run, sha256] = known
                self._tell("said", run=run.name, song=sha256, genre=known[0], share=known[1])
        finally:
            with self._lock:
                self._asking, self._wanted = False, []

    # ---- Learning ------------------------------------------------------------------------------

    def _learn_from(self) -> None:
        try:
            from songnet_utils.growing import learn_from

            self._tell("learning", stage="preparing", epoch=1, epochs=1, share=0.0)
            if not self.songs.songs():
                raise SongNetError(
                    "There is no song to learn from yet. Say of a song what it is, and save it."
                )
            run = self.run
            if run is None:
                raise SongNetError(
                    "There is no network to go on with. Train one first: songnet train mini"
                )
            grown = learn_from(
                run, self.songs, corpus=self._corpus, progress=False, watch=self._watch()
            )
            with self._lock:
                self._run = grown
            text = "It has learnt. What that has changed stands below."
        except _StoppedError:
            text = "Stopped: nothing was kept, the network is as it was."
        finally:
            with self._lock:
                self._learns = False
            _LEARNING.release()
            self._tell("learning", stage="")
        self._tell("done", about="learning", text=text)
        self._tell_network()
        self._tell_songs()

    def _watch(self) -> Callable[[Stage], None]:
        told: list[Any] = ["", 0, 0.0]

        def watch(stage: Stage) -> None:
            if self._stop.is_set():
                raise _StoppedError
            now = time.monotonic()
            if told[:2] == [stage.name, stage.epoch] and now - told[2] < _PICTURE_SECONDS:
                return
            told[:] = [stage.name, stage.epoch, now]
            self._tell(
                "learning",
                stage=stage.name,
                epoch=stage.epoch,
                epochs=stage.epochs,
                share=stage.share,
            )

        return watch

    def _tell_network(self) -> None:
        run = self.run
        if run is None:
            self._tell("network", run=None)
            return
        record = _read_record(run)
        network = record.get("network")
        if network is None:
            raise SongNetError(
                f"{run}: {record.get('model')} is no network and cannot go on learning. Give the "
                "run of one, such as songnet or songnet-transfer."
            )
        self._tell(
            "network",
            run=run.name,
            name=network["name"],
            training_music=network["training_music"],
            genres=list(record["genres"]),
            grown=_what_changed(record) if "grown" in record else None,
            can_use=self._live is not None,
            used=run in self._used,
        )

    def _use_network(self) -> None:
        run = self.run
        if self._live is None or run is None:
            return
        with self._lock:
            if run in self._used:
                return
            self._used.add(run)
        record = _read_record(run)
        songs = record.get("grown", {}).get("learnt", {}).get("clips", 0)
        number = run.name.split("-")[1] if run.name.startswith("grown-") else run.name
        label = f"{record['network']['name']} + {songs} own song{'s' * (songs != 1)} ({number})"
        self._live.add_network(run, label)
        self._tell("done", about="learning", text=f"The live song asks it: {label}.")
        self._tell_network()

    def _go_back(self, name: str) -> None:
        from songnet_utils.growing import undo

        run = self.run
        if run is None or run.name != name:
            self._tell_network()
            raise SongNetError(
                f"{name}: is not the network that stands here any more. Look at what does, then "
                "undo it."
            )
        parent = undo(run)
        with self._lock:
            self._run = parent
            self._used.discard(run)
            # The next one that grows may have its name.
            self._answers = {key: said for key, said in self._answers.items() if key[0] != run}
        with self._waking:
            if self._network is not None and self._network[0] == run:
                self._network = None
        if self._live is not None:
            self._live.remove_network(run)
        self._tell("done", about="learning", text=f"Undone: the network is {parent.name} again.")
        self._tell_network()
        self._tell_songs()


_TOLD = ("title", "artist", "source", "licence")

#: Which part of the page a message comes from, where it is not the song's.
_PART = {
    **dict.fromkeys(("change", "remove", "answers"), "list"),
    **dict.fromkeys(("learn", "stop", "use", "undo"), "learning"),
}


def _read_record(run: Path) -> dict[str, Any]:
    # Starts TensorFlow, which the widget does without until somebody has a run.
    from songnet_utils.training import read_record

    return read_record(run)


def _what_changed(record: dict[str, Any]) -> dict[str, Any]:
    """Return before and after of a run that has grown, as the page shows it."""
    from songnet_utils.growing import Change, as_text

    grown = record["grown"]

    def row(name: str, what: dict[str, Any], verdict: str = "") -> dict[str, Any]:
        change = Change(**what)
        return {
            **{"name": name, "clips": change.clips, "artists": change.artists},
            **{"before": change.right_before, "after": change.right_after},
            "verdict": verdict or change.verdict(),
        }

    rows = [row("Clips it was tested on before", grown["old_test"])]
    if grown["held_out"]:
        rows.insert(0, row("Your songs, held out", grown["held_out"]))
    rows.append(
        row(
            "Your songs, learnt from",
            grown["learnt"],
            "that it has learnt them says nothing of other songs.",
        )
    )
    return {
        "parent": grown["parent"],
        "rows": rows,
        "held": bool(grown["held_out"]),
        "text": as_text(record),
        "left_out": grown["left_out"][:MOST_LEFT_OUT],
        "left_out_of": len(grown["left_out"]),
    }


def _why_not(present: Any) -> str:
    """Say why there is no song to label."""
    if present is None:
        return "Open a song of your own above; then say here what it is."
    if present.outside:
        return (
            "What a microphone hears is not kept. Open a song of your own above; then say here "
            "what it is."
        )
    return (
        f"“{present.title or present.name}” is a clip of the corpus, which says already what it "
        "is. Open a song of your own above; then say here what it is."
    )


def _is_other(candidate: _Candidate | None, song: Any) -> bool:
    return candidate is None or candidate.sha256 != song


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedError(f"{value!r} is no text")
    return value
