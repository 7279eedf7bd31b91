"""The commands: parse, call, print.

``songnet …`` and ``python -m songnet_utils.cli …`` are the same. Each command is a module: its
docstring is the command's help, `add_arguments` names its options, and `run` takes them, calls the
package, prints the results and returns the exit code. Answers go to stdout; progress, notes and
errors go to stderr. The exit code is 0 only when the command did everything you asked for.
A command imports what it needs when it runs, so ``--help`` appears at once.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

from songnet_utils import __version__
from songnet_utils._utils.errors import SongNetError, SongNetWarning
from songnet_utils._utils.files import check_working_folder
from songnet_utils.cli.messages import FAILED, STOPPED, note, open_streams, show_warning
from songnet_utils.cli.options import Parser

#: The modules of this package that are commands, in the order of ``songnet --help``.
COMMANDS = ["corpora", "features", "train", "compare", "reproduce", "evaluate", "kernels"]
COMMANDS += ["classify", "app", "fetch", "course", "site"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``songnet`` on the command line; ``sys.argv[1:]`` by default.
    """
    open_streams()
    with warnings.catch_warnings():
        # Print each warning once, even when a file is read several times.
        warnings.simplefilter("default", SongNetWarning)
        warnings.showwarning = show_warning
        code, message = _run(arguments)
        if message:
            # By now the exception has closed the progress bars of the loops it left.
            note(message)
        return code


def _run(arguments: Sequence[str] | None) -> tuple[int, str]:
    """Run a command; return its exit code, and a message if it ended early."""
    try:
        try:
            options = vars(_parser().parse_args(arguments))
            check_working_folder()
            return options.pop("run")(**options), ""
        finally:
            sys.stdout.flush()
    except SongNetError as error:
        return FAILED, str(error)
    except KeyboardInterrupt:
        return STOPPED, "stopped. Run the same command again to continue."
    except OSError as error:
        if error.filename is not None:
            return FAILED, f"{error.filename}: {error.strerror}"
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EBADF):
            raise
        # Python would try to print the rest once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        lost = f"standard output: cannot be printed to ({error.strerror})."
        # If the program that reads our output (head, less) has ended, nobody needs a message.
        return FAILED, "" if error.errno == errno.EPIPE else lost


def _parser() -> Parser:
    parser = Parser(
        prog="songnet",
        description="Music genre recognition, from clips to a network that answers live.",
        epilog="Corpora, features and runs are in ./data, or in the folder $SONGNET_DATA.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name in COMMANDS:
        command = importlib.import_module(f"{__name__}.{name}")
        summary, _, epilog = (command.__doc__ or "").partition("\n\n")
        added = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser
