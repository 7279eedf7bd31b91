"""Checks of lesson 3, the baselines: scaling, digits, intervals, and what a name is worth."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from songnet_utils.corpora.splits import artists, folds
from songnet_utils.evaluation.compare import PAPER
from songnet_utils.lessons.checks.questions import (
    Function,
    Mistake,
    Number,
    Numbers,
    Question,
    exercise,
)
from songnet_utils.metrics.accuracy import right_answers, wilson_interval


@exercise
def share_of_distance(features: pd.DataFrame, number: str) -> Question:
    """Ask what share of a squared distance between clips is due to one coefficient.

    Parameters
    ----------
    features : pandas.DataFrame
        The statistics, unscaled, a row a clip.
    number : str
        The coefficient's number, such as ``"01"``, as in the last level of the columns.
    """
    variance = features.var()
    its = variance.index.get_level_values(-1) == number
    spread = np.sqrt(variance)
    return Number(
        truth=variance[its].sum() / variance.sum(),
        share=True,
        tolerance=0.005,
        mistakes=[
            Mistake(
                its.mean(),
                "That is their share of the columns. It would be their share of the distance if "
                "all columns were scaled; these are not.",
            ),
            Mistake(
                spread[its].sum() / spread.sum(),
                "You have added up standard deviations. A distance adds up *squares*, so that "
                "what is wide weighs even more.",
            ),
            Mistake(
                variance[its].max() / variance.sum(),
                "That is the widest of its columns alone. It has one for each statistic.",
            ),
            Mistake(
                features.abs().mean()[its].sum() / features.abs().mean().sum(),
                "That goes by how large the values are. Two clips with the same large value are "
                "no distance apart: what counts is how much they differ.",
            ),
        ],
        praise=f"These are {its.sum()} of {len(its)} columns. What the others say is heard beside "
        "them only faintly, until all are scaled.",
        hint="The squared distance of two clips is a sum over columns, and on average each adds "
        "twice its variance. So: the variances of these columns, by the sum of all.",
    )


@exercise
def scaled() -> Question:
    """Ask to scale test clips as training clips are scaled: a function of two tables."""
    random = np.random.default_rng(0)
    spread, middle = np.array([100.0, 1.0, 0.1]), np.array([-200.0, 0.0, 3.0])
    train = middle + spread * random.normal(size=(300, 3))
    test = middle + spread * (0.8 + 0.6 * random.normal(size=(40, 3)))
    both = np.concatenate([train, test])
    return Function(
        inputs=[(train, test)],
        truth=lambda train, test: StandardScaler().fit(train).transform(test),
        tolerance=0.02,
        mistakes=[
            Mistake(
                lambda train, test: StandardScaler().fit(test).transform(test),
                "There the test clips are scaled by themselves. Then the same song gives other "
                "numbers beside other songs, and what makes the test set differ is gone.",
            ),
            Mistake(
                lambda train, test: StandardScaler().fit(both).transform(test),
                "There mean and spread are measured on training *and* test clips. It changes "
                "little, and it is still knowledge from the test: a song that comes tomorrow "
                "could not have had a say.",
            ),
            Mistake(
                lambda train, test: StandardScaler().fit(train).transform(train),
                "That returns the training clips, scaled. The test clips are asked for.",
            ),
            Mistake(
                lambda train, test: test - train.mean(axis=0),
                "The means are gone. The widths are still there.",
            ),
            Mistake(
                lambda train, test: (test - train.mean()) / train.std(),
                "There one mean and one spread are taken over the whole table. Each *column* has "
                "its own (`axis=0`).",
            ),
        ],
        praise="A `StandardScaler` in a pipeline does just that, in each fold anew.",
        hint="From each column of the test clips take away the column's mean, and divide by its "
        "standard deviation, both measured on the training clips.",
    )


@exercise
def smallest_size(figure: str) -> Question:
    """Ask how many clips were tested at the least: a whole number.

    Parameters
    ----------
    figure : str
        An accuracy as it was printed, such as ``".6523"``.
    """
    sizes = (size for size in itertools.count(1) if right_answers(figure, size) is not None)
    truth, second = itertools.islice(sizes, 2)
    exact = Fraction(figure)
    return Number(
        truth=truth,
        tolerance=0.1,
        mistakes=[
            Mistake(
                second,
                f"{right_answers(figure, second)} of {second} is printed like this. There is a "
                "smaller number of which that can be said.",
            ),
            Mistake(
                2 * truth,
                f"{right_answers(figure, 2 * truth)} of {2 * truth} is printed like this. There is "
                "a smaller number of which that can be said.",
            ),
            Mistake(
                10 ** len(figure.partition(".")[2]),
                "That takes the digits as they stand. They were rounded: many fractions are "
                "printed like this, some of them of far fewer clips.",
            ),
            Mistake(
                exact.denominator,
                f"That is exactly {exact}. But printed digits were rounded: other fractions come "
                "to the same digits, some of them of far fewer clips.",
            ),
            Mistake(
                right_answers(figure, truth),
                "So many were right. Of how many?",
            ),
        ],
        praise=f"{right_answers(figure, truth)} of {truth}. Such a figure with four digits looks "
        "more exact than it is: see what its interval is.",
        hint="`right_answers(figure, size)` returns None where no whole number of right answers "
        "out of `size` is printed like this. Go through the sizes from 1 on.",
    )


def _interval(figure: str, size: int, confidence: float = 0.95) -> tuple[float, float]:
    correct = right_answers(figure, size)
    return wilson_interval(round(float(figure) * size) if correct is None else correct, size)


@exercise
def interval_of(figure: str, size: int) -> Question:
    """Ask for Wilson's 95 % interval of a printed accuracy: two shares, the lower one first.

    Parameters
    ----------
    figure : str
        The accuracy as it was printed.
    size : int
        How many clips were tested.
    """
    low, high = _interval(figure, size)
    right = right_answers(figure, size)
    narrow = wilson_interval(right or round(float(figure) * size), size, confidence=0.68)
    other = PAPER["songnet"]
    fifth = next(n for n in (1599, 800) if right_answers(other, n) is not None)
    theirs = _interval(other, fifth)
    apart = theirs[0] > high or theirs[1] < low
    return Numbers(
        truth=(low, high),
        share=True,
        tolerance=0.002,
        mistakes=[
            Mistake((high, low), "These are the bounds. The lower one first, please."),
            Mistake(
                narrow,
                "That is one standard error to each side: such an interval holds the true "
                "accuracy two times in three. For 95 % it is nearly twice as wide.",
            ),
            Mistake(
                (low - float(figure), high - float(figure)),
                "These are the distances from the figure to the bounds. Where do the bounds lie?",
            ),
            Mistake(
                theirs,
                f"That is the interval of the C-RNN's {other}. The SVM's is asked for.",
            ),
        ],
        praise=f"And that of the C-RNN's {other}, of {fifth} clips, is {theirs[0]:.3f} to "
        f"{theirs[1]:.3f}. The two {'do not meet' if apart else 'overlap'}; but an interval only "
        "knows luck. It knows nothing of different clips and different splits.",
        hint="`wilson_interval` asks for the number of right answers and the number of clips. "
        "`right_answers(figure, size)` gives the first of them.",
    )


@exercise
def by_name_on_artists(clips: pd.DataFrame, k: int) -> Question:
    """Ask how right a classifier that knows artists' names is on the artist split: a share.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips.
    k : int
        How many folds.
    """

    def known(kind: str) -> float:
        part, artist = folds(clips, kind, k, seed=0), artists(clips)
        right = 0
        for fold in range(k):
            genre = clips[part != fold].groupby(artist).genre.agg(lambda of: of.mode()[0])
            tested = part == fold
            right += int((artist[tested].map(genre) == clips.genre[tested]).sum())
        return right / len(clips)

    genres = clips.genre.nunique()
    return Number(
        truth=known("artist"),
        share=True,
        tolerance=0.005,
        mistakes=[
            Mistake(
                1 / genres,
                "So often somebody is right who guesses. This classifier does not guess: where it "
                "does not know the artist, it says nothing.",
            ),
            Mistake(
                known("random"),
                "So it is on the random split. What does this classifier know about an artist who "
                "is in no training clip?",
            ),
            Mistake(0.5, "Half of the test clips' artists are known, then. Are they?"),
        ],
        praise=f"No tested artist is in a training clip, so the name says nothing. On the random "
        f"split the same classifier, which hears nothing, is right for {known('random'):.1%}.",
        hint="On the artist split, which of the tested artists are in the training clips?",
    )
