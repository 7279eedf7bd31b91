"""Auralised songs: a song filtered by one kernel (Choi et al. 2015).

The kernel's *feature map*, its activation at every moment of the song, goes back through the
network to the spectrogram: through each convolution by its transpose, through each pooling to the
place of its maximum, and through each ReLU where its input was positive. Zeiler and Fergus (2014)
call this a deconvolution. Simonyan et al. (2014) note that, up to the treatment of ReLU, it is the
gradient of half the square of the feature map, which is how this module computes it. The result
shows how much each mel band of each frame contributed to the kernel.

Its positive part, from 0 to 1, is a mask on the song's own complex spectrum. Phases stay the same,
so you hear the parts of the song that excite the kernel.

References
----------
K. Choi, G. Fazekas, M. Sandler and J. Kim, "Auralisation of deep convolutional neural networks:
listening to learned features", ISMIR late-breaking, 2015.
"""

from __future__ import annotations

import functools

import numpy as np

from songnet_utils._utils.errors import SongNetError
from songnet_utils.audio import SILENCE, check_samples, log_mel, mel_filters
from songnet_utils.audio.sound import Sound
from songnet_utils.kernels.clips import KernelClip
from songnet_utils.kernels.layers import KernelLayer, Kernels
from songnet_utils.kernels.tensorflow import tf

# The strongest hundredth of the mask stays at full level.
_FULL = 0.99


def auralise(
    kernels: Kernels,
    layer: str | int,
    kernel: int,
    audio: np.ndarray,
    *,
    name: str = "a song",
    credits: tuple[str, ...] = (),
) -> KernelClip:
    """Return a song filtered by one kernel.

    Parameters
    ----------
    kernels : Kernels
        The kernels of a network.
    layer : str or int
        A layer's name, or its number from 1.
    kernel : int
        The kernel's number.
    audio : np.ndarray, shape (samples,)
        The song, mono, at the network's rate.
    name : str
        The song's name.
    credits : tuple of str
        Its title, artist, source and licence.

    Returns
    -------
    KernelClip
        As many samples as the song, with no frequency louder than in the song.

    Raises
    ------
    SongNetError
        When there is no such kernel, the song is silent or shorter than the kernel's receptive
        field, or the kernel never fires in it.
    """
    its = kernels.layer(layer)
    kernel = its.check(kernel)
    mask = mask_of(kernels, its, kernel, audio, name)
    audible = masked(check_samples(audio), mask, kernels.sound)
    label = f"{name}, filtered by kernel {kernel} of {its.name}"
    return KernelClip(audible, kernels.sound.sample_rate, label, credits)


def mask_of(
    kernels: Kernels, layer: KernelLayer, kernel: int, audio: np.ndarray, name: str
) -> np.ndarray:
    """Return the contribution of each mel band of each frame to a kernel, from 0 to 1.

    Returns
    -------
    np.ndarray, shape (frames, n_mels), float32

    Raises
    ------
    SongNetError
        As for `auralise`.
    """
    audio = check_samples(audio)
    if np.abs(audio).max() < SILENCE:
        raise SongNetError(f"{name}: is silent. Choose a song with sound in it.")
    frames = log_mel(audio, kernels.sound)
    if len(frames) < layer.size:
        raise SongNetError(
            f"{name}: has {len(frames)} frames, but a kernel of {layer.name} sees {layer.size} "
            f"({layer.seconds:.2f} s). Choose a longer song."
        )
    x = tf.constant(frames[None])
    with tf.GradientTape() as tape:
        tape.watch(x)
        feature_map = kernels.active(x, layer)[..., kernel]
        energy = tf.reduce_sum(tf.nn.relu(feature_map) ** 2) / 2
    if float(energy) == 0:
        raise SongNetError(
            f"{name}: kernel {kernel} of {layer.name} never fires in it. "
            "Choose another song or another kernel."
        )
    back = np.maximum(tape.gradient(energy, x).numpy()[0], 0)
    if not back.any():
        raise SongNetError(
            f"{name}: no sound in it excites kernel {kernel} of {layer.name}, which fires where "
            "sound is missing. Choose another kernel."
        )
    full = np.quantile(back[back > 0], _FULL)
    return np.minimum(back / full, 1).astype(np.float32)


def masked(audio: np.ndarray, mask: np.ndarray, sound: Sound) -> np.ndarray:
    """Return a song filtered by a mask, with unchanged phases.

    Parameters
    ----------
    audio : np.ndarray, shape (samples,)
        The song, at the description's rate.
    mask : np.ndarray, shape (frames, n_mels)
        The gain of each mel band in each frame, 0 to 1.
    sound : Sound
        The description of sound.

    Returns
    -------
    np.ndarray, shape (samples,), float32
    """
    import librosa

    options = {"n_fft": sound.n_fft, "hop_length": sound.hop, "center": True}
    spectrum = librosa.stft(audio, pad_mode="constant", **options)
    through = mask @ _band_to_bin(sound)
    return librosa.istft(spectrum * through.T, length=len(audio), **options).astype(np.float32)


@functools.cache
def _band_to_bin(sound: Sound) -> np.ndarray:
    """Return the weights of the mel bands for each frequency, which sum to 1."""
    filters = mel_filters(sound).toarray()
    total = filters.sum(axis=0)
    covered = np.flatnonzero(total > 0)
    shares = np.zeros_like(filters)
    shares[:, covered] = filters[:, covered] / total[covered]
    # A frequency outside all filters gets the weights of the nearest frequency inside one.
    for bin_ in np.flatnonzero(total == 0):
        shares[:, bin_] = shares[:, covered[np.abs(covered - bin_).argmin()]]
    return shares
