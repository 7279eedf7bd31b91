"""Choices that are the same on every machine: a die for every decision, seeded by its name.

A die is seeded by words (`Dice("7", "Rock", "artist 3")`), not by the order in which things
happen to be made, so any worker can make any clip on its own, and the clip is always the same.
NumPy draws only uniform numbers; every other choice is made from these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """A source of choices, seeded by words.

    Parameters
    ----------
    *words
        What the choices are for; the same words give the same choices.
    """

    def __init__(self, *words: object) -> None:
        self.name = "/".join(str(word) for word in words)
        digest = hashlib.sha256(self.name.encode()).digest()
        self.generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))

    def of(self, *words: object) -> Dice:
        """Return another die, named under this one; rolling it does not change this one."""
        return Dice(self.name, *words)

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        return float(self.generator.random())

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + int(self.unit() * (high - low + 1))

    def maybe(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.unit() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[int(self.unit() * len(options))]

    def weigh(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, with a probability proportional to its weight."""
        mark = self.unit() * sum(weights.values())
        for option, weight in weights.items():
            mark -= weight
            if mark < 0:
                return option
        return option

    def some(self, options: Sequence[T], how_many: int) -> list[T]:
        """Return up to `how_many` different options, in a random order."""
        left = list(options)
        taken: list[T] = []
        while left and len(taken) < how_many:
            taken.append(left.pop(int(self.unit() * len(left))))
        return taken

    def bell(self, deviation: float) -> float:
        """Return a number from a bell curve around 0, cut off at ±3 standard deviations."""
        return deviation * 2.0 * (self.unit() + self.unit() + self.unit() - 1.5)
