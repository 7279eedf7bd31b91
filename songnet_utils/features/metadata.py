"""A song's metadata as numbers for a model.

The columns come from the table of clips of any corpus. A missing number is replaced by the median
of the training clips, and an extra column marks it as missing. Encoders are scikit-learn's and are
fitted on training clips only.

Not all metadata is about music. A column that is constant for each artist and differs between
artists identifies the artist, whatever its title: the place where they live, the day they signed
up. If the training set has the artist's other songs, such a column gives the genre away; on an
artist split, it is worth little. `songnet_utils.evaluation.leakage` measures this leakage.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from songnet_utils._utils.errors import SongNetError

#: The columns of numbers, and those that count something; networks get the logarithm of counts.
NUMBERS = ("year", "listens", "favorites", "duration", "bit_rate")
COUNTS = ("listens", "favorites")
#: The artist's place. Corpora call the column by either name.
PLACE = "place"
_PLACES = ("location", "artist_location")
#: The artist.
ARTIST = "artist"

#: All columns of `metadata`, in order.
COLUMNS = (*NUMBERS, PLACE, ARTIST)

#: Places with fewer training clips than this count as one rare place.
_COMMON = 4

# The types that a saved encoder may contain besides scikit-learn's estimators and arrays.
_TRUSTED = ["numpy.dtype"]


def metadata(clips: pd.DataFrame) -> pd.DataFrame:
    """Return the metadata of clips, by clip id.

    Parameters
    ----------
    clips : pandas.DataFrame
        Rows of the table of clips (see `songnet_utils.corpora.table`).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. Unknown numbers are NaN (float64); unknown places and artists are empty strings,
        so all unknown ones share one name.
    """
    known: dict[str, np.ndarray] = {
        name: clips[name].to_numpy(np.float64, na_value=np.nan) for name in NUMBERS
    }
    place = next((clips[name] for name in _PLACES if name in clips), pd.Series("", clips.index))
    known[PLACE] = place.fillna("").to_numpy(object)
    known[ARTIST] = clips[ARTIST].fillna("").to_numpy(object)
    return pd.DataFrame(known, index=pd.Index(clips.id, name="id"))


def unknown() -> pd.DataFrame:
    """Return the metadata of one song without any known value."""
    empty = {name: [np.nan] for name in NUMBERS} | {PLACE: [""], ARTIST: [""]}
    return pd.DataFrame(empty)


def fit_encoder(known: pd.DataFrame) -> ColumnTransformer:
    """Return an encoder of `metadata`, fitted on the training clips.

    Parameters
    ----------
    known : pandas.DataFrame
        The `metadata` of the training clips. The encoder ignores the artist's name, which could
        only identify the artist.

    Returns
    -------
    sklearn.compose.ColumnTransformer
        Maps `metadata` to one row of float64 per clip: numbers with mean 0 and variance 1 over the
        training clips, marks of missing numbers (if any were missing), and a column per place.

    Raises
    ------
    SongNetError
        When no clip has any metadata.
    """
    if known[[*NUMBERS]].isna().to_numpy().all() and not known[PLACE].any():
        raise SongNetError(
            "the corpus has no metadata: no clip has a year, a duration, a bit rate, listens, "
            "favourites or a place. Train songnet instead, or choose a corpus with metadata, "
            "such as mini or fma_small."
        )

    # A column without any value in the training clips becomes 0.
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numbers = make_pipeline(fill, StandardScaler())
    counts = make_pipeline(FunctionTransformer(np.log1p), fill, StandardScaler())
    # Rare places, and places outside the training set, are "infrequent".
    places = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=_COMMON, sparse_output=False
    )
    parts = [
        ("numbers", numbers, [name for name in NUMBERS if name not in COUNTS]),
        ("counts", counts, [*COUNTS]),
        ("place", places, [PLACE]),
    ]
    return ColumnTransformer(parts).fit(known)


def encode(encoder: ColumnTransformer, known: pd.DataFrame) -> np.ndarray:
    """Return `metadata` as numbers for a network, (clips, columns) float32."""
    return np.asarray(encoder.transform(known), np.float32)


def encoder_to_bytes(encoder: ColumnTransformer) -> bytes:
    """Return an encoder in the skops format, which, unlike pickle, runs no code when read."""
    import skops.io

    return skops.io.dumps(encoder)


def encoder_from_bytes(data: bytes) -> ColumnTransformer:
    """Return the encoder from `encoder_to_bytes`'s result; raise ValueError for anything else."""
    import skops.io

    try:
        return skops.io.loads(data, trusted=_TRUSTED)
    except Exception as error:
        raise ValueError(f"the encoder of metadata cannot be read ({error})") from error
