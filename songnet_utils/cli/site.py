"""Build the site, running only the notebooks that changed."""

from __future__ import annotations

from songnet_utils.cli.course import add_arguments as add_arguments


def run() -> int:
    """Build the site."""
    from songnet_utils.lessons.course import site

    site()
    return 0
