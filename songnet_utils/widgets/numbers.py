"""A table of numbers to press, each with a name that a screen reader says.

A button of ipywidgets is called what stands on it: of a number alone nobody knows what it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from songnet_utils._utils.errors import SongNetError
from songnet_utils.widgets.messages import COMMON, Content, Messages, joined


class Numbers(Messages):
    """A table of numbers to press. The Tab key stops at it once; arrows move inside.

    Parameters
    ----------
    caption : str
        What stands in rows and columns.
    heads : sequence of str
        Of the rows and of the columns.
    counts : np.ndarray, shape (heads, heads), int
        The numbers.
    names : sequence of sequence of str
        What each number is called; as in `counts`.
    looks : sequence of sequence of (str, str)
        The colour behind each number and its own; as in `counts`.
    pressed : callable
        Called with row and column of the number that was pressed.
    """

    _esm = joined(*COMMON, "numbers.js")
    _css = joined("common.css", "numbers.css")
    caption = traitlets.Unicode().tag(sync=True)
    heads = traitlets.List(traitlets.Unicode()).tag(sync=True)
    counts: traitlets.List[Any] = traitlets.List().tag(sync=True)
    names: traitlets.List[Any] = traitlets.List().tag(sync=True)
    looks: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self,
        caption: str,
        heads: Sequence[str],
        counts: np.ndarray,
        names: Sequence[Sequence[str]],
        looks: Sequence[Sequence[tuple[str, str]]],
        pressed: Callable[[int, int], None],
    ) -> None:
        self._pressed = pressed
        super().__init__(
            caption=caption,
            heads=list(heads),
            counts=counts.tolist(),
            names=[list(row) for row in names],
            looks=[[list(look) for look in row] for row in looks],
        )

    def press(self, row: int, column: int) -> None:
        """Do what a press of a number does.

        Raises
        ------
        SongNetError
            When there is no such number.
        """
        there = range(len(self.heads))
        if row not in there or column not in there:
            raise SongNetError(
                f"Rows and columns are numbered from 0 to {len(self.heads) - 1}. "
                f"Got row {row}, column {column}"
            )
        self._pressed(row, column)

    def _press(self, content: Content, buffers: list) -> None:
        self.press(content["row"], content["column"])

    _handlers: ClassVar[dict[str, Callable[[Numbers, Content, list], None]]] = {"press": _press}
