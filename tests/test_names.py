"""Names are texts: whatever genres, artists, titles and clips are called, nothing guesses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import tone_corpus

from songnet_utils._utils.files import read_csv, write_csv
from songnet_utils.corpora import open_corpus
from songnet_utils.evaluation.compare import compare
from songnet_utils.evaluation.report import evaluate
from songnet_utils.training.runs import read_answers, read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")

# What pandas, spreadsheets and YAML take for missing values, numbers, truth or dates.
GUESSED = [
    *("NA", "N/A", "None", "null", "NULL", "nan", "NaN", "n/a", "<NA>", "#N/A", "-nan"),
    *("80", "007", "1e5", "0x10", "-1", "1_000", "inf", "true", "False", "yes", "2009-01-05"),
    *(
        "answer",
        "set",
        "p_genre",
        "a,b",
        "a;b",
        'the "A"',
        "'",
        "=1+1",
        "#",
        " both ",
        "two\nlines",
    ),
    *("a\rb", "\\", "é", "ジャズ"),
]
texts = st.one_of(
    st.sampled_from(GUESSED),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1),
)


@given(st.lists(st.tuples(texts, texts | st.none()), min_size=1))
def test_texts_come_back_from_a_table_as_they_were(tmp_path_factory, rows) -> None:
    table = pd.DataFrame(rows, columns=["genre", "artist"], dtype="str")
    file = tmp_path_factory.mktemp("csv") / "table.csv"
    write_csv(file, table)
    pd.testing.assert_frame_equal(read_csv(file), table)


@given(st.lists(st.floats(0, 1), min_size=1), texts)
def test_probabilities_come_back_to_the_last_bit(tmp_path_factory, values, genre) -> None:
    answers = pd.DataFrame({"id": "1", "genre": genre, f"p_{genre}": values})
    folder = tmp_path_factory.mktemp("run")
    write_csv(folder / "answers.csv", answers)
    assert read_answers(folder)[f"p_{genre}"].tolist() == values


@pytest.mark.parametrize("genres", [("nan", "80", "null"), ("007", "NA", "true")])
def test_every_command_takes_any_name_as_it_is(tmp_path: Path, genres: tuple[str, ...]) -> None:
    folder = tone_corpus(tmp_path / "odd", clips=6, seconds=2.1)
    for plain, odd in zip(("High", "Low", "Noise"), genres, strict=True):
        (folder / plain).rename(folder / odd)
    corpus = open_corpus(folder)
    artists = ["NA", "None", "null", "N/A", "nan", None] * 3
    clips = corpus.clips.assign(artist=pd.Series(artists, dtype="str"), title="null")
    corpus = dataclasses.replace(corpus, clips=clips)
    run = train(corpus, "svm", out=tmp_path / "run", progress=False)
    answers = read_answers(run)
    assert set(answers.genre) == set(genres)
    known = answers.artist.str.startswith("unknown artist of ")
    assert set(answers.artist[~known]) == {"NA", "None", "null", "N/A", "nan"}
    record = read_record(run)
    for subset in ("train", "validation", "test"):
        told = answers[answers.set == subset]
        assert record[subset]["accuracy"] == (told.genre == told.answer).mean()
        assert record[subset]["artists"] == told.artist.nunique()
    accuracy = record["test"]["accuracy"]
    assert accuracy > 0
    assert f"{accuracy:.1%}" in evaluate(run, corpus, progress=False).as_text()
    (found,) = compare(corpus, ["svm"], ["random"], progress=False).results
    assert found["accuracy"] == accuracy
