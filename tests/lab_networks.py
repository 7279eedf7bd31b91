"""Every network of the lab, full size, with weights that are anything but fresh."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from songnet_utils.audio.sound import Sound
from songnet_utils.features.metadata import encode, fit_encoder, metadata, unknown
from songnet_utils.models.registry import network_kind
from songnet_utils.models.trained import SongNet, centre, set_weights

GENRES = ("Folk", "Pop", "Rock")
SOUND = Sound()


def clips(count: int = 40) -> pd.DataFrame:
    """Return a table of clips with some of what is known of them."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"{number:03d}" for number in range(count)],
            "artist": [f"artist {number // 4}" for number in range(count)],
            "year": pd.array([2000 + number % 9 for number in range(count)], "Int64"),
            "listens": pd.array(random.integers(1, 90_000, count), "Int64"),
            "favorites": pd.array([None, *random.integers(0, 9, count - 1)], "Int64"),
            "duration": random.uniform(60, 600, count),
            "bit_rate": pd.array([320_000] * count, "Int64"),
            "location": ["Oslo", "Lima"] * (count // 2),
        }
    )


def build(name: str) -> SongNet:
    """Return a network of the lab whose weights, and batch norm's, are anything but fresh."""
    kind = network_kind(name)
    encoder = fit_encoder(metadata(clips())) if kind.metadata else None
    columns = {} if encoder is None else {"columns": encode(encoder, unknown()).shape[1]}
    model = kind.build(kind.sound, GENRES, seed=1, **kind.options, **columns)
    if not kind.on_musicnn:
        centre(model, np.full(SOUND.n_mels, -5), np.full(SOUND.n_mels, 3))
    random = np.random.default_rng(1)
    stirred = [
        value * random.uniform(0.8, 1.2, value.shape).astype(value.dtype)
        + (np.float32(0.1) * random.random(value.shape, np.float32) if value.ndim == 1 else 0)
        if value.dtype == np.float32
        else value
        for value in model.get_weights()
    ]
    set_weights(model, stirred)
    return SongNet(model, kind.sound, GENRES, name=kind.title, encoder=encoder)


#: As `build`, once for all tests: for those that leave it as it is.
shared = functools.cache(build)
