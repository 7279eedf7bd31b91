"""The base of the explorers: controls above a line of text, pictures and sounds."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import traitlets
from matplotlib.axes import Axes

from songnet_utils.plots import show
from songnet_utils.plots.players import Player
from songnet_utils.widgets.recording import WithRecording, smaller
from songnet_utils.widgets.slider import Slider

#: The layout of controls, wide enough for whole labels.
LOOK: dict[str, Any] = {
    "style": {"description_width": "10em"},
    "layout": {"width": "min(32em, 100%)"},
}


def number(
    name: str, value: int, least: int, most: int, *, step: int = 1
) -> ipywidgets.BoundedIntText:
    """Return a control for typing a whole number.

    The handles of ipywidgets' sliders have no name that a screen reader could read out. Python
    gets a number when you have finished typing it.
    """
    return ipywidgets.BoundedIntText(
        value, min=least, max=most, step=step, description=name, continuous_update=False, **LOOK
    )


def select(name: str, options: Sequence[Any], value: Any) -> ipywidgets.Dropdown:
    """Return a control for choosing one of some options."""
    return ipywidgets.Dropdown(options=options, value=value, description=name, **LOOK)


class Explorer(WithRecording, ipywidgets.VBox):
    """Controls, and their result: a line of text, pictures and sounds.

    A page without a kernel shows the result of the first settings; its recording holds some others.

    Parameters
    ----------
    controls : sequence of ipywidgets.Widget
        When any of them changes, the explorer makes everything anew.
    buttons : mapping of str to float, optional
        The texts of buttons, and the value that each gives to the first control.
    """

    def __init__(self, controls: Sequence[Any], buttons: Mapping[str, float] | None = None) -> None:
        self._controls, self._buttons = controls, buttons or {}
        made = [ipywidgets.Button(description=text) for text in self._buttons]
        for button, value in zip(made, self._buttons.values(), strict=True):
            button.on_click(lambda _, value=value: controls[0].set_trait("value", value))
        self.line, self.picture, self.sounds = (ipywidgets.HTML() for _ in range(3))
        self._is_busy = False
        super().__init__([*controls, *made, self.line, self.picture, self.sounds])
        for control in controls:
            control.observe(lambda _: self._update(), names="value")
        self._update()

    def _update(self) -> None:
        # Making the result may move other controls; that must not make it again.
        if self._is_busy:
            return
        self._is_busy = True
        try:
            self._fit()
            self._make()
        finally:
            self._is_busy = False

    def _fit(self) -> None:
        """Move controls whose values do not fit those of other controls."""

    def _make(self) -> None:
        """Read the controls and `_show` the result."""
        raise NotImplementedError

    def _show(self, line: str, pictures: Sequence[Axes], players: Sequence[Player] = ()) -> None:
        """Show a line of HTML, pictures side by side, and players."""
        self.line.value = f"<p role='status'>{line}</p>"
        images = [show(ax)._repr_html_() for ax in pictures]
        row = "display: flex; flex-wrap: wrap"
        self.picture.value = f"<div style='{row}'>{''.join(images)}</div>" if images else ""
        self.sounds.value = "".join(player._repr_html_() for player in players)

    def _parts(self) -> list[str]:
        return [self.line.value, self.picture.value, self.sounds.value]

    def _still_html(self) -> str:
        return "".join(self._parts()) + super()._still_html()

    def recording(self) -> dict[str, Any]:
        """Return the controls, and the results of some of their settings."""
        before, states = self._values(), []
        with smaller():
            for values in itertools.product(*self._recorded()):
                # A change of three controls at once is rarely chosen.
                if sum(map(operator.ne, values, before)) < 3 and self._set(values):
                    self._make()
                    states.append({"values": list(values), "parts": self._parts()})
        self._set(before)
        self._make()
        controls = [
            {"name": control.description, "value": value, "slider": isinstance(control, Slider)}
            for control, value in zip(self._controls, before, strict=True)
        ]
        note = f"This page has {len(states)} settings."
        buttons = [{"text": text, "values": [value]} for text, value in self._buttons.items()]
        traits = {"controls": controls, "buttons": buttons, "states": states}
        return {"widget": "explorer", "note": note, "traits": traits}

    def _values(self) -> tuple[Any, ...]:
        return tuple(control.value for control in self._controls)

    def _set(self, values: tuple[Any, ...]) -> bool:
        """Set the controls and move those that do not fit; return whether all values fitted."""
        self._is_busy = True
        try:
            for control, value in zip(self._controls, values, strict=True):
                control.value = value
                self._fit()
        except traitlets.TraitError:
            return False
        finally:
            self._is_busy = False
        return self._values() == values

    def _recorded(self) -> Sequence[Sequence[Any]]:
        """Return for each control the values to record, in all combinations that fit."""
        raise NotImplementedError
