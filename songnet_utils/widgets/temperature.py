"""A temperature to slide: how sure all answers are, while none of them changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils.evaluation.report import probabilities_of
from songnet_utils.metrics.calibration import (
    apply_temperature,
    fit_temperature,
    over_temperatures,
    reliability,
)
from songnet_utils.widgets.explorer import slider_recording
from songnet_utils.widgets.recording import WithRecording
from songnet_utils.widgets.slider import Slider


class TemperatureSlider(WithRecording, ipywidgets.VBox):
    """Slide the temperature; see the reliability diagram of the test clips change.

    The fitted temperature is that of the validation clips, as in
    `songnet_utils.evaluation.report.calibrate`.

    Parameters
    ----------
    answers : pandas.DataFrame
        As `songnet_utils.training.train.read_answers` returns them, of a network.
    genres : sequence of str
        All that it tells apart.

    Raises
    ------
    SongNetError
        When the answers have no probabilities, or no test clip.
    """

    def __init__(self, answers: pd.DataFrame, genres: Sequence[str]) -> None:
        self._given, self._truth, _ = probabilities_of(answers, genres, "test")
        #: The temperature fitted on the validation clips; None where none could be.
        self.fitted: float | None = None
        self._why_not = ""
        try:
            given, truth, _ = probabilities_of(answers, genres, "validation")
            self.fitted = fit_temperature(given, truth)
        except SongNetError as error:
            self._why_not = str(error)
        temperatures = _temperatures(self.fitted)
        self._curve = over_temperatures(self._given, self._truth, temperatures)
        self.slider = Slider("Temperature", temperatures, 1.0)
        self.to_fitted = ipywidgets.Button(
            description="To the fitted one",
            tooltip=self._why_not or f"Fitted on the validation clips: {self.fitted:.2f}",
            disabled=self.fitted is None,
        )
        self.to_fitted.on_click(lambda _: self.slider.set_trait("value", self.fitted))
        self._says = ipywidgets.HTML()
        self._diagram, self._curves = ipywidgets.HTML(), ipywidgets.HTML()
        self.slider.observe(lambda _: self._draw(), "value")
        pictures = ipywidgets.HBox([self._diagram, self._curves], layout={"flex_flow": "row wrap"})
        super().__init__([ipywidgets.HBox([self.slider, self.to_fitted]), self._says, pictures])
        self._draw()

    def __repr__(self) -> str:
        """Say what stands in the widget's place where there is no kernel."""
        return f"A temperature to slide, over {len(self._truth)} clips."

    @property
    def probabilities(self) -> np.ndarray:
        """What the network says of the test clips at the slider's temperature."""
        return apply_temperature(self._given, self.slider.value)

    @property
    def at(self) -> pd.Series:
        """The row of `songnet_utils.metrics.calibration.over_temperatures` at the slider."""
        return self._curve.iloc[self.slider.place]

    def _draw(self) -> None:
        row = self.at
        right = accuracy_score(self._truth, self.probabilities.argmax(axis=1))
        fitted = self._why_not if self.fitted is None else f"The fitted one is {self.fitted:.2f}."
        self._says.value = (
            f"<p role='status'>Temperature {row.temperature:.2f}: calibration error "
            f"<b>{row.error:.3f}</b>, negative log-likelihood <b>{row.log_loss:.3f}</b> nats, "
            f"accuracy {right:.1%}. {fitted}</p>"
        )
        name = f"Temperature {row.temperature:.2f}"
        self._diagram.value = plots.show(
            plots.reliability_diagram({name: reliability(self.probabilities, self._truth)})
        )._repr_html_()
        self._curves.value = plots.show(
            plots.over_temperatures(self._curve, row, self.fitted)
        )._repr_html_()

    def _parts(self) -> list[str]:
        self._draw()
        return [self._says.value, self._diagram.value, self._curves.value]

    def _still_html(self) -> str:
        return "".join(self._parts())

    def recording(self) -> dict[str, Any]:
        """Return some stops of the slider, the fitted one among them, and what stands there."""
        stops = {*self.slider.stops[::8], self.slider.value}
        buttons = []
        if self.fitted is not None:
            at = self.slider.stops[np.abs(np.subtract(self.slider.stops, self.fitted)).argmin()]
            stops.add(at)
            buttons.append({"text": self.to_fitted.description, "values": [at]})
        return slider_recording(self.slider, sorted(stops), self._parts, buttons)


def _temperatures(fitted: float | None) -> np.ndarray:
    """Return where the slider stops: from 1/4 to 4 in equal ratios, and at the fitted one."""
    stops = np.logspace(-2, 2, 81, base=2)
    if fitted is None:
        return stops
    # One that lies outside is to have something on either side of it.
    ends = [fitted / 1.2, fitted * 1.2]
    beyond = [end for end in ends if not stops[0] <= end <= stops[-1]]
    return np.unique([*stops, fitted, *beyond])
