"""Open the page that listens: songs and the microphone, heard in your browser.

It listens on this machine only. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse

from songnet_utils.cli.messages import note
from songnet_utils.cli.options import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--port", type=whole(0, 65_535), default=8765, help="8765; 0: any free one")
    parser.add_argument("--no-browser", action="store_true", help="only print the page's address")
    parser.add_argument(
        "--run",
        action="append",
        dest="networks",
        help="the folder of a run to listen with, several times for several (default: the newest); "
        "songnet trained on mini and musicnn are always there",
    )


def run(networks: list[str] | None, port: int, no_browser: bool) -> int:
    """Serve the page until Ctrl-C."""
    from songnet_utils.widgets.app import App

    app = App(networks, port=port)
    print(app.address, flush=True)
    note("the page is at this address. Ctrl-C ends it.")
    app.serve(browser=not no_browser)
    note("ended.")
    return 0
