"""What README says of results is what the records say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import readme
from PIL import Image

from songnet_utils._utils.errors import SongNetError
from songnet_utils.lessons.files import RECORDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_has_the_results_of_the_records():
    assert readme.with_section(README) == README, "make readme"


@pytest.fixture
def changed(tmp_path):
    """Write the records as a test changes them; return the section of README they make."""

    def write(change: Callable[[str, dict], None]) -> str:
        for name in readme.COLUMNS:
            record = json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
            for result in record["results"]:
                change(name, result)
            (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
        return readme.section(tmp_path)

    return write


def test_a_changed_record_changes_readme(changed):
    def worse(name, result):
        if result["model"] == "songnet":
            result.update(accuracy=0.125, confidence_interval=[0.1, 0.15])

    section = changed(worse)
    (row,) = re.findall(r"^\| `songnet` .*$", section, re.MULTILINE)
    assert row.count("12 [10, 15]") == 3
    assert "songnet on the artist split 12.5% (10.0% to 15.0%)" in section


def test_a_song_that_was_tested_with_several_seeds_is_one_song(changed):
    record = json.loads((RECORDS / "real-music.json").read_text("utf-8"))
    chance = record["results"][0]
    # Of so many songs each seed got a whole number right; of all that were counted, it did not.
    songs = chance["clips"] // chance["seeds"]
    assert [round(one * songs, 6) % 1 for one in chance["accuracies"]] == [0, 0, 0]
    assert f"| FMA, {songs} songs |" in README
    section = changed(lambda name, result: result.update(clips=2 * 41, seeds=2))
    assert "| FMA, 41 songs |" in section


@pytest.mark.parametrize(
    ("interval", "says"),
    [
        ([0.1, 0.2], "is better than"),
        ([-0.1, 0.2], "is not shown to be better or worse than"),
        ([-0.2, -0.1], "is worse than"),
    ],
)
def test_what_readme_says_in_short_is_what_the_intervals_allow(changed, interval, says):
    def same(name, result):
        for difference in result["differences"]:
            difference["confidence_interval"] = interval

    (in_short,) = re.findall("^In short: .*$", changed(same), re.MULTILINE)
    assert re.findall(r"is [a-z ]*than", in_short) == 4 * [says]


@pytest.mark.parametrize(
    "text", ["no marks", readme.BEGIN, f"{readme.END} {readme.BEGIN}", 2 * README]
)
def test_a_readme_without_its_marks_is_told(text):
    with pytest.raises(SongNetError, match="once each, in order"):
        readme.with_section(text)


def test_pictures_of_readme_show_what_is_said_beside_them():
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert {Path(file).name for _, file in pictures} == {"live.png", "results.png"}
    for words, file in pictures:
        with Image.open(ROOT / file) as picture:
            # The words were written into it when it was made: an old picture has others.
            assert picture.info["Description"] == words, "make readme"
            assert min(picture.size) >= 300
        assert (ROOT / file).stat().st_size < 200_000


def test_readme_can_be_read_in_a_minute_or_two():
    prose = re.sub(r"(?s)<!-- results.*?<!-- end", "", README)
    prose = "\n".join(
        line for line in prose.splitlines() if not line.startswith(("    ", "|", "!"))
    )
    assert len(prose.split()) < 600
