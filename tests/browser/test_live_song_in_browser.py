"""The listening page in JupyterLab: the same page as elsewhere, with what Python hands to it."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from test_app import tune

CELL = """
from songnet_utils import open_corpus
from songnet_utils.widgets import LiveSong
LiveSong(open_corpus({corpus!r}), [{run!r}])
"""

OPEN = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const {steps} = await songnet.open(new File([bytes], "tune.flac"));
  return steps.map(({start, end, probabilities}) => [start, end, ...probabilities]);
}"""


def test_a_run_answers_in_the_notebook_as_python_does_and_a_song_is_kept_when_asked(
    lab, tones: Path, trained: Path, data_folder: Path, tmp_path: Path
):
    from songnet_utils.streaming.song_stream import classify_song
    from songnet_utils.training.runs import load_songnet

    cell = CELL.format(corpus=str(tones), run=str(trained))
    page = lab.open([cell], name="live.ipynb")
    page.wait_for_function("window.songnet !== undefined")
    ready = page.evaluate("songnet.ready")
    net = load_songnet(trained)
    assert ready["genres"] == list(net.genres)
    assert "musicnn" in ready["networks"]

    song = tmp_path / "tune.flac"
    song.write_bytes(tune(6.0))
    told = np.array(page.evaluate(OPEN, base64.b64encode(song.read_bytes()).decode()))
    steps, _ = classify_song(net, song)
    expected = np.array([[step.start, step.end, *step.probabilities] for step in steps])
    np.testing.assert_allclose(told, expected, atol=1e-3)

    # What is opened stays on the page until somebody presses Keep.
    kept = data_folder / "my-songs"
    page.locator(".sp-page input[type=file]").first.set_input_files(song)
    row = page.locator(".sp-song")
    row.locator("input[type=text]").fill("Folk")
    row.locator("input[type=text]").press("Enter")
    # From then on the label is what was taught.
    page.get_by_text("Labelled tune as Folk.").first.wait_for()
    assert not kept.exists()
    row.get_by_role("button", name="Keep").click()
    page.get_by_text("is saved as").first.wait_for()
    assert len(list((kept / "Folk").iterdir())) == 1
    assert page.complaints == []
    page.context.close()
