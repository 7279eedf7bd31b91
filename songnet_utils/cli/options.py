"""The parser of all commands, the arguments that several share, and the types of options."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from songnet_utils._utils.errors import did_you_mean
from songnet_utils.cli.messages import MISUSED


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line and suggest the closest choice."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Suggest the closest choice, as argparse itself does from Python 3.14 on."""
        if action.choices is not None and value not in action.choices:
            choices = list(action.choices)
            raise argparse.ArgumentError(
                action,
                f"choose from {', '.join(choices)}. Got {value!r}.{did_you_mean(value, choices)}",
            )

    def error(self, message: str) -> NoReturn:
        """Print the error in one line (argparse would print the whole usage before it)."""
        self.exit(MISUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_corpus(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """Add the argument ``CORPUS``."""
    how = "mini, fma_small, … or a folder, with GENRE/clip.* or FMA's layout"
    parser.add_argument("corpus", nargs=nargs, metavar="CORPUS", help=how)


def names(text: str) -> list[str]:
    """Return names that commas separate as a list."""
    found = [name.strip() for name in text.split(",")]
    if not all(found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"give each name once, with commas. Got {text!r}")
    return found


def whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    """Return the type of an option that takes a whole number from `least` to `most`."""
    range_ = f"of at least {least}" if most == math.inf else f"from {least} to {most}"

    def number(text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"give a whole number {range_}. Got {text!r}")

    return number
