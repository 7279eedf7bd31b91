"""Learning from a person's own songs: what it changes, what it leaves alone, and the way back."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from toys import RATE, tone_corpus

from songnet_utils import cli, growing
from songnet_utils.assessment import assess
from songnet_utils.corpora import Corpus, OwnSongs, open_corpus, own_songs, table
from songnet_utils.errors import SongNetError
from songnet_utils.growing import (
    Change,
    as_text,
    hold_out,
    last_grown_from,
    learn_from,
    newest_grown,
    undo,
)
from songnet_utils.learning import FRESH_SHARE, LEAST_BATCHES, Recipe, mixed
from songnet_utils.models import load_songnet, weights_of
from songnet_utils.training import newest_run, read_answers, read_record, train

pytestmark = pytest.mark.usefixtures("data")

QUICK = Recipe(epochs=8, crop_seconds=2.0, batch=8)


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    return open_corpus(tone_corpus(tmp_path_factory.mktemp("corpora") / "tones"))


@pytest.fixture(scope="module")
def run(tones) -> Path:
    return train(tones, recipe=QUICK, progress=False)


def whistle(seed: int, seconds: float = 3.0) -> bytes:
    """A high tone that trembles: whoever knows only tones takes it for High."""
    random, time = np.random.default_rng(seed), np.arange(int(seconds * RATE)) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 6_000 * random.uniform(0.9, 1.1) * time)
    sound *= 1 + 0.5 * np.sin(2 * np.pi * 8 * time)
    return flac(sound + 0.001 * random.normal(size=len(time)))


def flac(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound.astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def bring(songs: OwnSongs, numbers: range, genre: str = "low") -> None:
    for number in numbers:
        songs.add(whistle(number), genre, title=f"Whistle {number}", artist=f"Artist {number}")


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> OwnSongs:
    """Twelve songs that a person calls low; the network does not."""
    own = OwnSongs(tmp_path_factory.mktemp("own") / "my-songs")
    bring(own, range(12))
    return own


@pytest.fixture(scope="module")
def before(run) -> dict[str, bytes]:
    return contents(run)


@pytest.fixture(scope="module")
def grown(run, before, songs, tones) -> Path:
    return learn_from(run, songs, corpus=tones, progress=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def weights(folder: Path) -> list[np.ndarray]:
    return weights_of(load_songnet(folder).keras_model)


def own_answers(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "own-songs.csv")


# --- What it comes to ---------------------------------------------------------------------------


def test_what_it_got_wrong_is_mostly_right_afterwards_and_nothing_is_forgotten(grown):
    answers = own_answers(grown)
    assert (answers.before != "Low").all()
    assert (answers[answers.side == "learnt"].after == "Low").mean() > 0.7
    assert (answers[answers.side == "held out"].after == "Low").mean() > 0.5
    record = read_record(grown)
    assert record["test"]["accuracy"] == 1
    assert record["grown"]["old_test"]["right_before"] == 3


def test_the_old_run_is_left_as_it_was_bit_for_bit(run, before, grown):
    assert contents(run) == before
    assert grown == run.with_name("grown-001-songnet-random-0")


def test_the_new_run_is_a_run_like_any_other(run, grown, tones, songs):
    assert {path.name for path in grown.iterdir()} == {
        *("model.keras", "model.onnx", "record.json", "answers.csv", "own-songs.csv")
    }
    old, new = read_record(run), read_record(grown)
    assert set(old) | {"grown"} == set(new)
    for same in ("corpus", "model", "split", "seed", "genres", "sound", "left_out", "unusable"):
        assert new[same] == old[same]
    assert read_answers(grown)[["id", "side", "genre"]].equals(
        read_answers(run)[["id", "side", "genre"]]
    )
    net = load_songnet(grown)
    assert net.training_music == "21 clips of 3 genres of tones, then 9 songs of one's own"
    assert net.genres == load_songnet(run).genres
    told = assess(grown, tones, progress=False).as_text()
    assert told.startswith("songnet on tones, random split, seed 0: ")


def test_its_record_says_what_became_of_every_song(run, grown, songs):
    told = read_record(grown)["grown"]
    assert told["parent"] == run.name
    answers = own_answers(grown)
    assert set(answers.sha256) == {song.sha256 for song in songs.songs()}
    assert answers.genre.unique().tolist() == ["Low"]  # as the network writes it
    assert (answers.side == "held out").sum() == 3 == told["held_out"]["clips"]
    assert told["learnt"]["clips"] == 9
    assert told["learnt"]["right_after"] == (answers[answers.side == "learnt"].after == "Low").sum()
    assert told["left_out"] == []


def test_what_is_said_is_no_more_than_the_figures_allow(grown):
    said = as_text(read_record(grown)).splitlines()
    assert said[0].startswith("songnet on tones has gone on from songnet-random-0 with 9 songs")
    assert said[1].startswith("held-out songs (3 of 3 artists): before 0.0% [0.0% to 65.8%], after")
    assert said[2].startswith("old test clips (3 of 3 artists): before 100.0% [34.2% to 100.0%]")
    # Three of three is no proof.
    assert "may be chance (p = " in said[3]
    assert said[4] == "What it knew: 3 of 3 old test clips right, 3 before: as many as before."


def test_the_network_starts_as_it_was(run, songs, tones):
    """With next to no learning rate, nothing but the averages of batch norm moves."""
    grown = learn_from(run, songs, corpus=tones, epochs=1, learning_rate=1e-12, progress=False)
    old, new = load_songnet(run).keras_model, load_songnet(grown).keras_model
    for layer in old.layers:
        for one, two in zip(layer.weights, new.get_layer(layer.name).weights, strict=True):
            if not one.name.startswith("moving"):
                np.testing.assert_allclose(one.numpy(), two.numpy(), atol=1e-6)
    undo(grown)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(run, grown, songs, tones):
    again = learn_from(run, songs, corpus=tones, progress=False)
    other = learn_from(run, songs, corpus=tones, seed=1, progress=False)
    assert [again.name[:9], other.name[:9]] == ["grown-002", "grown-003"]
    for one, two in zip(weights(grown), weights(again), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6, rtol=0)
    assert np.abs(weights(other)[3] - weights(grown)[3]).max() > 1e-5
    assert own_answers(again).equals(own_answers(grown))
    for folder in (again, other):
        assert undo(folder) == run


# --- Going on, and going back -------------------------------------------------------------------


def test_it_goes_on_from_what_has_grown_and_goes_back_step_by_step(run, tones, songs, tmp_path):
    own = OwnSongs(tmp_path / "my-songs")
    shutil.copytree(songs.folder, own.folder)
    first = learn_from(run, own, corpus=tones, epochs=1, progress=False)
    with pytest.raises(SongNetError, match="has learnt from all of the 9 songs"):
        learn_from(first, own, corpus=tones, epochs=1, progress=False)
    bring(own, range(20, 24))
    held = own_answers(first).set_index("sha256").side
    before = contents(first)
    second = learn_from(first, own, corpus=tones, epochs=1, progress=False)
    assert contents(first) == before
    record = read_record(second)
    assert record["grown"]["parent"] == first.name
    assert record["recipe"]["learning_rate"] == read_record(first)["recipe"]["learning_rate"]
    assert load_songnet(second).training_music.endswith(", then 12 songs of one's own")
    # Whoever was held out still is: else the network would be asked what it has been told.
    now = own_answers(second).set_index("sha256").side
    assert now[held.index].equals(held)
    assert now.value_counts().to_dict() == {"learnt": 12, "held out": 4}
    with pytest.raises(SongNetError, match=f"{second.name} has grown from it. Undo that one first"):
        undo(first)
    assert first.exists()
    assert last_grown_from(run) == last_grown_from(first) == last_grown_from(second) == second
    assert undo(second) == first
    assert not second.exists()
    assert last_grown_from(run) == first
    assert undo(first) == run
    assert last_grown_from(run) != first
    assert not first.exists()


def test_the_newest_answers_and_undo_makes_the_older_answer_again(run, songs, tones):
    grown = learn_from(run, songs, corpus=tones, epochs=1, progress=False)
    assert newest_run() == newest_grown() == grown
    assert undo() == run
    assert newest_run() != grown
    assert not grown.exists()


def test_undo_leaves_what_people_put_there(run, songs, tones):
    grown = learn_from(run, songs, corpus=tones, epochs=1, progress=False)
    (grown / "notes.txt").write_text("mine")
    undo(grown)
    assert contents(grown) == {"notes.txt": b"mine"}
    shutil.rmtree(grown)


def test_undo_refuses_what_it_cannot_go_back_from(run, grown, tmp_path, monkeypatch):
    with pytest.raises(SongNetError, match="has not learnt from songs of one's own"):
        undo(run)
    with pytest.raises(SongNetError, match="is not a finished run"):
        undo(tmp_path)
    orphan = tmp_path / grown.name
    shutil.copytree(grown, orphan)
    before = contents(orphan)
    with pytest.raises(SongNetError, match=r"songnet-random-0, is gone.*Nothing was removed"):
        undo(orphan)
    for parent in ("../..", str(run), "."):
        record = json.loads((orphan / "record.json").read_text())
        record["grown"]["parent"] = parent
        (orphan / "record.json").write_text(json.dumps(record))
        with pytest.raises(SongNetError, match="Nothing was removed"):
            undo(orphan)
    assert contents(orphan).keys() == before.keys()
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "none"))
    with pytest.raises(SongNetError, match="There is nothing to undo"):
        undo()


# --- What is refused ----------------------------------------------------------------------------


def nothing_new(run: Path) -> bool:
    return not (run.parent / ".growing").exists()


@pytest.fixture
def own(tmp_path) -> OwnSongs:
    return OwnSongs(tmp_path / "my-songs")


def test_a_genre_that_it_does_not_know_is_refused_with_the_way_out(run, tones, own):
    own.add(whistle(1), "Polka", title="Tritsch-Tratsch")
    with pytest.raises(
        SongNetError,
        match=r"Tritsch-Tratsch: its genre, Polka, is none.*knows High, Low, Noise.*train FOLDER",
    ):
        learn_from(run, own, corpus=tones, progress=False)
    # Beside songs that it can learn from, it is left out and named.
    bring(own, range(2, 4))
    grown = learn_from(run, own, corpus=tones, epochs=1, progress=False)
    assert read_record(grown)["grown"]["left_out"] == [
        {
            "song": "Tritsch-Tratsch",
            "reason": "its genre, Polka, is none that the network knows",
        }
    ]
    # Of two songs none is held out, and that is said.
    assert read_record(grown)["grown"]["held_out"] is None
    assert "With 2 songs none could be held out" in as_text(read_record(grown))
    undo(grown)


def test_without_songs_there_is_nothing_to_learn(run, tones, own):
    with pytest.raises(SongNetError, match=r"holds no songs to learn from\. Add one: songnet grow"):
        learn_from(run, own, corpus=tones)


def test_another_corpus_is_said(run, songs, tones, tmp_path):
    other = open_corpus(tone_corpus(tmp_path / "others", clips=3))
    with pytest.raises(SongNetError, match="are not among the usable clips of others"):
        learn_from(run, songs, corpus=other)
    fewer = Corpus("tones", tones.clips.iloc[2:])
    with pytest.raises(SongNetError, match="2 of its 30 clips are not among the usable clips"):
        learn_from(run, songs, corpus=fewer, progress=False)
    changed = open_corpus(tone_corpus(tmp_path / "tones", seed=7))
    with pytest.raises(SongNetError, match=r"no longer answers . of its 3 test clips as it did"):
        learn_from(run, songs, corpus=changed, progress=False)
    assert nothing_new(run)


def test_a_baseline_cannot_go_on(tones, songs, tmp_path):
    svm = train(tones, "svm", out=tmp_path / "svm", progress=False)
    with pytest.raises(SongNetError, match="svm is no network and cannot go on learning"):
        learn_from(svm, songs, corpus=tones)


def test_a_loss_that_is_no_number_keeps_nothing(run, songs, tones):
    with pytest.raises(SongNetError, match=r"has run away.*nothing was kept.*lower learning_rate"):
        learn_from(run, songs, corpus=tones, learning_rate=1e30, progress=False)
    assert nothing_new(run)


def test_songs_of_the_corpus_itself_do_not_leak(run, tones, own):
    answers = read_answers(run).set_index("id")
    files = tones.clips.set_index("id").file
    tested = answers.index[answers.side == "test"][0]
    trained, same = answers.index[(answers.side == "train") & (answers.genre == "High")][:2]
    own.add(files[tested], "Low", title="tested")
    with pytest.raises(SongNetError, match=r"tested: it is among the clips that .* is judged by"):
        learn_from(run, own, corpus=tones, progress=False)
    # What was trained on is now what the person says it is, unless they say the same.
    own.add(files[trained], "Low", title="trained")
    own.add(files[same], "High", title="same")
    changed = own.add(whistle(5), "Low", title="changed")
    own.file_of(changed).write_bytes(whistle(6))
    grown = learn_from(run, own, corpus=tones, epochs=1, progress=False)
    assert own_answers(grown).title.tolist() == ["trained"]
    assert trained not in set(read_answers(grown).id)
    assert same in set(read_answers(grown).id)
    left_out = {entry["song"]: entry["reason"] for entry in read_record(grown)["grown"]["left_out"]}
    assert left_out.keys() == {"tested", "same", "changed"}
    assert "trained on, as the same genre" in left_out["same"]
    assert "no longer the one that was added" in left_out["changed"]
    undo(grown)


def sha256(file: str | Path) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def held_and_learnt(folder: Path) -> tuple[set[str], set[str]]:
    answers = own_answers(folder)
    held = answers.side == "held out"
    return set(answers.sha256[held]), set(answers.sha256[~held])


def test_no_song_that_is_called_not_heard_was_trained_on_before(run, tones, own, tmp_path):
    """Whatever was relabelled, copied or given another artist, by parents and their parents."""
    answers = read_answers(run).set_index("id")
    files = tones.clips.set_index("id").file
    heard = {sha256(files[clip]) for clip in answers.index[answers.side != "test"]}
    trained = answers.index[(answers.side == "train") & (answers.genre == "High")]
    for number, clip in enumerate(trained):
        copy = tmp_path / f"copy {number}.wav"
        shutil.copy(files[clip], copy)
        own.add(copy, "Low", artist=f"Copy {number}")
    only = learn_from(run, own, corpus=tones, epochs=1, progress=False)
    assert read_record(only)["grown"]["held_out"] is None
    assert f"With {len(trained)} songs none could be held out" in as_text(read_record(only))
    assert f"had been trained on {len(trained)} before; none" in as_text(read_record(only))
    undo(only)

    # One of those who have been heard has a new song, too.
    own.add(whistle(0), "Low", artist="copy 0")
    bring(own, range(1, 4))
    first = learn_from(run, own, corpus=tones, epochs=1, progress=False)
    held, learnt = held_and_learnt(first)
    assert held
    assert not held & heard
    assert hashlib.sha256(whistle(0)).hexdigest() in learnt
    # The next run has no such clips in its corpus any more, and its songs get other names.
    assert not set(trained) & set(read_answers(first).id)
    for number, song in enumerate(own.songs()):
        if song.sha256 in learnt:
            content = own.file_of(song).read_bytes()
            own.remove(song.sha256)
            own.add(content, "Noise" if number % 2 else "Low", artist=f"Somebody {number}")
    bring(own, range(10, 14))
    second = learn_from(first, own, corpus=tones, epochs=1, progress=False)
    again = held_and_learnt(second)[0]
    assert held < again
    assert not again & (heard | learnt)
    assert read_record(second)["grown"]["songs_trained_on_before"] == len(learnt)
    for folder in (second, first):
        undo(folder)


def test_a_run_trained_on_own_songs_has_nothing_new_in_them(tmp_path):
    own = OwnSongs(tmp_path / "my-songs")
    for number in range(8):
        own.add(whistle(number), "High")
        own.add(flac(np.random.default_rng(number).normal(0, 0.05, 3 * RATE)), "Noise")
    run = train(str(own.folder), recipe=Recipe(epochs=1), out=tmp_path / "run", progress=False)
    with pytest.raises(SongNetError, match=r"there is no song to learn from.*and 13 more\. Add"):
        learn_from(run, own, corpus=own.folder, progress=False)


def test_two_programs_that_finish_at_once_get_a_number_each(tmp_path, monkeypatch):
    monkeypatch.setattr(growing.Path, "glob", lambda *_: iter(()))
    for number in (1, 2, 3):
        part = tmp_path / ".growing" / "new"
        part.mkdir(parents=True)
        (part / "record.json").write_text(str(number))
        assert growing._settle(part, tmp_path, "x") == tmp_path / f"grown-00{number}-x"


def test_stopped_in_the_middle_nothing_is_left(run, songs, tones, monkeypatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = {path.name for path in run.parent.iterdir()}
    for name in ("save_keras", "save_onnx", "write_json", "_settle"):
        with monkeypatch.context() as patch:
            patch.setattr(growing, name, stop)
            with pytest.raises(KeyboardInterrupt):
                learn_from(run, songs, corpus=tones, epochs=1, progress=False)
        assert {path.name for path in run.parent.iterdir()} == before


@pytest.mark.parametrize("stage", ["preparing", "before", "learning", "after"])
def test_whoever_watches_can_stop_it_and_nothing_is_kept(run, songs, tones, stage):
    class EnoughError(Exception):
        pass

    seen = []

    def watch(now: growing.Stage) -> None:
        seen.append(now)
        if now.name == stage:
            raise EnoughError

    before = {path.name for path in run.parent.iterdir()}
    with pytest.raises(EnoughError):
        learn_from(run, songs, corpus=tones, epochs=2, progress=False, watch=watch)
    assert {path.name for path in run.parent.iterdir()} == before
    batches = [now for now in seen if now.name == "learning"]
    if stage == "after":
        # 9 songs, 2 in each batch of 8: 8 batches are the least of an epoch.
        assert [now.share for now in batches] == [n / 16 for n in range(1, 17)]
        assert [now.epoch for now in batches] == [*[1] * 7, *[2] * 9]


def test_what_a_killed_program_was_making_goes_in_time(run, songs, tones):
    old, young = (run.parent / ".growing" / (16 * digit) for digit in "0f")
    for part in (old, young):
        part.mkdir(parents=True)
        for name in ("model.keras", "record.json"):
            (part / name).write_bytes(b"{}")
            os.utime(part / name, (1, 1) if part == old else None)
    os.utime(old, (1, 1))
    assert newest_run().parent.name != ".growing"
    grown = learn_from(run, songs, corpus=tones, epochs=1, progress=False)
    assert not old.exists()
    assert young.exists()
    shutil.rmtree(young.parent)
    undo(grown)


def test_artists_on_both_sides_are_counted_and_said(run, grown, tones, songs):
    artist = own_answers(grown).groupby("side").artist.first()
    side = read_answers(run).set_index("id").side.reindex(tones.clips.id).to_numpy()
    clips = tones.clips.copy()
    clips.loc[np.flatnonzero(side == "train")[0], "artist"] = artist["held out"].upper()
    clips.loc[np.flatnonzero(side == "test")[0], "artist"] = artist["learnt"].replace(" ", "  ")
    again = learn_from(run, songs, corpus=Corpus("tones", clips), epochs=1, progress=False)
    record = read_record(again)
    assert record["grown"]["held_out_of_artists_known"] == 1
    assert record["grown"]["old_test_of_artists_learnt"] == 1
    said = as_text(record)
    assert "By artists that the network was trained on before: 1 song of those held out" in said
    assert "By artists of the songs that it has learnt: 1 of the old test clips" in said
    undo(again)


# --- Other networks -----------------------------------------------------------------------------


def test_songnet_transfer_learns_too(musicnn_data, tones, own, tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(musicnn_data))
    # Tones over noise: somewhere between Low and Noise, and the person says which.
    random, time = np.random.default_rng(0), np.arange(4 * RATE) / RATE
    for number in range(8):
        tone = 0.3 * np.sin(2 * np.pi * 200 * random.uniform(0.7, 1.4) * time)
        own.add(flac(tone + 0.02 * random.normal(size=len(time))), "Low", name=f"{number}")
    recipe = Recipe(epochs=10, batch=8, learning_rate=3e-3)
    run = train(tones, "songnet-transfer", out=tmp_path / "run", recipe=recipe, progress=False)
    grown = learn_from(run, own, corpus=tones, progress=False)
    old, new = (
        {layer.name: layer.get_weights() for layer in load_songnet(one).keras_model.layers}
        for one in (run, grown)
    )
    for name, before in old.items():
        same = all(np.array_equal(*pair) for pair in zip(before, new[name], strict=True))
        # The listener, and what its numbers are centred by, are as they were.
        assert same == (name != "genre_over_time"), name
    assert own_answers(grown).after.eq("Low").all()
    assert assess(grown, tones, progress=False).as_text()


@pytest.mark.parametrize("model", ["songnet-meta", "songnet-plus", "crnn-2d"])
def test_networks_of_other_kinds_go_on(tones, songs, tmp_path, model):
    clips = tones.clips.assign(year=pd.array([2000 + n % 3 for n in range(30)], "Int64"))
    corpus = Corpus("tones", clips)
    run = train(
        corpus,
        model,
        out=tmp_path / "run",
        recipe=Recipe(epochs=1, crop_seconds=2.0, batch=8, averaging=0.5, mixup=0.2),
        progress=False,
    )
    if model == "crnn-2d" and load_songnet(run).timeline.seconds_needed > 3:
        pytest.skip("the toys are too short for it")
    grown = learn_from(run, songs, corpus=corpus, epochs=1, progress=False)
    assert read_record(grown)["model"] == model
    assert (load_songnet(grown).encoder is None) == (model != "songnet-meta")


# --- Pieces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "fresh", "batch"), [(500, 1, 16), (3, 40, 16), (9, 9, 2), (5, 3, 1)]
)
def test_each_batch_has_its_share_of_new_clips(old, fresh, batch):
    order = mixed(
        np.arange(old), np.arange(old, old + fresh), batch, np.random.default_rng(0)
    ).reshape(-1, batch)
    share = max(1, round(batch * FRESH_SHARE))
    assert ((order >= old).sum(axis=1) == share).all()
    assert len(order) == max(LEAST_BATCHES, -(-fresh // share))
    assert set(range(old, old + fresh)) <= set(order.ravel())
    times = np.bincount(order.ravel(), minlength=old + fresh)
    assert np.ptp(times[:old]) <= 1
    assert np.ptp(times[old:]) <= 1


def table_of(artists: list[str | None], genres: str | None = None) -> pd.DataFrame:
    return table(
        {
            "id": str(number),
            "file": f"/{number}",
            "genre": (genres or "x" * len(artists))[number],
            "artist": artist,
            "sha256": str(number),
        }
        for number, artist in enumerate(artists)
    )


@pytest.mark.parametrize("seed", range(5))
def test_artists_are_held_out_whole_and_never_all_of_a_genre(seed):
    # Eight songs of genre x, one of y: it must be learnt.
    songs = table_of(["A", "a ", "B", "B", "C", None, None, "D", "E"], "xxxxxxxxy")
    held = hold_out(songs, {}, seed)
    assert held.sum() == 2
    assert held[0] == held[1]
    assert held[2] == held[3]
    assert not held[8]
    # The order of the rows has no say.
    back = hold_out(songs[::-1].reset_index(drop=True), {}, seed)
    assert back[::-1].tolist() == held.tolist()


def test_too_few_songs_or_artists_are_all_learnt():
    assert not hold_out(table_of(["A", "B", "C"]), {}, 0).any()
    assert not hold_out(table_of(["A"] * 8), {}, 0).any()
    assert not hold_out(table_of(list("ABCD"), "wxyz"), {}, 0).any()


def test_artists_stay_what_they_were():
    songs = table_of([*"ABCDEFGH"])
    earlier = {"a": "held out", "b": "held out", "c": "learnt"}
    held = hold_out(songs, earlier, 0)
    assert held.tolist() == [True, True, *[False] * 6]


@pytest.mark.parametrize("seed", range(5))
def test_an_artist_with_a_song_that_was_trained_on_is_learnt(seed):
    songs = table_of([*"ABCDEFGA"])
    held = hold_out(songs, {"a": "held out", "b": "held out"}, seed, {"0", "4", "5"})
    assert held.sum() == 2
    assert held[1]
    assert not held[[0, 4, 5, 7]].any()


def change(before: str, after: str, whose: str) -> Change:
    rows = pd.DataFrame({"genre": "r", "before": list(before), "after": list(after)})
    return Change.of(rows, pd.Series(list(whose)))


def test_a_difference_is_only_called_one_when_it_is():
    # By hand: 6 of 6 gained, 2 · (1/2)^6 = 1/32; 5 of 5 is 1/16.
    six = change("wwwwwwr", "rrrrrrr", "abcdefg")
    assert six.mcnemar_p == six.artists_p == pytest.approx(1 / 32)
    assert six.verdict() == "better, by more than chance would make it (p = 0.031)."
    assert change("rrrrrrr", "wwwwwwr", "abcdefg").verdict().startswith("worse, by more than")
    five = change("wwwww", "rrrrr", "abcde")
    assert five.verdict() == "a difference that may be chance (p = 0.062)."
    # All changed alike; others need not.
    assert five.difference_interval[0] < five.difference_interval[1] == 1
    # Six songs of one artist are one piece of evidence.
    alike = change("wwwwwww", "rrrrrrw", "aaaaaab")
    assert alike.mcnemar_p == pytest.approx(1 / 32)
    assert alike.artists_p == 1
    assert "may be chance (p = 1.000)" in alike.verdict()
    assert change("rw", "rw", "ab").verdict() == "as many as before."
    assert change("rw", "wr", "ab").verdict() == "as many as before."


# --- The commands ---------------------------------------------------------------------------------


def test_the_commands_add_list_learn_and_go_back(run, tones, tmp_path, capfd):
    def songnet(*arguments: object) -> tuple[int, list[str], list[str]]:
        capfd.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        out, error = capfd.readouterr()
        wiped = [line.rsplit("\r", 1)[-1].strip() for line in error.split("\n")]
        return code, out.splitlines(), [line for line in wiped if line]

    code, out, error = songnet("grow", "list")
    assert (code, out) == (1, [])
    assert "Add one: songnet grow add FILE --genre GENRE" in error[0]
    for number in range(2):
        (tmp_path / f"{number}.flac").write_bytes(whistle(number))
    code, out, error = songnet(
        *("grow", "add", tmp_path / "0.flac", "--genre", "low", "--title", "Wind"),
        *("--artist", "Kettle", "--source", "kitchen", "--licence", "CC0"),
    )
    assert (code, error) == (0, [])
    assert out[0].startswith("“Wind” by Kettle: low (")
    code, out, error = songnet("grow", "add", tmp_path / "0.flac", "--genre", "High")
    assert (code, out) == (1, [])
    assert "is there already, as “Wind” by Kettle in the genre low" in error[0]
    songnet("grow", "add", tmp_path / "1.flac", "--genre", "Polka")
    code, out, error = songnet("grow", "list")
    assert (code, error) == (0, [])
    assert out[0].endswith("  low: “Wind” by Kettle (3 s; CC0; from kitchen)")
    assert out[1].endswith("  Polka: “1” (3 s; licence unknown)")
    folder = Path(tones.clips.file[0]).parents[1]
    code, out, error = songnet("grow", "learn", "--run", run, "--corpus", folder)
    assert code == 0
    assert error == ["songnet: left out: 1: its genre, Polka, is none that the network knows"]
    grown = Path(out[-1])
    assert out[0].startswith("songnet on tones has gone on from songnet-random-0 with 1 song")
    code, out, error = songnet("classify", tmp_path / "0.flac", "--run", grown)
    assert (code, error) == (0, [])
    assert "then 1 song of one's own" in out[0]
    assert out[1].startswith(f"{tmp_path / '0.flac'}: ")
    code, out, error = songnet("grow", "undo", "--run", grown)
    assert (code, out, error) == (0, [str(run)], [])
    assert not grown.exists()
    assert len(own_songs().songs()) == 2
