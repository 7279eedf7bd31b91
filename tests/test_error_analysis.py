"""Errors taken apart: truths worked out by hand, and what chance must not be taken for."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from toys import Frames, toy_record

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus
from songnet_utils.corpora import table as clip_table
from songnet_utils.evaluation import error_analysis, error_causes

GENRES = ("Folk", "Pop", "Rock")
SOUND = Sound()


@dataclasses.dataclass
class Fixed:
    """A network whose answers and embedding stand in the frames: row i is step i."""

    genres: tuple[str, ...] = GENRES
    sound: Sound = SOUND
    name: str = "Fixed"
    informed: str = ""

    def with_metadata(self, clip):
        assert len(clip) == 1
        return dataclasses.replace(self, informed=clip.id.iloc[0])

    def genre_of_frames(self, frames):
        assert self.informed.startswith("x"), "only test clips are answered, each told of itself"
        return frames[:, :3]

    def embedding_of_frames(self, frames):
        return frames[:, 3:5]


HIERARCHY = pd.DataFrame(
    {"title": ["Folk", "Pop", "Rock", "Punk"], "top": ["Folk", "Pop", "Rock", "Rock"]}
)

# id, genre, artist, subset, other labels, steps (Folk, Pop, Rock), embedding.
ROWS = [
    ("t1", "Folk", "A", "train", ["Folk"], [[1, 0, 0]], (1, 0)),
    ("t2", "Rock", "B", "train", ["Rock", "Punk"], [[0, 0, 1]], (0, 1)),
    ("t3", "Rock", "B", "train", None, [[0, 0, 1]], (1, 1)),
    ("t4", "Pop", "C", "train", ["Pop"], [[0, 1, 0]], (-1, 0)),
    ("v1", "Pop", None, "validation", ["Pop"], [[0, 1, 0]], (-1, 0)),
    # In truth Folk; Rock wins by its second and third step. Nearest: t3, then t2.
    ("x1", "Folk", "D", "test", ["Folk", "Punk"], [[0.8, 0.1, 0.1], [0.1, 0, 0.9], [0.1, 0.1, 0.8]],
     (0.9, 1.1)),
    # In truth Pop, taken for Folk; the artist makes Folk, too.
    ("x2", "Pop", "A", "test", ["Pop"], [[0.6, 0.4, 0]], (1, 0.1)),
    # Right.
    ("x3", "Rock", None, "test", None, [[0.2, 0.1, 0.7]], (0, 3)),
]  # fmt: skip


@pytest.fixture(scope="module")
def analysis():
    table = clip_table(
        [
            {"id": r[0], "file": f"/{r[0]}.wav", "genre": r[1], "artist": r[2], "genres": r[4],
             "seconds": 1}
            for r in ROWS
        ]
    )  # fmt: skip
    frames = {r[0]: np.hstack([np.array(r[5], float), np.tile(r[6], (len(r[5]), 1))]) for r in ROWS}
    corpus = Corpus("made", table, hierarchy=HIERARCHY)
    sets = pd.Series([r[3] for r in ROWS], table.index)
    return error_analysis.analyse(Fixed(), Frames(corpus, frames), table, sets, progress=False)


def test_answers_are_those_of_the_mean_over_the_steps(analysis):
    assert analysis.answers.index.tolist() == ["x1", "x2", "x3"]
    assert analysis.answers.answer.tolist() == ["Rock", "Folk", "Rock"]
    assert analysis.answers.right.tolist() == [False, False, True]
    assert analysis.answers.confidence.tolist() == pytest.approx([0.6, 0.6, 0.7])
    # The most confident mistake first; a tie keeps its order.
    assert analysis.wrong.index.tolist() == ["x1", "x2"]
    assert "v1" not in analysis.clips.index
    with pytest.raises(SongNetError, match="clip t1: is not one of these 3 clips"):
        analysis.steps_of("t1")


def test_the_rival_is_the_truth_or_else_the_next_genre(analysis):
    assert analysis.rival("x1") == "Folk"
    assert analysis.rival("x3") == "Folk"


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(1, 40), st.just(4)), elements=st.integers(0, 1024)
    )
)
def test_contributions_add_up_to_the_difference_of_the_means(counts):
    # Multiples of 2^-10 and a power of two of steps: sums without any rounding.
    steps = np.resize(counts / 1024, (32, 4))
    shares = error_analysis.contributions(steps, 2, 1)
    assert shares.sum() == steps[:, 2].mean() - steps[:, 1].mean()


def test_contributions_by_hand(analysis):
    shares = analysis.contributions("x1")
    np.testing.assert_allclose(shares, [-0.7 / 3, 0.8 / 3, 0.7 / 3], atol=1e-12)
    # Without the second step the other two cancel: it alone decided.
    assert error_analysis.deciding_steps(np.array([-0.7, 0.8, 0.7])).tolist() == [1]


@pytest.mark.parametrize(
    ("shares", "decided"),
    [
        ([0.5, 0.25, -0.125], [0, 1]),
        ([0.5, 0.25, -0.25], [0]),
        ([0.25, 0.25, 0.5, -0.75], [2]),
        ([0.5, 0.5], [0, 1]),
        ([0.1, -0.1], []),
        ([-0.5], []),
        ([0.5], [0]),
    ],
)
def test_the_steps_that_decided_are_the_fewest_that_could(shares, decided):
    assert error_analysis.deciding_steps(np.array(shares)).tolist() == decided


@given(arrays.arrays(np.float64, st.integers(1, 7), elements=st.integers(-8, 8)))
def test_no_smaller_set_of_steps_would_have_turned_the_answer(shares):
    found = error_analysis.deciding_steps(shares)
    fewest = min(
        bin(taken).count("1")
        for taken in range(2 ** len(shares))
        if sum(s for i, s in enumerate(shares) if not taken >> i & 1) <= 0
    )
    assert len(found) == fewest
    assert np.delete(shares, found).sum() <= 0


def test_the_nearest_are_training_clips_by_cosine_distance(analysis):
    found = error_analysis.nearest(analysis, k=2)
    assert set(found.neighbour) <= {"t1", "t2", "t3", "t4"}
    one = found[found.id == "x1"]
    assert one.neighbour.tolist() == ["t3", "t2"]
    assert one["rank"].tolist() == [1, 2]
    cosine = 2.0 / (np.sqrt(2) * np.hypot(0.9, 1.1))
    assert one.distance.iloc[0] == pytest.approx(1 - cosine)
    assert one.genre.tolist() == ["Rock", "Rock"]
    assert one.artist.tolist() == ["B", "B"]


def test_a_training_clip_is_not_its_own_neighbour(analysis):
    found = error_analysis.nearest(analysis, ["t1"], k=3)
    assert found.neighbour.tolist() == ["t3", "t2", "t4"]
    assert found.distance.tolist() == pytest.approx([1 - np.sqrt(0.5), 1, 2])
    with pytest.raises(SongNetError, match="k must be from 1 to 3"):
        error_analysis.nearest(analysis, ["t1"], k=4)


def test_twins_are_found_though_the_clip_itself_is_as_near(analysis):
    embedding = analysis.embedding.copy()
    embedding[analysis.clips.index.get_loc("t2")] = (1, 0)
    embedding[analysis.clips.index.get_loc("t3")] = (2, 0)
    twins = dataclasses.replace(analysis, embedding=embedding)
    for clip in ("t1", "t2", "t3"):
        found = error_analysis.nearest(twins, [clip], k=2)
        assert set(found.neighbour) == {"t1", "t2", "t3"} - {clip}
        assert found.distance.tolist() == [0, 0]


def test_ambiguity_knows_labels_their_top_genres_and_what_else_the_artist_makes(analysis):
    found = error_causes.ambiguity(analysis)
    # Punk is Rock, which is what x1 was taken for; nothing of the kind for x2.
    assert found.labels["x1"] == ["Folk", "Punk"]
    assert found.answer_is_a_label.to_dict() == {"x1": True, "x2": False}
    assert found.artist_makes_it.to_dict() == {"x1": 0, "x2": 1}


def test_a_label_outside_the_hierarchy_is_a_genre_only_where_the_corpus_has_it():
    clips = clip_table(
        [
            {"id": str(n), "file": f"/{n}.wav", "genre": genre, "genres": labels, "seconds": 1}
            for n, (genre, labels) in enumerate(
                [("Folk", ["Folk", "Punk"]), ("Rock", ["Rock", "Punk"]), ("Folk", None)]
            )
        ]
    )
    corpus, plain = Corpus("made", clips, hierarchy=HIERARCHY), Corpus("plain", clips)
    assert error_causes.top_genres(["Punk", "A style"], corpus) == {"Rock"}
    assert error_causes.top_genres(["Punk", "Folk"], plain) == {"Folk"}
    assert error_causes.top_genres(None, corpus) == set()
    assert error_causes.clips_of_several_genres(corpus) == 1
    assert error_causes.clips_of_several_genres(plain) == 0


def test_one_artist_with_all_errors_is_not_chance_and_one_each_is():
    genre = ["Folk"] * 20
    artist = [f"artist {n // 5}" for n in range(20)]
    of_one = pd.DataFrame({"genre": genre, "artist": artist, "answer": ["Pop"] * 5 + ["Folk"] * 15})
    table, p = error_causes.errors_by_artist(of_one)
    assert table.iloc[0].to_dict() == {"clips": 5, "wrong": 5, "genres": "Folk"}
    # Five clips of one of four artists: 4 of the 15,504 ways to choose five of twenty.
    assert p < 0.01
    answer = ["Pop", "Folk", "Folk", "Folk", "Folk"] * 4
    _, p = error_causes.errors_by_artist(of_one.assign(answer=answer))
    assert p == 1


def test_a_hard_genre_by_one_artist_is_not_held_against_the_artist():
    answers = pd.DataFrame(
        {
            "genre": ["Folk"] * 5 + ["Rock"] * 15,
            "artist": ["A"] * 5 + [f"B{n}" for n in range(15)],
            "answer": ["Rock"] * 20,
        }
    )
    _, p = error_causes.errors_by_artist(answers)
    assert p == 1


def frames_of(levels: np.ndarray) -> np.ndarray:
    return np.log(levels)


def test_production_of_a_made_spectrum():
    power = np.full((10, SOUND.n_mels), 1e-9)
    power[:, 20] = 1.0
    power[5:, 20] = 100.0
    power[:, 60] = 1e-3  # 47 dB below the mean of band 20: analysis
    power[:, 90] = 1e-5  # 67 dB below: not
    clip = Frames(None, {"a": np.log(power)})
    row = error_causes.production(clip, ["a"]).loc["a"]
    assert row["level"] == pytest.approx(10 * np.log10(50.5), abs=0.01)
    assert row["range"] == pytest.approx(20, abs=0.01)
    librosa = pytest.importorskip("librosa")
    centres = librosa.mel_frequencies(SOUND.n_mels + 2, fmin=0, fmax=SOUND.sample_rate / 2)[1:-1]
    assert row["brightness"] == pytest.approx(centres[20], rel=1e-3)
    assert row["cut_off"] == pytest.approx(centres[60])


def loud(db: float) -> np.ndarray:
    frames = np.full((4, SOUND.n_mels), np.log(10 ** (db / 10) / SOUND.n_mels))
    # The embedding and the answers stand in other networks' frames: none is needed here.
    return frames


def test_loud_genres_do_not_make_loudness_a_cause():
    dice = np.random.default_rng(0)
    rows, frames = [], {}
    for genre, level, share in (("Folk", -20, 0.2), ("Rock", 0, 0.8)):
        for n in range(60):
            subset = "train" if n < 30 else "test"
            wrong = subset == "test" and dice.random() < share
            clip = f"{genre}{n}"
            frames[clip] = loud(level + dice.normal())
            rows.append((clip, genre, f"artist {clip}", subset, "Pop" if wrong else genre))
    clips = pd.DataFrame(rows, columns=["id", "genre", "artist", "set", "answer"]).set_index("id")
    answers = clips[clips.set == "test"].assign(right=lambda t: t.answer == t.genre)
    analysis = error_analysis.ErrorAnalysis(
        Fixed(), Frames(None, frames), clips, np.ones((120, 2)), answers, {}
    )
    found = error_causes.production_differences(analysis).loc["level"]
    assert found.low < 0 < found.high
    assert abs(found.difference) < 1
    # Louder by 6 dB than its genre's training clips wherever it is wrong: that is an effect.
    for clip in answers.index[~answers.right]:
        frames[clip] = frames[clip] + np.log(10**0.6)
    found = error_causes.production_differences(analysis).loc["level"]
    assert found.low < 6 < found.high
    assert found.low > 4
    none = dataclasses.replace(analysis, answers=answers.assign(right=True))
    with pytest.raises(SongNetError, match="needs both wrong and right"):
        error_causes.production_differences(none)


def groups(clips: int = 40) -> error_analysis.ErrorAnalysis:
    dice = np.random.default_rng(1)
    subset = np.where(np.arange(clips) % 4 == 0, "test", "train")
    table = pd.DataFrame(
        {"set": subset, "genre": np.where(np.arange(clips) < clips // 2, "Folk", "Rock")},
        index=[f"c{n}" for n in range(clips)],
    )
    middles = np.where(table.genre == "Folk", 0, 1)[:, None] == np.arange(2)
    embedding = np.repeat(middles, 8, axis=1) + 0.01 * dice.standard_normal((clips, 16))
    answers = table[table.set == "test"].assign(answer="Folk")
    return error_analysis.ErrorAnalysis(Fixed(), None, table, embedding, answers, {})


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_a_map_keeps_groups_together_and_is_the_same_every_time(method):
    analysis = groups()
    table, trust = error_analysis.embedding_map(analysis, method)
    again, _ = error_analysis.embedding_map(analysis, method)
    pd.testing.assert_frame_equal(table, again)
    assert 0.5 < trust <= 1
    places = table[["x", "y"]].to_numpy()
    middles = np.stack([places[table.genre == genre].mean(axis=0) for genre in ("Folk", "Rock")])
    nearer = ((places[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
    assert (np.array(["Folk", "Rock"])[nearer] == table.genre).all()
    assert table.answer.isna().tolist() == (table.set == "train").tolist()


def test_a_map_of_few_clips_or_by_another_method_is_refused():
    with pytest.raises(SongNetError, match=r"at least 12 clips\. Got 8"):
        error_analysis.embedding_map(groups(8))
    with pytest.raises(SongNetError, match=r"tsne or pca\. Got 'umap'"):
        error_analysis.embedding_map(groups(), "umap")


def answers(given: list[str], truth: str = "FFFFRRRR") -> pd.DataFrame:
    names = {"F": "Folk", "R": "Rock", "E": "Experimental"}
    return pd.DataFrame(
        {
            "id": [f"c{n}" for n in range(len(truth))],
            "set": "test",
            "artist": [f"artist {n // 2}" for n in range(len(truth))],
            "genre": [names[letter] for letter in truth],
            "answer": [names[letter] for letter in given],
        }
    )


def test_what_a_model_mends_and_breaks():
    found = error_analysis.compare_answers(answers("FFFRRRRF"), answers("FFFFFRRR"))
    assert found.clips.change.to_dict() == {
        **{f"c{n}": "both right" for n in (0, 1, 2, 5, 6)},
        **{"c3": "mended", "c4": "broken", "c7": "mended"},
    }
    assert found.by_genre.loc["Folk"].tolist() == [3, 1, 0, 0]
    assert found.by_genre.loc["Rock"].tolist() == [2, 1, 1, 0]
    # Three clips differ, two one way: a fair coin does that or worse always.
    assert found.p == 1
    assert found.difference == pytest.approx(1 / 8)
    assert found.confidence_interval[0] < 1 / 8 < found.confidence_interval[1]


def test_only_the_same_test_clips_are_compared():
    before = answers("FFFRRRRF")
    # The order of the rows does not matter, nor what training clips were answered.
    more = pd.concat([answers("FFFFFRRR")[::-1], before.assign(set="train")])
    assert error_analysis.compare_answers(before, more).by_genre.mended.sum() == 2
    with pytest.raises(SongNetError, match="same clips with the same genres"):
        error_analysis.compare_answers(before, before[1:])
    with pytest.raises(SongNetError, match="same clips with the same genres"):
        error_analysis.compare_answers(before, answers("FFFRRRRF", "FFFFRRRE"))


def test_a_run_of_another_corpus_is_refused(analysis, tmp_path, monkeypatch):
    (tmp_path / "record.json").write_text(json.dumps(toy_record(corpus="made")))
    answers("F", "F").to_csv(tmp_path / "answers.csv", index=False)
    monkeypatch.setattr(error_analysis, "network_of", lambda folder: Fixed())
    with pytest.raises(SongNetError, match="not among the usable clips of made"):
        error_analysis.analyse_run(tmp_path, analysis.prepared)
