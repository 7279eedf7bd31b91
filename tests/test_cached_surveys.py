"""A survey that is kept is the one that would be made, and never another one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from networks import used
from toys import tone_corpus

from songnet_utils import kernels as k
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.features.store import LogMelStore
from songnet_utils.kernels import cache
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tones")
    corpus = open_corpus(tone_corpus(folder / "tones", clips=3))
    return LogMelStore(folder / "data").prepare(corpus, progress=False)


def network(seed: int = 0) -> k.Kernels:
    genres = ["High", "Low", "Noise"]
    model = used(songnet(Sound(), genres, filters=6, blocks=2), seed)
    return k.Kernels(SongNet(model, Sound(), genres))


def same(one: k.Survey, other: k.Survey) -> bool:
    """Whether two surveys hold the same, to the bit."""
    for a, b in zip(one.layers, other.layers, strict=True):
        for field in dataclasses.fields(a):
            left, right = getattr(a, field.name), getattr(b, field.name)
            if isinstance(left, np.ndarray):
                if left.dtype != right.dtype or not np.array_equal(left, right, equal_nan=True):
                    return False
            elif left != right:
                return False
    pd.testing.assert_frame_equal(one.clips, other.clips)
    return all(
        np.array_equal(getattr(one.statistics, field.name), getattr(other.statistics, field.name))
        for field in dataclasses.fields(one.statistics)
    )


@pytest.fixture
def heard(monkeypatch):
    """Count how often a corpus is heard."""
    times = []
    survey = cache.survey
    monkeypatch.setattr(cache, "survey", lambda *a, **b: times.append(1) or survey(*a, **b))
    return times


def test_what_is_kept_is_what_was_made(prepared, tmp_path, heard):
    kernels = network()
    made = k.cached_survey(tmp_path, kernels, prepared, prepared.clips)
    read = k.cached_survey(tmp_path, kernels, prepared, prepared.clips)
    assert len(heard) == 1
    assert same(made, read)
    assert same(read, k.survey(kernels, prepared, progress=False))
    pd.testing.assert_frame_equal(read.table(), made.table())
    assert isinstance(read.statistics.change, float)


def test_another_network_or_other_clips_are_heard_anew(prepared, tmp_path, heard):
    k.cached_survey(tmp_path, network(), prepared, prepared.clips)
    k.cached_survey(tmp_path, network(seed=1), prepared, prepared.clips)
    some = prepared.clips.iloc[2:]
    k.cached_survey(tmp_path, network(), prepared, some)
    assert len(heard) == 3
    found = k.cached_survey(tmp_path, network(), prepared, some)
    assert len(heard) == 3
    assert found.clips.id.tolist() == some.id.tolist()
    k.cached_survey(tmp_path, network(), prepared, some.assign(genre="Low"))
    assert len(heard) == 4


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"no archive at all"])
def test_half_a_file_is_made_anew(prepared, tmp_path, heard, content):
    k.cached_survey(tmp_path, network(), prepared, prepared.clips)
    (file,) = tmp_path.glob("survey-*.npz")
    whole = file.read_bytes()
    file.write_bytes(content or whole[: len(whole) // 2])
    found = k.cached_survey(tmp_path, network(), prepared, prepared.clips)
    assert len(heard) == 2
    assert same(found, k.cached_survey(tmp_path, network(), prepared, prepared.clips))
