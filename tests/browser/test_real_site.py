"""The site of the real lessons: its files, and its pages in a real browser, opened as files.

Set SONGNET_SCREENSHOTS to a folder to look at it yourself.
"""

from __future__ import annotations

import os
import pkgutil
import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from axe import serious
from offline import Page, faults
from pages_for_tests import wait_until_whole
from screens import cut, open_on, wide

import songnet_utils
from songnet_utils.lessons.files import find_lessons


def test_the_site_of_the_lessons_is_whole_and_opens_offline(real_site):
    assert faults(real_site) == []
    pages = [*real_site.glob("lessons/*.html"), *real_site.glob("lessons/solutions/*.html")]
    assert {page.stem for page in pages} == {path.stem for path in find_lessons()}
    for page in pages:
        read = Page(page.read_text("utf-8"))
        # Long enough to describe a figure.
        assert [image for image in read.images if len(image["alt"]) <= 40] == [], page
        # A command that the converter does not know would stand there as it was written.
        formulas = re.findall(r"<math.*?</math>", page.read_text("utf-8"), re.DOTALL)
        assert [formula for formula in formulas if "\\" in formula] == [], page


def test_every_public_module_is_in_the_api_reference(real_site):
    modules = [
        module.name
        for module in pkgutil.walk_packages(songnet_utils.__path__, "songnet_utils.")
        if not re.search(r"\._", module.name)
    ]
    assert len(modules) > 50
    pages = {page.stem for page in real_site.glob("api/*.html")}
    assert set(modules) <= pages


# Where the first sound, widget or picture stands, in pixels from the top, and the blocks of code
# and of what cells show that are wider than their column.
LOOK = """() => {
  const article = document.querySelector('.bd-article');
  const first = article.querySelector('audio, .songnet-recording, .songnet-page, .cell_output img');
  const blocks = [...article.querySelectorAll('pre, .cell_output .text_html')];
  const cut = blocks.filter((block) => block.scrollWidth > block.clientWidth + 1);
  return {
    first: Math.round(first.getBoundingClientRect().top + scrollY),
    blocks: blocks.length,
    cut: cut.map((block) => block.innerText.slice(0, 200)),
  };
}"""


def test_a_lesson_opens_with_music_and_fits_the_screen(browser, real_site, capsys):
    page = open_on(browser, real_site.as_uri(), "desktop, light")
    rows = []
    for path in find_lessons():
        for source in (path.parents[1] / path.name, path):
            name = f"{source.parent.name}/{path.stem}".replace("notebooks/", "")
            page.goto(f"lessons/{name}.html")
            cells = len(nbformat.read(source, as_version=4).cells)
            rows.append({"lesson": name, "cells": cells, **page.evaluate(LOOK)})
    page.context.close()
    looks = pd.DataFrame(rows).set_index("lesson")
    with capsys.disabled():
        print(f"\n{looks.assign(cut=looks.cut.map(len))}")
    assert looks["first"].max() <= 900
    assert looks.cells.max() <= 50
    assert looks.cut.explode().dropna().to_list() == []


# Each page once: a lesson without its solutions on a desktop, all others on a phone. The pages of
# the API reference are alike: those of models stand for them, and one of the toy site before axe.
@pytest.mark.parametrize(
    ("screen", "is_shown"),
    [
        ("desktop, light", lambda name: name.startswith("lessons/0")),
        ("phone, dark", lambda name: not re.match(r"lessons/0|api/(?!\w+\.models)", name)),
    ],
    ids=["desktop", "phone"],
)
def test_every_page_of_the_real_site_opens_for_everybody(browser, real_site, screen, is_shown):
    page = open_on(browser, real_site.as_uri(), screen)
    files = [file for file in real_site.rglob("*.html") if "_static" not in file.parts]
    names = sorted(filter(is_shown, (file.relative_to(real_site).as_posix() for file in files)))
    live = 0
    for name in names:
        page.goto(name)
        for place in page.locator(".songnet-recording").all():
            place.scroll_into_view_if_needed()
            place.locator(".sw-widget").first.wait_for()
            live += 1
        if page.locator(".songnet-page").count():
            wait_until_whole(page)
        assert wide(page) <= 0, name
        assert cut(page) == [], name
        if not name.startswith("api/"):
            assert serious(page) == [], name
            if folder := os.environ.get("SONGNET_SCREENSHOTS"):
                picture = f"{name.replace('/', '-')}-{screen.replace(', ', '-')}.png"
                page.screenshot(path=Path(folder) / picture, full_page=True)
    assert len(names) > 6
    assert live == 12
    assert page.complaints == []
    page.context.close()
