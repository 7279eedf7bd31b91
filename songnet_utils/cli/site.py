"""Leave the site, and run only notebooks that were changed."""

from __future__ import annotations

from pathlib import Path

from songnet_utils.cli.course import add_arguments as add_arguments


def run(notebooks: Path | None, out: Path | None) -> int:
    """Build the site."""
    from songnet_utils.lessons.course import site

    site(notebooks, out)
    return 0
