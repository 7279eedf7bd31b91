"""Training does what a network's layers ask for: penalties, and randomness of every kind."""

from __future__ import annotations

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
from songnet_utils.training.fit import Trainer
from songnet_utils.training.progress import KeepProgress
from songnet_utils.training.recipe import Recipe

SOUND = Sound(sample_rate=8_000, n_fft=128, hop=64, n_mels=6)
GENRES = ("Folk", "Rock")
CLIPS = 8

# Several batches an epoch; one crop is as long as a clip.
QUICK = Recipe(epochs=3, crop_seconds=0.25, batch=3, schedule="constant")


def trainer(inner: Callable[[Any], Any], seed: int = 0) -> Trainer:
    """Return a network with the layers of `inner`, and frames that tell two genres apart."""
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

    return Trainer(
        NetworkKind(title="Toy", build=build, sound=SOUND),
        Frames(Corpus("toys", clips), frames, SOUND),  # type: ignore[arg-type]
        clips,
        pd.Series(["train"] * CLIPS + ["validation"] * 2),
        GENRES,
        recipe=QUICK,
        seed=seed,
    )


def test_a_regularizer_pulls_weights_to_zero(tmp_path):
    sizes = []
    for strength in (0, 10):
        l2 = keras.regularizers.L2(strength)
        work = trainer(lambda x, l2=l2: layers.Dense(4, kernel_regularizer=l2, name="inner")(x))
        work.fit(tmp_path / str(strength), {})
        sizes.append(np.linalg.norm(work.network.get_layer("inner").kernel))
    assert sizes[0] > sizes[1]


# Neither seeds nor initializers are given: all come from the run's seed.
RANDOM = {
    "noise": lambda x: layers.GaussianNoise(0.5)(x),
    "wrapped": lambda x: layers.TimeDistributed(layers.GaussianDropout(0.5))(x),
    "recurrent": lambda x: layers.LSTM(
        4, return_sequences=True, dropout=0.3, recurrent_dropout=0.3
    )(x),
}


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides_everything_and_stopping_changes_nothing(name, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def stop(self: KeepProgress, batch: int, logs: Any = None) -> None:
        # In the middle of the second epoch.
        if (self.crops.epoch, batch) == (1, 1):
            raise Killed

    whole, stopped, resumed, other = (trainer(RANDOM[name], seed) for seed in (0, 0, 0, 1))
    epochs = whole.fit(tmp_path / "whole", {})
    with monkeypatch.context() as patch:
        patch.setattr(KeepProgress, "on_train_batch_end", stop)
        with pytest.raises(Killed):
            stopped.fit(tmp_path / "stopped", {})
    for one, two in zip(epochs, resumed.fit(tmp_path / "stopped", {}), strict=True):
        assert {**one, "seconds": 0} == {**two, "seconds": 0}
    for one, two in zip(whole.network.get_weights(), resumed.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    other.fit(tmp_path / "other", {})
    assert not all(map(np.array_equal, whole.network.get_weights(), other.network.get_weights()))


class Trembling(keras.layers.Layer):
    """Adds noise of its own."""

    def call(self, x: Any, training: bool = False) -> Any:
        return x + keras.random.normal((4,)) if training else x


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            lambda x: Trembling(name="odd")(x),
            r"Layer odd \(Trembling\) is not one of those",
        ),
        (lambda x: layers.Dense(4, activation="mish", name="odd")(x), "odd.*activation 'mish'"),
        (lambda x: keras.Sequential([layers.Dropout(0.5)], name="odd")(x), r"odd \(Sequential\)"),
    ],
    ids=["a layer of one's own", "activation", "nested"],
)
def test_what_could_not_be_used_after_training_is_refused_before_it(more, message):
    with pytest.raises(SongNetError, match=message):
        trainer(more)
