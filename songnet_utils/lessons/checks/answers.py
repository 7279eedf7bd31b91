"""Reading what a student gives: numbers and names, in any sensible form.

The functions return plain Python or NumPy. If they cannot read an answer, they raise
`UnreadableError`, whose message says what the check asks for. ``...``, ``None`` and an empty string
mean that there is no answer yet (`is_open`).
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np

# A number as people write it, and what may follow it: a unit or a word.
_NUMBER = re.compile(
    r"[~≈]?\s*(?P<number>[-+−]?(?:\d[\d,_ ]*\d|\d)?(?:\.\d+)?(?:e[-+]?\d+)?(?:\s*/\s*\d+)?)"
    r"\s*(?P<unit>%|[a-zµ][a-zµ ]*)?\.?",
    re.IGNORECASE,
)
_UNITS = {"%": Fraction(1, 100), "per cent": Fraction(1, 100), "percent": Fraction(1, 100)}


class UnreadableError(Exception):
    """The answer is not of the kind that the check asks for; the message says why."""


def is_open(answer: object) -> bool:
    """Return whether there is no answer yet: ``...``, ``None``, "", or a list of these."""
    if answer is None or answer is ...:
        return True
    if isinstance(answer, str):
        return not answer.strip(" .…?")
    if isinstance(answer, list | tuple):
        return bool(answer) and all(is_open(one) for one in answer)
    return False


def number(answer: object) -> float:
    """Read one number: of any numeric type, alone in an array or a list, or written as text.

    Text may contain a unit (``"36 frames"``), thousands separators (``"1,024"``), a fraction
    (``"3/8"``) or per cent (``"45 %"``, which is 0.45).
    """
    if callable(answer) and not hasattr(answer, "__array__"):
        raise UnreadableError("That is a function. Call it, and give what it returns.")
    if isinstance(answer, bool | np.bool_):
        raise UnreadableError(f"The answer is a number, but {answer} means yes or no.")
    if isinstance(answer, str):
        return _written(answer)
    try:
        values = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError):
        raise UnreadableError(f"The answer is a number. Got {_short(answer)}") from None
    if values.size != 1:
        raise UnreadableError(f"The answer is a single number. You gave {values.size} of them.")
    value = float(values.reshape(-1)[0])
    if not math.isfinite(value):
        raise UnreadableError(f"{value} cannot be compared with a number. How did you get it?")
    return value


def numbers(answer: object, count: int) -> np.ndarray:
    """Read `count` numbers: in a list, tuple, array or column, or as text with commas between."""
    if isinstance(answer, str):
        answer = re.split(r"\s*(?:;|,\s|\bto\b|–)\s*", answer.strip("()[] "))
    if not hasattr(answer, "__iter__"):
        raise UnreadableError(f"The answer is {count} numbers, in a list or a tuple. Got one.")
    values = np.array([number(one) for one in answer])
    if len(values) != count:
        raise UnreadableError(f"The answer is {count} numbers. You gave {len(values)} of them.")
    return values


def name(answer: object) -> str:
    """Read a name: text, or text alone in an array or a list; case and spacing do not matter."""
    while not isinstance(answer, str):
        only = list(answer) if hasattr(answer, "__iter__") else []
        if len(only) != 1:
            raise UnreadableError(f"The answer is a name, as text. Got {_short(answer)}")
        answer = only[0]
    return " ".join(re.sub(r"[-_\s]+", " ", answer.strip(" .\"'")).casefold().split())


def _written(text: str) -> float:
    found = _NUMBER.fullmatch(text.strip())
    digits = re.sub(r"[,_ ]", "", found["number"]).replace("−", "-") if found else ""
    try:
        value = Fraction(digits)
    except (ValueError, ZeroDivisionError):
        raise UnreadableError(f"The answer is a number. Got the text {_short(text)}") from None
    unit = (found["unit"] or "").strip().casefold() if found else ""
    return float(value * _UNITS.get(unit, 1))


def _short(answer: Any) -> str:
    shown = repr(answer).replace("\n", " ")
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
