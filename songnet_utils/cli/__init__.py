"""The commands: parse, call, print.

``songnet …`` and ``python -m songnet_utils.cli …`` are the same. Each command is a module: its
docstring is the command's help, `add_arguments` names its options, and `run` takes these, calls
what does the work, prints what comes back and returns the exit code. Answers go to stdout,
everything else (progress, notes, errors) to stderr. The exit code is 0 only when the command did
all that it was asked for. A command imports what it needs when it runs, so that ``--help`` appears
at once.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
import warnings
from collections.abc import Sequence

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
        # Once each, whatever reads the same file again.
        warnings.simplefilter("default", SongNetWarning)
        warnings.showwarning = show_warning
        code, message = _run(arguments)
        if message:
            # Printed only now: with the exception the progress bars of its loops are gone.
            note(message)
        return code


def _run(arguments: Sequence[str] | None) -> tuple[int, str]:
    """Run a command; return its exit code, and what to say if it ended early."""
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
        return STOPPED, "stopped. The same command goes on where it was."
    except OSError as error:
        if error.filename is not None:
            return FAILED, f"{error.filename}: {error.strerror}"
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EBADF):
            raise
        # Python tries to print the rest once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        lost = f"standard output: cannot be printed to ({error.strerror})."
        # When the reader of our answers (head, less) has gone, there is nobody to tell.
        return FAILED, "" if error.errno == errno.EPIPE else lost


def _parser() -> Parser:
    parser = Parser(
        prog="songnet",
        description="Music genre recognition, from clips to a network that listens.",
        epilog="Corpora, features and runs are kept in ./data, or where $SONGNET_DATA says.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for name in COMMANDS:
        command = importlib.import_module(f"{__name__}.{name}")
        summary, _, epilog = (command.__doc__ or "").partition("\n\n")
        added = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser
