"""Open the listening page in your browser: it names the genre of songs and of live sound.

The page is served on this machine only. Press Ctrl-C to stop it.
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
        help="the folder of a run to offer; repeat the option for more (default: the newest run). "
        "The page always offers musicnn and songnet trained on mini, too",
    )


def run(networks: list[str] | None, port: int, no_browser: bool) -> int:
    """Serve the page until Ctrl-C."""
    from songnet_utils.widgets.app import App

    app = App(networks, port=port)
    print(app.address, flush=True)
    note("the page is at this address. Press Ctrl-C to stop it.")
    app.serve(browser=not no_browser)
    note("ended.")
    return 0
