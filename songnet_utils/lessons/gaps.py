"""The lesson with gaps, made from the lesson with solutions.

Each lesson is written once, with its exercises solved, in ``notebooks/solutions``. The notebook
that students open has the same name and is one folder above. It is generated, so nobody edits it.
Cells have tags:

- a code cell tagged ``exercise`` solves an exercise and ends with its check, such as
  ``check.steps(seen, sound)``. The lesson with gaps leaves out everything before the check except
  the comments at the top. Each name that the check takes from the cell becomes ``...``, and a
  function keeps its first line and its docstring.
- a Markdown cell tagged ``exercise`` sets the exercise; it stays.
- a cell tagged ``solution`` explains the solution; it is left out.

All other cells are the same in both, with the same ids. Links are written for
``notebooks/solutions`` and changed to work from ``notebooks``.
"""

from __future__ import annotations

import ast
import copy
import itertools
import posixpath
import re
import symtable
from pathlib import Path
from typing import Any

import nbformat

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import atomic_write
from songnet_utils.lessons.files import SOLUTIONS, find_lessons

#: The tags of cells.
EXERCISE, SOLUTION = "exercise", "solution"

_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def write_gaps(folder: Path) -> list[Path]:
    """Write the lesson with gaps for every lesson with solutions.

    Parameters
    ----------
    folder
        The folder of the lessons; those with solutions are in its ``solutions``.

    Returns
    -------
    list of Path
        The files that have changed.

    Raises
    ------
    SongNetError
        When there are no lessons with solutions, or a cell tagged as an exercise is not one.
    """
    changed = []
    for source in find_lessons(folder):
        target, text = folder / source.name, gaps_of(source)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            with atomic_write(target) as temporary:
                temporary.write_text(text, encoding="utf-8")
            changed.append(target)
    return changed


def gaps_of(source: Path) -> str:
    """Return the content of the file of the lesson with gaps.

    Parameters
    ----------
    source
        The notebook with solutions.

    Raises
    ------
    SongNetError
        When a cell tagged as an exercise is not one; the message says which cell, and why.
    """
    made = without_solutions(nbformat.read(source, as_version=4))
    for cell in made.cells:
        if cell.cell_type == "code" and is_tagged(cell, EXERCISE):
            try:
                cell.source = gap(cell.source)
            except SongNetError as error:
                raise SongNetError(f"{source}: cell {cell.id}: {error}") from error
    return f"{nbformat.writes(made)}\n"


def without_solutions(notebook: Any) -> Any:
    """Return a copy without the text on solutions, with links that work from one folder above."""
    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if not is_tagged(cell, SOLUTION)]
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = _LINK.sub(
                lambda link: f"]({posixpath.normpath(posixpath.join(SOLUTIONS, link[1]))}",
                cell.source,
            )
    return made


def is_tagged(cell: Any, tag: str) -> bool:
    """Return whether a cell of a notebook has a tag."""
    return tag in cell.metadata.get("tags", [])


def gap(source: str) -> str:
    """Return the source of an exercise's cell without the solution.

    Parameters
    ----------
    source
        Statements, and the check as the last expression.

    Raises
    ------
    SongNetError
        When it does not end with a check, or the check uses no name that the cell defines.
    """
    try:
        *solving, last = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise SongNetError(f"an exercise is Python that ends with its check ({error})") from error
    if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)):
        raise SongNetError("an exercise ends with its check, such as check.steps(seen, sound)")
    lines = source.splitlines()
    taken = names(last)
    functions = [one for one in solving if isinstance(one, ast.FunctionDef) and one.name in taken]
    heads = {function.name: _head(function, lines) for function in functions}
    made = [name for name in bound("\n".join(lines[: last.lineno - 1])) if name in taken]
    if not made:
        raise SongNetError("an exercise's check uses no name that the cell defines")
    comments = itertools.takewhile(lambda line: line.startswith("#"), lines)
    stubs = [f"{heads[name]}\n    ...\n\n" if name in heads else f"{name} = ..." for name in made]
    return "\n".join([*comments, *stubs, *lines[last.lineno - 1 :]])


def names(node: ast.AST) -> set[str]:
    """Return the names that are read in a piece of Python."""
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    }


def bound(source: str) -> list[str]:
    """Return the names that a piece of Python defines at its top level."""
    symbols = symtable.symtable(source, "a cell", "exec").get_symbols()
    return [one.get_name() for one in symbols if one.is_assigned() or one.is_imported()]


def _head(function: ast.FunctionDef, lines: list[str]) -> str:
    """Return the lines of a function up to the end of its docstring."""
    first = function.body[0]
    if ast.get_docstring(function) is None:
        raise SongNetError(f"{function.name} has no docstring that says what it returns")
    return "\n".join(lines[function.lineno - 1 : first.end_lineno])
