"""Checks of lesson 4, the C-RNN: weights, receptive fields, losses, time, and certainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from songnet_utils.audio.sound import Sound
from songnet_utils.lessons.checks.questions import Function, Number, Question, exercise
from songnet_utils.metrics.intervals import wilson_interval
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
        The genres that the network tells apart.
    """
    network = songnet(sound, list(genres))
    first, second = (network.get_layer(f"conv_{number}") for number in (1, 2))
    frames, channels, kernels = second.kernel.shape
    return Number(
        second.count_params(),
        wrong=dict(
            no_bias=frames * channels * kernels,
            first=first.count_params(),
            one_channel=frames * kernels + kernels,
            one_kernel=frames * channels + 1,
        ),
        tolerance=0.5,
        facts=dict(frames=frames, channels=channels, kernels=kernels),
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

    truth, now = seen(frames), seen(5)
    convolutions, poolings = (frames - 1) * (1 + 2 + 4), 1 + 2 + 4
    return Number(
        truth,
        wrong=dict(
            no_distance=3 * (frames - 1) + 3 + 1,
            no_pooling=convolutions + 1,
            no_first_frame=convolutions + poolings,
            side_by_side=3 * frames,
            first_block=frames,
            now=now,
        ),
        tolerance=0.1,
        facts=dict(truth=truth, samples=(truth - 1) * sound.hop + sound.n_fft, now=now),
    )


@exercise
def cross_entropy(given_to_truth: Sequence[float]) -> Question:
    """Ask for the loss over some clips: a number.

    Parameters
    ----------
    given_to_truth : sequence of float
        The probability that the network gives to each clip's true genre.
    """
    p = np.asarray(given_to_truth, np.float64)
    truth = float(-np.log(p).mean())
    return Number(
        truth,
        wrong=dict(
            logarithm_of_mean=-np.log(p.mean()),
            bits=truth / np.log(2),
            base_ten=truth / np.log(10),
            sign=-truth,
            sum=truth * len(p),
            no_logarithm=1 - p.mean(),
        ),
        tolerance=0.005,
        facts=dict(mean=np.exp(-truth)),
    )


def _facts(shuffled: object, frames: np.ndarray, *_: object) -> tuple[float, ...]:
    """Return whether shuffled frames have the right shape, are whole, and are in a new order."""
    found = np.asarray(shuffled, np.float32)
    if found.shape != frames.shape:
        return 0.0, 0.0, 0.0

    def in_order(of: np.ndarray) -> np.ndarray:
        return of[np.lexsort(of.T)]

    if np.array_equal(in_order(found), in_order(frames)):
        whole = 1.0
    elif np.array_equal(np.unique(np.vstack([found, frames]), axis=0), np.unique(frames, axis=0)):
        whole = 0.75  # each is a frame of the clip, but some frames are missing
    else:
        whole = 0.5 * np.array_equal(np.sort(found, axis=0), np.sort(frames, axis=0))
    orders = {0.0: frames, -1.0: frames[::-1]}
    order = next((mark for mark, of in orders.items() if np.array_equal(found, of)), 1.0)
    return 1.0, whole, order


@exercise
def shuffled_in_time(net: SongNet, frames: np.ndarray) -> Question:
    """Ask for a clip's frames in another order: a function of the frames and a generator.

    Parameters
    ----------
    net : SongNet
        A network that classifies the shuffled frames.
    frames : np.ndarray, shape (frames, n_mels)
        A clip's frames.
    """
    small = np.arange(24, dtype=np.float32).reshape(8, 3) ** 1.5
    mixed = np.random.default_rng(0).permutation(frames)
    before, after = (net.genre_of_frames(of).mean(axis=0) for of in (frames, mixed))
    same = before.argmax() == after.argmax()
    return Function(
        lambda frames, random: random.permutation(frames),
        wrong=dict(
            bands=lambda frames, random: random.permutation(frames, axis=1),
            each_band=lambda frames, random: random.permuted(frames, axis=0),
            with_replacement=lambda frames, random: random.choice(frames, len(frames)),
            backwards=lambda frames, random: frames[::-1],
            as_they_were=lambda frames, random: frames,
        ),
        inputs=[(small, np.random.default_rng(1)), (frames, np.random.default_rng(2))],
        view=_facts,
        facts=dict(
            answer="stays the same" if same else f"turns into {net.genres[after.argmax()]}",
            moved=np.abs(after - before).max(),
        ),
    )


@exercise
def clips_needed(accuracy: float, half_width: float) -> Question:
    """Ask how many test clips make an accuracy this certain: a number, roughly.

    Parameters
    ----------
    accuracy : float
        The share of right answers.
    half_width : float
        How far the 95 % interval may extend to each side.
    """

    def enough(wanted: float, confidence: float = 0.95) -> int:
        """Find the number to within one per cent."""
        clips = 1
        while True:
            low, high = wilson_interval(round(accuracy * clips), clips, confidence)
            if (high - low) / 2 <= wanted:
                return clips
            clips += 1 + clips // 100

    truth = enough(half_width)
    return Number(
        truth,
        wrong=dict(
            whole_width=enough(half_width / 2),
            twice_as_wide=enough(2 * half_width),
            one_standard_error=enough(half_width, 0.68),
            no_root=round(1 / half_width),
        ),
        tolerance=0.03 * truth,
    )
