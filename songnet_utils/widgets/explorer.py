"""What the explorers share: controls above, a line in words, a picture, and sounds."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets
from matplotlib.axes import Axes

from songnet_utils.players import Player
from songnet_utils.plots import show
from songnet_utils.widgets.still import WithStill

# Numbers are typed or stepped through: the handles of ipywidgets' sliders have no name that a
# screen reader could say.
#: Labels are read whole, and a control is as wide as it must be.
STYLE = {"description_width": "10em"}
LAYOUT = {"width": "min(32em, 100%)"}


class Explorer(WithStill):
    """Controls, and what they make: a line in words, a picture, sounds.

    Where there is no kernel, on a page, it leaves what its first settings made.

    Parameters
    ----------
    controls : sequence of ipywidgets.Widget
        Any of them that changes makes everything anew, when it is let go.
    """

    def __init__(self, controls: Sequence[Any]) -> None:
        self.line = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.sounds = ipywidgets.HTML()
        self._held = False
        super().__init__([*controls, self.line, self.picture, self.sounds])
        for control in controls:
            control.observe(self._changed, names="value")
        self._make()

    def _changed(self, _: Any) -> None:
        if self._held:
            return
        # Making it may move other controls, whose values then fit: one change, one picture.
        self._held = True
        try:
            self._make()
        finally:
            self._held = False

    def _make(self) -> None:
        """Read the controls and `_show` what they make."""
        raise NotImplementedError

    def _show(self, line: str, ax: Axes | None, players: Sequence[Player]) -> None:
        self.line.value = f"<p role='status'>{html.escape(line)}</p>"
        self.picture.value = "" if ax is None else show(ax)._repr_html_()
        self.sounds.value = "".join(player._repr_html_() for player in players)

    def _still_html(self) -> str:
        return self.line.value + self.picture.value + self.sounds.value
