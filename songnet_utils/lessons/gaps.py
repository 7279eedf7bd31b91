"""The lesson with gaps, made from the lesson with solutions.

Each lesson is written once, with its exercises solved, in ``notebooks/solutions``. From it the
notebook that students open, of the same name one folder above, is generated; nobody edits that
one. Cells are told apart by their tags:

- a code cell tagged ``exercise`` solves an exercise and ends with its check, such as
  ``check.steps(seen, sound)``. In the gaps everything before the check is left out, except the
  comments that it begins with; each name that the check takes from it is ``...`` there, and a
  function keeps its first line and its docstring.
- a Markdown cell tagged ``exercise`` asks; it stays.
- a cell tagged ``solution`` explains the solution; it is left out.

All other cells are the same in both, with the same ids. Links are written as they are right in
``notebooks/solutions``, and turned so that they are right in ``notebooks``.
"""

from __future__ import annotations

import ast
import copy
import posixpath
import re
from collections.abc import Iterator
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
    """Write the lessons with gaps of all lessons with solutions.

    Parameters
    ----------
    folder
        The folder of the lessons; those with solutions are in its ``solutions``.

    Returns
    -------
    list of Path
        The files that were not as they are now.

    Raises
    ------
    SongNetError
        When there are no lessons with solutions, or an exercise of one is none.
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
    """Return what the file of the lesson with gaps holds.

    Parameters
    ----------
    source
        The notebook with solutions.

    Raises
    ------
    SongNetError
        When a cell that is tagged as an exercise is none: which, and why.
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
    """Return a copy without the text that explains solutions, with links from one folder above."""
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
    """Return the source of an exercise's cell without what solves it.

    Parameters
    ----------
    source
        Statements, and the check as the last expression.

    Raises
    ------
    SongNetError
        When it does not end with a check, or the check takes nothing that the cell makes.
    """
    try:
        *solving, last = ast.parse(source).body
    except (SyntaxError, ValueError) as error:
        raise SongNetError(f"an exercise is Python that ends with its check ({error})") from error
    if not (isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)):
        raise SongNetError("an exercise ends with its check, such as check.steps(seen, sound)")
    lines = source.splitlines()
    taken = names(last)
    stubs: dict[str, str] = {}
    for statement in solving:
        if isinstance(statement, ast.FunctionDef) and statement.name in taken:
            stubs[statement.name] = f"{_head(statement, lines)}\n    ...\n\n"
        for name in bound(statement):
            if name in taken:
                stubs.setdefault(name, f"{name} = ...")
    if not stubs:
        raise SongNetError("an exercise's check takes nothing of what the cell makes")
    comments = []
    for line in lines:
        if not line.startswith("#"):
            break
        comments.append(line)
    check = "\n".join(lines[last.lineno - 1 :])
    return "\n".join([*comments, *stubs.values(), check])


def names(node: ast.AST) -> set[str]:
    """Return the names that are read in a piece of Python."""
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    }


def bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement gives a value to, outside of its own scopes, in order."""
    return list(dict.fromkeys(_bound(statement)))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).split(".")[0]
    elif not isinstance(
        node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ):
        for inner in ast.iter_child_nodes(node):
            yield from _bound(inner)


def _head(function: ast.FunctionDef, lines: list[str]) -> str:
    """Return the lines of a function up to the end of its docstring."""
    first = function.body[0]
    if ast.get_docstring(function) is None:
        raise SongNetError(f"{function.name} has no docstring that says what it returns")
    return "\n".join(lines[function.lineno - 1 : first.end_lineno])
