"""Messages of a page: they are answered, and what goes wrong is reported."""

from __future__ import annotations

import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.widgets.messages import Message, Messages


class Echo(Messages):
    """Says again what it is told."""

    _subject = ("number",)

    def _on_echo(self, content: dict, buffers: list) -> Message:
        if content["text"] == "too large":
            raise SongNetError("Too large.")
        return {**content, "size": len(buffers[0])}, []


@pytest.fixture
def echo(monkeypatch):
    widget, told = Echo(), []
    monkeypatch.setattr(widget, "send", lambda content, buffers: told.append(content))
    widget.told = told
    return widget


def test_a_message_is_answered_and_a_person_reads_what_they_can_mend(echo, caplog):
    echo._receive(echo, {"kind": "echo", "number": 3, "text": "x"}, [memoryview(b"1234")])
    echo._receive(echo, {"kind": "echo", "number": 4, "text": "too large"}, [])
    assert echo.told == [
        {"kind": "echo", "number": 3, "text": "x", "size": 4},
        {"kind": "error", "number": 4, "text": "Too large."},
    ]
    assert not caplog.records


def test_a_fault_is_logged_with_its_traceback_and_the_next_message_is_answered(echo, caplog):
    # No bytes came with it.
    echo._receive(echo, {"kind": "echo", "number": 3, "text": "x"}, [])
    (record,) = caplog.records
    assert record.exc_info[0] is IndexError
    (told,) = echo.told
    assert (told["kind"], told["number"]) == ("error", 3)
    assert "Internal error" in told["text"]
    echo._receive(echo, {"kind": "echo", "number": 3, "text": "x"}, [memoryview(b"1234")])
    assert echo.told[-1]["kind"] == "echo"
