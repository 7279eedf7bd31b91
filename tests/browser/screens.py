"""A site on the screens of phones and desktops, in light and in dark."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

# Width and height of the screen, and what its owner likes.
SCREENS = {
    "phone, light": (390, 844, "light"),
    "phone, dark": (390, 844, "dark"),
    "desktop, light": (1280, 900, "light"),
    "desktop, dark": (1280, 900, "dark"),
}


def open_on(browser: Browser, address: str, screen: str) -> Page:
    """Return a page that keeps `complaints`: of the console, and of calls elsewhere."""
    width, height, theme = SCREENS[screen]
    context = browser.new_context(
        base_url=f"{address}/",
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


# Texts that are not wholly within what hides their overflow, but for those of screen readers.
CUT = """() => [...document.querySelectorAll('.bd-article *')].filter((leaf) => {
  if (getComputedStyle(leaf).clipPath !== 'none') return false;
  if (![...leaf.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim()))
    return false;
  const text = leaf.getBoundingClientRect();
  for (let one = leaf; text.height && !one.matches('.bd-article'); one = one.parentElement) {
    const box = one.getBoundingClientRect();
    const bottom = one === leaf ? text.top + leaf.scrollHeight : text.bottom;
    if (getComputedStyle(one).overflowY === 'hidden' && box.height)
      if (text.top < box.top - 3 || bottom > box.bottom + 3) return true;
  }
  return false;
}).map((leaf) => leaf.textContent.trim().slice(0, 80))"""


def cut(page: Page) -> list[str]:
    """Return the texts of a page's article whose upper or lower part cannot be seen."""
    return page.evaluate(CUT)
