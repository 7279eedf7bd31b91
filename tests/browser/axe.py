"""What shuts people out of a page, as axe finds it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def serious(page: Page, within: str = "html") -> list[str]:
    """Return axe's serious and critical findings inside what a selector finds, one line each."""
    # It would fetch style sheets once more, some of them from places where they are not.
    options = {"resultTypes": ["violations"], "preload": False}
    answer = Axe().run(page, {"include": [[within]]}, options).response
    return [
        f"{found['id']}: {node['html'][:150]}: {' '.join(node['failureSummary'].split())[:300]}"
        for found in answer["violations"]
        if found["impact"] in {"serious", "critical"}
        for node in found["nodes"]
    ]
