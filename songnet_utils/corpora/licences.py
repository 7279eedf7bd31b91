"""The permissions of clips' licences, in any spelling.

FMA writes licences in many ways: as Creative Commons' names in all versions and countries, as
addresses, as in an MP3's tag. Each belongs to one of a few families, and two questions matter most:
does the family allow commercial use, and does it allow changed versions? Every family but CC0
requires that you name the author. A family is a summary; the licence itself is what counts.

References
----------
Creative Commons: About CC Licenses. https://creativecommons.org/share-your-work/cclicenses/
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

#: The families, from the most permissive to the unknown ones.
FAMILIES = (
    *("CC0 or public domain", "CC BY", "CC BY-SA", "CC BY-ND"),
    *("CC BY-NC", "CC BY-NC-SA", "CC BY-NC-ND", "other", "unknown"),
)


def licence_family(licence: object) -> str:
    """Return the family of a licence, one of `FAMILIES`.

    Parameters
    ----------
    licence
        Its name or address, in any words; missing values are "unknown".

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
    """Return the number of clips and the permissions of each family of licences.

    Parameters
    ----------
    licences
        The column ``licence`` of a table of clips.

    Returns
    -------
    pandas.DataFrame
        By family, in the order of `FAMILIES`, without empty ones: ``clips``;
        ``commercial use``, ``changed versions`` and ``same licence`` (required for changed
        versions): "yes", "no" or "read it".
    """
    counts = licences.map(licence_family, na_action=None).value_counts()
    found = counts.reindex([family for family in FAMILIES if family in counts]).to_frame("clips")
    family = found.index.str
    found["commercial use"] = np.where(family.contains("NC"), "no", "yes")
    found["changed versions"] = np.where(family.contains("ND"), "no", "yes")
    found["same licence"] = np.where(family.contains("SA"), "yes", "no")
    # If changed versions are not allowed, the question of their licence does not arise.
    found.loc[family.contains("ND"), "same licence"] = "–"
    found.loc[found.index.isin(("other", "unknown")), found.columns[1:]] = "read it"
    return found.rename_axis("licence")
