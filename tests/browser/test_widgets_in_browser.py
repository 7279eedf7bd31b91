"""The widgets in JupyterLab: keys move them, and they shut nobody out, as far as axe can tell.

Set SONGNET_SCREENSHOTS to a folder to look at them yourself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import serious
from kernel_toy import GENRES, surveyed
from playwright.sync_api import Locator, Page, expect
from toys import tone_corpus

from songnet_utils.widgets import KernelGallery

CHANGE_THEME = """async (theme) => {
  await window.jupyterapp.commands.execute('apputils:change-theme', {theme});
}"""

# What a widget is made of, and what shows that it is there, whole.
WIDGETS = {
    "error cards": (
        """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ErrorCards
ErrorCards(analysed(Path({folder!r}) / "tunes"))
""",
        ".sc-cards[data-shown]",
    ),
    "kernel gallery": (
        """
from pathlib import Path
from kernel_toy import surveyed
from songnet_utils.widgets import KernelGallery
KernelGallery(*surveyed(Path({folder!r}) / "sweeps", filters=4))
""",
        ".sk-kernels[data-shown]",
    ),
    "kernel quiz": (
        """
from pathlib import Path
from kernel_toy import surveyed
from songnet_utils import kernels
from songnet_utils.widgets import KernelQuiz
survey, votes = surveyed(Path({folder!r}) / "sweeps", filters=4)
KernelQuiz(kernels.genre_questions(survey, votes, "conv_2", count=2))
""",
        ".se-quiz audio",
    ),
    **{
        name: (
            f"""
import numpy as np
from songnet_utils import Sound
from songnet_utils.widgets import FilterBankExplorer, MelExplorer
tone = (0.3 * np.sin(0.125 * np.arange(22_050))).astype(np.float32)
{cell}
""",
            ".jp-OutputArea-output .widget-vbox",
        )
        for name, cell in {
            "mel explorer": "MelExplorer(tone, 22_050)",
            "filter-bank explorer": "FilterBankExplorer(tone, Sound())",
        }.items()
    },
    "split explorer": (
        """
from songnet_utils import open_corpus
from songnet_utils.widgets import SplitExplorer
SplitExplorer(open_corpus({tones!r}))
""",
        ".jp-OutputArea-output .widget-vbox",
    ),
    "confusion buttons": (
        """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ConfusionButtons
ConfusionButtons(analysed(Path({folder!r}) / "tunes"))
""",
        ".sn-numbers button",
    ),
    "threshold and temperature": (
        """
import ipywidgets
from tunes import sure_answers
from songnet_utils.widgets import TemperatureSlider, ThresholdSlider
answers = sure_answers()
genres = ["Folk", "Pop", "Rock"]
ipywidgets.VBox([ThresholdSlider(answers, genres), TemperatureSlider(answers, genres)])
""",
        ".jp-OutputArea-output img >> nth=2",
    ),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("accessibility")
    return {"folder": str(folder), "tones": str(tone_corpus(folder / "tones", clips=4))}


@pytest.fixture(scope="module")
def page(lab, places) -> Iterator[Page]:
    """One notebook with all widgets, as high as JupyterLab needs to draw them all."""
    cells = [cell.format(**places) for cell, _ in WIDGETS.values()]
    page = lab.open(cells, name="widgets.ipynb", height=12_000)
    for _, whole in WIDGETS.values():
        page.locator(whole).first.wait_for(timeout=180_000)
    yield page
    assert page.complaints == []
    page.context.close()


def output_with(page: Page, selector: str) -> Locator:
    return page.locator(".jp-OutputArea-output", has=page.locator(selector))


def test_a_number_says_its_name_and_is_found_and_pressed_by_keys(page):
    widget = output_with(page, ".sn-numbers")
    widget.get_by_role("button", name="Electronic predicted correctly: 0 of 0 clips").focus()
    assert widget.locator(".sn-numbers [tabindex='0']").count() == 1
    # Folk is the third row.
    for key in ("ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    name = "Folk taken for Electronic: 1 of 2 clips"
    number = widget.get_by_role("button", name=name, exact=True)
    expect(number).to_be_focused()
    expect(number).to_have_text("1")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("status")).to_have_text(name)
    expect(number).to_have_attribute("aria-pressed", "true")
    expect(number).to_be_focused()
    sound = widget.locator("audio")
    page.wait_for_function("(sound) => sound.currentTime > 0", arg=sound.element_handle())
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(widget.get_by_role("status")).to_have_text("Folk taken for Experimental: 0 of 2 clips")
    expect(sound).to_have_count(0)


def test_keys_move_a_slider_and_python_draws_anew(page):
    """JupyterLab has its own use for keys."""
    slider = page.get_by_role("slider", name="Threshold")
    picture = output_with(page, ".sn-slider").locator("img").first
    before = picture.get_attribute("src")
    start = float(slider.get_attribute("aria-valuetext"))
    slider.focus()
    for key, to in [
        ("ArrowRight", start + 0.01),
        ("ArrowDown", start),
        ("PageUp", start + 0.1),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 1),
    ]:
        slider.press(key)
        assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(to), key
    expect(slider).to_be_focused()
    expect(picture).not_to_have_attribute("src", before)


def test_a_quiz_is_heard_answered_and_goes_on(page):
    quiz = page.locator(".jp-OutputArea-output .se-quiz").first
    expect(quiz).to_contain_text(
        "Question 1 of 2. Listen to the excerpts that excite a kernel most. Which genre"
    )
    expect(quiz.get_by_role("button", name="Next question")).to_be_disabled()
    assert quiz.locator("audio").count() == 1
    assert quiz.locator("audio").evaluate(
        """(audio) => new Promise((done) => {
          audio.addEventListener('timeupdate', () => done(audio.currentTime > 0), {once: true});
          audio.play();
        })"""
    )
    choices = [name for name in GENRES if quiz.get_by_role("button", name=name).count()]
    assert len(choices) > 1
    quiz.get_by_role("button", name=choices[0], exact=True).click()
    expect(quiz).to_contain_text("It was kernel")
    for choice in choices:
        expect(quiz.get_by_role("button", name=choice, exact=True)).to_be_disabled()
    quiz.get_by_role("button", name="Next question").click()
    expect(quiz).to_contain_text("Question 2 of 2.")
    expect(quiz.get_by_role("button", name=choices[0], exact=True)).to_be_enabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_widget(page, theme):
    page.emulate_media(color_scheme=theme)
    page.evaluate(CHANGE_THEME, f"JupyterLab {theme.capitalize()}")
    is_light = str(theme == "light").lower()
    page.wait_for_function(f"document.body.dataset.jpThemeLight === '{is_light}'")
    assert serious(page, ".jp-OutputArea-output") == []
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"widgets-{theme}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_saved_gallery(browser, places, tmp_path, theme):
    gallery = KernelGallery(*surveyed(Path(places["folder"]) / "sweeps", filters=4))
    page = browser.new_page(color_scheme=theme)
    page.goto(gallery.save(tmp_path / "page").as_uri())
    page.locator(".sk-kernels[data-shown]").wait_for()
    assert serious(page) == []
    page.close()


def test_what_shuts_people_out_would_be_seen(browser):
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>Bad</title><body style='background: white'>"
        "<p id=pale style='color: #ccc'>Too pale to read</p><button id=silent></button>"
    )
    assert {line.partition(":")[0] for line in serious(page)} == {"color-contrast", "button-name"}
    assert [line.partition(":")[0] for line in serious(page, "#silent")] == ["button-name"]
    page.close()
