"""Splits into training, validation and test sets, and folds.

A *split* puts every clip in one of three sets, train, validation and test; *folds* put it in one
of k parts, each of which is tested once. There are three kinds:

``random``
    Clips are assigned one by one. An artist's clips may be in several sets, and a network that
    knows the artist's sound has half the answer.
``artist``
    Artists are assigned with all their clips (the "artist filter", Pampalk, Flexer & Widmer
    2005), so no artist is in two sets. A clip by an unknown artist is an artist of its own.
``official``
    The corpus's own split, if it has one.

Copies (clips with the same content) stay together on the random and the artist split, because a
network that was trained on one knows the other by heart. Artists who share a content stay together
on the artist split. The official split is given: `copies_in_two_sets` counts the copies that it
separates.

The first two kinds are stratified: they divide each genre in the same proportions, as nearly as its
clips and artists allow. The same seed gives the same split for any order of the table's rows.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy.sparse

from songnet_utils._utils.errors import SongNetError, check_names, check_seed, did_you_mean
from songnet_utils.corpora.table import OFFICIAL, name_key

SETS = ("train", "validation", "test")
KINDS = ("random", "artist", "official")

#: The name of an unknown artist, before the id of the clip.
UNKNOWN_ARTIST = "unknown artist of "

# With folds: the shares of training and validation in the clips that are not tested.
_UNTESTED = (7 / 8, 1 / 8)

# Without folds: the share of test clips, and the shares of training and validation in the rest.
_TESTED = 0.1
_NOT_TESTED = (7 / 9, 2 / 9)


def split(
    clips: pd.DataFrame,
    kind: str = "random",
    seed: int = 0,
    fractions: Sequence[float] = (0.7, 0.2, 0.1),
) -> pd.Series:
    """Put every clip in one set: train, validation or test.

    Parameters
    ----------
    clips
        The table of clips. A genre that is too small for all sets is an error
        (`keep_genres` leaves such genres out).
    kind : str
        ``random``, ``artist`` or ``official``.
    seed : int
        The seed; the official split needs none.
    fractions : three positive numbers that add up to 1
        The shares of train, validation and test; the official split has its own.

    Returns
    -------
    pandas.Series
        ``"train"``, ``"validation"`` or ``"test"``, with the index of `clips`.
    """
    check_kind(kind)
    check_seed(seed)
    parts = np.asarray(fractions, float)
    if parts.shape != (3,) or not (parts > 0).all() or not np.isclose(parts.sum(), 1):
        raise SongNetError(
            "fractions must be three positive numbers that add up to 1, for train, validation "
            f"and test. Got {tuple(fractions)}"
        )
    if kind == "official":
        sets = clips.split.map(dict(zip(OFFICIAL, SETS, strict=True)))
        if sets.isna().any():
            raise SongNetError(
                f"{int(sets.isna().sum())} of {len(clips)} clips have no official split. "
                "Choose the random or the artist split."
            )
    else:
        part = _deal(clips, groups_of(clips, kind), parts, seed)
        sets = part.map(dict(enumerate(SETS)))
    return _everywhere(clips, sets.astype("str").rename("set"), SETS, kind)


class UntestedError(SongNetError):
    """Some genres have no clip that was not trained on before."""


def split_unseen(clips: pd.DataFrame, kind: str, seed: int, trained_on: pd.DataFrame) -> pd.Series:
    """Put every clip in one set, and keep earlier training clips out of the test set.

    Artists who share a content, with each other or with earlier training clips, count as one,
    whatever their names. An artist with any earlier training clip is never in the test set.

    Parameters
    ----------
    clips : pandas.DataFrame
        The table of clips, with the content of each.
    kind : str
        ``random`` or ``artist``: the test set gets a tenth of each genre's clips (at least one),
        as nearly as earlier training clips and whole artists (or copies) allow. ``official``:
        earlier training clips move from the test set into the training set.
    seed : int
        The seed.
    trained_on : pandas.DataFrame
        ``content`` and ``artist`` (missing if unknown) of the earlier training clips.

    Returns
    -------
    pandas.Series
        As `split` returns it.

    Raises
    ------
    UntestedError
        When a genre has no clip for the test set.
    """
    names = set(trained_on.artist.dropna().map(name_key))
    by_them = clips.artist.map(name_key, na_action="ignore").isin(names)
    together = groups_of(clips, "artist")
    seen = together.isin(together[by_them | clips.content.isin(trained_on.content)])
    if kind == "official":
        sets = split(clips, kind, seed)
        sets = sets.mask((sets == "test") & seen, "train")
    else:
        groups = groups_of(clips, kind)
        tested = groups.isin(_tested(clips, groups, seen, seed))
        sets = _deal_the_rest(clips, tested, kind, _NOT_TESTED, seed)
    if untested := sorted(set(clips.genre) - set(clips.genre[sets == "test"])):
        known = seen.groupby(clips.genre).agg(["sum", "size"]).loc[untested]
        counts = [f"{row.Index} ({row.sum} of {row.size} clips)" for row in known.itertuples()]
        raise UntestedError(
            "no clips are left for the test set, because this network, or one that it started "
            f"from, was trained on them or on others by their artists: {', '.join(counts)}."
        )
    return _everywhere(clips, sets, SETS, kind)


def _deal_the_rest(
    clips: pd.DataFrame, tested: pd.Series, kind: str, fractions: Sequence[float], seed: int
) -> pd.Series:
    """Return every clip's set: deal the clips outside the test set to training and validation."""
    rest = clips[~tested]
    parts = _deal(rest, groups_of(rest, kind), np.array(fractions), seed)
    sets = parts.map(dict(enumerate(SETS))).reindex(clips.index, fill_value="test")
    return sets.astype("str").rename("set")


def _tested(clips: pd.DataFrame, groups: pd.Series, seen: pd.Series, seed: int) -> list[str]:
    """Return the groups of the test set: unseen groups, as many as each genre needs.

    The draw depends on names, so most groups stay in the test set when you add others. The first
    round takes groups that fit; the second takes any group for genres that have none yet.
    A group of each genre stays for training and for validation.
    """
    counts = pd.crosstab(groups, clips.genre)
    total = counts.sum().to_numpy()
    wanted = np.maximum(1, np.rint(_TESTED * total))
    have, left = np.zeros_like(total), (counts > 0).sum().to_numpy()
    unseen = sorted(
        set(groups[~seen]), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()
    )
    chosen: dict[str, None] = {}
    for enough, most in ((wanted, wanted), (np.minimum(1, wanted), total)):
        for name in unseen:
            size = counts.loc[name].to_numpy()
            there = size > 0
            if (
                name not in chosen
                and (have < enough)[there].any()
                and (have + size <= most)[there].all()
                and (left > 2)[there].all()
            ):
                chosen[name] = None
                have, left = have + size, left - there
    return list(chosen)


def folds(clips: pd.DataFrame, kind: str = "random", k: int = 5, seed: int = 0) -> pd.Series:
    """Put every clip in one of `k` parts of equal size, so that each is tested exactly once.

    Parameters are those of `split`; `k` is at least 2.

    Returns
    -------
    pandas.Series
        Whole numbers 0 … k − 1, with the index of `clips`.
    """
    check_kind(kind, KINDS[:2], "folds")
    _check_k(k)
    check_seed(seed)
    part = _deal(clips, groups_of(clips, kind), np.full(k, 1 / k), seed)
    return _everywhere(clips, part.rename("fold"), range(k), kind)


def fold_sets(clips: pd.DataFrame, kind: str, seed: int, k: int) -> list[pd.Series]:
    """Return the train, validation and test sets for each of `k` folds.

    Parameters are those of `split`; every clip is tested in exactly one of `k` ≥ 2 folds.

    Returns
    -------
    list of pandas.Series
        One per fold, as `split` returns them. An eighth of the clips outside the test set is for
        validation, in each genre as nearly as whole artists (or copies) allow: a genre with four
        artists of equal size outside a fold needs one of them, a quarter, for validation.

    Raises
    ------
    SongNetError
        When a genre has too few clips or artists.
    """
    # Each half needs two parts, because the clips outside a fold are for training *and* validation.
    part = folds(clips, kind, 4, seed) // 2 if k == 2 else folds(clips, kind, k, seed)
    dealt = [_deal_the_rest(clips, part == fold, kind, _UNTESTED, seed) for fold in range(k)]
    return [_everywhere(clips, sets, SETS, kind) for sets in dealt]


def keep_genres(
    clips: pd.DataFrame,
    genres: Sequence[str] | str | None = None,
    *,
    kind: str = "random",
    k: int | None = None,
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Keep the genres that are large enough for a split, or for `k` folds.

    Parameters
    ----------
    clips
        The table of clips.
    genres
        The genres to keep, if not all; see `chosen_genres`.
    kind : str
        ``random``, ``artist`` or ``official``: a genre needs a clip (random) or an artist
        (artist) for every set, or clips in every set already (official). Copies count as one
        clip, and artists who share a clip as one artist.
    k
        The number of folds for `folds` or `fold_sets`: a genre needs a clip or an artist for each.
        Two folds need four, because each half serves for training and validation while the other
        is tested.

    Returns
    -------
    clips : pandas.DataFrame
        The rows of the remaining genres, in their order.
    left_out : list of dict
        ``genre`` and ``reason`` of each chosen genre that is too small.

    Raises
    ------
    SongNetError
        When a genre is not in the table, or fewer than two are left.
    """
    if not isinstance(genres, str):
        check_names("genres", genres)
    check_kind(kind, KINDS if k is None else KINDS[:2], "a split" if k is None else "folds")
    there = sorted(clips.genre.unique())
    if genres is not None:
        there = chosen_genres(genres, there)
    if k is not None:
        _check_k(k)
    if kind == "official" and clips.split.isna().all():
        raise SongNetError("the corpus has no official split.")
    needed = len(SETS) if k is None else 4 if k == 2 else k
    places = f"{k} folds" if k else f"{needed} sets ({', '.join(SETS)})"
    shared = "copies" if kind == "random" else "those who share a clip"
    groups = groups_of(clips, kind)
    reasons = {}
    for genre in there:
        of_genre = clips.genre == genre
        have = groups[of_genre].nunique()
        absent = sorted(set(OFFICIAL) - set(clips.split[of_genre].dropna()))
        if kind == "official" and absent:
            reasons[genre] = f"the official split has no {' and no '.join(absent)} clips"
        elif kind != "official" and have < needed:
            what = f"{'clip' if kind == 'random' else 'artist'}{'s' * (have != 1)}"
            reasons[genre] = (
                f"{have} {what} ({shared} count as one), but {places} need at least {needed}"
            )
    kept = [genre for genre in there if genre not in reasons]
    if len(kept) < 2:
        small = "; ".join(f"{genre}: {reason}" for genre, reason in reasons.items())
        raise SongNetError(
            f"{len(kept)} genre{'s' * (len(kept) != 1)} left ({', '.join(kept) or 'none'}), but a "
            f"network needs at least two. Left out: {small or 'none'}. Add genres, or clips "
            "and artists of the small ones, or choose another split or fewer folds."
        )
    left_out = [{"genre": genre, "reason": reason} for genre, reason in reasons.items()]
    return clips[clips.genre.isin(kept)], left_out


def chosen_genres(chosen: Sequence[str] | str, there: Sequence[str]) -> list[str]:
    """Return the chosen genres in the corpus's spelling, sorted.

    Parameters
    ----------
    chosen
        Names; or one text with commas between the names, as on the command line, where a name with
        a comma needs quotation marks.
    there
        The corpus's genres.

    Raises
    ------
    SongNetError
        When there is no such genre; the message suggests the closest one.

    Examples
    --------
    >>> chosen_genres('rock, "Soul, R&B"', ["Pop", "Rock", "Soul, R&B"])
    ['Rock', 'Soul, R&B']
    """
    written = {name_key(genre): genre for genre in there}
    if isinstance(chosen, str):
        chosen = next(csv.reader([chosen], skipinitialspace=True), None) or [""]
    for name in chosen:
        if name_key(name) not in written:
            raise SongNetError(
                f"no clips of the genre {name or 'with an empty name'}."
                f"{did_you_mean(name, there)} Genres here: {', '.join(there)}"
            )
    return sorted({written[name_key(name)] for name in chosen})


def every_split(clips: pd.DataFrame, seed: int = 0) -> tuple[dict[str, pd.Series], dict[str, str]]:
    """Split the clips in every way that the corpus allows.

    Returns
    -------
    sets : dict of str to pandas.Series
        By the kind of split, the result of `split` for the genres that are large enough; the
        index has only their clips.
    reasons : dict of str to str
        By the kind of split, the reason why it is not possible.
    """
    sets, reasons = {}, {}
    for kind in KINDS:
        try:
            sets[kind] = split(keep_genres(clips, kind=kind)[0], kind, seed)
        except SongNetError as error:
            reasons[kind] = str(error)
    return sets, reasons


def artists(clips: pd.DataFrame) -> pd.Series:
    """Return each clip's artist; a clip by an unknown artist is an artist of its own.

    Copies of a clip by an unknown artist are all by the same unknown artist.
    """
    return clips.artist.where(clips.artist.notna(), UNKNOWN_ARTIST + _originals(clips))


def artist_overlap(clips: pd.DataFrame, parts: pd.Series) -> int:
    """Return the number of artists with clips in more than one set (or fold)."""
    return int((parts.groupby(artists(clips)).nunique() > 1).sum())


def copies_in_two_sets(clips: pd.DataFrame, parts: pd.Series) -> int:
    """Return the number of contents with clips in more than one set (or fold)."""
    return int((parts.groupby(clips.content).nunique() > 1).sum())


def _originals(clips: pd.DataFrame) -> pd.Series:
    """Return the id of each clip's first copy, or its own id if it has no copies."""
    copies = clips[clips.content.notna() & clips.content.duplicated(keep=False)]
    first = copies.id.groupby(copies.content).transform("min")
    return first.reindex(clips.index).fillna(clips.id).astype("str")


def groups_of(clips: pd.DataFrame, kind: str) -> pd.Series:
    """Return the groups of clips that stay together, named by the first name in each.

    On the artist split, they are the connected components of artists and their clips' contents.
    """
    originals = _originals(clips)
    if kind != "artist":
        return originals
    artist, names = pd.factorize(artists(clips), sort=True)
    content, contents = pd.factorize(originals)
    nodes = len(names) + len(contents)
    links = scipy.sparse.coo_array(
        (np.ones(len(clips)), (artist, len(names) + content)), shape=(nodes, nodes)
    )
    component = scipy.sparse.csgraph.connected_components(links, directed=False)[1][: len(names)]
    # Names are sorted, so this is the first of each component.
    first = np.unique(component, return_index=True)[1]
    return pd.Series(names[first[component[artist]]], clips.index).astype("str")


def _deal(clips: pd.DataFrame, groups: pd.Series, fractions: np.ndarray, seed: int) -> pd.Series:
    """Assign whole groups to parts so that every genre is divided in nearly the same fractions.

    Groups come in random order, and each draws a part among those with room for all its clips, with
    probabilities proportional to the room, so large artists are not always in the large part. A
    group that fits nowhere goes where most room is left, unless it is too large for that part by
    itself. Then single groups move while this brings the genres' counts closer to the target. The
    distance is the sum of (count − target)² / target over genres and parts, so ten extra clips
    weigh more in a small part than in a large one. A part without any clip of a genre outweighs
    everything else.
    """
    # Sort the groups, so that the order of the rows does not matter.
    counts = pd.crosstab(groups, clips.genre).sort_index().sort_index(axis=1)
    sizes = counts.to_numpy(float)
    wanted = np.outer(fractions, sizes.sum(axis=0))
    generator = np.random.default_rng(seed)
    empty = 10 * sizes.sum() ** 2
    have = np.zeros_like(wanted)
    part = np.empty(len(sizes), int)
    for group in generator.permutation(len(sizes)):
        size = sizes[group]
        room = wanted - have
        # A part has room for a clip if it wants at least 0.9 of one.
        fits = (room - size > -0.1)[:, size > 0].all(axis=1)
        chances = np.where(fits, (room @ size).clip(min=0), 0).cumsum()
        if chances[-1] > 0:
            part[group] = np.searchsorted(chances, generator.random() * chances[-1], "right")
        else:
            too_large = (size > wanted).any(axis=1)
            room_left = np.where(too_large & ~too_large.all(), -np.inf, (room / wanted) @ size)
            part[group] = np.argmax(room_left)
        have[part[group]] += size
    everyone = np.arange(len(sizes))
    # Each move lowers a sum that is bounded below; the limit only guards against rounding.
    for _ in range(10 * len(sizes)):
        weight = 1 / wanted
        gap = (have - wanted) * weight
        squares = sizes**2 @ weight.T
        arriving = 2 * sizes @ gap.T + squares
        arriving -= empty * ((sizes > 0).astype(float) @ (have == 0).T.astype(float))
        leaving = (squares - 2 * sizes @ gap.T)[everyone, part]
        leaving += empty * ((sizes > 0) & (have[part] == sizes)).sum(axis=1)
        change = arriving + leaving[:, None]
        change[everyone, part] = 0
        group, target = np.unravel_index(np.argmin(change), change.shape)
        if change[group, target] > -1e-9:
            break
        have[part[group]] -= sizes[group]
        have[target] += sizes[group]
        part[group] = target
    return groups.map(pd.Series(part, index=counts.index)).astype("int64")


def check_kind(kind: str, kinds: Sequence[str] = KINDS, what: str = "a split") -> None:
    """Raise SongNetError unless `kind` is one of `kinds`."""
    if kind not in kinds:
        known = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
        raise SongNetError(f"{what} must be {known}. Got {kind!r}.{did_you_mean(str(kind), kinds)}")


def _check_k(k: int) -> None:
    if isinstance(k, bool) or not isinstance(k, int) or k < 2:
        raise SongNetError(f"folds must be a whole number of at least 2. Got {k!r}")


def _everywhere(
    clips: pd.DataFrame, parts: pd.Series, names: Sequence[str | int], kind: str
) -> pd.Series:
    """Return the clips' parts; raise SongNetError if a genre is not in all of them."""
    found = pd.crosstab(clips.genre, parts).reindex(columns=list(names), fill_value=0)
    for genre, counts in found.iterrows():
        if (counts == 0).any():
            raise SongNetError(
                f"genre {genre}: has too few clips or artists for the {kind} split, with none in "
                f"{', '.join(str(name) for name in counts.index[counts == 0])}. Leave it out."
            )
    return parts
