"""The error cards in a real browser: they draw, filter, answer the keyboard, play the right sound.

Set SONGNET_SCREENSHOTS to a folder to look at them yourself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tunes import TUNES, analysed

from songnet_utils.evaluation.error_analysis import ErrorAnalysis
from songnet_utils.plots import GENRE_COLOURS

HERTZ = {clip: hertz for clip, _, _, hertz in TUNES}

CELL = """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ErrorCards
cards = ErrorCards(analysed(Path({folder!r})))
cards
"""

# The pitch of what is in the player, by its zero crossings.
PITCH = """async () => {
  const {gallery} = document.querySelector('.sc-cards');
  const bytes = await (await fetch(gallery.audio.src)).arrayBuffer();
  const sound = await new OfflineAudioContext(1, 1, 22050).decodeAudioData(bytes);
  const samples = sound.getChannelData(0).slice(22050, 3 * 22050);
  let crossings = 0;
  for (let i = 1; i < samples.length; i++) crossings += samples[i - 1] < 0 && samples[i] >= 0;
  return crossings / (samples.length / 22050);
}"""


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.locator(".sc-cards").screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture(scope="module")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ErrorAnalysis]:
    folder = tmp_path_factory.mktemp("tunes")
    return folder, analysed(folder)


@pytest.fixture(scope="module")
def page(lab, tunes) -> Iterator[Page]:
    page = lab.open([CELL.format(folder=str(tunes[0]))], name="cards.ipynb", height=1300)
    page.locator(".sc-cards[data-shown]").wait_for(timeout=120_000)
    yield page
    assert page.complaints == [], "the browser's console has errors"
    page.context.close()


@pytest.fixture(autouse=True)
def nothing_chosen(page) -> None:
    """Begin with no card open and all clips in the list."""
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="True genre").select_option("")
    page.get_by_role("combobox", name="Prediction").select_option("")


def shown(page: Page) -> list[str]:
    return page.locator(".sc-line").evaluate_all("lines => lines.map((l) => l.dataset.clip)")


def open_card(page: Page, clip: str) -> None:
    line = page.locator(f".sc-line[data-clip={clip}]")
    if line.get_attribute("aria-expanded") != "true":
        line.click()
    page.locator(f".sc-cards[data-drawn={clip}]").wait_for()


def test_two_lists_choose_the_cards(page, tunes):
    answers = tunes[1].answers
    assert sorted(shown(page)) == sorted(answers.index)
    page.get_by_role("combobox", name="Prediction").select_option("wrong")
    assert shown(page) == tunes[1].wrong.index.tolist()
    page.get_by_role("combobox", name="True genre").select_option("Folk")
    page.get_by_role("combobox", name="Prediction").select_option("")
    assert set(shown(page)) == set(answers.index[answers.genre == "Folk"])
    status = page.locator(".sc-cards").get_by_role("status")
    expect(status).to_have_text(f"{(answers.genre == 'Folk').sum()} of 5 clips")


def test_a_cell_of_the_matrix_chooses_its_cards_and_lets_go_again(page, tunes):
    answers = tunes[1].answers
    row = answers.loc["x1"]
    same = answers.index[(answers.genre == row.genre) & (answers.answer == row.answer)]
    name = f"{row.genre} taken for {row.answer}: {len(same)} clip"
    cell = page.get_by_role("button", name=name)
    cell.click()
    assert set(shown(page)) == set(same)
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("combobox", name="True genre")).to_have_value(row.genre)
    cell.click()
    assert shown(page) == tunes[1].wrong.index.tolist()


def test_a_card_draws_what_the_network_said(page, tunes):
    analysis = tunes[1]
    open_card(page, "x1")
    screenshot(page, "card")
    text = page.locator("li[data-clip=x1]").inner_text()
    assert "“<i>Tune</i> & x1” by Artist 4" in text
    assert "CC BY 4.0" in text
    assert "Folk, Tones" in text
    difference = round(100 * analysis.contributions("x1").sum())
    assert f"{analysis.answers.answer['x1']} leads {analysis.rival('x1')} by {difference}" in text
    # The stack of the genres has the colours of the genres that have a part in it.
    colours = page.locator(".sc-stage canvas").evaluate("""(canvas) => {
      const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      const seen = {};
      for (let i = 0; i < all.length; i += 4) {
        if (all[i + 3] < 255) continue;
        const hex = [0, 1, 2].map((c) => all[i + c].toString(16).padStart(2, '0')).join('');
        seen['#' + hex.toUpperCase()] = (seen['#' + hex.toUpperCase()] ?? 0) + 1;
      }
      return seen;
    }""")
    mean = analysis.steps_of("x1").mean(axis=0)
    largest = analysis.genres[int(mean.argmax())]
    drawn = {genre: colours.get(colour.upper(), 0) for genre, colour in GENRE_COLOURS.items()}
    assert max(drawn, key=drawn.get) == largest


def pitch(page: Page) -> float:
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing")
    return page.evaluate(PITCH)


def test_what_plays_is_the_card_that_was_opened(page):
    root = page.locator(".sc-cards")
    for clip in ("x1", "x4", "x1"):
        open_card(page, clip)
        page.locator(f"li[data-clip={clip}] .sc-transport .sc-play").click()
        page.wait_for_function(f"document.querySelector('.sc-cards').dataset.playing === {clip!r}")
        assert pitch(page) == pytest.approx(HERTZ[clip], abs=3)
    page.locator("li[data-clip=x1] .sc-transport .sc-play").click()
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === ''")
    # Nothing goes on playing behind a closed card.
    page.locator("li[data-clip=x1] .sc-transport .sc-play").click()
    page.locator(".sc-line[data-clip=x1]").click()
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === ''")
    expect(root).not_to_have_attribute("data-open", "x1")


def test_a_neighbour_plays_its_own_sound_and_the_clip_falls_silent(page, tunes):
    open_card(page, "x3")
    page.locator("li[data-clip=x3] .sc-transport .sc-play").click()
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === 'x3'")
    near = page.locator(".sc-nearest .sc-play").first
    expect(near).to_have_attribute("aria-label", "Play “<i>Tune</i> & t3” by Artist 2")
    near.click()
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === 't3'")
    assert pitch(page) == pytest.approx(HERTZ["t3"], abs=3)
    expect(near).to_have_attribute("aria-label", "Pause “<i>Tune</i> & t3” by Artist 2")


def test_the_step_that_decided_most_is_played_and_then_it_stops(page, tunes):
    analysis = tunes[1]
    open_card(page, "x2")
    page.get_by_role("button", name="Hear the step that decided most").click()
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === 'x2'")
    start, end = analysis.net.timeline.step_span(int(analysis.contributions("x2").argmax()))
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === ''")
    at = page.evaluate("document.querySelector('.sc-cards').gallery.audio.currentTime")
    # A player says its time about four times a second.
    assert max(0, start) < at < end + 0.6


def test_everything_goes_by_keyboard(page, tunes):
    analysis = tunes[1]
    # The matrix is one stop of the Tab key; arrows move inside it.
    page.locator(".sc-matrix button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.ariaLabel")
    assert focused.startswith(f"{analysis.genres[1]} taken for {analysis.genres[1]}: ")
    assert page.locator(".sc-matrix [tabindex='0']").count() == 1
    # Down the list, open a card, play, seek, and out again.
    first, second = shown(page)[:2]
    page.locator(f".sc-line[data-clip={first}]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(f".sc-cards[data-drawn={second}]").wait_for()
    page.locator(".sc-stage").focus()
    page.keyboard.press(" ")
    page.wait_for_function(f"document.querySelector('.sc-cards').dataset.playing === {second!r}")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('.sc-cards').dataset.playing === ''")
    before = page.evaluate("document.querySelector('.sc-cards').gallery.audio.currentTime")
    page.keyboard.press("ArrowRight")
    stage = page.get_by_role("slider", name="Position in")
    page.wait_for_function(
        f"document.querySelector('.sc-cards').gallery.audio.currentTime > {before} + 0.9"
    )
    expect(stage).to_have_attribute("aria-valuetext", re.compile(r"of 6\.0 seconds"))
    page.keyboard.press("Escape")
    assert page.locator(".sc-body:not([hidden])").count() == 0
    assert page.evaluate("document.activeElement.dataset.clip") == second


def test_everything_that_can_be_touched_has_a_name(page):
    open_card(page, "x5")
    nameless = page.locator(".sc-cards").evaluate("""(root) =>
      [...root.querySelectorAll('button, select, [role=slider]')].filter((e) =>
        !(e.ariaLabel || e.innerText.trim() || e.labels?.length)).map((e) => e.outerHTML)""")
    assert nameless == []


def test_it_fits_into_a_narrow_dark_window(page):
    page.emulate_media(color_scheme="dark")
    page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.set_viewport_size({"width": 620, "height": 1200})
    open_card(page, "x1")
    page.wait_for_timeout(300)
    screenshot(page, "card-dark-narrow")
    wide = page.locator(".sc-cards").evaluate("root => root.scrollWidth - root.clientWidth")
    assert wide <= 0
