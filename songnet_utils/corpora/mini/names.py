"""Invented names of artists, albums and pieces (any real bearer is a coincidence), and places."""

from __future__ import annotations

from songnet_utils.corpora.mini.dice import Dice


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Ada Ansel Bea Bram Calla Ciro Dara Dov Edda Emil Fenna Fio Greta Hale Ida Ilan Jora Juno Kaia "
    "Kit Lark Leif Mara Milo Nadia Nils Odile Oren Petra Quill Rana Remy Sable Sol Tamar Tove Uma "
    "Vera Wren Yara Zeno"
)
_LAST = _words(
    "Abernath Bellwether Corvo Dunmore Eastlake Farrow Greyling Hollis Ingram Jessamy Kestrel "
    "Lindqvist Marlow Nightingale Okoro Pellar Quist Rosewater Sandoval Thorne Underhill Vasari "
    "Winterbourne Yarrow Zelenka"
)
_ADJECTIVES = _words(
    "Amber Hollow Quiet Cardboard Velvet Broken Distant Electric Golden Idle Lunar Northern Pale "
    "Restless Salt Silver Slow Southern Static Tidal Tin Wandering Winter Wooden Young Crooked "
    "Glass Copper Second Borrowed"
)
_NOUNS = _words(
    "Antlers Harbour Lanterns Orchard Machines Parade Rivers Shadows Signals Sparrows Stations "
    "Tides Weather Windows Wolves Foxes Gardens Islands Letters Mirrors Mountains Engines Ghosts "
    "Horses Lamps Maps Moths Neighbours Thieves Swimmers"
)
_THINGS = _words(
    "Morning Tuesday River Window Train Lantern Summer Kitchen Satellite Harbour Corner Letter "
    "Ocean Garden Highway Mirror Ladder Shoreline Snow Signal Attic Compass Orchard Balcony Ember "
    "Thunder Postcard Bridge Meadow Engine"
)
_VERBS = _words(
    "Leaving Finding Counting Losing Holding Crossing Following Painting Waiting Calling"
)
PLACES = (
    "Aarhus", "Accra", "Austin", "Barcelona", "Belgrade", "Berlin", "Bogotá", "Brooklyn", "Cardiff",
    "Chicago", "Dakar", "Dublin", "Glasgow", "Helsinki", "Istanbul", "Lisbon", "Lyon", "Melbourne",
    "Montréal", "Nairobi", "Oakland", "Osaka", "Portland", "Reykjavík", "São Paulo", "Tbilisi",
)  # fmt: skip


def artist_name(dice: Dice) -> str:
    """Make up a name for an artist: a person's or a band's."""
    kind = dice.weigh({"person": 4, "band": 3, "the band": 3, "and": 1})
    if kind == "person":
        return f"{dice.pick(_FIRST)} {dice.pick(_LAST)}"
    if kind == "and":
        return f"{dice.pick(_FIRST)} & the {dice.pick(_NOUNS)}"
    return ("The " if kind == "the band" else "") + f"{dice.pick(_ADJECTIVES)} {dice.pick(_NOUNS)}"


def artist_names(seed: int, how_many: int) -> list[str]:
    """Make up different names."""
    taken: dict[str, None] = {}
    dice = Dice("mini", seed, "names")
    while len(taken) < how_many:
        taken[artist_name(dice)] = None
    return list(taken)


def title(dice: Dice) -> str:
    """Make up a title for a piece or an album."""
    kind = dice.weigh({"two": 4, "verb": 3, "one": 2, "of": 2, "no": 1})
    thing = dice.pick(_THINGS)
    if kind == "two":
        return f"{dice.pick(_ADJECTIVES)} {thing}"
    if kind == "verb":
        return f"{dice.pick(_VERBS)} the {thing}"
    if kind == "of":
        return f"{thing} of {dice.pick(_NOUNS)}"
    if kind == "no":
        return f"{thing} No. {dice.whole(2, 9)}"
    return thing
