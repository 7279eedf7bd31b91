"""The confusion matrix to press, in a real browser: its names, its keys, its sound."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

CELL = """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ConfusionButtons
ConfusionButtons(analysed(Path({folder!r})))
"""


def test_a_number_says_its_name_and_is_found_and_pressed_by_keys(lab, tmp_path: Path):
    page = lab.open([CELL.format(folder=str(tmp_path))], name="numbers.ipynb")
    first = page.get_by_role("button", name="Electronic answered right: 0 of 0 clips", exact=True)
    first.focus()
    assert page.locator(".sn-numbers [tabindex='0']").count() == 1
    # Folk is the third row.
    for key in ("ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    number = page.get_by_role("button", name="Folk taken for Electronic: 1 of 2 clips", exact=True)
    expect(number).to_be_focused()
    expect(number).to_have_text("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Folk taken for Electronic: 1 of 2 clips")
    expect(number).to_have_attribute("aria-pressed", "true")
    expect(number).to_be_focused()
    page.locator(".jp-OutputArea-output audio").wait_for()
    page.wait_for_function("document.querySelector('.jp-OutputArea-output audio').currentTime > 0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_have_text("Folk taken for Experimental: 0 of 2 clips")
    expect(page.locator(".jp-OutputArea-output audio")).to_have_count(0)
    assert page.complaints == []
    page.context.close()
