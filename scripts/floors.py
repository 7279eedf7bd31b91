"""Print which module imports which, floor by floor, as the import contract in pyproject sees it.

An arrow that does not point to a lower floor (or to a neighbour that may be known) is marked; the
contract itself is checked by ``lint-imports`` in ``make lint``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import grimp

PACKAGE = "songnet_utils"
ROOT = Path(__file__).resolve().parents[1]


def floors() -> list[list[str]]:
    """Return the names of the modules on each floor, highest floor first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [re.findall(r"\w+", layer) for layer in layers]


def imports() -> dict[str, set[str]]:
    """Return, for each top-level module of the package, the others that it imports."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=False)
    found: dict[str, set[str]] = {}
    for module in graph.modules - {PACKAGE}:
        name = module.split(".")[1]
        below = found.setdefault(name, set())
        for imported in graph.find_modules_directly_imported_by(module):
            parts = imported.split(".")
            if len(parts) > 1 and parts[1] != name:
                below.add(parts[1])
    return found


def main() -> None:
    """Draw the floors."""
    house = floors()
    edges = imports()
    floor_of = {name: len(house) - 1 - i for i, floor in enumerate(house) for name in floor}
    for i, floor in enumerate(house):
        height = len(house) - 1 - i
        here = sorted(set(floor) & set(edges))
        for name in here:
            targets = sorted(edges[name], key=lambda other: (-floor_of.get(other, -1), other))
            drawn = [
                f"{other}{' (UP!)' if floor_of.get(other, 99) > height else ''}"
                for other in targets
            ]
            print(f"{height}  {name:<12} → {', '.join(drawn) or '·'}")
        if here:
            print("─" * 72)


if __name__ == "__main__":
    main()
