"""Grow the data without a browser: messages in, messages out, whatever they hold."""

from __future__ import annotations

import hashlib
import io
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import stand_in

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from toy import GENRES, Toy
from toys import RATE, html_of, tone_corpus

from songnet_utils.corpora import Corpus, OwnSongs, open_corpus
from songnet_utils.errors import SongNetError
from songnet_utils.growing import Change
from songnet_utils.learning import Recipe
from songnet_utils.streaming import hear_song
from songnet_utils.training import read_record, train
from songnet_utils.widgets import GrowSongs, LiveSong
from songnet_utils.widgets import growing as module
from songnet_utils.widgets.live import Present
from songnet_utils.widgets.messages import Content
from songnet_utils.widgets.uploads import Uploads

pytestmark = pytest.mark.usefixtures("data")


class Page(stand_in.Page):
    """Waits for what comes of what it says."""

    def says(self, kind: str, *buffers: bytes, **content: Any) -> None:
        super().says(kind, *buffers, **content)
        self.widget.wait()


def whistle(seed: int, seconds: float = 3.5) -> bytes:
    """A high tone that trembles."""
    random, time = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 6_000 * random.uniform(0.9, 1.1) * time)
    sound *= 1 + 0.5 * np.sin(2 * np.pi * 8 * time)
    file = io.BytesIO()
    sound += 0.001 * random.normal(size=len(time))
    soundfile.write(file, sound.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def own(tmp_path: Path) -> OwnSongs:
    return OwnSongs(tmp_path / "data" / "my-songs")


@pytest.fixture
def page(own: OwnSongs, monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(GrowSongs(songs=own), monkeypatch)


def files_below(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


# --- Saying what a song is ----------------------------------------------------------------------


def test_a_file_that_was_chosen_is_kept_with_what_people_say_of_it(page, own):
    content = whistle(1)
    page.says("hello")
    assert page.last("welcome")["alone"]
    assert page.last("songs")["songs"] == []
    assert page.last("network") == {"kind": "network", "run": None}
    page.uploads("wind.flac", content)
    present = page.last("present")
    assert (present["song"], present["name"]) == (sha256(content), "wind.flac")
    assert present["known"] is present["answer"] is None
    page.says(
        *("save",),
        **{"song": present["song"], "genre": "Folk", "title": "Wind", "artist": ""},
        **{"source": "kitchen", "licence": "CC0"},
    )
    (song,) = own.songs()
    assert own.file_of(song).read_bytes() == content
    assert (song.genre, song.title, song.artist) == ("Folk", "Wind", None)
    assert (song.source, song.licence, song.named) == ("kitchen", "CC0", "wind.flac")
    assert page.last("done")["text"] == "Saved: “Wind” is Folk."
    (row,) = page.last("songs")["songs"]
    assert row == {
        **{"song": sha256(content), "genre": "Folk", "title": "Wind", "artist": None},
        **{"licence": "CC0", "source": "kitchen", "seconds": 3.5, "there": True},
        "learnable": False,  # nobody is here who could learn
    }
    assert page.last("songs")["genres"] == [{"name": "Folk", "learnt": False, "colour": ""}]
    assert page.last("present")["known"] == {"genre": "Folk", "title": "“Wind”"}


def test_what_the_tags_say_is_told_before_and_kept_where_nobody_says_more(page, own, tmp_path):
    import mutagen

    (tmp_path / "tagged.flac").write_bytes(whistle(2))
    tagged = mutagen.File(tmp_path / "tagged.flac", easy=True)
    tagged["title"], tagged["artist"] = "<b>Bold</b>", "x" * 1000
    tagged.save()
    page.uploads("tagged.flac", (tmp_path / "tagged.flac").read_bytes())
    tags = page.last("present")["tags"]
    assert (tags["title"], tags["artist"]) == ("<b>Bold</b>", "x" * 300)
    page.says("save", song=page.last("present")["song"], genre="Folk")
    (song,) = own.songs()
    assert song.title == "<b>Bold</b>"
    assert len(song.artist) == 300


@pytest.mark.parametrize(
    "genre",
    ["", "   ", "..", "../Rock", "a/b", "a\\b", "x" * 41, "\0", "con", ".hidden", "<img>", "???"],
)
def test_a_bad_genre_is_told_in_words_and_nothing_is_written(page, own, genre):
    page.uploads("wind.flac", whistle(1))
    page.says("save", song=page.last("present")["song"], genre=genre)
    error = page.last("error")
    assert error["about"] == "song"
    assert "is no name for a genre. A genre is a name of 1 to 40 characters" in error["text"]
    assert len(error["text"]) < 500
    assert not own.folder.exists()
    # It can be said again.
    page.says("save", song=page.last("present")["song"], genre="Rock")
    assert own.songs()[0].genre == "Rock"


@pytest.mark.parametrize("what", ["title", "artist", "source", "licence"])
def test_a_text_of_more_than_300_characters_is_refused_in_words(page, own, what):
    page.uploads("wind.flac", whistle(1))
    song = page.last("present")["song"]
    page.says("save", song=song, genre="Rock", **{what: "x" * 301})
    text = page.last("error")["text"]
    assert text == f"{what}: has 301 characters, at most 300 are kept. Shorten it."
    assert not own.songs()
    page.says("save", song=song, genre="Rock", **{what: "x" * 300})
    assert getattr(own.songs()[0], what) == "x" * 300


@pytest.mark.parametrize(
    "name",
    ["../../up.flac", "/etc/passwd", "..\\..\\up.flac", "a\0b.flac", "", "…" * 5000 + ".flac",
     "<img src=x onerror=alert(1)>.flac"],
)  # fmt: skip
def test_no_name_of_a_file_has_a_say_in_where_it_is_written(page, own, name, tmp_path):
    content = whistle(1)
    before = files_below(tmp_path)
    page.uploads(name, content)
    assert len(page.last("present")["name"]) <= 255
    page.says("save", song=page.last("present")["song"], genre="Rock")
    assert files_below(tmp_path) - before == {
        f"data/my-songs/{rest}"
        for rest in ("my-songs.json", ".lock", f"Rock/{sha256(content)}.flac")
    }


def test_the_same_song_twice_is_known_and_its_genre_can_be_changed(page, own):
    content = whistle(1)
    own.add(content, "Folk", title="Wind")
    page.uploads("again.flac", content)
    present = page.last("present")
    assert present["known"] == {"genre": "Folk", "title": "“Wind”"}
    page.says("save", song=present["song"], genre="Rock")
    assert "is there already, as “Wind” in the genre Folk" in page.last("error")["text"]
    assert [song.genre for song in own.songs()] == ["Folk"]
    page.says("change", song=present["song"], genre="Rock", part="song")
    assert [song.genre for song in own.songs()] == ["Rock"]
    done = page.last("done")
    assert (done["about"], done["text"]) == ("song", "“Wind” is Rock now.")
    assert page.last("present")["known"]["genre"] == "Rock"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"Once upon a time " * 99, "is not a sound file"),
        (whistle(1)[:20_000], "song.flac"),
        (whistle(1, seconds=1.0), "lasts only 1.00 s; at least 3 s are needed"),
    ],
    ids=["empty", "text", "cut", "short"],
)
def test_a_bad_file_is_told_before_anybody_labels_it(page, own, content, said):
    page.uploads("good.flac", whistle(5))
    good = page.last("present")["song"]
    page.told.clear()
    page.uploads("song.flac", content, number=2)
    assert page.last("error")["about"] == "song"
    assert said in page.last("error")["text"]
    # The one before can still be saved.
    page.says("save", song=good, genre="Rock")
    assert [song.sha256 for song in own.songs()] == [good]


def test_a_file_that_is_too_large_is_refused_before_it_comes(page):
    page.says("upload", upload=1, name="huge.wav", bytes=100_000_001)
    assert "huge.wav: has 100 MB; at most 100 MB are taken" in page.last("error")["text"]
    page.says("chunk", b"x", upload=1, at=0)
    assert not page.heard("taken")


def test_another_song_than_the_one_seen_is_not_labelled(page, own):
    page.uploads("one.flac", whistle(1))
    one = page.last("present")["song"]
    page.uploads("two.flac", whistle(2), number=2)
    page.says("save", song=one, genre="Rock")
    assert "Another song has been opened in the meantime" in page.last("error")["text"]
    page.says("forget", song=page.last("present")["song"])
    assert page.last("present")["song"] is None
    page.says("save", song=sha256(whistle(2)), genre="Rock")
    assert not own.songs()


def test_saving_twice_at_once_keeps_one(page, own, monkeypatch):
    add, may_go = OwnSongs.add, threading.Event()

    def slow(*arguments: Any, **more: Any) -> Any:
        assert may_go.wait(20)
        return add(*arguments, **more)

    page.uploads("one.flac", whistle(1))
    monkeypatch.setattr(OwnSongs, "add", slow)
    message = {"kind": "save", "song": page.last("present")["song"], "genre": "Rock"}
    page.sends(message)
    page.sends(message)
    assert "one.flac: is being saved already" in page.last("error")["text"]
    may_go.set()
    page.widget.wait()
    assert len(own.songs()) == 1


# --- The list -----------------------------------------------------------------------------------


def test_genres_are_changed_and_songs_removed_from_the_list(page, own):
    songs = [own.add(whistle(n), "Folk", title=f"Song {n}") for n in range(3)]
    page.says("hello")
    assert [row["title"] for row in page.last("songs")["songs"]] == ["Song 2", "Song 1", "Song 0"]
    page.says("change", song=songs[1].sha256, genre="  new   one ")
    assert page.last("done")["text"] == "“Song 1” is new one now."
    assert page.last("songs")["songs"][1]["genre"] == "new one"
    page.says("remove", song=songs[0].sha256)
    assert page.last("done")["text"] == "Removed: “Song 0”."
    assert [song.title for song in own.songs()] == ["Song 1", "Song 2"]
    assert not own.file_of(songs[0]).exists()
    page.says("remove", song=songs[0].sha256)
    error = page.last("error")
    assert (error["about"], "of 0 songs" in error["text"]) == ("list", True)
    page.says("change", song=songs[1].sha256, genre="../../etc")
    assert page.last("error")["about"] == "list"
    assert page.last("songs")["songs"][1]["genre"] == "new one"
    own.file_of(own.songs()[0]).unlink()
    page.says("hello")
    assert [row["there"] for row in page.last("songs")["songs"]] == [True, False]


def test_a_list_that_is_damaged_is_left_as_it_is_and_said(page, own):
    own.add(whistle(1), "Folk")
    (own.folder / "my-songs.json").write_text("{")
    page.says("hello")
    assert page.last("songs")["songs"] == []
    assert page.last("error")["about"] == "list"
    assert "cannot be read as a list of songs" in page.last("error")["text"]
    page.uploads("two.flac", whistle(2))
    page.says("save", song=page.last("present")["song"], genre="Rock")
    assert "cannot be read as a list of songs" in page.last("error")["text"]
    assert (own.folder / "my-songs.json").read_text() == "{"


@pytest.mark.parametrize(
    "content",
    [
        *(None, "hello", {}, [1], {"kind": "rm -rf"}, {"kind": ["save"]}, {"kind": {}}),
        *({"kind": "save"}, {"kind": "save", "song": 1, "genre": "Rock"}),
        *({"kind": "save", "song": "x", "genre": ["Rock"]}, {"kind": "change", "song": "x"}),
        {"kind": "save", "song": sha256(whistle(1)), "genre": "Rock", "title": {"a": 1}},
        *({"kind": "change", "song": None, "genre": "x"}, {"kind": "remove"}),
        *({"kind": "remove", "song": ""}, {"kind": "remove", "song": "../my-songs.json"}),
        *({"kind": "answers"}, {"kind": "answers", "songs": [1]}, {"kind": "answers", "songs": 3}),
        *({"kind": "undo"}, {"kind": "undo", "run": "../.."}, {"kind": "use"}, {"kind": "stop"}),
        *({"kind": "upload", "upload": 1, "name": "x", "bytes": -1}, {"kind": "forget"}),
        *({"kind": "upload", "upload": "x", "name": "x", "bytes": 1}, {"kind": "chunk"}),
        {"kind": "chunk", "upload": 1, "at": 0},
    ],
    ids=str,
)
def test_messages_that_make_no_sense_change_nothing(page, own, content, caplog):
    own.add(whistle(3), "Folk")
    page.uploads("one.flac", whistle(1))
    before = files_below(own.folder)
    page.sends(content)
    page.widget.wait()
    assert files_below(own.folder) == before
    assert own.songs()[0].genre == "Folk"
    for told in page.heard("error"):
        assert "fault of the program" not in told["text"]
    page.says("save", song=sha256(whistle(1)), genre="Rock")
    assert len(own.songs()) == 2
    assert "met a fault" not in caplog.text


# --- Pieces of a file ---------------------------------------------------------------------------


def test_pieces_are_put_together_once_and_no_more_than_was_announced():
    told, arrived = [], []
    uploads = Uploads(
        lambda kind, **content: told.append(content["bytes"]),
        lambda name, content, number: arrived.append((name, content)),
        most_bytes=10,
    )
    uploads.begin(Content({"upload": 1, "name": "a", "bytes": 6}))
    uploads.chunk(Content({"upload": 1, "at": 0}), [memoryview(b"abc")])
    uploads.chunk(Content({"upload": 1, "at": 0}), [memoryview(b"abc")])  # sent again
    uploads.chunk(Content({"upload": 2, "at": 3}), [memoryview(b"xyz")])  # another file's
    uploads.chunk(Content({"upload": 1, "at": 5}), [memoryview(b"xyz")])  # from the wrong place
    uploads.chunk(Content({"upload": 1, "at": 3}), [memoryview(b"defghi")])
    uploads.chunk(Content({"upload": 1, "at": 6}), [memoryview(b"jkl")])
    assert arrived == [("a", b"abcdef")]
    assert told == [0, 3, 3, 3, 6]
    uploads.begin(Content({"upload": 3, "name": "b", "bytes": 0}))
    assert arrived[1] == ("b", b"")
    uploads.begin(Content({"upload": 4, "name": "c", "bytes": 3}))
    uploads.cancel(Content({"upload": 4}))
    uploads.chunk(Content({"upload": 4, "at": 0}), [memoryview(b"abc")])
    assert len(arrived) == 2
    with pytest.raises(SongNetError, match="d: has 11 B; at most 10 B are taken"):
        uploads.begin(Content({"upload": 5, "name": "d", "bytes": 11}))


# --- Beside the live song -----------------------------------------------------------------------


@pytest.fixture
def both(own, tmp_path, monkeypatch) -> tuple[Page, Page]:
    """The live song with a corpus of one clip, and the widget below it."""
    folder = tmp_path / "tunes" / "Folk"
    folder.mkdir(parents=True)
    (folder / "one.flac").write_bytes(whistle(9, seconds=5))
    live = LiveSong(open_corpus(folder.parent), [Toy(), Toy("Other", tilt=0.3)])
    grow = Page(GrowSongs(live, songs=own), monkeypatch)
    return Page(live, monkeypatch), grow


def test_the_song_that_is_open_above_is_the_one_that_is_labelled(both, own):
    live, grow = both
    grow.says("hello")
    assert not grow.last("welcome")["alone"]
    assert grow.last("present")["song"] is None
    assert "Open a song of your own" in grow.last("present")["why"]
    live.says("hello")
    grow.widget.wait()
    present = grow.last("present")
    assert present["song"] is None
    assert present["why"].startswith(
        "“one” is a clip of the corpus, which says already what it is."
    )
    content = whistle(1, seconds=6)
    live.uploads("mine.flac", content)
    grow.widget.wait()
    present = grow.last("present")
    steps, _ = hear_song(Toy(), content)
    mean = np.mean([step.probabilities for step in steps], axis=0)
    assert (present["song"], present["name"]) == (sha256(content), "mine.flac")
    assert present["answer"][0] == GENRES[int(mean.argmax())]
    assert present["answer"][1] == pytest.approx(mean.max(), abs=1e-5)
    grow.says("save", song=present["song"], genre="Rock")
    assert [song.sha256 for song in own.songs()] == [sha256(content)]
    # Files come to the live song only.
    grow.told.clear()
    grow.says("upload", upload=1, name="x.flac", bytes=3)
    assert not grow.heard("taken")


def test_what_is_present_is_told_to_whoever_asks(both):
    live, _ = both
    widget = live.widget
    assert widget.present is None
    seen = []
    widget.on_change(lambda: seen.append(widget.present))
    content = whistle(1, seconds=6)
    live.uploads("mine.flac", content)
    assert [present.name for present in seen] == ["mine.flac", "mine.flac"]
    assert seen[0].answer is None
    assert seen[1].answer.keys() == set(GENRES)
    assert sum(seen[1].answer.values()) == pytest.approx(1, abs=1e-5)
    assert seen[1].content == content
    assert seen[1].outside
    live.says("choose", clip=widget._corpus.clips.id[0])
    assert not widget.present.outside
    assert widget.present.title == "one"


def test_a_network_can_be_added_and_taken_away_again(both):
    live, _ = both
    widget = live.widget
    live.uploads("mine.flac", whistle(1, seconds=6))
    grown = Toy("Grown", tilt=0.1)
    widget.add_network(grown, "Toy + 3 own songs")
    widget.wait()
    assert live.last("welcome")["networks"] == ["Toy", "Other", "Toy + 3 own songs"]
    assert (live.last("asked")["name"], live.last("asked")["network"]) == ("Grown", 2)
    widget.remove_network(grown)
    widget.wait()
    assert live.last("welcome")["networks"] == ["Toy", "Other"]
    assert (live.last("asked")["name"], live.last("asked")["network"]) == ("Toy", 0)
    # The last one stays, whatever happens.
    for network in [choice.source for choice in widget._choices]:
        widget.remove_network(network)
    assert len(widget._choices) == 1


def test_what_a_microphone_hears_is_not_labelled(both, monkeypatch):
    live, grow = both
    heard = Present("Microphone", b"", True, "", "", None)
    monkeypatch.setattr(LiveSong, "present", heard)
    live.widget._changed()
    grow.widget.wait()
    assert grow.last("present")["song"] is None
    assert grow.last("present")["why"].startswith("What a microphone hears is not kept.")


# --- Learning -----------------------------------------------------------------------------------

QUICK = Recipe(epochs=6, crop_seconds=2.0, batch=8)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    return open_corpus(tone_corpus(tmp_path_factory.mktemp("corpora") / "tones"))


@pytest.fixture(scope="module")
def trained(tones, data) -> Path:
    return train(tones, recipe=QUICK, progress=False)


@pytest.fixture
def learner(trained, tones, own, monkeypatch) -> Page:
    """Eight songs that a person calls low, and a network that does not."""
    for number in range(8):
        own.add(whistle(number), "low", title=f"Whistle {number}", artist=f"Artist {number}")
    return Page(GrowSongs(songs=own, run=trained, corpus=tones), monkeypatch)


def test_it_learns_shows_what_changed_and_can_be_undone(learner, trained):
    page = learner
    page.says("hello")
    network = page.last("network")
    assert (network["run"], network["grown"]) == (trained.name, None)
    genres = page.last("songs")["genres"]
    assert [genre["name"] for genre in genres] == ["High", "Low", "Noise"]  # "low" is Low
    assert all(genre["learnt"] and genre["colour"] for genre in genres)
    assert all(song["learnable"] for song in page.last("songs")["songs"])

    page.says("learn")
    stages = page.heard("learning")
    names = [stage["stage"] for stage in stages]
    assert [name for n, name in enumerate(names) if name != names[n - 1]] == [
        *("preparing", "before", "learning", "after", ""),
    ]
    epochs = [stage["epoch"] for stage in stages if stage["stage"] == "learning"]
    assert sorted(set(epochs)) == list(range(1, 11))
    assert epochs == sorted(epochs)
    shares = [stage["share"] for stage in stages if stage["stage"] == "learning"]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1

    grown = page.widget.run
    assert grown.name == f"grown-001-{trained.name}"
    told = page.last("network")["grown"]
    record = read_record(grown)
    held, old = Change(**record["grown"]["held_out"]), Change(**record["grown"]["old_test"])
    rows = {row["name"]: row for row in told["rows"]}
    row = rows["Your songs, held out"]
    assert (row["clips"], row["before"], row["after"]) == (2, held.right_before, held.right_after)
    assert row["verdict"] == held.verdict()
    assert rows["Clips it was tested on before"]["verdict"] == old.verdict()
    assert rows["Your songs, learnt from"]["clips"] == 6
    assert "95 % interval" in told["text"]
    assert page.last("network")["can_use"] is False

    page.says("undo", run=trained.name)
    assert "is not the network that stands here any more" in page.last("error")["text"]
    page.says("undo", run=grown.name)
    assert page.last("done")["text"] == f"Undone: the network is {trained.name} again."
    assert page.last("network")["grown"] is None
    assert not grown.exists()
    assert page.widget.run == trained


def test_what_the_network_says_of_each_song_is_its_own_answer(learner, trained, own):
    from songnet_utils.models import load_songnet

    net = load_songnet(trained)
    songs = own.songs()
    learner.says("answers", songs=[songs[0].sha256, songs[1].sha256, "unknown"])
    for song, said in zip(songs[:2], learner.heard("said"), strict=True):
        steps, _ = hear_song(net, own.file_of(song))
        mean = np.mean([step.probabilities for step in steps], axis=0)
        assert (said["run"], said["song"]) == (trained.name, song.sha256)
        assert said["genre"] == net.genres[int(mean.argmax())]
        assert said["share"] == pytest.approx(mean.max(), abs=1e-5)
    # A file that is gone stops nobody.
    own.file_of(songs[2]).unlink()
    learner.told.clear()
    learner.says("answers", songs=[songs[2].sha256, songs[3].sha256])
    bad, good = learner.heard("said")
    assert "Whistle 2" in bad["error"]
    assert good["song"] == songs[3].sha256


def wait_for(page: Page, stage: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not any(told["stage"] == stage for told in page.heard("learning")):
        assert time.monotonic() < until, f"{stage} was never reached"
        time.sleep(0.01)


def says(page: Page, kind: str, **content: Any) -> None:
    """Say something without waiting for what comes of it."""
    page.sends({"kind": kind, **content})


def test_a_second_wish_while_it_learns_is_refused_and_it_can_be_stopped(
    learner, trained, tones, own, monkeypatch
):
    page = learner
    before = {path.name for path in trained.parent.iterdir()}
    says(page, "learn")
    wait_for(page, "learning")
    says(page, "learn")
    error = page.last("error")
    assert error["about"] == "learning"
    assert error["text"].startswith("A network is learning already, here. Wait until")
    other = Page(GrowSongs(songs=own, run=trained, corpus=tones), monkeypatch)
    says(other, "learn")
    assert "for another page or cell" in other.last("error")["text"]
    says(page, "undo", run=trained.name)
    assert "A network is learning. Stop that first" in page.last("error")["text"]
    page.says("stop")
    assert page.last("learning")["stage"] == ""
    assert page.last("done")["text"].startswith("Stopped: nothing was kept")
    assert {path.name for path in trained.parent.iterdir()} == before
    assert page.widget.run == trained
    # And it can begin again.
    says(page, "learn")
    wait_for(page, "learning")
    page.says("stop")


def test_the_kernel_is_free_while_it_learns(learner, own):
    page = learner
    says(page, "learn")
    wait_for(page, "learning")
    song = own.songs()[0].sha256
    says(page, "change", song=song, genre="Noise")
    until = time.monotonic() + 60
    while not page.heard("done"):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert page.last("learning")["stage"], "it was to be learning still"
    assert own.songs()[0].genre == "Noise"
    page.says("stop")


def test_without_songs_or_a_network_it_says_what_is_missing(own, trained, tones, monkeypatch):
    page = Page(GrowSongs(songs=own, run=trained, corpus=tones), monkeypatch)
    page.says("learn")
    assert page.last("error")["text"].startswith("There is no song to learn from yet.")
    assert page.last("learning")["stage"] == ""
    own.add(whistle(1), "Polka", title="Tritsch-Tratsch")
    page.says("learn")
    assert "its genre, Polka, is none that the network knows" in page.last("error")["text"]
    page.says("hello")
    polka = page.last("songs")["genres"][-1]
    assert (polka["name"], polka["learnt"]) == ("Polka", False)
    monkeypatch.setenv("SONGNET_DATA", str(own.folder / "nothing"))
    page = Page(GrowSongs(songs=own), monkeypatch)
    page.says("learn")
    assert "There is no network to go on with. Train one first" in page.last("error")["text"]


def test_songs_that_are_left_out_and_too_few_to_hold_out_are_said(own, trained, tones, monkeypatch):
    page = Page(GrowSongs(songs=own, run=trained, corpus=tones), monkeypatch)
    own.add(whistle(1), "Low")
    own.add(whistle(2), "Polka", title="Tritsch-Tratsch")
    page.says("learn")
    told = page.last("network")["grown"]
    assert not told["held"]
    assert told["left_out"] == [
        {"song": "Tritsch-Tratsch", "reason": "its genre, Polka, is none that the network knows"}
    ]
    page.says("undo", run=page.last("network")["run"])


def test_the_grown_network_answers_in_the_live_song_until_it_is_undone(
    learner, trained, tones, own, monkeypatch
):
    live = LiveSong(None, [Toy()])
    above = Page(live, monkeypatch)
    page = Page(GrowSongs(live, songs=own, run=trained, corpus=tones), monkeypatch)
    above.uploads("mine.flac", whistle(50, seconds=5))
    page.says("learn")
    grown = page.widget.run
    assert page.last("network")["can_use"]
    page.says("use")
    live.wait()
    label = "SongNet + 6 own songs (001)"
    assert above.last("welcome")["networks"] == ["Toy", label]
    assert page.last("done")["text"] == f"The live song asks it: {label}."
    asked = above.last("asked")
    assert asked["training_music"].endswith(", then 6 songs of one's own")
    assert page.last("network")["used"]
    page.says("use")
    assert above.last("welcome")["networks"] == ["Toy", label]
    page.says("undo", run=grown.name)
    live.wait()
    assert above.last("welcome")["networks"] == ["Toy"]
    assert above.last("asked")["name"] == "Toy"


def test_who_leaves_stops_the_learning(learner, trained):
    says(learner, "learn")
    wait_for(learner, "learning")
    learner.widget.leave()
    learner.widget.wait()
    assert learner.widget.run == trained
    assert not list(trained.parent.glob("grown-*"))


def test_a_run_that_is_none_is_said_at_once(tmp_path):
    with pytest.raises(SongNetError, match="is not a finished run"):
        GrowSongs(run=tmp_path)


def test_pages_without_a_kernel_say_where_it_works(own):
    assert "make lab" in html_of(GrowSongs(songs=own))


def test_what_the_page_needs_comes_with_it():
    for text in ("class Uploads", "class Grow", "class Told"):
        assert text in GrowSongs._esm
    # The page takes people's words as text only.
    own = Path(module.__file__).with_name("growing.js").read_text()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in own
