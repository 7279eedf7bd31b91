"""The site opens anywhere: nothing comes from elsewhere, every link leads somewhere."""

from __future__ import annotations

import base64
import json
import re
from html import unescape

import nbformat
import pytest
from offline import Page, faults
from recordings import read_recording
from sites import RARE_STEM, cell, short_docs

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons import site
from songnet_utils.lessons.files import find_lessons
from songnet_utils.lessons.syllabus import exercises, learning_goals
from songnet_utils.widgets.recording import MIME


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
    # Pictures and sounds are files beside the page.
    assert "base64," not in text
    assert "To use this, run" in text
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
    assert "1 · The first 15 minutes 60 s 1.5 GB 2 MB" in text
    assert "2 · The second not measured yet" in text
    assert "In short: on Emotify’s real songs" in text
    assert "songnet-transfer" in text
    assert "stopped" not in text


def test_the_page_for_teachers_says_what_is_learnt_and_which_exercises_there_are(toy_site):
    text = words(read(toy_site, "teachers.html"))
    assert "to hear; to see." in text
    assert "Exercises: Count" in text
    assert "How many ears" not in text
    assert "1,500 words" in text
    for part in ("stuck", "one server", "Without internet", "Binder", "Colab"):
        assert part in text


def test_the_api_reference_has_shapes_units_and_errors(toy_site):
    text = words(read(toy_site, "api/songnet_utils.plots.players.html"))
    assert "audio ( ndarray ) – Mono samples." in text
    assert "start ( float ) – The start and the duration, in seconds" in text
    assert "Raises : SongNetError – When start is outside audio ." in text


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


def test_a_link_that_leads_nowhere_is_told_and_the_site_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "DOCS", short_docs(tmp_path / "docs"))
    text = "# Alone\n\nTo [another one](../02-second.ipynb)."
    path = tmp_path / "01-first.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell(text)]), path)
    (tmp_path / "costs.json").write_text(json.dumps({"lessons": {}}))
    with pytest.raises(SongNetError, match=r"Sphinx found faults.*02-second"):
        site.write_site([path], tmp_path / "site", tmp_path)
    assert (tmp_path / "site" / "lessons" / "01-first.html").is_file()


# --- What cells leave ----------------------------------------------------------------------------

WIDGET = "application/vnd.jupyter.widget-view+json"


def shown(folder, data: dict) -> dict:
    """Return what a page shows in the place of a cell's output, with its files in a folder."""
    made = nbformat.v4.new_notebook(cells=[cell("widget")])
    made.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]
    (output,) = site.for_page(made, folder, "../media").cells[0].outputs
    return output.data


def test_a_widget_that_left_something_for_pages_keeps_it(tmp_path):
    data = {WIDGET: {}, "text/html": "<table></table>"}
    assert shown(tmp_path, data) == {"text/html": "<table></table>"}


def test_what_cells_print_stays_where_it_was_printed(tmp_path):
    said = [nbformat.v4.new_output("stream", text=text) for text in ("a ", "tone", "and another")]
    made = nbformat.v4.new_notebook(cells=[cell("widget")])
    sound = nbformat.v4.new_output("display_data", {"text/html": "<audio></audio>"})
    made.cells[0].outputs = [*said[:2], sound, said[2], sound]
    outputs = site.for_page(made, tmp_path, "../media").cells[0].outputs
    assert [output.get("text") for output in outputs] == ["a tone", None, "and another", None]


def test_what_a_widget_recorded_is_loaded_by_a_script_and_equal_files_are_one(tmp_path):
    picture, sound = (
        f"data:{kind};base64,{base64.b64encode(b'abc').decode()}"
        for kind in ("image/webp", "audio/mpeg")
    )
    recorded = {
        "widget": "explorer",
        "parts": [f'<img src="{picture}">', sound, sound],
        "x": "</a>",
    }
    still = f'<img alt="" src="{picture}">'
    data = shown(tmp_path / "media", {WIDGET: {}, MIME: recorded, "text/html": still})
    files = {file.suffix: file for file in (tmp_path / "media").iterdir()}
    assert set(files) == {".webp", ".mp3", ".js"}
    assert files[".mp3"].read_bytes() == b"abc"
    assert data == {
        "text/html": f'<div class="songnet-recording" data-name="{files[".js"].stem}" '
        f'data-media="../media/"><img alt="" src="../media/{files[".webp"].name}"></div>'
    }
    (tmp_path / "index.html").write_text(data["text/html"])
    assert read_recording(tmp_path / "index.html") == {
        **recorded,
        "parts": [
            f'<img src="media:{files[".webp"].name}">',
            *[f"media:{files['.mp3'].name}"] * 2,
        ],
    }


# --- For teachers --------------------------------------------------------------------------------


def test_every_real_lesson_tells_teachers_what_it_teaches_and_trains():
    for path in find_lessons():
        notebook = nbformat.read(path, as_version=4)
        assert len(learning_goals(notebook)) >= 3, path.name
        assert 3 <= len(exercises(notebook)) <= 5, path.name
        assert all(re.match(r"[A-Z][^#·]+$", asked) for asked in exercises(notebook))
