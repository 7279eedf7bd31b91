"""A small site in a real browser without a network, from disk and server, on phone and desktop.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from axe import serious
from lab import ROOT
from pages_for_tests import drop, served, wait_until_whole, write_song
from playwright.sync_api import Browser, Locator, Page, expect
from screens import SCREENS, cut, open_on, wide
from sites import RARE_WORD

PAGES = (
    *("index.html", "teachers.html", "api.html", "api/songnet_utils.plots.players.html"),
    *("genindex.html", "search.html", "lessons/01-first.html", "lessons/02-second.html"),
    "lessons/03-widgets.html",
    "lessons/solutions/01-first.html",
)


@pytest.fixture(scope="module")
def opened(browser: Browser, toy_site: Path) -> Iterator[Callable[[str], Page]]:
    """Open the site on a screen: in light from a server, in dark from a disk."""
    with served(toy_site) as server:
        yield lambda screen: open_on(
            browser, server if "light" in screen else toy_site.as_uri(), screen
        )


@pytest.mark.parametrize("screen", SCREENS)
def test_every_kind_of_page_opens_for_everybody(opened, screen):
    page = opened(screen)
    for name in PAGES:
        page.goto(name)
        assert page.locator("html").get_attribute("data-theme") == screen.split()[1], name
        assert wide(page) <= 0, name
        assert cut(page) == [], name
        assert serious(page) == [], name
        if folder := os.environ.get("SONGNET_SCREENSHOTS"):
            picture = f"site-{name.replace('/', '-')}-{screen.replace(', ', '-')}.png"
            page.screenshot(path=Path(folder) / picture, full_page=True)
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize("screen", ["phone, dark", "desktop, light"])
def test_search_finds_a_word_and_leads_to_it(opened, screen):
    page = opened(screen)
    page.goto("index.html")
    page.get_by_role("button", name="Search").locator("visible=true").first.click()
    page.get_by_role("searchbox").locator("visible=true").fill(RARE_WORD)
    page.keyboard.press("Enter")
    found = page.locator("#search-results li a")
    expect(found).to_have_count(1)
    assert wide(page) <= 0
    found.click()
    expect(page).to_have_title("2 · The second — SongNet, the course")
    expect(page.locator("article")).to_contain_text(RARE_WORD)
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize("screen", ["phone, light", "desktop, dark"])
def test_a_player_plays(opened, screen):
    page = opened(screen)
    page.goto("lessons/01-first.html")
    player = page.get_by_label("A tone of one second")
    player.scroll_into_view_if_needed()
    player.evaluate("player => player.play()")
    page.wait_for_function("player => player.currentTime > 0.2", arg=player.element_handle())
    assert player.evaluate("player => player.duration") == pytest.approx(1, abs=0.1)
    assert player.evaluate("player => player.getBoundingClientRect().width") > 150
    assert page.complaints == []
    page.context.close()


def test_a_plot_opens_as_large_as_it_is(opened):
    page = opened("phone, dark")
    page.goto("lessons/01-first.html")
    large = page.get_by_role("dialog")
    for leave in (lambda: page.keyboard.press("Escape"), large.click):
        page.locator("button.enlarge").first.tap()
        assert large.locator("img").bounding_box()["width"] > 900
        assert serious(page) == []
        leave()
        expect(large).to_have_count(0)
    page.context.close()


def test_light_and_dark_can_be_chosen_and_lessons_be_left(opened):
    page = opened("phone, light")
    page.goto("lessons/01-first.html")
    for theme in ("dark", "light"):
        page.get_by_role("button", name="Color mode").locator("visible=true").click()
        page.get_by_role("button", name=theme.capitalize(), exact=True).click()
        assert page.locator("html").get_attribute("data-theme") == theme
    page.get_by_role("link", name="next", exact=False).last.click()
    expect(page.locator("article h1")).to_contain_text("The second")
    assert page.complaints == []
    page.context.close()


# ---- What can be touched ------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["phone, dark", "desktop, light"])
def touched(request, opened) -> Iterator[Callable[[str], Locator]]:
    """Find a widget of the lesson that has them all, once it is live."""
    page = opened(request.param)
    page.goto("lessons/03-widgets.html")

    def find(live: str) -> Locator:
        # What was recorded is loaded when a reader comes near.
        for place in page.locator(".songnet-recording").all():
            place.scroll_into_view_if_needed()
        found = page.locator(".songnet-recording", has=page.locator(live))
        found.first.wait_for()
        return found

    yield find
    assert serious(page) == []
    assert page.complaints == []
    assert wide(page) <= 0
    assert cut(page) == []
    page.context.close()


def parts(widget: Locator) -> list[str]:
    """Return what an explorer says, its picture and its sounds."""
    picture = widget.locator("img").first
    # It is there, and not only its frame.
    picture.evaluate("picture => picture.decode()")
    sounds = widget.locator("audio").evaluate_all("all => all.map((sound) => sound.src)")
    return [said(widget).inner_text(), picture.get_attribute("src"), str(sounds)]


def said(widget: Locator) -> Locator:
    """Return what says in words what a widget shows; a slider's number has the same role."""
    return widget.locator("p[role=status]")


@pytest.mark.parametrize(
    ("place", "control", "value"),
    [
        (0, "Kind of split", "artist"),
        (0, "Test (%)", "20"),
        (1, "Band (from 0)", "16"),
        (1, "Bands", "256"),
        (2, "Hop (samples)", "128"),
        (2, "Floor (dB)", "-20"),
    ],
)
def test_an_explorer_shows_what_python_made_of_a_setting(touched, place, control, value):
    widget = touched(".se-controls label").nth(place)
    before = parts(widget)
    widget.get_by_label(control).select_option(value)
    after = parts(widget)
    assert before[0] != after[0]
    assert before[1] != after[1]
    expect(widget).to_contain_text("For everything, run make lab")


def test_a_control_offers_only_what_fits_the_others(touched):
    widget = touched(".se-controls label").nth(2)
    hop = widget.get_by_label("Hop (samples)")
    expect(hop.locator("option")).to_have_text(["128", "1024"])
    hop.select_option("1024")
    widget.get_by_label("Window (samples)").select_option("256")
    expect(hop).to_have_value("128")
    expect(hop).to_be_disabled()
    expect(said(widget)).to_contain_text("172.3 frames per second")


@pytest.mark.parametrize("name", ["Temperature", "Threshold"])
def test_a_slider_moves_by_keys(touched, name):
    widget = touched(".sn-slider").filter(has_text=name)
    before = parts(widget)
    slider = widget.get_by_role("slider", name=name)
    box, frame = slider.bounding_box(), widget.bounding_box()
    assert box["x"] + box["width"] < frame["x"] + frame["width"]
    slider.press("ArrowRight")
    moved = float(slider.get_attribute("aria-valuetext"))
    expect(said(widget)).not_to_have_text(before[0])
    slider.press("Home")
    assert float(slider.get_attribute("aria-valuetext")) < moved
    assert parts(widget)[1] != before[1]
    if name == "Temperature":
        widget.get_by_role("button", name="Fitted temperature").click()
        words = f"The fitted temperature is {slider.get_attribute('aria-valuetext')}"
        expect(said(widget)).to_contain_text(words)


def plays(sounds: Locator) -> None:
    """Wait until the first of these players has played a little."""
    sounds.first.evaluate("sound => sound.play()")
    sounds.page.wait_for_function(
        "sound => sound.currentTime > 0.1", arg=sounds.first.element_handle()
    )


def test_a_number_of_the_confusion_table_plays_its_clips(touched):
    widget = touched(".sn-numbers")
    number = widget.get_by_role("button", name="taken for").filter(has_text="1").first
    number.click()
    expect(number).to_have_attribute("aria-pressed", "true")
    expect(widget.get_by_role("status")).to_have_text(number.get_attribute("aria-label"))
    expect(widget.locator("audio")).to_have_count(1)
    plays(widget.locator("audio"))


def test_an_error_card_opens_and_plays_its_clip_and_its_neighbours(touched):
    widget = touched(".sc-cards")
    widget.locator(".sc-line").first.click()
    clip = widget.locator(".sc-line").first.get_attribute("data-clip")
    widget.page.locator(f".sc-cards[data-drawn={clip}]").wait_for()
    for button in (widget.locator(".sc-play").first, widget.locator(".sc-small").first):
        button.click()
        widget.page.wait_for_function(
            "document.querySelector('.sc-cards').gallery.audio.currentTime > 0.1"
        )
        widget.page.locator(".sc-cards:not([data-playing=''])").wait_for()
    expect(widget.locator(".sc-nearest")).to_contain_text("CC BY 4.0")


def test_a_kernel_plays_what_it_found(touched):
    widget = touched(".sk-kernels")
    widget.get_by_role("tab", name="conv_2").click()
    widget.locator(".sk-tile:not(.sk-dead)").first.click()
    expect(widget.locator(".sk-kernels")).to_have_attribute("data-playing", re.compile("found/2/"))
    expect(widget.locator(".sk-pieces li")).to_have_count(3)
    # What needs Python is not offered, and the page says where it is.
    expect(widget.locator(".sk-sound")).to_have_text(["Found"])
    expect(widget).to_contain_text("For everything, run make lab")


@pytest.mark.parametrize(
    ("place", "questions", "was"),
    [
        (0, 2, r"It was kernel \d+ of conv_2"),
        (1, 2, r"It was kernel \d+ of conv_2"),
        (2, 3, "You have [0-3]"),
    ],
    ids=["genre of a kernel", "song of a kernel", "genre of a clip"],
)
def test_a_quiz_asks_answers_and_counts(touched, place, questions, was):
    widget = touched(".se-quiz").nth(place)
    for number in range(1, questions + 1):
        expect(widget).to_contain_text(f"Question {number} of {questions}.")
        plays(widget.locator("audio"))
        # From the first question to the second, the focus goes along.
        choices = widget.locator(".se-controls button")
        choices.first.click()
        expect(widget).to_contain_text(re.compile(rf"(Right|No, .*)\. +{was}"))
        expect(widget).to_contain_text(f" of {number} right")
        assert choices.evaluate_all("all => all.every((button) => button.disabled)")
        if number < questions:
            widget.get_by_role("button", name="Next question").click()
    expect(widget.get_by_role("button", name="Next question")).to_be_disabled()


# ---- The listening page -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real song where there is one beside the project, else one that is made here."""
    shared = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared"))
    real = next(shared.glob("fma/fma_small/*/*.mp3"), None)
    return real or write_song(tmp_path_factory.mktemp("song") / "song.mp3", 30)


# What is shown, and what the network says at the same moment.
SHOWN = """() => ({
  ...songnet.now(),
  percents: [...document.querySelectorAll(".sp-bars tbody td:nth-child(3)")]
    .map((one) => Number.parseFloat(one.textContent)),
})"""
STEPS = """[...songnet.session.current.answers.values()][0].steps
  .map(({ end, probabilities }) => [end, ...probabilities])"""


@pytest.fixture(
    scope="module",
    params=[("index.html", "phone, dark"), ("lessons/03-widgets.html", "desktop, light")],
    ids=["front page", "lesson"],
)
def listening(request, opened, mp3) -> Iterator[Page]:
    """A page that has answered a real song, which was dropped on it."""
    name, screen = request.param
    page = opened(screen)
    page.goto(name)
    page.wait_for_function("window.songnet")
    assert page.evaluate("songnet.ready")["network"] == "songnet-mini"
    drop(page, [mp3])
    page.wait_for_function("songnet.now().time > 0.5", timeout=60_000)
    expect(page.locator(".sp-title")).not_to_have_text("A medley of eight genres")
    wait_until_whole(page)
    yield page
    assert serious(page, ".songnet-page") == []
    assert page.complaints == []
    page.context.close()


def test_after_random_seeks_the_step_of_the_playhead_is_shown(listening):
    ends, *probabilities = np.transpose(listening.evaluate(STEPS))
    listening.evaluate("songnet.play()")
    for time in np.random.default_rng(0).uniform(0, 0.9 * ends[-1], 50):
        listening.evaluate("(time) => songnet.seek(time)", float(time))
        # One picture later; more on a machine that is busy.
        near = "(time) => Math.abs(songnet.now().time - time) < 1"
        listening.wait_for_function(near, arg=float(time), timeout=5_000)
        shown = listening.evaluate(SHOWN)
        assert shown["step"] == np.searchsorted(ends, shown["time"], side="right") - 1
        if shown["step"] >= 0:
            expected = 100 * np.array(probabilities)[:, shown["step"]]
            np.testing.assert_allclose(shown["percents"], expected, atol=0.51)


def test_the_microphone_answers_and_becomes_a_song(listening):
    listening.get_by_role("button", name="Microphone").click()
    expect(listening.locator(".sp-ear")).to_contain_text(
        "after its sound has ended", timeout=60_000
    )
    assert listening.evaluate("songnet.now().step") >= 0
    listening.get_by_role("button", name="Stop listening").click()
    expect(listening.locator(".sp-song b").last).to_contain_text("Microphone")
    wait_until_whole(listening)
    listening.evaluate("songnet.play()")
    listening.wait_for_function("songnet.now().time > 0.3", timeout=60_000)
