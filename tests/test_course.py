"""The course from one end to the other, on a corpus of seconds."""

from __future__ import annotations

import re

import nbformat
import pytest
from sites import cell, short_docs
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons import course as module
from songnet_utils.lessons import site


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of two lessons whose music is tones, offline; the second lesson is broken."""
    folder = tmp_path_factory.mktemp("course")
    tones = tone_corpus(folder / "tones")

    lessons = folder / "notebooks"
    (lessons / "solutions").mkdir(parents=True)
    for name, code in (
        ("01_a", "import os; os.environ['SONGNET_DATA'], os.environ['SONGNET_CORPUS']"),
        ("02_b", "no_such"),
    ):
        notebook = nbformat.v4.new_notebook(cells=[cell(f"# On {name}"), cell(code)])
        nbformat.write(notebook, lessons / "solutions" / f"{name}.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(folder / "data"))
        patch.setenv("SONGNET_CORPUS", str(tones))
        patch.setattr(site, "DOCS", short_docs(folder / "docs"))
        yield folder


def test_a_course_leaves_pages_and_goes_on_where_it_was(course, capsys):
    with pytest.raises(SongNetError, match=r"1 of 2 lessons .*02_b\.ipynb, cell .*: NameError"):
        module.course(course / "notebooks")
    said = capsys.readouterr().out
    pages = course / "build" / "course"
    assert sorted(page.name for page in (pages / "lessons").glob("*.html")) == [
        *("01_a.html", "02_b.html")
    ]
    assert sorted(re.findall(r"Lesson (\w+)", said)) == ["01_a", "02_b"]
    assert said.splitlines()[-1] == f"Pages: {pages / 'index.html'}"
    first = (pages / "lessons" / "01_a.html").read_text("utf-8")
    assert str(course / "data") in first
    assert str(course / "tones") in first
    index = (pages / "index.html").read_text("utf-8")
    assert "stopped in <code" in index
    assert "NameError" in (pages / "lessons" / "02_b.html").read_text("utf-8")

    # The broken one is mended: only that one runs, and the site is a new one.
    broken = course / "notebooks" / "solutions" / "02_b.ipynb"
    broken.write_text(broken.read_text("utf-8").replace("no_such", "1 + 1"), "utf-8")
    (pages / "old.html").write_text("")
    module.course(course / "notebooks", anew=False)
    assert re.findall(r"Lesson (\w+)", capsys.readouterr().out) == ["02_b"]
    assert not (pages / "old.html").exists()
    assert not list(pages.parent.glob(".site-*"))
    assert "stopped in" not in (pages / "index.html").read_text("utf-8")


def test_no_lessons_are_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    with pytest.raises(SongNetError, match="has no lessons"):
        module.course(tmp_path)
    assert not (tmp_path / "data").exists()
