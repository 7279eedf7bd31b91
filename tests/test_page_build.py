"""What is built of the listening page is committed; it is what its sources give."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "songnet_utils" / "widgets" / "page"


def test_the_committed_build_is_what_the_sources_give(tmp_path):
    """`tsc --checkJs` is a part of the build."""
    built = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_page.py", tmp_path],
        capture_output=True,
        text=True,
    )
    if re.search(r"npm error code E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT)", built.stderr):
        pytest.skip("npm's packages cannot be fetched without a network")
    assert built.returncode == 0, built.stdout + built.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "LICENSES.txt",
        "ort.wasm.gz",
        "songnet.js",
    ]
    for path in tmp_path.iterdir():
        new, committed = path.read_bytes(), (PAGE / "vendor" / path.name).read_bytes()
        if path.suffix == ".gz":
            # Another version of zlib may pack it otherwise.
            new, committed = gzip.decompress(new), gzip.decompress(committed)
        assert new == committed, f"{path.name} is not what the sources give: make page"


def test_the_lock_names_no_place():
    lock = (PAGE / "package-lock.json").read_text()
    assert "resolved" not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in packages[name] for name in packages if name)


def test_licences_are_beside_what_is_built():
    licences = (PAGE / "vendor" / "LICENSES.txt").read_text()
    for name, words in (
        ("fft.js", "Copyright Fedor Indutny"),
        ("mediabunny", "Mozilla Public License Version 2.0"),
        ("onnxruntime-web", "Copyright (c) Microsoft Corporation"),
    ):
        assert name in licences
        assert words in licences
