"""The record of all kernels says what was measured, and is of SongNet as it stands."""

from __future__ import annotations

import copy

from records import make_kernel_record
from toys import tone_corpus

from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import open_corpus
from songnet_utils.kernels import maximisation
from songnet_utils.lessons.kernel_record import KernelRecord, read_kernel_record
from songnet_utils.models.registry import NETWORKS
from songnet_utils.training.train import train


def test_the_kept_record_is_of_all_kernels_of_songnet():
    kept = read_kernel_record()
    content = kept.content
    assert (content["model"], content["corpus"]) == ("songnet", "mini")
    model = NETWORKS["songnet"].build(Sound(), ["a", "b"])
    assert content["kernels"] == {
        layer.name: layer.filters for layer in model.layers if layer.name.startswith("conv_")
    }
    assert kept.maximised.groupby("layer").size().to_dict() == content["kernels"]
    # A row for each, with every figure; only one that does not excite has nothing left.
    assert kept.maximised.drop(columns="left").notna().all(axis=None)
    table = kept.maximised
    assert (table.left - table.as_sound / table.maximised).abs().max() < 0.01


def test_what_a_record_says_follows_its_figures():
    kept = read_kernel_record()
    assert f"{len(kept.maximised)} kernels of songnet" in kept.source()
    above = (kept.maximised.maximised > kept.maximised.found).mean()
    assert kept.says_of_maximisation().startswith(f"{above:.1%} of the results")
    content = copy.deepcopy(kept.content)
    content["trained"][-1].update(purity=0.9, low=0.2, high=0.3)
    content["untrained"][-1].update(purity=0.4)
    says = KernelRecord(content).says_of_purity()
    assert "90% in conv_3 (by chance 20% to 30%)" in says
    assert "training adds +50 points in the last layer" in says


def test_a_record_is_made_of_any_run(tmp_path, monkeypatch):
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    corpus = open_corpus(str(tone_corpus(tmp_path / "tones", clips=4)), progress=False)
    run = tmp_path / "run"
    train(corpus, "songnet", "random", epochs=1, out=run, progress=False)
    maximise = maximisation.maximise
    monkeypatch.setattr(maximisation, "maximise", lambda *a, **b: maximise(*a, [0], **b))
    assert make_kernel_record(tmp_path, run, progress=False) == tmp_path / "kernels.json"
    record = read_kernel_record(tmp_path)
    assert len(record.maximised) == 3
    assert record.content["clips_not_trained_on"] < record.content["clips"] == 12
    assert "outside the training set" in record.says_of_purity()
