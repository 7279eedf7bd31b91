"""The listening page in a real browser, as people use it: drops, plays, seeks, lists, keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe import serious
from pages_for_tests import drop, rows, served, wait_until_whole, write_site, write_song
from playwright.sync_api import Browser, Page, expect

SLOW = 60_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site on a web server, which says nothing."""
    with served(site.parent) as folder:
        yield f"{folder}/{site.name}"


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("songs")
    return [write_song(folder / f"Song {name}.wav", 6, seed) for seed, name in enumerate("ABC")]


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    with opened(browser, site.as_uri()) as page:
        yield page


@pytest.fixture(scope="module")
def first_page(browser: Browser, site: Path) -> Iterator[Page]:
    with opened(browser, site.as_uri()) as page:
        yield page


@pytest.fixture
def medley(first_page: Page) -> Page:
    """A page on which no other song was opened, at the beginning of its medley."""
    first_page.evaluate("songnet.pause(); songnet.seek(0)")
    return first_page


class opened:  # noqa: N801
    """A page in a context of its own, which must complain of nothing."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, **context}
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def __enter__(self) -> Page:
        wait_until_whole(self.page)
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()
        assert self.complaints == []


def now(page: Page) -> dict[str, float]:
    return page.evaluate("songnet.now()")


def plays(page: Page) -> bool:
    before = now(page)["time"]
    page.wait_for_timeout(400)
    return now(page)["time"] > before


def test_the_first_thing_on_the_screen_changes_its_genre(medley: Page) -> None:
    expect(medley.locator(".sp-title")).to_have_text("A medley of eight genres")
    genres = set()
    for time in np.arange(2.5, 36, 4.5):
        medley.evaluate("(time) => songnet.seek(time)", float(time))
        medley.wait_for_timeout(150)
        genres.add(medley.locator(".sp-genre").first.inner_text().split("\n")[0])
    assert len(genres) >= 4
    ready = medley.evaluate("songnet.ready")
    assert ready["network"] == "songnet-mini"
    assert "musicnn" in ready["networks"]
    assert len(ready["genres"]) == 8
    expect(medley.locator(".sp-intro")).to_be_visible()
    expect(medley.get_by_text("log-mel spectrogram")).not_to_be_visible()
    medley.get_by_text("What am I seeing?").click()
    expect(medley.get_by_text("log-mel spectrogram")).to_be_visible()


def test_a_song_that_is_dropped_anywhere_plays_at_once(page: Page, songs: list[Path]) -> None:
    for song, where in zip(songs, ["h1", "body", ".sp-stage"], strict=True):
        drop(page, [song], where)
        expect(page.locator(".sp-title")).to_have_text(song.stem, timeout=SLOW)
        page.wait_for_function("songnet.now().time > 0.5", timeout=SLOW)
        expect(page.locator(".sp-network-name").first).to_contain_text("musicnn", timeout=SLOW)


def test_play_while_a_song_loads_is_not_lost(page: Page, songs: list[Path]) -> None:
    page.evaluate(
        "songnet.engine.playable = (blob) => new Promise((done) => setTimeout(done, 800, blob))"
    )
    page.set_input_files(".sp-page input[type=file]", songs[0])
    page.evaluate("songnet.pause(); songnet.play()")
    assert now(page)["time"] == 0
    page.wait_for_function("songnet.now().time > 0.2", timeout=SLOW)


def test_while_it_plays_every_picture_of_the_screen_is_painted_anew(medley: Page) -> None:
    medley.evaluate("songnet.play()")
    medley.wait_for_timeout(500)
    painted = medley.evaluate("""async () => {
      const { picture } = songnet.view;
      const before = picture.paintings;
      for (let i = 0; i < 60; i++) await new Promise(requestAnimationFrame);
      return picture.paintings - before;
    }""")
    assert abs(painted - 60) <= 1


def test_many_files_become_a_list(page: Page, songs: list[Path], tmp_path: Path) -> None:
    text = tmp_path / "letter.mp3"
    text.write_text("Dear friend, this is no song. " * 40)
    drop(page, [songs[0], text, songs[1]])
    # The first would be over before a busy machine has answered all.
    page.evaluate("songnet.pause()")
    page.wait_for_function(
        """() => {
          const isDone = (row) => row.classList.contains('sp-unread')
            || /%/.test(row.querySelector('.sp-said').textContent);
          const all = [...document.querySelectorAll('.sp-song')];
          return all.length === 3 && all.every(isDone);
        }""",
        timeout=SLOW,
    )
    first, unread, last = rows(page)
    assert (first["title"], first["open"]) == ("Song A", True)
    assert unread["unread"]
    assert "letter.mp3: is not a sound file" in unread["about"]
    assert (last["title"], last["open"]) == ("Song B", False)
    # The next song, which is not the letter, plays by itself.
    page.evaluate("songnet.seek(5.7); songnet.play()")
    expect(page.locator(".sp-title")).to_have_text("Song B", timeout=SLOW)
    page.wait_for_function("songnet.now().time > 0.2", timeout=SLOW)
    page.get_by_role("button", name="Play Song A").click()
    expect(page.locator(".sp-title")).to_have_text("Song A")
    page.get_by_role("button", name="Remove letter from the list").click()
    assert [row["title"] for row in rows(page)] == ["Song A", "Song B"]


def test_reload_keeps_the_list_and_its_labels(page: Page, songs: list[Path]) -> None:
    drop(page, songs[:2])
    # Offered once a song's answers are whole.
    expect(page.locator("[data-part=right]:visible")).to_have_count(2, timeout=SLOW)
    page.evaluate("""() => {
      const { engine } = songnet;
      const listen = engine.listen.bind(engine);
      songnet.asked = 0;
      engine.listen = (...what) => ((songnet.asked += 1), listen(...what));
    }""")
    guess = rows(page)[0]["said"].rsplit(" ", 2)[0].strip()
    page.get_by_role("button", name=f"It is {guess}: label Song A").click()
    label = page.get_by_label("Your label for Song A")
    expect(label).to_have_value(guess)
    label.fill("Ambient")
    page.keyboard.press("Enter")
    expect(label).to_have_value("Ambient", timeout=SLOW)
    expect(page.locator(".sp-teach")).to_contain_text("Song A", timeout=SLOW)
    page.get_by_label("Your label for Song B").fill("Drone")
    page.keyboard.press("Enter")
    expect(page.locator(".sp-teach")).to_contain_text("Song B", timeout=SLOW)
    page.get_by_label("Compare with").select_option("Your genres")
    expect(page.locator(".sp-genre").nth(1)).to_contain_text("%", timeout=SLOW)
    # Both were answered before: nothing is listened to again.
    assert page.evaluate("songnet.asked") == 0
    page.get_by_label("Compare with").select_option("")
    said = [row["said"] for row in rows(page)]
    page.reload()
    wait_until_whole(page)
    expect(page.locator(".sp-song")).to_have_count(2, timeout=SLOW)
    assert [row["said"] for row in rows(page)] == said
    expect(page.get_by_label("Your label for Song A")).to_have_value("Ambient", timeout=SLOW)
    page.get_by_role("button", name="Play Song B").click()
    page.wait_for_function("songnet.now().time > 0.2", timeout=SLOW)


def test_two_networks_answer_one_song(page: Page) -> None:
    page.get_by_label("Compare with").select_option("musicnn")
    names = page.locator(".sp-network-name")
    expect(names).to_contain_text(["SongNet", "musicnn"], timeout=SLOW)
    wait_until_whole(page)
    page.evaluate("songnet.seek(20)")
    page.wait_for_timeout(200)
    assert all("%" in text for text in page.locator(".sp-genre").all_inner_texts())
    page.locator(".sp-settings select").first.select_option("musicnn")
    expect(names.first).to_contain_text("musicnn", timeout=SLOW)
    expect(names.nth(1)).not_to_be_visible()


def test_what_comes_may_be_hidden_and_the_words_fit(medley: Page) -> None:
    medley.evaluate("songnet.seek(9)")
    verdict = medley.locator(".sp-verdict").first
    expect(verdict).to_contain_text("Whole song")
    medley.get_by_role("button", name="Hide the future").click()
    expect(verdict).to_contain_text("Song so far")
    medley.evaluate("songnet.seek(0)")
    expect(verdict).to_be_empty()
    medley.get_by_role("button", name="Show the future").click()
    expect(verdict).to_contain_text("Whole song")


def test_a_picture_of_the_song_can_be_saved(medley: Page, tmp_path: Path) -> None:
    from PIL import Image

    with medley.expect_download() as download:
        medley.get_by_role("button", name="Save picture").click()
    assert download.value.suggested_filename == "A-medley-of-eight-genres-genre-over-time.png"
    download.value.save_as(tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (1200, 630)
        colours = {tuple(pixel) for pixel in np.array(picture.convert("RGB"))[464, 100:1100]}
    assert len(colours) >= 4


def test_everything_can_be_done_with_keys(medley: Page) -> None:
    medley.get_by_label("Position in the song").focus()
    medley.keyboard.press("ArrowRight")
    medley.wait_for_function("songnet.now().time === 1")
    medley.keyboard.press("Shift+ArrowRight")
    medley.wait_for_function("songnet.now().time === 6")
    medley.keyboard.press("Space")
    assert plays(medley)
    medley.keyboard.press("Space")
    medley.wait_for_selector(".sp-page[data-state=paused]")
    medley.wait_for_timeout(100)
    assert not plays(medley)
    medley.keyboard.press("Home")
    medley.wait_for_function("songnet.now().time === 0")
    medley.keyboard.press("End")
    medley.wait_for_function("songnet.now().time > 30")
    # What the Tab key comes to has a name and shows that it has the focus.
    medley.locator(".sp-page summary").first.focus()
    seen = set()
    for _ in range(14):
        medley.keyboard.press("Tab")
        seen.add(
            medley.evaluate(
                "(document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.innerText"
                " || document.activeElement.textContent).trim().split('\\n')[0]"
            )
        )
    assert {"Open songs", "Microphone", "Position in the song", "Play", "Save picture"} <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Browser, site: Path, songs: list[Path], scheme: str
) -> None:
    with opened(browser, site.as_uri(), color_scheme=scheme) as page:
        drop(page, songs[:1])
        wait_until_whole(page)
        for summary in page.locator(".sp-page summary").all():
            summary.click()
        page.get_by_label("Compare with").select_option("songnet-mini")
        expect(page.locator(".sp-genre").nth(1)).to_be_visible(timeout=SLOW)
        assert serious(page) == []
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map((one) => +one.tagName[1])"
        )
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_on_a_phone_genre_and_bars_stay_in_view(browser: Browser, site: Path) -> None:
    phone: dict[str, Any] = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
    }
    with opened(browser, site.as_uri(), **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.evaluate("songnet.seek(5); songnet.play()")
        page.locator(".sp-settings").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.sp-list').scrollIntoView()")
        box = page.locator(".sp-answers").bounding_box()
        assert box is not None
        assert -1 <= box["y"] < 844 / 2 - box["height"]
        small = page.evaluate(
            """[...document.querySelectorAll('.sp-page :is(button, select, summary)')]
              .filter((one) => one.checkVisibility())
              .filter((one) => one.getBoundingClientRect().height < 40)
              .map((one) => one.outerHTML)"""
        )
        assert small == []


def test_without_motion_only_the_playhead_moves(browser: Browser, site: Path) -> None:
    with opened(browser, site.as_uri(), reduced_motion="reduce") as page:
        lefts = set()
        for time in (6, 8, 10):
            page.evaluate("(time) => songnet.seek(time)", time)
            page.wait_for_timeout(100)
            lefts.add(page.evaluate("songnet.view.picture.left"))
        assert lefts == {0}


def test_the_contract_of_songnet(browser: Browser, address: str, songs: list[Path]) -> None:
    with opened(browser, address) as page:
        used = page.evaluate("songnet.use('songnet-mini')")
        assert used["network"] == "songnet-mini"
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('input'),"
            " {type: 'file', id: 'any'}))"
        )
        page.set_input_files("#any", songs[0])
        song = page.evaluate("songnet.open(document.querySelector('#any').files[0])")
        assert song["seconds"] == pytest.approx(6, abs=0.01)
        assert song["genres"] == used["genres"]
        mean = np.mean([step["probabilities"] for step in song["steps"]], axis=0)
        told = [song["probabilities"][genre] for genre in song["genres"]]
        assert np.allclose(mean, told, atol=1e-6)
        assert song["genre"] == song["genres"][int(np.argmax(mean))]
        assert np.all(np.diff([step["end"] for step in song["steps"]]) > 0)
        page.set_input_files("#any", Path(__file__))
        wrong = page.evaluate(
            "songnet.open(document.querySelector('#any').files[0]).catch((error) => error.message)"
        )
        assert "test_page_in_browser.py: is not a sound file" in wrong
        again = page.evaluate("songnet.open(new Blob()).catch((error) => error.message)")
        assert "the file is empty" in again
