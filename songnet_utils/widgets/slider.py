"""A slider that has a name and works with the keyboard.

The handle of ipywidgets' slider has no name, so a screen reader says only "slider".
"""

from __future__ import annotations

from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets

from songnet_utils._utils.errors import SongNetError
from songnet_utils.widgets.messages import COMMON, joined


class Slider(anywidget.AnyWidget):
    """A slider over given numbers; Python gets the value when you release the slider.

    Parameters
    ----------
    description : str
        Its name, shown beside it.
    stops : sequence of float
        The possible values, rising.
    value : float
        The initial value.

    Raises
    ------
    SongNetError
        When a value is not one of the stops; also when you set it later.
    """

    _esm = joined(*COMMON, "slider.js")
    _css = joined("slider.css")
    description = traitlets.Unicode().tag(sync=True)
    stops = traitlets.List(traitlets.Float()).tag(sync=True)
    value = traitlets.Float().tag(sync=True)

    def __init__(self, description: str, stops: Sequence[float], value: float) -> None:
        super().__init__(description=description, stops=[float(stop) for stop in stops])
        self.value = value

    @property
    def place(self) -> int:
        """The index of the current stop."""
        return int(np.abs(np.subtract(self.stops, self.value)).argmin())

    @traitlets.validate("value")
    def _at_a_stop(self, proposal: traitlets.Bunch) -> float:
        near = [stop for stop in self.stops if np.isclose(stop, proposal["value"])]
        if not near:
            raise SongNetError(
                f"{self.description}: has no stop at {proposal['value']}. Choose one of its stops, "
                f"from {self.stops[0]:.2f} to {self.stops[-1]:.2f}."
            )
        return near[0]
