"""What a page would fetch from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlparse


class Loads(HTMLParser):
    """What a page makes a browser load, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        if tag == "link":
            self.loads.append(values["href"])
        if tag != "a":
            self.loads += [values[name] for name in ("src", "srcset", "data") if values.get(name)]


def external(page: str) -> list[str]:
    """Return what a page would fetch from elsewhere: attributes, style sheets and scripts."""
    wanted = [url for url in Loads(page).loads if urlparse(url).scheme != "data"]
    style = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", page, re.DOTALL))
    wanted += [u for u in re.findall(r"url\(\s*['\"]?([^'\")]+)", style) if u[:5] != "data:"]
    wanted += re.findall(r"@import[^;]+", style)
    scripts = " ".join(re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))
    return wanted + re.findall(r"https?://[^\s'\"]+", scripts)
