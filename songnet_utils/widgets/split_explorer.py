"""The split explorer: split a corpus in several ways and see which artists are in several sets."""

from __future__ import annotations

import html

import pandas as pd

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import load_audio
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, credit
from songnet_utils.corpora.splits import (
    SETS,
    artist_overlap,
    artists,
    copies_in_two_sets,
    every_split,
    keep_genres,
    split,
)
from songnet_utils.plots import artists_per_set
from songnet_utils.plots.players import Player, excerpt
from songnet_utils.widgets.explorer import Explorer, number, select

# The validation set keeps its share, and the training set gets the rest.
_VALIDATION = 20
_PIECE_SECONDS = 6.0


class SplitExplorer(Explorer):
    """Choose the kind of split, its seed and its test set; see and hear the leakage.

    Parameters
    ----------
    corpus : Corpus
        The corpus to split; the explorer offers only the kinds of split that it allows.

    Attributes
    ----------
    kind, seed, test : ipywidgets.Widget
        The controls; the test set is in percent of the clips.
    sets : pandas.Series
        The subset of each clip, in the genres that are large enough.
    leaked : pandas.Series of bool
        For each test clip, whether its artist has clips in another set, too.

    Raises
    ------
    SongNetError
        When the corpus allows no split.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._clips = corpus.clips
        kinds, reasons = every_split(self._clips)
        if not kinds:
            raise SongNetError(f"{corpus.name}: allows no split: {'; '.join(reasons.values())}")
        self.kind = select("Kind of split", list(kinds), next(iter(kinds)))
        self.seed = number("Seed", 0, 0, 20)
        self.test = number("Test (%)", 10, 5, 40, step=5)
        super().__init__([self.kind, self.seed, self.test])

    def _fit(self) -> None:
        # The official split is fixed.
        self.seed.disabled = self.test.disabled = self.kind.value == "official"

    def _recorded(self) -> list[tuple[str | int, ...]]:
        return [self.kind.options, (0, 1, 2), (10, 20, 40)]

    def _make(self) -> None:
        kind, test = self.kind.value, self.test.value
        fractions = [part / 100 for part in (100 - _VALIDATION - test, _VALIDATION, test)]
        clips = keep_genres(self._clips, kind=kind)[0]
        try:
            self.sets = split(clips, kind, self.seed.value, fractions)
        except SongNetError as error:
            self._show(html.escape(f"This split is not possible: {error}"), [])
            return
        whose = artists(clips)
        tested = self.sets == "test"
        self.leaked = whose[tested].isin(whose[~tested])
        counts = self.sets.value_counts()
        overlap = artist_overlap(clips, self.sets)
        share = float(self.leaked.mean())
        words = (
            f"{', '.join(f'{counts[subset]:,} {subset}' for subset in SETS)} clips. "
            f"{overlap:,} of {whose.nunique():,} artists are in more than one set. Of the "
            f"{len(self.leaked):,} test clips, {int(self.leaked.sum()):,} ({share:.0%}) are by an "
            "artist who has clips in training or validation, too."
        )
        if copies := copies_in_two_sets(clips, self.sets):
            words += f" Clips with copies in another set: {copies:,}."
        ax = artists_per_set(self._clips, {kind: self.sets})
        self._show(words, [ax], self._pair(clips))

    def _pair(self, clips: pd.DataFrame) -> list[Player]:
        """Return a test clip and a training clip by one artist, if there are such clips."""
        trained = clips[self.sets == "train"].dropna(subset="artist")
        tested = clips[self.sets == "test"]
        tested = tested[tested.artist.isin(trained.artist)]
        if tested.empty:
            return []
        test = tested.iloc[0]
        train = trained[trained.artist == test.artist].iloc[0]
        return [_player(test, "Tested"), _player(train, "Training clip by the same artist")]


def _player(clip: pd.Series, subset: str) -> Player:
    rate = Sound().sample_rate
    audio = load_audio(clip.file, rate)
    return Player(excerpt(audio, rate, 0, _PIECE_SECONDS), rate, f"{subset}: {credit(clip)}")
