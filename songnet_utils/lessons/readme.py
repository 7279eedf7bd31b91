"""What README says of results: read from the records that are kept with the course."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

from songnet_utils import plots
from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.records import Record, read_course_record
from songnet_utils.lessons.syllabus import as_markdown

#: Which models of the records are shown, and what they are.
SHOWN = {
    "chance": "guessing, each genre as often as in training",
    "svm": "a baseline of the paper: SVM on MFCCs",
    "lr-518": "logistic regression on 518 statistics",
    "songnet": "the paper's network",
    "songnet-lstm": "its first try, with an LSTM",
    "crnn-2d": "what it builds on: Choi et al. 2016",
    "songnet-plus": "ours, from scratch",
    "songnet-transfer": "a last layer on a pretrained network",
}

#: Where the picture is, as README finds it.
PICTURE = "docs/_static/results.png"

BEGIN, END = "<!-- results: make readme -->", "<!-- end of results -->"


def picture(folder: Path | None = None) -> plots.Picture:
    """Return a picture of the results on mini.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Where the records are kept; with the lessons by default.

    """
    record = read_course_record("all-models", folder)
    rows = [record.result(model) for model in SHOWN]
    title = f"On {record.content['corpus']}, artists that no model has heard"
    return plots.show(plots.results(rows, title=title))


def section(folder: Path | None = None) -> str:
    """Return the picture and the table of results in Markdown, with their marks.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Where the records are kept; with the lessons by default.
    """
    composed, real = (read_course_record(name, folder) for name in ("all-models", "real-music"))
    clips, songs = _songs(composed), _songs(real)
    heard = {result["model"] for result in real.results}
    table = as_markdown(
        ["model", "what it is", f"mini, {clips} clips", f"real, {songs} songs"],
        [
            [f"`{model}`", what, _cell(composed, model), _cell(real, model, model in heard)]
            for model, what in SHOWN.items()
        ],
    )
    one = real.result("chance")
    genres = real.content["command"].partition("--genres ")[2].split()[0].replace(",", ", ")
    return "\n\n".join(
        [
            BEGIN,
            f"![{picture(folder).alt}]({PICTURE})",
            table,
            "Accuracy in per cent and its 95 % interval, on songs by artists whom the model has "
            "not heard (artist split). `mini` is composed by rules, for teaching. The real songs "
            f"are a small folder of the Free Music Archive, by few artists ({genres}), in "
            f"{one['folds']} folds with {one['seeds']} seeds. The intervals are wide: of the pairs "
            f"of models in the table, {_not_told_apart(composed)} cannot be told apart on `mini`, "
            f"and {_not_told_apart(real)} on the real songs.",
            END,
        ]
    )


def with_section(readme: str, folder: Path | None = None) -> str:
    """Return README with the section of results as the records have it.

    Raises
    ------
    SongNetError
        When its marks are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise SongNetError(f"README.md: needs the marks {BEGIN} and {END}, once each, in order.")
    return f"{before}{section(folder)}{after}"


def _songs(record: Record) -> int:
    """Return how many songs were tested: the record counts each of them once a seed."""
    result = record.result("chance")
    return int(result["clips"]) // int(result["seeds"] if result["folds"] else 1)


def _not_told_apart(record: Record) -> str:
    """Say of how many pairs of the models shown the interval of their difference holds 0."""
    heard = [model for model in SHOWN if model in {result["model"] for result in record.results}]
    pairs = list(combinations(heard, 2))
    bounds = [record.difference(*pair)["confidence_interval"] for pair in pairs]
    return f"{sum(low <= 0 <= high for low, high in bounds)} of {len(pairs)}"


def _cell(record: Record, model: str, there: bool = True) -> str:
    if not there:
        return ""
    result: dict[str, Any] = record.result(model)
    low, high = result["confidence_interval"]
    return f"{100 * result['accuracy']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"
