"""The folder of a run: ours or not, whose, and a record that is whole or said to be damaged."""

from __future__ import annotations

import json

import pytest
from toys import toy_record

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import write_json
from songnet_utils.corpora import Corpus, table
from songnet_utils.training.runs import UNFINISHED, check_home, read_record

CLIPS = table([{"id": "a", "file": "/music/a.wav", "genre": "Rock"}])
MUSIC = Corpus("music", CLIPS)

WHOLE = json.dumps(toy_record()).encode()


def without(name: str) -> bytes:
    record = toy_record()
    del record[name]
    return json.dumps(record).encode()


DAMAGED = {
    "cut off": WHOLE[:-20],
    "a list": b"[]",
    "not UTF-8": WHOLE.replace(b"music", b"m\xfcsic"),
    "without sound": without("sound"),
}


@pytest.mark.parametrize("damage", [*DAMAGED, "a folder"])
def test_a_damaged_record_has_one_way_out(tmp_path, damage):
    run = tmp_path / "run"
    run.mkdir()
    if damage == "a folder":
        (run / "record.json").mkdir()
    else:
        (run / "record.json").write_bytes(DAMAGED[damage])
    before = sorted(run.iterdir())
    for ask in (
        lambda: read_record(run),
        lambda: check_home(run, MUSIC),
        lambda: check_home(run, MUSIC, force=True),
    ):
        with pytest.raises(SongNetError) as caught:
            ask()
        said = str(caught.value)
        assert said.startswith(f"{run / 'record.json'}: is damaged, or not songnet's (")
        assert said.endswith(
            f"Move or delete the folder {run} and train again, or use another folder."
        )
        assert len(said.splitlines()) == 1
    assert sorted(run.iterdir()) == before
    # The way out is one.
    run.rename(tmp_path / "away")
    check_home(run, MUSIC)


def test_a_whole_record_is_read(tmp_path):
    record = toy_record(network={"name": "x"}, more=[1])
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    assert read_record(tmp_path) == record


def test_only_empty_folders_and_our_own_are_a_home(tmp_path):
    check_home(tmp_path / "new" / "newer", MUSIC)
    assert list(tmp_path.iterdir()) == []
    check_home(tmp_path, MUSIC)
    # Neither what a killed run was writing nor what file managers leave makes it another's.
    for name in (".songnet-abcd1234.part.json", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).write_text("{")
    check_home(tmp_path, MUSIC)
    for name in ("model.keras", "notes"):
        (tmp_path / name).write_text("mine")
        for force in (False, True):
            with pytest.raises(SongNetError, match=f"not a SongNet run and contains {name}"):
                check_home(tmp_path, MUSIC, force=force)
        (tmp_path / name).unlink()
    (tmp_path / "file").write_text("")
    with pytest.raises(SongNetError, match="is a file, but a run needs a folder"):
        check_home(tmp_path / "file", MUSIC)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all")
    with pytest.raises(SongNetError, match="could not be written"):
        check_home(tmp_path / "dangling", MUSIC)


def test_an_unfinished_run_goes_on_but_not_another_corpus_s(tmp_path):
    run, one, two = tmp_path / "run", tmp_path / "one" / "music", tmp_path / "two" / "music"
    for folder in (run, one, two):
        folder.mkdir(parents=True)
    names = {key: toy_record()[key] for key in ("corpus", "model", "split", "seed", "genres")}
    write_json(run / UNFINISHED, {**names, "corpus_folder": str(one)})
    (run / "answers.csv").write_text("id\n")
    ours = Corpus("music", CLIPS, folder=one)
    theirs = Corpus("music", CLIPS, folder=two)
    check_home(run, ours)
    check_home(run, ours, force=True)
    for corpus, asked in ((theirs, two), (MUSIC, "music")):
        with pytest.raises(
            SongNetError, match=f"has an unfinished run on {one}, not on {asked}. Choose"
        ):
            check_home(run, corpus, force=True)
    (run / "unfinished.json").write_text("{}")
    with pytest.raises(SongNetError, match="is damaged, or not songnet's"):
        check_home(run, ours, force=True)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("place", ["moved", "asked for by its name"])
def test_the_run_of_a_corpus_that_moved_is_its_own(tmp_path, place, finished):
    run, now = tmp_path / "run", tmp_path / "else" / "music"
    now.mkdir(parents=True)
    record = toy_record(corpus_folder=str(tmp_path / "music"))
    if place == "asked for by its name":
        record["corpus_folder"] = None
    if finished:
        run.mkdir()
        (run / "record.json").write_text(json.dumps(record))
    else:
        names = ("corpus", "corpus_folder", "model", "split", "seed", "genres")
        write_json(run / UNFINISHED, {key: record[key] for key in names if key in record})
    music, other = (Corpus(name, CLIPS, folder=now) for name in ("music", "other"))
    with pytest.raises(SongNetError, match="Choose another folder"):
        check_home(run, other, force=True)
    if place == "asked for by its name":
        check_home(run, MUSIC, force=True)
        with pytest.raises(SongNetError, match="Choose another folder"):
            check_home(run, music, force=True)
        return
    check_home(run, music, force=True)
    if finished:
        with pytest.raises(SongNetError, match="has a finished run"):
            check_home(run, music)
    else:
        check_home(run, music)
