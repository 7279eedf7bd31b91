"""The commands as people type them: what they print, where, and how they end."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import mutagen
import numpy as np
import pytest
from toys import tone_corpus
from tqdm.auto import tqdm

from songnet_utils import cli
from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli import corpora
from songnet_utils.cli.messages import note
from songnet_utils.training.runs import load_songnet

pytestmark = pytest.mark.usefixtures("data")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Path:
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", clips=10)


@pytest.fixture(scope="module")
def run(tones, data) -> Path:
    assert cli.main(["train", str(tones), "--epochs", "8"]) == 0
    return data / "runs" / "tones" / "songnet-random-0"


@pytest.fixture
def songnet(capfd):
    """Run a command in this process; return (exit code, stdout, stderr)."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            code = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return code, *capfd.readouterr()

    return run_command


def said(stderr: str) -> list[str]:
    """Return the lines that are left on stderr once progress bars have wiped themselves."""
    lines = [line.rsplit("\r", 1)[-1].strip() for line in stderr.split("\n")]
    return [line for line in lines if line]


def one_line(stderr: str) -> str:
    (line,) = said(stderr)
    return line


def test_every_command_has_help(songnet):
    code, whole, _ = songnet("--help")
    assert code == 0
    for command in cli.COMMANDS:
        code, out, _ = songnet(command, "--help")
        assert code == 0
        assert out.startswith(f"usage: songnet {command}")
        assert f"    {command}" in whole


def test_help_needs_nothing_heavy():
    program = (
        "import sys\nfrom songnet_utils import cli\n"
        "try:\n    cli.main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('numpy', 'tensorflow', 'keras', 'pandas', 'librosa')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["trian", "x"],
        ["train"],
        ["train", "x", "--epochs", "none"],
        ["train", "x", "--seed", "-1"],
        ["compare", "x", "--models", "svm,,chance"],
        ["classify", "x", "--run", "y", "--model", "musicnn"],
        ["classify", "x", "--json", "--csv"],
        ["fetch", "the moon"],
    ],
)
def test_misuse_takes_one_line(songnet, arguments):
    code, out, error = songnet(*arguments)
    assert (code, out) == (2, "")
    assert "--help" in one_line(error)


def test_train_says_what_came_out(songnet, tones, run):
    code, out, error = songnet("train", tones, "--model", "svm", "--split", "random")
    assert code == 0
    assert said(error) == []
    lines = out.splitlines()
    assert lines[0].startswith("svm on tones, random split: accuracy [95 % interval")
    assert lines[1].startswith("train      100.0%")
    assert lines[3].startswith("test       100.0%  [34.2% to 100.0%]  3 clips")
    assert lines[-1] == str(run.with_name("svm-random-0"))


def test_evaluate_prints_each_part_and_says_what_a_baseline_lacks(songnet, tones, run, tmp_path):
    code, out, error = songnet("evaluate", run, "--corpus", tones)
    assert (code, said(error)) == (0, [])
    assert out.startswith("songnet on tones, random split, seed 0: ")
    for part in ("macro average", "expected calibration error", "seconds of music"):
        assert part in out
    # The record says where the corpus is.
    assert songnet("evaluate", run)[:2] == (0, out)
    baseline = tmp_path / "svm"
    songnet("train", tones, "--model", "svm", "--out", baseline)
    code, out, error = songnet("evaluate", baseline)
    assert code == 1
    assert "macro average" in out
    assert "without probabilities" in one_line(error)


def test_kernels_prints_how_many_are_dead_and_where_the_page_is(songnet, tmp_path, monkeypatch):
    gallery = SimpleNamespace(title="The 768 kernels of SongNet", dead=3, twins=1, save=Path)
    monkeypatch.setattr("songnet_utils.widgets.kernels.gallery_of_run", lambda *_: gallery)
    code, out, error = songnet("kernels", tmp_path / "run")
    assert (code, error) == (0, "")
    told, page = out.splitlines()
    assert told == "The 768 kernels of SongNet: 3 dead, 1 pair of twins"
    assert page == str(tmp_path / "run" / "kernels")


def test_an_artist_split_without_artists_is_said(songnet, tones, tmp_path):
    code, _, error = songnet(
        "train", tones, "--model", "svm", "--split", "artist", "--out", tmp_path / "run"
    )
    assert code == 0
    assert any("30 of 30 clips name no artist" in line for line in said(error))


def test_a_finished_run_is_refused_in_one_line(songnet, tones, run):
    code, out, error = songnet("train", tones)
    assert (code, out) == (1, "")
    assert "--force" in one_line(error)


def test_left_out_genres_and_clips_are_named(songnet, tmp_path):
    folder = tone_corpus(tmp_path / "uneven", clips=5)
    for file in sorted((folder / "Noise").iterdir())[1:]:
        file.unlink()
    (folder / "High" / "notes.mp3").write_text("not a song")
    code, _, error = songnet("train", folder, "--model", "svm", "--out", tmp_path / "run")
    assert code == 0
    told = said(error)
    assert told[0].startswith("songnet: left out: Noise: 1 clip")
    assert "notes.mp3" in told[1]
    assert len(told) == 2


def test_a_folder_with_one_genre_and_an_empty_one(songnet, tmp_path):
    folder = tone_corpus(tmp_path / "one", genres=["High"], clips=4)
    code, out, error = songnet("train", folder)
    assert (code, out) == (1, "")
    assert "at least two" in one_line(error)
    (tmp_path / "empty").mkdir()
    for command in ("train", "features", "compare"):
        code, out, error = songnet(command, tmp_path / "empty")
        assert (code, out) == (1, "")
        assert str(tmp_path / "empty") in one_line(error)


def test_features_prepares_and_names_what_it_cannot(songnet, tones, tmp_path):
    code, out, _ = songnet("features", tones)
    assert (code, out) == (0, "tones: the frames of 30 clips are ready.\n")
    folder = tone_corpus(tmp_path / "damaged", genres=["High", "Low"], clips=2)
    (folder / "Low" / "empty.wav").write_bytes(b"")
    code, out, error = songnet("features", folder)
    assert code == 1
    assert "4 clips" in out
    assert "empty.wav" in one_line(error)


def test_corpora_lists_names_and_licences(songnet):
    code, out, _ = songnet("corpora")
    assert code == 0
    for name in ("mini", "fma_small", "fma_full"):
        assert name in out
    assert "CC BY" in out
    assert "ISMIR 2017" in out


def test_corpora_describes_one_corpus(songnet, tones):
    code, out, error = songnet("corpora", tones)
    assert (code, error) == (0, "")
    lines = out.splitlines()
    assert lines[1] == "30 clips of 0 known artists"
    assert "random split, seed 0: clips per genre; artists in two sets: 0" in lines
    assert "all       21           6     3" in lines
    assert "official split: the corpus has no official split." in lines
    assert "Citation: none required" in lines


def test_corpora_credits_every_clip(songnet, tones):
    code, out, error = songnet("corpora", tones, "--credits")
    assert (code, error) == (0, "")
    lines = [line.split("\t") for line in out.splitlines()]
    assert len(lines) == 30
    assert lines[0] == [
        "High/00.wav",
        "“00” by an unknown artist (tones/High/00.wav), licence unknown",
    ]
    code, out, error = songnet("corpora", "--credits")
    assert (code, out) == (1, "")
    assert "songnet corpora CORPUS --credits" in one_line(error)


def test_compare_prints_a_table_and_writes_json(songnet, tones, tmp_path):
    file = tmp_path / "results.json"
    code, out, _ = songnet(
        "compare",
        tones,
        "--models",
        "chance,svm",
        "--splits",
        "random",
        "--folds",
        "3",
        "--json",
        file,
    )
    assert code == 0
    assert "random split: 30 test clips" in out
    assert re.search(r"^svm +100\.0%", out, re.MULTILINE)
    (chance, svm) = json.loads(file.read_text())
    assert (chance["model"], svm["model"]) == ("chance", "svm")
    assert svm["clips"] == 30


@pytest.mark.parametrize("command", ["compare", "kernels"])
def test_where_results_go_is_checked_before_the_work(songnet, tones, tmp_path, command):
    (tmp_path / "index.html").write_text("mine")
    option = "--out" if command == "kernels" else "--json"
    # No run is there: without the check that would be the error.
    code, out, error = songnet(command, tmp_path / "nothing", option, tmp_path)
    assert (code, out) == (1, "")
    assert one_line(error).startswith(f"songnet: {tmp_path}")
    assert "nothing" not in one_line(error)


def test_a_working_folder_that_is_gone_is_an_error(songnet, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, out, error = songnet("train", "mini")
    assert (code, out) == (1, "")
    assert "has been deleted or moved" in one_line(error)


def test_a_comparison_that_lost_a_run_prints_the_others_and_fails(songnet, tones, monkeypatch):
    from songnet_utils.evaluation import compare as evaluation

    make = evaluation.Run.make

    def fragile(run, folder, **options):
        if run.model == "svm":
            raise SongNetError("the loss\nran away.")
        make(run, folder, **options)

    monkeypatch.setattr(evaluation.Run, "make", fragile)
    options = ("--models", "chance,svm", "--splits", "random", "--folds", "2")
    code, out, error = songnet("compare", tones, *options)
    assert code == 1
    assert re.search(r"^chance +\d", out, re.MULTILINE)
    lines = [line for line in error.splitlines() if line.startswith("songnet: failed")]
    assert lines == [
        f"songnet: failed: svm, random split, seed 0, fold {fold}: the loss ran away."
        for fold in (0, 1)
    ]


def test_classify_prints_one_json_object_a_file(songnet, tones, run):
    files = [tones / "High" / "00.wav", tones / "Noise" / "01.wav"]
    code, out, error = songnet("classify", *files, "--run", run, "--json")
    assert (code, error) == (0, "")
    net = load_songnet(run)
    for line, file in zip(out.splitlines(), files, strict=True):
        answer = json.loads(line)
        assert set(answer) == {
            *("file", "seconds", "genre", "probabilities", "network", "steps", "genres")
        }
        assert answer["file"] == str(file)
        assert answer["seconds"] == pytest.approx(3.0)
        assert answer["genre"] == file.parent.name
        assert answer["genres"] == list(net.genres) == list(answer["probabilities"])
        assert {"name", "training_music"} <= set(answer["network"])
        assert len(answer["steps"]) == net.timeline.steps_of_samples(3 * 22_050)
        starts = [step["start"] for step in answer["steps"]]
        assert starts == sorted(starts)
        mean = np.mean([step["probabilities"] for step in answer["steps"]], axis=0)
        np.testing.assert_allclose(mean, list(answer["probabilities"].values()), atol=1e-6)


def test_json_says_the_same_in_every_encoding_of_the_output(songnet, tones, run, tmp_path):
    file = tmp_path / "ジャズ, été 🎵.wav"
    shutil.copy(tones / "High" / "00.wav", file)
    code, out, error = songnet("classify", file, "--run", run, "--json")
    assert (code, error) == (0, "")
    assert out.isascii()
    assert json.loads(out)["file"] == str(file)


def test_classify_goes_on_after_a_bad_file(songnet, tones, run, tmp_path):
    bad = tmp_path / "text.mp3"
    bad.write_text("la la la")
    good = tones / "Low" / "00.wav"
    code, out, error = songnet("classify", bad, good, "--run", run, "--json")
    assert code == 1
    first, second = map(json.loads, out.splitlines())
    assert set(first) == {"file", "error"}
    assert first["file"] == str(bad)
    assert second["genre"] == "Low"
    assert "text.mp3" in one_line(error)
    code, out, error = songnet("classify", bad, good, "--run", run)
    assert code == 1
    assert f"{good}: Low (Low " in out
    assert "text.mp3" in one_line(error)


def test_classify_takes_folders_and_patterns_that_no_shell_has_expanded(songnet, tones, run):
    (tones / "Low" / "cover.jpg").write_bytes(b"x")
    code, out, error = songnet(
        *("classify", tones / "Low", tones / "High" / "0[0-2].wav", tones / "*.ogg"),
        *("--run", run, "--json"),
    )
    assert code == 1
    *answers, missing = map(json.loads, out.splitlines())
    low = [str(file) for file in sorted((tones / "Low").glob("*.wav"))]
    high = [str(tones / "High" / f"0{number}.wav") for number in range(3)]
    assert [answer["file"] for answer in answers] == [*low, *high]
    assert missing["file"] == str(tones / "*.ogg")
    beside, complaint = said(error)
    assert "1 file with another ending" in beside
    assert "matches this pattern" in complaint
    (tones / "Low" / "cover.jpg").unlink()


def test_a_folder_has_the_answers_of_its_songs_one_by_one(songnet, tones, run):
    code, out, error = songnet("classify", tones, "--run", run, "--json")
    assert (code, error) == (0, "")
    together = [json.loads(line) for line in out.splitlines()]
    assert len(together) == 30
    for answer in together[::7]:
        _, out, _ = songnet("classify", answer["file"], "--run", run, "--json")
        assert json.loads(out) == answer


def test_classify_prints_a_table_of_the_top_three(songnet, tones, run, tmp_path):
    bad = tmp_path / "text, not music.mp3"
    bad.write_text("la la la")
    code, out, error = songnet("classify", tones / "Low", bad, "--run", run, "--csv")
    assert code == 1
    *rows, last = csv.DictReader(out.splitlines())
    assert "text, not music.mp3" in one_line(error)
    assert last["file"] == str(bad)
    assert last["genre"] == ""
    assert "text, not music.mp3" in last["error"]
    assert [row["file"] for row in rows] == [str(path) for path in sorted(tones.glob("Low/*"))]
    for row in rows:
        assert row["error"] == ""
        assert float(row["seconds"]) == pytest.approx(3)
        assert {row["genre"], row["genre_2"], row["genre_3"]} == {"High", "Low", "Noise"}
        shares = [float(row[name]) for name in ("probability", "probability_2", "probability_3")]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=2e-4)


def test_a_library_gets_a_playlist_and_tags_that_can_be_undone(songnet, tones, run, tmp_path):
    music = shutil.copytree(tones, tmp_path / "music")
    contents = {path: path.read_bytes() for path in music.rglob("*.wav")}
    locked = music / "Low" / "00.wav"
    locked.chmod(0o444)
    playlist = tmp_path / "all.m3u8"
    code, out, error = songnet(
        *("classify", music, "--run", run, "--csv", "--playlist", playlist, "--write-tags")
    )
    assert code == 1
    genre = {row["file"]: row["genre"] for row in csv.DictReader(out.splitlines())}
    refused, listed, undo = said(error)
    assert f"{locked}: is read-only" in refused
    assert f"{playlist}: a playlist of {len(contents)} songs" in listed
    lines = playlist.read_text("utf-8").splitlines()
    songs = [str((tmp_path / line).resolve()) for line in lines if not line.startswith("#")]
    assert sorted(songs) == sorted(genre)
    assert [genre[song] for song in songs] == sorted(genre.values())
    for path in contents.keys() - {locked}:
        assert mutagen.File(path).tags["TCON"].text == [genre[str(path)]]
    assert locked.read_bytes() == contents[locked]
    code, out, error = songnet(*undo.split("songnet ", 2)[-1].split())
    assert (code, error) == (0, "")
    assert len(out.splitlines()) == len(contents) - 1
    assert {path: path.read_bytes() for path in contents} == contents
    code, out, error = songnet(*undo.split("songnet ", 2)[-1].split())
    assert (code, out) == (0, "")
    assert "nothing to restore" in error


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["classify", "--undo-tags", "changes.csv", "--playlist", "all.m3u8"], "--undo-tags"),
        (["fetch", "mini", "--sample", "3"], "--sample"),
        (["fetch", "musicnn", "--base-url", "https://example.org"], "--base-url"),
    ],
)
def test_an_option_without_effect_is_refused(songnet, words, option):
    code, out, error = songnet(*words)
    assert (code, out) == (1, "")
    assert option in error


def test_a_slip_overwrites_neither_a_song_nor_a_playlist(songnet, tones, run, tmp_path):
    song = shutil.copy(tones / "High" / "00.wav", tmp_path)
    content = Path(song).read_bytes()
    for words in (["classify", song, "--run", run, "--playlist"], ["compare", tones, "--json"]):
        code, _, error = songnet(*words, song)
        assert code == 1
        assert "so that no other file is overwritten" in error
        assert Path(song).read_bytes() == content
    playlist = tmp_path / "old.m3u8"
    playlist.write_text("#EXTM3U\nsong.mp3\n")
    assert songnet("classify", tmp_path / "none.wav", "--run", run, "--playlist", playlist)[0] == 1
    assert playlist.read_text() == "#EXTM3U\nsong.mp3\n"


def test_classify_takes_musicnn_unless_told_otherwise_and_says_so(songnet, tones):
    code, out, error = songnet("classify", tones / "High" / "00.wav")
    assert (code, error) == (0, "")
    assert "musicnn (Pons & Serra, 2019)" in out.splitlines()[0]
    assert "never answers that" in out.splitlines()[0]


def test_an_answer_starts_neither_keras_nor_what_else_is_slow(tones, run):
    """Each takes seconds and hundreds of megabytes."""
    slow = {"tensorflow", "keras", "sklearn", "librosa", "numba", "matplotlib", "onnx"}
    program = (
        "import sys\n"
        "from songnet_utils import cli\n"
        "assert cli.main(['classify', *sys.argv[1:]]) == 0\n"
        f"print({slow!r} & set(sys.modules))"
    )
    for options in (["--model", "musicnn"], ["--run", run]):
        command = [sys.executable, "-c", program, tones / "High" / "00.wav", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "set()"


def test_classify_with_an_unfinished_run(songnet, tones, tmp_path):
    code, out, error = songnet("classify", tones / "High" / "00.wav", "--run", tmp_path)
    assert (code, out) == (1, "")
    assert "not a finished run" in one_line(error)


def test_classify_real_songs(songnet, shared_fma, run):
    songs = sorted((shared_fma / "fma_small" / "000").glob("*.mp3"))[:2]
    code, out, error = songnet("classify", *songs, "--run", run, "--json")
    assert (code, error) == (0, "")
    for line in out.splitlines():
        answer = json.loads(line)
        assert answer["seconds"] == pytest.approx(30, abs=0.1)
        # The song's rate is not the network's: a step waits for the resampler too.
        assert answer["steps"][0]["start"] < 0 < answer["steps"][0]["end"]


def test_python_m_runs_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "songnet_utils.cli", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: songnet")
    assert done.stderr == ""


def test_train_help_names_every_model(songnet):
    from songnet_utils.models.baselines import BASELINES
    from songnet_utils.models.registry import NETWORKS

    _, out, _ = songnet("train", "--help")
    words = " ".join(out.replace("-\n", "-").split())
    for model in (*NETWORKS, *BASELINES):
        # -518 and -meta are said once for all.
        assert model.removesuffix("-518").removesuffix("-meta") in words.replace("- ", "-")


# --- What commands print to -------------------------------------------------------------------


@pytest.fixture
def shell(tmp_path, data) -> Callable[..., tuple[int, bytes, bytes]]:
    """Run a command with redirections of a shell; return (exit code, stdout, stderr)."""

    def run(*arguments: object, redirected: str = "", **environment: str):
        program = [sys.executable, "-m", "songnet_utils.cli", *map(str, arguments)]
        done = subprocess.run(
            ["sh", "-c", f'exec "$@" {redirected}', "sh", *program],
            cwd=ROOT,
            env={**os.environ, "SONGNET_DATA": str(data), **environment},
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.mark.parametrize(
    ("command", "redirected"),
    [("--help", ">&-"), pytest.param("corpora", ">/dev/full", marks=full)],
)
def test_what_could_not_be_printed_is_an_error_in_one_line(shell, command, redirected):
    code, _, error = shell(command, redirected=redirected)
    assert code == 1
    (line,) = error.decode().splitlines()
    assert line.startswith("songnet: standard output: ")


@pytest.mark.parametrize("redirected", ["2>&-", pytest.param("2>/dev/full", marks=full), "<&-"])
def test_answers_are_whole_without_the_other_streams(shell, redirected):
    code, out, error = shell("--help", redirected=redirected)
    assert (code, error) == (0, b"")
    assert b"evaluate" in out


def test_a_reader_that_has_gone_is_no_error(shell):
    _, _, error = shell("--help", redirected="| true")
    assert error == b""


def test_what_an_encoding_lacks_is_replaced(shell):
    code, out, error = shell("train", "--help", PYTHONIOENCODING="ascii")
    assert (code, error) == (0, b"")
    assert b"mini, fma_small, ? or a folder" in b" ".join(out.split())


# --- Progress bars -----------------------------------------------------------------------------


def shown(printed: str) -> list[str]:
    """Return the lines that a terminal shows in the end."""
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\n|\r|\x1b\[A)", printed):
        if part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row == len(lines))
        elif part == "\r":
            column = 0
        elif part == "\x1b[A":
            row -= 1
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + part + line[column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("end", [SongNetError("it failed."), KeyboardInterrupt()])
def test_an_error_has_a_line_of_its_own_whatever_bars_are_shown(monkeypatch, capfd, end):
    def work(**options):
        with tqdm(total=3, desc="outer", leave=False):
            for _ in tqdm(range(3), desc="a bar of a loop", leave=False):
                note("a note.")
                raise end

    monkeypatch.setattr(corpora, "run", work)
    assert cli.main(["corpora"]) != 0
    printed = capfd.readouterr().err
    lines = [line for line in shown(printed) if line]
    assert lines[0] == "songnet: a note."
    assert lines[1].startswith("songnet: ")
    assert len(lines) == 2
    # Nothing is drawn after it.
    assert printed.endswith(lines[1] + "\n")
