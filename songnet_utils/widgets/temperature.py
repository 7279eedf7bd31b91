"""A slider for the temperature, which changes all confidences but no prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from songnet_utils import plots
from songnet_utils.evaluation.report import calibrate, probabilities_of
from songnet_utils.metrics.calibration import apply_temperature, over_temperatures, reliability
from songnet_utils.widgets.explorer import Explorer
from songnet_utils.widgets.slider import Slider


class TemperatureSlider(Explorer):
    """Move the temperature; see the reliability diagram of the test clips change.

    The fitted temperature comes from `songnet_utils.evaluation.report.calibrate`.

    Parameters
    ----------
    answers : pandas.DataFrame
        A network's answers, from `songnet_utils.training.runs.read_answers`.
    genres : sequence of str
        All genres of the network.

    Raises
    ------
    SongNetError
        When the answers have no probabilities, or no test clip.
    """

    def __init__(self, answers: pd.DataFrame, genres: Sequence[str]) -> None:
        self._given, self._truth, _ = probabilities_of(answers, genres, "test")
        calibration = calibrate(answers, genres)
        #: The temperature fitted on the validation clips; None if no fit was possible.
        self.fitted = calibration.temperature
        self._about_fitted = calibration.why_not
        # From 1/4 to 4 in equal ratios, which include the fitted one.
        stops = np.logspace(-2, 2, 81, base=2).tolist()
        if self.fitted:
            self._about_fitted = f"The fitted temperature is {self.fitted:.2f}."
            stops = sorted({*stops, self.fitted / 1.2, self.fitted, self.fitted * 1.2})
        self._curve = over_temperatures(self._given, self._truth, stops)
        self.slider = Slider("Temperature", stops, 1.0)
        fitted = {} if self.fitted is None else {"Fitted temperature": self.fitted}
        super().__init__([self.slider], fitted)

    @property
    def probabilities(self) -> np.ndarray:
        """The network's probabilities for the test clips at the slider's temperature."""
        return apply_temperature(self._given, self.slider.value)

    @property
    def at(self) -> pd.Series:
        """The row of `songnet_utils.metrics.calibration.over_temperatures` at the slider."""
        return self._curve.iloc[self.slider.place]

    def _make(self) -> None:
        row = self.at
        right = accuracy_score(self._truth, self.probabilities.argmax(axis=1))
        line = (
            f"Temperature {row.temperature:.2f}: calibration error <b>{row.error:.3f}</b>, "
            f"negative log-likelihood <b>{row.log_loss:.3f}</b> nats, accuracy {right:.1%}. "
            f"{self._about_fitted}"
        )
        bins = {f"Temperature {row.temperature:.2f}": reliability(self.probabilities, self._truth)}
        curves = plots.over_temperatures(self._curve, row, self.fitted)
        self._show(line, [plots.reliability_diagram(bins), curves])

    def _recorded(self) -> list[Sequence[float]]:
        return [sorted({*self.slider.stops[::8], 1.0, self.fitted or 1.0, self.slider.value})]
