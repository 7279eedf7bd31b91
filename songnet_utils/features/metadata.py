"""What is known of a song besides its sound, as numbers that a model can take in.

The columns come from the table of clips, whatever the corpus. What is missing is said to be
missing: each number is filled with the median of the training clips, and one more column tells
that it was. Encoders are scikit-learn's and are fitted on training clips only.

Not all of it is about music. A column whose value is the same for all songs of an artist and
differs between artists names the artist, whatever its title says: the place they live in, the day
they signed up. Where an artist's other songs were trained on, that gives the genre away; on an
artist split it is worth little. `songnet_utils.evaluation.leakage` measures it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from songnet_utils._utils.errors import SongNetError

#: Numbers, and those of them that count something: of counts, networks are told the logarithm.
NUMBERS = ("year", "listens", "favorites", "duration", "bit_rate")
COUNTS = ("listens", "favorites")
#: Where the artist lives. Corpora call the column by either name.
PLACE = "place"
_PLACES = ("location", "artist_location")
#: Whose song it is.
ARTIST = "artist"

#: All columns of `metadata`, in order.
COLUMNS = (*NUMBERS, PLACE, ARTIST)

#: A place with fewer training clips than this is like any other rare place.
_COMMON = 4

# What a saved encoder may hold besides scikit-learn's estimators and arrays.
_TRUSTED = ["numpy.dtype"]


def metadata(clips: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of clips besides their sound, by clip id.

    Parameters
    ----------
    clips : pandas.DataFrame
        Rows of the table of clips (see `songnet_utils.corpora.table`).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`. Numbers are float64 and NaN where unknown; places and artists an empty text
        where unknown, so that those that are unknown share a name that says no more than that.
    """
    known: dict[str, np.ndarray] = {
        name: clips[name].to_numpy(np.float64, na_value=np.nan) for name in NUMBERS
    }
    place = next((clips[name] for name in _PLACES if name in clips), pd.Series("", clips.index))
    known[PLACE] = place.fillna("").to_numpy(object)
    known[ARTIST] = clips[ARTIST].fillna("").to_numpy(object)
    return pd.DataFrame(known, index=pd.Index(clips.id, name="id"))


def unknown() -> pd.DataFrame:
    """Return the metadata of one song of which nothing is known."""
    empty = {name: [np.nan] for name in NUMBERS} | {PLACE: [""], ARTIST: [""]}
    return pd.DataFrame(empty)


def fit_encoder(known: pd.DataFrame) -> ColumnTransformer:
    """Return an encoder of `metadata`, fitted on that of the training clips.

    Parameters
    ----------
    known : pandas.DataFrame
        What `metadata` returns for the training clips. The artist's name is left out: it can
        only tell what is known of the artist already.

    Returns
    -------
    sklearn.compose.ColumnTransformer
        Of `metadata`, to one row of float64 a clip: numbers with mean 0 and variance 1 over the
        training clips, whether each was missing (where any was), and the places one by one.

    Raises
    ------
    SongNetError
        When nothing is known of any clip.
    """
    if known[[*NUMBERS]].isna().to_numpy().all() and not known[PLACE].any():
        raise SongNetError(
            "the corpus has no metadata: no clip has a year, a duration, a bit rate, listens, "
            "favourites or a place. Train songnet instead, or take a corpus whose table knows "
            "more, such as mini or fma_small."
        )

    # A column that no training clip has is filled with 0.
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numbers = make_pipeline(fill, StandardScaler())
    counts = make_pipeline(FunctionTransformer(np.log1p), fill, StandardScaler())
    # A place that is rare, or that was not trained on, is "infrequent".
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
    """Return `metadata` as the numbers that a network takes, (clips, columns) float32."""
    return np.asarray(encoder.transform(known), np.float32)


def encoder_to_bytes(encoder: ColumnTransformer) -> bytes:
    """Return an encoder in the skops format, which unlike pickle runs nothing when it is read."""
    import skops.io

    return skops.io.dumps(encoder)


def encoder_from_bytes(data: bytes) -> ColumnTransformer:
    """Return what `encoder_to_bytes` was given; anything that is no encoder is a ValueError."""
    import skops.io

    try:
        return skops.io.loads(data, trusted=_TRUSTED)
    except Exception as error:
        raise ValueError(f"the encoder of metadata cannot be read ({error})") from error
