"""A slider is moved by keys inside JupyterLab, which has its own use for them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CELL = """
from tunes import sure_answers
from songnet_utils.widgets import ThresholdSlider
ThresholdSlider(sure_answers(), ["Folk", "Pop", "Rock"])
"""


def test_keys_move_a_slider_and_python_draws_anew(lab):
    page = lab.open([CELL, "'a cell below'"], name="slider.ipynb")
    slider = page.get_by_role("slider", name="Threshold")
    slider.wait_for(timeout=180_000)
    picture = page.locator(".jp-OutputArea-output img").first
    picture.wait_for()
    before = picture.get_attribute("src")
    start = float(slider.get_attribute("aria-valuetext"))
    slider.focus()
    for key, to in [
        ("ArrowRight", start + 0.01),
        ("ArrowDown", start),
        ("PageUp", start + 0.1),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 1),
    ]:
        slider.press(key)
        assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(to), key
    expect(slider).to_be_focused()
    expect(picture).not_to_have_attribute("src", before)
    assert page.complaints == []
    page.context.close()
