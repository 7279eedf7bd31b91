"""Look at one finished run: each genre, how sure it is, and how soon it is right.

Of a baseline only the genres: the rest needs probabilities over time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from songnet_utils.cli.messages import FAILED, note
from songnet_utils.cli.options import add_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_run(parser)
    parser.add_argument("--json", type=Path, help="write all of it to this file, too")


def run(run_folder: Path, corpus: str | None, json: Path | None) -> int:
    """Print the report."""
    from songnet_utils._utils.files import check_writable, write_json
    from songnet_utils.evaluation.report import assess

    if json is not None:
        check_writable(json)
    report = assess(run_folder, corpus)
    print(report.as_text())
    if report.refused:
        note(report.refused)
    if json is not None:
        write_json(json, report.as_dict())
    return FAILED if report.refused else 0
