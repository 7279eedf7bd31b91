"""What README says of results is what the records say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from songnet_utils.errors import SongNetError
from songnet_utils.lessons import readme
from songnet_utils.lessons.kept import records_folder

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_has_the_results_of_the_records():
    assert readme.with_section(README) == README, "make readme"


def test_a_changed_record_changes_readme(tmp_path):
    for name in ("all-models", "real-music"):
        record = json.loads((records_folder() / f"{name}.json").read_text(encoding="utf-8"))
        for result in record["results"]:
            if result["model"] == "songnet":
                result.update(accuracy=0.125, confidence_interval=[0.1, 0.15])
        (tmp_path / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    changed = readme.with_section(README, tmp_path)
    assert changed != README
    (row,) = re.findall(r"^\| `songnet` .*$", changed, re.MULTILINE)
    assert row.count("12 [10, 15]") == 2
    assert "songnet on the artist split 0.125 (0.100 to 0.150)" in changed


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
