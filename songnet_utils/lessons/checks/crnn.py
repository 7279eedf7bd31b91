"""Checks of lesson 4, the C-RNN: weights, receptive fields, losses, time, and sure figures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from songnet_utils.audio.sound import Sound
from songnet_utils.lessons.checks.questions import Function, Mistake, Number, Question, exercise
from songnet_utils.metrics.accuracy import wilson_interval
from songnet_utils.models.paper import songnet
from songnet_utils.models.trained import SongNet
from songnet_utils.streaming.receptive_field import timeline_of


@exercise
def weights_of_conv_2(sound: Sound, genres: Sequence[str]) -> Question:
    """Ask how many weights the network's second convolution has: a whole number.

    Parameters
    ----------
    sound : Sound
        The description of sound.
    genres : sequence of str
        What the network tells apart.
    """
    network = songnet(sound, list(genres))
    first, second = (network.get_layer(f"conv_{number}") for number in (1, 2))
    frames, channels, kernels = second.kernel.shape
    return Number(
        truth=second.count_params(),
        tolerance=0.5,
        mistakes=[
            Mistake(frames * channels * kernels, "Each kernel has one weight more: its bias."),
            Mistake(
                first.count_params(),
                "So many has the first convolution, whose inputs are the mel bands. The second "
                "one's are what comes out of the first block.",
            ),
            Mistake(
                frames * kernels + kernels,
                "So many it would be if each kernel saw one channel. It is as tall as all of them.",
            ),
            Mistake(frames * channels + 1, "So many has *one* of its kernels."),
        ],
        praise=f"{frames} × {channels} inputs and a bias, {kernels} times.",
        hint="A kernel of the second convolution has a weight for each of its frames and each "
        "channel that comes out of the first block, and a bias. How many kernels are there?",
    )


@exercise
def wider_kernels(frames: int, sound: Sound) -> Question:
    """Ask how many frames a step sees when the kernels are wider: a whole number.

    Parameters
    ----------
    frames : int
        How many frames wide each of the three convolutions is.
    sound : Sound
        The description of sound.
    """

    def seen(kernel: int) -> int:
        return timeline_of(songnet(sound, ["a", "b"], kernel=kernel, filters=1), sound).field.size

    # What comes of forgetting this or that: (kernel − 1) · distance, + 1 for each pooling.
    return Number(
        truth=seen(frames),
        tolerance=0.1,
        mistakes=[
            Mistake(
                3 * (frames - 1) + 3 + 1,
                "That adds up the layers as if nothing happened between them. After each pooling "
                "neighbouring inputs lie twice as far apart: a kernel of the next block reaches "
                "twice as far.",
            ),
            Mistake(
                (frames - 1) * (1 + 2 + 4) + 1,
                "The convolutions are right. Each pooling sees two inputs, too, and adds one.",
            ),
            Mistake(
                (frames - 1) * (1 + 2 + 4) + 1 + 2 + 4,
                "Nearly: a step of no layers at all sees one frame, not none.",
            ),
            Mistake(3 * frames, "Three kernels side by side? They stand on top of each other."),
            Mistake(frames, "That is what a kernel of the first block sees."),
            Mistake(seen(5), "So many sees a step of the network above, with narrower kernels."),
        ],
        praise=f"{seen(frames)} frames are {(seen(frames) - 1) * sound.hop + sound.n_fft:,} "
        f"samples; with kernels of 5 frames a step sees {seen(5)}. The first answer comes later.",
        hint="Go upwards, block by block: a convolution adds (kernel − 1) of its inputs, a "
        "pooling adds one, and after each pooling inputs lie twice as far apart.",
    )


@exercise
def cross_entropy(given_to_truth: Sequence[float]) -> Question:
    """Ask for the loss over some clips: a number.

    Parameters
    ----------
    given_to_truth : sequence of float
        The probability that the network gives to each clip's true genre.
    """
    import keras

    p = np.asarray(given_to_truth, np.float64)
    # The true genre is the first of two; what the others get does not matter.
    rows = np.stack([p, 1 - p], axis=1)
    losses = keras.losses.sparse_categorical_crossentropy(np.zeros(len(p)), rows)
    truth = float(np.mean(np.asarray(losses)))
    return Number(
        truth=truth,
        tolerance=0.005,
        mistakes=[
            Mistake(
                -np.log(p.mean()),
                "That is the logarithm of the mean. The loss is the mean of the logarithms: each "
                "clip's surprise counts, and one bad surprise is not made up for by a good guess.",
            ),
            Mistake(
                truth / np.log(2),
                "That is with the logarithm to base two, in bits. This loss has the natural one.",
            ),
            Mistake(
                truth / np.log(10),
                "That is with the logarithm to base ten. This loss has the natural one (`np.log`).",
            ),
            Mistake(-truth, "A loss is not negative: mind the sign of the logarithm."),
            Mistake(
                truth * len(p), "That is the sum. The loss of a batch is the mean over its clips."
            ),
            Mistake(1 - p.mean(), "That is how much probability went elsewhere. Take logarithms."),
        ],
        praise=f"As much as giving every true genre {np.exp(-truth):.3f}.",
        hint="For each clip, minus the natural logarithm of what its true genre was given; then "
        "the mean over the clips.",
    )


def _facts(shuffled: object, frames: np.ndarray, *_: object) -> tuple[float, ...]:
    """Say of shuffled frames: is their shape right, did frames stay whole, what of their order."""
    found = np.asarray(shuffled, np.float32)
    if found.shape != frames.shape:
        return 0.0, 0.0, 0.0

    def in_order(of: np.ndarray) -> np.ndarray:
        return of[np.lexsort(of.T)]

    if np.array_equal(in_order(found), in_order(frames)):
        whole = 1.0
    elif np.array_equal(np.unique(np.vstack([found, frames]), axis=0), np.unique(frames, axis=0)):
        whole = 0.75  # each is a frame of the clip, but not each of the clip's is there
    else:
        whole = 0.5 * np.array_equal(np.sort(found, axis=0), np.sort(frames, axis=0))
    orders = {0.0: frames, -1.0: frames[::-1]}
    order = next((mark for mark, of in orders.items() if np.array_equal(found, of)), 1.0)
    return 1.0, whole, order


@exercise
def shuffled_in_time(net: SongNet, frames: np.ndarray) -> Question:
    """Ask to put a clip's frames into another order: a function of frames and a generator.

    Parameters
    ----------
    net : SongNet
        A network that hears them then.
    frames : np.ndarray, shape (frames, n_mels)
        A clip's.
    """
    small = np.arange(24, dtype=np.float32).reshape(8, 3) ** 1.5
    before = net.genre_of_frames(frames).mean(axis=0)
    mixed = np.random.default_rng(0).permutation(frames)
    after = net.genre_of_frames(mixed).mean(axis=0)
    genres = [net.genres[p.argmax()] for p in (before, after)]
    same = "stays" if genres[0] == genres[1] else f"turns into {genres[1]}"
    return Function(
        inputs=[(small, np.random.default_rng(1)), (frames, np.random.default_rng(2))],
        view=_facts,
        truth=lambda frames, random: random.permutation(frames),
        mistakes=[
            Mistake(
                lambda frames, random: random.permutation(frames, axis=1),
                "That shuffles the mel bands: every sound becomes another one. Time runs along "
                "the first direction.",
            ),
            Mistake(
                lambda frames, random: random.permuted(frames, axis=0),
                "Each band is shuffled by itself there, so that no frame stays whole. Move whole "
                "frames: `permutation`, not `permuted`.",
            ),
            Mistake(
                lambda frames, random: random.choice(frames, len(frames)),
                "Some frames come more than once there, and others never: they are drawn with "
                "replacement. Each should be there as often as before.",
            ),
            Mistake(
                lambda frames, random: frames[::-1],
                "That turns the clip round. All neighbours are still neighbours; shuffle them.",
            ),
            Mistake(
                lambda frames, random: frames,
                "The frames are in the order in which they were. (`random.shuffle` works in place "
                "and returns nothing; `random.permutation` returns a shuffled copy.)",
            ),
        ],
        praise=f"With all its frames shuffled, the answer for this clip {same}, and a genre's "
        f"probability moves by up to {np.abs(after - before).max():.2f}. MFCC statistics would "
        "not have moved at all.",
        hint="What comes out should have the frames of what went in, each whole, in another order.",
    )


@exercise
def clips_needed(accuracy: float, half_width: float) -> Question:
    """Ask how many test clips it takes until an accuracy is so sure: about; a number.

    Parameters
    ----------
    accuracy : float
        The share of right answers.
    half_width : float
        How far the 95 % interval may reach to each side.
    """

    def enough(wanted: float, confidence: float = 0.95) -> int:
        def is_sure(clips: int) -> bool:
            low, high = wilson_interval(round(accuracy * clips), clips, confidence)
            return (high - low) / 2 <= wanted

        powers = itertools.takewhile(lambda n: not is_sure(n), (2**k for k in range(40)))
        low = max(powers, default=1)
        high = 2 * low
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_sure(middle) else (middle, high)
        return high

    truth = enough(half_width)
    return Number(
        truth=truth,
        tolerance=0.03 * truth,
        mistakes=[
            Mistake(
                enough(half_width / 2),
                "With so many it reaches half as far: you have taken the whole width for what it "
                "may reach to *each* side.",
            ),
            Mistake(
                enough(2 * half_width),
                "With so many the whole interval is twice as wide as it may be. It may reach so "
                "far to each side.",
            ),
            Mistake(
                enough(half_width, 0.68),
                "That is for one standard error to each side, and such an interval holds the true "
                "accuracy two times in three. For 95 % it takes nearly four times as many.",
            ),
            Mistake(
                round(1 / half_width),
                "Luck shrinks slowly: by the *root* of the number of clips.",
            ),
        ],
        praise="And that is if clips were independent. Clips of one artist are not, so it takes "
        "even more. Half the width costs four times the clips.",
        hint="`wilson_interval(round(accuracy * n), n)` for larger and larger n: when does it "
        "reach no further than that to each side? (Rounded answers will do.)",
    )
