"""A minute of random clicking, seeking and uploading; `make soak` does ten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lab import FAKE_MICROPHONE, FLAGS
from wild import CELL, go_wild, music

SECONDS = 60


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for genre in ("Folk", "Rock"):
        (tmp_path / "tunes" / genre).mkdir(parents=True)
        for number in range(2):
            file = tmp_path / "tunes" / genre / f"{genre} {number}.flac"
            file.write_bytes(music(8, "FLAC", number))
    return tmp_path / "tunes"


def test_random_clicking_leaves_no_fault_and_no_growing_memory(lab, chromium, clips):
    browser = lab.browser.browser_type.launch(
        executable_path=chromium, args=[*FLAGS, *FAKE_MICROPHONE]
    )
    page = replace(lab, browser=browser).open([CELL.format(folder=str(clips))], name="wild.ipynb")
    page.wait_for_function("document.querySelector('.sn-live')?.dataset.finished === 'true'")
    wild = go_wild(page, SECONDS)
    print(wild)
    assert page.complaints == []
    assert wild.did.total() > 20
    # Fifty megabytes are less than two of its songs, decoded.
    assert wild.kernel_mb[-1] - wild.kernel_mb[1] < 50, wild
    assert wild.page_mb[-1] - wild.page_mb[1] < 20, wild
    browser.close()
