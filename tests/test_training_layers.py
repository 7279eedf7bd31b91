"""Training does what a network's layers ask for: penalties, and randomness of every kind."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toys import Frames

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio.sound import Sound
from songnet_utils.corpora import Corpus, table
from songnet_utils.models.building import Draw, begin, end, keras, layers
from songnet_utils.models.registry import NetworkKind
from songnet_utils.models.trained import weights_of
from songnet_utils.training.fit import PROGRESS, Learning, Material, Recipe, reseed

SOUND = Sound(sample_rate=8_000, n_fft=128, hop=64, n_mels=6)
GENRES = ("Folk", "Rock")
CLIPS = 8

# Several batches an epoch; one crop is as long as a clip.
QUICK = Recipe(epochs=3, crop_seconds=0.25, batch=3, schedule="constant")
# The whole of the training set in one plain step of gradient descent.
ONE_STEP = Recipe(epochs=1, crop_seconds=0.25, batch=CLIPS, schedule="constant", learning_rate=0.1)


def material(inner: Callable[[Any], Any], seed: int = 0) -> Material:
    """Return frames that tell two genres, and a network with the layers of `inner`."""
    draws = np.random.default_rng(5)
    clips = table(
        {"id": str(number), "file": f"/{number}", "genre": GENRES[number % 2]}
        for number in range(CLIPS + 2)
    )
    frames = {
        clip: draws.normal(-5 + (genre == "Rock"), 2, (32, SOUND.n_mels)).astype(np.float32)
        for clip, genre in zip(clips.id, clips.genre, strict=True)
    }

    def build(sound: Sound, genres: Any, *, seed: int = 0) -> keras.Model:
        given, x = begin(sound.n_mels, genres)
        return end(given, inner(x), genres, Draw(seed), "toy")

    return Material(
        kind=NetworkKind(title="Toy", summary="small", build=build, sound=SOUND),
        prepared=Frames(Corpus("toys", clips), frames, SOUND),  # type: ignore[arg-type]
        clips=clips,
        sets=pd.Series(["train"] * CLIPS + ["validation"] * 2),
        genres=GENRES,
        seed=seed,
    )


def learnt(given: Material, folder: Any, recipe: Recipe = QUICK, *, sgd: bool = False) -> Learning:
    """Return a network after its training."""
    learning = Learning(given, recipe, folder, {})
    if sgd:
        learning.optimizer = keras.optimizers.SGD(recipe.learning_rate)
        learning.optimizer.build(learning.model.trainable_variables)
    learning.go_on(progress=False)
    return learning


def kernel(learning: Learning) -> np.ndarray:
    return learning.model.get_layer("inner").kernel.numpy()


# --- Penalties ------------------------------------------------------------------------------------


def inner(x: Any, **options: Any) -> Any:
    start = keras.initializers.GlorotUniform(seed=1)
    return layers.Dense(4, kernel_initializer=start, name="inner", **options)(x)


def test_weight_decay_by_a_regularizer_pulls_weights_to_zero(tmp_path):
    plain = learnt(material(inner), tmp_path / "plain")
    pulled = learnt(material(lambda x: inner(x, kernel_regularizer="l2")), tmp_path / "pulled")
    strong = keras.regularizers.L2(10)
    hard = learnt(material(lambda x: inner(x, kernel_regularizer=strong)), tmp_path / "hard")
    sizes = [np.linalg.norm(kernel(one)) for one in (plain, pulled, hard)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_one_step_with_a_regularizer_by_hand(tmp_path):
    """The gradient of λ·Σw² is 2λw; the loss of the epoch has λ·Σw² more."""
    start = kernel(Learning(material(inner), ONE_STEP, tmp_path / "start", {}))
    with_l2 = material(lambda x: inner(x, kernel_regularizer=keras.regularizers.L2(0.5)))
    plain, pulled = (
        learnt(given, tmp_path / name, ONE_STEP, sgd=True)
        for name, given in (("plain", material(inner)), ("pulled", with_l2))
    )
    np.testing.assert_allclose(
        kernel(pulled) - kernel(plain), -0.1 * 2 * 0.5 * start, atol=1e-6, rtol=0
    )
    (one,), (other,) = plain.state.epochs, pulled.state.epochs
    assert other["loss"] - one["loss"] == pytest.approx(0.5 * np.square(start).sum(), rel=1e-4)
    # What chooses the best epoch is how sure the network is of the right genre, and nothing else.
    answers = pulled.answers(["8", "9"])
    assert other["validation_loss"] == pytest.approx(-np.log(answers[[0, 1], [0, 1]]).mean())


class Added(layers.Dense):
    """Adds the squares of what it gives to the loss, a tensor and no number."""

    def call(self, x: Any) -> Any:
        made = super().call(x)
        self.add_loss(keras.ops.square(made))
        return made


@pytest.mark.parametrize(
    "more",
    [
        lambda l2: layers.ActivityRegularization(l2=1.0 if l2 else 0.0),
        lambda l2: layers.Dense(4, activity_regularizer=l2),
        lambda l2: layers.Dense(4, bias_regularizer=l2, bias_initializer="ones"),
        lambda l2: layers.LSTM(4, return_sequences=True, recurrent_regularizer=l2),
        lambda l2: layers.TimeDistributed(layers.Dense(4, kernel_regularizer=l2)),
        lambda l2: layers.BatchNormalization(gamma_regularizer=l2),
        lambda l2: (Added if l2 else layers.Dense)(4),
    ],
    ids=["activity", "of a layer", "bias", "recurrent", "wrapped", "batch norm", "add_loss"],
)
def test_every_kind_of_penalty_changes_what_is_learnt(more, tmp_path):
    """The same network without its penalty learns other weights and has a smaller loss."""
    one, other = (
        learnt(material(lambda x, l2=l2: more(l2)(inner(x))), tmp_path / name, ONE_STEP, sgd=True)
        for name, l2 in (("with", "l2"), ("without", None))
    )
    assert one.state.epochs[0]["loss"] > other.state.epochs[0]["loss"]
    assert not all(map(np.array_equal, weights_of(one.model), weights_of(other.model)))


# --- Randomness -----------------------------------------------------------------------------------


def recurrent(kind: Any) -> Callable[[Any], Any]:
    # Neither seeds nor initializers are given: all come from the run's seed.
    return lambda x: kind(4, return_sequences=True, dropout=0.3, recurrent_dropout=0.3)(x)


RANDOM = {
    "GaussianNoise": lambda x: layers.GaussianNoise(0.5)(x),
    "GaussianDropout": lambda x: layers.GaussianDropout(0.4)(x),
    "AlphaDropout": lambda x: layers.AlphaDropout(0.4)(x),
    "SpatialDropout1D": lambda x: layers.SpatialDropout1D(0.4)(x),
    "wrapped": lambda x: layers.TimeDistributed(layers.GaussianNoise(0.5))(x),
    "LSTM": recurrent(layers.LSTM),
    "GRU": recurrent(layers.GRU),
    # What is measured in training is kept with what is learnt.
    "BatchNormalization": lambda x: layers.BatchNormalization()(layers.Dense(4)(x)),
}


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides_everything_and_stopping_changes_nothing(name, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    batches = itertools.count(1)

    def stop(*_: Any) -> None:
        # In the middle of the second epoch.
        if next(batches) == 4:
            raise Killed

    whole = learnt(material(RANDOM[name]), tmp_path / "whole")
    other = learnt(material(RANDOM[name], seed=1), tmp_path / "other")
    with monkeypatch.context() as patch:
        patch.setattr("songnet_utils.training.fit.tqdm.update", stop)
        with pytest.raises(Killed):
            learnt(material(RANDOM[name]), tmp_path / "stopped")
    resumed = learnt(material(RANDOM[name]), tmp_path / "stopped")
    for one, two in zip(weights_of(whole.model), weights_of(resumed.model), strict=True):
        np.testing.assert_array_equal(one, two)
    assert [each["loss"] for each in whole.state.epochs] == [
        each["loss"] for each in resumed.state.epochs
    ]
    assert not all(map(np.array_equal, weights_of(whole.model), weights_of(other.model)))


class Trembling(keras.layers.Layer):
    """Adds noise from generators of its own, kept in a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.generators = [keras.random.SeedGenerator() for _ in range(2)]

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        return x + sum(keras.random.normal((4,), seed=each) for each in self.generators)


@pytest.mark.parametrize(
    "part",
    [
        lambda: Trembling(),
        lambda: keras.Sequential([keras.Sequential([layers.Dropout(0.5)])]),
        lambda: layers.Bidirectional(layers.LSTM(4, recurrent_dropout=0.5)),
        lambda: layers.RNN([layers.GRUCell(4, dropout=0.5), layers.LSTMCell(4, dropout=0.5)]),
        lambda: layers.RandomContrast(0.9),
    ],
    ids=["own", "nested", "both ways", "cells", "preprocessing"],
)
def test_every_generator_in_a_network_is_set_however_deep_it_is(part):
    given = keras.Input((8, 4, 4)[-3 if "Contrast" in type(part()).__name__ else -2 :])
    model = keras.Model(given, part()(given))
    frames = np.random.default_rng(0).random((3, *given.shape[1:])).astype(np.float32)

    def answer(seed: int) -> np.ndarray:
        reseed(model, np.random.default_rng(seed))
        return np.asarray(model(frames, training=True))

    first, other, again = answer(0), answer(1), answer(0)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_building_a_network_leaves_pythons_own_randomness_alone(tmp_path):
    random.seed(7)
    expected = random.random()
    random.seed(7)
    Learning(material(RANDOM["LSTM"]), QUICK, tmp_path, {})
    assert random.random() == expected


# --- What cannot be used afterwards ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            lambda x: Trembling(name="odd")(x),
            r"Layer odd \(Trembling\): how far it sees in time is not",
        ),
        (lambda x: layers.Dense(4, activation="mish", name="odd")(x), "odd.*activation 'mish'"),
        (lambda x: keras.Sequential([layers.Dropout(0.5)], name="odd")(x), r"odd \(Sequential\)"),
    ],
    ids=["a layer of one's own", "activation", "nested"],
)
def test_what_could_not_be_used_after_training_is_refused_before_it(more, message, tmp_path):
    with pytest.raises(SongNetError, match=message):
        Learning(material(more), QUICK, tmp_path, {})
    assert not (tmp_path / PROGRESS).exists()
