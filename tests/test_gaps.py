"""The lessons with gaps are made from those with solutions, and nothing of a solution is left."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import nbformat
import pytest

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.files import SOLUTIONS
from songnet_utils.lessons.gaps import EXERCISE, bound, gap, gaps_of, names, write_gaps

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "notebooks"
SOURCES = [
    pytest.param(path, id=path.stem) for path in sorted((LESSONS / SOLUTIONS).glob("*.ipynb"))
]


def text(of: str) -> str:
    return textwrap.dedent(of).strip()


# --- A gap --------------------------------------------------------------------------------------


def test_what_the_check_takes_is_left_open_and_all_else_is_left_out():
    solved = """
        # In frames:
        # (guess before you compute)
        from somewhere import layers  # this is not at the top

        wide = layers(9)
        seen, other = wide.size, 3
        for number in range(3):
            seen += number
        check.wider(seen, sound)
    """
    open_ = """
        # In frames:
        # (guess before you compute)
        seen = ...
        check.wider(seen, sound)
    """
    assert gap(text(solved)) == text(open_)


def test_a_function_keeps_its_head():
    solved = '''
        def shuffled(frames, random=None):
            """Return the frames in another order.

            The same frames.
            """
            helper = 3
            return random.permutation(frames)


        check.shuffled(
            shuffled,  # yours
            net,
        )
    '''
    open_ = '''
        def shuffled(frames, random=None):
            """Return the frames in another order.

            The same frames.
            """
            ...


        check.shuffled(
            shuffled,  # yours
            net,
        )
    '''
    assert gap(text(solved)) == text(open_)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("seen = 3", "ends with its check"),
        ("seen = 3\nseen", "ends with its check"),
        ("seen = 3\ncheck.seen(sound)", "uses no name"),
        ("check.seen(sound)", "uses no name"),
        ("def seen(x):\n    return x\n\n\ncheck.seen(seen)", "seen has no docstring"),
        ("seen = (\ncheck.seen(seen)", "is Python"),
        ("", "is Python|ends with"),
    ],
)
def test_what_is_no_exercise_is_told(source, says):
    with pytest.raises(SongNetError, match=says):
        gap(source or "x =")


def test_names_and_what_is_bound():
    source = "for a, b in f(c):\n    [d for d in e]\n    import g.h as i, j.k\ndef m(x):\n    y = x"
    assert bound(source) == ["a", "b", "i", "j", "m"]
    assert names(ast.parse(source)) >= {"f", "c", "d", "e"}


# --- A notebook ---------------------------------------------------------------------------------


def notebook(*cells: tuple[str, str, str]) -> nbformat.NotebookNode:
    """Return a notebook of cells, each kind, tag and source."""
    made = []
    for number, (kind, tag, source) in enumerate(cells):
        new = getattr(nbformat.v4, f"new_{kind}_cell")
        tags = {"tags": [tag]} if tag else {}
        made.append(new(text(source), id=f"cell-{number}", metadata=tags))
    return nbformat.v4.new_notebook(cells=made)


WHOLE = notebook(
    ("markdown", "", "See [two](../02.ipynb#here), [these](01.ipynb), [x](https://a.b/c), [y](#z)"),
    ("markdown", "exercise", "### Exercise 1\nHow many?"),
    ("code", "exercise", "n = 1 + 1\ncheck.n(n)"),
    ("markdown", "solution", "Because one and one are two."),
    ("code", "", "n_ever = 3"),
)


def test_a_notebook_keeps_everything_but_solutions(tmp_path):
    nbformat.write(WHOLE, tmp_path / "01.ipynb")
    made = nbformat.reads(gaps_of(tmp_path / "01.ipynb"), 4)
    assert [cell.id for cell in made.cells] == ["cell-0", "cell-1", "cell-2", "cell-4"]
    assert made.cells[0].source == (
        "See [two](02.ipynb#here), [these](solutions/01.ipynb), [x](https://a.b/c), [y](#z)"
    )
    assert made.cells[2].source == "n = ...\ncheck.n(n)"
    assert made.cells[3] == WHOLE.cells[4]


def test_gaps_are_written_where_they_differ_and_nowhere_else(tmp_path):
    with pytest.raises(SongNetError, match="has no lessons"):
        write_gaps(tmp_path)
    (tmp_path / SOLUTIONS).mkdir()
    nbformat.write(WHOLE, tmp_path / SOLUTIONS / "01.ipynb")
    assert write_gaps(tmp_path) == [tmp_path / "01.ipynb"]
    assert (tmp_path / "01.ipynb").read_text("utf-8") == gaps_of(tmp_path / SOLUTIONS / "01.ipynb")
    assert write_gaps(tmp_path) == []
    (tmp_path / "01.ipynb").write_text("{}")
    assert write_gaps(tmp_path) == [tmp_path / "01.ipynb"]


def test_a_broken_exercise_is_named(tmp_path):
    broken = notebook(("code", "exercise", "n = 1"))
    nbformat.write(broken, tmp_path / "01.ipynb")
    with pytest.raises(SongNetError, match=r"01\.ipynb: cell cell-0: an exercise ends"):
        gaps_of(tmp_path / "01.ipynb")


# --- The lessons --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_the_lesson_with_gaps_is_what_its_solutions_make_of_it(source):
    made = (LESSONS / source.name).read_text(encoding="utf-8")
    assert made == gaps_of(source), "make gaps"


@pytest.mark.parametrize("source", SOURCES)
def test_what_an_exercise_makes_is_used_nowhere_else(source):
    """So that the lesson with gaps goes on without it, and each exercise stands alone."""
    code = [cell for cell in nbformat.read(source, 4).cells if cell.cell_type == "code"]
    for cell in code:
        if EXERCISE not in cell.metadata.get("tags", []):
            continue
        made = set(bound(cell.source))
        for other in code:
            if other is not cell:
                used = names(ast.parse(other.source))
                assert made & used == set(), (cell.id, other.id)
