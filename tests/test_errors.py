"""What people get wrong is said: values of the wrong kind, seeds, and names with a slip in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toys import tone_corpus

from songnet_utils import SongStream, cli, load_songnet, open_corpus
from songnet_utils._utils.errors import SongNetError, did_you_mean
from songnet_utils.corpora import table
from songnet_utils.corpora.fetch.fma import fetch_fma
from songnet_utils.corpora.splits import folds, keep_genres, split
from songnet_utils.evaluation.compare import compare
from songnet_utils.features import feature_set
from songnet_utils.models.baselines import fit_baseline
from songnet_utils.training.recipe import check_model
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import train

CLIPS = table(
    [
        {"id": f"{genre}/{number}", "genre": genre, "file": "none.wav", "artist": f"A{number}"}
        for genre in ("Hip-Hop", "Rock")
        for number in range(10)
    ]
)


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """An empty data folder and working folder: nothing that is refused gets far."""
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


NO_PATHS = [None, 3, 0.5, True, [], ["mini"], {}, b"mini", Path]


@pytest.mark.parametrize("wrong", NO_PATHS, ids=str)
@pytest.mark.parametrize("function", [load_songnet, open_corpus, read_record, train, compare])
def test_what_is_no_name_and_no_path_is_refused(function, wrong):
    with pytest.raises(SongNetError, match=r"path|folder"):
        function(wrong)


@pytest.mark.parametrize("wrong", [None, 3, "musicnn", "run", np.zeros(3)], ids=str)
def test_a_stream_needs_a_network(wrong):
    with pytest.raises(SongNetError, match="what load_songnet returns"):
        SongStream(wrong)


@pytest.mark.parametrize("wrong", [None, 3, ["svm"], b"svm"], ids=str)
def test_what_is_no_name_of_a_model_or_a_split_is_refused(wrong):
    # None is the usual model.
    if wrong is not None:
        with pytest.raises(SongNetError, match="model"):
            train("mini", wrong)
    with pytest.raises(SongNetError, match="split"):
        train("mini", split=wrong)
    with pytest.raises(SongNetError, match="split"):
        split(CLIPS, wrong)


@pytest.mark.parametrize("wrong", ["svm", 3, [None], [["svm"]], b"svm"], ids=str)
def test_one_name_is_no_list_of_names(wrong):
    for options in ({"models": wrong}, {"splits": wrong}):
        with pytest.raises(SongNetError, match="must be a list of names"):
            compare("mini", **options)
    # A text with commas between is a list of genres, as on the command line.
    said = "no clips of the genre svm" if wrong == "svm" else "genres must be a list of names"
    with pytest.raises(SongNetError, match=said):
        keep_genres(CLIPS, wrong)


# --- Seeds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30, 1.5, "1", None, True], ids=str)
def test_a_seed_out_of_range_is_said_with_the_range(seed):
    for attempt in (
        lambda: train("no corpus is looked for", seed=seed),
        lambda: split(CLIPS, seed=seed),
        lambda: folds(CLIPS, seed=seed),
        lambda: fit_baseline("chance", np.zeros((2, 1)), ["a", "b"], seed=seed),
    ):
        with pytest.raises(SongNetError, match="from 0 to 4294967295"):
            attempt()


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(3)], ids=str)
def test_every_seed_in_range_serves(seed):
    assert set(split(CLIPS, seed=seed)) == {"train", "validation", "test"}
    fit_baseline("mlp", np.eye(2), ["a", "b"], seed=seed)


@pytest.mark.parametrize("seed", ["-1", "4294967296", "1e3", "one"])
def test_commands_say_the_range_of_seeds(capsys, seed):
    with pytest.raises(SystemExit, match="2"):
        raise SystemExit(cli.main(["train", "mini", f"--seed={seed}"]))
    (line,) = capsys.readouterr().err.splitlines()
    assert "a whole number from 0 to 4294967295" in line


# --- Names -------------------------------------------------------------------------------------


def test_only_a_near_name_is_suggested():
    names = ("mini", "fma_small", "fma_sample")
    assert did_you_mean("min", names) == " Did you mean mini?"
    assert did_you_mean("fma_smal", names) == " Did you mean fma_small?"
    assert did_you_mean("jazz", names) == did_you_mean("", names) == did_you_mean("x", ()) == ""


@pytest.mark.parametrize(
    ("attempt", "meant"),
    [
        (lambda: open_corpus("min"), "mini"),
        (lambda: open_corpus("fma_smal"), "fma_small"),
        (lambda: open_corpus("musik/mysongs"), "my-songs"),
        (lambda: train("mini", "songent"), "songnet"),
        (lambda: check_model("svm-512"), "svm-518"),
        (lambda: check_model("songent~batch-norm"), "songnet"),
        (lambda: check_model("songnet~batchnorm"), "batch-norm"),
        (lambda: compare("mini", ["svm", "songet-plus"]), "songnet-plus"),
        (lambda: compare("mini", splits=["artists"]), "artist"),
        (lambda: compare("mini", subset="tests"), "test"),
        (lambda: train("mini", split="offical"), "official"),
        (lambda: split(CLIPS, "randm"), "random"),
        (lambda: keep_genres(CLIPS, ["HipHop", "Rock"]), "Hip-Hop"),
        (lambda: load_songnet("musik/my-song"), "my-songs"),
        (lambda: read_record("musik/my-song"), "my-songs"),
        (lambda: feature_set("tzanetaki"), "tzanetakis"),
        (lambda: fetch_fma("fma_larg"), "fma_large"),
    ],
)
def test_the_nearest_name_is_suggested(tmp_path, attempt, meant):
    (tmp_path / "musik" / "my-songs").mkdir(parents=True)
    with pytest.raises(SongNetError, match=rf" Did you mean {meant}\?"):
        attempt()


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["trian", "mini"], "train"),
        (["fetch", "fma_metdata"], "fma_metadata"),
        (["fetch", "musicn"], "musicnn"),
        (["classify", "x.mp3", "--model", "musicn"], "musicnn"),
        (["train", "min"], "mini"),
        (["features", "min"], "mini"),
        (["train", "tones", "--genres", "Hihg,Low"], "High"),
        (["features", "tones", "--sets", "mffc"], "mfcc"),
        (["evaluate", "tons"], "tones"),
        (["classify", "x.mp3", "--run", "tons"], "tones"),
    ],
)
def test_commands_suggest_it_too(tmp_path, capsys, arguments, meant):
    tone_corpus(tmp_path / "tones", clips=1, seconds=0.1)
    try:
        code = cli.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert f" Did you mean {meant}?" in line
