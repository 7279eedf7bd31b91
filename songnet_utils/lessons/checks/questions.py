"""Questions that know the usual wrong answers, and explain them.

A check is written as a function from what the lesson has (a table of clips, a network …) to a
`Question`: what is right, worked out by the package, and what people who think this or that wrong
come to. `exercise` makes the check of it:

>>> @exercise
... def steps(frames: int) -> Question:
...     return Number(truth=frames // 8, mistakes=[Mistake(frames, "Those are the frames.")],
...                   praise="Pooling by two, three times.", hint="What does pooling do?")
>>> steps("24 frames", 24)
Not yet. Those are the frames.

What is said to a wrong answer explains how one comes to it and where to think on; it never holds
the right one.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec

import numpy as np

from songnet_utils.lessons.checks.answers import UnreadableError, is_open, name, number, numbers
from songnet_utils.lessons.checks.verdicts import State, Verdict

_Context = ParamSpec("_Context")

OPEN = Verdict(State.OPEN, "Put your answer in the place of the `...`, and run the cell again.")


@dataclass(frozen=True)
class Mistake:
    """A usual wrong answer.

    Parameters
    ----------
    answer : object
        What somebody gives who makes it, in any form that the question reads.
    because : str
        What is wrong with it.
    """

    answer: Any
    because: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, with everything that is needed to judge an answer.

    Parameters
    ----------
    truth : object
        The right answer.
    mistakes : sequence of Mistake
        The usual wrong ones. Where one of them happens to be right, for these clips or this
        network, it counts as right.
    praise : str
        What there is to know beyond the right answer.
    hint : str
        What is said to any other wrong answer.
    """

    truth: Any
    mistakes: Sequence[Mistake]
    praise: str
    hint: str

    def read(self, answer: Any) -> Any:
        """Read an answer, or raise `UnreadableError`."""
        raise NotImplementedError

    def same(self, one: Any, other: Any) -> bool:
        """Return whether two answers that were read come to the same."""
        return bool(one == other)

    def judge(self, answer: Any) -> Verdict:
        """Return what there is to say about an answer."""
        if is_open(answer):
            return OPEN
        try:
            given = self.read(answer)
        except UnreadableError as error:
            return Verdict(State.WRONG, str(error))
        if is_open(given):
            return OPEN
        if self.same(given, self.read(self.truth)):
            return Verdict(State.RIGHT, self.praise)
        for mistake in self.mistakes:
            if self.same(given, self.read(mistake.answer)):
                return Verdict(State.WRONG, mistake.because)
        return Verdict(State.WRONG, self.hint)


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A question whose answer is a number.

    Parameters
    ----------
    tolerance : float
        How far an answer may lie from the right one.
    share : bool
        Whether it is a share from 0 to 1; what lies above is then read as per cent.
    """

    tolerance: float = 1e-6
    share: bool = False

    def read(self, answer: Any) -> Any:
        """Read one number."""
        return self._of_one(number(answer))

    def same(self, one: Any, other: Any) -> bool:
        """Return whether no number lies further off than is allowed."""
        return bool(np.max(np.abs(one - other)) <= self.tolerance)

    def _of_one(self, value: Any) -> Any:
        return value / 100 if self.share and np.max(np.abs(value)) > 1 else value


@dataclass(frozen=True, kw_only=True)
class Numbers(Number):
    """A question whose answer is several numbers in a certain order, as many as are right."""

    def read(self, answer: Any) -> Any:
        """Read several numbers."""
        return self._of_one(numbers(answer, len(self.truth)))


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """A question whose answer is one of some names.

    Parameters
    ----------
    options : sequence of str
        The names to choose from.
    """

    options: Sequence[str]

    def read(self, answer: Any) -> str:
        """Read which option it is."""
        chosen = name(answer)
        if chosen not in map(name, self.options):
            raise UnreadableError(f"Choose one of: {', '.join(map(repr, self.options))}.")
        return chosen


@dataclass(frozen=True, kw_only=True)
class Function(Question):
    """A question whose answer is a function, which is tried.

    Parameters
    ----------
    inputs : sequence of tuple
        The arguments to try it with.
    view : callable, optional
        What of an output counts, given the output and the arguments: numbers, by default the
        output itself.
    tolerance : float
        How far numbers of it may lie from the right ones.
    """

    inputs: Sequence[tuple[Any, ...]]
    view: Callable[..., Any] = lambda output, *_: output
    tolerance: float = 1e-6

    def read(self, answer: Any) -> Any:
        """Try the function, and return what counts of its outputs."""
        if not callable(answer):
            raise UnreadableError("A function is asked for: give it by its name, without brackets.")
        outputs = [self._try(answer, arguments) for arguments in self.inputs]
        if all(map(is_open, outputs)):
            return None
        if any(map(is_open, outputs)):
            raise UnreadableError(
                "For some of what it was tried with, your function returns nothing. Is there a "
                "`return` on every way through it?"
            )
        seen = []
        for output, arguments in zip(outputs, self.inputs, strict=True):
            try:
                seen.append(np.asarray(self.view(output, *arguments), np.float64))
            except (TypeError, ValueError, IndexError, AttributeError):
                kind = type(output).__name__
                raise UnreadableError(
                    f"Your function returns something else than is asked for ({kind}): look at "
                    "what its first lines say that it returns."
                ) from None
        return seen

    def same(self, one: list[np.ndarray], other: list[np.ndarray]) -> bool:
        """Return whether all outputs are alike."""
        return all(
            a.shape == b.shape and bool(np.all(np.abs(a - b) <= self.tolerance))
            for a, b in zip(one, other, strict=True)
        )

    def _try(self, answer: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            # What it does to its arguments must not reach the next one that is tried; and what
            # it divides by zero is seen by what it returns.
            with np.errstate(all="ignore"):
                return answer(*copy.deepcopy(arguments))
        except Exception as error:
            raise UnreadableError(
                f"Your function stopped when it was tried: {type(error).__name__}: {error}"
            ) from None


class Exercise(Generic[_Context]):
    """A check: called with an answer and with what the question is about, it returns a verdict.

    Attributes
    ----------
    ask : callable
        From what the question is about to the `Question`.
    """

    def __init__(self, ask: Callable[_Context, Question]) -> None:
        self.ask = ask
        functools.update_wrapper(self, ask)
        # What `check.name?` shows in a notebook: how it is called.
        signature = inspect.signature(ask)
        answer = inspect.Parameter("answer", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        others = [one.replace(kind=answer.kind) for one in signature.parameters.values()]
        self.__signature__ = signature.replace(
            parameters=[answer, *others], return_annotation=Verdict
        )

    def __call__(
        self, answer: object, *context: _Context.args, **named: _Context.kwargs
    ) -> Verdict:
        """Judge an answer; nothing is worked out while there is none."""
        return OPEN if is_open(answer) else self.ask(*context, **named).judge(answer)


def exercise(ask: Callable[_Context, Question]) -> Exercise[_Context]:
    """Make the check of a function that returns the question."""
    return Exercise(ask)
