"""Run the notebooks in order and build their site.

They use mini, or the corpus that $SONGNET_CORPUS names.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def run() -> int:
    """Run every notebook and build the site."""
    from songnet_utils.lessons.course import course

    course()
    return 0
