"""What the licences of clips allow, whatever way their names are written.

FMA's are written in many ways: by Creative Commons' names of all versions and countries, by its
addresses, by what an MP3's tag says. What they come down to is one of a few families, and of each
two things matter most: whether it allows commercial use, and whether it allows changed versions.
Every family but CC0 asks to name the author. A family is a summary; what counts is the licence.

References
----------
Creative Commons: About CC Licenses. https://creativecommons.org/share-your-work/cclicenses/
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pandas as pd


class Terms(NamedTuple):
    """What a family of licences allows; None where one has to read the licence itself."""

    commercial: bool | None
    changes: bool | None
    #: Changed versions only under the same licence.
    alike: bool | None


#: The families, from the one that allows most to those of which nothing is known.
FAMILIES: dict[str, Terms] = {
    "CC0 or public domain": Terms(True, True, False),
    "CC BY": Terms(True, True, False),
    "CC BY-SA": Terms(True, True, True),
    "CC BY-ND": Terms(True, False, False),
    "CC BY-NC": Terms(False, True, False),
    "CC BY-NC-SA": Terms(False, True, True),
    "CC BY-NC-ND": Terms(False, False, False),
    "other": Terms(None, None, None),
    "unknown": Terms(None, None, None),
}


def licence_family(licence: object) -> str:
    """Return which of `FAMILIES` a licence belongs to.

    Parameters
    ----------
    licence
        Its name or address, in whatever words; missing values are "unknown".

    Examples
    --------
    >>> licence_family("Attribution-Noncommercial-No Derivative Works 2.0 UK: England")
    'CC BY-NC-ND'
    >>> licence_family("https://creativecommons.org/licenses/by-sa/3.0/")
    'CC BY-SA'
    """
    text = licence.casefold() if isinstance(licence, str) else ""
    if not text.strip():
        return "unknown"
    if re.search(r"\bcc[ -]?0\b|public ?domain|publicdomain/", text):
        return "CC0 or public domain"
    if address := re.search(r"licenses/(by(?:-nc)?(?:-sa|-nd)?)/", text):
        return f"CC {address[1].upper()}"
    if short := re.search(r"\b(?:cc[ -]by|by(?=-n|-s))((?:[ -]nc)?(?:[ -](?:sa|nd))?)\b", text):
        return f"CC BY{short[1].replace(' ', '-').upper()}"
    words = re.sub(r"[^a-z]", "", text)
    if "sampling" in words:
        return "other"
    # Creative Commons' nickname of BY-NC-ND.
    if "musicsharing" in words:
        return "CC BY-NC-ND"
    if "attribution" not in words:
        return "other"
    family = "CC BY"
    if "noncommercial" in words:
        family += "-NC"
    if "noderiv" in words:
        family += "-ND"
    elif "sharealike" in words:
        family += "-SA"
    return family


def licence_table(licences: pd.Series) -> pd.DataFrame:
    """Return how many clips each family of licences has, and what it allows.

    Parameters
    ----------
    licences
        The column ``licence`` of a table of clips.

    Returns
    -------
    pandas.DataFrame
        By family, in the order of `FAMILIES` and only those that occur: ``clips``;
        ``commercial use``, ``changed versions`` and ``same licence`` (must changed versions
        have): "yes", "no" or "read it".
    """
    counts = licences.map(licence_family, na_action=None).value_counts()
    say = {True: "yes", False: "no", None: "read it"}
    rows = {
        family: (counts[family], *(say[term] for term in terms))
        for family, terms in FAMILIES.items()
        if family in counts
    }
    columns = ["clips", "commercial use", "changed versions", "same licence"]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    # Where nothing may be changed there is nothing to license.
    found.loc[found["changed versions"] == "no", "same licence"] = "–"
    return found.rename_axis("licence")
