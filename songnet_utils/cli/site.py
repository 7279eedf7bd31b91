"""Build the site, running only the notebooks that changed."""

from __future__ import annotations

from songnet_utils.cli.course import add_arguments as add_arguments


def run() -> int:
    """Build the site."""
    from songnet_utils.lessons.course import course

    course(anew=False)
    return 0
