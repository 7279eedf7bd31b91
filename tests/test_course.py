"""The course from one end to the other, on a corpus of seconds."""

from __future__ import annotations

import nbformat
import numpy as np
import pytest
import soundfile
from sites import short_docs

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import open_corpus
from songnet_utils.lessons import course as module
from songnet_utils.lessons import site


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A course of two lessons whose music is two genres of tones, offline."""
    rng = np.random.default_rng(3)
    time = np.arange(2 * 22050) / 22050
    for genre, pitch in (("Folk", 200.0), ("Rock", 2000.0)):
        folder = tmp_path / "tones" / genre
        folder.mkdir(parents=True)
        for clip in range(10):
            tone = 0.3 * np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * time)
            noise = rng.normal(0, 0.01, time.size)
            soundfile.write(folder / f"{clip}.wav", tone + noise, 22050)
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(module, "open_corpus", lambda name, **_: open_corpus(tmp_path / "tones"))
    train = module.train
    monkeypatch.setattr(
        module, "train", lambda *arguments, **named: train(*arguments, **named, epochs=2)
    )

    def offline(**_):
        raise SongNetError("there is no network")

    monkeypatch.setattr(module, "fetch_musicnn", offline)
    monkeypatch.setattr(site, "docs_folder", lambda: docs)
    docs = short_docs(tmp_path / "docs")
    lessons = tmp_path / "lessons"
    lessons.mkdir()
    for name, code in (("01_a", "import os; os.environ['SONGNET_DATA']"), ("02_b", "1 / 1")):
        cells = [nbformat.v4.new_markdown_cell(f"# On {name}"), nbformat.v4.new_code_cell(code)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), lessons / f"{name}.ipynb")
    return lessons


def run(lessons, tmp_path):
    lines: list[str] = []
    index = module.course(lessons, tmp_path / "pages", lines.append)
    return index, lines


def test_a_course_leaves_pages_and_goes_on_where_it_was(tiny, tmp_path):
    index, lines = run(tiny, tmp_path)
    said = "\n".join(lines)
    assert index == tmp_path / "pages" / "index.html"
    pages = sorted(page.name for page in (index.parent / "lessons").iterdir())
    assert pages == ["01_a.html", "02_b.html"]
    assert "The course goes on without it: there is no network" in said
    order = [line.split("  ")[-1] for line in lines if "s  Lesson" in line]
    assert order == ["Lesson 01_a", "Lesson 02_b"]
    rows = [line.split() for line in lines if line.startswith("tones")]
    assert [(split, model) for _, split, model, *_ in rows] == [
        (split, model) for split in ("random", "artist") for model in ("chance", "svm", "songnet")
    ]
    assert lines[-1] == f"Pages: {index}"
    assert str(tmp_path / "data") in (index.parent / "lessons" / "01_a.html").read_text("utf-8")
    for cell in rows[0]:
        assert f"<p>{cell}</p>" in index.read_text("utf-8")

    records = sorted((tmp_path / "data" / "runs").glob("*/*/record.json"))
    assert len(records) == 6
    before = [record.stat().st_mtime_ns for record in records]
    _, again = run(tiny, tmp_path)
    assert [record.stat().st_mtime_ns for record in records] == before
    assert not any("Training" in line for line in again)
    assert [line for line in again if line.startswith("tones")] == [
        line for line in lines if line.startswith("tones")
    ]


def test_a_course_with_a_broken_lesson_runs_the_others_and_fails(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MODELS", ("chance",))
    broken = nbformat.read(tiny / "01_a.ipynb", 4)
    broken.cells[1].source = "no_such_name"
    nbformat.write(broken, tiny / "01_a.ipynb")
    with pytest.raises(SongNetError, match=r"1 of 2 lessons .*01_a\.ipynb, cell 1: NameError"):
        run(tiny, tmp_path)
    pages = tmp_path / "pages"
    assert (pages / "lessons" / "02_b.html").exists()
    assert "stopped in" not in (pages / "lessons" / "02_b.html").read_text("utf-8")
    assert "stopped in" in (pages / "index.html").read_text("utf-8")


def test_the_site_alone_runs_only_what_was_not_run_as_it_is(tiny, tmp_path):
    for path, says in (
        (tiny / "01_a.ipynb", ["01_a", "02_b"]),
        (tiny / "02_b.ipynb", ["02_b"]),
    ):
        notebook = nbformat.read(path, 4)
        notebook.cells[1].source += "  # anew"
        nbformat.write(notebook, path)
        lines: list[str] = []
        index = module.site(tiny, tmp_path / "pages", lines.append)
        assert [line.split()[-1] for line in lines if "s  Lesson" in line] == says
        assert lines[-1] == f"Pages: {index}"
    assert "Not measured on this machine yet" in index.read_text("utf-8")
    assert not (tmp_path / "data" / "runs").exists()


def test_what_stands_where_the_site_shall_be_is_left_alone(tiny, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "mine.txt").write_text("mine")
    for make in (module.course, module.site):
        with pytest.raises(SongNetError, match="no site of the course"):
            make(tiny, tmp_path / "pages")
    assert not (tmp_path / "data").exists()


def test_no_lessons_are_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    with pytest.raises(SongNetError, match="has no lessons"):
        module.course(tmp_path)
    assert not (tmp_path / "data").exists()
