"""Questions that know the usual wrong answers, and explain them.

A check is a function that makes a `Question` from what the lesson has (a table of clips, a network
…): the right answer, which the package works out, and the usual wrong ones, each with a name. The
feedback is in a file of the same name that ends in ``.toml``: ``right``, ``hint`` (for any other
answer) and a text for each usual wrong answer.

>>> @exercise
... def steps(frames: int) -> Question:
...     return Number(frames // 8, wrong={"frames": frames}, feedback={
...         "right": "Pooling by two, three times.", "hint": "What does pooling do?",
...         "frames": "Those are the frames."})
>>> steps("24 frames", 24)
Not yet. Those are the frames.

A text explains how people arrive at a wrong answer and what to think about next; it never gives the
right one.
"""

from __future__ import annotations

import copy
import functools
import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, ParamSpec

import numpy as np

from songnet_utils.lessons.checks.answers import UnreadableError, is_open, name, number, numbers
from songnet_utils.lessons.checks.verdicts import State, Verdict

_Context = ParamSpec("_Context")

OPEN = Verdict(State.OPEN, "Replace the `...` with your answer and run the cell again.")


@dataclass(frozen=True)
class Question:
    """A question, with everything that is needed to judge an answer.

    Parameters
    ----------
    truth : object
        The right answer.
    wrong : mapping of str to object
        The usual wrong answers by name, in any form that the question reads. If one of them
        happens to be right for these clips or this network, it counts as right.
    facts : mapping of str to object
        What the texts quote, by the names in braces.
    feedback : mapping of str to str
        The texts: ``"right"``, ``"hint"``, and one for each usual wrong answer.
    """

    truth: Any
    wrong: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    feedback: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def read(self, answer: Any) -> Any:
        """Read an answer, or raise `UnreadableError`."""
        raise NotImplementedError

    def same(self, one: Any, other: Any) -> bool:
        """Return whether two answers are the same, once they have been read."""
        return bool(one == other)

    def text(self, key: str) -> str:
        """Return one of the texts with the facts in it."""
        return " ".join(self.feedback[key].split()).format(**self.facts)

    def judge(self, answer: Any) -> Verdict:
        """Return the verdict on an answer."""
        try:
            given = None if is_open(answer) else self.read(answer)
        except UnreadableError as error:
            return Verdict(State.WRONG, str(error))
        if given is None:
            return OPEN
        if self.same(given, self.read(self.truth)):
            return Verdict(State.RIGHT, self.text("right"))
        for key, wrong in self.wrong.items():
            if self.same(given, self.read(wrong)):
                return Verdict(State.WRONG, self.text(key))
        return Verdict(State.WRONG, self.text("hint"))


@dataclass(frozen=True)
class Number(Question):
    """A question whose answer is a number, or several in a certain order.

    Parameters
    ----------
    tolerance : float
        How far an answer may lie from the right one.
    share : bool
        Whether it is a share from 0 to 1; larger numbers are then read as per cent.
    """

    tolerance: float = field(default=1e-6, kw_only=True)
    share: bool = field(default=False, kw_only=True)

    def read(self, answer: Any) -> Any:
        """Read one number, or as many as the right answer has."""
        several = isinstance(self.truth, tuple)
        value = numbers(answer, len(self.truth)) if several else number(answer)
        return value / 100 if self.share and np.max(np.abs(value)) > 1 else value

    def same(self, one: Any, other: Any) -> bool:
        """Return whether all numbers are within the tolerance."""
        return bool(np.max(np.abs(one - other)) <= self.tolerance)


@dataclass(frozen=True)
class Choice(Question):
    """A question whose answer is one of some names.

    Parameters
    ----------
    options : sequence of str
        The names to choose from.
    """

    options: Sequence[str] = field(kw_only=True)

    def read(self, answer: Any) -> str:
        """Read which option it is."""
        chosen = name(answer)
        if chosen not in map(name, self.options):
            raise UnreadableError(f"Choose one of: {', '.join(map(repr, self.options))}.")
        return chosen


@dataclass(frozen=True)
class Function(Question):
    """A question whose answer is a function, which the check tries.

    Parameters
    ----------
    inputs : sequence of tuple
        The arguments to try it with.
    view : callable, optional
        The numbers that count, given an output and the arguments; by default, the output itself.
    tolerance : float
        How far these numbers may lie from the right ones.
    ready_made : str
        The name of a function that does it all, which an answer may not call.
    """

    inputs: Sequence[tuple[Any, ...]] = field(kw_only=True)
    view: Callable[..., Any] = field(default=lambda output, *_: output, kw_only=True)
    tolerance: float = field(default=1e-6, kw_only=True)
    ready_made: str = field(default="", kw_only=True)

    def read(self, answer: Any) -> Any:
        """Try the function, and return what counts in its outputs; None if it has no body yet."""
        if not callable(answer):
            raise UnreadableError("Give the function by its name, without brackets.")
        names = getattr(getattr(answer, "__code__", None), "co_names", ())
        if self.ready_made and self.ready_made in (getattr(answer, "__name__", ""), *names):
            raise UnreadableError(f"`{self.ready_made}` does it all. Can you manage without it?")
        outputs = [self._try(answer, arguments) for arguments in self.inputs]
        if all(map(is_open, outputs)):
            return None
        if any(map(is_open, outputs)):
            raise UnreadableError(
                "For some of its inputs your function returns nothing. Does every path through "
                "it end in a `return`?"
            )
        try:
            return [
                np.asarray(self.view(output, *arguments), np.float64)
                for output, arguments in zip(outputs, self.inputs, strict=True)
            ]
        except (TypeError, ValueError, IndexError, AttributeError):
            raise UnreadableError(
                f"Your function returns `{type(outputs[0]).__name__}`, which is not what its "
                "first lines describe."
            ) from None

    def same(self, one: list[np.ndarray], other: list[np.ndarray]) -> bool:
        """Return whether all outputs are alike."""
        return all(
            a.shape == b.shape and bool(np.all(np.abs(a - b) <= self.tolerance))
            for a, b in zip(one, other, strict=True)
        )

    def _try(self, answer: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            # It gets copies, which it may change. What it returns shows a division by zero.
            with np.errstate(all="ignore"):
                return answer(*copy.deepcopy(arguments))
        except Exception as error:
            raise UnreadableError(
                f"Your function stopped with {type(error).__name__}: {error}"
            ) from None


class Exercise(Generic[_Context]):
    """A check: called with an answer and with what the question is about, it returns a verdict.

    Parameters
    ----------
    question : callable
        A function that makes the `Question` from what it is about.
    """

    def __init__(self, question: Callable[_Context, Question]) -> None:
        self._question = question
        file = Path(question.__code__.co_filename).with_suffix(".toml")
        texts = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        self._feedback = texts.get(question.__name__, {})
        functools.update_wrapper(self, question)
        # In a notebook, `check.name?` shows this: how to call the check.
        answer = inspect.Parameter("answer", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        others = inspect.signature(question).parameters.values()
        self.__signature__ = inspect.Signature([answer, *others], return_annotation=Verdict)

    def ask(self, *context: _Context.args, **named: _Context.kwargs) -> Question:
        """Return the question, with its texts."""
        question = self._question(*context, **named)
        return replace(question, feedback=question.feedback or self._feedback)

    def __call__(
        self, answer: object, *context: _Context.args, **named: _Context.kwargs
    ) -> Verdict:
        """Judge an answer; if there is none yet, work nothing out."""
        return OPEN if is_open(answer) else self.ask(*context, **named).judge(answer)


exercise = Exercise
