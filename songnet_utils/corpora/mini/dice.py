"""Choices that are the same on every machine: a die for every decision, seeded by its name.

A die is seeded by words (`Dice("7", "Rock", "artist 3")`), not by the order in which things
happen to be made, so any clip can be made alone, by any worker, and comes out the same. Only
uniform numbers are drawn from NumPy; every other choice is made from those.
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
        """Return another die, named under this one; throwing it does not disturb this one."""
        return Dice(self.name, *words)

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        return float(self.generator.random())

    def between(self, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))

    def maybe(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.unit() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, each as likely."""
        return options[int(self.unit() * len(options))]

    def weigh(self, weights: Mapping[T, float]) -> T:
        """Return one of the keys, as likely as its weight says."""
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
        """Return a number around 0, bell-shaped, with this standard deviation, within ±3 of it."""
        return deviation * 2.0 * (self.unit() + self.unit() + self.unit() - 1.5)
