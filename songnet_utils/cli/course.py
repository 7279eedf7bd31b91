"""Run the notebooks in order and leave their site."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--notebooks", type=Path, help="their folder (default: this project's)")
    parser.add_argument("--out", type=Path, help="the site's folder (default: build/course)")


def run(notebooks: Path | None, out: Path | None) -> int:
    """Run every notebook and build the site."""
    from songnet_utils.lessons.course import course

    course(notebooks, out)
    return 0
