"""No code that nobody calls: vulture looks through the package, scripts, tests and lessons."""

from __future__ import annotations

from pathlib import Path

import nbformat
import vulture

ROOT = Path(__file__).resolve().parents[1]

# What others call, or read, by these names.
CALLED_BY_OTHERS = [
    *("__getattr__", "__dir__", "__signature__", "seekable", "pytestmark", "_close_figures"),
    # scikit-learn, ONNX, ONNX Runtime, PyAV, tqdm, ipywidgets, traitlets, Keras
    *("n_features_in_", "ir_version", "intra_op_num_threads", "qscale", "pts", "initial"),
    *("layout", "button_style", "_at_a_stop", "fetcher", "log_severity_level"),
    *("on_train_begin", "on_test_begin", "on_train_batch_end"),
    # argparse, warnings
    *("_check_value", "showwarning"),
    # http.server, html.parser
    *("log_message", "do_HEAD", "protocol_version", "close_connection", "daemon_threads"),
    *("do_POST", "allow_reuse_address", "request_queue_size", "timeout"),
    *("handle_error", "client_address", "handle_starttag"),
    # widgets.messages calls them by the kind of a message.
    "_on_*",
    # pytest calls its hooks, and a fixture by itself where it says so.
    *("pytest_*", "_split_scope", "nothing_chosen", "no_proxy"),
]


def unused(*more: tuple[str, str]) -> list[str]:
    """Return what is not used anywhere, with these sources (a name and Python) added."""
    watch = vulture.Vulture(ignore_names=CALLED_BY_OTHERS)
    watch.scavenge([str(ROOT / folder) for folder in ("songnet_utils", "scripts", "tests")])
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        watch.scan(code, filename=path)
    for name, code in more:
        watch.scan(code, filename=Path(name))
    return [
        f"{item.filename}: {item.typ} {item.name}"
        for item in watch.get_unused_code()
        # A lesson's names are for whoever reads it.
        if Path(item.filename).suffix != ".ipynb"
    ]


def test_everything_is_used():
    assert unused() == []


def test_what_is_not_used_would_be_seen():
    assert unused(("new.py", "def nobody_calls_this(): ...")) == [
        "new.py: function nobody_calls_this"
    ]
