"""The live song: a song plays, and what a network hears in it moves under the playhead.

The browser plays, draws and keeps time: it owns the ``<audio>`` element and reads its clock at
every picture. Python decodes, listens and answers: it sends each step once, as soon as the
stream has decided it. Between the two there are only small messages (a dict, and perhaps bytes),
described at `LiveSong`.

What is uploaded is decoded in memory, and nothing else is done with it: it is never written to
disk and never run.
"""

from __future__ import annotations

import dataclasses
import io
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import soundfile

from songnet_utils.audio import as_heard, log_mel, read_audio, resample
from songnet_utils.corpora import data_folder, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.fetch import musicnn_is_whole
from songnet_utils.listener import Listener
from songnet_utils.network import Network
from songnet_utils.plots import genre_colours
from songnet_utils.streaming import SongStream, Step, step_span
from songnet_utils.timeline import Sound
from songnet_utils.widgets.messages import MOST_IN_MESSAGE, Messages, joined
from songnet_utils.widgets.playing import as_flac, mime_of

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus

#: The largest file that is taken as an upload, in bytes, and the longest song, in seconds.
MOST_BYTES = 300_000_000
MOST_SECONDS = 2 * 3600

#: Clips of one genre that the page lists at most.
MOST_LISTED = 1_000

# Song heard between two looks at whether somebody chose another one.
_PIECE_SECONDS = 10


@dataclasses.dataclass(frozen=True)
class _Song:
    """A song that was decoded whole; `facts` is what the page shows about it."""

    number: int
    content: bytes
    audio: np.ndarray
    rate: int
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        return self.facts["name"]

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.rate


@dataclasses.dataclass(frozen=True)
class Present:
    """The song that is open in a live song.

    Attributes
    ----------
    name : str
        Of its file.
    content : bytes
        The file; empty of a microphone.
    outside : bool
        Whether a person brought it; else it is a clip of the corpus.
    title, artist : str
        As far as they are known; else "".
    answer : dict of str to float, or None
        What the network says of the whole song; None while it is being heard.
    """

    name: str
    content: bytes
    outside: bool
    title: str
    artist: str
    answer: dict[str, float] | None


class _Choice:
    """A network that the page offers, loaded when it is first asked."""

    def __init__(self, source: Network | str | os.PathLike[str], label: str = "") -> None:
        self.network = source if isinstance(source, Network) else None
        self.source = source
        self._place = "" if isinstance(source, Network) else os.fspath(source)
        self._label = label
        self._lock = threading.Lock()

    @property
    def label(self) -> str:
        if self._label:
            return self._label
        return self.network.name if self.network is not None else Path(self._place).name

    @property
    def is_listener(self) -> bool:
        return self._place == "musicnn" or isinstance(self.network, Listener)

    def load(self) -> Network:
        with self._lock:
            if self.network is None:
                # Starts TensorFlow, which takes seconds.
                from songnet_utils.models import load_songnet

                self.network = load_songnet(self._place)
        return self.network


class LiveSong(Messages):
    """Choose or upload a song, press play, and watch its genre while it plays.

    Parameters
    ----------
    corpus : Corpus or str, optional
        Whose clips can be chosen: a corpus, or what `open_corpus` takes. None: only uploads.
    networks : sequence of Network or path or str, optional
        Who can be asked: networks, run folders, or ``"musicnn"``. The first is asked about clips;
        uploads are heard by the pretrained listener if it is among them. None: the newest run
        and the listener, where they are there.
    song : str, optional
        The clip (its id) or the file that is there at the beginning; the corpus's first clip by
        default.

    Raises
    ------
    SongNetError
        When there is no network to ask, or the corpus cannot be opened.

    Notes
    -----
    Messages from the page: ``hello`` (a page has opened: tell it everything), ``clips`` (of a
    genre), ``choose`` (a clip), ``ask`` (a network), ``upload``, ``chunk`` and ``cancel`` (a file
    in pieces, each acknowledged), ``playable`` (the file itself will not do for playing),
    ``piece`` (bytes of the song to play). To the page: ``welcome``, ``clips``, ``busy``, ``song``,
    ``picture`` (log-mel, 8 bits), ``asked``, ``steps``, ``whole``, ``taken`` (so many bytes of an
    upload), ``playable``, ``piece``, ``error``.

    Handlers return at once; decoding and listening happen in threads of their own, so the kernel
    stays free. A song takes the place of the one before only when it was decoded: after a bad
    file everything is as it was.
    """

    _esm = joined("common.js", "live.js")
    _css = joined("common.css", "live.css")

    def __init__(
        self,
        corpus: Corpus | str | None = None,
        networks: Sequence[Network | str | os.PathLike[str]] | None = None,
        song: str | os.PathLike[str] | None = None,
        **widget: Any,
    ) -> None:
        if isinstance(corpus, str):
            corpus = open_corpus(corpus)
        self._corpus = corpus
        self._choices = [_Choice(source) for source in _networks_there(networks)]
        # Set by a person's own choice; until then clips and uploads go to the network that fits.
        self._chosen: _Choice | None = None
        self._first_song = song
        self._song: _Song | None = None
        self._asked: _Choice | None = None
        self._steps: list[Step] = []
        self._finished = False
        self._picture: np.ndarray | None = None
        self._playable: dict[int, bytes] = {}
        self._wish = 0  # counts what people asked to open: an older wish never replaces a newer
        self._run = 0  # counts what the networks were asked: only the newest run is told
        self._upload: dict[str, Any] | None = None
        self._watchers: list[Callable[[], None]] = []
        super().__init__(**widget)

    def __repr__(self) -> str:
        """Say what stands in the widget's place where there is no kernel."""
        return "The live song: open this notebook in JupyterLab (`make lab`) and run it."

    # ---- What Python code may use -------------------------------------------------------------

    @property
    def steps(self) -> list[Step]:
        """The steps of the present song that are decided so far."""
        with self._lock:
            return list(self._steps)

    @property
    def network(self) -> Network | None:
        """The network that is asked at present; None before the first song."""
        with self._lock:
            return self._asked.network if self._asked else None

    def hear(self, song: str | os.PathLike[str]) -> None:
        """Hear a clip of the corpus (its id) or a sound file (its path); returns at once."""
        text = str(song)
        if self._corpus is not None and text in set(self._corpus.clips["id"]):
            self._start(self._open_clip, text, self._new_wish())
        else:
            self._start(self._open_file, Path(song), self._new_wish())

    # ---- What other widgets may use ------------------------------------------------------------

    @property
    def present(self) -> Present | None:
        """The song that is open; None before the first."""
        with self._lock:
            song, asked = self._song, self._asked
            if song is None:
                return None
            answer = None
            if self._finished and asked is not None and asked.network is not None:
                answer = dict(zip(asked.network.genres, self._whole().tolist(), strict=True))
            return Present(
                *(song.name, song.content, song.facts["outside"]),
                title=song.facts.get("title", ""),
                artist=song.facts.get("artist", ""),
                answer=answer,
            )

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` when another song is open, and when it is heard to its end.

        It is called in any thread, and without anything being held.
        """
        self._watchers.append(callback)

    def add_network(self, source: Network | str | os.PathLike[str], label: str = "") -> None:
        """Offer one more network (a run's folder, for instance), and ask it."""
        with self._lock:
            before, self._chosen = self._chosen, _Choice(source, label)
            self._choices.append(self._chosen)
            self._tell_welcome()
            if self._song is not None:
                self._start(self._change_network, self._song, self._chosen, before)

    def remove_network(self, source: Network | str | os.PathLike[str]) -> None:
        """Offer a network no longer that was added; ask the one that suits, where it was chosen."""
        with self._lock:
            gone = [choice for choice in self._choices if choice.source == source]
            left = [choice for choice in self._choices if choice.source != source]
            if not gone or not left:
                return
            self._choices = left
            if self._chosen in gone:
                self._chosen = None
            self._tell_welcome()
            if self._song is not None and self._asked in gone:
                self._start(self._hear_again, self._song)

    def _hear_again(self, song: _Song) -> None:
        self._hear(song, is_new=False)

    def leave(self) -> None:
        """Stop listening, and forget the song: nobody is there any more."""
        with self._lock:
            self._run += 1
            self._wish += 1
            self._song, self._asked, self._steps, self._picture = None, None, [], None
            self._playable, self._upload, self._finished = {}, None, False
            self._watchers.clear()

    def _changed(self) -> None:
        for callback in self._watchers:
            callback()

    # ---- Messages ------------------------------------------------------------------------------

    def _hello(self, content: dict, buffers: list) -> None:
        with self._lock:
            self._tell_welcome()
            if self._song is not None:
                self._tell_song()
                self._tell_picture()
                if self._asked is not None and self._asked.network is not None:
                    self._tell_asked()
                    self._tell_steps(0)
                return
            if self._wish:
                return  # The first song is being opened already.
        first = self._first_song
        if first is None and self._corpus is not None and len(self._corpus.clips):
            first = self._corpus.clips["id"].iloc[0]
        if first is not None:
            self.hear(first)

    def _list_clips(self, content: dict, buffers: list) -> None:
        if self._corpus is None:
            return
        clips = self._corpus.clips
        clips = clips[clips["genre"] == content["genre"]]
        rows = clips.head(MOST_LISTED)
        self._tell(
            "clips",
            genre=content["genre"],
            clips=[[row["id"], _title(row)] for _, row in rows.iterrows()],
            of=len(clips),
        )

    def _choose(self, content: dict, buffers: list) -> None:
        self._start(self._open_clip, str(content["clip"]), self._new_wish())

    def _ask(self, content: dict, buffers: list) -> None:
        with self._lock:
            before, self._chosen = self._chosen, self._choices[int(content["network"])]
            if self._song is not None:
                self._start(self._change_network, self._song, self._chosen, before)

    def _take_upload(self, content: dict, buffers: list) -> None:
        name, size = str(content["name"]), int(content["bytes"])
        if size < 0:
            raise ValueError("a file of less than no bytes")
        if size > MOST_BYTES:
            raise SongNetError(
                f"{name}: has {size / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} MB are taken. "
                "Cut it, or export it in a smaller format (mp3)."
            )
        with self._lock:
            self._upload = {
                **{"number": content["upload"], "name": name, "size": size},
                **{"pieces": [], "taken": 0},
            }
        self._acknowledge()

    def _take_chunk(self, content: dict, buffers: list[memoryview]) -> None:
        with self._lock:
            upload = self._upload
            if upload is None or content["upload"] != upload["number"]:
                return  # It was cancelled, or another one took its place.
            # A chunk that comes twice is taken once.
            if content["at"] == upload["taken"] and upload["taken"] < upload["size"]:
                room = upload["size"] - upload["taken"]
                upload["pieces"].append(bytes(buffers[0][: min(room, MOST_IN_MESSAGE)]))
                upload["taken"] += len(upload["pieces"][-1])
        self._acknowledge()

    def _acknowledge(self) -> None:
        with self._lock:
            upload = self._upload
            if upload is None:
                return
            self._tell("taken", upload=upload["number"], bytes=upload["taken"])
            if upload["taken"] == upload["size"]:
                self._upload = None
                whole = b"".join(upload["pieces"])
                facts = {"name": upload["name"], "upload": upload["number"]}
                self._start(self._open_content, whole, facts, self._new_wish(), True)

    def _cancel(self, content: dict, buffers: list) -> None:
        with self._lock:
            if self._upload is not None and self._upload["number"] == content["upload"]:
                self._upload = None

    def _make_playable(self, content: dict, buffers: list) -> None:
        with self._lock:
            song = self._song
        if song is not None and song.number == content["song"]:
            self._start(self._encode, song)

    def _send_piece(self, content: dict, buffers: list) -> None:
        with self._lock:
            song = self._song
            if song is None or song.number != content["song"]:
                return
            whole = self._playable.get(song.number) if content["encoded"] else song.content
            if whole is None:
                return
            at = max(0, int(content["at"]))
            piece = whole[at : at + MOST_IN_MESSAGE]
            self._tell("piece", [piece], song=song.number, encoded=bool(content["encoded"]), at=at)

    _handlers: ClassVar[dict[str, Callable[[LiveSong, dict, list], None]]] = {
        **{"hello": _hello, "clips": _list_clips, "choose": _choose, "ask": _ask},
        **{"upload": _take_upload, "chunk": _take_chunk, "cancel": _cancel},
        **{"playable": _make_playable, "piece": _send_piece},
    }

    def _tell_welcome(self) -> None:
        self._tell(
            "welcome",
            corpus=self._describe_corpus(),
            networks=[choice.label for choice in self._choices],
            most_bytes=MOST_BYTES,
            most_in_message=MOST_IN_MESSAGE,
        )

    def _describe_corpus(self) -> dict[str, Any] | None:
        if self._corpus is None:
            return None
        counts = self._corpus.clips["genre"].value_counts()
        return {
            "name": self._corpus.name,
            "genres": [[genre, int(counts[genre])] for genre in sorted(counts.index)],
        }

    def _tell_song(self) -> None:
        song = self._song
        assert song is not None
        self._tell(
            "song",
            song=song.number,
            seconds=song.seconds,
            bytes=len(song.content),
            **song.facts,
        )

    def _tell_picture(self) -> None:
        if self._picture is None or self._song is None:
            return
        columns, bands = self._picture.shape
        at_once = MOST_IN_MESSAGE // bands
        for first in range(0, columns, at_once):
            self._tell(
                "picture",
                [self._picture[first : first + at_once].tobytes()],
                song=self._song.number,
                columns=columns,
                bands=bands,
                first=first,
                seconds=Sound().seconds_of_frame(1),
            )

    def _tell_asked(self) -> None:
        assert self._asked is not None
        assert self._song is not None
        network = self._asked.load()
        self._tell(
            "asked",
            run=self._run,
            # One that is offered no longer answers until another one does.
            network=self._choices.index(self._asked) if self._asked in self._choices else 0,
            networks=[choice.label for choice in self._choices],
            name=network.name,
            training_music=network.training_music,
            caution=network.caution,
            genres=list(network.genres),
            colours=list(genre_colours(network.genres).values()),
            first_answer=step_span(network.timeline, self._song.rate, 0)[1],
            step_seconds=network.timeline.step_seconds,
        )

    def _tell_steps(self, first: int) -> None:
        steps = self._steps[first:]
        if steps:
            self._tell(
                "steps",
                [
                    np.array([[step.start, step.end] for step in steps], np.float64).tobytes(),
                    np.stack([step.probabilities for step in steps]).astype("<f4").tobytes(),
                ],
                run=self._run,
                first=first,
            )
        if self._finished:
            self._tell("whole", run=self._run, steps=len(self._steps), genre=self._whole().tolist())

    def _whole(self) -> np.ndarray:
        """Return the song's probabilities, as `Network.classify` does: the mean of its steps."""
        rows = np.stack([step.probabilities for step in self._steps])
        return rows.mean(axis=0, dtype=np.float64).astype(np.float32)

    # ---- Work that takes time, in threads ------------------------------------------------------

    def _new_wish(self) -> int:
        with self._lock:
            self._wish += 1
            return self._wish

    def _open_clip(self, clip: str, wish: int) -> None:
        assert self._corpus is not None
        clips = self._corpus.clips
        rows = clips[clips["id"] == clip]
        if not len(rows):
            raise SongNetError(f"{clip}: the corpus {self._corpus.name} has no clip of this id.")
        row = rows.iloc[0]
        facts = {
            **{"name": Path(row["file"]).name, "title": _title(row), "clip": clip},
            **{"genre": row["genre"], "licence": _text(row.get("licence"))},
            "from": self._corpus.name,
        }
        self._open_file(Path(row["file"]), wish, facts)

    def _open_file(self, path: Path, wish: int, facts: dict[str, Any] | None = None) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SongNetError(
                f"{path}: cannot be read ({error.strerror}). Check the path and try again."
            ) from error
        self._open_content(content, facts or {"name": path.name}, wish, facts is None)

    def _open_content(
        self, content: bytes, facts: dict[str, Any], wish: int, outside: bool
    ) -> None:
        """Decode a song; when that went well it takes the place of the one before."""
        name = facts["name"]
        self._tell("busy", text=f"Decoding {name} …")
        audio, rate = _decode(content, name)
        facts = {"title": name, **facts, "outside": outside, "mime": mime_of(name, content)}
        song = _Song(wish, content, audio, rate, facts)
        self._hear(song, is_new=True)

    def _choice_for(self, song: _Song) -> _Choice:
        """Return who is asked about a song: whom a person chose, else who suits it."""
        if self._chosen is not None:
            return self._chosen
        if song.facts["outside"]:
            return next((c for c in self._choices if c.is_listener), self._choices[0])
        return self._choices[0]

    def _change_network(self, song: _Song, choice: _Choice, before: _Choice | None) -> None:
        try:
            self._hear(song, is_new=False)
        except Exception:
            with self._lock:
                if self._chosen is choice:
                    self._chosen = before
            raise

    def _load(self, choice: _Choice) -> Network:
        if choice.network is None:
            self._tell("busy", text=f"Waking {choice.label} …")
        return choice.load()

    def _hear(self, song: _Song, *, is_new: bool) -> None:
        """Push a song through the stream and tell every step as soon as it is decided.

        A new song first takes the place of the one before, unless a newer one has it already.
        """
        while True:
            choice = self._choice_for(song)
            network = self._load(choice)
            _check_long_enough(song, network)
            with self._lock:
                if choice is not self._choice_for(song):
                    continue  # Somebody chose another network while this one woke.
                if self._song is not song:
                    if not is_new or (self._song and song.number < self._song.number):
                        return
                    self._song, self._picture, self._playable = song, None, {}
                    self._tell_song()
                self._run += 1
                run = self._run
                self._asked, self._steps, self._finished = choice, [], False
                self._tell_asked()
                break
        self._changed()
        stream = SongStream(network, rate=song.rate, channels=1)
        # A short first piece: the first answer should not wait for ten seconds of song.
        stop = int((network.timeline.seconds_needed + 1) * song.rate)
        start = 0
        while start < len(song.audio):
            if not self._add(run, stream.push(song.audio[start:stop])):
                return
            if self._picture is None:
                self._paint(song)
            start, stop = stop, stop + _PIECE_SECONDS * song.rate
        self._add(run, stream.finish(), last=True)

    def _add(self, run: int, steps: Iterable[Step], last: bool = False) -> bool:
        """Tell the page of new steps; False when something else is asked for by now."""
        with self._lock:
            if run != self._run:
                return False
            first = len(self._steps)
            self._steps.extend(steps)
            self._finished = last and bool(self._steps)
            self._tell_steps(first)
        if last:
            self._changed()
        return True

    def _paint(self, song: _Song) -> None:
        """Make the picture of the song's log-mel: a byte for each frame and band."""
        sound = Sound()
        frames = log_mel(resample(song.audio, song.rate, sound.sample_rate), sound)
        # The loudest moment is white: this is a picture, nothing is decided by it.
        low, high = np.log(sound.floor), max(float(frames.max()), np.log(sound.floor) + 1)
        low = max(low, high - 18)  # about 78 dB
        grey = np.clip((frames - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
        with self._lock:
            if self._song is song:
                self._picture = grey
                self._tell_picture()

    def _encode(self, song: _Song) -> None:
        """Encode the decoded sound as FLAC, which every browser plays and seeks in."""
        with self._lock:
            there = song.number in self._playable
        if not there:
            samples, rate = read_audio(song.content, name=song.name)
            flac = as_flac(samples, rate)
            with self._lock:
                if self._song is not song:
                    return
                self._playable[song.number] = flac
        self._tell(
            "playable",
            song=song.number,
            mime="audio/flac",
            bytes=len(self._playable[song.number]),
        )


def _networks_there(
    networks: Sequence[Network | str | os.PathLike[str]] | None,
) -> list[Network | str | os.PathLike[str]]:
    found: list[Network | str | os.PathLike[str]]
    if networks is None:
        models = (data_folder() / "runs").glob("*/*/model.keras")
        finished = [model for model in models if model.with_name("record.json").is_file()]
        newest = sorted(finished, key=lambda model: model.stat().st_mtime)[-1:]
        found = [model.parent for model in newest]
        found += ["musicnn"] if musicnn_is_whole() else []
    elif isinstance(networks, str | os.PathLike | Network):
        found = [networks]
    else:
        found = list(networks)
    if not found:
        raise SongNetError(
            "There is no network to ask. Train one (songnet train mini), fetch the pretrained "
            "listener (songnet fetch musicnn), or give networks=[…]."
        )
    return found


def _decode(content: bytes, name: str) -> tuple[np.ndarray, int]:
    """Return a song as mono samples at its own rate, or say why it cannot be used."""
    try:
        about = soundfile.info(io.BytesIO(content))
        seconds = about.frames / about.samplerate
    except (soundfile.LibsndfileError, RuntimeError):
        seconds = 0.0  # `read_audio` finds out what it is, and says so.
    # Broken headers promise absurd numbers; `read_audio` has words for those.
    if MOST_SECONDS < seconds < 1e6:
        raise SongNetError(
            f"{name}: lasts {seconds / 3600:.1f} hours; at most {MOST_SECONDS / 3600:.0f} are "
            "taken. Cut a piece out of it."
        )
    samples, rate = read_audio(content, name=name)
    return as_heard(samples, rate, rate, name=name), rate


def _check_long_enough(song: _Song, network: Network) -> None:
    needed = network.timeline.seconds_needed
    if song.seconds < needed:
        raise SongNetError(
            f"{song.name}: lasts {song.seconds:.2f} s; {network.name} needs at least "
            f"{needed:.2f} s for one answer. Choose a longer song."
        )


def _title(row: Any) -> str:
    title, artist = _text(row.get("title")), _text(row.get("artist"))
    return " – ".join(part for part in (artist, title) if part) or str(row["id"])


def _text(value: Any) -> str:
    """Return a table's entry as text; "" where the corpus does not know it."""
    return value if isinstance(value, str) else ""
