"""Lessons are run as they are, kept with what came out, and made ready for a page."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import nbformat
import pytest
from recordings import read_recording
from sites import cell

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.course import as_text, find_lessons, results_table
from songnet_utils.lessons.pages import failure_of, for_page, is_kept, keep, run_notebook, title_of
from songnet_utils.lessons.site import results_in_markdown
from songnet_utils.widgets.recording import MIME

KINDS = ("image/webp", "audio/mpeg")


def notebook(folder: Path, name: str, *cells: str) -> Path:
    """Write a notebook; a cell that starts with # is Markdown."""
    path = folder / name
    nbformat.write(nbformat.v4.new_notebook(cells=[cell(text) for text in cells]), path)
    return path


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    path = notebook(
        tmp_path_factory.mktemp("lessons"),
        "01_first.ipynb",
        "# The *first* lesson",
        "import os\nprint(os.environ['SONGNET_DATA'], os.getcwd())",
        "from math import sin\nfrom IPython.display import Audio\n"
        "Audio([sin(i) for i in range(800)], rate=8000)",
        "import ipywidgets\nipywidgets.IntSlider(description='Touch')",
        "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3)): pass",
    )
    before = path.read_bytes()
    done = run_notebook(path, {"SONGNET_DATA": "/data/of/the/course"})
    assert path.read_bytes() == before
    return done


def test_a_lesson_runs_in_its_folder_with_its_environment(lesson):
    assert lesson.failure is None
    assert lesson.title == "The first lesson"
    said = lesson.notebook.cells[1].outputs[0].text.strip()
    assert said == f"/data/of/the/course {lesson.path.parent}"


def test_a_lesson_is_kept_until_it_is_written_anew(lesson, tmp_path):
    path = notebook(tmp_path, "01_first.ipynb", *(one.source for one in lesson.notebook.cells))
    assert not is_kept(path, tmp_path / "ran")
    file = keep(lesson, tmp_path / "ran")
    assert is_kept(path, tmp_path / "ran")
    kept = nbformat.read(file, as_version=4)
    assert kept.cells[1].outputs == lesson.notebook.cells[1].outputs
    assert failure_of(kept) is None
    notebook(tmp_path, "01_first.ipynb", "# The first lesson, written anew")
    assert not is_kept(path, tmp_path / "ran")


def test_a_lesson_that_fails_says_where_and_is_kept(tmp_path):
    path = notebook(
        tmp_path, "bad.ipynb", "x = 1", "raise ValueError('no such song\\nat all')", "3"
    )
    lesson = run_notebook(path, {})
    assert lesson.failure == "cell 2: ValueError: no such song"
    kept = nbformat.read(keep(lesson, tmp_path / "ran"), as_version=4)
    assert failure_of(kept) == lesson.failure
    assert "at all" in str(kept.cells[1].outputs)


def test_sounds_and_pictures_become_files_beside_the_page(lesson, tmp_path):
    before = str(lesson.notebook)
    page = for_page(lesson.notebook, tmp_path / "media", "../media")
    assert str(lesson.notebook) == before
    (name,) = re.findall(r'src="\.\./media/([^"]+)"', str(page.cells[2].outputs))
    (whole,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", str(lesson.notebook.cells[2].outputs))
    assert (tmp_path / "media" / name).read_bytes() == base64.b64decode(whole)
    assert name.endswith(".wav")
    assert "base64" not in str(page)
    for_page(lesson.notebook, tmp_path / "media", "..")
    assert len(list((tmp_path / "media").iterdir())) == 1


def test_a_page_says_where_a_widget_is_and_leaves_progress_bars_out(lesson, tmp_path):
    page = for_page(lesson.notebook, tmp_path, "..")
    (slider,) = page.cells[3].outputs
    assert "make lab" in slider.data["text/html"]
    assert "widget-view" not in str(page)
    assert page.cells[4].outputs == []


def test_a_widget_that_left_something_for_pages_keeps_it(tmp_path):
    made = nbformat.v4.new_notebook(cells=[cell("widget")])
    data = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<table></table>"}
    made.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]
    (output,) = for_page(made, tmp_path, "..").cells[0].outputs
    assert output.data == {"text/html": "<table></table>"}


def test_what_a_widget_recorded_is_loaded_by_a_script_and_equal_files_are_one(tmp_path):
    picture, sound = (f"data:{kind};base64,{base64.b64encode(b'abc').decode()}" for kind in KINDS)
    recording = {
        "widget": "explorer",
        "parts": [f'<img src="{picture}">', sound, sound],
        "x": "</a>",
    }
    made = nbformat.v4.new_notebook(cells=[cell("widget")])
    still = f'<img alt="" src="{picture}">'
    data = {"application/vnd.jupyter.widget-view+json": {}, MIME: recording, "text/html": still}
    made.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]
    (output,) = for_page(made, tmp_path / "media", "../media").cells[0].outputs
    files = {file.suffix: file for file in (tmp_path / "media").iterdir()}
    assert set(files) == {".webp", ".mp3", ".js"}
    assert files[".mp3"].read_bytes() == b"abc"
    assert output.data == {
        "text/html": f'<div class="songnet-recording" data-name="{files[".js"].stem}" '
        f'data-media="../media/"><img alt="" src="../media/{files[".webp"].name}"></div>'
    }
    (tmp_path / "index.html").write_text(output.data["text/html"])
    assert read_recording(tmp_path / "index.html") == {
        **recording,
        "parts": [
            f'<img src="media:{files[".webp"].name}">',
            *[f"media:{files['.mp3'].name}"] * 2,
        ],
    }


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


def test_the_table_of_results_is_the_records():
    unknown = {**RECORD, "test": {**RECORD["test"], "artists": None}}
    rows = results_table([RECORD, unknown])
    header, first, second = as_text(rows)
    assert first.split() == ["mini", "artist", "songnet", "80", "19", "0.625", "0.500–0.750"]
    assert second.split()[4] == "–"
    assert header.index("accuracy") == first.index("0.625")
    head, _, row, *_, note = results_in_markdown(rows, "A teaching corpus.").splitlines()
    assert head.startswith("| corpus | split | model |")
    assert row == "| mini | artist | songnet | 80 | 19 | 0.625 | 0.500–0.750 |"
    assert note == "A teaching corpus."
    assert "Not measured" in results_in_markdown([], "A teaching corpus.")
