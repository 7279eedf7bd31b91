"""What a check says: right, not yet, or not answered yet, in a box that everybody can read."""

from __future__ import annotations

import enum
import html
import re
from dataclasses import dataclass


class State(enum.Enum):
    """The state of an exercise; a verdict begins with the value."""

    OPEN = "Not answered yet."
    WRONG = "Not yet."
    RIGHT = "Right."


# Each has a colour and a sign. The colours are Okabe and Ito's (2008), which colour-blind people
# can tell apart; the sign and the first words say the same without colour.
_SHOWN = {
    State.OPEN: ("#0072B2", "…"),
    State.WRONG: ("#D55E00", "↻"),
    State.RIGHT: ("#009E73", "✓"),
}


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer; in a notebook, end a cell with it.

    Parameters
    ----------
    state : State
        Whether the answer is right, wrong, or not there yet.
    because : str
        What the answer teaches, in plain words, with `code` in backticks and stressed words between
        asterisks.
    """

    state: State
    because: str

    def __repr__(self) -> str:
        return f"{self.state.value} {self.because}"

    def _repr_html_(self) -> str:
        colour, sign = _SHOWN[self.state]
        because = "".join(
            f"<code>{piece}</code>" if number % 2 else re.sub(r"\*(.+?)\*", r"<em>\1</em>", piece)
            for number, piece in enumerate(html.escape(self.because).split("`"))
        )
        # Only the border and a tint have a colour: the text keeps the page's own, light or dark.
        return (
            f'<div role="status" class="verdict verdict-{self.state.name.lower()}" '
            f'style="border-left: 0.4em solid {colour}; background: {colour}1a; '
            'padding: 0.5em 1em; margin: 0.5em 0; max-width: 50em">'
            f'<strong><span aria-hidden="true">{sign} </span>{self.state.value}</strong> '
            f"{because}</div>"
        )
