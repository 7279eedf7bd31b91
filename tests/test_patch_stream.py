"""A network that hears patches, fed in pieces: what it makes of all frames at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from networks import used

from songnet_utils._utils.errors import SongNetError
from songnet_utils.streaming.patch_stream import PatchStream
from songnet_utils.streaming.patches import Patches

BANDS = 4


def network(patch: int, stride: int, kernels: list[int], seed: int = 0) -> Any:
    """Return a network that cuts what convolutions of these sizes make of the frames, each apart.

    A patch's first and last frame are heard besides, as those of the listener are.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    frames = keras.Input((None, BANDS), name="log_mel")
    x = layers.BatchNormalization()(layers.Rescaling(0.5)(frames))
    ends = layers.Flatten()(Patches(patch, stride)(x))
    parts = [layers.Dense(3)(ends)]
    for kernel in kernels:
        rows = layers.Conv1D(3, kernel, activation="relu")(x)
        rows = Patches(patch - kernel + 1, stride)(rows)
        parts += [layers.GlobalMaxPooling1D()(rows), layers.GlobalAveragePooling1D()(rows)]
    made = layers.Dense(2)(layers.Concatenate()(parts) if len(parts) > 1 else parts[0])
    return used(keras.Model(frames, made), seed)


# Each example traces a network; looking for the smallest that fails would take minutes.
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    patch=st.integers(3, 9),
    stride=st.integers(1, 12),
    kernels=st.lists(st.integers(1, 3), max_size=2),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=20),
)
@example(patch=9, stride=2, kernels=[3, 1], sizes=[1] * 40)
@example(patch=3, stride=11, kernels=[2], sizes=[1, 2, 0, 4, 30, 1, 1, 1, 25])
@example(patch=5, stride=1, kernels=[2], sizes=[80])
def test_any_pieces_give_the_same(patch, stride, kernels, sizes):
    model = network(patch, stride, kernels)
    frames = np.random.default_rng(sum(sizes)).normal(size=(sum(sizes), BANDS)).astype(np.float32)
    pieces = np.split(frames, np.cumsum(sizes)[:-1])
    stream = PatchStream(model, patch, stride)
    made = [stream.push(piece) for piece in pieces]
    heard = np.cumsum(sizes)
    complete = [max(0, (count - patch) // stride + 1) for count in heard.tolist()]
    # Each patch as soon as it is complete.
    assert [len(each) for each in made] == np.diff(complete, prepend=0).tolist()
    if complete[-1]:
        np.testing.assert_allclose(np.concatenate(made), model(frames[None]), atol=1e-5)

    # What is in no patch that is complete changes no bit of it.
    turn = len(sizes) // 2
    other = [*pieces[:turn], *(piece + 1 for piece in pieces[turn:])]
    again = PatchStream(model, patch, stride)
    changed = [again.push(piece) for piece in other]
    for before, after in zip(made[:turn], changed[:turn], strict=True):
        assert before.tobytes() == after.tobytes()


def test_it_keeps_no_more_than_coming_patches_need():
    stream = PatchStream(network(9, 3, [3, 1]), 9, 3)
    frames = np.zeros((3, BANDS), np.float32)
    for _ in range(50):
        stream.push(frames)
        # A patch less a stride; the longest kernel's new rows see two frames before them.
        assert len(stream._frames) <= 9
        assert max(rows.shape[1] for rows in stream._rows) <= 9


def test_rows_that_see_frames_of_another_patch_are_refused():
    import keras
    from keras import layers

    frames = keras.Input((None, BANDS), name="log_mel")
    wide = Patches(8, 2)(layers.Conv1D(3, 3)(frames))
    model = keras.Model(frames, layers.Dense(2)(layers.Flatten()(wide)), name="wide")
    with pytest.raises(SongNetError, match=r"wide: cuts patches of 8 rows where the 9 frames .* 7"):
        PatchStream(model, 9, 2)
