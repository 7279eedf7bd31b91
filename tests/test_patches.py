"""A network applied to patches, fed in pieces: what it makes of all frames at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from networks import used

from songnet_utils.streaming.patches import Patches, PatchStream, PerPatch

BANDS = 4


def layer(patch: int, stride: int) -> Any:
    """Return a network that cuts patches of the frames, and of what a convolution makes of them."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    frames = keras.Input((None, BANDS), name="log_mel")
    x = layers.BatchNormalization()(layers.Rescaling(0.5)(frames))
    ends = layers.Dense(3)(layers.Flatten()(Patches(patch, stride)(x)))
    rows = Patches(patch - 2, stride)(layers.Conv1D(3, 3, activation="relu")(x))
    rows = layers.Concatenate()([ends, layers.GlobalMaxPooling1D()(rows)])
    return PerPatch(used(keras.Model(frames, layers.Dense(2)(rows))), patch, stride)


# Each example traces a network; looking for the smallest that fails would take minutes.
@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    patch=st.integers(3, 9),
    stride=st.integers(1, 3),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=20),
)
@example(patch=9, stride=2, sizes=[1] * 40)
@example(patch=5, stride=1, sizes=[80])
def test_any_pieces_give_the_same(patch, stride, sizes):
    network = layer(patch, stride)
    frames = np.random.default_rng(sum(sizes)).normal(size=(sum(sizes), BANDS)).astype(np.float32)
    pieces = np.split(frames, np.cumsum(sizes)[:-1])
    stream = PatchStream(network)
    steps = [stream.push(piece) for piece in pieces]
    complete = [max(0, (count - patch) // stride + 1) for count in np.cumsum(sizes).tolist()]
    # Each patch as soon as it is complete.
    assert [len(each) for each in steps] == np.diff(complete, prepend=0).tolist()
    if complete[-1]:
        np.testing.assert_allclose(np.concatenate(steps), network(frames[None])[0], atol=1e-5)
    assert len(stream._frames) < patch + stride

    # What is in no patch that is complete changes no bit of it.
    turn = len(sizes) // 2
    other = [*pieces[:turn], *(piece + 1 for piece in pieces[turn:])]
    again = PatchStream(network)
    changed = [again.push(piece) for piece in other]
    for before, after in zip(steps[:turn], changed[:turn], strict=True):
        assert before.tobytes() == after.tobytes()
