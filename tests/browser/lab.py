"""A running JupyterLab, and pages of it in a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]

# Sound without a person's gesture, a microphone that is allowed and beeps, and no calls home: tests
# may run where there is no network.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--autoplay-policy=no-user-gesture-required",
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)


def find_chromium() -> str | None:
    """Return where Chromium is; None when Playwright brings its own.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("SONGNET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    with sync_playwright() as playwright:
        if Path(playwright.chromium.executable_path).exists():
            return None
    raise FileNotFoundError("no Chromium (make chromium, or set SONGNET_CHROMIUM)")


@dataclass
class Lab:
    """A running JupyterLab. Pages keep `complaints`: of the console, and of calls elsewhere."""

    address: str
    folder: Path
    browser: Browser

    def open(
        self,
        cells: list[str] | Path,
        *,
        name: str = "test.ipynb",
        width: int = 1280,
        height: int = 900,
        theme: str = "light",
        **context: object,
    ) -> Page:
        """Open a notebook of these cells (or a copy of this notebook) and run all of it."""
        if isinstance(cells, Path):
            shutil.copyfile(cells, self.folder / name)
        else:
            notebook = nbformat.v4.new_notebook()
            notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
            notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
            nbformat.write(notebook, self.folder / name)
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, **context
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.complaints = []
        page.on("console", lambda message: _note(page, message))
        page.on("pageerror", lambda error: page.complaints.append(f"pageerror: {error}"))
        page.on("request", lambda request: self._check(page, request.url))
        page.goto(f"{self.address}/lab/tree/{name}?reset")
        page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.context?.isReady")
        page.evaluate(
            """async (theme) => {
              const app = window.jupyterapp;
              await app.restored;
              await app.shell.currentWidget.sessionContext.ready;
              await app.commands.execute('apputils:change-theme', {theme});
              app.shell.collapseLeft();
            }""",
            "JupyterLab Dark" if theme == "dark" else "JupyterLab Light",
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells'); 0")
        return page

    def _check(self, page: Page, url: str) -> None:
        if not url.startswith((self.address, "blob:", "data:")):
            page.complaints.append(f"asked elsewhere: {url}")


def _note(page: Page, message: ConsoleMessage) -> None:
    if message.type == "error":
        page.complaints.append(f"{message.text} ({message.location.get('url', '')})")


@contextmanager
def running_lab(browser: Browser, data_folder: Path, place: Path) -> Iterator[Lab]:
    """Start a JupyterLab that keeps its files in `place` and finds corpora in `data_folder`."""
    folder, home = place / "lab", place / "home"
    folder.mkdir(parents=True)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "browser")]),
        "SONGNET_DATA": str(data_folder),
    }
    log = (home / "log.txt").open("w")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"),
            *("--ip=127.0.0.1", "--ServerApp.port_retries=0", "--expose-app-in-browser"),
            *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.allow_root=True"),
            *(f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly"),
        ],
        env=environment,
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5).read()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    log.flush()
                    said = (home / "log.txt").read_text()[-2000:]
                    raise RuntimeError(f"JupyterLab did not start:\n{said}") from None
                time.sleep(0.2)
        yield Lab(address, folder, browser)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()
