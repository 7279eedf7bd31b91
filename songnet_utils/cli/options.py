"""What the commands' options share: one kind of parser, arguments of several commands, types."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from songnet_utils._utils.errors import did_you_mean
from songnet_utils.cli.messages import MISUSED


class Parser(argparse.ArgumentParser):
    """A parser whose errors take one line and suggest the nearest choice."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Suggest the nearest of the choices, which argparse does from Python 3.14 on."""
        if action.choices is not None and value not in action.choices:
            choices = list(action.choices)
            raise argparse.ArgumentError(
                action,
                f"one of {', '.join(choices)}; got {value!r}.{did_you_mean(value, choices)}",
            )

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one line (argparse prints the whole usage before it)."""
        self.exit(MISUSED, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_corpus(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """Add the argument ``CORPUS``."""
    how = "mini, fma_small, … or a folder: GENRE/clip.* or FMA's layout"
    parser.add_argument("corpus", nargs=nargs, metavar="CORPUS", help=how)


def names(text: str) -> list[str]:
    """Return names with commas between them as a list."""
    found = [name.strip() for name in text.split(",")]
    if not all(found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"names with commas between, each once; got {text!r}")
    return found


def whole(least: int, most: float = math.inf) -> Callable[[str], int]:
    """Return the type of an option that takes a whole number from `least` to `most`."""
    range_ = f"of at least {least}" if most == math.inf else f"from {least} to {most}"

    def number(text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"a whole number {range_}; got {text!r}")

    return number
