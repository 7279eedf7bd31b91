"""Invented names of artists, albums and pieces (real ones are coincidences), and real places."""

from __future__ import annotations

import importlib.resources
import tomllib

from songnet_utils.corpora.mini.dice import Dice

_WORDS = tomllib.loads(
    (importlib.resources.files(__package__) / "names.toml").read_text(encoding="utf-8")
)
PLACES: list[str] = _WORDS["places"]


def artist_name(dice: Dice) -> str:
    """Make up a name for an artist, who may be a person or a band."""
    kind = dice.weigh({"person": 4, "band": 3, "the band": 3, "and": 1})
    if kind == "person":
        return f"{dice.pick(_WORDS['first'])} {dice.pick(_WORDS['last'])}"
    if kind == "and":
        return f"{dice.pick(_WORDS['first'])} & the {dice.pick(_WORDS['nouns'])}"
    return (
        "The " if kind == "the band" else ""
    ) + f"{dice.pick(_WORDS['adjectives'])} {dice.pick(_WORDS['nouns'])}"


def artist_names(seed: int, how_many: int) -> list[str]:
    """Make up names, all of them different."""
    taken: dict[str, None] = {}
    dice = Dice("mini", seed, "names")
    while len(taken) < how_many:
        taken[artist_name(dice)] = None
    return list(taken)


def title(dice: Dice) -> str:
    """Make up a title for a piece or an album."""
    kind = dice.weigh({"two": 4, "verb": 3, "one": 2, "of": 2, "no": 1})
    thing = dice.pick(_WORDS["things"])
    if kind == "two":
        return f"{dice.pick(_WORDS['adjectives'])} {thing}"
    if kind == "verb":
        return f"{dice.pick(_WORDS['verbs'])} the {thing}"
    if kind == "of":
        return f"{thing} of {dice.pick(_WORDS['nouns'])}"
    if kind == "no":
        return f"{thing} No. {dice.whole(2, 9)}"
    return thing
