"""Where data is kept: lessons and command line share it."""

from __future__ import annotations

from songnet_utils._utils.files import data_folder


def test_a_notebook_finds_the_data_beside_its_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SONGNET_DATA", raising=False)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert data_folder() == tmp_path / "notebooks" / "data"
    (tmp_path / "data").mkdir()
    assert data_folder() == tmp_path / "data"
    (tmp_path / "notebooks" / "solutions").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks" / "solutions")
    assert data_folder() == tmp_path / "data"
    monkeypatch.chdir(tmp_path)
    assert data_folder() == tmp_path / "data"


def test_what_is_asked_for_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "elsewhere"))
    assert data_folder() == tmp_path / "elsewhere"
    assert data_folder(tmp_path / "here") == tmp_path / "here"
