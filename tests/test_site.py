"""The site opens anywhere: nothing comes from elsewhere, every link leads somewhere."""

from __future__ import annotations

import json
import re
from html import unescape

import nbformat
import pytest
from offline import Page, faults
from sites import COSTS, RARE_STEM, cell, short_docs, write_lessons

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons import site
from songnet_utils.lessons.kept import lessons_folder
from songnet_utils.lessons.pages import keep, run_notebook
from songnet_utils.lessons.syllabus import cost_table, exercises, learning_goals, measured


def read(folder, name: str) -> str:
    return (folder / name).read_text("utf-8")


def words(page: str) -> str:
    """Return what a reader reads, in one line."""
    article = re.search(r"<article.*?</article>", page, re.DOTALL)[0]
    text = re.sub(r"(?s)<(style|script|nav).*?</\1>|<[^>]*>", " ", article)
    return " ".join(unescape(text).split())


# --- The pages -----------------------------------------------------------------------------------


def test_a_site_is_whole_and_needs_nothing_from_elsewhere(toy_site):
    assert faults(toy_site) == []


def test_a_lesson_has_its_picture_its_sound_its_table_and_its_formulas(toy_site):
    text = read(toy_site, "lessons/01-first.html")
    page = Page(text)
    assert page.tags.count("math") == 2
    assert "a_b" in text
    assert "$" not in words(text)
    assert [sound["aria-label"] for sound in page.sounds] == ["A tone of one second"]
    assert [image["src"].rpartition(".")[2] for image in page.images] == ["png"]
    assert "table" in page.tags
    assert "Here is something to touch" in text
    assert "3/3" not in text


def test_lessons_lead_to_each_other_and_to_their_solutions(toy_site):
    page = Page(read(toy_site, "lessons/01-first.html"))
    assert "02-second.html#wheels" in page.links
    solved = read(toy_site, "lessons/solutions/01-first.html")
    assert "../02-second.html#wheels" in Page(solved).links
    assert "Right." in words(solved)
    assert "Not answered yet." in words(read(toy_site, "lessons/01-first.html"))
    assert not [
        link
        for name in ("lessons/01-first.html", "teachers.html", "index.html")
        for link in Page(read(toy_site, name)).links
        if link.endswith(".ipynb")
    ]


def test_search_knows_lessons_and_not_their_solutions(toy_site):
    index = read(toy_site, "searchindex.js")
    content = json.loads(re.search(r"Search\.setIndex\((.*)\)", index, re.DOTALL)[1])
    names = content["docnames"]
    # Words are kept by their stems, each with the numbers of its pages, or with its only one.
    pages = {
        word: {names[number] for number in (on if isinstance(on, list) else [on])}
        for word, on in content["terms"].items()
    }
    assert pages[RARE_STEM] == {"lessons/02-second"}
    assert "lessons/solutions/01-first" in names
    assert "lessons/solutions/01-first" not in set().union(*pages.values())


def test_the_first_page_has_the_lessons_what_they_cost_and_the_results(toy_site):
    text = words(read(toy_site, "index.html"))
    assert "1 · The first 60 s 1.5 GB 2 MB none" in text
    assert "2 · The second not measured yet" in text
    assert "mini artist 0.625 0.5–0.75 A note." in text
    assert "stopped" not in text


def test_the_page_for_teachers_says_what_is_learnt_and_what_exercises_train(toy_site):
    text = words(read(toy_site, "teachers.html"))
    assert "to hear; to see." in text
    assert "Count How many ears?" in text
    assert "Take your time" not in text
    assert "1,500 words" in text
    for part in ("stuck", "one server", "Without internet", "Binder", "Colab"):
        assert part in text


def test_the_api_reference_has_shapes_units_and_errors(toy_site):
    text = words(read(toy_site, "api/songnet_utils.plots.players.html"))
    assert "audio ( ndarray ) – Mono samples." in text
    assert "start ( float ) – Where it begins and how much of it there is, in seconds" in text
    assert "Raises : SongNetError – When start lies outside audio ." in text


# --- Faults are seen -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="https://a.b/c.js"></script>', "loads from elsewhere"),
        ('<link rel="stylesheet" href="//a.b/c.css">', "loads from elsewhere"),
        ('<img src="https://a.b/c.png" alt="one two three">', "loads from elsewhere"),
        ("<style>@import 'https://a.b/c.css';</style>", "loads from elsewhere"),
        ("<style>p { background: url(https://a.b/c.png) }</style>", "loads from elsewhere"),
        ('<img src="picture.png" alt="one two three">', "loads what is not there"),
        ('<audio src="a.mp3" aria-label="a"></audio>', "loads what is not there"),
        ('<a href="other.html">other</a>', "leads nowhere"),
        ('<a href="#there">there</a>', "leads to no place"),
        ('<img src="data:image/png;base64,">', "a picture without words"),
        ('<audio src="data:audio/wav;base64,"></audio>', "a sound without a name"),
    ],
)
def test_what_is_wrong_with_a_page_is_seen(tmp_path, body, fault):
    (tmp_path / "page.html").write_text(f"<html><body>{body}</body></html>")
    (line,) = faults(tmp_path)
    assert fault in line


def test_links_elsewhere_and_data_are_no_faults(tmp_path):
    (tmp_path / "page.html").write_text(
        '<a href="https://a.b" id="here">a</a> <a href="page.html#here">b</a>'
        '<img src="data:image/png;base64,AA==" alt="a red dot, in the middle">'
    )
    assert faults(tmp_path) == []


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Lessons that were not run, and everything around them."""
    monkeypatch.setattr(site, "docs_folder", lambda: short_docs(tmp_path / "docs"))
    paths = write_lessons(tmp_path / "notebooks")
    (tmp_path / "costs.json").write_text(json.dumps({"lessons": {}}))
    return paths


def test_a_link_that_leads_nowhere_is_told_and_the_site_is_there(small, tmp_path):
    nbformat.write(
        nbformat.v4.new_notebook(cells=[cell("# Alone\n\nTo [another one](02-second.ipynb).")]),
        small[0],
    )
    with pytest.raises(SongNetError, match=r"with faults that Sphinx found.*02-second"):
        site.write_site(small[:1], tmp_path / "site", "", tmp_path)
    assert (tmp_path / "site" / "lessons" / "01-first.html").is_file()


def test_a_lesson_that_stopped_is_said_to_have(small, tmp_path):
    nbformat.write(
        nbformat.v4.new_notebook(cells=[cell("# A broken one"), cell("no_such_name")]), small[0]
    )
    kept = keep(run_notebook(small[0], {}), tmp_path / "ran")
    index = site.write_site([kept], tmp_path / "site", "", tmp_path)
    assert "A broken one stopped in cell 1: NameError: name 'no_such_name'" in words(
        index.read_text("utf-8")
    )
    assert "NameError" in words(read(tmp_path / "site", "lessons/01-first.html"))


def test_an_older_site_is_replaced(small, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / ".songnet-site").write_text("")
    (tmp_path / "site" / "old.html").write_text("")
    site.write_site(small, tmp_path / "site", "", tmp_path)
    assert not (tmp_path / "site" / "old.html").exists()
    assert not list(tmp_path.glob(".site-*"))


def test_what_is_no_site_of_ours_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SongNetError, match="no site of the course"):
        site.check_free(tmp_path)
    with pytest.raises(SongNetError, match="no site of the course"):
        site.check_free(tmp_path / "notes.txt")
    site.check_free(tmp_path / "not there yet")
    # Sphinx leaves this beside every site, somebody else's too.
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / ".buildinfo").write_text("")
    with pytest.raises(SongNetError, match="no site of the course"):
        site.check_free(tmp_path / "theirs")


# --- For teachers --------------------------------------------------------------------------------


def test_every_real_lesson_tells_teachers_what_it_teaches_and_trains():
    for path in sorted(lessons_folder().glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        assert len(learning_goals(notebook)) >= 3, path.name
        assert 3 <= len(exercises(notebook)) <= 5, path.name
        assert all(re.match(r"\*\*[^*]+\*\* \S", asked) for asked in exercises(notebook))


def test_costs_are_the_records(tmp_path):
    (tmp_path / "costs.json").write_text(json.dumps(COSTS))
    costs = measured(["01-first", "02-second"], tmp_path)
    assert list(costs) == ["01-first"]
    notebooks = {"01-first": nbformat.v4.new_notebook(), "02-second": nbformat.v4.new_notebook()}
    assert "not measured yet" in cost_table(notebooks, costs)
    assert "was not measured yet" in cost_table(notebooks, {})
