"""What several test modules need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_fma() -> Path:
    """The folder of real FMA clips, where there is one beside the project."""
    folder = Path(os.environ.get("SONGNET_SHARED", ROOT.parent / "shared")) / "fma"
    if not (folder / "fma_small").is_dir():
        pytest.skip(f"no real FMA clips at {folder} (set SONGNET_SHARED to their parent folder)")
    return folder
