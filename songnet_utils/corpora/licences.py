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

import numpy as np
import pandas as pd

#: The families, from the one that allows most to those of which nothing is known.
FAMILIES = (
    *("CC0 or public domain", "CC BY", "CC BY-SA", "CC BY-ND"),
    *("CC BY-NC", "CC BY-NC-SA", "CC BY-NC-ND", "other", "unknown"),
)


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
    found = counts.reindex([family for family in FAMILIES if family in counts]).to_frame("clips")
    family = found.index.str
    found["commercial use"] = np.where(family.contains("NC"), "no", "yes")
    found["changed versions"] = np.where(family.contains("ND"), "no", "yes")
    found["same licence"] = np.where(family.contains("SA"), "yes", "no")
    # Where nothing may be changed there is nothing to license.
    found.loc[family.contains("ND"), "same licence"] = "–"
    found.loc[found.index.isin(("other", "unknown")), found.columns[1:]] = "read it"
    return found.rename_axis("licence")
