"""Lessons are run as they are, and their pages need nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from offline import Loads, external

from songnet_utils.errors import SongNetError
from songnet_utils.lessons.course import as_text, find_lessons, results_table
from songnet_utils.lessons.pages import run_notebook, title_of, write_index, write_page


def notebook(folder: Path, name: str, *cells: str) -> Path:
    """Write a notebook; a cell that starts with # and a capital letter is Markdown."""
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(cell)
            if re.match(r"#* ?[A-Z]", cell)
            else nbformat.v4.new_code_cell(cell)
            for cell in cells
        ]
    )
    path = folder / name
    nbformat.write(made, path)
    return path


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lessons")
    path = notebook(
        folder,
        "01_first.ipynb",
        "# The *first* lesson\nAfter it, [the second](02_second.ipynb#then).",
        "import os\nprint(os.environ['SONGNET_DATA'], os.getcwd())",
        "from math import sin\nfrom IPython.display import Audio\n"
        "Audio([sin(i) for i in range(800)], rate=8000)",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import ipywidgets\nipywidgets.IntSlider(description='Touch')",
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)): pass",
        "Mel is $2595 \\log_{10}(1 + f/700)$ and\n\n$$\\sum_i x_i^2 \\text{ a\\_b}$$\n\nin all.",
    )
    before = path.read_bytes()
    done = run_notebook(path, {"SONGNET_DATA": "/data/of/the/course"})
    assert path.read_bytes() == before
    return done


@pytest.fixture(scope="module")
def page(lesson):
    second = lesson.path.with_name("02_second.ipynb")
    return write_page(lesson, lesson.path.parent / "pages", [lesson.path, second]).read_text(
        "utf-8"
    )


def test_a_lesson_runs_in_its_folder_with_its_environment(lesson):
    assert lesson.failure is None
    assert lesson.title == "The first lesson"
    said = lesson.notebook.cells[1].outputs[0].text.strip()
    assert said == f"/data/of/the/course {lesson.path.parent}"


def test_a_page_loads_nothing_from_elsewhere(page):
    assert external(page) == []


def test_a_page_that_loads_from_elsewhere_would_be_seen():
    for line in (
        '<script src="https://a.b/c.js"></script>',
        '<link rel="stylesheet" href="https://a.b/c.css">',
        '<img src="picture.png">',
        "<style>@import 'https://a.b/c.css';</style>",
        "<style>p { background: url(https://a.b/c.png) }</style>",
        "<script>fetch('https://a.b/c')</script>",
    ):
        assert external(line), line


def test_a_page_has_the_picture_the_sound_and_the_formulas(page):
    tags = Loads(page).tags
    assert tags.count("math") == 2
    assert "a_b" in page
    assert "audio" in tags
    assert re.search(r'<img[^>]+src="data:image/png;base64,', page, re.DOTALL)
    assert "$" not in re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", "", page)


def test_a_page_says_where_a_widget_is_and_leaves_progress_bars_out(page):
    assert page.count('class="widget-here"') == 1
    assert "3/3" not in page


def test_a_page_leads_to_the_other_pages(page):
    assert 'href="02_second.html#then"' in page
    assert page.count('<a href="02_second.html">02_second →</a>') == 2
    assert ".ipynb" not in page


def test_a_lesson_that_fails_says_where_and_keeps_its_page(tmp_path):
    path = notebook(
        tmp_path, "bad.ipynb", "x = 1", "raise ValueError('no such song\\nat all')", "3"
    )
    lesson = run_notebook(path, {})
    assert lesson.failure == "cell 2: ValueError: no such song"
    shown = write_page(lesson, tmp_path / "pages", [path]).read_text("utf-8")
    assert "at all" in shown


def test_a_file_that_is_no_notebook_is_told(tmp_path):
    path = tmp_path / "odd.ipynb"
    path.write_text("# no notebook")
    with pytest.raises(SongNetError, match=r"odd\.ipynb: is not a notebook"):
        run_notebook(path, {})
    with pytest.raises(SongNetError, match="has no lessons"):
        find_lessons(tmp_path / "nowhere")


def test_a_notebook_without_a_heading_is_called_by_its_name():
    assert title_of(nbformat.v4.new_notebook(), "07_live") == "07_live"


RECORD = {
    "corpus": "mini",
    "split": "artist",
    "model": "songnet",
    "test": {"clips": 80, "artists": 19, "accuracy": 0.625, "confidence_interval": [0.5, 0.75]},
}


def test_the_table_of_results_is_the_records(tmp_path, lesson):
    unknown = {**RECORD, "test": {**RECORD["test"], "artists": None}}
    rows = results_table([RECORD, unknown])
    header, first, second = as_text(rows)
    assert first.split() == ["mini", "artist", "songnet", "80", "19", "0.625", "0.500–0.750"]
    assert second.split()[4] == "–"
    assert header.index("accuracy") == first.index("0.625")
    index = write_index(tmp_path, [lesson], rows, "A teaching corpus.").read_text("utf-8")
    assert external(index) == []
    assert '<a href="01_first.html">The first lesson</a>' in index
    assert "<td>0.500–0.750</td>" in index
