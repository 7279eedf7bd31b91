"""The network: its shape, its weights, its files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from toys import toy_record

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.models.building import keras
from songnet_utils.models.onnx_export import save_onnx
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import (
    LEAST_DEVIATION,
    SongNet,
    centre,
    save_keras,
    set_weights,
)
from songnet_utils.streaming.receptive_field import timeline_of
from songnet_utils.streaming.timeline import ReceptiveField
from songnet_utils.training.runs import load_songnet

SOUND = Sound()
GENRES = ("Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International")


@pytest.fixture(scope="module")
def net() -> SongNet:
    model = songnet(SOUND, GENRES, seed=3)
    random = np.random.default_rng(0)
    centre(model, random.normal(-5, 1, SOUND.n_mels), random.uniform(1.5, 3, SOUND.n_mels))
    return SongNet(model, SOUND, GENRES, name="SongNet", training_music="noise", caution="all")


def frames(count: int, seed: int = 0) -> np.ndarray:
    shape = (count, SOUND.n_mels)
    return np.random.default_rng(seed).normal(-5, 2.5, shape).astype(np.float32)


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def test_weights_are_those_of_the_paper_and_of_its_ancestor():
    # Kernels + biases of three convolutions and the dense layer.
    plain = (128 * 5 + 1) * 256 + 2 * (256 * 5 + 1) * 256 + (256 + 1) * 8
    genres = [*"ABCDEFGH"]
    assert trainable(songnet(SOUND, genres, batch_norm=False)) == plain == 822_024
    # With batch norm: four numbers a filter, two of them learnt by averaging.
    normed = songnet(SOUND, genres)
    centring = 2 * 128 + 1
    assert normed.count_params() - centring == plain + 3 * 4 * 256 == 825_096


def test_a_step_sees_36_frames_every_8(net):
    assert net.timeline.field == ReceptiveField(36, 8)


@pytest.mark.parametrize("count", [36, 43, 44, 1292])
def test_the_timeline_tells_the_number_of_steps(net, count):
    steps = net.genre_of_frames(frames(count))
    assert steps.shape == (net.timeline.steps_of_frames(count), len(GENRES))
    assert steps.dtype == np.float32
    np.testing.assert_allclose(steps.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"kernel": 3}, {"pool": 3}, {"blocks": 2}, {"batch_norm": False}]
)
def test_variants_know_their_own_timeline(changes):
    model = songnet(SOUND, GENRES, filters=4, **changes)
    field = timeline_of(model, SOUND).field
    at_least = np.asarray(model(frames(field.size)[None])["genre_over_time"])
    assert at_least.shape[1] == 1
    one_more = np.asarray(model(frames(field.size + field.stride)[None])["genre_over_time"])
    assert one_more.shape[1] == 2


def test_a_step_hears_its_receptive_field_and_nothing_else(net):
    song = frames(100)
    before = net.genre_of_frames(song)
    for step in (0, 4, len(before) - 1):
        first, stop = net.timeline.step_frames(step)
        changed = frames(100, seed=1)
        changed[first:stop] = song[first:stop]
        after = net.genre_of_frames(changed)
        np.testing.assert_array_equal(after[step], before[step])
        assert np.abs(np.delete(after - before, step, axis=0)).max(axis=1).min() > 1e-6


def test_the_genre_is_the_mean_of_the_genre_over_time(net):
    song = frames(200)
    both = net.keras_model(song[None], training=False)
    np.testing.assert_allclose(
        np.asarray(both["genre"])[0], net.genre_of_frames(song).mean(axis=0), atol=1e-6
    )
    audio = np.random.default_rng(2).normal(0, 0.1, 3 * SOUND.sample_rate).astype(np.float32)
    # Of float64 sums: a float32 mean is off by its own rounding.
    np.testing.assert_allclose(
        net.classify(audio), net.genre_over_time(audio).mean(axis=0, dtype=float), rtol=1e-6
    )


def test_centring_makes_training_frames_standard_and_spares_empty_bands(net):
    model = songnet(SOUND, GENRES, filters=4)
    song = frames(5000)
    song[:, 100:] = np.log(SOUND.floor)
    centre(model, song.mean(axis=0, dtype=float), song.std(axis=0, dtype=float))
    layer = model.get_layer("centring")
    out = layer(song[None]).numpy()[0]
    np.testing.assert_allclose(out[:, :100].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(out[:, :100].std(axis=0), 1, atol=1e-4)
    # One neper above the floor in a band that was always empty is one unit, not millions.
    louder = layer(song[None, :1] + 1.0).numpy()[0, 0]
    np.testing.assert_allclose(louder[100:], 1 / LEAST_DEVIATION, atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_layers_differ():
    first, again, other = (songnet(SOUND, GENRES, filters=128, seed=seed) for seed in (5, 5, 6))
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kernel = [np.asarray(model.get_layer("conv_2").kernel) for model in (first, other)]
    assert np.abs(kernel[0] - kernel[1]).max() > 0.01
    third = np.asarray(first.get_layer("conv_3").kernel)
    assert np.abs(kernel[0] - third).max() > 0.01


def test_weights_put_back_answer_as_before(net):
    other = SongNet(songnet(SOUND, GENRES, seed=9), SOUND, GENRES)
    set_weights(other.keras_model, net.keras_model.get_weights())
    np.testing.assert_array_equal(
        other.genre_of_frames(frames(60)), net.genre_of_frames(frames(60))
    )


def test_a_saved_network_answers_the_same_and_keeps_its_description(net, tmp_path):
    save_keras(net, tmp_path / "model.keras")
    save_onnx(net, tmp_path / "model.onnx")
    again = SongNet.of_run(tmp_path)
    np.testing.assert_array_equal(
        again.genre_of_frames(frames(300)), net.genre_of_frames(frames(300))
    )
    assert again.description() == net.description()
    assert again.timeline == net.timeline
    for one, two in zip(
        again.keras_model.get_weights(), net.keras_model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_plain_keras_reads_the_file_too(net, tmp_path):
    save_keras(net, tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    assert set(model.output_names) == {"genre", "genre_over_time"}


def test_frames_of_another_description_of_sound_are_refused(net):
    with pytest.raises(SongNetError, match=r"hop=512, .* needs .*hop=1024"):
        net.genre_over_time_of_frames(frames(60), Sound(hop=512))
    assert net.genre_over_time_of_frames(frames(60), SOUND).shape == (4, len(GENRES))


def test_too_short_a_piece_is_refused_with_the_seconds_needed(net):
    audio = np.full(SOUND.sample_rate // 10, 0.1, np.float32)
    with pytest.raises(SongNetError, match=r"needs at least 1\.63 s .* Got 0\.09 s"):
        net.genre_over_time(audio)


def test_frames_of_another_shape_are_refused(net):
    with pytest.raises(SongNetError, match=r"\(frames, 128\)"):
        net.genre_of_frames(np.zeros((60, 96), np.float32))


@pytest.mark.parametrize("genres", [["Rock"], ["Rock", "Rock"], "Rock"])
def test_fewer_than_two_genres_are_refused(genres):
    with pytest.raises(SongNetError, match="at least two different genres"):
        songnet(SOUND, genres)


def test_a_network_and_a_description_that_do_not_fit_are_refused():
    with pytest.raises(SongNetError, match="They do not match"):
        SongNet(songnet(SOUND, GENRES, filters=4), SOUND, GENRES[:3])


def test_loading_says_what_is_missing(tmp_path, net):
    with pytest.raises(SongNetError, match="no such folder"):
        load_songnet(tmp_path / "nowhere")
    with pytest.raises(SongNetError, match=r"not a finished run .* again to finish this one"):
        load_songnet(tmp_path)
    (tmp_path / "record.json").write_text(json.dumps(toy_record(model="svm")))
    with pytest.raises(SongNetError, match="svm, answers for whole clips"):
        load_songnet(tmp_path)
    (tmp_path / "record.json").write_text(json.dumps(toy_record(network={"name": "SongNet"})))
    (tmp_path / "model.onnx").write_bytes(b"no network")
    with pytest.raises(SongNetError, match="not an ONNX file, or is damaged"):
        load_songnet(tmp_path)
    save_onnx(net, tmp_path / "model.onnx")
    save_keras(net, tmp_path / "model.keras")
    whole = (tmp_path / "model.keras").read_bytes()
    for damaged in (b"no zip", whole[: len(whole) // 2]):
        (tmp_path / "model.keras").write_bytes(damaged)
        with pytest.raises(SongNetError, match=r"model\.keras: is not a network, or is damaged"):
            _ = load_songnet(tmp_path).keras_model
