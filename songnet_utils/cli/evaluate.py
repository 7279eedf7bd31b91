"""Report on a finished run: results per genre, calibration, and how soon it is right.

A baseline's report has only the genres, because the rest needs probabilities over time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from songnet_utils.cli.messages import FAILED, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument("--corpus", help="the run's corpus, if it has moved")


def run(run_folder: Path, corpus: str | None) -> int:
    """Print the report."""
    from songnet_utils.evaluation.report import evaluate

    report = evaluate(run_folder, corpus)
    print(report.as_text())
    if report.refused:
        note(report.refused)
        return FAILED
    return 0
