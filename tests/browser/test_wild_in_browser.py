"""A minute of random clicking, seeking and uploading; `make soak` does ten."""

from __future__ import annotations

from dataclasses import replace

from lab import FAKE_MICROPHONE, FLAGS
from wild import CELL, go_wild, write_clips

SECONDS = 60


def test_random_clicking_leaves_no_fault_and_no_growing_memory(lab, chromium, tmp_path):
    clips = write_clips(tmp_path / "tunes")
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
