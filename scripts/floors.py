"""Draw the house: its rooms, floor by floor, and their imports.

The floors come from the import contract in ``pyproject.toml``, the arrows from the imports
(including those for type checking), and the description of a room from the first line of its
docstring. ``lint-imports`` checks the contract itself, in ``make lint``.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from pathlib import Path

import grimp
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

PACKAGE = "songnet_utils"
ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "_static" / "house.svg"

# Okabe and Ito's colours, from sound at the bottom to the command line at the top.
_COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7")


def floors() -> list[list[str]]:
    """Return the names of the rooms on each floor, lowest floor first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [re.findall(r"\w+", layer) for layer in reversed(layers)]


def imports() -> dict[str, set[str]]:
    """Return, for each room of the package, the others that it imports."""
    graph = grimp.build_graph(PACKAGE)
    found: dict[str, set[str]] = {}
    for module in graph.modules - {PACKAGE}:
        room = module.split(".")[1]
        for imported in graph.find_modules_directly_imported_by(module) - {PACKAGE}:
            found.setdefault(room, set()).add(imported.split(".")[1])
    return {room: found.get(room, set()) - {room} for floor in floors() for room in floor}


def purpose(room: str) -> str:
    """Return the first line of a room's docstring, without its full stop."""
    source = (ROOT / PACKAGE / room / "__init__.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0].rstrip(".").replace("`", "")


def _below(room: str, edges: dict[str, set[str]]) -> set[str]:
    """Return all rooms that a room imports, directly or through others."""
    return edges[room].union(*(_below(other, edges) for other in edges[room]))


def draw(house: list[list[str]], edges: dict[str, set[str]]) -> Axes:
    """Return a picture of the house: a row of boxes per floor, and arrows for imports."""
    _, ax = plt.subplots(figsize=(11, 1.15 * len(house)), layout="constrained")
    centres: dict[str, tuple[float, float]] = {}
    for height, rooms in enumerate(house):
        width = 10 / len(rooms)
        for number, room in enumerate(rooms):
            x, y = (number + 0.5) * width, 1.5 * height
            centres[room] = x, y
            box = min(width - 0.5, 4.5)
            colour = _COLOURS[height % len(_COLOURS)]
            ax.add_patch(
                FancyBboxPatch(
                    (x - box / 2, y - 0.35), box, 0.7, boxstyle="round,pad=0.05",
                    facecolor="white", edgecolor=colour, linewidth=2, zorder=2,
                )
            )  # fmt: skip
            ax.text(x, y + 0.16, room, ha="center", va="center", weight="bold", zorder=3)
            said = "\n".join(textwrap.wrap(purpose(room), int(box * 16)))
            ax.text(x, y - 0.14, said, ha="center", va="center", fontsize=7, zorder=3)
        ax.text(-0.4, 1.5 * height, str(height), ha="center", va="center", color="grey")
    for room, others in edges.items():
        # Leave out arrows to rooms that are also imported through others, and to `_utils`, which
        # every room uses.
        through = set().union(*(_below(other, edges) for other in others))
        for other in sorted(others - through - {"_utils"}):
            (x, y), (to_x, to_y) = centres[room], centres[other]
            ax.annotate(
                "", (to_x, to_y + 0.4), (x, y - 0.4), zorder=1,
                arrowprops={
                    "arrowstyle": "->", "color": "grey", "alpha": 0.45,
                    # Around the rooms in between.
                    "connectionstyle": f"arc3,rad={0.08 * (round((y - to_y) / 1.5) - 1)}",
                },
            )  # fmt: skip
    ax.set(xlim=(-0.8, 10.2), ylim=(-0.6, 1.5 * len(house) - 0.8))
    ax.set_axis_off()
    return ax


def main() -> None:
    """Print the arrows, and draw the house for CONTRIBUTING."""
    house, edges = floors(), imports()
    for height, rooms in reversed(list(enumerate(house))):
        for room in rooms:
            print(f"{height}  {room:<11} → {', '.join(sorted(edges[room])) or '·'}")
    # Make the bytes of the picture reproducible.
    with plt.rc_context({"svg.hashsalt": PACKAGE, "svg.fonttype": "none"}):
        draw(house, edges).figure.savefig(PICTURE, metadata={"Date": None, "Creator": None})
    print(f"drawn: {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
