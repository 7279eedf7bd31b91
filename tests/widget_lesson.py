"""A lesson that ran, with all widgets of the course, over music that is made in a moment."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

# Where the toys of the widgets are.
sys.path.insert(0, str(Path(__file__).parent / "browser"))

RATE = 22_050
TITLE = "3 · All that can be touched"


def widgets(folder: Path) -> list[Any]:
    """Return every widget of the course."""
    from kernel_toy import surveyed
    from toys import tone_corpus
    from tunes import analysed, sure_answers

    from songnet_utils import kernels, load_songnet, open_corpus
    from songnet_utils import widgets as made
    from songnet_utils.audio.sound import Sound

    tone = np.sin(2 * np.pi * 440 / RATE * np.arange(RATE)).astype(np.float32) / 4
    genres = ["Folk", "Pop", "Rock"]
    corpus = open_corpus(tone_corpus(folder / "tones"))
    artists = [f"Artist {number % 7}" for number in range(len(corpus.clips))]
    corpus = dataclasses.replace(corpus, clips=corpus.clips.assign(artist=artists))
    tunes = analysed(folder / "tunes")
    survey, votes = surveyed(folder / "sweeps", filters=8, clips=12)
    return [
        made.SplitExplorer(corpus),
        made.FilterBankExplorer(tone, Sound()),
        made.MelExplorer(tone, RATE),
        made.ConfusionButtons(tunes),
        made.ErrorCards(tunes),
        made.TemperatureSlider(sure_answers(), genres),
        made.ThresholdSlider(sure_answers(), genres),
        made.KernelGallery(survey, votes),
        made.KernelQuiz(kernels.genre_questions(survey, votes, "conv_2", count=2)),
        made.KernelQuiz(kernels.song_questions(survey, "conv_2", count=2)),
        made.GenreQuiz(corpus.clips[::12], corpus.genres, load_songnet("songnet-mini")),
        made.LiveSong(),
    ]


def write_widget_lesson(folder: Path, data: Path) -> Path:
    """Write the lesson with what its cells leave while a course is made; return its file."""
    from songnet_utils.widgets.recording import VARIABLE

    cells = [nbformat.v4.new_markdown_cell(f"# {TITLE}")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "1")
        patch.setenv("SONGNET_DATA", str(data))
        for widget in widgets(data):
            bundle = widget._repr_mimebundle_()
            bundle = bundle[0] if isinstance(bundle, tuple) else bundle
            output = nbformat.v4.new_output("display_data", bundle)
            source = type(widget).__name__
            cells.append(nbformat.v4.new_code_cell(source, outputs=[output]))
    file = folder / "03-widgets.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)
    return file
