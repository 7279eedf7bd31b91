"""The page of `songnet app` without a browser: requests, messages on the wire, and the command."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

sys.path.insert(0, str(Path(__file__).parent / "browser"))

from toy import GENRES, Toy
from toys import RATE

from songnet_utils import cli
from songnet_utils.corpora import OwnSongs
from songnet_utils.errors import SongNetError
from songnet_utils.streaming import hear_song
from songnet_utils.widgets import app as module
from songnet_utils.widgets.app import App, packed, unpacked

pytestmark = pytest.mark.usefixtures("data")

ROOT = Path(__file__).resolve().parents[1]


def tune(seconds: float = 6.0) -> bytes:
    dice = np.random.default_rng(0)
    loud = np.repeat(dice.uniform(0.01, 0.3, int(4 * seconds) + 1), RATE // 4)
    samples = loud[: round(seconds * RATE)] * dice.standard_normal(round(seconds * RATE))
    file = io.BytesIO()
    soundfile.write(file, samples.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


class Running:
    """An app that serves in a thread, and pages that talk to it."""

    def __init__(self, app: App) -> None:
        self.app = app
        # A daemon: a test that fails before it ends its app must not keep pytest from ending.
        self.thread = threading.Thread(target=app.serve, kwargs={"browser": False}, daemon=True)
        self.thread.start()
        wait_until(lambda: app.loop is not None)

    def get(self, path: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
        request = urllib.request.Request(self.app.address + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def page(self, **headers: str) -> Page:
        return Page(self.app.address, headers)

    def end(self) -> None:
        self.app.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


class Page:
    """Stands in for the browser: says things, and remembers what it is told."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        # In a thread of its own: after a browser test, Playwright's loop still runs in this one.
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        url = address.replace("http", "ws") + "talk"
        request = HTTPRequest(url, headers={"Origin": address.rstrip("/"), **headers})
        self.talk = self.run(websocket_connect, request, max_message_size=2**24)
        self.told: list[tuple[str, dict[str, Any], list[bytes]]] = []

    def run(self, begin: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        async def work() -> Any:
            return await asyncio.wait_for(begin(*arguments, **more), 60)

        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(90)

    def says(self, widget: str, kind: str, *buffers: bytes, **content: Any) -> None:
        content = {"kind": kind, **content}
        self.says_raw(packed({"widget": widget, "content": content}, buffers))

    def says_raw(self, message: bytes | str) -> None:
        self.run(self.talk.write_message, message, binary=isinstance(message, bytes))

    def hears(self, widget: str, kind: str) -> tuple[dict[str, Any], list[bytes]]:
        """Return the first message of a kind that has not been returned yet."""
        while True:
            for place, (who, content, buffers) in enumerate(self.told):
                if (who, content["kind"]) == (widget, kind):
                    del self.told[place]
                    return content, buffers
            message = self.run(self.talk.read_message)
            assert message is not None, f"no {kind} came, and the page is over"
            header, views = unpacked(message)
            self.told.append((header["widget"], header["content"], [bytes(view) for view in views]))

    def uploads(self, name: str, content: bytes, number: int = 1) -> None:
        self.says("live", "upload", upload=number, name=name, bytes=len(content))
        for at in range(0, len(content), 1_000_000):
            self.says("live", "chunk", content[at : at + 1_000_000], upload=number, at=at)

    def close(self) -> None:
        async def leave() -> None:
            self.talk.close()
            await asyncio.sleep(0.05)

        self.run(leave)


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(App(None, [Toy()], songs=tmp_path / "my-songs", port=0))
    yield running
    running.end()


# --- The page -----------------------------------------------------------------------------------


def test_the_page_and_what_it_loads_come_from_here_alone(running):
    status, headers, text = running.get()
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    rules = dict(
        rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == "'self' blob:"
    for name in ("app.js", "live.js", "grow.js", "app.css", "live.css", "grow.css"):
        status, headers, content = running.get(name)
        assert status == 200
        assert ("javascript" if name.endswith("js") else "css") in headers["Content-Type"]
        assert len(content) > 500
        for text_of in (text, content):
            for elsewhere in ("https://", "//cdn", "unpkg", "jsdelivr"):
                assert elsewhere not in text_of
    assert running.get("app.py")[0] == 404
    assert running.get("../cli.py")[0] == 404
    assert running.get("tree/api/kernels")[0] == 404


def test_other_names_and_other_pages_are_refused(running):
    port = running.app.address.rsplit(":")[-1].strip("/")
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", ""):
        assert running.get(Host=host)[0] in (400, 403)
    assert running.get(Host=f"localhost:{port}")[0] == 200
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"},
    ):
        with pytest.raises(HTTPClientError, match="403"):
            running.page(**headers)
    assert not running.app.pages


def test_a_song_is_heard_through_the_socket_as_classify_hears_it(running, tmp_path):
    page = running.page()
    widgets, _ = page.hears("", "widgets")
    assert (widgets["widgets"], widgets["notice"]) == (["live", "grow"], "")
    for name in widgets["widgets"]:
        page.says(name, "hello")
        page.hears(name, "welcome")
    page.hears("grow", "present")  # nothing yet
    content = tune()
    page.uploads("../../tune.flac", content)
    whole, _ = page.hears("live", "whole")
    steps, _ = hear_song(Toy(), content)
    mean = np.mean([step.probabilities for step in steps], axis=0)
    assert whole["steps"] == len(steps)
    np.testing.assert_allclose(whole["genre"], mean, atol=1e-5)
    answers = []
    while len(answers) < len(steps):
        _, buffers = page.hears("live", "steps")
        answers += list(np.frombuffer(buffers[1], "<f4").reshape(-1, len(GENRES)))
    np.testing.assert_allclose(answers, [step.probabilities for step in steps], atol=1e-5)
    present, _ = page.hears("grow", "present")
    page.says("grow", "save", song=present["song"], genre="Folk")
    page.hears("grow", "done")
    (song,) = OwnSongs(tmp_path / "my-songs").songs()
    assert song.genre == "Folk"
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {
        *(song.file_name, "my-songs.json", ".lock")
    }
    page.close()


@pytest.mark.parametrize(
    "message",
    [
        *("hello", b"", b"\0", b"\xff" * 50, packed({}, ()), packed({"widget": "live"}, ())),
        packed({"widget": "shell", "content": {"kind": "run", "code": "1"}}, ()),
        packed({"widget": "live", "content": None}, ()),
        packed({"widget": "live", "content": {"kind": "upload"}}, ()),
        packed({"widget": ["live"], "content": {}}, ()),
        (2**32 - 1).to_bytes(4, "big") + b"{}",
        (13).to_bytes(4, "big") + b'{"buffers":5}',
        (16).to_bytes(4, "big") + b'{"buffers":[99]}',
    ],
    ids=lambda message: repr(message)[:40],
)
def test_messages_that_make_no_sense_change_nothing(running, message):
    page = running.page()
    page.hears("", "widgets")
    page.says_raw(message)
    page.says("live", "hello")
    welcome, _ = page.hears("live", "welcome")
    assert welcome["networks"] == ["Toy"]
    page.close()


@given(
    st.dictionaries(st.text(), st.integers() | st.text()),
    st.lists(st.binary(max_size=50), max_size=4),
)
def test_what_is_packed_is_unpacked(content, buffers):
    header, views = unpacked(packed({"widget": "x", "content": content}, buffers))
    assert header["content"] == content
    assert [bytes(view) for view in views] == buffers


def test_numbers_and_arrays_of_numpy_go_over_the_wire():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    header, (view,) = unpacked(packed({"content": {"n": np.int64(3)}}, [array]))
    assert header["content"] == {"n": 3}
    np.testing.assert_array_equal(np.frombuffer(view, np.float32).reshape(2, 3), array)


# --- Limits -------------------------------------------------------------------------------------


def test_more_pages_than_there_may_be_are_told_so(running, monkeypatch):
    monkeypatch.setattr(module, "MOST_PAGES", 2)
    pages = [running.page(), running.page()]
    for page in pages:
        page.hears("", "widgets")
    third = running.page()
    end, _ = third.hears("", "end")
    assert end["text"].startswith("2 pages are open already, the most at a time. Close one")
    assert third.run(third.talk.read_message) is None
    pages[0].close()
    wait_until(lambda: len(running.app.pages) == 1)
    fourth = running.page()
    fourth.hears("", "widgets")
    for page in (pages[1], fourth):
        page.close()


def test_a_page_that_is_closed_leaves_nothing_behind(running):
    from ipywidgets.widgets import widget as registry

    gc.collect()
    before = set(registry._instances)
    page = running.page()
    page.hears("", "widgets")
    page.uploads("tune.flac", tune())
    page.hears("live", "whole")
    (there,) = running.app.pages
    gone = [weakref.ref(widget) for widget in there.made.values()]
    there = weakref.ref(there)
    assert set(registry._instances) > before
    page.close()
    wait_until(lambda: not running.app.pages)
    wait_until(lambda: set(registry._instances) == before)
    # Neither the song nor anything else that a page holds stays in memory.
    wait_until(lambda: gc.collect() >= 0 and there() is None and not any(one() for one in gone))


def test_a_page_takes_only_so_many_songs(running, monkeypatch):
    monkeypatch.setattr(module, "MOST_UPLOADS", 2)
    page = running.page()
    page.hears("", "widgets")
    for number in (1, 1, 2):  # the first is announced twice: nobody had answered
        page.says("live", "upload", upload=number, name="x.wav", bytes=5)
        page.hears("live", "taken")
    page.says("live", "upload", upload=3, name="x.wav", bytes=5)
    end, _ = page.hears("", "end")
    assert end["text"].startswith("This page has taken 2 songs, the most that one page takes.")


def test_a_page_on_which_nothing_happens_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.4)
    running = Running(App(None, [Toy()], songs=tmp_path, port=0))
    page = running.page()
    end, _ = page.hears("", "end")
    assert end["text"].startswith("Nothing happened on this page for hours.")
    wait_until(lambda: not running.app.pages)
    running.end()


def test_a_message_that_is_too_large_ends_the_page_and_no_other(running):
    page, other = running.page(), running.page()
    page.hears("", "widgets")
    page.says("live", "chunk", b"\0" * 2_000_000, upload=1, at=0)
    assert page.run(page.talk.read_message) is None
    other.hears("", "widgets")
    other.says("live", "hello")
    other.hears("live", "welcome")
    other.close()


# --- Networks -----------------------------------------------------------------------------------


def test_without_a_network_the_page_says_what_to_do_and_takes_songs(tmp_path):
    running = Running(App(songs=tmp_path / "my-songs", port=0))
    assert not running.app.hears
    page = running.page()
    widgets, _ = page.hears("", "widgets")
    assert widgets["widgets"] == ["grow"]
    assert "songnet fetch musicnn" in widgets["notice"]
    assert "songnet train mini" in widgets["notice"]
    page.says("grow", "hello")
    assert page.hears("grow", "welcome")[0]["alone"]
    page.close()
    running.end()


def test_a_network_that_has_come_meanwhile_is_there_when_a_page_is_loaded(tmp_path, monkeypatch):
    running = Running(App(songs=tmp_path, port=0))
    monkeypatch.setattr(module, "networks_found", lambda: [Toy()])
    page = running.page()
    assert page.hears("", "widgets")[0]["widgets"] == ["live", "grow"]
    page.close()
    running.end()


def test_pages_share_a_network_and_see_that_it_was_trained_again(tmp_path, monkeypatch):
    loaded = []

    def load(source: str | Path) -> Toy:
        loaded.append(Path(source).name)
        return Toy("SongNet")

    monkeypatch.setattr(module, "_load", load)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.keras").write_bytes(b"")
    app = App(None, [tmp_path / "one", tmp_path / "two", "musicnn"], songs=tmp_path, port=0)
    first = app.networks()
    assert [network.name for network in first] == [
        *("SongNet (one)", "SongNet (two)", "SongNet (musicnn)"),
    ]
    assert all(a is b for a, b in zip(first, app.networks(), strict=True))
    os.utime(tmp_path / "two" / "model.keras", (1, 1))
    second = app.networks()
    assert loaded == ["one", "two", "musicnn", "two"]
    assert [a is b for a, b in zip(first, second, strict=True)] == [True, False, True]
    for one in app._sockets:
        one.close()


# --- The command --------------------------------------------------------------------------------


STARTING = "songnet: starting; the page's address comes in some seconds."


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which another program listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_in_use_is_said_in_one_line(taken, capfd):
    assert cli.main(["app", "--no-browser", "--port", str(taken)]) == 1
    out, error = capfd.readouterr()
    assert out == ""
    starting, line = error.splitlines()
    assert starting == STARTING
    assert line.startswith(f"songnet: port {taken}: is in use: another program listens there")
    assert f"songnet app --port {taken + 1}" in line


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--port", "70000"], "a whole number from 0 to 65535; got '70000'", 2),
        (["--port", "x"], "a whole number from 0 to 65535; got 'x'", 2),
        (["--corpus", "no/such"], "no/such: is not a corpus", 1),
        (["--run", "no/such"], "no/such", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, said, code, capfd):
    try:
        ended = cli.main(["app", "--no-browser", *arguments])
    except SystemExit as end:
        ended = end.code
    out, error = capfd.readouterr()
    assert (ended, out) == (code, "")
    assert said in error.splitlines()[-1]
    assert "Traceback" not in error


def test_the_port_is_free_again_after_an_error(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        with pytest.raises(SongNetError, match="is not a corpus"):
            App("no/such", [Toy()], port=port)


@pytest.mark.skipif(os.name == "nt", reason="a child cannot be sent Ctrl-C alone there")
def test_ctrl_c_ends_it_cleanly(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "songnet_utils", "app", "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SONGNET_DATA": str(tmp_path)},
        # As a terminal starts it: a shell's background job would ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    wait_until(lambda: answers(address))
    page = Page(address, {})
    assert "songnet fetch musicnn" in page.hears("", "widgets")[0]["notice"]
    process.send_signal(signal.SIGINT)
    assert page.hears("", "end")[0]["text"].startswith("songnet app was stopped.")
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    lines = error.splitlines()
    assert lines[0] == STARTING
    assert "There is no network on this machine yet" in lines[1]
    assert lines[2:] == [
        *("songnet: the page is at this address. Ctrl-C ends it.", "songnet: ended."),
    ]


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False
