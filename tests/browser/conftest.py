"""A real JupyterLab and a real Chromium for the widgets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import FLAGS, Lab, find_chromium, running_lab
from playwright.sync_api import Browser, sync_playwright
from toys import tone_corpus


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Where Chromium is; None when Playwright brings its own."""
    try:
        return find_chromium()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error}: in CI the browser tests may not be left out")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def browser(chromium: str | None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory, medley) -> Path:
    """Where lessons that are opened in the browser find corpora and runs."""
    folder = tmp_path_factory.mktemp("data")
    medley(folder)
    return folder


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of genres that anybody tells apart."""
    return tone_corpus(tmp_path_factory.mktemp("corpora") / "tones")


@pytest.fixture(scope="session")
def trained(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of SongNet on the tones."""
    from songnet_utils.corpora import open_corpus
    from songnet_utils.training.recipe import Recipe
    from songnet_utils.training.train import train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGNET_DATA", str(tmp_path_factory.mktemp("trained")))
        recipe = Recipe(epochs=6, crop_seconds=2.0, batch=8)
        return train(open_corpus(tones), recipe=recipe, progress=False)


@pytest.fixture(scope="session")
def lab(
    browser: Browser, data_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    with running_lab(browser, data_folder, tmp_path_factory.mktemp("lab")) as lab:
        yield lab
