"""The server of `songnet app` without a browser: what it serves, keeps and refuses."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import psutil
import pytest
import soundfile
from toys import RATE

from songnet_utils import cli
from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import OwnSongs, own
from songnet_utils.widgets.app import App

pytestmark = pytest.mark.usefixtures("data")

ROOT = Path(__file__).resolve().parents[1]
ENDED = ["songnet: the page is at this address. Press Ctrl-C to stop it.", "songnet: ended."]


def tune(seconds: float = 4.0, seed: int = 0) -> bytes:
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    soundfile.write(file, samples.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


class Running:
    """A server, in this process or another, and requests to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = urlsplit(address).port
        self.token = address.split("?token=")[1]

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict, str]:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def get(self, name: str, **headers: str) -> tuple[int, dict, str]:
        return self.ask(f"/{self.token}/{name}", **headers)

    def keep(self, body: bytes, **told: str) -> tuple[int, str]:
        status, _, text = self.ask(self.keeping(**told), body)
        return status, text

    def keeping(self, **told: str) -> str:
        return f"/keep?{urlencode({'token': self.token, **told})}"

    def connection(self, head: str) -> socket.socket:
        """Send the head of a request, and nothing more."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        return connection

    def post(self, path: str, size: int, host: str = "") -> socket.socket:
        host = host or f"127.0.0.1:{self.port}"
        return self.connection(f"POST {path} HTTP/1.1\nHost: {host}\nContent-Length: {size}")


@pytest.fixture
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnSongs:
    songs = OwnSongs(tmp_path / "my-songs")
    monkeypatch.setattr("songnet_utils.corpora.own_songs", lambda: songs)
    return songs


@pytest.fixture
def running(songs: OwnSongs) -> Iterator[Running]:
    app = App(port=0)
    thread = threading.Thread(target=app.serve, kwargs={"browser": False}, daemon=True)
    thread.start()
    yield Running(app.address)
    app.shutdown()
    thread.join(30)
    assert not thread.is_alive()


def start(tmp_path: Path) -> tuple[subprocess.Popen, Running]:
    """Start the command in a process of its own, with its own temporary files and data."""
    for name in ("tmp", "data"):
        (tmp_path / name).mkdir(exist_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "-X", "importtime", "-m", "songnet_utils.cli"),
            *("app", "--no-browser", "--port", "0"),
        ],
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SONGNET_DATA": str(tmp_path / "data"),
            "TMPDIR": str(tmp_path / "tmp"),
        },
        # As a terminal starts it: a shell's background job would ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    return process, Running(process.stdout.readline().strip())


@pytest.fixture
def command(tmp_path: Path, medley) -> Iterator[tuple[subprocess.Popen, Running]]:
    medley(tmp_path / "data")
    process, running = start(tmp_path)
    yield process, running
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=30)


def said(tmp_path: Path) -> list[str]:
    lines = (tmp_path / "stderr").read_text().splitlines()
    return [line for line in lines if not line.startswith("import time")]


def memory(process: int | None = None) -> float:
    return psutil.Process(process).memory_info().rss / 1e6


# --- What it serves -------------------------------------------------------------------------------


def test_the_page_and_what_it_loads_come_from_here_alone(running):
    status, headers, text = running.ask(f"/?token={running.token}")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    rules = dict(
        rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";")
    )
    assert rules["default-src"] == rules["form-action"] == rules["frame-ancestors"] == "'none'"
    for rule in rules.values():
        assert not re.search(r"https?:|\*", rule)
    assert headers["Referrer-Policy"] == "no-referrer"
    assert f'data-base="/{running.token}/"' in text
    for name in ("songnet.js", "manifest.js", "assets/ort.wasm.js"):
        status, headers, _ = running.get(name)
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    manifest = running.get("manifest.js")[2]
    told = json.loads(re.fullmatch(r"SongNetPage\.assets\.manifest\((.*)\);\n", manifest)[1])
    assert told["keep"] == f"/keep?token={running.token}"
    assert [network["name"] for network in told["networks"]] == ["songnet-mini", "musicnn"]
    assert told["clips"][0]["medley"][0]["start"] == 0
    for name in ("app.py", "../cli.py", "assets/clips/99.mp3.js", "assets/../app.py.js", ""):
        assert running.get(name)[0] == 404
    assert running.keep(b"")[0] == 422
    assert running.ask(f"/elsewhere?token={running.token}", b"x")[0] == 404


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=x", "/x/songnet.js", "/songnet.js"])
def test_who_does_not_know_the_token_is_refused(running, songs, path):
    assert running.ask(path)[0] == 403
    status, _, text = running.ask("/keep?genre=Folk", tune())
    assert (status, "token included" in text) == (403, True)
    assert not songs.folder.exists()


def test_other_names_and_other_pages_are_refused(running, songs):
    page_path, port = f"/?token={running.token}", running.port
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "[", ""):
        assert running.ask(page_path, Host=host)[0] == 403
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        assert running.ask(page_path, Host=host)[0] == 200
        assert running.ask(page_path, Host=host, Origin=f"http://{host}")[0] == 200
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{port + 1}"},
        {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"},
    ):
        assert running.ask(page_path, **headers)[0] == 403
        assert running.ask(running.keeping(genre="Folk"), tune(), **headers)[0] == 403
    assert not songs.folder.exists()


# --- What it keeps --------------------------------------------------------------------------------


def test_a_song_is_kept_with_what_is_said_of_it(running, songs):
    content = tune()
    told = {"genre": "Hip-Hop & Räp", "title": "A “tune”", "artist": "Ω", "name": "../x.flac"}
    status, text = running.keep(content, **told)
    (row,) = songs_of(songs)
    assert (status, text) == (200, f"“A “tune”” by Ω is saved as {row.file}")
    assert (row.genre, row.title, row.artist) == ("Hip-Hop & Räp", "A “tune”", "Ω")
    assert Path(row.file).read_bytes() == content
    status, text = running.keep(content, genre="Folk")
    assert (status, "is there already" in text) == (422, True)


def songs_of(songs: OwnSongs) -> list:
    from songnet_utils.corpora import open_corpus

    return list(open_corpus(songs.folder).clips.itertuples())


@pytest.mark.parametrize(
    ("body", "told", "said"),
    [
        (b"la la la" * 99, {"genre": "Folk", "name": "x.mp3"}, "x.mp3: is not a sound file"),
        (b"", {"genre": "Folk"}, "the song: the file is empty"),
        (tune(2.0), {"genre": "Folk"}, "lasts only 2.00 s, but a song needs at least 3 s"),
        (tune(), {"genre": "../Folk"}, "is not a name for a genre"),
        (tune(), {}, "is not a name for a genre"),
    ],
)
def test_what_cannot_be_kept_is_said_and_leaves_nothing(running, songs, body, told, said):
    status, text = running.keep(body, **told)
    assert status == 422
    assert said in text
    assert not songs.folder.exists()


def test_a_song_too_large_is_refused_before_it_comes(running):
    for size, status in ((own.MOST_BYTES + 1, 413), (10**40, 413)):
        with running.post(running.keeping(genre="Folk"), size) as connection:
            assert connection.recv(99).decode().split()[1] == str(status)
    head = f"POST {running.keeping()} HTTP/1.1\nHost: 127.0.0.1:{running.port}"
    with running.connection(head) as connection:
        assert connection.recv(99).decode().split()[1] == "413"


def test_a_song_that_is_cut_off_leaves_nothing(running, songs, capfd):
    with running.post(running.keeping(genre="Folk"), 9_000_000) as connection:
        connection.sendall(bytes(4_000_000))
    time.sleep(0.3)
    assert running.keep(tune(), genre="Folk")[0] == 200
    assert len(songs_of(songs)) == 1
    assert capfd.readouterr().err == ""


# --- Faults of the app that it replaces -----------------------------------------------------------


def test_no_byte_of_a_body_is_read_before_it_is_known_who_asks(running):
    before = memory()
    for path, host in (
        (running.keeping(genre="Folk"), "evil.example"),
        ("/keep?token=guessed", ""),
        (f"/elsewhere?token={running.token}", ""),
    ):
        # The answer comes though nothing was sent.
        with running.post(path, 99_000_000, host) as connection:
            assert connection.recv(99).decode().split()[1] in ("403", "404")
        with running.post(path, 99_000_000, host) as connection:
            try:
                for _ in range(99):
                    connection.sendall(bytes(1_000_000))
            except ConnectionError:
                continue
            pytest.fail("all of it was taken")
    assert memory() - before < 30


def test_a_song_on_its_way_is_not_held_in_memory(command):
    process, running = command
    assert running.keep(tune(), genre="Folk")[0] == 200
    assert running.get("assets/clips/0.mp3.js")[0] == 200
    before = memory(process.pid)
    ways = [running.post(running.keeping(genre="Folk"), 99_000_000) for _ in range(4)]
    for way in ways:
        for _ in range(24):
            way.sendall(bytes(1_000_000))
    assert memory(process.pid) - before < 40
    for way in ways:
        way.close()


def test_a_tab_that_is_closed_leaves_no_traceback(command, tmp_path):
    process, running = command
    for name in ("assets/ort.wasm.js", "manifest.js"):
        for _ in range(5):
            head = f"GET /{running.token}/{name} HTTP/1.1\nHost: 127.0.0.1:{running.port}"
            with running.connection(head) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, *[0] * 7]))
    with running.connection("GET /"):
        pass
    assert running.get("manifest.js")[0] == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert said(tmp_path) == ENDED


def test_a_program_that_is_killed_leaves_nothing_behind(command, tmp_path):
    process, running = command
    assert running.keep(tune(), genre="Folk")[0] == 200
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with running.post(running.keeping(genre="Folk"), 50_000_000) as connection:
        connection.sendall(bytes(13_000_000))
        time.sleep(0.3)
        process.kill()
        process.wait()
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.name for path in after - before} <= {"medley-1.mp3"}
    assert not list((tmp_path / "tmp").iterdir())


# --- The command ----------------------------------------------------------------------------------


def test_it_is_small_and_starts_nothing_heavy(tmp_path):
    process, running = start(tmp_path)
    try:
        # What the page asks for before it can listen.
        network = "assets/networks/songnet-mini.onnx.js"
        for name in ("songnet.js", "manifest.js", "assets/ort.wasm.js", network):
            assert running.get(name)[0] == 200
        assert running.keep(tune(), genre="Folk")[0] == 200
        assert running.get("assets/clips/0.mp3.js")[0] == 200
        megabytes = memory(process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert megabytes < 250
    lines = (tmp_path / "stderr").read_text()
    modules = set(re.findall(r"\| +([\w.]+)$", lines, re.MULTILINE))
    assert "songnet_utils.widgets.app" in modules
    assert not {"tensorflow", "keras", "librosa", "matplotlib"} & modules


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
    (line,) = error.splitlines()
    assert line.startswith(f"songnet: port {taken}: is in use by another program")
    assert f"songnet app --port {taken + 1}" in line


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--port", "70000"], "a whole number from 0 to 65535. Got '70000'", 2),
        (["--port", "x"], "a whole number from 0 to 65535. Got 'x'", 2),
        (["--port", "0", "--run", "no/such"], "no/such: there is no such folder", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, said, code, capfd):
    try:
        ended = cli.main(["app", "--no-browser", *arguments])
    except SystemExit as end:
        ended = end.code
    out, error = capfd.readouterr()
    assert (ended, out) == (code, "")
    (line,) = error.splitlines()
    assert said in line


def test_the_port_is_free_again_after_an_error():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        with pytest.raises(SongNetError, match="there is no such folder"):
            App(["no/such"], port=port)


@pytest.mark.skipif(os.name == "nt", reason="a child cannot be sent Ctrl-C alone there")
def test_ctrl_c_ends_it_cleanly(command, tmp_path):
    process, running = command
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", running.address)
    assert running.ask(f"/?token={running.token}")[0] == 200
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert said(tmp_path) == ENDED
