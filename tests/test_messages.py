"""Messages of a page: what is wrong with one is refused; a fault of ours is logged as one."""

from __future__ import annotations

import logging
from typing import ClassVar

import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.widgets.messages import Content, Messages, first_of


class Echo(Messages):
    """Tells back what it is told; a fault of ours may be put in."""

    _subject = ("number",)
    fault: BaseException | None = None

    def _echo(self, content: Content, buffers: list) -> None:
        number, text = content.whole("number"), content.text("text")
        size = first_of(buffers).nbytes
        if self.fault:
            raise self.fault
        self._tell("echo", number=number, text=text, size=size, extra=content["extra"])

    _handlers: ClassVar = {"echo": _echo}


@pytest.fixture
def echo(monkeypatch):
    widget, told = Echo(), []
    monkeypatch.setattr(widget, "send", lambda content, buffers: told.append(content))
    widget.told = told
    return widget


RIGHT = {"kind": "echo", "number": 3, "text": "x", "extra": None}


def without(name: str) -> dict:
    return {key: value for key, value in RIGHT.items() if key != name}


def test_a_right_message_is_answered(echo, caplog):
    echo._receive(echo, RIGHT, [memoryview(b"1234")])
    assert echo.told == [{"kind": "echo", "number": 3, "text": "x", "size": 4, "extra": None}]
    assert not caplog.records


@pytest.mark.parametrize(
    "content",
    [
        *(None, "echo", 3, [], [RIGHT], {}),
        *(without(name) for name in RIGHT),
        *({**RIGHT, "kind": wrong} for wrong in ("", "rm -rf", None, 3, ["echo"], {})),
        *({**RIGHT, "number": wrong} for wrong in (None, "three", [], {}, float("inf"))),
        *({**RIGHT, "text": wrong} for wrong in (None, 3, ["x"], {})),
    ],
    ids=str,
)
def test_a_malformed_message_is_refused_in_a_line(echo, caplog, content):
    echo._receive(echo, content, [memoryview(b"1234")])
    assert echo.told == []
    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


def test_bytes_that_did_not_come_are_malformed_too(echo, caplog):
    echo._receive(echo, RIGHT, [])
    assert echo.told == []
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize(
    "fault",
    [KeyError("k"), TypeError("t"), IndexError("i"), ValueError("v"), AttributeError("a"),
     ZeroDivisionError("z"), OSError(28, "full"), RuntimeError("r")],
    ids=repr,
)  # fmt: skip
def test_a_fault_of_ours_is_logged_with_its_traceback_and_told_as_one(echo, caplog, fault):
    echo.fault = fault
    echo._receive(echo, RIGHT, [memoryview(b"1234")])
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[1] is fault
    (told,) = echo.told
    assert (told["kind"], told["number"]) == ("error", 3)
    assert "internal error" in told["text"]
    # The next message is answered as ever.
    echo.fault = None
    echo._receive(echo, RIGHT, [memoryview(b"1234")])
    assert echo.told[-1]["kind"] == "echo"


def test_what_a_person_can_mend_is_told_and_no_fault(echo, caplog):
    echo.fault = SongNetError("Too large.")
    echo._receive(echo, RIGHT, [memoryview(b"1234")])
    assert echo.told == [{"kind": "error", "text": "Too large.", "number": 3}]
    assert not caplog.records
