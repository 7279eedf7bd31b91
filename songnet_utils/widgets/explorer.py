"""What the explorers share: controls above, a line in words, a picture, and sounds."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ipywidgets
import traitlets
from matplotlib.axes import Axes

from songnet_utils.plots import show
from songnet_utils.plots.players import Player
from songnet_utils.widgets.recording import WithRecording, smaller
from songnet_utils.widgets.slider import Slider

# Numbers are typed or stepped through: the handles of ipywidgets' sliders have no name that a
# screen reader could say.
#: Labels are read whole, and a control is as wide as it must be.
STYLE = {"description_width": "10em"}
LAYOUT = {"width": "min(32em, 100%)"}


class Explorer(WithRecording, ipywidgets.VBox):
    """Controls, and what they make: a line in words, a picture, sounds.

    A page without a kernel shows what the first settings made; its recording holds some others.

    Parameters
    ----------
    controls : sequence of ipywidgets.Widget
        Any of them that changes makes everything anew, when it is let go.
    """

    def __init__(self, controls: Sequence[Any]) -> None:
        self._controls = controls
        self.line = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.sounds = ipywidgets.HTML()
        self._held = False
        super().__init__([*controls, self.line, self.picture, self.sounds])
        for control in controls:
            control.observe(self._changed, names="value")
        self._changed(None)

    def _changed(self, _: Any) -> None:
        if self._held:
            return
        # Making it may move other controls, whose values then fit: one change, one picture.
        self._held = True
        try:
            self._fit()
            self._make()
        finally:
            self._held = False

    def _fit(self) -> None:
        """Move controls whose values do not fit those of others."""

    def _make(self) -> None:
        """Read the controls and `_show` what they make."""
        raise NotImplementedError

    def _show(self, line: str, ax: Axes | None, players: Sequence[Player]) -> None:
        self.line.value = f"<p role='status'>{html.escape(line)}</p>"
        self.picture.value = "" if ax is None else show(ax)._repr_html_()
        self.sounds.value = "".join(player._repr_html_() for player in players)

    def _still_html(self) -> str:
        return "".join(self._parts())

    def _parts(self) -> list[str]:
        return [self.line.value, self.picture.value, self.sounds.value]

    def recording(self) -> dict[str, Any]:
        """Return the controls, and what some of their settings make."""
        before = self._values()
        with smaller():
            states = {}
            for values in itertools.product(*self._recorded()):
                if self._set(values):
                    self._make()
                    states[values] = self._parts()
        self._set(before)
        self._make()
        return explorer_recording(
            [{"name": control.description, "value": control.value} for control in self._controls],
            states,
        )

    def _values(self) -> tuple[Any, ...]:
        return tuple(control.value for control in self._controls)

    def _set(self, values: tuple[Any, ...]) -> bool:
        """Move the controls; return whether these values fit one another."""
        self._held = True
        try:
            for control, value in zip(self._controls, values, strict=True):
                control.value = value
                self._fit()
        except traitlets.TraitError:
            return False
        finally:
            self._held = False
        return self._values() == values

    def _recorded(self) -> Iterable[Sequence[Any]]:
        """Return for each control values to record; of all combinations those that fit."""
        raise NotImplementedError


def slider_recording(
    slider: Slider,
    stops: Iterable[float],
    draw: Callable[[], Sequence[str]],
    buttons: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return what a page without Python needs to explore some stops of a slider.

    Parameters
    ----------
    slider : Slider
        It is where it was afterwards.
    stops : iterable of float
        Some of its stops; that where it stands has to be one of them.
    draw : callable
        Draws what belongs to where the slider stands; returns the parts, as HTML.
    buttons : sequence of dict
        As for `explorer_recording`.
    """
    before, states = slider.value, {}
    with smaller():
        for stop in stops:
            slider.value = stop
            states[(slider.value,)] = draw()
    slider.value = before
    draw()
    control = {"name": slider.label, "value": before, "slider": True}
    return explorer_recording([control], states, buttons)


def explorer_recording(
    controls: Sequence[dict[str, Any]],
    states: Mapping[tuple[Any, ...], Sequence[str]],
    buttons: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return what a page without Python needs to explore some settings.

    Parameters
    ----------
    controls : sequence of dict
        ``name`` and ``value`` of each, and ``slider`` where it is one.
    states : mapping of tuple to sequence of str
        For each setting, the values of the controls, the parts that it makes, as HTML.
    buttons : sequence of dict
        ``text``, and the ``values`` that a press sets.
    """
    return {
        "widget": "explorer",
        "note": f"This page holds {len(states)} settings. The notebook makes any other, too: run "
        "make lab and open this lesson.",
        "traits": {
            "controls": list(controls),
            "buttons": list(buttons),
            "states": [
                {"values": list(values), "parts": list(parts)} for values, parts in states.items()
            ],
        },
    }
