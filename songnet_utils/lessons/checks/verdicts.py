"""What a check says: right, not yet, or not answered yet, in a box that everybody can read."""

from __future__ import annotations

import enum
import html
import re
from dataclasses import dataclass


class State(enum.Enum):
    """How far an exercise is; the value is what a verdict begins with."""

    OPEN = "Not answered yet."
    WRONG = "Not yet."
    RIGHT = "Right."


# A colour and a sign each. The colours are Okabe and Ito's (2008), which the colour-blind can tell
# apart; the sign and the first words say the same without them.
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
        What is to be learnt from the answer, in plain words; `code` stands in backticks, what is
        stressed between asterisks.
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
        # Only the border and a tint have a colour: letters keep that of the page, light or dark.
        return (
            f'<div role="status" class="verdict verdict-{self.state.name.lower()}" '
            f'style="border-left: 0.4em solid {colour}; background: {colour}1a; '
            'padding: 0.5em 1em; margin: 0.5em 0; max-width: 50em">'
            f'<strong><span aria-hidden="true">{sign} </span>{self.state.value}</strong> '
            f"{because}</div>"
        )
