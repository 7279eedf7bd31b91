"""List the corpora with their sizes and licences, and say which are on disk; or describe one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from songnet_utils._utils.errors import SongNetError
from songnet_utils.cli.options import add_corpus

if TYPE_CHECKING:
    from songnet_utils.corpora import Corpus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    add_corpus(parser, nargs="?")
    parser.add_argument("--credits", action="store_true", help="print only each clip's credit line")


def run(corpus: str | None, credits: bool) -> int:
    """List the corpora, or describe one."""
    from songnet_utils._utils.files import size_text
    from songnet_utils.corpora import credit, list_corpora, open_corpus

    if corpus is not None:
        opened = open_corpus(corpus)
        if not credits:
            return _describe(opened)
        for clip in opened.clips.itertuples():
            print(f"{clip.id}\t{credit(clip, opened.name)}")
        return 0
    if credits:
        raise SongNetError("--credits needs a corpus: songnet corpora CORPUS --credits")
    for row in list_corpora().itertuples():
        absent = "not on disk (size of the download)" if row.bytes else "not on disk"
        where = f"{row.clips:,} clips in {row.folder}" if row.on_disk else absent
        size = size_text(row.bytes) if row.bytes else ""
        print(f"{row.name:11} {size:>12}  {where}")
        for text in (row.description, row.licence, row.citation):
            print(f"{'':11} {'':>12}  {text}")
    return 0


def _describe(corpus: Corpus) -> int:
    """Print a corpus's clips, splits, problems and licences."""
    import pandas as pd

    from songnet_utils.corpora import licence_table
    from songnet_utils.corpora.splits import SETS, artist_overlap, copies_in_two_sets, every_split

    clips = corpus.clips
    print(f"{corpus.name}: {corpus.description}")
    print(f"{len(clips):,} clips of {clips.artist.nunique():,} known artists")
    counts = clips.groupby("genre").artist.agg(clips="size", artists="nunique")
    print(f"\nclips and artists per genre\n{counts.rename_axis(None).to_string()}")
    sets, reasons = every_split(clips)
    for kind, subset in sets.items():
        dealt = clips.loc[subset.index]
        copies = copies_in_two_sets(dealt, subset)
        overlap = f"artists in two sets: {artist_overlap(dealt, subset):,}"
        overlap += f"; copies in two sets: {copies:,}" if copies else ""
        print(f"\n{kind} split, seed 0: clips per genre; {overlap}")
        table = pd.crosstab(dealt.genre, subset)[list(SETS)]
        table.loc["all"] = table.sum()
        print(table.rename_axis(None).rename_axis(None, axis=1).to_string())
        for genre in set(corpus.genres) - set(table.index):
            print(f"{genre} is too small for this split and is left out")
    for kind, reason in reasons.items():
        print(f"\n{kind} split: {reason}")
    licences = licence_table(clips.licence).rename_axis(None).to_string()
    print(f"\nlicences of the clips\n{licences}")
    for reason, number in corpus.unusable.reason.value_counts().items():
        print(f"\n{number:,} cannot be used: {reason}")
    for text in corpus.notes:
        print(f"\n{text}")
    print(f"\nLicence:  {corpus.licence}")
    print(f"Citation: {corpus.citation or 'none required'}")
    return 0
