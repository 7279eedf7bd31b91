"""Comparisons: who is tested on what, what is kept, and that the figures are those of the runs."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils._utils.files import data_folder, newest_run
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.artist_parts import ARTIST_PARTS
from songnet_utils.evaluation import compare as evaluation
from songnet_utils.evaluation.compare import compare
from songnet_utils.features.store import LogMelStore
from songnet_utils.metrics.intervals import difference_interval, few_artists
from songnet_utils.models.baselines import BASELINES
from songnet_utils.models.registry import NETWORKS
from songnet_utils.training import train as training
from songnet_utils.training.recipe import Recipe
from songnet_utils.training.runs import read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    """Two genres of twelve clips, by six artists each."""
    folder = tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", ["High", "Low"], clips=12)
    corpus = open_corpus(folder)
    clips = corpus.clips.copy()
    clips["artist"] = clips.genre + (clips.groupby("genre").cumcount() // 2).astype(str)
    return dataclasses.replace(corpus, clips=clips)


@pytest.fixture(scope="module")
def comparison(tones) -> tuple[evaluation.Comparison, list]:
    found = compare(tones, models=["chance", "svm"], folds=3, seeds=2, progress=False)
    return found, json.loads(json.dumps(found.results))


def test_every_clip_is_tested_once_a_seed(comparison, tones):
    answers = comparison[0].answers
    for _, tested in answers.groupby(["model", "split", "seed"]):
        assert sorted(tested.id) == sorted(tones.clips.id)


def test_results_are_what_the_answers_say(comparison, tones):
    found, written = comparison
    assert written == found.results
    assert [(row["model"], row["split"]) for row in written] == [
        ("chance", "random"),
        ("chance", "artist"),
        ("svm", "random"),
        ("svm", "artist"),
    ]
    for row in written:
        answers = found.answers.query("model == @row['model'] and split == @row['split']")
        assert row["clips"] == len(answers) == 2 * len(tones.clips)
        assert row["accuracy"] == pytest.approx((answers.genre == answers.answer).mean())
        low, high = row["confidence_interval"]
        assert low <= row["accuracy"] <= high
        assert (row["seeds"], row["folds"]) == (2, 3)
    assert [row["artist_overlap"] for row in written[1::2]] == [0, 0]
    assert min(row["artist_overlap"] for row in written[::2]) > 0.3


def test_an_interval_over_few_artists_comes_with_a_word_of_caution(comparison):
    found, written = comparison
    assert all(row["artists"] >= 6 and row["interval_note"] is None for row in written)
    few = [row | {"artists": 4, "interval_note": few_artists(4)} for row in found.results]
    assert "only 4 artists" in dataclasses.replace(found, results=few).as_text()
    assert "With only" not in found.as_text()


def test_two_splits_in_folds_are_compared_clip_by_clip(comparison):
    found, written = comparison
    rows = {(row["model"], row["split"]): row for row in written}
    (stated,) = [
        entry for entry in rows["svm", "random"]["differences"] if entry["split"] == "artist"
    ]
    a, b = (
        found.answers.query("model == 'svm' and split == @split").sort_values(["seed", "id"])
        for split in ("random", "artist")
    )
    right = [of.genre.to_numpy() == of.answer.to_numpy() for of in (a, b)]
    assert stated["confidence_interval"] == list(difference_interval(*right, a.artist))


def test_differences_are_those_of_the_accuracies(comparison):
    rows = {(row["model"], row["split"]): row for row in comparison[1]}
    stated = {
        (*key, entry["model"], entry["split"]): entry
        for key, row in rows.items()
        for entry in row["differences"]
    }
    assert set(stated) == {
        ("svm", "random", "chance", "random"),
        ("svm", "artist", "chance", "artist"),
        ("svm", "random", "svm", "artist"),
        ("chance", "random", "chance", "artist"),
    }
    for (model, split, other, other_split), entry in stated.items():
        expected = rows[model, split]["accuracy"] - rows[other, other_split]["accuracy"]
        assert entry["difference"] == pytest.approx(expected)
        low, high = entry["confidence_interval"]
        assert low <= entry["difference"] <= high
    assert stated["svm", "artist", "chance", "artist"]["confidence_interval"][0] > 0


def test_the_text_names_models_and_splits_once_in_each_block(comparison):
    found, written = comparison
    random, artist, change, notes = found.as_text().split("\n\n")
    for block, split in ((random, "random"), (artist, "artist")):
        title, *lines = block.splitlines()
        rows = [row for row in written if row["split"] == split]
        assert title.startswith(f"{split} split: 48 test clips (2 seeds, 3 folds)")
        assert [line.split()[:2] for line in lines[1:]] == [
            [row["model"], f"{row['accuracy']:.1%}"] for row in rows
        ]
        # Figures stand under the right end of their heading.
        for heading in ("accuracy", "paper", "seconds"):
            end = lines[0].index(heading) + len(heading)
            assert all(line[end - 1] != " " and line[end : end + 1].strip() == "" for line in lines)
        assert lines[0].endswith("McNemar p")
        assert len({len(line) for line in lines[:2]}) == 1
    assert "artists in two sets: 0; artist overlap: 0% of clips" in artist
    assert [line.split()[0] for line in change.splitlines()[2:]] == ["chance", "svm"]
    assert "random minus artist" in change
    assert "with several seeds, its p is the median" in notes.replace("\n", " ")
    assert max(map(len, found.as_text().splitlines())) <= 110


def test_mcnemar_of_a_table_by_hand():
    # Seed 0: five clips only a got right, none only b: p = 2/32. Seed 1: four and four: p = 1.
    truth = ["x"] * 8
    tables = {}
    for model, right in (
        ("a", [[*"xxxxxxxy"], [*"xxxxyyyy"]]),
        ("b", [[*"yyyyyxxy"], [*"yyyyxxxx"]]),
    ):
        tables[model, "random"] = pd.concat(
            [
                pd.DataFrame({"id": [*"abcdefgh"], "artist": [*"abcdefgh"], "genre": truth}).assign(
                    seed=int(seed), answer=answers
                )
                for seed, answers in enumerate(right)
            ]
        )
    a, b = ({"model": model, "split": "random"} for model in "ab")
    found = evaluation._difference(tables, a, b)
    assert found["mcnemar_p"] == pytest.approx((2 / 32 + 1) / 2)
    assert found["difference"] == pytest.approx(5 / 16)


def test_costs_add_up_and_say_what_was_there_before(comparison, tones):
    found, written = comparison
    cost = found.cost
    assert cost["runs"] == 2 * 2 * 2 * 3
    assert cost["seconds"] == pytest.approx(sum(row["seconds"] for row in written), abs=0.01)
    records = sorted(
        (data_folder() / "runs" / "tones" / "compared").glob("svm-*-?-?-*/record.json")
    )
    of_svm = [read_record(path.parent) for path in records]
    assert sum(row["seconds"] for row in written if row["model"] == "svm") == pytest.approx(
        sum(r["seconds_to_fit"] + r["seconds_to_answer"] for r in of_svm if r["folds"] == 3),
        abs=0.01,
    )
    again = compare(tones, models=["chance", "svm"], folds=3, seeds=2, progress=False)
    assert again.cost == {**cost, "cached": cost["runs"]}
    assert "of which 24 existed before" in again.as_text()


@pytest.mark.parametrize("failure", [SongNetError("the loss ran away"), ValueError("odd")])
def test_a_run_that_fails_takes_nothing_from_the_others(tones, tmp_path, monkeypatch, failure):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path))
    make = evaluation.Run.make

    def fragile(run, folder, **options):
        if (run.model, run.split, run.fold) == ("svm", "random", 1):
            raise failure
        make(run, folder, **options)

    monkeypatch.setattr(evaluation.Run, "make", fragile)
    options = {"models": ["chance", "svm"], "folds": 4, "progress": False}
    found = compare(tones, **options)
    (failed,) = found.failures
    assert failed["run"] == "svm, random split, seed 0, fold 1"
    assert str(failure) in failed["reason"]
    assert [(row["model"], row["split"]) for row in found.results] == [
        ("chance", "random"),
        ("chance", "artist"),
        ("svm", "artist"),
    ]
    assert "svm" not in found.as_text().split("\n\n")[0]
    assert "because a run failed: svm (random)." in found.as_text()
    # With the fault mended only that run is left to do.
    monkeypatch.setattr(evaluation.Run, "make", make)
    mended = compare(tones, **options)
    assert (len(mended.results), mended.failures) == (4, [])
    assert mended.cost["runs"] - mended.cost["cached"] == 1


def test_nothing_to_compare_when_every_model_failed(tones, monkeypatch):
    def never(run, folder, **options):
        raise SongNetError("there is no room.")

    monkeypatch.setattr(evaluation.Run, "make", never)
    with pytest.raises(SongNetError, match=r"svm, random split, seed 0, fold 0: there is no room"):
        compare(tones, models=["svm"], folds=5, progress=False)


FOUR_FOLDS = {"models": ["chance", "svm"], "splits": ["random"], "folds": 4, "progress": False}


def test_after_a_stop_only_the_rest_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    folder = str(tone_corpus(tmp_path / "stopped", ["High", "Low"], clips=6, seconds=2.5))
    predict, asked = training.predict_baseline, []

    def predict_or_stop(*arguments):
        asked.append(arguments)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return predict(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(training, "predict_baseline", predict_or_stop)
        with pytest.raises(KeyboardInterrupt):
            compare(folder, **FOUR_FOLDS)
    compared = tmp_path / "data" / "runs" / "stopped" / "compared"
    assert len(list(compared.glob("*"))) == 3
    assert len(list(compared.glob("*/record.json"))) == 2
    found = compare(folder, **FOUR_FOLDS)
    assert (found.cost["runs"], found.cost["cached"]) == (8, 2)
    assert len(list(compared.glob("*/record.json"))) == 8
    # The same as if nothing had happened.
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "other"))
    pd.testing.assert_frame_equal(compare(folder, **FOUR_FOLDS).answers, found.answers)


def test_the_official_split_is_the_corpus_own(tones):
    sets = ["training"] * 8 + ["validation"] * 2 + ["test"] * 2
    corpus = dataclasses.replace(
        tones, name="official", clips=tones.clips.assign(split=pd.Series(sets * 2, dtype="str"))
    )
    found = compare(
        corpus, models=["chance", "svm"], splits=["random", "official"], seeds=2, progress=False
    )
    rows = {(row["model"], row["split"]): row for row in found.results}
    official = rows["svm", "official"]
    assert (official["clips"], official["seeds"], official["folds"]) == (8, 2, None)
    assert (official["artist_overlap"], official["artists_in_two_sets"]) == (0, 0)
    tested = found.answers.query("model == 'svm' and split == 'official'")
    assert set(tested.id) == set(corpus.clips.id[corpus.clips.split == "test"])
    # Nothing is random in a support vector machine, and the split is the same.
    assert official["accuracies"][0] == official["accuracies"][1]
    with pytest.raises(SongNetError, match="the corpus has no official split"):
        compare(tones, models=["svm"], splits=["official"], progress=False)


def test_artists_in_two_sets_are_counted(comparison):
    rows = {row["split"]: row for row in comparison[1]}
    assert rows["artist"]["artists_in_two_sets"] == 0
    assert 0 < rows["random"]["artists_in_two_sets"] <= 12


def test_groups_of_models_are_spelt_out():
    baselines = evaluation.model_names(["baselines"])
    assert baselines[0] == "chance"
    assert set(baselines) == set(BASELINES)
    everything = evaluation.model_names(["all"])
    assert everything == [*baselines, *NETWORKS]
    assert evaluation.model_names(["songnet", "chance", "baselines"])[:2] == ["songnet", "chance"]
    assert evaluation.model_names(["networks"]) == list(NETWORKS)
    parts = NETWORKS["songnet"].parts
    each = evaluation.model_names(["songnet~each"])
    assert each == ["songnet", *(f"songnet~{part}" for part in parts)]
    assert evaluation.model_names(["songnet~dropout", "songnet~each"])[0] == "songnet~dropout"
    with pytest.raises(SongNetError, match="has no part 'wheels'"):
        evaluation.model_names(["songnet~wheels"])


def test_what_is_chosen_by_is_the_validation_set(tones):
    options = {"models": ["lr"], "splits": ["artist"], "seeds": 2, "progress": False}
    found = compare(tones, **options, subset="validation")
    folders = [evaluation._home(run)[0] for run in _runs(tones, found)]
    validated = [read_record(folder)["validation"] for folder in folders]
    assert found.results[0]["clips"] == sum(subset["clips"] for subset in validated)
    assert found.results[0]["accuracies"] == [subset["accuracy"] for subset in validated]
    assert found.results[0]["set"] == "validation"
    # The artists of validation clips are not among those of training clips.
    assert found.results[0]["artist_overlap"] == 0
    assert "validation clips" in found.as_text()
    tested = compare(tones, **options)
    assert set(tested.answers.id) != set(found.answers.id)
    with pytest.raises(SongNetError, match=r"compared here must be test\. Got"):
        compare(tones, **options, subset="validation", folds=3)
    with pytest.raises(SongNetError, match=r"compared here must be test or validation\. Got"):
        compare(tones, **options, subset="train")


def _runs(corpus: Corpus, found: evaluation.Comparison) -> list[evaluation.Run]:
    """Return the runs that a comparison of logistic regression on the artist split made."""
    prepared = LogMelStore().prepare(corpus, progress=False)
    return [
        evaluation.Run(
            log_mels=prepared,
            clips=prepared.clips,
            sets=evaluation.split_clips(prepared.clips, "artist", seed),
            left_out=[],
            model="lr",
            split="artist",
            seed=int(seed),
            recipe=Recipe(),
        )
        for seed in sorted(found.answers.seed.unique())
    ]


def test_two_parts_of_the_artists_share_nothing_and_the_results_say_which_it_is(tones):
    options = {"models": ["chance"], "splits": ["artist"], "folds": 3, "progress": False}
    single = dataclasses.replace(tones, clips=tones.clips.assign(artist=tones.clips.id))
    found = {part: compare(single, **options, artist_part=part) for part in ARTIST_PARTS}
    artists = [set(one.answers.artist) for one in found.values()]
    assert artists[0].isdisjoint(artists[1])
    assert artists[0] | artists[1] == set(tones.clips.id)
    for part, one in found.items():
        counts = {"development": 8, "test": 16}
        assert one.results[0]["artist_part"] == {"part": part, "seed": 0, "artists": counts}
        assert f"the {counts[part]} {part} artists of 24" in one.as_text()
    with pytest.raises(SongNetError, match="development or test"):
        compare(single, **options, artist_part="validation")


def test_the_papers_figures_stand_beside_the_models_they_are_of(comparison):
    assert {row["model"]: row["paper"] for row in comparison[1]} == {"chance": 0.125, "svm": 0.4638}


def test_a_second_time_nothing_is_trained_again(comparison, tones, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("trained again")

    monkeypatch.setattr(evaluation.Run, "make", never)
    again = compare(tones, models=["chance", "svm"], folds=3, seeds=2, progress=False)
    assert again.results == comparison[0].results
    with pytest.raises(SongNetError, match="AssertionError: trained again"):
        compare(tones, models=["chance"], folds=4, progress=False)


def test_without_folds_the_runs_of_train_are_used(tones, monkeypatch):
    recipe = Recipe(epochs=2, crop_seconds=2.0)
    folder = train(tones, split="artist", recipe=recipe, progress=False)
    made = []
    make = evaluation.Run.make

    def note(run, folder, **options):
        made.append(run.model)
        make(run, folder, **options)

    monkeypatch.setattr(evaluation.Run, "make", note)
    options = {"models": ["svm", "songnet"], "splits": ["artist"], "progress": False}
    found = compare(tones, recipe=recipe, **options)
    assert made == ["svm"]
    assert found.results[0]["folds"] is None
    assert "mcnemar_p" in found.results[1]["differences"][0]
    # Another recipe is another run, beside the first, and not the newest to listen with.
    compare(tones, recipe=Recipe(epochs=1, crop_seconds=2.0), **options)
    assert made == ["svm", "songnet"]
    assert newest_run() == folder


def test_genres_too_small_for_the_folds_are_left_out_of_all_splits(tmp_path):
    corpus = open_corpus(tone_corpus(tmp_path / "three", clips=6))
    clips = corpus.clips.copy()
    clips["artist"] = clips.genre + clips.groupby("genre").cumcount().astype(str)
    clips.loc[clips.genre == "Noise", "artist"] = "one artist"
    found = compare(
        dataclasses.replace(corpus, clips=clips), models=["svm"], folds=3, progress=False
    )
    assert [small["genre"] for small in found.results[0]["left_out"]] == ["Noise"]
    assert set(found.answers.genre) == {"High", "Low"}
    assert {row["clips"] for row in found.results} == {12}


def test_an_unknown_artist_is_counted_as_not_known(tmp_path):
    corpus = open_corpus(tone_corpus(tmp_path / "nobody", ["High", "Low"], clips=6))
    found = compare(corpus, models=["svm"], splits=["random"], folds=2, progress=False)
    assert found.results[0]["artist_overlap"] is None
    assert "artist overlap unknown" in found.as_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["svn"]}, "A model is one of songnet, .*Got .svn."),
        ({"models": []}, "at least one model"),
        ({"splits": ["artists"]}, "random, artist or official"),
        ({"splits": ["official"], "folds": 3}, "random or artist"),
        ({"seeds": 0}, "at least 1 seed"),
        ({"folds": 1}, "at least 2"),
        ({"folds": 13, "splits": ["random"]}, "0 genres left"),
    ],
)
def test_bad_arguments_are_named(tones, options, message):
    with pytest.raises(SongNetError, match=message):
        compare(tones, **{"models": ["svm"], "progress": False, **options})
