"""Run the notebooks in order and leave their site.

They are about mini, or about the corpus that $SONGNET_CORPUS names.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name no options: there are none."""


def run() -> int:
    """Run every notebook and build the site."""
    from songnet_utils.lessons.course import course

    course()
    return 0
