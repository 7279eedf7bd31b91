"""What is wrong with a site: what it would fetch from elsewhere, and links that lead nowhere.

Also pictures that nobody described and sounds without a name.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse


class Page(HTMLParser):
    """What a page makes a browser load, where it leads to, and what can be seen and heard there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.images: list[dict[str, str]] = []
        self.sounds: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.feed(text)
        styles = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL))
        self.loads += loads_of_style(styles)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links += [values["href"]] if "href" in values else []
            return
        # What a page says of itself to others: where it lies, which ones are before and after it.
        if tag == "link" and values.get("rel") in {"next", "prev", "index", "search", "author"}:
            self.links.append(values["href"])
        elif tag == "link":
            self.loads.append(values["href"])
        self.loads += [values[name] for name in ("src", "srcset", "data") if values.get(name)]
        if tag == "img":
            self.images.append(values)
        if tag == "audio":
            self.sounds.append(values)


def loads_of_style(style: str) -> list[str]:
    """Return what a style sheet makes a browser load."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    found = re.findall(r"url\(\s*[\"']?([^\"')]+)", style)
    return found + re.findall(r"@import\s+[\"']([^\"']+)", style)


def faults(site: Path) -> list[str]:
    """Return what is wrong with the pages of a site, one line each, with the page's name."""
    # What themes bring as parts of pages is none.
    files = [file for file in sorted(site.rglob("*.html")) if "_static" not in file.parts]
    pages = {file.resolve(): Page(file.read_text("utf-8")) for file in files}
    found = []
    for file, page in pages.items():
        name = file.relative_to(site.resolve()).as_posix()
        found += [f"{name}: {fault}" for fault in _faults_of_loads(file, page.loads)]
        found += [f"{name}: {fault}" for fault in _faults_of_links(file, page, pages)]
        for image in page.images:
            if len(image.get("alt", "").split()) < 3:
                found.append(f"{name}: a picture without words for it: {image.get('src')!r:.100}")
        for sound in page.sounds:
            if not sound.get("aria-label"):
                found.append(f"{name}: a sound without a name: {sound.get('src')!r:.100}")
    for file in sorted(site.rglob("*.css")):
        loads = loads_of_style(file.read_text("utf-8"))
        found += [f"{file.name}: {fault}" for fault in _faults_of_loads(file, loads)]
    return found


def _faults_of_loads(file: Path, loads: list[str]) -> list[str]:
    found = []
    for load in loads:
        url = urlparse(load)
        if url.scheme in {"data", "blob"}:
            continue
        if url.scheme or url.netloc:
            found.append(f"loads from elsewhere: {load}")
        elif url.path and not (file.parent / unquote(url.path)).exists():
            found.append(f"loads what is not there: {load}")
    return found


def _faults_of_links(file: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    found = []
    for link in page.links:
        url = urlparse(link)
        if url.scheme or url.netloc:
            continue
        target = (file.parent / unquote(url.path)).resolve() if url.path else file
        there = pages.get(target)
        if not target.is_file():
            found.append(f"leads nowhere: {link}")
        elif there and url.fragment and unquote(url.fragment) not in there.places:
            found.append(f"leads to no place of that page: {link}")
    return found
