"""Clips that are told apart by their pitch, and what a toy makes of them, for the error cards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from toy import Toy

from songnet_utils.corpora import Corpus
from songnet_utils.corpora import table as clip_table
from songnet_utils.evaluation.error_analysis import ErrorAnalysis, analyse
from songnet_utils.features.store import LogMelStore

RATE = 22_050

# id, genre, subset, hertz. The toy answers by pitch alone, so its answers need not be known here.
TUNES = [
    *(("t1", "Folk", "train", 300), ("t2", "Rock", "train", 1000), ("t3", "Pop", "train", 3000)),
    *(("t4", "Pop", "train", 6000), ("x1", "Folk", "test", 320), ("x2", "Rock", "test", 950)),
    *(("x3", "Pop", "test", 2800), ("x4", "Folk", "test", 6500), ("x5", "Rock", "test", 500)),
]


def analysed(folder: Path) -> ErrorAnalysis:
    """Write the clips where they are not yet, and analyse what a network says of them."""
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, (clip, genre, _, hertz) in enumerate(TUNES):
        file = folder / f"{clip}.wav"
        if not file.exists():
            seconds = np.arange(6 * RATE) / RATE
            # Softer from the fourth second on: answers change on the way.
            tone = np.where(seconds < 4, 1, 0.3) * np.sin(2 * np.pi * hertz * seconds)
            soundfile.write(file, 0.4 * tone, RATE)
        rows.append(
            {
                **{"id": clip, "file": str(file), "genre": genre, "seconds": 6.0},
                **{"artist": f"Artist {number}", "title": f"<i>Tune</i> & {clip}"},
                **{"licence": "CC BY 4.0", "genres": [genre, "Tones"]},
            }
        )
    clips = clip_table(rows)
    prepared = LogMelStore(folder / "data").prepare(Corpus("tunes", clips), progress=False)
    sets = pd.Series([subset for _, _, subset, _ in TUNES], clips.index)
    return analyse(Toy(), prepared, prepared.clips, sets, progress=False)


def sure_answers(clips: int = 60, seed: int = 0) -> pd.DataFrame:
    """Return answers that are surer than they are right, each artist with three clips."""
    genres = ["Folk", "Pop", "Rock"]
    random = np.random.default_rng(seed)
    sets = []
    for subset in ("validation", "test"):
        truth = random.integers(0, 3, clips)
        logits = random.normal(size=(clips, 3)) + 1.2 * np.eye(3)[truth]
        given = np.exp(3 * logits)
        given /= given.sum(axis=1, keepdims=True)
        table = pd.DataFrame(given, columns=[f"p_{genre}" for genre in genres])
        table["id"] = [f"{subset}{clip}" for clip in range(clips)]
        table["artist"] = [f"{subset} artist {clip // 3}" for clip in range(clips)]
        table["set"] = subset
        table["genre"] = [genres[place] for place in truth]
        table["answer"] = [genres[place] for place in given.argmax(axis=1)]
        sets.append(table)
    return pd.concat(sets, ignore_index=True)
