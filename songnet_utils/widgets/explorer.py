"""What the explorers share: controls above, a line in words, pictures, and sounds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import traitlets
from matplotlib.axes import Axes

from songnet_utils.plots import show
from songnet_utils.plots.players import Player
from songnet_utils.widgets.recording import WithRecording, smaller
from songnet_utils.widgets.slider import Slider

#: How controls look: labels can be read whole.
LOOK: dict[str, Any] = {
    "style": {"description_width": "10em"},
    "layout": {"width": "min(32em, 100%)"},
}


def number(
    name: str, value: int, least: int, most: int, *, step: int = 1
) -> ipywidgets.BoundedIntText:
    """Return a control where a whole number is typed.

    The handles of ipywidgets' sliders have no name that a screen reader could say. Python hears of
    a number once it is typed.
    """
    return ipywidgets.BoundedIntText(
        value, min=least, max=most, step=step, description=name, continuous_update=False, **LOOK
    )


def select(name: str, options: Sequence[Any], value: Any) -> ipywidgets.Dropdown:
    """Return a control where one of some options is chosen."""
    return ipywidgets.Dropdown(options=options, value=value, description=name, **LOOK)


class Explorer(WithRecording, ipywidgets.VBox):
    """Controls, and what they make: a line in words, pictures, sounds.

    A page without a kernel shows what the first settings made; its recording holds some others.

    Parameters
    ----------
    controls : sequence of ipywidgets.Widget
        When any of them changes, everything is made anew.
    buttons : mapping of str to float, optional
        What stands below them, and the value that each gives to the first control.
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
        # Making it may move other controls, whose values then fit: one change, one picture.
        if self._is_busy:
            return
        self._is_busy = True
        try:
            self._fit()
            self._make()
        finally:
            self._is_busy = False

    def _fit(self) -> None:
        """Move controls whose values do not fit those of others."""

    def _make(self) -> None:
        """Read the controls and `_show` what they make."""
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
        """Return the controls, and what some of their settings make."""
        before, states = self._values(), []
        with smaller():
            for values in itertools.product(*self._recorded()):
                if self._set(values):
                    self._make()
                    states.append({"values": list(values), "parts": self._parts()})
        self._set(before)
        self._make()
        controls = [
            {"name": control.description, "value": value, "slider": isinstance(control, Slider)}
            for control, value in zip(self._controls, before, strict=True)
        ]
        note = f"This page holds {len(states)} settings."
        buttons = [{"text": text, "values": [value]} for text, value in self._buttons.items()]
        traits = {"controls": controls, "buttons": buttons, "states": states}
        return {"widget": "explorer", "note": note, "traits": traits}

    def _values(self) -> tuple[Any, ...]:
        return tuple(control.value for control in self._controls)

    def _set(self, values: tuple[Any, ...]) -> bool:
        """Move the controls, and those that do not fit; return whether all values fitted."""
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
        """Return for each control values to record; of all combinations those that fit."""
        raise NotImplementedError
