"""The widgets shut nobody out, as far as axe can tell: names, roles, contrast, in light and dark.

What axe cannot tell (is the order right, can all be done with keys) is tested with each widget.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from axe import serious
from kernel_toy import surveyed
from toys import tone_corpus

from songnet_utils.widgets import KernelGallery

CHANGE_THEME = """async (theme) => {
  await window.jupyterapp.commands.execute('apputils:change-theme', {theme});
}"""

# What a widget is made of, and what shows that it is there, whole.
WIDGETS = {
    "error cards": (
        """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ErrorCards
ErrorCards(analysed(Path({folder!r}) / "tunes"), neighbours=2, notes={{"x1": "A note."}})
""",
        ".sc-cards[data-shown]",
    ),
    "kernel gallery": (
        """
from pathlib import Path
from kernel_toy import surveyed
from songnet_utils.widgets import KernelGallery
KernelGallery(*surveyed(Path({folder!r}) / "sweeps", filters=4))
""",
        ".sk-kernels[data-shown]",
    ),
    "kernel quiz": (
        """
from pathlib import Path
from kernel_toy import surveyed
from songnet_utils import kernels
from songnet_utils.widgets import KernelQuiz
survey, votes = surveyed(Path({folder!r}) / "sweeps", filters=4)
KernelQuiz(kernels.genre_questions(survey, votes, "conv_2", count=2))
""",
        ".se-quiz audio",
    ),
    **{
        name: (
            f"""
import numpy as np
from songnet_utils import Sound
from songnet_utils.widgets import FilterBankExplorer, MelExplorer
tone = (0.3 * np.sin(0.125 * np.arange(22_050))).astype(np.float32)
{cell}
""",
            ".jp-OutputArea-output .widget-vbox",
        )
        for name, cell in {
            "mel explorer": "MelExplorer(tone, 22_050)",
            "filter-bank explorer": "FilterBankExplorer(tone, Sound())",
        }.items()
    },
    "split explorer": (
        """
from songnet_utils import open_corpus
from songnet_utils.widgets import SplitExplorer
SplitExplorer(open_corpus({tones!r}))
""",
        ".jp-OutputArea-output .widget-vbox",
    ),
    "confusion buttons": (
        """
from pathlib import Path
from tunes import analysed
from songnet_utils.widgets import ConfusionButtons
ConfusionButtons(analysed(Path({folder!r}) / "tunes"))
""",
        ".sn-numbers button",
    ),
    "threshold and temperature": (
        """
import ipywidgets
from tunes import sure_answers
from songnet_utils.widgets import TemperatureSlider, ThresholdSlider
answers = sure_answers()
genres = ["Folk", "Pop", "Rock"]
ipywidgets.VBox([ThresholdSlider(answers, genres), TemperatureSlider(answers, genres)])
""",
        ".jp-OutputArea-output img >> nth=2",
    ),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("accessibility")
    return {"folder": str(folder), "tones": str(tone_corpus(folder / "tones", clips=4))}


@pytest.mark.parametrize("name", WIDGETS)
def test_axe_finds_nothing_serious_in_a_widget(lab, places, name):
    cell, whole = WIDGETS[name]
    page = lab.open([cell.format(**places)], name=f"{name.replace(' ', '-')}.ipynb", height=1400)
    page.locator(whole).first.wait_for(timeout=180_000)
    assert serious(page, ".jp-OutputArea-output") == []
    page.emulate_media(color_scheme="dark")
    page.evaluate(CHANGE_THEME, "JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    assert serious(page, ".jp-OutputArea-output") == []
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_saved_gallery(browser, places, tmp_path, theme):
    gallery = KernelGallery(*surveyed(Path(places["folder"]) / "sweeps", filters=4))
    page = browser.new_page(color_scheme=theme)
    page.goto(gallery.save(tmp_path / "page", progress=False).as_uri())
    page.locator(".sk-kernels[data-shown]").wait_for()
    assert serious(page) == []
    page.close()


def test_what_shuts_people_out_would_be_seen(browser):
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>Bad</title><body style='background: white'>"
        "<p id=pale style='color: #ccc'>Too pale to read</p><button id=silent></button>"
    )
    assert {line.partition(":")[0] for line in serious(page)} == {"color-contrast", "button-name"}
    assert [line.partition(":")[0] for line in serious(page, "#silent")] == ["button-name"]
    page.close()
