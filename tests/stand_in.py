"""What stands in for the browser where a widget's Python is tested alone."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import pytest

from songnet_utils.widgets.messages import Messages


def sound_in(content: dict[str, Any]) -> bytes:
    """Return the mp3 of a message that has one."""
    assert content["address"].startswith("data:audio/mpeg;base64,")
    return base64.b64decode(content["address"].partition(",")[2])


class Page:
    """Says things to a widget, and remembers what it is told."""

    def __init__(self, widget: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.told: list[tuple[dict[str, Any], list[Any]]] = []
        monkeypatch.setattr(
            widget,
            "send",
            # As it arrives: what JSON cannot say would not.
            lambda content, buffers=None: self.told.append(
                (json.loads(json.dumps(content)), buffers or [])
            ),
        )

    def sends(self, content: Any, *buffers: bytes) -> None:
        """Send anything, also what no page of ours would."""
        self.widget._receive(self.widget, content, [memoryview(buffer) for buffer in buffers])

    def says(self, kind: str, *buffers: bytes, **content: Any) -> None:
        self.sends({"kind": kind, **content}, *buffers)

    def wait(self) -> None:
        """Wait until no thread is working on an answer any more."""
        for thread in threading.enumerate():
            # Python names a thread after what it runs: that of a message, in its own context.
            if thread.name.endswith("(run)"):
                thread.join()

    def heard(self, kind: str) -> list[dict[str, Any]]:
        return [content for content, _ in self.told if content["kind"] == kind]

    def last(self, kind: str) -> dict[str, Any]:
        assert self.heard(kind), f"no {kind} among {[content['kind'] for content, _ in self.told]}"
        return self.heard(kind)[-1]
