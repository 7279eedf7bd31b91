"""Measure how long it takes from ``make lab`` to the first sound of lesson 1, and print it.

JupyterLab starts without a browser; once it answers, a kernel runs the lesson's cells one after
another, as a student would, until a player is there. No music has been made before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from songnet_utils.lessons.files import NOTEBOOKS

_ADDRESS = "http://127.0.0.1:8899"


def wait_for_lab(server: subprocess.Popen[bytes]) -> None:
    """Return when JupyterLab answers."""
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{_ADDRESS}/lab").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError("JupyterLab ended before it answered")


def run_to_first_sound(lesson: Path, environment: dict[str, str]) -> int:
    """Run the cells of a lesson until one leaves a player; return how many have been run."""
    notebook = nbformat.read(lesson, as_version=4)
    client = NotebookClient(notebook, resources={"metadata": {"path": str(lesson.parent)}})
    with client.setup_kernel(env=environment):
        codes = [place for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        for count, place in enumerate(codes, start=1):
            cell = client.execute_cell(notebook.cells[place], place)
            if "<audio" in str(cell.outputs):
                return count
    raise RuntimeError(f"{lesson}: no cell leaves a player")


def main() -> None:
    """Start JupyterLab, run the first lesson to its first sound, and print the seconds."""
    lesson = min(NOTEBOOKS.glob("*.ipynb"))
    jupyter = Path(sys.executable).with_name("jupyter")
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "SONGNET_DATA": data}
        options = ["--allow-root", "--no-browser", "--port=8899", "--ServerApp.port_retries=0"]
        options += ["--IdentityProvider.token=", str(lesson)]
        began = time.monotonic()
        server = subprocess.Popen(
            [str(jupyter), "lab", *options],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_lab(server)
            answered = time.monotonic() - began
            cells = run_to_first_sound(lesson, environment)
            sounded = time.monotonic() - began
        finally:
            server.terminate()
            server.wait()
    print(
        f"make lab: JupyterLab answers after {answered:.1f} s; the first sound of {lesson.stem} "
        f"is there after {sounded:.1f} s (code cells run: {cells})"
    )


if __name__ == "__main__":
    main()
