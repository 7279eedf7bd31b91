"""The folder of a run: ours or not, whose, and a record that is whole or said to be damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toys import toy_record

from songnet_utils.corpora import Corpus, table
from songnet_utils.errors import SongNetError
from songnet_utils.runs import begin, check_home, read_record

CLIPS = table([{"id": "a", "file": "/music/a.wav", "genre": "Rock"}])
MUSIC = Corpus("music", CLIPS)

WHOLE = json.dumps(toy_record()).encode()


def without(name: str) -> bytes:
    record = toy_record()
    del record[name]
    return json.dumps(record).encode()


DAMAGED = {
    "empty": b"",
    "cut off": WHOLE[:-20],
    "a list": b"[]",
    "an object of nothing": b"{}",
    "null": b"null",
    "a number": b"7",
    "not UTF-8": WHOLE.replace(b"music", b"m\xfcsic"),
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "no JSON": b"this is no record",
    "too deep": b"[" * 100_000,
    **{f"without {name}": without(name) for name in ("corpus", "genres", "sound", "test")},
    "another type": json.dumps(toy_record(genres="Rock")).encode(),
    "a seed that is true": json.dumps(toy_record(seed=True)).encode(),
    "a side without figures": json.dumps(toy_record(test={})).encode(),
    "half a sound": json.dumps(toy_record(sound={"hop": 256})).encode(),
    "a sound of words": json.dumps(
        toy_record(sound=dict.fromkeys(toy_record()["sound"], "loud"))
    ).encode(),
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
            f"Move the folder {run} away or delete it, and train again; or use another folder."
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
    # What a killed run of ours was writing is ours.
    (tmp_path / ".songnet-abcd1234.part.json").write_text("{")
    check_home(tmp_path, MUSIC)
    for name in (".draft.part.txt", "model.keras", "progress.npz", ".songnet", "notes"):
        (tmp_path / name).write_text("mine")
        for force in (False, True):
            with pytest.raises(SongNetError, match=f"not a run of songnet's, and holds {name}"):
                check_home(tmp_path, MUSIC, force=force)
        (tmp_path / name).unlink()
    (tmp_path / "file").write_text("")
    with pytest.raises(SongNetError, match="is a file, and a run needs a folder"):
        check_home(tmp_path / "file", MUSIC)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "at all")
    with pytest.raises(SongNetError, match="could not be written"):
        check_home(tmp_path / "dangling", MUSIC)


def test_an_unfinished_run_goes_on_but_not_another_corpus_s(tmp_path):
    names = {key: toy_record()[key] for key in ("corpus", "model", "split", "seed", "genres")}
    begin(tmp_path, {**names, "corpus_folder": "/one/music"})
    (tmp_path / "answers.csv").write_text("id\n")
    ours = Corpus("music", CLIPS, folder=Path("/one/music"))
    theirs = Corpus("music", CLIPS, folder=Path("/two/music"))
    check_home(tmp_path, ours)
    check_home(tmp_path, ours, force=True)
    for corpus, asked in ((theirs, "/two/music"), (MUSIC, "music")):
        with pytest.raises(
            SongNetError, match=f"holds an unfinished run on /one/music, not on {asked}. Choose"
        ):
            check_home(tmp_path, corpus, force=True)
    (tmp_path / "unfinished.json").write_text("{}")
    with pytest.raises(SongNetError, match="is damaged, or not songnet's"):
        check_home(tmp_path, ours, force=True)
