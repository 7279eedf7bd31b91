"""Reading what a widget recorded for pages without Python."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def read_recording(page: Path) -> dict[str, Any]:
    """Return the recording that the only place of a page shows."""
    (name,) = re.findall(r'class="songnet-recording" data-name="(\w+)"', page.read_text("utf-8"))
    text = (page.parent / "media" / f"{name}.js").read_text("utf-8")
    call = re.fullmatch(r'SongNetRecordings\.add\("(\w+)", (".*")\);\n', text)
    assert call is not None
    assert call[1] == name
    return json.loads(json.loads(call[2]))
