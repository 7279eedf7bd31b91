"""The course from one end to the other, on a corpus of seconds."""

from __future__ import annotations

import re

import nbformat
import pytest
from joblib.externals.loky import get_reusable_executor
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
    train = module.train
    # The workers of an earlier test have its environment.
    get_reusable_executor().shutdown()

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
        patch.setattr(module, "train", lambda *a, **named: train(*a, **named, epochs=1))
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
    assert sorted(re.findall(r"Training (\w+) on the (\w+)", said)) == [
        (model, split) for model in ("chance", "songnet", "svm") for split in ("artist", "random")
    ]
    shown = re.findall(r"^ *(Guessing|SVM|SongNet).*(?: +\d+% \(\S+\)){2}$", said, re.MULTILINE)
    assert shown == ["Guessing", "SVM", "SongNet"]
    assert said.splitlines()[-1] == f"Pages: {pages / 'index.html'}"
    first = (pages / "lessons" / "01_a.html").read_text("utf-8")
    assert str(course / "data") in first
    assert str(course / "tones") in first
    assert "the test clips of tones" in said
    assert "mini is music" not in said
    index = (pages / "index.html").read_text("utf-8")
    assert "stopped in <code" in index
    assert "<p>Guessing, " in index
    assert "NameError" in (pages / "lessons" / "02_b.html").read_text("utf-8")

    # The broken one is mended: only that one runs, and the site is a new one.
    broken = course / "notebooks" / "solutions" / "02_b.ipynb"
    broken.write_text(broken.read_text("utf-8").replace("no_such", "1 + 1"), "utf-8")
    (pages / "old.html").write_text("")
    module.site(course / "notebooks")
    assert re.findall(r"Lesson (\w+)", capsys.readouterr().out) == ["02_b"]
    assert not (pages / "old.html").exists()
    assert not list(pages.parent.glob(".site-*"))
    assert "stopped in" not in (pages / "index.html").read_text("utf-8")


def test_no_lessons_are_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    with pytest.raises(SongNetError, match="has no lessons"):
        module.course(tmp_path)
    assert not (tmp_path / "data").exists()


def test_the_table_of_results_is_the_records():
    test = {"accuracy": 0.625, "confidence_interval": [0.5, 0.75]}
    record = {"split": "artist", "model": "songnet", "test": test}
    other = {**record, "split": "random", "model": "svm"}
    assert module.results_table([other, record]).to_dict("list") == {
        "model": ["SVM on MFCCs, the paper's best baseline", "SongNet, the paper's network"],
        "random split": ["62% (50%–75%)", ""],
        "artist split": ["", "62% (50%–75%)"],
    }
