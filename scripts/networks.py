"""Make the networks that come with the project: ``python scripts/networks.py``.

The script trains SongNet on mini, on the artist split with seed 0, like ``songnet train``; it uses
a finished run again. It downloads musicnn as its authors published it (`published_musicnn`). It
writes both as ONNX files, with a README that describes them.
"""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import published_musicnn

from songnet_utils._utils.files import atomic_write, data_folder
from songnet_utils.models.onnx_network import BUILT_IN
from songnet_utils.streaming.network import Network
from songnet_utils.training.runs import RECORD, load_songnet, read_record
from songnet_utils.training.train import train


def main() -> None:
    """Make both networks, and print their README."""
    published = data_folder() / "musicnn"
    published_musicnn.fetch(published)
    run = data_folder() / "runs" / "networks" / "songnet-mini"
    if not (run / RECORD).exists():
        train("mini", split="artist", seed=0, out=run)
    BUILT_IN.mkdir(exist_ok=True)
    shutil.copyfile(run / RECORD, BUILT_IN / "songnet-mini.record.json")
    shutil.copyfile(run / "model.onnx", BUILT_IN / "songnet-mini.onnx")
    with atomic_write(BUILT_IN / "musicnn.onnx") as temporary:
        proto = published_musicnn.onnx_of_musicnn(published_musicnn.variables(published))
        temporary.write_bytes(proto.SerializeToString())
    licence = published_musicnn.licence(published)
    text = readme(load_songnet("songnet-mini"), load_songnet("musicnn"), licence, run)
    with atomic_write(BUILT_IN / "README.md") as temporary:
        temporary.write_text(text, "utf-8")
    print(text)


def readme(songnet: Network, musicnn: Network, licence: str, run: Path) -> str:
    """Return the description of the two networks in Markdown."""
    record = read_record(run)
    test = record["test"]
    low, high = (f"{bound:.1%}" for bound in test["confidence_interval"])
    paragraphs = [
        "# The networks that come with the project",
        "`make networks` writes this folder. Each network is one ONNX file; its metadata hold its "
        "name, its genres, its description of sound and its receptive field.",
        f"## songnet-mini.onnx ({size('songnet-mini.onnx')})",
        f"{songnet.name}, trained by this project on {songnet.training_music}. {songnet.caution}",
        f"Of the test set's {test['clips']} clips it gets {test['accuracy']:.1%} right (95 % "
        f"confidence interval {low} to {high}; {test['artists']} artists, none of them in the "
        "training set). The record of its training is `songnet-mini.record.json`. It has the "
        "licence of this project.",
        f"## musicnn.onnx ({size('musicnn.onnx')})",
        f"{musicnn.name}, trained by its authors on {musicnn.training_music}. {musicnn.caution} "
        "The weights are those of MSD_musicnn in the package musicnn 0.1.0. Seven of its tags are "
        "read as genres by seven numbers that this project took from 122 clips of fma_small "
        "(`CENTRES` in `scripts/published_musicnn.py`).",
        'J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music audio '
        'tagging", ISMIR, 2019, <https://arxiv.org/abs/1909.06654>. It has the ISC licence:',
        *(f"> {line}" for line in licence.split("\n\n")),
    ]
    return "\n\n".join(map(wrapped, paragraphs)) + "\n"


def wrapped(paragraph: str) -> str:
    """Return a paragraph in lines of at most 100 characters."""
    further = "> " if paragraph.startswith("> ") else ""
    return textwrap.fill(
        paragraph, 100, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def size(name: str) -> str:
    """Return the size of a network's file, in words."""
    return f"{(BUILT_IN / name).stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
