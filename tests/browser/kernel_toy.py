"""A network with random weights that has heard a few sweeps, for the kernel gallery.

Kernel 3 of the second layer is dead. Kernel 1 of the first says what kernel 0 says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from keras import layers

from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus
from songnet_utils.corpora import table as clip_table
from songnet_utils.features.store import LogMelStore
from songnet_utils.kernels import Kernels, Survey, survey, votes
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet, centre

RATE = 22_050
GENRES = ("Folk", "Hip-Hop", "Pop", "Rock")
DEAD = ("conv_2", 3)
TWINS = ("conv_1", 0, 1)
SECONDS = 6.0


def sweep(number: int) -> np.ndarray:
    """Return a tone that rises or falls, with clicks and a little noise: no two alike."""
    time = np.arange(int(RATE * SECONDS)) / RATE
    low, high = 80 * 1.6**number, 8_000 / 1.3**number
    pitch = low * (high / low) ** (time / SECONDS)
    tone = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
    beats = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (1.5 + 0.25 * number) * time))
    hiss = 0.05 * np.random.default_rng(number).normal(size=len(time))
    return (tone * beats + hiss * (1 - beats)).astype(np.float32)


def surveyed(folder: Path, filters: int = 16, clips: int = 5) -> tuple[Survey, pd.DataFrame]:
    """Write the clips where they are not yet; return what they tell of the kernels, and votes."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(clips):
        file = folder / f"s{number}.wav"
        if not file.exists():
            soundfile.write(file, sweep(number), RATE)
        rows.append(
            {
                **{"id": f"s{number}", "file": str(file), "genre": GENRES[number % len(GENRES)]},
                **{"artist": f"Artist {number}", "title": f"<i>Sweep</i> & {number}"},
                **{"licence": "CC BY 4.0", "seconds": SECONDS},
            }
        )
    corpus = Corpus("sweeps", clip_table(rows))
    prepared = LogMelStore(folder / "data").prepare(corpus, progress=False)
    sound = Sound()
    model = songnet(sound, GENRES, filters=filters)
    frames = np.concatenate([prepared.frames(clip) for clip in corpus.clips.id])
    centre(model, frames.mean(axis=0), frames.std(axis=0))
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv1D)]
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    dice = np.random.default_rng(0)
    for norm in norms:
        norm.beta.assign(dice.normal(0, 0.3, filters))
    for variable in (*convolutions[0].weights, *norms[0].weights):
        values = variable.numpy()
        values[..., TWINS[2]] = values[..., TWINS[1]]
        variable.assign(values)
    beta = norms[1].beta.numpy()
    beta[DEAD[1]] = -1_000
    norms[1].beta.assign(beta)
    net = SongNet(model, sound, GENRES, name="Toy")
    kernels = Kernels(net)
    return (
        survey(kernels, prepared, progress=False),
        votes(kernels, prepared, prepared.clips, progress=False),
    )
