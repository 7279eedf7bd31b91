"""Training that starts from a run's weights: what it takes over, and what it may be tested on."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import RATE, tone_corpus

from songnet_utils import cli
from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import OwnSongs, open_corpus, table
from songnet_utils.corpora.splits import UntestedError, split_unseen
from songnet_utils.corpora.table import name_key
from songnet_utils.training.fine_tuning import Parent
from songnet_utils.training.recipe import Recipe, recipe_of
from songnet_utils.training.runs import load_songnet, read_answers, read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")

QUICK = Recipe(epochs=8, crop_seconds=2.0, batch=8)
BRIEF = Recipe(epochs=1, crop_seconds=2.0, batch=8, learning_rate=1e-4)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Path:
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones")


@pytest.fixture(scope="module")
def run(tones) -> Path:
    return train(str(tones), recipe=QUICK, progress=False)


@pytest.fixture
def own(tmp_path) -> OwnSongs:
    return OwnSongs(tmp_path / "my-songs")


def whistle(seed: int) -> bytes:
    """A high tone that trembles: a network that knows only steady tones takes it for High."""
    random, time = np.random.default_rng(seed), np.arange(3 * RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 6_000 * random.uniform(0.9, 1.1) * time)
    sound *= 1 + 0.5 * np.sin(2 * np.pi * 8 * time)
    return flac(sound + 0.001 * random.normal(size=len(time)))


def rumble(seed: int) -> bytes:
    return flac(np.random.default_rng(seed).normal(0, 0.05, 3 * RATE).cumsum() * 0.01)


def flac(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.clip(sound, -1, 1).astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def bring(songs: OwnSongs, numbers: range) -> None:
    for number in numbers:
        songs.add(whistle(number), "Whistle", artist=f"Whistler {number}")
        songs.add(rumble(number), "Low", artist=f"Drummer {number}")


def sha256(file: str | Path) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def tuned(own: OwnSongs, start: Path, out: Path, **options) -> Path:
    options = {"recipe": BRIEF, **options}
    return train(str(own.folder), start=start, out=out, progress=False, **options)


# --- What it takes over -------------------------------------------------------------------------


def test_it_starts_from_the_weights_and_new_genres_start_fresh(run, own, tmp_path):
    bring(own, range(6))
    before = contents(run)
    still = Recipe(epochs=1, crop_seconds=2.0, batch=8, learning_rate=1e-12)
    child = tuned(own, run, tmp_path / "child", recipe=still)
    assert contents(run) == before
    parent_net, net = load_songnet(run), load_songnet(child)
    assert net.genres == ("Low", "Whistle")
    old, new = (one.keras_model.get_weights() for one in (parent_net, net))
    for a, b in zip(old[:-2], new[:-2], strict=True):
        # Batch norm's means move, whatever the learning rate is.
        if a.ndim > 1:
            np.testing.assert_allclose(a, b, atol=1e-6)
    low = parent_net.genres.index("Low")
    np.testing.assert_allclose(old[-2][:, low], new[-2][:, 0], atol=1e-6)
    np.testing.assert_allclose(old[-1][low], new[-1][0], atol=1e-6)
    for genre in range(3):
        assert np.abs(old[-2][:, genre] - new[-2][:, 1]).max() > 0.01


def test_the_run_is_one_like_any_other_and_says_where_it_started(run, own, tmp_path):
    bring(own, range(6))
    child = tuned(own, run, tmp_path / "child")
    assert {path.name for path in child.iterdir()} == {
        *("model.keras", "model.onnx", "record.json", "answers.csv", "trained-on-before.csv")
    }
    record = read_record(child)
    assert record["from"] == {"run": str(run), "network": sha256(run / "model.keras")[:16]}
    assert record["arguments"]["from"] == record["from"]
    assert set(record) - set(read_record(run)) == {"from"}
    music = load_songnet(child).training_music
    assert music.startswith(f"{load_songnet(run).training_music}, then ")
    assert music.endswith(" clips of 2 genres of my-songs")


def test_it_learns_slowly_in_a_folder_of_its_own_and_goes_on_where_it_was(run, own, capfd):
    bring(own, range(6))
    options = ["train", str(own.folder), "--from", str(run), "--epochs", "2"]
    assert cli.main(options) == 0
    out = capfd.readouterr().out.splitlines()
    folder = Path(out[-1])
    assert folder.name == f"songnet-random-0-from-{sha256(run / 'model.keras')[:6]}"
    assert out[0].startswith(f"songnet on my-songs, random split, from {run}: accuracy")
    recipe = read_record(folder)["recipe"]
    assert recipe["learning_rate"] == pytest.approx(recipe_of("songnet").learning_rate / 5)
    assert cli.main(options) == 1
    assert "has a finished run" in capfd.readouterr().err


def test_what_it_answers_gets_better(run, own, tmp_path):
    bring(own, range(10))
    child = tuned(own, run, tmp_path / "child", recipe=QUICK)
    assert read_record(child)["train"]["accuracy"] > 0.8


def test_songnet_transfer_goes_on_too(own, tmp_path):
    folder = tone_corpus(tmp_path / "tones", clips=5, seconds=4.0)
    first = train(
        str(folder), "songnet-transfer", recipe=QUICK, out=tmp_path / "first", progress=False
    )
    for number in range(4):
        for genre in ("Low", "New"):
            samples = np.random.default_rng(number + 10 * (genre == "New")).normal(0, 0.1, 4 * RATE)
            own.add(flac(samples), genre)
    child = tuned(own, first, tmp_path / "child")
    assert read_record(child)["model"] == "songnet-transfer"
    assert load_songnet(child).genres == ("Low", "New")


# --- What it is tested on -------------------------------------------------------------------------


def trained_and_tested(folder: Path) -> tuple[set[str], set[str]]:
    answers = read_answers(folder)
    tested = answers.set == "test"
    return set(answers.content[~tested]), set(answers.content[tested])


def test_nothing_that_is_tested_was_trained_on_before(run, tones, own, tmp_path):
    """Whatever was relabelled, copied or given another artist, by parents and their parents."""
    files = open_corpus(tones).clips.set_index("id").file
    answers = read_answers(run).set_index("id")
    trained, _ = trained_and_tested(run)
    assert trained == {sha256(files[clip]) for clip in answers.index[answers.set != "test"]}
    copied = answers.index[(answers.set != "test") & (answers.genre == "High")]
    for number, clip in enumerate(copied):
        copy = tmp_path / f"copy {number}.wav"
        shutil.copy(files[clip], copy)
        own.add(copy.read_bytes(), "Low", artist=f"Copy {number}")
    bring(own, range(6))
    # One of those whose song was trained on has a new song, too.
    new = own.add(whistle(100), "Whistle", artist="copy 0")
    first = tuned(own, run, tmp_path / "first", split="artist")
    first_trained, first_tested = trained_and_tested(first)
    assert first_tested
    assert not first_tested & trained
    assert new.file.stem in first_trained
    # All that it was trained on gets other artists and genres; and some songs come.
    for file in sorted(own.folder.glob("*/*.*")):
        if file.stem in first_trained:
            content = file.read_bytes()
            file.unlink()
            own.add(content, "Low" if file.parent.name == "Whistle" else "Whistle", artist="Other")
    bring(own, range(10, 16))
    shutil.rmtree(tmp_path / "copies", ignore_errors=True)
    second = tuned(own, first, tmp_path / "second", seed=3)
    second_trained, second_tested = trained_and_tested(second)
    assert second_tested
    assert not second_tested & (trained | first_trained)
    third = Parent.of(second).trained_on
    assert set(third.content) == trained | first_trained | second_trained


def clips_of(artists: list[str | None], genres: list[str], contents: list[str]) -> pd.DataFrame:
    return table(
        {
            **{"id": f"{number}", "file": f"/{number}.wav", "content": content},
            **{"genre": genre, "artist": artist},
        }
        for number, (artist, genre, content) in enumerate(
            zip(artists, genres, contents, strict=True)
        )
    )


@settings(max_examples=60)
@given(st.data())
def test_songs_called_unseen_share_nothing_with_what_was_trained_on(data):
    count = data.draw(st.integers(12, 40))
    names = st.sampled_from(["A", "a", "B b", "bb", "C", "D", "E", "F", "G", "H", None])
    artists = data.draw(st.lists(names, min_size=count, max_size=count))
    genres = [("X", "Y")[number % 2] for number in range(count)]
    contents = data.draw(
        st.lists(st.integers(0, 2 * count), min_size=count, max_size=count).map(
            lambda numbers: [f"{number:064x}" for number in numbers]
        )
    )
    clips = clips_of(artists, genres, contents)
    past = clips.sample(data.draw(st.integers(0, count // 2)), random_state=0)
    trained_on = past[["content", "artist"]].copy()
    # Some were known by other names, some by no name.
    trained_on["artist"] = [
        data.draw(st.sampled_from([artist, "Somebody", None])) for artist in trained_on.artist
    ]
    kind, seed = data.draw(st.sampled_from(["random", "artist"])), data.draw(st.integers(0, 9))
    try:
        sets = split_unseen(clips, kind, seed, trained_on)
    except SongNetError:
        return
    tested = clips[sets == "test"]
    assert not set(tested.content) & set(trained_on.content)
    known = {name_key(name) for name in trained_on.artist.dropna()}
    assert not {name_key(name) for name in tested.artist.dropna()} & known
    # Nor by an artist under whose name anything that was trained on is here.
    by_them = set(clips.artist[clips.content.isin(trained_on.content)].dropna())
    assert not set(tested.artist.dropna()) & by_them
    for subset in ("train", "validation", "test"):
        assert set(clips.genre[sets == subset]) == {"X", "Y"}
    if kind == "artist":
        others = clips[sets != "test"]
        assert not set(tested.artist.dropna()) & set(others.artist.dropna())
    assert not set(tested.content) & set(clips.content[sets != "test"])


def test_what_was_tested_is_mostly_tested_again_when_songs_come():
    nobody = pd.DataFrame({"content": [], "artist": []}, dtype="str")

    def tested(count: int) -> set[str]:
        names = [f"artist {number}" for number in range(count)]
        clips = clips_of(names, ["X", "Y"] * (count // 2), [f"{n:064x}" for n in range(count)])
        return set(clips.id[split_unseen(clips, "artist", 0, nobody) == "test"])

    assert len(tested(100)) == 10
    assert len(tested(100) & tested(120)) >= 7


def test_the_official_split_moves_what_was_trained_on_out_of_the_test_set():
    clips = clips_of([f"a{n}" for n in range(12)], ["X", "Y"] * 6, [f"{n:064x}" for n in range(12)])
    clips["split"] = ["training"] * 4 + ["validation"] * 2 + ["test"] * 6
    trained_on = clips.loc[[6, 7], ["content", "artist"]]
    sets = split_unseen(clips, "official", 0, trained_on)
    assert sets[[6, 7]].tolist() == ["train", "train"]
    assert (sets[8:] == "test").all()
    with pytest.raises(UntestedError, match=r"no clips are left .* X \(6 of 6 clips\)"):
        split_unseen(clips, "official", 0, clips.loc[clips.genre == "X", ["content", "artist"]])


def test_too_few_unseen_songs_are_an_error_that_says_what_to_do(run, tones, tmp_path):
    # Its own clips, without those that it was tested on.
    smaller = tmp_path / "tones"
    shutil.copytree(tones, smaller)
    answers = read_answers(run)
    for clip in answers.id[answers.set == "test"]:
        (smaller / clip).unlink()
    with pytest.raises(
        SongNetError,
        match=r"no clips are left .*Add songs by other artists, leave such genres "
        r"out \(--genres\), or train from scratch \(without --from\)\.$",
    ):
        train(str(smaller), start=run, recipe=BRIEF, progress=False)


# --- What it refuses ------------------------------------------------------------------------------


def test_a_run_that_cannot_be_started_from_is_said(run, tones, tmp_path):
    with pytest.raises(SongNetError, match="is a run of songnet, so songnet-plus cannot start"):
        train(str(tones), "songnet-plus", start=run, progress=False)
    chance = train(str(tones), "chance", out=tmp_path / "chance", progress=False)
    with pytest.raises(SongNetError, match="chance, answers for whole clips and is no network"):
        train(str(tones), start=chance, progress=False)
    with pytest.raises(SongNetError, match="there is no such folder"):
        train(str(tones), start=tmp_path / "none", progress=False)
