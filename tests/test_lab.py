"""Every network of the lab: causal, streamable, kept whole, and trained on one path."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from lab_networks import GENRES, build, clips, shared
from networks import asked_in_pieces
from toys import tone_corpus

from songnet_utils._utils.errors import SongNetError
from songnet_utils.corpora import Corpus, open_corpus
from songnet_utils.corpora.splits import split
from songnet_utils.corpora.table import table
from songnet_utils.features.metadata import (
    COLUMNS,
    NUMBERS,
    encode,
    encoder_from_bytes,
    encoder_to_bytes,
    fit_encoder,
    metadata,
    unknown,
)
from songnet_utils.features.store import LogMelStore
from songnet_utils.models.building import keras
from songnet_utils.models.onnx_export import save_onnx, save_stream
from songnet_utils.models.onnx_network import read_description
from songnet_utils.models.registry import NETWORKS, ablation, network_kind
from songnet_utils.models.trained import SongNet, save_keras
from songnet_utils.models.transfer import EMBEDDING, load_musicnn
from songnet_utils.training import progress as training_progress
from songnet_utils.training.data import mask
from songnet_utils.training.fit import Trainer
from songnet_utils.training.recipe import Recipe, recipe_of
from songnet_utils.training.runs import load_songnet, read_answers, read_record
from songnet_utils.training.train import train

pytestmark = pytest.mark.usefixtures("data")


@pytest.fixture(scope="module", params=list(NETWORKS))
def net(request) -> SongNet:
    return shared(request.param)


def frames_for(net: SongNet, count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.normal(-5, 3, (count, net.sound.n_mels)).astype(np.float32)


def streamed(net: SongNet, frames: np.ndarray, pieces: list[int]) -> np.ndarray:
    stepper = net.stepper()
    parts = np.split(frames, np.cumsum(pieces)[:-1])
    return np.concatenate([stepper.push(part) for part in parts])


def test_a_network_gives_a_row_of_probabilities_for_each_step_of_its_timeline(net):
    frames = frames_for(net, 260)
    over_time = net.genre_of_frames(frames)
    assert over_time.shape == (net.timeline.steps_of_frames(260), 3)
    assert over_time.sum(axis=1) == pytest.approx(1, abs=1e-5)
    # Something was heard: it does not say the same all the time.
    assert np.ptp(over_time, axis=0).max() > 1e-4
    embedding = net.embedding_of_frames(frames)
    assert embedding.shape[0] == len(over_time)


def test_heard_in_pieces_a_network_answers_the_same(net):
    frames = frames_for(net, 300)
    whole = net.genre_of_frames(frames)
    for pieces in ([300], [1] * 300, [7, 200, 1, 92]):
        found = streamed(net, frames, pieces)
        assert found.shape == whole.shape
        assert np.abs(found - whole).max() < 1e-5


def test_what_comes_later_changes_no_step_that_is_decided(net):
    frames = frames_for(net, 300)
    changed = frames.copy()
    changed[250:] = frames_for(net, 50, seed=9)
    pieces = [50] * 6
    one, other = streamed(net, frames, pieces), streamed(net, changed, pieces)
    decided = [k for k in range(len(one)) if net.timeline.step_frames(k)[1] <= 250]
    assert decided
    assert (one[decided] == other[decided]).all()
    assert (one[len(decided) :] != other[len(decided) :]).any()


def test_a_saved_network_answers_the_same_and_exports_to_onnx(net, tmp_path):
    save_keras(net, tmp_path / "model.keras")
    save_onnx(net, tmp_path / "model.onnx")
    again = SongNet.of_run(tmp_path)
    frames = frames_for(net, 220)
    whole = net.genre_of_frames(frames)
    assert (again.genre_of_frames(frames) == whole).all()
    assert again.timeline == net.timeline
    assert (again.genres, again.name) == (net.genres, net.name)

    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = [value.name for value in session.get_outputs()]
    given = {"log_mel": frames[None]}
    if net.encoder is not None:
        given["metadata"] = encode(net.encoder, unknown())
    found = dict(zip(names, session.run(None, given), strict=True))
    assert np.abs(found["genre_over_time"][0] - whole).max() < 1e-5
    assert np.abs(found["genre"][0] - whole.mean(axis=0)).max() < 1e-5


def test_the_page_gets_the_whole_songs_steps_from_the_onnx_files(net, tmp_path):
    """Asked for a few steps at a time: a recurrent network's stream.onnx, else model.onnx."""
    if net.encoder is not None:
        pytest.skip("the page offers no network that takes metadata")
    save_onnx(net, tmp_path / "model.onnx")
    save_stream(net, tmp_path / "stream.onnx")
    stream = tmp_path / "stream.onnx"
    assert stream.exists() == math.isinf(net.timeline.field.past)
    path = stream if stream.exists() else tmp_path / "model.onnx"
    field, session = read_description(path).timeline.field, onnxruntime.InferenceSession(path)
    frames, random = frames_for(net, 700), np.random.default_rng(2)
    found = asked_in_pieces(session, field, frames, lambda: int(random.integers(1, 12)))
    assert np.abs(found - net.genre_of_frames(frames)).max() < 1e-5


def test_the_same_seed_builds_the_same_network_and_another_another():
    for name, kind in NETWORKS.items():
        columns = {"columns": 9} if kind.metadata else {}

        def fresh(seed: int, kind=kind, columns=columns) -> list[np.ndarray]:
            return kind.build(
                kind.sound, GENRES, seed=seed, **kind.options, **columns
            ).get_weights()

        one, same, other = fresh(1), fresh(1), fresh(2)
        assert all((a == b).all() for a, b in zip(one, same, strict=True)), name
        assert any((a != b).any() for a, b in zip(one, other, strict=True)), name


def test_every_part_of_a_network_changes_something():
    for name, kind in NETWORKS.items():
        base, *others = ablation(name)
        assert base == name
        assert len(others) == len(kind.parts) + len(kind.extras)
        for other in others:
            less = network_kind(other)
            assert less.title != kind.title
            different = less.options != kind.options
            assert different or recipe_of(other) != recipe_of(name), other
            fresh = less.build(less.sound, GENRES, **less.options)
            assert SongNet(fresh, less.sound, GENRES).timeline.steps_of_frames(2000) > 0
    both = network_kind("songnet~batch-norm~dropout")
    assert both.options == {"batch_norm": False, "dropout": 0.0}


def test_an_unknown_network_or_part_is_named():
    with pytest.raises(SongNetError, match=r"A model is one of songnet, .* Got 'song'"):
        network_kind("song")
    with pytest.raises(SongNetError, match=r"songnet has no part 'wheels'.* batch-norm"):
        network_kind("songnet~wheels")


# --- What is known of a song ------------------------------------------------------------------


def test_an_encoder_knows_training_clips_only():
    known = metadata(clips())
    assert list(known.columns) == list(COLUMNS)
    trained = known.iloc[:20]
    encoder = fit_encoder(trained)
    numbers = encode(encoder, trained)
    assert numbers[:, :3].mean(axis=0) == pytest.approx(0, abs=1e-5)
    # Clips that it was not fitted on change nothing of how the others are encoded.
    changed = known.copy()
    changed.loc[changed.index[20:], "year"] = 1
    assert (encode(encoder, changed)[:20] == numbers).all()
    assert (encode(fit_encoder(changed.iloc[:20]), changed)[:20] == numbers).all()


def test_the_artists_name_is_not_told():
    known = metadata(clips())
    renamed = known.assign(artist=[f"other {number}" for number in range(len(known))])
    assert (encode(fit_encoder(known), known) == encode(fit_encoder(renamed), renamed)).all()


def test_what_is_missing_is_filled_and_said_to_be_missing():
    known = metadata(clips())
    encoder = fit_encoder(known)
    first, others = encode(encoder, known.iloc[:1])[0], encode(encoder, known.iloc[1:])
    told = [column for column in range(len(first)) if (first[column] != others[:, column]).all()]
    # The first clip's favourites are not known; no other clip lacks anything.
    assert len(told) >= 1
    assert np.isfinite(encode(encoder, unknown())).all()


def test_a_place_that_was_not_trained_on_is_like_no_place_in_particular():
    known = metadata(clips())
    encoder = fit_encoder(known)
    somewhere = known.iloc[:1].assign(place="Atlantis")
    nowhere = known.iloc[:1].assign(place="Mu")
    assert (encode(encoder, somewhere) == encode(encoder, nowhere)).all()


def test_an_encoder_comes_back_as_it_was_and_anything_else_is_refused():
    known = metadata(clips())
    encoder = fit_encoder(known)
    again = encoder_from_bytes(encoder_to_bytes(encoder))
    assert (encode(again, known) == encode(encoder, known)).all()
    with pytest.raises(ValueError, match="cannot be read"):
        encoder_from_bytes(b"no encoder")


def test_a_network_that_is_told_more_answers_otherwise_and_alone_as_if_told_nothing():
    net = build("songnet-meta")
    frames = frames_for(net, 100)
    alone = net.genre_of_frames(frames)
    told = net.with_metadata(clips().iloc[[3]])
    assert np.abs(told.genre_of_frames(frames) - alone).max() > 1e-4
    nothing = clips().iloc[[3]].assign(location=None, **{name: np.nan for name in NUMBERS})
    assert (net.with_metadata(nothing).genre_of_frames(frames) == alone).all()
    assert np.abs(streamed(told, frames, [3, 97]) - told.genre_of_frames(frames)).max() < 1e-5
    assert build("songnet").with_metadata(clips().iloc[[3]]).encoder is None


# --- musicnn's embedding ----------------------------------------------------------------------


def test_songnet_transfer_answers_from_the_embedding_of_musicnn():
    net, musicnn = build("songnet-transfer"), load_musicnn()
    assert (net.sound, net.timeline) == (musicnn.sound, musicnn.timeline)
    frames = frames_for(net, 900)
    embedding = musicnn.embedding_of_frames(frames)
    assert embedding.shape == (net.timeline.steps_of_frames(900), EMBEDDING)
    expected = np.array(net.keras_model(embedding[None])["genre_over_time"])[0]
    assert np.abs(net.genre_of_frames(frames) - expected).max() < 1e-5
    assert (net.embedding_of_frames(frames) == embedding).all()


# --- Training ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tones(tmp_path_factory) -> Corpus:
    return open_corpus(tone_corpus(tmp_path_factory.mktemp("corpora") / "tones", seconds=4))


@pytest.fixture(scope="module")
def told_tones(tones) -> Corpus:
    """The same, with something known of each clip."""
    years = {"High": 1990, "Low": 2005, "Noise": 2015}
    told = tones.clips.assign(
        year=pd.array([years[genre] for genre in tones.clips.genre], "Int64"),
        duration=np.random.default_rng(0).uniform(100, 300, len(tones.clips)),
    )
    return dataclasses.replace(tones, clips=told)


@pytest.mark.parametrize("name", [n for n, kind in NETWORKS.items() if not kind.on_musicnn])
def test_every_network_trains_on_the_same_path(told_tones, tmp_path, name):
    folder = train(
        told_tones,
        model=name,
        out=tmp_path / "run",
        recipe=dataclasses.replace(recipe_of(name), epochs=2, crop_seconds=2.0, batch=8),
        progress=False,
    )
    record = read_record(folder)
    assert record["model"] == name
    assert len(record["epochs"]) == 2
    net = load_songnet(folder)
    assert record["network"]["weights"] == net.keras_model.count_params()
    # What the record says was heard is what the saved network says of a whole clip.
    answers = read_answers(folder).set_index("id")
    prepared = LogMelStore().prepare(told_tones, progress=False)
    clip = told_tones.clips.iloc[[7]]
    heard = net.with_metadata(clip).genre_of_frames(prepared.frames(clip.id.iloc[0])).mean(axis=0)
    said = answers.loc[clip.id.iloc[0], [f"p_{genre}" for genre in net.genres]]
    assert np.abs(heard - said.to_numpy(float)).max() < 1e-5


def test_what_is_known_settles_what_cannot_be_heard(tmp_path):
    """Two genres of the same noise, of different years: only one of the networks can tell."""
    noise = open_corpus(tone_corpus(tmp_path / "noise", ["Noise"], clips=40))
    genres = ["Early", "Late"] * 20
    years = [1970 if genre == "Early" else 2010 for genre in genres]
    told = noise.clips.assign(genre=genres, year=pd.array(years, "Int64"))
    corpus = dataclasses.replace(noise, clips=told)
    recipe = Recipe(epochs=8, crop_seconds=2.0, batch=8)
    accuracies = {
        name: read_record(
            train(corpus, model=name, out=tmp_path / name, recipe=recipe, progress=False)
        )["test"]["accuracy"]
        for name in ("songnet", "songnet-meta")
    }
    assert accuracies["songnet-meta"] == 1
    assert accuracies["songnet"] < 1


def test_a_corpus_without_metadata_is_refused_with_the_way_out(tones, tmp_path):
    # Of a folder's clips the bit rate is known.
    bare = dataclasses.replace(tones, clips=table(tones.clips.drop(columns=list(NUMBERS))))
    with pytest.raises(SongNetError, match=r"no metadata.*Train songnet instead"):
        train(bare, model="songnet-meta", out=tmp_path, epochs=1, progress=False)


STRONG = Recipe(
    epochs=3,
    crop_seconds=2.0,
    batch=8,
    schedule="cosine",
    weight_decay=1e-2,
    mixup=0.3,
    masked_bands=10,
    masked_seconds=0.3,
    averaging=0.8,
)


def test_a_strong_run_stopped_anywhere_goes_on_to_the_same_end(tones, tmp_path, monkeypatch):
    """With a cosine, averaged weights, mixup and masks."""
    options = {"recipe": STRONG, "progress": False, "model": "songnet-plus"}
    whole = train(tones, out=tmp_path / "whole", **options)
    begin = training_progress.KeepProgress.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(training_progress.KeepProgress, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            train(tones, out=tmp_path / "stopped", **options)
    again = train(tones, out=tmp_path / "stopped", **options)
    pairs = zip(
        load_songnet(whole).keras_model.get_weights(),
        load_songnet(again).keras_model.get_weights(),
        strict=True,
    )
    assert all((a == b).all() for a, b in pairs)
    rates = [epoch["learning_rate"] for epoch in read_record(again)["epochs"]]
    assert rates == [epoch["learning_rate"] for epoch in read_record(whole)["epochs"]]
    # It rises from a third in the first epoch, then falls along the cosine to the least.
    assert rates == pytest.approx([1e-3 / 3, 1e-3, (1e-3 + 1e-5) / 2], rel=1e-5)


def trainer(corpus: Corpus, **recipe) -> Trainer:
    log_mels = LogMelStore().prepare(corpus, progress=False)
    clips = log_mels.clips
    return Trainer(
        network_kind("songnet"),
        log_mels,
        clips,
        split(clips, "random", 0),
        sorted(clips.genre.unique()),
        recipe=Recipe(crop_seconds=2.0, batch=8, **recipe),
    )


def test_mixed_clips_have_mixed_labels(tones):
    crops = trainer(tones, mixup=0.3).crops
    mixed = np.concatenate([targets for _, targets in crops])
    assert mixed.sum(axis=1) == pytest.approx(1)
    # At most two genres in a crop, and somewhere two.
    assert ((mixed > 1e-6).sum(axis=1) <= 2).all()
    assert ((mixed > 1e-6).sum(axis=1) == 2).any()


def test_every_epoch_has_all_clips_in_another_order(tones):
    crops = trainer(tones).crops
    first = [x["log_mel"] for x, _ in crops]
    assert sum(map(len, first)) == len(crops.clips)
    crops.epoch = 1
    assert not np.array_equal(first[0], crops[0][0]["log_mel"])
    crops.epoch = 0
    assert np.array_equal(first[0], crops[0][0]["log_mel"])


def test_the_average_of_the_weights_is_what_is_kept(tones, tmp_path):
    """The average after the first step is the weights; each step moves it by a quarter."""
    work = trainer(tones, averaging=0.75, epochs=1, schedule="constant")
    steps, kernel = [], work.network.get_layer("conv_1").kernel

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(np.array(kernel))

    stop = work.model.fit
    work.model.fit = lambda *given, callbacks, **options: stop(
        *given, callbacks=[*callbacks, Steps()], **options
    )
    work.fit(tmp_path, {})
    average = steps[0]
    for step in steps[1:]:
        average = 0.75 * average + 0.25 * step
    assert len(steps) == 3
    assert np.array(kernel) == pytest.approx(average, abs=1e-6)


def test_weight_decay_spares_biases(tones):
    model = trainer(tones, weight_decay=0.5).model
    decayed = {
        variable.path
        for variable in model.trainable_variables
        if model.optimizer._use_weight_decay(variable)
    }
    assert all(path.endswith("kernel") for path in decayed)
    assert decayed


def test_masks_are_stripes_of_the_mean_frame():
    rows = np.ones((4, 50, 20), np.float32)
    mean = np.arange(20, dtype=np.float32) + 5
    mask(rows, mean, 6, 9, np.random.default_rng(0))
    for piece in rows:
        changed = piece != 1
        assert (piece[changed] == np.broadcast_to(mean, piece.shape)[changed]).all()
        whole_bands, whole_rows = changed.all(axis=0), changed.all(axis=1)
        # Nothing but whole bands and whole rows, never more than two stripes of each.
        assert (changed == (whole_bands[None, :] | whole_rows[:, None])).all()
        assert whole_bands.sum() <= 12
        assert whole_rows.sum() <= 18
    assert (rows != 1).any()


def test_a_schedule_that_ends_keeps_the_last_weights(tones, tmp_path):
    work = trainer(tones, epochs=3, schedule="cosine")
    last = []

    class Last(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            last[:] = work.network.get_weights()

    fit = work.model.fit
    work.model.fit = lambda *given, callbacks, **options: fit(
        *given, callbacks=[*callbacks, Last()], **options
    )
    work.fit(tmp_path, {})
    assert all((a == b).all() for a, b in zip(last, work.network.get_weights(), strict=True))


def test_a_loss_that_is_no_number_is_said_with_the_way_out(tones, tmp_path):
    recipe = Recipe(epochs=3, crop_seconds=2.0, learning_rate=1e30)
    with pytest.raises(SongNetError, match=r"not a number.*--force.*lower\s+learning rate"):
        train(tones, out=tmp_path, model="songnet~batch-norm", recipe=recipe, progress=False)


def test_transfer_learns_in_seconds(shared_fma, tmp_path, monkeypatch):
    """On a handful of real songs; what is saved holds musicnn."""
    monkeypatch.setenv("SONGNET_DATA", str(tmp_path / "data"))
    corpus = open_corpus(str(shared_fma), progress=False)
    some = corpus.clips[corpus.clips.genre.isin(["Folk", "Rock"])].groupby("genre").head(5)
    few = dataclasses.replace(corpus, clips=some.reset_index(drop=True))
    folder = train(few, model="songnet-transfer", out=tmp_path / "run", progress=False)
    record = read_record(folder)
    assert record["seconds_to_fit"] < 60
    assert record["sound"] == (network_kind("songnet-transfer").sound.to_dict())
    net = load_songnet(folder)
    from songnet_utils.audio import load_audio

    clip = few.clips.iloc[0]
    said = read_answers(folder).set_index("id").loc[clip.id]
    heard = net.classify(load_audio(clip.file, net.sound.sample_rate))
    for genre, probability in zip(net.genres, heard, strict=True):
        assert probability == pytest.approx(said[f"p_{genre}"], abs=1e-4)
