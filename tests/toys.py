"""Corpora small enough to train on in a test."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus

RATE = 22_050


@dataclasses.dataclass
class Frames:
    """A prepared corpus whose frames are given."""

    corpus: Corpus
    of: dict[str, np.ndarray]
    sound: Sound = dataclasses.field(default_factory=Sound)

    @property
    def clips(self):
        return self.corpus.clips

    def frames(self, clip):
        return self.of[clip]


def tone_corpus(
    folder: Path,
    genres: Sequence[str] = ("High", "Low", "Noise"),
    clips: int = 10,
    seconds: float = 3.0,
    seed: int = 0,
) -> Path:
    """Write a folder GENRE/clip.wav whose genres anybody tells apart; return it."""
    random = np.random.default_rng(seed)
    time = np.arange(int(RATE * seconds)) / RATE
    for genre in genres:
        (folder / genre).mkdir(parents=True)
        for clip in range(clips):
            noise = random.normal(size=len(time))
            if genre == "Noise":
                sound = 0.05 * noise
            else:
                pitch = {"High": 2000, "Low": 200}[genre] * random.uniform(0.7, 1.4)
                sound = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.001 * noise
            soundfile.write(folder / genre / f"{clip:02d}.wav", sound.astype(np.float32), RATE)
    return folder


def toy_record(**entries: Any) -> dict[str, Any]:
    """Return the least that a record has, with some entries of one's own."""
    score = {"clips": 3, "accuracy": 2 / 3, "confidence_interval": [0.2, 0.9]}
    return {
        **{"corpus": "music", "corpus_folder": None, "model": "svm", "split": "random", "seed": 0},
        **{"genres": ["Pop", "Rock"], "left_out": [], "unusable": [], "epochs": []},
        **{"sound": Sound().to_dict(), "versions": {}, "arguments": {}, "network": None},
        **dict.fromkeys(("train", "validation", "test"), score),
        **entries,
    }


def html_of(widget: Any) -> str:
    """Return what a widget shows on a page without a kernel; in JupyterLab it shows itself."""
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    return data["text/html"]
