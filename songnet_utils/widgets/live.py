"""The live song: a song plays, and what a network hears in it moves under the playhead.

The browser plays, records, draws and keeps time: it owns the ``<audio>`` element and the
microphone, and reads their clocks at every picture. Python decodes, listens and answers: it sends
each step once, as soon as the stream has decided it. Between the two there are only small messages
(a dict, and perhaps bytes), described at `LiveSong`.

A file is decoded piece by piece, and the first answers of an hour-long song stand while the rest
is still being decoded. What is uploaded is decoded in memory, and nothing else is done with it: it
is never written to disk and never run.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from songnet_utils.audio import (
    SILENCE,
    AudioError,
    AudioReader,
    check_audible,
    mix_down,
    suffix_of,
)
from songnet_utils.corpora import data_folder, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.fetch import musicnn_is_whole
from songnet_utils.framing import FrameStream
from songnet_utils.listener import Listener
from songnet_utils.network import Network
from songnet_utils.plots import genre_colours
from songnet_utils.streaming import SongStream, Step, step_span
from songnet_utils.timeline import Sound
from songnet_utils.widgets.messages import (
    MOST_IN_MESSAGE,
    Content,
    MalformedError,
    Messages,
    first_of,
    joined,
)
from songnet_utils.widgets.microphone import Microphone
from songnet_utils.widgets.playing import Wrapping, as_flac, as_mp4, mime_of
from songnet_utils.widgets.uploads import Uploads

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus

#: The largest file that is taken as an upload, in bytes, and the longest song, in seconds.
MOST_BYTES = 300_000_000
MOST_SECONDS = 2 * 3600

#: Clips of one genre that the page lists at most.
MOST_LISTED = 1_000

# Song that is decoded and heard at a time: the page gets its answers in such portions.
_BLOCK_SECONDS = 2.0

# A song whose beginning cannot be decoded does not take the place of the one before.
_BEGINNING_SECONDS = 60.0

# Samples that an mp3's encoder adds after the sound, at most.
_MOST_PADDING = 3 * 1152

# Natural logarithms of mel power that the picture tells apart: from the floor to far above what
# full scale gives.
_DARKEST = 12.0


@dataclasses.dataclass
class _Song:
    """A song that is open; `facts` is what the page shows about it."""

    number: int
    content: bytes  # of the file; none of a microphone
    source: AudioReader | Microphone
    facts: dict[str, Any]
    seconds: float  # as the file says, and exactly once it was heard to its end

    @property
    def name(self) -> str:
        return self.facts["name"]


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
        self._label = label
        self._place = "" if isinstance(source, Network) else os.fspath(source)
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
    ``piece`` (bytes of the song to play), ``listen``, ``samples`` and ``stop`` (a microphone). To
    the page: ``welcome``, ``clips``, ``busy``, ``song``, ``picture`` (log-mel, 8 bits), ``asked``,
    ``steps``, ``heard`` (so much of the microphone), ``whole``, ``taken`` (so many bytes of an
    upload), ``playable``, ``piece``, ``error``.

    Handlers return at once; decoding and listening happen in threads of their own, so the kernel
    stays free. A song takes the place of the one before once its beginning (a minute, or all of
    it) was decoded and something can be heard: after a bad file everything is as it was.
    """

    _esm = joined("common.js", "uploads.js", "live.js")
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
        self._picture: list[np.ndarray] = []  # of the song, as far as it is painted
        self._painted = False  # to its end
        self._playable: bytes | None = None  # the song as FLAC
        self._wish = 0  # counts what people asked to open: an older wish never replaces a newer
        self._run = 0  # counts what the networks were asked: only the newest run is told
        self._uploads = Uploads(self._tell, self._open_upload, MOST_BYTES)
        self._microphone: Microphone | None = None
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

    def on_change(self, act: Callable[[], None]) -> None:
        """Have `act` called, in some thread, when another song is open or its answer is whole."""
        self._watchers.append(act)

    def add_network(self, source: Network | str | os.PathLike[str], label: str = "") -> None:
        """Offer one more network (a run's folder, for instance), and ask it from now on."""
        with self._lock:
            before, self._chosen = self._chosen, _Choice(source, label)
            self._choices.append(self._chosen)
            self._tell_welcome()
            if self._song is not None and self._song.content:
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
            song = self._song
            if song is not None and song.content and self._asked in gone:
                self._start(self._hear_again, song)

    def leave(self) -> None:
        """Stop listening, and forget the song: nobody is there any more."""
        with self._lock:
            self._run += 1
            self._wish += 1
            self._close_microphone()
            self._song, self._asked, self._steps, self._finished = None, None, [], False
            self._picture, self._painted, self._playable = [], False, None
            self._uploads = Uploads(self._tell, self._open_upload, MOST_BYTES)
            self._watchers.clear()

    def hear(self, song: str | os.PathLike[str]) -> None:
        """Hear a clip of the corpus (its id) or a sound file (its path); returns at once."""
        text = str(song)
        if self._corpus is not None and text in set(self._corpus.clips["id"]):
            self._start(self._open_clip, text, self._new_wish())
        else:
            self._start(self._open_file, Path(song), self._new_wish())

    # ---- Messages ------------------------------------------------------------------------------

    def _hello(self, content: Content, buffers: list) -> None:
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

    def _list_clips(self, content: Content, buffers: list) -> None:
        if self._corpus is None:
            return
        clips = self._corpus.clips
        genre = content.text("genre")
        clips = clips[clips["genre"] == genre]
        rows = clips.head(MOST_LISTED)
        self._tell(
            "clips",
            genre=genre,
            clips=[[row["id"], _title(row)] for _, row in rows.iterrows()],
            of=len(clips),
        )

    def _choose(self, content: Content, buffers: list) -> None:
        self._start(self._open_clip, str(content["clip"]), self._new_wish())

    def _ask(self, content: Content, buffers: list) -> None:
        number = content.whole("network")
        if not 0 <= number < len(self._choices):
            raise MalformedError(f"there is no network {number}")
        with self._lock:
            before, self._chosen = self._chosen, self._choices[number]
            # Who listens to a microphone looks at the choice himself; afterwards nothing is kept.
            if self._song is not None and self._song.content:
                self._start(self._change_network, self._song, self._chosen, before)

    def _take_upload(self, content: Content, buffers: list) -> None:
        self._uploads.begin(content)

    def _take_chunk(self, content: Content, buffers: list[memoryview]) -> None:
        self._uploads.chunk(content, buffers)

    def _cancel(self, content: Content, buffers: list) -> None:
        self._uploads.cancel(content)

    def _open_upload(self, name: str, content: bytes, number: int) -> None:
        facts = {"name": name, "upload": number}
        self._start(self._open_content, content, facts, self._new_wish(), True)

    def _make_playable(self, content: Content, buffers: list) -> None:
        with self._lock:
            song = self._song
        if song is not None and song.number == content["song"] and song.content:
            self._start(self._encode, song, bool(content["flac"]))

    def _send_piece(self, content: Content, buffers: list) -> None:
        with self._lock:
            song = self._song
            if song is None or song.number != content["song"]:
                return
            whole = self._playable if content["encoded"] else song.content
            if whole is None:
                return
            at = max(0, content.whole("at"))
            piece = whole[at : at + MOST_IN_MESSAGE]
            self._tell("piece", [piece], song=song.number, encoded=bool(content["encoded"]), at=at)

    def _listen(self, content: Content, buffers: list) -> None:
        microphone = Microphone(content.whole("microphone"), content["rate"])
        with self._lock:
            self._close_microphone()
            self._microphone = microphone
        self._start(
            *(self._hear_microphone, microphone, self._new_wish()),
            about={"microphone": microphone.number},
        )

    def _take_samples(self, content: Content, buffers: list[memoryview]) -> None:
        microphone = self._microphone_of(content)
        if microphone is None:
            return
        samples = first_of(buffers)
        if samples.nbytes > MOST_IN_MESSAGE or samples.nbytes % 4:
            raise MalformedError("it has more samples than a page sends, or not whole ones")
        try:
            microphone.take(content.whole("at"), np.frombuffer(samples, "<f4"))
        except SongNetError:
            self._stop_listening(content, [])
            raise

    def _stop_listening(self, content: Content, buffers: list) -> None:
        if self._microphone_of(content) is not None:
            with self._lock:
                self._close_microphone()

    def _microphone_of(self, content: Content) -> Microphone | None:
        there = self._microphone
        return there if there is not None and there.number == content["microphone"] else None

    def _close_microphone(self) -> None:
        if self._microphone is not None:
            self._microphone.close()
            self._microphone = None

    _subject = ("microphone",)
    _handlers: ClassVar[dict[str, Callable[[LiveSong, Content, list], None]]] = {
        **{"hello": _hello, "clips": _list_clips, "choose": _choose, "ask": _ask},
        **{"upload": _take_upload, "chunk": _take_chunk, "cancel": _cancel},
        **{"playable": _make_playable, "piece": _send_piece},
        **{"listen": _listen, "samples": _take_samples, "stop": _stop_listening},
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

    def _tell_picture(self, first: int = 0) -> None:
        """Send the log-mel from a column on; a page takes column 0 for a new picture."""
        song = self._song
        assert song is not None
        if len(self._picture) <= first:
            return
        rows = np.stack(self._picture[first:])
        at_once = MOST_IN_MESSAGE // rows.shape[1]
        for begin in range(0, len(rows), at_once):
            self._tell(
                "picture",
                [rows[begin : begin + at_once].tobytes()],
                song=song.number,
                bands=rows.shape[1],
                first=first + begin,
                seconds=Sound().seconds_of_frame(1),
                nats=(_DARKEST - np.log(Sound().floor)) / 255,
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
            first_answer=step_span(network.timeline, self._song.source.rate, 0)[1],
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
            assert self._song is not None
            self._tell(
                "whole",
                run=self._run,
                steps=len(self._steps),
                genre=self._whole().tolist(),
                seconds=self._song.seconds,
            )

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
        """Decode a song's beginning; when that went well it takes the place of the one before."""
        name = facts["name"]
        self._tell("busy", text=f"Decoding {name} …")
        reader = AudioReader(content, name=name, most_seconds=MOST_SECONDS)
        facts = {"title": name, **facts, "outside": outside, "mime": mime_of(name)}
        song = _Song(wish, content, reader, facts, reader.seconds)
        seconds = _check_beginning(reader)
        choice = self._settle(song, seconds, is_new=True)
        if choice is not None:
            self._hear(song, choice)

    def _choice_for(self, song: _Song) -> _Choice:
        """Return who is asked about a song: whom a person chose, else who suits it."""
        if self._chosen is not None:
            return self._chosen
        if song.facts["outside"]:
            return next((c for c in self._choices if c.is_listener), self._choices[0])
        return self._choices[0]

    def _change_network(self, song: _Song, choice: _Choice, before: _Choice | None) -> None:
        try:
            chosen = self._settle(song, song.seconds if self._finished else None, is_new=False)
        except Exception:
            with self._lock:
                if self._chosen is choice:
                    self._chosen = before
            raise
        if chosen is not None:
            self._hear(song, chosen)

    def _hear_again(self, song: _Song) -> None:
        settled = self._settle(song, None, is_new=False)
        if settled is not None:
            self._hear(song, settled)

    def _load(self, choice: _Choice) -> Network:
        if choice.network is None:
            self._tell("busy", text=f"Waking {choice.label} …")
        return choice.load()

    def _settle(
        self, song: _Song, seconds: float | None, *, is_new: bool
    ) -> tuple[Network, int] | None:
        """Begin a run: wake who is asked, give a new song its place, and tell the page.

        Returns the network and the number of the run; None where a newer song has the place.
        `seconds` is how long the song lasts, where that is known.
        """
        while True:
            choice = self._choice_for(song)
            network = self._load(choice)
            if seconds is not None:
                _check_long_enough(song, seconds, network)
            with self._lock:
                if choice is not self._choice_for(song):
                    continue  # Somebody chose another network while this one woke.
                if self._song is not song:
                    if not is_new or (self._song and song.number < self._song.number):
                        return None
                    if self._microphone is not song.source:
                        self._close_microphone()
                    self._song, self._playable = song, None
                    self._picture, self._painted = [], False
                    self._tell_song()
                self._run += 1
                self._asked, self._steps, self._finished = choice, [], False
                self._tell_asked()
                run = self._run
            if is_new:
                self._changed()
            return network, run

    def _changed(self) -> None:
        for act in list(self._watchers):
            act()

    def _hear(self, song: _Song, settled: tuple[Network, int]) -> None:
        """Push a file's song through the stream and tell every step as soon as it is decided."""
        network, run = settled
        reader = song.source
        assert isinstance(reader, AudioReader)
        stream = SongStream(network, rate=reader.rate)
        brush = self._brush(song, run)
        damage: AudioError | None = None
        try:
            for block in reader.blocks(_BLOCK_SECONDS):
                mono = mix_down(block)
                if not self._add(run, stream.push(mono)):
                    return
                if brush is not None:
                    self._paint(run, brush.push(mono))
        except AudioError as error:
            damage = error
        if brush is not None:
            self._paint(run, brush.finish(), last=True)
        song.seconds = stream.seconds
        self._add(run, stream.finish(), last=True)
        if damage is not None:
            raise SongNetError(f"{damage} What comes before that place was heard.") from damage
        self._wake_listener()

    def _hear_microphone(self, microphone: Microphone, wish: int) -> None:
        """Push what a microphone hears through the stream as it comes."""
        facts = {"name": "Microphone", "title": "Microphone", "outside": True, "mime": ""}
        facts |= {"microphone": microphone.number}
        song = _Song(wish, b"", microphone, facts, 0.0)
        stream = brush = choice = None
        run, begin = 0, 0.0
        for samples in microphone.blocks():
            if choice is None or choice is not self._choice_for(song):
                # Whom people choose meanwhile hears what comes from now on.
                settled = self._settle(song, None, is_new=choice is None)
                if settled is None:
                    break
                network, run = settled
                choice, stream, begin = (
                    self._asked,
                    SongStream(network, microphone.rate),
                    song.seconds,
                )
                brush = brush or self._brush(song, run)
            assert stream is not None
            steps = _later(stream.push(samples), begin)
            song.seconds = begin + stream.seconds
            if not self._add(run, steps):
                break
            self._tell("heard", microphone=microphone.number, seconds=song.seconds)
            if brush is not None:
                self._paint(run, brush.push(samples))
        else:
            if stream is not None:
                self._add(run, _later(stream.finish(), begin), last=True)
        with self._lock:
            if self._microphone is microphone:
                self._close_microphone()

    def _wake_listener(self) -> None:
        """Load who is asked about uploads while nobody waits for it."""
        for choice in self._choices:
            if choice.is_listener and choice.network is None:
                choice.load()

    def _brush(self, song: _Song, run: int) -> FrameStream | None:
        """Return what paints the song's log-mel; None when that was done by an earlier run."""
        with self._lock:
            if run != self._run or self._painted:
                return None
            self._picture = []
            return FrameStream(Sound(), rate=song.source.rate)

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

    def _paint(self, run: int, frames: np.ndarray, last: bool = False) -> None:
        """Add log-mel frames to the picture: a byte a band, on a scale that no song changes."""
        low = np.log(Sound().floor)
        grey = np.rint((frames - low) * (255 / (_DARKEST - low))).clip(0, 255).astype(np.uint8)
        with self._lock:
            if run != self._run:
                return
            first = len(self._picture)
            self._picture.extend(grey)
            self._painted = last
            self._tell_picture(first)

    def _encode(self, song: _Song, flac: bool) -> None:
        """Make something of the song that browsers play and seek in exactly."""
        wrapping = None if flac else _wrapping_of(song)
        if wrapping is not None:
            self._tell(
                "playable",
                [wrapping.before, wrapping.after],
                song=song.number,
                mime=Wrapping.MIME,
                at=wrapping.at,
                bytes=wrapping.size,
            )
            return
        with self._lock:
            encoded = self._playable if self._song is song else None
        if encoded is None:
            assert isinstance(song.source, AudioReader)
            encoded = as_flac(song.source.blocks(_BLOCK_SECONDS), song.source.rate)
            with self._lock:
                if self._song is not song:
                    return
                self._playable = encoded
        self._tell("playable", song=song.number, mime="audio/flac", bytes=len(encoded))


def networks_found() -> list[Network | str | os.PathLike[str]]:
    """Return the newest run of a network and the pretrained listener, where they are there."""
    # Not `training.newest_run`: it would start TensorFlow, which takes seconds, with the page.
    models = (data_folder() / "runs").glob("*/*/model.keras")
    finished = [model for model in models if model.with_name("record.json").is_file()]
    newest = sorted(finished, key=lambda model: model.with_name("record.json").stat().st_mtime)
    found: list[Network | str | os.PathLike[str]] = [model.parent for model in newest[-1:]]
    return found + (["musicnn"] if musicnn_is_whole() else [])


def _networks_there(
    networks: Sequence[Network | str | os.PathLike[str]] | None,
) -> list[Network | str | os.PathLike[str]]:
    if networks is None:
        found = networks_found()
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


def _check_beginning(reader: AudioReader) -> float | None:
    """Raise AudioError when a song's beginning is bad, or nothing can be heard in all of it.

    Returns how many seconds it lasts where that is known by then; else None.
    """
    samples, loudest = 0, 0.0
    for block in reader.blocks(_BLOCK_SECONDS):
        mono = mix_down(block)
        samples += len(block)
        loudest = max(loudest, float(mono.max()), float(-mono.min()))
        if samples >= _BEGINNING_SECONDS * reader.rate and loudest >= SILENCE:
            return None
    check_audible(loudest, reader.name)
    return samples / reader.rate


def _check_long_enough(song: _Song, seconds: float, network: Network) -> None:
    needed = network.timeline.seconds_needed
    if seconds < needed:
        raise SongNetError(
            f"{song.name}: lasts {seconds:.2f} s; {network.name} needs at least "
            f"{needed:.2f} s for one answer. Choose a longer song."
        )


def _wrapping_of(song: _Song) -> Wrapping | None:
    """Return the MP4 around a song that is an mp3; None for any other, or if the times differ."""
    try:
        wrapping = as_mp4(song.content) if suffix_of(song.content) == ".mp3" else None
    except AudioError:
        return None
    # A damaged file may be decoded by leaving something out. Where nothing says how long it is,
    # the same library decodes it and wraps it up.
    late = wrapping.seconds - song.seconds if wrapping is not None and song.seconds else 0
    return wrapping if abs(late) * song.source.rate < _MOST_PADDING else None


def _later(steps: Iterable[Step], seconds: float) -> list[Step]:
    """Return steps of a stream that began so many seconds after the microphone was opened."""
    return [Step(s.start + seconds, s.end + seconds, s.probabilities) for s in steps]


def _title(row: Any) -> str:
    title, artist = _text(row.get("title")), _text(row.get("artist"))
    return " – ".join(part for part in (artist, title) if part) or str(row["id"])


def _text(value: Any) -> str:
    """Return a table's entry as text; "" where the corpus does not know it."""
    return value if isinstance(value, str) else ""
