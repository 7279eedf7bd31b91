"""The kernel gallery in a real browser: in JupyterLab, and as a page without Python.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from kernel_toy import DEAD, GENRES, TWINS, surveyed
from playwright.sync_api import Browser, Page, expect
from recordings import read_recording

from songnet_utils.kernels import Survey, found_clip
from songnet_utils.plots import genre_colours
from songnet_utils.widgets import KernelGallery
from songnet_utils.widgets.messages import MOST_IN_MESSAGE

FILTERS = 16

CELL = """
from pathlib import Path
from kernel_toy import surveyed
from songnet_utils.widgets import KernelGallery
gallery = KernelGallery(*surveyed(Path({folder!r}), filters={filters}))
gallery
"""

# The bytes of what is in the player.
BYTES = """async () => {
  const {gallery} = document.querySelector('.sk-kernels');
  const bytes = new Uint8Array(await (await fetch(gallery.audio.src)).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""

# The colours of less sound than usual, as much, and more.
ORANGE, USUAL, PURPLE = np.array([[204, 102, 0], [247, 247, 247], [84, 39, 136]])

# The mean colour of a thumbnail's lower and upper half.
HALVES = """(tile) => {
  const canvas = tile.querySelector('canvas');
  const {width, height} = canvas;
  const half = (top) => {
    const {data} = canvas.getContext('2d').getImageData(0, top, width, height / 2);
    return [0, 1, 2].map((c) => data.filter((_, i) => i % 4 === c).reduce((a, b) => a + b)
      / (data.length / 4));
  };
  return [half(height / 2), half(0)];
}"""


def screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("SONGNET_SCREENSHOTS"):
        page.locator(".sk-kernels").screenshot(path=Path(folder) / f"{name}.png")


def root_data(page: Page, name: str) -> str | None:
    return page.locator(".sk-kernels").get_attribute(f"data-{name}")


def wait_for(page: Page, name: str, value: str) -> None:
    page.wait_for_function(f"document.querySelector('.sk-kernels').dataset.{name} === {value!r}")


def show_layer(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def tile(page: Page, kernel: int):
    return page.locator(f".sk-tile[data-kernel='{kernel}']")


def shown(page: Page) -> list[int]:
    return page.locator(".sk-tile").evaluate_all("all => all.map((t) => t.kernel.kernel)")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.dataset.kernel ?? ''")


def likeness(mp3: bytes, audio: np.ndarray) -> float:
    """Return how alike two sounds are, wherever an mp3 begins."""
    heard, _ = soundfile.read(io.BytesIO(mp3), dtype="float32")
    length = min(len(heard), len(audio))
    one, other = heard[:length], audio[:length]
    spectrum = np.fft.rfft(one, 2 * length) * np.conj(np.fft.rfft(other, 2 * length))
    return float(np.fft.irfft(spectrum).max() / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Survey, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("sweeps")
    return folder, *surveyed(folder, filters=FILTERS)


@pytest.fixture(scope="module")
def in_lab(lab, toy) -> Iterator[Page]:
    cell = CELL.format(folder=str(toy[0]), filters=FILTERS)
    page = lab.open([cell], name="kernels.ipynb", height=1300)
    page.locator(".sk-kernels[data-shown]").wait_for(timeout=180_000)
    yield page
    assert page.complaints == [], "the browser's console has errors"
    page.context.close()


@pytest.fixture
def page(in_lab) -> Page:
    """Begin in the first layer, in the order of numbers, with nothing pinned and no sound."""
    if in_lab.get_by_role("button", name="Stop comparing").count():
        in_lab.get_by_role("button", name="Stop comparing").click()
    in_lab.get_by_role("combobox", name="Sort by").select_option("number")
    in_lab.get_by_role("combobox", name="Votes for").select_option("")
    show_layer(in_lab, "conv_1")
    in_lab.keyboard.press("Escape")
    return in_lab


def test_every_kernel_is_drawn_in_its_colours_and_said_in_words(page, toy):
    _, survey, votes = toy
    assert shown(page) == list(range(FILTERS))
    screenshot(page, "kernels")
    its = survey.of("conv_1")
    bands = its.triggered.shape[2]
    for kernel in range(FILTERS):
        drawn = tile(page, kernel).evaluate(HALVES)
        low, high = its.triggered[kernel, :, : bands // 2], its.triggered[kernel, :, bands // 2 :]
        for colour, half in ((drawn[0], low), (drawn[1], high)):
            share = half / np.abs(its.triggered[kernel]).max()
            more, less = ((np.clip(one, 0, 1) ** 0.8).mean() for one in (share, -share))
            mixed = USUAL + more * (PURPLE - USUAL) + less * (ORANGE - USUAL)
            assert colour == pytest.approx(mixed, abs=4)
        vote = votes.loc[("conv_1", kernel)].idxmax()
        name = f"Kernel {kernel}, votes for {vote}, fires {its.fires[kernel] * 100:.0f} %"
        assert tile(page, kernel).get_attribute("aria-label").startswith(name)
        frame = (
            tile(page, kernel)
            .locator(".sk-thumb")
            .evaluate("(thumb) => getComputedStyle(thumb).borderTopColor")
        )
        hex_ = genre_colours(GENRES)[vote].lstrip("#")
        assert frame == f"rgb({', '.join(str(int(hex_[i : i + 2], 16)) for i in (0, 2, 4))})"
    expect(tile(page, TWINS[1])).to_have_attribute(
        "aria-label", re.compile(f"twin of kernel {TWINS[2]}")
    )
    expect(tile(page, TWINS[1])).to_contain_text("≈")


def test_what_plays_is_the_kernel_that_was_clicked(page, toy):
    _, survey, _ = toy
    clips = {place: found_clip(survey, *place) for place in ((1, 0), (3, 2))}
    for (layer, kernel), clip in clips.items():
        show_layer(page, f"conv_{layer}")
        tile(page, kernel).click()
        wait_for(page, "playing", f"found/{layer}/{kernel}/")
        mp3 = b64decode(page.evaluate(BYTES))
        assert likeness(mp3, clip.audio) > 0.95
        others = [other.audio for place, other in clips.items() if place != (layer, kernel)]
        assert all(likeness(mp3, other) < 0.7 for other in others)
        # Whose music it is stands there, and which piece sounds now.
        pieces = page.locator(".sk-pieces li")
        assert pieces.count() == len(clip.credits)
        for piece, credit in zip(pieces.all(), clip.credits, strict=True):
            expect(piece).to_contain_text(credit)
        expect(page.locator(".sk-pieces [aria-current=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    wait_for(page, "playing", "")


def test_a_piece_is_played_from_its_own_beginning(page, toy):
    clip = found_clip(toy[1], 3, 2)
    show_layer(page, "conv_3")
    tile(page, 2).click()
    wait_for(page, "playing", "found/3/2/")
    page.get_by_role("button", name="Play from excerpt 3").click()
    expect(page.locator(".sk-pieces li").nth(2)).to_have_attribute("aria-current", "true")
    now = page.evaluate("document.querySelector('.sk-kernels').gallery.audio.currentTime")
    assert clip.starts[2] <= now + 0.05 < clip.starts[3]


def test_everything_goes_by_keyboard(page, toy):
    table = toy[1].table().loc["conv_2"]
    # The layers are one stop of the Tab key, and so is the grid; arrows move inside.
    page.get_by_role("tab", name="conv_1").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="conv_2")).to_be_focused()
    assert root_data(page, "layer") == "2"
    assert page.locator(".sk-tabs [tabindex='0']").count() == 1
    assert page.locator(".sk-grid [tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Sort by")).to_be_focused()
    page.keyboard.press("l")
    expect(page.get_by_role("combobox", name="Sort by")).to_have_value("loudness")
    alive = table[~table.dead]
    loudest = alive.sort_values("largest", ascending=False, kind="stable").index.tolist()
    assert shown(page)[: len(alive)] == loudest
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    # A grid that scrolls is a stop of its own in some browsers.
    if not focused(page):
        page.keyboard.press("Tab")
    assert focused(page) == str(loudest[0])
    wide = page.locator(".sk-grid").evaluate(
        "(grid) => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
    )
    page.keyboard.press("ArrowRight")
    assert focused(page) == str(loudest[1])
    page.keyboard.press("ArrowDown")
    assert focused(page) == str(shown(page)[min(1 + wide, FILTERS - 1)])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    assert focused(page) == str(loudest[0])
    for key in ("Enter", " "):
        page.keyboard.press(key)
        if key == "Enter":
            wait_for(page, "playing", f"found/2/{loudest[0]}/")
        else:
            wait_for(page, "playing", "")
    page.keyboard.press("Enter")
    wait_for(page, "playing", f"found/2/{loudest[0]}/")
    page.locator(".sk-pin").focus()
    page.keyboard.press("Escape")
    wait_for(page, "playing", "")
    assert focused(page) == str(loudest[0])


def test_they_are_sorted_and_filtered(page, toy):
    _, survey, votes = toy
    table, its_votes = survey.table().loc["conv_1"], votes.loc["conv_1"]
    order = page.get_by_role("combobox", name="Sort by")
    order.select_option("activity")
    fires = [table.fires[kernel] for kernel in shown(page)]
    assert fires == sorted(fires, reverse=True)
    order.select_option("genre")
    places = [GENRES.index(its_votes.loc[kernel].idxmax()) for kernel in shown(page)]
    assert places == sorted(places)
    genre = its_votes.idxmax(axis=1).iloc[0]
    page.get_by_role("combobox", name="Votes for").select_option(genre)
    assert set(shown(page)) == set(its_votes.index[its_votes.idxmax(axis=1) == genre])
    expect(page.locator(".sk-status")).to_have_text(f"{len(shown(page))} of {FILTERS} kernels")
    page.get_by_role("combobox", name="Votes for").select_option("dead")
    assert shown(page) == table.index[table.dead].tolist()


def test_two_stand_side_by_side_and_one_of_them_sounds(page):
    tile(page, 2).click()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".sk-hint")).to_contain_text("Now choose another kernel")
    show_layer(page, "conv_3")
    tile(page, 0).click()
    headings = page.locator(".sk-side .sk-head h4")
    expect(headings).to_have_text(["Kernel 2 of conv_1", "Kernel 0 of conv_3"])
    wait_for(page, "playing", "found/3/0/")
    screenshot(page, "kernels-compared")
    first, second = page.locator(".sk-sound[data-what=found]").all()
    first.click()
    wait_for(page, "playing", "found/1/2/")
    expect(first).to_have_attribute("aria-label", "Pause Found, kernel 2 of conv_1")
    expect(second).to_have_attribute("aria-label", "Play Found, kernel 0 of conv_3")
    page.get_by_role("button", name="Stop comparing").click()
    expect(headings).to_have_text(["Kernel 0 of conv_3"])


def test_a_dead_kernel_says_so_and_is_silent(page):
    show_layer(page, "conv_2")
    dead = tile(page, DEAD[1])
    expect(dead).to_have_attribute("aria-label", f"Kernel {DEAD[1]}, dead: it never fires")
    expect(dead).to_contain_text("dead")
    tile(page, 0).click()
    wait_for(page, "playing", "found/2/0/")
    dead.click()
    expect(page.locator(".sk-side").get_by_role("alert")).to_contain_text(
        f"Kernel {DEAD[1]} of conv_2 is dead"
    )
    wait_for(page, "playing", "")
    assert page.locator(".sk-sound[data-what=found]").count() == 0
    screenshot(page, "kernel-dead")


def test_a_song_is_heard_as_the_kernel_hears_it(page, toy):
    survey = toy[1]
    tile(page, 4).click()
    songs = page.get_by_role("combobox", name="Song for kernel 4")
    songs.select_option("1")
    page.locator(".sk-sound[data-what=song]").click()
    wait_for(page, "playing", "song/1/4/1")
    mp3 = b64decode(page.evaluate(BYTES))
    clip = KernelGallery(*toy[1:]).clip("song", 1, 4, 1)
    assert likeness(mp3, clip.audio) > 0.95
    expect(page.locator(".sk-players .sk-credit")).to_have_text(clip.credits[0])
    assert survey.log_mels.corpus.name in clip.credits[0]


def test_an_activation_is_maximised_and_meanwhile_others_play(page):
    tile(page, 5).click()
    wait_for(page, "playing", "found/1/5/")
    button = page.locator(".sk-sound[data-what=maximised]")
    button.click()
    expect(page.locator(".sk-busy")).to_contain_text("This takes seconds")
    expect(button).to_have_attribute("aria-busy", "true")
    tile(page, 6).click()
    wait_for(page, "playing", "found/1/6/")
    tile(page, 5).click()
    page.locator(".sk-sound[data-what=maximised]").click()
    page.wait_for_function(
        "document.querySelector('.sk-kernels').dataset.playing === 'maximised/1/5/'",
        timeout=180_000,
    )
    expect(page.locator(".sk-busy")).to_have_text("")


def test_everything_that_can_be_touched_has_a_name(page):
    tile(page, 0).click()
    nameless = page.locator(".sk-kernels").evaluate("""(root) =>
      [...root.querySelectorAll('button, select')].filter((e) =>
        !(e.ariaLabel || e.innerText.trim() || e.labels?.length)).map((e) => e.outerHTML)""")
    assert nameless == []


def test_it_fits_into_a_narrow_dark_window(in_lab):
    page = in_lab
    page.emulate_media(color_scheme="dark")
    page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    # With what JupyterLab needs around it, 380 pixels are left.
    page.set_viewport_size({"width": 496, "height": 1200})
    show_layer(page, "conv_3")
    tile(page, 0).click()
    page.get_by_role("button", name="Compare").click()
    tile(page, 2).click()
    page.wait_for_timeout(300)
    screenshot(page, "kernels-dark-narrow")
    wide = page.locator(".sk-kernels").evaluate("root => [root.scrollWidth, root.clientWidth]")
    assert wide[0] <= wide[1] <= 380
    edges = page.locator(".sk-kernels").evaluate("""(root) => {
      const right = root.getBoundingClientRect().right;
      return [...root.querySelectorAll('*')].filter((e) => !e.closest('.sw-hidden, option')
        && e.getBoundingClientRect().right > right + 1).map((e) => e.className);
    }""")
    assert edges == []


# ---- As a page -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 768 kernels of the paper's network, with random weights, as a page."""
    folder = tmp_path_factory.mktemp("page")
    # Three clips: what is tried here is how many kernels there are, not how long they sound.
    gallery = KernelGallery(*surveyed(folder / "sweeps", filters=256, clips=3))
    assert len(gallery.survey.table()) == 768
    return gallery.save(folder / "kernels")


class Opened:
    """A page from a file, and what the browser asked for to show it."""

    def __init__(self, browser: Browser, file: Path, **context: object) -> None:
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(offline=True, **context)
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: message.type == "error" and self.complaints.append(message.text),
        )
        start = time.monotonic()
        self.page.goto(file.as_uri())
        self.page.locator(".sk-tile").nth(255).wait_for()
        self.seconds = time.monotonic() - start

    def sounds(self) -> list[str]:
        return [url for url in self.asked if url.endswith(".mp3")]


@pytest.fixture
def opened(browser: Browser, saved: Path) -> Iterator[Opened]:
    opened = Opened(browser, saved, viewport={"width": 1280, "height": 1000})
    yield opened
    assert opened.complaints == []
    folder = saved.parent.as_uri()
    assert [url for url in opened.asked if not url.startswith(folder)] == []
    opened.context.close()


def test_a_page_of_768_kernels_is_light(opened, saved):
    page, script = opened.asked
    assert page == saved.as_uri()
    size = (saved.parent / "media" / script.rsplit("/", 1)[1]).stat().st_size
    assert saved.stat().st_size + size < 20_000_000
    # In a notebook, this much comes in the first message.
    welcome, buffers = read_recording(saved)["answers"]["hello"]
    told = len(json.dumps(welcome)) + sum(map(len, map(b64decode, buffers)))
    assert told <= MOST_IN_MESSAGE
    print(
        f"welcome {told / 1e6:.2f} MB, recording {size / 1e6:.2f} MB, "
        f"drawn after {opened.seconds:.2f} s"
    )
    tabs = opened.page.get_by_role("tab")
    expect(tabs).to_have_count(3)
    for tab in tabs.all():
        tab.click()
        assert len(shown(opened.page)) == 256


def test_a_page_plays_a_sound_only_when_it_is_asked_for(opened, saved):
    page = opened.page
    show_layer(page, "conv_2")
    alive = page.locator(".sk-tile:not(.sk-dead)").first
    kernel = int(alive.get_attribute("data-kernel"))
    assert opened.sounds() == []
    alive.click()
    wait_for(page, "playing", f"found/2/{kernel}/")
    content, _ = read_recording(saved)["answers"][f"sound found 2 {kernel}"]
    name = content["address"].removeprefix("media:")
    assert {url.rsplit("/", 1)[1] for url in opened.sounds()} == {name}
    expected = soundfile.info(saved.parent / "media" / name).duration
    found = page.evaluate("document.querySelector('.sk-kernels').gallery.audio.duration")
    assert found == pytest.approx(expected, abs=0.1)
    expect(page.locator(".sk-pieces [aria-current=true]")).to_have_count(1)
    expect(page.locator(".sk-pieces li").first).to_contain_text("CC BY 4.0")
    # What needs Python is not offered.
    assert page.locator(".sk-sound").count() == 1
    dead = tile(page, DEAD[1])
    dead.click()
    expect(page.get_by_role("alert")).to_contain_text("is dead: in 3 clips of sweeps")
    assert {url.rsplit("/", 1)[1] for url in opened.sounds()} == {name}


def test_a_page_says_so_when_its_sounds_are_gone(browser, saved, tmp_path):
    shutil.copytree(saved.parent, tmp_path / "moved", ignore=shutil.ignore_patterns("*.mp3"))
    opened = Opened(browser, tmp_path / "moved" / "index.html")
    opened.page.locator(".sk-tile:not(.sk-dead)").first.click()
    expect(opened.page.get_by_role("alert")).to_contain_text(
        "Check that the file is still beside this page."
    )
    opened.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_fits_a_telephone(browser, saved, theme):
    size = {"width": 380, "height": 800}
    opened = Opened(browser, saved, viewport=size, color_scheme=theme, reduced_motion="reduce")
    page = opened.page
    page.locator(".sk-tile:not(.sk-dead)").nth(2).click()
    page.get_by_role("button", name="Compare").click()
    page.locator(".sk-tile:not(.sk-dead)").nth(3).click()
    expect(page.locator(".sk-side")).to_have_count(2)
    expect(page.locator(".sk-pieces [aria-current=true]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    # No line runs over the picture where people do not want things to move.
    assert page.locator(".sk-now:visible").count() == 0
    screenshot(page, f"kernels-page-{theme}")
    assert opened.complaints == []
    opened.context.close()
