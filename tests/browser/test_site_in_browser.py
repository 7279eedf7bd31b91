"""The site in a real browser without a network, from disk and from a server, on phone and desktop.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import serious
from playwright.sync_api import Browser, Page, expect
from sites import RARE_WORD

# Width and height of the screen, and what its owner likes.
SCREENS = {
    "phone, light": (390, 844, "light"),
    "phone, dark": (390, 844, "dark"),
    "desktop, light": (1280, 900, "light"),
    "desktop, dark": (1280, 900, "dark"),
}

PAGES = (
    *("index.html", "teachers.html", "api.html", "api/songnet_utils.players.html"),
    *("genindex.html", "search.html", "lessons/01-first.html", "lessons/02-second.html"),
    "lessons/solutions/01-first.html",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """What `python -m http.server` does, without its log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", params=["disk", "server"])
def address(request, toy_site: Path) -> Iterator[str]:
    if request.param == "disk":
        yield toy_site.as_uri()
        return
    handler = functools.partial(Quiet, directory=str(toy_site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(browser: Browser, address: str, screen: str) -> Page:
    """Return a page that keeps `complaints`: of the console, and of calls elsewhere."""
    width, height, theme = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        has_touch="phone" in screen,
        # A server on this machine is reached without a network; a file, too.
        offline=address.startswith("file:"),
    )
    page = context.new_page()
    page.complaints = []
    page.on(
        "console",
        lambda said: page.complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: page.complaints.append(f"pageerror: {error}"))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((address, "data:", "blob:"))
            else page.complaints.append(f"asked elsewhere: {asked.url}")
        ),
    )
    return page


def wide(page: Page) -> int:
    """Return by how many pixels a page is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("screen", SCREENS)
def test_every_kind_of_page_opens_for_everybody(browser, address, screen):
    page = opened(browser, address, screen)
    for name in PAGES:
        page.goto(f"{address}/{name}")
        assert page.locator("html").get_attribute("data-theme") == SCREENS[screen][2], name
        assert wide(page) <= 0, name
        assert serious(page) == [], name
        if folder := os.environ.get("SONGNET_SCREENSHOTS"):
            picture = f"site-{name.replace('/', '-')}-{screen.replace(', ', '-')}.png"
            page.screenshot(path=Path(folder) / picture, full_page=True)
    assert page.complaints == []
    page.context.close()


@pytest.mark.parametrize("screen", ["phone, dark", "desktop, light"])
def test_search_finds_a_word_and_leads_to_it(browser, address, screen):
    page = opened(browser, address, screen)
    page.goto(f"{address}/index.html")
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
def test_a_player_plays(browser, address, screen):
    page = opened(browser, address, screen)
    page.goto(f"{address}/lessons/01-first.html")
    player = page.get_by_label("A tone of one second")
    player.scroll_into_view_if_needed()
    player.evaluate("player => player.play()")
    page.wait_for_function("player => player.currentTime > 0.2", arg=player.element_handle())
    assert player.evaluate("player => player.duration") == pytest.approx(1, abs=0.1)
    assert player.evaluate("player => player.getBoundingClientRect().width") > 150
    assert page.complaints == []
    page.context.close()


def test_light_and_dark_can_be_chosen_and_lessons_be_left(browser, address):
    page = opened(browser, address, "phone, light")
    page.goto(f"{address}/lessons/01-first.html")
    for theme in ("dark", "light"):
        page.get_by_role("button", name="Color mode").locator("visible=true").click()
        page.get_by_role("button", name=theme.capitalize(), exact=True).click()
        assert page.locator("html").get_attribute("data-theme") == theme
    page.get_by_role("link", name="next", exact=False).last.click()
    expect(page.locator("article h1")).to_contain_text("The second")
    assert page.complaints == []
    page.context.close()


def test_every_page_of_the_real_site_opens_for_everybody(browser, real_site):
    for screen in ("phone, dark", "desktop, light"):
        page = opened(browser, real_site.as_uri(), screen)
        names = [
            file.relative_to(real_site).as_posix()
            for file in sorted(real_site.rglob("*.html"))
            if "_static" not in file.parts
        ]
        assert len(names) > 100
        for name in names:
            page.goto(f"{real_site.as_uri()}/{name}")
            assert wide(page) <= 0, name
            # Pages of the API reference are all alike: once is enough.
            if "phone" in screen or not name.startswith("api/"):
                assert serious(page) == [], name
        assert page.complaints == []
        page.context.close()
